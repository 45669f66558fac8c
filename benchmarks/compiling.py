"""The first call of a compiled step, each in a fresh process: what compiling it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from tempfile import TemporaryDirectory

from benchmarks.steps import PEERS, SHAPES, Shape
from benchmarks.worker import Worker, WorkerError

AGAIN = ", kept"  # by an earlier process on disk
COMPILERS = ("compiled", "compiled-numba", f"compiled-numba{AGAIN}", "jax.jit", "torch.compile")
# Seconds, the import of the compiler included, that of Numba not.
GOALS = {"compiled": 0.050, f"compiled-numba{AGAIN}": 0.3}
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
    with TemporaryDirectory() as kept:
        for _ in range(rounds):
            for peer in peers:
                if max(seconds.get(peer, [0])) > PATIENCE:
                    continue
                try:
                    if peer.endswith(AGAIN) and peer not in seconds:
                        _first(peer, shape, kept)
                    seconds.setdefault(peer, []).append(_first(peer, shape, kept))
                except WorkerError as error:
                    if peer == "compiled":
                        raise
                    skip(str(error))
    return seconds


def _first(peer: str, shape: Shape, kept: str) -> float:
    """Seconds of the first call in a new process, which finds machine code there or nowhere."""
    with TemporaryDirectory() as empty:
        cache = {"AUTOGRAD_LITE_CACHE": kept if peer.endswith(AGAIN) else empty}
        target = PEERS[peer.removesuffix(AGAIN)]
        with Worker(peer, target, *shape, variables=COLD | cache) as worker:
            seconds: float = worker.ask("first")
            if peer == "compiled" and worker.ask("imported", "sympy"):
                raise WorkerError("compiled: compiling has imported SymPy")
    return seconds
