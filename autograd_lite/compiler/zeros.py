"""Zeros that the sweep sets beside infinite factors, left out where all factors are finite."""

from __future__ import annotations

from math import isfinite
from typing import Any

from autograd_lite.compiler.bounds import is_finite
from autograd_lite.compiler.rules import ALGEBRA, full, is_call, rule, same, scalar_of
from autograd_lite.expressions.expr import (
    Builder,
    Expr,
    alike,
    is_number,
)
from autograd_lite.ops.comparisons import OPPOSITE

__all__ = ["zero_already"]  # the rules are used through their table


@rule(ALGEBRA, "np.power", "x ** 0 = 1, also for NaN")
def to_the_zeroth(b: Builder, e: Expr) -> Any:
    return full(b, e, 1) if is_number(e.args[1], 0) and e.dtype.kind == "f" else None


@rule(ALGEBRA, "np.logical_or", "a ∨ false = a")
def or_false(b: Builder, e: Expr) -> Any:
    for x, other in (e.args, e.args[::-1]):
        if scalar_of(other) is not None and not scalar_of(other):
            return same(x, e)
    return None


@rule(ALGEBRA, "np.equal np.not_equal", "a = 0 is ¬a and a ≠ 0 is a, for a boolean a")
def zero_of_truth(b: Builder, e: Expr) -> Any:
    x, zero = e.args
    if not is_number(zero, 0) or not isinstance(x, Expr) or x.dtype.kind != "b":
        return None
    return same(b.call("np.logical_not", x) if e.fn == "np.equal" else x, e)


@rule(ALGEBRA, "np.equal", "where(a, x, 0) = 0 is ¬a, as x · a = 0, for a number x ≠ 0")
def zero_of_choice(b: Builder, e: Expr) -> Any:
    x, zero = e.args
    if not is_number(zero, 0):
        return None
    if is_call(x, "np.broadcast_to"):
        return b.call("np.broadcast_to", b.call("np.equal", x.args[0], zero), e.shape)
    if is_call(x, "np.where") and _is_zero(x.args[2]) and scalar_of(x.args[1]):
        return same(b.call("np.logical_not", x.args[0]), e)
    if is_call(x, "np.where") and _is_zero(x.args[1]) and scalar_of(x.args[2]):
        return same(x.args[0], e)
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


@rule(ALGEBRA, "np.where", "where(a, where(a, x, y), z) = where(a, x, z)")
def chosen_twice(b: Builder, e: Expr) -> Any:
    condition, x, y = e.args
    made = b.call("np.where", condition, _under(b, condition, x, 1), _under(b, condition, y, 2))
    return None if made is e else same(made, e)


def _under(b: Builder, condition: Any, x: Any, branch: int) -> Any:
    """A branch, in which a choice by the same condition is replaced by what it chooses."""
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


@rule(ALGEBRA, "np.where", "where(a, 0, x) = x for a product of finite factors that is 0 where a")
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
    return x if all(_vanishes(b, x, z, _is_of_rule(b, part)) for part, z in pairs) else None


def _parts(condition: Any) -> list[Any]:
    """The conditions of which at least one holds where the condition holds."""
    if is_call(condition, "np.broadcast_to"):
        return _parts(condition.args[0])
    if is_call(condition, "np.logical_or"):
        return [part for x in condition.args for part in _parts(x)]
    return [condition]


def _is_of_rule(b: Builder, condition: Any) -> bool:
    """Whether a gradient rule set the zero (for a ReLU or a factor of 0), not the program.

    A program may choose in order to avoid arguments that are not finite.
    """
    if is_call(condition, "np.less_equal"):
        x = condition.args[0]
        return is_call(x, "np.maximum") or b.origins.get(x) == "np.maximum"
    return is_call(condition, "np.equal") and is_number(condition.args[1], 0)


def _zeros_where(b: Builder, condition: Any) -> list[Any]:
    """Factors that are 0 where a condition holds."""
    if not isinstance(condition, Expr) or condition.dtype.kind != "b":
        return []
    if is_call(condition, "np.logical_not"):
        return [condition.args[0]]
    zeros = [b.call("np.logical_not", condition)]
    name = condition.fn.removeprefix("np.")
    if name in OPPOSITE:
        zeros.append(b.call(f"np.{OPPOSITE[name]}", *condition.args))
    if condition.fn == "np.equal" and is_number(condition.args[1], 0):
        zeros += _factors(condition.args[0])
    return zeros


def _vanishes(b: Builder, x: Any, zeros: list[Any], ordinary: bool) -> bool:
    """Whether one of the factors of x is one of `zeros`, and all others are finite."""
    factors = _factors(x)
    return any(
        any(_same_zeros(f, z) for z in zeros)
        and all(is_finite(b, other, ordinary) for other in factors[:k] + factors[k + 1 :])
        for k, f in enumerate(factors)
    )


def _factors(x: Any) -> list[Any]:
    """The factors of a product that are not finite numbers."""
    stack, found = [x], []
    while stack:
        x = stack.pop()
        if is_call(x, "np.multiply"):
            stack += x.args
        elif isinstance(x, Expr) and x.fn in ("np.negative", "np.broadcast_to", ".astype"):
            stack.append(x.args[0])
        elif not (is_number(x) and isfinite(x)):
            found.append(x)
    return found


def _same_zeros(f: Any, z: Any) -> bool:
    """Whether f is 0 wherever z is."""
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
    rest, other = ((*x.args[1:], *sorted(x.keywords.items())) for x in (f, z))
    return f.fn in ("add_at", "add_along_axis") and alike(rest, other)


def _is_zero(x: Any) -> bool:
    return bool(scalar_of(x) == 0)
