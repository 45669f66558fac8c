"""Stochastic gradient descent with momentum, over one batch of rows at a time.

Sutskever et al. 2013, "On the importance of initialization and momentum in deep learning".
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_lite.models.monitor import Array, Monitor
from autograd_lite.models.solvers.epochs import epochs

__all__ = ["sgd"]


def sgd(objective: Any, w: Array, monitor: Monitor, settings: Any) -> Array:
    """The velocity v ← μ v − α ∂L/∂θ moves the weights; Nesterov's looks one step ahead."""
    rate, μ, nesterov = settings.rate, settings.momentum, settings.nesterov
    v = settings.state.setdefault("velocity", np.zeros_like(w))

    def update(w: Array, gradient: Array) -> None:
        v[:] = μ * v - rate * gradient
        w += μ * v - rate * gradient if nesterov else v

    return epochs(objective, w, monitor, settings, update)
