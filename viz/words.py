"""Steps in words and numbers: what an operation computes, and how its gradient is computed."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np

from autograd_lite.op import OPS
from autograd_lite.text import number
from autograd_lite.viz.cards import shape
from autograd_lite.viz.labels import ATOM, SIGNED, formula
from autograd_lite.viz.layout import Scene

__all__ = ["Words", "text_of"]

FEW, ON_EDGES = 3, 2
"""A sentence, and an arrow, show at most so many numbers of an array."""

TERMS = 4
"""A sentence shows at most this many parts of a gradient."""

SPREADS = frozenset({"sum", "mean"})
"""Operations that have the same derivative for every element of the input."""


SUM: int = OPS["add"].notation.precedence
PRODUCT: int = OPS["multiply"].notation.precedence


class Words:
    """The sentences about a graph.

    A local derivative is the result of the operation's gradient rule for a gradient of 1. It is
    shown only if it agrees with the gradients; the gradients of a loss that is computed in a
    stable form, such as the log of a σ, come from that form.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self._derivative = cache(self._local_derivative)

    def name(self, node: Any) -> str:
        """The name of a node in a sentence."""
        if name := self.scene.names.get(node):
            return name
        if node.op is not None:
            return str(node.op.name)
        return "parameter" if node.requires_grad else "constant"

    def of(self, node: Any) -> str:
        """The symbol of a node's gradient, such as ∂L/∂z."""
        name = self.name(node)
        return f"∂{self.scene.loss}/∂" + (f"({name})" if _is_compound(name) else name)

    def forward(self, node: Any) -> str:
        """What an operation computes: ŷ = σ(z) = σ(−0.7) = 0.3318."""
        named = [self.scene.names.get(x) for x in node.inputs]
        parts = [self.name(node)]
        if len(named) > TERMS:
            parts.append(f"{node.op.notation.symbol} of {len(named)} operands")
        elif named:
            if None not in named:
                known = [(name or "", _tightness(name or "")) for name in named]
                parts.append(formula(node, known)[0])
            arrays = [self.scene.arrays[x] for x in node.inputs]
            if all(_is_short(array) for array in arrays):
                numbers = [
                    (text := text_of(array), SIGNED - 1 if text.startswith("−") else ATOM)
                    for array in arrays
                ]
                parts.append(re.sub(r"\((\([^()]*\))\)", r"\1", formula(node, numbers)[0]))
        parts.append(text_of(self.scene.arrays[node]))
        return " = ".join(dict.fromkeys(parts))

    def backward(self, node: Any) -> str:
        """How the gradient of a node is computed: ∂L/∂z = −3.0138 × 0.2217 = −0.6682."""
        gradients = self.scene.gradients
        assert gradients is not None
        parts = gradients.parts
        edges = [edge for edge in self.scene.graph.consumers[node] if edge in parts]
        sides = [self.of(node)]
        if len(edges) > TERMS:
            sides.append(f"the sum of {len(edges):,} parts")
        elif edges:
            sides.append(_sum([self._term(*edge) for edge in edges]))
            if len(edges) > 1 and all(_is_short(parts[edge]) for edge in edges):
                sides.append(_sum([text_of(parts[edge]) for edge in edges]))
        sides.append(text_of(gradients.of[node]))
        return " = ".join(dict.fromkeys(sides))

    def derivative(self, consumer: Any, k: int) -> str:
        """The label of the arrow to the k-th operand of a consumer: × 0.2217."""
        s = self._derivative(consumer, k)
        if s is not None:
            values = np.asarray(s)
            if values.size and (values == values.flat[0]).all():
                return f"× {number(values.flat[0])}"
            if values.size <= ON_EDGES:
                return f"× {text_of(s)}" if values.size else ""
            return f"× {_span(values)}"
        if consumer.op.name == "matmul":
            return self._product("", consumer, k).strip()
        return {"transpose": "ᵀ"}.get(consumer.op.name, "")

    def _local_derivative(self, consumer: Any, k: int) -> Any:
        """The local derivative, if it is a number for each element of the result or input."""
        op, out = consumer.op, self.scene.arrays[consumer]
        gradients = self.scene.gradients
        if gradients is None or (consumer, k) not in gradients.parts or isinstance(out, tuple):
            return None
        if not (op.traits.elementwise or np.size(out) == 1 or op.name in SPREADS):
            return None
        x = consumer.inputs[k]
        rule = op.rules[k]
        with np.errstate(all="ignore"):
            s = rule(np.ones_like(out), out, *consumer.operands, **consumer.attributes)
            product = np.asarray(s * gradients.of[consumer] if op.traits.elementwise else s)
            if op.name in SPREADS and np.size(out) > 1:
                one = rule(gradients.of[consumer], out, *consumer.operands, **consumer.attributes)
                product = np.asarray(one)
            elif not op.traits.elementwise:
                product = product * np.ravel(gradients.of[consumer])[0]
            if product.shape != x.shape:
                product = OPS["sum_to"].forward(product, x.shape)
            part = np.asarray(gradients.parts[consumer, k])
            agrees = np.allclose(product, part, rtol=1e-4, atol=1e-12, equal_nan=True)
        return s if agrees else None

    def _term(self, consumer: Any, k: int) -> str:
        """A part of a gradient, as a product."""
        gradients = self.scene.gradients
        assert gradients is not None
        g, s = gradients.of[consumer], self._derivative(consumer, k)
        above, x = self.of(consumer), consumer.inputs[k]
        if s is not None:
            spread = consumer.op.traits.elementwise and np.size(s) != x.size
            if _is_short(g) and _is_short(s):
                left, right = text_of(g), text_of(s)
            else:
                left, right = above, self.derivative(consumer, k).removeprefix("× ")
                right = f"({right})" if "…" in right else right
            sign = "⊙" if np.size(g) > 1 and np.size(s) > 1 and "…" not in right else "×"
            if not right or (right == "1" and not _is_short(g)):
                return f"Σ {left}" if spread else left
            return f"Σ({left} {sign} {right})" if spread else f"{left} {sign} {right}"
        if consumer.op.name == "matmul":
            return self._product(above, consumer, k)
        if consumer.op.name == "transpose":
            return f"({above})ᵀ"
        return f"the part of {above} through {consumer.op.notation.symbol}"

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


def text_of(array: Any) -> str:
    """An array in a sentence: its numbers if there are few, else its shape and range.

    Example:
        >>> import numpy as np
        >>> text_of(-0.5), text_of(np.array([1.0, 2.0])), text_of(np.arange(20.0))
        ('−0.5', '(1, 2)', '(20,) numbers, 0 … 19')
    """
    if isinstance(array, tuple):
        return f"{len(array)} arrays"
    values = np.asarray(array)
    if values.size == 1:
        return number(values.flat[0])
    if values.size == 0:
        return "nothing"
    if _is_short(values):
        return f"({', '.join(number(x) for x in values.flat)})"
    return f"{shape(values)} numbers, {_span(values)}"


def _span(values: Any) -> str:
    with np.errstate(all="ignore"):
        return f"{number(values.min())} … {number(values.max())}"


def _is_short(array: Any) -> bool:
    return not isinstance(array, tuple) and 0 < np.size(array) <= FEW


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


def _sum(terms: list[str]) -> str:
    """A sum, with minus signs in place of negative terms."""
    text = terms[0]
    for term in terms[1:]:
        text += f" − {term[1:]}" if term.startswith("−") else f" + {term}"
    return text
