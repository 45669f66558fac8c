"""The peak memory of training: what a process grows by while it makes a few steps.

A few and not one: a loop that keeps the graph of its last step pays for two at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.steps import ESSENTIAL, PEERS, SHAPES, Shape, problem
from benchmarks.worker import Subject, Worker, WorkerError, resolve

MEMORY_PEERS = ("hand", "autograd_lite", "compiled", "torch")


def build(peer: str, *shape: int) -> Subject:
    """The peer's step; a step of the smallest problem has made its library load everything."""
    make = resolve(PEERS[peer])
    make(*SHAPES[0])()
    return Subject(make(*shape))


def measure(
    shape: Shape = SHAPES[-1],
    peers: Sequence[str] = MEMORY_PEERS,
    *,
    steps: int = 3,
    skip: Callable[[str], None] = print,
) -> dict[str, int]:
    """Bytes that training adds to each peer's process at its peak, data and weights not counted.

    Raises: WorkerError when a worker dies.
    """
    peaks = {}
    for peer in peers:
        try:
            with Worker(peer, "benchmarks.memory:build", peer, *shape) as worker:
                peaks[peer] = worker.ask("peak", steps)
        except WorkerError as error:
            if peer in ESSENTIAL:
                raise
            skip(str(error))
    return peaks


def data(shape: Shape) -> int:
    """Bytes of the problem's data and weights."""
    return sum(array.nbytes for array in problem(*shape))
