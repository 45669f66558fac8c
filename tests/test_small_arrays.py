"""Numbers, empty arrays and every axis: NumPy's result, or its class of error, also inside grad."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import autograd_lite as ag

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

ARRAYS = {
    "a number": np.array(1.5),
    "one": np.array([1.5]),
    "three": np.array([3.0, 1.0, 2.0]),
    "none": np.zeros(0),
    "a matrix": np.array([[3.0, 1.0, 2.0], [6.0, 5.0, 4.5]]),
    "rows without columns": np.zeros((2, 0)),
}
AXES = [{}] + [{"axis": axis} for axis in (0, 1, -1, -2, 5, None, (), (0,), (0, 1), (0, 0), 1.0)]
KEPT = [{**axis, "keepdims": True} for axis in AXES]
STEPS = [{"n": n, **ends} for n in (0, 1, 2, -1) for ends in ({}, {"prepend": 0.0}, {"append": 1})]
MODES = [
    {"mode": mode}
    for mode in ("constant", "edge", "wrap", "mean", "reflect", "linear_ramp", "symmetric", "other")
]
CLIPPED = [{"mode": mode} for mode in ("raise", "wrap", "clip")]

CASES = [
    *((f, (), AXES + KEPT) for f in (np.sum, np.prod, np.mean, np.max, np.var, np.nansum)),
    *((f, (), AXES + KEPT) for f in (np.nanprod, np.ptp, np.any, np.median, np.nanmedian)),
    *((f, (0.5,), AXES + KEPT) for f in (np.quantile, np.nanquantile)),
    *((f, (50,), AXES) for f in (np.percentile, np.nanpercentile)),
    *((f, (), AXES) for f in (np.cumsum, np.cumprod, np.sort, np.argsort, np.argmax, np.flip)),
    *((np.take, (indices,), AXES + CLIPPED) for indices in (0, [0], [[0]], [])),
    *((np.repeat, (counts,), AXES) for counts in (2, [1], 0)),
    *((np.pad, (width,), MODES) for width in (0, 1, (1, 2))),
    *((np.delete, (places,), AXES) for places in (0, [])),
    (np.insert, (0, 7.0), AXES),
    (np.append, (7.0,), AXES),
    (np.diff, (), STEPS + AXES),
    (np.gradient, (), AXES),
    (np.squeeze, (), AXES),
    (np.expand_dims, (), AXES[1:]),
    (np.roll, (1,), AXES),
    *((np.array_split, (parts,), AXES) for parts in (0, 2, [1])),
    (np.vsplit, (1,), [{}]),
    *((np.tile, (reps,), [{}]) for reps in (2, (), (2, 1))),
    *((np.resize, (shape,), [{}]) for shape in ((), 0, (2,))),
    *((f, (k,), [{}]) for f in (np.tril, np.triu, np.diag) for k in (0, 1, -5)),
    (np.vander, (), [{}, {"N": 0}, {"N": 1}, {"N": 4, "increasing": True}]),
    (np.trace, (), [{}]),
    (np.cov, (), [{}, {"bias": True}]),
    *((f, ([1.0, 2.0],), [{}]) for f in (np.convolve, np.correlate)),
    (np.kron, (2.0,), [{}]),
    (np.tensordot, (2.0, 0), [{}]),
]


def outcome(call):
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return call()
    except Exception as error:
        return error


def parts(result):
    """The arrays of a result, one or several."""
    return list(result) if isinstance(result, (tuple, list)) else [result]


def same(got, expected):
    """Whether two outcomes agree: in shape, dtype and numbers, or in the class of the error."""
    if "newaxis" in str(expected):
        return True  # NumPy fails in its own reshape, for quantiles along no axis
    if isinstance(expected, Exception):
        return isinstance(got, type(expected))
    if isinstance(got, Exception) or len(parts(got)) != len(parts(expected)):
        return False
    pairs = zip(parts(got), map(np.asarray, parts(expected)), strict=True)
    return all(
        (x.shape, x.dtype) == (y.shape, y.dtype) and np.array_equal(x.detach().data, y, True)
        if np.issubdtype(y.dtype, np.integer) or not y.size
        else x.shape == y.shape and np.allclose(x.detach().data, y, equal_nan=True)
        for x, y in pairs
    )


@pytest.mark.parametrize(
    ("f", "args", "keywords"), CASES, ids=[f"{f.__name__}-{args}" for f, args, _ in CASES]
)
def test_as_numpy_on_small_arrays(f, args, keywords):
    different = []
    for name, array in ARRAYS.items():
        for given in keywords:
            expected = outcome(lambda a=array, k=given: f(a.copy(), *args, **k))
            inside = []

            def total(x, k=given, inside=inside):
                inside.append(f(x, *args, **k))
                floats = [y for y in parts(inside[0]) if y.dtype.kind == "f"]
                return sum((np.sum(y) for y in floats), start=ag.constant(0.0))

            gradient = outcome(lambda a=array, f=total: ag.grad(f)(a))
            got = gradient if isinstance(gradient, Exception) else inside[0]
            for where, found in (
                ("outside", outcome(lambda a=array, k=given: f(ag.Tensor(a), *args, **k))),
                ("inside grad", got),
            ):
                if not same(found, expected):
                    different.append((where, name, given, found, expected))
            if not isinstance(gradient, Exception) and np.shape(gradient) != array.shape:
                different.append(("gradient", name, given, gradient))
    assert not different, different[:5]


def test_a_difference_would_be_noticed():
    assert not same(ag.Tensor([1.0]), np.float64(1.0))
    assert not same(ag.Tensor([1.0]), np.array([2.0]))
    assert not same(ValueError(), np.exceptions.AxisError("axis"))
    assert not same(ag.Tensor([1.0]), ValueError())
    assert same(np.exceptions.AxisError("axis"), ValueError())


def test_gradients_of_numbers():
    g = ag.grad(lambda t: np.prod(t, axis=0) * np.sum(np.repeat(t, 3, axis=0)))(2.0)
    np.testing.assert_allclose(g, 12)
    g = ag.grad(lambda t: np.sum(np.take(t, [0, 0], axis=-1)) + np.pad(t, 1) * np.diff(t, n=0))(2.0)
    np.testing.assert_allclose(g, 6)
    assert ag.grad(lambda t: np.nanprod(t, axis=-1))(3.0) == 1
    with pytest.raises(np.exceptions.AxisError):
        np.median(ag.Tensor(3.0), axis=0)


def test_no_differences_are_the_array_itself():
    t = ag.Tensor([1.0, 4.0])
    result = np.diff(t, n=0, prepend=0.0)
    np.testing.assert_array_equal(result.numpy(), [1, 4])
    np.sum(result * result).backward()
    np.testing.assert_array_equal(t.grad, [2, 8])
