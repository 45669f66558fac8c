"""Adam: Kingma and Ba 2015, "Adam: a method for stochastic optimization", arXiv:1412.6980."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_lite.models.monitor import Array, Monitor
from autograd_lite.models.solvers.epochs import epochs

__all__ = ["adam"]

_BETA1, _BETA2, _EPSILON = 0.9, 0.999, 1e-8


def adam(objective: Any, w: Array, monitor: Monitor, settings: Any) -> Array:
    """Steps of the mean gradient over the root of the mean squared gradient, element by element."""
    rate, state = settings.rate, settings.state
    m = state.setdefault("mean", np.zeros_like(w))
    v = state.setdefault("square", np.zeros_like(w))
    t = state.setdefault("steps", np.zeros((), dtype=int))
    part = np.empty_like(w)

    def update(w: Array, gradient: Array) -> None:
        nonlocal m, v, part
        t[...] += 1
        m *= _BETA1
        m += np.multiply(gradient, 1 - _BETA1, out=part)
        v *= _BETA2
        np.multiply(gradient, gradient, out=part)
        part *= 1 - _BETA2
        v += part
        np.divide(v, 1 - _BETA2 ** int(t), out=part)
        np.sqrt(part, out=part)
        part += _EPSILON
        np.divide(m, part, out=part)
        part *= rate / (1 - _BETA1 ** int(t))
        w -= part

    return epochs(objective, w, monitor, settings, update)
