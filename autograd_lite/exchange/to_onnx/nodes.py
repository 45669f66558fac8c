"""The NumPy functions that ONNX has an operation for."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import reduce
from typing import Any

import numpy as np

from autograd_lite.compiler.rewrite import UFUNCS
from autograd_lite.exchange.to_onnx.indexing import added, gathered, scattered, taken
from autograd_lite.exchange.to_onnx.rows import Length
from autograd_lite.exchange.to_onnx.writer import NotInOnnxError, Writer
from autograd_lite.expressions.expr import CONSTANT, Expr

__all__ = ["NODES"]

LARGEST_POWER = 64  # of integers, from products

NODES: dict[str, Callable[..., str]] = {}
"""For each function, what writes a call: ``(writer, call, *args, **keywords) -> name``."""


def _node(*fns: str) -> Callable[[Callable[..., str]], Callable[..., str]]:
    def enter(write: Callable[..., str]) -> Callable[..., str]:
        NODES.update(dict.fromkeys(fns, write))
        return write

    return enter


NODES |= {"[]": taken, "add_along_axis": scattered}
NODES |= dict.fromkeys(("take_along_axis", "np.take_along_axis"), gathered)
NODES |= {"add_at": lambda w, x, g, key=(), shape=(): added(w, x, (g,), (key,), shape)}
NODES |= {"add_each_at": lambda w, x, parts, keys=(), shape=(): added(w, x, parts, keys, shape)}

# Elementwise functions: those for numbers, for integers where they differ, and for booleans.

FLOATS = {
    "add": "Add",
    "subtract": "Sub",
    "multiply": "Mul",
    "divide": "Div",
    "negative": "Neg",
    "absolute": "Abs",
    "fabs": "Abs",
    "sign": "Sign",
    "sqrt": "Sqrt",
    "exp": "Exp",
    "log": "Log",
    "tanh": "Tanh",
    "sin": "Sin",
    "cos": "Cos",
    "floor": "Floor",
    "ceil": "Ceil",
    "rint": "Round",
    "reciprocal": "Reciprocal",
    "maximum": "Max",
    "minimum": "Min",
    "power": "Pow",
    "float_power": "Pow",
    "isnan": "IsNaN",
    "isinf": "IsInf",
    "less": "Less",
    "less_equal": "LessOrEqual",
    "greater": "Greater",
    "greater_equal": "GreaterOrEqual",
    "equal": "Equal",
}
# Pow computes with integers in float64.
FOR_FLOATS_ONLY = {"power", "reciprocal", "isnan", "isinf"}
INTEGERS = {"bitwise_and": "BitwiseAnd", "bitwise_or": "BitwiseOr"}
INTEGERS |= {"bitwise_xor": "BitwiseXor", "invert": "BitwiseNot"}
BOOLEANS = {
    **dict.fromkeys(("add", "maximum", "logical_or", "bitwise_or"), "Or"),
    **dict.fromkeys(("multiply", "minimum", "logical_and", "bitwise_and"), "And"),
    **dict.fromkeys(("logical_xor", "bitwise_xor"), "Xor"),
    **dict.fromkeys(("logical_not", "invert"), "Not"),
    "equal": "Equal",
}


def _elementwise(name: str) -> Callable[..., str]:
    ufunc = UFUNCS[f"np.{name}"]

    def write(w: Writer, x: Expr, *args: Any) -> str:
        logical = name.startswith("logical_")
        if logical:
            operands, dtype = [w.value(a, np.dtype(bool)) for a in args], np.dtype(bool)
        else:
            operands, dtype = w.operands(ufunc, args)
        op = FLOATS.get(name)
        if dtype.kind == "b":
            op = BOOLEANS.get(name)
        elif dtype.kind == "i":
            op = INTEGERS.get(name, None if name in FOR_FLOATS_ONLY else op)
        if op is None:
            raise NotInOnnxError(f"ONNX has no such operation for {dtype}")
        return w.node(op, *operands, last=True)

    return write


for _name in {**FLOATS, **INTEGERS, **BOOLEANS}:
    NODES[f"np.{_name}"] = _elementwise(_name)


@_node("np.power")
def _power(w: Writer, x: Expr, a: Any, b: Any) -> str:
    exponent = b.value if isinstance(b, Expr) and b.fn == CONSTANT else b
    if x.dtype.kind != "i" or np.ndim(exponent) or isinstance(exponent, Expr):
        return _elementwise("power")(w, x, a, b)
    if not 0 < exponent <= LARGEST_POWER:
        raise NotInOnnxError(f"powers of integers are exported from 1 to {LARGEST_POWER}")
    square, factors, rest = w.value(a, x.dtype), [], int(exponent)
    while rest:
        if rest & 1:
            factors.append(square)
        rest >>= 1
        square = w.node("Mul", square, square) if rest else square
    return w.node("Identity", reduce(lambda p, q: w.node("Mul", p, q), factors), last=True)


@_node("np.not_equal")
def _not_equal(w: Writer, x: Expr, a: Any, b: Any) -> str:
    operands, _ = w.operands(np.equal, (a, b))
    return w.node("Not", w.node("Equal", *operands), last=True)


@_node("np.square")
def _square(w: Writer, x: Expr, a: Any) -> str:
    operands, _ = w.operands(np.square, (a,))
    return w.node("Mul", operands[0], operands[0], last=True)


@_node("np.fmod")
def _fmod(w: Writer, x: Expr, a: Any, b: Any) -> str:
    operands, dtype = w.operands(np.fmod, (a, b))
    if dtype.kind != "f":
        raise NotInOnnxError(f"ONNX has no such operation for {dtype}")
    return w.node("Mod", *operands, fmod=1, last=True)


@_node("np.remainder", "np.floor_divide")
def _whole(w: Writer, x: Expr, a: Any, b: Any) -> str:
    (a, b), dtype = w.operands(UFUNCS[x.fn], (a, b))
    if dtype.kind != "i":
        raise NotInOnnxError(f"ONNX has no such operation for {dtype}")
    zero = w.constant(dtype.type(0))
    by_zero = w.node("Equal", b, zero)
    divisor = w.node("Where", by_zero, w.constant(dtype.type(1)), b)
    found = w.node("Mod", a, divisor)  # with the sign of the divisor, as NumPy's
    if x.fn == "np.floor_divide":  # Div truncates, but not what it divides exactly
        found = w.node("Div", w.node("Sub", a, found), divisor)
    return w.node("Where", by_zero, zero, found, last=True)


@_node("np.where")
def _where(w: Writer, x: Expr, condition: Any, a: Any, b: Any) -> str:
    chosen = w.value(condition, np.dtype(bool))
    yes, no = w.value(a, x.dtype), w.value(b, x.dtype)
    if x.dtype != bool:
        return w.node("Where", chosen, yes, no, last=True)
    either = w.node("And", chosen, yes), w.node("And", w.node("Not", chosen), no)
    return w.node("Or", *either, last=True)


@_node(".astype")
def _astype(w: Writer, x: Expr, a: Expr, dtype: Any) -> str:
    return w.cast(w.values[a], x.dtype, last=True)


# Operations of the table

KEPT = {"relu", "softmax", "log_softmax", "logsumexp"}
KEPT |= {"binary_cross_entropy_with_logits", "binary_cross_entropy_of_sigmoid", "cross_entropy"}
"""Operations that are not taken apart into the functions of their forward."""


@_node("relu")
def _relu(w: Writer, x: Expr, a: Expr) -> str:
    if x.dtype.kind == "f":
        return w.node("Relu", w.value(a, x.dtype), last=True)
    return NODES["np.maximum"](w, x, a, 0)


@_node("softmax")
def _softmax(w: Writer, x: Expr, a: Expr, axis: Any = -1) -> str:
    return w.node("Softmax", w.value(a, x.dtype), axis=axis, last=True)


# Reductions


def _axes(axis: Any, ndim: int) -> list[int]:
    if axis is None:
        return [*range(ndim)]
    return [k % ndim for k in (axis if isinstance(axis, tuple) else (axis,)) if ndim]


def _reduce(op: str) -> Callable[..., str]:
    def write(w: Writer, x: Expr, a: Expr, axis: Any = 0, keepdims: bool = False) -> str:
        return reduced(w, op, w.value(a, x.dtype), _axes(axis, a.ndim), keepdims, last=True)

    return write


def reduced(
    w: Writer, op: str, name: str, axes: Sequence[int], keepdims: Any, last: bool = False
) -> str:
    """A reduction over axes."""
    if not axes:
        return w.node("Identity", name, last=last)
    return w.node(op, name, w.ints(axes), keepdims=int(keepdims), last=last)


@_node("np.add.reduce")
def _sum(w: Writer, x: Expr, a: Expr, axis: Any = 0, keepdims: bool = False) -> str:
    if x.dtype != np.int64 or a.dtype == bool:
        return _reduce("ReduceSum")(w, x, a, axis, keepdims)
    # onnxruntime adds integers in float64, but multiplies matrices of integers exactly.
    axes = _axes(axis, a.ndim)
    rest = [k for k in range(a.ndim) if k not in axes]
    name = w.value(a, x.dtype)
    if rest + axes != [*range(a.ndim)]:
        name = w.node("Transpose", name, perm=rest + axes)
    name = w.node("Reshape", name, w.ints([*[0] * len(rest), -1]))  # 0 keeps a length
    ones = w.node("Expand", w.constant(np.int64(1)), w.node("Shape", name, start=-1))
    return w.shaped(w.node("MatMul", name, ones), x.shape, last=True)


@_node("np.fmax.reduce")
def _peak(w: Writer, x: Expr, a: Expr, axis: Any = 0, keepdims: bool = False) -> str:
    return _reduce("ReduceMax")(w, x, a, axis, keepdims)


@_node("np.prod")
def _prod(w: Writer, x: Expr, a: Expr, axis: Any = None, keepdims: bool = False) -> str:
    if x.dtype.kind != "f":
        raise NotInOnnxError("onnxruntime multiplies integers in float64")
    return _reduce("ReduceProd")(w, x, a, axis, keepdims)


def _extreme(op: str) -> Callable[..., str]:
    def write(w: Writer, x: Expr, a: Expr, axis: Any = None, keepdims: bool = False) -> str:
        axes, name = _axes(axis, a.ndim), w.value(a)
        if x.dtype == bool:
            raise NotInOnnxError("ONNX has no such operation for bool")
        if x.dtype.kind != "f":
            return reduced(w, op, name, axes, keepdims, last=True)
        # onnxruntime passes over a NaN that does not come first.
        found = reduced(w, op, name, axes, keepdims)
        is_nan = w.cast(w.node("IsNaN", name), np.int32)
        some = w.cast(reduced(w, "ReduceMax", is_nan, axes, keepdims), np.bool_)
        return w.node("Where", some, w.constant(x.dtype.type(math.nan)), found, last=True)

    return write


NODES |= dict.fromkeys(("np.max", "np.amax"), _extreme("ReduceMax"))
NODES |= dict.fromkeys(("np.min", "np.amin"), _extreme("ReduceMin"))


def _place(op: str) -> Callable[..., str]:
    def write(w: Writer, x: Expr, a: Expr, axis: Any = None, keepdims: bool = False) -> str:
        name, k = w.value(a, np.dtype(np.int32) if a.dtype == bool else None), axis
        if axis is None:
            name, k = w.node("Reshape", name, w.ints([-1])), 0
        found = w.node(op, name, axis=k, keepdims=int(keepdims and axis is not None))
        if a.dtype.kind == "f":  # onnxruntime passes over NaN, NumPy takes the first one
            is_nan = w.cast(w.node("IsNaN", name), np.int32)
            keeps = int(keepdims and axis is not None)
            first = w.node("ArgMax", is_nan, axis=k, keepdims=keeps)
            some = w.node("ReduceMax", is_nan, w.ints([k]), keepdims=keeps)
            found = w.node("Where", w.cast(some, np.bool_), first, found)
        return w.shaped(found, x.shape, last=True)

    return write


NODES |= {"np.argmax": _place("ArgMax"), "np.argmin": _place("ArgMin")}


@_node("np.argsort")
def _argsort(
    w: Writer, x: Expr, a: Expr, axis: Any = -1, kind: Any = None, stable: Any = None
) -> str:
    name, k = w.value(a), axis
    if axis is None:
        name, k = w.node("Reshape", name, w.ints([-1])), 0
    count = w.ints([x.shape[k]])
    return w.node("TopK", name, count, axis=k, largest=0, outputs=2, last=True)


@_node("np.cumsum")
def _cumsum(w: Writer, x: Expr, a: Expr, axis: Any = None) -> str:
    name = w.value(a, x.dtype)
    if axis is None:
        name, axis = w.node("Reshape", name, w.ints([-1])), 0
    return w.node("CumSum", name, w.constant(np.int64(axis)), last=True)


# Shapes


@_node("np.reshape", "np.expand_dims", "np.squeeze")
def _reshape(w: Writer, x: Expr, a: Any, *_: Any, order: str = "C", **__: Any) -> str:
    if order != "C":
        raise NotInOnnxError(f"order={order!r} is not supported")
    return w.shaped(w.value(a), x.shape, last=True)


@_node("np.broadcast_to")
def _broadcast_to(w: Writer, x: Expr, a: Any, shape: Any) -> str:
    name, own = w.value(a, x.dtype), getattr(a, "shape", ())
    if own == x.shape:
        return w.node("Identity", name, last=True)
    lead = len(x.shape) - len(own)
    kept = (isinstance(n, Length) and n == m for n, m in zip(own, x.shape[lead:], strict=True))
    sizes = [*x.shape[:lead], *(1 if k else m for k, m in zip(kept, x.shape[lead:], strict=True))]
    return w.expanded(name, sizes, last=True)


@_node(".T")
def _transposed(w: Writer, x: Expr, a: Expr) -> str:
    return _transpose(w, x, a, None)


@_node("np.transpose")
def _transpose(w: Writer, x: Expr, a: Expr, axes: Any = None) -> str:
    order = range(a.ndim)[::-1] if axes is None else [k % a.ndim for k in axes]
    if [*order] == [*range(a.ndim)]:
        return w.node("Identity", w.value(a), last=True)
    return w.node("Transpose", w.value(a), perm=[*order], last=True)


@_node("np.swapaxes")
def _swapaxes(w: Writer, x: Expr, a: Expr, axis1: int = 0, axis2: int = 1) -> str:
    order = [*range(a.ndim)]
    order[axis1], order[axis2] = order[axis2], order[axis1]
    return _transpose(w, x, a, order)


@_node("np.concatenate")
def _concatenate(w: Writer, x: Expr, arrays: Sequence[Any], axis: Any = 0) -> str:
    names = [w.value(a, x.dtype) for a in arrays]
    if axis is None:
        names, axis = [w.node("Reshape", name, w.ints([-1])) for name in names], 0
    return w.node("Concat", *names, axis=axis, last=True)


# Products


@_node("np.matmul")
def _matmul(w: Writer, x: Expr, a: Any, b: Any) -> str:
    if x.dtype == bool:
        raise NotInOnnxError("ONNX has no such operation for bool")
    left, right = w.value(a, x.dtype), w.value(b, x.dtype)
    if b.ndim > 1 or a.ndim == 1:
        return w.node("MatMul", left, right, last=True)
    # onnxruntime fuses a transpose before a product, and then takes no vector (1.32).
    column = w.node("Reshape", right, w.ints([-1, 1]))
    return w.node("Squeeze", w.node("MatMul", left, column), w.ints([-1]), last=True)


@_node("np.einsum")
def _einsum(w: Writer, x: Expr, subscripts: str, *operands: Any, optimize: Any = False) -> str:
    if x.dtype.kind != "f":
        raise NotInOnnxError("onnxruntime adds integers in float64")
    names = [w.value(a, x.dtype) for a in operands]
    return w.node("Einsum", *names, equation=subscripts, last=True)
