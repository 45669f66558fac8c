"""One program: a function traced for one signature, its source, and the function that runs."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from math import inf
from typing import Any

import numpy as np

from autograd_lite.compiler import NotNativeWarning, NotSeparableError, machine_code, passes
from autograd_lite.compiler.blocks import Blocks, blocks_of, large
from autograd_lite.compiler.executors import Executor, in_turn
from autograd_lite.compiler.interface import Namespace, Parameters, guard, packed
from autograd_lite.compiler.kernels import Kernels
from autograd_lite.compiler.layout import laid_out
from autograd_lite.compiler.lengths import (
    LengthError,
    Numbers,
    check_alike,
    check_constants,
    distinct,
    generalized,
    telling,
)
from autograd_lite.compiler.libraries import NumPy
from autograd_lite.compiler.machine import LONGEST_SUM
from autograd_lite.compiler.machine_code import NotNativeError
from autograd_lite.compiler.module import Module, loaded
from autograd_lite.compiler.namespaces import LIBRARIES
from autograd_lite.compiler.native import MOST, calls_to_pay, native_calls
from autograd_lite.compiler.rows import Split, split, split_along
from autograd_lite.compiler.running import Running
from autograd_lite.compiler.signature import Signature, form_key
from autograd_lite.compiler.source_map import places_in
from autograd_lite.compiler.tracing import Traced, with_length
from autograd_lite.context import ShapesRead
from autograd_lite.expressions.expr import ARGUMENT, CONSTANT, LOOP, Builder, Expr, Place, in_order
from autograd_lite.expressions.loops import everything
from autograd_lite.expressions.names import Names
from autograd_lite.expressions.printer import WIDTH, statements

__all__ = ["Program"]

# The numbers of rows of traces for any number of rows: primes, so that 2 / n is never shortened.
LENGTHS = 1009, 1013, 1019, 1021, 1031, 1033, 1039, 1049


class Program:
    """A function traced for one signature.

    Attributes:
        source: the module that runs.
        run: the function that it defines.
        backend: which backend it is for, "numpy" or "numba".
        fits: a fast test whether the arguments of a call have this signature, or None.
        rows: the numbers of the arguments that may have any number of rows.
        alike: None if any number of rows will do, otherwise the function, its traces and, for
            each, the number of rows: it is traced again for each other number.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        name: str,
        signature: Signature,
        donated: Sequence[int],
        rows: int | str | None = None,
        execute: Executor = in_turn,
        backend: str = "numpy",
    ) -> None:
        self.name = name
        self._writeable = [array.flags.writeable for array in signature.arrays]
        self.signature: Signature = signature.without_arrays()
        self.donated: set[int] = set(donated)
        self.rows: frozenset[int] = frozenset()
        self.numbers: Numbers = {}
        self.alike: tuple[Callable[..., Any], list[Any], list[int]] | None = None
        self._backends = ("numpy",) if backend == "numpy" else ("numpy", "numba")
        found = Traced(function, signature).passed(rolls=rows is None)
        try:
            self._modules = self._for_any_length(function, signature, found, rows, execute)
        except (LengthError, NotSeparableError):
            if signature.streams:
                raise
            self._use(found)
            self._modules = [
                self._module(found.placed, rows, execute, backend) for backend in self._backends
            ]
        self._left = inf
        self.fits: Any = None if self.donated else self._guard()
        self.b.forget()
        self._calls = native_calls(found.placed)
        self.calls_to_pay = inf
        if machine_code.installed() and len(self._calls) <= MOST:
            self.calls_to_pay = calls_to_pay(self._calls)
        self.load("numba" if backend == "numba" else "numpy")
        if backend == "auto" and self._modules[1].native:
            self._left = self.calls_to_pay
            self.run = self._counted

    def load(self, backend: str) -> None:
        """Run the program by a backend from now on.

        Warns:
            NotNativeWarning: if Numba cannot compile it; then NumPy runs it.
        """
        module = self._modules[self._backends.index(backend)]
        try:
            self.run = self._loaded = module.load()
        except NotNativeError as error:
            self._warn(str(error))
            module = self._modules[0]
            self.run = self._loaded = module.load()
        if backend == "numba" and not module.native and len(self._calls) > MOST:
            self._warn(f"it has {len(self._calls):,} calls, more than {MOST:,}")
        self.backend = "numba" if module.native else "numpy"
        self.source = module.source
        self.in_blocks: Any = module.in_blocks and self._loaded.__globals__[module.in_blocks]

    def _warn(self, why: str) -> None:
        text = f"compile: Numba does not compile {self.name}, so NumPy runs it: {why}"
        warnings.warn(text, NotNativeWarning, stacklevel=2)

    def _counted(self, *args: Any) -> Any:
        self.count(1)
        return self._loaded(*args)

    def count(self, calls: float) -> None:
        """Count calls: Numba runs the program as soon as they pay for compiling it."""
        self._left -= calls
        if self._left <= 0:
            self._left, run = inf, self.run
            self.load("numba")
            self.run = run

    def _use(self, found: Traced) -> None:
        self.b, self.arguments, self.packing = found.b, found.arguments, found.packing
        self.results = found.results

    def _running(
        self,
        backend: str,
        rows: Expr | None = None,
        numbers: Numbers | None = None,
        alone: bool = False,
    ) -> Running:
        pairs = zip(self.arguments, self._writeable, strict=True)
        read_only = {x for x, writeable in pairs if not writeable}
        return Running(
            *(self.name, self.signature, self.arguments, self.donated, self.packing, self.b),
            *(rows, numbers or {}),
            Kernels(self.name, self.b, read_only) if backend == "numba" else None,
            alone,
        )

    def _module(
        self, roots: Sequence[Any], rows: int | str | None, execute: Executor, backend: str
    ) -> Module:
        """The program for the number of rows in the trace."""
        blocks, running, last = None, self._running(backend), _last_pass(backend)
        data = [x for x in in_order(roots) if x.fn in (ARGUMENT, CONSTANT)]
        most = max((x.shape[0] for x in data if x.ndim), default=0)
        least = min((x.shape[0] for x in data if x.ndim), default=0)
        many = rows < most if isinstance(rows, int) else large(roots)
        if rows is not None and many and least > 1:  # otherwise there may be one row or none
            found = split(roots, self.b.names)
            blocks = _in_blocks(roots, self.b, found, rows, backend)
        if blocks is None or blocks.split.length <= max(blocks.most, 3):
            roots = last(roots, self.b)
            return running.written([*running.start, *running.one_pass(roots)], roots)
        body = running.in_blocks(roots, blocks, execute)
        return running.written(body, [*roots, *blocks.inside.values()])

    def _for_any_length(
        self,
        function: Callable[..., Any],
        signature: Signature,
        found: Traced,
        rows: int | str | None,
        execute: Executor,
    ) -> list[Module]:
        """The program for any number of rows, by each backend.

        Raises:
            LengthError: without rows=, if the function closes over an array with rows, or if it
                depends on the number of rows in another way than by factors.
            NotSeparableError: if the results are not sums over rows.
        """
        if rows is None:
            raise LengthError
        length, leaves = _rows_of(found)
        lengths = [n for n in LENGTHS if n == telling(n, found.traced)][:2]
        lengths.append(distinct(2, found.traced))
        others = [with_length(function, signature.with_length(leaves, n)) for n in lengths]
        traces = [x.traced for x in (found, *others)]
        check_alike(traces, [length, *lengths])
        if len({form_key(x.packing.tree) for x in (found, *others)}) > 1:
            raise LengthError
        pair, b = [x.passed() for x in others[:2]], others[0].b
        results, shown = generalized([x.results for x in pair], lengths[:2], b)
        placed, numbers = generalized([x.placed for x in pair], lengths[:2], b)
        known, used = {others[0].arguments[k] for k in leaves}, in_order(placed)
        data = [x for x in used if x in known]
        if not data:
            raise LengthError
        axes = split_along(placed, data, b.names)
        if not {x for x in axes.axes if x.fn in (ARGUMENT, CONSTANT)} <= known:
            raise LengthError
        blocks = {x: _in_blocks(placed, b, axes, rows, x) for x in self._backends}
        self._use(others[0])
        if any(x.reads_shapes for x in (found, *others)):
            self.alike = function, traces, [length, *lengths]
        self.results, self.numbers = results, shown
        self.rows, self.signature = leaves, self.signature.for_any_length(leaves)

        def module(backend: str) -> Module:
            running = self._running(backend, self.arguments[min(leaves)], numbers)
            roots, inside = _last_pass(backend)(placed, b, axes.length), blocks[backend]
            body = running.any_length(placed, roots, inside, execute)
            return running.written(body, [*placed, *roots, *inside.inside.values()])

        return [module(backend) for backend in self._backends]

    def serves(self, signature: Signature, told: int = 0) -> bool:
        """Whether a call with other numbers of rows has the signature of this program.

        The number of rows is that of the arrays, or what the function is told of it.
        """
        lengths = {x.shape[0] for k, x in enumerate(signature.arrays) if k in self.rows and x.ndim}
        return (
            len(lengths) == 1
            and min(lengths) > 1
            and signature.for_any_length(self.rows).key == self.signature.key
            and self._is_alike(signature, min(lengths), told or min(lengths))
        )

    def _is_alike(self, signature: Signature, length: int, told: int) -> bool:
        """Whether the function does the same for another number of rows."""
        if self.alike is None:
            return True
        function, traces, lengths = self.alike
        if told in lengths:
            return True
        noted = ShapesRead(length, told)
        try:
            other = with_length(function, signature, noted)
            check_alike([*traces, other.traced], [*lengths[: len(traces)], length], told)
        except LengthError:
            return False
        if told != length and noted.otherwise:
            return False
        lengths.append(told)
        return True

    def _guard(self) -> Any:
        namespace = Namespace(Names(), ndarray=np.ndarray)
        lengths = None if self.alike is None else self.alike[2]
        source = guard(self.signature.tree, namespace, lengths)
        return source and loaded(source, "fits", namespace)

    def native_source(self) -> str:
        """The program by Numba as a module that needs only NumPy and Numba.

        Raises:
            ValueError: as `readable` does.
        """
        self.b.know([*self.arguments])
        rows = self.arguments[min(self.rows)] if self.rows else None
        running = self._running("numba", rows, self.numbers, alone=True)
        length = rows.shape[0] if rows is not None else 0
        placed = passes.with_factors_placed(self.results, self.b)
        roots = passes.native(placed, self.b, length)
        body = [*running.start, *running.one_pass(roots, length)]
        self.b.forget()
        return running.written(body, roots).source

    def javascript(self) -> str:
        """The program as a script in JavaScript.

        Raises:
            ValueError: if it contains a value or an operation that JavaScript lacks.
        """
        from autograd_lite.compiler.javascript import module, source

        if self.alike is not None:
            raise ValueError(
                f"save: {self.name} reads the shape of an array, so it is traced again for each "
                "number of rows, which JavaScript cannot do; compile it without rows="
            )
        parts = self.name, self.signature, self.arguments, self.results, self.packing, self.b
        return module(self.name, source(*parts, numbers=self.numbers))

    # The readable form

    def readable(self, namespace: str = "numpy") -> str:
        """The program as a module of plain NumPy, without buffers, or of another library.

        Raises:
            ValueError: if it contains a value or an operation that cannot be written as source.
        """
        return self._written(LIBRARIES[namespace])[0]

    def source_map(self) -> dict[int, Place]:
        """The user's file and line for each line of the readable form, as far as it has one."""
        module, assigned = self._written(NumPy())
        returned = [x.line if isinstance(x, Expr) else None for x in self.results]
        return places_in(module, self.name, assigned, returned)

    def _written(self, library: NumPy) -> tuple[str, dict[str, Place]]:
        """The readable form, and the user's line for each name that it assigns."""
        names = Names([self.name, library.alias])
        needed = set(everything(self.results))
        used = {k for k, x in enumerate(self.arguments) if x in needed}
        parameters = Parameters(self.signature, names, used)
        named = {x: parameters.leaves[k] for k, x in enumerate(self.arguments)}
        body = [*parameters.lines]
        if self.numbers:
            n = names.take("n")
            body.append(f"{n} = {parameters.leaves[min(self.rows)]}.shape[0]")
            texts = {x: number.text(n) for x, (number, _) in self.numbers.items()}
            named |= {x: n if text == n else f"({text})" for x, text in texts.items()}
        roots = library.adapted(self.results, self.b, named)
        order = everything(roots)
        if self.rows:
            check_constants(order, self.arguments[min(self.rows)].shape[0], self.name)
        constants = [x for x in order if x.fn == CONSTANT and x.ndim and not _is_uniform(x.value)]
        for x in constants:
            named[x] = names.take(self.b.names.get(x, "").upper(), "C")
        definitions = [library.constant(named[x], x.value) for x in constants]
        printer = library.printer(named)
        body += statements(roots, self.b, printer, named, names)
        results = [printer.text(x) for x in roots]
        for k, x in enumerate(roots):
            if isinstance(x, Expr) and (x.fn == ARGUMENT or x in constants):
                results[k] = library.copied(results[k], x.ndim)
        body += self._returned(results, names)
        assigned = {name: x.line for x, name in named.items() if x.line is not None}
        pairs = zip(results, roots, strict=True)
        assigned |= {name: x.line for name, x in pairs if isinstance(x, Expr) and x.line}
        for loop in (x for x in order if x.fn == LOOP):
            carried = zip(loop.args[0].carried, loop.args[0].updates, strict=True)
            assigned |= {named[p]: x.line for p, x in carried if x.line is not None}
        text = [*printer.definitions(), *library.decorators(order)]
        text.append(laid_out(f"def {self.name}({parameters.definition()}):"))
        text += [f"    {line}".rstrip() for line in parameters.docstring(library.note)]
        text += [laid_out(f"    {line}") for line in body]
        for definition in definitions:
            text += ["", "", *map(laid_out, definition.splitlines())]
        return library.module("\n".join(text) + "\n"), assigned

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


def _last_pass(backend: str) -> Callable[..., list[Any]]:
    return passes.running if backend == "numpy" else passes.native


def _in_blocks(
    roots: Sequence[Any], b: Builder, found: Split, rows: int | str, backend: str
) -> Blocks:
    # Native code sums so many rows in one go.
    longest = inf if backend == "numpy" else LONGEST_SUM
    return blocks_of(roots, b, found, rows, _last_pass(backend), longest)


def _rows_of(found: Traced) -> tuple[int, frozenset[int]]:
    """The number of rows, and the numbers of the arguments that have rows, also unused ones."""
    axes = split(found.placed, found.b.names)
    used = set(in_order(found.placed))
    leaves = frozenset(
        k
        for k, x in enumerate(found.arguments)
        if x in axes.axes or (x not in used and x.shape[:1] == (axes.length,))
    )
    if not leaves:
        raise LengthError
    return axes.length, leaves


def _is_uniform(value: Any) -> bool:
    return bool(value.size and (value == value.flat[0]).all())
