"""The data on the page: generated tables, and two columns of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from autograd_lite.data.columns import Column
from autograd_lite.data.reading import Frame
from autograd_lite.data.synthetic import (
    make_circles,
    make_moons,
    make_spirals,
    make_students,
    make_xor,
)
from autograd_lite.data.tables import Table
from autograd_lite.text import printable

__all__ = ["MOST", "Points", "generated", "of_columns"]

MOST = 2000
"""The maximum number of rows; of more, a random sample is taken."""

Array = npt.NDArray[Any]


class Points(NamedTuple):
    """Points of two classes in the plane.

    `X` (rows, 2) are standardized: (x − mean) / scale; `y` (rows,) is 0 or 1. `total` is the
    number of rows of the table that they are from.
    """

    title: str
    X: Array
    y: Array
    columns: tuple[str, str]
    classes: tuple[str, str]
    target: str
    mean: Array
    scale: Array
    total: int

    def as_json(self) -> dict[str, Any]:
        """What the page's script reads."""
        return {
            "title": self.title,
            "X": self.X.ravel().tolist(),
            "y": self.y.tolist(),
            "columns": [printable(name, 60) for name in self.columns],
            "classes": [printable(name, 60) for name in self.classes],
            "target": printable(self.target, 60),
            "mean": self.mean.tolist(),
            "scale": self.scale.tolist(),
        }


def generated() -> list[Points]:
    """Moons, spirals, circles, XOR and students: 200 rows each."""
    students = make_students(200, random_state=0)
    return [
        _points("moons", make_moons(200, random_state=0)),
        _points("spirals", make_spirals(200, random_state=0)),
        _points("circles", make_circles(200, random_state=0)),
        _points("XOR", make_xor(200, noise=0.05, random_state=0)),
        _points("students", students, ("no", "yes")),
    ]


def of_columns(frame: Frame, columns: Sequence[str], target: str) -> Points:
    """Two numeric columns of a table, and the two classes in a third.

    A table of more than `MOST` rows gives a random sample, the same each time.

    Raises ValueError if a column is missing, is not numeric or has a missing, infinite or only one
    value, two of the columns are the same, or the target does not have two classes.
    """
    source = frame.source
    if len({*columns, target}) < 3:
        raise ValueError(
            f"{source}: two different columns and another target are needed, not "
            f"{', '.join(map(repr, [*columns, target]))}"
        )
    features = [frame.column(name) for name in columns]
    X = np.column_stack([_numbers(column, source) for column in features])
    label = frame.column(target)
    if label.kind in ("date", "other"):
        raise ValueError(f"{source}: the target {target!r} holds neither text nor numbers")
    if label.missing.any():
        raise ValueError(f"{source}: {_missing(label)}; leave such rows out")
    texts = label.texts()
    classes, y = np.unique(label.values, return_inverse=True)
    if len(classes) != 2:
        count = f"{len(classes)} classes" if len(classes) > 1 else "one class"
        raise ValueError(f"{source}: the target {target!r} has {count}; two are needed")
    names = tuple(str(texts[np.argmax(y == k)]) for k in (0, 1))
    rows = _sample(y)
    table = Table(X[rows], y[rows], tuple(columns), target)
    with np.errstate(over="ignore", invalid="ignore"):
        scales, spans = table.X.std(axis=0), np.ptp(table.X, axis=0)
    for name, scale, span in zip(columns, scales, spans, strict=True):
        if not span:  # where rounding can leave a scale
            raise ValueError(f"{source}: the column {name!r} has the same value in every row")
        if not 0 < scale < np.inf:
            how = "too large" if scale else "too close to each other"
            raise ValueError(f"{source}: the column {name!r} has numbers that are {how}")
    return _points("your data", table, names, len(X))


def _points(
    title: str, table: Table, classes: Sequence[str] = ("0", "1"), total: int | None = None
) -> Points:
    mean, scale = table.X.mean(axis=0), table.X.std(axis=0)
    X = (table.X - mean) / scale
    first, second = table.columns
    return Points(
        title,
        X,
        table.y,
        (first, second),
        (classes[0], classes[1]),
        table.target,
        mean,
        scale,
        len(X) if total is None else total,
    )


def _numbers(column: Column, source: str) -> Array:
    if column.kind not in ("number", "boolean"):
        raise ValueError(f"{source}: the column {column.name!r} is not numeric")
    if column.missing.any():
        raise ValueError(f"{source}: {_missing(column)}; fill them in or leave such rows out")
    if not np.isfinite(column.values).all():
        raise ValueError(f"{source}: the column {column.name!r} has an infinite number")
    return column.values


def _missing(column: Column) -> str:
    count = int(column.missing.sum())
    return f"the column {column.name!r} has {count:,} missing value{'s' * (count != 1)}"


def _sample(y: Array) -> Array:
    """All rows, or `MOST` of them at random, with rows of both classes."""
    if len(y) <= MOST:
        return np.arange(len(y))
    rows = np.random.default_rng(0).permutation(len(y))
    first = np.array([rows[y[rows] == k][0] for k in (0, 1)])
    others = rows[~np.isin(rows, first)]
    return np.sort(np.concatenate([first, others[: MOST - 2]]))
