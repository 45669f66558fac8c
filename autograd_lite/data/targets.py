"""What a model is to predict: classes or a number."""

from __future__ import annotations

from typing import Literal, NamedTuple

import numpy as np

from autograd_lite.data.cells import number, truth
from autograd_lite.data.columns import Array, Column
from autograd_lite.data.facts import Facts

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


def target_of(
    column: Column, source: str, task: Task | None = None, facts: Facts | None = None
) -> Target:
    """The target of the rows whose value is not missing.

    Text, True and False, two different numbers, and few whole numbers are classes; other numbers
    are numbers. `task` decides for numbers, too. `facts` are those of the column, if it does not
    have all rows.

    Raises ValueError, with the source and the column, if it holds dates, one value or none, numbers
    mixed with text, or nearly as many texts as rows (an id), and if `task` does not fit.
    """
    where = f"{source}: the target {column.name!r}"
    rows = np.flatnonzero(~column.missing)
    present = column.take(rows)
    facts = facts or Facts.of(present)
    if column.kind in ("date", "other"):
        held = "dates or times" if column.kind == "date" else column.note
        raise ValueError(f"{where} holds {held}; a target is a number or has classes")
    if column.kind == "text" and column.note and column.note != "index":
        raise ValueError(
            f"{where} holds numbers or dates, but also {column.note!r}; correct it first"
        )
    if not facts.present:
        raise ValueError(f"{where} has no values")
    if len(facts.different) == 1:
        raise ValueError(f"{where} is always {facts.only}; there is nothing to predict")
    if facts.infinite:
        raise ValueError(f"{where} holds an infinite number; correct it first")
    if column.kind == "number":
        found, why = _number_task(facts, where, task)
    else:
        found, why = "classification", ""
    if found == "regression":
        return Target(present.values, rows, found, why)
    _check_classes(facts, where)
    if task == "regression":
        raise ValueError(f"{where} is not a number; use --task classification")
    return Target(labels(present, facts), rows, found, why)


def _check_classes(facts: Facts, where: str) -> None:
    """Raise ValueError unless there are several rows of a class, and no number has a fraction."""
    different = facts.different
    if len(different) > max(2, facts.present / 2):
        raise ValueError(
            f"{where} has {different} different values in {facts.present} rows, like an id or "
            "free text; a class needs several rows"
        )
    if facts.kind == "number" and len(different) > 2 and not facts.whole:
        raise ValueError(
            f"{where} has numbers with decimal places; name it in --text to take them as classes"
        )
    if different.values is None:
        raise ValueError(
            f"{where} has about {different} different values, too many for classes in a table that "
            "is read piece by piece"
        )


def _number_task(facts: Facts, where: str, task: Task | None) -> tuple[Task, str]:
    """Whether numbers are classes or numbers, and why, unless that was asked for."""
    different = facts.different
    if task is not None:
        return task, ""
    if len(different) == 2:
        return "classification", ""
    if facts.note == "index" or (facts.counts_rows and facts.present > _FEW):
        raise ValueError(f"{where} numbers the rows; it is an id, not something to predict")
    ends = f"{facts.low:.6g} to {facts.high:.6g}"
    if facts.whole and len(different) <= _FEW and different.counts.min() > 1:
        return "classification", (
            f"{where} has {different} different whole numbers, {ends}, which are taken as "
            "classes; to predict the number, use --task regression"
        )
    return "regression", (
        f"{where} has {different} different numbers, {ends}, so the number is predicted; to "
        "predict classes, use --task classification"
    )


def labels(column: Column, facts: Facts | None = None) -> Array:
    """The classes of rows: text, True and False, or numbers, as integers if all are whole.

    `facts` are those of the column, if it does not have all rows.
    """
    if column.kind == "text":
        return np.array(column.categories)[column.values] if column.categories else column.texts()
    if column.kind == "boolean":
        return column.values.astype(bool)
    facts = facts or Facts.of(column)
    whole = facts.whole and max(-facts.low, facts.high) < 2**53
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
