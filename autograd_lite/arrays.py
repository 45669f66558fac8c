"""Which data a Tensor takes, and how a value is described."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from autograd_lite.core.op import Op
from autograd_lite.core.state import hooks
from autograd_lite.core.tensor import Array, Value

__all__ = ["array_of", "describe", "numbers_only", "plain"]


def array_of(data: Any, requires_grad: bool = False, what: str = "a Tensor") -> Array:
    """A copy of the data as an array that the engine can compute with.

    Raises:
        TypeError: for complex, object, text, float16 and masked data, and for np.matrix.
    """
    if type(data) is int and not requires_grad and -(2**63) <= data < 2**63:
        return data
    numbers_only(data, what)
    if isinstance(data, Value):
        raise TypeError(f"{what}: is one already; use it as it is, or detach() it first")
    try:
        array = np.array(data, order="K", copy=True, subok=False)
    except (ValueError, TypeError) as error:
        if _holds_tensor(data):
            raise TypeError(
                f"{what}: a list of Tensors is put together with np.stack or np.concatenate"
            ) from error
        raise TypeError(f"{what}: these data are no array of numbers: {error}") from error
    kind = array.dtype.kind
    if kind not in "biuf" or array.dtype == np.float16:
        if _holds_tensor(data):
            raise TypeError(
                f"{what}: a list of Tensors is put together with np.stack or np.concatenate"
            )
        advice = {
            "c": "split it into its real and imaginary part",
            "f": "float16 is too coarse for gradients; use astype(np.float32)",
            "M": "use numbers",
            "m": "use numbers",
        }.get(kind, "use numbers of one kind")
        raise TypeError(f"{what}: cannot hold data of dtype {array.dtype}; {advice}")
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if requires_grad and kind != "f":
        array = array.astype(np.float64)
    return array


def numbers_only(data: Any, what: str) -> None:
    """Refuse arrays, also in lists and tuples, that mean something else than their numbers say.

    Raises:
        TypeError: for masked arrays and np.matrix.
    """
    if type(data) is np.ndarray or isinstance(data, (float, int, np.generic)):
        return
    if isinstance(data, (list, tuple)):
        if not {float, int}.issuperset(map(type, data)):
            for item in data:
                numbers_only(item, what)
        return
    # np.ma would be imported when it is named, and that takes longer than all the rest.
    masked = sys.modules.get("numpy.ma")
    if masked is not None and isinstance(data, masked.MaskedArray):
        raise TypeError(
            f"{what}: masked arrays lose their mask; fill them first with .filled(value)"
        )
    if isinstance(data, np.matrix):
        raise TypeError(
            f"{what}: np.matrix multiplies as matrices do, and a Tensor element by element; use "
            "np.asarray(it)"
        )


def _holds_tensor(data: Any) -> bool:
    if isinstance(data, (list, tuple)):
        return any(_holds_tensor(item) for item in data)
    return isinstance(data, Value)


def plain(value: Any, op: Op | str = "", argument: str = "") -> Any:
    """An attribute without Tensors, and not shared with the outside.

    Raises:
        TypeError: for a Tensor that wants a gradient, and for masked arrays.
    """
    if isinstance(value, Value):
        if value.always_recorded and not value.node.requires_grad:
            raise TypeError(
                f"{getattr(op, 'name', op)}: the argument {argument} takes a plain value, but "
                f"{describe(value)} is being traced; x[i] and np.take(x, i, axis=k) take one array "
                "of whole numbers, np.take_along_axis one for each row"
            )
        if value.node.requires_grad:
            raise TypeError(
                f"{getattr(op, 'name', op)}: the argument {argument} takes a plain value, and no "
                f"gradient can reach {describe(value)} through it; detach() it first"
            )
        return np.array(value.array)
    if isinstance(value, np.ndarray):
        if type(value) is not np.ndarray:
            numbers_only(value, f"{getattr(op, 'name', op)}: the argument {argument}")
        return value.copy()
    if isinstance(value, (tuple, list)):
        return type(value)(plain(item, op, argument) for item in value)
    return value


def describe(x: Value) -> str:
    """A value by its name, if it has one, and its shape."""
    return str(x.node)


_OF_ONE_TEXT = ValueError, TypeError, IndexError


def explained(
    error: Exception, op: Any, inputs: list[Any], attributes: dict[str, Any]
) -> Exception:
    """The error of a forward, with the operation and its operands by name and shape."""
    operands = " and ".join(map(str, inputs)) or "nothing"
    where = "".join(f", {key}={value!r}" for key, value in attributes.items())
    kind = type(error)
    # Others, UnicodeDecodeError among them, may not be made of one text.
    if kind not in _OF_ONE_TEXT and kind.__module__ not in ("numpy.exceptions", "numpy.linalg"):
        kind = ValueError
    return kind(f"{op.name}: does not fit {operands}{where}: {str(error).rstrip('.')}")


hooks.explained = explained
