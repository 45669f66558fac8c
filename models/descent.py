"""Gradient descent on a loss of one's own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

import autograd_lite as ag
from autograd_lite.models.convergence import complaint
from autograd_lite.models.errors import ConvergenceWarning, warn
from autograd_lite.models.monitor import Array, Monitor
from autograd_lite.models.objective import Layout
from autograd_lite.models.progress import progress
from autograd_lite.models.solvers import SOLVERS

__all__ = ["Descent", "gradient_descent"]


class Descent(NamedTuple):
    """The loss before each step, and the loss of the weights that were kept."""

    losses: list[float]
    kept: float


def gradient_descent(
    loss: Callable[[], ag.Tensor],
    parameters: Sequence[ag.Tensor],
    *,
    learning_rate: float,
    max_iter: int,
    tol: float = 0.0,
    accuracy: Callable[[], float] | None = None,
    value_and_grad: Callable[[Sequence[Array]], tuple[Any, Sequence[Array]]] | None = None,
    verbose: bool = False,
    title: str = "gradient descent",
) -> Descent:
    """Minimize `loss()` by θ ← θ − α ∂L/∂θ, over all examples at once.

    Each iteration builds the graph, computes the gradients and takes a step; if `value_and_grad`
    is given, it computes the loss and the gradients from the parameters' arrays instead. Training
    stops after `max_iter` steps, or when no element of the gradient exceeds `tol`, or when the
    loss is not finite. The parameters get the weights of the smallest loss.

    `verbose` shows the loss and the result of `accuracy()`, a function without arguments, on
    standard error about a hundred times, in a notebook as a bar below the cell.

    Warns ConvergenceWarning if the loss became NaN or infinite, rose above its initial value, or
    ended above its smallest value. Raises ValueError unless the learning rate is positive and
    finite and `max_iter` is at least 1.

    Example:
        >>> w = ag.Tensor(3.0)
        >>> descent = gradient_descent(lambda: w * w, [w], learning_rate=0.25, max_iter=2)
        >>> descent.losses, w.item(), descent.kept
        ([9.0, 2.25], 0.75, 0.5625)
    """
    α = float(learning_rate)
    if not 0 < α < np.inf:
        raise ValueError(f"the learning rate must be a positive number, not {learning_rate}")
    if max_iter < 1:
        raise ValueError(f"max_iter must be at least 1, not {max_iter}")
    shown = accuracy and partial(_shown, accuracy)
    objective = _OfTensors(parameters, value_and_grad or partial(_evaluated, loss, parameters))
    w = objective.layout.flat(_numbered(θ.numpy() for θ in parameters))
    monitor = Monitor(max_iter, tol)
    # A step that is too long may overflow; the warning below reports it.
    with np.errstate(all="ignore"), progress(title, max_iter, verbose, shown) as display:
        monitor.report = display.step if display else monitor.report
        SOLVERS["gd"](objective, w, monitor, SimpleNamespace(rate=α))
    objective.move(w if monitor.best is None else monitor.best.weights)
    kept = np.inf if monitor.best is None else monitor.best.loss
    if said := complaint(monitor, "gd", α, None, kept):
        warn(said, ConvergenceWarning)
    return Descent(monitor.losses, kept)


class _OfTensors:
    """The loss of Tensors as a function of one flat vector, which moves them."""

    def __init__(self, parameters: Sequence[ag.Tensor], value_and_grad: Callable[..., Any]) -> None:
        self.parameters, self.value_and_grad = parameters, value_and_grad
        self.layout = Layout(_numbered(θ.shape for θ in parameters))

    def __call__(self, w: Array) -> tuple[float, Array]:
        value, gradients = self.value_and_grad(self.move(w))
        return float(value), self.layout.flat(_numbered(gradients))

    def move(self, w: Array) -> list[Array]:
        """Set the Tensors to w; the arrays that they are set to."""
        arrays = [array.copy() for array in self.layout.arrays(w).values()]
        for θ, array in zip(self.parameters, arrays, strict=True):
            θ.data = array.astype(θ.dtype)
            θ.zero_grad()
        return arrays


def _shown(accuracy: Callable[[], float], _: Array) -> str:
    return f"accuracy {accuracy():.4f}"


def _numbered(values: Iterable[Any]) -> dict[str, Any]:
    return {str(k): value for k, value in enumerate(values)}


def _evaluated(
    loss: Callable[[], ag.Tensor], parameters: Sequence[ag.Tensor], _: Sequence[Array]
) -> tuple[Any, Sequence[Array]]:
    """The loss and the gradients, by the eager engine."""
    L = loss()
    if not np.isfinite(L.item()):
        return L.item(), [np.full(θ.shape, np.nan) for θ in parameters]
    L.backward()
    return L.item(), [np.asarray(θ.grad) for θ in parameters]
