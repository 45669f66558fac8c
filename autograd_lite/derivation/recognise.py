"""σ, tanh and softmax, recognised in expressions with exponentials."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from typing import Any

import sympy

from autograd_lite.derivation import lowest
from autograd_lite.derivation.entries import Element, Expr, Index, Opaque, Total
from autograd_lite.op import OPS

__all__ = ["recognised"]


def recognised(space: Any, expr: Expr) -> Expr:
    """An expression with σ, tanh and softmax in place of exponentials."""
    exponentials = [f for f in expr.atoms(sympy.Function) if f.func == lowest.EXP]
    if exponentials:
        expr = lowest.with_tanh(expr, exponentials)
        expr = lowest.with_sigmoid(expr, exponentials, lambda s: node_of(space, s))
        expr = with_softmax(space, expr)
    if space.known_at:
        for call in sorted(expr.atoms(sympy.Function), key=lowest.operations, reverse=True):
            node = node_of(space, call)
            if node is not None:
                expr = expr.xreplace({call: node})
    return expr


def with_softmax(space: Any, expr: Expr) -> Expr:
    """exp x / Σ exp x as softmax(x)."""
    for symbol in lowest.symbols(expr):
        entry = space.entry(symbol)
        if not isinstance(entry, Total) or entry.body.func != lowest.EXP:
            continue
        for e in sorted(expr.atoms(lowest.EXP), key=str):
            place = match(space, entry.body, e, set(entry.bound))
            if place is None:
                continue
            share = softmax(space, entry, place)
            tried = lowest.lowest(expr.xreplace({e: share * symbol}))
            expr = tried.xreplace({share * symbol: e})
            if share * symbol in sympy.Mul.make_args(tried):
                expr = tried.xreplace({share: e / symbol})
    return expr


def softmax(space: Any, entry: Total, place: Mapping[int, int]) -> Any:
    """The symbol of exp x / Σ exp x: a node defined as that, or softmax(x)."""
    body = entry.body.args[0]
    own = space.free(body)

    def last(i: int) -> tuple[bool, int]:
        return i in entry.bound, i

    order = list(dict.fromkeys(
        i
        for s in lowest.symbols(body)
        for i in getattr(space.entry(s), "indices", sorted(space.free(s), key=last))
        if i in own
    ))  # fmt: skip
    axes: dict[int, Index] = {i: k for k, i in enumerate(order)}
    argument = space.rename(body, axes)
    shape = shape_of(space, argument, len(order))
    axis = tuple(sorted(axes[i] for i in entry.bound))  # type: ignore[type-var]
    attributes = {} if axis == (len(order) - 1,) else {"axis": axis[0] if len(axis) == 1 else axis}
    call = space.call(OPS["softmax"], attributes, shape)
    args = ((argument, shape),)
    indices = tuple(place.get(i, i) for i in order)
    symbol = space.symbol(Opaque(call, args, tuple(range(len(order)))))
    for definition, node, _ in space.known_at.get(max(space.nodes(symbol), default=-1), ()):
        if space.at(definition) == symbol:
            return space.symbol(Element(node, indices))
    return space.symbol(Opaque(call, args, indices))


def shape_of(space: Any, expr: Expr, ndim: int) -> tuple[int, ...]:
    """The lengths of the indices 0 … ndim − 1 of an expression."""
    lengths = [1] * ndim
    for symbol in expr.free_symbols:
        entry = space.entry(symbol)
        if isinstance(entry, Total):
            free = shape_of(space, entry.body, ndim)
            lengths = [max(a, b) for a, b in zip(lengths, free, strict=True)]
        elif isinstance(entry, (Element, Opaque)):
            shape = (
                space.shapes[entry.node]
                if isinstance(entry, Element)
                else space.calls[entry.call][2]
            )
            for i, n in zip(entry.indices, shape, strict=True):
                if i is not None and 0 <= i < ndim:
                    lengths[i] = n
    return tuple(lengths)


def match(space: Any, pattern: Expr, expr: Expr, bound: set[int]) -> dict[int, int] | None:
    """How to rename the bound indices of a pattern so that it becomes the expression."""
    to: dict[int, int] = {}
    theirs: dict[Any, list[Any]] = {}
    for symbol in lowest.symbols(expr):
        theirs.setdefault(space.source(symbol), []).append(symbol)
    for symbol in lowest.symbols(pattern):
        mine = getattr(space.entry(symbol), "indices", None)
        for other in theirs.get(space.source(symbol), [])[:1]:
            their = getattr(space.entry(other), "indices", None)
            if mine is not None and their is not None:
                to |= {i: j for i, j in zip(mine, their, strict=True) if i in bound}
    missing = sorted(bound & space.free(pattern) - to.keys())
    left = sorted(space.free(expr) - set(to.values()))
    for chosen in permutations(left, len(missing)):
        renaming = to | dict(zip(missing, chosen, strict=True))
        if space.rename(pattern, renaming) == expr:
            return renaming
    return None


def node_of(space: Any, call: Any) -> Any:
    """The named node with a function call as its definition."""
    for definition, node, indices in space.known_at.get(max(space.nodes(call), default=-1), ()):
        pattern = space.at(definition)
        if pattern.func == call.func:
            to = match(space, pattern, call, set(space.free(pattern)))
            if to is not None:
                place = tuple(None if i is None else to[i] for i in indices)
                return space.symbol(Element(node, place))
    return None
