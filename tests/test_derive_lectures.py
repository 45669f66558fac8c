"""The losses of a lecture have the gradients of the lecture."""

from __future__ import annotations

import numpy as np
import pytest
from losses import LOSSES

import autograd_lite as ag

pytest.importorskip("sympy")

FORMS = {
    "weight_decay": {"w": "(1/6) Aᵀ(ŷ − y) + 0.01w"},
    "softmax_regression": {"W": "(1/6) Xᵀ(P − Y) + 0.1W", "b": "(1/6) 𝟏ᵀ (P − Y)"},
    "softmax_of_labels": {"W": "(1/6) Xᵀ(softmax(XW) − onehot(y))"},
    "hinge": {"w": "−(1/6) Aᵀ(y ⊙ H(1 − (Aw) ⊙ y))"},
    "support_vectors": {
        "w": "w − C Aᵀ(y ⊙ 1[1 − y ⊙ (Aw + b) > 0])",
        "b": "−C y · 1[1 − y ⊙ (Aw + b) > 0]",
    },
    "poisson": {"w": "(1/6) Aᵀ(exp(η) − y)"},
    "log_link": {"w": "Aᵀ(μ − y)"},
    "weighted_squares": {"w": "2Aᵀ(s ⊙ (Aw − y))"},
    "matrix_factors": {"U": "(M ⊙ (UVᵀ − R)) V + λU", "V": "(M ⊙ (UVᵀ − R))ᵀ U + λV"},
    "principal_components": {"W": "2(XWWᵀ − X)ᵀXW + 2Xᵀ(XWWᵀ − X)W"},
    "relative_entropy_of_a_model": {"a": "q − p"},
    "variational": {"μ": "μ", "s": "(1/2)(exp(s) − 1)"},
    "rosenbrock": {"x": "2(x + 200x(x² − y) − 1)", "y": "200(y − x²)"},
}


@pytest.mark.parametrize("name", sorted(FORMS))
def test_the_gradient_of_a_lecture(name):
    derivation = ag.derive(LOSSES[name]())
    assert {x: str(derivation.closed_form[x]) for x in FORMS[name]} == FORMS[name]


def test_half_of_a_tie_is_noted():
    assert "H(a) = 1[a > 0], and ½ at 0" in ag.derive(LOSSES["hinge"]()).text()


def test_a_root_of_a_length_reads_as_one():
    derivation = ag.derive(LOSSES["attention"]())
    steps = {step.name: str(step.form) for step in derivation.steps}
    assert steps["∂L/∂Q"] == "∂L/∂S K/√2"


def test_the_values_at_a_node_that_a_stable_form_bypasses_in_part():
    """log ŷ is computed from z, but (1 − ŷ)² from ŷ: the gradient at ŷ is that of both."""
    derivation = ag.derive(LOSSES["focal"]())
    step = next(step for step in derivation.steps if step.node.name == "ŷ")
    np.testing.assert_allclose(step.value, step.form.evaluate())


@pytest.mark.parametrize(
    "f",
    [
        lambda X: np.sum(np.linalg.svd(X)[1]),
        lambda X: np.sum(np.linalg.svd(X)[0] ** 3),
        lambda X: np.sum(np.linalg.eigh(X)[1] ** 3),
        lambda X: np.sum(np.linalg.qr(X)[0] ** 3),
        lambda X: np.sum(np.linalg.cholesky(X)),
    ],
)
def test_factors_of_a_matrix_are_written_as_numpy(f):
    X = ag.Tensor([[2.0, 0.3, 0.1], [0.3, 1.0, 0.2], [0.1, 0.2, 0.5]], "X")
    derivation = ag.derive(f(X), X)
    form = derivation.closed_form[X]
    got = eval(form.numpy(), {"np": np, **derivation.values})
    np.testing.assert_allclose(got, form.evaluate(), atol=1e-12)


def test_an_operation_that_numpy_lacks_is_reported():
    M = ag.Tensor([1.0, 2.0, 3.0], "M")
    (form,) = ag.derive(np.sum(np.cumprod(M))).closed_form.values()
    with pytest.raises(ValueError, match=r"not a single NumPy expression; use evaluate\(values\)"):
        form.numpy()


def test_small_integers_do_not_overflow_in_a_formula():
    for dtype in (np.uint8, np.int8):
        k = np.array([1, 100, 3], dtype)
        derivation = ag.derive(lambda w, k: -(w * k * k).sum(), args=(np.ones(3), k))
        form = derivation.closed_form["w"]
        np.testing.assert_allclose(form.evaluate(), [-1, -10_000, -9])
        np.testing.assert_allclose(
            eval(form.numpy(), {"np": np, **derivation.values}), form.evaluate()
        )


def test_an_operation_with_branches_is_written_by_its_name_in_numpy():
    w = ag.Tensor([1.0, 2.0, 3.0], "w")
    for loss, name in (
        (np.linalg.norm(w, 3), "np.linalg.norm"),
        (np.sum(np.take_along_axis(w, np.array([2, 0]), 0) ** 2), "np.take_along_axis"),
        (np.std(w) ** 3, "np.std"),
    ):
        derivation = ag.derive(loss)
        form = derivation.closed_form[w]
        assert name in form.numpy()
        got = eval(form.numpy(), {"np": np, **derivation.values})
        np.testing.assert_allclose(got, form.evaluate())


def test_a_formula_that_is_a_comparison_is_numbers():
    x = ag.Tensor([0.3, 0.9], "x")
    derivation = ag.derive(np.sum((x > 0.5) * x))
    form = derivation.closed_form[x]
    for got in (form.evaluate(), eval(form.numpy(), {"np": np, **derivation.values})):
        assert got.dtype == float
        np.testing.assert_array_equal(got, [0, 1])
