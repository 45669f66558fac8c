"""The passes from a record to a program that people read, and to the one that runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograd_lite.compiler import factors, machine, rules, sigmoids, zeros
from autograd_lite.compiler.rewrite import Rules, folded, rewrite
from autograd_lite.expressions.expr import Builder, Expr
from autograd_lite.expressions.lower import expanded
from autograd_lite.op import OPS

assert zeros  # its rule is in the table

__all__ = ["for_people", "for_speed", "with_factors_placed"]


def _together(*tables: Rules) -> Rules:
    fns = dict.fromkeys(fn for table in tables for fn in table)
    return {fn: [rule for table in tables for rule in table.get(fn, ())] for fn in fns}


def for_people(roots: Sequence[Any], b: Builder) -> list[Any]:
    """In lowest terms: what one would write by hand."""
    roots = rewrite(roots, rules.ALGEBRA, b)
    roots = factors.pulled_out(roots, b)
    roots = rewrite(roots, _together(rules.ALGEBRA, sigmoids.SIGMOIDS), b)
    roots = factors.pulled_out(roots, b)
    roots = _taken_apart(roots, b, {"softplus"})
    roots = rewrite(roots, rules.ALGEBRA, b)
    roots = rewrite(roots, sigmoids.SHARING, b)
    roots = _taken_apart(roots, b, {"sigmoid"})
    roots = _constants(roots, b)
    return factors.placed(roots, b, all_factors=False)


def _constants(roots: list[Any], b: Builder) -> list[Any]:
    """Constants computed, and the numbers that come of it where numbers belong."""
    found = folded(roots, b)
    if all(x is y for x, y in zip(found, roots, strict=True)):
        return roots
    found = factors.pulled_out(rewrite(found, rules.ALGEBRA, b), b)
    return rewrite(found, rules.ALGEBRA, b)


def with_factors_placed(roots: Sequence[Any], b: Builder) -> list[Any]:
    """The same with scalars folded, and placed by cost."""
    roots = factors.placed(roots, b, all_factors=True)
    return rewrite(roots, _together(factors.MERGED, rules.ALGEBRA), b, fold=True)


def for_speed(roots: Sequence[Any], b: Builder) -> list[Any]:
    """By the quickest of NumPy's equal calls."""
    return rewrite(roots, machine.MACHINE, b, fold=True)


def _taken_apart(roots: Sequence[Any], builder: Builder, names: set[str]) -> list[Any]:
    """The same expressions with some of the `KEPT` operations as NumPy calls."""

    def rule(builder: Builder, expr: Expr) -> Any:
        form = expr.shape, expr.dtype
        return expanded(OPS[expr.fn], expr.args, expr.keywords, form, builder)

    return rewrite(roots, {name: [rule] for name in names}, builder)
