"""Sums, means and extremes over axes."""

import math

import numpy as np

from autograd_lite.op import operation


def axes_of(axis, ndim):
    """The axes that a reduction goes over, as a tuple of non-negative numbers."""
    if axis is None:
        return tuple(range(ndim))
    return tuple(a % ndim for a in (axis if isinstance(axis, tuple) else (axis,)))


def spread(g, x, axis, keepdims):
    """What belongs to a reduced array, with the axes of the array that was reduced."""
    if not keepdims and axis is not None and np.ndim(g):
        g = np.expand_dims(g, axes_of(axis, x.ndim))
    return np.broadcast_to(g, x.shape)


sum_ = operation(
    "sum",
    lambda a, axis=None, keepdims=False: np.add.reduce(a, axis=axis, keepdims=keepdims),
    lambda g, out, a, axis=None, keepdims=False: spread(g, a, axis, keepdims),
    numpy=(np.sum,),
    symbol="Σ",
    formula="Σ a",
    gradient="g, broadcast to the shape of a",
)


def _count(a, axis):
    return math.prod(a.shape[k] for k in axes_of(axis, a.ndim))


mean = operation(
    "mean",
    lambda a, axis=None, keepdims=False: np.mean(a, axis=axis, keepdims=keepdims),
    lambda g, out, a, axis=None, keepdims=False: spread(
        g / float(_count(a, axis)), a, axis, keepdims
    ),
    numpy=(np.mean,),
    symbol="mean",
    formula="Σ a / n",
    gradient="g / n, broadcast to the shape of a",
)


def _extreme(g, out, a, axis=None, keepdims=False):
    ties = np.equal(a, spread(out, a, axis, keepdims))
    count = np.sum(ties, axis=axis, keepdims=True)
    return spread(g, a, axis, keepdims) * (ties / np.maximum(count, 1))


for _name, _functions in {"max": (np.max, np.amax), "min": (np.min, np.amin)}.items():
    operation(
        _name,
        (
            lambda function: lambda a, axis=None, keepdims=False: function(
                a, axis=axis, keepdims=keepdims
            )
        )(_functions[0]),
        _extreme,
        numpy=_functions,
        symbol=_name,
        formula=f"{_name} a",
        gradient="g, shared equally among the elements that reach the extreme",
    )


def _logsumexp(a, axis=None, keepdims=False):
    peak = np.max(a, axis=axis, keepdims=True)
    peak = np.where(np.isfinite(peak), peak, 0)
    with np.errstate(divide="ignore"):
        total = np.log(np.sum(np.exp(a - peak), axis=axis, keepdims=True)) + peak
    return total if keepdims else np.squeeze(total, axis=axis)[()]


logsumexp = operation(
    "logsumexp",
    _logsumexp,
    lambda g, out, a, axis=None, keepdims=False: (
        spread(g, a, axis, keepdims) * np.exp(a - spread(out, a, axis, keepdims))
    ),
    symbol="log Σ exp",
    formula="log Σ exp a",
    gradient="g softmax(a)",
)
