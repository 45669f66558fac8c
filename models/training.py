"""The training of a model: its solver, the rows that are held out, and what is kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.models.convergence import complaint
from autograd_lite.models.monitor import Array, Monitor
from autograd_lite.models.objective import Arrays, Layout, Objective, standardized
from autograd_lite.models.progress import progress
from autograd_lite.models.settings import learning_rate
from autograd_lite.models.solvers import SOLVERS, chosen

__all__ = ["Rows", "Trained", "train"]


class Rows(NamedTuple):
    """Rows to train on, and what the model learned by reading them, such as its classes."""

    X: Array
    y: Array
    weights: Array | None
    learned: dict[str, Any]

    @property
    def outputs(self) -> int:
        """The number of outputs of a model of them."""
        return 1 if self.y.ndim == 1 else int(self.y.shape[1])

    def part(self, which: Array) -> Rows:
        """Some of the rows."""
        weights = None if self.weights is None else self.weights[which]
        return Rows(self.X[which], self.y[which], weights, self.learned)


class Trained(NamedTuple):
    """The weights, the fitted attributes, and a sentence if something went wrong."""

    weights: Arrays
    learned: dict[str, Any]
    complaint: str | None


def train(
    model: Any,
    rows: Rows,
    layout: Layout,
    start: Mapping[str, Any],
    *,
    drawn: bool,
    epoch: bool = False,
) -> Trained:
    """Train the model from the weights `start`; for one `epoch`, as a step of a longer training.

    Weights that are `drawn` at random are for columns of mean 0 and standard deviation 1, if the
    solver works in such coordinates.
    """
    _keep_freed_memory()
    solver = chosen("adam" if epoch and model.solver == "auto" else model.solver)
    before = vars(model) if epoch else {}
    held_out, random = None, np.random.default_rng(model.random_state)
    if model.early_stopping and not epoch:
        rows, held_out = _split(rows, model, random)
    settings = _settings(model, solver, before, len(rows.X), random)
    objective = Objective(model, layout, rows.X, rows.y, rows.weights)
    at: Any = objective if solver == "gd" else standardized(objective, settings.state)
    w = layout.flat(start).astype(rows.X.dtype)

    def score(rows: Rows, w: Array) -> float:
        return _score(model, rows, layout.arrays(at.weights(w)))

    monitor = Monitor(1 if epoch else model.max_iter, _tolerance(model, rows), unit=at.unit**2)
    monitor.n_iter_no_change = model.n_iter_no_change
    monitor.validate = held_out and partial(score, held_out)
    name = model.score_name
    show = progress(
        model.title, monitor.max_iter, model.verbose, lambda w: f"{name} {score(rows, w):.4f}"
    )
    # A step that is too long may overflow; what is said below reports it.
    with np.errstate(all="ignore"), show as monitor.report:
        w = w if drawn else at.start(w)
        solve = partial(SOLVERS[solver], at, w, monitor, settings)
        last, interrupted = _solved(solve, monitor, keep=not epoch)
        best = last if epoch else w if monitor.best is None else monitor.best.weights
        weights = at.weights(best).astype(rows.X.dtype)
        loss, _ = objective(weights)
    learned = _learned(before, monitor) | {"loss_": loss, "backend_": objective.backend}
    learned |= {"solver_": solver, "solver_state_": settings.state}
    said = None if epoch else complaint(monitor, solver, settings.rate, rows.X)
    if interrupted:
        said = f"fit was interrupted after {len(monitor.losses)} steps; the best weights are kept"
    return Trained(layout.arrays(weights), learned, said)


def _solved(solve: Callable[[], Array], monitor: Monitor, *, keep: bool) -> tuple[Array, bool]:
    """The last weights of a solver, and whether it was interrupted, if these are to be kept."""
    try:
        return solve(), False
    except KeyboardInterrupt:
        if monitor.best is None or not keep:
            raise
        return monitor.best.weights, True


def _tolerance(model: Any, rows: Rows) -> float:
    """The tolerance of the gradient of the loss as reduced, not below its rounding."""
    least = 1000 * float(np.finfo(rows.X.dtype).eps)
    tol = max(model.tol, least) if model.tol else 0.0
    return tol if model.reduction == "mean" else tol * len(rows.X)


def _settings(
    model: Any, solver: str, before: Mapping[str, Any], rows: int, random: np.random.Generator
) -> SimpleNamespace:
    """What the solver reads, and the state that an earlier epoch left."""
    size = 200 if model.batch_size == "auto" else model.batch_size
    batches = solver != "gd" and size < rows
    state = before.get("solver_state_", {}) if before.get("solver_") == solver else {}
    return SimpleNamespace(
        rate=learning_rate(model, solver, batches),
        momentum=model.momentum,
        nesterov=model.nesterovs_momentum,
        batch_size=size,
        random=random,
        state={key: array.copy() for key, array in state.items()},
    )


def _learned(before: Mapping[str, Any], monitor: Monitor) -> dict[str, Any]:
    """The fitted attributes that count steps, after those of earlier epochs."""
    learned = {
        "loss_curve_": [*before.get("loss_curve_", []), *monitor.losses],
        "n_iter_": before.get("n_iter_", 0) + len(monitor.losses),
    }
    return learned | ({"validation_scores_": monitor.scores} if monitor.scores else {})


def _split(rows: Rows, model: Any, random: np.random.Generator) -> tuple[Rows, Rows]:
    """The rows to train on, and those held out: the same fraction of each class."""
    groups = model.groups(rows.y)
    held_out = np.zeros(len(rows.y), dtype=bool)
    for group in np.unique(groups):
        members = random.permutation(np.flatnonzero(groups == group))
        count = min(round(model.validation_fraction * len(members)), len(members) - 1)
        held_out[members[:count]] = True
    if not held_out.any():
        raise ValueError(
            f"early_stopping: validation_fraction={model.validation_fraction} of {len(rows.y)} "
            "rows holds none out; increase it"
        )
    return rows.part(~held_out), rows.part(held_out)


def _score(model: Any, rows: Rows, weights: Arrays) -> float:
    z = model.output(rows.X, weights)
    return float(model.score_of(z, rows.y, rows.weights)) if np.isfinite(z).all() else -np.inf


def _keep_freed_memory() -> None:
    """Make glibc keep freed memory for the next step instead of returning it to the system.

    It returns blocks larger than any freed before, up to 32 MiB, and mapping them again takes up
    to a sixth of the time of a fit.
    """
    np.empty(31 << 20, dtype="u1")  # freed immediately, never written
