"""Writing formulas as NumPy."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from autograd_lite.derivation.tree import Tree, transposed, unsigned
from autograd_lite.op import NUMPY, OPS

__all__ = ["Source", "UnwritableError", "spelled"]

SUM, PRODUCT, PREFIX, POWER, ATOM = 50, 60, 70, 80, 100

RELATIONS = {
    "less": "<",
    "less_equal": "<=",
    "greater": ">",
    "greater_equal": ">=",
    "equal": "==",
    "not_equal": "!=",
}


class UnwritableError(ValueError):
    """An operation that NumPy's functions cannot say in one expression."""


class Source:
    """Writes trees as one NumPy expression.

    Args:
        names: the Python name of each node by its position.
        slopes: the Python name of each slope.
        expanded: a function that writes an operation that NumPy lacks, or the derivative of one,
            by those that it has, from the operation, its attributes, operands and their texts.
        own: leave the operations that NumPy lacks as they are, OPS["softmax"](…).
    """

    def __init__(
        self,
        names: dict[int, str],
        slopes: dict[int, str],
        expanded: Callable[[Any, dict[str, Any], tuple[Tree, ...], list[str]], str],
        own: bool = False,
    ) -> None:
        self.names = names
        self.slopes = slopes
        self.expanded = expanded
        self.own = own

    def __call__(self, tree: Tree) -> str:
        return self.written(tree)[0]

    def inside(self, tree: Tree, precedence: int) -> str:
        text, own = self.written(tree)
        return text if own >= precedence else f"({text})"

    def written(self, tree: Tree) -> tuple[str, int]:
        method = getattr(self, "_" + {"T": "transpose", "norm²": "norm2"}.get(tree.kind, tree.kind))
        return method(tree)  # type: ignore[no-any-return]

    def _number(self, tree: Tree) -> tuple[str, int]:
        p, q = int(tree.data.p), int(tree.data.q)
        text = f"{abs(p)}" if q == 1 else f"{abs(p)} / {q}"
        own = ATOM if q == 1 else PRODUCT
        return (f"-{text}", PREFIX if q == 1 else PRODUCT) if p < 0 else (text, own)

    def _float(self, tree: Tree) -> tuple[str, int]:
        return literal(tree.data), PREFIX if tree.data < 0 else ATOM

    def _length(self, tree: Tree) -> tuple[str, int]:
        return str(tree.data), ATOM

    def _node(self, tree: Tree) -> tuple[str, int]:
        return self.names[tree.data], ATOM

    def _slope(self, tree: Tree) -> tuple[str, int]:
        return self.slopes[tree.data], ATOM

    def _add(self, tree: Tree) -> tuple[str, int]:
        text = ""
        for k, arg in enumerate(tree.args):
            negative, arg = unsigned(arg)
            if k:
                text += f" {'-' if negative else '+'} {self.inside(arg, SUM + 1)}"
            else:
                text = "-" + self.inside(arg, PRODUCT) if negative else self.inside(arg, SUM)
        return text, SUM

    def _neg(self, tree: Tree) -> tuple[str, int]:
        return "-" + self.inside(tree.args[0], PRODUCT), PRODUCT

    def _mul(self, tree: Tree) -> tuple[str, int]:
        texts = [self.inside(a, PRODUCT + 1 if k else PRODUCT) for k, a in enumerate(tree.args)]
        # Truth values are numbers as soon as they meet one.
        if any(a.kind != "call" for a in tree.args):
            texts = [
                text.removeprefix("(").removesuffix(")").removeprefix("1.0 * ")
                if re.match(r"\(1\.0 \* \(", text) and a.kind == "call"
                else text
                for text, a in zip(texts, tree.args, strict=True)
            ]
        return " * ".join(texts), PRODUCT

    def _scaled(self, tree: Tree) -> tuple[str, int]:
        lead, body = tree.args
        if lead.kind == "number" and lead.data.p == 1:
            return f"{self.inside(body, PRODUCT)} / {lead.data.q}", PRODUCT
        if lead.kind == "div" and lead.args[0].kind == "number" and lead.args[0].data == 1:
            return f"{self.inside(body, PRODUCT)} / {self.inside(lead.args[1], POWER)}", PRODUCT
        return f"{self.inside(lead, PRODUCT)} * {self.inside(body, PRODUCT + 1)}", PRODUCT

    def _matmul(self, tree: Tree) -> tuple[str, int]:
        a, b = tree.args
        inverted = _inverted(a)
        if inverted is not None:
            return f"np.linalg.solve({self(inverted)}, {self(b)})", ATOM
        return f"{self.inside(a, PRODUCT)} @ {self.inside(b, PRODUCT + 1)}", PRODUCT

    def _outer(self, tree: Tree) -> tuple[str, int]:
        u, v = (self._flat(t) for t in tree.args)
        return f"np.outer({u}, {v})", ATOM

    def _flat(self, tree: Tree) -> str:
        return self(tree)

    def _rows(self, tree: Tree) -> tuple[str, int]:
        v, m = tree.args
        return f"{self._column(v)} * {self.inside(m, PRODUCT + 1)}", PRODUCT

    def _columns(self, tree: Tree) -> tuple[str, int]:
        v, m = tree.args
        row = (
            self.inside(v, PRODUCT + 1)
            if v.axes[-1] is not None
            else self.inside(v, ATOM) + "[:, 0]"
        )
        return f"{self.inside(m, PRODUCT)} * {row}", PRODUCT

    def _column(self, tree: Tree) -> str:
        if len(tree.axes) == 1:
            return self.inside(tree, ATOM) + "[:, None]"
        return self.inside(tree, ATOM) + (".T" if tree.axes[0] is None else "")

    def _transpose(self, tree: Tree) -> tuple[str, int]:
        return self.inside(tree.args[0], ATOM) + ".T", ATOM

    def _axes(self, tree: Tree) -> tuple[str, int]:
        (arg,) = tree.args
        if not arg.axes:
            return f"np.reshape({self(arg)}, {(1,) * len(tree.axes)})", ATOM
        text = self.inside(arg, ATOM)
        real = [i for i in arg.axes if i is not None]
        wanted = [i for i in tree.axes if i is not None]
        if None in arg.axes:
            text += f"[{', '.join(':' if i is not None else '0' for i in arg.axes)}]"
        if real != wanted:
            order = tuple(real.index(i) for i in wanted)
            text += ".T" if order == tuple(range(len(real)))[::-1] else f".transpose{order}"
        if None in tree.axes:
            text += f"[{', '.join(':' if i is not None else 'None' for i in tree.axes)}]"
        return text, ATOM

    def _div(self, tree: Tree) -> tuple[str, int]:
        top, below = tree.args
        return f"{self.inside(top, PRODUCT)} / {self.inside(below, PRODUCT + 1)}", PRODUCT

    def _pow(self, tree: Tree) -> tuple[str, int]:
        base, exponent = tree.args
        return f"{self.inside(base, ATOM)} ** {self.inside(exponent, PREFIX)}", POWER

    def _dot(self, tree: Tree) -> tuple[str, int]:
        u, v = tree.args
        if len(u.axes) == len(v.axes) == 1:
            return f"{self.inside(u, PRODUCT)} @ {self.inside(v, PRODUCT + 1)}", PRODUCT
        return f"np.sum({self.inside(u, PRODUCT)} * {self.inside(v, PRODUCT + 1)})", ATOM

    def _sum(self, tree: Tree) -> tuple[str, int]:
        axis = "" if tree.data is None else f", axis={tree.data}"
        return f"np.sum({self(tree.args[0])}{axis})", ATOM

    def _trace(self, tree: Tree) -> tuple[str, int]:
        return f"np.trace({self(tree.args[0])})", ATOM

    def _diagonal(self, tree: Tree) -> tuple[str, int]:
        return f"np.diagonal({self(tree.args[0])})", ATOM

    def _norm(self, tree: Tree) -> tuple[str, int]:
        return f"np.sqrt({self._norm2(tree)[0]})", ATOM

    def _norm2(self, tree: Tree) -> tuple[str, int]:
        return f"np.sum({self.inside(tree.args[0], ATOM)} ** 2)", ATOM

    def _call(self, tree: Tree) -> tuple[str, int]:
        name = tree.data
        if name in RELATIONS:
            a, b = (self.inside(x, SUM) for x in tree.args)
            return f"1.0 * ({a} {RELATIONS[name]} {b})", PRODUCT
        if name.endswith("′"):
            text = self._expanded(name[:-1], {}, tree.args)
            return f"({text})", ATOM
        function = None if self.own else _numpy_name(OPS.get(name))
        if function is None:
            return f"({self._expanded(OPS[name], {}, tree.args)})", ATOM
        return f"{function}({', '.join(map(self, tree.args))})", ATOM

    def _opaque(self, tree: Tree) -> tuple[str, int]:
        op, attributes, shape = tree.data
        if op == "arange":
            return f"np.arange({attributes['n']})", ATOM
        if self.own and not isinstance(op, str):
            return self._expanded(op, attributes, tree.args), ATOM
        if op == "array":
            return literal(attributes["values"]), ATOM
        arguments = [self(a) for a in tree.args]
        if op.name == "add_along_axis":
            axis = attributes.get("axis", -1)
            size = int(np.prod(shape))
            places = (
                f"np.take_along_axis(np.arange({size}).reshape({shape}), {arguments[1]}, {axis})"
            )
            weights = f"np.ravel({arguments[0]}), {size}"
            return f"np.bincount(np.ravel({places}), {weights}).reshape({shape})", ATOM
        if op.name == "getitem":
            return f"{self.inside(tree.args[0], ATOM)}[{key_text(attributes.get('key', ()))}]", ATOM
        if op.name == "add_at":
            return added_at(arguments[0], attributes.get("key", ()), shape), ATOM
        if op.name in APART:
            return f"(1.0 * {APART[op.name].format(self.inside(tree.args[0], ATOM))})", ATOM
        function = _numpy_name(op)
        if function is None:
            return f"({self._expanded(op, attributes, tree.args)})", ATOM
        if op.arity is None:
            arguments = [f"[{', '.join(arguments)}]"]
        if op.name == "tile":
            attributes = op.signature.defaults | attributes
        if op.name == "reshape":
            # NumPy's name of this argument is not the same in every version.
            arguments.append(literal(attributes.get("shape", ())))
            attributes = {k: v for k, v in attributes.items() if k != "shape"}
        extra = [f"{k}={literal(v)}" for k, v in attributes.items()]
        return f"{function}({', '.join(arguments + extra)})", ATOM

    def _expanded(self, op: Any, attributes: dict[str, Any], args: tuple[Tree, ...]) -> str:
        if self.own and not isinstance(op, str):
            extra = [f"{k}={literal(v)}" for k, v in attributes.items()]
            texts = list(map(self, args))
            if op.arity is None:
                texts = [f"[{', '.join(texts)}]"]
            return f"OPS[{op.name!r}]({', '.join([*texts, *extra])})"
        return self.expanded(op, attributes, args, [self(a) for a in args])

    def _diag(self, tree: Tree) -> tuple[str, int]:
        return f"np.diag({self(tree.args[0])})", ATOM

    def _eye(self, tree: Tree) -> tuple[str, int]:
        return f"np.eye({tree.data})", ATOM

    def _broadcast(self, tree: Tree) -> tuple[str, int]:
        return f"np.broadcast_to({self(tree.args[0])}, {tree.data})", ATOM

    def _einsum(self, tree: Tree) -> tuple[str, int]:
        letters: dict[int, str] = {}

        def spell(axes: Any) -> str:
            return "".join(
                letters.setdefault(i, "abcdefghijklmnopqrstuvwxyz"[len(letters)])
                for i in axes
                if i is not None
            )

        operands, specs = [], []
        for arg in tree.args:
            text = self(arg)
            if None in arg.axes:
                picked = ", ".join(":" if i is not None else "0" for i in arg.axes)
                text = f"({text})[{picked}]"
            operands.append(f"1 * {text}" if arg.kind == "call" and arg.data in RELATIONS else text)
            specs.append(spell(arg.axes))
        spec = ",".join(specs) + "->" + spell(tree.axes)
        return f'np.einsum("{spec}", {", ".join(operands)})', ATOM


APART = {
    "distinct": "np.not_equal({0}[..., None, :], {0}[..., :, None])",
    "regular": "np.greater({0}, 0)",
}
"""What tells values apart, or from 0, without the allowance for rounding."""


class Spelled:
    """Stands for an array and writes down which function of NumPy is called on it.

    Example:
        >>> import numpy as np
        >>> np.linalg.qr(Spelled("X")).Q.text
        'np.linalg.qr(X).Q'
    """

    def __init__(self, text: str) -> None:
        self.text = text

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Spelled:
        home = "np.linalg" if getattr(np.linalg, function.__name__, None) is function else "np"
        texts = [x.text if isinstance(x, Spelled) else literal(x) for x in args]
        texts += [f"{key}={literal(value)}" for key, value in kwargs.items()]
        return Spelled(f"{home}.{function.__name__}({', '.join(texts)})")

    def __getattr__(self, name: str) -> Spelled:
        if name.startswith("_"):
            raise AttributeError(name)
        return Spelled(f"{self.text}.{name}")


def spelled(op: Any, attributes: dict[str, Any], texts: list[str]) -> str | None:
    """An operation that is one call of NumPy, or a part of what one call gives; None if not."""
    try:
        result = op.forward(*map(Spelled, texts), **attributes)
    except Exception:
        return None
    return result.text if isinstance(result, Spelled) else None


def _inverted(tree: Tree) -> Tree | None:
    """What a formula is the inverse of."""
    if tree.kind == "T":
        inner = _inverted(tree.args[0])
        return None if inner is None else transposed(inner)
    is_inverse = tree.kind == "opaque" and getattr(tree.data[0], "name", "") == "inv"
    return tree.args[0] if is_inverse and len(tree.axes) == 2 else None


def _numpy_name(op: Any) -> str | None:
    """How NumPy calls an operation, if it has it."""
    if op is None:
        return None
    own, candidates = str(op.name), []
    for function, answer in NUMPY.items():
        if answer is op:
            name = function.__name__
            for home, prefix in ((np, "np."), (np.linalg, "np.linalg.")):
                if getattr(home, name, None) is function:
                    candidates.append((name != own, len(prefix + name), prefix + name))
                    break
    if not candidates and getattr(np, own, None) in NUMPY:
        return f"np.{own}"
    return min(candidates)[2] if candidates else None


def key_text(key: Any) -> str:
    """An index as one writes it in brackets."""
    parts = key if isinstance(key, tuple) else (key,)
    return ", ".join(map(_part, parts)) if parts else "()"


def _part(part: Any) -> str:
    if isinstance(part, slice):
        bounds = ["" if x is None else str(x) for x in (part.start, part.stop)]
        return ":".join(bounds) + (f":{part.step}" if part.step is not None else "")
    return literal(part)


def added_at(text: str, key: Any, shape: tuple[int, ...]) -> str:
    """Adding at an index as one expression: a weighted count of the places."""
    size = int(np.prod(shape))
    places = f"np.arange({size}).reshape({shape})[{key_text(key)}]"
    return (
        f"np.bincount(np.ravel({places}), np.ravel({text}), {size}).reshape({shape})"
        if size
        else f"np.zeros({shape})"
    )


def literal(value: Any) -> str:
    """A plain value as Python."""
    if isinstance(value, np.ndarray):
        kind = "bool" if value.dtype.kind == "b" else f"np.{value.dtype.name}"
        if not value.size:
            return f"np.zeros({value.shape}, dtype={kind})"
        return f"np.array({literal(value.tolist())}, dtype={kind})"
    if isinstance(value, np.generic):
        return literal(value.item())
    if isinstance(value, float) and not np.isfinite(value):
        return f"-np.{-value}" if value < 0 else f"np.{value}"
    if value is Ellipsis:
        return "..."
    if isinstance(value, slice):
        return f"slice({value.start}, {value.stop}, {value.step})"
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, list):
        return f"[{', '.join(map(literal, value))}]"
    if isinstance(value, (np.dtype, type)):
        return f'"{np.dtype(value).name}"'
    if value is None or isinstance(value, (int, float, bool, str)):
        return repr(value)
    raise UnwritableError(f"{type(value).__name__} has no Python literal")
