"""Operations of users: their operands are read-only and their results are copied."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_lite.arrays import numbers_only
from autograd_lite.core.tensor import Value

__all__ = ["guarded"]


def guarded(
    function: Callable[..., Any], name: str, forward: Callable[..., Any] | None = None
) -> Callable[..., Any]:
    """A function that gets read-only operands and whose results are copied.

    Args:
        function: a forward or a gradient rule.
        name: its name in errors.
        forward: for a gradient rule, the forward that it belongs to.

    Raises:
        TypeError: when called, if the function returns anything but numbers, or if a rule that
            is itself differentiated uses a value that the forward stored.
        ValueError: when called, if the function changes an operand in place.
    """

    @functools.wraps(function)
    def call(*operands: Any, **attributes: Any) -> Any:
        if forward is not None and any(isinstance(x, Value) for x in operands):
            _refuse_kept(call, name, forward, operands, attributes)
        try:
            result = function(*(_sealed(x) for x in operands), **attributes)
        except ValueError as error:
            if "read-only" not in str(error):
                raise
            raise ValueError(
                f"{name}: changes an operand in place, which is read-only; copy it first"
            ) from error
        return _own(result, name)

    return call


def _refuse_kept(
    rule: Callable[..., Any],
    name: str,
    forward: Callable[..., Any],
    operands: tuple[Any, ...],
    attributes: dict[str, Any],
) -> None:
    """Reject a rule whose result changes after its forward was called with other operands.

    A value that the forward stored is a plain number, without a derivative.
    """
    g, *arrays = [x.array if isinstance(x, Value) else x for x in operands]
    # A rule is linear in g. For 0 it returns 0 in any case.
    arrays = [(1 + _uneven(g)).astype(np.asarray(g).dtype), *arrays]
    beside = [
        _moved(array) if isinstance(x, Value) and x.node.requires_grad else array
        for x, array in zip(operands[2:], arrays[2:], strict=True)
    ]
    before = rule(*arrays, **attributes)
    try:
        forward(*beside, **attributes)
    except Exception as error:
        raise TypeError(
            f"{name}: cannot check whether it uses a value that its forward stored, since the "
            f"forward fails at operands close to these: {error}"
        ) from error
    after = rule(*arrays, **attributes)
    forward(*arrays[2:], **attributes)
    if not np.array_equal(before, after, equal_nan=True):
        raise TypeError(
            f"{name}: uses a value that its forward stored, and a derivative of the rule would be "
            "wrong; compute that value in the rule, from the operands or from out"
        )


def _moved(x: Any) -> Any:
    """Numbers close to these, with the same signs: a mask that the forward stored is allowed."""
    x = np.asarray(x)
    by = 2.0**-16 * (1 + _uneven(x))
    return (x * (1 + by) if np.any(x) else by).astype(x.dtype)


def _uneven(x: Any) -> Any:
    """Different numbers from 0 to 1 in the shape of an array."""
    return (np.arange(np.size(x)) * 0.618 % 1).reshape(np.shape(x))


def _sealed(x: Any) -> Any:
    if isinstance(x, np.ndarray):
        x = x.view()
        x.flags.writeable = False
        return x
    return tuple(_sealed(item) for item in x) if isinstance(x, tuple) else x


def _own(result: Any, name: str) -> Any:
    if not isinstance(result, (np.ndarray, np.generic, int, float)):
        if isinstance(result, Value):
            return result
        raise TypeError(f"{name}: returned {type(result).__name__}, not an array or a number")
    numbers_only(result, f"{name}: the result")
    array = np.array(result)
    if array.dtype.kind not in "biuf" or array.dtype == np.float16:
        raise TypeError(f"{name}: returned dtype {array.dtype}, which a Tensor does not support")
    return array[()]
