"""The program of a function as an ONNX model."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autograd_lite.compiler.lengths import as_traced, distinct, telling
from autograd_lite.compiler.rewrite import rewrite, ufunc_of
from autograd_lite.compiler.signature import Leaf, Signature, Static, leaves_of
from autograd_lite.compiler.tracing import traced
from autograd_lite.exchange.to_onnx import array_forms, special_forms
from autograd_lite.exchange.to_onnx.forms import FORMS
from autograd_lite.exchange.to_onnx.nodes import KEPT, NODES
from autograd_lite.exchange.to_onnx.rows import DiffersError, Length, merged
from autograd_lite.exchange.to_onnx.writer import OPSET, NotInOnnxError, Writer, check_call
from autograd_lite.expressions.expr import CONSTANT, Builder, Expr, dtype_of, in_order
from autograd_lite.expressions.lower import from_graph, on_symbols
from autograd_lite.expressions.printer import HOMES
from autograd_lite.files import atomic
from autograd_lite.tensor import Tensor
from autograd_lite.trees import tree_map

assert array_forms, special_forms  # importing them enters their forms

__all__ = ["export"]

IR_VERSION = 8  # of the version of ONNX that has this opset
LENGTHS = 2, 5, 1009, 1013
LARGEST = 2**31 - 1  # bytes in a message of protocol buffers


def export(
    f: Callable[..., Any],
    args: Sequence[Any],
    path: str | os.PathLike[str],
    rows: str | Sequence[str],
    metadata: Mapping[str, str],
) -> None:
    """Write the program of a function; see `autograd_lite.onnx.export_onnx`."""
    onnx = _onnx()
    for key, text in metadata.items():
        if not isinstance(key, str) or not isinstance(text, str):
            raise TypeError(f"export_onnx: metadata are texts by name, not {key!r}: {text!r}")
    signature, titles = _signature(f, args)
    free = _free(signature, (rows,) if isinstance(rows, str) else tuple(rows))
    program = _for_any_length(f, signature, free) if free else Program(f, signature)
    model = _model(program, titles, getattr(f, "__name__", type(f).__name__))
    onnx.helper.set_model_props(model, dict(metadata))
    if sum(len(x.raw_data) for x in model.graph.initializer) > LARGEST:
        raise ValueError("export_onnx: an ONNX file holds at most 2 GiB of constants")
    onnx.checker.check_model(model, full_check=True)
    with atomic(path, "wb") as file:
        file.write(model.SerializeToString())


def _onnx() -> Any:
    try:
        import onnx
    except ImportError as error:
        raise ImportError(
            'export_onnx: needs the package onnx: pip install "autograd_lite[exchange]"'
        ) from error
    return onnx


def _signature(f: Callable[..., Any], args: Sequence[Any]) -> tuple[Signature, list[str]]:
    """The signature of a call, and a name for each array: that of its Tensor, or of its place."""
    if not callable(f):
        raise TypeError(f"export_onnx: takes a function, not {type(f).__name__}")
    if not isinstance(args, (tuple, list)):
        raise TypeError(f"export_onnx: args is a tuple of arguments, not {type(args).__name__}")
    names = _names_of_arguments(f, args)
    given: list[str | None] = []

    def array(x: Any) -> Any:
        if isinstance(x, Tensor):
            given.append(x.name)
            return x.numpy()
        given.extend([None] * isinstance(x, (np.ndarray, np.generic)))
        return x

    try:
        signature = Signature(tree_map(array, [*args]), names)
    except TypeError as error:
        raise TypeError(str(error).replace("compile:", "export_onnx:", 1)) from None
    if signature.streams:
        raise TypeError("export_onnx: takes arrays, not data by blocks of rows")
    for leaf in signature.leaves:
        if leaf.dtype == np.longdouble and leaf.dtype.itemsize > 8:
            raise TypeError(
                f"export_onnx: {leaf.path} is {leaf.dtype}, which ONNX does not have; use float64"
            )
    titles = [x or leaf.name for x, leaf in zip(given, signature.leaves, strict=True)]
    return signature, titles


def _names_of_arguments(f: Callable[..., Any], args: Sequence[Any]) -> list[str]:
    try:
        bound = inspect.signature(f).bind(*args)
    except ValueError:  # a function that is not written in Python
        return [f"x{k}" for k in range(len(args))]
    names: list[str] = []
    for name, parameter in bound.signature.parameters.items():
        if name in bound.arguments:
            several = parameter.kind is inspect.Parameter.VAR_POSITIONAL
            count = len(bound.arguments[name]) if several else 0
            names += [f"{name}{k}" for k in range(count)] if several else [name]
    return names


def _free(signature: Signature, rows: Sequence[str]) -> list[int]:
    """The numbers of the arrays that have any number of rows.

    Raises:
        ValueError: if a name is not that of a parameter with arrays, or if the arrays have
            different numbers of rows.
    """
    found: list[Leaf] = []
    for name in rows:
        trees = [x for x, own in zip(signature.tree, signature.names, strict=True) if own == name]
        leaves = [leaf for tree in trees for leaf in leaves_of(tree)]
        if not leaves:
            known = ", ".join(signature.names)
            raise ValueError(f"export_onnx: rows names {name!r}; the arguments are {known}")
        found += leaves
    for leaf in found:
        if not leaf.shape:
            raise ValueError(f"export_onnx: {leaf.path} has no rows: it is a number")
        if leaf.shape[0] != found[0].shape[0]:
            raise ValueError(
                f"export_onnx: {found[0].path} of shape {found[0].shape} and {leaf.path} of shape "
                f"{leaf.shape} have different numbers of rows"
            )
    if found and not found[0].shape[0]:
        raise ValueError(f"export_onnx: {found[0].path} has no rows; give an example of some")
    return [leaf.number for leaf in found]


class Program:
    """A function traced for one signature, as calls of the functions that ONNX has.

    Attributes:
        results: the results.
        arguments: the arguments.
        names: the names that the user gave to expressions.
        titles: a name for each result, or "".

    Raises:
        ValueError: if the function returns what is not an array, or nothing.
    """

    def __init__(self, f: Callable[..., Any], signature: Signature) -> None:
        self.graph, packing = traced(f, signature)
        self.titles: list[str] = [
            name or x.name or "" for name, x in zip(packing.names, self.graph.outputs, strict=True)
        ]
        if not self.titles or any(x.value is not None for x in _plain(packing.tree)):
            raise ValueError("export_onnx: the results must be arrays that depend on the arguments")
        self.b: Builder = Builder()
        self.arguments: list[Expr] = [
            self.b.argument(array, leaf.name)
            for array, leaf in zip(signature.arrays, signature.leaves, strict=True)
        ]
        roots = from_graph(self.graph, self.arguments, self.b, kept=KEPT)
        roots = [
            root if isinstance(root, Expr) else self.b.constant(np.asarray(root, x.dtype))
            for root, x in zip(roots, self.graph.outputs, strict=True)
        ]
        self.results: list[Any] = rewrite(roots, RULES, self.b, fold=True)
        self.names: Mapping[Expr, str] = self.b.names


def _plain(form: Any) -> list[Static]:
    """The plain values in the form of results."""
    if isinstance(form, Static):
        return [form]
    return [x for child in getattr(form, "children", ()) for x in _plain(child)]


def _as_form(b: Builder, x: Expr) -> Any:
    """A call in terms of functions that ONNX has, or None."""
    args: Any = x.args
    ufunc = ufunc_of(x.fn)
    if ufunc is not None:
        dtypes = ufunc.resolve_dtypes((*map(dtype_of, args), *(None,) * ufunc.nout))
        args = [_converted(b, a, dtype) for a, dtype in zip(args, dtypes, strict=False)]
    b.origin = x.origin or x.fn
    try:
        check_call(FORMS[x.fn], *args, **x.keywords)
        found = on_symbols(FORMS[x.fn], args, x.keywords, b)
    except NotInOnnxError as error:
        raise _refused(x, str(error)) from None
    if found is None:
        return None
    made = found if isinstance(found, Expr) else b.constant(np.asarray(found, x.dtype))
    assert made.shape == x.shape, f"the form of {x.fn} has shape {made.shape}, not {x.shape}"
    return _converted(b, made, x.dtype)


def _converted(b: Builder, x: Any, dtype: Any) -> Expr:
    if not isinstance(x, Expr):
        return b.constant(np.asarray(x, dtype))
    return x if x.dtype == dtype else b.call(".astype", x, dtype)


def _filled(b: Builder, x: Expr) -> Any:
    """A constant of one number as that number, whose shape may depend on the number of rows."""
    return b.filled(x.value) if x.ndim else None


RULES = {CONSTANT: [_filled], **{fn: [_as_form] for fn in FORMS}}


class NotExportedError(ValueError):
    """A part of a program cannot be written in ONNX."""


def _refused(x: Expr, reason: str) -> NotExportedError:
    """The error for a call that cannot be exported."""
    what = x.fn if x.fn.startswith(HOMES) else x.origin or x.fn
    if x.origin not in ("", what, what.rpartition(".")[2]):
        what = f"{what} of {x.origin}"
    where = f" ({Path(x.line[0]).name}, line {x.line[1]})" if x.line else ""
    return NotExportedError(f"export_onnx: {what}{where} cannot be exported: {reason}")


def _for_any_length(f: Callable[..., Any], signature: Signature, free: Sequence[int]) -> Program:
    """The program for any number of rows.

    Raises:
        ValueError: if the function refuses some numbers of rows, or if its program depends on them.
    """
    program = Program(f, signature)
    roots = as_traced(program.graph)
    lengths: list[int] = []
    for n in LENGTHS:
        n = max([n, *(other + 1 for other in lengths)])
        lengths.append(distinct(n, roots) if n < 100 else telling(n, roots))
    programs = []
    for n in lengths:
        try:
            programs.append(Program(f, signature.with_length(free, n)))
        except NotExportedError:
            raise
        except Exception as error:  # of the user's function, which refuses other numbers of rows
            raise ValueError(
                f"export_onnx: f takes {signature.arrays[free[0]].shape[0]} rows, but not {n}: "
                f"{error}"
            ) from error
    try:
        results, new = merged([x.results for x in programs], lengths)
    except DiffersError as error:
        reason = "it depends on the number of rows in a way that ONNX cannot say"
        if error.at is None:
            raise ValueError(f"export_onnx: f cannot be exported with rows: {reason}") from None
        raise _refused(error.at, reason) from None
    made, first = programs[0], programs[0].arguments
    made.results = results
    made.arguments = [
        new.get(x, x) if k not in free else _with_rows(new.get(x, x)) for k, x in enumerate(first)
    ]
    made.names = {new[x]: name for x, name in made.b.names.items() if x in new}
    return made


def _with_rows(x: Expr) -> Expr:
    if not isinstance(x.shape[0], Length):  # no result depends on it
        return Expr(x.fn, (), {}, (Length(1, 0), *x.shape[1:]), x.dtype)
    return x


def _model(program: Program, titles: Sequence[str], name: str) -> Any:
    """The model of a program."""
    w = Writer(NODES)
    w.names = {x: title for x, title in program.names.items() if x not in program.arguments}
    inputs = [
        _info(w, w.input(x, title or "input"), x)
        for x, title in zip(program.arguments, titles, strict=True)
    ]
    for x, title in zip(program.results, program.titles, strict=True):
        w.output(x, title or "output")
    for x in in_order(program.results):
        try:
            w.write(x)
        except NotInOnnxError as error:
            raise _refused(x, str(error)) from None
    w.finish()
    helper = w.onnx.helper
    results = [_info(w, output, x) for output, x in w.outputs]
    graph = helper.make_graph(w.nodes, name, inputs, results, w.initializers)
    opsets = [helper.make_opsetid("", OPSET)]
    return helper.make_model(
        graph, opset_imports=opsets, ir_version=IR_VERSION, producer_name="autograd_lite"
    )


def _info(w: Writer, name: str, x: Expr) -> Any:
    """The name, dtype and shape of an input or output."""
    dtype = w.onnx.helper.np_dtype_to_tensor_dtype(x.dtype)
    shape = [n if not isinstance(n, Length) else str(n) for n in x.shape]
    return w.onnx.helper.make_tensor_value_info(name, dtype, shape)
