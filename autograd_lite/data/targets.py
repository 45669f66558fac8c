"""What a model is to predict: classes or a number."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from autograd_lite.data.cells import number, truth
from autograd_lite.data.columns import Array, Column

__all__ = ["Target", "Task", "codes_of", "label_named", "labels", "target_of"]

Task = Literal["classification", "regression"]
_FEW = 20


class Target(NamedTuple):
    """The target: `y` of the rows that have one, which rows these are, and the task.

    `why` says in a sentence why numbers were taken as classes or as numbers.
    """

    y: Array
    rows: Array
    task: Task
    why: str = ""


def target_of(column: Column, source: str, task: Task | None = None) -> Target:
    """The target of the rows whose value is not missing.

    Text, True and False, two different numbers, and few whole numbers are classes; other numbers
    are numbers. `task` decides for numbers, too.

    Raises ValueError, with the source and the column, if it holds dates, one value or none, numbers
    mixed with text, or nearly as many texts as rows (an id), and if `task` does not fit.
    """
    where = f"{source}: the target {column.name!r}"
    rows = np.flatnonzero(~column.missing)
    present = column.take(rows)
    different = np.unique(present.values)
    if column.kind in ("date", "other"):
        held = "dates or times" if column.kind == "date" else column.note
        raise ValueError(f"{where} holds {held}; a target is a number or has classes")
    if column.kind == "text" and column.note and column.note != "index":
        raise ValueError(
            f"{where} holds numbers or dates, but also {column.note!r}; correct it first"
        )
    if not len(rows):
        raise ValueError(f"{where} has no values")
    if len(different) == 1:
        raise ValueError(f"{where} is always {present.texts()[0]}; there is nothing to predict")
    if np.isinf(different).any():
        raise ValueError(f"{where} holds an infinite number; correct it first")
    if column.kind == "number":
        found, why = _number_task(present, where, task)
    else:
        found, why = "classification", ""
    if found == "classification" and len(different) > max(2, len(rows) / 2):
        raise ValueError(
            f"{where} has {len(different)} different values in {len(rows)} rows, like an id or "
            "free text; a class needs several rows"
        )
    if (
        found == "classification"
        and column.kind == "number"
        and len(different) > 2
        and not column.whole
    ):
        raise ValueError(
            f"{where} has numbers with decimal places; name it in --text to take them as classes"
        )
    if found == "regression":
        return Target(present.values, rows, found, why)
    if task == "regression":
        raise ValueError(f"{where} is not a number; use --task classification")
    return Target(labels(present), rows, found, why)


def _number_task(column: Column, where: str, task: Task | None) -> tuple[Task, str]:
    """Whether numbers are classes or numbers, and why, unless that was asked for."""
    different, counts = np.unique(column.values, return_counts=True)
    whole = bool((different % 1 == 0).all())
    if task is not None:
        return task, ""
    if len(different) == 2:
        return "classification", ""
    if column.note == "index" or (column.counts_rows and len(column) > _FEW):
        raise ValueError(f"{where} numbers the rows; it is an id, not something to predict")
    ends = f"{different[0]:.6g} to {different[-1]:.6g}"
    if whole and len(different) <= _FEW and counts.min() > 1:
        return "classification", (
            f"{where} has {len(different)} different whole numbers, {ends}, which are taken as "
            "classes; to predict the number, use --task regression"
        )
    return "regression", (
        f"{where} has {len(different)} different numbers, {ends}, so the number is predicted; to "
        "predict classes, use --task classification"
    )


def labels(column: Column) -> Array:
    """The classes of rows: text, True and False, or numbers, whole ones as integers."""
    if column.kind == "text":
        return np.array(column.categories)[column.values] if column.categories else column.texts()
    if column.kind == "boolean":
        return column.values.astype(bool)
    whole = (column.values % 1 == 0).all() and (np.abs(column.values) < 2**53).all()
    return column.values.astype(np.int64) if whole else column.values


def codes_of(column: Column, classes: Array) -> Array:
    """The index of the class of each row, −1 where the value is missing or no class.

    Numbers and truth values are compared as what they are: 0, 0.0 and False are the same.
    """
    texts = column.texts()
    different, places = np.unique(texts, return_inverse=True)
    values = [_value(label) for label in classes.tolist()]
    plain = [str(label) for label in classes.tolist()]
    found = []
    for text in different.tolist():
        value = _value(text)
        if text in plain:
            found.append(plain.index(text))
        else:
            found.append(values.index(value) if value is not None and value in values else -1)
    return np.array(found)[places]


def label_named(classes: Array, name: str, source: str) -> int:
    """The index of the class that a text names.

    Raises ValueError if there is none.
    """
    column = Column("", "text", np.array([0]), (name,))
    code = int(codes_of(column, classes)[0])
    if code < 0:
        known = ", ".join(map(str, classes[:8]))
        raise ValueError(f"{source} has no class {name!r}; the classes are {known}")
    return code


def _value(label: str | float | bool) -> float | None:
    """A number or truth value as a number; None for other text."""
    if not isinstance(label, str):
        return float(label)
    known = truth(label)
    return number(label) if known is None else known
