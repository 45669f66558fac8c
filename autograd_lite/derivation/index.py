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
from autograd_lite.derivation.entries import (
    Delta,
    Element,
    Expr,
    Index,
    Length,
    Number,
    Opaque,
    Placed,
    Terms,
    Total,
)
from autograd_lite.derivation.recognise import recognised
from autograd_lite.derivation.tidy import tidy

__all__ = ["Space"]

FIRST_NUMBER = -10
"""The position of the first number that is no short fraction."""


class Space:
    """The symbols of one derivation and their meanings."""

    def __init__(self) -> None:
        self._symbols: dict[Any, Any] = {}
        self._entries: dict[Any, Any] = {}
        self._free: dict[Any, frozenset[int]] = {}
        self._nodes: dict[Any, frozenset[int]] = {}
        self._numbers: dict[Number, int] = {}
        self.numbers: dict[int, Number] = {}
        """The numbers that are no short fractions, by what stands for their position."""
        self.fresh: Callable[[], int] = count(1000).__next__
        """A new index, used nowhere else."""
        self.calls: list[tuple[Any, dict[str, Any], tuple[int, ...]]] = []
        self._calls: dict[Any, int] = {}
        self.exprs: dict[Placed, Expr] = {}
        self.known_at: dict[int, list[tuple[Placed, int, tuple[Index, ...]]]] = {}
        """The named nodes that are functions of a node, and of none after it: σ, softmax."""
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

    # Nodes

    def nodes(self, expr: Expr) -> frozenset[int]:
        """The positions of the nodes and numbers in an expression."""
        return frozenset().union(*map(self._nodes_of, expr.free_symbols))

    def _nodes_of(self, symbol: Any) -> frozenset[int]:
        found = self._nodes.get(symbol)
        if found is None:
            entry = self._entries[symbol]
            own = {entry.node} if isinstance(entry, Element) else set()
            if isinstance(entry, Number):
                own = {self.number(entry)}
            found = frozenset(own).union(*map(self.nodes, _inside(entry)))
            self._nodes[symbol] = found
        return found

    def number(self, entry: Number) -> int:
        """The position of a number."""
        position = self._numbers.setdefault(entry, FIRST_NUMBER - len(self._numbers))
        self.numbers[position] = entry
        return position

    def at(self, placed: Placed) -> Expr:
        """The expression of a pattern with other nodes."""
        found = self.exprs.get(placed)
        if found is None:
            to = dict(zip(placed.pattern.nodes, placed.nodes, strict=True))
            found = self.exprs[placed] = self._moved(placed.pattern.expr, to)
        return found

    def summed(self, terms: Terms) -> Expr:
        """The expression of a sum."""
        return sympy.Add(*map(self.at, terms))

    def _moved(self, expr: Expr, to: Mapping[int, int]) -> Expr:
        if not to:
            return expr
        return expr.xreplace({s: self._symbol_moved(s, to) for s in lowest.symbols(expr)})

    def _symbol_moved(self, symbol: Any, to: Mapping[int, int]) -> Any:
        entry = self._entries[symbol]
        if isinstance(entry, Element):
            return self.symbol(Element(to[entry.node], entry.indices, entry.gradient))
        if isinstance(entry, Total):
            if len(entry.lengths) > 1:  # the order of several indices depends on the nodes
                body, lengths = self.opened(entry)
                return self.total(self._moved(body, to), lengths, simple=True)
            return self.symbol(Total(self._moved(entry.body, to), entry.lengths, entry.level))
        if isinstance(entry, Number):
            return self.symbol(self.numbers[to[self._numbers[entry]]])
        if isinstance(entry, Opaque):
            args = tuple((self._moved(arg, to), shape) for arg, shape in entry.args)
            return self.symbol(Opaque(entry.call, args, entry.indices))
        return symbol

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
        expr = recognised(self, expr)
        is_large = lowest.operations(expr) > lowest.LARGEST
        return expr if is_large else tidy(self, lowest.lowest(expr))

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


def _same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    if a.keys() != b.keys():
        return False
    try:
        return all(np.array_equal(a[key], b[key]) for key in a)
    except (ValueError, TypeError):
        return False
