"""Index notation, in which transposes, sums, outer products and diagonals need no rules.

An array is written as its element at the indices i, j, …: `A @ w` is Σⱼ Aᵢⱼ wⱼ, `A.T` is Aⱼᵢ,
an outer product is uᵢ vⱼ. Factors commute in this notation, so the rules of matrix algebra follow
by themselves: a scalar moves out of a sum because it has no index; (A B)ᵀ is Bᵀ Aᵀ because both
are Σⱼ Aᵢⱼ Bⱼₖ. Elements are SymPy symbols, and a Space records their meaning. See Laue,
Mitterreiter and Giesen, "Computing higher order derivatives of matrix and tensor expressions"
(2018).

A free index is the number of an axis, 0, 1, …; a bound index is negative; an axis of length one
has the index None.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import count, islice, permutations
from typing import Any

import numpy as np
import sympy

from autograd_lite.derivation import lowest
from autograd_lite.derivation.entries import Delta, Element, Expr, Index, Length, Opaque, Total
from autograd_lite.derivation.recognise import recognised

__all__ = ["Space"]


class Space:
    """The symbols of one derivation and their meanings."""

    def __init__(self) -> None:
        self._symbols: dict[Any, Any] = {}
        self._entries: dict[Any, Any] = {}
        self._free: dict[Any, frozenset[int]] = {}
        self.fresh: Callable[[], int] = count(1000).__next__
        """A new index, used nowhere else."""
        self.calls: list[tuple[Any, dict[str, Any], tuple[int, ...]]] = []
        self._calls: dict[Any, int] = {}
        self.known: dict[Expr, tuple[int, tuple[Index, ...]]] = {}
        self.shapes: dict[int, tuple[int, ...]] = {}
        self.lengths_as_symbols = False
        self.given_lengths: frozenset[int] = frozenset()
        self.constants: dict[int, Any] = {}
        self.parameters: list[Any] = []
        self.units: dict[int, int] = {}

    # Symbols

    def symbol(self, entry: Any) -> Any:
        """The symbol of an entry, always the same for equal ones."""
        found = self._symbols.get(entry)
        if found is None:
            found = self._symbols[entry] = sympy.Symbol(f"s{len(self._symbols):07d}")
            self._entries[found] = entry
        return found

    def entry(self, symbol: Any) -> Any:
        """The meaning of a symbol; None for any other expression."""
        return self._entries.get(symbol)

    def call(self, op: Any, attributes: dict[str, Any], shape: tuple[int, ...]) -> int:
        """A number for an operation with its attributes."""
        key = str(op), repr(attributes), shape
        number = self._calls.get(key)
        if number is None or not _same(self.calls[number][1], attributes):
            number = self._calls[key] = len(self.calls)
            self.calls.append((op, attributes, shape))
        return number

    # Indices

    def free(self, expr: Expr) -> frozenset[int]:
        """The free indices of an expression."""
        if expr.is_Symbol:
            found = self._free.get(expr)
            if found is None:
                entry = self._entries[expr]
                if isinstance(entry, Total):
                    found = self.free(entry.body) - set(entry.bound)
                else:
                    found = frozenset(i for i in entry.indices if i is not None)
                self._free[expr] = found
            return found
        return frozenset().union(*map(self.free, expr.free_symbols))

    def rename(self, expr: Expr, to: Mapping[int, Index]) -> Expr:
        """An expression with other free indices; an index that becomes None does not occur."""
        if all(i == j for i, j in to.items()):
            return expr
        changes = {
            symbol: self._renamed(symbol, to)
            for symbol in lowest.symbols(expr)
            if not self.free(symbol).isdisjoint(to)
        }
        return expr.xreplace(changes) if changes else expr

    def _renamed(self, symbol: Any, to: Mapping[int, Index]) -> Expr:
        entry = self._entries[symbol]
        if isinstance(entry, Total):
            if len(entry.lengths) > 1:
                body, lengths = self.opened(entry)
                return self.total(self.rename(body, to), lengths, simple=True)
            return self.symbol(Total(self.rename(entry.body, to), entry.lengths, entry.level))
        indices = tuple(to.get(i, i) if i is not None else None for i in entry.indices)
        if isinstance(entry, Delta):
            i, j = indices
            return sympy.S.One if i == j else self.delta(i, j)  # type: ignore[arg-type]
        if isinstance(entry, Element):
            return self.symbol(Element(entry.node, indices, entry.gradient))
        return self.symbol(Opaque(entry.call, entry.args, indices))

    def delta(self, i: int, j: int) -> Any:
        """δᵢⱼ."""
        return self.symbol(Delta((min(i, j), max(i, j))))

    # Sums

    def opened(self, entry: Total) -> tuple[Expr, dict[int, int]]:
        """The body of a sum in new indices, and their lengths."""
        to: dict[int, Index] = {i: self.fresh() for i in entry.bound}
        fresh = dict(zip(to.values(), entry.lengths, strict=True))
        return self.rename(entry.body, to), fresh  # type: ignore[return-value]

    def total(self, expr: Expr, lengths: Mapping[int, int], simple: bool = False) -> Expr:
        """The sum of an expression over some of its indices, in canonical form."""
        if not lengths:
            return expr
        if not simple:
            expr = self.lowest(expr)
        if expr.is_Add:
            content, rest = lowest.content(expr)
            if all(lowest.is_minus(t) for t in rest.args):
                content, rest = -content, sympy.Add(*(-t for t in rest.args))
            if content != 1:
                return content * self.total(rest, lengths, simple=True)
        if expr.is_Add and self._splits(expr, lengths):
            return sympy.Add(*(self.total(term, lengths, simple) for term in expr.args))
        lengths = dict(lengths)
        factors, todo, nested = [], list(sympy.Mul.make_args(expr)), False
        while todo:
            factor = todo.pop()
            entry = self._entries.get(factor)
            if isinstance(entry, Total):
                body, more = self.opened(entry)
                lengths |= more
                todo += sympy.Mul.make_args(body)
                nested = True
            else:
                factors.append(factor)
        factors = self._contracted(factors, lengths)
        if nested and not simple:
            factors = list(sympy.Mul.make_args(self.lowest(sympy.Mul(*factors))))
        outside = [f for f in factors if self.free(f).isdisjoint(lengths)]
        inside = [f for f in factors if not self.free(f).isdisjoint(lengths)]
        if len(inside) == 1 and inside[0].is_Add and self._splits(inside[0], lengths):
            return sympy.Mul(*outside, self.total(inside[0], lengths, simple))
        result = sympy.Mul(*outside)
        for indices, parts in self._components(inside, lengths):
            if len(parts) == 1 and self._is_unit(parts[0], indices):
                continue
            if parts:
                result *= self._closed(parts, {i: lengths[i] for i in indices})
            else:
                result *= sympy.Mul(*(self.length(lengths[i]) for i in indices))
        return result

    def _is_unit(self, factor: Expr, indices: set[int]) -> bool:
        """Whether a constant sums to 1 along an axis, as one-hot labels do."""
        entry = self._entries.get(factor)
        if factor.func.__name__ == "equal" and len(factor.args) == 2:
            other = self._entries.get(factor.args[1])
            return (
                isinstance(other, Opaque)
                and self.calls[other.call][0] == "arange"
                and set(other.indices) == indices
                and self.free(factor.args[0]).isdisjoint(indices)
            )
        if not isinstance(entry, Element) or entry.gradient or entry.node not in self.constants:
            return False
        axes = [k for k, i in enumerate(entry.indices) if i in indices]
        array = np.asarray(self.constants[entry.node])
        if len(axes) != 1 or not (np.add.reduce(array, axis=axes[0]) == 1).all():
            return False
        self.units[entry.node] = axes[0]
        return True

    def is_softmax(self, expr: Expr) -> bool:
        """Whether an expression is a softmax."""
        entry = self._entries.get(expr)
        return (
            isinstance(entry, Opaque)
            and getattr(self.calls[entry.call][0], "name", "") == "softmax"
        )

    def length(self, n: int) -> Expr:
        """The length of an axis: a number, or a symbol with `lengths_as_symbols`."""
        if self.lengths_as_symbols and n > 1:
            return self.symbol(Length(n))
        return sympy.Integer(n)

    def _splits(self, expr: Expr, lengths: Mapping[int, int]) -> bool:
        """Whether a sum of terms is written as several sums."""
        for term in expr.args:
            used = {self.free(f) for f in sympy.Mul.make_args(term)} - {frozenset()}
            if len([s for s in used if not s.isdisjoint(lengths)]) > 1:
                return True
            if not set(lengths) <= frozenset().union(*used):
                return True
            if any(isinstance(self._entries.get(f), Total) for f in sympy.Mul.make_args(term)):
                return True
        return False

    def _contracted(self, factors: list[Expr], lengths: dict[int, int]) -> list[Expr]:
        """The factors without each δᵢⱼ that is summed over: j takes the place of i."""
        for factor in factors:
            entry = self._entries.get(factor)
            if isinstance(entry, Delta) and not set(entry.indices).isdisjoint(lengths):
                i, j = entry.indices
                if i not in lengths:
                    i, j = j, i
                del lengths[i]
                rest = sympy.Mul(*(f for f in factors if f is not factor))
                expr = self.rename(rest, {i: j})
                return self._contracted(list(sympy.Mul.make_args(expr)), lengths)
        return factors

    def _components(
        self, factors: list[Expr], lengths: Mapping[int, int]
    ) -> list[tuple[set[int], list[Expr]]]:
        """The factors, grouped by the bound indices that they share."""
        groups: list[tuple[set[int], list[Expr]]] = [({i}, []) for i in lengths]
        for factor in factors:
            own = self.free(factor) & set(lengths)
            touched = [g for g in groups if not g[0].isdisjoint(own)]
            rest = [g for g in groups if g[0].isdisjoint(own)]
            indices = set().union(*(g[0] for g in touched))
            parts = [f for g in touched for f in g[1]] + [factor]
            groups = [*rest, (indices, parts)]
        return groups

    def _closed(self, factors: list[Expr], lengths: Mapping[int, int]) -> Any:
        body = sympy.Mul(*factors)
        order = self._order(body, list(lengths))
        top = max((e.level for s in body.free_symbols if isinstance(e := self._entries[s], Total)),
                  default=0)  # fmt: skip
        level = top + len(order)
        to: dict[int, Index] = {i: -level + k for k, i in enumerate(order)}
        return self.symbol(Total(self.rename(body, to), tuple(lengths[i] for i in order), level))

    def _order(self, body: Expr, bound: list[int]) -> list[int]:
        """Bound indices in an order that does not depend on their numbers."""
        if len(bound) < 2:
            return bound
        symbols = lowest.symbols(body)

        def used(index: int) -> list[tuple[Any, ...]]:
            return sorted(
                (self.source(s), k)
                for s in symbols
                for k, i in enumerate(getattr(self._entries[s], "indices", self.free(s)))
                if i == index
            )

        keys = {i: str(used(i)) for i in bound}
        bound = sorted(bound, key=lambda i: (keys[i], i))
        if len(set(keys.values())) == len(bound):
            return bound

        def written(order: Iterable[int]) -> str:
            place = {i: k for k, i in enumerate(order)}
            return str(sorted(
                (self.source(s), tuple(
                    place.get(i, i) if i is not None else None
                    for i in getattr(self._entries[s], "indices", ())
                ))
                for s in symbols
            ))  # fmt: skip

        return list(min(islice(permutations(bound), 24), key=written))

    def source(self, symbol: Any) -> str:
        entry = self._entries[symbol]
        if isinstance(entry, Element):
            return f"{entry.node}{'′' * entry.gradient}"
        return f"{type(entry).__name__}{entry.call if isinstance(entry, Opaque) else ''}"

    # Lowest terms

    def lowest(self, expr: Expr) -> Expr:
        """The expression in lowest terms, as written by hand."""
        if expr.is_Atom:
            return expr
        return self._tidy(lowest.lowest(recognised(self, expr)))

    def _tidy(self, expr: Expr) -> Expr:
        """Differences with the usual sign, 1 − ŷ and ŷ − y, and 1/m in front."""
        if expr.is_Add:
            expr = sympy.Add(*map(self._tidy, expr.args))
            if not expr.is_Add:
                return expr
            common = set.intersection(*({
                f for f in sympy.Mul.make_args(term)
                if f.is_Pow and isinstance(self._entries.get(f.base), Length)
            } for term in expr.args))  # fmt: skip
            if common:
                front = sympy.Mul(*common)
                return front * sympy.Add(*(term / front for term in expr.args))
            return expr
        if not expr.is_Mul:
            return expr
        factors = []
        expr = sympy.Mul(*(self._tidy(f) if f.is_Add else f for f in expr.args))
        for f in sympy.Mul.make_args(expr):
            base, exponent = (f.base, f.exp) if f.is_Pow else (f, sympy.S.One)
            turned = exponent.is_odd or (
                exponent.is_Integer and base.is_Add and any(t.is_number for t in base.args)
            )
            if base.is_Add and turned and self._is_backwards(base):
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
                if f.is_Add and self._is_balanced(f):
                    return -_without(expr, f) * sympy.Add(*(-t for t in f.args))
        return expr

    def _is_balanced(self, expr: Expr) -> bool:
        """Whether half of the terms are negative, and none is a number."""
        negative = [t for t in expr.args if lowest.is_minus(t)]
        return 2 * len(negative) == len(expr.args) and not any(t.is_number for t in expr.args)

    def _is_backwards(self, expr: Expr) -> bool:
        """Whether a sum is usually written with the other sign."""
        negative = [t for t in expr.args if lowest.is_minus(t)]
        if len(negative) * 2 != len(expr.args):
            return len(negative) * 2 > len(expr.args)
        numbers = [t for t in expr.args if t.is_number]
        if numbers:
            return bool(numbers[0].is_negative)
        return max(expr.args, key=self.newest) in negative

    def newest(self, expr: Expr) -> tuple[int, str]:
        """The latest node in an expression."""
        latest = -1
        for symbol in expr.free_symbols:
            entry = self._entries[symbol]
            if isinstance(entry, Element):
                latest = max(latest, entry.node)
            elif isinstance(entry, Total):
                latest = max(latest, 10**15 + self.newest(entry.body)[0])
            elif isinstance(entry, Opaque):
                latest = max(latest, 10**14 + entry.call)
        return latest, str(expr)

    def joint(self, expr: Expr) -> Expr:
        """The expression as one fraction in canonical form."""
        return lowest.joint(recognised(self, expr))

    def spread(self, expr: Expr) -> Expr:
        """The expression with every product expanded and every sum taken term by term."""
        changes = {}
        for symbol in lowest.symbols(expr):
            entry = self._entries[symbol]
            if isinstance(entry, Total):
                body, lengths = self.opened(entry)
                terms = sympy.Add.make_args(self.spread(body))
                changes[symbol] = sympy.Add(*(self.total(t, lengths, simple=True) for t in terms))
        return sympy.expand(self.joint(expr.xreplace(changes)))

    def size(self, expr: Expr) -> int:
        """The number of operations in an expression, those inside its sums included."""
        entries = [self._entries[s] for s in expr.free_symbols]
        return lowest.operations(expr) + sum(
            1 + sum(map(self.size, _inside(e))) for e in entries if isinstance(e, (Total, Opaque))
        )

    def contains(self, expr: Expr, test: Callable[[Any], bool]) -> bool:
        """Whether an entry that passes the test occurs anywhere in an expression."""
        entries = [self._entries[s] for s in expr.free_symbols]
        return any(test(e) or any(self.contains(x, test) for x in _inside(e)) for e in entries)


def _inside(entry: Any) -> list[Expr]:
    """The expressions inside a sum or an opaque operation."""
    if isinstance(entry, Total):
        return [entry.body]
    return [arg for arg, _ in entry.args] if isinstance(entry, Opaque) else []


def _without(expr: Expr, factor: Expr) -> Expr:
    """The other factors of a product; SymPy's division first checks for infinities."""
    return sympy.Mul(*(f for f in sympy.Mul.make_args(expr) if f is not factor))


def _same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    if a.keys() != b.keys():
        return False
    try:
        return all(np.array_equal(a[key], b[key]) for key in a)
    except (ValueError, TypeError):
        return False
