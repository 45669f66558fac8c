"""Tables of numbers with one column to predict."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from autograd_lite.arrays import numbers_only
from autograd_lite.data.cells import is_missing, number
from autograd_lite.data.reading import line_of, read_table
from autograd_lite.data.targets import labels

Array = npt.NDArray[Any]
BREAST_CANCER = Path(__file__).with_name("breast_cancer.csv")
"""The shipped table; `load_breast_cancer` says where it is from."""


class Table(NamedTuple):
    """Examples as rows: `X` (rows, columns) in float64, `y` (rows,), and the names of both."""

    X: Array
    y: Array
    columns: tuple[str, ...]
    target: str


def load_breast_cancer() -> Table:
    """The Wisconsin breast cancer data: X (569, 30), y of "benign" and "malignant".

    Wolberg, Mangasarian, Street and Street, UCI Machine Learning Repository, CC BY 4.0,
    doi 10.24432/C5DW2B. README.md beside the file gives the source of this copy.

    Example:
        >>> table = load_breast_cancer()
        >>> table.X.shape, table.columns[0], str(table.y[0])
        ((569, 30), 'mean_radius', 'malignant')
    """
    return read_csv(BREAST_CANCER, "diagnosis")


def read_csv(path: str | os.PathLike[str], target: str) -> Table:
    """Read a table of numbers with a header line; `target` names the column to predict.

    Every other column must have a finite number in each row, or True or False. The target may have
    any values: they become integers if possible, else floats, else they stay text. `read_table`
    reads other tables, too.

    Raises ValueError, with the file and the line, if there is no such column, a column name occurs
    twice, a line has too many or too few values, a value is missing or not a number, there are no
    rows or no other columns, or the file is not text; OSError as `open` does.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "students.csv"
        >>> _ = path.write_text("studied,slept,passed\\n3,5,yes\\n1,4,no\\n")
        >>> table = read_csv(path, "passed")
        >>> table.columns, table.X.tolist(), table.y.tolist()
        (('studied', 'slept'), [[3.0, 5.0], [1.0, 4.0]], ['yes', 'no'])
    """
    frame = read_table(path)
    y = frame.column(target)
    features = [column for column in frame.columns if column is not y]
    if not features:
        raise ValueError(f"{path} has no column besides the target {target!r}")
    for column in frame.columns:
        good = np.zeros(len(column), dtype=bool)
        if column is y or column.kind in ("number", "boolean"):
            good = ~column.missing & np.isfinite(column.values)
        if not good.all():
            raise _not_a_number(path, column.name, good)
    X = np.column_stack([column.values for column in features])
    return Table(X, labels(y), tuple(column.name for column in features), target)


def _not_a_number(path: str | os.PathLike[str], name: str, good: Array) -> ValueError:
    """The error about the first cell of a column that is not a finite number."""
    frame = read_table(path, cells=True)
    cells = frame.cells[frame.names.index(name)]
    row = next(
        row
        for row, cell in enumerate(cells)
        if not good[row]
        and (is_missing(cell.strip()) or number(cell.strip(), frame.decimal) is None)
    )
    cell = cells[row].strip()
    where = f"{path}, line {line_of(path, row, frame)}: column {name!r}"
    if is_missing(cell):
        return ValueError(f"{where} has no value; fill it in or leave the row out")
    if cell.lower().lstrip("+-") in ("inf", "infinity"):
        return ValueError(f"{where}: {cell!r} is not a finite number")
    return ValueError(
        f"{where}: {cell!r} is not a number; remove a column of text, or encode it as numbers"
    )


def split(
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    test_size: float = 0.25,
    random_state: int | np.random.Generator | None = None,
) -> tuple[Array, Array, Array, Array]:
    """Split rows at random into X_train, X_test, y_train, y_test, stratified by class.

    `test_size` is the fraction of each class in the test set, rounded. Each class has at least one
    row in either set.

    Raises ValueError if test_size is not between 0 and 1, X and y differ in length, or a class has
    a single row.

    Example:
        >>> X, y = np.arange(8.0).reshape(8, 1), np.array([0, 1] * 4)
        >>> X_train, X_test, y_train, y_test = split(X, y, random_state=0)
        >>> X_train.shape, X_test.shape, sorted(y_test.tolist())
        ((6, 1), (2, 1), [0, 1])
    """
    numbers_only((X, y), "split")
    X, y = np.asarray(X), np.asarray(y)
    if not 0 < test_size < 1:
        raise ValueError(f"test_size must be between 0 and 1, not {test_size}")
    if len(X) != len(y):
        raise ValueError(f"X has {len(X)} rows, y has {len(y)}")
    random = np.random.default_rng(random_state)
    held_out = np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        rows = random.permutation(np.flatnonzero(y == label))
        if len(rows) < 2:
            raise ValueError(
                f"class {label!s} has a single row; each class needs two, to train and to test"
            )
        held_out[rows[: min(max(1, round(test_size * len(rows))), len(rows) - 1)]] = True
    return X[~held_out], X[held_out], y[~held_out], y[held_out]


def folds(
    groups: npt.ArrayLike, k: int, *, random_state: int | np.random.Generator | None = None
) -> Array:
    """Deal rows at random to k folds; each has an equal share of each group, up to one row.

    Returns the fold of each row, from 0 to k − 1. Raises ValueError if k is below 2, or a group has
    fewer than k rows.

    Example:
        >>> folds([0, 0, 1, 1], 2, random_state=0).tolist() in ([0, 1, 0, 1], [0, 1, 1, 0],
        ...     [1, 0, 0, 1], [1, 0, 1, 0])
        True
    """
    groups = np.asarray(groups)
    if k < 2:
        raise ValueError(f"the number of folds must be at least 2, not {k}")
    random = np.random.default_rng(random_state)
    fold, start = np.empty(len(groups), dtype=int), 0
    for group in np.unique(groups):
        rows = random.permutation(np.flatnonzero(groups == group))
        if len(rows) < k:
            what = f"class {group!s} has" if len(np.unique(groups)) > 1 else "the table has"
            raise ValueError(f"{what} {len(rows)} rows; {k} folds need {k}")
        fold[rows] = (start + np.arange(len(rows))) % k
        start += len(rows)
    return fold
