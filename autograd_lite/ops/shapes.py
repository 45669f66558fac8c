"""The same elements in another shape, more often, or added up to fit."""

import math

import numpy as np

from autograd_lite.op import operation


def _sum_to(x, shape):
    lead = np.ndim(x) - len(shape)
    if lead:
        x = np.add.reduce(x, axis=tuple(range(lead)))
    axes = tuple(k for k, n in enumerate(shape) if n == 1 and x.shape[k] != 1)
    return np.add.reduce(x, axis=axes, keepdims=True) if axes else x


sum_to = operation(
    "sum_to",
    lambda x, shape=(): _sum_to(x, shape),
    lambda g, out, x, shape=(): np.broadcast_to(g, x.shape),
    symbol="Σ",
    formula="Σ x over the axes that broadcasting to the shape of x would repeat",
    gradient="g, broadcast to the shape of x",
)

broadcast_to = operation(
    "broadcast_to",
    lambda array, shape=(): np.broadcast_to(array, shape),
    lambda g, out, array, shape=(): sum_to(g, shape=array.shape),
    numpy=(np.broadcast_to,),
    formula="x, repeated to a shape",
    gradient="g, summed to the shape of x",
)


def _astype(x, dtype=np.float64):
    if np.dtype(dtype) == np.float16 or np.dtype(dtype).kind not in "biuf":
        raise TypeError(f"a Tensor cannot hold data of dtype {np.dtype(dtype)}")
    return np.asarray(x).astype(dtype)


astype = operation(
    "astype",
    _astype,
    lambda g, out, x, dtype=None: astype(g, dtype=x.dtype) if out.dtype.kind == "f" else g * 0,
    numpy=(np.astype,) if hasattr(np, "astype") else (),
    formula="x in another dtype",
    gradient="g in the dtype of x",
)

reshape = operation(
    "reshape",
    lambda a, shape=(): np.reshape(a, shape),
    lambda g, out, a, shape=(): np.reshape(g, a.shape),
    numpy=(np.reshape,),
    formula="x in another shape",
    gradient="g in the shape of x",
)

transpose = operation(
    "transpose",
    lambda a, axes=None: np.transpose(a, axes),
    lambda g, out, a, axes=None: np.transpose(
        g, None if axes is None else tuple(np.argsort([k % a.ndim for k in axes]).tolist())
    ),
    numpy=(np.transpose, np.permute_dims) if hasattr(np, "permute_dims") else (np.transpose,),
    symbol="ᵀ",
    precedence=90,
    formula="xᵀ",
    gradient="gᵀ",
)

swapaxes = operation(
    "swapaxes",
    lambda a, axis1=0, axis2=1: np.swapaxes(a, axis1, axis2),
    lambda g, out, a, axis1=0, axis2=1: np.swapaxes(g, axis1, axis2),
    numpy=(np.swapaxes,),
    formula="x with two axes swapped",
    gradient="g with the same axes swapped",
)

squeeze = operation(
    "squeeze",
    lambda a, axis=None: np.squeeze(a, axis),
    lambda g, out, a, axis=None: np.reshape(g, a.shape),
    numpy=(np.squeeze,),
    formula="x without axes of length 1",
    gradient="g in the shape of x",
)

expand_dims = operation(
    "expand_dims",
    lambda a, axis=0: np.expand_dims(a, axis),
    lambda g, out, a, axis=0: np.reshape(g, a.shape),
    numpy=(np.expand_dims,),
    formula="x with further axes of length 1",
    gradient="g in the shape of x",
)


def _part(g, out, *arrays, k, axis=0):
    if axis is None:
        start = sum(math.prod(a.shape) for a in arrays[:k])
        return np.reshape(g[start : start + math.prod(arrays[k].shape)], arrays[k].shape)
    axis %= len(out.shape)
    start = sum(a.shape[axis] for a in arrays[:k])
    return g[(slice(None),) * axis + (slice(start, start + arrays[k].shape[axis]),)]


concatenate = operation(
    "concatenate",
    lambda arrays, axis=0: np.concatenate(arrays, axis=axis),
    _part,
    numpy=(np.concatenate, np.concat) if hasattr(np, "concat") else (np.concatenate,),
    arity=None,
    formula="the arrays one after the other",
    gradient="the part of g that belongs to each array",
)

stack = operation(
    "stack",
    lambda arrays, axis=0: np.stack(arrays, axis=axis),
    lambda g, out, *arrays, k, axis=0: g[(slice(None),) * (axis % len(out.shape)) + (k,)],
    numpy=(np.stack,),
    arity=None,
    formula="the arrays along a new axis",
    gradient="the slice of g that belongs to each array",
)

identity = operation(
    "identity",
    lambda x: x,
    lambda g, out, x: g,
    numpy=(np.positive,),
    elementwise=True,
    formula="x",
    gradient="g",
)
