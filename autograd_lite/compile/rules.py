"""The rewrites that hold in mathematics and lose nothing in floating point, one entry each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_lite.compile.bounds import is_finite
from autograd_lite.compile.expr import CONSTANT, Builder, Expr, dtype_of, is_number, shape_of
from autograd_lite.compile.polynomial import lowest_terms
from autograd_lite.compile.rewrite import Rule

__all__ = ["ALGEBRA", "SHARING", "SIGMOIDS", "STATEMENTS"]

ALGEBRA: dict[str, list[Rule]] = {}
"""Rules that are always better."""

SHARING: dict[str, list[Rule]] = {}
"""Rules that use what the program computes in any case, applied last."""

SIGMOIDS: dict[str, list[Rule]] = {}
"""Rules about σ and softplus, applied once signs and scalars are where they belong."""

STATEMENTS: dict[str, str] = {}
"""What each rule says, by the name of its function."""


def rule(table: dict[str, list[Rule]], fns: str, statement: str) -> Callable[[Rule], Rule]:
    """Enter a rule for some functions into a table."""

    def enter(function: Rule) -> Rule:
        for fn in fns.split():
            table.setdefault(fn, []).append(function)
        STATEMENTS[function.__name__] = statement
        return function

    return enter


def is_call(x: Any, fn: str) -> bool:
    """Whether an argument is a call of this function."""
    return isinstance(x, Expr) and x.fn == fn


def same(x: Any, expr: Expr) -> Any:
    """An argument in place of a call, if it has the call's shape and dtype."""
    if isinstance(x, Expr) and x.shape == expr.shape and x.dtype == expr.dtype:
        return x
    return None


def scalar_of(x: Any) -> Any:
    """The number that a constant holds everywhere, or None."""
    if is_call(x, "np.broadcast_to"):
        x = x.args[0]
    if is_number(x):
        return x
    if is_call(x, CONSTANT) and x.value.size and x.value.size <= 1 and x.dtype.kind in "bif":
        return x.value.reshape(()).item()
    return None


def _is_elementwise(fn: str) -> bool:
    ufunc = getattr(np, fn[3:], None) if fn.startswith("np.") else None
    return fn == "np.where" or (isinstance(ufunc, np.ufunc) and not ufunc.signature)


ELEMENTWISE = tuple(sorted(f"np.{name}" for name in dir(np) if _is_elementwise(f"np.{name}")))


# Constants


@rule(ALGEBRA, " ".join(ELEMENTWISE), "a constant scalar is a number, where that changes no dtype")
def weaken(b: Builder, e: Expr) -> Any:
    args = list(e.args)
    for k, x in enumerate(args):
        if isinstance(x, Expr) and (number := scalar_of(x)) is not None and len(args) > 1:
            trial = [*args[:k], number, *args[k + 1 :]]
            shape = np.broadcast_shapes(*map(shape_of, trial))
            if shape == e.shape and _dtype(e.fn, trial) == e.dtype:
                args = trial
    return None if args == list(e.args) else b.call(e.fn, *args)


def _dtype(fn: str, args: list[Any]) -> Any:
    if fn == "np.where":
        return np.result_type(*(x.dtype if isinstance(x, Expr) else x for x in args[1:]))
    ufunc = getattr(np, fn[3:])
    return ufunc.resolve_dtypes((*map(dtype_of, args), *(None,) * ufunc.nout))[-1]


@rule(ALGEBRA, "np.zeros_like np.ones_like", "zeros and ones are scalars, broadcast")
def filled(b: Builder, e: Expr) -> Any:
    value = np.asarray(0 if e.fn == "np.zeros_like" else 1, e.dtype)
    return b.constant(value) if not e.shape else b.call("np.broadcast_to", b.constant(value), e.shape)


@rule(ALGEBRA, "np.broadcast_to", "what has a shape is not broadcast to it")
def broadcast_to_itself(b: Builder, e: Expr) -> Any:
    x = e.args[0]
    if is_call(x, "np.broadcast_to"):
        return b.call("np.broadcast_to", x.args[0], e.shape)
    return same(x, e)


@rule(ALGEBRA, " ".join(ELEMENTWISE), "an elementwise function broadcasts by itself")
def broadcast_argument(b: Builder, e: Expr) -> Any:
    for k, x in enumerate(e.args):
        if is_call(x, "np.broadcast_to"):
            args = [*e.args[:k], x.args[0], *e.args[k + 1 :]]
            if np.broadcast_shapes(*map(shape_of, args)) == e.shape:
                return b.call(e.fn, *args)
    return None


@rule(ALGEBRA, " ".join(ELEMENTWISE), "a whole number beside floats is a float")
def as_float(b: Builder, e: Expr) -> Any:
    if e.fn == "np.ldexp" or not all(x.dtype.kind == "f" for x in e.inputs):
        return None
    args = [float(x) if type(x) is int else x for x in e.args]
    return None if all(x is y for x, y in zip(args, e.args, strict=True)) else b.call(e.fn, *args)


# Neutral elements, signs, transposes


@rule(ALGEBRA, "np.multiply", "x · 1 = x, x · −1 = −x")
def times_one(b: Builder, e: Expr) -> Any:
    for x, other in (e.args, e.args[::-1]):
        if is_number(other, 1):
            return same(x, e)
        if is_number(other, -1) and same(x, e) is not None and e.dtype.kind == "f":
            return b.call("np.negative", x)
    return None


@rule(ALGEBRA, "np.add", "x + 0 = x")
def plus_zero(b: Builder, e: Expr) -> Any:
    for x, other in (e.args, e.args[::-1]):
        if is_number(other, 0):
            return same(x, e)
    return None


@rule(ALGEBRA, "np.subtract", "x − 0 = x, 0 − x = −x")
def minus_zero(b: Builder, e: Expr) -> Any:
    x, y = e.args
    if is_number(y, 0):
        return same(x, e)
    if is_number(x, 0) and same(y, e) is not None and e.dtype.kind == "f":
        return b.call("np.negative", y)
    return None


@rule(ALGEBRA, "np.divide np.power", "x / 1 = x ** 1 = x")
def over_one(b: Builder, e: Expr) -> Any:
    return same(e.args[0], e) if is_number(e.args[1], 1) else None


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
    return b.call("np.absolute", x.args[0]) if is_call(x, "np.negative") else None


@rule(ALGEBRA, "np.add", "x + (−y) = x − y")
def add_negative(b: Builder, e: Expr) -> Any:
    x, y = e.args
    if is_call(y, "np.negative"):
        return b.call("np.subtract", x, y.args[0])
    return b.call("np.subtract", y, x.args[0]) if is_call(x, "np.negative") else None


@rule(ALGEBRA, "np.subtract", "x − (−y) = x + y")
def subtract_negative(b: Builder, e: Expr) -> Any:
    x, y = e.args
    return b.call("np.add", x, y.args[0]) if is_call(y, "np.negative") else None


@rule(ALGEBRA, "T", "xᵀᵀ = x")
def double_transpose(b: Builder, e: Expr) -> Any:
    x = e.args[0]
    return x.args[0] if is_call(x, "T") else (x if x.ndim < 2 else None)


@rule(ALGEBRA, "T", "(AᵀB)ᵀ = BᵀA")
def transposed_product(b: Builder, e: Expr) -> Any:
    x = e.args[0]
    if is_call(x, "np.matmul") and x.ndim == 2 and any(is_call(y, "T") for y in x.args):
        left, right = x.args
        if left.ndim == right.ndim == 2:
            return b.call("np.matmul", b.call("T", right), b.call("T", left))
    return None


@rule(ALGEBRA, "np.transpose", "all axes reversed are a transpose")
def plain_transpose(b: Builder, e: Expr) -> Any:
    axes = e.args[1] if len(e.args) > 1 else e.keywords.get("axes")
    reverse = tuple(range(e.ndim))[::-1]
    return b.call("T", e.args[0]) if axes is None or tuple(axes) == reverse else None


@rule(ALGEBRA, "np.expand_dims np.reshape np.squeeze astype", "what has the form already is itself")
def same_form(b: Builder, e: Expr) -> Any:
    return same(e.args[0], e)


@rule(ALGEBRA, "np.mean", "a mean is a sum over a number")
def mean_as_sum(b: Builder, e: Expr) -> Any:
    x = e.args[0]
    if x.dtype != e.dtype or not e.size or not x.size:
        return None
    keywords = {"axis": None, **e.keywords}
    return b.call("np.divide", b.call("np.add.reduce", x, **keywords), float(x.size // e.size))


@rule(ALGEBRA, "scaled", "a product with a finite factor needs no care")
def finite_factor(b: Builder, e: Expr) -> Any:
    g, factor = e.args
    if is_finite(factor) or is_number(g):
        product = b.call("np.multiply", g, factor)
        return product if (product.shape, product.dtype) == (e.shape, e.dtype) else None
    return None


@rule(SHARING, "np.greater", "x > 0 is max(x, 0) > 0, so that x itself is done with")
def greater_of_maximum(b: Builder, e: Expr) -> Any:
    x, zero = e.args
    if is_number(zero, 0) and isinstance(x, Expr) and x.dtype.kind == "f":
        made = b.known("np.maximum", x, zero)
        return None if made is None else b.call("np.greater", made, zero)
    return None


# σ and softplus


def _z_of_pair(x: Any, y: Any) -> Any:
    """The z of softplus(−z) and softplus(z)."""
    if is_call(x, "softplus") and is_call(y, "softplus"):
        minus = x.args[0]
        if is_call(minus, "np.negative") and minus.args[0] is y.args[0]:
            return y.args[0]
    return None


def _weights(product: Any) -> list[tuple[Any, Any]]:
    return [product.args, product.args[::-1]] if is_call(product, "np.multiply") else []


@rule(SIGMOIDS, "np.add", "y softplus(−z) + (1 − y) softplus(z) = (1[z > 0] − y) z + log(1 + e^−|z|)")
def cross_entropy(b: Builder, e: Expr) -> Any:
    for first, second in (e.args, e.args[::-1]):
        for y, minus in _weights(first):
            for rest, plus in _weights(second):
                z = _z_of_pair(minus, plus)
                if z is None or z.shape != e.shape or dtype_of(y) != e.dtype:
                    continue
                if is_call(rest, "np.subtract") and is_number(rest.args[0], 1) and (
                    rest.args[1] is y
                ):
                    return b.call("np.add", _linear_part(b, z, y), _tail(b, z))
    return None


def _linear_part(b: Builder, z: Expr, y: Any) -> Expr:
    step = b.call("np.subtract", b.call("np.greater", z, 0), y)
    return b.call("np.multiply", step, z)


def _tail(b: Builder, z: Expr) -> Expr:
    decay = b.call("np.exp", b.call("np.negative", b.call("np.absolute", z)))
    return b.call("np.log1p", decay)


@rule(SIGMOIDS, "np.subtract", "max(z, 0) − y z = (1[z > 0] − y) z")
def hinge(b: Builder, e: Expr) -> Any:
    peak, product = e.args
    if is_call(peak, "np.maximum") and is_number(peak.args[1], 0):
        z = peak.args[0]
        for y, other in _weights(product):
            if other is z and z.shape == e.shape and dtype_of(y) == e.dtype:
                return _linear_part(b, z, y)
    return None


@rule(SIGMOIDS, "np.add np.subtract", "σ(−z) = 1 − σ(z), where that cancels: (1 − y) σ(z) − y σ(−z) = σ(z) − y")
def complement(b: Builder, e: Expr) -> Any:
    return lowest_terms(b, e)


@rule(SHARING, "sigmoid", "σ(z) = (1 if z > 0 else e) / (1 + e) with e = exp(−|z|)")
def shared_sigmoid(b: Builder, e: Expr) -> Any:
    """σ(z) by the exponential that the loss needs in any case."""
    z, flipped = e.args[0], False
    if is_call(z, "np.negative"):
        z, flipped = z.args[0], True
    minus = b.known("np.negative", b.known("np.absolute", z))
    decay = b.known("np.exp", minus)
    if decay is None:
        return None
    positive = b.call("np.greater", z, 0)
    pair = (decay, 1.0) if flipped else (1.0, decay)
    return b.call("np.divide", b.call("np.where", positive, *pair), b.call("np.add", 1.0, decay))
