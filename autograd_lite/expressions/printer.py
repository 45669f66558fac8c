"""Expressions as readable NumPy code: infix operators, few names, few parentheses."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.expressions.expr import (
    ARGUMENT,
    CONSTANT,
    LOOP,
    Builder,
    Expr,
    in_order,
    inputs_of,
)
from autograd_lite.expressions.loops import written
from autograd_lite.expressions.names import Names

__all__ = [
    "HOMES",
    "WIDTH",
    "Printer",
    "UnwritableError",
    "expression",
    "key_of",
    "literal",
    "statements",
]

WIDTH = 88

SHORT = 32
"""Texts of at most so many characters are repeated in an expression instead of named."""


class UnwritableError(ValueError):
    """An operation that cannot be written in NumPy functions."""


# Python's own order: a higher number binds more tightly.
COMPARE, ADD, MULTIPLY, NEGATE, POWER, ATOM = 30, 50, 60, 70, 80, 100

INFIX = {
    "np.add": ("+", ADD),
    "np.subtract": ("-", ADD),
    "np.multiply": ("*", MULTIPLY),
    "np.divide": ("/", MULTIPLY),
    "np.remainder": ("%", MULTIPLY),
    "np.floor_divide": ("//", MULTIPLY),
    "np.matmul": ("@", MULTIPLY),
    "np.greater": (">", COMPARE),
    "np.greater_equal": (">=", COMPARE),
    "np.less": ("<", COMPARE),
    "np.less_equal": ("<=", COMPARE),
    "np.power": ("**", POWER),
}

ELEMENTWISE = {"np.maximum", "np.minimum", "np.where"}

HOMES = ("np.", "special.")
"""Where the functions are that a call is written with by their path."""

# What reads better under another name.
SPELLED = {"np.absolute": "np.abs", "np.add.reduce": "np.sum"}


def literal(value: Any) -> str:
    """A plain value as Python source.

    Example:
        >>> literal((1.5, slice(None), np.dtype("float32"), None))
        '(1.5, slice(None, None, None), np.dtype("float32"), None)'
    """
    if type(value) is float and not np.isfinite(value):
        sign = "-" if value < 0 else ""
        return "np.nan" if np.isnan(value) else f"{sign}np.inf"
    if isinstance(value, np.ndarray):
        if not value.size:
            return f'np.zeros({value.shape}, dtype="{value.dtype}")'
        return f'np.array({literal(value.tolist())}, dtype="{value.dtype}")'
    if isinstance(value, str):
        # Characters that do not print are escaped, one by one.
        return '"' + "".join(repr(letter)[1:-1] for letter in value).replace('"', '\\"') + '"'
    if type(value) is range and (value.start, value.step) == (0, 1):
        return f"range({value.stop})"
    if isinstance(value, np.longdouble):
        return f'np.longdouble("{value!s}")'
    if isinstance(value, np.generic):
        return f"np.{value.dtype.name}({literal(value.item())})"
    if isinstance(value, np.dtype):
        return f'np.dtype("{value.name}")'
    if isinstance(value, type) and issubclass(value, np.generic):
        return f"np.{value.__name__}"
    if isinstance(value, (tuple, list)):
        inner = ", ".join(map(literal, value))
        if isinstance(value, list):
            return f"[{inner}]"
        return f"({inner},)" if len(value) == 1 else f"({inner})"
    return repr(value)


def key_of(key: Any) -> str:
    """The text between the brackets of an index."""
    if isinstance(key, slice):
        parts = ["" if part is None else str(part) for part in (key.start, key.stop)]
        return ":".join(parts) + ("" if key.step is None else f":{key.step}")
    if isinstance(key, tuple) and key and not (len(key) == 1 and isinstance(key[0], tuple)):
        return ", ".join(map(key_of, key))
    if isinstance(key, np.integer):
        return str(key)
    return "..." if key is Ellipsis else literal(key)


class Printer:
    """Writes expressions; those in `names` are written by name."""

    def __init__(
        self, names: Mapping[Expr, str], helper: Callable[[str], str] = lambda fn: fn
    ) -> None:
        self.names = names
        self.helper = helper

    # What another library than NumPy writes in another way.

    def literal(self, value: Any) -> str:
        """A plain value."""
        return literal(value)

    def name(self, fn: str) -> str:
        """The name of a function."""
        return SPELLED.get(fn, fn) if fn.startswith(HOMES) else self.helper(fn)

    def keyword(self, name: str) -> str:
        """The name of a keyword."""
        return name

    def filled(self, shape: Any, number: Any) -> str:
        """An array of equal elements."""
        return f"np.full({shape}, {literal(number)})"

    def text(self, x: Any, within: int = 0) -> str:
        """An argument, in parentheses if the operator around it binds as tightly."""
        if isinstance(x, (tuple, list)) and any(isinstance(part, Expr) for part in x):
            inner = ", ".join(self.text(part) for part in x)
            return f"[{inner}]" if isinstance(x, list) else f"({inner}{',' * (len(x) == 1)})"
        if not isinstance(x, Expr):
            written = self.literal(x)
            return f"({written})" if written.startswith("-") and within >= NEGATE else written
        if x in self.names:
            return self.names[x]
        return self.call(x, within)

    def call(self, x: Expr, within: int = 0) -> str:
        """A call, whether or not it has a name."""
        written, precedence = self._call(x)
        return f"({written})" if precedence < within else written

    def _call(self, x: Expr) -> tuple[str, int]:
        args = x.args
        if (number := _everywhere(x)) is not None:
            return self.filled(x.shape, number), ATOM
        if x.fn == CONSTANT:
            return self.literal(x.value[()] if x.value.ndim == 0 else x.value), ATOM
        # The square of a boolean has one dtype as a ** 2 and another as np.power(a, 2).
        if x.fn in INFIX and not (x.fn == "np.power" and _is_boolean(args[0])):
            symbol, precedence = INFIX[x.fn]
            args = tuple(_whole(arg, args) for arg in args)
            if x.fn == "np.power":
                return _raised(self.text(args[0], ATOM), self.text(args[1], NEGATE)), precedence
            left = self.text(args[0], precedence + (precedence == COMPARE))
            return f"{left} {symbol} {self.text(args[1], precedence + 1)}", precedence
        if x.fn == "np.negative":
            return f"-{self.text(args[0], NEGATE)}", NEGATE
        if x.fn == "np.reciprocal" and x.dtype.kind == "f":
            return f"1 / {self.text(args[0], MULTIPLY + 1)}", MULTIPLY
        if x.fn == "np.square" and not _is_boolean(args[0]):
            return _raised(self.text(args[0], ATOM), "2"), POWER
        if x.fn == ".T":
            return f"{self.text(args[0], ATOM)}.T", ATOM
        if x.fn == "[]":
            return f"{self.text(args[0], ATOM)}[{self._key(args[1])}]", ATOM
        if x.fn == "list":  # of which the lists are parts
            words = ["*" * (part.shape is None) + self.text(part) for part in args]
            return f"[{', '.join(words)}]", ATOM
        if x.fn == ".astype":
            return f"{self.text(args[0], ATOM)}.astype({self.literal(args[1])})", ATOM
        if x.fn == "np.expand_dims" and (index := _new_axis(x)) is not None:
            return f"{self.text(args[0], ATOM)}[{index}]", ATOM
        if x.fn in ELEMENTWISE:
            args = tuple(_whole(arg, args) for arg in args)
        words = [self.text(arg) for arg in args]
        for name, value in x.keywords.items():
            if name != "axis" or x.fn != "np.add.reduce" or not _all_axes(value, x.args[0].ndim):
                words.append(f"{self.keyword(name)}={self.text(value)}")
        return f"{self.name(x.fn)}({', '.join(words)})", ATOM

    def _key(self, key: Any) -> str:
        if isinstance(key, Expr):
            return self.text(key)
        if isinstance(key, tuple) and any(isinstance(part, Expr) for part in key):
            return ", ".join(map(self._key, key))
        return key_of(key)


def _is_boolean(x: Any) -> bool:
    return type(x) is bool or (isinstance(x, Expr) and x.dtype.kind == "b")


def _raised(base: str, exponent: str) -> str:
    """A power; as formatters do, without spaces if both sides are names or numbers."""
    close = re.fullmatch(r"[\w.]+", base) and re.fullmatch(r"-?[\w.]+", exponent)
    return f"{base}**{exponent}" if close else f"{base} ** {exponent}"


def _everywhere(x: Expr) -> Any:
    """The scalar that every element of a constant array is equal to, or None."""
    if x.fn == "np.broadcast_to" and isinstance(x.args[0], Expr) and x.args[0].fn == CONSTANT:
        x = x.args[0]
    elif x.fn != CONSTANT or not x.ndim:
        return None
    value = np.asarray(x.value)
    equal = value.size == 1 or (value.size and (value == value.flat[0]).all())
    return value.flat[0] if equal else None


def _whole(x: Any, args: Sequence[Any]) -> Any:
    """A float that is a whole number as an integer, if another argument is a float array."""
    if type(x) is float and x.is_integer() and abs(x) < 1e6 and str(x) != "-0.0":
        return int(x) if any(isinstance(y, Expr) and y.dtype.kind == "f" for y in args) else x
    return x


def _all_axes(axis: Any, ndim: int) -> bool:
    return axis is None or (ndim == 1 and axis in (0, -1, (0,), (-1,)))


def _new_axis(x: Expr) -> str | None:
    axis = x.args[1] if len(x.args) > 1 else x.keywords.get("axis")
    if not isinstance(axis, int) or not isinstance(x.args[0], Expr) or x.args[0].ndim != 1:
        return None
    return ":, None" if axis in (1, -1) else "None, :"


def statements(
    roots: Sequence[Any],
    b: Builder,
    printer: Printer,
    names: dict[Expr, str],
    taken: Names,
    width: float = WIDTH,
    least: int = 0,
) -> list[str]:
    """The lines that compute the results; each assigned value is added to `names`.

    A value is assigned to a name if it is used twice or if the user named it. All others are
    written where they are used.

    Args:
        width: values with longer texts are assigned, too.
        least: values with texts of at most this length are repeated, even if used twice.
    """
    order = in_order(roots)
    uses = _uses(order, roots)
    lines: list[str] = []
    loops: dict[Expr, list[str]] = {}

    def inside(roots: list[Expr], known: dict[Expr, str]) -> Any:
        names.update(known)
        return statements(roots, b, printer, names, taken, width, least), printer.text

    for expr in order:
        if expr in names or expr.fn in (ARGUMENT, CONSTANT):
            continue
        if expr.fn == LOOP:
            found, loops[expr] = written(expr, b, taken, printer.text, inside)
            lines += found
            continue
        if expr.fn == "[]" and expr.args[0] in loops:
            names[expr] = loops[expr.args[0]][expr.args[1]]
            continue
        named = expr in b.names
        text = printer.call(expr)
        view = expr.fn in (".T", "np.expand_dims") and expr.args[0] in names
        shared = uses[expr] > 1 and not view and len(text) > least
        if named or shared or len(text) > width:
            name = taken.take(b.names.get(expr, ""), f"t{len(lines) + 1}")
            names[expr] = name
            lines.append(f"{name} = {text}")
    return lines


def _uses(order: Sequence[Expr], roots: Sequence[Any]) -> Counter[Expr]:
    """How often each expression is used; a loop uses its operands again and again."""
    uses: Counter[Expr] = Counter()
    for expr in order:
        for x in expr.inputs:
            uses[x] += 2 if expr.fn == LOOP else 1
    uses.update(inputs_of([*roots]))
    return uses


def expression(root: Any, b: Builder, names: Mapping[Expr, str]) -> str:
    """The text of an expression, with names for the arguments.

    Raises:
        UnwritableError: if it contains a call of a function that NumPy does not have.
    """
    named = dict(names)
    printer = Printer(named, _refused)
    lines = statements([root], b, printer, named, Names(names.values()), math.inf, SHORT)
    text = printer.text(root)
    if lines and lines[-1].startswith(f"{text} = "):
        text = lines.pop().removeprefix(f"{text} = ")
    if not lines:
        return text
    return f"({', '.join(line.replace(' = ', ' := ', 1) for line in lines)}, {text})[-1]"


def _refused(fn: str) -> str:
    raise UnwritableError(f"{fn} is not a single NumPy expression; use evaluate(values)")
