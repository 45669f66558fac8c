"""The Tensor."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Lock
from typing import Any

import numpy as np

from autograd_lite import op as _op
from autograd_lite.context import current
from autograd_lite.leaks import refuse_leak, warn_of_leak
from autograd_lite.node import (
    ARGUMENT,
    OUTSIDE,
    RECORD,
    Node,
    array_of,
    describe,
    held_elsewhere,
    plain,
)
from autograd_lite.notebook import tensor_html
from autograd_lite.op import OPS, apply
from autograd_lite.operators import Operators
from autograd_lite.sweep import sweep

__all__ = ["Tensor", "argument", "constant"]

_accumulating = Lock()


class Tensor(Operators, Node):
    """An array, and the application of the operation that made it.

    NumPy's functions and operators work on Tensors and record what they do; `backward` then
    leaves the gradient in ``.grad`` of the leaves.

    Args:
        data: numbers of any shape; they are copied. Integers become float64 when a gradient is
            wanted and stay integers when not; float32 stays float32.
        name: how pictures, derivations and errors call it.
        requires_grad: whether a gradient is wanted.

    Raises:
        TypeError: for complex, object, text, float16 and masked data, and for np.matrix.

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> w = ag.Tensor([1.0, 2.0], name="w")
        >>> loss = np.sum(w * w)
        >>> loss.backward()
        >>> w.grad
        array([2., 4.])
    """

    __slots__ = ()
    __hash__ = object.__hash__

    def __new__(cls, data: Any, name: str | None = None, requires_grad: bool = True) -> Tensor:
        if type(data) is float:
            data = np.float64(data)
        return _named(_op.leaf(data, bool(requires_grad)), name)

    def __init_subclass__(cls) -> None:
        raise TypeError("Tensor: cannot be subclassed; hold a Tensor in a class of your own")

    # The array

    @property
    def data(self) -> Any:
        """The array: of a leaf its own, to change at any time; of a result read-only."""
        if self.op is not None or self.sharing is ARGUMENT:
            refuse_leak(self, "data")
            return self._read_only()
        if not isinstance(self.kept, np.ndarray) or (
            self.sharing is RECORD and held_elsewhere(self)
        ):
            self.kept = np.array(self.kept)
        self.sharing = OUTSIDE
        return self.kept

    @data.setter
    def data(self, value: Any) -> None:
        if self.op is not None or self.sharing is ARGUMENT:
            raise ValueError(
                f"{describe(self)}: only the data of a leaf can be set; this one was computed"
            )
        if value is self.kept:
            return
        array = np.asarray(array_of(value, self.requires_grad, describe(self)))
        if array.shape != self.shape:
            raise ValueError(
                f"{describe(self)}: its data cannot be set to shape {array.shape}; make a new "
                "Tensor for a new shape"
            )
        if not np.can_cast(array.dtype, self.dtype, "same_kind"):
            raise TypeError(
                f"{describe(self)}: holds {self.dtype}, and {array.dtype} would be rounded to fit; "
                "make a new Tensor"
            )
        array = array.astype(self.dtype, copy=False)
        self.kept = array if array.shape else array[()]
        self.sharing = None

    def numpy(self) -> Any:
        """The array, read-only."""
        refuse_leak(self, "numpy()")
        return self._read_only()

    def _read_only(self) -> Any:
        array = self.array
        shared = any(array is operand for operand in self.operands)
        if self.op is None or shared or not isinstance(array, np.ndarray) or array.base is not None:
            array = np.array(array)
        array.flags.writeable = False
        return array.view()

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, a tuple of ints."""
        try:
            return self.kept.shape  # type: ignore[no-any-return]
        except AttributeError:
            return ()

    @property
    def dtype(self) -> np.dtype[Any]:
        """NumPy's dtype."""
        try:
            return self.kept.dtype  # type: ignore[no-any-return]
        except AttributeError:
            dtype: np.dtype[Any] = np.asarray(self.kept).dtype
            return dtype

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.size(self.kept))

    @property
    def T(self) -> Tensor:
        """The transpose, axes reversed."""
        return apply(OPS["transpose"], (self,))  # type: ignore[no-any-return]

    def item(self) -> Any:
        """The one element, as a Python number; no gradient flows back through it.

        Raises:
            TypeError: inside a function that is being differentiated or traced.
            ValueError: for more or fewer elements than one.
        """
        refuse_leak(self, "item()")
        return np.asarray(self.array).item()

    def detach(self) -> Tensor:
        """A Tensor with a copy of the data, without history, that wants no gradient."""
        return _named(_op.leaf(np.array(self.array)), self.name)

    # The record

    def named(self, name: str | None) -> Tensor:
        """Name it, for pictures, derivations and errors; returns itself.

        Example:
            >>> import autograd_lite as ag
            >>> z = (ag.Tensor(2.0) * 3).named("z")
            >>> z.name
            'z'
        """
        return _named(self, name)

    def backward(self, gradient: Any = None) -> None:
        """Add the gradient of this Tensor to ``.grad`` of every leaf that it was made from.

        Args:
            gradient: what enters here, of this Tensor's shape; 1 for a Tensor with one element.

        Raises:
            ValueError: if it is needed and missing, or does not fit; if no gradient is wanted.

        Example:
            >>> import autograd_lite as ag
            >>> a = ag.Tensor(3.0)
            >>> (a * a).backward()
            >>> float(a.grad)
            6.0
        """
        if not self.requires_grad:
            raise ValueError(
                f"backward: {describe(self)} depends on nothing that wants a gradient; make a "
                "Tensor with requires_grad=True, outside no_grad(), and compute from it"
            )
        owners: set[int] = set()
        for leaf, g in sweep({self: _seed(self, gradient)}).items():
            if leaf.dtype.kind != "f":
                raise TypeError(
                    f"backward: {describe(leaf)} holds {leaf.dtype}, which has no gradient; make a "
                    "Tensor of floats"
                )
            with _accumulating:
                leaf.grad = _owned(g, owners) if leaf.grad is None else leaf.grad + g

    def zero_grad(self) -> None:
        """Forget the gradient: ``.grad`` becomes None."""
        self.grad = None

    # Python's protocols

    def __repr__(self) -> str:
        made = "" if self.op is None else f", op={self.op.name}"
        name = "" if self.name is None else f", name={self.name!r}"
        wants = "" if self.op is not None or self.requires_grad else ", requires_grad=False"
        text = np.array2string(np.asarray(self.array), separator=", ", prefix="Tensor(")
        return f"Tensor({text}{name}{made}{wants})"

    def _repr_html_(self) -> str:
        return tensor_html(self)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len: a 0-d Tensor has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.shape:
            raise TypeError("iteration: a 0-d Tensor has no elements to go over")
        return (self[i] for i in range(self.shape[0]))

    def __contains__(self, item: Any) -> bool:
        return bool(np.any(np.equal(self, item)))

    def __bool__(self) -> bool:
        if current().leaks == "trace":
            refuse_leak(self, "bool()")
        return bool(self.array)

    def __float__(self) -> float:
        refuse_leak(self, "float()")
        warn_of_leak(self)
        return float(self.array)

    def __int__(self) -> int:
        refuse_leak(self, "int()")
        return int(self.array)

    def __index__(self) -> int:
        refuse_leak(self, "as an index")
        return np.asarray(self.array).__index__()

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        refuse_leak(self, "format()")
        return np.asarray(self.array).__format__(spec) if self.shape else format(self.array, spec)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        if self.requires_grad or current().leaks == "trace":
            raise TypeError(
                f"an array of {describe(self)} would lose its gradient; use NumPy's functions on "
                "the Tensor itself, np.stack for a list of Tensors, or .numpy() to mean it"
            )
        if copy is False:
            raise ValueError(f"an array of {describe(self)} is a copy; leave out copy=False")
        return np.array(self.array, dtype=dtype)

    def __copy__(self) -> Tensor:
        return self._copied("copy")

    def __deepcopy__(self, memo: Any) -> Tensor:
        copied = self._copied("deepcopy")
        memo[id(self)] = copied
        return copied

    def __reduce__(self) -> Any:
        self._leaf_only("pickle")
        return _restored, (np.array(self.array), self.name, self.requires_grad, self.grad)

    def _copied(self, what: str) -> Tensor:
        self._leaf_only(what)
        return _restored(np.array(self.array), self.name, self.requires_grad, self.grad)

    def _leaf_only(self, what: str) -> None:
        if self.op is not None or self.sharing is ARGUMENT:
            raise TypeError(
                f"{what}: {describe(self)} is a result, and a copy would lose its record; "
                f"{what} the leaves, or detach() it first"
            )

    def __setitem__(self, key: Any, value: Any) -> None:
        raise TypeError(
            "a Tensor does not change in place: use np.where(mask, value, t) for a new one, or, "
            "for a leaf outside the graph, t.data[key] = value"
        )

    # NumPy's methods

    def sum(self, axis: Any = None, keepdims: bool = False) -> Any:
        """`numpy.sum`."""
        return OPS["sum"](self, axis=axis, keepdims=keepdims)

    def mean(self, axis: Any = None, keepdims: bool = False) -> Any:
        """`numpy.mean`."""
        return OPS["mean"](self, axis=axis, keepdims=keepdims)

    def max(self, axis: Any = None, keepdims: bool = False) -> Any:
        """`numpy.max`; a tie shares the gradient equally."""
        return OPS["max"](self, axis=axis, keepdims=keepdims)

    def min(self, axis: Any = None, keepdims: bool = False) -> Any:
        """`numpy.min`; a tie shares the gradient equally."""
        return OPS["min"](self, axis=axis, keepdims=keepdims)

    def argmax(self, axis: Any = None) -> Any:
        """`numpy.argmax`, a constant."""
        return OPS["argmax"](self, axis=axis)

    def argmin(self, axis: Any = None) -> Any:
        """`numpy.argmin`, a constant."""
        return OPS["argmin"](self, axis=axis)

    def reshape(self, *shape: Any) -> Any:
        """`numpy.reshape`; takes a shape or its lengths."""
        return OPS["reshape"](self, shape=shape[0] if len(shape) == 1 else shape)

    def transpose(self, *axes: Any) -> Any:
        """`numpy.transpose`; takes the axes one by one or as a tuple."""
        given = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None
        return OPS["transpose"](self, axes=given)

    def swapaxes(self, axis1: int, axis2: int) -> Any:
        """`numpy.swapaxes`."""
        return OPS["swapaxes"](self, axis1=axis1, axis2=axis2)

    def squeeze(self, axis: Any = None) -> Any:
        """`numpy.squeeze`."""
        return OPS["squeeze"](self, axis=axis)

    def astype(self, dtype: Any) -> Any:
        """The same values in another floating dtype; the gradient comes back in the old one."""
        return OPS["astype"](self, dtype=dtype)

    def copy(self) -> Any:
        """`numpy.copy`: a recorded copy."""
        return np.copy(self)

    def __getattr__(self, name: str) -> Any:
        function = NUMPY_METHODS.get(name)
        if function is None:
            raise AttributeError(f"a Tensor has no attribute {name!r}")
        return lambda *args, **kwargs: function(self, *args, **kwargs)


_SAME_NAME = (
    "all any argsort clip compress cumprod cumsum diagonal dot nonzero prod ptp ravel repeat round "
    "searchsorted std take trace var"
)

NUMPY_METHODS = {name: getattr(np, name) for name in _SAME_NAME.split()} | {"flatten": np.ravel}
"""The methods of arrays that are NumPy's functions of the same name; flatten is ravel here."""

_op.results_are(Tensor)


def constant(data: Any, name: str | None = None) -> Tensor:
    """A Tensor that wants no gradient: data, targets, fixed numbers.

    A plain array in an expression is copied each time, a constant only here.

    Raises:
        TypeError: for complex, object, text, float16 and masked data, and for np.matrix.

    Example:
        >>> import autograd_lite as ag
        >>> ag.constant([[1, 2]]).shape
        (1, 2)
    """
    return Tensor(data, name, requires_grad=False)


def argument(data: Any, requires_grad: bool, name: str | None = None) -> Tensor:
    """A fresh leaf for an argument of a transformed function; its data cannot be reached."""
    node = _op.leaf(data, requires_grad, name)
    node.kept = np.asarray(node.kept)
    node.sharing = ARGUMENT
    return node  # type: ignore[no-any-return]


def _named(node: Tensor, name: str | None) -> Tensor:
    if name is not None and not isinstance(name, str):
        raise TypeError(f"a Tensor's name is a string, not {type(name).__name__}")
    node.name = name
    return node


def _restored(data: Any, name: str | None, requires_grad: bool, grad: Any) -> Tensor:
    tensor = Tensor(data, name, requires_grad)
    tensor.grad = None if grad is None else np.array(grad)
    return tensor


def _owned(g: Any, owners: set[int]) -> Any:
    """A gradient in memory of its own; a sweep may give several leaves views of the same."""
    owner = g if getattr(g, "base", None) is None else g.base
    if (
        type(owner) is np.ndarray
        and owner.size == g.size
        and g.flags.writeable
        and id(owner) not in owners
    ):
        owners.add(id(owner))
        return g
    return np.array(g)


def _seed(result: Tensor, gradient: Any, what: str = "backward") -> Any:
    if gradient is None:
        if result.shape == ():
            return result.dtype.type(1)
        if result.size != 1:
            raise ValueError(
                f"{what}: {describe(result)} has {result.size} elements, and only one number has "
                "a gradient by itself; sum() or mean() it, or give gradient=, of its shape"
            )
        return np.ones(result.shape, result.dtype)
    seed = np.array(plain(gradient, what, "gradient"))
    if seed.shape != result.shape or seed.dtype.kind not in "biuf":
        raise ValueError(
            f"{what}: a gradient of shape {seed.shape} and dtype {seed.dtype} does not fit "
            f"{describe(result)}"
        )
    return seed.astype(result.dtype)
