"""Tables of numbers with one column to predict."""

from __future__ import annotations

import csv
import math
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from autograd_lite.arrays import numbers_only

Array = npt.NDArray[Any]

_MISSING = {"", "?", "na", "n/a", "nan", "null", "none"}


class Table(NamedTuple):
    """Examples as rows: `X` (rows, columns) in float64, `y` (rows,), and the names of both."""

    X: Array
    y: Array
    columns: tuple[str, ...]
    target: str


class Examples(NamedTuple):
    """Rows to predict: `X` (rows, columns) in float64, and the whole table as text."""

    X: Array
    header: list[str]
    rows: list[list[str]]


def load_breast_cancer() -> Table:
    """The Wisconsin breast cancer data: X (569, 30), y of "benign" and "malignant".

    Wolberg, Mangasarian, Street and Street, UCI Machine Learning Repository, CC BY 4.0,
    doi 10.24432/C5DW2B. README.md beside the file gives the source of this copy.

    Example:
        >>> table = load_breast_cancer()
        >>> table.X.shape, table.columns[0], str(table.y[0])
        ((569, 30), 'mean_radius', 'malignant')
    """
    return read_csv(Path(__file__).with_name("breast_cancer.csv"), "diagnosis")


def read_csv(path: str | os.PathLike[str], target: str) -> Table:
    """Read a comma-separated table with a header line; `target` names the column to predict.

    Every other column must have a finite number in each row. The target may have any values: they
    become integers if possible, else floats, else they stay text.

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
    names, lines = _opened(path)
    if target not in names:
        raise ValueError(f"{path} has no column {target!r}; its columns are {', '.join(names)}")
    if len(names) == 1:
        raise ValueError(f"{path} has no column besides the target {target!r}")

    rows, labels = [], []
    for where, fields in lines:
        row = dict(zip(names, fields, strict=True))
        for name, field in row.items():
            _present(field, f"{where}: column {name!r}")
        labels.append(row.pop(target))
        rows.append([_number(field, f"{where}: column {name!r}") for name, field in row.items()])
    columns = tuple(name for name in names if name != target)
    return Table(np.array(rows), _labels(labels), columns, target)


def read_examples(path: str | os.PathLike[str], columns: Sequence[str] | int) -> Examples:
    """Read the columns of a comma-separated table that a model predicts from.

    `columns` are their names, in the model's order. If the model has no names it is their number,
    and the table must have exactly these columns, in the model's order. Other columns may have any
    values; `rows` has them as text.

    Raises ValueError, with the file and the line, if columns are missing or their number is wrong,
    a column name occurs twice, a line has too many or too few values, a value of these columns is
    missing or not a number, there are no rows, or the file is not text; OSError as `open` does.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "students.csv"
        >>> _ = path.write_text("name,slept,studied\\nAda,5,3\\nBob,4,1\\n")
        >>> read_examples(path, ["studied", "slept"]).X.tolist()
        [[3.0, 5.0], [1.0, 4.0]]
    """
    names, lines = _opened(path)
    if isinstance(columns, int):
        if len(names) != columns:
            raise ValueError(
                f"{path} has {_count(len(names))}, but the model was fitted with {columns} without "
                "names"
            )
        columns = names
    missing = [name for name in columns if name not in names]
    if missing:
        few = ", ".join(map(repr, missing[:5])) + (", …" if len(missing) > 5 else "")
        which = "column" if len(missing) == 1 else f"{len(missing)} columns"
        raise ValueError(
            f"{path} lacks the {which} {few} of the model; it has {_count(len(names))}: "
            f"{', '.join(names[:8])}{', …' if len(names) > 8 else ''}"
        )
    rows, X = [], []
    for where, fields in lines:
        row = dict(zip(names, fields, strict=True))
        rows.append(fields)
        X.append([_cell(row[name], f"{where}: column {name!r}") for name in columns])
    return Examples(np.array(X), names, rows)


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


def _opened(path: str | os.PathLike[str]) -> tuple[list[str], Iterator[tuple[str, list[str]]]]:
    """The names of a table's columns, and its rows, stripped, with the place of each."""
    lines = _lines(Path(path))
    _, header = next(lines, (0, []))
    names = [name.strip() for name in header]
    if not names:
        raise ValueError(f"{path} is empty; it needs a header line and rows")
    separator = next((sign for sign in ";\t|" if sign in names[0]), None)
    if len(names) == 1 and separator:
        raise ValueError(f"{path} is separated by {separator!r}; separate it by commas")
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise ValueError(f"{path} has more than one column named {', '.join(map(repr, twice))}")

    def rows() -> Iterator[tuple[str, list[str]]]:
        empty = True
        for number, fields in lines:
            where = f"{path}, line {number}"
            if len(fields) != len(names):
                raise ValueError(f"{where}: {len(fields)} values where the header has {len(names)}")
            yield where, [field.strip() for field in fields]
            empty = False
        if empty:
            raise ValueError(f"{path} has a header but no rows")

    return names, rows()


def _lines(path: Path) -> Iterator[tuple[int, list[str]]]:
    """The lines of a CSV file that are not blank, with their numbers as an editor shows them."""
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for fields in reader:
                if any("\0" in field for field in fields):
                    raise ValueError(f"{path} is not a text file: line {reader.line_num} has a NUL")
                if len(fields) > 1 or "".join(fields).strip():
                    yield reader.line_num, fields
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{path} is not a text file (UTF-8): {error.reason}; export it as CSV in UTF-8"
        ) from None
    except csv.Error as error:
        raise ValueError(f"{path} is not a CSV file: line {reader.line_num}: {error}") from None


def _count(columns: int) -> str:
    return f"{columns} column{'s' * (columns != 1)}"


def _present(field: str, where: str) -> None:
    if field.lower() in _MISSING:
        raise ValueError(f"{where} has no value; fill it in or leave the row out")


def _cell(field: str, where: str) -> float:
    _present(field, where)
    return _number(field, where)


def _number(field: str, where: str) -> float:
    try:
        value = float(field.replace("_", "x"))  # float("1_000") is 1000
    except ValueError:
        raise ValueError(
            f"{where}: {field!r} is not a number; remove a column of text, or encode it as numbers"
        ) from None
    if not math.isfinite(value):
        raise ValueError(f"{where}: {field!r} is not a finite number")
    return value


def _labels(labels: list[str]) -> Array:
    for kind in (np.int64, np.float64):
        try:
            return np.array([kind(label) for label in labels])
        except (ValueError, OverflowError):
            pass
    return np.array(labels)
