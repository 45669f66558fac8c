"""From a graph to expressions: the forward of each operation runs once on symbols."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.mixins import NDArrayOperatorsMixin

from autograd_lite.expressions.expr import CONSTANT, Builder, Expr, function_of, replaced
from autograd_lite.graph import Graph
from autograd_lite.ops.special import special
from autograd_lite.signatures import defaults_of

__all__ = ["KEPT", "Symbol", "as_numpy", "expanded", "from_graph", "on_symbols", "unwrapped"]

KEPT = {"sigmoid", "softplus"}
"""Operations that rewrite rules refer to; they are expanded afterwards."""


class NotSymbolicError(Exception):
    """A forward needs a real array; the operation remains a single call."""


class Symbol(NDArrayOperatorsMixin):
    """Replaces an array while a forward runs: each NumPy call becomes an expression."""

    __slots__ = ("builder", "expr")

    expr: Expr
    builder: Builder

    def __init__(self, expr: Expr, builder: Builder) -> None:
        self.expr, self.builder = expr, builder

    shape = property(lambda self: self.expr.shape)
    dtype = property(lambda self: self.expr.dtype)
    ndim = property(lambda self: len(self.expr.shape))
    size = property(lambda self: self.expr.size)

    @property
    def T(self) -> Any:
        return self._made(".T", self)

    def astype(self, dtype: Any) -> Any:
        return self if self.dtype == dtype else self._made(".astype", self, np.dtype(dtype))

    def __getitem__(self, key: Any) -> Any:
        parts = key if isinstance(key, tuple) else (key,)
        plain = tuple(int(part) if isinstance(part, np.integer) else part for part in parts)
        return self._made("[]", self, plain if isinstance(key, tuple) else plain[0])

    def __iter__(self) -> Iterator[Any]:
        if self.shape is not None:
            raise NotSymbolicError
        return (self[k] for k in range(len(self.builder.value(self.expr))))

    def __len__(self) -> int:
        if not self.shape:
            raise NotSymbolicError
        return int(self.shape[0])

    def _refuse(self, *_: Any, **__: Any) -> Any:
        raise NotSymbolicError

    __array__ = __bool__ = __float__ = __int__ = __index__ = __setitem__ = __contains__ = _refuse

    def __getattr__(self, name: str) -> Any:
        """A field of a named tuple."""
        fields = getattr(self.builder.value(self.expr), "_fields", ()) if self.shape is None else ()
        if name not in fields:
            raise NotSymbolicError(name)
        return self[fields.index(name)]

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
        if keywords.get("out") is not None or ufunc.nout > 1:
            raise NotSymbolicError
        home, name = "np", ufunc.__name__
        if getattr(np, name, None) is not ufunc:
            home = "special"
            if getattr(special, name, None) is not ufunc:
                raise NotSymbolicError(name)
        name = f"{home}.{name}" + ("" if method == "__call__" else f".{method}")
        return self._made(name, *inputs, **keywords)

    def __array_function__(self, function: Any, types: Any, args: Any, keywords: Any) -> Any:
        if function in _ABOUT:
            return getattr(args[0], _ABOUT[function])
        module = getattr(function, "__module__", None) or "numpy"
        args, keywords = _without_defaults(function, args, keywords)
        return self._made(
            f"np{module.removeprefix('numpy')}.{function.__name__}", *args, **keywords
        )

    def _made(self, fn: str, *args: Any, **keywords: Any) -> Any:
        try:
            function_of(fn)
        except (AttributeError, KeyError):
            raise NotSymbolicError(fn) from None
        keywords = {k: v for k, v in keywords.items() if v is not np._NoValue}
        if fn == "np.sum":
            fn = "np.add.reduce"
            keywords = {"axis": None} | keywords
        elif fn == "np.transpose" and len(args) == 1 and keywords.get("axes") is None:
            fn, keywords = ".T", {}
        if not keywords.get("keepdims", True):
            del keywords["keepdims"]
        form = unwrapped((args, tuple(keywords.values())), self.builder)
        expr = self.builder.call(fn, *form[0], **dict(zip(keywords, form[1], strict=True)))
        return Symbol(expr, self.builder)


def _without_defaults(function: Any, args: Any, keywords: Any) -> tuple[Any, dict[str, Any]]:
    """The arguments of a call, without those that equal the default."""
    defaults = defaults_of(function)
    places = list(defaults.values())
    while 1 < len(args) <= len(places) and _is_default(args[-1], places[len(args) - 1]):
        args = args[:-1]
    return args, {k: v for k, v in keywords.items() if not _is_default(v, defaults.get(k, ...))}


def _is_default(value: Any, default: Any) -> bool:
    """Whether an argument equals the default."""
    return value is default if value is None else type(value) in (bool, str) and value == default


# The NumPy functions that return an attribute of a symbol.
_ABOUT = {np.shape: "shape", np.ndim: "ndim", np.size: "size"}


def unwrapped(form: Any, builder: Builder) -> Any:
    if isinstance(form, Symbol):
        return form.expr
    if type(form) in (tuple, list):
        return type(form)(unwrapped(part, builder) for part in form)
    if isinstance(form, np.ndarray):
        return builder.constant(form)
    if isinstance(form, np.generic) and form.dtype.kind in "biuf":
        return builder.constant(form)
    return form


def from_graph(
    graph: Graph, arguments: Sequence[Expr], builder: Builder, kept: Container[str] = KEPT
) -> list[Any]:
    """The expressions of a graph's outputs; `arguments` replace its inputs.

    An operation in `kept` remains a single call.
    """
    made: dict[Any, Any] = dict(zip(graph.inputs, arguments, strict=True))
    constants: list[Expr] = []
    for node in graph.nodes:
        if node in made:
            continue
        builder.line = node.line and node.line[:2]
        builder.origin = node.op.name if node.op is not None else ""
        if node.stable_form is not None:
            made[node] = made[node.stable_form]
        elif node.op is None:
            number = type(node.array) in (int, float, bool)
            made[node] = node.array if number else _held(np.array(node.array), constants, builder)
        else:
            operands = tuple(made[x] for x in node.inputs)
            made[node] = _applied(node, operands, builder, kept)
        if node.name is not None and isinstance(made[node], Expr):
            builder.names.setdefault(made[node], node.name)
    return [made[output] for output in graph.outputs]


def _held(value: Any, constants: list[Expr], builder: Builder) -> Expr:
    """An array that the function closes over, and that others may equal or complement.

    What NumPy computed before anything was traced, such as 1 − y, is seen for what it is.
    """
    if value.ndim and value.dtype.kind == "f":
        for other in constants:
            if (other.shape, other.dtype) != (value.shape, value.dtype):
                continue
            if value.tobytes() == other.value.tobytes():
                return other
            if np.array_equal(value, 1 - other.value):
                return builder.call("np.subtract", 1.0, other)
    # The label of one example is data, though all its elements are one number.
    single = value.ndim and value.size == 1
    made = builder.constant(value) if single else builder.filled(value)
    if made.fn == CONSTANT:
        constants.append(made)
    return made


def _applied(node: Any, operands: tuple[Any, ...], builder: Builder, kept: Container[str]) -> Any:
    if operands and not any(isinstance(x, Expr) for x in operands):
        # What Python's numbers give stays one, which NumPy promotes weakly.
        if type(node.array) in (int, float, bool):
            return node.array
        if isinstance(node.array, np.generic):
            return builder.constant(np.asarray(node.array))
    form = (None, None) if isinstance(node.array, tuple) else (node.shape, node.dtype)
    return as_numpy(node.op, operands, node.attributes, builder, form, kept)


def as_numpy(
    op: Any,
    operands: tuple[Any, ...],
    attributes: Mapping[str, Any],
    builder: Builder,
    form: Any = None,
    kept: Container[str] = KEPT,
) -> Any:
    """An operation as NumPy calls; an operation in `kept` remains a single call.

    Args:
        form: the shape and dtype of the result, where they are known.
    """
    attributes = {
        k: v for k, v in attributes.items() if not _is_default(v, op.signature.defaults.get(k, ...))
    }
    if op.arity is None:
        operands = (operands,)
    if isinstance(op.forward, np.ufunc):
        return builder.call(f"np.{op.forward.__name__}", *operands)
    if op.name == "astype" and isinstance(operands[0], Expr):
        dtype = attributes.get("dtype", op.signature.defaults["dtype"])
        return builder.call(".astype", operands[0], np.dtype(dtype))
    if op.name in kept:
        return builder._call(op.name, operands, attributes, form)
    return expanded(op, operands, attributes, form, builder)


def on_symbols(
    function: Callable[..., Any], args: Sequence[Any], keywords: Mapping[str, Any], builder: Builder
) -> Any:
    """What a function of arrays computes from expressions, as an expression."""

    def on_symbol(form: Any) -> Any:
        return replaced(form, lambda x: Symbol(x, builder))

    keywords = {name: on_symbol(value) for name, value in keywords.items()}
    return unwrapped(function(*on_symbol(tuple(args)), **keywords), builder)


def expanded(
    op: Any, operands: tuple[Any, ...], attributes: dict[str, Any], form: Any, builder: Builder
) -> Any:
    """An operation as NumPy calls: its forward runs on symbols. If that fails, it is one call."""

    def symbol(expr: Expr) -> Any:
        if expr.fn == CONSTANT and expr.dtype.kind in "iu" and op.name != "astype":
            return expr.value  # a forward may look at indices that are known
        return Symbol(expr, builder)

    forward = getattr(op.forward, "__wrapped__", op.forward)
    try:
        with np.errstate(all="ignore"):
            found = forward(*replaced(operands, symbol), **attributes)
    except Exception:  # whatever a symbol cannot do, the forward can do on arrays
        return builder._call(op.name, operands, attributes, form)
    if isinstance(found, tuple):
        return builder._call(op.name, operands, attributes, form)
    found = unwrapped(found, builder)
    expr = found if isinstance(found, Expr) else builder.constant(np.asarray(found))
    if form is not None and (expr.shape, expr.dtype) != form:
        return builder._call(op.name, operands, attributes, form)
    return expr
