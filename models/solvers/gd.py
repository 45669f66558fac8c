"""Gradient descent: θ ← θ − α ∂L/∂θ over all rows."""

from __future__ import annotations

from typing import Any

from autograd_lite.models.monitor import Array, Monitor

__all__ = ["gd"]


def gd(objective: Any, w: Array, monitor: Monitor, settings: Any) -> Array:
    """Take steps against the gradient, each of its length times the learning rate."""
    rate = settings.rate
    while not monitor.full:
        loss, gradient = objective(w)
        if monitor.step(w, loss, gradient):
            return w
        w = w - rate * gradient
    monitor.end(w, *objective(w))
    return w
