"""The reader of tables beside those of other libraries: the same file, read again and again."""

from __future__ import annotations

import csv
import gc
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks.estimators import threads
from benchmarks.rounds import Goal, interleave, ratio

OURS, THEIRS = "autograd_lite", "pandas"
ROWS = 200_000
TABLES = "numbers.csv", "numbers.parquet", "mixed.csv"
PEERS = OURS, THEIRS, "polars", "pyarrow", "with cells", "without pyarrow"
"""Readers. `with cells` is how `predict` reads, which also keeps the text of every cell."""
GOAL = 1.5


class Reader:
    """A library that reads the table again and again, once in a round."""

    def __init__(self, peer: str, path: str) -> None:
        self.read, self.total = READERS[peer](path.endswith(".parquet"))
        self.path = path

    def losses(self, count: int) -> list[float]:
        """The sum of the first column, for the comparison of the readers."""
        return [float(self.total(self.read(self.path)))] * count

    def seconds(self, budget: float) -> float:
        """The time of reading the table once."""
        gc.collect()
        started = perf_counter()
        self.read(self.path)
        return perf_counter() - started


def _ours(**options: Any) -> Any:
    from autograd_lite.data import read_table

    return lambda path: read_table(path, **options), lambda frame: frame.columns[0].values.sum()


def _without_pyarrow(parquet: bool) -> Any:
    if parquet:
        raise ModuleNotFoundError("Parquet needs pyarrow", name="pyarrow")
    sys.modules["pyarrow"] = None  # type: ignore[assignment]
    return _ours()


def _pandas(parquet: bool) -> Any:
    import pandas as pd

    pd.set_option("mode.max_threads", threads())
    return pd.read_parquet if parquet else pd.read_csv, lambda frame: frame.iloc[:, 0].sum()


def _polars(parquet: bool) -> Any:
    import polars as pl

    return pl.read_parquet if parquet else pl.read_csv, lambda frame: frame.to_series(0).sum()


def _pyarrow(parquet: bool) -> Any:
    from pyarrow import compute, csv
    from pyarrow import parquet as binary

    read = binary.read_table if parquet else csv.read_csv
    return read, lambda table: compute.sum(table.column(0)).as_py()


READERS: dict[str, Callable[[bool], Any]] = {
    OURS: lambda parquet: _ours(),
    THEIRS: _pandas,
    "polars": _polars,
    "pyarrow": _pyarrow,
    "with cells": lambda parquet: _ours(cells=True),
    "without pyarrow": _without_pyarrow,
}


@contextmanager
def written(name: str, rows: int = ROWS) -> Iterator[Path]:
    """A file with 30 columns of numbers; if it is mixed, with text, truth values and gaps, too."""
    random = np.random.default_rng(0)
    columns: dict[str, Any] = {f"x{k}": random.normal(size=rows).round(6) for k in range(30)}
    if name.startswith("mixed"):
        columns = {name: columns[name] for name in ("x0", "x1", "x2", "x3")}
        columns["city"] = random.choice(["Bern", "Linz", "Ulm", "Köln"], rows)
        columns["member"] = random.choice(["True", "False"], rows)
        columns["income"] = random.choice(["", *map(str, range(1000, 9000, 7))], rows)
    with TemporaryDirectory() as folder:
        path = Path(folder) / name
        if path.suffix == ".parquet":
            import pyarrow as pa
            from pyarrow import parquet

            parquet.write_table(pa.table(columns), path)
        else:
            with path.open("w", newline="", encoding="utf-8") as file:
                lines = csv.writer(file)
                lines.writerow(columns)
                lines.writerows(
                    zip(*(np.asarray(c).tolist() for c in columns.values()), strict=True)
                )
        yield path


def measure(
    name: str, peers: Sequence[str] = PEERS, *, rows: int = ROWS, **options: Any
) -> dict[str, list[float]]:
    """Seconds of reading a table, by reader; all find the same sum."""
    with written(name, rows) as path:
        targets = {peer: ("benchmarks.tables:Reader", peer, str(path)) for peer in peers}
        return interleave(targets, essential=[OURS], **options)


def goals(seconds: Mapping[str, Sequence[float]]) -> list[Goal]:
    """Ours beside pandas."""
    if THEIRS not in seconds:
        return []
    measured = ratio(seconds[OURS], seconds[THEIRS])
    return [Goal(f"{OURS} ÷ {THEIRS}", measured, GOAL)]
