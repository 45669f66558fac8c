"""A node of an ONNX file, and the table of the operations that can be read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.core.tensor import Value

__all__ = ["READERS", "SEVERAL", "Function", "Node", "known", "plainly", "reads"]

Function = Callable[..., Any]


@dataclass(frozen=True, eq=False)
class Node:
    """One application of an operation.

    Attributes:
        kind: the operation, with its domain unless that is ONNX's own: "Gemm", "ai.onnx.ml.Scaler".
        name: may be empty.
        inputs, outputs: the names of arrays; an optional one that is left out is "".
        attributes: numbers, texts, arrays and lists of them.
        version: the version of the operations of this domain (the opset).
    """

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: dict[str, Any]
    version: int

    def __str__(self) -> str:
        return f"{self.kind} {self.name!r}" if self.name else f"{self.kind} → {self.outputs[0]!r}"

    def get(self, name: str, default: Any = None) -> Any:
        """An attribute, or its default."""
        return self.attributes.get(name, default)

    def refused(self, reason: str) -> ValueError:
        """The error for a node that cannot be read."""
        return ValueError(f"import_onnx: {self}: {reason}")


READERS: dict[str, Callable[[Node], Function]] = {}
"""By kind: from a node to the function of arrays or Tensors that computes its outputs."""

SEVERAL = {"Split", "TopK", "SoftmaxCrossEntropyLoss", "ai.onnx.ml.LinearClassifier"}
"""The kinds whose functions return all outputs; all others return the first only."""


def reads(*kinds: str) -> Callable[[Callable[[Node], Function]], Callable[[Node], Function]]:
    """Enter a reader of nodes of these kinds."""

    def enter(reader: Callable[[Node], Function]) -> Callable[[Node], Function]:
        READERS.update(dict.fromkeys(kinds, reader))
        return reader

    return enter


def plainly(**functions: Function) -> None:
    """Enter operations without attributes: the same function for every node."""
    for kind, function in functions.items():
        READERS[kind] = lambda node, function=function: function  # type: ignore[misc]


def known(x: Any, node: Node, what: str) -> tuple[int, ...]:
    """Integers that a program is built from, such as a shape or axes.

    Raises:
        ValueError: if they are Tensors, whose values a program must not depend on.
    """
    if isinstance(x, Value):
        raise node.refused(f"its {what} must not depend on the values of an input")
    return tuple(map(int, np.ravel(x)))
