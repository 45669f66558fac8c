"""Scalar factors: pulled out of everything linear, folded into one, put where they are cheap."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from heapq import heapify, heappop, heappush
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.expressions.expr import CONSTANT, Builder, Expr, in_order, is_number, replaced

__all__ = ["cost", "placed", "pulled_out"]

# Linear in their first operand, or in the product of their two.
SPREADING = {".T", "np.expand_dims", "np.broadcast_to", "np.reshape"}
LINEAR = SPREADING | {
    "[]",
    "np.add.reduce",
    "np.squeeze",
    "np.swapaxes",
    "np.transpose",
    "sum_to",
}
# What these are told and stay linear.
PLACES = {"axis", "keepdims", "axes", "shape"}
BILINEAR = {"np.multiply", "np.matmul"}
ADDITIVE = {"np.add", "np.subtract"}

LARGEST = 2.0**30

CALL = 800  # what one call costs, in elements of an elementwise call


class Factor(NamedTuple):
    """over and under: the number over / under, kept apart so that people can read it."""

    over: float = 1.0
    under: float = 1.0

    def times(self, other: Factor) -> Factor:
        over, under = self.over * other.over, self.under * other.under
        if over.is_integer() and under.is_integer() and abs(over) + abs(under) < LARGEST:
            common = math.gcd(int(over), int(under)) or 1
            over, under = over / common, under / common
        return Factor(over, under)

    def safe(self, dtype: Any = np.float64) -> bool:
        """Whether a product can do without it on the way: nearly all its range is left.

        Only as near to the ends of the range as the factor is large, digits may be lost.
        """
        largest = min(LARGEST, 2.0 ** (np.finfo(dtype).maxexp // 8))
        sizes = abs(self.over), abs(self.under)
        return all(1 / largest <= size <= largest for size in sizes)


ONE = Factor()


def cost(size: int) -> int:
    """What an elementwise call on so many elements costs."""
    return CALL + size


def pulled_out(roots: Sequence[Any], b: Builder) -> list[Any]:
    """The same results, each scalar factor and sign as late as possible."""
    parts: dict[Expr, tuple[Factor, Any]] = {}

    def part(x: Any) -> tuple[Factor, Any]:
        if is_number(x) and x and Factor(abs(float(x))).safe():
            return Factor(float(x)), 1.0
        return parts[x] if isinstance(x, Expr) else (ONE, x)

    def whole(x: Expr) -> Any:
        factor, core = parts[x]
        if isinstance(core, Expr):
            return _made(b, factor, core)
        scalar = b.constant(np.asarray(factor.over / factor.under, x.dtype))
        return b.call("np.broadcast_to", scalar, x.shape) if x.shape else scalar

    for expr in in_order(roots):
        if expr.fn == CONSTANT and expr.shape == () and _floats(expr):
            parts[expr] = part(expr.value.item())
            if parts[expr][1] != 1.0:
                parts[expr] = ONE, expr
            continue
        found = _split(b, expr, [part(x) for x in expr.args]) if _floats(expr) else None
        if found is None or not found[0].safe(expr.dtype):
            args = replaced(expr.args, whole)
            keywords = {k: replaced(v, whole) for k, v in expr.keywords.items()}
            found = ONE, b.like(expr, args, keywords)
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


def _same_form(x: Any, expr: Expr) -> bool:
    return isinstance(x, Expr) and (x.shape, x.dtype) == (expr.shape, expr.dtype)


def _split(b: Builder, expr: Expr, parts: list[tuple[Factor, Any]]) -> Any:
    """The factor of a call and what is left of it, or None where it is not linear."""
    fn = expr.fn
    if fn == "np.negative":
        ((factor, core),) = parts
        return factor.times(Factor(-1.0)), core
    if fn in LINEAR and isinstance(expr.args[0], Expr) and expr.keywords.keys() <= PLACES:
        factor, core = parts[0]
        if not isinstance(core, Expr):
            return (factor, core) if expr.fn in SPREADING else None
        return factor, b.like(expr, (core, *expr.args[1:]), expr.keywords)
    if fn in BILINEAR or fn == "np.divide":
        if fn == "np.matmul" and not all(isinstance(core, Expr) for _, core in parts):
            return None  # a matrix of ones is no neutral element
        (f, x), (g, y) = parts
        if fn == "np.divide":
            g = Factor(g.under, g.over)
        factor = f.times(g)
        if is_number(y, 1.0) and _same_form(x, expr):
            return factor, x
        if fn != "np.divide" and is_number(x, 1.0) and _same_form(y, expr):
            return factor, y
        if not (isinstance(x, Expr) and isinstance(y, Expr)):
            if is_number(x, 1.0) and is_number(y, 1.0):
                return factor, 1.0
            if fn != "np.divide" or not (isinstance(x, Expr) or isinstance(y, Expr)):
                return None
        # A number may stand for an array of it, which gave the result its shape.
        core = b.call(fn, x, y)
        return (factor, core) if _same_form(core, expr) else None
    if fn in ADDITIVE:
        (f, x), (g, y) = parts
        if not (isinstance(x, Expr) and isinstance(y, Expr)):
            return None
        minus = fn == "np.subtract"
        if f == g:
            return f, b.like(expr, (x, y), {})
        if f == g.times(Factor(-1.0)):
            return f, b.call("np.add" if minus else "np.subtract", x, y)
        if g.over < 0:
            y = _made(b, g.times(Factor(-1.0)), y)
            return ONE, b.call("np.add" if minus else "np.subtract", _made(b, f, x), y)
        if f.over < 0 and not minus:
            return ONE, b.call("np.subtract", _made(b, g, y), _made(b, f.times(Factor(-1.0)), x))
    return None


def _made(b: Builder, factor: Factor, core: Expr) -> Any:
    """factor · core."""
    over, under = factor
    if under < 0:
        over, under = -over, -under
    if under != 1:
        core = b.call("np.divide", core, under)
    if over == 1:
        return core
    return b.call("np.negative", core) if over == -1 else b.call("np.multiply", over, core)


# Placing them


def _scale(expr: Expr, exact: bool) -> Any:
    """The factor that a call multiplies by: (fn, number), and what it multiplies."""
    if expr.fn == "np.divide" and is_number(expr.args[1]) and isinstance(expr.args[0], Expr):
        return ("np.divide", expr.args[1]), expr.args[0]
    if exact and expr.fn == "np.multiply":
        for x, other in (expr.args, expr.args[::-1]):
            if is_number(x) and isinstance(other, Expr):
                return ("np.multiply", x), other
    return None, None


def placed(roots: Sequence[Any], b: Builder, all_factors: bool) -> list[Any]:
    """The same results, a factor that several share put once where it is cheapest.

    Args:
        roots: the results.
        b: their builder.
        all_factors: place every factor, not only what is divided by, which keeps the factor that
            people wrote in front of a gradient where it stands.
    """
    roots = list(roots)
    for _ in range(8):
        order = in_order(roots)
        place = {expr: k for k, expr in enumerate(order)}
        # Whoever called uses the results.
        users: dict[Any, list[Any]] = {root: [None] for root in roots}
        scales: dict[Any, list[Expr]] = {}
        for expr in order:
            for x in expr.inputs:
                users.setdefault(x, []).append(expr)
            factor, _core = _scale(expr, all_factors)
            if factor is None or expr.dtype.kind != "f":
                continue
            if Factor(float(factor[1])).safe(expr.dtype):
                scales.setdefault(factor, []).append(expr)
        best: tuple[int, Any] = (0, None)
        for factor, group in scales.items():
            best = max(best, _best(factor, group, place, users), key=lambda found: found[0])
        if best[1] is None:
            break
        factor, at, covered = best[1]
        roots = _moved(roots, b, factor, at, covered)
    return roots


def _best(
    factor: Any, group: list[Expr], place: dict[Expr, int], users: dict[Any, list[Any]]
) -> tuple[int, Any]:
    """How much is saved by applying a factor at one place, and where."""
    scaled = set(group)
    uniform = _uniform(scaled, place, users)
    best: tuple[int, Any] = (0, None)
    if len(uniform) > 400:
        return best
    for at in reversed(uniform):
        covered = _reached(at, uniform, users, scaled)
        if covered is None or any(x.dtype != at.dtype for x in covered):
            continue
        # As late as possible for the same price: a named quantity stays what it is.
        saved = sum(cost(x.size) for x in covered) - cost(at.size)
        if saved > best[0]:
            best = saved, (factor, at, covered)
    return best


def _uniform(
    scaled: set[Expr], place: dict[Expr, int], users: dict[Any, list[Any]]
) -> dict[Expr, None]:
    """What goes nowhere but, linearly, into what is scaled; the last first."""
    uniform: dict[Expr, None] = {}
    heap = [(-place[x], x) for x in {x for expr in scaled for x in expr.inputs}]
    heapify(heap)
    known = {x for _, x in heap}
    while heap:
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
    if user.fn in LINEAR or user.fn == "np.negative":
        return user.args[0] is x and user.keywords.keys() <= PLACES
    if user.fn in BILINEAR or user.fn in ADDITIVE:
        return sum(arg is x for arg in user.args) == 1
    return user.fn == "np.divide" and user.args[0] is x and user.args[1] is not x


def _reached(
    at: Expr, uniform: dict[Expr, None], users: dict[Any, list[Any]], scaled: set[Expr]
) -> list[Expr] | None:
    """What need not be scaled when `at` is, or None if something would be twice or in part."""
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


def _moved(
    roots: Sequence[Any], b: Builder, factor: Any, at: Expr, covered: Sequence[Expr]
) -> list[Any]:
    fn, number = factor
    dropped, new = set(covered), dict[Expr, Any]()
    for expr in in_order(roots):
        args = replaced(expr.args, new.__getitem__)
        keywords = {k: replaced(v, new.__getitem__) for k, v in expr.keywords.items()}
        made = b.like(expr, args, keywords)
        if expr in b.names:
            b.names.setdefault(made, b.names[expr])
        if expr in dropped:
            made = next(x for x in made.args if isinstance(x, Expr))
        elif expr is at:
            made = b.call(fn, made, number) if fn == "np.divide" else b.call(fn, number, made)
        new[expr] = made
    return [replaced(root, new.__getitem__) for root in roots]


def merged(b: Builder, expr: Expr) -> Any:
    """c · (x / n) = (c / n) · x, one call for two; a rule for code that runs."""
    factor, x = _scale(expr, True)
    inner, core = _scale(x, True) if isinstance(x, Expr) else (None, None)
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
"""The table of that rule."""
