"""Epochs of batches: all rows in a random order, a few at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_lite.models.monitor import Array, Monitor

__all__ = ["epochs"]


def epochs(
    objective: Any,
    w: Array,
    monitor: Monitor,
    settings: Any,
    update: Callable[[Array, Array], None],
) -> Array:
    """Call `update` with the weights, which it changes, and the gradient of each batch.

    Where one batch holds all rows, the monitor gets their gradient before each step.
    """
    w, rows, size = w.copy(), objective.rows, settings.batch_size
    if size >= rows:
        while not monitor.full:
            loss, gradient = objective(w)
            if monitor.step(w, loss, gradient):
                return w
            update(w, gradient)
        monitor.end(w, *objective(w))
        return w
    if monitor.start is None:
        monitor.begin(w, objective(w)[0])
    while not monitor.full:
        monitor.mark(w)
        total = 0.0
        for batch in objective.batches(settings.random, size):
            loss, gradient = batch(w)
            update(w, gradient)
            total += loss * batch.rows
        if monitor.epoch(w, total / rows):
            break
    return w
