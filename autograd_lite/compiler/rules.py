"""Rewrites that hold in mathematics and lose no accuracy in floating point, one entry each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_lite.compiler.rewrite import UFUNCS, Rule
from autograd_lite.expressions.expr import (
    CONSTANT,
    Builder,
    Expr,
    dtype_of,
    function_of,
    inputs_of,
    is_number,
    shape_of,
)

__all__ = ["ALGEBRA", "STATEMENTS", "full", "is_call", "rule", "same", "scalar_of"]

ALGEBRA: dict[str, list[Rule]] = {}
"""Rules that always improve a program."""

STATEMENTS: dict[str, str] = {}
"""The equation of each rule, by the name of its function."""


def rule(table: dict[str, list[Rule]], fns: str, statement: str) -> Callable[[Rule], Rule]:
    """Enter a rule for calls of some functions into a table."""

    def enter(function: Rule) -> Rule:
        for fn in fns.split():
            table.setdefault(fn, []).append(function)
        STATEMENTS[function.__name__] = statement
        return function

    return enter


def is_call(x: Any, fn: str) -> bool:
    """Whether an argument is a call of the function."""
    return isinstance(x, Expr) and x.fn == fn


def same(x: Any, expr: Expr) -> Any:
    """The argument if it has the shape and dtype of the call, else None."""
    if isinstance(x, Expr) and x.shape == expr.shape and x.dtype == expr.dtype:
        return x
    return None


def scalar_of(x: Any) -> Any:
    """The number that every element of a constant equals, or None."""
    if is_call(x, "np.broadcast_to"):
        x = x.args[0]
    if is_number(x):
        return x
    if is_call(x, CONSTANT) and x.shape == () and x.dtype.kind in "bif":
        return x.value.item()
    return None


def full(b: Builder, e: Expr, value: Any) -> Expr:
    """A constant of the shape and dtype of a call, all elements equal."""
    with np.errstate(over="ignore"):
        scalar = b.constant(np.asarray(value, e.dtype))
    return b.call("np.broadcast_to", scalar, e.shape) if e.shape else scalar


UNIFORM = {CONSTANT, "np.broadcast_to"}  # what may be a number

ELEMENTWISE = " ".join(sorted({"np.where", *UFUNCS}))


# Constants


@rule(ALGEBRA, ELEMENTWISE, "a constant scalar is a number, where that changes no dtype")
def weaken(b: Builder, e: Expr) -> Any:
    args = list(e.args)
    for k, x in enumerate(args):
        if (
            isinstance(x, Expr)
            and x.fn in UNIFORM
            and (number := scalar_of(x)) is not None
            and len(args) > 1
        ):
            trial = [*args[:k], number, *args[k + 1 :]]
            shape = np.broadcast_shapes(*map(shape_of, trial))
            if shape == e.shape and _dtypes(e.fn, trial) == _dtypes(e.fn, args):
                args = trial
    if args == list(e.args) or not any(isinstance(x, Expr) for x in args):
        return None
    return b.call(e.fn, *args)


def _dtypes(fn: str, args: list[Any]) -> Any:
    """The dtypes in which a call computes."""
    if fn == "np.where":
        return np.result_type(*(x.dtype if isinstance(x, Expr) else x for x in args[1:]))
    ufunc = getattr(np, fn[3:])
    return ufunc.resolve_dtypes((*map(dtype_of, args), *(None,) * ufunc.nout))


@rule(ALGEBRA, "np.zeros_like np.ones_like", "zeros and ones are scalars, broadcast")
def filled(b: Builder, e: Expr) -> Any:
    return full(b, e, 0 if e.fn == "np.zeros_like" else 1)


@rule(ALGEBRA, "np.broadcast_to", "an array is not broadcast to the shape that it has")
def broadcast_to_itself(b: Builder, e: Expr) -> Any:
    x = e.args[0]
    if is_call(x, "np.broadcast_to"):
        return b.call("np.broadcast_to", x.args[0], e.shape)
    return same(x, e)


@rule(ALGEBRA, ELEMENTWISE, "a function of constant scalars is a constant scalar")
def of_scalars(b: Builder, e: Expr) -> Any:
    if not e.shape or not e.inputs or any(x.fn != "np.broadcast_to" for x in e.inputs):
        return None
    scalars = [scalar_of(x) for x in e.args]
    if any(x is None for x in scalars):
        return None
    given = [
        np.asarray(x, y.dtype) if isinstance(y, Expr) else x
        for x, y in zip(scalars, e.args, strict=True)
    ]
    with np.errstate(all="ignore"):
        value = function_of(e.fn)(*given)
    return full(b, e, value)


@rule(ALGEBRA, "np.add.reduce", "the sum of n equal numbers is n times the number")
def sum_of_scalar(b: Builder, e: Expr) -> Any:
    value = scalar_of(e.args[0]) if is_call(e.args[0], "np.broadcast_to") else None
    if value is None or e.dtype.kind != "f" or not (e.args[0].size and _is_plain(e)):
        return None
    return full(b, e, value * (e.args[0].size // e.size))


def _is_plain(e: Expr) -> bool:
    """Whether a reduction has no other arguments than its axes."""
    return len(e.args) == 1 and e.keywords.keys() <= {"axis", "keepdims"}


@rule(ALGEBRA, ELEMENTWISE, "an elementwise function broadcasts its operands itself")
def broadcast_argument(b: Builder, e: Expr) -> Any:
    for k, x in enumerate(e.args):
        if is_call(x, "np.broadcast_to"):
            args = [*e.args[:k], x.args[0], *e.args[k + 1 :]]
            if np.broadcast_shapes(*map(shape_of, args)) == e.shape:
                return b.call(e.fn, *args)
    return None


@rule(ALGEBRA, ELEMENTWISE, "an integer among floats is a float")
def as_float(b: Builder, e: Expr) -> Any:
    if all(type(x) is not int for x in e.args):
        return None
    beside = [x for x in e.args[e.fn == "np.where" :] if isinstance(x, Expr)]
    if e.fn == "np.ldexp" or not beside or not all(x.dtype.kind == "f" for x in beside):
        return None
    args = [float(x) if type(x) is int else x for x in e.args]
    return None if all(x is y for x, y in zip(args, e.args, strict=True)) else b.call(e.fn, *args)


@rule(ALGEBRA, "np.where", "where(true, x, y) = x, where(false, x, y) = y")
def known_condition(b: Builder, e: Expr) -> Any:
    condition = scalar_of(e.args[0])
    return None if condition is None else same(e.args[1 if condition else 2], e)


# Neutral elements, signs, transposes


@rule(ALGEBRA, "np.multiply", "x · 1 = x, x · −1 = −x")
def times_one(b: Builder, e: Expr) -> Any:
    for x, other in (e.args, e.args[::-1]):
        if is_number(other, 1):
            return same(x, e)
        if is_number(other, -1) and same(x, e) is not None and e.dtype.kind == "f":
            return b.call("np.negative", x)
    return None


@rule(ALGEBRA, "np.add np.subtract", "x ± 0 = 0 + x = x, 0 − x = −x")
def plus_zero(b: Builder, e: Expr) -> Any:
    x, y = e.args
    if is_number(y, 0):
        return same(x, e)
    if is_number(x, 0) and (e.fn == "np.add" or e.dtype.kind == "f") and same(y, e) is not None:
        return y if e.fn == "np.add" else b.call("np.negative", y)
    return None


@rule(ALGEBRA, "np.divide np.power", "x / 1 = x ** 1 = x")
def over_one(b: Builder, e: Expr) -> Any:
    return same(e.args[0], e) if is_number(e.args[1], 1) else None


@rule(ALGEBRA, "np.divide", "1 / x is the reciprocal")
def one_over(b: Builder, e: Expr) -> Any:
    x, y = e.args
    if is_number(x, 1) and same(y, e) is not None and e.dtype.kind == "f":
        return b.call("np.reciprocal", y)
    return None


@rule(ALGEBRA, "np.power", "x ** 2 = x²")
def to_the_second(b: Builder, e: Expr) -> Any:
    x, n = e.args
    return b.call("np.square", x) if is_number(n, 2) and same(x, e) is not None else None


@rule(ALGEBRA, "np.negative", "−(−x) = x, −(a − b) = b − a")
def double_negative(b: Builder, e: Expr) -> Any:
    x = e.args[0]
    if is_call(x, "np.subtract") and e.dtype.kind == "f":
        return b.call("np.subtract", x.args[1], x.args[0])
    return x.args[0] if is_call(x, "np.negative") else None


@rule(ALGEBRA, "np.absolute", "|−x| = |x|")
def absolute_negative(b: Builder, e: Expr) -> Any:
    x = e.args[0]
    return b.call("np.absolute", x.args[0]) if _is_minus(x, e) else None


def _is_minus(x: Any, e: Expr) -> bool:
    """Whether x is −y and may be subtracted instead: integers wrap around, each dtype elsewhere."""
    return is_call(x, "np.negative") and (
        x.dtype.kind == "f" or (x.dtype.kind == "i" and x.dtype == e.dtype)
    )


@rule(ALGEBRA, "np.add np.subtract", "x + (−y) = −y + x = x − y, x − (−y) = x + y")
def add_negative(b: Builder, e: Expr) -> Any:
    x, y = e.args
    if _is_minus(y, e):
        return b.call("np.subtract" if e.fn == "np.add" else "np.add", x, y.args[0])
    return b.call("np.subtract", y, x.args[0]) if e.fn == "np.add" and _is_minus(x, e) else None


@rule(ALGEBRA, "np.add", "x + x = 2 x")
def doubled(b: Builder, e: Expr) -> Any:
    x, y = e.args
    return b.call("np.multiply", 2.0, x) if x is y and e.dtype.kind == "f" else None


@rule(ALGEBRA, "add_at", "adding each element in its place to zeros is a reshape")
def add_everywhere(b: Builder, e: Expr) -> Any:
    g, key = e.args[0], e.keywords.get("key", ())
    if not isinstance(g, Expr) or not 0 < g.size == e.size <= 1 << 20 or list(inputs_of(key)):
        return None
    places = np.arange(e.size).reshape(e.shape)[key]
    if places.shape != g.shape or not np.array_equal(places.ravel(), np.arange(e.size)):
        return None
    return b.call("np.reshape", g, e.shape)


@rule(ALGEBRA, "np.reshape", "of two reshapes the last is enough")
def reshaped_twice(b: Builder, e: Expr) -> Any:
    x = e.args[0]
    if is_call(x, "np.reshape") and not (e.keywords or x.keywords):
        return b.call("np.reshape", x.args[0], *e.args[1:])
    return None


@rule(ALGEBRA, ".T", "xᵀᵀ = x")
def double_transpose(b: Builder, e: Expr) -> Any:
    x = e.args[0]
    return x.args[0] if is_call(x, ".T") else (x if x.ndim < 2 else None)


@rule(ALGEBRA, ".T", "(AᵀB)ᵀ = BᵀA")
def transposed_product(b: Builder, e: Expr) -> Any:
    x = e.args[0]
    if is_call(x, "np.matmul") and x.ndim == 2 and any(is_call(y, ".T") for y in x.args):
        left, right = x.args
        if left.ndim == right.ndim == 2:
            return b.call("np.matmul", b.call(".T", right), b.call(".T", left))
    return None


@rule(ALGEBRA, "np.transpose", "reversing all axes is .T, keeping their order changes nothing")
def plain_transpose(b: Builder, e: Expr) -> Any:
    axes = e.args[1] if len(e.args) > 1 else e.keywords.get("axes")
    if axes is not None and tuple(axes) == tuple(range(e.ndim)):
        return e.args[0]
    reverse = tuple(range(e.ndim))[::-1]
    return b.call(".T", e.args[0]) if axes is None or tuple(axes) == reverse else None


@rule(
    ALGEBRA,
    "np.expand_dims np.reshape np.squeeze .astype",
    "an array of the same shape and dtype is returned as it is",
)
def same_form(b: Builder, e: Expr) -> Any:
    return same(e.args[0], e)


@rule(ALGEBRA, "np.where", "max(x − max x) = 0: exponents are not shifted twice")
def shifted_twice(b: Builder, e: Expr) -> Any:
    """The maximum is 0, and 0 replaces it where it is not finite."""
    peak = _finite(e)
    if not (is_call(peak, "np.max") and is_call(peak.args[0], "np.subtract")):
        return None
    x, shift = peak.args[0].args
    shift = _finite(shift) or shift
    if not (is_call(shift, "np.max") and shift.args[0] is x):
        return None
    # Without keepdims an array of maxima may be subtracted along another axis than its own.
    same_axis = shift.keywords == peak.keywords and shift.ndim in (0, x.ndim)
    whole = shift.shape == () and peak.keywords.get("axis") is None
    if not (_is_plain(peak) and _is_plain(shift) and (same_axis or whole)):
        return None
    return b.call("np.zeros_like", e)


def _finite(e: Any) -> Any:
    """The x of `where(isfinite(x), x, 0)`."""
    if is_call(e, "np.where") and is_number(e.args[2], 0) and is_call(e.args[0], "np.isfinite"):
        return e.args[1] if e.args[0].args[0] is e.args[1] else None
    return None


@rule(ALGEBRA, "take_along_axis", "whole rows are x[i]")
def rows_by_number(b: Builder, e: Expr) -> Any:
    x, places = e.args
    numbers = _numbers(b, x.shape, places, e)
    return None if numbers is None else b.call("[]", x, numbers)


@rule(ALGEBRA, "add_along_axis", "whole rows are added at x[i]")
def added_by_number(b: Builder, e: Expr) -> Any:
    numbers = _numbers(b, e.shape, e.args[1], e)
    if numbers is None:
        return None
    return b._call("add_at", e.args[:1], {"key": numbers, "shape": e.shape}, (e.shape, e.dtype))


@rule(ALGEBRA, "np.reshape", "x.reshape(…)[i.reshape(…)].reshape(…) = x[i]")
def rows_in_shape(b: Builder, e: Expr) -> Any:
    x = e.args[0]
    if not (is_call(x, "[]") and x.args == x.inputs) or e.keywords:
        return None
    rows, numbers = x.args
    if is_call(rows, "np.reshape") and rows.args[0].shape[:1] == rows.shape[:1]:
        rows = rows if rows.keywords else rows.args[0]
    if is_call(numbers, "np.reshape") and not numbers.keywords:
        numbers = numbers.args[0]
    made = b.call("[]", rows, numbers)
    return same(made, e)


def _numbers(b: Builder, shape: tuple[int, ...], places: Any, e: Expr) -> Any:
    """The row numbers that an array of indices repeats along each row, or None."""
    column = places.args[0] if is_call(places, "np.broadcast_to") else places
    if e.keywords.get("axis") != 0 or len(shape) != 2 or not isinstance(column, Expr):
        return None
    if column.ndim != 2 or column.shape[1] != 1 or places.shape[1] != shape[1]:
        return None
    return b.call("np.reshape", column, column.shape[:1])


@rule(ALGEBRA, "[]", "x[()] = x")
def whole(b: Builder, e: Expr) -> Any:
    key = e.args[1]
    return same(e.args[0], e) if isinstance(key, tuple) and not key else None


@rule(ALGEBRA, "np.mean", "a mean is a sum divided by the number of elements")
def mean_as_sum(b: Builder, e: Expr) -> Any:
    x = e.args[0]
    # NumPy sums a mean of half precision in single precision.
    if x.dtype != e.dtype or e.dtype.itemsize < 4 or not (x.size and _is_plain(e)):
        return None
    keywords = {"axis": None, **e.keywords}
    return b.call("np.divide", b.call("np.add.reduce", x, **keywords), float(x.size // e.size))


@rule(ALGEBRA, "cross_entropy", "the loss is the mean or the sum of the losses of the rows")
def losses_of_rows(b: Builder, e: Expr) -> Any:
    reduction = e.keywords.get("reduction", "mean")
    if reduction == "none":
        return None
    losses = b.call("cross_entropy", *e.args, reduction="none")
    if not losses.shape:
        return same(losses, e)
    total = b.call("np.add.reduce", losses, axis=None)
    return b.call("np.divide", total, float(losses.size)) if reduction == "mean" else total
