"""Special functions where 0 · log 0 is 0, and outside their domains."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag

special = pytest.importorskip("scipy.special")


def derivatives(function, x):
    """The first and the second derivative at a number."""
    first = ag.grad(function)
    return first(x), ag.grad(first)(x)


LABELS = st.sampled_from([0.0, 0.0, 0.5, 1.0, 3.0])
OTHERS = st.sampled_from([0.0, 0.25, 1.0, 2.0])


@given(st.lists(st.tuples(LABELS, OTHERS), min_size=1, max_size=6), st.booleans())
def test_a_zero_times_a_logarithm(pairs, plus_one):
    """xlogy(x, y) is x log y where x is not 0, and does not depend on y where it is."""
    x, y = map(np.array, zip(*pairs, strict=True))
    f, shift = (special.xlog1py, 1) if plus_one else (special.xlogy, 0)
    by_x, by_y = ag.grad(lambda x, y: np.sum(f(x, y)), argnums=(0, 1))(x, y)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(by_x, np.log(y + shift), rtol=1e-15)
        np.testing.assert_allclose(by_y, np.where(x == 0, 0, x / (y + shift)), rtol=1e-15)
        np.testing.assert_allclose(f(x, y), np.where(x == 0, 0, x * np.log(y + shift)), rtol=1e-14)


@given(LABELS, st.sampled_from([0.25, 1.0, 2.0]))
def test_second_derivatives_at_zero(x, y):
    f = special.xlogy
    by_xy = ag.grad(ag.grad(f, argnums=1), argnums=0)(x, y)
    by_yx = ag.grad(ag.grad(f, argnums=0), argnums=1)(x, y)
    assert by_xy == by_yx == 1 / y
    assert ag.grad(ag.grad(f, argnums=1), argnums=1)(x, y) == pytest.approx(-x / y**2)
    assert ag.grad(ag.grad(f, argnums=0), argnums=0)(x, y) == 0


def test_where_no_number_is_right():
    """Outside the domain, and where a derivative is infinite."""

    def gradient(f, *at):
        return [float(g) for g in ag.grad(f, argnums=tuple(range(len(at))))(*at)]

    def is_same(found, expected):
        return np.array_equal(found, expected, equal_nan=True)

    nan, inf = np.nan, np.inf
    assert is_same(gradient(special.xlogy, 0.0, 0.0), [-inf, 0])
    assert is_same(gradient(special.xlogy, 0.0, -1.0), [nan, 0])
    assert is_same(gradient(special.xlogy, 0.0, nan), [nan, nan])
    assert is_same(gradient(special.xlogy, 2.0, 0.0), [-inf, inf])
    assert is_same(gradient(special.rel_entr, 0.0, 0.0), [nan, 0])
    assert is_same(gradient(special.rel_entr, 0.0, 1.0), [-inf, 0])
    assert is_same(gradient(special.rel_entr, 1.0, -1.0), [nan, nan])
    assert is_same(gradient(special.rel_entr, -1.0, 1.0), [nan, nan])
    assert is_same(gradient(special.entr, 0.0), [inf])
    assert is_same(gradient(special.entr, -1.0), [nan])
    assert is_same(derivatives(special.logit, 0.0), [inf, -inf])
    assert is_same(derivatives(special.logit, 1.0), [inf, inf])
    assert is_same(gradient(special.erfinv, 1.0), [inf])
    assert is_same(gradient(special.erfinv, 2.0), [nan])
    assert is_same(gradient(special.ndtri, 0.0), [inf])
    assert is_same(gradient(special.log_ndtr, -inf), [inf])
    assert is_same(gradient(special.log_ndtr, inf), [0])


def test_a_label_of_zero_removes_an_infinite_derivative():
    y = np.array([0.0, 1.0])

    def loss(t):
        return -np.sum(special.xlogy(y, np.sqrt(t)))

    for gradient in (ag.grad(loss), ag.compile(ag.grad(loss))):
        np.testing.assert_array_equal(gradient(np.array([0.0, 4.0])), [0, -0.125])


def test_a_choice_among_large_arrays():
    label = np.arange(60_000) % 3 * 1.0
    x = np.where(label == 0, 0.0, 4.0)
    g = ag.grad(lambda x: np.sum(special.xlogy(label, np.sqrt(x)) * 1.5))(x)
    np.testing.assert_array_equal(g, 1.5 * label / 8)


@pytest.mark.parametrize("at", [(1.0, -1.0), (-1.0, 2.0), (-1.0, -1.0), (0.0, -1.0)])
def test_relative_entropy_has_no_derivatives_outside_its_domain(at):
    assert np.isinf(special.rel_entr(*at))
    for first, second in itertools.product((0, 1), (0, 1)):
        derivative = ag.grad(special.rel_entr, argnums=first)
        assert np.isnan(derivative(*at))
        assert np.isnan(ag.grad(derivative, argnums=second)(*at))


def test_entropy_has_no_derivatives_outside_its_domain():
    f = special.entr
    for _ in range(3):
        f = ag.grad(f)
        assert np.isnan(f(-1.0))


@pytest.mark.parametrize("at", [(-0.5, 1.0), (-20.5, 1.0), (1.0, -2.0), (2.5, -1.0)])
@pytest.mark.parametrize("f", [special.gammainc, special.gammaincc])
def test_the_incomplete_gamma_function_has_no_derivative_outside_its_domain(f, at):
    assert np.isnan(f(*at))
    assert np.isnan(ag.grad(f, argnums=1)(*at))


@given(st.lists(st.tuples(st.floats(0.1, 9), st.floats(0.1, 9)), min_size=1, max_size=6))
def test_relative_entropy_is_the_difference_of_two_entropies(pairs):
    p, q = map(np.array, zip(*pairs, strict=True))

    def written_out(p, q):
        return -np.sum(special.entr(p) + special.xlogy(p, q))

    def relative(p, q):
        return np.sum(special.rel_entr(p, q))

    for a, b in zip(
        ag.grad(relative, argnums=(0, 1))(p, q),
        ag.grad(written_out, argnums=(0, 1))(p, q),
        strict=True,
    ):
        np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


def test_an_outer_product_of_a_special_function():
    x, y = np.array([0.3, 0.5]), np.array([0.2, 0.4, 0.6])
    f = special.xlogy.outer
    np.testing.assert_array_equal(f(ag.Tensor(x), y).numpy(), f(x, y))
    gradient = ag.grad(lambda y: np.sum(f(x, y)))(y)
    np.testing.assert_allclose(gradient, np.sum(x) / y, rtol=1e-15)
