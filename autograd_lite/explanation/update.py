"""A step of gradient descent on a graph, and the graph's values after it."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from autograd_lite.context import setting
from autograd_lite.core.tensor import apply
from autograd_lite.graph import Graph
from autograd_lite.tensor import Tensor

__all__ = ["replayed", "updated"]


def updated(parameters: Mapping[Any, Any], learning_rate: float) -> dict[Any, Any]:
    """The arrays of parameters after a step against their gradients, in their dtypes.

    Args:
        parameters: pairs of a parameter's array and its gradient.
        learning_rate: the size of the step.
    """
    with np.errstate(all="ignore"):
        return {x: array - learning_rate * g for x, (array, g) in parameters.items()}


def replayed(graph: Graph, leaves: Mapping[Any, Any]) -> dict[Any, Any]:
    """The values of the nodes that depend on some leaves, for new arrays of these.

    The operations of the graph run again, in stable forms where the engine has them; the program
    that made the graph does not.

    Example:
        >>> import autograd_lite as ag
        >>> x = ag.Tensor(3.0)
        >>> y = x * x + 1
        >>> float(replayed(ag.Graph.of(y), {x: 2.0})[y])
        5.0
    """
    changed: set[Any] = set(leaves)
    for node in graph.nodes:
        if any(x in changed for x in node.inputs):
            changed.add(node)

    def known(x: Any) -> Any:
        if x in leaves:
            return Tensor(leaves[x])
        if x in changed:
            return None
        # A leaf may have other data by now.
        used = graph.value(x)
        return x if x.op is not None or x.array is used else Tensor(used, requires_grad=False)

    with warnings.catch_warnings(), np.errstate(all="ignore"), setting(observer=None):
        warnings.simplefilter("ignore")
        values = graph.replayed(known, apply)
    return {node: values[node].array for node in graph.nodes if node in changed}
