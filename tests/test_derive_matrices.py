"""Inverses, determinants and traces read as in matrix algebra, whatever computed them."""

from __future__ import annotations

import numpy as np
import pytest
from formulas import Reader
from hypothesis import given, settings
from hypothesis import strategies as st
from test_derive_reading import balanced, read_back

import autograd_lite as ag

pytest.importorskip("sympy")

solve, inv, trace = np.linalg.solve, np.linalg.inv, np.trace


def log_abs_det(X):
    return np.linalg.slogdet(X)[1]


WRITTEN = {
    "‖X⁻¹a‖²": lambda X, A, a: np.sum(solve(X, a) ** 2),
    "‖X⁻¹A‖²": lambda X, A, a: np.sum(solve(X, A) ** 2),
    "a · X⁻¹a": lambda X, A, a: a @ solve(X, a),
    "a · Xa": lambda X, A, a: a @ X @ a,
    "log |det X|": lambda X, A, a: log_abs_det(X),
    "log |det(X + A)|": lambda X, A, a: log_abs_det(X + A),
    "2 log |det X|": lambda X, A, a: 2 * log_abs_det(X),
    "a · X⁻¹a + log |det X|": lambda X, A, a: a @ solve(X, a) + log_abs_det(X),
    "tr(AX)": lambda X, A, a: trace(A @ X),
    "tr(AX⁻¹)": lambda X, A, a: trace(A @ inv(X)),
    "Σ(X ⊙ A)": lambda X, A, a: trace(A.T @ X),
    "‖X‖²": lambda X, A, a: trace(X.T @ X),
}
"""The formula of each program."""


def operands(seed, n):
    random = np.random.default_rng(seed)
    X = ag.Tensor(3 * np.eye(n) + random.uniform(-1, 1, (n, n)) / n, "X")
    A = ag.constant(random.uniform(-1, 1, (n, n)) / n, "A")
    return X, A, ag.constant(random.uniform(-1, 1, n), "a")


def derived(text, seed=0, n=3):
    loss = WRITTEN[text](*operands(seed, n)).named("L")
    return loss, ag.derive(loss, ["X"])


@pytest.mark.parametrize("text", sorted(WRITTEN))
def test_the_formula_of_a_program_of_matrices(text):
    _, derivation = derived(text)
    ((_, form),) = derivation.definitions()
    assert str(form) == text


@settings(max_examples=25)
@given(st.sampled_from(sorted(WRITTEN)), st.integers(0, 2**32 - 1), st.integers(2, 4))
def test_its_text_and_its_numpy_are_its_value_and_its_gradient(text, seed, n):
    loss, derivation = derived(text, seed, n)
    ((_, form),) = derivation.definitions()
    values = {x.name: x.numpy() for x in operands(seed, n)}
    np.testing.assert_allclose(Reader(values)(str(form)), loss.numpy())
    np.testing.assert_allclose(eval(form.numpy(), {"np": np, **values}), loss.numpy())
    balanced(form)
    read_back(derivation)


def test_gradients_of_solve_are_those_of_the_inverse():
    X, A, a = operands(0, 3)
    for b in (a, A):
        solved, inverted = (
            ag.derive(np.sum(x**2)).closed_form[X] for x in (solve(X, b), inv(X) @ b)
        )
        assert str(solved) == str(inverted)
    assert str(solved) == "−2X⁻ᵀX⁻¹AAᵀX⁻ᵀ"
    assert str(ag.derive(log_abs_det(X) + a @ solve(X, a)).closed_form[X]) == ("X⁻ᵀ − X⁻ᵀa(X⁻¹a)ᵀ")


def test_numpy_solves_and_does_not_invert():
    X, _, a = operands(0, 3)
    form = ag.derive(np.sum(solve(X, a) ** 2)).closed_form[X]
    assert form.numpy() == (
        "-2 * np.outer(np.linalg.solve(X.T, np.linalg.solve(X, a)), np.linalg.solve(X, a))"
    )


def test_the_inverse_of_a_transpose_is_the_transpose_of_the_inverse():
    X, A, _ = operands(0, 3)
    derivation = ag.derive(np.sum(A * inv(X.T)))
    assert derivation.read(inv(X.T)) == derivation.read(inv(X).T)
    assert str(derivation.read(inv(X.T))) == "X⁻ᵀ"


DECOMPOSED = {
    "log |det|": lambda X: np.linalg.slogdet(X).logabsdet ** 2,
    "sign det": lambda X: np.linalg.slogdet(X).sign * trace(X),
    "eigh": lambda X: np.sum(np.linalg.eigh(X).eigenvectors ** 3),
    "svd": lambda X: np.sum(np.linalg.svd(X).U * np.linalg.svd(X).Vh),
    "qr": lambda X: np.sum(np.linalg.qr(X).R ** 2 * np.linalg.qr(X).Q),
}
"""Programs with a part of what a function of NumPy returns."""


@pytest.mark.parametrize("name", sorted(DECOMPOSED))
def test_a_part_of_a_decomposition_as_numpy(name):
    f = DECOMPOSED[name]
    X, _, _ = operands(1, 3)
    derivation = ag.derive(f(X).named("L"), ["X"])
    forms = derivation.definitions()[-1][1], derivation.closed_form[X]
    for form, expected in zip(forms, (f(X).numpy(), ag.grad(f)(X.numpy())), strict=True):
        found = eval(form.numpy(), {"np": np, **derivation.values})
        np.testing.assert_allclose(np.broadcast_to(found, np.shape(expected)), expected, 1e-9)
