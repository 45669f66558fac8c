"""Selection of elements by index, by condition, or from a diagonal."""

import math
from typing import Any

import numpy as np

from autograd_lite.arrays import plain
from autograd_lite.core.tensor import Value
from autograd_lite.op import Op, operation
from autograd_lite.ops.composition import along, composed, normalized
from autograd_lite.ops.indexing import add_at
from autograd_lite.tensor import lifted


def _key_along(indices, shape, axis):
    """The index arrays that take elements along one axis."""
    ndim = len(shape)
    return tuple(
        indices if k == axis else np.reshape(np.arange(n), (-1,) + (1,) * (ndim - k - 1))
        for k, n in enumerate(shape)
    )


def _add_along_axis(g, indices, axis=-1, shape=()):
    total = np.zeros(shape, np.asarray(g).dtype)
    np.add.at(total, _key_along(indices, shape, axis % len(shape)), g)
    return total


def _take_along_axis(arr, indices, axis=-1):
    return np.take_along_axis(np.asarray(arr), np.asarray(indices), axis)


taken_along: Op = operation(
    "take_along_axis",
    _take_along_axis,
    lambda g, out, arr, indices, axis=-1: added_along(g, indices, axis=axis, shape=arr.shape),
    None,
    reads=("indices", ""),
    chooses=True,
    formula="the element of arr at each index along an axis",
    gradient="zeros with g added at the indices",
)

added_along: Op = operation(
    "add_along_axis",
    _add_along_axis,
    lambda g, out, a, indices, axis=-1, shape=(): np.take_along_axis(g, indices, axis=axis),
    None,
    reads=("indices", ""),
    formula="zeros of a shape, with a added at indices along an axis",
    gradient="the element of g at each index along that axis",
)


@composed(np.take_along_axis)
def take_along_axis(arr: Any, indices: Any, axis: Any = -1) -> Any:
    """The element at each index along an axis."""
    if axis is None:
        return taken_along(np.ravel(lifted(arr)), np.ravel(lifted(indices)), axis=0)
    return taken_along(arr, indices, axis=axis)


@composed(np.take)
def _take(a, indices, axis=None, mode="raise"):
    """The elements, or the slices along an axis, at the indices."""
    traced = isinstance(indices, Value) and indices.always_recorded
    a, indices = lifted(a), indices if traced else np.asarray(plain(indices, "take", "indices"))
    if not traced and not indices.size:
        indices = indices.astype(np.intp)
    if axis is None:
        a, axis = np.ravel(a), 0
    a = np.atleast_1d(a)
    n = a.shape[normalized(axis, a.ndim)]
    if mode == "wrap":
        indices = indices % n
    elif mode == "clip":
        indices = np.clip(indices, 0, n - 1)
    elif mode != "raise":
        raise ValueError(f"take: mode must be 'raise', 'wrap' or 'clip', not {mode!r}")
    if traced:
        return _taken(a, indices, normalized(axis, a.ndim))
    return a[along(axis, a.ndim, indices[()] if indices.ndim else int(indices))]


def _taken(a, indices, axis):
    """The slices along an axis at traced indices, whose values are not known."""
    if indices.dtype.kind not in "iu":
        raise TypeError(f"take: indices must be integers, not {indices.dtype}")
    rows = np.moveaxis(a, axis, 0)
    shape = indices.size, math.prod(rows.shape[1:])
    places = np.broadcast_to(np.reshape(indices, (indices.size, 1)), shape)
    taken = np.take_along_axis(np.reshape(rows, (rows.shape[0], shape[1])), places, axis=0)
    made = np.reshape(taken, indices.shape + rows.shape[1:])
    return np.moveaxis(made, range(indices.ndim), range(axis, axis + indices.ndim))


@composed(np.compress)
def _compress(condition, a, axis=None):
    """The slices along an axis for which the condition is true."""
    return np.take(a, np.flatnonzero(plain(condition, "compress", "condition")), axis=axis)


@composed(np.extract)
def _extract(condition, arr):
    """The elements for which the condition is true."""
    return np.take(arr, np.flatnonzero(plain(condition, "extract", "condition")))


@composed(np.diagonal)
def diagonal(a: Any, offset: Any = 0, axis1: Any = 0, axis2: Any = 1) -> Any:
    """The diagonal of two axes, as the last axis."""
    moved = np.moveaxis(lifted(a), (axis1, axis2), (0, 1))
    rows, columns = _diagonal(moved.shape[0], moved.shape[1], offset)
    return np.moveaxis(moved[rows, columns], 0, -1)


def _diagonal(rows, columns, offset):
    start = max(-offset, 0)
    length = max(min(rows - start, columns - max(offset, 0)), 0)
    places = np.arange(start, start + length)
    return places, places + offset


@composed(np.diag)
def _diag(v, k=0):
    """A matrix with v on its k-th diagonal, or the k-th diagonal of a matrix."""
    v = lifted(v)
    if v.ndim == 2:
        return np.diagonal(v, k)
    if v.ndim != 1:
        raise ValueError(f"diag: needs one or two axes, not shape {v.shape}")
    n = v.shape[0] + abs(k)
    return add_at(v, key=_diagonal(n, n, k), shape=(n, n))


@composed(np.diagflat)
def _diagflat(v, k=0):
    """A matrix with the elements of v on its k-th diagonal."""
    return np.diag(np.ravel(v), k)


@composed(np.bincount)
def _bincount(x, weights=None, minlength=0):
    """The number of occurrences of each integer in x, or the sum of their weights."""
    x = np.asarray(plain(x, "bincount", "x"))
    if weights is None:
        return lifted(np.bincount(x, minlength=minlength))
    if x.ndim != 1 or x.dtype.kind not in "iub" or lifted(weights).shape != x.shape:
        raise ValueError("bincount: x must be 1-d and of integers, and weights of the same shape")
    length = max(int(x.max(initial=-1)) + 1, minlength)
    return add_at(weights, key=(x,), shape=(length,))
