"""The module that runs: one function, or the three functions of a sum over blocks of rows."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from autograd_lite.compiler.blocks import Blocks
from autograd_lite.compiler.bounds import is_silent
from autograd_lite.compiler.embed import Embedded
from autograd_lite.compiler.emit import Code, Emitter
from autograd_lite.compiler.executors import Executor
from autograd_lite.compiler.interface import Namespace, Parameters, packed
from autograd_lite.compiler.kernels import Kernels
from autograd_lite.compiler.lengths import Numbers
from autograd_lite.compiler.machine import LONGEST_SUM
from autograd_lite.compiler.machine_code import CONTIGUOUS
from autograd_lite.compiler.module import LITERAL, Module, constant_source, imports_of
from autograd_lite.compiler.signature import Packing, Signature
from autograd_lite.compiler.summation import over_rows
from autograd_lite.expressions.expr import CONSTANT, Builder, Expr
from autograd_lite.expressions.loops import everything
from autograd_lite.expressions.names import Names
from autograd_lite.expressions.printer import literal

__all__ = ["Running"]


class Running:
    """Writes the module that runs.

    Args:
        name: of the function.
        signature: of the call.
        arguments: the expressions of its arrays.
        donated: the numbers of those that may be overwritten.
        packing: the form of the results.
        b: the builder of the expressions.
        rows: the argument that tells the number of rows, if that may change from call to call.
        numbers: the numbers that depend on it.
        kernels: where to define native functions, if it has any.
        alone: whether the module must need nothing but NumPy and Numba.
    """

    def __init__(
        self,
        name: str,
        signature: Signature,
        arguments: Sequence[Expr],
        donated: Iterable[int],
        packing: Packing,
        b: Builder,
        rows: Expr | None = None,
        numbers: Numbers = MappingProxyType({}),
        kernels: Kernels | None = None,
        alone: bool = False,
    ) -> None:
        self.name, self.packing, self.b = name, packing, b
        self.names, self.code = Names([name, "contiguous"]), Code()
        self.given = Namespace(self.names)
        self.namespace = None if alone else self.given
        self.embedded = Embedded(self.namespace)
        every = set(range(len(arguments)))
        self.parameters = Parameters(signature, self.names, every, self.namespace)
        self.named = {x: self.parameters.leaves[k] for k, x in enumerate(arguments)}
        self.donated = {arguments[k] for k in donated}
        self.start = [*self.parameters.lines]
        self.start += [f"{text} = {text}[()]" for x, text in self.named.items() if x.shape == ()]
        self.kernels = kernels
        self.functions: list[str] = []
        self.imports: list[str] = []
        self.notes: list[str] = []
        self.scaled: dict[str, str] = {}
        self.length, self.blockwise = "", ""
        if rows is not None:
            self.length = self.names.take("n")
            self.start.append(f"{self.length} = {self.named[rows]}.shape[0]")
            self._name(numbers)

    def _name(self, numbers: Numbers) -> None:
        """Name the numbers that depend on the number of rows."""
        for x, (number, scalar) in numbers.items():
            text = number.text(self.length)
            self.named[x] = text if text == self.length else f"({text})"
            if not scalar or self.kernels is not None:
                self.named[x] = name = self.names.take("c")
                # Native functions take numbers, and NumPy is faster with arrays.
                known = f"np.{x.dtype}({text})"
                array = f'np.array({text}, dtype="{x.dtype}")'
                self.scaled[name] = f"{name} = {array if self.kernels is None else known}"

    def _constants(self, definitions: Mapping[str, str], rows: str) -> list[str]:
        """The line that takes constants from a function of the number of rows, if there are any.

        The function remembers its results.
        """
        if not definitions:
            return []
        function, names = self.names.take("constants"), _listed([*definitions])
        body = [*definitions.values(), f"return {names}"]
        self._define(function, [self.length or "n"], body, "@lru_cache(maxsize=8)")
        self.imports = ["from functools import lru_cache", ""]
        return [f"{names} = {function}({rows})"]

    def written(self, body: Sequence[str], roots: Iterable[Any]) -> Module:
        """The module with the body of its last function."""
        if not is_silent(everything(roots)):
            body = ['with np.errstate(all="ignore"):', *(f"    {line}" for line in body)]
        self._define(self.name, self.parameters.names, body)
        head = "\n".join([*_definitions(self.code, self.namespace), *self.notes])
        native = "" if self.kernels is None else self.kernels.source
        helpers = [CONTIGUOUS] if any("contiguous(" in text for text in self.functions) else []
        parts = [head, *self.embedded.sources, *helpers, *self.functions]
        code = "\n\n\n".join(filter(None, parts)) + "\n"
        imports = "\n".join([*self.imports, *imports_of(f"np.\n{code}"), ""])
        return Module(self.name, imports, code, self.given, native, self.blockwise)

    def any_length(
        self, placed: Sequence[Any], roots: Sequence[Any], blocks: Blocks, execute: Executor
    ) -> list[str]:
        """The body of a function for any number of rows: one pass for few, blocks for many.

        Args:
            placed: the results for blocks.
            roots: the results for one pass.
            blocks: the program in blocks.
            execute: the executor.
        """
        most = self.names.take("most")
        self.given[most] = min(blocks.most, LONGEST_SUM)
        self.notes.append(f"# {most}: the number of rows up to which one pass is as fast")
        lines = self.one_pass(roots, blocks.split.length)
        in_blocks = [f"    {line}" for line in self.in_blocks(placed, blocks, execute)]
        return [*self.start, f"if {self.length} > {most}:", *in_blocks, *lines]

    def one_pass(self, roots: Sequence[Any], length: int = 0) -> list[str]:
        """The lines that compute and return the results in one pass."""
        emitter = self._emitter(self.named, self.donated)
        before = set(self.code.constants)
        emitter.write(self._ordered(roots))
        lines = [*self.code.taken(), self._return(roots, emitter)]
        filled = self._filled(length, before) if length else {}
        return [*self._constants(self.scaled | filled, self.length), *lines]

    def in_blocks(self, roots: Sequence[Any], blocks: Blocks, execute: Executor) -> list[str]:
        """The lines that compute and return the results from sums over blocks of rows.

        It calls `before` for all that does not depend on rows, lets an executor call `partial` with
        blocks of the data that have rows, and calls `finish` with the sums and the results that
        have rows.
        """
        take = self.names.take
        first, each, last, run = map(take, ("before", "partial", "finish", "over_rows"))
        known, sums, rowwise = take("known"), take("sums"), take("rowwise")
        self.given[run] = functools.partial(over_rows, execute, blocks.size, blocks.forms)
        self.notes.append(f"# {run}: adds what a function returns for blocks of rows")
        emitter = self._emitter(self.named)
        results = [take(self.b.names.get(x, ""), "result") for x in blocks.rowwise]
        totals = [take(self.b.names.get(x, ""), "total") for x in blocks.sums]
        emitter.write(blocks.independent(roots))
        before = [*self.start, *self._constants(self.scaled, self.length), *self.code.taken()]
        data, parts, partial = self._partial(blocks, emitter)
        for x, name in zip([*blocks.rowwise, *blocks.sums], [*results, *totals], strict=True):
            emitter.add(x, name)
        emitter.owned |= self.donated
        emitter.write(self._ordered(roots))
        finish = [*self.code.taken(), self._return(roots, emitter)]
        used = _used(self.parameters.names, before, [*partial, *finish])
        given = _listed([name for name in used if name not in parts])
        unpacked = [f"{given} = {known}"] if given else []
        summed = [f"{_listed(totals)} = {sums}"] if totals else []
        summed += [f"{_listed(results)} = {rowwise}"] if results else []
        before.append(f"return ({given}), ({_listed(data)})")
        self._define(first, self.parameters.names, before)
        self._define(each, [known, *parts], [*unpacked, *partial])
        self._define(last, [known, sums, rowwise], [*unpacked, *summed, *finish])
        rows, arguments = take("data"), ", ".join(self.parameters.names)
        lines = [
            f"{known}, {rows} = {first}({arguments})",
            f"return {last}({known}, *{run}({each}, {known}, {rows}))",
        ]
        self.blockwise = take("in_blocks")
        self._define(self.blockwise, self.parameters.names, lines)
        return [f"return {self.blockwise}({arguments})"]

    def _partial(self, blocks: Blocks, emitter: Emitter) -> tuple[list[str], list[str], list[str]]:
        """The data that have rows, a block of each, and the lines of the sums over a block."""
        known: dict[Expr, str] = {}
        data, parts = list[str](), list[str]()
        before = set(self.code.constants)
        for x, y in blocks.inputs.items():
            known[y] = emitter.constant(x.value) if x.fn == CONSTANT else emitter.text(x)
            if x in blocks.split.axes:
                data.append(known[y])
                if x.fn == CONSTANT:
                    known[y] = self.names.take(self.b.names.get(x, ""), "block")
                parts.append(known[y])
        inner = self._emitter(known)
        inner.write([*blocks.inside.values()])
        lines = self.code.taken()
        sums = inner.unshared([blocks.inside[x] for x in blocks.sums])
        rowwise = [inner.text(blocks.inside[x]) for x in blocks.rowwise]
        lines.append(f"return [{', '.join(sums)}], [{', '.join(rowwise)}]")
        axis = blocks.axes[0]
        filled = self._filled(blocks.length, before)
        return data, parts, [*self._constants(filled, f"{parts[0]}.shape[{axis}]"), *lines]

    def _emitter(self, named: dict[Expr, str], owned: Iterable[Expr] = ()) -> Emitter:
        return Emitter(
            self.code, self.names, self.b, named, [*owned], self.embedded.add, self.kernels
        )

    def _filled(self, length: int, known: set[str]) -> dict[str, str]:
        """The definitions of new arrays of equal elements with a row for each row of a block."""
        constants, found = self.code.constants, {}
        n = self.length or "n"
        for name in [x for x in constants if x not in known and length in constants[x].shape]:
            value = constants.pop(name)
            del self.code.known[id(value)]
            shape = _listed([n if k == length else str(k) for k in value.shape])
            number = literal(value.flat[0].item())
            found[name] = f'{name} = np.full(({shape}), {number}, dtype="{value.dtype}")'
        return found

    def _ordered(self, roots: Sequence[Any]) -> list[Any]:
        """The results, those last that may overwrite a donated argument."""

        def overwrites(x: Any) -> bool:
            return isinstance(x, Expr) and any(
                y in self.donated and y.shape == x.shape for y in x.inputs
            )

        return sorted(roots, key=overwrites)

    def _return(self, roots: Sequence[Any], emitter: Emitter) -> str:
        written = emitter.unshared(roots)
        return f"return {packed(self.packing.tree, written, self.namespace, bare=True)}"

    def _define(
        self, name: str, parameters: Sequence[str], body: Sequence[str], by: str = ""
    ) -> None:
        head = f"def {name}({', '.join(parameters)}):"
        self.functions.append("\n    ".join([f"{by}\n{head}" if by else head, *body]))


def _listed(names: Sequence[str]) -> str:
    """Names as a tuple without parentheses."""
    return ", ".join(names) + "," * (len(names) == 1)


def _used(parameters: Iterable[str], lines: Iterable[str], later: Iterable[str]) -> list[str]:
    """The parameters, and the names that lines assign, that later lines use."""
    words = set(re.findall(r"\w+", " ".join(later)))
    targets = (line.partition(" = ")[0] for line in lines if " = " in line)
    assigned = [name for target in targets for name in re.findall(r"\w+", target)]
    return [name for name in dict.fromkeys([*parameters, *assigned]) if name in words]


def _definitions(code: Code, namespace: Namespace | None) -> list[str]:
    """The first lines of a module: its aliases and its constants."""
    lines = [f"{alias} = {fn}" for fn, alias in code.aliases.items()]
    for name, value in code.constants.items():
        if namespace is None or value.size <= LITERAL or (value == 1).all():
            lines.append(constant_source(name, value))
        else:
            namespace[name] = value
            lines.append(f"# {name}: {value.dtype} {value.shape}, a constant")
    return lines
