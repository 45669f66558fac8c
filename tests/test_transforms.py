"""grad, value_and_grad, vjp, jvp, trace, stop_gradient: values, nesting, containers, records."""

from __future__ import annotations

import gc
import math
import weakref
from collections import namedtuple
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.core.tensor import ancestors
from autograd_lite.testing import arrays, programs

Pair = namedtuple("Pair", "one two")
X = np.array([0.5, -1.0, 2.0])


@dataclass
class Layer:
    weights: Any
    bias: Any


@given(programs(max_size=15))
def test_transforms_and_backward_agree(program):
    numbers = range(len(program.arrays))
    value, gradients = ag.value_and_grad(program, tuple(numbers))(*program.arrays)
    leaves = [ag.Tensor(x) for x in program.arrays]
    result = program(*leaves)
    assert value == result.data
    if result.requires_grad:
        result.backward()
    pulled = ag.vjp(program, *program.arrays)[1](1.0)
    for leaf, g, p in zip(leaves, gradients, pulled, strict=True):
        expected = np.zeros(leaf.shape) if leaf.grad is None else leaf.grad
        np.testing.assert_array_equal(g, expected)
        np.testing.assert_array_equal(p, expected)


@given(programs(max_size=15), st.integers(0, 99))
def test_jvp_is_the_gradient_along_the_tangent(program, seed):
    random = np.random.default_rng(seed)
    tangents = tuple(random.normal(size=x.shape) for x in program.arrays)
    value, tangent = ag.jvp(program, program.arrays, tangents)
    gradients = ag.grad(program, tuple(range(len(tangents))))(*program.arrays)
    along = sum(np.sum(g * t) for g, t in zip(gradients, tangents, strict=True))
    assert value == program(*map(ag.Tensor, program.arrays)).data
    np.testing.assert_allclose(tangent, along, rtol=1e-9, atol=1e-12)


@given(st.integers(1, 6), st.floats(0.5, 2.0))
def test_any_order(order, x):
    f = lambda x: x**6  # noqa: E731
    for _ in range(order):
        f = ag.grad(f)
    np.testing.assert_allclose(f(x), math.perm(6, order) * x ** (6 - order), rtol=1e-12)


@given(st.integers(1, 5))
def test_any_order_of_sine_like(order):
    def pushed(f):
        return lambda x: ag.jvp(f, (x,), (1.0,))[1]

    f = np.exp
    for k in range(order):
        f = ag.grad(f) if k % 2 else pushed(f)
    np.testing.assert_allclose(f(0.3), math.exp(0.3), rtol=1e-12)


def test_no_confusion_between_inner_and_outer():
    # Siskind and Pearlmutter's example: the inner derivative is 1, whatever x is.
    assert ag.grad(lambda x: x * ag.grad(lambda y: x + y)(1.0))(1.0) == 1
    assert ag.grad(lambda x: ag.grad(lambda y: x * y * y)(3.0))(2.0) == 6
    assert ag.grad(lambda x: x * ag.grad(lambda y: x * y)(x))(3.0) == 6
    assert ag.grad(lambda x: ag.grad(lambda x: x**2)(x) * x)(3.0) == 12
    assert ag.grad(lambda x: x * ag.jvp(lambda y: x + y, (1.0,), (1.0,))[1])(1.0) == 1
    assert ag.jvp(lambda x: x * ag.jvp(lambda y: x + y, (1.0,), (1.0,))[1], (1.0,), (1.0,))[1] == 1
    assert ag.grad(lambda x: ag.grad(lambda y: ag.grad(lambda z: x * y * z)(x))(x))(5.0) == 1


def test_the_same_array_twice_is_two_arguments():
    g, h = ag.grad(lambda x, y: np.sum(x * x * y), (0, 1))(X, X)
    np.testing.assert_array_equal(g, 2 * X * X)
    np.testing.assert_array_equal(h, X * X)
    w = ag.Tensor(X)
    g, h = ag.grad(lambda x, y: np.sum(x * x * y), (0, 1))(w, w)
    np.testing.assert_array_equal(g.data, 2 * X * X)
    np.testing.assert_array_equal(h.data, X * X)


def test_containers_keep_their_form():
    def f(layers, scale):
        return np.sum(layers["a"].weights * layers["b"][0]) * scale + layers["pair"].one

    tree = {"a": Layer(X, 1.0), "b": (X + 1, None), "pair": Pair(2.0, [3.0])}
    gradient = ag.grad(f)(tree, 2.0)
    assert list(gradient) == ["a", "b", "pair"]
    np.testing.assert_array_equal(gradient["a"].weights, 2 * (X + 1))
    assert gradient["a"].bias == 0
    np.testing.assert_array_equal(gradient["b"][0], 2 * X)
    assert gradient["b"][1] is None
    assert gradient["pair"] == Pair(1.0, [0.0])


def test_cotangents_and_tangents_are_matched_by_key():
    y, pull = ag.vjp(lambda x: {"one": x, "two": 10 * x}, 1.0)
    assert list(y) == ["one", "two"]
    assert pull({"two": 1.0, "one": 0.0}) == (10.0,)
    f = lambda p: p["a"] + 10 * p["b"]  # noqa: E731
    assert ag.jvp(f, ({"a": 1.0, "b": 1.0},), ({"b": 1.0, "a": 0.0},)) == (11.0, 10.0)


def test_zeros_where_nothing_depends():
    value, (g, h) = ag.value_and_grad(lambda x, y: np.sum(x), (0, 1))(np.float32([1, 2]), X)
    assert value == 3
    np.testing.assert_array_equal(g, [1, 1])
    np.testing.assert_array_equal(h, np.zeros(3))
    assert g.dtype == value.dtype == np.float32
    assert ag.grad(lambda x: 3.0)(X).tolist() == [0, 0, 0]
    assert ag.jvp(lambda x: 3.0, (X,), (X,)) == (3.0, 0.0)
    assert ag.jvp(lambda x: ag.Tensor(2.0) * 3, (X,), (X,)) == (6.0, 0.0)


def test_arrays_for_arrays_and_tensors_for_tensors():
    f = lambda x: np.sum(x * x)  # noqa: E731
    for argument in (X, X.tolist(), X.astype(np.float32)):
        value, gradient = ag.value_and_grad(lambda x: f(np.stack(x)))(argument)
        assert not isinstance(value, ag.Tensor)
        assert not any(isinstance(g, ag.Tensor) for g in gradient)
    w = ag.Tensor(X)
    value, gradient = ag.value_and_grad(f)(w)
    assert value.requires_grad
    assert gradient.requires_grad
    np.sum(gradient * gradient).backward()
    np.testing.assert_array_equal(w.grad, 8 * X)
    value, gradient = ag.value_and_grad(f)(ag.constant(X))
    assert isinstance(gradient, ag.Tensor)
    assert not gradient.requires_grad
    with ag.no_grad():
        assert not ag.grad(f)(w).requires_grad


def test_an_argument_that_is_not_differentiated_counts_too():
    w = ag.Tensor(2.0)
    gradient = ag.grad(lambda x, w: np.sum(w * x * x))(X, w)
    np.sum(gradient).backward()
    assert w.grad == np.sum(2 * X)
    gradient = ag.grad(lambda x, w: np.sum(w * x * x))(X, w=w)
    assert gradient.requires_grad


def test_an_inner_derivative_of_numbers_alone_is_numbers():
    def f(x):
        derivative = ag.grad(lambda y: y**3)(2.0)
        assert not isinstance(derivative, ag.Tensor)
        return x * float(derivative)

    assert ag.grad(f)(1.0) == 12


def test_a_gradient_in_a_loop_visits_its_own_record_only(monkeypatch):
    visited = []

    def counted(*args, **options):
        nodes = ancestors(*args, **options)
        visited.append(len(nodes))
        return nodes

    def descended(x):
        for _ in range(20):
            x = x - 0.1 * ag.grad(lambda y: np.sum(np.sin(y) ** 2))(x)
        return np.sum(x)

    monkeypatch.setattr("autograd_lite.core.sweep.ancestors", counted)
    monkeypatch.setattr("autograd_lite.transforms.ancestors", counted)
    ag.grad(descended)(np.array([0.3, 0.4]))
    *inner, outer = visited
    each = len(inner) // 20
    assert inner == 20 * inner[:each]
    assert outer > 10 * max(inner)


def test_integers_become_float64_and_0d_results_are_numbers():
    assert ag.grad(lambda x: x * x)(3) == 6.0
    assert isinstance(ag.grad(lambda x: x * x)(3), np.float64)
    assert ag.grad(lambda x: np.sum(x * x))(np.array([1, 2])).dtype == np.float64


def test_no_record_is_held():
    seen = []

    def f(x):
        y = np.tanh(x * x)
        seen.append(weakref.ref(y.array))
        return np.sum(y)

    gc.collect()
    gc.disable()
    try:
        ag.value_and_grad(f)(X)
        ag.hvp(f)(X, X)
        ag.hessian(f)(X)
        ag.jvp(f, (X,), (X,))
        ag.jacobian(f)(X)
        value, pull = ag.vjp(f, X)
        assert [ref() for ref in seen[:-1]] == [None] * (len(seen) - 1)
        assert seen[-1]() is not None
        del pull, value
        assert seen[-1]() is None
    finally:
        gc.enable()


def test_pull_again_and_again():
    _, pull = ag.vjp(np.exp, X)
    for u in (X, 2 * X, X):
        np.testing.assert_array_equal(pull(u)[0], u * np.exp(X))
    u = ag.Tensor(X)
    (pulled,) = pull(u)
    np.sum(pulled).backward()
    np.testing.assert_array_equal(u.grad, np.exp(X))


def test_results_are_the_callers_own():
    f = lambda x: x  # noqa: E731
    given = X.copy()
    value, pull = ag.vjp(f, given)
    value[0] = 7
    assert given[0] == X[0]
    u = np.ones(3)
    (pulled,) = pull(u)
    pulled[0] = 7
    assert u[0] == 1
    gradient = ag.grad(np.sum)(X)
    gradient[0] = 7
    assert ag.grad(np.sum)(X)[0] == 1


@pytest.mark.parametrize("leak", [float, lambda t: t.item(), lambda t: t.data, np.asarray])
def test_values_do_not_leak_unless_intended(leak):
    with pytest.raises(TypeError, match=r"gradient"):
        ag.grad(lambda x: x * leak(x))(2.0)
    assert ag.grad(lambda x: x * leak(ag.stop_gradient(x)))(2.0) == 2
    with pytest.raises(TypeError, match="lose its gradient"):
        ag.trace(lambda x: x * leak(ag.stop_gradient(x)), 2.0)


def test_grad_follows_branches():
    f = lambda x: x * x if x > 0 else -x  # noqa: E731
    assert ag.grad(f)(3.0) == 6
    assert ag.grad(f)(-3.0) == -1


def test_stop_gradient():
    assert ag.grad(lambda x: x * ag.stop_gradient({"a": x})["a"])(3.0) == 3
    assert ag.hessian(lambda x: x * x * ag.stop_gradient(x))(3.0) == 6
    assert ag.stop_gradient(X) is X
    graph = ag.trace(lambda x: np.sum(x * ag.stop_gradient(np.exp(x))), X)
    assert [node.op.name for node in graph.nodes if node.op] == [
        "exp",
        "stop_gradient",
        "multiply",
        "sum",
    ]


def test_trace_bakes_no_value_in():
    def f(x):
        with ag.no_grad():
            level = np.mean(x)
        return np.sum(x * level)

    graph = ag.trace(f, ag.Tensor(X, name="x"))
    assert graph.inputs[0].name == "x"
    assert "mean" in [node.op.name for node in graph.nodes if node.op]
    np.testing.assert_allclose(ag.grad(f)(X), np.full(3, X.mean()))


def test_trace_of_a_gradient_shows_the_gradient():
    graph = ag.trace(ag.grad(lambda x: np.sum(x * x)), X)
    assert graph.outputs[0].shape == (3,)
    np.testing.assert_array_equal(graph.outputs[0].array, 2 * X)
    assert graph.inputs[0] in graph.nodes


@given(arrays((2, 3)), st.sampled_from([np.float32, np.float64]))
def test_float32_stays(x, dtype):
    value, gradient = ag.value_and_grad(lambda x: np.mean(np.tanh(x) * 2 + 1))(x.astype(dtype))
    assert value.dtype == gradient.dtype == dtype
    _, tangent = ag.jvp(np.tanh, (x.astype(dtype),), (x,))
    assert tangent.dtype == dtype


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ag.grad(3), TypeError, "expected a function; got int"),
        (lambda: ag.vjp(3, X), TypeError, "expected a function; got int"),
        (lambda: ag.grad(np.exp)(X), ValueError, "must return a scalar"),
        (lambda: ag.grad(lambda x: (x, x))(1.0), TypeError, "container of 2 values"),
        (lambda: ag.grad(lambda x: "one")(1.0), TypeError, "the function's result"),
        (lambda: ag.grad(np.sum, 1)(X), TypeError, "out of range for 1 argument"),
        (lambda: ag.grad(np.sum, "x")(X), TypeError, "must be integers"),
        (lambda: ag.grad(np.dot, (0, -2))(X, X), ValueError, "argument 0 twice"),
        (lambda: ag.grad(lambda p: p["a"])({"a": "text"}), TypeError, r"argument 0\['a'\]"),
        (lambda: ag.grad(np.sum)(X + 1j), TypeError, "argument 0"),
        (lambda: ag.vjp(np.exp, X)[1](np.ones(2)), ValueError, r"the cotangent of shape \(2,\)"),
        (lambda: ag.vjp(np.exp, X)[1]([1.0, 2.0, 3.0]), ValueError, "the same structure"),
        (lambda: ag.jvp(np.exp, (X,), (1.0,)), ValueError, r"tangent \[0\] of shape \(\)"),
        (lambda: ag.jvp(np.exp, (X,), ()), ValueError, r"nothing at its \[0\]"),
        (lambda: ag.jvp(np.exp, X, X), TypeError, "args must be a tuple"),
        (lambda: ag.trace(np.sum, "text"), TypeError, r"trace: args\[0\]"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_what_a_transform_gives_for_tensors_is_a_tensor_like_any_other():
    w = ag.Tensor(X)
    value, gradient = ag.value_and_grad(lambda w: np.sum(w * w))(w)
    assert type(value) is type(gradient) is type(gradient * 2) is ag.Tensor
    with ag.no_grad():
        held = gradient * 2
    held.data -= 1
    np.testing.assert_array_equal(held.data, 4 * X - 1)
    np.sum(gradient).backward()
    np.testing.assert_array_equal(w.grad, np.full(X.shape, 2.0))
