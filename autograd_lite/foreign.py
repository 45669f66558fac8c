"""Operations from outside the package: they see the record read-only and keep nothing of it."""

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
    """The function on read-only operands, its results copied.

    Args:
        function: a forward or a gradient rule.
        name: what errors call it.
        forward: of a rule, the forward that it belongs to.

    Raises:
        TypeError: when called, if the function returns anything but numbers, or if a rule that
            is differentiated in its turn uses what the forward kept.
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
                f"{name} changes an operand in place, and others still need it; copy it first"
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
    """Refuse a rule whose result moves when its forward runs at operands beside its own.

    What a forward keeps is a plain number, and has no derivative by the operands.
    """
    g, *arrays = [x.array if isinstance(x, Value) else x for x in operands]
    # A rule is linear in g, and of 0 gives 0 whatever it uses.
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
            f"{name}: whether it uses what its forward kept cannot be told, since the forward "
            f"fails a little beside its operands: {error}"
        ) from error
    after = rule(*arrays, **attributes)
    forward(*arrays[2:], **attributes)
    if not np.array_equal(before, after, equal_nan=True):
        raise TypeError(
            f"{name} uses what its forward kept, and a derivative of the rule would miss how "
            "that depends on the operands; compute it in the rule, from the operands or from out"
        )


def _moved(x: Any) -> Any:
    """Floating numbers beside these; no sign changes, since a mask may be kept."""
    x = np.asarray(x)
    by = 2.0**-16 * (1 + _uneven(x))
    return (x * (1 + by) if np.any(x) else by).astype(x.dtype)


def _uneven(x: Any) -> Any:
    """Numbers from 0 to 1 in the shape of an array."""
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
        raise TypeError(f"{name} returned {type(result).__name__}, not an array or a number")
    numbers_only(result, f"{name} returned a special array")
    array = np.array(result)
    if array.dtype.kind not in "biuf" or array.dtype == np.float16:
        raise TypeError(f"{name} returned dtype {array.dtype}, which a Tensor cannot hold")
    return array[()]
