"""The meanings of the symbols of index notation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any, NamedTuple

import sympy

__all__ = [
    "Delta",
    "Element",
    "Expr",
    "Index",
    "Length",
    "Number",
    "Opaque",
    "Pattern",
    "Placed",
    "Terms",
    "Total",
    "called",
]

Expr = Any
"""A SymPy expression in the symbols of a Space."""

Index = int | None
"""The number of an axis; negative for one that is summed over; None where an axis has length 1."""


@dataclass(frozen=True, slots=True)
class Element:
    """An element of a node of the graph, or of the gradient of the loss at that node."""

    node: int
    indices: tuple[Index, ...]
    gradient: bool = False


@dataclass(frozen=True, slots=True)
class Total:
    """A sum over bound indices, −level, −level + 1, …"""

    body: Expr
    lengths: tuple[int, ...]
    level: int

    @property
    def bound(self) -> tuple[int, ...]:
        return tuple(range(-self.level, -self.level + len(self.lengths)))


@dataclass(frozen=True, slots=True)
class Opaque:
    """An element of the result of an operation that index notation does not express."""

    call: int
    args: tuple[tuple[Expr, tuple[int, ...]], ...]
    indices: tuple[Index, ...]


@dataclass(frozen=True, slots=True)
class Length:
    """The length of an axis, as a symbol."""

    n: int
    indices: tuple[Index, ...] = ()


@dataclass(frozen=True, slots=True)
class Number:
    """A number that is not a short fraction."""

    value: float
    indices: tuple[Index, ...] = ()


@dataclass(frozen=True, slots=True)
class Delta:
    """1 where two indices are equal, else 0."""

    indices: tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class Pattern:
    """The first expression of its form, and the positions of its nodes in ascending order."""

    expr: Expr
    nodes: tuple[int, ...]


class Placed(NamedTuple):
    """A pattern with other nodes in place of its own, in the same order."""

    pattern: Pattern
    nodes: tuple[int, ...]


Terms = tuple[Placed, ...]
"""A sum of placed expressions."""


@cache
def called(name: str) -> Any:
    """The SymPy function of that name; without the cache each call would make a new class."""
    return sympy.Function(name)
