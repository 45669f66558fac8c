"""A program in terms that other libraries share with NumPy: dtypes and directions made explicit.

NumPy promotes int64 and float32 to float64, JAX to float32; PyTorch has no negative steps. What
follows is the same for every library: operands are cast to the dtype in which NumPy computes,
slices go forwards, and operations that look at values have a form without branches.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Container, Mapping, Sequence
from typing import Any

import numpy as np

from autograd_lite.expressions.expr import (
    ARGUMENT,
    CONSTANT,
    LOOP,
    PARAMETER,
    Builder,
    Expr,
    dtype_of,
    function_of,
    in_order,
    inputs_of,
    replaced,
)
from autograd_lite.expressions.loops import everything
from autograd_lite.expressions.lower import on_symbols
from autograd_lite.expressions.printer import HOMES
from autograd_lite.op import OPS
from autograd_lite.ops import quantiles

__all__ = ["FORMS", "Form", "adapted", "along", "recurrence"]

Form = Callable[..., Any]

SHARED = {
    *("np.concatenate", "np.stack", "np.matmul", ".dot", "np.outer", "np.kron", "np.tensordot"),
    *("np.einsum", "np.cross", "np.add.reduce", "np.prod", "np.cumsum", "np.cumprod", "np.var"),
}
"""Functions whose operands are cast to the dtype of the result."""


def adapted(
    roots: Sequence[Any],
    b: Builder,
    known: Container[Expr],
    arrays_only: Container[str],
    forms: Mapping[str, Form],
) -> list[Any]:
    """The results of a program, rewritten.

    Args:
        roots: the results.
        b: the builder.
        known: what is not computed, such as the arguments.
        arrays_only: the functions that do not accept Python numbers.
        forms: for functions and operations, what computes the same on symbols.
    """
    # A form takes the identity for a matrix of NaN, and so has an inverse.
    order = everything(roots)
    b.know([x for x in order if x.fn in (ARGUMENT, PARAMETER)], np.nan)
    levels = [x.args[1] for x in order if x.fn in ("np.quantile", "np.nanquantile")]
    b.know([x for x in in_order(levels) if x.fn in (ARGUMENT, PARAMETER)], 0.5)  # for an index
    made = _Adapter(b, arrays_only, forms).changed(roots, known)
    b.forget()
    return made


class _Adapter:
    def __init__(self, b: Builder, arrays_only: Container[str], forms: Mapping[str, Form]) -> None:
        self.b, self.arrays_only, self.forms = b, arrays_only, forms

    def changed(self, roots: Sequence[Any], known: Container[Expr] = ()) -> list[Any]:
        """The roots, rewritten."""
        new: dict[Expr, Any] = {}

        def replace(x: Expr) -> Any:
            return new.get(x, x)

        for x in in_order(roots, known):
            args = replaced(x.args, replace)
            keywords = {k: replaced(value, replace) for k, value in x.keywords.items()}
            new[x] = self._call(x, args, keywords)
            if x in self.b.names and isinstance(new[x], Expr):
                self.b.names.setdefault(new[x], self.b.names[x])
        return [replaced(root, replace) for root in roots]

    def _call(self, x: Expr, args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
        """One call with new arguments."""
        b = self.b
        if x.fn == LOOP:
            return b.like(x, (args[0].changed(self.changed, b), *args[1:]), keywords)
        if x.fn in (ARGUMENT, CONSTANT, PARAMETER, "list"):
            return b.like(x, args, keywords) if x.args else x
        if x.fn in self.forms:
            form = on_symbols(self.forms[x.fn], args, keywords, b)
            if form is not NotImplemented:
                known, plain = set(inputs_of([args])), _Adapter(b, self.arrays_only, {})
                return _cast(plain.changed([form], known)[0], x.dtype, b)
        if x.fn == ".T" and x.ndim != 2:
            axes = tuple(range(x.ndim))[::-1]
            return args[0] if x.ndim < 2 else b.call_of("np.transpose", (args[0], axes), x)
        if x.fn == "[]" and x.shape is not None:
            key, flipped = _forwards(_with_int64(args[1], b), args[0].shape)
            return _flipped(b.call_of("[]", (args[0], key), x), flipped, b)
        if x.fn == "take_along_axis":
            arguments = args[0], _with_int64(args[1], b), keywords.get("axis", -1)
            return b.call_of("np.take_along_axis", arguments, x)
        if x.fn in ("add_at", "add_along_axis"):
            return self._added(x, args, **keywords)
        if x.fn in ("np.linalg.eigh", "np.linalg.eigvalsh"):
            args = args[0], *(side.upper() for side in args[1:])
        return b.like(x, self._promoted(x, args), keywords)

    def _added(
        self,
        x: Expr,
        args: tuple[Any, ...],
        key: Any = (),
        shape: tuple[int, ...] = (),
        axis: int = -1,
    ) -> Expr:
        """Addition at an index, or at indices along an axis, as addition at an index."""
        if x.fn == "add_along_axis":
            key = along(args[1], shape, axis % len(shape))
        key, flipped = _forwards(_with_int64(key, self.b), shape)
        g = _flipped(args[0], flipped, self.b)
        keywords = {"key": key, "shape": shape}
        return self.b._call("add_at", (g,), keywords, (x.shape, x.dtype))

    def _promoted(self, x: Expr, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """The arguments in the dtypes in which NumPy computes."""
        b = self.b
        function = function_of(x.fn) if x.fn.startswith(HOMES) else None
        if isinstance(function, np.ufunc) and not x.keywords:
            dtypes = function.resolve_dtypes((*map(dtype_of, args), *(None,) * function.nout))
            args = tuple(
                _operand(x, y, dtype, args, b) for y, dtype in zip(args, dtypes, strict=False)
            )
            if x.fn in self.arrays_only:
                args = tuple(
                    y if isinstance(y, Expr) else b.constant(np.asarray(y, dtype))
                    for y, dtype in zip(args, dtypes, strict=False)
                )
            return args
        if x.fn == "np.where":
            condition, *branches = args
            if not any(isinstance(y, Expr) for y in branches):
                branches[0] = b.constant(np.asarray(branches[0], x.dtype))
            return _cast(condition, bool, b), *(_cast(y, x.dtype, b) for y in branches)
        if x.fn in SHARED:
            return tuple(replaced(args, lambda y: _cast(y, x.dtype, b)))
        if x.fn.startswith("np.linalg."):
            dtype = np.result_type(*(y.dtype for y in inputs_of(args)))
            dtype = dtype if dtype.kind == "f" else np.dtype(float)
            return tuple(replaced(args, lambda y: _cast(y, dtype, b)))
        return args


def _operand(x: Expr, y: Any, dtype: Any, args: Sequence[Any], b: Builder) -> Any:
    """An operand of an elementwise function, cast unless it is a boolean beside that dtype."""
    if not isinstance(y, Expr) or y.dtype == dtype:
        return y
    others = any(isinstance(z, Expr) and z.dtype == dtype for z in args)
    if y.dtype.kind == "b" and others and x.fn in ("np.multiply", "np.add"):
        return y
    return _cast(y, dtype, b)


def _cast(x: Any, dtype: Any, b: Builder) -> Any:
    if not isinstance(x, Expr) or dtype is None or x.shape is None or x.dtype == dtype:
        return x
    if x.fn == CONSTANT:
        return b.constant(x.value.astype(dtype))
    return b._call(".astype", (x, np.dtype(dtype)), {}, (x.shape, np.dtype(dtype)))


def _with_int64(key: Any, b: Builder) -> Any:
    """A key whose arrays of integers are int64, since PyTorch takes uint8 for booleans."""
    if isinstance(key, tuple):
        return tuple(_with_int64(part, b) for part in key)
    if isinstance(key, Expr) and key.dtype.kind in "iu":
        return _cast(key, np.int64, b)
    if isinstance(key, (np.ndarray, list)):
        key = np.asarray(key)
        return b.constant(key.astype(np.int64) if key.dtype.kind in "iu" else key)
    return key


def _forwards(key: Any, shape: Sequence[int]) -> tuple[Any, tuple[int, ...]]:
    """A key with positive steps, and the axes of what it selects that are then to be flipped."""
    parts = key if isinstance(key, tuple) else (key,)
    if not any(isinstance(part, slice) and (part.step or 1) < 0 for part in parts):
        return key, ()
    if any(isinstance(part, Expr) for part in parts):
        return key, ()  # refused when it is written
    counted = sum(part is not None and part is not Ellipsis for part in parts)
    new: list[Any] = []
    flipped: list[int] = []
    axis = place = 0
    for part in parts:
        if part is None:
            place += 1
        elif part is Ellipsis:
            axis += len(shape) - counted
            place += len(shape) - counted
        else:
            if isinstance(part, slice):
                where = range(shape[axis])[part]
                if where.step < 0:
                    part = slice(where[-1], where[0] + 1, -where.step) if where else slice(0, 0)
                    flipped.append(place)
                place += 1
            axis += 1
        new.append(part)
    return (tuple(new) if isinstance(key, tuple) else new[0]), tuple(flipped)


def _flipped(x: Any, axes: tuple[int, ...], b: Builder) -> Any:
    return b.call_of("np.flip", (x, axes), x) if axes else x


# Forms without branches


def _norm(x: Any, ord: Any = 2, axis: Any = None, keepdims: bool = False) -> Any:
    if ord <= 0 or 0 in x.shape:
        return NotImplemented
    size = np.abs(x)
    peak = np.max(size, axis=axis, keepdims=True)
    peak = np.where(np.logical_and(peak > 0, peak < np.inf), peak, 1)
    powers = np.sum((size / peak) ** ord, axis=axis, keepdims=True)
    length = (np.sqrt(powers) if ord == 2 else powers ** (1 / ord)) * peak
    return length if keepdims else _without(length, axis)


def _std(a: Any, axis: Any = None, ddof: Any = 0, keepdims: bool = False) -> Any:
    axes = tuple(k % a.ndim for k in _axes(axis, a.ndim)) if a.ndim else ()
    n = math.prod(a.shape[k] for k in axes)
    if n <= ddof or 0 in a.shape or a.dtype.kind != "f":
        return NotImplemented
    # Far from zero, the mean of the differences from one element has more digits.
    first = a[tuple(slice(0, 1) if k in axes else slice(None) for k in range(a.ndim))]
    a = a - first
    centred = a - np.sum(a, axis=axis, keepdims=True) / n
    return _norm(centred, 2, axis, keepdims) / math.sqrt(n - ddof)


def _logsumexp(a: Any, e: Any, total: Any, axis: Any = None, keepdims: bool = False) -> Any:
    return OPS["logsumexp"].forward(a, axis=axis, keepdims=keepdims)


def _cross_entropy(logits: Any, labels: Any, reduction: str = "mean") -> Any:
    peak = np.max(logits, axis=-1, keepdims=True)
    logits = logits - np.where(np.isfinite(peak), peak, 0)
    logs = logits - np.log(np.sum(np.exp(logits), axis=-1, keepdims=True))
    if labels.ndim == logits.ndim:
        losses = -np.sum(np.where(labels == 0, 0, labels * logs), axis=-1)
    else:  # NaN for what is no class, where NumPy's form raises an error
        inside = np.logical_and(labels >= 0, labels < logits.shape[-1])
        taken = np.where(inside, labels, 0)[..., None]
        losses = np.where(inside, -np.take_along_axis(logs, taken, axis=-1)[..., 0], np.nan)
    if reduction == "none":
        return losses
    return np.sum(losses) / (max(losses.size, 1) if reduction == "mean" else 1)


def along(indices: Any, shape: Sequence[int], axis: int) -> tuple[Any, ...]:
    return tuple(
        indices if k == axis else np.arange(n).reshape((n,) + (1,) * (len(shape) - k - 1))
        for k, n in enumerate(shape)
    )


def recurrence(a: Any, c: Any, axis: int = 0) -> Any:
    """The recurrence in steps that double, each of which combines two halves."""
    dtype = np.result_type(a.dtype, c.dtype)
    total, factor, step = a.astype(dtype), c.astype(dtype), 1

    def part(x: Any, start: int | None, stop: int | None) -> Any:
        return x[(slice(None),) * (axis % a.ndim) + (slice(start, stop),)]

    while step < a.shape[axis]:
        grown = part(total, step, None) + part(factor, step, None) * part(total, 0, -step)
        product = part(factor, step, None) * part(factor, 0, -step)
        total = np.concatenate([part(total, 0, step), grown], axis=axis)
        factor = np.concatenate([part(factor, 0, step), product], axis=axis)
        step *= 2
    return total


def _of_finite(function: Form, core: int = 2, read: str = "") -> Form:
    """A function of matrices that gives NaN for those with a NaN or an infinity."""

    def form(a: Any, *others: Any, **keywords: Any) -> Any:
        side = str(keywords.get("UPLO", read)).upper()
        seen = np.tril(a) if side == "L" else np.triu(a) if side == "U" else a
        fine = np.all(np.isfinite(seen), axis=(-2, -1), keepdims=True)
        found = function(np.where(fine, a, np.eye(a.shape[-1])), *others, **keywords)
        last = 1 if others and getattr(others[0], "ndim", 2) == 1 else core
        return np.where(fine[(..., *(0,) * (2 - last))], found, np.nan)

    return form


def _eigvalsh(a: Any, UPLO: str = "L") -> Any:
    return np.linalg.eigvalsh(a, "U" if UPLO.upper() == "U" else "L")


def _axes(axis: Any, ndim: int) -> tuple[int, ...]:
    if axis is None:
        return tuple(range(ndim))
    return axis if isinstance(axis, tuple) else (axis,)


def _without(x: Any, axis: Any) -> Any:
    axes = {k % x.ndim for k in _axes(axis, x.ndim)} if x.ndim else set()
    return x[tuple(0 if k in axes else slice(None) for k in range(x.ndim))]


FORMS: dict[str, Form] = {
    "norm": _norm,
    "std": _std,
    "logsumexp_of_exp": _logsumexp,
    "cross_entropy": _cross_entropy,
    "recurrence": recurrence,
    "inv": _of_finite(np.linalg.inv),
    "solve": _of_finite(np.linalg.solve),
    "cholesky": _of_finite(np.linalg.cholesky, read="L"),
    "eigvalsh": _of_finite(_eigvalsh, core=1, read="L"),
    "det": _of_finite(np.linalg.det, core=0),
    "det_sign": _of_finite(lambda a: np.linalg.slogdet(a)[0], core=0),
    "log_abs_det": _of_finite(lambda a: np.linalg.slogdet(a)[1], core=0),
    **quantiles.FORMS,
}
"""Operations that look at values, written without branches."""
