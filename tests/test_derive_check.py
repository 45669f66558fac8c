"""The faults that the check of a derivation catches, and its report where it cannot compare."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
import sympy

import autograd_lite as ag
from autograd_lite.derivation import CannotCheckWarning, DerivationError
from autograd_lite.derivation.chain import Chain
from autograd_lite.derivation.entries import Number
from autograd_lite.sweep import gradients

pytest.importorskip("sympy")


def T(x, name="x", dtype=float):
    return ag.Tensor(np.asarray(x, dtype=dtype), name=name)


POINT = [0.7, 1.5, 0.3]


@pytest.fixture
def plant(monkeypatch):
    """Applies a function to each part of a gradient that the chain passes on."""

    def plant(fault):
        right = Chain._parts

        def wrong(self, node, above):
            return [
                (x, type(part)(*(fault(self.space, p) for p in part)))
                for x, part in right(self, node, above)
            ]

        monkeypatch.setattr(Chain, "_parts", wrong)

    return plant


def roots_of_squares_cancelled(space, expr):
    """√x² as x, which is right for positive x alone."""
    return expr.replace(
        lambda e: e.is_Pow and e.base.is_Pow and e.base.exp == 2,
        lambda e: e.base.base ** (2 * e.exp),
    )


def decimals_dropped(space, expr):
    return expr.xreplace({
        s: sympy.S.Zero for s in expr.free_symbols if isinstance(space.entry(s), Number)
    })  # fmt: skip


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    ("f", "fault"),
    [
        (lambda x: np.sum(np.sin(x)), lambda space, e: e * (1 + sympy.Rational(1, 10**9))),
        (lambda x: 1e-12 * np.sum(x * np.sin(x)), lambda space, e: -e),
        (lambda x: np.sum(np.sin(x) + 1e-9 * x * x), decimals_dropped),
        (lambda x: np.sum(np.sqrt(x**2)), roots_of_squares_cancelled),
    ],
)  # fmt: skip
def test_a_wrong_form_is_caught_however_small_or_rare(plant, f, fault, dtype):
    x = T(POINT, dtype=dtype)
    assert "and at 3 random points" in ag.derive(f(x)).checked
    plant(fault)
    with pytest.raises(DerivationError, match="disagrees with the sweep"):
        ag.derive(f(x))


def test_a_finite_form_where_the_sweep_is_not_finite_is_reported_as_unchecked():
    x, c = T([0.0, 1.0, 2.0]), ag.constant([2.0, 3.0, 4.0], name="c")
    with np.errstate(invalid="ignore"):
        loss = np.sum(c * x * x / x)
    with pytest.warns(CannotCheckWarning, match="at the graph's values, where the sweep is not"):
        derivation = ag.derive(loss)
    form = derivation.closed_form[x]
    assert str(form) == "c"
    assert derivation.checked == (
        "checked against the sweep at 2 random points; at the graph's values some of it is not "
        "finite"
    )
    with pytest.warns(CannotCheckWarning, match="at these values the sweep gives no finite"):
        assert form.evaluate().tolist() == [2, 3, 4]
    with pytest.warns(CannotCheckWarning, match="at these values"):
        form.evaluate({x: [1.0, 0.0, 1.0]})
    assert form.evaluate({x: [1.0, -2.0, 1.0]}).tolist() == [2, 3, 4]


@pytest.mark.parametrize(
    ("f", "where"),
    [
        (lambda x: np.sum(np.exp(np.log(x))), [-1.0, -2.0]),
        (lambda x: np.sum(np.sqrt(x) ** 2), [-1.0, 3.0]),
        (lambda x: np.sum(np.exp(2 * np.log(x))), [1.0, -3.0]),
        (lambda x: np.sum(x**1.5 / np.sqrt(x)), [-2.0, 1.0]),
        (lambda x: np.sum(x / x), [0.0, 1.0]),
    ],
)
def test_outside_the_domain_of_the_loss_a_formula_warns_before_it_gives_a_number(f, where):
    x = T(POINT[:2])
    form = ag.derive(f(x)).closed_form[x]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        form.evaluate()
        form.evaluate({x: [0.4, 0.9]})
    with pytest.warns(CannotCheckWarning, match="no finite gradient"):
        form.evaluate({"x": where})


def test_saturated_labels_are_no_reason_to_warn():
    A, y = ag.constant([[4.0, 1.0], [1.0, -2.0]], name="A"), ag.constant([1.0, 0.0], name="y")
    w = T([0.2, 0.3], "w")
    ŷ = ag.sigmoid(A @ w).named("ŷ")
    loss = -np.sum(y * np.log(ŷ) + (1 - y) * np.log(1 - ŷ))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        form = ag.derive(loss).closed_form[w]
        np.testing.assert_allclose(form.evaluate({"w": [900.0, 100.0]}), A.numpy().T @ [0, 1])


POINTS = [0.0, -0.0, 1.0, -1.0, 2.0, -2.0, 0.5]


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.where(x != 0, x, -x),
        lambda x: np.where(x == 0, 3 * x, x * x),
        lambda x: np.where(np.equal(0, x), np.sin(x), 1.0),
        lambda x: np.sqrt(x * x + 1) ** 3,
        lambda x: (x**2) ** 1.5,
        lambda x: np.abs(x) ** 2,
        lambda x: np.abs(x) * x,
        lambda x: np.sqrt(x**4),
        lambda x: np.log(x**2 + 1),
        lambda x: np.maximum(x, -x),
        lambda x: np.hypot(x, 1) * np.sign(x),
    ],
)
def test_at_0_and_left_of_it_a_finite_number_is_the_derivative(f):
    x = T(POINTS)
    loss = np.sum(f(x))
    got, expected = ag.derive(loss).closed_form[x].evaluate(), gradients(loss).of[x]
    finite = np.isfinite(got)
    np.testing.assert_allclose(np.broadcast_to(got, x.shape)[finite], expected[finite], atol=1e-12)


@pytest.mark.parametrize(
    "f",
    [
        lambda x: np.sum(np.max(np.tanh(x) ** -2 / (1 + x), axis=0) ** 2),
        lambda x: np.sum(np.min(np.log(np.sum(np.exp(x), axis=0)).named("t") * 1.1) ** 2),
        lambda x: np.sum(x * (ag.silu(x) - ag.silu(x) ** 2 < np.max(ag.silu(x) - ag.silu(x) ** 2))),
    ],
)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_compared_operands_are_not_computed_again(f, dtype):
    x = T(np.random.default_rng(3).uniform(0.5, 2, (4, 3)), dtype=dtype)
    loss = f(x)
    derivation = ag.derive(loss)
    assert "at the graph's values and at 3 random" in derivation.checked
    got = derivation.closed_form[x].evaluate()
    np.testing.assert_allclose(got, gradients(loss).of[x], rtol=2e-4, atol=1e-6)


@pytest.mark.parametrize(
    "clipped",
    [
        lambda w, B: np.clip(np.sum(B * w, axis=1), -1, 1),
        lambda w, B: np.minimum(np.sum(B * w, axis=1), np.mean(w)),
        lambda w, B: np.fmax(np.sum(B * w, axis=1), B @ w * 2),
    ],
)
def test_a_choice_is_read_from_the_operands(clipped):
    """A side of a maximum that is written anew may differ from the result in its last bit."""
    random = np.random.default_rng(0)
    B, w = ag.constant(random.normal(size=(2, 3)), "B"), random.normal(size=3)

    def loss(w):
        h = clipped(w, B)
        return np.sum(h * h) / np.sum(np.abs(h) + 1)

    tensor = ag.Tensor(w, "w")
    form = ag.derive(loss(tensor)).closed_form[tensor]
    for _ in range(40):
        w = random.normal(size=3) / 2
        np.testing.assert_allclose(form.evaluate({"w": w}), ag.grad(loss)(w), rtol=1e-9, atol=1e-12)


def test_what_is_zero_by_construction_is_refused():
    u = ag.Tensor([2.0], "u")
    with pytest.raises(ValueError, match="0 / 0 for all values"):
        ag.derive(np.linalg.norm(u - np.mean(u)))
