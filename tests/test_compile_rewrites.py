"""The rewrites: what each one produces, and that none makes a result less accurate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.compiler.bounds import bounds
from autograd_lite.compiler.rewrite import rewrite
from autograd_lite.compiler.rules import ALGEBRA, STATEMENTS
from autograd_lite.compiler.sigmoids import SHARING, SIGMOIDS
from autograd_lite.expressions.expr import Builder, Expr, in_order

x = np.array([[0.5, -1.5], [2.0, 3.0]])
y = np.array([[1.0, 0.25], [0.0, 1.0]])


def text(function, *args):
    """The one expression that the readable form returns."""
    return ag.compile(function).readable(*args).rstrip().rpartition("    return ")[2]


PLAIN = {
    "times_one": (lambda x: x * 1, "np.copy(x)"),
    "times_minus_one": (lambda x: np.tanh(x * -1), "np.tanh(-x)"),
    "plus_zero": (lambda x: np.tanh(0 + x) + 0, "np.tanh(x)"),
    "minus_zero": (lambda x: 0 - np.tanh(x - 0), "-np.tanh(x)"),
    "over_one": (lambda x: np.tanh(x / 1) ** 1, "np.tanh(x)"),
    "one_over": (lambda x: 1 / np.exp(x), "1 / np.exp(x)"),
    "to_the_second": (lambda x: np.tanh(x) ** 2, "np.tanh(x) ** 2"),
    "double_negative": (lambda x: -np.tanh(np.negative(-x)), "-np.tanh(x)"),
    "negative_difference": (lambda x: np.tanh(-(x - np.exp(x))), "np.tanh(np.exp(x) - x)"),
    "absolute_negative": (lambda x: np.abs(-x), "np.abs(x)"),
    "add_negative": (lambda x: np.exp(x) + -x, "np.exp(x) - x"),
    "subtract_negative": (lambda x: np.exp(x) - -x, "np.exp(x) + x"),
    "double_transpose": (lambda x: np.tanh(x.T.T), "np.tanh(x)"),
    "transposed_product": (lambda x: (x.T @ np.exp(x)).T, "np.exp(x).T @ x"),
    "plain_transpose": (lambda x: np.tanh(np.transpose(x, (1, 0))), "np.tanh(x.T)"),
    "mean_as_sum": (lambda x: np.mean(x), "np.sum(x) / 4"),
    "broadcast_argument": (lambda x: np.exp(x) + np.broadcast_to(x[0], (2, 2)), "np.exp(x) + x[0]"),
    "filled": (lambda x: np.where(x > 0, x, np.zeros_like(x)), "np.where(x > 0, x, 0)"),
    "to_the_zeroth": (lambda x: np.exp(x) + x**0, "np.exp(x) + 1"),
    "or_false": (lambda x: np.where(np.logical_or(x > 0, False), x, 1), "np.where(x > 0, x, 1)"),
    "where_not": (lambda x: np.where(np.logical_not(x > 0), x, 1), "np.where(x > 0, 1, x)"),
    "chosen_twice": (
        lambda x: (lambda a: np.where(a, np.where(a, x, 1) * x, 0))(x > 0),
        "np.where(x > 0, x * x, 0)",
    ),
    "zero_of_choice": (
        lambda x: ag.grad(lambda x: np.sum(np.where(x > 0, np.log(x), 1)))(x),
        "np.where(x > 0, 1 / x, 0)",
    ),
    "zero_already": (
        lambda x: ag.grad(lambda x: np.sum(np.sin(ag.relu(x))))(x),
        "np.cos(t1) * (t1 > 0)",
    ),
    "zero_needed": (
        lambda x: ag.grad(lambda x: np.sum(np.sqrt(ag.relu(x))))(x),
        "np.where(t1 <= 0, 0, 0.5 * (1 / np.sqrt(t1) * (t1 > 0)))",
    ),
    "factors": (lambda x: np.sum(3 * (x / 4)) * -2, "-1.5 * np.sum(x)"),
    "doubled": (lambda x: np.tanh(x) + np.tanh(x), "2 * np.tanh(x)"),
    "add_everywhere": (
        lambda x: ag.grad(lambda x: np.sum(np.tanh(x[:, None, :][:, 0])))(x),
        "4 * (t1 / (1 + t1) ** 2)",
    ),
    "dead_code": (lambda x: (np.exp(x), np.tanh(x))[1], "np.tanh(x)"),
    "same_twice": (lambda x: np.exp(x) - 2 * np.exp(x), "t1 - 2 * t1"),
    "constants": (lambda x: x * (2.0 * np.arange(2.0)).sum(), "2 * x"),
    "whole": (lambda x: np.tanh(x[()]), "np.tanh(x)"),
    "known_condition": (lambda x: np.where(False, x, np.exp(x)), "np.exp(x)"),
    "softplus_below_zero": (
        lambda x: np.log(1 + np.exp(-np.abs(x))),
        "np.log1p(np.exp(-np.abs(x)))",
    ),
}


@pytest.mark.parametrize("name", PLAIN)
def test_a_rewritten_expression(name):
    function, expected = PLAIN[name]
    found = text(function, x)
    if name == "factors":
        assert found in ("-1.5 * np.sum(x)", "-3 * (np.sum(x) / 2)")
        return
    assert found == expected


def test_a_constant_matrix_is_stored_in_full_for_a_product():
    function = lambda A, B: ag.grad(lambda A: np.sum(A @ B))(A)  # noqa: E731
    B = np.arange(6.0).reshape(2, 3)
    assert "np.ones((2, 3)" in ag.compile(function).source_for(x, B)
    np.testing.assert_array_equal(ag.compile(function)(x, B), function(x, B))


@pytest.mark.parametrize("keywords", [{}, {"axis": 1, "keepdims": True}])
def test_exponents_shifted_by_hand_are_not_shifted_again(keywords):
    def function(x):
        shifted = x - np.max(x, **keywords)
        return np.log(np.sum(np.exp(shifted), **keywords)), ag.logsumexp(shifted, **keywords)

    assert ag.compile(function).readable(x).count("np.max(") == 1
    for special in (x, x * np.inf, x - np.inf, np.full((2, 2), np.nan)):
        with np.errstate(all="ignore"):
            expected = function(ag.constant(special))
            np.testing.assert_allclose(ag.compile(function)(special), [y.numpy() for y in expected])


@pytest.mark.parametrize("axis", [None, 1])
def test_a_gradient_divides_the_exponentials_of_its_value(axis):
    function = ag.value_and_grad(lambda x: np.sum(ag.logsumexp(x, axis=axis)))
    assert ag.compile(function).readable(x).count("np.exp(") == 1


def test_sums_and_outer_products_become_dot_products():
    source = ag.compile(lambda a, b: np.sum(a * b) + np.sum(a)).source_for(np.ones(5), np.ones(5))
    assert "a.dot(b)" in source
    assert "ones.dot(a)" in source
    source = ag.compile(lambda a, b: np.multiply(a[:, None], b[None, :]) @ b).source_for(
        np.ones(3), np.ones(2)
    )
    assert "multiply" not in source
    assert source.count(".dot(") == 2


def test_a_shared_factor_is_applied_once_where_it_costs_least():
    @ag.compile
    def step(w, b, X, y):
        def loss(w, b):
            return np.mean((X @ w + b - y) ** 2)

        gradients = ag.grad(loss, (0, 1))(w, b)
        return w - 0.1 * gradients[0], b - 0.1 * gradients[1]

    arguments = np.ones(3), np.float64(1.0), np.ones((5, 3)), np.ones(5)
    source = step.source_for(*arguments)
    assert source.count("multiply(") == 1
    assert "0.04" in source


def test_the_exponential_is_shared_by_the_sigmoid_and_the_loss():
    def function(z, y):
        return ag.sigmoid(z), ag.binary_cross_entropy_with_logits(z, y)

    assert ag.compile(function).readable(x, y).count("np.exp(") == 1
    assert ag.compile(function).readable(x, y).count("x > 0") <= 1


def weighted(z, y, w):
    p = ag.sigmoid(z)
    return np.mean(w * -(y * np.log(p) + (1 - y) * np.log(1 - p)))


def written_out(z, y):
    p = 1 / (1 + np.exp(-z))
    return -np.sum(np.log(p) * y + np.log(1 - p) * (1 - y))


def test_lowest_terms_of_the_sigmoid_with_cross_entropy():
    assert text(lambda z, y: ag.grad(written_out)(z, y), x, y) == "1 / (1 + np.exp(-z)) - y"
    found = text(lambda z, y, w: ag.grad(weighted)(z, y, w), x, y, x)
    assert found == "w * (1 / (1 + np.exp(-z)) - y) / 4"


def test_one_minus_closed_over_labels_is_recognised():
    source = ag.compile(lambda z: ag.grad(lambda z: written_out(z, y))(z)).readable(x)
    assert "return 1 / (1 + np.exp(-z)) - C\n" in source


@pytest.mark.parametrize("name", sorted(STATEMENTS))
def test_each_rule_has_its_statement(name):
    assert len(STATEMENTS[name]) > 5


LOGITS = st.lists(
    st.one_of(st.floats(-1e4, 1e4), st.floats(-40, 40), st.floats(-1e-3, 1e-3)),
    min_size=1,
    max_size=6,
)


def exactly(z, y):
    """The loss of each logit and its derivative in long double, without cancellation."""
    z, y = z.astype(np.longdouble), y.astype(np.longdouble)
    tail = np.log1p(np.exp(-np.abs(z)))
    loss = y * (np.maximum(-z, 0) + tail) + (1 - y) * (np.maximum(z, 0) + tail)
    decay = np.exp(-np.abs(z))
    p = np.where(z > 0, 1, decay) / (1 + decay)
    return loss, p - y


@given(LOGITS, st.sampled_from([0.0, 1.0, 0.3]), st.sampled_from([np.float64, np.float32]))
def test_losses_at_any_logits_against_long_double(logits, label, dtype):
    z = np.array(logits, dtype)
    y = np.full(len(z), label, dtype)
    exact, derivative = exactly(z, y)
    eps = np.finfo(dtype).eps
    naive = ag.compile(lambda z, y: ag.value_and_grad(lambda z: written_out(z, y))(z))
    stable = ag.compile(
        lambda z, y: ag.value_and_grad(
            lambda z: ag.binary_cross_entropy(ag.sigmoid(z), y, reduction="sum")
        )(z)
    )
    for compiled in (naive, stable):
        value, gradient = compiled(z, y)
        assert abs(value - exact.sum()) <= 8 * eps * exact.sum() + 1e-300
        assert np.all(np.abs(gradient - derivative) <= 4 * eps * (1 + np.abs(y)))


@given(LOGITS)
def test_sigmoids_keep_their_relative_accuracy(logits):
    z = np.array(logits)
    wide = z.astype(np.longdouble)
    decay = np.exp(-np.abs(wide))
    exact = np.where(wide > 0, 1, decay) / (1 + decay)
    shared = ag.compile(lambda z: (ag.sigmoid(z), ag.softplus(z)))(z)[0]
    normal = exact > 1e-300
    assert np.all(np.abs(shared - exact)[normal] <= 8 * np.finfo(float).eps * exact[normal])


@given(st.lists(st.floats(-30, 30), min_size=1, max_size=5))
def test_bounds_hold(values):
    b = Builder()
    z = np.array(values)
    arg = b.argument(z, "z")
    terms: list[Expr] = [arg]
    for fn in ("negative", "absolute", "exp", "square", "tanh", "sign", "sqrt"):
        inner = b.call("np.absolute", terms[-1]) if fn == "sqrt" else terms[-1]
        terms.append(b.call(f"np.{fn}", inner))
        terms.append(b.call("np.copysign", terms[-1], -1.0))
        terms.append(b.call("np.divide", terms[-1], b.call("np.add", 2.0, b.call("np.exp", arg))))
    for term in terms:
        low, high = bounds(term)
        value = b.value(term)
        value = value[~np.isnan(value)]
        assert np.all((low <= value) & (value <= high))


def test_rewriting_twice_changes_nothing():
    b = Builder()
    z = b.argument(x, "z")
    root = b.call("np.negative", b.call("np.negative", b.call("np.add", z, 0)))
    for table in (ALGEBRA, SIGMOIDS, SHARING):
        once = rewrite([root], table, b)
        assert rewrite(once, table, b) == once
    assert in_order(rewrite([root], ALGEBRA, b)) == [z]


@pytest.mark.parametrize("label", [0.0, 1.0])
def test_the_label_of_one_example_may_be_closed_over(label):
    x, y, w = np.array([[0.5, -1.5]]), np.array([label]), np.array([0.25, 0.75])

    def loss(w, x, y):
        p = 1 / (1 + np.exp(-(x @ w)))
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    given = ag.compile(lambda w, x, y: ag.value_and_grad(loss)(w, x, y))
    held = ag.compile(lambda w: ag.value_and_grad(loss)(w, x, y))
    for a, b in zip(held(w), given(w, x, y), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-15)
    calls = [f.source.partition("def ")[2].count("\n") for f in (held, given)]
    assert calls[0] <= calls[1]


@pytest.mark.parametrize(
    "factor",
    [lambda w: np.where(w > 1, w, np.inf), lambda w: np.inf, lambda w: np.maximum(w, np.inf)],
)
def test_a_zero_stays_beside_an_infinite_number_of_the_program(factor):
    def gradient(x, w):
        return ag.grad(lambda x: np.sum(ag.relu(x) * factor(w)))(x)

    for found in (gradient, ag.compile(gradient)):
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(found(np.array([-1.0, 2.0]), np.zeros(2)), [0, np.inf])
