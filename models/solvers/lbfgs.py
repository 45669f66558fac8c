"""L-BFGS by SciPy: Byrd, Lu, Nocedal and Zhu 1995, "A limited memory algorithm"."""

from __future__ import annotations

from typing import Any

from autograd_lite.models.monitor import Array, Monitor
from autograd_lite.models.solvers.by_scipy import minimize

__all__ = ["lbfgs"]


def lbfgs(objective: Any, w: Array, monitor: Monitor, settings: Any) -> Array:
    """Steps by a model of the curvature that the last gradients give."""
    return minimize(
        objective,
        w,
        monitor,
        solver="lbfgs",
        method="L-BFGS-B",
        # Only the monitor ends it.
        options={"gtol": 0, "ftol": 0, "maxfun": 1 << 60, "maxls": 50},
    )
