"""Steps in words and numbers: what an operation computes, and how its gradient is computed."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from autograd_lite.explanation.labels import (
    ATOM,
    COMPARISON,
    PRODUCT,
    SIGNED,
    formula,
    is_number,
    is_symbol,
    tightness,
)
from autograd_lite.explanation.sentences import Part, Ref, Sentence, Term, are_few, written
from autograd_lite.explanation.snapshot import Snapshot
from autograd_lite.text import printable

__all__ = ["Words"]

Factor = tuple[str, Ref]
"""A factor of a product: its symbol and its array."""

TERMS = 4
"""A sentence shows at most this many parts of a gradient."""

POWERS = tuple("⁰¹²³⁴⁵⁶⁷⁸⁹")


class Words:
    """The sentences about a graph.

    Their words depend on names and shapes only, so that a sentence stays right when it is printed
    with other numbers of the same shapes.
    """

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot

    def text(self, sentence: Sentence) -> str:
        """A sentence with the numbers of the graph."""
        return written(sentence, self.snapshot.array)

    def are_few(self, sides: tuple[int, ...]) -> bool:
        """Whether a sentence shows every number of an array of this shape."""
        return are_few(sides)

    def name(self, node: Any) -> str:
        """The name of a node in a sentence."""
        if name := self.snapshot.names.get(node):
            return name
        if node.op is not None:
            return str(node.op.name)
        return "parameter" if node.requires_grad else "constant"

    def closed(self, node: Any) -> str:
        """The name of a node, in parentheses if it is a sum or a product."""
        name = self.name(node)
        return name if self._tightness(node) == ATOM else f"({name})"

    def _tightness(self, node: Any) -> int:
        """The precedence of the name of a node, which may be a formula such as Wx + b."""
        name = self.name(node)
        if is_number(node):
            return SIGNED if name.startswith("−") else ATOM
        if node.op is not None and node.op.name == "matmul" and not printable(node.name or ""):
            return ATOM if is_symbol(name) else PRODUCT
        return tightness(name)

    def partial(self, node: Any) -> str:
        """The ∂ of a node; a power is in parentheses, since ∂v² reads as a second derivative."""
        name = self.name(node)
        return f"∂({name})" if name.endswith(POWERS) else f"∂{self.closed(node)}"

    def of(self, node: Any) -> str:
        """The symbol of a node's gradient, such as ∂L/∂z."""
        loss = self.snapshot.loss
        loss = loss if tightness(loss) == ATOM else f"({loss})"
        return f"∂{loss}/{self.partial(node)}"

    def source(self, consumer: Any) -> str:
        """The words before the part of a gradient that comes from a consumer."""
        return f"from {self.name(consumer)}: "

    def forward(self, node: Any) -> Sentence:
        """What an operation computes: ŷ = σ(z) = σ(−0.7) = 0.3318."""
        named = [self.snapshot.names.get(x) for x in node.inputs]
        sides = [_side((self.name(node),), self._tightness(node))]
        if len(named) > TERMS:
            sides.append((f"{node.op.notation.symbol} of {len(named)} operands",))
        elif named:
            if None not in named:
                known = [((self.name(x),), self._tightness(x)) for x in node.inputs]
                sides.append(_side(*formula(node, known)))
            if all(self.are_few(np.shape(self.snapshot.arrays[x])) for x in node.inputs):
                refs = [((Ref("value", x),), SIGNED - 1) for x in node.inputs]
                sides.append(_side(*formula(node, refs)))
        sides.append((Ref("value", node),))
        return tuple((Term(side),) for side in sides)

    def edges(self, node: Any) -> list[tuple[Any, int]]:
        """The edges (consumer, k) through which a node's gradient comes."""
        gradients = self.snapshot.gradients
        parts = () if gradients is None else gradients.parts
        return [edge for edge in self.snapshot.graph.consumers[node] if edge in parts]

    def backward(self, node: Any) -> Sentence:
        """How the gradient of a node is computed: ∂L/∂z = −3.0138 × 0.2217 = −0.6682."""
        edges = self.edges(node)
        sides: list[tuple[Term, ...]] = [(Term((self.of(node),)),)]
        if len(edges) > TERMS:
            sides.append((Term((f"the sum of {len(edges):,} parts",)),))
        elif edges:
            sides += self.products(edges)
            if len(edges) > 1 and self.are_few(node.shape):
                sides.append(tuple(Term((Ref("part", edge),)) for edge in edges))
        sides.append((Term((Ref("gradient", node),)),))
        return tuple(sides)

    def products(self, edges: list[tuple[Any, int]]) -> list[tuple[Term, ...]]:
        """The sum of the parts of a gradient, each as a product."""
        return [tuple(self._term(*edge) for edge in edges)]

    def derivative(self, consumer: Any, k: int) -> Sentence:
        """The label of the arrow to the k-th operand of a consumer: × 0.2217."""
        otherwise = {"transpose": "ᵀ"}.get(consumer.op.name, "")
        if consumer.op.name == "matmul":
            otherwise = self._product("", consumer, k).strip()
        local = self.snapshot.local_shape(consumer, k)
        if local is None:
            return ((Term((otherwise,)),),)
        sign = "" if 0 in local else "× "
        return ((Term((sign, Ref("local", (consumer, k), "range")), (otherwise,)),),)

    def _term(self, consumer: Any, k: int) -> Term:
        """A part of a gradient, as a product."""
        op, above = consumer.op, self.of(consumer)
        otherwise = f"the part of {above} through {op.notation.symbol}"
        if op.name == "matmul":
            otherwise = self._product(above, consumer, k)
        elif op.name == "transpose":
            otherwise = f"({above})ᵀ"
        local = self.snapshot.local_shape(consumer, k)
        if local is None:
            return Term((otherwise,))
        return Term(self.multiplied(consumer, k, local), (otherwise,))

    def multiplied(self, consumer: Any, k: int, local: tuple[int, ...]) -> tuple[Part, ...]:
        """The gradient of a consumer times a local derivative of this shape."""
        above, derivative = self.of(consumer), Ref("local", (consumer, k))
        product: tuple[Part, ...] = above, derivative.styled("times")
        if self.are_few(consumer.shape) and self.are_few(local):
            sign = "⊙" if consumer.size > 1 and prod(local) > 1 else "×"
            product = Ref("gradient", consumer), f" {sign} ", derivative.styled("factor")
        elif 0 in local or (not self.are_few(consumer.shape) and self.is_one(consumer, k)):
            product = (above,)
        return self.summed(product, consumer, k, local)

    def summed(
        self, product: tuple[Part, ...], consumer: Any, k: int, local: tuple[int, ...]
    ) -> tuple[Part, ...]:
        """A product, under a Σ if the operand was broadcast."""
        if not consumer.op.traits.elementwise or prod(local) == consumer.inputs[k].size:
            return product
        return ("Σ ", *product) if len(product) == 1 else ("Σ(", *product, ")")

    def is_one(self, consumer: Any, k: int) -> bool:
        """Whether a local derivative is 1 for all numbers: its rule reads no array."""
        local = None if consumer.op.reads[k] else self.snapshot.array("local", (consumer, k))
        return local is not None and bool(np.all(local == 1))

    def _product(self, above: str, consumer: Any, k: int) -> str:
        """The gradient of a matrix product with respect to a factor, in symbols."""
        left, sign, right = self.factors(consumer, k)
        return f"{above} {sign} {right[0]}" if k == 0 else f"{left[0]} {sign} {above}"

    def factors(self, consumer: Any, k: int) -> tuple[Factor, str, Factor]:
        """The two factors of the gradient of a matrix product with respect to an operand."""
        other = consumer.inputs[1 - k]
        above: Factor = self.of(consumer), Ref("gradient", consumer)
        factor: Factor = self.closed(other), Ref("value", other)
        sign = "·"
        if (consumer.inputs[k].ndim, other.ndim, consumer.ndim) == (2, 1, 1):
            sign = "⊗"
        elif other.ndim > 1 or k == 1:
            factor = turned(factor, other.ndim > 1)
        return (above, sign, factor) if k == 0 else (factor, sign, above)


def turned(factor: Factor, back: bool = True) -> Factor:
    """The transpose of a factor, of Wᵀ ``back`` to W."""
    name, ref = factor
    other = name.removesuffix("ᵀ") if back and name.endswith("ᵀ") else f"{name}ᵀ"
    return other, ref.styled("numbers" if ref.style == "transposed" else "transposed")


def _side(parts: tuple[Part, ...], precedence: int) -> tuple[Part, ...]:
    """A side of an equation; a comparison in parentheses, since a = b reads as two sides."""
    return ("(", *parts, ")") if precedence == COMPARISON else parts
