"""The settings of the models: which are valid, and which of them the loss depends on."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

import numpy as np

import autograd_lite as ag
from autograd_lite.models.solvers import chosen

__all__ = ["check_packages", "check_settings", "learning_rate", "of_the_loss"]

# Models that differ only in these share compiled programs.
_OF_TRAINING = frozenset(
    (
        *("solver", "learning_rate_init", "max_iter", "tol", "alpha", "standardize", "batch_size"),
        *("momentum", "nesterovs_momentum", "early_stopping", "validation_fraction"),
        *("n_iter_no_change", "warm_start", "class_weight", "init", "random_state", "verbose"),
        *("workers", "backend"),
    )
)


def of_the_loss(model: Any) -> tuple[tuple[str, Any], ...]:
    """The names and values of the settings that the graph of the loss depends on."""
    return tuple(
        (name, tuple(value) if isinstance(value, (list, np.ndarray)) else value)
        for name, value in model.get_params().items()
        if name not in _OF_TRAINING
    )


def learning_rate(model: Any, solver: str, batches: bool) -> float | None:
    """The learning rate of the solver; None if it has none.

    By default it is a tenth in `batches`, whose gradients differ from that of all rows.
    """
    if solver not in model.rates:
        return None
    if model.learning_rate_init is not None:
        return float(model.learning_rate_init)
    return float(model.rates[solver] / 10 if batches else model.rates[solver])


def check_settings(model: Any) -> None:
    """Raise ValueError for the first setting that is not valid."""
    chosen(model.solver)
    if model.reduction not in ("mean", "sum"):
        raise ValueError(f'reduction must be "mean" or "sum", not {model.reduction!r}')
    if model.backend not in ("numpy", "numba", "auto"):
        raise ValueError(f'backend must be "numpy", "numba" or "auto", not {model.backend!r}')
    for name in ("standardize", "early_stopping", "warm_start", "nesterovs_momentum"):
        value = getattr(model, name)
        if not isinstance(value, (bool, np.bool_)):
            raise ValueError(f"{name} must be True or False, not {value!r}")
    rate = model.learning_rate_init
    if rate is not None and not (_is_number(rate) and rate > 0):
        raise ValueError(f"the learning rate must be a positive number, not {rate!r}")
    for name in ("tol", "alpha"):
        value = getattr(model, name)
        if not (_is_number(value) and value >= 0):
            raise ValueError(f"{name} must be a number of at least 0, not {value!r}")
    for name in ("momentum", "validation_fraction"):
        value = getattr(model, name)
        if not (_is_number(value) and 0 <= value < 1):
            raise ValueError(f"{name} must be a number from 0 to below 1, not {value!r}")
    counts = ["max_iter", "n_iter_no_change"]
    if not isinstance(model.batch_size, str) or model.batch_size != "auto":
        counts.append("batch_size")
    if model.workers is not None:
        counts.append("workers")
    for name in counts:
        value = getattr(model, name)
        if not isinstance(value, (int, np.integer)) or value is True or value < 1:
            raise ValueError(f"{name} must be at least 1, and an integer, not {value!r}")


def check_packages(model: Any) -> None:
    """Raise ImportError if the backend needs a package that is not installed."""
    ag.compile(backend=model.backend)


def _is_number(value: Any) -> bool:
    return isinstance(value, Real) and math.isfinite(value)
