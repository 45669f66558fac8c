"""The attributes of an operation, as a formula has them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

__all__ = ["attributes_of", "short", "word_of"]

WORDS = {"take_along_axis": "gather", "add_along_axis": "scatter"}
"""Operations with a usual name."""


def attributes_of(op: Any, given: Mapping[str, Any], ndim: int) -> list[str]:
    """What stands after the operands of a function that has no notation of its own.

    Args:
        op: the operation.
        given: its attributes that are not the defaults.
        ndim: the most axes that an operand or the result has.
    """
    written = [
        f"{name}={short(value)}"
        for name, value in given.items()
        if name not in ("axis", "keepdims") and (name != "shape" or op.name == "reshape")
    ]
    axis = given.get("axis")
    is_usual = op.signature.defaults.get("axis") == -1 and axis in (-1, ndim - 1)
    if axis is not None and ndim > 1 and not is_usual:
        only = isinstance(axis, tuple) and len(axis) == 1
        written.append(f"axis={axis[0] if only else axis}")
    return written


def short(value: Any) -> str:
    """A value on one line, its end left out if it is long."""
    text = repr(value).replace("\n", "").replace("-", "−")
    return text if len(text) <= 40 else text[:37] + "…"


def word_of(op: Any) -> str:
    """The name of an operation as a function: its usual one, its symbol, or that in the program."""
    word = WORDS.get(op.name, op.notation.symbol)
    return word if re.fullmatch(r"[\w .]+", word) else str(op.name)
