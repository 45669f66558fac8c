"""Norms of vectors and matrices."""

import math
from typing import Any

import numpy as np

from autograd_lite.op import Op, operation
from autograd_lite.ops.arithmetic import least_length
from autograd_lite.ops.composition import composed, is_tensor, normalized
from autograd_lite.ops.factorisations import svdvals
from autograd_lite.ops.reductions import spread
from autograd_lite.tensor import lifted


def _direction(x, length):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.equal(length, 0), 0.0, np.divide(x, length))[()]


direction: Op = operation(
    "direction",
    _direction,
    lambda g, out, x, length: g / length,
    lambda g, out, x, length: -g * out / length,
    reads=("length", "out length"),
    symbol="÷",
    precedence=60,
    elementwise=True,
    broadcasts=True,
    formula="x / ‖x‖, 0 at 0",
    gradient="g / ‖x‖, −g x / ‖x‖²",
    notes="It jumps at 0, where its derivative is not finite.",
)


def p_norm(x: Any, ord: Any = 2, axis: Any = None, keepdims: Any = False) -> Any:
    """The norm, without overflow or underflow of the powers."""
    size = np.abs(x)
    with np.errstate(all="ignore"):
        powers = np.add.reduce(x * x if ord == 2 else size**ord, axis=axis, keepdims=keepdims)
        if ord <= 0 or _holds_digits(powers):
            return _root(powers, ord)
        peak = np.max(size, axis=axis, keepdims=True, initial=0)
        peak = np.where(np.logical_and(peak > 0, peak < np.inf), peak, 1)
        powers = np.add.reduce((size / peak) ** ord, axis=axis, keepdims=keepdims)
        return _root(powers, ord) * np.reshape(peak, powers.shape)[()]


def _holds_digits(powers):
    """Whether sums of powers neither overflowed nor lost precision by underflow."""
    least = least_length(powers.dtype)
    return np.all(np.logical_and(powers > least, powers < np.inf))


def _root(x, ord):
    return np.sqrt(x) if ord == 2 else x ** (1 / ord)


def _norm_rule(g, out, x, ord=2, axis=None, keepdims=False):
    g = spread(g, x.shape, axis, keepdims)
    if ord == 1:
        return g * np.sign(x)
    share = _share(out, x, ord, axis, keepdims)
    if ord == 2:
        return g * share
    # Powers of the quotient, which is at most 1, do not overflow.
    return g * (np.sign(x) * np.abs(share) ** (ord - 1))


def _scale_of_small(out):
    """A factor for lengths that are too small for full precision, or None if none is."""
    small = False if is_tensor(out) else np.less(out, least_length(out.dtype))
    if not np.any(small):
        return None
    return np.where(small, 1 / np.finfo(out.dtype).tiny, 1).astype(out.dtype)


def _share(out, x, ord, axis, keepdims):
    """x / ‖x‖; both are scaled up if the norm is too small for full precision."""
    scale = _scale_of_small(out)
    if scale is not None:
        x = x * spread(scale, x.shape, axis, keepdims)
        out = p_norm(x, ord, axis, keepdims)
    return direction(x, spread(out, x.shape, axis, keepdims))


norm: Op = operation(
    "norm",
    p_norm,
    _norm_rule,
    symbol="‖·‖",
    rows="along",
    formula="(Σ |x|ᵖ)^(1/p)",
    gradient="g sign x (|x| / ‖x‖)ᵖ⁻¹",
    notes="The gradient at 0 is 0; the second derivatives at 0 are not finite.",
    kinks=lambda x, ord=2, axis=None, keepdims=False: (
        np.equal(x, 0) & (ord <= 1 or np.all(np.equal(x, 0), axis=axis, keepdims=True))
    ),
)


def _share_of_hypot(x, out, a, b):
    """x / out; both are scaled up if `out` is too small for full precision."""
    scale = _scale_of_small(out)
    return direction(x, out) if scale is None else direction(x * scale, hypot(a * scale, b * scale))


hypot: Op = operation(
    "hypot",
    np.hypot,
    lambda g, out, a, b: g * _share_of_hypot(a, out, a, b),
    lambda g, out, a, b: g * _share_of_hypot(b, out, a, b),
    formula="√(a² + b²)",
    gradient="g a / √(a² + b²), g b / √(a² + b²)",
    notes="The gradient at the origin is 0, like that of a norm.",
    kinks=lambda a, b: np.equal(a, 0) & np.equal(b, 0),
)


@composed(np.linalg.norm)
def _norm_of(x, ord=None, axis=None, keepdims=False):
    """The norm of vectors or matrices."""
    x = _floating(x)
    if axis is None and (ord is None or (ord, x.ndim) in ((2, 1), ("fro", 2))):
        return norm(x, keepdims=keepdims)
    axes = tuple(normalized(k, x.ndim) for k in _several(range(x.ndim) if axis is None else axis))
    if len(axes) == 1:
        return _of_vectors(x, 2 if ord is None else ord, axes[0], keepdims)
    if len(axes) == 2:
        return _of_matrices(x, "fro" if ord is None else ord, axes, keepdims)
    raise ValueError(f"norm: ord={ord!r} needs one or two axes, not {len(axes)}")


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
        raise ValueError(f"norm: ord={ord!r} is only for matrices")
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
    raise ValueError(f"norm: ord={ord!r} is not a norm of matrices")


def _extreme(ord):
    return np.max if ord > 0 else np.min
