"""A column of a table: its kind, and its values as numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd_lite.data.cells import is_date, is_missing, is_null, number, unit
from autograd_lite.data.kinds import Found, Kind, as_truth

__all__ = ["Array", "Column", "Kind", "categorical", "column_of"]

Array = npt.NDArray[Any]


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


def column_of(
    name: str, found: Found, distinct: Sequence[str], codes: Array, decimal: str
) -> Column:
    """A column of texts, whose kind is found.

    Args:
        name: the name of the column.
        found: what all of its texts are.
        distinct: the different texts.
        codes: the index of the text of each row, −1 where there is none.
        decimal: the sign between the whole and the decimal places of a number.

    Raises ValueError if a text is not of the kind.
    """
    if found.kind == "text":
        return categorical(name, distinct, codes, found.note)
    values = np.full(len(distinct) + 1, np.nan)
    for k, text in enumerate(map(str.strip, distinct)):
        if is_missing(text):
            continue
        value = _value(text, found, decimal)
        if value is None:
            raise ValueError(f"column {name!r} has {text!r}, which is no {found.kind}")
        values[k] = value
    return Column(name, found.kind, values[codes], note=found.note, unit=found.unit)


def _value(text: str, found: Found, decimal: str) -> float | None:
    if found.kind == "number":
        return number(text, decimal) if unit(text) == found.unit else None
    if found.kind == "boolean":
        return as_truth(text)
    return 0.0 if is_date(text) else None


def categorical(name: str, distinct: Sequence[str], codes: Array, note: str = "") -> Column:
    """A column of text, whatever the text says; see `from_texts`."""
    cleaned = [text.strip() for text in distinct]
    used = {cleaned[code] for code in np.unique(codes) if code >= 0}
    categories = tuple(sorted(text for text in used if not is_null(text)))
    markers = tuple(sorted(text for text in used if text and is_null(text)))
    index = {text: k for k, text in enumerate(categories)}
    places = np.array([index.get(text, -1) for text in cleaned] + [-1])
    return Column(name, "text", places[codes], categories, note, markers)


def _shown(value: float, kind: Kind) -> str:
    if math.isnan(value):
        return ""
    if kind == "boolean":
        return str(bool(value))
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
