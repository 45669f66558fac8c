"""An ONNX graph in the making: its values, nodes and constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np

from autograd_lite.exchange.to_onnx.rows import Length, Rate
from autograd_lite.expressions.expr import CONSTANT, Expr, Place, dtype_of

__all__ = ["DTYPES", "OPSET", "NotInOnnxError", "Writer", "check_call", "known"]

OPSET = 18

DTYPES = "float32", "float64", "int64", "int32", "bool"
"""The dtypes with which onnxruntime computes; others can only be converted."""


SHORT = 16  # elements of a constant that is written even if all are one number


class NotInOnnxError(Exception):
    """A call cannot be written in ONNX, with the reason."""


class Writer:
    """A graph in the making.

    Args:
        table: the function that writes the nodes of each NumPy function.

    Attributes:
        nodes, initializers: of the graph, so far.
        values: the name of each expression's value.
        names: the names that the user gave to expressions.
        outputs: the names and expressions of the results.
    """

    def __init__(self, table: Mapping[str, Callable[..., str]]) -> None:
        import onnx

        self.onnx: Any = onnx
        self.table = table
        self.nodes: list[Any] = []
        self.initializers: list[Any] = []
        self.values: dict[Expr, str] = {}
        self.names: Mapping[Expr, str] = {}
        self._taken: dict[str, int] = {}
        self._constants: dict[Any, str] = {}
        self._casts: dict[tuple[str, Any], str] = {}
        self._rows: str = ""
        self._count: str = ""
        self._line: Place | None = None
        self._wanted: str = ""
        self._result_names: dict[Expr, str] = {}
        self.outputs: list[tuple[str, Expr]] = []

    def take(self, name: str) -> str:
        """A name that no other value has."""
        found, k = name, self._taken.get(name, 0)
        while found in self._taken:
            k += 1
            found = f"{name}_{k}"
        self._taken[name] = k
        self._taken.setdefault(found, 0)
        return found

    def input(self, x: Expr, name: str) -> str:
        """Enter an argument as an input of the graph; returns its name."""
        self.values[x] = self.take(name)
        if x.shape and isinstance(x.shape[0], Length) and not self._rows:
            self._rows = self.values[x]
        return self.values[x]

    def output(self, x: Expr, name: str) -> None:
        """Enter a result, which is not written yet, as an output of the graph."""
        self.outputs.append((self.take(name), x))
        self._result_names.setdefault(x, self.outputs[-1][0])

    def finish(self) -> None:
        """Write the outputs that are an input, a constant or another output."""
        self._line = None
        for name, x in self.outputs:
            if self.values[x] != name:
                self.nodes.append(
                    self.onnx.helper.make_node("Identity", [self.values[x]], [name], name)
                )

    def write(self, x: Expr) -> None:
        """Write the nodes of an expression, whose operands are written.

        Raises:
            NotInOnnxError: if ONNX has no operation for it.
        """
        if x in self.values:
            return
        self._line = x.line
        value = known(x)
        if value is not None:
            self.values[x] = self.constant(value, self.names.get(x))
            return
        self._wanted = self._result_names.get(x, "")
        if not self._wanted and x in self.names:
            self._wanted = self.take(self.names[x])
        if x.fn not in self.table:
            raise NotInOnnxError("ONNX has no operation for it")
        if x.shape is None:
            raise NotInOnnxError("it has several results")
        if str(x.dtype) not in DTYPES:
            raise NotInOnnxError(f"its result is {x.dtype}; use one of {', '.join(DTYPES)}")
        write = self.table[x.fn]
        check_call(write, self, x, *x.args, **x.keywords)
        self.values[x] = write(self, x, *x.args, **x.keywords)
        self._wanted = ""

    def node(
        self, op: str, *inputs: str, last: bool = False, outputs: int = 1, **attributes: Any
    ) -> str:
        """Write a node; returns the name of its result, the last one of several.

        Args:
            last: whether its result is that of the expression, and gets its name.
        """
        output = self._wanted if last and self._wanted else self.take(op.lower())
        others = [self.take(op.lower()) for _ in range(outputs - 1)]
        made = self.onnx.helper.make_node(op, inputs, [*others, output], output, **attributes)
        if self._line is not None:
            made.doc_string = f"{Path(self._line[0]).name}, line {self._line[1]}"
        self.nodes.append(made)
        return output

    def constant(self, value: Any, name: str | None = None) -> str:
        """Enter an array as an initializer, once; returns its name.

        A large array without a name, all of one number, is made of that number.
        """
        value = np.asarray(value)
        order = value.dtype.newbyteorder("=")
        value = np.ascontiguousarray(value, order).reshape(value.shape)  # 1-d of a 0-d array
        key = value.dtype.str, value.shape, value.tobytes()
        if key in self._constants:
            return self._constants[key]
        if name is None and value.size > SHORT and key[-1] == value.flat[0].tobytes() * value.size:
            made = self.expanded(self.constant(value.flat[0]), value.shape)
        else:
            made = self.take(name or "constant")
            self.initializers.append(self.onnx.numpy_helper.from_array(value, made))
        self._constants[key] = made
        return made

    def value(self, x: Any, dtype: Any = None) -> str:
        """The name of the value of an argument, converted to a dtype.

        Raises:
            NotInOnnxError: if it is neither an expression nor a number.
        """
        if isinstance(x, (Length, Rate)):
            return self._number(x, dtype or np.dtype(_weak(x)))
        if not isinstance(x, Expr):
            if not isinstance(x, (int, float, np.ndarray, np.generic)):
                raise NotInOnnxError(f"an operand is {x!r}")
            return self.constant(np.asarray(x, dtype))
        name = self.values[x]
        return name if dtype is None or x.dtype == dtype else self.cast(name, dtype)

    def cast(self, name: str, dtype: Any, last: bool = False) -> str:
        """A value in another dtype."""
        key = name, np.dtype(dtype)
        if key not in self._casts or last:
            to = self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
            self._casts[key] = self.node("Cast", name, to=to, last=last)
        return self._casts[key]

    # Numbers that depend on the number of rows

    def ints(self, values: Sequence[Any]) -> str:
        """A vector of whole numbers, some of which may depend on the number of rows.

        Raises:
            NotInOnnxError: if one depends on it in another way than a length does.
        """
        if any(isinstance(x, Rate) for x in values):
            raise NotInOnnxError("a length depends on the number of rows, but not in proportion")
        if not any(isinstance(x, Length) for x in values):
            return self.constant(np.array([*values], np.int64))
        parts = [self._length(x) if isinstance(x, Length) else self.ints([x]) for x in values]
        return parts[0] if len(parts) == 1 else self.node("Concat", *parts, axis=0)

    def _length(self, x: Length) -> str:
        """A length as a vector of one element."""
        if not self._count:
            self._count = self.node("Shape", self._rows, start=0, end=1)
        name = self._count
        if x.factor != 1:
            name = self.node("Mul", name, self.ints([x.factor]))
        return self.node("Add", name, self.ints([x.more])) if x.more else name

    def _number(self, x: Length | Rate, dtype: Any) -> str:
        """A number that depends on the number of rows."""
        if isinstance(x, Length):
            return self.cast(self.node("Squeeze", self._length(x)), dtype)
        # Computed in float64 and rounded once, as by Python.
        name = self.node("Squeeze", self.cast(self._length(Length(1, 0)), np.float64))
        if x.more:
            name = self.node("Add", name, self.constant(np.float64(x.more)))
        if abs(x.power) != 1:
            name = self.node("Pow", name, self.constant(np.float64(abs(x.power))))
        if x.power > 0:
            name = name if x.factor == 1 else self.node("Mul", name, self.constant(x.factor))
        else:
            name = self.node("Div", self.constant(x.factor), name)
        return name if dtype == np.float64 else self.cast(name, dtype)

    def shaped(self, name: str, shape: Sequence[Any], last: bool = False) -> str:
        """A value in another shape."""
        unknown = [isinstance(n, Length) for n in shape]
        if sum(unknown) == 1 and 0 not in shape:
            sizes = self.ints([-1 if u else n for u, n in zip(unknown, shape, strict=True)])
            return self.node("Reshape", name, sizes, last=last)
        # A 0 in the shape is a length, not that of the operand.
        return self.node("Reshape", name, self.ints(shape), allowzero=1, last=last)

    def expanded(self, name: str, shape: Sequence[Any], last: bool = False) -> str:
        """A value broadcast to a shape."""
        return self.node("Expand", name, self.ints(shape), last=last)

    def operands(self, ufunc: Any, args: Sequence[Any]) -> tuple[list[str], Any]:
        """The operands of an elementwise function, in the dtypes in which it computes."""
        dtypes = ufunc.resolve_dtypes((*map(_weak, args), *(None,) * ufunc.nout))
        for dtype in dtypes[: len(args)]:
            if str(dtype) not in DTYPES:
                raise NotInOnnxError(f"it computes with {dtype}; use one of {', '.join(DTYPES)}")
        return [self.value(x, dtype) for x, dtype in zip(args, dtypes, strict=False)], dtypes[0]


def known(x: Expr) -> Any:
    """The value of a constant, or of a number broadcast to a shape; otherwise None."""
    if x.fn == CONSTANT:
        return x.value
    if x.fn != "np.broadcast_to" or any(isinstance(n, Length) for n in x.shape):
        return None
    first = x.args[0]
    fits = isinstance(first, Expr) and first.fn == CONSTANT
    return np.broadcast_to(first.value, x.shape) if fits else None


def check_call(function: Callable[..., Any], *args: Any, **keywords: Any) -> None:
    """Check that a function of the tables knows the arguments of a call.

    Raises:
        NotInOnnxError: if it does not.
    """
    try:
        signature(function).bind(*args, **keywords)
    except TypeError as error:
        raise NotInOnnxError(f"{error} in ONNX") from None


def _weak(x: Any) -> Any:
    """The dtype of an argument for NumPy's promotion; a Python number gives its type."""
    if isinstance(x, (Length, Rate)):
        return int if isinstance(x, Length) else float
    return dtype_of(x)
