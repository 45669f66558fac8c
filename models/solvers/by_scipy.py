"""What the solvers of SciPy share, and what counts as arrived.

SciPy reports success where it has not arrived: after an infinite trial value, at a Hessian of 0,
where a large loss hides its fall. So its own criteria are off, and the monitor decides.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_lite.models.monitor import Array, Monitor

__all__ = ["minimize"]


class _Last:
    """The objective, which keeps its last result: SciPy asks for it again at the end of a step."""

    def __init__(self, objective: Any) -> None:
        self.objective = objective
        self.w: Array | None = None

    def __call__(self, w: Array) -> tuple[float, Array]:
        if self.w is None or not np.array_equal(w, self.w):
            # SciPy changes w later.
            self.w = w.copy()
            self.loss, self.gradient = self.objective(self.w)
        # SciPy keeps and changes the gradient that it is given.
        return self.loss, self.gradient.astype(np.float64)


def optimizers(solver: str) -> Any:
    """The module scipy.optimize; raises ImportError if SciPy is not installed."""
    try:
        from scipy import optimize
    except ImportError:
        raise ImportError(
            f"the solver {solver!r} needs SciPy: pip install scipy; "
            'the solvers "gd", "sgd" and "adam" do without it'
        ) from None
    return optimize


def minimize(
    objective: Any,
    w: Array,
    monitor: Monitor,
    *,
    solver: str,
    method: str,
    options: dict[str, Any],
    hvp: bool = False,
) -> Array:
    """Run a method of scipy.optimize.minimize until the monitor stops it or the loss stays.

    Raises ImportError if SciPy is not installed.
    """
    optimize = optimizers(solver)
    last = _Last(objective)

    def callback(intermediate_result: Any) -> None:
        w = intermediate_result.x
        loss, gradient = last(w)
        full = monitor.full
        report = monitor.end if full else monitor.step
        if report(w, loss, gradient) or full:
            raise StopIteration

    w = w.astype(np.float64)
    loss, gradient = last(w)
    if monitor.step(w, loss, gradient):
        return w
    lowest = np.inf
    # A run that ends by itself starts again without its memory, as long as that helps.
    while monitor.best is not None and monitor.best.loss < lowest:
        lowest, taken = monitor.best.loss, len(monitor.losses)
        optimize.minimize(
            last,
            monitor.best.weights,
            jac=True,
            hessp=objective.hvp if hvp else None,
            method=method,
            callback=callback,
            options=options | {"maxiter": monitor.max_iter - taken + 1},
        )
        if monitor.full or monitor.converged:
            break
    return w if monitor.best is None else monitor.best.weights
