"""Zeros of structure, told from numbers that happen to be 0.

An operand is dead where an operation does not choose it, or multiplies it by a constant 0: its
derivative is 0 there, whatever it was made from. A mask says where. The sweep hands it on with the
gradient, and sets the gradient to 0 there, however infinite a factor is. A 0 that was computed
makes nothing dead: 0 · ∞ is NaN.

A mask is a function without arguments, so that it is computed only where it is used, on arrays and
on Tensors alike.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache, partial
from math import isfinite
from typing import Any

import numpy as np

from autograd_lite.context import current
from autograd_lite.node import ARGUMENT, Node
from autograd_lite.residuals import OUT, reads_of

__all__ = ["ARMS", "CHOOSES", "MIXES", "Mask", "fitted", "guard", "met", "zeros_of"]

Mask = Callable[[], Any]
"""Computes where a value is dead."""


CHOOSES, ABSORBS, SCALES, MIXES = 1, 2, 4, 8
"""What an operation has to do with zeros: it makes some, or its rules multiply them by values, of
the same place or of others."""

ARMS = tuple(
    SCALES * bool(zeros & (CHOOSES | ABSORBS))
    | MIXES * bool(zeros & CHOOSES)
    | CHOOSES * bool(zeros & SCALES)
    for zeros in range(16)
)
"""For what an operation has to do with zeros, what must not come before it without masks."""


def zeros_of(op: Any) -> int:
    """What an operation has to do with zeros, told when it is first asked for."""
    multiplies = not all(_moves(op, k) for k in range(len(op.rules)))
    kind = SCALES if op.elementwise else MIXES
    op.zeros = CHOOSES * bool(op.chooses) | ABSORBS * op.absorbing | kind * multiplies
    return op.zeros  # type: ignore[no-any-return]


def guard(
    rule: Callable[..., Any],
    node: Any,
    k: int,
    mask: Mask | None,
    loose: bool,
    out: Any,
    operands: Sequence[Any],
) -> tuple[Callable[..., Any], Mask | None]:
    """The rule of an operand with zeros where they are structure, and where the operand is dead.

    Args:
        rule: the gradient rule of the k-th operand.
        node: what was applied.
        k: the number of the operand.
        mask: where the result is dead.
        loose: whether the gradient that enters may be infinite where a choice is made.
        out, operands: what the rule is given.
    """
    op = node.op
    behind: Mask | None
    if op.chooses is True:
        behind = _moved(mask, rule, out, operands, node.attributes)
        mask = None if mask is None and not loose else behind
    elif op.chooses:
        behind = _either(mask, partial(_told, op.chooses, k, out, operands, node.attributes))
        mask = behind if loose else mask
    elif op.elementwise:
        behind = _either(mask, _absorbed(node, k, operands)) if op.absorbing else mask
    elif mask is not None and _moves(op, k):
        mask = behind = _moved(mask, rule, out, operands, node.attributes)
    else:
        # A program for one example is the same as for many: while tracing, a size tells nothing.
        single = mask is not None and node.size == 1 and current().leaks != "trace"
        mask = behind = _of_one_number(mask) if mask is not None and single else None
    if mask is None or _moves(op, k) or all(map(_is_number, _read(op, k, out, operands))):
        return rule, behind
    return _silenced(rule, mask), behind


def _read(op: Any, k: int, out: Any, operands: Sequence[Any]) -> list[Any]:
    return [out if j == OUT else operands[j] for j in _reads(op, k)]


def _is_number(x: Any) -> bool:
    """Whether an operand is a finite number that the program states, and not 0."""
    value = x.kept if isinstance(x, Node) else x
    return type(value) in (int, float) and value != 0 and isfinite(value)


def _silenced(rule: Callable[..., Any], mask: Mask) -> Callable[..., Any]:
    def call(*args: Any, **attributes: Any) -> Any:
        part = rule(*args, **attributes)
        return _where(mask(), part)

    return call


def met(mask: Mask | None, other: Mask | None) -> Mask | None:
    """Where a value is dead for both of two consumers."""
    if mask is None or other is None:
        return None
    return cache(lambda: np.logical_and(mask(), other()))


def fitted(mask: Mask, whole_shape: tuple[int, ...], shape: tuple[int, ...]) -> Mask:
    """The mask of a part whose broadcasting is undone: where all that is summed is dead."""

    @cache
    def found() -> Any:
        whole = np.broadcast_to(mask(), whole_shape)
        lead = whole.ndim - len(shape)
        ones = (k + lead for k, n in enumerate(shape) if n == 1)
        return np.reshape(np.all(whole, axis=(*range(lead), *ones)), shape)

    return found


def _where(mask: Any, x: Any) -> Any:
    """0 where the mask is set; a NumPy scalar for one number."""
    zeroed = np.where(mask, 0.0, x)
    return zeroed if isinstance(zeroed, Node) else zeroed[()]


def _told(chooses: Callable[..., Any], k: int, out: Any, operands: Any, attributes: Any) -> Any:
    return chooses(out, *operands, **attributes)[k]


def _either(mask: Mask | None, other: Mask | None) -> Mask | None:
    if mask is None or other is None:
        return mask or other
    return cache(lambda: np.logical_or(mask(), other()))


def _absorbed(node: Any, k: int, operands: Sequence[Any]) -> Mask | None:
    """Where the other factor is a constant 0."""
    other, value = node.inputs[1 - k], operands[1 - k]
    if not _is_constant(other):
        return None
    if other.op is None and other.sharing is not ARGUMENT and np.all(other.kept):
        return None
    return cache(lambda: np.broadcast_to(np.equal(value, 0), node.shape))


FAR = 64  # results that are looked at to see that a value is a constant


def _is_constant(x: Any) -> bool:
    """Whether a value depends on nothing that wants a gradient, or is a choice, made of booleans.

    What was rounded, or the sign of something, has no derivative and yet changes with it. What was
    made in many steps counts as none.
    """
    stack, seen = [x], {x}
    while stack:
        x = stack.pop()
        if x.requires_grad or len(seen) > FAR:
            return False
        if x.op is not None and x.dtype != bool and x.op.name != "stop_gradient":
            new = [y for y in x.inputs if y not in seen]
            stack += new
            seen.update(new)
    return True


def _reads(op: Any, k: int) -> list[int]:
    """The operands, or the result as −1, whose values a rule reads."""
    reads = reads_of(op)[k if op.arity is not None else 0]
    return [j for j in (OUT, *range(len(op.rules))) if j in reads]


def _moves(op: Any, k: int) -> bool:
    """Whether a rule only moves and adds up what enters it, as far as is known."""
    return not op.foreign and all(j != OUT and op.rules[j] is None for j in _reads(op, k))


def _moved(
    mask: Mask | None,
    rule: Callable[..., Any],
    out: Any,
    operands: Sequence[Any],
    attributes: dict[str, Any],
) -> Mask:
    """Where a rule that moves or chooses gives 0 for what is alive."""

    @cache
    def found() -> Any:
        alive = np.ones_like(out)
        alive = alive if mask is None else _where(mask(), alive)
        return np.equal(rule(alive, out, *operands, **attributes), 0)

    return found


def _of_one_number(mask: Mask) -> Mask:
    return cache(lambda: np.reshape(mask(), ()))
