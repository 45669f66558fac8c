"""A trained model, and rows of a table as its examples."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.commands.options import indices
from autograd_lite.commands.output import message
from autograd_lite.commands.table import Fitted, Gaps, add_reading, opened
from autograd_lite.data.columns import Array, Column
from autograd_lite.data.pieces import Pieces
from autograd_lite.data.reading import Frame, few
from autograd_lite.data.tables import BREAST_CANCER
from autograd_lite.data.targets import codes_of
from autograd_lite.models import load
from autograd_lite.models.classifier import Classifier
from autograd_lite.models.estimator import Estimator

__all__ = [
    "TABLE_OPTIONS",
    "ModelRows",
    "add_table",
    "model_rows",
    "open_rows",
    "taken",
    "target_of",
]

SHIPPED = "the Wisconsin breast cancer data"
TABLE_OPTIONS = ("--data", "--row", "--target", "--separator", "--decimal", "--encoding")
"""The options that `add_table` adds."""

_TARGET = "diagnosis"  # of these data


class ModelRows(NamedTuple):
    """A model, and the rows (rows, columns) of a table with their targets (rows,).

    `names` are those of the columns of X, `target` that of y; `positive` is the index of the class
    that matters of two.
    """

    model: Any
    X: Array
    y: Array
    names: Sequence[str]
    target: str
    positive: int


def add_table(option: Callable[..., Any]) -> None:
    """The options that say which rows of which table."""
    option(
        "--data",
        metavar="FILE",
        help="a table with a header row; - is standard input (default: the breast cancer data)",
    )
    option(
        "--row",
        type=indices,
        metavar="N,N,…",
        help="rows of the table; 1 is the first below the header (default: all that have a target)",
    )
    option(
        "--target",
        metavar="COLUMN",
        help="the column of the target (default: the one that the model was trained on)",
    )
    add_reading(option)


def open_rows(args: argparse.Namespace, **options: Any) -> Pieces:
    """The table of the options.

    Raises ValueError if it has fewer rows than `--row` says.
    """
    pieces = opened(args, args.data or BREAST_CANCER, **options)
    if args.data is None:
        pieces.source = SHIPPED
    if args.row and max(args.row) > len(pieces):
        has = f"{len(pieces):,} row{'s' * (len(pieces) != 1)}"
        raise ValueError(f"--row {max(args.row)}: {pieces.source} has {has}")
    return pieces


def target_of(args: argparse.Namespace, trained: str | None) -> str | None:
    """The name of the target: of the option, else that of the model, else of the shipped data."""
    return args.target or trained or (None if args.data else _TARGET)


def taken(pieces: Pieces, rows: Sequence[int] | None) -> Iterator[tuple[int, Frame]]:
    """The rows of these numbers, or all, piece by piece, with the number of the first of each."""
    start = 1
    for frame in pieces:
        if rows is None:
            yield start, frame
        for row in sorted(set(rows or ())):
            if start <= row < start + len(frame):
                yield row, frame.take([row - start])
        start += len(frame)


def model_rows(args: argparse.Namespace, weights: Path) -> ModelRows:
    """The model of a file of weights, and rows of the table as its examples.

    Columns are encoded as they were when it was trained. Rows that lack their target, or with
    `--missing drop` a value, are left out, or if `--row` names them, refused.

    Raises ValueError if the table does not fit the model, or has no row that is left.
    """
    model: Any = load(weights)
    target = target_of(args, getattr(model, "target_name_", None))
    if target is None:
        raise ValueError(f"{weights} does not name the column of its target; use --target COLUMN")
    try:
        texts = Fitted.of(model, []).encoder.texts
    except ValueError as error:
        raise ValueError(f"{weights}: {error}") from None
    pieces = open_rows(args, text=texts)
    saved = _fitted(model, [name for name in pieces.names if name != target], weights, pieces)
    encoder, gaps = saved.encoder, Gaps(saved.encoder)
    if args.data is None and not {f.name for f in encoder.features} <= set(pieces.names):
        raise ValueError(f"{weights} was trained on another table than {SHIPPED}; use --data FILE")
    pieces.frame.column(target)
    # The columns are in the order of the model, and have no names.
    vars(model).pop("feature_names_in_", None)
    parts: list[tuple[Array, Array]] = []
    for first, frame in taken(pieces, args.row):
        X, (y, there) = encoder.encode(frame), _targets(model, frame.column(target), pieces.source)
        whole = np.asarray(~np.isnan(X).any(axis=1))
        if args.row and not (there & whole).all():
            lacks = f"of {target!r}" if whole[0] else "that the model needs"
            raise ValueError(f"{pieces.source}: row {first} lacks the value {lacks}")
        gaps.add(frame)
        parts.append((X[there & whole], y[there & whole]))
    for line in gaps.lines():
        message(line)
    X, y = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    if not len(y):
        raise ValueError(f"{pieces.source}: no row has its target and all values")
    return ModelRows(model, X, y, encoder.names, target, saved.positive)


def _fitted(model: Estimator, names: Sequence[str], weights: Path, pieces: Pieces) -> Fitted:
    """How the columns of the table become those of the model."""
    saved = Fitted.of(model, names)
    if len(saved.encoder.names) != model.n_features_in_:
        raise ValueError(
            f"{pieces.source} has {len(names)} columns beside the target, but {weights} was fitted "
            f"with {model.n_features_in_} without names"
        )
    return saved


def _targets(model: Any, column: Column, source: str) -> tuple[Array, Array]:
    """The targets as the model knows them, and which rows have one.

    Raises ValueError if they are not what the model predicts.
    """
    where = f"{source}: the target {column.name!r}"
    if not isinstance(model, Classifier):
        if column.kind != "number":
            raise ValueError(f"{where} holds {column.kind}, but the model predicts a number")
        if np.isinf(column.values).any():
            raise ValueError(f"{where} holds an infinite number")
        return column.values, ~column.missing
    codes, there = codes_of(column, model.classes_), ~column.missing
    unknown = there & (codes < 0)
    if unknown.any():
        label = column.texts()[unknown][0]
        known = few([str(k) for k in model.classes_])
        raise ValueError(f"{where} holds {label!r}; the classes of the model are {known}")
    return model.classes_[codes], there
