"""The reverse sweep: gradients go back along the edges, the newest node first."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from autograd_lite.core.op import OPS
from autograd_lite.core.tensor import Node, Value, ancestors, apply, ndarray

__all__ = ["Step", "fitted", "sweep"]


class Step:
    """What a sweep does at a node: its edges, and what their rules are given.

    A `Node` is the step that the sweep takes unless a view gives another in its place.
    """

    __slots__ = ("attributes", "rules", "saved", "sources")

    def __init__(self, sources: Any, rules: Any, saved: Any, attributes: dict[str, Any]) -> None:
        self.sources, self.rules, self.saved, self.attributes = sources, rules, saved, attributes


def sweep(
    cotangents: dict[Node, Any],
    starts: Collection[Node] | None = None,
    view: Callable[[Node], Any] | None = None,
    written: bool = False,
) -> dict[Node, Any]:
    """Send cotangents back through the record, and return the gradients of what is wanted.

    Args:
        cotangents: for each result the gradient that enters there.
        starts: the nodes whose gradients are wanted; by default every leaf that wants one.
        view: gives for each node the step to take there.
        written: follow what was written; the view gives the edges that go with it.
    """
    order = ancestors(cotangents, written)
    leading = None if starts is None else _leading(order, starts, written)
    gradients, found = dict(cotangents), {}
    with np.errstate(all="ignore"):
        for node in reversed(order):
            g = gradients.pop(node, None)
            if g is None:
                continue
            if node.op is None or (starts is not None and node in starts):
                found[node] = g
                continue
            step = node if view is None else view(node)
            saved, attributes = step.saved, step.attributes
            for x, rule in zip(step.sources, step.rules, strict=False):
                if rule is None or not (x.requires_grad if leading is None else x in leading):
                    continue
                part = rule(g, *saved, **attributes) if attributes else rule(g, *saved)
                form = x.form
                if part.__class__ is not form.__class__ or (
                    part.__class__ is ndarray
                    and (part.shape != form.shape or part.dtype is not form.dtype)
                ):
                    part = fitted(part, node, x)
                held = gradients.get(x)
                gradients[x] = part if held is None else held + part
    return found


def _leading(order: list[Node], starts: Collection[Node], written: bool) -> set[Node]:
    """Those of the nodes that were made from a start."""
    leading = set(starts)
    for node in order:
        if any(x in leading for x in (node.inputs if written else node.sources)):
            leading.add(node)
    return leading


def fitted(part: Any, node: Node, x: Node) -> Any:
    """A part in the shape and dtype of its input; broadcasting is undone here, and only here."""
    op, form = node.op, x.form
    if part.shape != form.shape:
        if not (op.broadcasts and part.shape == node.form.shape):
            raise ValueError(
                f"{op.name}: the gradient rule of input {node.inputs.index(x)} gave shape "
                f"{part.shape} for {x}; it must have the shape of that input"
                + f" or of the result, {node.form.shape}"
                * op.broadcasts
            )
        if part.__class__ is ndarray and part.size == form.size:
            part = part.reshape(form.shape)[()]
        else:
            part = _like(part, "sum_to", shape=form.shape)
    if part.dtype != form.dtype:
        if part.dtype.kind not in "biuf":
            raise TypeError(
                f"{op.name}: the gradient rule of input {node.inputs.index(x)} gave dtype "
                f"{part.dtype} for {x} of dtype {form.dtype}"
            )
        part = _like(part, "astype", dtype=form.dtype)
    return part


def _like(part: Any, name: str, **attributes: Any) -> Any:
    """An operation on a part of a gradient, which is an array, or a Tensor that records."""
    op = OPS[name]
    if isinstance(part, Value):
        return apply(op, (part,), attributes)
    return op.forward(part, **attributes)
