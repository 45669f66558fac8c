"""Operations that reshape, broadcast, join and split arrays."""

import math
from itertools import pairwise
from typing import Any

import numpy as np

from autograd_lite.op import Op, operation
from autograd_lite.ops.composition import along, composed, normalized
from autograd_lite.tensor import lifted

BLOCK = 128  # the number of rows that are summed sequentially


def _sum_of_rows(x):
    """The sum over the first axis, by blocks; np.add.reduce would round once for each row."""
    rows, blocks = x.shape[0], x.shape[0] // BLOCK
    if blocks < 2:
        return np.add.reduce(x, axis=0)
    whole = blocks * BLOCK
    sums = np.matmul(np.ones(BLOCK, x.dtype), x[:whole].reshape(blocks, BLOCK, -1))
    total = _sum_of_rows(sums).reshape(x.shape[1:])
    return total if whole == rows else total + np.add.reduce(x[whole:], axis=0)


def _sum_to(x, shape=()):
    lead = x.ndim - len(shape)
    if lead:
        many = lead > 1 or x.shape[0] >= 2 * BLOCK
        if many and shape and type(x) is np.ndarray and x.dtype.kind == "f":
            x = _sum_of_rows(x if lead == 1 else x.reshape(-1, *x.shape[lead:]))
        else:
            x = np.add.reduce(x, axis=0 if lead == 1 else tuple(range(lead)))
    if x.shape == shape:
        return x
    axes = tuple(k for k, n in enumerate(shape) if n == 1 and x.shape[k] != 1)
    return np.add.reduce(x, axis=axes, keepdims=True) if axes else x


sum_to: Op = operation(
    "sum_to",
    _sum_to,
    lambda g, out, x, shape=(): np.broadcast_to(g, x.shape),
    reads="",
    symbol="Σ",
    formula="Σ x over the axes that broadcasting to the shape of x would repeat",
    gradient="g, broadcast to the shape of x",
    rows="sum",
)

operation(
    "broadcast_to",
    lambda array, shape=(): np.broadcast_to(array, shape),
    lambda g, out, array, shape=(): sum_to(g, shape=array.shape),
    reads="",
    numpy=(np.broadcast_to,),
    formula="x, repeated to a shape",
    gradient="g, summed to the shape of x",
    rows="moved",
)


def _astype(x, dtype=np.float64):
    if np.dtype(dtype) == np.float16 or np.dtype(dtype).kind not in "biuf":
        raise TypeError(f"dtype {np.dtype(dtype)} is not supported")
    return np.asarray(x).astype(dtype)


astype: Op = operation(
    "astype",
    _astype,
    lambda g, out, x, dtype=None: astype(g, dtype=x.dtype) if out.dtype.kind == "f" else g * 0,
    reads="",
    numpy=(np.astype,) if hasattr(np, "astype") else (),
    formula="x in another dtype",
    gradient="g in the dtype of x",
)


def _reshape(a, shape=(), order="C"):
    if order not in ("C", "F"):
        raise TypeError(f"reshape: order must be 'C' or 'F' for a Tensor, not {order!r}")
    return np.reshape(a, shape, order=order)


operation(
    "reshape",
    _reshape,
    lambda g, out, a, shape=(), order="C": np.reshape(g, a.shape, order=order),
    reads="",
    numpy=(np.reshape,),
    formula="x in another shape",
    gradient="g in the shape of x",
    rows="moved",
)


def _untransposed(g, out, a, axes=None):
    if axes is None:
        return g.T
    return np.transpose(g, tuple(np.argsort([k % len(axes) for k in axes]).tolist()))


operation(
    "transpose",
    lambda a, axes=None: a.T if axes is None else np.transpose(a, axes),
    _untransposed,
    reads="",
    numpy=(np.transpose, np.permute_dims) if hasattr(np, "permute_dims") else (np.transpose,),
    symbol="ᵀ",
    precedence=90,
    formula="xᵀ",
    gradient="gᵀ",
    rows="moved",
)

operation(
    "swapaxes",
    lambda a, axis1=0, axis2=1: np.swapaxes(a, axis1, axis2),
    lambda g, out, a, axis1=0, axis2=1: np.swapaxes(g, axis1, axis2),
    reads="",
    numpy=(np.swapaxes,),
    formula="x with two axes swapped",
    gradient="g with the same axes swapped",
    rows="moved",
)

operation(
    "squeeze",
    lambda a, axis=None: np.squeeze(a, axis),
    lambda g, out, a, axis=None: np.reshape(g, a.shape),
    reads="",
    numpy=(np.squeeze,),
    formula="x without axes of length 1",
    gradient="g in the shape of x",
    rows="moved",
)

operation(
    "expand_dims",
    lambda a, axis=0: np.expand_dims(a, axis),
    lambda g, out, a, axis=0: np.reshape(g, a.shape),
    reads="",
    numpy=(np.expand_dims,),
    formula="x with additional axes of length 1",
    gradient="g in the shape of x",
    rows="moved",
)


def _part(g, out, *arrays, k, axis=0):
    if axis is None:
        start = sum(math.prod(a.shape) for a in arrays[:k])
        return np.reshape(g[start : start + math.prod(arrays[k].shape)], arrays[k].shape)
    axis %= len(out.shape)
    start = sum(a.shape[axis] for a in arrays[:k])
    return g[(slice(None),) * axis + (slice(start, start + arrays[k].shape[axis]),)]


operation(
    "concatenate",
    lambda arrays, axis=0: np.concatenate(arrays, axis=axis),
    _part,
    reads="",
    numpy=(np.concatenate, np.concat) if hasattr(np, "concat") else (np.concatenate,),
    arity=None,
    formula="the arrays one after the other",
    gradient="the part of g that belongs to each array",
    rows="beside",
)

operation(
    "stack",
    lambda arrays, axis=0: np.stack(arrays, axis=axis),
    lambda g, out, *arrays, k, axis=0: g[(slice(None),) * (axis % len(out.shape)) + (k,)],
    reads="",
    numpy=(np.stack,),
    arity=None,
    formula="the arrays along a new axis",
    gradient="the slice of g that belongs to each array",
)

identity: Op = operation(
    "identity",
    lambda x: x,
    lambda g, out, x: g,
    reads="",
    numpy=(np.positive, np.conjugate),
    elementwise=True,
    formula="x",
    gradient="g",
)


@composed(np.copy)
def _copy(a):
    """x itself, since a Tensor cannot be changed in place."""
    return identity(a)


@composed(np.real)
def _real(val):
    """x itself."""
    return identity(val)


@composed(np.real_if_close)
def _real_if_close(a, tol=100):
    """x itself."""
    return identity(a)


@composed(np.ravel)
def _ravel(a, order="C"):
    """The elements along one axis."""
    return np.reshape(lifted(a), (-1,), order=order)


@composed(np.moveaxis)
def _moveaxis(a, source, destination):
    """x with axes moved to other positions."""
    a = lifted(a)
    source = [source] if isinstance(source, (int, np.integer)) else list(source)
    destination = [destination] if isinstance(destination, (int, np.integer)) else list(destination)
    source = [normalized(axis, a.ndim) for axis in source]
    destination = [normalized(axis, a.ndim) for axis in destination]
    if not len(set(source)) == len(source) == len(destination) == len(set(destination)):
        raise ValueError("moveaxis: source and destination must be different axes, equally many")
    order = [axis for axis in range(a.ndim) if axis not in source]
    for to, axis in sorted(zip(destination, source, strict=True)):
        order.insert(to, axis)
    return np.transpose(a, tuple(order))


@composed(np.rollaxis)
def _rollaxis(a, axis, start=0):
    """x with an axis moved before another."""
    axis, start = normalized(axis, a.ndim), normalized(start, a.ndim + 1)
    return np.moveaxis(a, axis, start - (axis < start))


def _at_least(ndim, shape):
    def answer(*arys):
        arrays = map(lifted, arys)
        results = [a if a.ndim >= ndim else np.reshape(a, shape(a.shape)) for a in arrays]
        return results[0] if len(results) == 1 else tuple(results)

    answer.__doc__ = f"x with at least {ndim} axes."
    return answer


composed(np.atleast_1d)(_at_least(1, lambda shape: (1,)))
composed(np.atleast_2d)(_at_least(2, lambda shape: (1,) * (2 - len(shape)) + shape))
composed(np.atleast_3d)(
    _at_least(3, lambda shape: ((1, 1, 1), (1, *shape, 1), (*shape, 1))[len(shape)])
)


@composed(np.broadcast_arrays)
def _broadcast_arrays(*args):
    """The arrays, broadcast to their common shape."""
    arrays = [lifted(x) for x in args]
    shape = np.broadcast_shapes(*(x.shape for x in arrays))
    return tuple(np.broadcast_to(x, shape) for x in arrays)


@composed(np.meshgrid)
def _meshgrid(*xi, indexing="xy", sparse=False, copy=True):
    """The coordinates of a grid, an array for each axis."""
    if indexing not in ("xy", "ij"):
        raise ValueError(f"meshgrid: indexing must be 'xy' or 'ij', not {indexing!r}")
    n = len(xi)
    places = [1, 0, *range(2, n)] if indexing == "xy" and n > 1 else range(n)
    grid = [
        np.reshape(lifted(x), (1,) * place + (-1,) + (1,) * (n - place - 1))
        for x, place in zip(xi, places, strict=True)
    ]
    return tuple(grid) if sparse else np.broadcast_arrays(*grid)


@composed(np.vstack)
def vstack(tup: Any) -> Any:
    """The arrays one below the other."""
    return np.concatenate([np.atleast_2d(lifted(x)) for x in tup], axis=0)


_row_stack = getattr(np, "row_stack", None)
if _row_stack is not None:
    composed(_row_stack)(vstack)


@composed(np.hstack)
def _hstack(tup):
    """The arrays side by side."""
    arrays = [np.atleast_1d(lifted(x)) for x in tup]
    return np.concatenate(arrays, axis=int(arrays[0].ndim > 1))


@composed(np.dstack)
def _dstack(tup):
    """The arrays along the third axis."""
    return np.concatenate([np.atleast_3d(lifted(x)) for x in tup], axis=2)


@composed(np.column_stack)
def _column_stack(tup):
    """The arrays as columns."""
    columns = [lifted(x) for x in tup]
    return np.concatenate([np.reshape(x, (-1, 1)) if x.ndim < 2 else x for x in columns], axis=1)


def _depth(arrays):
    return 1 + max(map(_depth, arrays)) if isinstance(arrays, list) else 0


def _widest(arrays):
    return max(map(_widest, arrays)) if isinstance(arrays, list) else lifted(arrays).ndim


@composed(np.block)
def _block(arrays):
    """Blocks joined: the innermost lists along the last axis, the next along the one before."""
    depth = _depth(arrays)
    ndim = max(depth, _widest(arrays))

    def joined(part, axis):
        if isinstance(part, list):
            return np.concatenate([joined(x, axis + 1) for x in part], axis=axis)
        part = lifted(part)
        return np.reshape(part, (1,) * (ndim - part.ndim) + part.shape)

    return joined(arrays, -depth)


@composed(np.array_split)
def _array_split(ary, indices_or_sections, axis=0):
    """Slices along an axis, a list of them."""
    ary = lifted(ary)
    length = ary.shape[normalized(axis, ary.ndim)]
    if np.ndim(indices_or_sections) == 0:
        if indices_or_sections <= 0:
            raise ValueError(f"array_split: needs 1 or more parts, not {indices_or_sections}")
        each, more = divmod(length, int(indices_or_sections))
        sizes = [each + (k < more) for k in range(int(indices_or_sections))]
        edges = [0, *np.cumsum(sizes).tolist()]
    else:
        edges = [0, *(int(k) for k in indices_or_sections), length]
    return [ary[along(axis, ary.ndim, slice(start, stop))] for start, stop in pairwise(edges)]


@composed(np.split)
def _split(ary, indices_or_sections, axis=0):
    """Slices of one length along an axis, or between indices, a list of them."""
    length = lifted(ary).shape[normalized(axis, lifted(ary).ndim)]
    if np.ndim(indices_or_sections) == 0 and length % int(indices_or_sections):
        raise ValueError(
            f"split: an axis of length {length} cannot be split into {indices_or_sections} equal "
            "parts; use np.array_split"
        )
    return np.array_split(ary, indices_or_sections, axis=axis)


@composed(np.vsplit)
def _vsplit(ary, indices_or_sections):
    """Slices along the first axis."""
    if ary.ndim < 2:
        raise ValueError("vsplit: needs an array with two or more axes")
    return np.split(ary, indices_or_sections, axis=0)


@composed(np.hsplit)
def _hsplit(ary, indices_or_sections):
    """Slices along the second axis, or the only one."""
    return np.split(ary, indices_or_sections, axis=int(ary.ndim > 1))


@composed(np.dsplit)
def _dsplit(ary, indices_or_sections):
    """Slices along the third axis."""
    return np.split(ary, indices_or_sections, axis=2)


if hasattr(np, "unstack"):

    @composed(np.unstack)
    def unstack(x, axis=0):
        """The subarrays along an axis, a tuple of them."""
        return tuple(x[along(axis, x.ndim, k)] for k in range(x.shape[normalized(axis, x.ndim)]))
