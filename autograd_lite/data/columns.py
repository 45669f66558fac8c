"""A column of a table: its kind, and its values as numbers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from autograd_lite.data.cells import (
    is_code,
    is_date,
    is_missing,
    is_null,
    is_whole,
    number,
    truth,
    unit,
)

__all__ = ["Array", "Column", "Kind", "categorical", "from_texts"]

Array = npt.NDArray[Any]
Kind = Literal["number", "boolean", "text", "date", "other"]


@dataclass(frozen=True, eq=False)
class Column:
    """A column as it was read.

    `values` (rows,) are numbers in float64, NaN where one is missing; True and False as 1 and 0; or
    the index of each text in `categories`, −1 where one is missing. Dates and other values are not
    kept. `note` says what else is known: the type of other values, the text that is not a number or
    a date as most are, or that the column is the index of pandas. `markers` are the texts that
    stand for missing values in a column of text, `unit` is what was written at each number.
    """

    name: str
    kind: Kind
    values: Array
    categories: tuple[str, ...] = ()
    note: str = ""
    markers: tuple[str, ...] = ()
    unit: str = ""

    def __len__(self) -> int:
        return len(self.values)

    @property
    def missing(self) -> Array:
        """Whether the value of each row is missing."""
        return self.values < 0 if self.kind == "text" else np.isnan(self.values)

    def take(self, rows: Any) -> Column:
        """The column of some rows."""
        return replace(self, values=self.values[rows])

    def texts(self) -> Array:
        """The values as text, "" where one is missing; numbers in their shortest form."""
        if self.kind == "text":
            return np.array([*self.categories, ""], dtype=object)[self.values]
        return np.array([_shown(value, self.kind) for value in self.values.tolist()], dtype=object)

    @property
    def whole(self) -> bool:
        """Whether it holds whole numbers only."""
        present = self.values[~self.missing]
        finite = self.kind == "number" and np.isfinite(present).all()
        return bool(finite and (present % 1 == 0).all())

    @property
    def counts_rows(self) -> bool:
        """Whether the column is 0, 1, 2, … or 1, 2, 3, …."""
        if self.kind != "number" or not len(self) or self.values[0] not in (0, 1):
            return False
        return bool((self.values == self.values[0] + np.arange(len(self))).all())


def from_texts(name: str, distinct: Sequence[str], codes: Array, decimal: str) -> Column:
    """A column of texts: numbers, True and False, dates, or text, whatever all of them are.

    Args:
        name: the name of the column.
        distinct: the different texts.
        codes: the index of the text of each row, −1 where there is none.
        decimal: the sign between the whole and the decimal places of a number.
    """
    cleaned = [text.strip() for text in distinct]
    there = [not is_missing(text) for text in cleaned]
    present = [text for text, known in zip(cleaned, there, strict=True) if known]
    if not present:
        nothing = Column(name, "number", np.full(len(codes), np.nan))
        return nothing if all(map(is_null, cleaned)) else categorical(name, distinct, codes)
    if all(map(is_whole, present)) and any(map(is_code, present)):
        return categorical(name, distinct, codes)
    units = {unit(text) for text in present}
    readers: dict[Kind, Callable[[str], float | None]] = {
        "number": lambda text: number(text, decimal) if len(units) == 1 else None,
        "boolean": _truth,
        "date": lambda text: 0.0 if is_date(text) else None,
    }
    for kind, read in readers.items():
        values = [read(text) for text in present]
        if None not in values:
            sign = units.pop() if kind == "number" else ""
            return Column(name, kind, _spread(values, there)[codes], unit=sign)
    infinite = [text for text in present if text.lower().lstrip("+-") in ("inf", "infinity")]
    if infinite and all(number(text, decimal) is not None or text in infinite for text in present):
        return categorical(name, distinct, codes, infinite[0])
    notes = (_foreign(cleaned, codes, readers[kind]) for kind in ("number", "date"))
    note = next(filter(None, notes), "")
    if not note and len(units) > 1 and all(number(text, decimal) is not None for text in present):
        note = _other_unit(cleaned, codes)
    return categorical(name, distinct, codes, note)


def categorical(name: str, distinct: Sequence[str], codes: Array, note: str = "") -> Column:
    """A column of text, whatever the text says; see `from_texts`."""
    cleaned = [text.strip() for text in distinct]
    used = {cleaned[code] for code in np.unique(codes) if code >= 0}
    categories = tuple(sorted(text for text in used if not is_null(text)))
    markers = tuple(sorted(text for text in used if text and is_null(text)))
    index = {text: k for k, text in enumerate(categories)}
    places = np.array([index.get(text, -1) for text in cleaned] + [-1])
    return Column(name, "text", places[codes], categories, note, markers)


def _truth(text: str) -> float | None:
    """1 and 0 for True and False, and for 1 and 0 among them."""
    known = truth(text)
    return number(text) if known is None and text in ("0", "1", "0.0", "1.0") else known


def _spread(numbers: Sequence[float | None], there: Sequence[bool]) -> Array:
    """The numbers at their places, NaN at the others, and NaN at the end for index −1."""
    values = np.full(len(there) + 1, np.nan)
    values[:-1][np.array(there)] = numbers
    return values


def _foreign(cleaned: Sequence[str], codes: Array, read: Callable[[str], float | None]) -> str:
    """The first text that cannot be read in a column of which most can, else ""."""
    good = np.array([read(text) is not None for text in cleaned] + [False])
    known = np.array([not is_missing(text) for text in cleaned] + [False])
    if good.sum() <= 20 or good[codes].sum() < known[codes].sum() / 2:
        return ""
    first = int(np.argmax(known[codes] & ~good[codes]))
    return cleaned[int(codes[first])]


def _other_unit(cleaned: Sequence[str], codes: Array) -> str:
    """The first number whose unit is not that of most rows."""
    known: list[int] = [k for k in codes.tolist() if k >= 0 and not is_missing(cleaned[k])]
    ((most, _),) = Counter(unit(cleaned[k]) for k in known).most_common(1)
    return next(cleaned[k] for k in known if unit(cleaned[k]) != most)


def _shown(value: float, kind: Kind) -> str:
    if math.isnan(value):
        return ""
    if kind == "boolean":
        return str(bool(value))
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
