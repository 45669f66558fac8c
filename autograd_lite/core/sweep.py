"""The reverse sweep: gradients flow back along the edges, the newest node first."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Collection
from typing import Any

import numpy as np

from autograd_lite.core.op import OPS
from autograd_lite.core.tensor import Node, Value, ancestors, apply, ndarray

__all__ = ["Step", "fitted", "sweep"]


Step = namedtuple("Step", ("sources", "rules", "saved", "attributes"))
"""What a sweep does at a node: its edges, and the arguments of their rules.

A `Node` is its own step, unless a view returns another one."""


Starts = Collection[Node] | None
View = Callable[[Node], Any] | None


@np.errstate(all="ignore")
def sweep(
    cotangents: dict[Node, Any], starts: Starts = None, view: View = None, as_written: bool = False
) -> dict[Node, Any]:
    """Send cotangents back through the record, and return the gradients.

    Args:
        cotangents: the gradient that enters at each result.
        starts: the nodes to return gradients of; by default every leaf that requires a gradient.
        view: returns the step to take at a node.
        as_written: follow the program as written; the view must return the matching edges.
    """
    order = ancestors(cotangents, as_written, starts=starts or ())
    leading = None if starts is None else _leading(order, starts, as_written)
    gradients, found, gathered = dict(cotangents), dict[Node, Any](), dict[Node, list[Any]]()
    for node in reversed(order):
        g = gradients.pop(node, None)
        if node in gathered:
            g = gathered[node][0][1].op.gather(g, node, gathered.pop(node))
        if g is None:
            continue
        if node.op is None or (starts is not None and node in starts):
            found[node] = g
            continue
        step = node if view is None else view(node)
        saved, attributes, gather = step.saved, step.attributes, node.op.gather
        for x, rule in zip(step.sources, step.rules, strict=False):
            if rule is None or not (x.requires_grad if leading is None else x in leading):
                continue
            if gather is not None and step.rules is node.op.rules:
                gathered.setdefault(x, []).append((g, node))
                continue
            part = rule(g, *saved, **attributes) if attributes else rule(g, *saved)
            form = x.form
            if part.__class__ is not form.__class__ or (
                part.__class__ is ndarray
                and (part.shape != form.shape or part.dtype is not form.dtype)
            ):
                part = fitted(part, node, x)
            gradients[x] = gradients[x] + part if x in gradients else part
    return found


def _leading(order: list[Node], starts: Collection[Node], as_written: bool) -> set[Node]:
    """The nodes that depend on a start."""
    leading = set(starts)
    for node in order:
        if any(x in leading for x in (node.inputs if as_written else node.sources)):
            leading.add(node)
    return leading


def fitted(part: Any, node: Node, x: Node) -> Any:
    """A contribution in the shape and dtype of its input. Only here is broadcasting undone."""
    op, form = node.op, x.form
    if part.shape != form.shape:
        if not (op.broadcasts and part.shape == node.form.shape):
            other = f" or of the result, {node.form.shape}" if op.broadcasts else ""
            raise ValueError(
                f"{op.name}: the gradient rule of input {node.inputs.index(x)} returned shape "
                f"{part.shape} for {x}; it must return the shape of that input{other}"
            )
        if part.__class__ is ndarray and part.size == form.size:
            part = part.reshape(form.shape)[()]
        else:
            part = _like(part, "sum_to", shape=form.shape)
    if part.dtype != form.dtype:
        if part.dtype.kind not in "biuf":
            raise TypeError(
                f"{op.name}: the gradient rule of input {node.inputs.index(x)} returned dtype "
                f"{part.dtype} for {x} of dtype {form.dtype}"
            )
        part = _like(part, "astype", dtype=form.dtype)
    return part


def _like(part: Any, name: str, **attributes: Any) -> Any:
    """An operation on a contribution, which is an array or a Tensor."""
    op = OPS[name]
    if isinstance(part, Value):
        return apply(op, (part,), attributes)
    return op.forward(part, **attributes)
