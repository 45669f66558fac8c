"""Determinants and their derivatives, of matrices of every rank."""

from __future__ import annotations

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Values

import autograd_lite as ag


def by_permutations(a):
    """The sum over permutations, a polynomial that needs no factorisation."""
    n = a.shape[-1]
    total = 0
    for p in itertools.permutations(range(n)):
        sign = (-1) ** sum(p[i] > p[j] for i, j in itertools.combinations(range(n), 2))
        total = total + sign * math.prod((a[..., i, p[i]] for i in range(n)), start=1)
    return total


@st.composite
def of_any_rank(draw, most=4):
    """A matrix of any rank, also of whole numbers, and two directions."""
    n = draw(st.integers(1, most))
    rank = draw(st.integers(0, n))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    whole = draw(st.booleans())
    draws = random.integers(-2, 3, (4, n, n)) if whole else random.normal(size=(4, n, n))
    return (draws[0][:, :rank] @ draws[1][:rank]).astype(float), *draws[2:].astype(float)


@given(of_any_rank())
@settings(max_examples=60)
def test_three_derivatives_are_those_of_the_polynomial(matrices):
    a, v, w = matrices

    def derivatives(f):
        first = ag.grad(f)
        second = ag.hvp(f)
        third = ag.grad(lambda a: np.sum(second(a, v) * w))
        return first(a), second(a, v), third(a)

    for got, expected in zip(derivatives(np.linalg.det), derivatives(by_permutations), strict=True):
        np.testing.assert_allclose(got, expected, atol=1e-9 * (1 + np.max(np.abs(expected))))


@pytest.mark.parametrize(
    ("matrix", "minors"),
    [
        ([[1.0, 2, 3], [4, 5, 6], [7, 8, 9]], [[-3, 6, -3], [6, -12, 6], [-3, 6, -3]]),
        ([[1.0, 2], [2, 4]], [[4, -2], [-2, 1]]),
        ([[0.0]], [[1]]),
        (np.zeros((3, 3)), np.zeros((3, 3))),
        (np.zeros((0, 0)), np.zeros((0, 0))),
    ],
)
def test_a_singular_determinant_has_its_gradient(matrix, minors):
    a = ag.Tensor(matrix)
    np.linalg.det(a).backward()
    np.testing.assert_allclose(a.grad, minors, atol=1e-13)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_stacks_of_matrices_of_different_ranks(dtype):
    stack = np.stack([np.diag([1.0, 2, 3]), np.ones((3, 3)), np.zeros((3, 3))]).astype(dtype)
    f = ag.hessian(lambda a: np.sum(np.linalg.det(a)))
    expected = ag.hessian(lambda a: np.sum(by_permutations(a)))(stack)
    assert f(stack).dtype == dtype
    np.testing.assert_allclose(f(stack), expected, atol=1e-5)
    np.testing.assert_allclose(ag.compile(f)(stack), expected, atol=1e-5)


def test_a_fourth_derivative():
    a, v = np.outer([1.0, 2, 3, 4], [1.0, 1, 2, 0]), np.eye(4) + 1

    def fourth(f):
        second = ag.hvp(f)
        return ag.hessian(lambda a: np.sum(second(a, v) * v))(a)

    np.testing.assert_allclose(fourth(np.linalg.det), fourth(by_permutations), atol=1e-12)


def exact_cofactors(a):
    """The minors with their signs, from the numbers in a without rounding."""
    n = len(a)
    exact = np.array([Fraction(float(x)) for x in a.ravel()], dtype=object).reshape(n, n)
    minors = [
        (-1) ** (i + j) * by_permutations(np.delete(np.delete(exact, i, 0), j, 1))
        for i, j in np.ndindex(n, n)
    ]
    return np.array(minors, dtype=np.float64).reshape(n, n)


@given(
    st.lists(st.floats(-20, 0), min_size=2, max_size=4),
    st.integers(0, 2**32 - 1),
    st.sampled_from([np.float64, np.float32]),
)
@settings(max_examples=80)
def test_the_first_derivative_is_accurate_however_singular_the_matrix(powers, seed, dtype):
    values, n = Values(seed), len(powers)
    a = (values.orthogonal(n) * 10.0 ** np.array(powers) @ values.orthogonal(n)).astype(dtype)
    expected = exact_cofactors(a)
    error = np.max(np.abs(ag.grad(np.linalg.det)(a) - expected))
    size = np.max(np.abs(expected))
    # The singular values are known to this; products of inverses to half the digits.
    rounding = 20 * np.finfo(dtype).eps * np.max(np.abs(a)) ** (n - 1)
    assert error <= 10 * np.sqrt(np.finfo(dtype).eps) * size + rounding


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("size", [1e-170, 1e-160, 1e160])
def test_cofactors_may_be_finite_where_the_determinant_is_not(size, compiled):
    a = Values(0).square((2, 2))
    gradient = ag.compile(ag.grad(np.linalg.det)) if compiled else ag.grad(np.linalg.det)
    expected = [[a[1, 1], -a[1, 0]], [-a[0, 1], a[0, 0]]]
    with np.errstate(all="ignore"):
        assert not 1e-300 < np.linalg.det(size * a) < np.inf
        np.testing.assert_allclose(gradient(size * a) / size, expected, rtol=1e-12)


@pytest.mark.parametrize("number", [np.nan, np.inf])
def test_a_matrix_that_is_not_finite_has_no_finite_cofactors(number):
    stack = np.stack([np.ones((2, 2)), np.eye(2), np.eye(2)])
    stack[2, 0, 1] = number
    with np.errstate(all="ignore"):
        gradient = ag.grad(lambda a: np.sum(np.linalg.det(a)))(stack)
    expected = [[[1, -1], [-1, 1]], [[1, 0], [0, 1]], np.full((2, 2), np.nan)]
    np.testing.assert_allclose(gradient, expected, atol=1e-15)
