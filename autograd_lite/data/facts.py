"""What is known of a column without its rows: learned from one piece of it after the other."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from autograd_lite.data.columns import Array, Column, Kind

__all__ = ["MOST", "Different", "Facts", "hashed"]

MOST = 1 << 16
"""The most different values of a column that are counted one by one, in pieces."""

_KEPT = 1 << 12


def hashed(numbers: Array, seed: int = 0) -> Array:
    """Whole numbers of 64 bits as others that look random (splitmix64).

    Example:
        >>> hashed(np.arange(2)).tolist()
        [16294208416658607535, 10451216379200822465]
    """
    z = np.asarray(numbers).astype(np.uint64)
    with np.errstate(over="ignore"):
        z = z + np.uint64(seed & (2**64 - 1)) * np.uint64(0xD1342543DE82EF95)
        z = z + np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


class Different:
    """The different values of a column and how many rows have each.

    `values` are sorted, with their `counts`; of more than `most` they are None, and only their
    number is known, about: from the smallest hashes of the values. With `most` 0 none is counted.
    """

    def __init__(self, most: int | None = None) -> None:
        self.most = most
        self.values: Array | None = np.empty(0)
        self.counts: Array = np.empty(0, dtype=int)
        self._hashes = np.empty(0, dtype=np.uint64)

    def add(self, values: Array, counts: Array) -> None:
        """Count more values, which differ from each other."""
        if self.values is None:
            self._add_hashes(values)
            return
        if len(self.values):
            values = np.concatenate([self.values, values])
            counts = np.concatenate([self.counts, counts])
            values, places = np.unique(values, return_inverse=True)
            counts = np.bincount(places, counts, len(values)).astype(int)
        if self.most is None or len(values) <= self.most:
            self.values, self.counts = values, counts
        else:
            self.values, self.counts = None, np.empty(0, dtype=int)
            self._add_hashes(values)

    def _add_hashes(self, values: Array) -> None:
        if values.dtype == object:
            bits = np.array([zlib.crc32(text.encode()) for text in values], dtype=np.uint64)
        else:
            bits = (values + 0.0).view(np.uint64)  # −0.0 as 0.0
        self._hashes = np.unique(np.concatenate([self._hashes, hashed(bits)]))[:_KEPT]

    def __len__(self) -> int:
        if self.values is not None:
            return len(self.values)
        return round((_KEPT - 1) / (int(self._hashes[-1]) + 1) * 2**64)

    def __str__(self) -> str:
        return f"{len(self):,}" if self.values is None else str(len(self))


@dataclass(eq=False)
class Facts:
    """What is known of a column: made with `of`, and more rows are added with `add`.

    `different` are the values that are not missing, of a column of text as texts; `low` and `high`
    the smallest and the largest number, `mean` its mean. `whole` tells whether all are whole
    numbers, `infinite` whether one is infinite, `counts_rows` whether they are 0, 1, 2, … or
    1, 2, 3, …, and `days` whether all are dates such as 20190131.

    Example:
        >>> facts = Facts.of(Column("age", "number", np.array([20.0, np.nan])))
        >>> facts.add(Column("age", "number", np.array([40.0])))
        >>> facts.rows, facts.missing, facts.mean, facts.different.values.tolist()
        (3, 1, 30.0, [20.0, 40.0])
    """

    name: str
    kind: Kind
    unit: str = ""
    note: str = ""
    different: Different = field(default_factory=Different)
    rows: int = 0
    missing: int = 0
    low: float = np.inf
    high: float = -np.inf
    mean: float = 0.0
    whole: bool = True
    days: bool = True
    infinite: bool = False
    counts_rows: bool = True
    markers: frozenset[str] = frozenset()
    _first: float = np.nan

    @classmethod
    def of(cls, column: Column, most: int | None = None) -> Self:
        """The facts of a column; of more than `most` different values, about how many there are."""
        facts = cls(column.name, column.kind, column.unit, column.note, Different(most))
        facts.whole = facts.days = facts.counts_rows = column.kind == "number"
        facts.add(column)
        return facts

    @property
    def present(self) -> int:
        """The number of rows that have a value."""
        return self.rows - self.missing

    @property
    def only(self) -> str:
        """The value of a column that has one value only, as text."""
        values = self.different.values
        assert values is not None
        if self.kind == "text":
            return str(values[0])
        shown: str = Column(self.name, "number", values).texts()[0]
        return str(bool(values[0])) if self.kind == "boolean" else shown

    def add(self, column: Column) -> None:
        """Add more rows."""
        values, there = column.values, ~column.missing
        if self.counts_rows and len(values):
            if not self.rows:
                self._first = float(values[0])
            expected = self._first + np.arange(self.rows, self.rows + len(values))
            self.counts_rows = self._first in (0, 1) and bool((values == expected).all())
        present = found = values[there]
        self.markers |= {*column.markers}
        if self.different.most != 0:
            found, counts = np.unique(present, return_counts=True)
            texts = np.array(column.categories, dtype=object)
            self.different.add(texts[found] if column.kind == "text" else found, counts)
        if column.kind == "number" and len(found):
            self._add_numbers(found)
        if len(found):
            with np.errstate(all="ignore"):
                more = len(present) / (self.present + len(present))
                self.mean += (float(present.mean()) - self.mean) * more
            self.low = min(self.low, float(found.min()))
            self.high = max(self.high, float(found.max()))
        self.rows += len(values)
        self.missing += len(values) - len(present)

    def _add_numbers(self, found: Array) -> None:
        finite = bool(np.isfinite(found).all())
        self.infinite = self.infinite or not finite
        self.whole = self.whole and finite and bool((found % 1 == 0).all())
        if self.days and self.whole:
            year, month, day = found // 10000, found // 100 % 100, found % 100
            fits = (year >= 1900) & (year < 2100) & (month >= 1) & (month <= 12)
            self.days = bool((fits & (day >= 1) & (day <= 31)).all())
        else:
            self.days = False
