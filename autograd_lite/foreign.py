"""Operations from outside the package: they see the record read-only and keep nothing of it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["guarded", "is_foreign"]


def is_foreign(*functions: Any) -> bool:
    """Whether any of the functions was written outside this package and NumPy."""
    modules = (getattr(function, "__module__", None) or "numpy" for function in functions)
    return any(module.split(".")[0] not in (__package__, "numpy") for module in modules)


def guarded(function: Callable[..., Any], name: str) -> Callable[..., Any]:
    """The function on read-only operands, its results copied.

    Raises:
        TypeError: when called, if the function returns anything but numbers.
        ValueError: when called, if the function changes an operand in place.
    """

    @functools.wraps(function)
    def call(*operands: Any, **attributes: Any) -> Any:
        try:
            result = function(*(_sealed(x) for x in operands), **attributes)
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            raise ValueError(
                f"{name} changes an operand in place, and others still need it; copy it first"
            ) from error
        return _own(result, name)

    return call


def _sealed(x: Any) -> Any:
    if isinstance(x, np.ndarray):
        x = x.view()
        x.flags.writeable = False
        return x
    return tuple(_sealed(item) for item in x) if isinstance(x, tuple) else x


def _own(result: Any, name: str) -> Any:
    if not isinstance(result, (np.ndarray, np.generic, int, float)):
        if hasattr(result, "requires_grad") and hasattr(result, "array"):
            return result
        raise TypeError(f"{name} returned {type(result).__name__}, not an array or a number")
    array = np.array(result)
    if array.dtype.kind not in "biuf" or array.dtype == np.float16:
        raise TypeError(f"{name} returned dtype {array.dtype}, which a Tensor cannot hold")
    return array[()]
