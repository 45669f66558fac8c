"""Differences, integrals, interpolation and convolution of sampled functions."""

import numpy as np

from autograd_lite.op import Op, operation
from autograd_lite.ops.composition import along, composed, normalized
from autograd_lite.ops.shapes import astype
from autograd_lite.tensor import lifted


@composed(np.diff)
def _diff(a, n=1, axis=-1, prepend=np._NoValue, append=np._NoValue):
    """The n-th differences of neighbours."""
    a = lifted(a)
    if n == 0:
        return np.positive(a)
    if n < 0 or not a.ndim:
        raise ValueError("diff: needs n ≥ 0 and an array with at least one axis")
    parts = []
    for part in (prepend, a, append):
        if part is np._NoValue:
            continue
        part = lifted(part)
        if not part.ndim:
            shape = list(a.shape)
            shape[axis] = 1
            part = np.broadcast_to(part, tuple(shape))
        parts.append(part)
    if len(parts) > 1:
        a = np.concatenate(parts, axis=axis)
    for _ in range(n):
        subtracted = np.not_equal if a.dtype == bool else np.subtract
        a = subtracted(
            a[along(axis, a.ndim, slice(1, None))], a[along(axis, a.ndim, slice(None, -1))]
        )
    return a


@composed(np.ediff1d)
def _ediff1d(ary, to_end=None, to_begin=None):
    """The differences of neighbours in the flattened array, with numbers before and after them."""
    steps = np.diff(np.ravel(lifted(ary)))
    parts = [
        part if part is steps else astype(np.ravel(lifted(part)), steps.dtype)
        for part in (to_begin, steps, to_end)
        if part is not None
    ]
    return np.concatenate(parts) if len(parts) > 1 else steps


def _derivative(f, spacing, axis, edge_order):
    """The derivative along one axis: central inside, one-sided at the edges."""
    n = f.shape[axis]
    if n < edge_order + 1:
        raise ValueError(f"gradient: an axis of length {n} is too short; it needs {edge_order + 1}")

    def at(start, stop):
        return f[along(axis, f.ndim, slice(start, stop if stop else None))]

    uneven = np.ndim(spacing) > 0
    if uneven:
        spacing = lifted(spacing)
        if spacing.shape != (n,):
            raise ValueError(f"gradient: {spacing.shape} coordinates for an axis of length {n}")
        spacing = np.reshape(np.diff(spacing), (-1,) + (1,) * (f.ndim - axis - 1))
        h, k = spacing[:-1], spacing[1:]
        first, last = spacing[:1], spacing[-1:]
    else:
        h = k = first = last = spacing
    parts = []
    if edge_order == 1:
        start = (at(1, 2) - at(0, 1)) / first
        end = (at(-1, 0) - at(-2, -1)) / last
    else:
        h1, h2 = (spacing[:1], spacing[1:2]) if uneven else (first, first)
        start = (
            at(0, 1) * (-(2 * h1 + h2) / (h1 * (h1 + h2)))
            + at(1, 2) * ((h1 + h2) / (h1 * h2))
            - at(2, 3) * (h1 / (h2 * (h1 + h2)))
        )
        h1, h2 = (spacing[-2:-1], spacing[-1:]) if uneven else (first, first)
        end = (
            at(-3, -2) * (h2 / (h1 * (h1 + h2)))
            - at(-2, -1) * ((h1 + h2) / (h1 * h2))
            + at(-1, 0) * ((2 * h2 + h1) / (h2 * (h1 + h2)))
        )
    parts.append(start)
    if n > 2:
        if uneven:
            inside = (
                at(0, -2) * (-k / (h * (h + k)))
                + at(1, -1) * ((k - h) / (h * k))
                + at(2, 0) * (h / (k * (h + k)))
            )
        else:
            inside = (at(2, 0) - at(0, -2)) / (2 * h)
        parts.append(inside)
    parts.append(end)
    return np.concatenate(parts, axis=axis)


@composed(np.gradient)
def _gradient(f, *varargs, axis=None, edge_order=1):
    """The derivative of a sampled function along each axis, in central differences."""
    f = lifted(f)
    single = axis is not None and np.ndim(axis) == 0
    axes = range(f.ndim) if axis is None else np.atleast_1d(axis).tolist()
    axes = [normalized(k, f.ndim) for k in axes]
    if len(set(axes)) < len(axes):
        raise ValueError(f"gradient: axis={axis} names an axis twice")
    if len(varargs) not in (0, 1, len(axes)):
        raise TypeError(f"gradient: needs one spacing, or one for each of {len(axes)} axes")
    if edge_order not in (1, 2):
        raise ValueError("gradient: edge_order must be 1 or 2")
    spacings = varargs or (1.0,)
    if len(spacings) == 1:
        spacings = spacings * len(axes)
    parts = tuple(
        _derivative(f, spacing, k, edge_order) for spacing, k in zip(spacings, axes, strict=True)
    )
    return parts[0] if single or len(parts) == 1 else parts


@composed(np.trapezoid)
def _trapezoid(y, x=None, dx=1.0, axis=-1):
    """The integral of a sampled function by the trapezoidal rule."""
    y = lifted(y)
    if x is None:
        step = dx
    else:
        x = lifted(x)
        step = np.diff(x) if x.ndim == 1 else np.diff(x, axis=axis)
        if x.ndim == 1:
            step = np.reshape(step, (-1,) + (1,) * (y.ndim - normalized(axis, y.ndim) - 1))
    before = y[along(axis, y.ndim, slice(None, -1))]
    after = y[along(axis, y.ndim, slice(1, None))]
    return np.sum(step * (before + after) / 2, axis=axis)


@composed(np.interp)
def _interp(x, xp, fp, left=None, right=None):
    """Linear interpolation at x between the points (xp, fp), xp increasing."""
    x, xp, fp = lifted(x), lifted(xp), lifted(fp)
    if xp.ndim != 1 or xp.shape != fp.shape or not xp.size:
        raise ValueError(
            f"interp: xp and fp must be 1-d and of one length, not {xp.shape} and {fp.shape}"
        )
    if xp.size == 1:
        inside = np.broadcast_to(fp, x.shape or (1,))
    else:
        flat = np.ravel(x)
        low = np.clip(np.searchsorted(xp, flat, side="right") - 1, 0, xp.size - 2)
        x0, x1 = (np.take_along_axis(xp, k, axis=0) for k in (low, low + 1))
        f0, f1 = (np.take_along_axis(fp, k, axis=0) for k in (low, low + 1))
        inside = f0 + (f1 - f0) / (x1 - x0) * (flat - x0)
    inside = np.reshape(inside, x.shape)
    inside = np.where(np.less(x, xp[0]), fp[0] if left is None else left, inside)
    return np.where(np.greater(x, xp[-1]), fp[-1] if right is None else right, inside)


convolved: Op = operation(
    "convolve",
    lambda a, v: np.convolve(a, v),
    lambda g, out, a, v: np.correlate(g, v, mode="valid"),
    lambda g, out, a, v: np.correlate(g, a, mode="valid"),
    reads=("v", "a"),
    symbol="∗",
    precedence=60,
    formula="Σⱼ aⱼ vᵢ₋ⱼ",
    gradient="Σᵢ gᵢ vᵢ₋ⱼ, Σᵢ gᵢ aᵢ₋ⱼ",
)


def _middle(full, n, m, mode, before=None):
    """The part of a full convolution of lengths n and m that a mode keeps."""
    longer, shorter = max(n, m), min(n, m)
    if mode == "full":
        return full
    if mode == "same":
        start = (shorter - 1) // 2 if before is None else before
        return full[start : start + longer]
    if mode == "valid":
        return full[shorter - 1 : longer]
    raise ValueError(f"convolve, correlate: mode must be 'full', 'same' or 'valid', not {mode!r}")


@composed(np.convolve)
def _convolve(a, v, mode="full"):
    """The convolution of two sequences, or its middle part."""
    a, v = np.atleast_1d(lifted(a)), np.atleast_1d(lifted(v))
    return _middle(convolved(a, v), a.shape[0], v.shape[0], mode)


@composed(np.correlate)
def _correlate(a, v, mode="valid"):
    """The cross-correlation of two sequences: a convolution with the second reversed."""
    a, v = lifted(a), lifted(v)
    if a.ndim != 1 or v.ndim != 1:
        raise ValueError(f"correlate: needs 1-d arrays, not shapes {a.shape} and {v.shape}")
    n, m = a.shape[0], v.shape[0]
    # If v is longer, NumPy swaps the two and reverses the result.
    return _middle(convolved(a, np.flip(v)), n, m, mode, before=n // 2 if n < m else None)


@composed(np.linspace)
def _linspace(start, stop, num=50, endpoint=True, retstep=False, axis=0):
    """Evenly spaced numbers from start to stop."""
    if num < 0:
        raise ValueError(f"linspace: num must be at least 0, not {num}")
    span, gaps = lifted(stop) - start, num - 1 if endpoint else num
    step = span / float(gaps) if gaps > 0 else span * np.nan
    places = np.reshape(np.arange(num, dtype=step.dtype), (-1,) + (1,) * step.ndim)
    spaced = np.moveaxis(start + places * (step if gaps > 0 else 0 * span)[None], 0, axis)
    return (spaced, step) if retstep else spaced


@composed(np.logspace)
def _logspace(start, stop, num=50, endpoint=True, base=10.0, axis=0):
    """Powers of the base, with evenly spaced exponents."""
    return np.power(base, np.linspace(start, stop, num=num, endpoint=endpoint, axis=axis))


@composed(np.geomspace)
def _geomspace(start, stop, num=50, endpoint=True, axis=0):
    """Numbers from start to stop with a constant ratio; both positive."""
    return np.exp(np.linspace(np.log(start), np.log(stop), num=num, endpoint=endpoint, axis=axis))


def _vander(x, N=None, increasing=False):
    if x.ndim != 1:
        raise ValueError(f"vander: needs a 1-d array, not shape {x.shape}")
    # The products of np.vander, in the same order, but over contiguous rows: three times as fast.
    dtype = x.dtype if x.dtype.kind == "f" else np.promote_types(x.dtype, int)
    powers = np.ones((len(x) if N is None else N, len(x)), dtype)
    for k in range(1, len(powers)):
        np.multiply(powers[k - 1], x, out=powers[k])
    return np.transpose(powers if increasing else powers[::-1])


def _vander_rule(g, out, x, N=None, increasing=False):
    count = out.shape[1]
    if count < 2:
        return np.sum(np.zeros_like(out), axis=1)
    if not increasing:
        g, out = np.flip(g, 1), np.flip(out, 1)
    return np.sum(np.arange(1, count).astype(x.dtype) * g[:, 1:] * out[:, :-1], axis=1)


operation(
    "vander",
    _vander,
    _vander_rule,
    reads="out",
    numpy=(np.vander,),
    formula="xᵏ in column k",
    gradient="Σₖ k xᵏ⁻¹ gₖ",
)


@composed(np.polyval)
def _polyval(p, x):
    """The value of a polynomial, its highest coefficient first, by Horner's rule."""
    p, x = lifted(p), lifted(x)
    value = np.zeros_like(x)
    for k in range(p.shape[0]):
        value = value * x + p[k]
    return value
