"""Zeros that the sweep sets for the sake of infinite factors, left out where all is finite."""

from __future__ import annotations

from math import inf
from typing import Any

import numpy as np

from autograd_lite.compiler.bounds import bounds
from autograd_lite.compiler.rules import ALGEBRA, is_call, rule, same, scalar_of
from autograd_lite.expressions.expr import (
    ARGUMENT,
    CONSTANT,
    Builder,
    Expr,
    alike,
    in_order,
    is_number,
)

__all__ = ["zero_already"]

# What gives finite numbers for finite ones; sums and products may overflow as they always may.
FINITE = {
    *(".T", ".astype", "[]", "add_at", "add_along_axis", "take_along_axis"),
    *(f"np.{name}" for name in ("add", "subtract", "multiply", "negative", "matmul", "add.reduce")),
    *(f"np.{name}" for name in ("where", "maximum", "minimum", "absolute", "square", "sign")),
    *(f"np.{name}" for name in ("tanh", "sin", "cos", "arctan", "arcsinh")),
    *(f"np.{name}" for name in ("reshape", "expand_dims", "squeeze", "broadcast_to", "transpose")),
    *(f"np.{name}" for name in ("equal", "not_equal", "less", "less_equal", "greater")),
    *(f"np.{name}" for name in ("greater_equal", "logical_and", "logical_or", "logical_not")),
    *("sigmoid", "softplus"),
}


@rule(ALGEBRA, "np.power", "x ** 0 = 1, also for NaN")
def to_the_zeroth(b: Builder, e: Expr) -> Any:
    if is_number(e.args[1], 0) and e.dtype.kind == "f":
        return b.call("np.broadcast_to", b.constant(np.ones((), e.dtype)), e.shape)
    return None


@rule(ALGEBRA, "np.logical_or", "a ∨ false = a")
def or_false(b: Builder, e: Expr) -> Any:
    for x, other in (e.args, e.args[::-1]):
        if scalar_of(other) is not None and not scalar_of(other):
            return same(x, e)
    return None


@rule(ALGEBRA, "np.equal np.not_equal", "a truth value is 0 where it does not hold")
def zero_of_truth(b: Builder, e: Expr) -> Any:
    x, zero = e.args
    if not is_number(zero, 0) or not isinstance(x, Expr) or x.dtype.kind != "b":
        return None
    return same(b.call("np.logical_not", x) if e.fn == "np.equal" else x, e)


@rule(ALGEBRA, "np.equal", "where(a, x, 0) is 0 where a does not hold, and so is x · a, for x ≠ 0")
def zero_of_choice(b: Builder, e: Expr) -> Any:
    x, zero = e.args
    if not is_number(zero, 0):
        return None
    if is_call(x, "np.where") and _is_zero(x.args[2]) and scalar_of(x.args[1]):
        return same(b.call("np.logical_not", x.args[0]), e)
    if is_call(x, "np.multiply"):
        for number, chosen in (x.args, x.args[::-1]):
            if is_number(number) and number and chosen.dtype.kind == "b":
                return same(b.call("np.logical_not", chosen), e)
    return None


@rule(ALGEBRA, "np.where", "where(¬a, x, y) = where(a, y, x)")
def where_not(b: Builder, e: Expr) -> Any:
    condition, x, y = e.args
    if is_call(condition, "np.logical_not") and condition.args[0].dtype.kind == "b":
        return same(b.call("np.where", condition.args[0], y, x), e)
    return None


@rule(ALGEBRA, "np.where", "where a holds, where(a, x, y) is x")
def chosen_twice(b: Builder, e: Expr) -> Any:
    condition, x, y = e.args
    made = b.call("np.where", condition, _under(b, condition, x, 1), _under(b, condition, y, 2))
    return None if made is e else same(made, e)


def _under(b: Builder, condition: Any, x: Any, branch: int) -> Any:
    """A product in which a choice by the same condition is the branch that it takes."""
    if not isinstance(x, Expr):
        return x
    if x.fn == "np.where" and x.args[0] is condition:
        return x.args[branch]
    if x.fn in ("np.multiply", "np.divide", "np.negative"):
        args = [
            y.args[branch] if is_call(y, "np.where") and y.args[0] is condition else y
            for y in x.args
        ]
        if any(isinstance(y, Expr) for y in args):
            made = b.call(x.fn, *args)
            return made if made.dtype == x.dtype else x
    return x


@rule(ALGEBRA, "np.where", "a product of finite factors that is 0 already is not set to 0")
def zero_already(b: Builder, e: Expr) -> Any:
    condition, x, y = e.args
    if _is_zero(x):
        x, parts = y, _parts(condition)
        zeros = [_zeros_where(b, part) for part in parts]
    elif _is_zero(y):
        parts, zeros = [condition], [[condition]]
    else:
        return None
    if same(x, e) is None:
        return None
    pairs = zip(parts, zeros, strict=True)
    return x if all(_vanishes(b, x, z, _is_of_rule(part)) for part, z in pairs) else None


OPPOSITE = {
    "np.less": "np.greater_equal",
    "np.less_equal": "np.greater",
    "np.greater": "np.less_equal",
    "np.greater_equal": "np.less",
    "np.equal": "np.not_equal",
    "np.not_equal": "np.equal",
}


def _parts(condition: Any) -> list[Any]:
    """What a condition is the disjunction of."""
    if is_call(condition, "np.broadcast_to"):
        return _parts(condition.args[0])
    if is_call(condition, "np.logical_or"):
        return [part for x in condition.args for part in _parts(x)]
    return [condition]


def _is_of_rule(condition: Any) -> bool:
    """Whether a zero was set for a ReLU or a factor that is 0, and not for a choice of the program.

    Where a program chooses, what it does not choose may be of arguments that are not finite.
    """
    if is_call(condition, "np.less_equal"):
        return is_call(condition.args[0], "np.maximum")
    return is_call(condition, "np.equal") and is_number(condition.args[1], 0)


def _zeros_where(b: Builder, condition: Any) -> list[Any]:
    """Factors that are 0 where a condition holds."""
    if not isinstance(condition, Expr) or condition.dtype.kind != "b":
        return []
    if is_call(condition, "np.logical_not"):
        return [condition.args[0]]
    zeros = [b.call("np.logical_not", condition)]
    if condition.fn in OPPOSITE:
        zeros.append(b.call(OPPOSITE[condition.fn], *condition.args))
    if condition.fn == "np.equal" and is_number(condition.args[1], 0):
        zeros += _factors(condition.args[0])
    return zeros


def _vanishes(b: Builder, x: Any, zeros: list[Any], ordinary: bool) -> bool:
    """Whether x has one of the factors, and beside it only finite ones, for ordinary arguments."""
    factors = _factors(x)
    return any(
        any(_same_zeros(f, z) for z in zeros)
        and all(_is_finite(b, other, ordinary) for other in factors[:k] + factors[k + 1 :])
        for k, f in enumerate(factors)
    )


def _factors(x: Any) -> list[Any]:
    stack, found = [x], []
    while stack:
        x = stack.pop()
        if is_call(x, "np.multiply"):
            stack += x.args
        elif isinstance(x, Expr) and x.fn in ("np.negative", "np.broadcast_to", ".astype"):
            stack.append(x.args[0])
        elif not is_number(x):
            found.append(x)
    return found


def _same_zeros(f: Any, z: Any) -> bool:
    if f is z:
        return True
    if is_call(f, "np.where") and f.args[0] is z:
        return _is_zero(f.args[2])
    if is_call(f, "np.where") and is_call(z, "np.logical_not") and z.args[0] is f.args[0]:
        return _is_zero(f.args[1])
    if not (isinstance(f, Expr) and isinstance(z, Expr)) or f.fn != z.fn:
        return False
    if f.fn == "np.where":
        pairs = zip(f.args[1:], z.args[1:], strict=True)
        return f.args[0] is z.args[0] and any(_is_zero(x) and _is_zero(y) for x, y in pairs)
    return f.fn in ("add_at", "add_along_axis") and alike(_places(f), _places(z))


def _places(f: Expr) -> tuple[Any, ...]:
    return (*f.args[1:], *sorted(f.keywords.items(), key=lambda item: item[0]))


def _is_zero(x: Any) -> bool:
    number = scalar_of(x)
    return number is not None and number == 0


def _is_finite(b: Builder, x: Any, ordinary: bool) -> bool:
    if not isinstance(x, Expr):
        return True
    known = b.finite[ordinary]
    for expr in in_order([x], known):
        made = _made_finite(b, expr, ordinary)
        known[expr] = made and all(known.get(y, False) for y in expr.inputs)
    return known[x]


def _made_finite(b: Builder, expr: Expr, ordinary: bool) -> bool:
    if expr.fn == ARGUMENT:
        # Who asks for NaN expects some.
        asked = any(user.fn == "np.isnan" for user in b.live)
        return expr.dtype.kind != "f" or (ordinary and not asked)
    if expr.fn == CONSTANT:
        return expr.dtype.kind != "f" or bool(np.isfinite(expr.value).all())
    if expr.fn in FINITE:
        return True
    low, high = bounds(expr)
    if -inf < low and high < inf:
        return True
    if expr.fn in ("np.divide", "np.reciprocal"):
        low, high = bounds(expr.args[-1])
        return low > 0 or high < 0
    return False
