"""Which columns of a table a model learns from, and why not from the others."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from autograd_lite.data.columns import Column
from autograd_lite.data.reading import Frame

__all__ = ["Decision", "select"]

_MANY = 100
_SEVERAL = 30
_ID = re.compile(
    r"(?i:ids?|idx|uid|index|rows?|row_?names?|obs|case|seqn?|nr\.?|no\.?|key)"
    r"|.*[\W_](?i:id|idx|uid|index)|.*[a-z](?:Id|ID|Idx|Index)"
)
"""The names of columns that tell rows apart."""


class Decision(NamedTuple):
    """What was decided about a column: its kind, the rows without a value, and what is done."""

    name: str
    kind: str
    missing: int
    done: str


def select(
    frame: Frame,
    target: str,
    *,
    columns: Collection[str] | None = None,
    text: Collection[str] = (),
    drop: Collection[str] = (),
) -> tuple[Frame, list[Decision]]:
    """The columns of a table that can be learned from, and why each of the others is left out.

    Left out are the columns in `drop`, those with one value or none, those that number the rows
    (the index of pandas, an id, and 0, 1, 2, … in 30 rows or more), and text with more than 100
    categories or mostly different ones, unless they are in `text`; with `columns`, all but these.

    Raises ValueError that names all columns that hold dates, values that are not plain, or numbers
    mixed with text; if a name is not there; and if no column is left.
    """
    for name in [target, *(columns or ()), *drop]:
        frame.column(name)
    kept, left, bad = [], [], []
    for column in frame.columns:
        if column.name == target:
            continue
        if column.name in drop or (columns is not None and column.name not in columns):
            reason = "left out, as asked for"
        else:
            asked = columns is not None or column.name in text
            reason = _useless(column) or ("" if asked else _tells_rows_apart(column))
        if not reason and (problem := _problem(column)):
            bad.append((column.name, problem))
        elif reason:
            left.append(_left(column, reason))
        else:
            kept.append(column)
    if bad:
        raise _refusal(frame.source, bad)
    counting = [column for column in kept if column.counts_rows and len(column) >= _SEVERAL]
    if columns is None and len(counting) < len(kept):
        kept = [column for column in kept if column not in counting]
        left += [
            _left(column, "left out: it numbers the rows; --columns keeps it")
            for column in counting
        ]
    if not kept:
        reasons = "; ".join(f"{choice.name!r} is {choice.done}" for choice in left)
        raise ValueError(
            f"{frame.source} has no column to learn from besides the target {target!r}"
            + (f": {reasons}" if reasons else "")
        )
    return replace(frame, columns=tuple(kept), cells=()), left


def _refusal(source: str, bad: Sequence[tuple[str, str]]) -> ValueError:
    """The error about columns that have a problem."""
    named = "; ".join(f"column {name!r} {problem}" for name, problem in bad)
    names = ",".join(name for name, _ in bad)
    return ValueError(f"{source}: {named}. --drop {names!r} leaves out, --text takes as categories")


def _left(column: Column, reason: str) -> Decision:
    return Decision(column.name, column.kind, int(column.missing.sum()), reason)


def _problem(column: Column) -> str:
    """What must be done about a column before a model can learn from it."""
    if column.kind == "date" or _is_compact_date(column):
        return "holds dates or times; replace it by numbers, such as the year or days since a date"
    if column.kind == "other":
        return f"holds values of type {column.note}; replace it by numbers or text"
    if column.kind == "text" and column.note not in ("", "index"):
        return f"holds numbers or dates, but also {column.note!r}; correct it, or write NA"
    if column.kind == "number" and np.isinf(column.values).any():
        return "holds an infinite number; correct it, or write NA if it is missing"
    return ""


def _is_compact_date(column: Column) -> bool:
    """Whether all numbers are dates such as 20190131."""
    values = column.values[~column.missing]
    if not column.whole or len(np.unique(values)) < 3:
        return False
    year, month, day = values // 10000, values // 100 % 100, values % 100
    fits = (year >= 1900) & (year < 2100) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)
    return bool(fits.all())


def _useless(column: Column) -> str:
    present = column.values[~column.missing]
    if not len(present):
        return "left out: it has no values"
    if column.kind in ("date", "other") or (present != present[0]).any():
        return ""
    missing = " or missing" * (len(present) < len(column))
    return f"left out: it is always {column.take(~column.missing).texts()[0]}{missing}"


def _tells_rows_apart(column: Column) -> str:
    if column.note == "index":
        return "left out: it numbers the rows, as the index of pandas; --columns keeps it"
    present = column.values[~column.missing]
    different, rows = len(np.unique(present)), len(present)
    most = different > rows / 2
    if column.kind == "text" and not column.note:
        if different == rows or different > _MANY or (most and different > 20):
            return f"left out: {different} different texts in {rows} rows; --columns keeps it"
    elif column.whole and most and _ID.fullmatch(column.name):
        return "left out: an id; --columns keeps it"
    return ""
