"""Medians and quantiles: values beside NumPy, derivatives by the elements and by the level."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rulecheck import numerical
from strategies import Values, axes, shapes

import autograd_lite as ag
from autograd_lite.ops.quantiles import METHODS

LEVELS = st.sampled_from(
    [0.0, 1.0, 0.5, 0.31, np.array([0.21, 0.77]), np.array([[0.4, 0.2], [0.93, 0.7]])]
)
JUMPS = ("lower", "higher", "nearest", "midpoint")


def weighted(y):
    return np.sum(y * np.cos(np.arange(np.size(y))).reshape(np.shape(y)))


@settings(max_examples=60)
@given(st.data())
def test_a_quantile_is_numpys(data):
    x = Values(data.draw(st.integers(0, 99)))(data.draw(shapes(3, min_dims=1)))
    q, method = data.draw(LEVELS), data.draw(st.sampled_from(METHODS))
    options = {"axis": data.draw(axes(x.ndim)), "keepdims": data.draw(st.booleans())}
    for dtype in (np.float64, np.float32):
        for name, given_level in (("quantile", q), ("nanquantile", q), ("percentile", 100 * q)):
            f = getattr(np, name)
            # NumPy 2.4's nanquantile orders its result wrongly for 2-d levels and several axes.
            line = np.reshape(given_level, -1) if np.ndim(q) > 1 else given_level
            expected = f(x.astype(dtype), line, method=method, **options)
            expected = np.reshape(expected, np.shape(q) + expected.shape[np.ndim(line) :])
            found = f(ag.Tensor(x.astype(dtype)), given_level, method=method, **options)
            assert found.shape == np.shape(expected)
            np.testing.assert_array_equal(found.data, expected)
    for f in (np.median, np.nanmedian):
        np.testing.assert_array_equal(f(ag.Tensor(x), **options).data, f(x, **options))


@settings(max_examples=20)
@given(st.data())
def test_the_gradients_are_the_derivatives(data):
    values = Values(data.draw(st.integers(0, 99)))
    x = values(data.draw(shapes(2, min_dims=1)))
    q = values(data.draw(st.sampled_from([(), (2,)])), low=0.1, high=0.9, signed=False)
    options = {"axis": data.draw(axes(x.ndim)), "method": data.draw(st.sampled_from(METHODS))}
    with_holes = x.copy()
    with_holes.flat[0] = np.nan
    for f, a in ((np.quantile, x), (np.nanquantile, np.array(x)), (np.nanquantile, with_holes)):
        if f is np.nanquantile and x.size == 1:
            continue

        def scalar(a, q, f=f):
            y = f(a, q, **options)
            return weighted(np.where(np.isnan(y), 0, y))

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, for a row of NaN
            by_a, by_q = ag.grad(scalar, (0, 1))(a, q)
            there = ~np.isnan(a)
            assert np.all(by_a[~there] == 0)
            right = numerical(scalar, (a, q), 0)
            np.testing.assert_allclose(by_a[there], right[there], rtol=1e-8, atol=1e-9)
            np.testing.assert_allclose(by_q, numerical(scalar, (a, q), 1), rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("method", [m for m in METHODS if m not in JUMPS])
def test_second_derivatives_mix_the_elements_and_the_level(method):
    x, q = Values(1)((5,)), np.array([0.23, 0.61])
    directions = np.cos(np.arange(5.0))

    def along(x, q):
        return np.sum(ag.grad(lambda x: weighted(np.quantile(x, q, method=method)))(x) * directions)

    for k, found in enumerate(ag.grad(along, (0, 1))(x, q)):
        np.testing.assert_allclose(found, numerical(along, (x, q), k), rtol=1e-7, atol=1e-8)


def test_the_slope_by_the_level():
    """The slope where it exists, also at an element, and the mean of two at a kink."""

    def slope(x, q):
        return float(ag.grad(np.quantile, 1)(np.array(x), q))

    assert slope([1.0, 2.0, 3.0], 0.5) == 2
    assert slope([1.0, 2.0, 4.0], 0.5) == 3
    assert slope([1.0, 2.0, 4.0], 0.25) == 2
    assert slope([1.0, 2.0, 4.0], 0.0) == 2
    assert slope([1.0, 2.0, 4.0], 1.0) == 4
    for method in JUMPS:
        assert (
            float(ag.grad(lambda q, m=method: np.quantile(np.arange(4.0), q, method=m))(0.4)) == 0
        )


def test_quantile_regression_by_its_level():
    """A level that is learned: the 0.25-quantile of data is found by descent on q."""
    x, target = Values(7)((9,)), 0.4
    q = 0.8
    for _ in range(200):
        value, slope = ag.value_and_grad(np.quantile, 1)(x, q)
        q = float(np.clip(q - 0.02 * (value - target) * slope, 0.0, 1.0))
    assert float(np.quantile(x, q)) == pytest.approx(target, abs=1e-3)


def test_infinite_and_missing_elements():
    assert np.median(ag.Tensor([1.0, np.inf, np.inf])).item() == np.inf
    x = np.array([1.0, np.nan, 3.0])
    assert np.isnan(np.median(ag.Tensor(x)).item())
    assert ag.grad(np.median)(x).tolist() == [0, 0, 0]
    assert ag.grad(np.nanmedian)(x).tolist() == [0.5, 0, 0.5]
    # Elements that are not selected are structural zeros.
    with np.errstate(divide="ignore"):
        g = ag.grad(lambda x: np.median(np.log(x)))(np.array([0.0, 2.0, 4.0]))
    assert g.tolist() == [0, 0.5, 0]


def test_a_level_outside_or_an_unknown_method_is_refused():
    t = ag.Tensor([1.0, 2.0])
    with pytest.raises(ValueError, match=r"quantile.*range"):
        np.quantile(t, 1.5)
    with pytest.raises(TypeError, match=r"closest_observation.*linear"):
        np.quantile(t, 0.5, method="closest_observation")


@pytest.mark.parametrize(
    ("f", "written"),
    [
        (np.median, "median"),
        (lambda x: np.quantile(x, 0.3), "quantile"),
        (lambda x: np.quantile(x, 0.3, method="lower"), "quantile"),
        (lambda x: np.sum(np.percentile(x, [20, 70])), "quantile"),
    ],
)
def test_it_is_derived_and_compiled(f, written):
    x, w = Values(2)((5,)), Values(3)((5,))

    def loss(w):
        return f(w * x)

    compiled = ag.compile(ag.value_and_grad(loss))
    value, gradient = compiled(w)
    assert f"np.{written}(" in compiled.source
    np.testing.assert_allclose(value, loss(w))
    np.testing.assert_allclose(gradient, ag.grad(loss)(w))
    pytest.importorskip("sympy")
    derivation = ag.derive(loss(ag.Tensor(w, name="w")).named("L"))
    assert f"{written}(" in str(derivation)
    assert "checked" in str(derivation)


def test_a_median_of_each_row_is_separable():
    x = Values(4)((6, 5))
    f = ag.value_and_grad(lambda w, x: np.sum(np.median(x * w, axis=1)))
    step = ag.compile(f, rows="auto")
    value, gradient = step(np.ones(5), x)
    np.testing.assert_allclose(gradient, f(np.ones(5), x)[1])
    assert value == pytest.approx(float(np.sum(np.median(x, axis=1))))


@pytest.mark.parametrize("keepdims", [False, True])
def test_levels_in_a_matrix_and_missing_elements_over_several_axes(keepdims):
    x = Values(3)((2, 3, 4))
    x[1, 1, 2] = np.nan
    q = np.array([[0.1, 0.3], [0.6, 0.9]])

    def f(x, q):
        return np.nanquantile(x, q, axis=(0, 2), keepdims=keepdims)

    rows = [[[np.nanquantile(x[:, k], level) for k in range(3)] for level in line] for line in q]
    expected = np.reshape(rows, (2, 2, 1, 3, 1) if keepdims else (2, 2, 3))
    np.testing.assert_array_equal(f(ag.Tensor(x), q).data, expected)
    np.testing.assert_array_equal(ag.compile(f)(x, q), expected)
    by_level = ag.grad(lambda q: weighted(f(x, q)))(q)

    def each(q):
        return sum(
            weights[..., k] * np.nanquantile(x[:, k], q.reshape(-1)).reshape(2, 2) for k in range(3)
        ).sum()

    weights = np.cos(np.arange(12)).reshape(2, 2, 3)
    np.testing.assert_allclose(by_level, numerical(each, [q], 0), rtol=1e-6)
