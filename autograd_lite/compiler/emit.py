"""The code that runs: one call a line, arrays written into those that are done with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_lite.expressions.expr import CONSTANT, Builder, Expr, dtype_of, in_order
from autograd_lite.expressions.names import Names
from autograd_lite.expressions.printer import INFIX, Printer, literal

__all__ = ["Code", "Emitter"]

LARGE = 1 << 15  # bytes from which a buffer is kept for a later result of the same form

OPERATORS = {fn for fn in INFIX if fn != "np.power"} | {"np.negative", "np.square"}

# Calls whose result is an array of its own, never a view of an operand.
FRESH = {"np.where", ".dot", "np.matmul", "np.add.reduce", "np.concatenate", "np.stack", "np.array"}


class Code:
    """Lines of a function, and what the module around it must define first."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.aliases: dict[str, str] = {}
        self.constants: dict[str, Any] = {}
        self.known: dict[Any, str] = {}
        self.helpers: dict[str, str] = {}


WORDS = {0.0: "zero", 1.0: "one", -1.0: "minus_one", 2.0: "two", 0.5: "half"}


def ufunc_of(fn: str) -> Any:
    """The ufunc of a call, if it is elementwise."""
    found = getattr(np, fn[3:], None) if fn.startswith("np.") else None
    return found if isinstance(found, np.ufunc) and not found.signature else None


class Emitter:
    """Writes the calls that results need, each into a buffer that is free where one is.

    Args:
        code: where to write.
        names: of the function that is written.
        b: the builder of the expressions.
        named: the names of what is known already: arguments, or what other lines computed.
        owned: what may be overwritten once it is done with.
        helper: the name under which an operation that is no NumPy function is defined.
    """

    def __init__(
        self,
        code: Code,
        names: Names,
        b: Builder,
        named: dict[Expr, str],
        owned: Sequence[Expr] = (),
        helper: Callable[[str], str] = lambda name: name,
    ) -> None:
        self.code, self.names, self.b, self.named, self.helper = code, names, b, dict(named), helper
        self.holders: dict[Expr, set[Expr]] = {x: {x} for x in named}
        self.owned = set(owned)
        self.contiguous: set[Expr] = set()
        self.spent: set[Expr] = set()
        self.free: dict[Any, list[Expr]] = {}
        self.printer = Printer(self.named)

    def write(self, roots: Sequence[Any], kept: Sequence[Expr] = ()) -> None:
        """Write the lines for the results; what is `kept` is needed after them, too."""
        order = in_order(roots, self.named)
        last: dict[Expr, int] = {}
        for k, expr in enumerate(order):
            for x in expr.inputs:
                last[x] = k
        for root in (*roots, *kept):
            if isinstance(root, Expr):
                last[root] = len(order)
        # What looks at a buffer keeps it from being overwritten.
        until: dict[Expr, int] = {}
        for expr in order:
            self.holders[expr] = self._holders(expr)
        for expr in (*self.named, *order):
            for holder in self.holders[expr]:
                until[holder] = max(until.get(holder, -1), last.get(expr, -1))
        for k, expr in enumerate(order):
            self._statement(expr, k, until)
            for x in dict.fromkeys(h for y in expr.inputs for h in self.holders[y]):
                done = until[x] == k and x in self.owned and x in self.contiguous
                if done and x.nbytes >= LARGE:
                    self.free.setdefault((x.shape, x.dtype), []).append(x)

    def _holders(self, expr: Expr) -> set[Expr]:
        """The buffers that the result of a call may share."""
        if expr.fn == CONSTANT or expr.fn in FRESH or ufunc_of(expr.fn) or not expr.inputs:
            return {expr}
        if expr.fn == ".astype" and expr.args[1] != expr.args[0].dtype:
            return {expr}
        return set().union(*(self.holders[x] for x in expr.inputs))

    def _statement(self, expr: Expr, k: int, until: dict[Expr, int]) -> None:
        if expr.fn == CONSTANT:
            self.named[expr] = self.constant(expr.value)
            return
        scalar = expr.shape == ()
        if (
            scalar
            and expr.fn in OPERATORS
            and all(not isinstance(x, Expr) or x.shape == () for x in expr.args)
        ):
            written = self.printer.call(expr)
        elif ufunc := ufunc_of(expr.fn):
            written = self._ufunc(expr, ufunc, k, until)
        elif expr.fn == ".dot":
            left, right = expr.args
            out = self._buffer(expr) if not scalar else None
            inner = self.text(right) + (f", {out}" if out else "")
            written = f"{self.printer.text(left, 100)}.dot({inner})"
            self.contiguous.add(expr)
        elif expr.fn == "np.add.reduce":
            words = [self.text(expr.args[0])]
            words += [f"{key}={literal(value)}" for key, value in expr.keywords.items()]
            written = f"{self._alias('np.add.reduce')}({', '.join(words)})"
        elif expr.fn == "np.where":
            condition, *branches = expr.args
            words = [self.text(condition)]
            words += [self._operand(x, expr.dtype, scalar) for x in branches]
            written = f"{self._alias(expr.fn)}({', '.join(words)})" + "[()]" * scalar
        elif expr.fn == ".astype":
            written = (
                f"{self.printer.text(expr.args[0], 100)}.astype({self._alias(f'np.{expr.dtype}')})"
            )
        elif expr.fn.startswith("np.") or expr.fn in (".T", "[]"):
            written = self.printer.call(expr) + "[()]" * (scalar and expr.fn != ".T")
        else:
            written = self._helper(expr) + "[()]" * scalar
        if self.holders[expr] == {expr}:
            self.owned.add(expr)
        # A view costs nothing: it is written where it is used.
        if expr.fn == ".T" or (expr.fn == "np.expand_dims" and expr.args[0].ndim == 1):
            self.named[expr] = written
            return
        name = self.names.take(self.b.names.get(expr, ""), f"t{len(self.code.lines) + 1}")
        self.named[expr] = name
        self.code.lines.append(f"{name} = {written}")

    def know(self, expr: Expr, name: str) -> None:
        """Take over what other lines computed, a buffer of its own."""
        self.named[expr], self.holders[expr] = name, {expr}
        self.owned.add(expr)

    def text(self, x: Any) -> str:
        """The source of an argument."""
        return self.printer.text(x)

    def _ufunc(self, expr: Expr, ufunc: Any, k: int, until: dict[Expr, int]) -> str:
        scalar = expr.shape == ()
        dtypes = ufunc.resolve_dtypes((*map(dtype_of, expr.args), *(None,) * ufunc.nout))
        words = [
            self._operand(x, dtype, scalar) for x, dtype in zip(expr.args, dtypes, strict=False)
        ]
        arrays = [x for x in expr.inputs if x.shape == expr.shape]
        if arrays and all(x in self.contiguous for x in arrays):
            self.contiguous.add(expr)
        if not scalar:
            out = None
            for x in expr.inputs:
                mine = self.holders[x] == {x} and x in self.owned and until[x] == k
                if mine and x.shape == expr.shape and x.dtype == expr.dtype:
                    out = self.named[x]
                    if x in self.contiguous:
                        self.contiguous.add(expr)
                    self.owned.discard(x)
                    self.spent.add(x)
                    break
            out = out or self._buffer(expr)
            if out:
                # NumPy wants these two to say that a third argument is not a third operand.
                named = expr.fn in ("np.maximum", "np.minimum")
                words.append(f"out={out}" if named else out)
        return f"{self._alias(expr.fn)}({', '.join(words)})"

    def _buffer(self, expr: Expr) -> str | None:
        """A free buffer of a result's form."""
        free = self.free.get((expr.shape, expr.dtype))
        if not free:
            return None
        x = free.pop()
        if x not in self.owned:
            return self._buffer(expr)
        self.owned.discard(x)
        self.contiguous.add(expr)
        return self.named[x]

    def _operand(self, x: Any, dtype: Any, scalar: bool) -> str:
        if isinstance(x, Expr) or scalar:
            return self.text(x)
        return self.constant(np.asarray(x, dtype))

    def constant(self, value: Any) -> str:
        """The name of a constant of the module."""
        key = id(value) if value.ndim else (value.dtype, value.tobytes())
        if key in self.code.known:
            return self.code.known[key]
        if value.ndim == 0:
            word = WORDS.get(value.item(), "c") if value.dtype.kind == "f" else "c"
        else:
            word = f"ones_{value.size}" if value.ndim == 1 and (value == 1).all() else "c"
        name = self.names.take(word)
        self.code.constants[name], self.code.known[key] = value, name
        return name

    def _alias(self, fn: str) -> str:
        if fn not in self.code.aliases:
            short = fn.removeprefix("np.").replace(".", "_")
            self.code.aliases[fn] = self.names.take({"add_reduce": "sum_over"}.get(short, short))
        return self.code.aliases[fn]

    def _helper(self, expr: Expr) -> str:
        if expr.fn not in self.code.helpers:
            self.code.helpers[expr.fn] = self.helper(expr.fn)
        words = [self.text(x) for x in expr.args]
        words += [f"{key}={self.text(value)}" for key, value in expr.keywords.items()]
        return f"{self.code.helpers[expr.fn]}({', '.join(words)})"
