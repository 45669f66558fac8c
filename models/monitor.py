"""What a training has reached: its losses, its best weights, and whether it may stop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = ["Best", "Monitor", "largest"]

Array = npt.NDArray[Any]


def largest(gradient: Array) -> float:
    """The largest element of a gradient, without its sign."""
    return float(np.abs(gradient).max(initial=0))


class Best(NamedTuple):
    """The best weights so far, their loss, and the largest element of its gradient."""

    weights: Array
    loss: float
    slope: float


@dataclass
class Monitor:
    """Follows a training; the solvers report to it, and stop where it returns True.

    `unit` is that of the solver's losses. `tol` is compared with the largest element of the
    gradient where a solver knows the gradient of all rows, and else with what `n_iter_no_change`
    epochs improved. `mark` is called with the weights before each step, and `report` with its loss.
    `validate` gives the score and the loss of weights on rows that are held out;
    then the weights of the smallest such loss are kept, and training stops when it falls no more.
    """

    max_iter: int
    tol: float = 0.0
    n_iter_no_change: int = 10
    report: Callable[[float, Array], None] = lambda loss, weights: None
    mark: Callable[[Array], None] = lambda weights: None
    validate: Callable[[Array], tuple[float, float]] | None = None
    unit: float = 1.0
    slope: Callable[[Array], float] = largest
    losses: list[float] = field(default_factory=list)
    scores: list[float] = field(default_factory=list)
    best: Best | None = None
    start: float | None = None
    last: float = np.nan
    converged: bool = False
    waited: int = 0
    reached: float = np.inf

    @property
    def full(self) -> bool:
        """Whether all steps are taken."""
        return len(self.losses) >= self.max_iter

    def step(self, weights: Array, loss: float, gradient: Array) -> bool:
        """Report the loss of all rows, and its gradient, before a step; True to stop."""
        self.mark(weights)
        self._record(loss * self.unit, weights)
        return self.end(weights, loss, gradient)

    def end(self, weights: Array, loss: float, gradient: Array) -> bool:
        """Report weights without counting a step."""
        self.last = loss = loss * self.unit
        if not np.isfinite(loss):
            return True
        slope = self.slope(gradient)
        arrived = slope <= self.tol
        if self.validate is not None:
            stalled = self._scored(weights)
            self.converged = arrived or stalled
            return self.converged
        # Where training ends, rounding decides which loss is the smallest.
        rounding = 1e-12 * abs(loss) if arrived else 0.0
        if self.best is None or loss <= self.best.loss + rounding:
            self.best = Best(weights.copy(), loss, slope)
        self.converged = arrived
        return self.converged

    def begin(self, weights: Array, loss: float) -> None:
        """Report the first weights, before the epochs."""
        self.start = loss * self.unit
        if self.validate is None and np.isfinite(loss):
            self.best = Best(weights.copy(), self.start, np.nan)

    def epoch(self, weights: Array, loss: float) -> bool:
        """Report the mean loss of the batches of an epoch, and the weights after it."""
        self._record(loss * self.unit, weights)
        if not np.isfinite(loss):
            return True
        if self.validate is not None:
            self.converged = self._scored(weights)
            return self.converged
        if self.best is None or self.last <= self.best.loss:
            self.best = Best(weights.copy(), self.last, np.nan)
        self.converged = self.tol > 0 and self._stalled(loss)
        return self.converged

    def _record(self, loss: float, weights: Array) -> None:
        self.losses.append(loss)
        self.last = loss
        self.report(loss, weights)

    def _scored(self, weights: Array) -> bool:
        """Score weights on the rows held out; True if their loss has not fallen for long."""
        assert self.validate is not None
        score, loss = self.validate(weights)
        loss /= self.unit
        if self.best is None or loss < self.reached:
            self.best = Best(weights.copy(), self.last, np.nan)
        self.scores.append(score)
        return self._stalled(loss)

    def _stalled(self, value: float) -> bool:
        """Whether the value has not fallen by more than tol for n_iter_no_change steps."""
        self.waited = self.waited + 1 if value > self.reached - self.tol else 0
        self.reached = min(value, self.reached)
        return self.waited >= self.n_iter_no_change
