"""Which columns of a table a model learns from, and why not from the others."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from autograd_lite.data.columns import Column
from autograd_lite.data.reading import Frame

__all__ = ["Decision", "select"]

_MANY = 100
_ID = re.compile(
    r"(?:.*[\W_])?(?i:id|index|rows?|rownames?|obs|nr|no|key)\.?|.*[a-z](?:Id|ID|Index|No|Nr|Key)"
)


class Decision(NamedTuple):
    """What was decided about a column: its kind, the rows without a value, and what is done."""

    name: str
    kind: str
    missing: int
    done: str


def select(
    frame: Frame, target: str, *, columns: Collection[str] | None = None, drop: Collection[str] = ()
) -> tuple[Frame, list[Decision]]:
    """The columns of a table that can be learned from, and why each of the others is left out.

    Left out are the columns in `drop`, those with one value or none, those that number the rows
    (the index of pandas, an id), and text with more than 100 categories or mostly different ones;
    with `columns`, all but these.

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
        elif problem := _problem(column):
            bad.append((column.name, problem))
            continue
        else:
            reason = _useless(column) or ("" if columns is not None else _number_of_row(column))
        if reason:
            left.append(Decision(column.name, column.kind, int(column.missing.sum()), reason))
        else:
            kept.append(column)
    if bad:
        named = "; ".join(f"column {name!r} {problem}" for name, problem in bad)
        names = ",".join(name for name, _ in bad)
        raise ValueError(f"{frame.source}: {named}. To leave out: --drop {names!r}")
    if not kept:
        reasons = "; ".join(f"{choice.name!r} is {choice.done}" for choice in left)
        raise ValueError(
            f"{frame.source} has no column to learn from besides the target {target!r}"
            + (f": {reasons}" if reasons else "")
        )
    return replace(frame, columns=tuple(kept), cells=()), left


def _problem(column: Column) -> str:
    """What must be done about a column before a model can learn from it."""
    if column.kind == "date":
        return "holds dates or times; replace it by numbers, such as the year or days since a date"
    if column.kind == "other":
        return f"holds values of type {column.note}; replace it by numbers or text"
    if column.kind == "text" and column.note:
        return f"holds numbers, but also {column.note!r}; mend it, or write NA if it is missing"
    if column.kind == "number" and np.isinf(column.values).any():
        return "holds an infinite number; mend it, or write NA if it is missing"
    return ""


def _useless(column: Column) -> str:
    present = column.values[~column.missing]
    if not len(present):
        return "left out: it has no values"
    if (present == present[0]).all():
        return f"left out: it is always {column.take(~column.missing).texts()[0]}"
    return ""


def _number_of_row(column: Column) -> str:
    present = column.values[~column.missing]
    different, rows = len(np.unique(present)), len(present)
    if column.kind == "text":
        mostly = different > 20 and different > rows / 2
        if different == rows or different > _MANY or mostly:
            return f"left out: {different} different texts in {rows} rows; --columns keeps it"
        return ""
    if column.note == "index":
        return "left out: it numbers the rows, as the index of pandas; --columns keeps it"
    named = _ID.fullmatch(column.name) is not None
    whole = column.kind == "number" and different == len(column) and (present % 1 == 0).all()
    if named and whole:
        return "left out: an id, different in every row; --columns keeps it"
    return ""
