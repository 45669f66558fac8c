"""Matrices at which a formula divides by zero, and what is smooth there nevertheless."""

import numpy as np
import pytest
from attacks.attack import attack

import autograd_lite as ag

WEIGHTS = np.arange(9.0).reshape(3, 3)


def root(a):
    w, v = np.linalg.eigh(a)
    return np.sum((v * np.sqrt(w)) @ v.T * WEIGHTS)


@attack(
    "V √λ Vᵀ at the identity",
    "a DegenerateWarning that names the pairs",
    torch="NaN, silently",
    jax="NaN, silently",
)
def test_equal_eigenvalues():
    with pytest.warns(ag.DegenerateWarning, match="eigenvalues 0 and 1 are both 1 up to rounding"):
        ag.grad(root)(np.eye(3))


@attack(
    "V √λ Vᵀ where two eigenvalues differ by rounding",
    "a DegenerateWarning",
    torch="off by 7 %, silently",
    jax="off by 0.5 %, silently",
)
def test_nearly_equal_eigenvalues():
    with pytest.warns(ag.DegenerateWarning):
        ag.grad(root)(np.diag([1, 1 + 1e-15, 2]) + 1e-15)


@attack(
    "Q of a matrix of rank 1",
    "a DegenerateWarning, and NaN",
    torch="numbers of 10¹⁶, silently",
    jax="numbers of 10¹⁵, silently",
)
def test_orthogonal_factor_of_a_lower_rank():
    a = np.outer([1.0, 2, 3], [1.0, 1, 2])
    with pytest.warns(ag.DegenerateWarning, match="0 up to rounding"):
        assert np.isnan(ag.grad(lambda a: np.sum(np.linalg.qr(a).Q))(a)).all()


@attack("the Hessian of det at a matrix of rank 1", "exact", torch="exact", jax="exact")
def test_hessian_of_a_singular_determinant():
    hessian = ag.hessian(np.linalg.det)(np.outer([1.0, 2, 3], [1.0, 1, 2]))
    np.testing.assert_allclose(hessian[0, 0], [[0, 0, 0], [0, 6, -3], [0, -4, 2]], atol=1e-13)


@attack(
    "det of 10⁻¹⁷⁰ times a 2 × 2 matrix, whose value is 0",
    "the cofactors, about 10⁻¹⁷⁰",
    torch="0, silently",
    jax="right",
    autograd="0, silently",
)
def test_a_determinant_that_underflows():
    a = np.array([[1.0, 0.2], [0.3, 2.0]])
    gradient = ag.grad(np.linalg.det)(1e-170 * a)
    np.testing.assert_allclose(1e170 * gradient, [[2, -0.3], [-0.2, 1]], rtol=1e-13)
