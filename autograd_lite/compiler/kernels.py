"""The source of native functions: loops, and products by BLAS."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

from autograd_lite.compiler.languages import NUMBA, Language
from autograd_lite.compiler.loop_nests import Nest
from autograd_lite.compiler.machine import LONGEST_SUM
from autograd_lite.compiler.machine_code import FLAGS, HELPERS, digest, signature
from autograd_lite.compiler.native import ASSEMBLED, REDUCTIONS, Stretch, is_literal, parts_of
from autograd_lite.compiler.native_loops import element_of, run_of, write_loop
from autograd_lite.compiler.plan import Plan, Step
from autograd_lite.compiler.views import Index, identity
from autograd_lite.expressions.expr import LOOP, Builder, Expr
from autograd_lite.expressions.loops import Body
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
        language: what it is written in.
        longest: the most numbers that are added one after the other where one is the sum of all.
    """

    language: Language = NUMBA
    longest: int = LONGEST_SUM

    def __init__(self, stretch: Stretch, b: Builder, free: Container[Expr] = ()) -> None:
        self._begin(stretch, b, Plan(stretch, b), NUMBA.names(), set())
        self.owned |= {x for x in stretch.parameters if x in free and x.shape}
        for x in stretch.parameters:
            self.text[x] = self.names.take(b.names.get(x, ""), "x")
        self.parameters = [self.text[x] for x in stretch.parameters]
        if stretch.length:
            self.n = self.names.take("n")
            x = next(x for x in stretch.parameters if stretch.length in x.shape)
            axis = x.shape.index(stretch.length)
            self.lines.append(f"{self.n} = {self.text[x]}.shape[{axis}]")
        self._write_steps()
        results = ", ".join(self.text[x] for x in stretch.results)
        self.lines.append(f"return {results}")

    def _begin(
        self, stretch: Stretch, b: Builder, plan: Plan, names: Names, helpers: set[str]
    ) -> None:
        self.stretch, self.b, self.plan, self.names, self.helpers = stretch, b, plan, names, helpers
        self.text: dict[Expr, str] = {}
        self.lines: list[str] = []
        self.allocations = self.lines
        self.owned: set[Expr] = set()
        self.reads: tuple[int, list[Expr]] = (-1, [])
        self.free: dict[Any, list[str]] = {}
        self.count, self.n = 0, ""

    def inside(self, body: Body, known: dict[Expr, str]) -> KernelWriter:
        """The writer of the body of a loop, which has written its lines.

        Its arrays are made once, before the loop.
        """
        stretch = Stretch(tuple(known), body.roots, 0)
        inner = object.__new__(type(self))
        inner.longest = self.longest
        plan = Plan(stretch, self.b, in_memory=True, language=self.language)
        inner._begin(stretch, self.b, plan, self.names, self.helpers)
        inner.text, inner.allocations, inner.count = known, self.lines, self.count
        inner._write_steps()
        self.count = inner.count
        return inner

    def _write_steps(self) -> None:
        axes = max((len(x.shape or ()) for step in self.plan.steps for x in step.calls), default=0)
        deep = max((len(step.domain) for step in self.plan.steps), default=0)
        self.variables = [self.names.take("ijkpqr"[k % 6]) for k in range(max(axes, deep, 6))]
        for k, step in enumerate(self.plan.steps):
            self._step(k, step)

    def value(self, x: Expr, straight: bool = False) -> str:
        """The source of a number, or of an array with the elements of x."""
        if not x.shape:
            return self.word(x, ())
        array, transposed = self.plan.array(x, straight)
        return f"{self.text[array]}.T" if transposed else self.text[array]

    def length_of(self, n: int) -> str:
        """The source of the length of an axis."""
        return self.n if self.n and n == self.stretch.length else str(n)

    def _step(self, k: int, step: Step) -> None:
        for x in step.calls:
            if x in self.plan.stored:
                self._allocate(x, k)
        if step.domain and step.calls:
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
            array = self.text[self.plan.reshaped(x)]
            self._assign(x, self.language.reshaped(array, [*map(self.length_of, x.shape)]))
            return
        self.owned.add(x)
        if free := self.free.get((x.shape, x.dtype)):
            self.text[x] = free.pop()
        elif (y := self._overwritten(x, k)) is not None:
            self.owned.discard(y)
            self.text[x] = self.text[y]
        else:
            self.text[x] = self.name_of(x)
            self.allocations.append(f"{self.text[x]} = {self.new(x.shape, x.dtype)}")

    def new(self, shape: Sequence[int], dtype: Any) -> str:
        """A new array."""
        return self.language.new(shape, [*map(self.length_of, shape)], dtype)

    def _overwritten(self, x: Expr, k: int) -> Expr | None:
        """An array that only this step still reads, each element before it is written."""
        step = self.plan.steps[k]
        # Beside sums, LLVM does not make vectors of loops that write where they read.
        if step.alone or any(y.fn in REDUCTIONS for y in step.calls):
            return None
        if k != self.reads[0]:
            reads = dict.fromkeys(pair for y in step.calls for pair in self.plan.operands(y))
            moved = {self.plan.owner(y) for y, at_own in reads if not at_own}
            self.reads = k, [y for y in dict.fromkeys(y for y, _ in reads) if y not in moved]
        for y in self.reads[1]:
            fits = y in self.owned and (y.shape, y.dtype) == (x.shape, x.dtype)
            if fits and self.plan.last[y] == k and self.plan.step_of[y] < k:
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
        elif x.fn == LOOP:
            write_loop(self, x)
        elif x.fn in ASSEMBLED:
            self._assemble(x)
        elif self.language.whole(x):
            words = [self.value(y) for y in x.inputs]
            self.lines.append(self.language.called(x, self.text[x], words))
        elif element_of(x):
            self._assign(x, self.element(x, ()))
        elif x.fn != "np.reshape":
            self._assign(x, self.statement(x, lambda y: self.word(y, ())))

    def statement(self, x: Expr, word: Callable[[Any], str]) -> str:
        """The source of an elementwise call for one element.

        Args:
            x: the call.
            word: gives the source of an element of an operand.
        """
        table = self.language.table(x)
        words = [word(y) if table is None or y is not table else self.value(table) for y in x.args]
        self.helpers |= self.language.helpers(x)
        return self.language.statement(x, words)

    def _product(self, x: Expr) -> None:
        a, b = x.args
        if not self.plan.in_loops(x):
            pairs = self.plan.factors(x)
            words = [self.text[y] + ".T" * transposed for y, transposed in pairs]
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
        self.lines.append(f"{indent}{total} = {self.language.literal(0, x.dtype)}")
        deeper = self._opened(indent, 2, a.shape[-1])
        self.lines.append(f"{deeper}{total} = {self.language.plus_product(total, left, right)}")
        if x.shape:
            self.lines.append(f"{indent}{self.place(x, self.text[x], at)} = {total}")
        else:
            self.text[x] = self.language.rounded(total, x.dtype)

    def _opened(self, indent: str, axis: int, n: int) -> str:
        """The indentation in a loop; an axis of one element needs none."""
        if n == 1:
            return indent
        self.lines.append(indent + self.loop(axis, n))
        return indent + "    "

    def loop(self, axis: int, n: int) -> str:
        """The head of the loop over an axis."""
        return self.language.loop(self.variables[axis], self.length_of(n))

    def place(self, x: Expr, array: str, index: Sequence[Index]) -> str:
        """The source of an element of an array that has the shape of x."""
        return self.language.element(array, x.shape, index, self.variables)

    def _assemble(self, x: Expr) -> None:
        """An array made of parts, or of zeros but for a part."""
        adds = x.fn == "add_each_at"
        if adds or x.fn == "add_at":
            zero = self.language.literal(0, x.dtype)
            self.lines.append(self.language.filled(self.text[x], zero))
        for part, shape, index in parts_of(x):
            indent = ""
            for axis, n in enumerate(shape):
                indent = self._opened(indent, axis, n)
            element = self.word(part, identity(shape))
            target = self.place(x, self.text[x], index)
            self.lines.append(f"{indent}{target} = {f'{target} + ' * adds}{element}")

    def element(self, x: Expr, own: Sequence[Index]) -> str:
        """The source of an element of an array that a loop kept."""
        kept, elements = run_of(x.args[0])
        index = (Index(None, elements[x.args[1]]), *own)
        shape = (kept.args[0].args[1], *x.shape)
        return self.language.element(self.text[kept], shape, index, self.variables)

    def word(self, x: Any, index: Sequence[Index]) -> str:
        """The source of an element of an operand."""
        if not isinstance(x, Expr):
            return ""
        base, index = self.plan.resolved(x, index)
        if is_literal(base):
            return self.language.literal(base.value.item(), base.dtype)
        if not base.shape:
            return self.text[base]
        return self.place(base, self.text[base], index)


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
