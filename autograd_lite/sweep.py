"""Sweeps with structural zeros, on Tensors, and over the graph as written."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from math import isfinite
from typing import Any

import numpy as np

from autograd_lite.context import current
from autograd_lite.core.sweep import Step, fitted
from autograd_lite.core.sweep import sweep as core_sweep
from autograd_lite.core.tensor import Node, Outline, value_of
from autograd_lite.lines import Lines
from autograd_lite.masks import Masked

__all__ = ["Gradients", "gradients", "sweep", "swept"]

View = Callable[[Node], Any]


def sweep(
    cotangents: dict[Any, Any], wrt: Collection[Any] | None = None, **options: Any
) -> dict[Any, Any]:
    """Send cotangents back through the record, and return the gradients.

    Args:
        cotangents: the gradient that enters at each result.
        wrt: the Tensors to return gradients of; by default every leaf that requires a gradient.
        options: as for `swept`.
    """
    ends = {x.node: g for x, g in cotangents.items()}
    starts = None if wrt is None else {x.node for x in wrt}
    return {value_of(node): g for node, g in swept(ends, starts, **options).items()}


def swept(
    ends: dict[Node, Any],
    starts: Collection[Node] | None = None,
    *,
    unit: bool = False,
    on_tensors: bool = False,
    as_written: bool = False,
    observe: Callable[[Node, int, Any], None] | None = None,
) -> dict[Node, Any]:
    """A sweep over nodes, in which a structural zero removes an infinite factor.

    Args:
        ends: the gradient that enters at each result.
        starts: the nodes to return gradients of; by default every leaf that requires a gradient.
        unit: whether the zeros of the cotangents are structural, as those of a unit vector.
        on_tensors: run the rules on Tensors, so that the sweep itself is recorded.
        as_written: sweep over the graph as written, without stable forms.
        observe: called with (node, k, part) for each contribution to the gradient of an input.
    """
    view: View | None = _step_as_written if as_written else None
    if on_tensors:
        view = _on_tensors(view)
    observer = current().observer
    # A derivation looks at each operation alone, so masks of other operations must not enter.
    if observer is None and observe is None and (as_written or not on_tensors):
        found = core_sweep(ends, starts, view, as_written)
        if on_tensors or all(map(_is_finite, found.values())):
            return found
        # Structural zeros make a difference only if a number is not finite.
    view = Masked(ends, unit, view)
    if type(observer) is Lines:
        view = observer.following(view)
    elif observer is not None:
        view = _wrapped(view, observer.around)
    if observe is not None:
        view = _wrapped(view, _observed(observe))
    return core_sweep(ends, starts, view, as_written)


# Up to this size a dot product is faster than a sum. A larger one would start threads of BLAS, and
# a later fork would hang.
FEW = 4096


def _is_finite(g: Any) -> bool:
    if not g.ndim:
        return isfinite(g)
    if g.size > FEW:
        return isfinite(np.add.reduce(g, axis=None))
    line = g.ravel("K")
    return isfinite(np.vdot(line, line))  # without a warning where a square overflows


def _step_as_written(node: Node) -> Step:
    """The step of the operation as written; arrays that were not saved are computed again."""
    if node.sources is node.inputs:
        return Step(node.sources, node.rules, node.saved, node.attributes)
    pairs = zip((node, *node.inputs), node.saved, strict=True)
    saved = tuple(value_of(x).array if type(a) is Outline else a for x, a in pairs)
    return Step(node.inputs, node.op.rules, saved, node.attributes)


def _on_tensors(view: View | None) -> View:
    def step(node: Node) -> Step:
        arrays = node if view is None else view(node)
        pairs = zip((node, *node.inputs), arrays.saved, strict=True)
        saved = tuple(_lifted(x, a) for x, a in pairs)
        return Step(arrays.sources, arrays.rules, saved, arrays.attributes)

    return step


def _lifted(node: Node, array: Any) -> Any:
    """The Tensor of a node, with the array that it had when the operation was applied."""
    if type(array) is Outline:
        return value_of(node)
    value = value_of(node, array)
    if node.op is not None:
        value.kept = array  # so that it is not computed again
    elif value.kept is not array:
        value = object.__new__(node.kind)
        value.kept, value.node = array, node
    return value


def _wrapped(view: View, around: Callable[[Any, Node, int], Any]) -> View:
    """A view whose rules are wrapped by ``around(rule, node, k)``."""

    def step(node: Node) -> Any:
        inner = view(node)
        if inner.sources is not node.inputs:
            return inner
        edges = enumerate(zip(inner.sources, inner.rules, strict=False))
        rules = [rule and around(rule, node, k) for k, (_, rule) in edges]
        return Step(inner.sources, rules, inner.saved, inner.attributes)

    return step


def _observed(observe: Callable[[Node, int, Any], None]) -> Callable[[Any, Node, int], Any]:
    def around(rule: Any, node: Node, k: int) -> Any:
        def observed(*given: Any, **attributes: Any) -> Any:
            part = fitted(rule(*given, **attributes), node, node.inputs[k])
            observe(node, k, part)
            return part

        return observed

    return around


@dataclass(frozen=True, slots=True)
class Gradients:
    """The gradients of one result with respect to every node that it depends on.

    Attributes:
        of: the gradient of the result with respect to each node.
        parts: the contribution of each edge (consumer, k) to the gradient of the consumer's k-th
            input. The contributions to a node add up to its gradient; they are left out where
            stable forms do not tell them apart.
    """

    of: dict[Any, Any]
    parts: dict[tuple[Any, int], Any]


def gradients(result: Any, gradient: Any = None, *, on_tensors: bool = False) -> Gradients:
    """Sweep back over the graph as written and keep every gradient.

    Args:
        result: what is differentiated.
        gradient: the gradient that enters at the result, by default ones.
        on_tensors: run the rules on Tensors, so that the gradients are recorded.

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
    of, parts = _kept(result, gradient, as_written=True, on_tensors=on_tensors)
    if all(x.node.sources is x.node.inputs for x in of):
        return Gradients(of, parts)
    # The graph stays as written, but the numbers come from the stable forms where there are any.
    stable, stable_parts = _kept(result, gradient, as_written=False, on_tensors=on_tensors)
    passed = _passed_by(stable, of)
    rest = {node: g for node, g in stable.items() if node in of and node not in passed}
    of |= rest
    unknown: dict[Any, list[tuple[Any, int]]] = {}
    for edge in parts:
        node, k = edge
        x = node.inputs[k]
        if edge in stable_parts and node not in passed:
            parts[edge] = stable_parts[edge]
            if x in rest:
                with np.errstate(all="ignore"):
                    rest[x] = rest[x] - parts[edge]
        elif x in rest:
            unknown.setdefault(x, []).append(edge)
    for x, edges in unknown.items():
        if len(edges) == 1:
            parts[edges[0]] = rest[x]
        elif on_tensors:
            # Whether the parts are known depends on the numbers.
            raise NotImplementedError("a stable form computes several parts of a gradient at once")
        elif not _add_up([parts[edge] for edge in edges], rest[x]):
            parts = {edge: part for edge, part in parts.items() if edge[0].inputs[edge[1]] is not x}
    return Gradients(of, parts)


def _add_up(parts: list[Any], whole: Any) -> bool:
    """Whether parts add up to a whole, except for rounding errors."""
    with np.errstate(all="ignore"):
        scale = np.abs(whole) + sum(np.abs(part) for part in parts)
        return bool((np.abs(sum(parts) - whole) <= 1e-6 * scale).all())


def _passed_by(nodes: Collection[Any], written: Collection[Any]) -> set[Any]:
    """The written nodes that a stable form bypasses: the gradient through it is missing there."""
    passed: set[Any] = set()
    for node in nodes:
        if node.stable_form is None:
            continue
        reached: set[Any] = set()
        stack = [node.stable_form]
        while stack:
            x = stack.pop()
            if x not in reached and x not in written:
                stack += x.inputs if x.stable_form is None else (x.stable_form,)
            reached.add(x)
        passed |= _missed([x for x in node.inputs if x in written], reached)
    return passed


def _missed(inputs: Collection[Any], reached: set[Any]) -> set[Any]:
    """The nodes above some inputs that are not above a reached node, of which all is known."""
    missed: set[Any] = set()
    left = {x for x in inputs if x not in reached}
    nodes = {x.position: x for x in (*inputs, *reached)}
    heap = [-position for position in nodes]
    heapify(heap)
    while left:
        # The newest first: what depends on a node comes before it.
        x = nodes[-heappop(heap)]
        if x in left:
            left.remove(x)
            missed.add(x)
        for source in x.inputs:
            if not source.requires_grad:
                continue
            if source.position not in nodes:
                nodes[source.position] = source
                heappush(heap, -source.position)
            if x in reached:
                reached.add(source)
                left.discard(source)
            elif x in missed and source not in reached:
                left.add(source)
    return missed


def _kept(
    result: Any, gradient: Any, as_written: bool, on_tensors: bool
) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """One sweep, with the gradient of every node and the part on every edge."""
    of: dict[Any, Any] = {result: gradient}
    parts: dict[tuple[Any, int], Any] = {}

    def keep(node: Node, k: int, part: Any) -> None:
        value = value_of(node)
        parts[value, k] = part
        x = value.inputs[k]
        of[x] = of[x] + part if x in of else part

    if result.requires_grad:
        sweep({result: gradient}, as_written=as_written, on_tensors=on_tensors, observe=keep)
    return of, parts
