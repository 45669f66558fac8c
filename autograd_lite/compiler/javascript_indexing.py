"""Indexing with arrays, as places in flat arrays."""

from __future__ import annotations

from functools import reduce
from math import prod
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index

from autograd_lite.compiler.adapting import along
from autograd_lite.compiler.javascript_language import PLACE, SCATTER, TABLE
from autograd_lite.expressions.expr import CONSTANT, METHODS, Builder
from autograd_lite.expressions.lower import Symbol

__all__ = ["add_at", "add_each_at", "getitem", "take_along_axis"]


def _made(b: Builder, fn: str, args: tuple[Any, ...], keywords: Any, shape: Any, dtype: Any) -> Any:
    args = tuple(x.expr if isinstance(x, Symbol) else x for x in args)
    return Symbol(b._call(fn, args, keywords, (shape, np.dtype(dtype))), b)


def _scattered(g: Any, places: Any, shape: tuple[int, ...] = ()) -> Any:
    out = np.zeros(prod(shape), np.result_type(g))
    np.add.at(out, np.clip(places, 0, out.size - 1), g)
    return out.reshape(shape)


METHODS[TABLE] = lambda x, places: np.take(x, places, mode="clip")
METHODS[PLACE] = lambda k, n: np.where(k < 0, k + n, k)
METHODS[SCATTER] = _scattered

FEW = 64  # numbers up to which they are written one by one


def getitem(x: Any, key: Any) -> Any:
    places = _places(key, x.shape, x.builder)
    return _made(x.builder, TABLE, (x, _held(places, x.builder)), {}, places.shape, x.dtype)


def add_at(g: Any, key: Any = (), shape: tuple[int, ...] = ()) -> Any:
    places = _held(_places(key, shape, g.builder), g.builder)
    if not places.shape:
        places = places[None]
    whole = np.broadcast_to(g, places.shape)
    return _made(g.builder, SCATTER, (whole, places), {"shape": shape}, shape, g.dtype)


def add_each_at(parts: Any, keys: Any = (), shape: tuple[int, ...] = ()) -> Any:
    return reduce(np.add, [add_at(part, key, shape) for part, key in zip(parts, keys, strict=True)])


def _held(places: Any, b: Builder) -> Any:
    return places if isinstance(places, Symbol) else Symbol(b.constant(places), b)


def _places(key: Any, shape: tuple[int, ...], b: Builder) -> Any:
    """Where in a flat array the elements are that a key selects from an array of a shape."""
    parts = _parts(key, shape)
    if prod(shape) <= FEW and not any(isinstance(part, Symbol) for part in parts):
        return np.arange(prod(shape)).reshape(shape)[tuple(parts)]
    ends = [p is not None and not isinstance(p, slice) for p in parts]
    first = ends.index(True)
    together = all(ends[first : first + sum(ends)])
    before = first if together else 0
    total: Any = np.int64(0)
    vectors, axis = [], 0
    for part in parts:
        if part is None:
            vectors.append(np.zeros(1, np.int64))
            continue
        n, stride = shape[axis], prod(shape[axis + 1 :])
        axis += 1
        if isinstance(part, slice):
            places = range(n)[part]
            vectors.append(
                _counted(b, len(places)) * (places.step * stride) + places.start * stride
            )
        elif isinstance(part, Symbol):
            index = part.astype(np.int64)
            total = total + _made(b, PLACE, (index, n), {}, index.shape, np.int64) * stride
        else:
            total = total + _counting(b, np.arange(n)[part]) * stride
    ndim = total.ndim
    total = total[(..., *[None] * (len(vectors) - before))]
    for k, vector in enumerate(vectors):
        behind = len(vectors) - 1 - k + (ndim if k < before else 0)
        total = total + np.reshape(vector, (-1, *[1] * behind))
    return total


def _counted(b: Builder, n: int) -> Any:
    """0, 1, 2, …: a constant, or if it is long the sums of ones."""
    if n <= FEW:
        return np.arange(n)
    ones = np.broadcast_to(Symbol(b.constant(np.int64(1)), b), (n,))
    return np.cumsum(ones, axis=0) - 1


def _counting(b: Builder, index: Any) -> Any:
    """An array of indices; a long one that counts need not be written as a constant."""
    if index.size <= FEW or not np.array_equal(index.ravel(), np.arange(index.size)):
        return index
    return np.reshape(_counted(b, index.size), index.shape)


def _parts(key: Any, shape: tuple[int, ...]) -> list[Any]:
    """The parts of a key, one for each axis and new axis; masks are indices."""
    parts: list[Any] = []
    for part in key if isinstance(key, tuple) else (key,):
        if isinstance(part, Symbol) and part.expr.fn == CONSTANT:
            part = part.expr.value
        if isinstance(part, Symbol) and part.dtype.kind == "b":
            raise NotImplementedError
        if isinstance(part, (list, np.ndarray, np.generic)):
            part = np.asarray(part)
            parts += np.nonzero(part) if part.dtype.kind == "b" else [part]
        else:
            parts.append(part)
    counted = sum(part is not None and part is not ... for part in parts)
    missing = [slice(None)] * (len(shape) - counted)
    for k, part in enumerate(parts):
        if part is ...:
            return [*parts[:k], *missing, *parts[k + 1 :]]
    return [*parts, *missing]


def take_along_axis(x: Any, indices: Any, axis: Any = -1) -> Any:
    if axis is None:
        return getitem(np.reshape(x, (-1,)), indices)
    return getitem(x, along(indices, x.shape, normalize_axis_index(axis, x.ndim)))
