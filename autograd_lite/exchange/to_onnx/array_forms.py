"""Reductions, rearrangements and products that ONNX has no operation for, as NumPy functions."""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from autograd_lite.compiler.adapting import recurrence
from autograd_lite.exchange.to_onnx.forms import FORMS, form, kind_of
from autograd_lite.exchange.to_onnx.writer import NotInOnnxError
from autograd_lite.ops import quantiles

FORMS |= {**quantiles.FORMS, "recurrence": recurrence}

LONGEST = 1000  # elements of a running product, each of which is a node

# Reductions


def _count(a: Any, axis: Any) -> int:
    if axis is None:
        return math.prod(a.shape)
    return math.prod(a.shape[k] for k in (axis if isinstance(axis, tuple) else (axis,)))


def _of_floats(a: Any) -> Any:
    return a if a.dtype.kind == "f" else a.astype(np.float64)


@form("np.mean")
def mean(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    # ONNX's mean over nothing is 0.
    return np.sum(_of_floats(a), axis=axis, keepdims=keepdims) / float(_count(a, axis))


@form("np.var")
def var(a: Any, axis: Any = None, ddof: Any = 0, keepdims: bool = False) -> Any:
    a = _of_floats(a)
    apart = a - np.mean(a, axis=axis, keepdims=True)
    freedom = max(_count(a, axis) - ddof, 0)
    total = np.sum(apart * apart, axis=axis, keepdims=keepdims)
    return total / kind_of(a)(freedom)


@form("std")
def std(a: Any, axis: Any = None, ddof: Any = 0, keepdims: bool = False) -> Any:
    a, n = _of_floats(a), _count(a, axis)
    if n <= ddof:
        return np.sqrt(np.var(a, axis=axis, ddof=ddof, keepdims=keepdims))
    axes = range(a.ndim) if axis is None else np.atleast_1d(axis) % a.ndim
    first = a[tuple(slice(0, 1) if k in axes else slice(None) for k in range(a.ndim))]
    apart = a - first
    apart = apart - np.mean(apart, axis=axis, keepdims=True)
    return norm(apart, axis=axis, keepdims=keepdims) / math.sqrt(n - ddof)


@form("norm")
def norm(x: Any, ord: Any = 2, axis: Any = None, keepdims: bool = False) -> Any:
    size = np.abs(_of_floats(x))
    if ord <= 0:
        return np.sum(size ** kind_of(size)(ord), axis=axis, keepdims=keepdims) ** (1 / ord)
    if not _count(x, axis):
        return np.sum(size, axis=axis, keepdims=keepdims)
    # Powers of quotients, of which the largest is 1, neither overflow nor underflow.
    peak = np.max(size, axis=axis, keepdims=True)
    peak = np.where((peak > 0) & (peak < np.inf), peak, 1)
    ratio = size / peak
    powers = ratio * ratio if ord == 2 else ratio ** kind_of(size)(ord)
    total = np.sum(powers, axis=axis, keepdims=keepdims)
    root = np.sqrt(total) if ord == 2 else total ** kind_of(size)(1 / ord)
    return root * np.reshape(peak, root.shape)


def _shifted(x: Any, axis: Any) -> tuple[Any, Any]:
    """x minus its maximum, and the maximum."""
    # It need not see NaN, since the sum of the exponentials does.
    peak = np.fmax.reduce(x, axis=axis, keepdims=True)
    peak = np.where(np.isfinite(peak), peak, 0)
    return x - peak, peak


@form("softmax")
def softmax(x: Any, axis: Any = -1) -> Any:
    if isinstance(axis, int) and x.dtype.kind == "f":
        return None
    e = np.exp(_shifted(_of_floats(x), axis)[0])
    return e / np.sum(e, axis=axis, keepdims=True)


@form("log_softmax")
def log_softmax(x: Any, axis: Any = -1) -> Any:
    # With one NaN among them, onnxruntime's LogSoftmax gives finite numbers in float64.
    apart, _ = _shifted(_of_floats(x), axis)
    return apart - np.log(np.sum(np.exp(apart), axis=axis, keepdims=True))


@form("logsumexp")
def logsumexp(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    apart, peak = _shifted(_of_floats(a), axis)
    total = np.log(np.sum(np.exp(apart), axis=axis, keepdims=True)) + peak
    return total if keepdims else np.squeeze(total, axis=axis)


@form("logsumexp_of_exp")
def logsumexp_of_exp(a: Any, e: Any, total: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return logsumexp(a, axis, keepdims)


@form("np.any")
def any_(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.sum(np.not_equal(a, 0).astype(np.int64), axis=axis, keepdims=keepdims) > 0


@form("np.all")
def all_(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return np.sum(np.equal(a, 0).astype(np.int64), axis=axis, keepdims=keepdims) == 0


def _along(axis: int, ndim: int, key: Any) -> Any:
    return (slice(None),) * (axis % ndim) + (key,)


@form("np.cumprod")
def cumprod(a: Any, axis: Any = None) -> Any:
    if axis is None or not a.ndim:
        a, axis = np.reshape(a, (-1,)), 0
    length = a.shape[axis]
    if length > LONGEST:
        raise NotInOnnxError(f"{length} products in turn are too many")
    parts: list[Any] = []
    for k in range(length):
        part = a[_along(axis, a.ndim, slice(k, k + 1))]
        parts.append(parts[-1] * part if parts else part)
    return np.concatenate(parts, axis=axis) if parts else a


# Rearrangements


@form("np.reshape")
def reshape(a: Any, shape: Any, order: str = "C") -> Any:
    if order == "C":
        return None
    sizes = np.empty(a.shape, np.bool_).reshape(shape).shape
    turned = np.reshape(np.transpose(a, tuple(range(a.ndim))[::-1]), sizes[::-1])
    return np.transpose(turned, tuple(range(len(sizes)))[::-1])


@form("np.stack")
def stack(arrays: Sequence[Any], axis: int = 0) -> Any:
    return np.concatenate([np.expand_dims(x, axis) for x in arrays], axis=axis)


@form("np.flip")
def flip(m: Any, axis: Any = None) -> Any:
    axes = range(m.ndim) if axis is None else [k % m.ndim for k in _several(axis)]
    return m[tuple(slice(None, None, -1) if k in axes else slice(None) for k in range(m.ndim))]


def _several(x: Any) -> tuple[Any, ...]:
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


@form("np.roll")
def roll(a: Any, shift: Any, axis: Any = None) -> Any:
    if axis is None:
        return np.reshape(roll(np.reshape(a, (-1,)), sum(_several(shift)), 0), a.shape)
    shifts, axes = np.broadcast_arrays(np.array(_several(shift)), np.array(_several(axis)))
    for by, k in zip(shifts.tolist(), axes.tolist(), strict=True):
        by = by % a.shape[k] if a.shape[k] else 0
        if by:
            ends = a[_along(k, a.ndim, slice(-by, None))], a[_along(k, a.ndim, slice(0, -by))]
            a = np.concatenate(ends, axis=k)
    return a


@form("np.tril")
def tril(m: Any, k: int = 0) -> Any:
    return _triangle(m, np.tri(*_matrix(m), k=k, dtype=np.bool_))


@form("np.triu")
def triu(m: Any, k: int = 0) -> Any:
    return _triangle(m, ~np.tri(*_matrix(m), k=k - 1, dtype=np.bool_))


def _matrix(m: Any) -> tuple[int, int]:
    return (m.shape[-2], m.shape[-1]) if m.ndim > 1 else (m.shape[0], m.shape[0])


def _triangle(m: Any, kept: Any) -> Any:
    return np.where(kept, m, m.dtype.type(0))


@form("np.trace")
def trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    rest = [k for k in range(a.ndim) if k not in (axis1 % a.ndim, axis2 % a.ndim)]
    moved = np.transpose(a, (*rest, axis1 % a.ndim, axis2 % a.ndim))
    on = np.eye(moved.shape[-2], moved.shape[-1], k=offset) == 1
    return np.sum(np.where(on, moved, a.dtype.type(0)), axis=(-2, -1))


@form("np.tile")
def tile(A: Any, reps: Any) -> Any:
    reps = _several(reps)
    ndim = max(len(reps), A.ndim)
    reps = (1,) * (ndim - len(reps)) + tuple(int(n) for n in reps)
    shape = (1,) * (ndim - A.ndim) + A.shape
    apart = np.reshape(A, tuple(n for size in shape for n in (1, size)))
    pairs = tuple(n for pair in zip(reps, shape, strict=True) for n in pair)
    whole = tuple(n * size for n, size in zip(reps, shape, strict=True))
    return np.reshape(np.broadcast_to(apart, pairs), whole)


# Products


@form("np.outer")
def outer(a: Any, b: Any) -> Any:
    return np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1))


@form("np.kron")
def kron(a: Any, b: Any) -> Any:
    ndim = max(a.ndim, b.ndim)
    rows = (1,) * (ndim - a.ndim) + a.shape
    columns = (1,) * (ndim - b.ndim) + b.shape
    first = np.reshape(a, tuple(n for row in rows for n in (row, 1)))
    second = np.reshape(b, tuple(n for column in columns for n in (1, column)))
    sizes = tuple(m * n for m, n in zip(rows, columns, strict=True))
    return np.reshape(first * second, sizes)


@form("np.tensordot")
def tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    if isinstance(axes, int):
        axes = range(a.ndim - axes, a.ndim), range(axes)
    mine, others = ([int(k) for k in np.atleast_1d(part)] for part in axes)
    left = [*string.ascii_letters[: a.ndim]]
    right = [*string.ascii_letters[a.ndim : a.ndim + b.ndim]]
    for k, other in zip(mine, others, strict=True):
        right[other] = left[k]
    summed = {left[k] for k in mine}
    result = [letter for letter in (*left, *right) if letter not in summed]
    return np.einsum(f"{''.join(left)},{''.join(right)}->{''.join(result)}", a, b)


@form("np.linalg.multi_dot")
def multi_dot(arrays: Sequence[Any]) -> Any:
    return reduce(np.matmul, arrays)


@form("np.convolve")
def convolve(a: Any, v: Any, mode: str = "full") -> Any:
    if mode != "full":
        return None
    short, long = (a, v) if a.shape[0] <= v.shape[0] else (v, a)
    count = short.shape[0]
    if count > LONGEST:
        raise NotInOnnxError(f"{count} shifted products are too many")
    total: Any = 0
    for k in range(count):
        parts = np.zeros(k, long.dtype), short[k] * long, np.zeros(count - 1 - k, long.dtype)
        total = total + np.concatenate(parts)
    return total


@form("np.searchsorted")
def searchsorted(a: Any, v: Any, side: str = "left") -> Any:
    sought = np.expand_dims(v, -1)
    before = np.less(a, sought) if side == "left" else np.less_equal(a, sought)
    # NaN comes last, and a NaN after the numbers.
    before = before | ((sought != sought) & ((a == a) | np.array(side == "right")))
    return np.sum(before, axis=-1)


@form("np.cross")
def cross(a: Any, b: Any) -> Any:
    def part(x: Any, k: int) -> Any:
        return x[..., k]

    pairs = ((1, 2), (2, 0), (0, 1))
    return np.stack([part(a, j) * part(b, k) - part(a, k) * part(b, j) for j, k in pairs], axis=-1)


@form("vander")
def vander(x: Any, N: Any = None, increasing: bool = False) -> Any:
    powers = [np.ones_like(x)]
    while len(powers) < (x.shape[0] if N is None else N):
        powers.append(powers[-1] * x)
    return np.stack(powers if increasing else powers[::-1], axis=-1)


@form("np.ones_like")
def ones_like(a: Any, dtype: Any = None, shape: Any = None) -> Any:
    return _full(a, 1, dtype, shape)


@form("np.zeros_like")
def zeros_like(a: Any, dtype: Any = None, shape: Any = None) -> Any:
    return _full(a, 0, dtype, shape)


def _full(a: Any, number: int, dtype: Any, shape: Any) -> Any:
    kind = a.dtype if dtype is None else np.dtype(dtype)
    return np.full(a.shape if shape is None else shape, number, kind)


# Losses, whose forward is another one for few elements


@form("binary_cross_entropy_with_logits")
def cross_entropy_of_logits(z: Any, y: Any, reduction: str = "mean") -> Any:
    y = y if y.dtype.kind == "f" else y.astype(z.dtype)
    return _reduced(np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z))), reduction)


@form("binary_cross_entropy_of_sigmoid")
def cross_entropy_of_sigmoid(z: Any, y_hat: Any, y: Any, reduction: str = "mean") -> Any:
    return cross_entropy_of_logits(z, y, reduction)


def _reduced(losses: Any, reduction: str) -> Any:
    if reduction == "none":
        return losses
    return np.mean(losses) if reduction == "mean" else np.sum(losses)


@form("cross_entropy")
def cross_entropy(logits: Any, labels: Any, reduction: str = "mean") -> Any:
    logs = log_softmax(logits)
    if labels.ndim == logits.ndim:
        losses = -np.sum(np.where(labels == 0, 0, labels * logs), axis=-1)
    else:  # An index out of range is an error, in ONNX only a large one.
        places = np.where(labels < 0, np.int64(logits.shape[-1]), labels.astype(np.int64))
        losses = -np.take_along_axis(logs, np.expand_dims(places, -1), -1)[..., 0]
    return _reduced(losses, reduction)
