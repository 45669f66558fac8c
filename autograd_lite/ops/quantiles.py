"""Medians and quantiles."""

from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_tuple

from autograd_lite.op import Op, operation
from autograd_lite.ops.composition import composed
from autograd_lite.ops.picking import added_along
from autograd_lite.ops.reductions import axes_of, merged
from autograd_lite.ops.shapes import astype
from autograd_lite.tensor import lifted

# The virtual index of a quantile between the sorted elements, after Hyndman and Fan (1996).

_PLOTTING = {
    "interpolated_inverted_cdf": (0, 1),
    "hazen": (0.5, 0.5),
    "weibull": (0, 0),
    "median_unbiased": (1 / 3, 1 / 3),
    "normal_unbiased": (3 / 8, 3 / 8),
}
_STEPS = {"lower": np.floor, "higher": np.ceil, "nearest": np.rint}
METHODS = ("linear", *_PLOTTING, *_STEPS, "midpoint")


def _index(n, q, method):
    """The virtual index of the q-quantile of n elements, and its derivative by q."""
    if method not in _PLOTTING:
        return (n - 1) * q, n - 1
    alpha, beta = _PLOTTING[method]
    return n * q + (alpha + q * (1 - alpha - beta)) - 1, n + 1 - alpha - beta


def shares(n: Any, q: Any, method: Any) -> Any:
    """The indices of the elements that a quantile is made of, and their shares of it."""
    index = _index(n, q, method)[0]
    if method in _PLOTTING:
        index = np.minimum(np.maximum(index, 0), n - 1)
    if method in _STEPS:
        return [(_STEPS[method](index), 1)]
    low, high = np.floor(index), np.ceil(index)
    part = (high - low) / 2 if method == "midpoint" else index - low
    return [(low, 1 - part), (high, part)]


def _lines(a, q, axis, method, skip_nan):
    """The array with the axes merged into the last, the inverse, how many are numbers, and q."""
    flat, back = merged(a, axis)
    n = flat.shape[-1]
    if skip_nan:
        n = np.maximum(np.count_nonzero(flat == flat, axis=-1, keepdims=True), 1)
    q = np.reshape(astype(q, np.float64), (1,) * (flat.ndim - 1) + (-1,))
    return flat, back, n, q


def _each_last(g, q, axis, a):
    """A gradient with an axis for the quantiles at its end, in place of those at its start."""
    rest = tuple(n for k, n in enumerate(a.shape) if k not in axes_of(axis, a.ndim))
    return np.moveaxis(np.reshape(g, (np.size(q), *rest)), 0, -1)


def _by_a(skip_nan):
    def rule(g, out, a, q, axis=None, method="linear", keepdims=False):
        g = _each_last(g, q, axis, a)
        flat, back, n, q = _lines(a, q, axis, method, skip_nan)
        if not flat.size:
            return np.zeros_like(a)
        places = np.argsort(flat, axis=-1)
        total: Any = 0
        for index, share in shares(n, q, method):
            index = np.broadcast_to(astype(index, np.intp), (*flat.shape[:-1], q.size))
            chosen = np.take_along_axis(places, index, axis=-1)
            share = astype(g * share, a.dtype)
            total = total + added_along(share, chosen, axis=-1, shape=flat.shape)
        if not skip_nan:
            total = np.where(np.any(np.isnan(flat), axis=-1, keepdims=True), 0, total)
        return back(total)

    return rule


def _by_q(skip_nan):
    def rule(g, out, a, q, axis=None, method="linear", keepdims=False):
        shape, g = np.shape(q), _each_last(g, q, axis, a)
        if method in _STEPS or method == "midpoint":
            return np.zeros(shape)
        flat, _, n, q = _lines(a, q, axis, method, skip_nan)
        line = np.take_along_axis(flat, np.argsort(flat, axis=-1), axis=-1)

        def element(index):
            index = np.broadcast_to(np.clip(index, 0, n - 1), (*flat.shape[:-1], q.size))
            return np.take_along_axis(line, astype(index, np.intp), axis=-1)

        index, rate = _index(n, q, method)
        before, after = np.floor(index), np.ceil(index)
        right = element(before + 1) - element(before)
        left = element(after) - element(after - 1)
        # At an element the slopes differ: their mean, and at the ends of [0, 1] the only one.
        left, right = np.where(q <= 0, right, left), np.where(q >= 1, left, right)
        missing = (np.all if skip_nan else np.any)(np.isnan(flat), axis=-1, keepdims=True)
        slope = np.where(missing, 0, (left + right) / 2 * rate)
        return np.reshape(np.sum(g * slope, axis=tuple(range(g.ndim - 1))), shape)

    return rule


def _tied(skip_nan):
    """Returns which elements equal another one and one that the quantile is made of."""

    def tied(a, q, axis=None, method="linear", keepdims=False):
        flat, back, n, q = _lines(a, q, axis, method, skip_nan)
        line, found = np.sort(flat, axis=-1), np.zeros(flat.shape, bool)
        for index, _ in shares(n, q, method) if flat.size else ():
            index = np.broadcast_to(index, (*flat.shape[:-1], q.size)).astype(np.intp)
            value = np.take_along_axis(line, index, axis=-1)
            equal = flat[..., None, :] == value[..., None]
            several = np.sum(equal, axis=-1, keepdims=True) > 1
            found |= np.any(equal & several, axis=-2)
        return back(found)

    return tied


def _alone(rule):
    """The rule of a median, which is the 0.5-quantile."""
    return lambda g, out, a, axis=None, keepdims=False: rule(
        g, out, a, np.float64(0.5), axis, "linear", keepdims
    )


def _tied_in_the_middle(skip_nan):
    tied = _tied(skip_nan)
    return lambda a, axis=None, keepdims=False: tied(a, np.float64(0.5), axis)


median: Op = operation(
    "median",
    lambda a, axis=None, keepdims=False: np.median(a, axis=axis, keepdims=keepdims),
    _alone(_by_a(False)),
    reads="a",
    chooses=True,
    rows="along",
    symbol="median",
    formula="the middle element, or the mean of the two in the middle",
    gradient="g for the middle element, or half of g for each of the two",
    kinks=_tied_in_the_middle(False),
)

nanmedian: Op = operation(
    "nanmedian",
    lambda a, axis=None, keepdims=False: np.nanmedian(a, axis=axis, keepdims=keepdims),
    _alone(_by_a(True)),
    reads="a",
    chooses=True,
    rows="along",
    formula="the median of the elements that are numbers",
    gradient="g for the middle element, or half of g for each of the two",
    kinks=_tied_in_the_middle(True),
)

quantile: Op = operation(
    "quantile",
    lambda a, q, axis=None, method="linear", keepdims=False: np.quantile(
        a, q, axis=axis, method=method, keepdims=keepdims
    ),
    _by_a(False),
    _by_q(False),
    reads="a q",
    chooses=True,
    formula="the q-quantile of a",
    gradient="g shared between the elements below and above, g n (above − below) with n as in q n",
    notes="Where q is exactly at an element, the mean of the slopes on both sides.",
    kinks=_tied(False),
)

nanquantile: Op = operation(
    "nanquantile",
    lambda a, q, axis=None, method="linear", keepdims=False: np.nanquantile(
        a, q, axis=axis, method=method, keepdims=keepdims
    ),
    _by_a(True),
    _by_q(True),
    reads="a q",
    chooses=True,
    formula="the q-quantile of the elements of a that are numbers",
    gradient="as for `quantile`",
    kinks=_tied(True),
)


def _axes(axis, a):
    return None if axis is None else normalize_axis_tuple(axis, a.ndim)


def _of_levels(op, percent):
    def answer(a, q, axis=None, method="linear", keepdims=False):
        if method not in METHODS:
            raise TypeError(
                f"{op.name}: method={method!r} is not supported on Tensors; use one of "
                f"{', '.join(METHODS)}"
            )
        a = lifted(a)
        if percent:
            q = q / 100 if isinstance(q, (int, float)) else np.true_divide(q, 100)
        levels = lifted(q)
        if op is nanquantile and levels.ndim > 1:
            # Over several axes NumPy 2.4 returns the levels and the other axes in a wrong order.
            found = answer(a, levels.reshape(-1), axis, method, keepdims)
            return np.reshape(found, levels.shape + found.shape[1:])
        return op(a, q, axis=_axes(axis, a), method=method, keepdims=keepdims)

    level = "q-th percentile" if percent else "q-quantile"
    answer.__doc__ = f"The {level} along the axes; see the operation {op.name}."
    return answer


def _of_half(op):
    def answer(a, axis=None, keepdims=False):
        a = lifted(a)
        return op(a, axis=_axes(axis, a), keepdims=keepdims)

    answer.__doc__ = f"The {op.name} of the elements along the axes."
    return answer


composed(np.median)(_of_half(median))
composed(np.nanmedian)(_of_half(nanmedian))
composed(np.quantile)(_of_levels(quantile, percent=False))
composed(np.nanquantile)(_of_levels(nanquantile, percent=False))
composed(np.percentile)(_of_levels(quantile, percent=True))
composed(np.nanpercentile)(_of_levels(nanquantile, percent=True))


def _of_sorted(a, q, axis, method, keepdims, skip_nan):
    """A quantile from the sorted elements."""
    a = a if a.dtype.kind == "f" else a.astype(np.float64)
    kind = a.dtype.type
    flat, _ = merged(a, axis)
    missing = np.isnan(flat)
    n = np.sum(~missing, axis=-1, keepdims=True) if skip_nan else flat.shape[-1]
    numbers = np.where(missing, kind(np.inf), flat)
    places = np.argsort(numbers, axis=-1)
    shape = np.shape(q)
    q = q if isinstance(q, (int, float)) else np.reshape(q.astype(np.float64), (-1,))
    found = []
    for index, share in shares(np.maximum(n, 1) if skip_nan else n, q, method):
        index = np.broadcast_to(index, (*flat.shape[:-1], np.size(q))).astype(np.int64)
        chosen = np.take_along_axis(places, index, axis=-1)
        found.append((np.take_along_axis(numbers, chosen, axis=-1), share))
    result = found[0][0]
    if len(found) > 1:
        high, part = found[1]
        apart = np.where(high == result, kind(0), high - result)
        part = part.astype(a.dtype) if hasattr(part, "astype") else kind(part)
        result = result + apart * part
    nothing = (np.all if skip_nan else np.any)(missing, axis=-1, keepdims=True)
    result = np.where(nothing, kind(np.nan), result)
    result = np.transpose(result, (result.ndim - 1, *range(result.ndim - 1)))
    axes = axes_of(axis, a.ndim)
    rest = [1 if k in axes else m for k, m in enumerate(a.shape) if keepdims or k not in axes]
    return np.reshape(result, (*shape, *rest))


FORMS: Any = {
    "np.median": lambda a, axis=None, keepdims=False: _of_sorted(
        a, 0.5, axis, "linear", keepdims, skip_nan=False
    ),
    "np.nanmedian": lambda a, axis=None, keepdims=False: _of_sorted(
        a, 0.5, axis, "linear", keepdims, skip_nan=True
    ),
    "np.quantile": lambda a, q, axis=None, method="linear", keepdims=False: _of_sorted(
        a, q, axis, method, keepdims, skip_nan=False
    ),
    "np.nanquantile": lambda a, q, axis=None, method="linear", keepdims=False: _of_sorted(
        a, q, axis, method, keepdims, skip_nan=True
    ),
}
"""What computes the same from sorted elements, for libraries whose functions are others."""
