"""The rewriting of expressions by tables of rules, to a fixed point."""

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
)

__all__ = ["Rule", "Rules", "folded", "rewrite"]

Rule = Callable[[Builder, Expr], Any]
"""What an expression equals, better computed, or None."""

Rules = Mapping[str, Sequence[Rule]]
"""The rules for each function."""


def rewrite(roots: Iterable[Any], rules: Rules, builder: Builder, fold: bool = False) -> list[Any]:
    """The same results with every rule applied wherever it fits, inputs first.

    With `fold` calls on constants are made now; without, only those that give a scalar, so that
    rules see how a constant array was made.
    """
    roots = list(roots)
    builder.live = set(in_order(roots))
    done: dict[Expr, Any] = {}

    def settle(root: Expr) -> Any:
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
                made, settled = simplest(expr)
                # What it becomes may contain it.
                done[expr] = made if settled else expr
                if not settled:
                    stack += [(expr, made), (made, None)]
        return done[root]

    def simplest(expr: Expr) -> tuple[Any, bool]:
        """The same by one rule, and whether no other needs a look at it."""
        args = replaced(expr.args, done.__getitem__)
        keywords = {k: replaced(v, done.__getitem__) for k, v in expr.keywords.items()}
        new = builder.like(expr, args, keywords)
        if expr in builder.names:
            builder.names.setdefault(new, builder.names[expr])
        if (not new.shape or fold) and (folded := _folded(new, builder)) is not None:
            return folded, True
        for rule in rules.get(new.fn, ()):
            better = rule(builder, new)
            if better is not None and better is not new:
                if isinstance(better, Expr) and new in builder.names:
                    builder.names.setdefault(better, builder.names[new])
                return better, not isinstance(better, Expr)
        return new, True

    return [replaced(root, settle) for root in roots]


def _folded(expr: Expr, builder: Builder) -> Any:
    """The value of a call on constants, if holding it costs no more than they do."""
    if not expr.args or expr.fn not in FOLDED:
        return None
    if not all(x.fn == CONSTANT for x in expr.inputs) or expr.shape is None:
        return None
    if expr.fn == "np.divide" and not expr.shape:
        # A quotient of two numbers is left to read; what uses it takes it in as its factor.
        return None
    if expr.size > max(16, *(x.size for x in expr.inputs), 16):
        return None
    with np.errstate(all="ignore"):
        args = replaced(expr.args, lambda x: x.value)
        value = function_of(expr.fn)(*args, **expr.keywords)
    return builder.constant(np.asarray(value))


def folded(roots: Iterable[Any], builder: Builder) -> list[Any]:
    """The same results with what is made of short constants alone computed now."""

    def known(expr: Expr) -> bool:
        plain = expr.inputs and expr.shape and expr.size <= SHORT and not _constant(expr)
        return bool(plain) and all(map(_constant, expr.inputs)) and not is_number(expr.args[0], 1)

    def rule(builder: Builder, expr: Expr) -> Any:
        return builder.filled(np.asarray(builder.value(expr))) if known(expr) else None

    roots = list(roots)
    order = in_order(roots)
    if not any(map(known, order)):
        return roots
    return rewrite(roots, {x.fn: [rule] for x in order}, builder)


def _constant(expr: Expr) -> bool:
    held = expr.args[0] if expr.fn == "np.broadcast_to" else expr
    return isinstance(held, Expr) and held.fn == CONSTANT and held.size <= SHORT


SHORT = 64  # elements of a constant that people read

FOLDED = {
    *(f"np.{name}" for name, function in vars(np).items() if isinstance(function, np.ufunc)),
    *(".astype", "np.add.reduce", "np.mean", "np.where"),
}
"""What may be computed when the program is compiled, from constants."""
