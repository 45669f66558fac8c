"""Reading nodes of the graph in index notation."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from fractions import Fraction
from typing import Any

import numpy as np
import sympy

from autograd_lite.derivation.entries import Element, Expr, Index, Number, Opaque, called
from autograd_lite.derivation.index import Space
from autograd_lite.graph import ancestors
from autograd_lite.ops import reductions

__all__ = ["Reader", "element", "exact"]

Reading = Callable[["Reader", Any, list[Expr]], Expr]

axes_of: Callable[[Any, int], tuple[int, ...]] = reductions.axes_of


def element(node: Any, gradient: bool = False) -> Element:
    """The element of a node at the indices of its axes."""
    return Element(node.position, places(node.shape), gradient)


def places(shape: tuple[int, ...]) -> tuple[Index, ...]:
    """The index of each axis; an axis of length one has none."""
    return tuple(None if n == 1 else k for k, n in enumerate(shape))


def exact(space: Space, x: Any) -> Expr:
    """An exact number; a short fraction is a rational, so that 0.25 reads 1/4."""
    x = np.asarray(x).item()
    if x in space.given_lengths and x > 1:
        return space.length(int(x))
    if isinstance(x, (int, bool)):
        return sympy.Integer(int(x))
    if np.isfinite(x):
        fraction = Fraction(x).limit_denominator(10_000)
        if float(fraction) == x:
            return sympy.Rational(fraction.numerator, fraction.denominator)
    return space.symbol(Number(x))


READINGS: dict[str, Reading] = {}
"""The readings of operations that are not elementwise; `readings` fills the table."""

ELEMENTWISE: dict[str, Callable[..., Expr]] = {}
"""Elementwise operations that are arithmetic; the others are functions of their operands."""


class Reader:
    """Nodes as expressions in the symbols of a space.

    Args:
        space: where the symbols live.
        known: expressions of nodes by position; what is not there is read from its operation.
        local: arrays without a name are those of a rule, and written out.
        guards: read a `where` against zero as the branch that holds elsewhere, as in the rules.
    """

    def __init__(
        self,
        space: Space,
        known: MutableMapping[int, Expr],
        local: bool = False,
        guards: bool = False,
    ) -> None:
        self.space = space
        self.known = known
        self.local = local
        self.guards = guards
        self.counts: dict[float, Expr] = {}

    def read(self, node: Any) -> Expr:
        """A node in the indices of its axes."""
        if node.position not in self.known:
            for x in ancestors([node]) if self._deep(node) else [*node.inputs, node]:
                if x.position not in self.known:
                    self.known[x.position] = self._read(x)
        return self.known[node.position]

    def _deep(self, node: Any) -> bool:
        return any(x.position not in self.known and x.op is not None for x in node.inputs)

    def _read(self, node: Any) -> Expr:
        if node.op is None:
            return self.leaf(node)
        args = [self.read(x) for x in node.inputs]
        return self.applied(node, args)

    def leaf(self, node: Any) -> Expr:
        """A number if all elements are equal, otherwise the node's element."""
        array = np.asarray(node.array)
        if not node.requires_grad and node.name is None and array.size:
            first = array.flat[0]
            if self.counts and float(first) in self.counts and array.ndim == 0:
                return self.counts[float(first)]
            if array.ndim == 0 or (array == first).all():
                return exact(self.space, first)
            if self.local:
                return self._constant(array * 1 if array.dtype.kind == "b" else array)
        return self.space.symbol(element(node))

    def _constant(self, array: Any) -> Expr:
        """An array created by a rule: δᵢⱼ, the numbers 0, 1, …, or a literal."""
        space = self.space
        if array.ndim == 2 and np.array_equal(array, np.eye(*array.shape)) and len(array) > 1:
            return space.delta(0, 1) if array.shape[0] == array.shape[1] else self._literal(array)
        if np.array_equal(array.ravel(), np.arange(array.size)) and max(array.shape) == array.size:
            call = space.call("arange", {"n": array.size}, (array.size,))
            return space.symbol(Opaque(call, (), (array.shape.index(array.size),)))
        return self._literal(array)

    def _literal(self, array: Any) -> Expr:
        call = self.space.call("array", {"values": array}, array.shape)
        return self.space.symbol(Opaque(call, (), places(array.shape)))

    def applied(self, node: Any, args: list[Expr]) -> Expr:
        """The expression of an operation applied to expressions."""
        reading = READINGS.get(node.op.name)
        if reading is not None:
            result = reading(self, node, args)
            if result is not None:
                return result
        if node.op.traits.elementwise and not node.attributes:
            if node.op.name in ELEMENTWISE:
                return ELEMENTWISE[node.op.name](*self.aligned(node, args))
            return called(node.op.name)(*self.aligned(node, args))
        return self.opaque(node, args)

    def aligned(self, node: Any, args: list[Expr]) -> list[Expr]:
        """The operands in the indices of the result, broadcast."""
        return [
            self.space.rename(a, {k: k + node.ndim - x.ndim for k in range(x.ndim)})
            for a, x in zip(args, node.inputs, strict=True)
        ]

    def opaque(self, node: Any, args: list[Expr]) -> Any:
        """An operation that is shown by its name."""
        call = self.space.call(node.op, node.attributes, node.shape)
        shapes = [x.shape for x in node.inputs]
        lowest = [self.space.lowest(a) for a in args]
        return self.space.symbol(
            Opaque(call, tuple(zip(lowest, shapes, strict=True)), places(node.shape))
        )
