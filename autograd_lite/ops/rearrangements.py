"""Operations that reorder, repeat or pad elements."""

import numpy as np

from autograd_lite.arrays import plain
from autograd_lite.op import operation
from autograd_lite.ops.composition import along, by_positions, composed, normalized
from autograd_lite.ops.indexing import add_at
from autograd_lite.ops.shapes import astype
from autograd_lite.tensor import lifted

operation(
    "flip",
    lambda m, axis=None: np.flip(m, axis),
    lambda g, out, m, axis=None: np.flip(g, axis),
    reads="",
    numpy=(np.flip,),
    formula="m in reverse order",
    gradient="g in reverse order",
)


@composed(np.flipud)
def _flipud(m):
    """m with its rows in reverse order."""
    return np.flip(m, 0)


@composed(np.fliplr)
def _fliplr(m):
    """m with its columns in reverse order."""
    return np.flip(m, 1)


@composed(np.rot90)
def _rot90(m, k=1, axes=(0, 1)):
    """m rotated by k right angles."""
    first, second = (normalized(axis, m.ndim) for axis in axes)
    if first == second:
        raise ValueError("rot90: needs two different axes")
    k %= 4
    if k == 0:
        return np.positive(m)
    if k == 2:
        return np.flip(m, (first, second))
    if k == 1:
        return np.swapaxes(np.flip(m, second), first, second)
    return np.flip(np.swapaxes(m, first, second), second)


def _negated(shift):
    return tuple(-s for s in shift) if isinstance(shift, (tuple, list)) else -shift


operation(
    "roll",
    lambda a, shift=0, axis=None: np.roll(a, shift, axis),
    lambda g, out, a, shift=0, axis=None: np.roll(g, _negated(shift), axis),
    reads="",
    numpy=(np.roll,),
    formula="a, shifted cyclically",
    gradient="g, shifted back",
)


@composed(np.fft.fftshift)
def _fftshift(x, axes=None):
    """x with the zero frequency in the middle."""
    axes = tuple(range(x.ndim)) if axes is None else np.atleast_1d(axes).tolist()
    return np.roll(x, tuple(x.shape[k] // 2 for k in axes), tuple(axes))


@composed(np.fft.ifftshift)
def _ifftshift(x, axes=None):
    """The inverse of fftshift."""
    axes = tuple(range(x.ndim)) if axes is None else np.atleast_1d(axes).tolist()
    return np.roll(x, tuple(-(x.shape[k] // 2) for k in axes), tuple(axes))


for _function, _side in ((np.tril, "above"), (np.triu, "below")):

    def _define(function, side):
        triangle = operation(
            function.__name__,
            lambda m, k=0: function(m, k),
            # NumPy makes a matrix of a 1-d array, which is each of its rows.
            lambda g, out, m, k=0: (
                triangle(g, k=k) if m.ndim > 1 else np.sum(triangle(g, k=k), axis=0)
            ),
            reads="",
            numpy=(function,),
            chooses=True,
            formula=f"m with zeros {side} its k-th diagonal",
            gradient=f"g with zeros {side} its k-th diagonal",
        )

    _define(_function, _side)


def _tile_rule(g, out, A, reps=()):
    reps = (reps,) if np.ndim(reps) == 0 else tuple(reps)
    ndim = max(len(reps), A.ndim)
    reps = (1,) * (ndim - len(reps)) + reps
    shape = (1,) * (ndim - A.ndim) + A.shape
    pairs = tuple(int(n) for pair in zip(reps, shape, strict=True) for n in pair)
    total = np.sum(np.reshape(g, pairs), axis=tuple(range(0, 2 * ndim, 2)))
    return np.reshape(total, A.shape)


operation(
    "tile",
    lambda A, reps=(): np.tile(A, reps),
    _tile_rule,
    reads="",
    numpy=(np.tile,),
    formula="copies of A side by side",
    gradient="the sum of g over the copies",
)


@composed(np.repeat)
def _repeat(a, repeats, axis=None):
    """Each element, or each slice along an axis, repeated."""
    repeats, a = plain(repeats, "repeat", "repeats"), lifted(a)
    if axis is None:
        return by_positions(a, lambda places: np.repeat(places, repeats))
    a = np.atleast_1d(a)
    places = np.repeat(np.arange(a.shape[normalized(axis, a.ndim)]), repeats)
    return a[along(axis, a.ndim, places)]


@composed(np.resize)
def _resize(a, new_shape):
    """The elements, repeated as often as needed for the new shape."""
    if not lifted(a).size:
        return lifted(np.resize(np.asarray(lifted(a).array), new_shape))
    return by_positions(a, lambda places: np.resize(places, new_shape))


def _with_constants(array, widths, mode, values):
    array = np.positive(array)
    inside = tuple(
        slice(before, before + n) for (before, _), n in zip(widths, array.shape, strict=True)
    )
    shape = tuple(
        before + n + after for (before, after), n in zip(widths, array.shape, strict=True)
    )
    padded = add_at(array, key=inside, shape=shape)
    if not np.any(values) or not array.ndim:
        return padded
    frame = np.pad(np.zeros(array.shape, array.dtype), widths, mode, constant_values=values)
    return padded + frame


_STATISTICS = {"maximum": "max", "mean": "mean", "median": "median", "minimum": "min"}


def _around(array, axis, mode, widths, length, ends):
    """The padding before and after an array along one axis."""
    n = array.shape[axis]
    parts = []
    for side in (0, 1):
        width = widths[side]
        lead = array.ndim * (1,)
        shape = lead[:axis] + (width,) + lead[axis + 1 :]
        if mode == "linear_ramp":
            edge = array[along(axis, array.ndim, slice(0, 1) if side == 0 else slice(n - 1, n))]
            ramp = np.arange(width) / width if width else np.zeros(0)
            ramp = np.reshape(ramp if side == 0 else ramp[::-1], shape).astype(array.dtype)
            parts.append(ends[side] + (edge - ends[side]) * ramp)
            continue
        taken = n if length is None else min(length[side], n)
        where = slice(0, taken) if side == 0 else slice(n - taken, n)
        part = array[along(axis, array.ndim, where)]
        value = getattr(np, _STATISTICS[mode])(part, axis=axis, keepdims=True)
        parts.append(
            np.broadcast_to(value, array.shape[:axis] + (width,) + array.shape[axis + 1 :])
        )
    return parts


def _pairs(value, ndim):
    """A value for each axis and side."""
    return np.broadcast_to(np.asarray(value), (ndim, 2)).tolist()


@composed(np.pad)
def _pad(
    array,
    pad_width,
    mode="constant",
    *,
    constant_values=0,
    stat_length=None,
    end_values=0,
    reflect_type="even",
):
    """The padded array, in every mode of NumPy except a function."""
    array = lifted(array)
    if isinstance(pad_width, dict):
        pad_width = [
            pad_width.get(k, pad_width.get(k - array.ndim, (0, 0))) for k in range(array.ndim)
        ]
        pad_width = [(w, w) if np.ndim(w) == 0 else w for w in pad_width]
    widths = _pairs(plain(pad_width, "pad", "pad_width"), array.ndim)
    if any(not isinstance(w, int) or w < 0 for pair in widths for w in pair):
        raise ValueError("pad: pad_width must consist of non-negative integers")
    if mode in ("constant", "empty"):
        values = plain(constant_values, "pad", "constant_values") if mode == "constant" else 0
        return _with_constants(array, widths, "constant", values)
    if mode in ("edge", "symmetric", "reflect", "wrap"):
        if reflect_type != "even":
            raise TypeError("pad: reflect_type='odd' is not supported on Tensors; use 'even'")
        if not array.ndim:
            return np.positive(array)
        return by_positions(array, lambda places: np.pad(places, widths, mode))
    if mode not in (*_STATISTICS, "linear_ramp"):
        raise (TypeError if callable(mode) else ValueError)(
            f"pad: mode={mode!r} is not supported on Tensors; use the name of a mode of NumPy"
        )
    if any(n == 0 and max(pair) for n, pair in zip(array.shape, widths, strict=True)):
        raise ValueError(f"pad: mode={mode!r} cannot pad an empty axis; use mode='constant'")
    lengths = None if stat_length is None else _pairs(stat_length, array.ndim)
    ends = _pairs(plain(end_values, "pad", "end_values"), array.ndim)
    for axis in range(array.ndim):
        before, after = _around(
            array, axis, mode, widths[axis], None if lengths is None else lengths[axis], ends[axis]
        )
        array = np.concatenate([before, array, after], axis=axis)
    return array


@composed(np.append)
def _append(arr, values, axis=None):
    """The array followed by the values."""
    if axis is None:
        return np.concatenate([np.ravel(lifted(arr)), np.ravel(lifted(values))])
    return np.concatenate([arr, values], axis=axis)


@composed(np.delete)
def _delete(arr, obj, axis=None):
    """The array without some of its slices."""
    obj, arr = plain(obj, "delete", "obj"), lifted(arr)
    if axis is None:
        arr, axis = np.ravel(arr), 0
    places = np.delete(np.arange(arr.shape[normalized(axis, arr.ndim)]), obj)
    return arr[along(axis, arr.ndim, places)]


@composed(np.insert)
def _insert(arr, obj, values, axis=None):
    """The array with values before some of its slices."""
    obj, arr, values = plain(obj, "insert", "obj"), lifted(arr), lifted(values)
    if axis is None:
        arr, axis = np.ravel(arr), 0
    axis = normalized(axis, arr.ndim)
    n = arr.shape[axis]
    if values.ndim < arr.ndim:
        values = np.reshape(values, (1,) * (arr.ndim - values.ndim) + values.shape)
    scalar = not isinstance(obj, slice) and np.ndim(obj) == 0
    if scalar:
        values = np.moveaxis(values, 0, axis)
        many = values.shape[axis]
    else:
        many = len(range(n)[obj]) if isinstance(obj, slice) else np.asarray(obj).size
        if np.asarray(obj).dtype == bool and not isinstance(obj, slice):
            many = int(np.sum(obj))
    shape = arr.shape[:axis] + (many,) + arr.shape[axis + 1 :]
    values = astype(np.broadcast_to(values, shape), arr.dtype)
    places = np.insert(np.arange(n), obj, np.arange(n, n + many))
    return np.concatenate([arr, values], axis=axis)[along(axis, arr.ndim, places)]


@composed(np.sort)
def _sort(a, axis=-1, kind=None, *, stable=None):
    """The elements in ascending order, selected by `argsort`."""
    if axis is None:
        a, axis = np.ravel(a), 0
    places = np.argsort(a, axis=axis, kind=kind, stable=stable)
    return np.take_along_axis(a, places, axis=axis)


@composed(np.lib.stride_tricks.sliding_window_view)
def _sliding_window_view(x, window_shape, axis=None):
    """The windows of x along the axes, in additional axes at the end."""
    x = lifted(x)
    lengths = tuple(window_shape) if np.iterable(window_shape) else (window_shape,)
    axes = range(x.ndim) if axis is None else axis if np.iterable(axis) else (axis,)
    axes = tuple(axes)
    if len(axes) != len(lengths):
        raise ValueError(
            f"sliding_window_view: needs one window length for each axis, not {lengths} for the "
            f"axes {axes}"
        )
    ndim = x.ndim
    for axis, length in zip(axes, lengths, strict=True):
        k = normalized(axis, ndim)
        if not 0 <= length <= x.shape[k]:
            raise ValueError(
                f"sliding_window_view: a window of {length} elements does not fit axis {axis}, "
                f"which has {x.shape[k]}"
            )
        places = np.arange(x.shape[k] - length + 1)[:, None] + np.arange(length)
        x = np.moveaxis(x[along(k, x.ndim, places)], k + 1, -1)
    return x


@composed(np.partition)
def _partition(a, kth, axis=-1):
    """Smaller elements before the kth, larger ones after it, selected by `argpartition`."""
    if axis is None:
        a, axis = np.ravel(a), 0
    return np.take_along_axis(a, np.argpartition(a, kth, axis=axis), axis=axis)
