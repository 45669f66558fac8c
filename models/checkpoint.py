"""Where a training is, so that another one goes on from there with the same losses, bit by bit."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.models.monitor import Array, Best, Monitor
from autograd_lite.models.npz import Npz
from autograd_lite.models.objective import Arrays, Objective

__all__ = ["Checkpoint"]

_EVERY = 10.0  # seconds at least between two times that a checkpoint is saved
_SHARE = 20  # and so many times what saving took
_NUMBERS = ("start", "waited", "reached")  # of the monitor, beside losses and best weights
_MOST = 1 << 20  # bytes of the numbers as text


class _Point(NamedTuple):
    """Where a training is before a step: all that decides how it goes on.

    Arrays are copies; losses and scores, which only get longer, are the first so many.
    """

    weights: Array
    best: Best | None
    losses: int
    scores: int
    numbers: tuple[Any, ...]
    state: Arrays
    random: Any


class Checkpoint:
    """Follows a training, and has it go on from where an earlier one was.

    Between two steps it keeps what decides the further course: the weights as the solver has them,
    the solver's state, the random generator's, what the monitor reached, and from which step on
    Numba computes. What a step that was interrupted has done already is done again.

    Args:
        name: what errors call it.
        save: called with the checkpoint, about every ten seconds.
        arrays: of an earlier checkpoint, as `arrays` gave and `read` found them.
    """

    def __init__(
        self,
        name: str,
        save: Callable[[Checkpoint], None] = lambda checkpoint: None,
        arrays: Arrays | None = None,
    ) -> None:
        self.name: str = name
        self._save, self._given = save, arrays
        self._point: _Point | None = None
        self._due = time.monotonic() + _EVERY

    def follow(self, monitor: Monitor, objective: Objective, settings: Any, w: Array) -> Array:
        """Follow a training from the weights w; the weights that it begins with.

        Raises ValueError if an earlier training was of other weights or took more steps.
        """
        self._monitor, self._objective, self._settings = monitor, objective, settings
        self._native = np.inf
        self._steps = -(-objective.rows // settings.batch_size) if settings.batches else 1
        self._compute(0)
        if self._given is not None:
            w = self._restored(self._given, w)
        monitor.mark = self._mark
        return w

    @property
    def wants_more(self) -> bool:
        """Whether the training took all steps and did not converge."""
        if self._point is None:
            return False
        return self._monitor.full and not self._monitor.converged and self._monitor.tol > 0

    @property
    def arrays(self) -> Arrays:
        """All of it as arrays of numbers and text; those given, if no step was begun."""
        if self._point is None:
            return self._given or {}
        point, best = self._point, self._point.best
        course = {
            **dict(zip(_NUMBERS, point.numbers, strict=True)),
            "best": best and [best.loss, best.slope],
            "native": self._native,
            "random": point.random,
            "state": {name: array.ndim for name, array in point.state.items()},
        }
        return {
            "course": np.array(json.dumps(course)),
            "weights": point.weights,
            "best": best.weights if best else point.weights[:0],
            "losses": np.array(self._monitor.losses[: point.losses], dtype=float),
            "scores": np.array(self._monitor.scores[: point.scores], dtype=float),
            **{f"state.{name}": array for name, array in point.state.items()},
        }

    def _mark(self, weights: Array) -> None:
        """Keep where the training is before a step; now and then save it."""
        monitor, settings = self._monitor, self._settings
        if self._point is None and self._given is None:
            self._native = self._objective.calls_to_pay / self._steps
        self._point = _Point(
            weights.copy(),
            monitor.best,
            len(monitor.losses),
            len(monitor.scores),
            tuple(getattr(monitor, name) for name in _NUMBERS),
            {name: array.copy() for name, array in settings.state.items()},
            settings.random.bit_generator.state,
        )
        self._compute(len(monitor.losses))
        began = time.monotonic()
        if began >= self._due:
            self._save(self)
            ended = time.monotonic()
            self._due = ended + max(_EVERY, _SHARE * (ended - began))

    def _compute(self, step: int) -> None:
        """Have Numba compute from a step on that does not depend on where the training stopped."""
        if self._objective.model.backend == "auto":
            self._objective.use("numba" if step >= self._native else "numpy")

    def _restored(self, arrays: Arrays, w: Array) -> Array:
        """Set the training to where an earlier one was; its weights."""
        monitor, weights, losses = self._monitor, arrays["weights"], arrays["losses"]
        if weights.shape != w.shape:
            raise ValueError(f"{self.name} is of {weights.size} weights; the model has {w.size}")
        if len(losses) > monitor.max_iter:
            raise ValueError(
                f"max_iter must be at least {len(losses)}, the steps that were taken before, not "
                f"{monitor.max_iter}"
            )
        course = json.loads(str(arrays["course"]))
        monitor.losses[:], monitor.scores[:] = losses.tolist(), arrays["scores"].tolist()
        monitor.start, monitor.waited, monitor.reached = (course[name] for name in _NUMBERS)
        monitor.best = course["best"] and Best(arrays["best"], *course["best"])
        self._settings.state |= {name: arrays[f"state.{name}"] for name in course["state"]}
        self._native = course["native"]
        try:
            self._settings.random.bit_generator.state = course["random"]
        except (TypeError, KeyError, ValueError, OverflowError):
            raise ValueError(f"{self.name} is damaged: it has no state of a generator") from None
        # The solver computes the loss of the weights once more, which the step before did.
        self._compute(len(losses) - 1)
        return weights

    @staticmethod
    def read(file: Npz, prefix: str) -> Arrays:
        """The arrays of a checkpoint, under names that begin with `prefix`.

        Raises ValueError if one is missing or damaged.
        """
        text = file.text(f"{prefix}course", _MOST)
        try:
            course = json.loads(text)
            state = {f"state.{name}": (-1,) * ndim for name, ndim in course["state"].items()}
            complete = course.keys() == {*_NUMBERS, "best", "native", "random", "state"}
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
            complete = False
        if not complete:
            raise ValueError(f"'{prefix}course' is not what `train` writes")
        any_length = dict.fromkeys(("weights", "best", "losses", "scores"), (-1,))
        what = "numbers, Booleans or text"
        return {"course": np.array(text)} | {
            name: file.array(f"{prefix}{name}", what, shape)
            for name, shape in (any_length | state).items()
        }
