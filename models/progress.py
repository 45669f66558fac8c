"""The progress of a training: on a bar if tqdm is installed, else in ten lines."""

from __future__ import annotations

import itertools
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

__all__ = ["progress"]


@contextmanager
def progress(
    title: str, total: int, verbose: bool, score: Callable[[Any], str] | None = None
) -> Iterator[Callable[[float, Any], None]]:
    """A function of a loss and its weights that shows both, by `score`, on standard error."""
    if not verbose:
        yield lambda loss, weights: None
        return
    steps = itertools.count(1)
    with _bar(title, total) as bar:
        times = 10 if bar is None else 100

        def report(loss: float, weights: Any) -> None:
            step = next(steps)
            if step in (1, total) or step % max(1, total // times) == 0:
                state = f"loss {loss:.4f}" + (f", {score(weights)}" if score else "")
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
