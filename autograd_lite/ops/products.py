"""Matrix products."""

import numpy as np

from autograd_lite.op import operation
from autograd_lite.ops.shapes import sum_to


def _transposed(x):
    return x.T if x.ndim == 2 else np.swapaxes(x, -1, -2)


def _left(g, out, a, b):
    if b.ndim == 1:
        return g * b if a.ndim == 1 else np.expand_dims(g, -1) * b
    if a.ndim == 1:
        part = np.matmul(b, np.expand_dims(g, -1))[..., 0]
    else:
        part = g @ _transposed(b)
    return part if part.shape == a.shape else sum_to(part, shape=a.shape)


def _right(g, out, a, b):
    if a.ndim == 1:
        if b.ndim == 1:
            return g * a
        part = np.expand_dims(a, -1) * np.expand_dims(g, -2)
    elif b.ndim == 1:
        part = a.T @ g if a.ndim == 2 else np.matmul(_transposed(a), np.expand_dims(g, -1))[..., 0]
    else:
        part = _transposed(a) @ g
    return part if part.shape == b.shape else sum_to(part, shape=b.shape)


matmul = operation(
    "matmul",
    np.matmul,
    _left,
    _right,
    symbol="@",
    precedence=60,
    elementwise=False,
    broadcasts=False,
    formula="a b",
    gradient="g bᵀ, aᵀ g",
)
