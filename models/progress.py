"""The progress of a training: on a bar if tqdm is installed, else in ten lines."""

from __future__ import annotations

import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

__all__ = ["Progress", "progress"]

_LONG = 1.0  # seconds of a pass over the rows from which on it has a bar of its own


@contextmanager
def progress(
    title: str, total: int, verbose: bool, score: Callable[[Any], str] | None = None, **more: int
) -> Iterator[Progress | None]:
    """The display of a training on standard error, or None if it is not `verbose`.

    The other arguments are those of `Progress`.
    """
    if not verbose:
        yield None
        return
    shown = Progress(title, total, score, **more)
    try:
        yield shown
    finally:
        shown.close()


class Progress:
    """Shows the steps of a training with their loss, the rows per second, and the time left.

    Args:
        title: what is trained.
        total: the number of steps.
        score: what to show of the weights beside the loss.
        rows: the number of rows of a pass, which has a bar of its own if it takes long.
        done: the steps that an earlier training took.
    """

    def __init__(
        self,
        title: str,
        total: int,
        score: Callable[[Any], str] | None = None,
        rows: int = 0,
        done: int = 0,
    ) -> None:
        self._title, self._total, self._score, self._of = title, total, score, rows
        self._first = self._taken = done
        self._counted = self._passed = 0
        self._began = self._since = time.monotonic()
        self._tqdm = _tqdm()
        self._steps = self._bar(desc=title, total=total, initial=done, unit="step")
        self._rows: Any = None

    def step(self, loss: float, weights: Any) -> None:
        """Show the loss of a step, and what the weights before it reach."""
        self._taken += 1
        often = max(1, self._total // (10 if self._steps is None else 100))
        if self._taken in (1, self._total) or self._taken % often == 0:
            score = self._score(weights) if self._score else ""
            state = f"loss {loss:.4f}" + (f", {score}" if score else "")
            seconds = max(time.monotonic() - self._began, 1e-9)
            if self._counted:
                state += f", {self._counted / seconds:,.0f} rows/s"
            if self._steps is None:
                left = seconds / (self._taken - self._first) * (self._total - self._taken)
                state += f", {timedelta(seconds=round(left))} left"
                step = f"step {self._taken} of {self._total}"
                print(f"{self._title}: {step}, {state}", file=sys.stderr)
            else:
                self._steps.set_postfix_str(state, refresh=False)
        if self._steps is not None:
            self._steps.update()

    def rows(self, count: int) -> None:
        """Count the rows of a block whose loss was just computed."""
        self._counted += count
        self._passed += count
        if self._passed >= self._of:
            self._passed, self._since = 0, time.monotonic()
            self._rows = self._rows and self._rows.close()
        elif self._rows is not None:
            self._rows.update(count)
        elif time.monotonic() - self._since > _LONG:
            more = {"unit": "row", "unit_scale": True, "leave": False}
            self._rows = self._bar(desc="rows", total=self._of, initial=self._passed, **more)

    def close(self) -> None:
        """End the display."""
        for bar in (self._rows, self._steps):
            if bar is not None:
                bar.close()

    def _bar(self, **options: Any) -> Any:
        """A bar, or None if tqdm is not installed."""
        return None if self._tqdm is None else self._tqdm(file=sys.stderr, **options)


def _tqdm() -> Any:
    try:
        with warnings.catch_warnings():
            # In a notebook without widgets tqdm warns and then shows its text bar.
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm
    except ImportError:
        return None
    return tqdm
