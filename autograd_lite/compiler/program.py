"""One program: a function traced for one signature, its source, and the function that runs."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_lite.compiler import passes
from autograd_lite.compiler.blocks import blocks_of, large
from autograd_lite.compiler.bounds import is_silent
from autograd_lite.compiler.embed import Embedded
from autograd_lite.compiler.executors import Executor, in_turn
from autograd_lite.compiler.interface import Namespace, Parameters, guard, packed
from autograd_lite.compiler.layout import laid_out
from autograd_lite.compiler.module import constant_source, loaded
from autograd_lite.compiler.rolling import rolled
from autograd_lite.compiler.rows import split
from autograd_lite.compiler.running import Running
from autograd_lite.compiler.signature import Packing, Signature
from autograd_lite.compiler.source_map import places_in
from autograd_lite.context import setting
from autograd_lite.expressions.expr import ARGUMENT, CONSTANT, LOOP, Builder, Expr, Place
from autograd_lite.expressions.loops import everything
from autograd_lite.expressions.lower import from_graph
from autograd_lite.expressions.names import Names
from autograd_lite.expressions.printer import WIDTH, Printer, statements
from autograd_lite.graph import Graph
from autograd_lite.lines import Lines
from autograd_lite.tensor import Tensor
from autograd_lite.transforms import trace

__all__ = ["Program", "traced"]


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


class Program:
    """A function traced for one signature.

    Attributes:
        source: the module that runs.
        run: the function that it defines.
        fits: a fast test whether the arguments of a call have this signature, or None.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        signature: Signature,
        donated: Sequence[int],
        rows: int | str | None = None,
        execute: Executor = in_turn,
    ) -> None:
        self.name = name
        self.signature: Signature = signature.without_arrays()
        self.donated: set[int] = set(donated)
        graph, self.packing = traced(function, signature)
        self.b: Builder = Builder()
        self.arguments: list[Expr] = [
            self.b.argument(array, leaf.name)
            for array, leaf in zip(signature.arrays, signature.leaves, strict=True)
        ]
        roots = from_graph(graph, self.arguments, self.b)
        if rows is None:
            roots = rolled(roots, self.b)
        self.results: list[Any] = passes.readable(roots, self.b)
        roots = passes.with_factors_placed(self.results, self.b)
        blocks = None
        if isinstance(rows, int) or (rows == "auto" and large(roots)):
            blocks = blocks_of(roots, self.b, split(roots, self.b.names), rows, passes.running)
        if blocks is None:
            roots = passes.running(roots, self.b)
        running = Running(name, self.signature, self.arguments, self.donated, self.packing, self.b)
        if blocks is None:
            body, computed = running.one_pass(roots), roots
        else:
            body = running.in_blocks(roots, blocks, execute)
            computed = [*roots, *blocks.inside.values()]
        self.source, self.run = running.loaded(body, computed)
        self.fits: Any = None if self.donated else self._guard()
        self.b.forget()

    def _guard(self) -> Any:
        namespace = Namespace(Names(), ndarray=np.ndarray)
        source = guard(self.signature.tree, namespace)
        return source and loaded(source, "fits", namespace)

    # The readable form

    def readable(self) -> str:
        """The program as a module of plain NumPy, without buffers.

        Raises:
            ValueError: if it contains a value or an operation that cannot be written as source.
        """
        return self._written()[0]

    def source_map(self) -> dict[int, Place]:
        """The user's file and line for each line of the readable form, as far as it has one."""
        module, assigned = self._written()
        returned = [x.line if isinstance(x, Expr) else None for x in self.results]
        return places_in(module, self.name, assigned, returned)

    def _written(self) -> tuple[str, dict[str, Place]]:
        """The readable form, and the user's line for each name that it assigns."""
        names, embedded, order = Names([self.name]), Embedded(), everything(self.results)
        needed = set(order)
        used = {k for k, x in enumerate(self.arguments) if x in needed}
        parameters = Parameters(self.signature, names, used)
        named = {x: parameters.leaves[k] for k, x in enumerate(self.arguments)}
        constants = [x for x in order if x.fn == CONSTANT and x.ndim and not _is_uniform(x.value)]
        for x in constants:
            named[x] = names.take(self.b.names.get(x, "").upper(), "C")
        definitions = [constant_source(named[x], x.value) for x in constants]
        printer = Printer(named, embedded.add)
        body = [*parameters.lines]
        body += statements(self.results, self.b, printer, named, names)
        results = [printer.text(x) for x in self.results]
        for k, x in enumerate(self.results):
            if isinstance(x, Expr) and (x.fn == ARGUMENT or x in constants):
                results[k] = f"np.copy({results[k]})" + "[()]" * (x.shape == ())
        body += self._returned(results, names)
        assigned = {name: x.line for x, name in named.items() if x.line is not None}
        pairs = zip(results, self.results, strict=True)
        assigned |= {name: x.line for name, x in pairs if isinstance(x, Expr) and x.line}
        for loop in (x for x in order if x.fn == LOOP):
            carried = zip(loop.args[0].carried, loop.args[0].updates, strict=True)
            assigned |= {named[p]: x.line for p, x in carried if x.line is not None}
        written = [f"{text}\n\n" for text in embedded.sources]
        written += [] if is_silent(order) else ['@np.errstate(all="ignore")']
        written.append(laid_out(f"def {self.name}({parameters.definition()}):"))
        written += [f"    {line}".rstrip() for line in parameters.docstring()]
        written += [laid_out(f"    {line}") for line in body]
        for text in definitions:
            written += ["", "", *map(laid_out, text.splitlines())]
        module = "\n".join(written) + "\n"
        uses_numpy = any(getattr(x, "id", "") == "np" for x in ast.walk(ast.parse(module)))
        return "import numpy as np\n\n\n" * uses_numpy + module, assigned

    def _returned(self, results: list[str], names: Names) -> list[str]:
        """The return statement, after an assignment of each result where it would be too long."""
        text = f"return {packed(self.packing.tree, results, None, bare=True)}"
        if len(text) <= WIDTH:
            return [text]
        lines = []
        for k, name in enumerate(self.packing.names):
            if not (text := results[k]).isidentifier():
                results[k] = names.take(f"{name}_out" if name else "out")
                lines.append(f"{results[k]} = {text}")
        return [*lines, f"return {packed(self.packing.tree, results, None, bare=True)}"]


def _is_uniform(value: Any) -> bool:
    return bool(value.size and (value == value.flat[0]).all())
