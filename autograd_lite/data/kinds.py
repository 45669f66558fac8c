"""What the texts of a column are: numbers, True and False, dates, or text.

All of a column says so, and a table may be read piece by piece. So `TextFacts` keeps what decides,
however many texts there are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

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

__all__ = ["Found", "Kind", "TextFacts", "as_truth", "check_clear", "decimal_sign"]

Kind = Literal["number", "boolean", "text", "date", "other"]

_FEW = 20


class Found(NamedTuple):
    """What a column is. `unit` and `note` are those of a `Column`, `whole` says it of numbers.

    `foreign` is the first text that is no number.
    """

    kind: Kind
    unit: str = ""
    note: str = ""
    whole: bool = False
    foreign: str = ""


@dataclass
class _Way:
    """One way to read texts: what can be read so, and the first text that cannot."""

    read: Callable[[str], float | None]
    rows: int = 0
    some: set[str] = field(default_factory=set)
    foreign: str | None = None
    failures: int = 0
    whole: bool = True

    def add(self, texts: Sequence[str], rows: Sequence[int]) -> None:
        values = [*map(self.read, texts)]
        failures = values.count(None)
        self.failures += failures
        if failures and self.foreign is None:
            self.foreign = texts[values.index(None)]
        there = zip(texts, rows, values, strict=True)
        good = [*there] if not failures else [row for row in there if row[2] is not None]
        self.rows += sum(count for _, count, _ in good)
        self.whole = self.whole and all(value % 1 == 0 for *_, value in good if value is not None)
        if len(self.some) <= _FEW:
            self.some.update(text for text, *_ in good[: _FEW + 1])


class TextFacts:
    """What decides the kind of a column of texts, learned from one piece of it after the other.

    With `signs_only` it is only known with which decimal signs the texts are numbers.

    Example:
        >>> facts = TextFacts()
        >>> facts.add(["1,5", "NA"], [3, 1])
        >>> facts.found(",").kind, facts.found(".").kind
        ('number', 'text')
        >>> facts.add(["yes"], [1])
        >>> facts.found(",").kind
        'text'
    """

    def __init__(self, signs_only: bool = False) -> None:
        self.signed: str | None = None  # the first text with a comma or a point
        self._rows = 0
        self._known = False
        self._nulls = self._whole = True
        self._code = False
        self._units: dict[str, list[Any]] = {}  # the rows with each unit, and the first text
        self._infinite: str | None = None
        self._infinities = 0
        self._ways = {".": _Way(number), ",": _Way(lambda text: number(text, ","))}
        if not signs_only:
            self._ways["boolean"] = _Way(as_truth)
            self._ways["date"] = _Way(lambda text: 0.0 if is_date(text) else None)

    def add(self, distinct: Iterable[str], rows: Iterable[int]) -> None:
        """Learn from the different texts of a piece, in order, and the rows that have each."""
        texts, counts = [], []
        for raw, count in zip(distinct, rows, strict=True):
            text = raw.strip()
            if is_missing(text):
                self._nulls = self._nulls and is_null(text)
                continue
            texts.append(text)
            counts.append(count)
            self._units.setdefault(unit(text), [0, text])[0] += count
            if self._whole:
                self._whole = is_whole(text)
                self._code = self._code or is_code(text)
        self._known = self._known or bool(texts)
        self._rows += sum(counts)
        infinite = [text for text in texts if text.lower().lstrip("+-") in ("inf", "infinity")]
        self._infinities += len(infinite)
        self._infinite = self._infinite or next(iter(infinite), None)
        if self.signed is None:
            self.signed = next((text for text in texts if "," in text or "." in text), None)
        for name, way in self._ways.items():
            if name != "boolean" or not way.failures:
                way.add(texts, counts)

    def add_whole(self, values: npt.NDArray[Any]) -> None:
        """Learn from texts that are plain whole numbers, NaN where one is missing."""
        present = values[~np.isnan(values)]
        if not len(present):
            return
        bits = (present == 0) | (present == 1)
        different = np.unique(present[:1000])
        if len(different) <= _FEW:
            different = np.unique(present)
        some = [str(int(value)) for value in different[: _FEW + 1]]
        first = str(int(present[0]))
        self._known = True
        self._rows += len(present)
        self._units.setdefault("", [0, first])[0] += len(present)
        for sign in ".,":
            self._ways[sign].rows += len(present)
            self._ways[sign].some.update(some)
        self._ways["boolean"].rows += int(bits.sum())
        foreign = {"date": first}
        if not bits.all():
            foreign["boolean"] = str(int(present[~bits][0]))
        for name, text in foreign.items():
            way = self._ways[name]
            way.failures += 1
            way.foreign = text if way.foreign is None else way.foreign

    def foreign(self, sign: str) -> str | None:
        """The first text that is no number with a decimal sign."""
        return self._ways[sign].foreign

    def found(self, decimal: str) -> Found:
        """What the column is, if its numbers have this decimal sign."""
        return self._found(decimal)._replace(foreign=self.foreign(decimal) or "")

    def _found(self, decimal: str) -> Found:
        if not self._known:
            return Found("number", whole=True) if self._nulls else Found("text")
        if self._whole and self._code:
            return Found("text")
        numbers, dates = self._ways[decimal], self._ways["date"]
        one = len(self._units) == 1
        if one and not numbers.failures:
            return Found("number", next(iter(self._units)), whole=numbers.whole)
        if not self._ways["boolean"].failures:
            return Found("boolean")
        if not dates.failures:
            return Found("date")
        if self._infinite and numbers.failures == self._infinities:
            return Found("text", note=self._infinite)
        note = (one and self._exception(numbers)) or self._exception(dates)
        if not note and not one and not numbers.failures:
            most = max(self._units, key=lambda sign: self._units[sign][0])
            note = next(text for sign, (_, text) in self._units.items() if sign != most)
        return Found("text", note=note)

    def _exception(self, way: _Way) -> str:
        """The first text that cannot be read in a column of which most can, else ""."""
        most = len(way.some) > _FEW and way.rows >= self._rows / 2
        return way.foreign or "" if most else ""


def as_truth(text: str) -> float | None:
    """1 and 0 for True and False, and for 1 and 0 among them."""
    known = truth(text)
    return number(text) if known is None and text in ("0", "1", "0.0", "1.0") else known


def decimal_sign(
    columns: Mapping[str, TextFacts], source: str, given: str | None = None
) -> str | None:
    """The one decimal sign with which columns of texts are numbers; None if either will do.

    Raises ValueError if one column needs a point and another a comma, or not the `given` sign.
    """
    found: dict[str, str] = {} if given is None else {given: f"--decimal {given}"}
    for name, facts in columns.items():
        read = [sign for sign in ".," if facts.foreign(sign) is None]
        if len(read) == 1 and read[0] not in found:
            other = "." if read[0] == "," else ","
            found[read[0]] = f"column {name!r} ({facts.foreign(other)})"
    if len(found) > 1:
        raise ValueError(
            f"{source}: {found['.']} has a decimal point and {found[',']} a decimal comma; correct "
            "one, or name it in --text if it is no number"
        )
    return next(iter(found), None)


def check_clear(columns: Mapping[str, TextFacts], source: str) -> None:
    """Raise ValueError if numbers can be read with a decimal point and with a decimal comma."""
    for name, facts in columns.items():
        if facts.signed and all(facts.foreign(sign) is None for sign in ".,"):
            raise ValueError(
                f"{source}: column {name!r}: {facts.signed!r} may have a decimal sign or whole "
                'thousands; use --decimal "," or --decimal "."'
            )
