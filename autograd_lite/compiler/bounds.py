"""Between which numbers the elements of an expression lie, whatever the arguments are."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np

from autograd_lite.expressions.expr import CONSTANT, Expr, is_number

__all__ = ["bounds", "is_finite"]

Interval = tuple[float, float]
ANY: Interval = (-inf, inf)


def _clean(low: float, high: float) -> Interval:
    return ANY if np.isnan(low) or np.isnan(high) else (low, high)


def _add(x: Interval, y: Interval) -> Interval:
    return _clean(x[0] + y[0], x[1] + y[1])


def _multiply(x: Interval, y: Interval) -> Interval:
    ends = [a * b for a in x for b in y]
    return ANY if any(np.isnan(end) for end in ends) else (min(ends), max(ends))


def _divide(x: Interval, y: Interval) -> Interval:
    if y[0] <= 0 <= y[1]:
        return ANY
    return _multiply(x, (1 / y[1], 1 / y[0]))


def _exp(x: Interval) -> Interval:
    with np.errstate(over="ignore"):
        return float(np.exp(x[0])), float(np.exp(x[1]))


def _hull(*intervals: Interval) -> Interval:
    return min(x[0] for x in intervals), max(x[1] for x in intervals)


def _absolute(x: Interval) -> Interval:
    return max(x[0], -x[1], 0.0), max(-x[0], x[1])


def _signed(size: Interval, sign: Interval) -> Interval:
    if sign[1] < 0:
        return -size[1], -size[0]
    return size if sign[0] > 0 else (-size[1], size[1])


def _log1p(x: Interval) -> Interval:
    return (float(np.log1p(x[0])), float(np.log1p(x[1]))) if x[0] > -1 else ANY


def _square(x: Interval) -> Interval:
    low, high = _absolute(x)
    return low * low, high * high


_BOUNDS: dict[str, Callable[..., Interval]] = {
    "np.add": _add,
    "np.subtract": lambda x, y: _add(x, (-y[1], -y[0])),
    "np.multiply": _multiply,
    "np.divide": _divide,
    "np.negative": lambda x: (-x[1], -x[0]),
    "np.absolute": _absolute,
    "np.copysign": lambda x, y: _signed(_absolute(x), y),
    "np.exp": _exp,
    "np.log1p": _log1p,
    "np.square": _square,
    "np.sqrt": lambda x: (max(x[0], 0.0) ** 0.5, max(x[1], 0.0) ** 0.5),
    "np.tanh": lambda x: (-1.0, 1.0),
    "np.sin": lambda x: (-1.0, 1.0),
    "np.cos": lambda x: (-1.0, 1.0),
    "np.sign": lambda x: (-1.0, 1.0),
    "sigmoid": lambda x: (0.0, 1.0),
    "softplus": lambda x: (0.0, inf),
    "np.maximum": lambda x, y: (max(x[0], y[0]), max(x[1], y[1])),
    "np.minimum": lambda x, y: (min(x[0], y[0]), min(x[1], y[1])),
    "np.where": lambda condition, x, y: _hull(x, y),
    ".T": lambda x: x,
    "np.expand_dims": lambda x, axis: x,
    "np.broadcast_to": lambda x, shape: x,
    "np.reshape": lambda x, *_: x,
    "[]": lambda x, key: x,
}


def bounds(x: Any) -> Interval:
    """The least interval known to hold every element; NaN is not considered.

    Example:
        >>> from autograd_lite.expressions.expr import Builder
        >>> import numpy as np
        >>> b = Builder()
        >>> x = b.argument(np.ones(2), "x")
        >>> bounds(b.call("np.exp", b.call("np.negative", b.call("np.absolute", x))))
        (0.0, 1.0)
    """
    if not isinstance(x, Expr):
        return (x, x) if is_number(x) else ANY
    stack = [x]
    while x.interval is None:
        expr = stack[-1]
        unknown = [y for y in expr.inputs if y.interval is None]
        stack += unknown
        if not unknown:
            expr.interval = _bound(expr)
            stack.pop()
    return x.interval


def _bound(expr: Expr) -> Interval:
    if expr.fn == CONSTANT and expr.value.size and expr.dtype.kind in "biuf":
        if np.isfinite(expr.value).all():
            return float(expr.value.min()), float(expr.value.max())
        return ANY
    if expr.dtype is not None and expr.dtype.kind == "b":
        return 0.0, 1.0
    rule = _BOUNDS.get(expr.fn)
    # Whole numbers wrap around.
    if rule is None or expr.keywords or expr.dtype.kind != "f":
        return ANY
    low, high = rule(*map(bounds, expr.args))
    greatest = np.finfo(expr.dtype).max
    return low if low >= -greatest else -inf, high if high <= greatest else inf


def is_finite(x: Any) -> bool:
    """Whether no argument, however large, makes an element infinite."""
    low, high = bounds(x)
    return -inf < low and high < inf
