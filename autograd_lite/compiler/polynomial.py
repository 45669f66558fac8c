"""Sums of products of σ(z) and σ(−z), simplified as polynomials."""

from __future__ import annotations

from collections import Counter
from functools import reduce
from typing import Any

from autograd_lite.compiler.rules import same
from autograd_lite.expressions.expr import Builder, Expr, is_number

__all__ = ["lowest_terms"]

# Larger expressions are left as they are.
MOST_CALLS = 64
MOST_TERMS = 16

RING = {"np.add", "np.subtract", "np.multiply", "np.negative"}

Polynomial = dict[tuple[int, ...], float]
"""The coefficient of each product of atoms, given by the sorted numbers of the atoms.

An atom is an expression that is not itself a sum, a difference or a product.
"""


def lowest_terms(b: Builder, e: Expr) -> Any:
    """Replace σ(−z) by 1 − σ(z) in a sum, if all products of the two cancel; else None.

    The result is a sum of atoms, times the factors common to all terms: σ(z) − y, but not s − s².
    It contains every atom of the sum, so that it is NaN or infinite where the sum is.

    Example:
        >>> import numpy as np
        >>> b = Builder()
        >>> y, z = (b.argument(np.ones(2), name) for name in "yz")
        >>> s, t = b.call("sigmoid", z), b.call("sigmoid", b.call("np.negative", z))
        >>> s_part = b.call("np.multiply", b.call("np.subtract", 1.0, y), s)
        >>> e = b.call("np.subtract", s_part, b.call("np.multiply", y, t))
        >>> lowest_terms(b, e)
        np.subtract(sigmoid, argument) (2,) float64
    """
    order = _calls(e)
    complements = _complements(order)
    if not complements:
        return None
    atoms = [x for x in order if x.fn not in RING and x not in complements]
    terms = {key: x for key, x in _expanded(order, atoms, complements).items() if x}
    common = reduce(Counter.__and__, map(Counter, terms)) if terms else Counter[int]()
    rests = [(list((Counter(key) - common).elements()), x) for key, x in terms.items()]
    if any(len(rest) != 1 or abs(x) != 1 for rest, x in rests):
        return None
    shared = sorted(common.elements())
    products = sum(x.fn == "np.multiply" for x in order)
    if {*shared, *(k for (k,), _ in rests)} != set(range(len(atoms))) or len(shared) >= products:
        return None
    result = _sum(b, [(atoms[k], x) for (k,), x in rests])
    for k in reversed(shared):
        result = b.call("np.multiply", atoms[k], result)
    return same(result, e)


def _calls(e: Expr) -> list[Expr]:
    """The calls of a sum down to its atoms, inputs first.

    Empty if there are more than `MOST_CALLS`, or if they are not all of one floating-point dtype.
    """
    order: list[Expr] = []
    seen: set[Expr] = set()
    stack = [(e, False)]
    while stack:
        x, ready = stack.pop()
        if ready:
            order.append(x)
        elif x not in seen:
            if len(seen) == MOST_CALLS or x.dtype != e.dtype or x.dtype.kind != "f":
                return []
            seen.add(x)
            stack.append((x, True))
            if x.fn in RING:
                stack += [(y, False) for y in reversed(x.inputs)]
    return order


def _complements(order: list[Expr]) -> dict[Expr, Expr]:
    """The σ(z) for each σ(−z) of which both occur."""
    sigmoids = {x.args[0]: x for x in order if x.fn == "sigmoid"}
    found = {x: sigmoids.get(_negated(z)) for z, x in sigmoids.items()}
    return {x: y for x, y in found.items() if y is not None and found[y] is None}


def _negated(z: Any) -> Any:
    return z.args[0] if isinstance(z, Expr) and z.fn == "np.negative" else None


def _expanded(order: list[Expr], atoms: list[Expr], complements: dict[Expr, Expr]) -> Polynomial:
    """The last call as a polynomial; empty if it has more than `MOST_TERMS` terms."""
    numbers = {x: k for k, x in enumerate(atoms)}
    found: dict[Any, Polynomial] = {}
    made: Polynomial = {}
    for x in order:
        if x in numbers:
            made = {(numbers[x],): 1.0}
        elif x in complements:
            made = {(): 1.0, (numbers[complements[x]],): -1.0}
        else:
            parts: list[Polynomial] = [{(): float(y)} if is_number(y) else found[y] for y in x.args]
            if x.fn == "np.multiply":
                made = _times(*parts)
            else:
                first = {} if x.fn == "np.negative" else parts[0]
                made = _plus(first, parts[-1], 1.0 if x.fn == "np.add" else -1.0)
        if len(made) > MOST_TERMS:
            return {}
        found[x] = made
    return made


def _times(p: Polynomial, q: Polynomial) -> Polynomial:
    result: Polynomial = {}
    for a, x in p.items():
        for b, y in q.items():
            key = tuple(sorted(a + b))
            result[key] = result.get(key, 0.0) + x * y
    return result


def _plus(p: Polynomial, q: Polynomial, sign: float) -> Polynomial:
    result = dict(p)
    for key, x in q.items():
        result[key] = result.get(key, 0.0) + sign * x
    return result


def _sum(b: Builder, terms: list[tuple[Expr, float]]) -> Expr:
    terms.sort(key=lambda term: -term[1])
    result, sign = terms[0]
    if sign < 0:
        result = b.call("np.negative", result)
    for x, sign in terms[1:]:
        result = b.call("np.add" if sign > 0 else "np.subtract", result, x)
    return result
