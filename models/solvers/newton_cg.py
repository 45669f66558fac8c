"""Newton's method by SciPy, whose steps conjugate gradients find: Nocedal and Wright, chapter 7."""

from __future__ import annotations

from typing import Any

from autograd_lite.models.monitor import Array, Monitor
from autograd_lite.models.solvers.by_scipy import minimize

__all__ = ["newton_cg"]


def newton_cg(objective: Any, w: Array, monitor: Monitor, settings: Any) -> Array:
    """Steps by products of the Hessian and a vector, which the engine computes."""
    # Only the monitor ends it.
    return minimize(
        objective,
        w,
        monitor,
        solver="newton-cg",
        method="Newton-CG",
        options={"xtol": 0},
        hvp=True,
    )
