"""The source of native functions: loops, and products by BLAS."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.compiler.loop_nests import Nest
from autograd_lite.compiler.machine_code import FLAGS, HELPERS, digest, signature
from autograd_lite.compiler.native import REDUCTIONS, Stretch, is_literal
from autograd_lite.compiler.nests import Plan, Step, in_loops
from autograd_lite.compiler.scalars import helper_of, scalar_literal, statement
from autograd_lite.compiler.views import Index
from autograd_lite.expressions.expr import Builder, Expr
from autograd_lite.expressions.names import Names

__all__ = ["Kernels"]


class KernelWriter:
    """Writes one native function.

    Args:
        stretch: what it computes.
        b: the builder of the expressions.
        free: the parameters that it may overwrite.

    Attributes:
        parameters: the names of its parameters.
        lines: its body.
        helpers: the names of the functions that it calls.
    """

    def __init__(self, stretch: Stretch, b: Builder, free: Container[Expr] = ()) -> None:
        self.stretch, self.b = stretch, b
        self.plan = Plan(stretch, b)
        self.names = Names(_HELPERS)
        self.helpers: set[str] = set()
        self.text: dict[Expr, str] = {}
        self.lines: list[str] = []
        self.count = 0
        self.owned: set[Expr] = {x for x in stretch.parameters if x in free and x.shape}
        self.free: dict[Any, list[str]] = {}
        for x in stretch.parameters:
            self.text[x] = self.names.take(b.names.get(x, ""), "x")
        self.parameters = [self.text[x] for x in stretch.parameters]
        self.n = ""
        if stretch.length:
            self.n = self.names.take("n")
            x = next(x for x in stretch.parameters if stretch.length in x.shape)
            axis = x.shape.index(stretch.length)
            self.lines.append(f"{self.n} = {self.text[x]}.shape[{axis}]")
        self.variables = [self.names.take(name) for name in "ijkpqr"]
        for k, step in enumerate(self.plan.steps):
            self._step(k, step)
        results = ", ".join(self.text[x] for x in stretch.results)
        self.lines.append(f"return {results}")

    def length_of(self, n: int) -> str:
        """The source of the length of an axis."""
        return self.n if n == self.stretch.length else str(n)

    def _step(self, k: int, step: Step) -> None:
        for x in step.calls:
            if x in self.plan.stored:
                self._allocate(x, k)
        if step.domain:
            self.lines += Nest(self, step).lines()
        else:
            for x in step.calls:
                self._single(x)
        done = [x for x, last in self.plan.last.items() if last == k and x in self.owned]
        for x in done:
            self.owned.discard(x)
            self.free.setdefault((x.shape, x.dtype), []).append(self.text[x])

    # Arrays

    def _allocate(self, x: Expr, k: int) -> None:
        """Name the array of a result: a new one, or one that is no longer needed."""
        if x.fn == "np.reshape":
            shape = ", ".join(map(self.length_of, x.shape))
            self._assign(x, f"{self.text[self.plan.array(x.args[0])[0]]}.reshape(({shape},))")
            return
        self.owned.add(x)
        if free := self.free.get((x.shape, x.dtype)):
            self.text[x] = free.pop()
        elif (y := self._overwritten(x, k)) is not None:
            self.owned.discard(y)
            self.text[x] = self.text[y]
        else:
            self._assign(x, self._new(x))

    def _new(self, x: Expr) -> str:
        """A new array. Reshaped, its strides are not constants, and LLVM makes vectors of loops."""
        words = [" * ".join(map(self.length_of, x.shape))]
        if x.dtype != np.float64:
            words.append("np.bool_" if x.dtype.kind == "b" else f"np.{x.dtype.name}")
        shape = "" if x.ndim == 1 else f".reshape(({', '.join(map(self.length_of, x.shape))}))"
        return f"np.empty({', '.join(words)}){shape}"

    def _overwritten(self, x: Expr, k: int) -> Expr | None:
        """An array that only this step still reads, each element before it is written."""
        step = self.plan.steps[k]
        # Beside sums, LLVM does not make vectors of loops that write where they read.
        if step.alone or any(y.fn in REDUCTIONS for y in step.calls):
            return None
        reads = [pair for y in step.calls for pair in self.plan.operands(y)]
        for y, _ in reads:
            fits = y in self.owned and (y.shape, y.dtype) == (x.shape, x.dtype)
            same = all(at_own for z, at_own in reads if self.plan.owner(z) is y)
            if fits and same and self.plan.last[y] == k and self.plan.step_of[y] < k:
                return y
        return None

    def name_of(self, x: Expr) -> str:
        """A new name for the value of a call."""
        self.count += 1
        return self.names.take(self.b.names.get(x, ""), f"t{self.count}")

    def _assign(self, x: Expr, source: str) -> None:
        self.text[x] = self.name_of(x)
        self.lines.append(f"{self.text[x]} = {source}")

    # Single numbers and products

    def _single(self, x: Expr) -> None:
        if x.fn == "np.matmul":
            self._product(x)
        elif x.fn != "np.reshape":
            words = [self.word(y, ()) if isinstance(y, Expr) else "" for y in x.args]
            self._assign(x, self.statement(x, words))

    def statement(self, x: Expr, words: Sequence[str]) -> str:
        """The source of an elementwise call for one element."""
        if helper := helper_of(x):
            self.helpers.add(helper)
        return statement(x, words)

    def _product(self, x: Expr) -> None:
        a, b = x.args
        if not in_loops(x, self.stretch.length):
            words = [self._in_memory(y, right=k == 1) for k, y in enumerate(x.args)]
            if x.shape:
                self.helpers.add("product")
                self.lines.append(f"product({words[0]}, {words[1]}, {self.text[x]})")
            else:
                self._assign(x, f"np.dot({words[0]}, {words[1]})")
            return
        self.helpers.add("plus_product")
        rows = [(0, a.shape[0])] if a.ndim == 2 else []
        columns = [(1, b.shape[1])] if b.ndim == 2 else []
        at = [Index(axis) if n != 1 else Index(None) for axis, n in rows + columns]
        inner = Index(2) if a.shape[-1] != 1 else Index(None)
        left = self.word(a, (*at[: len(rows)], inner))
        right = self.word(b, (inner, *at[len(rows) :]))
        indent = ""
        for axis, n in rows + columns:
            indent = self._opened(indent, axis, n)
        total = self.names.take("total")
        self.lines.append(f"{indent}{total} = {scalar_literal(0, x.dtype)}")
        deeper = self._opened(indent, 2, a.shape[-1])
        self.lines.append(f"{deeper}{total} = plus_product({total}, {left}, {right})")
        if x.shape:
            place = ", ".join(index.text(self.variables) for index in at)
            self.lines.append(f"{indent}{self.text[x]}[{place}] = {total}")
        else:
            self.text[x] = total

    def _opened(self, indent: str, axis: int, n: int) -> str:
        """The indentation in a loop; an axis of one element needs none."""
        if n == 1:
            return indent
        self.lines.append(indent + self.loop(axis, n))
        return indent + "    "

    def loop(self, axis: int, n: int) -> str:
        """The head of the loop over an axis."""
        return f"for {self.variables[axis]} in range({self.length_of(n)}):"

    def _in_memory(self, x: Expr, right: bool) -> str:
        array, transposed = self.plan.array(x, right)
        return f"{self.text[array]}.T" if transposed else self.text[array]

    def word(self, x: Any, index: Sequence[Index]) -> str:
        """The source of an element of an operand."""
        if not isinstance(x, Expr):
            return ""
        base, index = self.plan.resolved(x, index)
        if is_literal(base):
            return scalar_literal(base.value.item(), base.dtype)
        if not base.shape:
            return self.text[base]
        return f"{self.text[base]}[{', '.join(i.text(self.variables) for i in index)}]"


class Kernels:
    """The native functions of a module.

    Args:
        name: of the program.
        b: the builder of the expressions.
        read_only: the arguments whose arrays are read-only.
    """

    def __init__(self, name: str, b: Builder, read_only: Container[Expr] = ()) -> None:
        self.name, self.b, self.read_only = name, b, read_only
        self.helpers: set[str] = set()
        self.functions: dict[str, str] = {}

    def add(self, stretch: Stretch, free: Container[Expr], given: Mapping[Expr, Expr]) -> str:
        """Define a native function; returns its name.

        Args:
            stretch: what it computes.
            free: the parameters that it may overwrite.
            given: what its parameters are.
        """
        writer = KernelWriter(stretch, self.b, free)
        self.helpers |= writer.helpers
        types = signature(
            [(x.dtype, x.shape, given[x] in self.read_only) for x in stretch.parameters]
        )
        body = "\n    ".join(writer.lines)
        text = f"({', '.join(writer.parameters)}):\n    {body}\n"
        name = f"{self.name}_{digest(types + text)[:8]}"
        self.functions[name] = f"@njit('{types}', {FLAGS})\ndef {name}{text}"
        return name

    @property
    def source(self) -> str:
        """The source of their module; empty if there are none."""
        if not self.functions:
            return ""
        helpers = [HELPERS[name] + "\n" for name in HELPERS if name in self.helpers]
        return "\n\n".join([*helpers, *self.functions.values()])


_HELPERS = {*HELPERS, "njit", "np"}
