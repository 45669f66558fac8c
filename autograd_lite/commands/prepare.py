"""From the table that `train` is given to the rows that its models are trained on."""

from __future__ import annotations

import argparse
from collections import Counter
from typing import NamedTuple, cast

import numpy as np

from autograd_lite.commands.table import read
from autograd_lite.commands.training import MODELS, Data, Encoded
from autograd_lite.data.columns import Array
from autograd_lite.data.encoder import Missing
from autograd_lite.data.reading import few
from autograd_lite.data.selection import Decision, select
from autograd_lite.data.tables import BREAST_CANCER, split
from autograd_lite.data.targets import Task, target_of

__all__ = ["Table", "decisions", "encoded", "prepared"]


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
    target = target_of(column, frame.source, args.task or _task_of(args.model))
    used, left_out = select(
        frame.take(target.rows), column.name, columns=args.columns, text=args.text, drop=args.drop
    )
    missing = {column.name: int(column.missing.sum()) for column in used.columns}
    told = [target.why] if target.why else []
    if column.unit:
        told.append(f"{column.name} is read without {column.unit}")
    y, without = target.y, len(frame) - len(target.y)
    if without:
        marked = f" ({', '.join(map(repr, column.markers))})" if column.markers else ""
        told.append(f"{_rows(without)} without {column.name}{marked} left out")
    if args.missing == "drop":
        whole = ~np.any([column.missing for column in used.columns], axis=0)
        used, y = used.take(whole), y[whole]
        if not whole.all():
            told.append(f"{_rows(int((~whole).sum()))} with missing values left out")
        if not len(y):
            raise ValueError(f"{frame.source}: every row lacks a value; use --missing mean")
    elif some := sum(missing.values()):
        how = "" if args.missing == "mean" else " and a column that says so"
        told.append(
            f"{some:,} missing values: the mean of the training rows{how} "
            f"(--missing {args.missing})"
        )
    data = Data(used, y, target.task, cast(Missing, args.missing))
    title = f"{name}: {_described(data, column.name, len(frame.columns) - 1)}"
    return Table(" ".join(title.split()), column.name, data, frame.names, missing, left_out, told)


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


def _task_of(model: str) -> Task | None:
    """The task that a model is for, if it is for one only."""
    tasks = [task for task, models in MODELS.items() if model in models]
    return tasks[0] if len(tasks) == 1 else None


def _rows(count: int) -> str:
    return f"{count:,} row{'s' * (count != 1)}"


def _described(data: Data, target: str, columns: int) -> str:
    rows = f"{_rows(len(data.y))}, {columns} column{'s' * (columns != 1)}"
    if data.task == "regression":
        return f"{rows}, {target}: {data.y.min():.6g} to {data.y.max():.6g}"
    counts = sorted(Counter(data.y.tolist()).items())
    classes = ", ".join(f"{n:,} {label}" for label, n in counts)
    return f"{rows}, {target}: " + (classes if len(counts) <= 10 else f"{len(counts)} classes")
