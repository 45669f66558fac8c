"""What is wrong at a node, for the picture to mark: in words and shape as well as colour."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

__all__ = ["EXPLODING", "VANISHING", "Mark", "marks"]

VANISHING, EXPLODING = 1e-6, 1e4
"""A gradient whose norm is below the one or above the other teaches a parameter nothing."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A finding at a node.

    Attributes:
        sign: a shape that tells it from the others without colour.
        text: what it is, in words.
        color: its colour, which no other has, so that the page knows marks of gradients.
        plain: the same without numbers of its own, to be counted.
    """

    sign: str
    text: str
    color: str

    @property
    def plain(self) -> Mark:
        return replace(self, text=self.text.partition(":")[0])

    def counted(self, count: int) -> Mark:
        """The mark with how often it occurs."""
        return self if count == 1 else replace(self, text=f"{count:,} × {self.text}")


NOT_FINITE = Mark("✖", "not finite", "#B01818")
DEAD = Mark("⊘", "dead", "#63676C")
EXPLODES = Mark("▲", "exploding", "#B3261E")
VANISHES = Mark("▽", "vanishing", "#0B57D0")
ZERO = Mark("∅", "zero gradient", "#5C6166")


def marks(node: Any, array: Any, gradient: Any, last: bool = False) -> tuple[Mark, ...]:
    """What is wrong at a node.

    A ReLU is dead where a unit gives 0 for every one of several rows, or where it gives nothing
    but 0: no gradient passes. A gradient explodes or vanishes by its norm.

    Args:
        node: the node.
        array: its value.
        gradient: its gradient, or None where there is none to judge.
        last: whether it is the drawn result, whose gradient is 1 by definition.

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
    if isinstance(gradient, float):
        norm = abs(gradient)
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
    if isinstance(array, float):  # so are NumPy's own
        return math.isfinite(array)
    return isinstance(array, tuple) or bool(np.isfinite(array).all())
