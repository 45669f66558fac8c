"""A value is an array and the node that records how it was computed; `apply` creates both."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from operator import attrgetter
from typing import Any
from weakref import ref

import numpy as np

from autograd_lite.core.state import hooks, latest

__all__ = ["OUT", "Node", "Outline", "Value", "ancestors", "apply", "leaf", "value_as", "value_of"]

SMALL = 2**18
"""Arrays of at most so many bytes are always saved: leaving one out would cost more."""

OUT = 0
"""The index of the result in `Node.saved`; the operands follow it."""

NOTHING: dict[str, Any] = {}
ndarray, new, clock = np.ndarray, object.__new__, count().__next__


class Outline:
    """The shape, dtype and layout of an array whose values are not saved."""

    __slots__ = ("dtype", "shape", "strides")

    def __init__(self, array: Any) -> None:
        self.shape: tuple[int, ...] = array.shape
        self.dtype: np.dtype[Any] = array.dtype
        self.strides: tuple[int, ...] = array.strides

    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: int(np.prod(self.shape)))

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            f"a gradient rule reads values of an array {self.shape} that were not saved: the rule "
            "does not declare them, or requires_grad was set later; compute the result again"
        )

    __array_ufunc__ = __array_function__ = __array__


@dataclass(init=False, repr=False, eq=False, slots=True)
class Node:
    """The record of one value: how it was computed, and the edges along which its gradient flows.

    Attributes:
        op, inputs, attributes: the operation as written; a leaf has no op.
        sources, rules: the edges: where the gradient flows, and the rules that compute it. They are
            `inputs` and `op.rules`, or one edge to the stable form that computed the value.
        saved: the result and the operands that the rules read.
        form: an array of the value's shape and dtype, or an Outline.
        position: larger than the positions of all its inputs.
        handle: a weak reference to the value. A node keeps no array alive but the saved ones.
        outside: the array of a leaf that was handed out and may be changed, or None.
    """

    op: Any
    inputs: Any
    attributes: dict[str, Any]
    sources: Any
    rules: Any
    saved: tuple[Any, ...]
    form: Any
    position: int
    handle: Any
    kind: Any
    requires_grad: bool
    large: bool
    name: str | None
    scope: tuple[str, ...]
    grad: Any
    line: Any
    outside: Any

    def __str__(self) -> str:
        shape = getattr(self.form, "shape", ())
        if self.name is not None:
            return f"{self.name} {shape}"
        if self.op is not None:
            return f"the result of {self.op.name} {shape}"
        return f"an array {shape}" if shape else f"the number {self.form}"


class Value:
    """An array and its node; `Tensor` is a Value with operators and methods."""

    __slots__ = ("__weakref__", "kept", "node")

    kept: Any
    node: Node
    array: Any  # defined by Tensor
    always_recorded = False

    def snapshot(self) -> Any:
        """An array that the record can save, if `kept` is None."""
        raise NotImplementedError


def leaf(kind: type[Value], array: Any, requires_grad: bool, scope: tuple[str, ...]) -> Any:
    """A leaf of this array, which is not copied."""
    node, value = new(Node), new(kind)
    node.op = node.grad = node.name = None
    node.inputs = node.sources = node.rules = node.saved = ()
    node.attributes, node.form, node.requires_grad = NOTHING, array, requires_grad
    node.scope, node.position, node.large = scope, clock(), False
    node.kind, node.handle = kind, ref(value)
    value.kept, value.node = array, node
    return value


def value_as(kind: type[Value], array: Any, node: Node) -> Any:
    """A new value of a node, to which its handle refers from now on."""
    value = new(kind)
    value.kept, value.node, node.kind = array, node, kind
    node.handle = ref(value)
    return value


def value_of(node: Node, array: Any = None) -> Any:
    """The value of a node: the existing one, or one that computes its array when it is read."""
    value = node.handle()
    if value is None:
        if node.op is None:  # an array that was handed out may have changed
            array = node.form if getattr(node, "outside", None) is None else None
        value = value_as(node.kind, array, node)
    return value


def apply(
    op: Any, operands: Sequence[Any], attributes: dict[str, Any] = NOTHING, as_written: bool = False
) -> Any:
    """Compute an operation and record it; ``as_written``: without a stable form."""
    kind, requires_grad, large, inputs, arrays, state = Value, False, False, [], [], latest()
    if state.in_generator:
        state = hooks.running(state)
    for x in operands:
        if x.__class__ is not kind:
            if not isinstance(x, Value):
                x = hooks.constant(x)
            if isinstance(x, kind):
                kind = x.__class__
        source, array = x.node, x.kept
        inputs.append(source)
        arrays.append(x.snapshot() if array is None else array)
        requires_grad = requires_grad or source.requires_grad
        large = large or source.large
    equal = None if op.stable_form is None or as_written else _equal(op, inputs, arrays, attributes)
    try:
        if equal is None:
            out = op.compute(*arrays, **attributes)
        else:
            out = equal.snapshot() if equal.kept is None else equal.kept
    except (ValueError, TypeError, IndexError) as error:
        raise hooks.explained(error, op, inputs, attributes) from error
    value = leaf(kind, out, requires_grad and op.differentiable and state.recording, state.scope)
    if state.recording or kind.always_recorded:
        node = value.node
        node.op, node.inputs, node.attributes = op, inputs, attributes
        node.sources, node.rules, node.saved = inputs, op.rules, (out, *arrays)
        if equal is not None:
            node.sources, node.rules = [equal.node], PASS_ON
        if large or (out.__class__ is ndarray and out.nbytes > SMALL):
            _leave_out(node)
    if op.broadcasts and out.__class__ is ndarray and _is_larger(out, arrays):
        hooks.outgrown(op, inputs)
    if state.observer is not None:
        state.observer.applied(value, op, inputs, arrays)
    return value


def _equal(op: Any, inputs: list[Node], arrays: list[Any], attributes: Any) -> Value | None:
    """The value of the stable form, if there is one."""
    for x in inputs:
        if x.op in op.stable_after or x.sources is not x.inputs:
            return op.stable_form(list(map(value_of, inputs, arrays)), attributes)  # type: ignore
    return None


def _is_larger(out: Any, arrays: list[Any]) -> bool:
    a, b = arrays[0], arrays[1 % len(arrays)]
    return bool(getattr(a, "shape", ()) != out.shape != getattr(b, "shape", ()))


PASS_ON: Any = (lambda g, *saved, **attributes: g,)
"""The rule of the single edge from an operation as written to its stable form."""


def _leave_out(node: Node) -> None:
    """Save outlines in place of the large arrays that no rule reads.

    The arrays of leaves are always saved: a leaf may be updated, and its results may have to be
    computed again from the old array. So is the result of a user's operation, which runs only once.
    """
    op, out = node.op, node.saved[OUT]
    edges = zip(node.inputs, op.reads, strict=False) if node.sources is node.inputs else ()
    reads = [numbers for x, numbers in edges if node.requires_grad and x.requires_grad]
    stays = [op.foreign, *(x.op is None for x in node.inputs)]
    saved = []
    for k, (array, stay) in enumerate(zip(node.saved, stays, strict=True)):
        read = stay or any(k in numbers for numbers in reads)
        saved.append(array if read or not _is_large(array) else Outline(array))
    node.saved, node.large = tuple(saved), _is_large(out)
    node.form = node.saved[OUT]


def _is_large(array: Any) -> bool:
    return array.__class__ is ndarray and array.nbytes > SMALL


def ancestors(
    ends: Iterable[Node], as_written: bool = False, requires_grad: bool = True, starts: Any = ()
) -> list[Node]:
    """Every node that the ends depend on, including the ends, in the order of execution.

    ``as_written`` follows the inputs, not the edges; ``requires_grad`` leaves out constants;
    ``starts`` leaves out nodes that are older than all of these, and so do not depend on them.
    """
    oldest = min((x.position for x in starts), default=0)
    stack = list(ends)
    seen = set(stack)
    while stack:
        node = stack.pop()
        for x in node.inputs if as_written else node.sources:
            if (x.requires_grad or not requires_grad) and x.position >= oldest and x not in seen:
                seen.add(x)
                stack.append(x)
    return sorted(seen, key=attrgetter("position"))
