"""A function traced for one signature."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from autograd_lite.compiler import passes
from autograd_lite.compiler.lengths import LengthError, as_traced
from autograd_lite.compiler.rolling import rolled
from autograd_lite.compiler.signature import Packing, Signature
from autograd_lite.context import SHAPES_READ, ShapesRead, setting
from autograd_lite.expressions.expr import Builder, Expr
from autograd_lite.expressions.lower import from_graph
from autograd_lite.graph import Graph
from autograd_lite.lines import Lines
from autograd_lite.tensor import Tensor
from autograd_lite.transforms import trace

__all__ = ["Traced", "traced", "with_length"]


def traced(function: Callable[..., Any], signature: Signature) -> tuple[Graph, Packing]:
    """The graph of a function, in stable forms, and the form of its results."""
    packings = []

    def leaves(*arrays: Any) -> list[Any]:
        packings.append(Packing(signature.call(function, arrays)))
        return packings[-1].leaves

    named = [
        Tensor(array, leaf.name, requires_grad=False)
        for array, leaf in zip(signature.arrays, signature.leaves, strict=True)
    ]
    with setting(scope=(), observer=Lines()), np.errstate(all="ignore"):
        graph = trace(leaves, *named)
    packings[-1].leaves = []
    return Graph(graph.outputs, graph.inputs, as_written=False), packings[-1]


class Traced:
    """A function traced for one signature, and its program.

    Args:
        function, signature: what is traced.
        noted: what the function is told of the number of rows.

    Attributes:
        reads_shapes: whether the function itself reads the shape of an array that depends on an
            argument, and so could do something else for another number of rows.
        results: after the passes, in the readable form.
        placed: with all factors placed.
    """

    def __init__(
        self, function: Callable[..., Any], signature: Signature, noted: ShapesRead | None = None
    ) -> None:
        noted = noted or ShapesRead()
        token = SHAPES_READ.set(noted)
        try:
            self.graph, self.packing = traced(function, signature)
        finally:
            SHAPES_READ.reset(token)
        self.reads_shapes = noted.read
        self.b: Builder = Builder()
        self.arguments: list[Expr] = [
            self.b.argument(array, leaf.name)
            for array, leaf in zip(signature.arrays, signature.leaves, strict=True)
        ]
        self.results: list[Any] = []
        self.placed: list[Any] = []

    @cached_property
    def traced(self) -> list[Any]:
        """The results as traced."""
        return as_traced(self.graph)

    def unchanged(self) -> Traced:
        """Take the results as they were traced, without a pass; returns self.

        They round as the operations do, one by one.
        """
        self.results = passes.as_numpy(from_graph(self.graph, self.arguments, self.b), self.b)
        return self

    def passed(self, rolls: bool = False) -> Traced:
        """Run the passes; returns self."""
        roots = from_graph(self.graph, self.arguments, self.b)
        self.results = passes.readable(rolled(roots, self.b) if rolls else roots, self.b)
        self.placed = passes.with_factors_placed(self.results, self.b)
        return self


def with_length(
    function: Callable[..., Any], signature: Signature, noted: ShapesRead | None = None
) -> Traced:
    """A function traced for another number of rows.

    Raises:
        LengthError: if it refuses them.
    """
    try:
        return Traced(function, signature, noted)
    except Exception as error:  # of the user's function, which refuses other numbers of rows
        raise LengthError from error
