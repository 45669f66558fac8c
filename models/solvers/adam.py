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
    # Without their factors 1 − β, which scale the step instead.
    m = state.setdefault("mean", np.zeros_like(w))
    v = state.setdefault("square", np.zeros_like(w))
    t = state.setdefault("steps", np.zeros((), dtype=int))
    part = np.empty_like(w)

    def update(w: Array, gradient: Array) -> None:
        nonlocal m, v, part
        t[...] += 1
        m *= _BETA1
        m += gradient
        v *= _BETA2
        v += np.multiply(gradient, gradient, out=part)
        mean = (1 - _BETA1) / (1 - _BETA1 ** int(t))
        root = ((1 - _BETA2) / (1 - _BETA2 ** int(t))) ** 0.5
        np.sqrt(v, out=part)
        part += _EPSILON / root
        np.divide(m, part, out=part)
        part *= rate * mean / root
        w -= part

    return epochs(objective, w, monitor, settings, update)
