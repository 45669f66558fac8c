"""Sums, products, means and extremes over axes, and cumulative ones."""

import math
from typing import Any

import numpy as np

from autograd_lite.op import Op, operation
from autograd_lite.ops.activations import softmax
from autograd_lite.ops.composition import along, composed, in_place, is_tensor
from autograd_lite.ops.shapes import astype
from autograd_lite.tensor import lifted


def axes_of(axis: Any, ndim: Any) -> Any:
    """The axes of a reduction, as a tuple of non-negative numbers."""
    if axis is None:
        return tuple(range(ndim))
    # NumPy accepts axis 0 of a 0-d array, which has no axes.
    return tuple(a % ndim for a in (axis if isinstance(axis, tuple) else (axis,)) if ndim)


def spread(g: Any, shape: Any, axis: Any, keepdims: Any) -> Any:
    """A gradient of a reduced array, broadcast to the shape before the reduction."""
    if not keepdims and axis is not None and np.ndim(g):
        g = np.expand_dims(g, axes_of(axis, len(shape)))
    return np.broadcast_to(g, shape)


operation(
    "sum",
    lambda a, axis=None, keepdims=False: np.add.reduce(a, axis=axis, keepdims=keepdims),
    lambda g, out, a, axis=None, keepdims=False: spread(g, a.shape, axis, keepdims),
    reads="",
    numpy=(np.sum,),
    symbol="Σ",
    formula="Σ a",
    gradient="g, broadcast to the shape of a",
    rows="sum",
)


def count(shape: Any, axis: Any) -> Any:
    """The number of elements that a reduction combines."""
    return math.prod(shape[k] for k in axes_of(axis, len(shape)))


operation(
    "mean",
    lambda a, axis=None, keepdims=False: np.mean(a, axis=axis, keepdims=keepdims),
    lambda g, out, a, axis=None, keepdims=False: spread(
        g / float(count(a.shape, axis)), a.shape, axis, keepdims
    ),
    reads="",
    numpy=(np.mean,),
    symbol="mean",
    averages=True,
    formula="Σ a / n",
    gradient="g / n, broadcast to the shape of a",
    rows="along",
)


def _extreme(g, out, a, axis=None, keepdims=False):
    attained = np.equal(a, spread(out, a.shape, axis, keepdims))
    among = astype(np.count_nonzero(attained, axis=axis, keepdims=True), a.dtype)
    if not keepdims and axis is not None:
        g = np.reshape(g, among.shape)
    # NaN equals nothing: g / 0 is NaN or infinite, and so is 0 times it.
    return attained * (g / among)


def along_axes(function: Any) -> Any:
    """The forward of a reduction."""
    return lambda a, axis=None, keepdims=False: function(a, axis=axis, keepdims=keepdims)


def ties(extreme: Any) -> Any:
    """Returns where an extreme is attained more than once along the axis."""

    def tied(a, axis=None, keepdims=False):
        reached = np.equal(a, extreme(a, axis=axis, keepdims=True))
        return reached & (np.sum(reached, axis=axis, keepdims=True) > 1)

    return tied


for _name in ("max", "min"):
    operation(
        _name,
        along_axes(getattr(np, _name)),
        _extreme,
        chooses=True,
        rows="along",
        numpy=(getattr(np, _name), getattr(np, "a" + _name)),
        symbol=_name,
        formula=f"{_name} a",
        gradient="g, shared equally among the elements that attain the extreme",
        kinks=ties(getattr(np, _name)),
    )


@composed(np.ptp)
def _ptp(a, axis=None, keepdims=False):
    """The largest element minus the smallest."""
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


def _logsumexp(a, axis=None, keepdims=False):
    peak = np.max(a, axis=axis, keepdims=True)
    peak = np.where(np.isfinite(peak), peak, 0)
    with np.errstate(divide="ignore"):
        total = np.log(np.sum(in_place(np.exp, a - peak), axis=axis, keepdims=True)) + peak
    return total if keepdims else np.squeeze(total, axis=axis)[()]


def _softmax_rule(g, out, a, axis=None, keepdims=False):
    # exp(a − out) loses the digits of a that out has no place for.
    return spread(g, a.shape, axis, keepdims) * softmax(a, axis=axis)


operation(
    "logsumexp",
    _logsumexp,
    _softmax_rule,
    reads="a",
    symbol="log Σ exp",
    formula="log Σ exp a",
    gradient="g softmax(a)",
    rows="along",
)


def _is_exact(total):
    """Whether sums of exponentials have overflowed nowhere, and lost nothing to underflow."""
    return np.all((total >= 1) & (total < np.inf))


def _logsumexp_of_exp(a, e, total, axis=None, keepdims=False):
    return np.log(total) if _is_exact(total) else _logsumexp(a, axis, keepdims)


def _of_exp_rule(g, out, a, e, total, axis=None, keepdims=False):
    if not is_tensor(total) and _is_exact(total):
        return spread(g / total, a.shape, axis, keepdims) * e
    return _softmax_rule(g, out, a, axis, keepdims)


operation(
    "logsumexp_of_exp",
    _logsumexp_of_exp,
    _of_exp_rule,
    None,
    None,
    symbol="log Σ exp",
    formula="log Σ exp a, where e = exp a and its sum are known",
    gradient="g e / Σ e, none, none",
    notes="The stable form of `log(sum(exp(a)))`. Where the sum is below 1 or infinite, it is "
    "computed from a alone.",
    rows="along",
)


def _line(a, axis):
    """The array and the axis of a cumulative operation."""
    return (np.reshape(a, (-1,)), 0) if axis is None or not a.ndim else (a, axis)


def _shifted(a, first, axis):
    """Each element's predecessor along the axis; that of the first element is `first`."""
    edge = np.ones_like if first else np.zeros_like
    start = edge(a[along(axis, a.ndim, slice(0, 1))])
    return np.concatenate([start, a[along(axis, a.ndim, slice(0, -1))]], axis=axis)


def _from_the_end(g, c, axis):
    """t_i = g_i + c_{i+1} t_{i+1}, by the recurrence on the reversed arrays."""
    steps = np.flip(np.roll(c, -1, axis=axis), axis=axis)
    return np.flip(recurrence(np.flip(g, axis=axis), steps, axis=axis), axis=axis)


def _recurrence(a, c, axis=0):
    kind = np.result_type(a, c)
    total, factor = (np.moveaxis(x, axis, 0).astype(kind) for x in (a, c))
    step = 1
    while step < len(total):
        total[step:] = total[step:] + factor[step:] * total[:-step]
        factor[step:] = factor[step:] * factor[:-step]
        step *= 2
    return np.moveaxis(total, 0, axis)


recurrence: Op = operation(
    "recurrence",
    _recurrence,
    lambda g, out, a, c, axis=0: _from_the_end(g, c, axis),
    lambda g, out, a, c, axis=0: _from_the_end(g, c, axis) * _shifted(out, 0, axis),
    reads=("c", "out c"),
    formula="sᵢ = aᵢ + cᵢ sᵢ₋₁ along an axis, s₀ = a₀",
    gradient="tᵢ = gᵢ + cᵢ₊₁ tᵢ₊₁, tᵢ sᵢ₋₁",
    notes="It computes the gradient of a cumulative product, without a division.",
)


def _cumsum_rule(g, out, a, axis=None):
    g, line = _line(g, axis)
    return np.reshape(np.flip(np.cumsum(np.flip(g, axis=line), axis=line), axis=line), a.shape)


operation(
    "cumsum",
    lambda a, axis=None: np.cumsum(a, axis=axis),
    _cumsum_rule,
    reads="",
    numpy=(np.cumsum,),
    formula="a₀ + … + aᵢ",
    gradient="the cumulative sum of g from its end",
    rows="along",
)


def _cumprod_rule(g, out, a, axis=None):
    if not a.size:
        return np.zeros_like(a)
    a_line, line = _line(a, axis)
    return np.reshape(_shifted(out, 1, line) * _from_the_end(g, a_line, line), a.shape)


operation(
    "cumprod",
    lambda a, axis=None: np.cumprod(a, axis=axis),
    _cumprod_rule,
    numpy=(np.cumprod,),
    formula="a₀ ⋯ aᵢ",
    gradient="the products of all other elements, summed over the results; exact also at zeros",
    rows="along",
)


def merged(a: Any, axis: Any) -> Any:
    """The array with the axes of a reduction merged into the last, and the inverse function."""
    axes = axes_of(axis, a.ndim)
    order = tuple(k for k in range(a.ndim) if k not in axes) + axes
    moved = np.transpose(a, order)
    flat = np.reshape(moved, moved.shape[: a.ndim - len(axes)] + (count(a.shape, axis),))
    back = tuple(int(k) for k in np.argsort(order))
    return flat, lambda x: np.transpose(np.reshape(x, moved.shape), back)


def _others(a, axis):
    """For each element the product of all others, without a division."""
    flat, back = merged(a, axis)
    before = _shifted(np.cumprod(flat, axis=-1), 1, -1)
    after = np.flip(_shifted(np.cumprod(np.flip(flat, axis=-1), axis=-1), 1, -1), axis=-1)
    return back(before * after)


operation(
    "prod",
    lambda a, axis=None, keepdims=False: np.prod(a, axis=axis, keepdims=keepdims),
    lambda g, out, a, axis=None, keepdims=False: (
        spread(g, a.shape, axis, keepdims) * _others(a, axis) if a.size else np.zeros_like(a)
    ),
    reads="a",
    numpy=(np.prod,),
    symbol="Π",
    formula="Π a",
    gradient="g times the product of the others; exact also at zeros",
    rows="along",
)


def _cumulative(running, edge):
    def answer(x, axis=None, include_initial=False):
        """The cumulative sum or product."""
        x = lifted(x)
        if axis is None:
            if x.ndim > 1:
                raise ValueError(
                    "cumulative_sum, cumulative_prod: need axis= for more than one axis"
                )
            axis = 0
        result = running(x, axis=axis)
        if not include_initial:
            return result
        shape = list(result.shape)
        shape[axis] = 1
        return np.concatenate([edge(shape, x.dtype), result], axis=axis)

    answer.__doc__ = f"`{running.__name__}`, with the initial value first if include_initial."
    return answer


if hasattr(np, "cumulative_sum"):
    composed(np.cumulative_sum)(_cumulative(np.cumsum, np.zeros))
    composed(np.cumulative_prod)(_cumulative(np.cumprod, np.ones))
