"""Where an element of a view is in the array behind it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.expressions.expr import Expr

__all__ = ["Index", "broadcast", "identity", "is_view", "place"]


@dataclass(frozen=True, slots=True)
class Index:
    """An index of an array in a loop: a constant, or a multiple of the index of one loop.

    Attributes:
        axis: the number of the loop, or None.
        start: the index where that of the loop is 0.
        step: what is added with each round of the loop.
    """

    axis: int | None
    start: int = 0
    step: int = 1

    def moved(self, start: int, step: int) -> Index:
        """The index of what is element k of a slice: start + k · step."""
        return Index(self.axis, start + self.start * step, self.step * step)

    def text(self, variables: Sequence[str]) -> str:
        """The source, given the names of the indices of the loops."""
        if self.axis is None:
            return str(self.start)
        name = variables[self.axis]
        text = {1: name, -1: f"-{name}"}.get(self.step, f"{self.step} * {name}")
        if self.start and self.step == -1:
            return f"{self.start} - {name}"
        return f"{text} + {self.start}" if self.start else text


FIRST = Index(None)


def identity(shape: Sequence[int]) -> tuple[Index, ...]:
    """The indices of an array of this shape in loops over its axes."""
    return tuple(FIRST if n == 1 else Index(k) for k, n in enumerate(shape))


def is_view(expr: Expr, length: int = 0) -> bool:
    """Whether a call looks at its operand in another way, so that loops need no copy.

    Args:
        expr: the call.
        length: the number of rows in the trace, if the program is for any number of rows.
    """
    if not expr.args or not isinstance(expr.args[0], Expr) or expr.args[0].shape is None:
        return False
    if expr.fn == "np.broadcast_to":
        return True
    if expr.fn in (".T", "np.expand_dims", "np.squeeze", "np.swapaxes"):
        return not expr.keywords and all(type(x) in (int, tuple, Expr) for x in expr.args)
    if expr.fn == "np.transpose":
        return not expr.keywords and len(expr.args) == 2
    if expr.fn != "[]":
        return False
    shape, axis = expr.args[0].shape, 0
    for part in _parts(expr):
        if part is None:
            continue
        if type(part) not in (int, slice):
            return False
        whole = type(part) is slice and part.indices(length) == (0, length, 1)
        if length and shape[axis] == length and not whole:
            return False
        axis += 1
    return True


def _parts(expr: Expr) -> list[Any]:
    """The parts of a key, one for each axis and new axis."""
    key = expr.args[1] if isinstance(expr.args[1], tuple) else (expr.args[1],)
    if any(part is not None and type(part) not in (int, slice, type(...)) for part in key):
        return [key]
    missing = [slice(None)] * (expr.args[0].ndim - sum(p is not None and p is not ... for p in key))
    if ... not in key:
        return [*key, *missing]
    k = key.index(...)
    return [*key[:k], *missing, *key[k + 1 :]]


def place(expr: Expr, index: Sequence[Index]) -> tuple[Index, ...]:
    """Where in its operand the element of a view is."""
    fn, source = expr.fn, expr.args[0]
    if fn == "np.broadcast_to":
        return broadcast(source.shape, index)
    if fn == "[]":
        return _in_sliced(expr, index)
    if fn in ("np.expand_dims", "np.squeeze"):
        larger = expr if fn == "np.expand_dims" else source
        axes = expr.args[1] if len(expr.args) > 1 else _ones(source.shape)
        new = {axis % larger.ndim for axis in np.atleast_1d(axes)}
        if fn == "np.expand_dims":
            return tuple(x for k, x in enumerate(index) if k not in new)
        given = iter(index)
        return tuple(FIRST if k in new else next(given) for k in range(source.ndim))
    function = {".T": np.transpose}.get(fn) or getattr(np, fn.removeprefix("np."))
    moved = function(np.empty(range(1, source.ndim + 1)), *expr.args[1:]).shape
    order = [n - 1 for n in moved]
    return tuple(index[order.index(k)] for k in range(source.ndim))


def broadcast(shape: Sequence[int], index: Sequence[Index]) -> tuple[Index, ...]:
    """The indices of an operand with this shape that is broadcast to the loops."""
    own = index[len(index) - len(shape) :]
    return tuple(FIRST if n == 1 else x for n, x in zip(shape, own, strict=True))


def _ones(shape: Sequence[int]) -> tuple[int, ...]:
    return tuple(k for k, n in enumerate(shape) if n == 1)


def _in_sliced(expr: Expr, index: Sequence[Index]) -> tuple[Index, ...]:
    given, found = iter(index), list[Index]()
    shape = iter(expr.args[0].shape)
    for part in _parts(expr):
        if part is None:
            next(given)
            continue
        length = next(shape)
        if type(part) is int:
            found.append(Index(None, part % length))
        else:
            start, _, step = part.indices(length)
            found.append(next(given).moved(start, step))
    return tuple(found)
