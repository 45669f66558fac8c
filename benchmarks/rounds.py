"""Peers take turns: what each round measured, their medians and ratios, and the goals."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from benchmarks.worker import ROOT, Worker, WorkerError

__all__ = ["DisagreementError", "Goal", "agree", "interleave", "median", "ratio"]

TOLERANCE = {"float64": 1e-8, "float32": 1e-5}


class DisagreementError(RuntimeError):
    """Two peers do not compute the same losses."""


def agree(losses: Mapping[str, Sequence[float]], dtype: str = "float64") -> None:
    """Compare the first losses of all peers, so their forward passes, gradients and updates.

    Raises: DisagreementError, naming the peer and both lists of losses, or the loss that shows by
        its digits that it was computed in a wider type.

    Example:
        >>> agree({"hand": [0.5, 0.4], "b": [0.5, 0.6]})
        Traceback (most recent call last):
        benchmarks.rounds.DisagreementError: losses of b [0.5, 0.6] differ from hand's [0.5, 0.4]
        >>> agree({"hand": [0.5], "b": [0.5 + 1e-12]}, "float32")
        Traceback (most recent call last):
        benchmarks.rounds.DisagreementError: b: 0.500000000001 is no float32
    """
    first, expected = next(iter(losses.items()))
    for name, found in losses.items():
        if not np.allclose(found, expected, rtol=TOLERANCE[dtype], atol=0):
            raise DisagreementError(f"losses of {name} {found} differ from {first}'s {expected}")
        for loss in found:
            if float(np.dtype(dtype).type(loss)) != loss:
                raise DisagreementError(f"{name}: {loss} is no {dtype}")


def interleave(
    peers: Mapping[str, Sequence[Any]],
    *,
    rounds: int = 9,
    budget: float = 0.1,
    threads: int = 1,
    dtype: str = "float64",
    essential: Sequence[str] = (),
    skip: Callable[[str], None] = print,
    homes: Mapping[str, Path] = MappingProxyType({}),
) -> dict[str, list[Any]]:
    """Seconds of a step of each peer in each of the rounds, in which the peers take turns.

    A peer is what a `Worker` is made of: `module:function` and its arguments. One that is not
    installed or cannot run is left out, and `skip` gets a line that says so, if it is not
    essential. A peer may have its own home, the folder that its worker imports from. A subject may
    measure several steps; each of its entries is a list then.

    Raises: DisagreementError when the losses differ; WorkerError when an essential worker dies.
    """
    with ExitStack() as stack:
        workers, losses = dict[str, Worker](), dict[str, list[float]]()
        for name, target in peers.items():
            try:
                worker = stack.enter_context(
                    Worker(name, *target, threads=threads, home=homes.get(name, ROOT))
                )
                losses[name] = worker.ask("losses", 3)
                workers[name] = worker
            except WorkerError as error:
                if name in essential:
                    raise
                skip(str(error))
        agree(losses, dtype)
        seconds = {name: list[Any]() for name in workers}
        for _ in range(rounds):
            for name, worker in workers.items():
                seconds[name].append(worker.ask("seconds", budget))
        return seconds


def ratio(seconds: Sequence[float], others: Sequence[float]) -> float:
    """The median over the rounds of one peer's time over another's in the same round.

    Example:
        >>> ratio([2.0, 3.0, 30.0], [1.0, 2.0, 20.0])
        1.5
    """
    return median(one / other for one, other in zip(seconds, others, strict=True))


class Goal(NamedTuple):
    """What was measured and what it should be at most."""

    what: str
    measured: float
    limit: float

    @property
    def verdict(self) -> str:
        """
        Example:
            >>> Goal("a ÷ b", 0.4, 0.5).verdict, Goal("a ÷ b", 0.6, 0.5).verdict
            ('met', 'missed by 20.0 %')
        """
        missed = self.measured / self.limit - 1
        return "met" if missed <= 0 else f"missed by {100 * missed:.1f} %"
