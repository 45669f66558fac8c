"""Python's operators and NumPy's functions on Tensors, each mapped to its operation."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_lite.core.op import OPS
from autograd_lite.core.state import hooks
from autograd_lite.core.tensor import Value, apply
from autograd_lite.op import NUMPY, REFUSED, SCIPY

if TYPE_CHECKING:
    from autograd_lite.tensor import Tensor

__all__ = ["Operators"]


class Operators:
    """Makes ``a + b`` and ``np.exp(a)`` record an operation."""

    __slots__ = ()
    if TYPE_CHECKING:

        def __hash__(self) -> int: ...

    else:
        __hash__ = object.__hash__

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:
        out = kwargs.get("out")
        if out is not None and any(x is not None for x in out):
            raise TypeError(
                f"{ufunc.__name__}: cannot write a Tensor into an array (out=, or array += t); "
                "write array = array + t"
            )
        kwargs.pop("out", None)
        if method != "__call__":
            return _reduced(ufunc, method, inputs, kwargs)
        op = NUMPY.get(ufunc) or _answer(ufunc)
        if op is None:
            raise _unknown(ufunc)
        if kwargs:
            _refuse_options(ufunc, kwargs)
        return op(*inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        answer = NUMPY.get(function)
        if answer is None:
            raise _unknown(function)
        return answer(*args, **kwargs)

    def __add__(self, other: Any) -> Tensor:
        return apply(OPS["add"], (self, other))

    def __radd__(self, other: Any) -> Tensor:
        return apply(OPS["add"], (other, self))

    def __sub__(self, other: Any) -> Tensor:
        return apply(OPS["subtract"], (self, other))

    def __rsub__(self, other: Any) -> Tensor:
        return apply(OPS["subtract"], (other, self))

    def __mul__(self, other: Any) -> Tensor:
        return apply(OPS["multiply"], (self, other))

    def __rmul__(self, other: Any) -> Tensor:
        return apply(OPS["multiply"], (other, self))

    def __truediv__(self, other: Any) -> Tensor:
        return apply(OPS["divide"], (self, other))

    def __rtruediv__(self, other: Any) -> Tensor:
        return apply(OPS["divide"], (other, self))

    def __pow__(self, other: Any) -> Tensor:
        return apply(OPS["power"], (self, other))

    def __rpow__(self, other: Any) -> Tensor:
        return apply(OPS["power"], (other, self))

    def __matmul__(self, other: Any) -> Tensor:
        return apply(OPS["matmul"], (self, other))

    def __rmatmul__(self, other: Any) -> Tensor:
        return apply(OPS["matmul"], (other, self))

    def __neg__(self) -> Tensor:
        return apply(OPS["negative"], (self,))

    def __pos__(self) -> Tensor:
        return self  # type: ignore[return-value]

    def __abs__(self) -> Tensor:
        return apply(OPS["absolute"], (self,))

    def __mod__(self, other: Any) -> Tensor:
        return apply(OPS["remainder"], (self, other))

    def __rmod__(self, other: Any) -> Tensor:
        return apply(OPS["remainder"], (other, self))

    def __floordiv__(self, other: Any) -> Tensor:
        return apply(OPS["floor_divide"], (self, other))

    def __rfloordiv__(self, other: Any) -> Tensor:
        return apply(OPS["floor_divide"], (other, self))

    def __divmod__(self, other: Any) -> tuple[Tensor, Tensor]:
        return self // other, self % other

    def __lt__(self, other: Any) -> Tensor:
        return apply(OPS["less"], (self, other))

    def __le__(self, other: Any) -> Tensor:
        return apply(OPS["less_equal"], (self, other))

    def __gt__(self, other: Any) -> Tensor:
        return apply(OPS["greater"], (self, other))

    def __ge__(self, other: Any) -> Tensor:
        return apply(OPS["greater_equal"], (self, other))

    def __eq__(self, other: Any) -> Tensor:  # type: ignore[override]
        return apply(OPS["equal"], (self, other)) if _numeric(other) else NotImplemented

    def __ne__(self, other: Any) -> Tensor:  # type: ignore[override]
        return apply(OPS["not_equal"], (self, other)) if _numeric(other) else NotImplemented

    def __and__(self, other: Any) -> Tensor:
        return apply(OPS["bitwise_and"], (self, other))

    def __rand__(self, other: Any) -> Tensor:
        return apply(OPS["bitwise_and"], (other, self))

    def __or__(self, other: Any) -> Tensor:
        return apply(OPS["bitwise_or"], (self, other))

    def __ror__(self, other: Any) -> Tensor:
        return apply(OPS["bitwise_or"], (other, self))

    def __xor__(self, other: Any) -> Tensor:
        return apply(OPS["bitwise_xor"], (self, other))

    def __rxor__(self, other: Any) -> Tensor:
        return apply(OPS["bitwise_xor"], (other, self))

    def __invert__(self) -> Tensor:
        return apply(OPS["invert"], (self,))

    def __getitem__(self, key: Any) -> Tensor:
        if (
            isinstance(key, Value)
            and key.always_recorded
            and np.asarray(key.array).dtype.kind in "iu"
        ):
            return NUMPY[np.take](self, key, axis=0)
        return OPS["getitem"](self, key=key)


def _numeric(other: Any) -> bool:
    return isinstance(other, (Value, np.ndarray, np.generic, int, float, list, tuple))


_DEFAULTS = {"where": True, "casting": "same_kind", "order": "K", "dtype": None, "subok": True}

_REDUCED: dict[tuple[str, str], Any] = {
    ("add", "reduce"): np.sum,
    ("multiply", "reduce"): np.prod,
    ("maximum", "reduce"): np.max,
    ("minimum", "reduce"): np.min,
    ("logaddexp", "reduce"): lambda a, **options: OPS["logsumexp"](a, **options),
    ("logical_and", "reduce"): np.all,
    ("logical_or", "reduce"): np.any,
    ("add", "accumulate"): np.cumsum,
    ("multiply", "accumulate"): np.cumprod,
}
"""The functions that equal a method of a ufunc along an axis."""

_PARAMETERS = ("array", "axis", "dtype", "out", "keepdims", "initial", "where")


def _reduced(ufunc: Any, method: str, inputs: Any, kwargs: Any) -> Any:
    """``np.add.reduce``, ``np.multiply.outer`` and similar methods of a ufunc."""
    op = _answer(ufunc)
    if method == "outer" and op is not None and not kwargs:
        a, b = map(hooks.constant, inputs)
        apart = np.reshape(a, a.shape + (1,) * b.ndim), np.reshape(b, (1,) * a.ndim + b.shape)
        return op(*apart)
    function = _REDUCED.get((ufunc.__name__, method))
    if function is None:
        raise TypeError(
            f"{ufunc.__name__}.{method}: has no gradient rule; use functions that have one "
            "(docs/operations.md)"
        )
    named = {"axis": 0} | dict(zip(_PARAMETERS, inputs, strict=False)) | kwargs
    array = named.pop("array")
    return function(array, **{key: x for key, x in named.items() if key == "axis" or x is not None})


def _refuse_options(ufunc: Any, kwargs: dict[str, Any]) -> None:
    for key, value in kwargs.items():
        if value is not _DEFAULTS.get(key, ...):
            raise TypeError(
                f"{ufunc.__name__}: {key}= is not supported on Tensors; use np.where or astype"
            )


def _answer(ufunc: Any) -> Any:
    """The operation for a ufunc of NumPy or SciPy, or None."""
    return NUMPY.get(ufunc) or (SCIPY.get(ufunc.__name__) if _is_of_scipy(ufunc) else None)


def _is_of_scipy(function: Any) -> bool:
    """Whether it is a function of `scipy.special`."""
    return getattr(sys.modules.get("scipy.special"), function.__name__, None) is function


def _unknown(function: Any) -> TypeError:
    home = getattr(function, "__module__", None) or "numpy"
    name = f"{'scipy.special' if _is_of_scipy(function) else home}.{function.__name__}"
    if function in REFUSED:
        return TypeError(f"{name}: does not accept a Tensor: {REFUSED[function]}")
    return TypeError(
        f"{name}: has no gradient rule, and a Tensor is not converted to an array implicitly; use "
        "functions that have one (docs/operations.md), convert with .numpy(), or define an "
        "operation with ag.operation"
    )
