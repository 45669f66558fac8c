"""The graph as data: the Tensors that a result depends on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from autograd_lite.core.tensor import ancestors as nodes_before
from autograd_lite.core.tensor import value_of
from autograd_lite.notebook import graph_html
from autograd_lite.record import Recorded

__all__ = ["ChangedError", "Graph", "ancestors"]


class ChangedError(RuntimeError):
    """The data of a Tensor changed between two uses in one graph."""


def ancestors(
    outputs: Iterable[Any], requires_grad: bool = False, as_written: bool = True
) -> list[Any]:
    """Every Tensor that the outputs depend on, including the outputs, in order of execution."""
    alive = list(outputs)
    return [
        value_of(node) for node in nodes_before([x.node for x in alive], as_written, requires_grad)
    ]


class Graph:
    """The record as data: nodes in order of execution, inputs and outputs.

    Attributes:
        nodes: all nodes, each after its inputs.
        inputs: the leaves, or, for a traced function, its arguments in order.
        outputs: the results.
        consumers: for each node the pairs (consumer, k) that use it as their k-th input.

    Example:
        >>> import autograd_lite as ag
        >>> a, b = ag.Tensor(2.0, name="a"), ag.Tensor(3.0, name="b")
        >>> ag.Graph.of((a * b).named("c"))
        Graph(2 inputs, 1 operation: a, b → c)
    """

    __slots__ = ("consumers", "inputs", "nodes", "outputs")

    def __init__(
        self, outputs: Iterable[Any], inputs: Iterable[Any] | None = None, as_written: bool = True
    ) -> None:
        self.outputs: tuple[Any, ...] = tuple(outputs)
        self.nodes: list[Any] = ancestors(self.outputs, as_written=as_written)
        leaves = (node for node in self.nodes if node.op is None)
        self.inputs: tuple[Any, ...] = tuple(leaves if inputs is None else inputs)
        self.consumers: dict[Any, list[tuple[Any, int]]] = {node: [] for node in self.nodes}
        for node in self.nodes:
            for k, x in enumerate(node.inputs):
                if x in self.consumers:
                    self.consumers[x].append((node, k))

    @classmethod
    def of(cls, *outputs: Any) -> Graph:
        """The graph of one or several results.

        Raises:
            TypeError: if an output is not a Tensor.
        """
        for output in outputs:
            if not isinstance(output, Recorded):
                raise TypeError(f"Graph.of: outputs must be Tensors, not {type(output).__name__}")
        return cls(outputs)

    def value(self, x: Any) -> Any:
        """The array of a Tensor of this graph; for a leaf, the array that was used here."""
        if x.op is None and self.consumers.get(x):
            consumer, k = self.consumers[x][0]
            return consumer.node.saved[1 + k]
        return x.array

    def replayed(
        self, known: Callable[[Any], Any], apply: Callable[[Any, list[Any], dict[str, Any]], Any]
    ) -> dict[Any, Any]:
        """The values of all nodes, computed again in the order of execution.

        Args:
            known: returns the value of a Tensor, or None if it is to be computed.
            apply: computes an operation from the values of its operands and its attributes.
        """
        values: dict[Any, Any] = {}
        for x in self.nodes:
            value = known(x)
            if value is None:
                value = apply(x.op, [values[operand] for operand in x.inputs], x.attributes)
            values[x] = value
        return values

    def check_unchanged(self, what: str) -> None:
        """Reject a leaf whose data changed between two uses.

        Raises:
            ChangedError: with the name of the leaf.
        """
        for x in self.inputs:
            for consumer, k in self.consumers.get(x, ()):
                used = np.asarray(consumer.node.saved[1 + k])
                if not np.array_equal(used, self.value(x), equal_nan=used.dtype.kind == "f"):
                    raise ChangedError(
                        f"{what}: the data of {x.node} changed between two uses in one graph; "
                        "change them before the first use or after the last"
                    )

    def __len__(self) -> int:
        return len(self.nodes)

    def _repr_html_(self) -> str:
        return graph_html(self)

    def __repr__(self) -> str:
        leaves = sum(node.op is None for node in self.nodes)
        made = len(self.nodes) - leaves

        def names(nodes: tuple[Any, ...]) -> str:
            shown = [node.name or str(node.shape) for node in nodes[:6]]
            return ", ".join(shown) + (", …" if len(nodes) > 6 else "")

        return (
            f"Graph({leaves} input{'s' * (leaves != 1)}, {made} operation{'s' * (made != 1)}: "
            f"{names(self.inputs)} → {names(self.outputs)})"
        )
