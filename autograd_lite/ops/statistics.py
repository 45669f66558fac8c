"""Variances, averages, and reductions that ignore NaN."""

import math

import numpy as np

from autograd_lite.op import OPS, Op, operation
from autograd_lite.ops.arithmetic import least_length
from autograd_lite.ops.composition import composed
from autograd_lite.ops.norms import direction, norm, p_norm
from autograd_lite.ops.reductions import (
    Reduction,
    axes_of,
    count,
    mean_of,
    number,
    spread,
)
from autograd_lite.ops.shapes import astype
from autograd_lite.tensor import lifted


def _centred(a, axis):
    return a - np.mean(a, axis=axis, keepdims=True)


def _freedom(a, axis, ddof):
    """The divisor of a variance; NaN without degrees of freedom."""
    n = float(count(a.shape, axis) - ddof)
    return n if n > 0 else math.nan


def _var_of(a, mask, axis=None, ddof=0, keepdims=False):
    """The variance of the selected elements; NaN where there are too few."""
    centred = np.where(mask, a - mean_of(a, mask, axis, True), 0)
    freedom = number(mask, axis, keepdims, a.dtype) - ddof
    with np.errstate(invalid="ignore", divide="ignore"):
        result = np.sum(np.square(centred), axis=axis, keepdims=keepdims) / freedom
    return np.where(np.greater(freedom, 0), result, np.nan)


def _std_of(a, mask, axis=None, ddof=0, keepdims=False):
    """The standard deviation of the selected elements; NaN where there are too few."""
    if a.size:
        # Minus one of them, equal numbers have a deviation of exactly 0.
        one = np.min(np.where(mask, a, np.inf), axis=axis, keepdims=True)
        a = a - OPS["stop_gradient"](np.where(np.isfinite(one), one, 0))
    centred = np.where(mask, a - mean_of(a, mask, axis, True), 0)
    freedom = number(mask, axis, keepdims, a.dtype) - ddof
    enough = np.greater(freedom, 0)
    length = norm(centred, axis=axis, keepdims=keepdims)
    return np.where(enough, length / np.sqrt(np.where(enough, freedom, 1)), np.nan)


operation(
    "var",
    lambda a, axis=None, ddof=0, keepdims=False: np.var(a, axis=axis, ddof=ddof, keepdims=keepdims),
    lambda g, out, a, axis=None, ddof=0, keepdims=False: (
        spread(g, a.shape, axis, keepdims) * (_centred(a, axis) * (2 / _freedom(a, axis, ddof)))
    ),
    reads="a",
    kind=Reduction,
    masked=_var_of,
    numpy=(np.var,),
    rows="along",
    formula="Σ (a − mean a)² / (n − ddof)",
    gradient="2 g (a − mean a) / (n − ddof)",
)


def _std(a, axis=None, ddof=0, keepdims=False):
    with np.errstate(over="ignore", under="ignore"):
        out = np.std(a, axis=axis, ddof=ddof, keepdims=keepdims)
    n = a.size // max(np.size(out), 1)
    if n <= ddof or a.dtype.kind != "f" or _holds_digits(out, np.max(np.abs(a), initial=0)):
        return out
    axes = axes_of(axis, a.ndim)
    first = a[tuple([slice(0, 1) if k in axes else slice(None) for k in range(a.ndim)])]
    length = p_norm(_centred(a - first, axis), axis=axis, keepdims=keepdims)
    return length / np.sqrt(out.dtype.type(n - ddof))


def _holds_digits(out, peak):
    """Whether neither the differences from the mean nor their squares lost precision."""
    square = np.square(out)
    return np.all((out > 1e-3 * peak) & (square > least_length(out.dtype)) & (square < np.inf))


def _std_rule(g, out, a, axis=None, ddof=0, keepdims=False):
    g, out = spread(g, a.shape, axis, keepdims), spread(out, a.shape, axis, keepdims)
    if count(a.shape, axis) == 1:
        return g * (a - a)
    return g * (direction(_centred(a, axis), out) / _freedom(a, axis, ddof))


std: Op = operation(
    "std",
    _std,
    _std_rule,
    kind=Reduction,
    masked=_std_of,
    numpy=(np.std,),
    rows="along",
    formula="√(Σ (a − mean a)² / (n − ddof))",
    gradient="g (a − mean a) / ((n − ddof) out)",
    notes="Where all elements are equal the gradient is 0, like that of a norm.",
    kinks=lambda a, axis=None, ddof=0, keepdims=False: (
        np.equal(np.ptp(a, axis=axis, keepdims=True), 0) & (count(a.shape, axis) > 1)
    ),
)


@composed(np.average)
def _average(a, axis=None, weights=None, returned=False, *, keepdims=False):
    """The mean, or Σ weights · a / Σ weights; with `returned` also the sum of the weights."""
    a = lifted(a)
    if weights is None:
        result = np.mean(a, axis=axis, keepdims=keepdims)
        total = np.full_like(result, count(a.shape, axis))
    else:
        weights = lifted(weights)
        if weights.shape != a.shape:
            axes = axes_of(axis, a.ndim)
            if axis is None or weights.shape != tuple(a.shape[k] for k in axes):
                raise ValueError(
                    f"average: weights of shape {weights.shape} match neither a of shape {a.shape} "
                    f"nor its axis {axis}"
                )
            order = sorted(range(len(axes)), key=axes.__getitem__)
            weights = np.reshape(
                np.transpose(weights, tuple(order)),
                tuple(n if k in axes else 1 for k, n in enumerate(a.shape)),
            )
            weights = np.broadcast_to(weights, a.shape)
        total = np.sum(weights, axis=axis, keepdims=keepdims)
        result = np.sum(a * weights, axis=axis, keepdims=keepdims) / total
    return (result, total) if returned else result


def _filled(a, value):
    return np.where(np.isnan(a), value, a)


def _of_numbers(function, neutral, description):
    """NumPy's function with a number in place of each NaN."""

    def answer(a, *args, **kwargs):
        return function(_filled(a, neutral), *args, **kwargs)

    answer.__doc__ = f"The {description} of the elements that are numbers."
    return answer


composed(np.nansum)(_of_numbers(np.sum, 0, "sum"))
composed(np.nanprod)(_of_numbers(np.prod, 1, "product"))
composed(np.nancumsum)(_of_numbers(np.cumsum, 0, "running sum"))
composed(np.nancumprod)(_of_numbers(np.cumprod, 1, "running product"))


def _present(a, where):
    """Where an element is a number and selected."""
    present = np.logical_not(np.isnan(a))
    return present if where is True else np.logical_and(present, where)


@composed(np.nanmean)
def _nanmean(a, axis=None, dtype=None, keepdims=False, *, where=True):
    """The mean of the elements that are numbers; NaN where there is none."""
    a = lifted(a)
    return np.mean(a, axis=axis, dtype=dtype, keepdims=keepdims, where=_present(a, where))


def _nan_spread(function, description):
    def answer(
        a, axis=None, dtype=None, ddof=0, keepdims=False, *, where=True, correction=np._NoValue
    ):
        a = lifted(a)
        options = {"dtype": dtype, "ddof": ddof, "correction": correction}
        return function(a, axis=axis, keepdims=keepdims, where=_present(a, where), **options)

    answer.__doc__ = f"The {description} of the elements that are numbers."
    return answer


composed(np.nanvar)(_nan_spread(np.var, "variance"))
composed(np.nanstd)(_nan_spread(np.std, "standard deviation"))


def _nan_extreme(function, least):
    def answer(a, axis=None, keepdims=False, initial=None, where=True):
        a = lifted(a)
        options = {"axis": axis, "keepdims": keepdims}
        filled = _filled(a, least) if a.dtype.kind == "f" else a
        result = function(filled, **options, initial=initial, where=where)
        if initial is not None or filled is a:
            return result
        return np.where(np.all(np.isnan(a), **options), np.nan, result)

    answer.__doc__ = f"The {function.__name__} of the elements that are numbers; NaN for none."
    return answer


composed(np.nanmax)(_nan_extreme(np.max, -np.inf))
composed(np.nanmin)(_nan_extreme(np.min, np.inf))


@composed(np.cov)
def _cov(
    m, y=None, rowvar=True, bias=False, ddof=None, fweights=None, aweights=None, *, dtype=None
):
    """The covariances between the rows, or the columns where rowvar is false."""
    m = _variables(m, rowvar, dtype)
    if y is not None:
        m = np.concatenate([m, _variables(y, rowvar, dtype)], axis=0)
    ddof = ddof if ddof is not None else 0 if bias else 1
    weights = _weights(m, fweights, aweights)
    if weights is None:
        centred, freedom = _centred(m, 1), float(m.shape[1] - ddof)
        return np.squeeze(centred @ centred.T / (freedom if freedom > 0 else math.nan))
    total = np.sum(weights)
    centred = m - np.sum(m * weights, axis=1, keepdims=True) / total
    lost = ddof if aweights is None or not ddof else ddof * np.sum(weights * aweights) / total
    left = np.where(np.greater(total - lost, 0), total - lost, np.nan)
    return np.squeeze((centred * weights) @ centred.T / left)


def _variables(m, rowvar, dtype):
    """A matrix with a variable in each row."""
    m = lifted(m) if dtype is None else astype(m, dtype=dtype)
    return np.atleast_2d(m) if rowvar or m.ndim == 1 else m.T


def _weights(m, fweights, aweights):
    """The weight of each column of m; None if all weigh the same."""
    product, n = None, m.shape[1]
    for name, given in (("fweights", fweights), ("aweights", aweights)):
        if given is None:
            continue
        given = lifted(given)
        if given.shape != (n,):
            raise ValueError(f"cov: {name}= must have shape ({n},), not {given.shape}")
        if not given.always_recorded:  # while tracing, the values are not known
            if name == "fweights" and np.any(given.array != np.round(given.array)):
                raise TypeError("cov: fweights= must be whole numbers")
            if np.any(given.array < 0):
                raise ValueError(f"cov: {name}= must not be negative")
        given = astype(given, m.dtype if m.dtype.kind == "f" else np.float64)
        product = given if product is None else product * given
    return product


@composed(np.corrcoef)
def _corrcoef(x, y=None, rowvar=True):
    """The correlations between the rows, or the columns where rowvar is false."""
    c = np.cov(x, y, rowvar=rowvar)
    if not c.ndim:
        return c / c
    scale = np.sqrt(np.diagonal(c))
    r = c / scale[:, None] / scale[None, :]
    # Rounding may leave [−1, 1]: the value is clipped, but not its derivative.
    return r + OPS["stop_gradient"](np.clip(r, -1, 1) - r)
