"""Where in a sequence the same kinds follow each other again and again."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

__all__ = ["stretches"]


def stretches(kinds: Any, least: int) -> list[tuple[int, int, int]]:
    """Where calls of the same kinds repeat: start, length of a step, number of steps; in order."""
    found = []
    for period in _periods(kinds, least):
        same = kinds[period:] == kinds[:-period]
        edges = np.flatnonzero(np.diff(np.concatenate([[False], same, [False]]).astype(np.int8)))
        for start, stop in edges.reshape(-1, 2).tolist():
            if (stop - start) // period >= least - 1:
                found.append((stop - start, -period, start))
    taken = np.zeros(len(kinds) + 1, np.bool_)
    chosen = []
    for length, minus, start in sorted(found, reverse=True):
        period, stop = -minus, start + length - minus
        free = np.flatnonzero(~taken[start:stop])
        if free.size != stop - start:  # what is left of it
            if not free.size or free[-1] - free[0] + 1 != free.size:
                continue
            start, stop = start + int(free[0]), start + int(free[-1]) + 1
        count = (stop - start) // period
        if count >= least:
            chosen.append((start, period, count))
            taken[start : start + period * count] = True
    return sorted(chosen)


def _periods(kinds: Any, least: int) -> list[int]:
    """The distances at which ever longer runs of calls come again."""
    periods: Counter[int] = Counter()
    ranks, length = kinds, 1
    while len(ranks) > 1:
        last: dict[int, int] = {}
        distances: Counter[int] = Counter()
        for k, rank in enumerate(ranks.tolist()):
            if rank in last:
                distances[k - last[rank]] += 1
            last[rank] = k
        common = [d for d, times in distances.most_common(4) if times >= least - 1]
        if not common:
            break
        periods.update(common)
        pairs = ranks[:-length] * (int(ranks.max()) + 1) + ranks[length:]
        ranks, length = np.unique(pairs, return_inverse=True)[1], 2 * length
    return sorted(periods)
