"""Calls of NumPy in terms of what loops in JavaScript compute."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from functools import reduce
from math import prod
from typing import Any

import numpy as np
from numpy.lib.array_utils import normalize_axis_index, normalize_axis_tuple

from autograd_lite.compiler.adapting import FORMS as SHARED
from autograd_lite.compiler.adapting import adapted
from autograd_lite.compiler.javascript_indexing import (
    add_at,
    add_each_at,
    getitem,
    take_along_axis,
)
from autograd_lite.compiler.javascript_language import JAVASCRIPT, SCATTER
from autograd_lite.compiler.native import ASSEMBLED, REDUCTIONS, axes_of
from autograd_lite.compiler.native_loops import with_arrays
from autograd_lite.compiler.views import is_view
from autograd_lite.expressions.expr import (
    ARGUMENT,
    CONSTANT,
    LOOP,
    PARAMETER,
    Builder,
    Expr,
    in_order,
    is_number,
    replaced,
    with_inputs,
)
from autograd_lite.expressions.loops import everything, with_bodies
from autograd_lite.expressions.lower import Symbol, on_symbols

__all__ = ["in_loops", "lowered"]

Form = Callable[..., Any]


def lowered(roots: Sequence[Any], b: Builder) -> list[Any]:
    """The results of a program, by calls that loops compute where there are such.

    What has no such form is left as it is.
    """
    roots = adapted(with_arrays(roots, b), b, (), (), SHARED)
    b.know([x for x in everything(roots) if x.fn in (ARGUMENT, PARAMETER)], np.nan)

    def changed(roots: Sequence[Any]) -> list[Any]:
        return _changed(roots, b, ())

    found = with_bodies(changed(roots), b, changed)
    b.forget()
    return found


def _changed(roots: Sequence[Any], b: Builder, known: Any) -> list[Any]:
    new: dict[Expr, Any] = {}

    def replace(x: Expr) -> Any:
        return new.get(x, x)

    for x in in_order(roots, known):
        made = with_inputs(x, b, replace)
        new[x] = _with_sequences(made, b) if x.fn == LOOP else _in_other_terms(made, b)
        if x in b.names and isinstance(new[x], Expr):
            b.names.setdefault(new[x], b.names[x])
    return [replaced(root, replace) for root in roots]


def _in_other_terms(x: Expr, b: Builder) -> Expr:
    form = FORMS.get(x.fn)
    if form is None or in_loops(x):
        return x
    made = on_symbols(form, x.args, x.keywords, b)
    if not isinstance(made, Expr):
        return x
    found: Expr = _changed([made], b, {*x.inputs})[0]
    if found.dtype != x.dtype:
        found = b.call(".astype", found, x.dtype)
    return found


def _with_sequences(loop: Expr, b: Builder) -> Expr:
    """A loop whose body takes the next element of arrays, not of tuples."""
    body, count, initial, fixed, sequences = loop.args

    def array(p: Expr, x: Any) -> Any:
        if type(x) is range:
            return b.constant(np.array(x, p.dtype))
        if not isinstance(x, (tuple, list)):
            return x
        parts = [y if isinstance(y, Expr) else b.constant(np.asarray(y, p.dtype)) for y in x]
        return b._call("np.stack", (parts,), {}, ((count, *p.shape), p.dtype))

    pairs = zip(body.scanned, sequences, strict=True)
    return b.like(loop, (body, count, initial, fixed, tuple(array(p, x) for p, x in pairs)), {})


def in_loops(x: Expr) -> bool:
    """Whether loops in JavaScript compute a call, or look through it."""
    if x.fn == LOOP:
        return all(is_number(y) or (isinstance(y, Expr) and y.shape is not None) for y in _given(x))
    if x.fn in (ARGUMENT, CONSTANT, PARAMETER) or is_view(x) or JAVASCRIPT.knows(x):
        return True
    if x.fn == "[]":
        return x.args[0].shape is None
    if x.fn == "np.reshape":
        return bool(x.shape and x.args[0].shape)
    if x.fn in REDUCTIONS:
        return _reduces(x)
    if x.fn == "np.matmul":
        return all(1 <= y.ndim <= 2 and y.dtype.kind != "b" for y in x.args)
    if x.fn in ("add_at", "add_each_at"):
        keys = [x.keywords.get("key")] if x.fn == "add_at" else x.keywords.get("keys", ())
        return all(map(_is_basic, keys))
    if x.fn in ASSEMBLED:
        parts = x.args[0] if len(x.args) == 1 and isinstance(x.args[0], (tuple, list)) else [None]
        known = all(isinstance(y, Expr) for y in parts)
        return known and type(x.keywords.get("axis", 0)) is int and x.keywords.keys() <= {"axis"}
    if x.fn == SCATTER:
        return True
    if not JAVASCRIPT.whole(x) or len(x.args) > 1 or [*x.keywords] != ["axis"]:
        return False
    return bool(x.shape and x.args[0].shape) and type(x.keywords["axis"]) is int


def _given(loop: Expr) -> tuple[Any, ...]:
    """What a loop starts with, and what is the same in each step."""
    return (*loop.args[2], *loop.args[3])


def _reduces(x: Expr) -> bool:
    operand = x.args[0]
    if len(x.args) > 1 or not x.keywords.keys() <= {"axis", "keepdims"} or not operand.ndim:
        return False
    if (x.fn in ("np.all", "np.any")) != (x.dtype.kind == "b"):
        return False
    if x.fn in ("np.max", "np.min") and x.dtype.kind != "f":
        return False
    return bool(axes_of(x)) and (x.dtype.kind != "b" or operand.dtype.kind == "b")


def _is_basic(key: Any) -> bool:
    parts = key if isinstance(key, tuple) else (key,)
    return all(p is None or type(p) in (int, slice, type(...)) for p in parts)


# Along axes


def _flip(m: Any, axis: Any = None) -> Any:
    axes = normalize_axis_tuple(range(m.ndim) if axis is None else axis, m.ndim)
    return m[tuple(slice(None, None, -1) if k in axes else slice(None) for k in range(m.ndim))]


def _roll(a: Any, shift: Any, axis: Any = None) -> Any:
    if axis is None:
        return np.reshape(_roll(np.reshape(a, (-1,)), shift, 0), a.shape)
    shifts, axes = np.broadcast_arrays(shift, axis)
    for k, by in zip(axes.ravel().tolist(), shifts.ravel().tolist(), strict=True):
        k = normalize_axis_index(k, a.ndim)
        by %= max(a.shape[k], 1)
        if by:
            front = (slice(None),) * k
            parts = a[(*front, slice(-by, None))], a[(*front, slice(None, -by))]
            a = np.concatenate(parts, axis=k)
    return a


def _tile(A: Any, reps: Any) -> Any:
    reps = tuple(np.atleast_1d(reps).tolist())
    A = A[(None,) * max(0, len(reps) - A.ndim)]
    reps = (1,) * (A.ndim - len(reps)) + reps
    pairs = [*zip(reps, A.shape, strict=True)]
    spread = A[tuple(part for _ in pairs for part in (None, slice(None)))]
    spread = np.broadcast_to(spread, [n for pair in pairs for n in pair])
    return np.reshape(spread, tuple(r * n for r, n in pairs))


def _along_axis(name: str, default: int | None) -> Form:
    """A function along one axis, or of all elements."""
    function = getattr(np, name)

    def form(a: Any, axis: Any = default, kind: Any = None, keepdims: bool = False) -> Any:
        if keepdims and axis is None:
            return np.reshape(function(np.reshape(a, (-1,)), axis=0), (1,) * a.ndim)
        if axis is None or not a.ndim:
            return function(np.reshape(a, (-1,)), axis=0)
        axis = normalize_axis_index(axis, a.ndim)
        if not name.startswith("argm"):
            return function(a, axis=axis)
        # The result has an axis less, and is an array in memory.
        found = function(a, axis=axis) if a.ndim > 1 else function(a[None], axis=1)[0]
        return np.expand_dims(found, axis) if keepdims else found

    return form


def _triangle(function: Form) -> Form:
    return lambda m, k=0: np.where(function(np.ones(m.shape[-2:], bool), k), m, 0)


def _all_or_any(name: str) -> Form:
    def form(a: Any, **keywords: Any) -> Any:
        found = a if a.dtype.kind == "b" else a != 0
        return found if not a.ndim else getattr(np, name)(found, **keywords)

    return form


# Sums of products


def _einsum(*given: Any, **keywords: Any) -> Any:
    if not isinstance(given[0], str):
        raise NotImplementedError
    text, operands = given[0].replace(" ", ""), [x for x in given[1:] if isinstance(x, Symbol)]
    terms, arrow, result = text.partition("->")
    letters = terms.split(",")
    free = [c for c in string.ascii_letters if c not in text]
    deepest = max(
        x.ndim - len(t.replace("...", "")) for t, x in zip(letters, operands, strict=True)
    )
    dots = "".join(free[:deepest])
    letters = [
        t.replace("...", dots[deepest - (x.ndim - len(t.replace("...", ""))) :])
        for t, x in zip(letters, operands, strict=True)
    ]
    joined = "".join(letters)
    alone = "".join(sorted(c for c in {*joined} if joined.count(c) == 1 and c not in dots))
    result = result.replace("...", dots) if arrow else dots + alone
    summed = "".join(dict.fromkeys(c for c in joined if c not in result))
    return _summed_product(operands, letters, result, summed)


def _summed_product(
    operands: Sequence[Any], letters: Sequence[str], result: str, summed: str
) -> Any:
    order = result + summed
    spread = []
    for x, term in zip(operands, letters, strict=True):
        x, term = _without_repeats(x, term)
        ranks = sorted(range(len(term)), key=lambda k: order.index(term[k]))
        x = np.transpose(x, ranks) if ranks != [*range(len(term))] else x
        spread.append(x[tuple(slice(None) if c in term else None for c in order)])
    found = reduce(np.multiply, spread)
    axes = tuple(range(len(result), len(order)))
    return np.sum(found, axis=axes) if axes else found


def _without_repeats(x: Any, term: str) -> tuple[Any, str]:
    """An operand as its diagonals along axes of one letter."""
    for c in dict.fromkeys(term):
        while term.count(c) > 1:
            j, k = term.index(c), term.rindex(c)
            n = x.shape[j]
            rest = [m for m in range(x.ndim) if m not in (j, k)]
            x = np.transpose(x, (*rest, j, k))
            x = np.reshape(x, (*x.shape[:-2], n * n))[..., :: n + 1]
            term = "".join(term[m] for m in rest) + c
    return x, term


def _matmul(a: Any, b: Any) -> Any:
    if a.dtype.kind == "b":
        return NotImplemented
    rest = string.ascii_uppercase
    left = rest[: max(a.ndim - 2, 0)][::-1] + ("ik" if a.ndim > 1 else "k")
    right = rest[: max(b.ndim - 2, 0)][::-1] + ("kj" if b.ndim > 1 else "k")
    result = rest[: max(a.ndim, b.ndim, 2) - 2][::-1] + "i" * (a.ndim > 1) + "j" * (b.ndim > 1)
    return _summed_product([a, b], [left, right], result, "k")


def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    if isinstance(axes, int):
        axes = range(a.ndim - axes, a.ndim), range(axes)
    left, right = (
        [k % x.ndim for k in np.atleast_1d(ks)] for ks, x in zip(axes, (a, b), strict=True)
    )
    first, second = string.ascii_letters[: a.ndim], [*string.ascii_letters[a.ndim :][: b.ndim]]
    for j, k in zip(left, right, strict=True):
        second[k] = first[j]
    summed = "".join(first[j] for j in left)
    result = "".join(c for c in (*first, *second) if c not in summed)
    return _summed_product([a, b], [first, "".join(second)], result, summed)


def _outer(a: Any, b: Any) -> Any:
    return np.reshape(a, (-1, 1)) * np.reshape(b, (1, -1))


def _kron(a: Any, b: Any) -> Any:
    ndim = max(a.ndim, b.ndim)
    a, b = (x[(None,) * (ndim - x.ndim)] for x in (a, b))
    left = a[tuple(part for _ in range(ndim) for part in (slice(None), None))]
    right = b[tuple(part for _ in range(ndim) for part in (None, slice(None)))]
    return np.reshape(left * right, tuple(m * n for m, n in zip(a.shape, b.shape, strict=True)))


def _trace(a: Any, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Any:
    axes = normalize_axis_tuple((axis1, axis2), a.ndim)
    a = np.transpose(a, (*(k for k in range(a.ndim) if k not in axes), *axes))
    m, n = a.shape[-2:]
    count = max(min(m, n - offset) if offset > 0 else min(m + offset, n), 0)
    start = offset if offset > 0 else -offset * n
    flat = np.reshape(a, (*a.shape[:-2], m * n))
    return np.sum(flat[..., start :: n + 1][..., :count], axis=-1)


def _mean(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
    axes = normalize_axis_tuple(range(a.ndim) if axis is None else axis, a.ndim)
    total = np.sum(a.astype(np.float64), axis=axis, keepdims=keepdims)
    return total / float(prod(a.shape[k] for k in axes))


def _of_floats(form: Form) -> Form:
    """A form that is one of floats, for integers and booleans as well."""
    return lambda a, **keywords: form(
        a if a.dtype.kind == "f" else a.astype(np.float64), **keywords
    )


def _var(a: Any, axis: Any = None, ddof: Any = 0, keepdims: bool = False) -> Any:
    axes = normalize_axis_tuple(range(a.ndim) if axis is None else axis, a.ndim)
    n = prod(a.shape[k] for k in axes)
    if n <= ddof or 0 in a.shape or a.dtype.kind != "f":
        return NotImplemented
    # Far from zero, the mean of the differences from one element has more digits.
    a = a - a[tuple(slice(0, 1) if k in axes else slice(None) for k in range(a.ndim))]
    centred = a - np.sum(a, axis=axes, keepdims=True) / n
    return np.sum(centred * centred, axis=axes, keepdims=keepdims) / (n - ddof)


def _vander(x: Any, N: Any = None, increasing: bool = False) -> Any:
    columns: list[Any] = [x**0]
    for _ in range((x.shape[0] if N is None else N) - 1):
        columns.append(columns[-1] * x)
    return np.stack(columns if increasing else columns[::-1], axis=1)


def _round(a: Any, decimals: int = 0) -> Any:
    if a.dtype.kind != "f":
        return a if decimals >= 0 else NotImplemented
    if decimals >= 0:
        return np.rint(a * 10.0**decimals) / 10.0**decimals
    return np.rint(a / 10.0**-decimals) * 10.0**-decimals


def _reshape(a: Any, shape: Any) -> Any:
    if not a.shape:
        return a[(None,) * (len(shape) if isinstance(shape, tuple) else 1)]
    return np.reshape(a, (-1,))[0] if shape in ((), []) else NotImplemented


def _concatenate(parts: Any, axis: Any = 0) -> Any:
    if axis is not None:
        return NotImplemented
    return np.concatenate([np.reshape(x, (-1,)) for x in parts], axis=0)


def _reduced(fn: str) -> Form:
    """A reduction of booleans, of one number, over no axis, or the largest of integers."""

    def form(a: Any, axis: Any = None, keepdims: bool = False) -> Any:
        if not a.ndim or axis == ():
            return a
        if a.dtype.kind == "b" and fn in ("max", "min"):
            return getattr(np, {"max": "any", "min": "all"}[fn])(a, axis=axis, keepdims=keepdims)
        if a.dtype.kind in "iu" and fn in ("max", "min"):
            # Only floats have an infinity to start from.
            return getattr(np, fn)(a.astype(np.float64), axis=axis, keepdims=keepdims)
        return NotImplemented

    return form


FORMS: dict[str, Form] = {
    "[]": getitem,
    "add_at": add_at,
    "add_each_at": add_each_at,
    "np.take_along_axis": take_along_axis,
    "np.flip": _flip,
    "np.roll": _roll,
    "np.tile": _tile,
    "np.tril": _triangle(np.tril),
    "np.triu": _triangle(np.triu),
    "np.moveaxis": lambda a, source, destination: np.transpose(
        a, [n - 1 for n in np.moveaxis(np.empty(range(1, a.ndim + 1)), source, destination).shape]
    ),
    "np.expand_dims": lambda a, axis: np.reshape(a, np.expand_dims(np.empty(a.shape), axis).shape),
    "np.squeeze": lambda a, axis=None: np.reshape(a, np.squeeze(np.empty(a.shape), axis).shape),
    "np.transpose": lambda a, axes: np.transpose(a, tuple(axes)),
    "np.copy": lambda a: a[...],
    "np.reshape": _reshape,
    "np.concatenate": _concatenate,
    "np.all": _all_or_any("all"),
    "np.any": _all_or_any("any"),
    "np.max": _reduced("max"),
    "np.min": _reduced("min"),
    "np.add.reduce": _reduced("add"),
    "np.prod": _reduced("prod"),
    "np.einsum": _einsum,
    "np.matmul": _matmul,
    "np.tensordot": _tensordot,
    "np.outer": _outer,
    "np.kron": _kron,
    "np.trace": _trace,
    "np.mean": _mean,
    "np.var": _of_floats(_var),
    "np.std": _of_floats(SHARED["std"]),
    "np.vander": _vander,
    "vander": _vander,
    "np.round": _round,
    "np.linalg.multi_dot": lambda arrays: reduce(np.matmul, arrays),
    **{f"np.{name}": _along_axis(name, -1) for name in ("argsort", "sort")},
    **{f"np.{name}": _along_axis(name, None) for name in ("argmax", "argmin", "cumsum", "cumprod")},
}
"""The forms of calls for which loops need other terms; they are asked only where that is so."""
