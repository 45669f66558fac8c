"""The reverse sweep over records."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from math import isfinite
from typing import Any

import numpy as np

from autograd_lite.context import Watch, current
from autograd_lite.graph import ancestors
from autograd_lite.masks import ARMS, CHOOSES, MIXES, Mask, fitted, guard, met, zeros_of
from autograd_lite.node import LARGE, Node, describe
from autograd_lite.op import OPS
from autograd_lite.residuals import Outline, operands_of, settle

__all__ = ["Changed", "Gradients", "gradients", "sweep"]


class Changed(RuntimeError):
    """The data of a Tensor changed between its use and a derivative that needs it as it was."""


def sweep(
    cotangents: dict[Any, Any],
    wanted: Collection[Any] | None = None,
    *,
    unit: bool = False,
    on_tensors: bool = False,
    written: bool = False,
    observe: Callable[[Any, int, Any], None] | None = None,
) -> dict[Any, Any]:
    """Send cotangents back through the record, and return the gradients of what is wanted.

    Args:
        cotangents: for each result the gradient that enters there.
        wanted: the nodes to return gradients of; by default every leaf that wants one.
        unit: the zeros of the cotangents are structure, as those of a unit vector.
        on_tensors: run the rules on Tensors, so that the sweep itself is recorded.
        written: sweep over the graph as it was written, not by better computed equals.
        observe: called with (node, k, part) for each gradient that a node sends to an input.
    """
    order = ancestors(cotangents, wanting=True, written=written)
    for end in cotangents:
        if end.sharing is LARGE and not written:
            settle(order, cotangents)
            break
    if wanted is not None:
        order = _leading(order, wanted, written)
    watch = current().watch
    # How a derivation reads one operation must not depend on the masks of others.
    masked = watch is not None or (on_tensors and not written) or (observe is not None)
    how = order, cotangents, wanted, unit, on_tensors, written, observe, watch
    result, guarded = _swept(*how, masked)
    if guarded and not masked and not all(map(_is_finite, result.values())):
        # Which zeros are structure matters only where a number is not finite.
        result, _ = _swept(*how, True)
    return result


def _swept(
    order: list[Any],
    cotangents: dict[Any, Any],
    wanted: Collection[Any] | None,
    unit: bool,
    on_tensors: bool,
    written: bool,
    observe: Callable[[Any, int, Any], None] | None,
    watch: Watch | None,
    masked: bool,
) -> tuple[dict[Any, Any], bool]:
    """One way back over nodes in order of execution.

    With masks, zeros of structure silence what is infinite behind them. Without, the second result
    tells whether there were any that may have to.
    """
    leading = order if wanted is None else set(order)
    gradients = dict(cotangents)
    masks: dict[Any, Mask] = {}
    if unit and masked:
        masks = {end: partial(np.equal, g, 0) for end, g in cotangents.items()}
    result = {}
    armed = ARMS[CHOOSES] if unit else 0
    loose, guarded = 0, False
    with np.errstate(all="ignore"):
        for node in reversed(order):
            g = gradients.pop(node, None)
            if g is None:
                continue
            mask = masks.pop(node, None) if masks else None
            op = node.op
            if op is None or (wanted is not None and node in wanted):
                result[node] = g
                continue
            if node.stable is not None and not written:
                _add(gradients, masks, node.stable, g, mask)
                continue
            attributes, inputs = node.attributes, node.inputs
            if on_tensors:
                out, operands = node, inputs
                _check_unchanged(node)
            elif written:
                out, operands = node.array, operands_of(node)
            else:
                out, operands = node.kept, node.operands
            zeros = op.zeros
            if zeros < 0:
                zeros = zeros_of(op)
            loose = armed & CHOOSES
            if zeros & armed:
                guarded = guarded or zeros & armed != MIXES or node.kept.size == 1
            armed |= ARMS[zeros]
            behind = None
            for k, rule in enumerate(op.rules if op.arity is not None else op.rules_for(inputs)):
                x = inputs[k]
                if not x.requires_grad or (wanted is not None and x not in leading):
                    continue
                if rule is None:
                    continue
                if masked:
                    rule, behind = guard(rule, node, k, mask, bool(loose), out, operands)
                if watch is not None:
                    rule = watch.around(rule, node, k)
                if attributes:
                    part = rule(g, out, *operands, **attributes)
                else:
                    part = rule(g, out, *operands)
                array = x.kept
                if part.shape != array.shape or part.dtype is not array.dtype:
                    if behind is not None and part.shape != array.shape:
                        behind = fitted(behind, part.shape, array.shape)
                    part = _fitted(part, node, k)
                if observe is not None:
                    observe(node, k, part)
                if masked:
                    _add(gradients, masks, x, part, behind)
                else:
                    held = gradients.get(x)
                    gradients[x] = part if held is None else held + part
    return result, guarded


def _is_finite(g: Any) -> bool:
    return isfinite(np.add.reduce(g, axis=None) if g.shape else g)


def _add(
    gradients: dict[Any, Any], masks: dict[Any, Mask], x: Any, part: Any, mask: Mask | None
) -> None:
    held, other = gradients.get(x), masks.pop(x, None)
    gradients[x] = part if held is None else held + part
    mask = mask if held is None else met(mask, other)
    if mask is not None:
        masks[x] = mask


def _leading(order: list[Any], wanted: Collection[Any], written: bool) -> list[Any]:
    leading = set(wanted)
    for node in order:
        inputs = node.inputs if written or node.stable is None else (node.stable,)
        if node not in leading and any(x in leading for x in inputs):
            leading.add(node)
    return [node for node in order if node in leading]


def _fitted(part: Any, node: Any, k: int) -> Any:
    """A part in the shape and dtype of its input; broadcasting is undone here, and only here."""
    op, x = node.op, node.inputs[k]
    shape = x.kept.shape
    if part.shape != shape:
        if not (op.broadcasts and part.shape == node.kept.shape):
            raise ValueError(
                f"{op.name}: the gradient rule of input {k} gave shape {part.shape} for "
                f"{describe(x)}; it must have the shape of that input"
                + (f" or of the result, {node.shape}" if op.broadcasts else "")
            )
        if isinstance(part, Node):
            part = OPS["sum_to"](part, shape=shape)
        elif part.size == x.kept.size:
            part = part.reshape(shape)[()]
        else:
            part = OPS["sum_to"].forward(part, shape)
    if part.dtype != x.dtype:
        if part.dtype.kind not in "biuf":
            raise TypeError(
                f"{op.name}: the gradient rule of input {k} gave dtype {part.dtype} for "
                f"{describe(x)} of dtype {x.dtype}"
            )
        part = OPS["astype"](part, dtype=x.dtype)
    return part


def _check_unchanged(node: Any) -> None:
    for x, operand in zip(node.inputs, node.operands, strict=True):
        if type(operand) is Outline:
            continue
        if x.array is not operand and not np.array_equal(x.array, operand, equal_nan=True):
            raise Changed(
                f"{node.op.name}: {describe(x)} was changed after it was used, and a second "
                "derivative needs it as it was; change data after the derivative is taken"
            )


@dataclass(frozen=True, slots=True)
class Gradients:
    """The gradients of one result with respect to every node that leads to it.

    Attributes:
        of: the gradient of the result with respect to each node.
        parts: what each node (consumer, k) sends to its k-th input; the parts of a node add up
            to its gradient.
    """

    of: dict[Any, Any]
    parts: dict[tuple[Any, int], Any]


def gradients(result: Any, gradient: Any = None) -> Gradients:
    """Sweep back over the graph as it was written and keep every gradient.

    Example:
        >>> import autograd_lite as ag
        >>> from autograd_lite.sweep import gradients
        >>> a = ag.Tensor(3.0)
        >>> b = a * a
        >>> found = gradients(b)
        >>> float(found.of[a]), float(found.parts[b, 0])
        (6.0, 3.0)
    """
    if gradient is None:
        gradient = np.ones_like(result.array)
    of, parts = _kept(result, gradient, written=True)
    # Numbers come from the better computed equals where there are some; the graph stays as written.
    better, better_parts = _kept(result, gradient, written=False)
    passed = _passed_by(better, of)
    rest = {node: g for node, g in better.items() if node in of and node not in passed}
    of |= rest
    unknown: dict[Any, list[tuple[Any, int]]] = {}
    for edge in parts:
        node, k = edge
        x = node.inputs[k]
        if edge in better_parts and node not in passed:
            parts[edge] = better_parts[edge]
            if x in rest:
                with np.errstate(all="ignore"):
                    rest[x] = rest[x] - parts[edge]
        elif x in rest:
            unknown.setdefault(x, []).append(edge)
    for x, edges in unknown.items():
        if len(edges) == 1:
            parts[edges[0]] = rest[x]
    return Gradients(of, parts)


def _passed_by(nodes: Collection[Any], written: Collection[Any]) -> set[Any]:
    """The written nodes that a better computed equal passes by: they lack what flows through it."""
    passed: set[Any] = set()
    for node in nodes:
        if node.stable is None:
            continue
        reached: set[Any] = set()
        stack = [node.stable]
        while stack:
            x = stack.pop()
            if x not in reached and x not in written:
                stack += x.inputs if x.stable is None else (x.stable,)
            reached.add(x)
        stack = list(node.inputs)
        while stack:
            x = stack.pop()
            if x in written and x not in reached:
                passed.add(x)
                reached.add(x)
                stack += x.inputs
    return passed


def _kept(result: Any, gradient: Any, written: bool) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """One sweep, with the gradient of every node and the part on every edge."""
    of: dict[Any, Any] = {result: gradient}
    parts: dict[tuple[Any, int], Any] = {}

    def keep(node: Any, k: int, part: Any) -> None:
        parts[node, k] = part
        x = node.inputs[k]
        of[x] = of[x] + part if x in of else part

    if result.requires_grad:
        sweep({result: gradient}, written=written, observe=keep)
    return of, parts
