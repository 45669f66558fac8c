"""The class Tensor."""

from __future__ import annotations

import functools
import math
import sys
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_lite.arrays import array_of, describe
from autograd_lite.backward import accumulate
from autograd_lite.context import current
from autograd_lite.core.op import OPS
from autograd_lite.core.state import hooks
from autograd_lite.core.tensor import Value, apply, leaf
from autograd_lite.dlpack import Exported
from autograd_lite.leaks import warn_of_leak
from autograd_lite.notebook import tensor_html
from autograd_lite.operators import Operators
from autograd_lite.record import Recorded

__all__ = ["Tensor", "constant", "lifted"]


def numpy_method(function: Callable[..., Any]) -> Any:
    """The method that calls NumPy's function of the same name."""

    @functools.wraps(function)
    def method(self: Tensor, *args: Any, **kwargs: Any) -> Any:
        return function(self, *args, **kwargs)

    method.__doc__ = f"`numpy.{function.__name__}`."
    return method


def _reduced(op: Any, t: Tensor, axis: Any, keepdims: bool, more: dict[str, Any]) -> Any:
    simple = axis is None and not keepdims and not more
    return apply(op, (t,)) if simple else op(t, axis=axis, keepdims=keepdims, **more)


class Tensor(Operators, Exported, Recorded):
    """An array, and the operation that produced it.

    NumPy's functions and operators accept Tensors and record what they do. `backward` then adds
    the gradients to the ``.grad`` of the leaves.

    Args:
        data: numbers of any shape; they are copied. Integers become float64 if a gradient is
            required, and stay integers otherwise; float32 stays float32.
        name: its name in pictures, derivations and errors.
        requires_grad: whether it requires a gradient.

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
    kept: Any

    def __new__(cls, data: Any, name: str | None = None, requires_grad: bool = True) -> Tensor:
        requires_grad = bool(requires_grad)
        array = np.float64(data) if type(data) is float else array_of(data, requires_grad)
        # NumPy computes several times faster with its scalars than with 0-d arrays.
        array = array[()] if type(array) is np.ndarray and not array.shape else array
        value = leaf(Tensor, array, requires_grad, current().scope)
        return value if name is None else _named(value, name)

    def __init_subclass__(cls, internal: bool = False) -> None:
        if not internal:
            raise TypeError(
                "Tensor: cannot be subclassed; store a Tensor in an attribute of your class"
            )

    # The array

    @property
    def array(self) -> Any:
        """The value; it is computed again if it was freed."""
        kept = self.kept
        if kept is not None:
            return kept
        outside = getattr(self.node, "outside", None)
        return self.snapshot() if outside is None else outside

    def snapshot(self) -> Any:
        """An array that the record can save, and that cannot change."""
        if getattr(self.node, "outside", None) is None:
            return super().snapshot()
        try:
            if is_shared(self):
                return self.node.outside.copy()[()]
            array = self.node.outside
            self.kept = self.node.form = array if array.shape else array[()]
        except AttributeError:
            # Another thread took the snapshot in the meantime.
            return super().snapshot()
        self.node.outside = None
        return self.kept

    @property
    def data(self) -> Any:
        """The array: writable for a leaf, read-only for a result."""
        if self.node.op is not None or self.is_argument:
            self.refuse_leak("data")
            return self._read_only()
        if self.kept is not None:
            # A record may have saved this array, so a copy is handed out.
            self.node.form = self.node.outside = np.array(self.kept)
            self.kept = None
        return self.node.outside

    @data.setter
    def data(self, value: Any) -> None:
        node, form = self.node, self.node.form
        if node.op is not None or self.is_argument:
            raise ValueError(
                f"{describe(self)}: only the data of a leaf can be set, not those of a result"
            )
        if value is form:
            return
        if type(value) is not type(form) or value.shape != form.shape or value.dtype != form.dtype:
            value = self._fitting(value)
        self.kept = node.form = np.array(value) if value.shape else value[()]
        self.node.outside = None

    def _fitting(self, value: Any) -> Any:
        """New data, converted to the dtype of the Tensor."""
        array = np.asarray(array_of(value, self.requires_grad, describe(self)))
        if array.shape != self.shape:
            raise ValueError(
                f"{describe(self)}: data of shape {array.shape} have another shape; create a new "
                "Tensor"
            )
        if not np.can_cast(array.dtype, self.dtype, "same_kind"):
            raise TypeError(
                f"{describe(self)}: {array.dtype} data cannot be converted to {self.dtype} without "
                "loss; create a new Tensor"
            )
        return array.astype(self.dtype, copy=False)

    def numpy(self) -> Any:
        """The array, read-only."""
        self.refuse_leak("numpy()")
        return self._read_only()

    def _read_only(self) -> Any:
        array = self.array
        shared = any(array is operand for operand in self.operands)
        if self.op is None or shared or not isinstance(array, np.ndarray) or array.base is not None:
            array = np.array(array)
        array.flags.writeable = False
        return array.view()

    @property
    def T(self) -> Tensor:
        """The transpose, with the axes reversed."""
        return apply(OPS["transpose"], (self,))

    @property
    def mT(self) -> Tensor:
        """The transposes of a stack of matrices: the last two axes are swapped."""
        return OPS["swapaxes"](self, axis1=-1, axis2=-2)

    def item(self) -> Any:
        """The only element, as a Python number; no gradient flows back through it.

        Raises:
            TypeError: inside a function that is being differentiated or traced.
            ValueError: if there is not exactly one element.
        """
        self.refuse_leak("item()")
        return np.asarray(self.array).item()

    def detach(self) -> Tensor:
        """A constant with a copy of the data, without a record."""
        return Tensor(np.array(self.array), self.name, requires_grad=False)

    # The record

    def named(self, name: str | None) -> Tensor:
        """Set the name, which pictures, derivations and errors use, and return the Tensor.

        Example:
            >>> import autograd_lite as ag
            >>> z = (ag.Tensor(2.0) * 3).named("z")
            >>> z.name
            'z'
        """
        return _named(self, name)

    def backward(self, gradient: Any = None) -> None:
        """Add the gradient of this Tensor to the ``.grad`` of every leaf that it depends on.

        Args:
            gradient: the gradient with respect to this Tensor, of its shape; by default 1, which
                requires a Tensor with one element.

        Raises:
            ValueError: if `gradient` is missing or has another shape, or if this Tensor does not
                require a gradient.

        Example:
            >>> import autograd_lite as ag
            >>> a = ag.Tensor(3.0)
            >>> (a * a).backward()
            >>> float(a.grad)
            6.0
        """
        accumulate(self, gradient)

    def zero_grad(self) -> None:
        """Set ``.grad`` to None."""
        self.node.grad = None

    # Python's protocols

    def __repr__(self) -> str:
        made = "" if self.op is None else f", op={self.op.name}"
        name = "" if self.name is None else f", name={self.name!r}"
        grad = "" if self.op is not None or self.requires_grad else ", requires_grad=False"
        text = np.array2string(np.asarray(self.array), separator=", ", prefix="Tensor(")
        return f"Tensor({text}{name}{made}{grad})"

    def _repr_html_(self) -> str:
        return tensor_html(self)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a 0-d Tensor")
        return self.shape[0]

    def __iter__(self) -> Iterator[Tensor]:
        if not self.shape:
            raise TypeError("a 0-d Tensor cannot be iterated over")
        return (self[i] for i in range(self.shape[0]))

    def __contains__(self, item: Any) -> bool:
        return bool(np.any(np.equal(self, item)))

    def __bool__(self) -> bool:
        return bool(self.array)

    def __float__(self) -> float:
        self.refuse_leak("float()")
        warn_of_leak(self)
        return float(self.array)

    def __int__(self) -> int:
        self.refuse_leak("int()")
        return int(self.array)

    def __index__(self) -> int:
        self.refuse_leak("as an index")
        return np.asarray(self.array).__index__()

    def __round__(self, ndigits: int | None = None) -> Tensor:
        return OPS["round"](self, decimals=ndigits or 0)

    def __format__(self, spec: str) -> str:
        if not spec:
            return str(self)
        self.refuse_leak("format()")
        return np.asarray(self.array).__format__(spec) if self.shape else format(self.array, spec)

    def __array__(
        self, dtype: Any = None, copy: bool | None = None
    ) -> np.ndarray[Any, np.dtype[_Element]]:
        self.refuse_array()
        if copy is False:
            raise ValueError(f"an array of {describe(self)} is always a copy; leave out copy=False")
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
        if self.node.op is not None or self.is_argument:
            raise TypeError(
                f"{what}: a copy of {describe(self)} would lose its record; {what} the leaves, or "
                "detach() it first"
            )

    def __setitem__(self, key: Any, value: Any) -> None:
        raise TypeError(
            "a Tensor cannot be changed in place; create another with np.where(mask, value, t), "
            "or, for a leaf, set t.data[key] = value"
        )

    # NumPy's methods

    def sum(self, axis: Any = None, keepdims: bool = False, **more: Any) -> Tensor:
        """`numpy.sum`."""
        return _reduced(OPS["sum"], self, axis, keepdims, more)

    def mean(self, axis: Any = None, keepdims: bool = False, **more: Any) -> Tensor:
        """`numpy.mean`."""
        return _reduced(OPS["mean"], self, axis, keepdims, more)

    def max(self, axis: Any = None, keepdims: bool = False, **more: Any) -> Tensor:
        """`numpy.max`; tied elements share the gradient equally."""
        return _reduced(OPS["max"], self, axis, keepdims, more)

    def min(self, axis: Any = None, keepdims: bool = False, **more: Any) -> Tensor:
        """`numpy.min`; tied elements share the gradient equally."""
        return _reduced(OPS["min"], self, axis, keepdims, more)

    def argmax(self, axis: Any = None) -> Tensor:
        """`numpy.argmax`, a constant."""
        return OPS["argmax"](self, axis=axis)

    def argmin(self, axis: Any = None) -> Tensor:
        """`numpy.argmin`, a constant."""
        return OPS["argmin"](self, axis=axis)

    def reshape(self, *shape: Any, order: str = "C") -> Tensor:
        """`numpy.reshape`; the shape is a tuple or several ints."""
        return OPS["reshape"](self, shape=shape[0] if len(shape) == 1 else shape, order=order)

    def transpose(self, *axes: Any) -> Tensor:
        """`numpy.transpose`; the axes are a tuple or several ints."""
        given = axes[0] if len(axes) == 1 and not isinstance(axes[0], int) else axes or None
        return OPS["transpose"](self, axes=given)

    def swapaxes(self, axis1: int, axis2: int) -> Tensor:
        """`numpy.swapaxes`."""
        return OPS["swapaxes"](self, axis1=axis1, axis2=axis2)

    def squeeze(self, axis: Any = None) -> Tensor:
        """`numpy.squeeze`."""
        return OPS["squeeze"](self, axis=axis)

    def astype(self, dtype: Any) -> Tensor:
        """The same values in another dtype; the gradient has the dtype of this Tensor."""
        return OPS["astype"](self, dtype=dtype)

    def compress(self, condition: Any, axis: Any = None) -> Tensor:
        """`numpy.compress`."""
        return np.compress(condition, self, axis=axis)  # type: ignore[return-value]

    all: Callable[..., Tensor] = numpy_method(np.all)
    any: Callable[..., Tensor] = numpy_method(np.any)
    argsort: Callable[..., Tensor] = numpy_method(np.argsort)
    copy: Callable[..., Tensor] = numpy_method(np.copy)
    clip: Callable[..., Tensor] = numpy_method(np.clip)
    cumprod: Callable[..., Tensor] = numpy_method(np.cumprod)
    cumsum: Callable[..., Tensor] = numpy_method(np.cumsum)
    diagonal: Callable[..., Tensor] = numpy_method(np.diagonal)
    dot: Callable[..., Tensor] = numpy_method(np.dot)
    nonzero: Callable[..., Tensor] = numpy_method(np.nonzero)
    prod: Callable[..., Tensor] = numpy_method(np.prod)
    ptp: Callable[..., Tensor] = numpy_method(np.ptp)
    ravel: Callable[..., Tensor] = numpy_method(np.ravel)
    repeat: Callable[..., Tensor] = numpy_method(np.repeat)
    round: Callable[..., Tensor] = numpy_method(np.round)
    searchsorted: Callable[..., Tensor] = numpy_method(np.searchsorted)
    std: Callable[..., Tensor] = numpy_method(np.std)
    take: Callable[..., Tensor] = numpy_method(np.take)
    trace: Callable[..., Tensor] = numpy_method(np.trace)
    var: Callable[..., Tensor] = numpy_method(np.var)
    flatten: Callable[..., Tensor] = numpy_method(np.ravel)


def constant(data: Any, name: str | None = None) -> Tensor:
    """A Tensor that does not require a gradient: data, targets, fixed numbers.

    A constant is copied once; a NumPy array in an expression is copied each time.

    Raises:
        TypeError: for complex, object, text, float16 and masked data, and for np.matrix.

    Example:
        >>> import autograd_lite as ag
        >>> ag.constant([[1, 2]]).shape
        (1, 2)
    """
    return Tensor(data, name, requires_grad=False)


def lifted(x: Any) -> Any:
    """A Tensor unchanged, anything else as a constant; a Python number is not converted."""
    if isinstance(x, Value):
        return x
    if type(x) is float:
        return leaf(Tensor, x, False, current().scope)
    array = array_of(x)
    array = array[()] if type(array) is np.ndarray and not array.shape else array
    return leaf(Tensor, array, False, current().scope)


hooks.constant = lifted


def is_shared(x: Tensor) -> bool:
    """Whether anything but this leaf may refer to the memory of the array that it handed out."""
    return x.node.outside.base is not None or _references(x) != _ALONE


def _references(x: Tensor) -> float:
    # Without reference counts every array counts as shared: NaN differs from itself.
    return sys.getrefcount(x.node.outside) if hasattr(sys, "getrefcount") else math.nan


def _named(x: Tensor, name: str | None) -> Tensor:
    if name is not None and not isinstance(name, str):
        raise TypeError(f"the name of a Tensor must be a string, not {type(name).__name__}")
    x.node.name = name
    return x


if TYPE_CHECKING:
    # By NumPy's stubs an array + t is then Any and np.sum(t) a Tensor, not an array and a number.
    class _Element(Tensor, np.object_):  # type: ignore[misc]
        """An element of a Tensor in NumPy's type stubs: an object that is a Tensor."""


def _restored(data: Any, name: str | None, requires_grad: bool, grad: Any) -> Tensor:
    tensor = Tensor(data, name, requires_grad)
    tensor.node.grad = None if grad is None else np.array(grad)
    return tensor


# The reference count of an array that only its Tensor refers to depends on the interpreter.
_lonely = Tensor(np.zeros(1))
_lonely.data  # noqa: B018 - hands it out
_ALONE = _references(_lonely)
