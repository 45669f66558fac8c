"""Elementwise expressions in lowest terms, by SymPy."""

from __future__ import annotations

from functools import cache, lru_cache
from math import comb, prod
from operator import attrgetter
from typing import Any

import sympy
from sympy.polys.polyerrors import PolynomialError

from autograd_lite.derivation.entries import Expr, called

__all__ = [
    "EXP",
    "LOG",
    "SIGMOID",
    "content",
    "has_long_number",
    "is_long_number",
    "is_minus",
    "joint",
    "lowest",
    "operations",
    "symbols",
    "with_sigmoid",
    "with_tanh",
]

EXP, LOG, SIGMOID, TANH = (called(name) for name in ("exp", "log", "sigmoid", "tanh"))

LARGEST = 160
"""Expressions with more operations are not simplified."""

COSTLIEST = 128
"""Nor are those with more symbols and functions, times the terms when multiplied out."""


def lowest(expr: Expr) -> Expr:
    """The expression as written by hand.

    It becomes one cancelled fraction where that removes a denominator. A sum of fractions remains
    a sum where a common denominator makes it longer.
    """
    return _renamed(expr, _lowest)


def joint(expr: Expr) -> Expr:
    """One fraction of factored polynomials, the same for equal rational functions."""
    return _renamed(expr, _joint)


def content(expr: Expr) -> tuple[Any, Expr]:
    """A sum as a number times a sum, where that is shorter: λw + r/6 stays as it is."""
    terms = [t.as_coeff_Mul() for t in expr.args]
    numbers = [abs(c) for c, _ in terms]
    # A term that is only a number is written as a number in any case.
    alone = [rest == 1 for _, rest in terms]
    alike = len({c.q for c in numbers}) == 1
    best, least = sympy.S.One, _written(numbers, alone)
    for number in (expr.primitive()[0], *sorted(set(numbers), key=lambda c: (c.q, c.p))):
        left = [c / number for c in numbers]
        grown = any(
            a.q < b.q if single else a.p * a.q < b.p * b.q
            for a, b, single in zip(numbers, left, alone, strict=True)
        )
        size = 1 + _written(left, alone)
        tie = size == least and alike and best == 1
        if number != 1 and not grown and (size < least or tie):
            best, least = number, size
    if best == 1:
        return best, expr
    return best, sympy.Add(*(c / best * rest for c, rest in terms))


def _written(numbers: list[Any], alone: list[bool]) -> int:
    return sum(c != 1 and not single for c, single in zip(numbers, alone, strict=True))


def _renamed(expr: Expr, function: Any) -> Expr:
    """The function of an expression in standard symbols, so that its cache serves all names."""
    if expr.is_Atom:
        return expr
    to = {s: _letter(k) for k, s in enumerate(symbols(expr))}
    result = function(expr.xreplace(to))
    return result.xreplace({x: s for s, x in to.items()})


def symbols(expr: Expr) -> list[Any]:
    """The symbols of an expression, oldest first; the order of a set differs between runs."""
    return sorted(expr.free_symbols, key=attrgetter("name"))


def is_long_number(x: Expr) -> bool:
    """Whether a fraction has more digits than machine integers have."""
    return bool(x.is_Rational) and max(abs(x.p), x.q) >= 2**63


def has_long_number(expr: Expr) -> bool:
    """Whether a number in an expression has so many digits."""
    return any(map(is_long_number, expr.atoms(sympy.Rational)))


def is_minus(term: Expr) -> bool:
    """Whether a term begins with a minus."""
    number = term.as_coeff_Mul()[0]
    # is_negative is slow: SymPy deduces every property of the number.
    return bool(number.is_Rational and number.p < 0)


@cache
def _letter(k: int) -> Any:
    return sympy.Symbol(f"x{k:03d}")


@lru_cache(maxsize=4096)
def _joint(expr: Expr) -> Expr:
    if _is_large(expr):
        return expr
    try:
        return sympy.factor(sympy.cancel(sympy.together(expr)))
    except (PolynomialError, NotImplementedError, AttributeError):
        return expr


@lru_cache(maxsize=4096)
def _lowest(expr: Expr) -> Expr:
    if expr.is_Atom or _is_large(expr):
        return expr
    found = _as_given(_reduced(expr), expr)
    # Over one denominator, β + x/s − t only grows.
    grown = _size(expr) < _size(found) and _denominators(expr) <= _denominators(found)
    return expr if grown else found


def _is_large(expr: Expr) -> bool:
    if operations(expr) > LARGEST:
        return True
    generators = len(expr.free_symbols) + len(expr.atoms(sympy.Function))
    return generators * _terms(expr) > COSTLIEST


def _terms(expr: Expr) -> int:
    """The number of terms of an expression when it is multiplied out."""
    if expr.is_Add:
        return sum(map(_terms, expr.args))
    if expr.is_Mul:
        return prod(map(_terms, expr.args))
    if expr.is_Pow and expr.exp.is_Integer:
        base, power = _terms(expr.base), abs(int(expr.exp))
        return comb(base + power - 1, power)
    return 1


def _as_given(found: Expr, expr: Expr) -> Expr:
    """Powers of sums as given: (ŷ − y)², and ε + v where cancelling made 1 + 1000v of it."""
    sums = expr.atoms(sympy.Add)
    given = {
        s.primitive()[1]: s
        for s in sums
        if any(t.is_Rational and t.q != 1 for t in s.args)
        and any(abs(t.as_coeff_Mul()[0]) == 1 for t in s.args if not t.is_number)
    }
    changes = {}
    for power in found.atoms(sympy.Pow) if sums else ():
        if power.base.is_Add and power.base not in sums:
            if power.exp.is_even and -power.base in sums:
                changes[power] = (-power.base) ** power.exp
                continue
            number, rest = power.base.primitive()
            s = given.get(rest)
            if s is not None:
                changes[power] = (number / s.primitive()[0]) ** power.exp * s**power.exp
    return found.xreplace(changes)


def _reduced(expr: Expr) -> Expr:
    apart, together = _apart(expr), _joint(expr)
    below_apart, below_together = _denominators(apart), _denominators(together)
    if not below_apart and not below_together:
        # (1 − t)(1 + t) is 1 − t², but ŷ(1 − ŷ) stays.
        return min((together, apart, sympy.expand(together)), key=_size)
    if below_apart == below_together and _fractions(apart):
        return apart
    return together if _size(together) <= _size(apart) or below_together < below_apart else apart


def _apart(expr: Expr) -> Expr:
    """Each term in lowest terms by itself, those with the same denominator gathered."""
    if expr.is_Mul:
        sums = [f for f in expr.args if f.is_Add and _denominators(f)]
        if len(sums) == 1:
            rest = sympy.Mul(*(f for f in expr.args if f is not sums[0]))
            constant = sympy.Mul(*(f for f in sympy.Mul.make_args(rest) if _is_length(f)))
            rest = rest / constant
            return constant * _apart(sympy.Add(*(rest * t for t in sums[0].args)))
    if expr.is_Add:
        terms: dict[Any, list[Any]] = {}
        for term in expr.args:
            term = _joint(term)
            terms.setdefault(_denominators(term), []).append(term)
        return sympy.Add(
            *(_joint(sympy.Add(*ts)) if d else sympy.Add(*ts) for d, ts in terms.items())
        )
    return expr


def _is_length(x: Expr) -> bool:
    return bool(x.is_Pow and x.exp == -1 and x.base.is_Symbol)


def _fractions(expr: Expr) -> bool:
    """Whether an expression is a constant times a sum with fractions."""
    factors = sympy.Mul.make_args(expr)
    sums = [f for f in factors if f.is_Add]
    return len(sums) == 1 and all(
        bool(_denominators(f)) if f.is_Add else f.is_number or _is_length(f) for f in factors
    )


def _denominators(expr: Expr) -> frozenset[Expr]:
    found = set()
    for power in expr.atoms(sympy.Pow):
        if power.exp.is_negative or power.exp.could_extract_minus_sign():
            base = power.base
            for factor in sympy.Mul.make_args(base):
                if factor.is_number:
                    continue
                found.add(-factor if factor.could_extract_minus_sign() else factor)
    return frozenset(found)


def _size(expr: Expr) -> int:
    """The number of operations on paper: −(x − 1) counts as 1 − x."""
    size = operations(expr)
    if is_minus(expr) and any(f.is_Add for f in sympy.Mul.make_args(expr)):
        size -= 1
    return size


@lru_cache(maxsize=65536)
def operations(expr: Expr) -> int:
    """The number of operations in an expression."""
    if is_long_number(expr):
        return LARGEST + 1
    if expr.is_Atom:
        return 0 if not expr.is_Rational else int(expr.q != 1) + int(expr.p < 0)
    if expr.is_Add:
        number, rest = content(expr)
        if number != 1:
            return 1 + operations(number) + operations(rest)
    inside = sum(map(operations, expr.args))
    if expr.is_Add:
        # The minus of a term is the operation between the terms.
        minus = sum(is_minus(t) for t in expr.args)
        return len(expr.args) - 1 + inside - min(minus, len(expr.args) - 1)
    if expr.is_Mul:
        return len(expr.args) - 1 + int(inside) - int(expr.args[0] == -1)
    if expr.is_Pow and expr.exp.is_Rational:
        return operations(expr.base) + int(abs(expr.exp) != 1)
    return 1 + inside


def with_sigmoid(expr: Expr, exponentials: list[Expr], known: Any) -> Expr:
    """σ(z) for 1 / (1 + exp(−z)), or the name of a node with this value."""
    sums = expr.atoms(sympy.Add)
    for e in sorted(exponentials, key=str):
        u = e.args[0]
        negative = u.could_extract_minus_sign()
        s = SIGMOID(-u if negative else u)
        node = known(s)
        if node is None and not expr.has(s) and not any(_one_plus(x, e) for x in sums):
            continue
        s = s if node is None else node
        tried = lowest(expr.xreplace({e: (1 - s) / s if negative else s / (1 - s)}))
        if not tried.has(e) and operations(tried) <= operations(expr):
            expr = tried
    return expr


def with_tanh(expr: Expr, exponentials: list[Expr]) -> Expr:
    """tanh u, where exp u and exp(−u) occur only as exp 2u = (1 + tanh u)/(1 − tanh u)."""
    for e in sorted(exponentials, key=str):
        (u,) = e.args
        if u.could_extract_minus_sign() or EXP(-u) not in exponentials:
            continue
        q, t = sympy.Symbol("q"), TANH(u)
        try:
            fraction = sympy.cancel(sympy.together(expr.xreplace({e: q, EXP(-u): 1 / q})))
        except (PolynomialError, NotImplementedError, AttributeError):
            continue
        powers = {p for p in fraction.atoms(sympy.Pow) if p.base == q and p.exp.is_even}
        tried = fraction.xreplace({p: ((1 + t) / (1 - t)) ** (p.exp / 2) for p in powers})
        if not tried.has(q):
            tried = lowest(sympy.cancel(tried))
            if operations(tried) < operations(expr):
                expr = tried
    return expr


def _one_plus(s: Expr, e: Expr) -> bool:
    ratio = [t.as_coeff_Mul() for t in s.args]
    return len(ratio) == 2 and {c for c, _ in ratio} <= {1, -1} and s in (1 + e, -1 - e)
