"""Expressions: a program as immutable calls of NumPy functions, in which equal calls are one."""

from __future__ import annotations

import operator
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import count
from typing import Any

import numpy as np

from autograd_lite.op import OPS
from autograd_lite.ops.special import special

__all__ = [
    "Builder",
    "Expr",
    "Place",
    "alike",
    "evaluated",
    "exact",
    "function_of",
    "in_order",
    "inputs_of",
    "is_number",
    "key_of_call",
    "replaced",
    "with_inputs",
]

ARGUMENT, CONSTANT, PARAMETER, LOOP = "argument", "constant", "parameter", "loop"

# What is written with a method or brackets rather than as a function of NumPy.
METHODS: dict[str, Callable[..., Any]] = {
    ".T": lambda x: x.T,
    "[]": operator.getitem,
    ".astype": lambda x, dtype: x.astype(dtype),
    ".dot": lambda a, b: a.dot(b),
    "list": lambda *parts: [x for part in parts for x in (part if type(part) is list else [part])],
}


_count = count().__next__

Place = tuple[str, int]
"""A file and a line."""


class Expr:
    """A call with its arguments and keywords, or an argument, a constant, a parameter of a loop.

    Arguments are other expressions, Python numbers (which NumPy promotes weakly), plain values,
    and tuples of all these. Expressions of one `Builder` are equal only if they are identical.

    Attributes:
        fn: a path such as ``"np.exp"`` or ``"special.erf"``, a name in `METHODS`, or the name of an
            operation that is not, or not yet, taken apart into functions with a path.
        shape, dtype: of the result; None for a result that is a tuple.
        interval: what `bounds` found, so that it is found once.
        number: larger than the numbers of all expressions created before.
        line: the file and line of the user's program that it belongs to, if it was recorded.
        origin: the operation of the graph that it comes from, or "".
    """

    __slots__ = (
        *("args", "dtype", "fn", "inputs", "interval", "keywords", "line", "number", "origin"),
        "shape",
        "value",
    )

    fn: str
    args: tuple[Any, ...]
    keywords: dict[str, Any]
    shape: Any
    dtype: Any
    value: Any

    def __init__(
        self,
        fn: str,
        args: tuple[Any, ...],
        keywords: Mapping[str, Any],
        shape: Any,
        dtype: Any,
        value: Any = None,
    ) -> None:
        self.fn, self.args, self.keywords = fn, args, dict(keywords)
        self.shape, self.dtype, self.value = shape, dtype, value
        self.interval: tuple[float, float] | None = None
        self.number: int = _count()
        self.line: Place | None = None
        self.origin: str = ""
        self.inputs: tuple[Expr, ...] = tuple(inputs_of([*args, *keywords.values()]))

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def size(self) -> int:
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def nbytes(self) -> int:
        return 0 if self.shape is None else self.size * int(self.dtype.itemsize)

    def __repr__(self) -> str:
        shown = ", ".join(x.fn if isinstance(x, Expr) else repr(x) for x in self.args)
        return f"{self.fn}({shown}) {self.shape} {self.dtype}"


def inputs_of(form: Any) -> list[Expr]:
    """The expressions in nested tuples and lists, in order."""
    if type(form) is Expr:
        return [form]
    found: list[Expr] = []
    if isinstance(form, (tuple, list)):
        for part in form:
            if type(part) is Expr:
                found.append(part)
            elif isinstance(part, (tuple, list)):
                found += inputs_of(part)
    return found


def replaced(form: Any, replace: Callable[[Expr], Any]) -> Any:
    """The nested tuples and lists with every expression replaced."""
    if type(form) is Expr:
        return replace(form)
    if type(form) in (tuple, list):
        return type(form)(
            [replace(part) if type(part) is Expr else replaced(part, replace) for part in form]
        )
    return form


def in_order(roots: Iterable[Any], known: Container[Expr] = ()) -> list[Expr]:
    """Every expression that the roots depend on, in an order in which inputs come first.

    What is known, and what only that is made from, is left out.
    """
    order: dict[Expr, None] = {}
    stack = [x for x in reversed(inputs_of([*roots])) if x not in known]
    while stack:
        expr = stack[-1]
        if expr in order:
            stack.pop()
            continue
        missing = [x for x in reversed(expr.inputs) if x not in order and x not in known]
        if missing:
            stack += missing
        else:
            order[expr] = None
            stack.pop()
    return [*order]


def is_number(x: Any, value: float | None = None) -> bool:
    """Whether an argument is a Python number; with a value, whether it is that number."""
    return type(x) in (int, float, bool) and (value is None or x == value)


@lru_cache(maxsize=1024)
def function_of(fn: str) -> Callable[..., Any]:
    """The function that computes a call."""
    if fn in METHODS:
        return METHODS[fn]
    if fn.startswith("np."):
        return operator.attrgetter(fn[3:])(np)  # type: ignore[no-any-return]
    if fn.startswith("special."):
        return getattr(special, fn[8:])  # type: ignore[no-any-return]
    return OPS[fn]


def evaluated(roots: Sequence[Any], values: dict[Expr, Any]) -> list[Any]:
    """The values of expressions for given arguments, arrays or Tensors.

    Each call is computed once; `values` holds its result afterwards.
    """
    with np.errstate(all="ignore"):
        for x in in_order(roots, values):
            if x.fn == CONSTANT:
                values[x] = x.value
            else:
                args = replaced(x.args, values.__getitem__)
                keywords = {k: replaced(v, values.__getitem__) for k, v in x.keywords.items()}
                values[x] = function_of(x.fn)(*args, **keywords)
    return [values[x] if isinstance(x, Expr) else x for x in roots]


class Builder:
    """Creates expressions with their shapes and dtypes; equal calls give the same object.

    Attributes:
        names: the names that the user gave to expressions.
        origins: the functions whose results are parameters of loops, or are taken from loops.
        live: the expressions of the program that is being rewritten.
        line: the file and line of the user's program that new expressions belong to.
        origin: the operation of the graph that they come from.
        finite: whether an expression is finite, as far as it was asked, if all arguments are, and
            whatever they are.
    """

    def __init__(self) -> None:
        self._made: dict[Any, Expr] = {}
        self._kept: list[Any] = []
        self._values: dict[Expr, Any] = {}
        self._first: dict[Expr, Expr] = {}
        self.names: dict[Expr, str] = {}
        self.origins: dict[Expr, str] = {}
        self.live: set[Expr] = set()
        self.line: Place | None = None
        self.origin: str = ""
        self._settled: dict[Any, tuple[Any, dict[Expr, Any]]] = {}
        self.finite: dict[bool, dict[Expr, bool]] = {True: {}, False: {}}

    def argument(self, value: Any, name: str) -> Expr:
        """A new argument of the program."""
        expr = Expr(ARGUMENT, (), {}, value.shape, value.dtype)
        self._values[expr], self.names[expr] = value, name
        return expr

    def parameter(self, first: Any, fn: str | None = None) -> Expr:
        """A new parameter of a loop.

        Args:
            first: the expression or the number that it is in the first step.
            fn: the function whose results it is in all steps, if it is one.
        """
        if not isinstance(first, Expr):
            expr = Expr(PARAMETER, (), {}, (), np.dtype(type(first)))
            self._values[expr] = first
            return expr
        expr = Expr(PARAMETER, (), {}, first.shape, first.dtype)
        self._first[expr] = first
        if fn is not None:
            self.origins[expr] = fn
        if first in self.names:
            self.names[expr] = self.names[first]
        return expr

    def constant(self, value: Any) -> Expr:
        """A constant array of the program."""
        value = np.asarray(value)
        small = value.size <= 16
        key = (CONSTANT, value.dtype, value.shape, value.tobytes() if small else id(value))
        if key not in self._made:
            self._kept.append(value)
            self._made[key] = Expr(CONSTANT, (), {}, value.shape, value.dtype, value)
        return self._made[key]

    def filled(self, value: Any) -> Expr:
        """A constant; an array with equal elements becomes a broadcast scalar."""
        first = value.flat[0] if value.ndim and value.size else None
        if first is None or value.tobytes() != first.tobytes() * value.size:
            return self.constant(value)
        return self.call("np.broadcast_to", self.constant(first), value.shape)

    def ones(self, n: int, dtype: Any) -> Expr:
        """A vector of ones, one constant for each length."""
        if ("ones", n, dtype) not in self._made:
            self._made["ones", n, dtype] = self.constant(np.ones(n, dtype))
        return self._made["ones", n, dtype]

    def call(self, fn: str, *args: Any, **keywords: Any) -> Expr:
        """The call of a function; equal calls give the same expression."""
        return self._call(fn, args, keywords)

    def like(self, expr: Expr, args: tuple[Any, ...], keywords: dict[str, Any]) -> Expr:
        """The call with other arguments of the same shapes, on the same line."""
        self.line, self.origin = expr.line, expr.origin
        if args == expr.args and keywords == expr.keywords:
            return expr
        return self._call(expr.fn, args, keywords, (expr.shape, expr.dtype))

    def call_of(self, fn: str, args: tuple[Any, ...], like: Expr) -> Expr:
        """The call of a function whose result has the shape and dtype of an expression."""
        return self._call(fn, args, {}, (like.shape, like.dtype))

    def _call(
        self, fn: str, args: tuple[Any, ...], keywords: dict[str, Any], form: Any = None
    ) -> Expr:
        key = key_of_call(fn, args, keywords)
        expr = self._made.get(key)
        if expr is None:
            shape, dtype = form or self._infer(fn, args, keywords)
            expr = self._made[key] = Expr(fn, args, keywords, shape, dtype)
            expr.line, expr.origin = self.line, self.origin
            self._kept.append((args, keywords))
        return expr

    def forget(self) -> None:
        """Release the values of the trace."""
        self._values.clear()
        self._first.clear()

    def know(self, arguments: Iterable[Expr], value: float = 1.0) -> None:
        """Take a number, and 0 for integers, as the values of arguments, where only their shapes
        and dtypes matter."""
        self._values |= {
            x: np.full(x.shape, 0 if x.dtype.kind in "iu" else value, x.dtype) for x in arguments
        }

    def settled_by(self, rules: Any, fold: bool) -> dict[Expr, Any]:
        """What a table of rules made of each expression so far."""
        return self._settled.setdefault((id(rules), fold), (rules, {}))[1]

    def known(self, fn: str, *args: Any) -> Expr | None:
        """The call, if the program being rewritten contains it; otherwise None."""
        expr = None if None in args else self._made.get(key_of_call(fn, args, {}))
        return expr if expr in self.live else None

    def value(self, expr: Expr) -> Any:
        """The value of an expression for the arguments of the trace, in the first step of loops."""
        for x in in_order([expr], self._values):
            if x in self._first:
                self._values[x] = self.value(self._first[x])
        return evaluated([expr], self._values)[0]

    def _infer(self, fn: str, args: tuple[Any, ...], keywords: dict[str, Any]) -> tuple[Any, Any]:
        """The shape and dtype of a call; if possible, without computing it."""
        function = function_of(fn)
        if isinstance(function, np.ufunc) and not function.signature and not keywords:
            return _form_of(function, tuple(map(shape_of, args)), tuple(map(dtype_of, args)))
        if fn in _CHEAP:
            dummies = replaced(args, _dummy)
            result = function(*dummies, **keywords)
            return result.shape, result.dtype
        if fn in ("np.matmul", ".dot"):
            a, b = args
            shape = (*a.shape[:-1], *b.shape[:-2], *b.shape[-1:]) if b.ndim > 1 else a.shape[:-1]
            if max(a.ndim, b.ndim) <= 2:
                return (shape if a.ndim > 1 else b.shape[1:]), np.result_type(a.dtype, b.dtype)
        if fn == "np.where":
            return np.broadcast_shapes(*(shape_of(x) for x in args)), np.result_type(
                *(x.dtype if isinstance(x, Expr) else x for x in args[1:])
            )
        if fn == "np.add.reduce":
            small = np.add.reduce(np.zeros((1,) * args[0].ndim, args[0].dtype), **keywords)
            axis = keywords.get("axis", 0)
            axes = range(args[0].ndim) if axis is None else np.atleast_1d(axis) % args[0].ndim
            keep = keywords.get("keepdims", False)
            shape = (
                (1 if k in axes else n)
                for k, n in enumerate(args[0].shape)
                if keep or k not in axes
            )
            return tuple(shape), small.dtype
        values = replaced(args, self.value)
        with np.errstate(all="ignore"):
            result = function(*values, **{k: replaced(v, self.value) for k, v in keywords.items()})
        if isinstance(result, (tuple, list)):
            return None, None
        return np.shape(result), np.asarray(result).dtype


# Functions that only look at their operand in another way, and so cost nothing on a dummy.
_CHEAP = {".T", "np.broadcast_to", "np.expand_dims", "np.transpose", "np.swapaxes", "np.squeeze"}


@lru_cache(maxsize=4096)
def _form_of(ufunc: Any, shapes: Any, dtypes: Any) -> tuple[Any, Any]:
    """The shape and dtype of an elementwise result."""
    return (
        np.broadcast_shapes(*shapes),
        ufunc.resolve_dtypes((*dtypes, *(None,) * ufunc.nout))[-1],
    )


def _dummy(expr: Expr) -> Any:
    return np.broadcast_to(np.zeros((), expr.dtype), expr.shape)


def shape_of(x: Any) -> tuple[int, ...]:
    """The shape of an argument, () for a number."""
    return x.shape if isinstance(x, Expr) else np.shape(x)


def dtype_of(x: Any) -> Any:
    """The dtype of an argument for NumPy's promotion; a Python number gives its type."""
    if isinstance(x, Expr):
        return x.dtype
    return type(x) if type(x) in (int, float) else np.asarray(x).dtype


def alike(form: Any, other: Any) -> bool:
    """Whether two nested forms are equal; arrays are compared by their elements."""
    return bool(exact(form) == exact(other))


def key_of_call(fn: str, args: tuple[Any, ...], keywords: Mapping[str, Any]) -> Any:
    """A key that is equal for equal calls."""
    given = [x if type(x) is Expr else exact(x) for x in args]
    named = [(k, exact(keywords[k])) for k in sorted(keywords)] if keywords else ()
    return (fn, *given, *named)


def exact(form: Any) -> Any:
    """A key that is equal only for values that no function can tell apart.

    So 1, 1.0 and True, -0.0 and 0.0, and range(0, 0) and range(5, 5) have different keys.
    """
    if isinstance(form, Expr):
        return form
    if isinstance(form, (tuple, list)):
        return (type(form), *map(exact, form))
    if isinstance(form, slice):
        return (slice, exact(form.start), exact(form.stop), exact(form.step))
    if isinstance(form, float):
        return (type(form), form.hex())
    if isinstance(form, (np.ndarray, np.generic)):
        return (type(form), form.dtype, form.shape, form.tobytes())
    if isinstance(form, complex):
        return (type(form), exact(form.real), exact(form.imag))
    if isinstance(form, range):
        return (range, form.start, form.stop, form.step)
    if isinstance(form, frozenset):
        return (type(form), frozenset(map(exact, form)))
    return (type(form), form)


def with_inputs(expr: Expr, b: Builder, replace: Callable[[Expr], Any]) -> Expr:
    """The same call with its inputs replaced; it keeps its name."""
    for x in expr.inputs:
        if replace(x) is not x:
            break
    else:
        return expr
    inputs = {x: replace(x) for x in expr.inputs}
    keywords = {k: replaced(value, inputs.__getitem__) for k, value in expr.keywords.items()}
    new = b.like(expr, replaced(expr.args, inputs.__getitem__), keywords)
    if expr in b.names:
        b.names.setdefault(new, b.names[expr])
    return new
