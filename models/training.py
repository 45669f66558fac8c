"""The training of a model: its solver, the rows that are held out, and what is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.compiler.cluster import NoWorkersError
from autograd_lite.models.block_training import hold_out, tallied
from autograd_lite.models.checkpoint import Checkpoint
from autograd_lite.models.convergence import complaint
from autograd_lite.models.coordinates import standardized
from autograd_lite.models.monitor import Array, Monitor
from autograd_lite.models.objective import Arrays, Layout, Objective
from autograd_lite.models.progress import progress
from autograd_lite.models.rows import Rows
from autograd_lite.models.settings import learning_rate
from autograd_lite.models.solvers import SOLVERS, chosen

__all__ = ["Trained", "train"]


class Trained(NamedTuple):
    """The weights, the fitted attributes, and a sentence if something went wrong."""

    weights: Arrays
    learned: dict[str, Any]
    complaint: str | None
    stopped: BaseException | None = None


def train(
    model: Any,
    rows: Rows,
    layout: Layout,
    start: Mapping[str, Any],
    *,
    drawn: bool,
    epoch: bool = False,
    checkpoint: Checkpoint | None = None,
) -> Trained:
    """Train the model from the weights `start`; for one `epoch`, as a step of a longer training.

    Weights that are `drawn` at random are for columns of mean 0 and standard deviation 1, if the
    solver works in such coordinates. With a `checkpoint` of an earlier training it goes on there.
    """
    _keep_freed_memory()
    solver = _solver(model, rows, epoch)
    before = vars(model) if epoch else {}
    held_out, random = None, np.random.default_rng(model.random_state)
    if model.early_stopping and not epoch:
        rows, held_out = _split(rows, model, random)
    settings = _settings(model, solver, before, len(rows.X), random)
    objective = Objective(model, layout, rows)
    at = _in_coordinates(objective, solver, settings.state)

    def scored(rows: Rows, w: Array) -> tuple[float, float]:
        return _scored(model, rows, layout.arrays(at.weights(w)))

    w = layout.flat(start).astype(rows.X.dtype)
    w = w if drawn else at.start(w)
    tol = _tolerance(model, len(rows.X), at.rounding)
    monitor = Monitor(1 if epoch else model.max_iter, tol, unit=at.unit**2, slope=at.slope)
    monitor.n_iter_no_change = model.n_iter_no_change
    monitor.validate = held_out and partial(scored, held_out)
    w = checkpoint.follow(monitor, objective, settings, w) if checkpoint else w
    solve = partial(SOLVERS[solver], at, w, monitor, settings)
    with _shown(model, monitor, objective, partial(scored, rows)):
        last, stopped = _solved(solve, monitor, keep=not epoch)
        best = None if epoch else monitor.best
        weights = at.weights(best.weights if best else last if epoch else w).astype(rows.X.dtype)
        # The loss of an epoch is a mean over its steps, and known no better without workers.
        known = isinstance(stopped, NoWorkersError) or (best and np.isfinite(best.slope))
        loss = best.loss if best and known else objective(weights)[0]
    _check_finite(loss)
    learned = _learned(before, monitor) | {"loss_": loss, "backend_": objective.backend}
    learned |= {"interrupted_": stopped is not None, "solver_": solver}
    learned |= {"solver_state_": settings.state} if epoch else {}
    said = None if epoch else complaint(monitor, solver, settings.rate, rows.shown, loss)
    said = _interrupted(monitor) if stopped else said
    return Trained(layout.arrays(weights), learned, said, stopped)


def _interrupted(monitor: Monitor) -> str:
    return f"fit was interrupted after {len(monitor.losses)} steps; the best weights are kept"


def _solver(model: Any, rows: Rows, epoch: bool) -> str:
    """The name of the solver: L-BFGS for what it soon finds exactly, if nothing is said."""
    exact = model.kind == "regressor" or (model.linear and len(rows.X) <= _batch_size(model))
    return chosen(model.solver, exact=exact and not epoch)


def _check_finite(loss: float) -> None:
    if not np.isfinite(loss):
        raise ValueError(
            f"the loss of the weights is {loss}: the numbers of X or y are too large; use "
            "standardize=True, another unit, or a smaller learning rate"
        )


def _in_coordinates(objective: Objective, solver: str, state: dict[str, Array]) -> Any:
    """The objective in the coordinates that suit the solver: plain descent has those of X."""
    if solver == "gd":
        return objective
    return standardized(objective, state, independent=solver in ("lbfgs", "newton-cg"))


@contextmanager
def _shown(
    model: Any, monitor: Monitor, objective: Objective, scored: Callable[[Array], Any]
) -> Iterator[None]:
    """Show the progress, if the model is verbose, and no warnings of overflow.

    A step that is too long may overflow; the complaint reports it.
    """

    def text(w: Array) -> str:
        # A score of rows by blocks would take a pass.
        return "" if objective.by_blocks else f"{model.score_name} {scored(w)[0]:.4f}"

    counts = {"rows": objective.rows, "done": len(monitor.losses)}
    show = progress(model.title, monitor.max_iter, model.verbose, text, **counts)
    with np.errstate(all="ignore"), show as display:
        if display is not None:
            monitor.report, objective.passed = display.step, display.rows
        yield


def _solved(
    solve: Callable[[], Array], monitor: Monitor, *, keep: bool
) -> tuple[Array, BaseException | None]:
    """The last weights of a solver, and what interrupted it, if these are to be kept."""
    try:
        return solve(), None
    except (KeyboardInterrupt, NoWorkersError) as error:
        if monitor.best is None or not keep:
            raise
        return monitor.best.weights, error


def _tolerance(model: Any, rows: int, rounding: float) -> float:
    """The tolerance of the gradient of the loss as reduced, not below its rounding."""
    tol = max(model.tol, 100 * rounding) if model.tol else 0.0
    return tol if model.reduction == "mean" else tol * rows


def _batch_size(model: Any) -> int:
    return 200 if model.batch_size == "auto" else int(model.batch_size)


def _settings(
    model: Any, solver: str, before: Mapping[str, Any], rows: int, random: np.random.Generator
) -> SimpleNamespace:
    """What the solver reads, and the state that an earlier epoch left."""
    size = _batch_size(model)
    batches = solver in ("sgd", "adam") and size < rows
    state = before.get("solver_state_", {}) if before.get("solver_") == solver else {}
    return SimpleNamespace(
        rate=learning_rate(model, solver, batches),
        momentum=model.momentum,
        nesterov=model.nesterovs_momentum,
        batch_size=size,
        batches=batches,
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
    """The rows to train on, and those held out: of arrays the same fraction of each class."""
    if rows.by_blocks:
        return hold_out(rows, model.validation_fraction, model.reduction, random)
    groups, n = model.groups(rows.y), len(rows.y)
    # One row of each group is to train on; of the others every k-th is held out, two at least.
    members = [np.flatnonzero(groups == group) for group in np.unique(groups)]
    order = np.concatenate([random.permutation(rows)[1:] for rows in members])
    count = min(max(2, round(model.validation_fraction * n)), len(order))
    if count < 2:
        raise ValueError(
            f"early_stopping: {n} row{'s' * (n != 1)} (n_samples={n}) are too few to hold out two "
            "and train on one of each class"
        )
    held_out = np.zeros(n, dtype=bool)
    held_out[order[np.arange(count) * len(order) // count]] = True
    return rows.part(~held_out), rows.part(held_out)


def _scored(model: Any, rows: Rows, weights: Arrays) -> tuple[float, float]:
    """The score and the mean cost of weights on rows."""
    if rows.by_blocks:
        return tallied(model, rows, weights)
    z = model.output(rows.X, weights)
    if not np.isfinite(z).all():
        return -np.inf, np.inf
    return model.score_of(z, rows.y, rows.weights), model.loss_of(z, rows.y, rows.weights)


def _keep_freed_memory() -> None:
    """Make glibc keep freed memory for the next step instead of returning it to the system.

    It returns blocks larger than any freed before, up to 32 MiB, and mapping them again takes up
    to a sixth of the time of a fit.
    """
    np.empty(31 << 20, dtype="u1")  # freed immediately, never written
