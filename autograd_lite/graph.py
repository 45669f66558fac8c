"""The graph as a list of nodes; the one traversal that everybody uses."""

from __future__ import annotations

from collections.abc import Iterable
from operator import attrgetter
from typing import Any

from autograd_lite.node import Node
from autograd_lite.notebook import graph_html

__all__ = ["Graph", "ancestors"]

_in_order = attrgetter("position")


def ancestors(outputs: Iterable[Any], wanting: bool = False, written: bool = True) -> list[Any]:
    """Every node that the outputs were made from, themselves included, in order of execution.

    Args:
        outputs: where to start.
        wanting: keep to the nodes through which a gradient is wanted.
        written: follow the graph as it was written; otherwise pass through the better computed
            equal of a node where it holds one.
    """
    stack = list(outputs)
    seen = set(stack)
    while stack:
        node = stack.pop()
        for x in node.inputs if written or node.stable is None else (node.stable,):
            if (x.requires_grad or not wanting) and x not in seen:
                seen.add(x)
                stack.append(x)
    return sorted(seen, key=_in_order)


class Graph:
    """The record as data: nodes in order of execution, inputs and outputs.

    Attributes:
        nodes: every node, an input before what is made from it.
        inputs: the leaves, or, for a traced function, its arguments in order.
        outputs: what the graph computes.
        consumers: for each node the pairs (consumer, k) that take it as their k-th input.

    Example:
        >>> import autograd_lite as ag
        >>> a, b = ag.Tensor(2.0, name="a"), ag.Tensor(3.0, name="b")
        >>> ag.Graph.of((a * b).named("c"))
        Graph(2 inputs, 1 operation: a, b → c)
    """

    __slots__ = ("consumers", "inputs", "nodes", "outputs")

    def __init__(
        self, outputs: Iterable[Any], inputs: Iterable[Any] | None = None, written: bool = True
    ) -> None:
        self.outputs: tuple[Node, ...] = tuple(outputs)
        self.nodes: list[Any] = ancestors(self.outputs, written=written)
        leaves = (node for node in self.nodes if node.op is None)
        self.inputs: tuple[Node, ...] = tuple(leaves if inputs is None else inputs)
        self.consumers: dict[Node, list[tuple[Node, int]]] = {node: [] for node in self.nodes}
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
            if not isinstance(output, Node):
                raise TypeError(f"Graph.of: takes Tensors, not {type(output).__name__}")
        return cls(outputs)

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
