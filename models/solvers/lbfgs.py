"""L-BFGS: Liu and Nocedal 1989, "On the limited memory BFGS method"."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_lite.models.monitor import Array, Monitor
from autograd_lite.models.solvers.line_search import line_search, point

__all__ = ["lbfgs"]

_MEMORY = 10  # steps


def lbfgs(objective: Any, w: Array, monitor: Monitor, settings: Any) -> Array:
    """Steps by a model of the curvature that the last steps give.

    Where no step helps, the model is dropped; training ends where none helps without it, either.
    """
    state = settings.state
    none = np.empty((0, w.size))
    state.setdefault("steps", none)
    state.setdefault("changes", none)
    here = point(objective, w.astype(np.float64))
    while not monitor.full:
        if monitor.step(here.w, here.loss, here.gradient):
            return here.w
        direction = _direction(-here.gradient, state["steps"], state["changes"])
        length = 1.0 if len(state["steps"]) else _unit(here.gradient)
        found = line_search(objective, here, direction, length)
        if found is None and len(state["steps"]):
            state["steps"] = state["changes"] = none
            found = line_search(objective, here, -here.gradient, _unit(here.gradient))
        if found is None:
            return here.w
        step, change = found.w - here.w, found.gradient - here.gradient
        if step @ change > found.rounding * (change @ change):
            state["steps"] = np.vstack([state["steps"][1 - _MEMORY :], step])
            state["changes"] = np.vstack([state["changes"][1 - _MEMORY :], change])
        here = found
    monitor.end(here.w, here.loss, here.gradient)
    return here.w


def _unit(gradient: Array) -> float:
    """The factor that makes the first step one of length 1."""
    return float(1 / np.linalg.norm(gradient))


def _direction(d: Array, steps: Array, changes: Array) -> Array:
    """The inverse of the curvature times d, by the two loops over the last steps."""
    products = np.einsum("kn,kn->k", steps, changes).tolist()
    pairs = [*zip(steps, changes, products, strict=True)]
    shares, d = [], d.copy()
    for s, y, sy in reversed(pairs):
        shares.append(float(s @ d) / sy)
        d -= shares[-1] * y
    if pairs:
        d *= products[-1] / float(changes[-1] @ changes[-1])
    for (s, y, sy), share in zip(pairs, reversed(shares), strict=True):
        d += (share - float(y @ d) / sy) * s
    return d
