"""Gradient descent, and its progress."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import autograd_lite as ag

Array = npt.NDArray[Any]


class ConvergenceWarning(UserWarning):
    """The learning rate is too large: the loss rose where it should fall."""


class Descent(NamedTuple):
    """What gradient descent did: the loss before each step, and the loss of the weights kept."""

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
    """Minimise `loss()` by θ ← θ − α ∂L/∂θ, over all examples at once.

    Each iteration builds the graph anew, sweeps back, and steps; or, where `value_and_grad` is
    given, it asks that for the loss and the gradients at the parameters' arrays. It ends after
    `max_iter` steps, or earlier when no element of the gradient exceeds `tol`, or when the loss is
    no finite number. The parameters end at the weights of the smallest loss met on the way.

    `verbose` shows the loss on standard error, in a notebook as a bar below the cell, and beside
    it what `accuracy()` gives, about a hundred times in all.

    Warns ConvergenceWarning, naming the learning rate, when the loss stopped being finite, rose
    above where it started, or ended above its smallest value.

    Raises ValueError when the learning rate is no positive number or `max_iter` is below 1.

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

    losses: list[float] = []
    best, kept = np.inf, [θ.numpy() for θ in parameters]

    def improves(value: float) -> bool:
        nonlocal best, kept
        finite = bool(np.isfinite(value))
        if finite and value <= best:
            best, kept = value, [θ.numpy() for θ in parameters]
        return finite

    def swept(_: Sequence[Array]) -> tuple[Any, Sequence[Array]]:
        L = loss()
        if not np.isfinite(L.item()):
            return L.item(), []
        for θ in parameters:
            θ.zero_grad()
        L.backward()
        return L.item(), [np.asarray(θ.grad) for θ in parameters]

    # A step too long may overflow; the loss then tells, and the warning below reports it.
    with np.errstate(all="ignore"), _progress(title, max_iter, verbose, accuracy) as report:
        for _ in range(max_iter):
            value, gradients = (value_and_grad or swept)([θ.numpy() for θ in parameters])
            losses.append(float(value))
            report(losses[-1])
            if not improves(losses[-1]):
                break
            if max(np.abs(g).max(initial=0) for g in gradients) <= tol:
                break
            for θ, g in zip(parameters, gradients, strict=True):
                θ.data = θ.numpy() - α * g
        with ag.no_grad():
            last = loss().item()
        improves(last)
    for θ, weights in zip(parameters, kept, strict=True):
        θ.data = weights
        θ.zero_grad()
    _warn_of_rising([*losses, last], best, α)
    return Descent(losses, best)


def _keep_freed_memory() -> None:
    """Let glibc keep what a step frees for the next one, in the whole process.

    It gives blocks back to the system that are larger than any freed before (up to 32 MiB), and
    faulting them in anew takes up to a sixth of the time of a fit.
    """
    np.empty(31 << 20, dtype="u1")  # freed at once, and never touched


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
    """A progress bar where tqdm is installed, else a line each tenth."""
    if not verbose:
        yield lambda loss: None
        return
    try:
        with warnings.catch_warnings():
            # In a notebook without widgets tqdm warns, and then shows its plain bar.
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm
    except ImportError:
        yield _lines(title, total, accuracy)
        return
    with tqdm(total=total, desc=title, unit="step", file=sys.stderr) as bar:

        def report(loss: float) -> None:
            if _is_due(int(bar.n) + 1, total, 100):
                bar.set_postfix_str(_state(loss, accuracy), refresh=False)
            bar.update()

        yield report


def _lines(title: str, total: int, accuracy: Callable[[], float] | None) -> Callable[[float], Any]:
    done = 0

    def report(loss: float) -> None:
        nonlocal done
        done += 1
        if _is_due(done, total, 10):
            state = _state(loss, accuracy)
            print(f"{title}: step {done} of {total}, {state}", file=sys.stderr)

    return report


def _is_due(step: int, total: int, times: int) -> bool:
    """Whether a step is the first, the last, or one of so many in between."""
    return step in (1, total) or step % max(1, total // times) == 0


def _state(loss: float, accuracy: Callable[[], float] | None) -> str:
    return f"loss {loss:.4f}" + (f", accuracy {accuracy():.4f}" if accuracy else "")
