"""Gradient descent and its progress display."""

from __future__ import annotations

import functools
import itertools
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import autograd_lite as ag

Array = npt.NDArray[Any]


class ConvergenceWarning(UserWarning):
    """The learning rate is too large: the loss rose."""


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
    _keep_freed_memory()
    α = float(learning_rate)
    if not 0 < α < np.inf:
        raise ValueError(f"the learning rate must be a positive number, not {learning_rate}")
    if max_iter < 1:
        raise ValueError(f"max_iter must be at least 1, not {max_iter}")
    best = _Best(parameters)
    evaluate = value_and_grad or functools.partial(_evaluated, loss, parameters)
    # A step that is too long may overflow; the warning below reports it.
    with np.errstate(all="ignore"), _progress(title, max_iter, verbose, accuracy) as report:
        losses = _descend(evaluate, best, α, max_iter, tol, report)
        with ag.no_grad():
            last = loss().item()
    best.update(last)
    best.restore()
    _warn_of_rising([*losses, last], best.loss, α)
    return Descent(losses, best.loss)


class _Best:
    """The weights of the smallest finite loss so far."""

    def __init__(self, parameters: Sequence[ag.Tensor]) -> None:
        self.parameters, self.loss = parameters, np.inf
        self.weights = [θ.numpy() for θ in parameters]

    def update(self, loss: float) -> None:
        if np.isfinite(loss) and loss <= self.loss:
            self.loss, self.weights = loss, [θ.numpy() for θ in self.parameters]

    def restore(self) -> None:
        for θ, weights in zip(self.parameters, self.weights, strict=True):
            θ.data = weights
            θ.zero_grad()


def _evaluated(
    loss: Callable[[], ag.Tensor], parameters: Sequence[ag.Tensor], _: Sequence[Array]
) -> tuple[Any, Sequence[Array]]:
    """The loss and the gradients, by the eager engine."""
    L = loss()
    if not np.isfinite(L.item()):
        return L.item(), []
    for θ in parameters:
        θ.zero_grad()
    L.backward()
    return L.item(), [np.asarray(θ.grad) for θ in parameters]


def _descend(
    evaluate: Callable[[Sequence[Array]], tuple[Any, Sequence[Array]]],
    best: _Best,
    α: float,
    max_iter: int,
    tol: float,
    report: Callable[[float], None],
) -> list[float]:
    """Take the steps and return the loss before each."""
    losses: list[float] = []
    for _ in range(max_iter):
        weights = [θ.numpy() for θ in best.parameters]
        value, gradients = evaluate(weights)
        losses.append(float(value))
        report(losses[-1])
        best.update(losses[-1])
        if not np.isfinite(losses[-1]) or max(np.abs(g).max(initial=0) for g in gradients) <= tol:
            break
        for θ, w, g in zip(best.parameters, weights, gradients, strict=True):
            θ.data = w - α * g
    return losses


def _keep_freed_memory() -> None:
    """Make glibc keep freed memory for the next step instead of returning it to the system.

    It returns blocks larger than any freed before, up to 32 MiB, and mapping them again takes up
    to a sixth of the time of a fit.
    """
    np.empty(31 << 20, dtype="u1")  # freed immediately, never written


def _warn_of_rising(losses: Sequence[float], best: float, α: float) -> None:
    start, last = losses[0], losses[-1]
    rounding = 1e-6 * abs(start)
    if not np.isfinite(losses).all():
        what = f"became {next(loss for loss in losses if not np.isfinite(loss))}"
    elif max(losses) > start + rounding:
        what = f"rose from {start:.4g} to {max(losses):.4g}"
    elif last - best > 0.01 * (start - best) + rounding:
        what = f"was rising at the end, to {last:.4g}"
    else:
        return
    warnings.warn(
        f"the learning rate {α:g} is too large: the loss {what}; the weights of the smallest "
        f"loss, {best:.4g}, are kept; try {α / 10:g}",
        ConvergenceWarning,
        # The caller of `fit`: past this function, gradient_descent and fit.
        stacklevel=4,
    )


@contextmanager
def _progress(
    title: str, total: int, verbose: bool, accuracy: Callable[[], float] | None
) -> Iterator[Callable[[float], None]]:
    """A function that reports each loss: on a bar if tqdm is installed, else in ten lines."""
    if not verbose:
        yield lambda loss: None
        return
    steps = itertools.count(1)
    with _bar(title, total) as bar:
        times = 10 if bar is None else 100

        def report(loss: float) -> None:
            step = next(steps)
            if step in (1, total) or step % max(1, total // times) == 0:
                state = f"loss {loss:.4f}" + (f", accuracy {accuracy():.4f}" if accuracy else "")
                if bar is None:
                    print(f"{title}: step {step} of {total}, {state}", file=sys.stderr)
                else:
                    bar.set_postfix_str(state, refresh=False)
            if bar is not None:
                bar.update()

        yield report


def _bar(title: str, total: int) -> Any:
    """A context with a progress bar, or with None if tqdm is not installed."""
    try:
        with warnings.catch_warnings():
            # In a notebook without widgets tqdm warns and then shows its text bar.
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm
    except ImportError:
        return nullcontext()
    return tqdm(total=total, desc=title, unit="step", file=sys.stderr)
