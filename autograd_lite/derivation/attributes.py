"""The attributes of an operation, as a formula has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["attributes_of", "short"]


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
    text = repr(value).replace("\n", "")
    return text if len(text) <= 40 else text[:37] + "…"
