"""From the table that `train` is given to the rows that its models are trained on."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple, cast

import numpy as np

from autograd_lite.commands.table import read
from autograd_lite.commands.training import MODELS, Data, Encoded
from autograd_lite.data.columns import Array, Column
from autograd_lite.data.encoder import Missing
from autograd_lite.data.reading import few
from autograd_lite.data.selection import Decision, select
from autograd_lite.data.tables import BREAST_CANCER, split
from autograd_lite.data.targets import Task, target_of

__all__ = ["Table", "decisions", "described", "encoded", "notes", "prepared", "task_of"]


class Table(NamedTuple):
    """A table that was read.

    `order` are the names of its columns, `missing` the rows without a value in each of those that
    are learned from, `left_out` what was decided about the others, and `told` what to say about it.
    """

    title: str
    target: str
    data: Data
    order: list[str]
    missing: dict[str, int]
    left_out: list[Decision]
    told: list[str]


def prepared(args: argparse.Namespace) -> Table:
    """The rows of the table that have a target, and the columns to learn from.

    Raises ValueError, with the file, if the table cannot be learned from.
    """
    frame = read(args, args.data or BREAST_CANCER, text=args.text)
    column = frame.column("diagnosis" if args.target is None else args.target)
    for name in args.text:
        frame.column(name)
    name = frame.source if args.data else "Wisconsin breast cancer"
    target = target_of(column, frame.source, args.task or task_of(args.model))
    used, left_out = select(
        frame.take(target.rows), column.name, columns=args.columns, text=args.text, drop=args.drop
    )
    missing = {column.name: int(column.missing.sum()) for column in used.columns}
    y, without, dropped = target.y, len(frame) - len(target.y), 0
    if args.missing == "drop":
        whole = ~np.any([column.missing for column in used.columns], axis=0)
        used, y = used.take(whole), y[whole]
        dropped = int((~whole).sum())
        if not len(y):
            raise ValueError(f"{frame.source}: every row lacks a value; use --missing mean")
    told = notes(target.why, column, without, args.missing, dropped, sum(missing.values()))
    data = Data(used, y, target.task, cast(Missing, args.missing))
    classes = target.task == "classification"
    counts = Counter(y.tolist()) if classes else (float(y.min()), float(y.max()))
    title = f"{name}: {described(len(y), len(frame.columns) - 1, column.name, counts)}"
    return Table(" ".join(title.split()), column.name, data, frame.names, missing, left_out, told)


def notes(
    why: str, target: Column, without: int, missing: str, dropped: int, gaps: int
) -> list[str]:
    """What to say about the rows: those without a target, those that were dropped, and gaps."""
    told = [why] if why else []
    if target.unit:
        told.append(f"{target.name} is read without {target.unit}")
    if without:
        marked = f" ({', '.join(map(repr, target.markers))})" if target.markers else ""
        told.append(f"{_rows(without)} without {target.name}{marked} left out")
    if dropped:
        told.append(f"{_rows(dropped)} with missing values left out")
    if gaps and missing != "drop":
        how = "" if missing == "mean" else " and a column that says so"
        told.append(
            f"{gaps:,} missing values: the mean of the training rows{how} (--missing {missing})"
        )
    return told


def encoded(table: Table, share: float, seed: int) -> Encoded:
    """The rows to train on and those held out, of each class the same share."""
    data = table.data
    if data.task == "classification":
        labels, counts = np.unique(data.y, return_counts=True)
        single = list(map(str, labels[counts < 2]))
        where = f"{data.frame.source}: the target {table.target!r}"
        if len(labels) < 2:
            raise ValueError(f"{where} has one class only in the rows that are left: {labels[0]}")
        if single:
            raise ValueError(
                f"{where} has a single row of {few(single)}; each class needs two, to train and to "
                "test: leave these rows out, or join classes"
            )
    rows: Array = np.arange(len(data.y))
    train, test, *_ = split(rows, data.groups, test_size=share, random_state=seed)
    return data.encoded(train, test)


def decisions(table: Table, rows: Encoded) -> list[Decision]:
    """What is done with each column, in the order of the table."""
    found = {decision.name: decision for decision in table.left_out}
    for column in table.data.frame.columns:
        missing = table.missing[column.name]
        done = "left out: it has no values in the training rows"
        found[column.name] = Decision(column.name, column.kind, missing, done)
    for feature in rows.encoder.features:
        missing = table.missing[feature.name]
        done = feature.done
        if missing and table.data.missing == "drop":
            done += "; rows without a value are left out"
        elif missing:
            markers = table.data.frame.column(feature.name).markers
            which = f" ({', '.join(map(repr, markers))})" if markers else ""
            and_says_so = ", and a column that says so" * feature.indicator
            done += f"; missing{which}: {feature.filling}{and_says_so}"
        found[feature.name] = Decision(feature.name, feature.kind, missing, done)
    return [found[name] for name in table.order if name in found]


def task_of(model: str) -> Task | None:
    """The task that a model is for, if it is for one only."""
    tasks = [task for task, models in MODELS.items() if model in models]
    return tasks[0] if len(tasks) == 1 else None


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"


def described(
    rows: int, columns: int, target: str, found: Mapping[Any, int] | tuple[float, float]
) -> str:
    """A table in words; `found` are the rows of each class, or the smallest and largest number."""
    size = f"{_rows(rows)}, {columns} column{'s' * (columns != 1)}, {target}: "
    if isinstance(found, tuple):
        return f"{size}{found[0]:.6g} to {found[1]:.6g}"
    classes = ", ".join(f"{n:,} {label}" for label, n in sorted(found.items()))
    return size + (classes if len(found) <= 10 else f"{len(found)} classes")
