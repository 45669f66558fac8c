"""Functions and their gradients, side by side: what the rounds measure, and the goals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any, NamedTuple

from benchmarks.rounds import Goal, interleave, median, ratio

PROBLEMS = ("lse", "llsq", "kmeans", "gmm", "lstm", "ode", "det", "particle")
PEERS = {
    name: f"benchmarks.gradbench.peers:{function}"
    for name, function in (
        ("autograd_lite", "autograd_lite"),
        ("compiled", "compiled"),
        ("numba", "numba"),
        ("torch", "torch"),
        ("jax.jit", "jax"),
        ("autograd", "autograd"),
    )
}
ESSENTIAL = ("autograd_lite", "compiled")
COMPILED = ("compiled", "numba")
RIVALS = ("torch", "jax.jit")
WANTED = 6  # problems in which a compiled gradient is faster than its rivals


class Times(NamedTuple):
    """Seconds of a function and of its gradient, round by round."""

    primal: Sequence[float]
    gradient: Sequence[float]


def measure(
    problem: str,
    size: Sequence[Any] | None = None,
    peers: Sequence[str] = tuple(PEERS),
    **options: Any,
) -> dict[str, Times]:
    """Seconds of each peer, round by round; options as for `interleave`."""
    size = import_module(f"benchmarks.gradbench.{problem}").SIZE if size is None else size
    targets = {peer: (PEERS[peer], problem, *size) for peer in peers}
    found = interleave(targets, essential=ESSENTIAL, **options)
    return {peer: Times(*zip(*pairs, strict=True)) for peer, pairs in found.items()}


def fastest(times: Mapping[str, Times], peers: Sequence[str]) -> str:
    """Of the peers that were measured, the one whose gradient has the least median."""
    found = [peer for peer in peers if peer in times]
    return min(found, key=lambda peer: median(times[peer].gradient))


def goals(times: Mapping[str, Times]) -> list[Goal]:
    """The eager gradient beside autograd's, and the faster compiled one beside its rivals."""
    quicker = fastest(times, COMPILED)
    pairs = [("autograd_lite", "autograd"), *((quicker, rival) for rival in RIVALS)]
    return [
        Goal(f"{one} ÷ {other}", ratio(times[one].gradient, times[other].gradient), 1)
        for one, other in pairs
        if other in times
    ]


def won(found: Mapping[str, Mapping[str, Times]]) -> int:
    """In how many problems a compiled gradient is faster than all of its rivals."""
    return sum(fastest(times, [*COMPILED, *RIVALS]) in COMPILED for times in found.values())
