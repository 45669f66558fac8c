"""Scalar factors: pulled out of linear calls, folded into one, applied where they cost least."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.compiler.rules import full, same
from autograd_lite.expressions.expr import (
    CONSTANT,
    Builder,
    Expr,
    in_order,
    is_number,
    replaced,
    with_inputs,
)

__all__ = ["MERGED", "placed", "pulled_out"]

# Linear in the first operand; the first four give a constant array for a constant array.
SPREADING = {".T", "np.expand_dims", "np.broadcast_to", "np.reshape"}
LINEAR = SPREADING | {"[]", "np.add.reduce", "np.squeeze", "np.swapaxes", "np.transpose", "sum_to"}
# Keywords with which these calls are linear.
PLACES = {"axis", "keepdims", "axes", "shape"}
# Linear in each of two operands, and in both together.
BILINEAR = {"np.multiply", "np.matmul"}
ADDITIVE = {"np.add", "np.subtract"}
OTHER_SIGN = {"np.add": "np.subtract", "np.subtract": "np.add"}

LARGEST = 2.0**30

MOST_PLACES = 400  # places up to which the best one is searched for; fewer in a large program
MOST_PAIRS = 400_000  # pairs of places, times the length of the program
CALL = 800  # the cost of one call, in elements of an elementwise call

MOST_VISITS = 4000  # visits of expressions up to which factors are moved again


class Factor(NamedTuple):
    """The number over / under; both are stored, so that the source shows 2 / 3."""

    over: float = 1.0
    under: float = 1.0

    def times(self, other: Factor) -> Factor:
        over, under = self.over * other.over, self.under * other.under
        if over.is_integer() and under.is_integer() and abs(over) + abs(under) < LARGEST:
            common = math.gcd(int(over), int(under)) or 1
            over, under = over / common, under / common
        return Factor(over, under)

    def safe(self, dtype: Any = np.float64) -> bool:
        """Whether it may move past a product: the range of the dtype is nearly unchanged.

        Digits may be lost only within this factor of the ends of the range.
        """
        if np.finfo(dtype).maxexp > np.finfo(np.float64).maxexp:
            return False  # as Python numbers, factors have fewer digits
        largest = 2.0 ** min(30, np.finfo(dtype).maxexp // 8)
        sizes = abs(self.over), abs(self.under)
        return all(1 / largest <= size <= largest for size in sizes)


ONE, MINUS = Factor(), Factor(-1.0)


def pulled_out(roots: Sequence[Any], b: Builder) -> list[Any]:
    """The same results, each scalar factor and sign applied as late as possible."""
    parts: dict[Expr, tuple[Factor, Any]] = {}

    def part(x: Any) -> tuple[Factor, Any]:
        if is_number(x) and x and Factor(float(x)).safe():
            return Factor(float(x)), 1.0
        return parts[x] if isinstance(x, Expr) else (ONE, x)

    def whole(x: Expr) -> Any:
        factor, core = parts[x]
        b.line = x.line
        if isinstance(core, Expr):
            return _scaled(b, factor, core)
        return full(b, x, factor.over / factor.under)

    for expr in in_order(roots):
        b.line = expr.line
        if expr.fn == CONSTANT and expr.shape == () and _floats(expr):
            parts[expr] = part(expr.value.item())
            if parts[expr][1] != 1.0:
                parts[expr] = ONE, expr
            continue
        found = _split(b, expr, [part(x) for x in expr.args]) if _floats(expr) else None
        if found is None or not found[0].safe(expr.dtype):
            found = ONE, with_inputs(expr, b, whole)
        parts[expr] = found
        if expr in b.names and found[0] == ONE and isinstance(found[1], Expr):
            b.names.setdefault(found[1], b.names[expr])
    return [replaced(root, whole) for root in roots]


def _floats(expr: Expr) -> bool:
    return (
        expr.dtype is not None
        and expr.dtype.kind == "f"
        and all(x.dtype is not None and x.dtype.kind in "fb" for x in expr.inputs)
    )


def _split(b: Builder, expr: Expr, parts: list[tuple[Factor, Any]]) -> Any:
    """The factor of a call and the call without it, or None where the call is not linear."""
    if expr.fn == "np.negative":
        ((factor, core),) = parts
        return factor.times(MINUS), core
    if expr.fn in LINEAR and isinstance(expr.args[0], Expr) and expr.keywords.keys() <= PLACES:
        factor, core = parts[0]
        if not isinstance(core, Expr):
            return (factor, core) if expr.fn in SPREADING else None
        return factor, b.like(expr, (core, *expr.args[1:]), expr.keywords)
    if expr.fn in BILINEAR or expr.fn == "np.divide":
        return _split_product(b, expr, *parts)
    return _split_sum(b, expr, *parts) if expr.fn in ADDITIVE else None


def _split_product(b: Builder, expr: Expr, left: Any, right: Any) -> Any:
    (f, x), (g, y) = left, right
    divide = expr.fn == "np.divide"
    factor = f.times(Factor(g.under, g.over) if divide else g)
    arrays = isinstance(x, Expr) + isinstance(y, Expr)
    if expr.fn == "np.matmul" and arrays < 2:
        return None  # a matrix of ones is not a neutral element
    if is_number(y, 1.0) and same(x, expr) is not None:
        return factor, x
    if not divide and is_number(x, 1.0) and same(y, expr) is not None:
        return factor, y
    if is_number(x, 1.0) and is_number(y, 1.0):
        return factor, 1.0
    if arrays < 2 - divide:
        return None
    # A number may replace an array of equal elements, which gave the result its shape.
    core = b.call(expr.fn, x, y)
    return None if same(core, expr) is None else (factor, core)


def _split_sum(b: Builder, expr: Expr, left: Any, right: Any) -> Any:
    (f, x), (g, y) = left, right
    if not (isinstance(x, Expr) and isinstance(y, Expr)):
        return None
    if f == g:
        return f, b.like(expr, (x, y), {})
    if f == g.times(MINUS):
        return f, b.call(OTHER_SIGN[expr.fn], x, y)
    if g.over < 0:
        y = _scaled(b, g.times(MINUS), y)
        return ONE, b.call(OTHER_SIGN[expr.fn], _scaled(b, f, x), y)
    if f.over < 0 and expr.fn == "np.add":
        return ONE, b.call("np.subtract", _scaled(b, g, y), _scaled(b, f.times(MINUS), x))
    return None


def _scaled(b: Builder, factor: Factor, core: Expr) -> Any:
    """factor · core."""
    over, under = factor
    if under < 0:
        over, under = -over, -under
    if under != 1:
        core = b.call("np.divide", core, under)
    if over == 1:
        return core
    return b.call("np.negative", core) if over == -1 else b.call("np.multiply", over, core)


# Placing factors


def _scale(expr: Expr, exact: bool) -> Any:
    """The factor that a call applies, as (fn, number), and its other operand."""
    if expr.fn == "np.divide" and is_number(expr.args[1]) and isinstance(expr.args[0], Expr):
        return ("np.divide", expr.args[1]), expr.args[0]
    if exact and expr.fn == "np.multiply":
        for x, other in (expr.args, expr.args[::-1]):
            if is_number(x) and isinstance(other, Expr):
                return ("np.multiply", x), other
    return None, None


def placed(roots: Sequence[Any], b: Builder, all_factors: bool) -> list[Any]:
    """The same results, a factor of several calls applied once where it costs least.

    Args:
        roots: the results.
        b: their builder.
        all_factors: whether to move multipliers, too, and not only divisors: the readable form
            keeps the 2 in front of a gradient.
    """
    roots, visits = list(roots), 0
    while visits < MOST_VISITS:
        order = in_order(roots)
        visits += max(len(order), MOST_VISITS // 8)
        place = {expr: k for k, expr in enumerate(order)}
        users: dict[Any, list[Any]] = {root: [None] for root in roots}  # None for the caller
        scales: dict[Any, list[Expr]] = {}
        for expr in order:
            for x in expr.inputs:
                users.setdefault(x, []).append(expr)
            factor, _core = _scale(expr, all_factors)
            if factor is None or expr.dtype.kind != "f":
                continue
            if Factor(float(factor[1])).safe(expr.dtype):
                scales.setdefault(factor, []).append(expr)
        most = min(MOST_PLACES, math.isqrt(MOST_PAIRS // (len(order) or 1)) + 10)
        groups = scales.items()
        found = [x for factor, group in groups for x in _moves(factor, group, place, users, most)]
        if not found:
            break
        roots = _moved(roots, b, max(found, key=lambda move: move.saved))
    return roots


class Move(NamedTuple):
    """A factor applied at one place instead of others, and the cost that this saves."""

    saved: int
    factor: Any
    at: Expr
    covered: list[Expr]


def _moves(
    factor: Any, group: list[Expr], place: dict[Expr, int], users: dict[Any, list[Any]], most: int
) -> Iterator[Move]:
    """The moves of a factor that save anything; of equally good ones the last place comes first.

    So a named quantity stays as it is.
    """
    scaled, cost = set(group), sum(CALL + x.size for x in group)
    uniform = _uniform(scaled, place, users, most)
    for at in reversed(uniform) if len(uniform) <= most else ():
        if CALL + at.size >= cost:
            continue
        covered = _reached(at, uniform, users, scaled)
        if covered is not None and all(x.dtype == at.dtype for x in covered):
            saved = sum(CALL + x.size for x in covered) - CALL - at.size
            if saved > 0:
                yield Move(saved, factor, at, covered)


def _uniform(
    scaled: set[Expr], place: dict[Expr, int], users: dict[Any, list[Any]], most: int
) -> dict[Expr, None]:
    """The expressions used only, and linearly, by scaled ones; the last first.

    The search ends when there are more than `most`.
    """
    uniform: dict[Expr, None] = {}
    heap = [(-place[x], x) for x in {x for expr in scaled for x in expr.inputs}]
    heapify(heap)
    known = {x for _, x in heap}
    while heap and len(uniform) <= most:
        _, expr = heappop(heap)
        if all(
            user in scaled or (user in uniform and _linear_in(user, expr)) for user in users[expr]
        ):
            uniform[expr] = None
            for x in {*expr.inputs} - known:
                known.add(x)
                heappush(heap, (-place[x], x))
    return uniform


def _linear_in(user: Expr, x: Expr) -> bool:
    if x.shape is None:  # a tuple
        return False
    if user.fn in LINEAR or user.fn == "np.negative":
        return user.args[0] is x and user.keywords.keys() <= PLACES
    if user.fn in BILINEAR or user.fn in ADDITIVE:
        return sum(arg is x for arg in user.args) == 1
    return user.fn == "np.divide" and user.args[0] is x and user.args[1] is not x


def _reached(
    at: Expr, uniform: dict[Expr, None], users: dict[Any, list[Any]], scaled: set[Expr]
) -> list[Expr] | None:
    """The scaled calls that a factor at `at` replaces.

    None if the factor would reach a value twice or only a part of it.
    """
    reached, covered = {at: None}, dict[Expr, None]()
    for x in (stack := [at]):
        for user in users[x]:
            if user not in uniform:
                covered[user] = None
            elif user in scaled:
                return None
            elif user not in reached:
                reached[user] = None
                stack.append(user)
    for expr in [*reached][1:]:
        hits = sum(isinstance(x, Expr) and x in reached for x in expr.args)
        if hits != {"np.add": 2, "np.subtract": 2}.get(expr.fn, 1):
            return None
    return [*covered]


def _moved(roots: Sequence[Any], b: Builder, move: Move) -> list[Any]:
    fn, number = move.factor
    dropped, new = set(move.covered), dict[Expr, Any]()
    for expr in in_order(roots):
        made = with_inputs(expr, b, new.__getitem__)
        b.line = expr.line
        if expr in dropped:
            made = next(x for x in made.args if isinstance(x, Expr))
        elif expr is move.at:
            made = b.call(fn, made, number) if fn == "np.divide" else b.call(fn, number, made)
        new[expr] = made
    return [replaced(root, new.__getitem__) for root in roots]


def merged(b: Builder, expr: Expr) -> Any:
    """c · (x / n) = (c / n) · x: one call instead of two, in the running program."""
    factor, x = _scale(expr, True)
    # A product of integers may overflow, and is not merged.
    floats = isinstance(x, Expr) and x.dtype.kind == "f"
    inner, core = _scale(x, True) if floats else (None, None)
    if factor is None or inner is None or expr.dtype.kind != "f":
        return None
    number = 1.0
    for fn, value in (factor, inner):
        if not value:
            return None
        number = number * value if fn == "np.multiply" else number / value
    if not 1 / LARGEST**2 < abs(number) < LARGEST**2:
        return None
    return b.call("np.multiply", number, core)


MERGED: dict[str, list[Callable[..., Any]]] = {"np.multiply": [merged], "np.divide": [merged]}
"""The rule table for `merged`."""
