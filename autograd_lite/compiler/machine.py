"""Rewrites for speed: the fastest of NumPy's equal calls. None changes the algebra."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_lite.compiler.rewrite import Rule
from autograd_lite.compiler.rules import is_call, rule, same
from autograd_lite.expressions.expr import CONSTANT, Builder, Expr

__all__ = ["MACHINE"]

MACHINE: dict[str, list[Rule]] = {}
"""Rules that replace a call by a faster one with the same result up to rounding."""

# NumPy sums in pairs and BLAS in a few running sums; up to this length both are as accurate.
LONGEST_SUM = 2048


def _product(b: Builder, x: Any, y: Any, e: Expr) -> Any:
    """x.dot(y), NumPy's fastest product of vectors and matrices, or None where it is different.

    It takes a matrix of one element as a number, and if that is 0 returns 0 for its product with ∞.
    """
    if 1 in (x.size, y.size) and max(x.ndim, y.ndim) > 1:
        return None
    made = b.call(".dot", x, y)
    return same(made, e)


@rule(MACHINE, "np.matmul", "a constant matrix of equal elements is stored in full, for BLAS")
def filled_operand(b: Builder, e: Expr) -> Any:
    args = [
        b.constant(np.full(x.shape, x.args[0].value))
        if is_call(x, "np.broadcast_to") and is_call(x.args[0], CONSTANT)
        else x
        for x in e.args
    ]
    return None if args == list(e.args) else b.call(e.fn, *args)


@rule(MACHINE, "np.matmul", "a product over an axis of one element is elementwise")
def over_one_element(b: Builder, e: Expr) -> Any:
    x, y = e.args
    if 1 not in (x.size, y.size) or x.ndim == y.ndim == 1:
        return None
    if x.ndim == 1:
        y = b.call("[]", y, 0)
    elif y.ndim == 1:
        x = b.call("[]", x, (slice(None), 0))
    made = b.call("np.multiply", x, y)
    return same(made, e)


@rule(MACHINE, "np.matmul", "A @ B is A.dot(B) for vectors and matrices")
def matmul_as_dot(b: Builder, e: Expr) -> Any:
    x, y = e.args
    if e.dtype.kind != "f" or not (isinstance(x, Expr) and isinstance(y, Expr)):
        return None
    if not (1 <= x.ndim <= 2 and 1 <= y.ndim <= 2):
        return None
    return _product(b, x, y, e)


@rule(MACHINE, "np.multiply", "a column times a row is an outer product, computed by BLAS")
def outer_as_dot(b: Builder, e: Expr) -> Any:
    for column, row in (e.args, e.args[::-1]):
        if not (isinstance(column, Expr) and isinstance(row, Expr) and e.ndim == 2):
            continue
        if e.dtype.kind == "f" and column.ndim == 2 and column.shape[1] == 1:
            if row.ndim == 1:
                row = b.call("np.expand_dims", row, 0)
            if row.ndim == 2 and row.shape[0] == 1:
                return _product(b, column, row, e)
    return None


@rule(MACHINE, "np.multiply", "a mask is converted before a product, not within it")
def mask_as_numbers(b: Builder, e: Expr) -> Any:
    if e.dtype.kind != "f" or not e.shape:
        return None
    args = [
        b.call(".astype", x, e.dtype) if isinstance(x, Expr) and x.dtype.kind == "b" else x
        for x in e.args
    ]
    return None if args == [*e.args] else b.call(e.fn, *args)


@rule(MACHINE, "np.add.reduce", "Σ x y over one axis is x · y")
def sum_of_products(b: Builder, e: Expr) -> Any:
    x = e.args[0]
    if is_call(x, "np.multiply") and x.ndim == 1 and x.size <= LONGEST_SUM and _plain(e):
        left, right = x.args
        if isinstance(left, Expr) and isinstance(right, Expr) and left.shape == right.shape:
            return _product(b, left, right, e)
    return None


@rule(MACHINE, "np.add.reduce", "a sum over an axis of one element is that element")
def sum_over_one(b: Builder, e: Expr) -> Any:
    x, axis = e.args[0], e.keywords.get("axis", 0)
    if x.size != e.size or not (x.size and x.ndim and _plain(e)) or x.dtype != e.dtype:
        return None
    axes = range(x.ndim) if axis is None else np.atleast_1d(axis) % x.ndim
    key = tuple(0 if k in axes else slice(None) for k in range(x.ndim))
    return b.call("[]", x, key if x.ndim > 1 else key[0])


@rule(MACHINE, "np.add.reduce", "a sum over rows is a product with ones, for many rows by blocks")
def sum_as_dot(b: Builder, e: Expr) -> Any:
    x, axis = e.args[0], e.keywords.get("axis", 0)
    if e.dtype.kind != "f" or not _plain(e) or x.dtype != e.dtype or not x.size:
        return None
    if x.ndim == 1 and x.size <= LONGEST_SUM:
        return _product(b, b.ones(x.size, x.dtype), x, e)
    if x.ndim == 2 and axis in (0, (0,), -2):
        if x.shape[0] > LONGEST_SUM:
            return b._call("sum_to", (x,), {"shape": e.shape}, (e.shape, e.dtype))
        return _product(b, b.ones(x.shape[0], x.dtype), x, e)
    if x.ndim == 2 and axis in (1, (1,), -1) and x.shape[1] <= LONGEST_SUM:
        return _product(b, x, b.ones(x.shape[1], x.dtype), e)
    return None


@rule(MACHINE, "np.add.reduce", "a sum over columns that keeps their axis is a column of sums")
def sum_in_column(b: Builder, e: Expr) -> Any:
    x, axis = e.args[0], e.keywords.get("axis", 0)
    if e.keywords.keys() == {"axis", "keepdims"} and e.ndim == 2 and axis in (1, (1,), -1):
        sums = sum_as_dot(b, b.call("np.add.reduce", x, axis=1))
        return None if sums is None else b.call("np.expand_dims", sums, axis=1)
    return None


def _plain(e: Expr) -> bool:
    """Whether a floating-point reduction has no other argument than its axes."""
    return e.dtype.kind == "f" and not e.keywords.keys() - {"axis"} and len(e.args) == 1


@rule(MACHINE, "np.negative", "−|x| = copysign(x, −1), one call for two")
def negative_absolute(b: Builder, e: Expr) -> Any:
    x = e.args[0]
    if is_call(x, "np.absolute") and e.dtype.kind == "f":
        return b.call("np.copysign", x.args[0], -1.0)
    return None
