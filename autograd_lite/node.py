"""One value of the graph: what it holds, which data it takes, how it is described."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_lite.context import current
from autograd_lite.residuals import Outline, evaluated

if TYPE_CHECKING:
    from autograd_lite.op import Op

__all__ = ["Node", "array_of", "describe", "held_elsewhere", "numbers_only", "plain"]

Array = Any
"""A NumPy array, a NumPy scalar, or a Python number (which NumPy promotes weakly); where a record
keeps no values, an Outline stands for them."""


class Node:
    """One value of the graph: an array, and the application that made it."""

    __slots__ = (
        "__weakref__",
        "attributes",
        "grad",
        "inputs",
        "kept",
        "line",
        "name",
        "op",
        "operands",
        "position",
        "requires_grad",
        "scope",
        "sharing",
        "stable",
        "waiting",
    )

    kept: Array
    op: Op | None
    inputs: tuple[Any, ...]
    operands: tuple[Array, ...]
    attributes: dict[str, Any]
    requires_grad: bool
    grad: Array | None
    name: str | None
    scope: tuple[str, ...]
    line: tuple[str, int, str]
    position: int
    sharing: str | None
    stable: Any
    waiting: tuple[Any, ...]

    @property
    def array(self) -> Array:
        """The value; where the record let it go, it is computed again, and kept."""
        # Read once: another thread may let go of it in between.
        kept = self.kept
        return evaluated(self) if type(kept) is Outline else kept

    @array.setter
    def array(self, value: Array) -> None:
        self.kept = value


# An array is shared with the record or with the outside, never with both.
RECORD, OUTSIDE, ARGUMENT = "record", "outside", "argument"
# A result that the record shares, and that is large or was made from something large.
LARGE = "large"

NOTHING: dict[str, Any] = {}


def held_elsewhere(x: Any) -> bool:
    """Whether anything but this leaf may still reach the memory of its array."""
    return x.kept.base is not None or _references(x) != _ALONE


def _references(x: Any) -> float:
    # Where references are not counted, no array counts as alone: NaN differs from itself.
    return sys.getrefcount(x.kept) if hasattr(sys, "getrefcount") else float("nan")


# How many references an array has that one node alone holds depends on the interpreter.
_lonely = Node()
_lonely.kept = np.zeros(1)
_ALONE = _references(_lonely)


def array_of(data: Any, requires_grad: bool = False, what: str = "a Tensor") -> Array:
    """A copy of the data as an array that the engine can compute with.

    Raises:
        TypeError: for complex, object, text, float16 and masked data, and for np.matrix.
    """
    if type(data) is int and not requires_grad and -(2**63) <= data < 2**63:
        return data
    numbers_only(data, what)
    if isinstance(data, Node):
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
    return isinstance(data, Node)


def plain(value: Any, op: Op | str = "", argument: str = "") -> Any:
    """An attribute without Tensors, and not shared with the outside.

    Raises:
        TypeError: for a Tensor that wants a gradient, and for masked arrays.
    """
    if isinstance(value, Node):
        if current().leaks == "trace" and not value.requires_grad:
            raise TypeError(
                f"{getattr(op, 'name', op)}: the argument {argument} takes a plain value, but "
                f"{describe(value)} is being traced; x[i] and np.take(x, i, axis=k) take one array "
                "of whole numbers, np.take_along_axis one for each row"
            )
        if value.requires_grad:
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


def describe(x: Any) -> str:
    """A node by its name, if it has one, and its shape."""
    if x.name is not None:
        return f"{x.name} {x.shape}"
    if x.op is not None:
        return f"the result of {x.op.name} {x.shape}"
    if np.ndim(x.array) == 0:
        return f"the number {x.array}"
    return f"an array {x.shape}"
