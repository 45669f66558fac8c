"""What the parts of the report share: the plan of what to measure, and tables in Markdown."""

from __future__ import annotations

import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks import streaming
from benchmarks.rounds import Goal, median
from benchmarks.steps import SHAPES, Shape

PEERS = ("torch", "jax", "mygrad", "autograd", "advect", "tangent-ad", "micrograd")
READERS = ("pyarrow", "pandas", "polars", "dask", "dask-ml")
PACKAGES = ("numpy", "numba", "scipy", "scikit-learn", "scikit-learn-intelex", *READERS, *PEERS)
PROBLEM = "rows, features, hidden"


@dataclass
class Plan:
    """What to measure, and where to report what was left out."""

    rows: Sequence[int]
    peers: Sequence[str]
    dtypes: Sequence[str]
    rounds: int
    threads: int
    note: Callable[[str], None]
    baseline: str | None = None
    gib: Sequence[float] = streaming.GIB

    @property
    def shapes(self) -> list[Shape]:
        return [SHAPES[row - 1] for row in self.rows]

    @property
    def options(self) -> dict[str, Any]:
        return {"rounds": self.rounds, "threads": self.threads, "skip": self.note}


def table(head: Sequence[str], body: Sequence[Sequence[str]]) -> str:
    """A Markdown table, its first column to the left and the others to the right."""
    rule = ["---"] + ["---:"] * (len(head) - 1)
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, rule, *body))


def digits(x: float) -> str:
    """Three significant digits, thousands separated."""
    return f"{x:,.0f}" if x >= 100 else f"{x:.3g}"


def label(shape: Shape) -> str:
    return ", ".join(f"{length:,}" for length in shape)


def progress(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def by_peer(what: str, found: Mapping[str, Mapping[str, Any]], cell: Callable[[Any], str]) -> str:
    """A table: a line for each key, a column for each peer that any line has."""
    peers = list(dict.fromkeys(peer for line in found.values() for peer in line))
    body = [
        [key, *(cell(line[peer]) if peer in line else "–" for peer in peers)]
        for key, line in found.items()
    ]
    return table([what, *peers], body)


def microseconds(what: str, seconds: Mapping[str, Mapping[str, Sequence[float]]]) -> str:
    """A table of medians."""
    return by_peer(what, seconds, lambda times: digits(1e6 * median(times)))


def goals(what: str, found: Mapping[str, Sequence[Goal]], unit: str = "ratio") -> str:
    """A table of the goals beside the measurements."""
    body = [
        [key, goal.what, digits(goal.measured), digits(goal.limit), goal.verdict]
        for key, line in found.items()
        for goal in line
    ]
    return table([what, unit, "measured", "at most", ""], body)


def machine(threads: int) -> str:
    name = platform.processor() or platform.machine()
    with suppress(OSError, StopIteration):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line for line in lines if line.startswith("model name")).partition(": ")[2]
    packages = []
    for package in PACKAGES:
        with suppress(PackageNotFoundError):
            packages.append(f"{package} {version(package)}")
    each = "one thread" if threads == 1 else f"{threads} threads"
    python = f"Python {platform.python_version()}"
    return f"""{name}, {platform.system()}; {python}, {", ".join(packages)}; {each} each.

Each peer runs in its own process. Times are medians over rounds in which all take turns,
ratios the medians of the rounds' ratios."""
