"""Structural zeros, as opposed to numbers that happen to be 0.

An element of an operand is dead where an operation does not select it, or multiplies it by a
constant 0: its derivative is 0 there. A mask marks the dead elements. The
sweep passes the mask on with the gradient, and sets the gradient to 0 there, even if a factor is
infinite. A computed 0 makes nothing dead: 0 · ∞ is NaN.

A mask is a function without arguments, so that it is computed only if it is used. It works on
arrays and on Tensors.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from math import isfinite
from typing import Any

import numpy as np

from autograd_lite.core.op import Op
from autograd_lite.core.sweep import Step
from autograd_lite.core.tensor import OUT, Node, Value

__all__ = ["Masked"]

Mask = Callable[[], Any]
"""Returns where a value is dead."""


@cache
def _scales(op: Op) -> bool:
    """Whether a rule multiplies elementwise by values, which may be infinite."""
    return op.traits.elementwise and not all(_moves(op, k) for k in range(len(op.rules)))


class Masked:
    """The view of a sweep in which a structural zero removes an infinite factor.

    Args:
        ends: the gradient that enters at each result.
        unit: whether its zeros are structural, as those of a unit vector.
        view: the view whose rules are guarded.
    """

    def __init__(
        self, ends: dict[Node, Any], unit: bool = False, view: Callable[[Node], Any] | None = None
    ) -> None:
        self.masks: dict[Node, Mask | None] = {
            end: partial(np.equal, g, 0) if unit else None for end, g in ends.items()
        }
        self.view = view
        self.loose = False

    def __call__(self, node: Node) -> Any:
        """The step at a node; each rule returns the structural zeros."""
        step = node if self.view is None else self.view(node)
        mask = self.masks.pop(node, None)
        if step.sources is not node.inputs:
            self._send(step.sources[0], mask)
            return step
        # The gradient that enters may be infinite at an element that is not selected.
        loose = self.loose
        self.loose = loose or _scales(node.op)
        rules = []
        for k, (x, rule) in enumerate(zip(step.sources, step.rules, strict=False)):
            if rule is not None and x.requires_grad:
                rule, behind = guard(rule, node, k, mask, loose, step.saved)
                if behind is not None and node.op.broadcasts:
                    behind = _fitted(behind, node.form.shape, x.form.shape)
                self._send(x, behind)
            rules.append(rule)
        if all(new is old for new, old in zip(rules, step.rules, strict=False)):
            return step
        return Step(step.sources, rules, step.saved, step.attributes)

    def _send(self, x: Node, mask: Mask | None) -> None:
        """A value is dead where it is dead for all of its consumers."""
        self.masks[x] = _both(mask, self.masks[x]) if x in self.masks else mask


def guard(
    rule: Callable[..., Any], node: Node, k: int, mask: Mask | None, loose: bool, saved: Any
) -> tuple[Callable[..., Any], Mask | None]:
    """A rule that returns the structural zeros, and the mask of its operand.

    Args:
        rule: the gradient rule of the k-th operand.
        node: the node of the operation.
        k: the number of the operand.
        mask: where the result is dead.
        loose: whether the gradient that enters may be infinite at an element not selected.
        saved: the result and the operands that the rule gets.
    """
    op, traits = node.op, node.op.traits
    behind: Mask | None
    if traits.chooses is True:
        behind = _moved(mask, rule, saved, node.attributes)
        mask = None if mask is None and not loose else behind
    elif traits.chooses:
        choose = traits.chooses[k]
        behind = _either(mask, choose and partial(choose, *saved, **node.attributes))
        mask = behind if loose else mask
    elif traits.elementwise:
        behind = _either(mask, _absorbed(node, k, saved)) if traits.absorbing else mask
    elif mask is not None and _moves(op, k):
        mask = behind = _moved(mask, rule, saved, node.attributes)
    else:
        # While tracing, the size means nothing: the program is the same for any number of rows.
        single = mask is not None and node.form.size == 1 and not node.kind.always_recorded
        mask = behind = _of_one_number(mask) if mask is not None and single else None
    if mask is None or _moves(op, k) or all(_is_number(saved[j]) for j in _read(op, k)):
        return rule, behind
    return _silenced(rule, mask), behind


def _is_number(x: Any) -> bool:
    """Whether an operand is a literal number, finite and not 0."""
    value = x.kept if isinstance(x, Value) else x
    return type(value) in (int, float) and value != 0 and isfinite(value)


def _silenced(rule: Callable[..., Any], mask: Mask) -> Callable[..., Any]:
    def call(*args: Any, **attributes: Any) -> Any:
        part = rule(*args, **attributes)
        return _where(mask(), part)

    return call


def _both(mask: Mask | None, other: Mask | None) -> Mask | None:
    if mask is None or other is None:
        return None
    return cache(lambda: np.logical_and(mask(), other()))


def _fitted(mask: Mask, whole_shape: tuple[int, ...], shape: tuple[int, ...]) -> Mask:
    """The mask after broadcasting is undone: where all summed elements are dead."""
    if whole_shape == shape:
        return mask

    @cache
    def found() -> Any:
        whole = mask()
        if whole.shape == shape:
            return whole
        whole = np.broadcast_to(whole, whole_shape)
        lead = whole.ndim - len(shape)
        ones = (k + lead for k, n in enumerate(shape) if n == 1)
        return np.reshape(np.all(whole, axis=(*range(lead), *ones)), shape)

    return found


def _where(mask: Any, x: Any) -> Any:
    """x, with 0 where the mask is set; a NumPy scalar for a 0-d array."""
    zeroed = np.where(mask, 0.0, x)
    return zeroed if isinstance(zeroed, Value) else zeroed[()]


def _either(mask: Mask | None, other: Mask | None) -> Mask | None:
    if mask is None or other is None:
        return mask or other
    return cache(lambda: np.logical_or(mask(), other()))


def _absorbed(node: Node, k: int, saved: Sequence[Any]) -> Mask | None:
    """Where the other factor is a constant 0."""
    other, value = node.inputs[1 - k], saved[2 - k]
    if not _is_constant(other):
        return None
    if other.op is None and not other.kind.always_recorded:
        array = value.array if isinstance(value, Value) else value
        if np.all(array):
            return None
    return cache(lambda: np.broadcast_to(np.equal(value, 0), node.form.shape))


FAR = 64  # the largest number of results searched to find out whether a value is a constant


def _is_constant(x: Node) -> bool:
    """Whether a value is computed from constants and booleans only.

    A rounded value or a sign has no derivative, but it changes with its operand and is not
    constant. A value with more than `FAR` ancestors counts as not constant.
    """
    stack, seen = [x], {x}
    while stack:
        x = stack.pop()
        if x.requires_grad or len(seen) > FAR:
            return False
        if not (x.op is None or _is_boolean(x) or x.op.name == "stop_gradient" or _is_shielded(x)):
            new = [y for y in x.inputs if y not in seen]
            stack += new
            seen.update(new)
    return True


def _is_shielded(x: Node) -> bool:
    """Whether only `no_grad` keeps a value from requiring a gradient."""
    return x.op.differentiable and any(y.requires_grad for y in x.inputs)


def _is_boolean(x: Node) -> bool:
    return getattr(x.form, "dtype", None) == np.dtype(bool)


def _read(op: Op, k: int) -> list[int]:
    """The indices of the arrays that a rule reads."""
    return [j for j in range(len(op.rules) + 1) if j in op.reads[k]]


def _moves(op: Op, k: int) -> bool:
    """Whether a rule is known to only move and add up elements of the gradient."""
    return not op.foreign and all(j != OUT and op.rules[j - 1] is None for j in _read(op, k))


def _moved(
    mask: Mask | None, rule: Callable[..., Any], saved: Sequence[Any], attributes: dict[str, Any]
) -> Mask:
    """Where a rule that moves or selects returns 0 for the elements that are not dead."""

    @cache
    def found() -> Any:
        out = saved[OUT]
        alive = np.ones_like(out) if isinstance(out, Value) else np.ones(out.shape, out.dtype)
        alive = alive if mask is None else _where(mask(), alive)
        return np.equal(rule(alive, *saved, **attributes), 0)

    return found


def _of_one_number(mask: Mask) -> Mask:
    return cache(lambda: np.reshape(mask(), ()))
