"""Marks for problems at a node, each with a shape, words and a colour."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

__all__ = ["EXPLODING", "VANISHING", "Mark", "marks"]

VANISHING, EXPLODING = 1e-6, 1e4
"""A parameter learns nothing from a gradient whose norm is below the one or above the other."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A problem at a node.

    Attributes:
        sign: a shape that distinguishes it from the others without colour.
        text: the problem in words.
        color: a colour that no other mark has, so that the page can style it.
        plain: the mark without numbers, for counting.
    """

    sign: str
    text: str
    color: str

    @property
    def plain(self) -> Mark:
        return replace(self, text=self.text.partition(":")[0])

    def counted(self, count: int) -> Mark:
        """The mark with its number of occurrences."""
        return self if count == 1 else replace(self, text=f"{count:,} × {self.text}")


NOT_FINITE = Mark("✖", "not finite", "#B01818")
DEAD = Mark("⊘", "dead", "#63676C")
EXPLODES = Mark("▲", "exploding", "#B3261E")
VANISHES = Mark("▽", "vanishing", "#0B57D0")
ZERO = Mark("∅", "zero gradient", "#5C6166")


def marks(node: Any, array: Any, gradient: Any, last: bool = False) -> tuple[Mark, ...]:
    """The problems at a node.

    A ReLU is dead if a unit outputs 0 for every one of several rows, or if all outputs are 0: no
    gradient passes through. The norm of a gradient decides whether it explodes or vanishes.

    Args:
        node: the node.
        array: its value.
        gradient: its gradient, or None.
        last: whether it is the result of the graph, whose gradient is 1 by definition.

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> h = ag.relu(ag.Tensor([[1.0, -1.0], [2.0, -3.0]]))
        >>> [mark.text for mark in marks(h, h.array, np.zeros((2, 2)))]
        ['dead: 1 of 2 units', 'zero gradient']
    """
    return tuple(_found(node, array, gradient, last))


def _found(node: Any, array: Any, gradient: Any, last: bool) -> Iterator[Mark]:
    finite = _finite(array) and (gradient is None or _finite(gradient))
    if not finite:
        yield NOT_FINITE
    if node.op is not None and node.op.name == "relu" and np.size(array):
        values = np.asarray(array)
        units = ~values.reshape(-1, values.shape[-1] if values.ndim > 1 else values.size).any(0)
        if units.all():
            yield DEAD
        elif values.ndim > 1 and values.size > values.shape[-1] and units.any():
            yield replace(DEAD, text=f"dead: {int(units.sum())} of {units.size} units")
    if gradient is None or last or not finite or isinstance(gradient, tuple):
        return
    if not np.size(gradient):
        return
    if np.size(gradient) == 1:  # whose square may underflow
        norm = abs(float(np.ravel(gradient)[0]))
    else:
        with np.errstate(all="ignore"):
            norm = float(np.linalg.norm(np.ravel(gradient).astype(np.float64)))
    if norm == 0:
        yield ZERO
    elif norm > EXPLODING:
        yield EXPLODES
    elif norm < VANISHING:
        yield VANISHES


def _finite(array: Any) -> bool:
    if isinstance(array, float):  # also np.float64
        return math.isfinite(array)
    return isinstance(array, tuple) or bool(np.isfinite(array).all())
