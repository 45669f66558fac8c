"""QR of wide matrices, and factors completed to square matrices by arbitrary vectors."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rulecheck import numerical

import autograd_lite as ag

SHAPES = st.sampled_from([(4, 2), (2, 4), (3, 3), (2, 3, 5), (2, 5, 3), (1, 3), (3, 1)])
THIN = {"svd": lambda a: np.linalg.svd(a, full_matrices=False), "qr": np.linalg.qr}
FULL = {
    "svd": lambda a: np.linalg.svd(a, full_matrices=True),
    "qr": lambda a: np.linalg.qr(a, mode="complete"),
}


def numbers(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def weighted(parts, seed=3):
    return sum(np.sum(part * numbers(part.shape, seed + k)) for k, part in enumerate(parts))


def check(f, a):
    np.testing.assert_allclose(ag.grad(f)(a), numerical(f, [a], 0), rtol=1e-6, atol=1e-7)
    direction = numbers(a.shape, 9)

    def along(a):
        return np.sum(ag.grad(f)(a) * direction)

    np.testing.assert_allclose(ag.grad(along)(a), numerical(along, [a], 0), rtol=1e-5, atol=1e-5)


@settings(max_examples=15)
@given(SHAPES, st.sampled_from(["reduced", "complete", "r"]), st.integers(0, 99))
def test_qr_is_numpys(shape, mode, seed):
    a = numbers(shape, seed)
    expected, found = np.linalg.qr(a, mode), np.linalg.qr(ag.Tensor(a), mode)
    pairs = [(found, expected)] if mode == "r" else zip(found, expected, strict=True)
    for ours, theirs in pairs:
        np.testing.assert_allclose(ours.data, theirs, atol=1e-12)


@settings(max_examples=8)
@given(st.sampled_from([(2, 4), (1, 3), (2, 2, 3)]), st.integers(0, 99))
def test_the_gradient_of_a_wide_qr(shape, seed):
    check(lambda a: weighted(np.linalg.qr(a)), numbers(shape, seed))


@settings(max_examples=10)
@given(SHAPES, st.integers(0, 99))
def test_the_full_svd_is_numpys(shape, seed):
    a = numbers(shape, seed)
    for ours, theirs in zip(FULL["svd"](ag.Tensor(a)), FULL["svd"](a), strict=True):
        np.testing.assert_allclose(ours.data, theirs, atol=1e-12)


@pytest.mark.parametrize("name", FULL)
@settings(max_examples=8)
@given(SHAPES, st.integers(0, 99))
def test_where_only_the_thin_part_is_used_the_gradient_is_that_of_the_thin_factors(
    name, shape, seed
):
    a = numbers(shape, seed)

    def thin(factors):
        return [
            part[tuple(slice(n) for n in small.shape)]
            for part, small in zip(factors, THIN[name](a), strict=True)
        ]

    found = ag.grad(lambda a: weighted(thin(FULL[name](a))))(a)
    expected = ag.grad(lambda a: weighted(THIN[name](a)))(a)
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize(
    ("shape", "part"),
    [
        ((4, 2), lambda a: np.linalg.svd(a).U[:, 2:]),
        ((2, 4), lambda a: np.linalg.svd(a).Vh[2:]),
        ((4, 2), lambda a: np.linalg.qr(a, mode="complete").Q[:, 2:]),
    ],
)
def test_a_function_of_the_arbitrary_part_is_nan_with_a_warning(shape, part):
    a = numbers(shape)
    with pytest.warns(ag.DegenerateWarning, match="arbitrary"):
        assert np.isnan(ag.grad(lambda a: np.sum(part(a)))(a)).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert (ag.grad(lambda a: np.sum(0 * part(a)) + np.sum(a))(a) == 1).all()
    # The gradient is 0 where a number b is 0, but not its derivative by b.
    with pytest.warns(ag.DegenerateWarning):
        mixed = ag.grad(lambda b: np.sum(ag.grad(lambda a, b: b * np.sum(part(a)))(a, b) * a))(0.0)
    assert np.isnan(mixed)


def test_one_matrix_of_a_stack():
    a = numbers((2, 4, 2))
    with pytest.warns(ag.DegenerateWarning):
        gradient = ag.grad(lambda a: np.sum(np.linalg.svd(a).U[0]))(a)
    assert np.isnan(gradient[0]).all()
    assert np.isfinite(gradient[1]).all()


def test_the_full_factors_are_compiled():
    a = numbers((4, 2))

    def f(a):
        u, s, vh = np.linalg.svd(a)
        return np.sum(u[:, :2] @ (s[:, None] * vh) * numbers((4, 2), 1)) + np.sum(s)

    np.testing.assert_allclose(ag.compile(ag.grad(f))(a), ag.grad(f)(a), rtol=1e-9)
