"""The first call of a compiled step, each in a fresh process: what compiling it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from benchmarks.steps import PEERS, SHAPES, Shape
from benchmarks.worker import Worker, WorkerError

COMPILERS = ("compiled", "jax.jit", "torch.compile")
GOAL = 0.050  # seconds, the import of the compiler included
COLD = {"TORCHINDUCTOR_FORCE_DISABLE_CACHES": "1"}  # nothing from what earlier processes compiled
PATIENCE = 1.0  # seconds: a peer that takes longer is measured once


def measure(
    shape: Shape = SHAPES[2],
    peers: Sequence[str] = COMPILERS,
    *,
    rounds: int = 9,
    skip: Callable[[str], None] = print,
) -> dict[str, list[float]]:
    """Seconds of the first call, round by round; the peer's library has been imported before.

    Raises: WorkerError when the engine's worker dies, or imports SymPy.
    """
    seconds: dict[str, list[float]] = {}
    for _ in range(rounds):
        for peer in peers:
            if max(seconds.get(peer, [0])) > PATIENCE:
                continue
            try:
                with Worker(peer, PEERS[peer], *shape, variables=COLD) as worker:
                    seconds.setdefault(peer, []).append(worker.ask("first"))
                    if peer == "compiled" and worker.ask("imported", "sympy"):
                        raise WorkerError("compiled: compiling has imported SymPy")
            except WorkerError as error:
                if peer == "compiled":
                    raise
                skip(str(error))
    return seconds
