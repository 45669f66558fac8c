"""The code that runs: one call a line, results written into arrays that are no longer needed."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import Any

import numpy as np

from autograd_lite.compiler.kernels import Kernels
from autograd_lite.compiler.native import KERNEL
from autograd_lite.compiler.rewrite import ufunc_of
from autograd_lite.compiler.views import is_view
from autograd_lite.expressions.expr import (
    ARGUMENT,
    CONSTANT,
    LOOP,
    Builder,
    Expr,
    dtype_of,
    in_order,
)
from autograd_lite.expressions.loops import written
from autograd_lite.expressions.names import Names
from autograd_lite.expressions.printer import ATOM, INFIX, Printer, literal

__all__ = ["Code", "Emitter"]

LARGE = 1 << 15  # bytes from which a buffer is kept for a later result of the same shape and dtype

OPERATORS = {fn for fn in INFIX if fn != "np.power"} | {"np.negative", "np.square"}

# Calls whose result is a new array, never a view of an operand.
FRESH = {
    *("np.where", ".dot", "np.matmul", "np.add.reduce", "np.concatenate", "np.stack", "np.array"),
    *("add_at", "add_each_at"),
}


class Code:
    """Lines of a function, and the definitions that they need in the module around it."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.aliases: dict[str, str] = {}
        self.constants: dict[str, Any] = {}
        self.known: dict[Any, str] = {}
        self.before = 0

    def taken(self) -> list[str]:
        """The lines so far; those to come are of another function."""
        lines, self.lines = self.lines, []
        self.before += len(lines)
        return lines


WORDS = {0.0: "zero", 1.0: "one", -1.0: "minus_one", 2.0: "two", 0.5: "half"}


class Emitter:
    """Writes the calls that results need, each into a free buffer where there is one.

    Args:
        code: where to write.
        names: the names taken in the function.
        b: the builder of the expressions.
        named: the names of values that are already computed, such as the arguments.
        owned: the values that may be overwritten after their last use.
        helper: defines an operation that is not a NumPy function, and returns its name.
        kernels: where to define native functions.
    """

    def __init__(
        self,
        code: Code,
        names: Names,
        b: Builder,
        named: dict[Expr, str],
        owned: Sequence[Expr] = (),
        helper: Callable[[str], str] = lambda name: name,
        kernels: Kernels | None = None,
    ) -> None:
        self.code = code
        self.names = names
        self.b = b
        self.named: dict[Expr, str] = dict(named)
        self.helper = helper
        self.kernels = kernels
        self.holders: dict[Expr, set[Expr]] = {x: {x} for x in named}
        self.owned: set[Expr] = set(owned)
        self.contiguous: set[Expr] = set()
        self.spent: set[Expr] = set()
        self.free: dict[Any, list[Expr]] = {}
        self.loops: dict[Expr, list[str]] = {}
        self.printer: Printer = Printer(self.named)

    def write(self, roots: Sequence[Any]) -> None:
        """Write the lines that compute the results."""
        order = in_order(roots, self.named)
        for expr in order:
            self.holders[expr] = self._holders(expr)
        last = {x: k for k, expr in enumerate(order) for x in expr.inputs}
        last |= {root: len(order) for root in roots if isinstance(root, Expr)}
        # A buffer may be overwritten after the last use of all its views.
        until: dict[Expr, int] = {}
        for expr in (*self.named, *order):
            for holder in self.holders[expr]:
                until[holder] = max(until.get(holder, -1), last.get(expr, -1))
        for k, expr in enumerate(order):
            buffers = (x for y in expr.inputs for x in self.holders[y])
            done = dict.fromkeys(x for x in buffers if until[x] == k)
            self._statement(expr, done)
            for x in done:
                if x in self.owned and x in self.contiguous and x.nbytes >= LARGE:
                    self.free.setdefault((x.shape, x.dtype), []).append(x)

    def _holders(self, expr: Expr) -> set[Expr]:
        """The buffers with which the result of a call may share memory."""
        if expr.fn == CONSTANT or _is_fresh(expr.fn) or not expr.inputs:
            return {expr}
        if expr.fn == ".astype" and expr.args[1] != expr.args[0].dtype:
            return {expr}
        if _is_apart(expr) or expr.fn == KERNEL or _is_native(expr):
            return {expr}
        return set().union(*(self.holders[x] for x in expr.inputs))

    def _statement(self, expr: Expr, done: Container[Expr]) -> None:
        """Write the line of a call; the buffers that are `done` have their last use in it."""
        if expr.fn == CONSTANT:
            self.named[expr] = self.constant(expr.value)
            return
        if expr.fn == LOOP:
            lines, self.loops[expr] = written(expr, self.b, self.names, self.text, self._body)
            self.code.lines += lines
            return
        if expr.fn == KERNEL:
            self._kernel(expr, done)
            return
        if _is_native(expr):
            return  # named with the call
        if expr.fn == "[]" and expr.args[0] in self.loops:
            self.named[expr] = self.loops[expr.args[0]][expr.args[1]]
            return
        source = self._call(expr, done)
        if self.holders[expr] == {expr} and not _is_apart(expr):
            self.owned.add(expr)
        # A view is cheap, so it is written where it is used.
        if expr.fn == ".T" or (expr.fn == "np.expand_dims" and expr.args[0].ndim == 1):
            self.named[expr] = source
            return
        name = self.names.take(self.b.names.get(expr, ""), self._numbered())
        self.named[expr] = name
        note = "" if self.kernels is None else "  # NumPy"
        self.code.lines.append(f"{name} = {source}{note}")

    def _kernel(self, expr: Expr, done: Container[Expr]) -> None:
        """Write the call of a native function, which may overwrite what has its last use in it."""
        assert self.kernels is not None
        stretch, *given = expr.args
        pairs = [*zip(stretch.parameters, given, strict=True)]
        spent = {x for x in given if self._is_free(x, done) and given.count(x) == 1}
        function = self.kernels.add(stretch, {p for p, x in pairs if x in spent}, dict(pairs))
        self.owned -= spent
        self.spent |= spent
        results = [self.b.call_of("[]", (expr, k), x) for k, x in enumerate(stretch.results)]
        names = [
            self.names.take(self.b.names.get(x, ""), self._numbered(k))
            for k, x in enumerate(results)
        ]
        self.named |= dict(zip(results, names, strict=True))
        self.owned |= set(results)
        self.contiguous |= set(results)
        target, words = ", ".join(names), ", ".join(map(self.text, given))
        call = f"{target} = {function}({words})"
        if not self.contiguous.issuperset(given):
            other = f"{target} = {function}(*contiguous({words}))"
            self.code.lines += ["try:", f"    {call}", "except TypeError:", f"    {other}"]
        else:
            self.code.lines.append(call)
        for x, name in zip(results, names, strict=True):
            if x.shape == ():
                self.code.lines.append(f"{name} = {self._alias(f'np.{x.dtype}')}({name})")

    def _numbered(self, k: int = 0) -> str:
        return f"t{self.code.before + len(self.code.lines) + 1 + k}"

    def _is_free(self, x: Expr, done: Container[Expr]) -> bool:
        """Whether the memory of a value is no longer needed by anything else."""
        return x in done and x in self.owned and self.holders[x] == {x}

    def _body(
        self, roots: list[Expr], known: dict[Expr, str]
    ) -> tuple[list[str], Callable[[Any], str]]:
        """The lines of the body of a loop, and what returns the source of an expression there."""
        outside, self.code.lines = self.code.lines, []
        inner = Emitter(self.code, self.names, self.b, known, (), self.helper, self.kernels)
        inner.write(roots)
        outside, self.code.lines = self.code.lines, outside
        return outside, inner.text

    def _call(self, expr: Expr, done: Container[Expr]) -> str:
        fn, args, scalar = expr.fn, expr.args, bool(expr.shape == ())
        as_scalar = "[()]" * scalar  # these functions return 0-d arrays
        if scalar and fn in OPERATORS and all(x.shape == () for x in expr.inputs):
            return self.printer.call(expr)
        if ufunc := ufunc_of(fn):
            return self._ufunc(expr, ufunc, done)
        if fn == ".dot":
            out = None if scalar else self._buffer(expr)
            self.contiguous.add(expr)
            words = [self.text(args[1]), *filter(None, [out])]
            return f"{self.printer.text(args[0], ATOM)}.dot({', '.join(words)})"
        if fn == "np.add.reduce":
            words = [self.text(args[0])]
            words += [f"{key}={literal(value)}" for key, value in expr.keywords.items()]
            return f"{self._alias(fn)}({', '.join(words)})"
        if fn == "np.where":
            words = [self.text(args[0]), *(self._operand(x, expr.dtype, scalar) for x in args[1:])]
            return f"{self._alias(fn)}({', '.join(words)}){as_scalar}"
        if fn == ".astype":
            return f"{self.printer.text(args[0], ATOM)}.astype({self._alias(f'np.{expr.dtype}')})"
        if fn.startswith("np.") or fn in (".T", "[]", "list"):
            return f"{self.printer.call(expr)}{as_scalar * (fn != '.T')}"
        return f"{self._helper(expr)}{as_scalar}"

    def add(self, expr: Expr, name: str) -> None:
        """Use a value that other lines computed in a buffer of its own."""
        self.named[expr], self.holders[expr] = name, {expr}
        self.owned.add(expr)

    def text(self, x: Any) -> str:
        """The source of an argument."""
        return self.printer.text(x)

    def unshared(self, roots: Sequence[Any]) -> list[str]:
        """The source of results, as copies where they share memory with anything."""
        taken = {x for x in self.holders if x.fn in (ARGUMENT, CONSTANT)} - self.spent
        written = []
        for x in roots:
            text = self.text(x)
            if isinstance(x, Expr) and x.shape != ():
                shared = self.holders[x] & taken or _is_spread(x)
                text = f"np.array({text})" if shared else text
                taken |= self.holders[x]
            elif isinstance(x, Expr) and x.fn in (ARGUMENT, CONSTANT):
                text = f"np.{x.dtype}({text})"  # a number, not the array that others read
            written.append(text)
        return written

    def _ufunc(self, expr: Expr, ufunc: Any, done: Container[Expr]) -> str:
        scalar = expr.shape == ()
        dtypes = ufunc.resolve_dtypes((*map(dtype_of, expr.args), *(None,) * ufunc.nout))
        words = [
            self._operand(x, dtype, scalar) for x, dtype in zip(expr.args, dtypes, strict=False)
        ]
        arrays = [x for x in expr.inputs if x.shape == expr.shape]
        if arrays and all(x in self.contiguous for x in arrays):
            self.contiguous.add(expr)
        out = None if scalar else self._overwritten(expr, done) or self._buffer(expr)
        if out:
            # NumPy deprecates a positional `out` for these two.
            by_keyword = expr.fn in ("np.maximum", "np.minimum")
            words.append(f"out={out}" if by_keyword else out)
        return f"{self._alias(expr.fn)}({', '.join(words)})"

    def _overwritten(self, expr: Expr, done: Container[Expr]) -> str | None:
        """The name of an operand that the result may overwrite, or None."""
        for x in expr.inputs:
            if self._is_free(x, done) and x.shape == expr.shape and x.dtype == expr.dtype:
                if x in self.contiguous:
                    self.contiguous.add(expr)
                self.owned.discard(x)
                self.spent.add(x)
                return self.named[x]
        return None

    def _buffer(self, expr: Expr) -> str | None:
        """The name of a free buffer of the same shape and dtype, or None."""
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
            word = "ones" if value.ndim == 1 and (value == 1).all() else "c"
        name = self.names.take(word)
        self.code.constants[name], self.code.known[key] = value, name
        return name

    def _alias(self, fn: str) -> str:
        if fn not in self.code.aliases:
            short = fn.removeprefix("np.").removeprefix("special.").replace(".", "_")
            self.code.aliases[fn] = self.names.take({"add_reduce": "sum_over"}.get(short, short))
        return self.code.aliases[fn]

    def _helper(self, expr: Expr) -> str:
        words = [self.text(x) for x in expr.args]
        words += [f"{key}={self.text(value)}" for key, value in expr.keywords.items()]
        return f"{self.helper(expr.fn)}({', '.join(words)})"


def _is_fresh(fn: str) -> bool:
    """Whether the result of a call shares no memory with its operands."""
    return fn in FRESH or ufunc_of(fn) is not None


def _is_native(expr: Expr) -> bool:
    """Whether it is a result of a native function."""
    return expr.fn == "[]" and expr.args[0].fn == KERNEL


def _is_apart(expr: Expr) -> bool:
    """Whether it is a result of a loop that shares no memory with the others.

    It must not be overwritten all the same, since it may be in a list.
    """
    if expr.fn != "[]" or expr.shape is None:
        return False
    source = expr.args[0]
    loop = source.args[0] if source.fn == "[]" and type(expr.args[1]) is int else source
    if not isinstance(loop, Expr) or loop.fn != LOOP:
        return False
    results = (*loop.args[0].lasts, *loop.args[0].kept)
    return all(_is_fresh(x.fn) for x in results) and len(set(results)) == len(results)


def _is_spread(x: Expr) -> bool:
    """Whether elements of an array share memory."""
    while x.fn != "np.broadcast_to" and (x.fn == "np.reshape" or is_view(x)):
        x = x.args[0]
    return x.fn == "np.broadcast_to"
