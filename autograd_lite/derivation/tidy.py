"""Signs and factors as usual: 1 − ŷ and ŷ − y, and 1/m in front."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import sympy

from autograd_lite.derivation import lowest
from autograd_lite.derivation.entries import Element, Expr, Length, Opaque, Total

__all__ = ["gathered", "tidy"]


def tidy(space: Any, expr: Expr) -> Expr:
    """Differences with the usual sign, 1 − ŷ and ŷ − y, and 1/m in front."""
    if expr.is_Add:
        expr = sympy.Add(*(tidy(space, t) for t in expr.args))
        if not expr.is_Add:
            return expr
        common = set.intersection(*({
            f for f in sympy.Mul.make_args(term)
            if f.is_Pow and isinstance(space.entry(f.base), Length)
        } for term in expr.args))  # fmt: skip
        if common:
            front = sympy.Mul(*common)
            return front * sympy.Add(*(term / front for term in expr.args))
        return expr
    if not expr.is_Mul:
        return expr
    factors = []
    expr = sympy.Mul(*(tidy(space, f) if f.is_Add else f for f in expr.args))
    for f in sympy.Mul.make_args(expr):
        base, exponent = (f.base, f.exp) if f.is_Pow else (f, sympy.S.One)
        turned = exponent.is_odd or (
            exponent.is_Integer and base.is_Add and any(t.is_number for t in base.args)
        )
        if base.is_Add and turned and _is_backwards(space, base):
            factors += [sympy.S.NegativeOne**exponent, (-base) ** exponent]
        else:
            factors.append(f)
    expr = sympy.Mul(*factors) if len(factors) != len(expr.args) else expr
    coefficient, rest = expr.as_coeff_Mul()
    sums = [f for f in sympy.Mul.make_args(rest) if f.is_Add]
    if coefficient.q != 1 and len(sums) == 1:
        number, terms = lowest.content(sympy.Add(*(coefficient * t for t in sums[0].args)))
        expr = sympy.Mul(_without(rest, sums[0]), number, terms)
    if expr.is_Mul and lowest.is_minus(expr):
        for f in expr.args:
            if f.is_Add and _is_balanced(f):
                return -_without(expr, f) * sympy.Add(*(-t for t in f.args))
    return expr


def _is_balanced(expr: Expr) -> bool:
    """Whether half of the terms are negative, and none is a number."""
    negative = [t for t in expr.args if lowest.is_minus(t)]
    return 2 * len(negative) == len(expr.args) and not any(t.is_number for t in expr.args)


def _is_backwards(space: Any, expr: Expr) -> bool:
    """Whether a sum is usually written with the other sign."""
    negative = [t for t in expr.args if lowest.is_minus(t)]
    if len(negative) * 2 != len(expr.args):
        return len(negative) * 2 > len(expr.args)
    numbers = [t for t in expr.args if t.is_number]
    if numbers:
        return bool(numbers[0].is_negative)
    latest = [newest(space, t) for t in expr.args]
    last = [t for t, n in zip(expr.args, latest, strict=True) if n == max(latest)]
    return (last[0] if len(last) == 1 else max(last, key=str)) in negative


def newest(space: Any, expr: Expr) -> int:
    """The latest node in an expression; a sum counts as later, and so does an opaque operation."""
    latest = -1
    for symbol in expr.free_symbols:
        entry = space.entry(symbol)
        if isinstance(entry, Element):
            latest = max(latest, entry.node)
        elif isinstance(entry, Total):
            latest = max(latest, 10**15 + newest(space, entry.body))
        elif isinstance(entry, Opaque):
            latest = max(latest, 10**14 + entry.call)
    return latest


def _without(expr: Expr, factor: Expr) -> Expr:
    """The other factors of a product; SymPy's division first checks for infinities."""
    return sympy.Mul(*(f for f in sympy.Mul.make_args(expr) if f is not factor))


def gathered(space: Any, form: Expr) -> Expr:
    """A x + Aᵀ x as (A + Aᵀ) x: sums with a common factor as one sum."""
    if not form.is_Add:
        return form
    totals = []
    for term in form.args:
        factors = sympy.Mul.make_args(term)
        sums = [f for f in factors if isinstance(space.entry(f), Total)]
        if len(sums) == 1 and len(space.entry(sums[0]).lengths) == 1:
            totals.append((term, sympy.Mul(*(f for f in factors if f is not sums[0])), sums[0]))
    best = form
    for (one, c, first), (other, d, second) in combinations(totals, 2):
        a, b = space.entry(first), space.entry(second)
        if a.lengths != b.lengths or not space.free(c) == space.free(d) == frozenset():
            continue
        i = space.fresh()
        bodies = [space.rename(t.body, {t.bound[0]: i}) for t in (a, b)]
        both = space.lowest(c * bodies[0] + d * bodies[1])
        if not both.is_Add:
            merged = form - one - other + space.total(both, {i: a.lengths[0]})
            if space.size(merged) <= space.size(best):
                best = merged
    return best if best is form else gathered(space, best)
