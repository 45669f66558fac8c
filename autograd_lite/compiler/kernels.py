"""The source of native functions: loops, and products by BLAS."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from math import prod
from typing import Any

import numpy as np

from autograd_lite.compiler.machine import LONGEST_SUM
from autograd_lite.compiler.machine_code import FLAGS, HELPERS, digest, signature
from autograd_lite.compiler.native import REDUCTIONS, Stretch, axes_of, is_literal
from autograd_lite.compiler.nests import Plan, Step, in_loops
from autograd_lite.compiler.scalars import helper_of, scalar_literal, statement
from autograd_lite.compiler.views import Index, identity
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

    def _length(self, n: int) -> str:
        return self.n if n == self.stretch.length else str(n)

    def _step(self, k: int, step: Step) -> None:
        for x in step.calls:
            if x in self.plan.stored:
                self._allocate(x, k)
        if step.domain:
            self.lines += _Nest(self, step).lines()
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
            shape = ", ".join(map(self._length, x.shape))
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
        words = [" * ".join(map(self._length, x.shape))]
        if x.dtype != np.float64:
            words.append("np.bool_" if x.dtype.kind == "b" else f"np.{x.dtype.name}")
        shape = "" if x.ndim == 1 else f".reshape(({', '.join(map(self._length, x.shape))}))"
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

    def _assign(self, x: Expr, source: str) -> None:
        self.text[x] = self.names.take(self.b.names.get(x, ""), f"t{len(self.text)}")
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
            indent = self._loop(indent, axis, n)
        total = self.names.take("total")
        self.lines.append(f"{indent}{total} = {scalar_literal(0, x.dtype)}")
        deeper = self._loop(indent, 2, a.shape[-1])
        self.lines.append(f"{deeper}{total} = plus_product({total}, {left}, {right})")
        if x.shape:
            place = ", ".join(index.text(self.variables) for index in at)
            self.lines.append(f"{indent}{self.text[x]}[{place}] = {total}")
        else:
            self.text[x] = total

    def _loop(self, indent: str, axis: int, n: int) -> str:
        if n == 1:
            return indent
        self.lines.append(f"{indent}for {self.variables[axis]} in range({self._length(n)}):")
        return indent + "    "

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


class _Nest:
    """The loops of a step.

    Attributes:
        heads: the lines at the start of each loop's body; the first before all loops.
        tails: the lines at the end of each loop's body; the first after all loops.
        body: the lines of the innermost loop.
    """

    def __init__(self, writer: KernelWriter, step: Step) -> None:
        self.w, self.step, self.domain = writer, step, step.domain
        depth = len(self.domain)
        self.heads: list[list[str]] = [[] for _ in range(depth + 1)]
        self.tails: list[list[str]] = [[] for _ in range(depth + 1)]
        self.body: list[str] = []
        self.stores: list[str] = []
        self.local: dict[Expr, str] = {}
        self.loaded: dict[str, str] = {}
        self.chunk = self._chunked()
        self.partial: list[tuple[str, str]] = []
        for x in step.calls:
            if x.fn in REDUCTIONS:
                self._reduce(x)
            else:
                self._element(x)

    def _chunked(self) -> tuple[int, int] | None:
        """The axis whose loop is cut so that no sum is long, and the rounds of a piece."""
        whole = [
            x
            for x in self.step.calls
            if x.fn == "np.add.reduce" and len(axes_of(x)) == len(self.domain)
        ]
        length = self.w.stretch.length
        if not whole or (prod(self.domain) <= LONGEST_SUM and length not in self.domain):
            return None
        after = 1
        for axis in range(len(self.domain) - 1, -1, -1):
            n = self.domain[axis]
            if after * n > LONGEST_SUM or n == length or not axis:
                return axis, max(1, LONGEST_SUM // after)
            after *= n
        return None

    def lines(self) -> list[str]:
        """The source."""
        written = [*self.heads[0]]
        indent = ""
        indents = [indent]
        for axis, n in enumerate(self.domain):
            name = self.w.variables[axis]
            if self.chunk and self.chunk[0] == axis:
                first, size, end = self.w.names.take("start"), self.chunk[1], self.w._length(n)
                written.append(f"{indent}for {first} in range(0, {end}, {size}):")
                indent += "    "
                written += [f"{indent}{part} = 0.0" for part, _ in self.partial]
                self.outer = indent
                k = self.w.names.take("k")
                # LLVM makes vectors of loops that start at 0.
                written.append(f"{indent}for {k} in range(min({size}, {end} - {first})):")
                indent += "    "
                written.append(f"{indent}{name} = {first} + {k}")
            elif n != 1:
                written.append(f"{indent}for {name} in range({self.w._length(n)}):")
                indent += "    "
            indents.append(indent)
            written += [f"{indent}{line}" for line in self.heads[axis + 1]]
        written += [f"{indent}{line}" for line in (*self.body, *self.stores)]
        for axis in range(len(self.domain), -1, -1):
            written += [f"{indents[axis]}{line}" for line in self.tails[axis]]
            if self.chunk and self.chunk[0] == axis - 1:
                for part, total in self.partial:
                    written.append(
                        f"{self.outer}{total}, {total}_rest = plus_exactly({total}, {total}_rest, {part})"
                    )
        return written

    def _word(self, x: Any) -> str:
        """The source of an operand; what an outer loop knows is read there."""
        if not isinstance(x, Expr):
            return ""
        own = identity(self.domain)
        base, index = self.w.plan.resolved(x, own)
        if base in self.local and index == own:
            return self.local[base]
        text = self.w.word(x, own)
        if "[" not in text:
            return text
        axes = [i.axis for i in index if i.axis is not None]
        level = max(axes, default=-1) + 1
        if text not in self.loaded:
            self.loaded[text] = name = self.w.names.take(self.w.text[base], "x")
            lines = self.body if level == len(self.domain) else self.heads[level]
            lines.append(f"{name} = {text}")
        return self.loaded[text]

    def _element(self, x: Expr) -> None:
        words = [self._word(y) for y in x.args]
        name = self.w.names.take(self.w.b.names.get(x, ""), f"t{len(self.w.text)}")
        self.body.append(f"{name} = {self.w.statement(x, words)}")
        self.local[x] = name
        if x in self.w.plan.stored:
            place = ", ".join(i.text(self.w.variables) for i in identity(self.domain))
            self.stores.append(f"{self.w.text[x]}[{place}] = {name}")
        else:
            self.w.text[x] = name

    def _reduce(self, x: Expr) -> None:
        value, axes, depth = self._word(x.args[0]), axes_of(x), len(self.domain)
        is_sum = x.fn == "np.add.reduce"
        first = 0.0 if is_sum else (-np.inf if x.fn == "np.max" else np.inf)
        if axes[0] != depth - len(axes):
            self._into_array(x, value, axes, scalar_literal(first, x.dtype))
            return
        outer = depth - len(axes)
        total = self.w.names.take("total")
        wide = is_sum and x.dtype == np.float32
        dtype = np.dtype(np.float64) if wide else x.dtype
        self.heads[outer].append(f"{total} = {scalar_literal(first, dtype)}")
        given = f"np.float64({value})" if wide else value
        if is_sum and self.chunk and not outer:
            part = self.w.names.take("part")
            self.partial.append((part, total))
            self.heads[0].append(f"{total}_rest = 0.0")
            self.w.helpers |= {"plus_exactly"}
            self.tails[0].append(
                f"{total} = {total} + {total}_rest if {total}_rest - {total}_rest == 0.0 else {total}"
            )
        self.body.append(
            self._added(x, part if is_sum and self.chunk and not outer else total, given)
        )
        result = f"np.float32({total})" if wide else total
        if x.shape:
            kept = [k for k in range(depth) if k not in axes]
            place = [Index(k) if self.domain[k] != 1 else Index(None) for k in kept]
            if len(x.shape) == depth:
                place += [Index(None)] * len(axes)
            target = ", ".join(i.text(self.w.variables) for i in place)
            self.tails[outer].append(f"{self.w.text[x]}[{target}] = {result}")
        elif wide:
            self.w.text[x] = self.w.names.take("t")
            self.tails[0].append(f"{self.w.text[x]} = {result}")
        else:
            self.w.text[x] = total

    def _added(self, x: Expr, total: str, value: str) -> str:
        """The line that adds an element to a reduction."""
        if x.fn == "np.add.reduce":
            self.w.helpers.add("plus")
            return f"{total} = plus({total}, {value})"
        sign = ">" if x.fn == "np.max" else "<"
        return f"{total} = {value} if ({value} {sign} {total}) | ({value} != {value}) else {total}"

    def _into_array(self, x: Expr, value: str, axes: Sequence[int], first: str) -> None:
        """Reduce over axes that are not the last ones."""
        self.heads[0].append(f"{self.w.text[x]}[...] = {first}")
        keeps = len(x.shape) == len(self.domain)
        place = [
            Index(None) if k in axes or n == 1 else Index(k)
            for k, n in enumerate(self.domain)
            if keeps or k not in axes
        ]
        target = f"{self.w.text[x]}[{', '.join(i.text(self.w.variables) for i in place)}]"
        self.body.append(self._added(x, target, value))


_HELPERS = {*HELPERS, "njit", "np"}
