"""Indexing, and addition at indices, as ONNX operations."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from autograd_lite.exchange.to_onnx.rows import Length
from autograd_lite.exchange.to_onnx.writer import NotInOnnxError, Writer, known
from autograd_lite.expressions.expr import Expr

__all__ = ["added", "gathered", "scattered", "taken"]

FIRST, LAST = -(2**63) + 1, 2**63 - 1


def taken(w: Writer, x: Expr, a: Expr, key: Any) -> str:
    """The elements at a key."""
    key = _plain(key)
    name = w.value(a)
    if not _is_basic(key):
        ranges = _one_array(key, a.ndim)
        if ranges is not None:
            axis, indices, key = ranges
            return w.node(
                "Gather", _sliced(w, name, key), w.constant(indices), axis=axis, last=True
            )
        places = w.constant(_positions(a.shape)[key])
        flat = w.node("Reshape", name, w.ints([-1]))
        return w.node("Gather", flat, places, axis=0, last=True)
    parts = _full(key, a.ndim)
    slices = [_slice_of(part) for part in parts if part is not None]
    name = _sliced(w, name, slices)
    if all(isinstance(part, slice) for part in parts):
        return w.node("Identity", name, last=True)
    return w.shaped(name, x.shape, last=True)


def _plain(key: Any) -> Any:
    """A key whose constants are arrays."""
    if isinstance(key, Expr):
        value = known(key)
        if value is None:
            raise NotInOnnxError("its indices are computed; use np.take_along_axis")
        return np.broadcast_to(value, key.shape)
    if type(key) in (tuple, list):
        return type(key)(map(_plain, key))
    return key


def _is_basic(key: Any) -> bool:
    parts = key if isinstance(key, tuple) else (key,)
    return all(
        part is None or part is Ellipsis or isinstance(part, slice) or _is_int(part)
        for part in parts
    )


def _is_int(part: Any) -> bool:
    whole = isinstance(part, (int, np.integer, Length))
    return whole and not isinstance(part, (bool, np.bool_))


def _full(key: Any, ndim: int) -> list[Any]:
    """A basic key with a part for each axis, and None for each new one."""
    parts = [*key] if isinstance(key, tuple) else [key]
    missing = ndim - sum(part is not None and part is not Ellipsis for part in parts)
    if not any(part is Ellipsis for part in parts):
        parts.append(Ellipsis)
    at = next(k for k, part in enumerate(parts) if part is Ellipsis)
    return [*parts[:at], *[slice(None)] * missing, *parts[at + 1 :]]


def _slice_of(part: Any) -> slice:
    """A slice with the element at an index."""
    if isinstance(part, slice):
        return part
    if isinstance(part, Length):
        return slice(part, Length(part.factor, part.more + 1))
    return slice(int(part), None if part == -1 else int(part) + 1)


def _sliced(w: Writer, name: str, slices: Sequence[slice]) -> str:
    """A value sliced along its first axes."""
    parts = [(k, part) for k, part in enumerate(slices) if part != slice(None)]
    if not parts:
        return name
    starts, stops, steps = [], [], []
    for _, part in parts:
        step = 1 if part.step is None else int(part.step)
        ends = (0, LAST) if step > 0 else (LAST, FIRST)
        starts.append(ends[0] if part.start is None else part.start)
        stops.append(ends[1] if part.stop is None else part.stop)
        steps.append(step)
    axes = w.ints([k for k, _ in parts])
    return w.node("Slice", name, w.ints(starts), w.ints(stops), axes, w.ints(steps))


def _one_array(key: Any, ndim: int) -> Any:
    """The axis, the indices and the slices of a key with one array of indices, or None."""
    parts = key if isinstance(key, tuple) else (key,)
    arrays = [part for part in parts if isinstance(part, (list, np.ndarray))]
    others = [part for part in parts if not isinstance(part, (list, np.ndarray))]
    if len(arrays) != 1 or not all(isinstance(p, slice) or p is Ellipsis for p in others):
        return None
    indices = np.asarray(arrays[0])
    if indices.dtype.kind not in "iu":
        return None
    marked = tuple(0 if isinstance(p, (list, np.ndarray)) else p for p in parts)
    full = _full(marked, ndim)
    axis = next(k for k, part in enumerate(full) if not isinstance(part, slice))
    full[axis] = slice(None)
    return axis, indices.astype(np.int64), full


def _positions(shape: Sequence[Any]) -> Any:
    """The position of each element in the flattened array."""
    if any(isinstance(n, Length) for n in shape):
        raise NotInOnnxError("its indices depend on the number of rows")
    return np.arange(np.prod(shape, dtype=np.int64)).reshape(tuple(shape))


def added(w: Writer, x: Expr, parts: Sequence[Any], keys: Any, shape: Any) -> str:
    """Zeros of a shape with parts added at keys."""
    keys = [_plain(key) for key in keys]
    if len(parts) == 1 or any(isinstance(n, Length) for n in x.shape):
        placed = [_placed(w, part, key, x) for part, key in zip(parts, keys, strict=True)]
        names = [name for name in placed if name is not None]
        if len(names) == len(parts):
            total = reduce(lambda a, b: w.node("Add", a, b), names)
            return w.node("Identity", total, last=True)
    places = [_positions(x.shape)[key] for key in keys]
    flat = []
    for part, at in zip(parts, places, strict=True):
        name = w.value(part, x.dtype)
        if part.shape != at.shape:
            name = w.expanded(name, at.shape)
        flat.append(w.node("Reshape", name, w.ints([-1])))
    updates = flat[0] if len(flat) == 1 else w.node("Concat", *flat, axis=0)
    indices = w.constant(np.concatenate([at.ravel() for at in places]))
    zeros = w.constant(np.zeros(int(np.prod(x.shape)), x.dtype))
    total = w.node("ScatterElements", zeros, indices, updates, axis=0, reduction="add")
    return w.shaped(total, x.shape, last=True)


def _placed(w: Writer, part: Expr, key: Any, x: Expr) -> str | None:
    """Zeros with a part added at a key of slices, with or without one array; otherwise None."""
    if _is_basic(key):
        return _padded(w, part, key, x)
    found = _one_array(key, x.ndim)
    if found is None or found[1].ndim != 1 or any(k != slice(None) for k in found[2]):
        return None
    axis, indices, _ = found
    sizes = [*x.shape[:axis], len(indices), *x.shape[axis + 1 :]]
    name = w.value(part, x.dtype)
    if [*part.shape] != sizes:
        name = w.expanded(name, sizes)
    places = w.constant(indices.reshape(-1, *[1] * (x.ndim - axis - 1)))
    zeros = w.expanded(w.constant(x.dtype.type(0)), x.shape)
    places = w.expanded(places, sizes)
    return w.node("ScatterElements", zeros, places, name, axis=axis, reduction="add")


def _padded(w: Writer, part: Expr, key: Any, x: Expr) -> str | None:
    """A part with zeros before and after it, or None where the key has steps."""
    before: list[Any] = []
    after: list[Any] = []
    inner: list[Any] = []
    full = _full(key, x.ndim)
    if None in full:
        return None
    for k, n in zip(full, x.shape, strict=True):
        part_of = _slice_of(k)
        start, stop = part_of.start or 0, part_of.stop
        if part_of.step not in (None, 1):
            return None
        start = _from_start(start, n)
        stop = n if stop is None else _from_start(stop, n)
        if not isinstance(n, Length):
            start, stop = min(start, n), max(min(stop, n), min(start, n))
        before.append(start)
        inner.append(_minus(stop, start))
        after.append(_minus(n, stop))
    name = w.value(part, x.dtype)
    if len(part.shape) != len(inner) or any(m != n for m, n in zip(part.shape, inner, strict=True)):
        squeezed = tuple(n for k, n in zip(full, inner, strict=False) if isinstance(k, slice))
        if tuple(part.shape) != squeezed:
            return None
        name = w.shaped(name, inner)
    if not x.ndim:
        return name
    return w.node("Pad", name, w.ints([*before, *after]))


def _from_start(k: Any, n: Any) -> Any:
    """An index counted from the start of an axis of length n."""
    if isinstance(k, Length) or k >= 0:
        return k
    return Length(n.factor, n.more + k) if isinstance(n, Length) else max(n + k, 0)


def _minus(a: Any, b: Any) -> Any:
    """The difference of two lengths."""
    first, second = (x if isinstance(x, Length) else Length(0, x) for x in (a, b))
    made = Length(first.factor - second.factor, first.more - second.more)
    return made if made.factor else made.more


def gathered(w: Writer, x: Expr, a: Expr, indices: Any, axis: int = -1) -> str:
    """The element at each index along an axis."""
    axis %= a.ndim
    name, places = w.value(a), w.value(indices, np.dtype(np.int64))
    wide = [*x.shape[:axis], a.shape[axis], *x.shape[axis + 1 :]]
    if wide != [*a.shape]:
        name = w.expanded(name, wide)
    if tuple(x.shape) != tuple(indices.shape):
        places = w.expanded(places, x.shape)
    return w.node("GatherElements", name, places, axis=axis, last=True)


def scattered(w: Writer, x: Expr, a: Any, indices: Any, axis: int = -1, shape: Any = ()) -> str:
    """Zeros of a shape, with elements added at indices along an axis."""
    axis %= len(x.shape)
    sizes = [*x.shape[:axis], indices.shape[axis], *x.shape[axis + 1 :]]
    name, places = w.value(a, x.dtype), w.value(indices, np.dtype(np.int64))
    if [*a.shape] != sizes:
        name = w.expanded(name, sizes)
    if [*indices.shape] != sizes:
        places = w.expanded(places, sizes)
    zeros = w.expanded(w.constant(x.dtype.type(0)), x.shape)
    return w.node("ScatterElements", zeros, places, name, axis=axis, reduction="add", last=True)
