"""Loops and statements in JavaScript: arrays are flat typed arrays in C order."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files
from math import prod
from typing import Any

import numpy as np

from autograd_lite.compiler.languages import Language
from autograd_lite.compiler.rules import scalar_of
from autograd_lite.compiler.scalars import operand_dtypes
from autograd_lite.compiler.views import Index
from autograd_lite.expressions.expr import Expr
from autograd_lite.expressions.names import Names

__all__ = ["JAVASCRIPT", "PLACE", "SCATTER", "TABLE", "helpers", "quoted"]

TABLE, PLACE, SCATTER = "table", "place", "scatter"
"""An element of a flat array at a place known only when it runs, the place that an index stands
for, and an array of zeros to which numbers are added at such places."""

ARRAYS = {
    **{name: f"{name.capitalize()}Array" for name in ("int8", "int16", "int32", "uint8")},
    **{name: f"{name.capitalize()}Array" for name in ("uint16", "uint32", "float32", "float64")},
    "bool": "Uint8Array",
    "int64": "Float64Array",
    "uint64": "Float64Array",
}
"""The typed array for each dtype. Integers of 64 bits are exact up to 2⁵³."""

_OPERATORS = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "equal": "===",
    "not_equal": "!==",
    "fmod": "%",
}

_MATH = {
    **{name: name for name in ("sqrt", "floor", "ceil", "trunc", "cbrt", "hypot")},
    **{name: name for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    **{name: name for name in ("exp", "expm1", "log", "log1p", "log2", "log10")},
    **{f"arc{name}": f"a{name}" for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh")},
    "absolute": "abs",
    "fabs": "abs",
    "arctan2": "atan2",
}

_HELPERS = {
    **{name: name for name in ("power", "remainder", "rint", "copysign", "signbit", "sinc")},
    **{name: name for name in ("heaviside", "logaddexp", "logaddexp2")},
    "floor_divide": "floorDivide",
    "float_power": "power",
}

STATEMENTS: dict[str, str] = {
    **{f"np.{name}": f"{{0}} {symbol} {{1}}" for name, symbol in _OPERATORS.items()},
    **{f"np.{name}": f"Math.{function}({{all}})" for name, function in _MATH.items()},
    **{f"np.{name}": f"{function}({{all}})" for name, function in _HELPERS.items()},
    "np.negative": "-{0}",
    "np.positive": "{0}",
    "np.square": "{0} * {0}",
    "np.reciprocal": "1 / {0}",
    "np.exp2": "2 ** {0}",
    "np.sign": "Math.sign({0}) + 0",
    "np.deg2rad": "{0} * (Math.PI / 180)",
    "np.rad2deg": "{0} * (180 / Math.PI)",
    "np.maximum": "{0} >= {1} || {0} !== {0} ? {0} : {1}",
    "np.minimum": "{0} <= {1} || {0} !== {0} ? {0} : {1}",
    "np.fmax": "{0} >= {1} || {1} !== {1} ? {0} : {1}",
    "np.fmin": "{0} <= {1} || {1} !== {1} ? {0} : {1}",
    "np.isnan": "{0} !== {0}",
    "np.isfinite": "{0} - {0} === 0",
    "np.isinf": "Math.abs({0}) === Infinity",
    "np.isposinf": "{0} === Infinity",
    "np.isneginf": "{0} === -Infinity",
    "np.where": "{0} ? {1} : {2}",
    "np.logical_and": "{0} & {1}",
    "np.logical_or": "{0} | {1}",
    "np.logical_xor": "{0} ^ {1}",
    "np.logical_not": "!{0}",
    ".astype": "{0}",
    TABLE: "{0}[{1}]",
    PLACE: "place({0}, {1})",
}
"""The statement of each function for its operands, which are names or numbers."""

_DIVIDED = {"np.floor_divide": "floorDivide", "np.remainder": "remainder"}

INTEGERS: dict[str, str] = {
    **{fn: f"{{1}} === 0 ? 0 : {name}({{0}}, {{1}})" for fn, name in _DIVIDED.items()},
    "np.fmod": "{1} === 0 ? 0 : {0} % {1}",
    "np.invert": "-1 - {0}",
    **{f"np.{name}": "{0}" for name in ("floor", "ceil", "trunc", "rint")},
}
"""The statements that are others for integers."""

BITS: dict[str, str] = {
    f"np.bitwise_{name}": f"{{0}} {symbol} {{1}}"
    for name, symbol in (("and", "&"), ("or", "|"), ("xor", "^"))
}

_SAME = "less less_equal greater greater_equal logical_and logical_or logical_xor logical_not where"

BOOLEANS: dict[str, str] = BITS | {
    **{f"np.{name}": STATEMENTS[f"np.{name}"] for name in _SAME.split()},
    **dict.fromkeys(("np.add", "np.maximum", "np.fmax"), "{0} | {1}"),
    **dict.fromkeys(("np.multiply", "np.minimum", "np.fmin"), "{0} & {1}"),
    "np.equal": "!{0} === !{1}",
    "np.not_equal": "!{0} !== !{1}",
    "np.invert": "!{0}",
    **dict.fromkeys(("np.square", "np.absolute", ".astype"), "{0}"),
}
"""The statements for booleans, which are 0 or 1, or false or true."""

_WRAPPED = {
    "int8": "({0}) << 24 >> 24",
    "int16": "({0}) << 16 >> 16",
    "int32": "({0}) | 0",
    "uint8": "({0}) & 255",
    "uint16": "({0}) & 65535",
    "uint32": "({0}) >>> 0",
    "int64": "({0}) + 0",  # no integer is −0
    "uint64": "({0}) + 0",
}

_EXACT = {"np.where", "np.negative", "np.absolute", "np.maximum", "np.minimum", TABLE}
"""What gives a number of 32 bits, given such numbers."""

_OF_FLOATS = {"np.isposinf", "np.isneginf", "np.sinc"}
"""Elementwise functions that are no ufuncs of NumPy."""

_ALONG_AXIS = {
    f"np.{name}" for name in ("argmax", "argmin", "cumsum", "cumprod", "sort", "argsort")
}

_WORDS = """
await break case catch class const continue debugger default delete do else enum export extends
false finally for function if implements import in instanceof interface let new null package
private protected public return static super switch this throw true try typeof undefined var void
while with yield arguments eval async of get set NaN Infinity Math Number Object Array ArrayBuffer
RangeError TypeError module globalThis window document location top
"""

RESERVED = frozenset(_WORDS.split())


@cache
def helpers() -> dict[str, str]:
    """The source of the functions that programs call, by name."""
    text = files("autograd_lite.compiler").joinpath("helpers.js").read_text(encoding="utf-8")
    found = re.findall(r"^/\*\*.*?^}\n", text, re.MULTILINE | re.DOTALL)
    return {re.search(r"^function (\w+)", part, re.MULTILINE)[1]: part for part in found}  # type: ignore[index]


def quoted(text: str) -> str:
    r"""A text as a literal that can also stand in a comment and in a script of a page.

    Example:
        >>> print(quoted("</script>"))
        "\u003c/script>"
    """
    return json.dumps(text).replace("<", "\\u003c").replace("*/", "*\\u002f")


def statement_of(x: Expr) -> str | None:
    """The statement of an elementwise call, or None if there is none."""
    if x.keywords or x.fn not in (*STATEMENTS, *INTEGERS, *BITS):
        return None
    if x.fn in (TABLE, PLACE):
        return STATEMENTS[x.fn]
    if x.fn in _OF_FLOATS:
        return STATEMENTS[x.fn] if x.args[0].dtype.kind == "f" else None
    dtypes = operand_dtypes(x)
    if x.dtype.name not in ARRAYS or not all(d == np.float16 or d.name in ARRAYS for d in dtypes):
        return None  # in float16 NumPy tests, as with isnan, what float64 holds, too
    if x.fn == "np.power" and scalar_of(x.args[1]) == 0.5 and x.dtype.kind == "f":
        return STATEMENTS["np.sqrt"]
    kinds = {dtype.kind for dtype in dtypes}
    if kinds == {"b"}:
        return BOOLEANS.get(x.fn)
    if kinds <= {"i", "u"}:
        if x.fn in BITS:
            small = all(dtype.itemsize < 8 for dtype in dtypes)
            return BITS[x.fn] if small else None
        if x.fn == "np.reciprocal":
            return None  # 1 // 0 is no number
        product = "Math.imul" if x.dtype.itemsize <= 4 else "(x, y) => x * y"
        if x.fn == "np.power":
            return f"integerPower({{0}}, {{1}}, {product})"
        if x.fn in ("np.multiply", "np.square") and x.dtype.itemsize == 4:
            return f"Math.imul({{0}}, {{{x.fn == 'np.multiply':d}}})"
        return INTEGERS.get(x.fn) or STATEMENTS.get(x.fn)
    return STATEMENTS.get(x.fn)


class JavaScript(Language):
    """JavaScript: arrays are flat typed arrays in C order, and numbers are float64."""

    by_loops = True

    def names(self) -> Names:
        """The names of a new function."""
        return Names({*ARRAYS.values(), *helpers()}, RESERVED)

    def whole(self, x: Expr) -> bool:
        return x.fn in _ALONG_AXIS or x.fn == SCATTER

    def table(self, x: Expr) -> Expr | None:
        return x.args[0] if x.fn == TABLE else None

    def knows(self, x: Expr) -> bool:
        """Whether an elementwise call has a statement."""
        return statement_of(x) is not None

    def loop(self, variable: str, n: str) -> str:
        return f"for (let {variable} = 0; {variable} < {n}; {variable}++) {{"

    def in_pieces(self, variable: str, start: str, k: str, n: str, size: int) -> Sequence[str]:
        end = f"Math.min({start} + {size}, {n})"
        return (
            f"for (let {start} = 0; {start} < {n}; {start} += {size}) {{",
            f"for (let {variable} = {start}; {variable} < {end}; {variable}++) {{",
        )

    def choice(self, condition: str, yes: str, no: str) -> str:
        return f"{condition} ? {yes} : {no}"

    def literal(self, value: Any, dtype: Any) -> str:
        if dtype.kind == "b":
            return "true" if value else "false"
        if dtype.kind in "iu" and abs(value) > 2**53:
            raise ValueError(f"save: JavaScript has no equal of the integer {value}")
        value = float(dtype.type(value))
        if not np.isfinite(value):
            text = "NaN" if np.isnan(value) else "Infinity" if value > 0 else "-Infinity"
        else:
            text = repr(value)
        return f"({text})" if text.startswith("-") else text

    def converted(self, text: str, dtype: str) -> str:
        if dtype == "float32":
            return f"Math.fround({text})"
        return text

    def statement(self, x: Expr, words: Sequence[str]) -> str:
        if x.fn == ".astype":
            given = x.args[0].dtype
            return _cast(words[0], given, x.dtype)
        text = statement_of(x)
        assert text is not None
        if x.fn in (TABLE, PLACE):
            words = [
                w if isinstance(y, Expr) else str(y) for w, y in zip(words, x.args, strict=True)
            ]
            return text.format(*words)
        dtypes = (x.args[0].dtype,) if x.fn in _OF_FLOATS else operand_dtypes(x)
        given = [
            self._operand(word, y, dtype)
            for word, y, dtype in zip(words, x.args, dtypes, strict=True)
        ]
        text = text.format(*given, all=", ".join(given))
        if x.dtype == np.float32 and x.fn not in _EXACT:
            return f"Math.fround({text})"
        if x.dtype.kind in "iu" and x.fn not in _EXACT - {"np.negative", "np.absolute"}:
            return _WRAPPED[x.dtype.name].format(text)
        return text

    def _operand(self, word: str, y: Any, dtype: Any) -> str:
        if not isinstance(y, Expr):
            return self.literal(y, dtype)
        if y.dtype == dtype:
            return word
        text = _cast(word, y.dtype, dtype)
        return text if re.fullmatch(r"[\w.]+|[\w.]+\([\w.]+\)", text) else f"({text})"

    def helpers(self, x: Expr) -> set[str]:
        return set()

    def rounded(self, text: str, dtype: Any) -> str:
        return self.converted(text, dtype.name)

    def plus(self, total: str, x: str) -> str:
        return f"{total} + {x}"

    def plus_product(self, total: str, x: str, y: str) -> str:
        return f"{total} + {x} * {y}"

    def new(self, shape: Sequence[int], lengths: Sequence[str], dtype: Any) -> str:
        return f"new {ARRAYS[dtype.name]}({prod(shape)})"

    def element(
        self, array: str, shape: Sequence[int], index: Sequence[Index], variables: Sequence[str]
    ) -> str:
        terms: dict[int, int] = {}
        start, stride = 0, 1
        for n, i in zip(reversed(shape), reversed(index), strict=True):
            start += i.start * stride
            if i.axis is not None:
                terms[i.axis] = terms.get(i.axis, 0) + i.step * stride
            stride *= n
        words = [
            variables[axis] if step == 1 else f"{step} * {variables[axis]}"
            for axis, step in sorted(terms.items())
            if step > 0
        ]
        words += [str(start)] * (start != 0 or not words)
        text = " + ".join(words)
        for axis, step in sorted(terms.items()):
            if step < 0:
                text += f" - {variables[axis]}" if step == -1 else f" - {-step} * {variables[axis]}"
        return f"{array}[{text}]"

    def part(self, array: str, shape: Sequence[int], k: str) -> str:
        if len(shape) == 1:
            return f"{array}[{k}]"
        size = prod(shape[1:])
        first = k if k.isidentifier() else f"({k})"
        return f"{array}.subarray({first} * {size}, ({k} + 1) * {size})"

    def stored(self, array: str, shape: Sequence[int], k: str, value: str) -> str:
        if len(shape) == 1:
            return f"{array}[{k}] = {value}"
        return f"{array}.set({value}, {k} * {prod(shape[1:])})"

    def filled(self, array: str, value: str) -> str:
        return f"{array}.fill({value})"

    def copied(self, array: str, value: str) -> str:
        return f"{array}.set({value})"

    def reshaped(self, array: str, lengths: Sequence[str]) -> str:
        return array

    def called(self, x: Expr, out: str, words: Sequence[str]) -> str:
        if x.fn == SCATTER:
            return f"scatter({', '.join([out, *words])})"
        shape, axis = x.args[0].shape, x.keywords["axis"] % x.args[0].ndim
        line = str(shape[axis]), str(prod(shape[axis + 1 :]))
        return f"{x.fn.removeprefix('np.')}({', '.join([out, *words, *line])})"


def _cast(text: str, given: Any, dtype: Any) -> str:
    """A number of a dtype, given one of another."""
    if given == dtype:
        return text
    if dtype.kind == "b":
        return f"{text} !== 0"
    if given.kind == "b":
        return f"+{text}"
    if dtype.kind in "iu":
        smaller = np.can_cast(given, dtype)
        whole = text if given.kind in "iu" else f"Math.trunc({text})"
        return text if smaller else _WRAPPED[dtype.name].format(whole)
    return f"Math.fround({text})" if dtype == np.float32 else text


JAVASCRIPT = JavaScript()
