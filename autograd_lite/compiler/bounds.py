"""What is known about values before they are computed: bounds, finiteness, silence."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from math import inf, isfinite, isnan
from typing import Any

import numpy as np

from autograd_lite.expressions.expr import (
    ARGUMENT,
    CONSTANT,
    LOOP,
    PARAMETER,
    Builder,
    Expr,
    in_order,
    inputs_of,
    is_number,
)

__all__ = ["bounds", "is_finite", "is_silent"]

Interval = tuple[float, float]
"""The least and the greatest value."""

ANY: Interval = (-inf, inf)


def _clean(low: float, high: float) -> Interval:
    return ANY if isnan(low) or isnan(high) else (low, high)


def _add(x: Interval, y: Interval) -> Interval:
    return _clean(x[0] + y[0], x[1] + y[1])


def _multiply(x: Interval, y: Interval) -> Interval:
    ends = [a * b for a in x for b in y]
    return ANY if any(map(isnan, ends)) else (min(ends), max(ends))


def _divide(x: Interval, y: Interval) -> Interval:
    if y[0] <= 0 <= y[1]:
        return ANY
    return _multiply(x, (1 / y[1], 1 / y[0]))


def _increasing(function: Any) -> Callable[[Interval], Interval]:
    def rule(x: Interval) -> Interval:
        with np.errstate(all="ignore"):
            return _clean(float(function(x[0])), float(function(x[1])))

    return rule


def _absolute(x: Interval) -> Interval:
    return max(x[0], -x[1], 0.0), max(-x[0], x[1])


def _signed(size: Interval, sign: Interval) -> Interval:
    if sign[1] < 0:
        return -size[1], -size[0]
    return size if sign[0] > 0 else (-size[1], size[1])


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
    "np.exp": _increasing(np.exp),
    "np.log1p": _increasing(np.log1p),
    "np.square": _square,
    "np.sqrt": lambda x: (max(x[0], 0.0) ** 0.5, max(x[1], 0.0) ** 0.5),
    **dict.fromkeys(("np.tanh", "np.sin", "np.cos", "np.sign"), lambda x: (-1.0, 1.0)),
    "sigmoid": lambda x: (0.0, 1.0),
    "softplus": lambda x: (0.0, inf),
    "np.maximum": lambda x, y: (max(x[0], y[0]), max(x[1], y[1])),
    "np.minimum": lambda x, y: (min(x[0], y[0]), min(x[1], y[1])),
    "np.where": lambda condition, x, y: (min(x[0], y[0]), max(x[1], y[1])),
    **dict.fromkeys(
        (".T", "[]", "np.expand_dims", "np.broadcast_to", "np.reshape"), lambda x, *_: x
    ),
}


def bounds(x: Any) -> Interval:
    """The smallest interval known to contain every element that is not NaN, for all arguments.

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
    # Integers wrap around.
    if rule is None or expr.keywords or expr.dtype is None or expr.dtype.kind != "f":
        return ANY
    low, high = rule(*map(bounds, expr.args))
    greatest = np.finfo(expr.dtype).max
    return low if low >= -greatest else -inf, high if high <= greatest else inf


FINITE = {
    *(".T", ".astype", ".dot", "[]", "sigmoid", "softplus"),
    *("add_at", "add_each_at", "add_along_axis", "take_along_axis"),
    *(f"np.{name}" for name in ("add", "subtract", "multiply", "negative", "matmul", "add.reduce")),
    *(f"np.{name}" for name in ("where", "maximum", "minimum", "absolute", "square")),
    *(f"np.{name}" for name in ("sign", "copysign", "tanh", "sin", "cos", "arctan", "arcsinh")),
    *(f"np.{name}" for name in ("reshape", "expand_dims", "squeeze", "broadcast_to", "swapaxes")),
    *(f"np.{name}" for name in ("transpose", "concatenate", "stack", "equal", "not_equal", "less")),
    *(f"np.{name}" for name in ("less_equal", "greater", "greater_equal", "isfinite")),
    *(f"np.{name}" for name in ("logical_and", "logical_or", "logical_not")),
}
"""Calls that give finite results without a warning for finite operands, but for overflow."""


def is_finite(b: Builder, x: Any, ordinary: bool) -> bool:
    """Whether an expression has no NaN or infinity, but for overflow.

    Args:
        b: its builder.
        x: the expression, or a number.
        ordinary: whether the arguments of the program are finite. Otherwise they may be anything.
    """
    if not isinstance(x, Expr):
        return not is_number(x) or isfinite(x)
    known = b.finite[ordinary]
    for expr in in_order([x], known):
        if expr.fn == LOOP and ordinary:
            known |= _finite_in_loop(b, expr)
        known[expr] = _stays_finite(b, expr, ordinary, known)
    return known[x]


def _stays_finite(b: Builder, expr: Expr, ordinary: bool, known: dict[Expr, bool]) -> bool:
    if expr.fn == "[]" and expr.args[0].fn == LOOP:
        body = expr.args[0].args[0]
        return known.get((*body.lasts, *body.kept)[expr.args[1]], False)
    return _gives_finite(b, expr, ordinary) and all(known.get(y, False) for y in expr.inputs)


def _finite_in_loop(b: Builder, loop: Expr) -> dict[Expr, bool]:
    """What is finite in the body of a loop: what is carried, if it is in the first step and if a
    step keeps it finite."""
    body, _, *given = loop.args
    finite = [all(b.finite[True][y] for y in inputs_of([x])) for group in given for x in group]
    parameters = dict(zip(body.parameters, finite, strict=True))
    while True:
        known = dict(parameters)
        for expr in in_order(body.roots, parameters):
            known[expr] = _stays_finite(b, expr, True, known)
        pairs = zip(body.carried, body.updates, strict=True)
        lost = [p for p, update in pairs if known[p] and not known[update]]
        if not lost:
            return known
        parameters.update(dict.fromkeys(lost, False))


def _gives_finite(b: Builder, expr: Expr, ordinary: bool) -> bool:
    """Whether a call gives finite results for finite operands."""
    if expr.fn == ARGUMENT:
        # A program that calls np.isnan expects NaN.
        expected = any(user.fn == "np.isnan" for user in b.live)
        return expr.dtype.kind != "f" or (ordinary and not expected)
    if expr.fn == CONSTANT:
        return expr.dtype.kind != "f" or bool(np.isfinite(expr.value).all())
    if expr.fn in FINITE:
        values = (*expr.args, *expr.keywords.values())
        parts = (y for x in values for y in (x if type(x) in (tuple, list) else (x,)))
        return all(isfinite(y) for y in parts if is_number(y))
    low, high = bounds(expr)
    if -inf < low and high < inf:
        return True
    if expr.fn in ("np.divide", "np.reciprocal"):
        low, high = bounds(expr.args[-1])
        return low > 0 or high < 0
    return False


_SILENT = FINITE - {"np.sin", "np.cos"} | {
    *("np.max", "np.min", "kernel", ARGUMENT, CONSTANT, PARAMETER, LOOP),
}

_SILENT_WITHIN = {
    "np.exp": (-inf, 700.0, 0),
    "np.log": (1e-300, inf, 0),
    "np.log1p": (-0.99, inf, 0),
    "np.sqrt": (0.0, inf, 0),
    "np.divide": (1e-300, inf, 1),
}
"""Between which values of which operand a call raises no floating-point warning."""


def is_silent(order: Iterable[Expr]) -> bool:
    """Whether no call raises a floating-point warning for finite arguments, but for overflow."""
    for x in order:
        if x.fn in _SILENT_WITHIN:
            low, high, k = _SILENT_WITHIN[x.fn]
            least, most = bounds(x.args[k])
            if x.dtype is None or x.dtype.kind != "f" or least < low or most > high:
                return False
        elif x.fn not in _SILENT:
            return False
    return True
