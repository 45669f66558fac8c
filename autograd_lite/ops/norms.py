"""Norms of vectors and matrices."""

import math

import numpy as np

from autograd_lite.op import operation
from autograd_lite.ops.arithmetic import scaled
from autograd_lite.ops.composition import composed, lifted
from autograd_lite.ops.factorisations import svdvals
from autograd_lite.ops.reductions import spread


def _norm(x, ord=2, axis=None, keepdims=False):
    if ord == 2:
        return np.sqrt(np.add.reduce(x * x, axis=axis, keepdims=keepdims))
    with np.errstate(divide="ignore"):
        powers = np.add.reduce(np.abs(x) ** ord, axis=axis, keepdims=keepdims)
        return powers ** (1 / ord)


def _norm_rule(g, out, x, ord=2, axis=None, keepdims=False):
    g, out = spread(g, x.shape, axis, keepdims), spread(out, x.shape, axis, keepdims)
    if ord == 1:
        return g * np.sign(x)
    if ord == 2:
        return g * scaled(x, 1 / out)
    # Powers of a quotient, which is at most 1, neither overflow nor vanish.
    return g * scaled(np.sign(x), scaled(np.abs(x), 1 / out) ** (ord - 1))


norm = operation(
    "norm",
    _norm,
    _norm_rule,
    symbol="‖·‖",
    formula="(Σ |x|ᵖ)^(1/p)",
    gradient="g sign x (|x| / ‖x‖)ᵖ⁻¹",
    notes="The gradient at 0 is 0.",
)


@composed(np.linalg.norm)
def _norm_of(x, ord=None, axis=None, keepdims=False):
    """The norm of vectors or matrices."""
    x = _floating(x)
    if axis is None and (ord is None or (ord, x.ndim) in ((2, 1), ("fro", 2))):
        return norm(x, keepdims=keepdims)
    axes = _several(range(x.ndim) if axis is None else axis)
    if len(axes) == 1:
        return _of_vectors(x, 2 if ord is None else ord, axes[0], keepdims)
    if len(axes) == 2:
        return _of_matrices(x, "fro" if ord is None else ord, axes, keepdims)
    raise ValueError(f"norm: ord={ord!r} is for vectors and matrices, not for {len(axes)} axes")


@composed(np.linalg.vector_norm)
def _vector_norm(x, /, *, axis=None, keepdims=False, ord=2):
    """The norm of vectors."""
    x = _floating(x)
    return _of_vectors(x, ord, None if axis is None else _several(axis), keepdims)


@composed(np.linalg.matrix_norm)
def _matrix_norm(x, /, *, keepdims=False, ord="fro"):
    """The norm of matrices."""
    return _of_matrices(_floating(x), ord, (-2, -1), keepdims)


def _floating(x):
    x = lifted(x)
    return x if x.dtype.kind == "f" else np.astype(x, np.float64)


def _several(axis):
    return tuple(int(k) for k in np.atleast_1d(axis))


def _of_vectors(x, ord, axis, keepdims):
    if isinstance(ord, str):
        raise ValueError(f"norm: ord={ord!r} is for matrices")
    if ord == math.inf:
        return np.max(np.abs(x), axis=axis, keepdims=keepdims)
    if ord == -math.inf:
        return np.min(np.abs(x), axis=axis, keepdims=keepdims)
    if ord == 0:
        return np.sum(np.astype(np.not_equal(x, 0), x.dtype), axis=axis, keepdims=keepdims)
    return norm(x, ord=float(ord) if ord != 2 else 2, axis=axis, keepdims=keepdims)


def _of_matrices(x, ord, axes, keepdims):
    rows, columns = (k % x.ndim for k in axes)
    if ord == "fro":
        return norm(x, axis=(rows, columns), keepdims=keepdims)
    if ord in ("nuc", 2, -2):
        s = svdvals(np.moveaxis(x, (rows, columns), (-2, -1)))
        result = np.sum(s, axis=-1) if ord == "nuc" else _extreme(ord)(s, axis=-1)
        return np.expand_dims(result, (rows, columns)) if keepdims else result
    if ord in (1, -1, math.inf, -math.inf):
        summed, kept = (rows, columns) if abs(ord) == 1 else (columns, rows)
        sums = np.sum(np.abs(x), axis=summed, keepdims=True)
        result = _extreme(ord)(sums, axis=kept, keepdims=True)
        return result if keepdims else np.squeeze(result, axis=(rows, columns))
    raise ValueError(f"norm: ord={ord!r} is no norm of matrices")


def _extreme(ord):
    return np.max if ord > 0 else np.min
