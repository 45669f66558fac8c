"""What native code computes element by element: a statement for each of NumPy's functions.

Each takes operands of one dtype and gives what NumPy gives, NaN, infinities and signed zeros
included.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_lite.compiler.elementary import FUNCTIONS
from autograd_lite.compiler.rewrite import UFUNCS
from autograd_lite.compiler.rules import scalar_of
from autograd_lite.expressions.expr import Expr, dtype_of
from autograd_lite.expressions.printer import literal

__all__ = ["NATIVE", "READ", "helper_of", "is_elementwise", "scalar_literal", "statement"]

NATIVE = frozenset(map(np.dtype, ("float64", "float32", "bool")))
"""The dtypes of results; integers are read, and converted."""

READ = NATIVE | frozenset(map(np.dtype, ("int8", "int16", "int32", "int64", "uint8")))

_OPERATORS = {
    "add": "+",
    "subtract": "-",
    "multiply": "*",
    "divide": "/",
    "power": "**",
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "equal": "==",
    "not_equal": "!=",
}

_CALLED = {
    **dict.fromkeys(("sqrt", "floor", "ceil", "isnan", "isfinite", "isinf"), 1),
    **dict.fromkeys(("sin", "cos", "tan", "sinh", "cosh", "arctan", "arcsinh"), 1),
    **dict.fromkeys(("arcsin", "arccos"), 1),
    **dict.fromkeys(("arctan2", "hypot", "copysign", "logaddexp"), 2),
}

ONE_BY_ONE = {
    *(
        f"np.{name}"
        for name in ("sin", "cos", "tan", "sinh", "cosh", "arctan", "arcsinh", "arcsin")
    ),
    *(f"np.{name}" for name in ("arccos", "arctan2", "hypot", "logaddexp", "power", "exp2")),
}
"""What the C library computes for one number after the other, and NumPy for several at once."""

FEW = 128  # numbers up to which that takes no longer

STATEMENTS: dict[str, str] = {
    **{f"np.{name}": f"{{0}} {symbol} {{1}}" for name, symbol in _OPERATORS.items()},
    **{f"np.{name}": f"np.{name}({', '.join(['{0}', '{1}'][:n])})" for name, n in _CALLED.items()},
    **{f"np.{name}": f"{name}({{0}})" for name in FUNCTIONS},
    "np.negative": "-{0}",
    "np.absolute": "abs({0})",
    "np.square": "{0} * {0}",
    "np.reciprocal": "{one} / {0}",
    "np.exp2": "{two} ** {0}",
    "np.sign": "np.sign({0}) + {zero}",
    "np.maximum": "{0} if ({0} >= {1}) | ({0} != {0}) else {1}",
    "np.minimum": "{0} if ({0} <= {1}) | ({0} != {0}) else {1}",
    "np.where": "{1} if {0} else {2}",
    "np.logical_and": "{0} & {1}",
    "np.logical_or": "{0} | {1}",
    "np.logical_not": "not {0}",
    ".astype": "{0}",
}
"""The statement of each function for its operands, which are names or numbers."""

_OF_BOOLEANS = {"np.equal", "np.not_equal", "np.where", ".astype"}


def operand_dtypes(expr: Expr) -> tuple[Any, ...]:
    """The dtypes to which an elementwise call converts its operands."""
    if expr.fn == ".astype":
        return (expr.args[0].dtype,)
    if expr.fn == "np.where":
        return np.dtype(bool), expr.dtype, expr.dtype
    if expr.fn.startswith("np.logical"):
        return (np.dtype(bool),) * len(expr.args)
    ufunc = UFUNCS[expr.fn]
    return ufunc.resolve_dtypes((*map(dtype_of, expr.args), None))[:-1]


def _function(expr: Expr) -> str:
    """The name of the function that a call computes: as NumPy does, x ** 0.5 is a square root."""
    is_root = expr.fn == "np.power" and scalar_of(expr.args[1]) == 0.5
    return "np.sqrt" if is_root else expr.fn


def is_elementwise(expr: Expr) -> bool:
    """Whether native code computes a call element by element, as NumPy does."""
    if expr.fn not in STATEMENTS or expr.dtype not in NATIVE or expr.keywords:
        return False
    if _function(expr) in ONE_BY_ONE and expr.size > FEW:
        return False
    if not all(x.dtype in READ for x in expr.inputs):
        return False
    if expr.fn == ".astype":
        return True
    dtypes = operand_dtypes(expr)
    if any(dtype.kind == "b" for dtype in dtypes):
        logical = expr.fn in _OF_BOOLEANS or expr.fn.startswith("np.logical")
        return logical and set(dtypes) <= NATIVE
    return set(dtypes) <= NATIVE


def converted(text: str, given: Any, dtype: Any) -> str:
    """The source of a number of a dtype, given one of another."""
    if given == dtype:
        return text
    if dtype.kind == "b":
        return f"({text} != 0)"
    return f"np.{dtype.name}({text})"


def scalar_literal(value: Any, dtype: Any) -> str:
    """The source of a number of a dtype."""
    if dtype.kind == "b":
        return str(bool(value))
    if dtype.kind in "iu":
        return f"np.{dtype.name}({int(value)})"
    text = literal(float(value))
    if dtype != np.float64:
        return f"np.{dtype.name}({text})"
    return f"({text})" if text.startswith("-") else text


def statement(expr: Expr, words: Sequence[str]) -> str:
    """The source of an elementwise call for one element.

    Args:
        expr: the call.
        words: the source of its operands; an operator around them must not take them apart.
    """
    if expr.fn == ".astype":
        return converted(words[0], expr.args[0].dtype, expr.dtype)
    dtypes = operand_dtypes(expr)
    given = [
        converted(word, x.dtype, dtype) if isinstance(x, Expr) else scalar_literal(x, dtype)
        for word, x, dtype in zip(words, expr.args, dtypes, strict=True)
    ]
    numbers = {name: scalar_literal(x, dtypes[0]) for name, x in _NUMBERS.items()}
    text = STATEMENTS[_function(expr)].format(*given, **numbers)
    if helper_of(expr) and expr.dtype == np.float32:
        return f"np.float32({text.replace('(', '(np.float64(', 1)}))"
    return text


def helper_of(expr: Expr) -> str:
    """The function of `elementary` that computes a call, or nothing."""
    name = expr.fn.removeprefix("np.")
    return name if name in FUNCTIONS else ""


_NUMBERS = {"zero": 0, "one": 1, "two": 2}
