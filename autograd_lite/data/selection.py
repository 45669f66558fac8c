"""Which columns of a table a model learns from, and why not from the others."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from autograd_lite.data.facts import Facts
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
    facts: Mapping[str, Facts] | None = None,
) -> tuple[Frame, list[Decision]]:
    """The columns of a table that can be learned from, and why each of the others is left out.

    Left out are the columns in `drop`, those with one value or none, those that number the rows
    (the index of pandas, an id, and 0, 1, 2, … in 30 rows or more), and text with more than 100
    categories or mostly different ones, unless they are in `text`; with `columns`, all but these.
    `facts` are those of the columns, if the frame does not have all rows.

    Raises ValueError that names all columns that hold dates, values that are not plain, or numbers
    mixed with text; if a name is not there; and if no column is left.
    """
    for name in [target, *(columns or ()), *drop]:
        frame.column(name)
    facts = facts or {column.name: Facts.of(column) for column in frame.columns}
    kept, left, bad = [], [], []
    for column in (facts[name] for name in frame.names if name != target):
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
    counting = [column for column in kept if column.counts_rows and column.rows >= _SEVERAL]
    if columns is None and len(counting) < len(kept):
        kept = [column for column in kept if column not in counting]
        why = "left out: it numbers the rows; --columns keeps it"
        left += [_left(column, why) for column in counting]
    if not kept:
        reasons = "; ".join(f"{choice.name!r} is {choice.done}" for choice in left)
        raise ValueError(
            f"{frame.source} has no column to learn from besides the target {target!r}"
            + (f": {reasons}" if reasons else "")
        )
    used = tuple(frame.column(name) for name in frame.names if facts[name] in kept)
    return replace(frame, columns=used, cells=()), left


def _refusal(source: str, bad: Sequence[tuple[str, str]]) -> ValueError:
    """The error about columns that have a problem."""
    named = "; ".join(f"column {name!r} {problem}" for name, problem in bad)
    names = ",".join(name for name, _ in bad)
    return ValueError(f"{source}: {named}. --drop {names!r} leaves out, --text takes as categories")


def _left(column: Facts, reason: str) -> Decision:
    return Decision(column.name, column.kind, column.missing, reason)


def _problem(column: Facts) -> str:
    """What must be done about a column before a model can learn from it."""
    if column.kind == "date" or (column.days and len(column.different) >= 3):
        return "holds dates or times; replace it by numbers, such as the year or days since a date"
    if column.kind == "other":
        return f"holds values of type {column.note}; replace it by numbers or text"
    if column.kind == "text" and column.note not in ("", "index"):
        return f"holds numbers or dates, but also {column.note!r}; correct it, or write NA"
    if column.infinite:
        return "holds an infinite number; correct it, or write NA if it is missing"
    return ""


def _useless(column: Facts) -> str:
    if not column.present:
        return "left out: it has no values"
    if column.kind in ("date", "other") or len(column.different) > 1:
        return ""
    return f"left out: it is always {column.only}{' or missing' * (column.missing > 0)}"


def _tells_rows_apart(column: Facts) -> str:
    if column.note == "index":
        return "left out: it numbers the rows, as the index of pandas; --columns keeps it"
    different, rows = len(column.different), column.present
    most = different > rows / 2
    if column.kind == "text" and not column.note:
        if different == rows or different > _MANY or (most and different > 20):
            return (
                f"left out: {column.different} different texts in {rows} rows; --columns keeps it"
            )
    elif column.whole and most and _ID.fullmatch(column.name):
        return "left out: an id; --columns keeps it"
    return ""
