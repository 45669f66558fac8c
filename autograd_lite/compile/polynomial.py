"""Sums and products of σ(z) and σ(−z) in lowest terms."""

from __future__ import annotations

from typing import Any

from autograd_lite.compile.expr import Builder, Expr, is_number

__all__ = ["lowest_terms"]

MOST_TERMS = 16

# A product of atoms, sorted by their order of first appearance, and its coefficient.
Polynomial = dict[tuple[int, ...], float]


class _Atoms:
    """What a polynomial is made of: everything that is no sum, difference or product."""

    def __init__(self) -> None:
        self.all: list[Any] = []
        self.products = 0

    def number(self, x: Any) -> int:
        if x not in self.all:
            self.all.append(x)
        return self.all.index(x)


def _times(p: Polynomial, q: Polynomial) -> Polynomial:
    result: Polynomial = {}
    for a, x in p.items():
        for b, y in q.items():
            key = tuple(sorted(a + b))
            result[key] = result.get(key, 0.0) + x * y
    return result


def _plus(p: Polynomial, q: Polynomial, sign: float = 1.0) -> Polynomial:
    result = dict(p)
    for key, x in q.items():
        result[key] = result.get(key, 0.0) + sign * x
    return result


def _expanded(x: Any, atoms: _Atoms, flip: bool) -> Polynomial:
    """The polynomial; with `flip` σ(−z) is written as 1 − σ(z)."""
    if is_number(x):
        return {(): float(x)}
    if x.fn in ("np.add", "np.subtract", "np.multiply"):
        p, q = (_expanded(y, atoms, flip) for y in x.args)
        if x.fn == "np.multiply":
            atoms.products += 1
            return _times(p, q) if len(p) * len(q) <= MOST_TERMS else {(atoms.number(x),): 1.0}
        return _plus(p, q, 1.0 if x.fn == "np.add" else -1.0)
    if x.fn == "np.negative":
        return _plus({}, _expanded(x.args[0], atoms, flip), -1.0)
    if flip and x.fn == "sigmoid" and (z := _negated(x.args[0])) is not None:
        for other in atoms.all:
            if other.fn == "sigmoid" and other.args[0] is z:
                return {(): 1.0, (atoms.number(other),): -1.0}
    return {(atoms.number(x),): 1.0}


def _negated(x: Any) -> Any:
    return x.args[0] if isinstance(x, Expr) and x.fn == "np.negative" else None


def lowest_terms(b: Builder, e: Expr) -> Any:
    """The sum with σ(−z) as 1 − σ(z), if that makes products of the two cancel.

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
    if e.dtype.kind != "f":
        return None
    atoms = _Atoms()
    if len(_expanded(e, atoms, False)) > MOST_TERMS:
        return None
    pairs = {x.args[0] for x in atoms.all if x.fn == "sigmoid"}
    if not any(_negated(z) in pairs for z in pairs):
        return None
    before, atoms.products = atoms.products, 0
    found = {key: x for key, x in _expanded(e, atoms, True).items() if x}
    common = set(atoms_of_all(found))
    terms = [(tuple(k for k in key if k not in common), x) for key, x in found.items()]
    products = sum(max(len(key) - 1, 0) for key, _ in terms) + bool(common)
    if not terms or products >= atoms.products or any(abs(x) != 1 for _, x in terms):
        return None
    if before <= products or any(not key and common for key, _ in terms):
        return None
    result = _sum(b, [(_product(b, [atoms.all[k] for k in key]), x) for key, x in terms])
    result = _product(b, [*(atoms.all[k] for k in sorted(common)), result])
    return (
        result
        if isinstance(result, Expr) and ((result.shape, result.dtype) == (e.shape, e.dtype))
        else None
    )


def atoms_of_all(p: Polynomial) -> list[int]:
    """The atoms that every term has as a factor."""
    keys = list(p)
    return [k for k in (keys[0] if keys else ()) if all(k in key for key in keys)]


def _product(b: Builder, factors: list[Any]) -> Any:
    result: Any = 1.0
    for x in factors:
        result = x if is_number(result, 1.0) else b.call("np.multiply", result, x)
    return result


def _sum(b: Builder, terms: list[tuple[Any, float]]) -> Any:
    terms.sort(key=lambda term: -term[1])
    result, sign = terms[0]
    if sign < 0:
        result = b.call("np.negative", result) if isinstance(result, Expr) else -result
    for x, sign in terms[1:]:
        result = b.call("np.add" if sign > 0 else "np.subtract", result, x)
    return result
