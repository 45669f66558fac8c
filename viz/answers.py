"""The program of a graph in JavaScript: all its numbers for other numbers of its leaves."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_lite.compiler.javascript import javascript
from autograd_lite.core.tensor import apply
from autograd_lite.explanation.sentences import encoded
from autograd_lite.explanation.snapshot import local_derivative
from autograd_lite.explanation.words import Words
from autograd_lite.op import OPS
from autograd_lite.sweep import gradients
from autograd_lite.tensor import Tensor
from autograd_lite.text import printable
from autograd_lite.viz.layout import Edge, Scene

__all__ = ["Answers"]

NODES, NUMBERS, CODE = 250, 4_000, 200_000
"""The largest numbers of nodes, and of numbers in an array or of all leaves, and of characters of a
program on a page."""

EDITED = 12
"""An array of more numbers is not edited on the page."""


class Answers:
    """The program of a graph, or the reason why it has none.

    Attributes:
        source: the program, empty if there is none. Its function `answer` takes the arrays of
            the leaves, and returns all values, gradients, parts of gradients and local derivatives
            of the graph, and what these contribute to the gradients.
        reason: why there is none; empty if there is.
    """

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        graph = scene.graph
        self.leaves: list[Any] = [node for node in graph.nodes if node.op is None]
        self.acting: list[Any] = [node for node in graph.nodes if node.op is not None]
        found = scene.gradients
        graded = () if found is None else (node for node in graph.nodes if node in found.of)
        self.graded: dict[Any, None] = dict.fromkeys(graded)
        self.parts: list[tuple[Any, int]] = [] if found is None else [*found.parts]
        self.local: list[tuple[Any, int]] = [
            edge for edge in self.parts if scene.local_shape(*edge) is not None
        ]
        self.reason: str = self._refusal()
        self.source: str = ""
        if not self.reason:
            try:
                arrays = [np.asarray(scene.arrays[x]) for x in self.leaves if not _is_number(x)]
                with warnings.catch_warnings():
                    warnings.simplefilter(
                        "ignore"
                    )  # about broadcasting, as when the graph was made
                    self.source = javascript(
                        lambda *given: self._numbers(*given), arrays, "answer", as_traced=True
                    )
            except Exception as error:
                # JavaScript lacks an operation, or a user's rule cannot be traced; the rest works.
                self.reason = printable(str(error).removeprefix("save: "), 120)
        if len(self.source) > CODE:
            self.source, self.reason = "", "the program of the graph is too long for a page"

    def _refusal(self) -> str:
        arrays = self.scene.arrays
        if len(arrays) > NODES:
            return f"the graph has {len(arrays):,} nodes, more than {NODES}"
        if not self.acting:
            return "the graph has no operation"
        if any(isinstance(array, tuple) for array in arrays.values()):
            return "an operation has several results"
        numbers = sum(np.size(arrays[leaf]) for leaf in self.leaves)
        if max(numbers, *(np.size(array) for array in arrays.values())) > NUMBERS:
            return f"the graph has arrays of more than {NUMBERS:,} numbers"
        return ""

    def _numbers(self, *arrays: Any) -> Any:
        """All numbers of the graph, for the arrays of its leaves, by the engine's own sweep."""
        graph = self.scene.graph
        given = {leaf: leaf for leaf in self.leaves}
        for leaf, array in zip([x for x in self.leaves if not _is_number(x)], arrays, strict=True):
            given[leaf] = OPS["identity"](array)
            given[leaf].requires_grad = leaf.requires_grad
        values = graph.replayed(given.get, apply)
        if not self.graded:
            return [values[node] for node in self.acting], [], [], [], [], []
        result = values[graph.outputs[-1]]
        one = Tensor(np.ones(result.shape, result.dtype), requires_grad=False)
        found = gradients(result, one, on_tensors=True)
        local = []
        for consumer, k in self.local:
            out, operands = values[consumer], [values[x] for x in consumer.inputs]
            local.append(local_derivative(consumer, k, out, operands, found.of[out]))
        return (
            [values[node] for node in self.acting],
            [found.of[values[node]] for node in self.graded],
            [found.parts[values[consumer], k] for consumer, k in self.parts],
            *([found[j] for found in local] for j in range(3)),
        )

    def data(self) -> dict[str, Any]:
        """What the page's script needs to know of the program, and to show its numbers."""
        number = self.scene.numbers
        if not self.source:
            return {"reason": self.reason}
        return {
            "result": number[self.scene.graph.outputs[-1]],
            "shapes": {number[node]: np.shape(a) for node, a in self.scene.arrays.items()},
            "leaves": [self._leaf(leaf) for leaf in self.leaves],
            "values": [number[node] for node in self.acting],
            "gradients": [number[node] for node in self.graded],
            "parts": [(number[c], k, number[c.inputs[k]]) for c, k in self.parts],
            "local": [(number[c], k, self.scene.local_shape(c, k)) for c, k in self.local],
        }

    def sentences(self, node: Any, words: Words, parts: Iterable[tuple[Any, int]]) -> list[Any]:
        """The sentences about a node, with references in place of numbers."""
        number = self.scene.numbers.__getitem__
        forward = encoded(words.forward(node), number) if node.op is not None else None
        backward = encoded(words.backward(node), number) if node in self.graded else None
        return [forward, backward, [(words.source(c), number(c), k) for c, k in parts]]

    def label(self, edge: Edge, words: Words) -> list[Any]:
        """What stands on an arrow, with references in place of numbers."""
        number = self.scene.numbers
        if edge.at is None:
            return []
        consumer, k = edge.at
        known = self.scene.gradients is not None and edge.at in self.scene.gradients.parts
        derivative = encoded(words.derivative(consumer, k), number.__getitem__) if known else None
        return [derivative, (number[consumer], k) if edge.part else None]

    def _leaf(self, leaf: Any) -> dict[str, Any]:
        array = np.asarray(self.scene.arrays[leaf])
        return {
            "node": self.scene.numbers[leaf],
            "dtype": array.dtype.name,
            "named": leaf.name is not None or leaf.requires_grad,
            "number": _is_number(leaf),
            # JSON has no NaN and no infinity.
            "data": [x if np.isfinite(x) else str(x) for x in array.ravel().tolist()],
            "fixed": self._fixed(leaf, array),
        }

    def _fixed(self, leaf: Any, array: Any) -> str:
        """Why the numbers of a leaf cannot be edited; empty if they can."""
        if array.size == 0:
            return "there is none"
        if array.size > EDITED:
            return f"there are {array.size:,}, more than {EDITED}"
        if _is_number(leaf):
            return "formulas contain this number"
        users = [consumer.op for consumer, _ in self.scene.graph.consumers[leaf]]
        plain = all(op.traits.elementwise or op.name == "matmul" for op in users)
        if array.dtype.kind != "f" and not plain:
            return "they are integers that an operation may use as an index"
        return ""


def _is_number(leaf: Any) -> bool:
    """Whether a leaf is a number in an expression, which stands in formulas and has no dtype."""
    return leaf.name is None and not leaf.requires_grad and leaf.shape == ()
