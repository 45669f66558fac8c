"""A column of a table: its kind, and its values as numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

__all__ = [
    "MISSING",
    "Column",
    "Kind",
    "categorical",
    "decimal_sign",
    "from_texts",
    "is_missing",
    "number",
]

Array = npt.NDArray[Any]
Kind = Literal["number", "boolean", "text", "date", "other"]

MISSING = frozenset({"", "?", ".", "-", "na", "n/a", "#n/a", "nan", "<na>", "nat", "null", "none"})
"""What stands for a missing value, in lower case."""

# A number with a decimal point, or with a decimal comma; whole thousands may be set apart.
_GROUPS = {".": "[ \u00a0\u202f'’,]", ",": "[ \u00a0\u202f'’.]"}
_NUMBERS = {
    sign: re.compile(
        rf"[+-]?[1-9]\d{{0,2}}(?:{group}\d{{3}})+(?:{re.escape(sign)}\d*)?(?:[eE][+-]?\d+)?"
    )
    for sign, group in _GROUPS.items()
}
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DATE = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})"
    rf"|\d{{1,2}}[ -]{_MONTH}[ -]\d{{2,4}}|{_MONTH} \d{{1,2}},? \d{{4}})"
    r"(?:[T ,]+\d{1,2}:\d{2}.*)?|\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[ap]m)?",
    re.IGNORECASE,
)
_BOOLEANS = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True, eq=False)
class Column:
    """A column as it was read.

    `values` (rows,) are numbers in float64, NaN where one is missing; True and False as 1 and 0; or
    the index of each text in `categories`, −1 where one is missing. Dates and other values are not
    kept. `note` says what else is known: the type of other values, the text that is not a number,
    or that the column is the index of pandas.
    """

    name: str
    kind: Kind
    values: Array
    categories: tuple[str, ...] = ()
    note: str = ""

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
        return Column(name, "number", np.full(len(codes), np.nan))
    for kind, read in (("number", lambda text: number(text, decimal)), ("boolean", _boolean)):
        numbers = [read(text) for text in present]
        if None not in numbers:
            return Column(name, kind, _spread(numbers, there)[codes])  # type: ignore[arg-type]
    if all(_DATE.fullmatch(text) for text in present):
        return Column(name, "date", _spread([0.0] * len(present), there)[codes])
    return categorical(name, distinct, codes, _nearly_numbers(distinct, codes, decimal))


def categorical(name: str, distinct: Sequence[str], codes: Array, note: str = "") -> Column:
    """A column of text, whatever the text says; see `from_texts`."""
    cleaned = [text.strip() for text in distinct]
    used = {cleaned[code] for code in np.unique(codes) if code >= 0}
    categories = tuple(sorted(text for text in used if not is_missing(text)))
    index = {text: k for k, text in enumerate(categories)}
    places = np.array([index.get(text, -1) for text in cleaned] + [-1])
    return Column(name, "text", places[codes], categories, note)


def number(text: str, decimal: str = ".") -> float | None:
    """The finite number that a text says, or None.

    Example:
        >>> number("1,234.5"), number("1.234,5", ","), number("1_000"), number("12 %")
        (1234.5, 1234.5, None, None)
    """
    plain = text if decimal == "." else text.replace(".", "x").replace(",", ".")
    if "_" in text:
        return None
    try:
        value = float(plain)
    except ValueError:
        if not _NUMBERS[decimal].fullmatch(text):
            return None
        value = float(re.sub(_GROUPS[decimal], "", text).replace(decimal, "."))
    return value if math.isfinite(value) else None


def decimal_sign(columns: Iterable[Sequence[str]], source: str) -> str | None:
    """The one decimal sign with which columns of texts are numbers; None if either will do.

    Raises ValueError if one column needs a point and another a comma.
    """
    found: dict[str, str] = {}
    for texts in columns:
        present = [text for text in map(str.strip, texts) if not is_missing(text)]
        read = [sign for sign in ".," if all(number(text, sign) is not None for text in present)]
        if len(read) == 1:
            other = "." if read[0] == "," else ","
            found[read[0]] = next(text for text in present if number(text, other) is None)
    if len(found) > 1:
        raise ValueError(
            f"{source}: {found['.']!r} has a decimal point and {found[',']!r} a decimal comma; "
            "use --decimal"
        )
    return next(iter(found), None)


def is_missing(text: str) -> bool:
    """Whether a text stands for a missing value."""
    return text.lower() in MISSING


def _boolean(text: str) -> float | None:
    return _BOOLEANS.get(text.lower())


def _spread(numbers: Sequence[float | None], there: Sequence[bool]) -> Array:
    """The numbers at their places, NaN at the others, and NaN at the end for index −1."""
    values = np.full(len(there) + 1, np.nan)
    values[:-1][np.array(there)] = numbers
    return values


def _nearly_numbers(distinct: Sequence[str], codes: Array, decimal: str) -> str:
    """The first text that is not a number in a column of nearly only numbers, else ""."""
    numeric = np.array([number(text.strip(), decimal) is not None for text in distinct] + [False])
    known = np.array([not is_missing(text.strip()) for text in distinct] + [False])
    rows = numeric[codes].sum()
    if numeric.sum() <= 20 or rows < 0.9 * known[codes].sum():
        return ""
    first = int(np.argmax(known[codes] & ~numeric[codes]))
    return distinct[int(codes[first])].strip()


def _shown(value: float, kind: Kind) -> str:
    if math.isnan(value):
        return ""
    if kind == "boolean":
        return str(bool(value))
    return str(int(value)) if value.is_integer() and abs(value) < 2**53 else repr(value)
