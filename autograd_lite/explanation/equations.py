"""The equations of a walkthrough: symbols, then the numbers of arrays of moderate size."""

from __future__ import annotations

from math import prod
from typing import Any

from autograd_lite.explanation.labels import ATOM
from autograd_lite.explanation.sentences import Part, Ref, Sentence, Term
from autograd_lite.explanation.snapshot import Snapshot
from autograd_lite.explanation.words import Factor, Words, turned

__all__ = ["Equations", "are_shown"]

MOST, WIDEST = 36, 8
"""An equation shows the numbers of matrices of up to MOST elements and WIDEST columns."""


def are_shown(sides: tuple[int, ...]) -> bool:
    """Whether an equation shows every number of an array of this shape."""
    return 0 < prod(sides) <= MOST and len(sides) <= 2 and (sides or (1,))[-1] <= WIDEST


class Equations(Words):
    """The equations about a graph, with longer chains of sides than the sentences of `Words`.

    A matrix that is used only as a transpose, W in x Wᵀ, gets its gradient from the product.

    Attributes:
        passed: the transposes that are passed over.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__(snapshot)
        graph = snapshot.graph
        self.passed: set[Any] = {
            node
            for node in graph.nodes
            if node.op is not None
            and node.op.name == "transpose"
            and node.ndim == 2
            and node is not graph.outputs[-1]
            and [c.op.name for c, _ in graph.consumers[node]] == ["matmul"]
            and len(graph.consumers[node.inputs[0]]) == 1
        }

    def are_few(self, sides: tuple[int, ...]) -> bool:
        """Whether an equation shows every number of an array of this shape."""
        return are_shown(sides)

    def forward(self, node: Any) -> Sentence:
        """What an operation computes; a matrix is an argument in parentheses."""
        sentence = super().forward(node)
        called = node.op.notation.precedence >= ATOM
        return tuple(tuple(_spaced(term, called) for term in side) for side in sentence)

    def products(self, edges: list[tuple[Any, int]]) -> list[tuple[Term, ...]]:
        """The sum of the parts of a gradient in symbols, and the same in numbers."""
        symbols = tuple(Term((self.symbols(*edge),)) for edge in edges)
        numbers = tuple(self.numbers(*edge) for edge in edges)
        # ∂L/∂L × ∂L/∂x would name two different derivatives alike.
        result = self.snapshot.graph.outputs[-1]
        direct = result.size == 1 and any(consumer is result for consumer, _ in edges)
        return [numbers] if direct else [symbols, numbers]

    def symbols(self, consumer: Any, k: int) -> str:
        """A part of a gradient in symbols: ∂L/∂ŷ × ∂ŷ/∂z."""
        above, elementwise = self.of(consumer), consumer.op.traits.elementwise
        derivative = f"{self.partial(consumer)}/{self.partial(consumer.inputs[k])}"
        local = self.snapshot.local_shape(consumer, k)
        if (factors := self._factors(consumer, k)) is not None:
            (left, _), sign, (right, _) = factors
            return f"{left} {sign} {right}"
        if local is not None:
            one = elementwise and self.is_one(consumer, k)
            sign = "⊙" if elementwise and consumer.size > 1 and prod(local) > 1 else "×"
            product = (above,) if one else (above, f" {sign} {derivative}")
            return "".join(map(str, self.summed(product, consumer, k, local)))
        if self.snapshot.has_jacobian(consumer, k):
            return f"{above} · {derivative}"
        if consumer.op.name == "transpose":
            return f"({above})ᵀ"
        return f"the part of {above} through {consumer.op.notation.symbol}"

    def numbers(self, consumer: Any, k: int) -> Term:
        """A part of a gradient in numbers: −1.3535 × 0.1929."""
        gradient, part = Ref("gradient", consumer), Ref("part", (consumer, k))
        local = self.snapshot.local_shape(consumer, k)
        product: tuple[Part, ...] = (part,)
        if (factors := self._factors(consumer, k)) is not None:
            (_, left), sign, (_, right) = factors
            shapes = [self._shape(ref) for ref in (left, right)]
            if all(map(self.are_few, shapes)) and max(map(len, shapes)) <= 2:
                product = left, f" {sign} ", _factor(right)
        elif local is not None:
            elementwise = consumer.op.traits.elementwise
            if elementwise and self.are_few(consumer.shape) and self.is_one(consumer, k):
                product = self.summed((gradient,), consumer, k, local)
                product = product if len(product) > 1 else (part,)
            elif elementwise or consumer.size == 1:
                product = self.multiplied(consumer, k, local)
            else:
                product = self.of(consumer), Ref("local", (consumer, k), "times")
        elif self.snapshot.has_jacobian(consumer, k):
            product = gradient, " · ", Ref("jacobian", (consumer, k), "factor")
        return Term(product, (part,))

    def is_outer(self, consumer: Any, k: int) -> bool:
        """Whether a part of a gradient is an outer product: of a column and a row."""
        factors = self._factors(consumer, k)
        if factors is None:
            return False
        (_, left), sign, (_, right) = factors
        return sign == "⊗" or (self._shape(left)[1:] == (1,) and self._shape(right)[:-1] == (1,))

    def _shape(self, ref: Ref) -> tuple[int, ...]:
        sides: tuple[int, ...] = ref.at.shape
        return sides[::-1] if ref.style == "transposed" else sides

    def _factors(self, consumer: Any, k: int) -> tuple[Factor, str, Factor] | None:
        """The factors of a part of a gradient that is a product of matrices, else None."""
        if consumer in self.passed:
            [(product, place)] = self.snapshot.graph.consumers[consumer]
            left, sign, right = self.factors(product, place)
            if sign == "⊗":
                return right, sign, left
            return _parenthesised(turned(right)), sign, _parenthesised(turned(left))
        if consumer.op.name != "matmul" or self.snapshot.local_shape(consumer, k) is not None:
            return None
        return self.factors(consumer, k)


def _spaced(term: Term, called: bool) -> Term:
    """A term with space around the sign of a product, and a matrix as an argument."""
    parts = tuple(" · " if part == "·" else part for part in term.parts)
    if called and len(parts) == 2 and isinstance(parts[1], Ref) and parts[1].at.ndim > 1:
        parts = (f"{parts[0]}(", parts[1], ")")
    return Term(parts, term.otherwise)


def _factor(ref: Ref) -> Ref:
    """A factor on the right, which needs parentheses if it is negative."""
    return ref.styled("factor") if ref.style == "numbers" else ref


def _parenthesised(factor: Factor) -> Factor:
    """A transposed gradient, (∂L/∂a)ᵀ."""
    name, ref = factor
    return (f"({name[:-1]})ᵀ" if name[0] == "∂" and name[-1] == "ᵀ" else name), ref
