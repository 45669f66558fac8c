"""Steps in words and numbers: what an operation computes, and how its gradient is computed."""

from __future__ import annotations

import re
from math import prod
from typing import Any

import numpy as np

from autograd_lite.explanation.labels import ATOM, SIGNED, formula
from autograd_lite.explanation.sentences import Part, Ref, Sentence, Term, are_few, written
from autograd_lite.explanation.snapshot import Snapshot
from autograd_lite.op import OPS

__all__ = ["Words"]

TERMS = 4
"""A sentence shows at most this many parts of a gradient."""

SUM: int = OPS["add"].notation.precedence
PRODUCT: int = OPS["multiply"].notation.precedence


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

    def name(self, node: Any) -> str:
        """The name of a node in a sentence."""
        if name := self.snapshot.names.get(node):
            return name
        if node.op is not None:
            return str(node.op.name)
        return "parameter" if node.requires_grad else "constant"

    def of(self, node: Any) -> str:
        """The symbol of a node's gradient, such as ∂L/∂z."""
        name = self.name(node)
        return f"∂{self.snapshot.loss}/∂" + (f"({name})" if _is_compound(name) else name)

    def forward(self, node: Any) -> Sentence:
        """What an operation computes: ŷ = σ(z) = σ(−0.7) = 0.3318."""
        named = [self.snapshot.names.get(x) for x in node.inputs]
        sides: list[tuple[Part, ...]] = [(self.name(node),)]
        if len(named) > TERMS:
            sides.append((f"{node.op.notation.symbol} of {len(named)} operands",))
        elif named:
            if None not in named:
                known = [((name or "",), _tightness(name or "")) for name in named]
                sides.append(formula(node, known)[0])
            if all(are_few(np.shape(self.snapshot.arrays[x])) for x in node.inputs):
                sides.append(
                    formula(node, [((Ref("value", x),), SIGNED - 1) for x in node.inputs])[0]
                )
        sides.append((Ref("value", node),))
        return tuple((Term(side),) for side in sides)

    def backward(self, node: Any) -> Sentence:
        """How the gradient of a node is computed: ∂L/∂z = −3.0138 × 0.2217 = −0.6682."""
        gradients = self.snapshot.gradients
        assert gradients is not None
        parts = gradients.parts
        edges = [edge for edge in self.snapshot.graph.consumers[node] if edge in parts]
        sides: list[tuple[Term, ...]] = [(Term((self.of(node),)),)]
        if len(edges) > TERMS:
            sides.append((Term((f"the sum of {len(edges):,} parts",)),))
        elif edges:
            sides.append(tuple(self._term(*edge) for edge in edges))
            if len(edges) > 1 and are_few(node.shape):
                sides.append(tuple(Term((Ref("part", edge),)) for edge in edges))
        sides.append((Term((Ref("gradient", node),)),))
        return tuple(sides)

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
        gradients = self.snapshot.gradients
        assert gradients is not None
        op, above, x = consumer.op, self.of(consumer), consumer.inputs[k]
        otherwise = f"the part of {above} through {op.notation.symbol}"
        if op.name == "matmul":
            otherwise = self._product(above, consumer, k)
        elif op.name == "transpose":
            otherwise = f"({above})ᵀ"
        local = self.snapshot.local_shape(consumer, k)
        if local is None:
            return Term((otherwise,))
        product = self._multiplied(consumer, k, np.shape(gradients.of[consumer]), local)
        if op.traits.elementwise and prod(local) != x.size:
            product = ("Σ ", *product) if len(product) == 1 else ("Σ(", *product, ")")
        return Term(product, (otherwise,))

    def _multiplied(
        self, consumer: Any, k: int, g: tuple[int, ...], local: tuple[int, ...]
    ) -> tuple[Part, ...]:
        """The gradient of a consumer times a local derivative, given their shapes."""
        above, derivative = self.of(consumer), Ref("local", (consumer, k))
        if are_few(g) and are_few(local):
            sign = "⊙" if prod(g) > 1 and prod(local) > 1 else "×"
            return Ref("gradient", consumer), f" {sign} ", derivative
        # A rule that reads no array has the same result for all numbers.
        known = not are_few(g) and not consumer.op.reads[k]
        if 0 in local or (known and np.all(self.snapshot.array("local", (consumer, k)) == 1)):
            return (above,)
        return above, derivative.styled("times")

    def _product(self, above: str, consumer: Any, k: int) -> str:
        """The gradient of a matrix product with respect to a factor, in symbols."""
        other = consumer.inputs[1 - k]
        name = self.name(other)
        name = f"({name})" if _is_compound(name) else name
        vectors = consumer.inputs[k].ndim, other.ndim
        if vectors == (2, 1) and consumer.ndim == 1:
            return f"{above} ⊗ {name}" if k == 0 else f"{name} ⊗ {above}"
        turned = name
        if other.ndim > 1:
            turned = name.removesuffix("ᵀ") if name.endswith("ᵀ") else f"{name}ᵀ"
        elif k == 1:
            turned = f"{name}ᵀ"
        return f"{above} · {turned}" if k == 0 else f"{turned} · {above}"


def _tightness(name: str) -> int:
    """The precedence of a name, which may be a formula such as w·x + b."""
    outside = name
    while (shorter := re.sub(r"\([^()]*\)|\[[^\[\]]*\]", "", outside)) != outside:
        outside = shorter
    for signs, precedence in (("+−", SUM), (" ·×÷", PRODUCT)):
        if any(sign in outside for sign in signs):
            return precedence
    return ATOM


def _is_compound(name: str) -> bool:
    return _tightness(name) < ATOM
