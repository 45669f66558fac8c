"""Rewriting of expressions by tables of rules, until no rule applies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.expressions.expr import (
    CONSTANT,
    Builder,
    Expr,
    function_of,
    in_order,
    is_number,
    replaced,
    with_inputs,
)

__all__ = ["UFUNCS", "Rule", "Rules", "folded", "rewrite", "ufunc_of"]

Rule = Callable[[Builder, Expr], Any]
"""Returns an equal expression that is better, or None."""

Rules = Mapping[str, Sequence[Rule]]
"""The rules for each function."""

UFUNCS = {
    f"np.{name}": function
    for name, function in vars(np).items()
    if isinstance(function, np.ufunc) and not function.signature
}
"""The elementwise functions of NumPy."""


def ufunc_of(fn: str) -> Any:
    """The elementwise function of NumPy or SciPy that a call computes, or None."""
    return function_of(fn) if fn.startswith("special.") else UFUNCS.get(fn)


FOLDED = {*UFUNCS, "np.matmul", ".astype", "np.add.reduce", "np.mean", "np.where"}
"""The calls on constants that may be computed when the program is compiled."""

SHORT = 64  # elements up to which a constant is readable


def rewrite(roots: Iterable[Any], rules: Rules, b: Builder, fold: bool = False) -> list[Any]:
    """Apply the rules wherever one fits, inputs first; returns the new roots.

    With `fold`, calls on constants are computed now. Without, only those with a scalar result, so
    that rules see how a constant array was computed. What no rule changes is remembered: a later
    pass of the same table does not look at it again.
    """
    roots = list(roots)
    b.live = set(in_order(roots))
    done = b.settled_by(rules, fold)

    def finish(root: Expr) -> Any:
        stack: list[tuple[Expr, Any]] = [(root, None)]
        while stack:
            expr, better = stack.pop()
            if better is not None:
                done[expr] = done[better]
            elif expr not in done:
                missing = [x for x in expr.inputs if x not in done]
                if missing:
                    stack += [(expr, None), *((x, None) for x in reversed(missing))]
                    continue
                new, final = _simplified(with_inputs(expr, b, done.__getitem__), rules, b, fold)
                # A new form that is not final may contain the expression itself.
                done[expr] = new if final else expr
                if not final:
                    stack += [(expr, new), (new, None)]
        return done[root]

    return [replaced(root, finish) for root in roots]


def _simplified(expr: Expr, rules: Rules, b: Builder, fold: bool) -> tuple[Any, bool]:
    """The form that one rule gives, and whether no other rule can apply to it."""
    b.line = expr.line
    if (not expr.shape or fold) and (value := _folded(expr, b)) is not None:
        return value, True
    for rule in rules.get(expr.fn, ()):
        better = rule(b, expr)
        if better is not None and better is not expr:
            if isinstance(better, Expr) and expr in b.names:
                b.names.setdefault(better, b.names[expr])
            return better, not isinstance(better, Expr)
    return expr, True


def _folded(expr: Expr, b: Builder) -> Any:
    """The value of a call on constants, unless it is much larger than they are, or None."""
    if not expr.args or expr.shape is None:
        return None
    if not (expr.fn in FOLDED or expr.fn.startswith("special.")):
        return None
    if not all(x.fn == CONSTANT for x in expr.inputs):
        return None
    if expr.fn == "np.divide" and not expr.shape:
        return None  # 1 / 3 is easier to read; the call that uses it takes it as a factor
    if expr.size > max([16, *(x.size for x in expr.inputs)]):
        return None
    with np.errstate(all="ignore"):
        args = replaced(expr.args, lambda x: x.value)
        return b.constant(np.asarray(function_of(expr.fn)(*args, **expr.keywords)))


def folded(roots: Iterable[Any], b: Builder) -> list[Any]:
    """Compute the calls on short constants alone; returns the new roots."""

    def known(expr: Expr) -> bool:
        plain = expr.inputs and expr.shape and expr.size <= SHORT and not _is_short_constant(expr)
        return (
            bool(plain)
            and all(map(_is_short_constant, expr.inputs))
            and not is_number(expr.args[0], 1)  # 1 - C is easier to read
        )

    def rule(b: Builder, expr: Expr) -> Any:
        return b.filled(np.asarray(b.value(expr))) if known(expr) else None

    roots = list(roots)
    order = in_order(roots)
    if not any(map(known, order)):
        return roots
    return rewrite(roots, {x.fn: [rule] for x in order}, b)


def _is_short_constant(expr: Expr) -> bool:
    x = expr.args[0] if expr.fn == "np.broadcast_to" else expr
    return isinstance(x, Expr) and x.fn == CONSTANT and x.size <= SHORT
