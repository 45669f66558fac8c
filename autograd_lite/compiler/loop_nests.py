"""The loops of a native function: what each computes for one element, and the sums over them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_lite.compiler.native import REDUCTIONS, axes_of
from autograd_lite.compiler.native_loops import element_of
from autograd_lite.compiler.plan import Step
from autograd_lite.compiler.views import Index, identity
from autograd_lite.expressions.expr import Expr

if TYPE_CHECKING:
    from autograd_lite.compiler.kernels import KernelWriter

__all__ = ["Nest"]

FIRST = {
    "np.add.reduce": 0,
    "np.prod": 1,
    "np.max": -np.inf,
    "np.min": np.inf,
    "np.all": True,
    "np.any": False,
}
"""What a reduction starts from."""


@dataclass(frozen=True)
class _LongSum:
    """The names of a sum of many numbers: of the sum, of what rounding left, and of a part.

    Parts are sums of at most `longest` numbers. In native code, what
    rounding leaves where they are added is added at the end; see A. Neumaier, Z. Angew. Math.
    Mech. 54 (1974) 39-51.
    """

    total: str
    rest: str
    part: str


class _Lines(list[str]):
    """Lines that are indented as deep as the loops around them."""

    depth = 0

    def put(self, *lines: str) -> None:
        self += ["    " * self.depth + line for line in lines]

    def open(self, head: str) -> None:
        self.put(head)
        self.depth += 1


class Nest:
    """The loops of a step.

    Attributes:
        heads: the lines at the start of each loop's body; the first before all loops.
        tails: the lines at the end of each loop's body; the first after all loops.
        body, stores: the lines of the innermost loop, those last that write to arrays.
        cut: the axis whose loop is cut into pieces for long sums, and the length of a piece.
    """

    def __init__(self, writer: KernelWriter, step: Step) -> None:
        self.writer, self.domain, self.language = writer, step.domain, writer.language
        depth = len(self.domain)
        self.heads: list[list[str]] = [[] for _ in range(depth + 1)]
        self.tails: list[list[str]] = [[] for _ in range(depth + 1)]
        self.body: list[str] = []
        self.stores: list[str] = []
        self.local: dict[Expr, str] = {}
        self.read: dict[str, str] = {}
        self.sums: list[_LongSum] = []
        self.cut = self._cut() if any(map(self._is_whole_sum, step.calls)) else None
        for x in step.calls:
            if x.fn not in REDUCTIONS:
                self._element(x)
            elif axes_of(x) == tuple(range(axes_of(x)[0], depth)):
                self._reduce(x)
            else:
                self._reduce_into_array(x)

    def _is_whole_sum(self, x: Expr) -> bool:
        return (
            x.fn == "np.add.reduce" and x.dtype.kind == "f" and len(axes_of(x)) == len(self.domain)
        )

    def _cut(self) -> tuple[int, int] | None:
        """Cut the innermost loop with which a sum gets too long, or that of rows."""
        length, longest, inner = self.writer.stretch.length, self.writer.longest, 1
        for axis in range(len(self.domain) - 1, -1, -1):
            if inner * self.domain[axis] > longest or 0 < self.domain[axis] == length:
                return axis, max(1, longest // inner)
            inner *= self.domain[axis]
        return None

    def lines(self) -> list[str]:
        """The source."""
        written, depths = _Lines(), list[int]()
        written.put(*self.heads[0])
        for axis, n in enumerate(self.domain):
            depths.append(written.depth)
            if self.cut and self.cut[0] == axis:
                self._open_in_pieces(written, *self.cut)
            elif n != 1:
                written.open(self.writer.loop(axis, n))
            written.put(*self.heads[axis + 1])
        written.put(*self.body, *self.stores)
        for axis in range(len(self.domain) - 1, -1, -1):
            written.put(*self.tails[axis + 1])
            written.depth = depths[axis]
            if self.cut and self.cut[0] == axis:
                written.depth += 1
                written.put(*(self._with_part(x) for x in self.sums))
                written.depth -= 1
        written.put(*self.tails[0])
        return written

    def _open_in_pieces(self, written: _Lines, axis: int, size: int) -> None:
        start, k = map(self.writer.names.take, ("start", "k"))
        n = self.writer.length_of(self.domain[axis])
        pieces, piece, *lines = self.language.in_pieces(
            self.writer.variables[axis], start, k, n, size
        )
        written.open(pieces)
        written.put(*(f"{x.part} = 0.0" for x in self.sums))
        written.open(piece)
        written.put(*lines)

    def _with_part(self, x: _LongSum) -> str:
        """The line that adds a part to a sum."""
        if self.language.by_loops:
            return f"{x.total} = {self.language.plus(x.total, x.part)}"
        return f"{x.total}, {x.rest} = plus_exactly({x.total}, {x.rest}, {x.part})"

    def _word(self, x: Any) -> str:
        """The source of an operand; what an outer loop knows is read there."""
        if not isinstance(x, Expr):
            return ""
        own = identity(self.domain)
        base, index = self.writer.plan.resolved(x, own)
        if base in self.local and index == own:
            return self.local[base]
        text = self.writer.word(x, own)
        if "[" not in text:
            return text
        if text not in self.read:
            level = max((i.axis + 1 for i in index if i.axis is not None), default=0)
            self.read[text] = name = self.writer.names.take(self.writer.text[base], "x")
            lines = self.body if level == len(self.domain) else self.heads[level]
            lines.append(f"{name} = {text}")
        return self.read[text]

    def _element(self, x: Expr) -> None:
        if element_of(x):
            source = self.writer.element(x, identity(self.domain))
        else:
            source = self.writer.statement(x, self._word)
        name = self.writer.name_of(x)
        self.body.append(f"{name} = {source}")
        self.local[x] = name
        if x in self.writer.plan.stored:
            self.stores.append(f"{self._target(x, range(len(self.domain)))} = {name}")

    def _target(self, x: Expr, axes: Iterable[int]) -> str:
        """The element of a result that belongs to the indices of some loops."""
        own = identity(self.domain)
        kept = [k for k in range(len(self.domain)) if k in axes]
        keeps = len(x.shape) == len(self.domain)
        index = [
            own[k] if k in kept else Index(None)
            for k in (range(len(self.domain)) if keeps else kept)
        ]
        return self.writer.place(x, self.writer.text[x], index)

    def _reduce(self, x: Expr) -> None:
        """A reduction over the innermost loops."""
        value, outer = self._word(x.args[0]), axes_of(x)[0]
        # Numbers of 32 bits are added with 64.
        wide = x.fn == "np.add.reduce" and x.dtype == np.float32
        dtype = np.dtype(np.float64) if wide else x.dtype
        value = self.language.converted(value, "float64") if wide else value
        total = self.writer.names.take("total")
        self.heads[outer].append(f"{total} = {self.language.literal(FIRST[x.fn], dtype)}")
        if self.cut and self._is_whole_sum(x):
            self._add_in_pieces(x, total, value)
        else:
            self.body.append(self._joined(x, total, value))
        result = self.language.converted(total, "float32") if wide else total
        if x.shape:
            self.tails[outer].append(f"{self._target(x, range(outer))} = {result}")
        elif wide:
            self.writer.text[x] = self.writer.names.take("t")
            self.tails[0].append(f"{self.writer.text[x]} = {result}")
        else:
            self.writer.text[x] = self.language.rounded(total, x.dtype)

    def _add_in_pieces(self, x: Expr, total: str, value: str) -> None:
        rest, part = map(self.writer.names.take, ("rest", "part"))
        self.sums.append(_LongSum(total, rest, part))
        self.body.append(self._joined(x, part, value))
        if self.language.by_loops:
            return
        self.writer.helpers.add("plus_exactly")
        self.heads[0].append(f"{rest} = 0.0")
        # After an overflow the rest is NaN or infinite, and the sum is right without it.
        whole = self.language.choice(f"{rest} - {rest} == 0.0", f"{total} + {rest}", total)
        self.tails[0].append(f"{total} = {whole}")

    def _reduce_into_array(self, x: Expr) -> None:
        """A reduction over other loops than the innermost ones."""
        value, axes = self._word(x.args[0]), axes_of(x)
        first = self.language.literal(FIRST[x.fn], x.dtype)
        self.heads[0].append(self.language.filled(self.writer.text[x], first))
        target = self._target(x, {*range(len(self.domain))} - {*axes})
        self.body.append(self._joined(x, target, value))

    def _joined(self, x: Expr, total: str, value: str) -> str:
        """The line that takes one more element into a reduction."""
        if x.dtype.kind in "iu" and x.fn == "np.add.reduce":
            return f"{total} = {total} + {self.language.converted(value, 'int64')}"
        if x.dtype.kind == "b":
            return f"{total} = {total} {'&' if x.fn == 'np.all' else '|'} {value}"
        if x.fn == "np.add.reduce":
            self.writer.helpers.add("plus")
            return f"{total} = {self.language.plus(total, value)}"
        if x.fn == "np.prod":
            return f"{total} = {total} * {value}"
        sign = ">" if x.fn == "np.max" else "<"
        better = f"({value} {sign} {total}) | ({value} != {value})"
        return f"{total} = {self.language.choice(better, value, total)}"
