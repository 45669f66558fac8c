"""How far to go along a direction: Nocedal and Wright, "Numerical optimization", chapter 3."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from autograd_lite.models.monitor import Array

__all__ = ["Point", "line_search", "point"]

_FALL, _FLAT = 1e-4, 0.9  # of the conditions of Wolfe
_MOST = 50  # evaluations


class Point(NamedTuple):
    """Weights, their loss and its gradient in float64, and the loss's relative rounding."""

    w: Array
    loss: float
    gradient: Array
    rounding: float


def point(objective: Callable[[Array], tuple[float, Array]], w: Array) -> Point:
    """The loss and the gradient at weights."""
    loss, gradient = objective(w)
    rounding = float(np.finfo(gradient.dtype).eps)
    return Point(w, loss, gradient.astype(np.float64), rounding)


def line_search(
    objective: Callable[[Array], tuple[float, Array]], start: Point, direction: Array, step: float
) -> Point | None:
    """A point along the direction where the loss is lower and flatter, as Wolfe's conditions ask.

    `step` is the first to try. Where the loss falls by less than its rounding, the gradient must
    become smaller instead. None if there is no such point, or it is not found.
    """
    slope = float(start.gradient @ direction)
    if not -np.inf < slope < 0:
        return None
    noise = 4 * start.rounding * abs(start.loss)
    small = 0.9 * np.abs(start.gradient).max()
    # The step is longer than `low` and, once that is known, shorter than `high`.
    low, high, width = (0.0, slope), (np.inf, np.nan), np.inf
    for _ in range(_MOST):
        found = point(objective, start.w + step * direction)
        here = float(found.gradient @ direction)
        change = found.loss - start.loss
        # Written so that a loss of NaN or infinity is too far.
        falls = change <= _FALL * step * slope
        hidden = abs(change) <= noise and np.abs(found.gradient).max() <= small
        if (falls or hidden) and abs(here) <= -_FLAT * slope:
            return found
        if (falls or abs(change) <= noise) and here < 0:
            low = step, here
        else:
            high = step, here
        if high[0] == np.inf:
            step *= 4
            continue
        before, width = width, high[0] - low[0]
        # The interval at least halves in two steps.
        step = low[0] + width * (0.5 if width > before / 2 else _share(low[1], high[1]))
        if step in (low[0], high[0]):
            break
    return None


def _share(slope: float, other: float) -> float:
    """Where between two steps the slopes there say that the loss is flat, or in the middle."""
    return min(max(slope / (slope - other), 0.1), 0.9) if other > 0 else 0.5
