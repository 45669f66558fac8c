"""A graph with its numbers, as of the time when they were read."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_lite.explanation.labels import labels
from autograd_lite.graph import Graph
from autograd_lite.op import OPS
from autograd_lite.sweep import Gradients
from autograd_lite.tensor import Tensor
from autograd_lite.text import printable

__all__ = ["Snapshot", "local_derivative"]

ROWS = 6
"""A Jacobian has at most this many rows and columns."""

SPREADS = frozenset({"sum", "mean"})
"""Operations that have the same derivative for every element of the input."""


class Snapshot:
    """A graph with its values, gradients and names; later training does not change it.

    Attributes:
        graph: the graph.
        gradients: the gradients of its result, or None.
        arrays: the value of each node.
        names: the name or formula of each node that has one.
        loss: the name of the result that is differentiated.

    Args:
        graph: the graph.
        gradients: the gradients of its result, or None.
        distinct: whether every node has a name of its own, as by `labels`.
    """

    __slots__ = ("_derivatives", "arrays", "gradients", "graph", "loss", "names")

    def __init__(self, graph: Graph, gradients: Gradients | None, distinct: bool = False) -> None:
        self.graph: Graph = graph
        self.gradients: Gradients | None = gradients
        self.arrays: dict[Any, Any] = {node: graph.value(node) for node in graph.nodes}
        self.names: dict[Any, str] = labels(graph, distinct)
        result = graph.outputs[-1]
        name = printable(result.name or "", 12) or "L"
        if distinct:
            if not result.name and name not in self.names.values():
                self.names[result] = name
            name = self.names[result]
        self.loss: str = name if np.size(result.array) == 1 else f"(Σ {name})"
        self._derivatives: dict[tuple[str, Any, int], tuple[Any, bool] | None] = {}

    def gradient(self, node: Any) -> Any:
        """The gradient of the result with respect to a node, or None."""
        if self.gradients is None or not node.requires_grad:
            return None
        return self.gradients.of.get(node)

    def array(self, kind: str, at: Any) -> Any:
        """The array that a reference in a sentence names; None if it is not known."""
        if kind == "value":
            return self.arrays[at]
        if kind == "gradient":
            return self.gradient(at)
        if kind == "part":
            return None if self.gradients is None else self.gradients.parts.get(at)
        found = self._derivative(kind, *at)
        return found[0] if found is not None and found[1] else None

    def local_shape(self, consumer: Any, k: int) -> tuple[int, ...] | None:
        """The shape of a local derivative; None if it is not a number for each element."""
        found = self._derivative("local", consumer, k)
        return None if found is None else np.shape(found[0])

    def _derivative(self, kind: str, consumer: Any, k: int) -> tuple[Any, bool] | None:
        """A derivative of an operation, and whether it agrees with the gradients; computed once."""
        key = kind, consumer, k
        if key not in self._derivatives:
            compute = self._local_derivative if kind == "local" else self._jacobian_matrix
            self._derivatives[key] = compute(consumer, k)
        return self._derivatives[key]

    def _local_derivative(self, consumer: Any, k: int) -> tuple[Any, bool] | None:
        """The result of an operation's gradient rule for a gradient of 1.

        It is known only if it agrees with the gradients; the gradients of a loss that is computed
        in a stable form, such as the log of a σ, come from that form.
        """
        gradients, out = self.gradients, self.arrays[consumer]
        if gradients is None or (consumer, k) not in gradients.parts or isinstance(out, tuple):
            return None
        op = consumer.op
        if not (op.traits.elementwise or np.size(out) == 1 or op.name in SPREADS):
            return None
        with np.errstate(all="ignore"):
            s, part, scale = local_derivative(
                consumer, k, out, consumer.operands, gradients.of[consumer]
            )
            return s, _agree(part, gradients.parts[consumer, k], scale)

    def has_jacobian(self, consumer: Any, k: int) -> bool:
        """Whether an operation without a local derivative has a Jacobian: of small vectors."""
        x, gradients = consumer.inputs[k], self.gradients
        if gradients is None or (consumer, k) not in gradients.parts:
            return False
        if isinstance(self.arrays[consumer], tuple) or self.local_shape(consumer, k) is not None:
            return False
        small = 0 < consumer.size <= ROWS and 0 < x.size <= ROWS
        return small and bool(consumer.ndim == 1 and x.ndim <= 1)

    def _jacobian_matrix(self, consumer: Any, k: int) -> tuple[Any, bool]:
        """The results of an operation's gradient rule for unit vectors, one a row.

        It is known only if it agrees with the gradients.
        """
        assert self.gradients is not None
        out, part = self.arrays[consumer], self.gradients.parts[consumer, k]
        with np.errstate(all="ignore"):
            rows = [
                consumer.op.rules[k](unit, out, *consumer.operands, **consumer.attributes)
                for unit in np.eye(consumer.size, dtype=out.dtype)
            ]
            jacobian = np.stack([np.ravel(row) for row in rows])
            product = self.gradients.of[consumer] @ jacobian
            scale = np.max(np.abs(product))
            return jacobian, _agree(product, np.ravel(part), scale)


def _agree(product: Any, part: Any, scale: Any) -> bool:
    """Whether a product is a part of a gradient; what cancels may differ by the scale of terms."""
    noise = 1e-12 * scale if np.isfinite(scale) else 0.0
    return np.allclose(product, part, rtol=1e-4, atol=noise, equal_nan=True)


def local_derivative(
    consumer: Any, k: int, out: Any, operands: Any, g: Any
) -> tuple[Any, Any, Any]:
    """The derivative of a node with respect to its k-th operand, and what follows from it.

    Args:
        consumer, k: the edge.
        out, operands: the value of the node and of its operands, as arrays or Tensors.
        g: the gradient of the node.

    Returns:
        the derivative, the part of the gradient, and the largest of its terms.
    """
    op, rule = consumer.op, consumer.op.rules[k]
    one: Any = np.ones(np.shape(out), out.dtype)
    if isinstance(g, Tensor):  # rules get only arrays or only Tensors
        one = Tensor(one, requires_grad=False)
    s = rule(one, out, *operands, **consumer.attributes)
    if op.traits.elementwise:
        part = s * g
    elif op.name in SPREADS and np.size(out) > 1:
        part = rule(g, out, *operands, **consumer.attributes)
    else:
        part = s * np.ravel(g)[0]
    scale = np.max(np.abs(part)) if np.size(part) else 0.0
    sides = consumer.inputs[k].shape
    return s, part if np.shape(part) == sides else OPS["sum_to"](part, shape=sides), scale
