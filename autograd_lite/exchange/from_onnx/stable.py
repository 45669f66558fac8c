"""Stable forms that exporters take apart, put together again.

PyTorch writes log σ as Log(Sigmoid), log1p as Log(1 + x), and others likewise. Each rule below
finds for a node an equal one, for every argument and in every derivative, that is computed more
accurately.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_lite.exchange.from_onnx.nodes import Node

__all__ = ["RULES", "Surroundings"]


@dataclass
class Surroundings:
    """What a rule sees beside the node.

    Attributes:
        makers: the node that makes an array, by the name of the array.
        arrays: the constants and initializers.
        users: the nodes that use an array, by its name.
    """

    makers: Mapping[str, Node]
    arrays: Mapping[str, np.ndarray[Any, Any]]
    users: Mapping[str, Sequence[Node]]

    def made(self, name: str, *kinds: str) -> Node | None:
        """The node that makes an array, if it is of one of these kinds."""
        node = self.makers.get(name)
        return node if node is not None and node.kind in kinds else None

    def ndim_of(self, name: str, value: float) -> int | None:
        """The number of axes of a constant of one element with this value, else None."""
        x = self.arrays.get(name)
        found = x is not None and x.size == 1 and x.dtype.kind == "f" and x.item() == value
        return x.ndim if found and x is not None else None

    def beside(self, node: Node, value: float) -> tuple[str, int] | None:
        """The operand beside a constant of this value, whatever the order, and the axes of that."""
        for k in (0, 1):
            ndim = self.ndim_of(node.inputs[k], value)
            if ndim is not None:
                return node.inputs[1 - k], ndim
        return None

    def is_corrected(self, name: str, *kinds: str) -> bool:
        """Whether other nodes of these kinds use 1 + x or exp x.

        Then its rounding is likely to be corrected, as in Kahan's log1p: log(u) x / (u − 1) with
        u = 1 + x. A logarithm without the rounding would make that worse.
        """
        return any(
            user.kind in kinds and (user.kind == "Log" or self.beside(user, 1))
            for user in self.users.get(name, ())
        )

    def axes(self, node: Node) -> tuple[int, ...] | None:
        """The axes of a reduction, if they are fixed."""
        axes = node.get("axes")
        if len(node.inputs) > 1 and node.inputs[1]:
            axes = self.arrays.get(node.inputs[1])
        return None if axes is None else tuple(map(int, axes))


Rule = Callable[[Node, Surroundings], list[Node] | str | None]
"""From a node to nodes in its place, to the name of an equal array, or None."""


def _of(node: Node, kind: str, x: str, ndim: int = 0, negate: bool = False) -> list[Node]:
    """Nodes that compute one function of x with at least so many axes, or of −x."""
    nodes, out = [], node.outputs[0]
    if ndim:
        nodes.append(Node("AtLeast", "", (x,), (f"{out}, axes",), {"ndim": ndim}, node.version))
    if negate:
        name = nodes[-1].outputs[0] if nodes else x
        nodes.append(Node("Neg", "", (name,), (f"{out}, negated",), {}, node.version))
    name = nodes[-1].outputs[0] if nodes else x
    return [*nodes, replace(node, kind=kind, inputs=(name,), attributes={})]


def _reduced(kind: str, x: str, like: Node, node: Node) -> Node:
    """A reduction of x over the axes of another, in place of a node."""
    inputs = (x, *like.inputs[1:])
    return replace(node, kind=kind, inputs=inputs, attributes=like.attributes, version=like.version)


def _log(node: Node, around: Surroundings) -> list[Node] | None:
    x = around.makers.get(node.inputs[0])
    if x is None:
        return None
    if x.kind == "Sigmoid":
        return [replace(node, kind="LogSigmoid", inputs=x.inputs)]
    if x.kind == "NormalDistribution":
        return [replace(node, kind="LogNormalDistribution", inputs=x.inputs)]
    if x.kind == "Softmax":
        return [
            replace(
                node, kind="LogSoftmax", inputs=x.inputs, attributes=x.attributes, version=x.version
            )
        ]
    if x.kind == "ReduceSum":
        e = around.made(x.inputs[0], "Exp")
        return None if e is None else [_reduced("ReduceLogSumExp", e.inputs[0], x, node)]
    if x.kind in ("Add", "Sub") and around.is_corrected(node.inputs[0], "Sub"):
        return None
    if x.kind == "Add":
        return _log_of_sum(node, x, around)
    if x.kind == "Sub" and (ndim := around.ndim_of(x.inputs[0], 1)) is not None:
        return _of(node, "Log1p", x.inputs[1], ndim, negate=True)
    return None


def _log_of_sum(node: Node, x: Node, around: Surroundings) -> list[Node] | None:
    beside = around.beside(x, 1)
    if beside is not None:
        e = around.made(beside[0], "Exp")
        if e is not None:
            return _of(node, "Softplus", e.inputs[0], beside[1])
        return _of(node, "Log1p", *beside)
    a, b = (around.made(name, "Exp") for name in x.inputs)
    if a is not None and b is not None:
        return [replace(node, kind="LogAddExp", inputs=(*a.inputs, *b.inputs))]
    return None


def _sub(node: Node, around: Surroundings) -> list[Node] | None:
    a, b = node.inputs
    e, s, r = around.made(a, "Exp"), around.made(b, "Sigmoid"), around.made(b, "Erf")
    corrected = around.is_corrected(a, "Log")
    if e is not None and not corrected and (ndim := around.ndim_of(b, 1)) is not None:
        return _of(node, "Expm1", e.inputs[0], ndim)
    if s is not None and (ndim := around.ndim_of(a, 1)) is not None:
        return _of(node, "Sigmoid", s.inputs[0], ndim, negate=True)
    if r is not None and (ndim := around.ndim_of(a, 1)) is not None:
        return _of(node, "Erfc", r.inputs[0], ndim)
    return None


def _one_over(node: Node, name: str, around: Surroundings, ndim: int = 0) -> list[Node] | None:
    """1 / (1 + exp x)."""
    x = around.made(name, "Add")
    beside = x and around.beside(x, 1)
    e = beside and around.made(beside[0], "Exp")
    if not beside or not e:
        return None
    return _of(node, "Sigmoid", e.inputs[0], max(ndim, beside[1]), negate=True)


def _div(node: Node, around: Surroundings) -> list[Node] | str | None:
    a, b = node.inputs
    if (ndim := around.ndim_of(a, 1)) is not None:
        return _one_over(node, b, around, ndim)
    total, x = around.made(b, "ReduceSum", "ReduceL1"), around.makers.get(a)
    if total is None or x is None or not total.get("keepdims", 1):
        return None
    axes = around.axes(total)
    if axes is None or len(axes) != 1:
        return None
    if x.kind == "Exp" and total.kind == "ReduceSum" and total.inputs[0] == a:
        (axis,) = axes
        attributes, version = {"axis": axis}, max(node.version, 13)
        made = replace(node, kind="Softmax", inputs=x.inputs, attributes=attributes)
        return [replace(made, version=version)]
    absolute = around.made(total.inputs[0], "Abs")
    summed = total.inputs[0] if absolute is None else absolute.inputs[0]
    sums_to_one = x.kind == "Softmax" and x.version >= 13 and x.get("axis", -1) == axes[0]
    return a if sums_to_one and summed == a else None


def _normalizer(node: Node, around: Surroundings) -> str | None:
    """Probabilities that add up to 1 already; a table has two axes."""
    (a,) = node.inputs
    x = around.makers.get(a)
    if x is None or node.get("norm") != "L1":
        return None
    if x.kind == "Softmax":
        adds_up = x.get("axis", -1 if x.version >= 13 else 1) in (-1, 1)
    else:
        adds_up = x.kind.endswith("LinearClassifier") and x.get("post_transform") == "SOFTMAX"
    return a if adds_up else None


def _mul(node: Node, around: Surroundings) -> list[Node] | None:
    for x, other in (node.inputs, node.inputs[::-1]):
        s = around.made(other, "Sigmoid")
        if s is not None and s.inputs == (x,):
            return _of(node, "Silu", x)
    factors = [*_factors(node, around)]
    halves = [ndim for name in factors if (ndim := around.ndim_of(name, 0.5)) is not None]
    rest = [name for name in factors if around.ndim_of(name, 0.5) is None]
    if len(halves) != 1 or not 1 <= len(rest) <= 2:
        return None
    for k, name in enumerate(rest):
        x, ndim = _of_distribution(name, around)
        if x and rest[:k] + rest[k + 1 :] in ([], [x]):
            kind = "NormalDistribution" if len(rest) == 1 else "Gelu"
            return _of(node, kind, x, max(ndim, *halves))
    return None


def _factors(node: Node, around: Surroundings) -> Iterator[str]:
    """The factors of a product of products."""
    for name in node.inputs:
        made = around.made(name, "Mul")
        yield from made.inputs if made is not None else (name,)


def _of_distribution(name: str, around: Surroundings) -> tuple[str, int]:
    """The x of 1 + erf(x / √2), twice the normal distribution function, and the axes of the 1."""
    total = around.made(name, "Add")
    one = total and around.beside(total, 1)
    erf = one and around.made(one[0], "Erf")
    scaled = erf and around.made(erf.inputs[0], "Div", "Mul")
    if not one or not scaled:
        return "", 0
    root = 2**0.5 if scaled.kind == "Div" else 0.5**0.5
    for value in (root, float(np.float32(root))):
        x = around.beside(scaled, value)
        if x is not None and (scaled.kind == "Mul" or x[0] == scaled.inputs[0]):
            return x[0], max(one[1], x[1])
    return "", 0


def _sqrt(node: Node, around: Surroundings) -> list[Node] | None:
    total = around.made(node.inputs[0], "ReduceSum", "ReduceSumSquare")
    if total is None:
        return None
    x = total.inputs[0]
    if total.kind == "ReduceSum":
        square = around.made(x, "Mul", "Pow")
        if square is None:
            return None
        x, y = square.inputs
        if not (y == x if square.kind == "Mul" else around.ndim_of(y, 2) == 0):
            return None
    return [_reduced("ReduceL2", x, total, node)]


def _where(node: Node, around: Surroundings) -> list[Node] | None:
    """Kahan's forms: log1p is log(u) (x / (u − 1)), u = 1 + x; expm1 is (u − 1) (x / log u)."""
    condition, x, y = node.inputs
    u = _equal_to_one(condition, around)
    inner = around.made(y, "Where")
    product = around.made(y if inner is None else inner.inputs[2], "Mul")
    if not u or product is None:
        return None
    for first, second in (product.inputs, product.inputs[::-1]):
        quotient = around.made(second, "Div")
        if quotient is None or quotient.inputs[0] != x:
            continue
        for log, minus, kind in (
            (first, quotient.inputs[1], "Log1p"),
            (quotient.inputs[1], first, "Expm1"),
        ):
            own, less = around.made(log, "Log"), around.made(minus, "Sub")
            matches = own and own.inputs[0] == u and less and less.inputs[0] == u
            if not matches or not less or around.ndim_of(less.inputs[1], 1) != 0:
                continue
            made = around.made(u, "Add" if kind == "Log1p" else "Exp")
            of = made and (around.beside(made, 1) if kind == "Log1p" else (made.inputs[0], 0))
            rest = inner is None if kind == "Log1p" else inner is None or inner.inputs[1] == minus
            if of == (x, 0) and rest:
                return _of(node, kind, x)
    return None


def _equal_to_one(condition: str, around: Surroundings) -> str:
    """The u of u = 1, or of u = 1 or u = ∞."""
    either = around.made(condition, "Or")
    parts = (condition,) if either is None else either.inputs
    found = ""
    for name in parts:
        equal = around.made(name, "Equal")
        one, infinity = (equal and around.beside(equal, value) for value in (1, np.inf))
        side = one or infinity
        if not side or (found and side[0] != found) or side[1]:
            return ""
        found = side[0]
    ones = (around.made(name, "Equal") for name in parts)
    return found if any(equal and around.beside(equal, 1) for equal in ones) else ""


RULES: dict[str, Rule] = {
    "Where": _where,
    "Log": _log,
    "Sub": _sub,
    "Div": _div,
    "Reciprocal": lambda node, around: _one_over(node, node.inputs[0], around),
    "Mul": _mul,
    "Sqrt": _sqrt,
    "ai.onnx.ml.Normalizer": _normalizer,
}
