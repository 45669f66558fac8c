"""The data that a Tensor accepts, and the description of a value in errors."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from autograd_lite.context import note_shape_read
from autograd_lite.core.op import Op
from autograd_lite.core.state import hooks
from autograd_lite.core.tensor import Value

__all__ = ["array_of", "describe", "numbers_only", "plain", "viewed"]


def array_of(data: Any, requires_grad: bool = False, what: str = "a Tensor") -> Any:
    """A copy of the data as an array of a dtype that the engine supports.

    Raises:
        TypeError: for complex, object, text, float16 and masked data, and for np.matrix.
    """
    if type(data) is int and not requires_grad and -(2**63) <= data < 2**63:
        return data
    numbers_only(data, what)
    if isinstance(data, Value):
        raise TypeError(
            f"{what}: the data are a Tensor already; use it as it is, or detach() it first"
        )
    shown = viewed(data, what)
    try:
        # An array of JAX cannot change, and its memory lives as long as a view of it.
        array = shown if is_jax(data) else np.array(shown, order="K", copy=True, subok=False)
    except UNREADABLE as error:
        if _holds_tensor(data):
            raise _list_of_tensors(what) from error
        raise TypeError(f"{what}: the data are not an array of numbers: {error}") from error
    kind = array.dtype.kind
    if kind not in "biuf" or array.dtype == np.float16:
        if _holds_tensor(data):
            raise _list_of_tensors(what)
        advice = {
            "c": "split it into its real and imaginary part",
            "f": "float16 is too coarse for gradients; use astype(np.float32)",
            "V": "convert it to float32 or float64",  # bfloat16
        }.get(kind, "use numbers")
        raise TypeError(f"{what}: dtype {array.dtype} is not supported; {advice}")
    if not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    if requires_grad and kind != "f":
        array = array.astype(np.float64)
    return array


UNREADABLE = ValueError, TypeError, RuntimeError, BufferError
"""What other libraries raise for arrays that NumPy cannot read."""


def is_jax(data: Any) -> bool:
    """Whether it is an array of JAX, which cannot change."""
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(data, getattr(jax, "Array", ()))


def viewed(data: Any, what: str) -> Any:
    """An array of another library (PyTorch, JAX), read by NumPy without a copy; else the data.

    Raises:
        TypeError: if NumPy cannot read it: it requires a gradient, is on another device, or has a
            dtype or layout that NumPy does not know.
    """
    if isinstance(data, (np.ndarray, np.generic, Value)) or not hasattr(data, "__dlpack__"):
        return data
    try:
        return np.asarray(data)
    except UNREADABLE as error:
        raise TypeError(f"{what}: NumPy cannot read the {type(data).__name__}: {error}") from error


def _list_of_tensors(what: str) -> TypeError:
    return TypeError(f"{what}: got a list of Tensors; use np.stack or np.concatenate")


def numbers_only(data: Any, what: str) -> None:
    """Reject masked arrays and matrices, also in lists and tuples.

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
    # Naming np.ma would import it, which takes longer than the rest of the package.
    masked = sys.modules.get("numpy.ma")
    if masked is not None and isinstance(data, masked.MaskedArray):
        raise TypeError(
            f"{what}: a masked array would lose its mask; fill it first with .filled(value)"
        )
    if isinstance(data, np.matrix):
        raise TypeError(
            f"{what}: np.matrix is not accepted, since * means the matrix product there and the "
            "elementwise product here; use np.asarray(matrix)"
        )


def _holds_tensor(data: Any) -> bool:
    if isinstance(data, (list, tuple)):
        return any(_holds_tensor(item) for item in data)
    return isinstance(data, Value)


def plain(value: Any, op: Op | str = "", argument: str = "") -> Any:
    """A copy of an attribute, with arrays in place of Tensors.

    Raises:
        TypeError: for a Tensor that requires a gradient, and for masked arrays.
    """
    if isinstance(value, Value):
        if value.always_recorded and not value.node.requires_grad:
            raise TypeError(
                f"{getattr(op, 'name', op)}: the argument {argument} must be a plain value, but "
                f"{describe(value)} is being traced; as an index, x[i] and np.take(x, i, axis=k) "
                "accept one traced array of integers, and np.take_along_axis one for each row"
            )
        if value.node.requires_grad:
            raise TypeError(
                f"{getattr(op, 'name', op)}: the argument {argument} must be a plain value; no "
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
    """The name of a value, or the operation that produced it, and its shape."""
    return str(x.node)


_OF_ONE_TEXT = ValueError, TypeError, IndexError


def explained(
    error: Exception, op: Any, inputs: list[Any], attributes: dict[str, Any]
) -> Exception:
    """The error of a forward, with the operation, and its operands by name and shape."""
    note_shape_read()
    operands = " and ".join(map(str, inputs)) or "nothing"
    where = "".join(f", {key}={value!r}" for key, value in attributes.items())
    kind = type(error)
    # Other errors, such as UnicodeDecodeError, cannot be created from one text.
    if kind not in _OF_ONE_TEXT and kind.__module__ not in ("numpy.exceptions", "numpy.linalg"):
        kind = ValueError
    reason = str(error).removeprefix(f"{op.name}: ").rstrip(". ")
    return kind(f"{op.name}: cannot be applied to {operands}{where}: {reason}")


hooks.explained = explained
