"""Newton's method, whose steps conjugate gradients find: Nocedal and Wright, chapter 7."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_lite.models.monitor import Array, Monitor
from autograd_lite.models.solvers.line_search import Point, line_search, point

__all__ = ["newton_cg"]


def newton_cg(objective: Any, w: Array, monitor: Monitor, settings: Any) -> Array:
    """Steps by products of the Hessian and a vector, which the engine computes."""
    here = point(objective, w.astype(np.float64))
    while not monitor.full:
        if monitor.step(here.w, here.loss, here.gradient):
            return here.w
        found = line_search(objective, here, _direction(objective, here), 1.0)
        if found is None:
            return here.w
        here = found
    monitor.end(here.w, here.loss, here.gradient)
    return here.w


def _direction(objective: Any, here: Point) -> Array:
    """The solution d of H d = −g, as exact as is worth while, or only downhill where H bends down.

    The nearer the optimum, the more exact.
    """
    size = np.abs(here.gradient).sum()
    enough = min(0.5, size**0.5) * size
    d = np.zeros_like(here.gradient)
    rest = -here.gradient
    along, square = rest, float(rest @ rest)
    for _ in range(20 * len(d)):
        if np.abs(rest).sum() <= enough:
            break
        product = objective.hvp(here.w, along).astype(np.float64)
        curvature = float(along @ product)
        if not curvature > here.rounding * square:
            return d if d.any() else along / square**0.5
        length = square / curvature
        d, rest = d + length * along, rest - length * product
        previous, square = square, float(rest @ rest)
        along = rest + square / previous * along
    return d
