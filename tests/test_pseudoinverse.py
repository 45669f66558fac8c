"""Pseudoinverses with a cutoff, and least squares, beside NumPy and numerical derivatives."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rulecheck import numerical
from strategies import Values

import autograd_lite as ag
from autograd_lite.op import OPS

SHAPES = st.sampled_from([(4, 3), (3, 4), (3, 3), (5, 2), (2, 5)])


def matrix(shape, lengths, seed=0):
    """A matrix with these singular values."""
    random = np.random.default_rng(seed)
    u, _ = np.linalg.qr(random.normal(size=(shape[0],) * 2))
    v, _ = np.linalg.qr(random.normal(size=(shape[1],) * 2))
    count = min(shape)
    return u[:, :count] @ np.diag(lengths[:count]) @ v[:, :count].T


def weights(shape, seed=1):
    return np.random.default_rng(seed).normal(size=shape)


def check(f, *arrays, rtol=1e-7):
    """First derivatives, and second ones along a direction, are the numerical ones."""
    everything = tuple(range(len(arrays)))
    gradient = ag.grad(f, argnums=everything)
    for k, found in enumerate(gradient(*arrays)):
        np.testing.assert_allclose(found, numerical(f, arrays, k), rtol=rtol, atol=1e-8)
    directions = [weights(a.shape, 2) for a in arrays]

    def along(*xs):
        return sum(np.sum(g * d) for g, d in zip(gradient(*xs), directions, strict=True))

    for found, a in zip(ag.grad(along, argnums=everything)(*arrays), everything, strict=True):
        np.testing.assert_allclose(found, numerical(along, arrays, a), rtol=1e-6, atol=1e-6)


@settings(max_examples=15)
@given(SHAPES, st.sampled_from([None, 1e-12, 0.2, 0.45, 0.8]), st.integers(0, 99))
def test_pinv_with_any_cutoff(shape, cutoff, seed):
    """Singular values that are left out, though they are not 0, turn with the others."""
    a = matrix(shape, [3.0, 1.7, 0.9], seed)
    for options in ({"rcond": cutoff}, {"rtol": cutoff}):
        expected = np.linalg.pinv(a, **options)
        np.testing.assert_allclose(np.linalg.pinv(ag.Tensor(a), **options).data, expected)
    w = weights(shape[::-1])
    check(lambda a: np.sum(np.linalg.pinv(a, cutoff) * w), a)


@settings(max_examples=6)
@given(SHAPES, st.integers(0, 99))
def test_a_cutoff_between_two_values_is_smooth_at_a_lower_rank(shape, seed):
    for lengths in ([2.0, 2.0, 0.5], [3.0, 2.0, 0.0], [3.0, 0.4, 0.4]):
        a = matrix(shape, lengths, seed)
        w = weights(shape[::-1])

        def f(a, w=w):
            return np.sum(np.linalg.pinv(a, 0.3) * w)

        np.testing.assert_allclose(ag.grad(f)(a), numerical(f, [a], 0), rtol=1e-7, atol=1e-8)


def test_the_rule_for_exact_rank_is_wrong_with_a_cutoff(monkeypatch):
    """The formula of Golub and Pereyra, which torch and JAX use for every cutoff, is caught."""
    a, w = matrix((4, 3), [3.0, 1.7, 0.9]), weights((3, 4))

    def f(a):
        return np.sum(np.linalg.pinv(a, 0.45) * w)

    right = numerical(f, [a], 0)
    np.testing.assert_allclose(ag.grad(f)(a), right, rtol=1e-7)
    exact = OPS["pinv"].rules[0]
    monkeypatch.setattr(
        OPS["pinv"], "rules", (lambda g, out, a, rcond=None: exact(g, out, a, rcond=None),)
    )
    assert np.max(np.abs(ag.grad(f)(a) - right)) > 0.01


def test_pinv_of_a_stack_with_a_cutoff_for_each():
    a, cutoffs = weights((2, 3, 4)), np.array([0.3, 1e-9])
    found = np.linalg.pinv(ag.Tensor(a), rcond=cutoffs)
    np.testing.assert_allclose(found.data, np.linalg.pinv(a, rcond=cutoffs))
    check(lambda a: np.sum(np.linalg.pinv(a, rcond=cutoffs) * weights((2, 4, 3))), a)


@pytest.mark.parametrize("rtol", [None, 0.2])
def test_hermitian_reads_the_lower_triangle(rtol):
    a = Values(3).symmetric((3, 3))
    other = a + np.triu(weights((3, 3)), 1)
    for x in (a, other):
        expected = np.linalg.pinv(x, hermitian=True, rtol=rtol)
        found = np.linalg.pinv(ag.Tensor(x), hermitian=True, rtol=rtol)
        np.testing.assert_allclose(found.data, expected, rtol=1e-10)
    check(lambda x: np.sum(np.linalg.pinv(x, hermitian=True, rtol=rtol) * weights((3, 3))), other)


def test_two_cutoffs_are_refused():
    with pytest.raises(ValueError, match="not both"):
        np.linalg.pinv(ag.Tensor(np.eye(2)), 0.1, rtol=0.1)


@settings(max_examples=12)
@given(SHAPES, st.sampled_from([None, -1, 0.3]), st.booleans(), st.integers(0, 99))
def test_least_squares(shape, rcond, vector, seed):
    a = matrix(shape, [3.0, 1.7, 0.8], seed)
    b = weights((shape[0],) if vector else (shape[0], 2), 5)
    expected = np.linalg.lstsq(a, b, rcond)
    found = np.linalg.lstsq(ag.Tensor(a), ag.Tensor(b), rcond)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.shape == np.shape(theirs)
        np.testing.assert_allclose(ours.data, theirs, rtol=1e-10, atol=1e-12)

    def f(a, b):
        x, residuals, _, s = np.linalg.lstsq(a, b, rcond)
        parts = (x, s) if residuals.size == 0 else (x, residuals, s)
        return sum(np.sum(part * weights(part.shape)) for part in parts)

    check(f, a, b)


def test_least_squares_of_a_lower_rank_warns_and_has_no_residuals():
    a, b = matrix((5, 3), [3.0, 2.0, 0.0]), weights((5,))
    x, residuals, rank, _ = np.linalg.lstsq(ag.Tensor(a), b)
    np.testing.assert_allclose(x.data, np.linalg.lstsq(a, b)[0], atol=1e-12)
    assert (residuals.shape, int(rank)) == ((0,), 2)
    with pytest.warns(ag.DegenerateWarning, match="rank may change"):
        ag.grad(lambda a: np.sum(np.linalg.lstsq(a, b)[0]))(a)


def test_least_squares_is_compiled_and_derived():
    a, b = matrix((5, 3), [3.0, 1.7, 0.8]), weights((5,))

    def f(a, b):
        x, residuals, _, _ = np.linalg.lstsq(a, b)
        return np.sum(x * weights((3,))) + residuals[0]

    step = ag.compile(ag.value_and_grad(f, (0, 1)))
    value, gradients = step(a, b)
    expected, others = ag.value_and_grad(f, (0, 1))(a, b)
    np.testing.assert_allclose(value, expected)
    for g, other in zip(gradients, others, strict=True):
        np.testing.assert_allclose(g, other, rtol=1e-9)
    pytest.importorskip("sympy")
    loss = f(ag.Tensor(a, name="a"), ag.constant(b, name="b")).named("L")
    assert "pinv" in str(ag.derive(loss))


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(np.linalg.LinAlgError, match=r"\(4, 3\) and \(3,\)"):
        np.linalg.lstsq(ag.Tensor(weights((4, 3))), np.ones(3))


def test_a_regular_matrix_needs_no_warning():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ag.grad(lambda a: np.sum(np.linalg.pinv(a, 1e-9)))(np.eye(3))
