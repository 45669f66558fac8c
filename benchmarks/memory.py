"""The peak memory of training: what a process grows by while it makes a few steps, on Linux.

A few and not one: a loop that keeps the graph of its last step pays for two at a time.
"""

from __future__ import annotations

import ctypes
import gc
import re
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path

from benchmarks.rounds import Goal
from benchmarks.steps import ESSENTIAL, PEERS, SHAPES, Shape, problem
from benchmarks.worker import Worker, WorkerError, resolve

MEMORY_PEERS = {
    "hand": PEERS["hand"],
    "autograd_lite": PEERS["autograd_lite"],
    "compiled": "benchmarks.steps:compiled_in_one_pass",
    'compiled, rows="auto"': PEERS["compiled"],
    "torch": PEERS["torch"],
}
SMALLEST = 1 << 20  # bytes of data and weights; a process grows by too few pages below
ALLOWED = 1.1  # times `hand`
ALLOWED_EAGER, ALLOWED_IN_BLOCKS = 1.0, 0.1  # for the last problem


class Footprint:
    """A peer's step and the memory that it needs."""

    def __init__(self, target: str, *given: int) -> None:
        if sys.platform != "linux":
            raise WorkerError("the peak of a process is measured on Linux only")
        make = resolve(target)
        make(*given)()  # so that the library has loaded everything and has what it keeps for itself
        self.before = _resident()
        self.step = make(*given)
        self.step()

    def peak(self, steps: int) -> int:
        """The bytes by which the process grows, at its peak, by the problem and the steps.

        The first step is over, but what it keeps is counted.
        """
        _resident()
        for _ in range(steps):
            self.step()
        return _peak() - self.before


def _resident() -> int:
    """Resident bytes of this process without what its allocator keeps free; resets the peak."""
    gc.collect()
    with suppress(AttributeError):  # a C library without it keeps little
        ctypes.CDLL(None).malloc_trim(0)
    Path("/proc/self/clear_refs").write_text("5")
    return _peak()


def _peak() -> int:
    return 1024 * int(re.findall(r"VmHWM:\s+(\d+)", Path("/proc/self/status").read_text())[0])


def measure(
    shape: Shape = SHAPES[-1],
    peers: Mapping[str, str] = MEMORY_PEERS,
    *,
    steps: int = 3,
    skip: Callable[[str], None] = print,
) -> dict[str, int]:
    """Bytes that training takes in each peer's process at its peak, beyond data and weights.

    Raises: WorkerError when an essential worker dies.
    """
    peaks = {}
    for peer, target in peers.items():
        try:
            with Worker(peer, "benchmarks.memory:Footprint", target, *shape) as worker:
                peaks[peer] = max(0, worker.ask("peak", steps) - data(shape))
        except WorkerError as error:
            if peer in ESSENTIAL:
                raise
            skip(str(error))
    return peaks


def data(shape: Shape) -> int:
    """Bytes of the problem's data and weights."""
    return sum(array.nbytes for array in problem(*shape))


def goals(shape: Shape, peaks: Mapping[str, int]) -> list[Goal]:
    """The goals beside the measurements."""
    limits = {"compiled": ALLOWED, 'compiled, rows="auto"': ALLOWED}
    if shape == SHAPES[-1]:
        limits |= {"autograd_lite": ALLOWED_EAGER, 'compiled, rows="auto"': ALLOWED_IN_BLOCKS}
    return [
        Goal(f"{peer} ÷ hand", peaks[peer] / peaks["hand"], limit)
        for peer, limit in limits.items()
        if peer in peaks
    ]
