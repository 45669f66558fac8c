"""Expressions up to the nodes that they name, so that equal steps of a loop are derived once.

The steps of a loop have the same formulas, in other nodes. A `Placed` expression is a pattern,
which is the first expression of its form, with the nodes that take the places of the first ones.
What is computed from placed expressions is remembered for their patterns, and placed again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from functools import partial
from operator import attrgetter
from typing import Any

import numpy as np
import sympy

from autograd_lite.derivation.entries import (
    Element,
    Expr,
    Number,
    Opaque,
    Pattern,
    Placed,
    Terms,
    Total,
)
from autograd_lite.derivation.index import Space

__all__ = ["Expressions", "Patterns", "literal"]


class Patterns:
    """The patterns of a space, and what was computed from them.

    Args:
        space: where the symbols live.
        kind: what a formula may depend on besides the position of a node.
    """

    def __init__(self, space: Space, kind: Callable[[int], Any]) -> None:
        self.space = space
        self.kind = kind
        self._patterns: dict[Any, Pattern] = {}
        self._placed: dict[Expr, Placed] = {}
        self._found: dict[Any, Any] = {}
        self._kinds: dict[int, Any] = {}

    def placed(self, expr: Expr) -> Placed:
        """An expression as a pattern at nodes."""
        found = self._placed.get(expr)
        if found is None:
            nodes = tuple(sorted(self.space.nodes(expr)))
            rank = {node: k for k, node in enumerate(nodes)}
            pattern = self._patterns.setdefault(self._form(expr, rank), Pattern(expr, nodes))
            found = self._placed[expr] = Placed(pattern, nodes)
            self.space.exprs[found] = expr
        return found

    def _form(self, expr: Expr, rank: dict[int, int]) -> Any:
        """A key that is the same for expressions that differ in their nodes alone."""
        if expr.is_Symbol:
            entry = self.space.entry(expr)
            if isinstance(entry, Element):
                return Element, rank[entry.node], entry.indices, entry.gradient
            if isinstance(entry, Total):
                return Total, self._form(entry.body, rank), entry.lengths, entry.level
            if isinstance(entry, Opaque):
                args = tuple((self._form(arg, rank), shape) for arg, shape in entry.args)
                return Opaque, entry.call, args, entry.indices
            return (Number, rank[self.space.number(entry)]) if isinstance(entry, Number) else entry
        if expr.is_Atom:
            return expr
        forms = [self._form(arg, rank) for arg in expr.args]
        return expr.func, frozenset(forms) if expr.is_Add or expr.is_Mul else tuple(forms)

    def computed(
        self, key: Any, given: Sequence[Placed], function: Callable[[], tuple[list[Expr], Any]]
    ) -> tuple[list[Placed], Any]:
        """The expressions that a function finds, placed, and what else it finds.

        Args:
            key: what the results depend on besides the given expressions.
            given: the expressions that the results depend on.
            function: returns expressions, and what is the same at other nodes.
        """
        nodes = self._together(given)
        rank = {node: k for k, node in enumerate(nodes)}
        kinds = tuple(self._kind(node, rank) for node in nodes)
        places = tuple([(pattern, tuple([rank[n] for n in own])) for pattern, own in given])
        key = key, places, kinds
        found = self._found.get(key)
        if found is None:
            exprs, info = function()
            results = [self.placed(expr) for expr in exprs]
            # A number that is not given is the rule's own, and stays.
            if all(n in rank or n < 0 for placed in results for n in placed.nodes):
                ranks = [(p, tuple(rank.get(n, n) for n in own)) for p, own in results]
                self._found[key] = ranks, info
            return results, info
        known, info = found
        return [
            Placed(p, tuple([nodes[k] if k >= 0 else k for k in own])) for p, own in known
        ], info

    def _together(self, given: Sequence[Placed]) -> list[int]:
        """The nodes of expressions and those that are defined as functions of them."""
        nodes = {n for placed in given for n in placed.nodes}
        for n in tuple(nodes):
            for definition, defined, _ in self.space.known_at.get(n, ()):
                nodes |= {defined, *definition.nodes}
        return sorted(nodes)

    def _kind(self, node: int, rank: dict[int, int]) -> Any:
        kind = self._kinds.get(node)
        if kind is None:
            kind = self._kinds[node] = self.kind(node)
        known = self.space.known_at.get(node)
        if not known:
            return kind
        return kind, tuple(
            (pattern, tuple(map(rank.get, nodes)), rank.get(defined))
            for (pattern, nodes), defined, _ in known
        )

    def collected(self, terms: Iterable[Placed]) -> Terms:
        """A sum, with multiples of the same term as one, in the order of their nodes."""
        counts: dict[Placed, Any] = {}
        for term in terms:
            (rest,), number = self.computed("coefficient", [term], partial(self._divided, term))
            counts[rest] = counts.get(rest, 0) + number
        found = [
            self.computed(("times", n), [rest], partial(self._multiplied, n, rest))[0][0]
            for rest, n in counts.items()
            if n
        ]
        return tuple(sorted(found, key=attrgetter("nodes"))) or (self.placed(sympy.S.Zero),)

    def _divided(self, term: Placed) -> tuple[list[Expr], Any]:
        number, rest = self.space.at(term).as_coeff_Mul()
        return [rest], number

    def _multiplied(self, number: Any, rest: Placed) -> tuple[list[Expr], None]:
        return [number * self.space.at(rest)], None

    def forget(self) -> None:
        """Forget what was computed, but not the patterns."""
        self._found.clear()


class Expressions(MutableMapping[int, Expr]):
    """Expressions by the position of a node, made when they are read."""

    def __init__(self, patterns: Patterns, placed: dict[int, Placed]) -> None:
        self.patterns = patterns
        self.placed = placed

    def __getitem__(self, position: int) -> Expr:
        return self.patterns.space.at(self.placed[position])

    def __setitem__(self, position: int, expr: Expr) -> None:
        self.placed[position] = self.patterns.placed(expr)

    def __delitem__(self, position: int) -> None:
        del self.placed[position]

    def __contains__(self, position: object) -> bool:
        return position in self.placed

    def __iter__(self) -> Iterator[int]:
        return iter(self.placed)

    def __len__(self) -> int:
        return len(self.placed)


def literal(attributes: dict[str, Any]) -> Any:
    """The attributes of an operation as a key; None if they hold an array."""
    if not attributes:
        return ()
    return repr(attributes) if _is_plain(tuple(attributes.values())) else None


def _is_plain(value: Any) -> bool:
    if isinstance(value, (tuple, list)):
        return all(map(_is_plain, value))
    if isinstance(value, slice):
        return _is_plain((value.start, value.stop, value.step))
    return (
        value is None
        or value is Ellipsis
        or isinstance(value, (int, float, str, np.generic, np.dtype))
    )
