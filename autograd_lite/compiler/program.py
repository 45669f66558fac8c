"""One program: a function traced for one signature, its source, and the function that runs."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_lite.compiler import passes
from autograd_lite.compiler.blocks import Blocks, blocks_of, large, write_loop
from autograd_lite.compiler.bounds import is_silent
from autograd_lite.compiler.embed import Embedded
from autograd_lite.compiler.emit import Code, Emitter
from autograd_lite.compiler.interface import (
    Held,
    defaulted,
    described,
    guard,
    packed,
    unpacking,
)
from autograd_lite.compiler.layout import laid_out
from autograd_lite.compiler.module import LITERAL, constant_source, loaded, shape_text
from autograd_lite.compiler.rows import split
from autograd_lite.compiler.signature import Packing, Signature
from autograd_lite.context import setting
from autograd_lite.expressions.expr import ARGUMENT, CONSTANT, Builder, Expr, in_order
from autograd_lite.expressions.lower import from_graph
from autograd_lite.expressions.names import Names
from autograd_lite.expressions.printer import WIDTH, Printer, statements
from autograd_lite.graph import Graph
from autograd_lite.tensor import Tensor
from autograd_lite.transforms import trace

__all__ = ["Program", "traced"]


def traced(function: Callable[..., Any], signature: Signature) -> tuple[Graph, Packing]:
    """The record of a function, its values by better computed equals, and its results' form."""
    packings = []

    def leaves(*arrays: Any) -> list[Any]:
        packings.append(Packing(signature.call(function, arrays)))
        return packings[-1].leaves

    named = [
        Tensor(array, leaf.name, requires_grad=False)
        for array, leaf in zip(signature.arrays, signature.leaves, strict=True)
    ]
    with setting(scope=(), observer=None), np.errstate(all="ignore"):
        graph = trace(leaves, *named)
    packings[-1].leaves = []
    return Graph(graph.outputs, graph.inputs, written=False), packings[-1]


class Program:
    """A function traced for one signature.

    Attributes:
        source: the module that runs.
        run: the function in it.
        fits: whether the arguments of a call have this signature, or None where that cannot be
            told quickly.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        signature: Signature,
        donated: Sequence[int],
        rows: int | str | None = None,
    ) -> None:
        self.name, self.signature = name, signature.without_arrays()
        self.donated = set(donated)
        graph, self.packing = traced(function, signature)
        self.b = Builder()
        self.arguments = [
            self.b.argument(array, leaf.name)
            for array, leaf in zip(signature.arrays, signature.leaves, strict=True)
        ]
        written = from_graph(graph, self.arguments, self.b)
        self.results = passes.readable(written, self.b)
        roots = passes.with_factors_placed(self.results, self.b)
        blocks = None
        if isinstance(rows, int) or (rows == "auto" and large(roots)):
            blocks = blocks_of(roots, self.b, split(roots, self.b.names), rows, passes.running)
        if blocks is None:
            roots = passes.running(roots, self.b)
        self.source, self.run, self.fits = self._running(roots, blocks)
        self.b.forget()

    # The code that runs

    def _running(self, roots: Sequence[Any], blocks: Blocks | None) -> tuple[str, Any, Any]:
        names, code, embedded = Names([self.name]), Code(), Embedded()
        every = set(range(len(self.arguments)))
        held = Held(names, np=np)
        parameters, unpack, found = unpacking(self.signature, names, every, held)
        named = {x: found[k] for k, x in enumerate(self.arguments)}
        code.lines += unpack
        owned = [x for k, x in enumerate(self.arguments) if k in self.donated]
        for x in self.arguments:
            if x.shape == ():
                code.lines.append(f"{named[x]} = {named[x]}[()]")
        emitter = Emitter(code, names, self.b, named, owned, embedded.add)
        if blocks is not None:
            write_loop(blocks, code, names, self.b, emitter)
        emitter.write(self._ordered(roots))
        results = self._own(roots, emitter)
        body = [*code.lines, f"return {packed(self.packing.tree, results, held, bare=True)}"]
        if not is_silent(in_order([*roots, *(blocks.inner if blocks else ())])):
            body = ['with np.errstate(all="ignore"):', *(f"    {line}" for line in body)]
        source = self._module(code, embedded, parameters, body, held)
        (run,) = loaded(source, self.name, held | embedded.given, [self.name])
        fits = None
        tests = Held(Names(), ndarray=np.ndarray)
        text = guard(self.signature.tree, tests)
        if text is not None and not self.donated:
            (fits,) = loaded(text, f"{self.name}_signature", tests, ["fits"])
        return source, run, fits

    def _module(
        self, code: Code, embedded: Embedded, parameters: list[str], body: list[str], held: Held
    ) -> str:
        head = ["import numpy as np", ""]
        head += [f"{alias} = {fn}" for fn, alias in code.aliases.items()]
        for name, value in code.constants.items():
            if value.size <= LITERAL or (value == 1).all():
                head.append(constant_source(name, value))
            else:
                held[name] = value
                head.append(f"# {name}: {value.dtype} {shape_text(value.shape)}, a constant")
        head += [f"\n\n{text}" for text in embedded.sources]
        head += ["", "", f"def {self.name}({', '.join(parameters)}):"]
        return "\n".join([*head, *(f"    {line}" for line in body)]) + "\n"

    def _ordered(self, roots: Sequence[Any]) -> list[Any]:
        """What can overwrite a donated argument comes after what still needs it."""
        donated = {self.arguments[k] for k in self.donated}

        def overwrites(x: Any) -> bool:
            return isinstance(x, Expr) and any(
                y in donated and y.shape == x.shape for y in x.inputs
            )

        return sorted(roots, key=overwrites)

    def _own(self, roots: Sequence[Any], emitter: Emitter) -> list[str]:
        """The results as arrays of the caller's own: copies of what is or shares another's."""
        taken = {x for x in emitter.holders if x.fn in (ARGUMENT, CONSTANT)} - emitter.spent
        written = []
        for x in roots:
            text = emitter.text(x)
            if isinstance(x, Expr) and x.shape != ():
                holders = emitter.holders[x]
                text = f"np.array({text})" if holders & taken else text
                taken |= holders
            written.append(text)
        return written

    # The code that people read

    def readable(self) -> str:
        """The program as a module of plain NumPy, without buffers.

        Raises:
            ValueError: if it holds what cannot be written as source.
        """
        names, embedded = Names([self.name]), Embedded(strict=True)
        order = in_order(self.results)
        used = {k for k, x in enumerate(self.arguments) if x in set(order)}
        parameters, lines, found = unpacking(self.signature, names, used)
        named = {x: found[k] for k, x in enumerate(self.arguments)}
        constants, constant = list[str](), set[Expr]()
        for x in order:
            if x.fn == CONSTANT and x.ndim and not (x.size and (x.value == x.value.flat[0]).all()):
                named[x] = names.take(self.b.names.get(x, "").upper(), "C")
                constants.append(constant_source(named[x], x.value))
                constant.add(x)
        printer = Printer(named, embedded.add)
        lines += statements(self.results, self.b, printer, named, names)
        results = [self._copied(x, printer, constant) for x in self.results]
        head = list[str]()
        if not is_silent(order):
            head.append('@np.errstate(all="ignore")')
        head.append(f"def {self.name}({', '.join(defaulted(self.signature, parameters))}):")
        body = [*described(self.signature, found, parameters), *lines]
        text = f"return {packed(self.packing.tree, results, None, bare=True)}"
        if len(text) > WIDTH:
            results = self._assigned(results, body, names)
            text = f"return {packed(self.packing.tree, results, None, bare=True)}"
        body.append(text)
        body = [f"    {line}".rstrip() for line in body]
        written = [*(f"{text}\n\n" for text in embedded.sources), *map(laid_out, [*head, *body])]
        for constant_text in constants:
            written += ["", "", *map(laid_out, constant_text.splitlines())]
        module = "\n".join(written) + "\n"
        uses_numpy = any(
            isinstance(x, ast.Name) and x.id == "np" for x in ast.walk(ast.parse(module))
        )
        return "import numpy as np\n\n\n" + module if uses_numpy else module

    def _copied(self, x: Any, printer: Printer, constant: set[Expr]) -> str:
        text = printer.text(x)
        if isinstance(x, Expr) and (x.fn == ARGUMENT or x in constant):
            return f"np.copy({text})[()]" if x.shape == () else f"np.copy({text})"
        return text

    def _assigned(self, results: list[str], body: list[str], names: Names) -> list[str]:
        """The names of the results, where one line cannot hold what they are."""
        found = []
        for text, hint in zip(results, self.packing.names, strict=True):
            if not text.isidentifier():
                name = names.take(f"{hint}_out" if hint else "out")
                body.append(f"{name} = {text}")
                text = name
            found.append(text)
        return found
