"""From formulas to expressions, which can be computed and printed."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import reduce
from typing import Any

import numpy as np

from autograd_lite.derivation.tree import Tree, transposed, unsigned
from autograd_lite.expressions.expr import Builder, Expr
from autograd_lite.expressions.lower import as_numpy
from autograd_lite.op import NUMPY, OPS

__all__ = ["Lowering"]


class Lowering:
    """Turns trees into expressions.

    Args:
        builder: makes the expressions.
        nodes: the expression of each node of the graph, by its position.
        gradients: the same for the gradient at each node.
        prime: returns the derivative of an operation of one operand, given its name and axes, as
            a tree in the node −1.
        apart: expand operations that NumPy lacks into NumPy calls.
        numbers: the expressions of numbers that are not written out.
    """

    def __init__(
        self,
        builder: Builder,
        nodes: Mapping[int, Any],
        gradients: Mapping[int, Any],
        prime: Callable[[str, Any], Tree],
        apart: bool,
        numbers: Mapping[float, Any] | None = None,
    ) -> None:
        self.builder = builder
        self.call: Callable[..., Any] = builder.call
        self.nodes = nodes
        self.gradients = gradients
        self.prime = prime
        self.apart = apart
        self.numbers = numbers or {}

    def __call__(self, tree: Tree) -> Any:
        """The expression of a tree, or a Python number."""
        return getattr(self, f"_{KINDS.get(tree.kind, tree.kind)}")(tree)

    def number(self, tree: Tree) -> Any:
        """The expression in floats, if it is of booleans or small integers, which overflow."""
        return self._float_of(self(tree))

    def _float_of(self, x: Any) -> Any:
        narrow = _is_truth(x) or (isinstance(x, Expr) and _overflows(x.dtype))
        return self.call("np.multiply", 1.0, x) if narrow else x

    def _number(self, tree: Tree) -> Any:
        p, q = int(tree.data.p), int(tree.data.q)
        if max(abs(p), q) >= 2**63:
            return float(Fraction(p, q))
        return p if q == 1 else self.call("np.divide", p, q)

    def _float(self, tree: Tree) -> Any:
        return self.numbers.get(tree.data, tree.data)

    def _length(self, tree: Tree) -> Any:
        return tree.data

    def _node(self, tree: Tree) -> Any:
        return self.nodes[tree.data]

    def _gradient(self, tree: Tree) -> Any:
        return self.gradients[tree.data]

    # Arithmetic

    def _add(self, tree: Tree) -> Any:
        total: Any = None
        for arg in tree.args:
            negative, arg = unsigned(arg)
            x = self.number(arg)
            if total is None:
                total = self._negated(x) if negative else x
            else:
                total = self.call("np.subtract" if negative else "np.add", total, x)
        return total

    def _neg(self, tree: Tree) -> Any:
        return self._negated(self.number(tree.args[0]))

    def _negated(self, x: Any) -> Any:
        """−x; the sign goes to the first factor of a product."""
        if not isinstance(x, Expr):
            return -x
        if x.fn in ("np.multiply", "np.divide", "np.matmul"):
            first, *rest = x.args
            return self.call(x.fn, self._negated(first), *rest)
        return self.call("np.negative", x)

    def _mul(self, tree: Tree) -> Any:
        factors = map(self, tree.args)
        numbers = (x if _is_truth(x) else self._float_of(x) for x in factors)
        return self._float_of(reduce(lambda a, b: self.call("np.multiply", a, b), numbers))

    def _scaled(self, tree: Tree) -> Any:
        lead, body = tree.args
        if lead.kind == "number" and lead.data.p == 1:
            return self.call("np.divide", self.number(body), int(lead.data.q))
        if lead.kind == "div" and lead.args[0].kind == "number" and lead.args[0].data == 1:
            return self.call("np.divide", self.number(body), self.number(lead.args[1]))
        return self.call("np.multiply", self(lead), self.number(body))

    def _div(self, tree: Tree) -> Any:
        return self.call("np.divide", *map(self.number, tree.args))

    def _pow(self, tree: Tree) -> Any:
        base, exponent = map(self.number, tree.args)
        if exponent == 2:
            return self.call("np.square", base)
        if tree.args[1].kind == "number" and 2 * tree.args[1].data == 1:
            return self.call("np.sqrt", base)
        return self.call("np.power", base, exponent)

    # Products and sums over axes

    def _matmul(self, tree: Tree) -> Any:
        a, b = tree.args
        inverted = _inverted(a)
        if inverted is not None:
            return self.call("np.linalg.solve", self(inverted), self.number(b))
        return self.call("np.matmul", self.number(a), self.number(b))

    def _outer(self, tree: Tree) -> Any:
        return self.call("np.outer", *map(self.number, tree.args))

    def _rows(self, tree: Tree) -> Any:
        v, m = map(self.number, tree.args)
        if v.ndim == 1:
            v = self.call("[]", v, (slice(None), None))
        elif tree.args[0].axes[0] is None:
            v = self.call(".T", v)
        return self.call("np.multiply", v, m)

    def _columns(self, tree: Tree) -> Any:
        v, m = map(self.number, tree.args)
        if tree.args[0].axes[-1] is None:
            v = self.call("[]", v, (slice(None), 0))
        return self.call("np.multiply", m, v)

    def _dot(self, tree: Tree) -> Any:
        u, v = map(self.number, tree.args)
        if u.ndim == v.ndim == 1:
            return self.call("np.matmul", u, v)
        return self._total(self.call("np.multiply", u, v))

    def _total(self, x: Any, axis: Any = None) -> Any:
        return self.call("np.add.reduce", x, axis=axis)

    def _sum(self, tree: Tree) -> Any:
        return self._total(self.number(tree.args[0]), tree.data)

    def _trace(self, tree: Tree) -> Any:
        return self.call("np.trace", self.number(tree.args[0]))

    def _norm(self, tree: Tree) -> Any:
        return self.call("np.sqrt", self._squared_norm(tree))

    def _squared_norm(self, tree: Tree) -> Any:
        return self._total(self.call("np.square", self.number(tree.args[0])))

    def _einsum(self, tree: Tree) -> Any:
        letters: dict[int, str] = {}

        def spell(axes: Any) -> str:
            return "".join(
                letters.setdefault(i, "abcdefghijklmnopqrstuvwxyz"[len(letters)])
                for i in axes
                if i is not None
            )

        operands, texts = [], []
        for arg in tree.args:
            x = self.number(arg)
            if None in arg.axes:
                x = self.call("[]", x, tuple(0 if i is None else slice(None) for i in arg.axes))
            operands.append(x)
            texts.append(spell(arg.axes))
        return self.call("np.einsum", f"{','.join(texts)}->{spell(tree.axes)}", *operands)

    # Arrangements

    def _transpose(self, tree: Tree) -> Any:
        return self.call(".T", self(tree.args[0]))

    def _axes(self, tree: Tree) -> Any:
        (arg,) = tree.args
        x = self(arg)
        if not arg.axes:
            return self.call("np.reshape", x, (1,) * len(tree.axes))
        real, wanted = ([i for i in axes if i is not None] for axes in (arg.axes, tree.axes))
        if None in arg.axes:
            x = self.call("[]", x, tuple(0 if i is None else slice(None) for i in arg.axes))
        if real != wanted:
            order = tuple(real.index(i) for i in wanted)
            backwards = order == tuple(range(len(real)))[::-1]
            x = self.call(".T", x) if backwards else self.call("np.transpose", x, order)
        if None in tree.axes:
            x = self.call("[]", x, tuple(None if i is None else slice(None) for i in tree.axes))
        return x

    def _diagonal(self, tree: Tree) -> Any:
        return self.call("np.diagonal", self(tree.args[0]))

    def _diag(self, tree: Tree) -> Any:
        return self.call("np.diag", self.number(tree.args[0]))

    def _eye(self, tree: Tree) -> Any:
        return self.call("np.eye", tree.data)

    def _broadcast(self, tree: Tree) -> Any:
        return self.call("np.broadcast_to", self(tree.args[0]), tree.data)

    # Functions

    def _call(self, tree: Tree) -> Any:
        name, args = tree.data, tuple(map(self, tree.args))
        if not name.endswith("′"):
            return self._applied(OPS[name], args, {})
        inner = Lowering(self.builder, {-1: args[0]}, {}, self.prime, self.apart)
        return inner(self.prime(name[:-1], tree.args[0].axes))

    def _opaque(self, tree: Tree) -> Any:
        op, attributes, shape, _ = tree.data
        if op == "arange":
            return self.call("np.arange", attributes["n"])
        if op == "array":
            return self.builder.constant(attributes["values"])
        args = tuple(map(self, tree.args))
        if self.apart and op.name in WRITTEN:
            return WRITTEN[op.name](self.call, *args, **{**attributes, "shape": shape})
        return self._applied(op, args, attributes)

    def _applied(self, op: Any, args: tuple[Any, ...], attributes: Mapping[str, Any]) -> Any:
        kept = () if self.apart else OPS
        made = as_numpy(op, args, dict(attributes), self.builder, kept=kept)
        name = _numpy_name(op) if self.apart and made.fn == op.name else None
        if name is None:
            return made
        return self.call(name, *(args if op.arity is not None else [list(args)]), **attributes)


KINDS = {"T": "transpose", "norm²": "squared_norm"}
"""The methods for the kinds of trees that are not Python names."""


def _numpy_name(op: Any) -> str | None:
    """The shortest name of a NumPy function that an operation implements, or None."""
    homes = (np, "np."), (np.linalg, "np.linalg.")
    names = []
    for function in (function for function, answer in NUMPY.items() if answer is op):
        name = function.__name__
        names += [prefix + name for home, prefix in homes if getattr(home, name, None) is function]
    names += [prefix + op.name for home, prefix in homes if getattr(home, op.name, None) in NUMPY]
    return min(names, key=len, default=None)


def _is_truth(x: Any) -> bool:
    return isinstance(x, Expr) and x.dtype is not None and x.dtype.kind == "b"


def _overflows(dtype: Any) -> bool:
    """Whether ordinary integers of a dtype overflow in products."""
    return dtype is not None and (dtype.kind == "u" or (dtype.kind == "i" and dtype.itemsize < 8))


def _inverted(tree: Tree) -> Tree | None:
    """The matrix of which a formula is the inverse, or None."""
    if tree.kind == "T":
        inner = _inverted(tree.args[0])
        return None if inner is None else transposed(inner)
    is_inverse = tree.kind == "opaque" and getattr(tree.data[0], "name", "") == "inv"
    return tree.args[0] if is_inverse and len(tree.axes) == 2 else None


# Operations whose forward is not one expression, or treats rounding, infinity and NaN specially.


def _softmax(call: Any, x: Any, axis: Any = -1, **_: Any) -> Any:
    peak = call("np.max", x, axis=axis, keepdims=True)
    e = call("np.exp", call("np.subtract", x, peak))
    return call("np.divide", e, call("np.add.reduce", e, axis=axis, keepdims=True))


def _distinct(call: Any, x: Any, **_: Any) -> Any:
    rows, columns = (..., None, slice(None)), (..., slice(None), None)
    apart = call("np.not_equal", call("[]", x, rows), call("[]", x, columns))
    return call("np.multiply", 1.0, apart)


def _regular(call: Any, x: Any, **_: Any) -> Any:
    return call("np.multiply", 1.0, call("np.greater", x, 0))


def _add_at(call: Any, x: Any, shape: tuple[int, ...], key: Any = ()) -> Any:
    return _counted(call, call("[]", _places(call, shape), key), x, shape)


def _add_along_axis(call: Any, x: Any, k: Any, shape: tuple[int, ...], axis: int = -1) -> Any:
    return _counted(call, call("np.take_along_axis", _places(call, shape), k, axis), x, shape)


def _places(call: Any, shape: tuple[int, ...]) -> Any:
    return call("np.reshape", call("np.arange", math.prod(shape)), shape)


def _counted(call: Any, places: Any, weights: Any, shape: tuple[int, ...]) -> Any:
    """Adding at places in one expression, as a weighted count."""
    size = math.prod(shape)
    if not size:
        return call("np.zeros", shape)
    count = call("np.bincount", call("np.ravel", places), call("np.ravel", weights), size)
    return call("np.reshape", count, shape)


def _part(function: str, place: int, **fixed: Any) -> Callable[..., Any]:
    """A function that returns one of several results."""

    def written(call: Any, x: Any, shape: Any, **attributes: Any) -> Any:
        return call("[]", call(function, x, **attributes, **fixed), place)

    return written


WRITTEN: dict[str, Callable[..., Any]] = {
    "distinct": _distinct,
    "regular": _regular,
    "softmax": _softmax,
    "add_at": _add_at,
    "add_along_axis": _add_along_axis,
    "det_sign": _part("np.linalg.slogdet", 0),
    "log_abs_det": _part("np.linalg.slogdet", 1),
    "eigh_vectors": _part("np.linalg.eigh", 1),
    "qr_q": _part("np.linalg.qr", 0),
    "qr_r": _part("np.linalg.qr", 1),
    "svd_u": _part("np.linalg.svd", 0, full_matrices=False),
    "svd_vh": _part("np.linalg.svd", 2, full_matrices=False),
}
