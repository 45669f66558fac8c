"""The passes from a graph to the readable program, and from that to the running one."""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Any

from autograd_lite.compiler import factors, machine, rules, sigmoids, zeros
from autograd_lite.compiler.bounds import is_finite
from autograd_lite.compiler.native import stretched
from autograd_lite.compiler.rewrite import Rules, folded, rewrite
from autograd_lite.expressions.expr import LOOP, Builder, Expr, in_order
from autograd_lite.expressions.loops import with_bodies
from autograd_lite.expressions.lower import KEPT, expanded
from autograd_lite.op import OPS

assert zeros  # importing it enters its rules into the table

__all__ = ["native", "readable", "running", "with_factors_placed"]


def _joined(*tables: Rules) -> Rules:
    fns = dict.fromkeys(fn for table in tables for fn in table)
    return {fn: [rule for table in tables for rule in table.get(fn, ())] for fn in fns}


_WITH_SIGMOIDS = _joined(rules.ALGEBRA, sigmoids.SIGMOIDS)
_DEFINED: Rules = {
    "np.zeros_like": [rules.filled],
    "np.ones_like": [rules.filled],
    "np.mean": [rules.mean_as_sum],
    "cross_entropy": [rules.losses_of_rows],
}
_WITH_FACTORS = _joined(factors.MERGED, rules.ALGEBRA)


def readable(roots: Sequence[Any], b: Builder) -> list[Any]:
    """The program in lowest terms, as a person would write it."""
    roots = _readable(roots, b)
    for loop in [x for x in in_order(roots) if x.fn == LOOP]:
        is_finite(b, loop, ordinary=True)  # and so it is known what is finite in its body
    return with_bodies(roots, b, lambda body: _readable(body, b))


def _readable(roots: Sequence[Any], b: Builder) -> list[Any]:
    roots = rewrite(roots, rules.ALGEBRA, b)
    roots = factors.pulled_out(roots, b)
    if _calls_any(roots, sigmoids.CALLED):
        roots = rewrite(roots, _WITH_SIGMOIDS, b)
        roots = factors.pulled_out(roots, b)
        roots = _expanded(roots, b, "softplus")
    roots = rewrite(factors.pulled_out(rewrite(roots, rules.ALGEBRA, b), b), rules.ALGEBRA, b)
    if _calls_any(roots, sigmoids.SHARING):
        roots = rewrite(roots, sigmoids.SHARING, b)
        roots = rewrite(_expanded(roots, b, "sigmoid"), rules.ALGEBRA, b)
    roots = _with_constants_folded(roots, b)
    return factors.placed(roots, b, all_factors=False)


def _calls_any(roots: Sequence[Any], fns: Container[str]) -> bool:
    """Whether a program calls one of some functions."""
    return any(x.fn in fns for x in in_order(roots))


def _with_constants_folded(roots: list[Any], b: Builder) -> list[Any]:
    """Fold short constants, and simplify where that made a number of an array."""
    found = folded(roots, b)
    if all(x is y for x, y in zip(found, roots, strict=True)):
        return roots
    found = factors.pulled_out(rewrite(found, rules.ALGEBRA, b), b)
    return rewrite(found, rules.ALGEBRA, b)


def with_factors_placed(roots: Sequence[Any], b: Builder) -> list[Any]:
    """The program with its scalar factors folded and placed where they cost least."""

    def changed(roots: Sequence[Any]) -> list[Any]:
        return rewrite(factors.placed(roots, b, all_factors=True), _WITH_FACTORS, b, fold=True)

    return with_bodies(changed(roots), b, changed)


def running(roots: Sequence[Any], b: Builder, length: int = 0) -> list[Any]:
    """The program by the fastest of NumPy's equal calls."""

    def changed(roots: Sequence[Any]) -> list[Any]:
        return rewrite(roots, machine.MACHINE, b, fold=True)

    return with_bodies(changed(roots), b, changed)


def native(roots: Sequence[Any], b: Builder, length: int = 0) -> list[Any]:
    """The program by native functions, and by NumPy what they cannot compute.

    Args:
        roots: the program.
        b: its builder.
        length: the number of rows in the trace, if the program is for any number of rows.
    """

    def changed(roots: Sequence[Any]) -> list[Any]:
        return stretched(roots, b, length)

    return running(with_bodies(changed(roots), b, changed), b)


def as_numpy(roots: Sequence[Any], b: Builder) -> list[Any]:
    """The program as it is, in the calls that every language has."""
    roots = rewrite(roots, _DEFINED, b)
    for name in sorted(KEPT):
        roots = _expanded(roots, b, name)
    return [*roots]


def _expanded(roots: Sequence[Any], b: Builder, name: str) -> list[Any]:
    """The program with one of the `KEPT` operations as NumPy calls."""

    def rule(b: Builder, expr: Expr) -> Any:
        return expanded(OPS[name], expr.args, expr.keywords, (expr.shape, expr.dtype), b)

    return rewrite(roots, {name: [rule]}, b)
