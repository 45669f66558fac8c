"""`autograd-lite predict`: what a trained model predicts for each row of a table."""

from __future__ import annotations

import argparse
import csv
import re
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np

from autograd_lite.commands.folder import notice
from autograd_lite.commands.output import message, writing
from autograd_lite.commands.table import Fitted, Gaps, add_reading, opened
from autograd_lite.data.cells import number
from autograd_lite.data.columns import Array
from autograd_lite.data.pieces import Pieces
from autograd_lite.data.reading import Frame
from autograd_lite.data.targets import codes_of
from autograd_lite.models import load
from autograd_lite.models.block_metrics import Errors
from autograd_lite.models.classifier import Classifier

_BEGINS = "=+-@\t\r"  # how cells begin that a spreadsheet computes
_PLAIN = re.compile(r"[+-]\d+(?:[.,]\d+)?")


def add(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = (
        "Predict the target of each row with weights that `train` saved. The output is the table "
        "as CSV with more columns: the prediction, and the probability of one of two classes, or "
        "of each of more. Columns that the model does not use are kept."
    )
    parser.set_defaults(run=_run)
    option = parser.add_argument
    option(
        "--weights",
        type=Path,
        required=True,
        metavar="FILE",
        help="weights from `train` or `export`",
    )
    option(
        "--data",
        required=True,
        metavar="FILE",
        help="a table with a header row; - is standard input",
    )
    option(
        "--out", type=Path, metavar="FILE.csv", help="where to write the table (default: stdout)"
    )
    option(
        "--quote-formulas",
        action="store_true",
        help="put ' before cells that a spreadsheet would compute",
    )
    add_reading(option)


def _run(args: argparse.Namespace) -> None:
    if args.out and args.out.resolve() == args.weights.resolve():
        raise ValueError(f"--out {args.out} would overwrite the weights; use another name")
    model: Any = load(args.weights)
    _tell_runs(args.weights)
    if args.out and args.out.suffix.lower() in (".parquet", ".feather", ".arrow", ".gz"):
        raise ValueError(f"--out {args.out}: predict writes CSV; use a name that ends in .csv")
    try:
        saved = Fitted.of(model, [])
    except ValueError as error:
        raise ValueError(f"{args.weights}: {error}") from None
    pieces = opened(args, args.data, text=saved.encoder.texts, cells=True)
    encoder = Fitted.of(model, pieces.names).encoder
    if len(encoder.names) != model.n_features_in_:
        raise ValueError(
            f"{pieces.source} has {len(encoder.names)} columns, but the model was fitted with "
            f"{model.n_features_in_} without names"
        )
    encoder.encode(pieces.frame)  # is every column what the model was trained on?
    # The columns are in the order of the model now, and have no names.
    vars(model).pop("feature_names_in_", None)
    with writing(args.out) as file:
        table = _Table(file, pieces, args.quote_formulas)
        summary = _Summary(model)
        gaps = Gaps(encoder)
        for frame in pieces:
            gaps.add(frame)
            X = encoder.encode(frame)
            whole = np.asarray(~np.isnan(X).any(axis=1))
            predicted = model.predict(X[whole]) if whole.any() else np.empty(0)
            new = _new_columns(model, saved.positive, X[whole], predicted)
            table.add(frame, {name: _spread(new[name], whole) for name in new})
            summary.add(frame, predicted, whole)
        for line in gaps.lines():
            message(line)
        table.tell()
    print(summary, file=sys.stdout if args.out else sys.stderr)


def _tell_runs(weights: Path) -> None:
    """Say if the folder of the weights holds files of several runs."""
    if told := notice(weights.parent, weights.name):
        message(told)


def _new_columns(model: Any, positive: int, X: Array, predicted: Array) -> dict[str, list[str]]:
    """The predictions as text, and the probabilities, by the names of their columns."""
    name = " ".join(["predicted", getattr(model, "target_name_", "class")])
    if not isinstance(model, Classifier):
        return {name: [repr(value) for value in predicted.tolist()]}
    chosen = [positive] if len(model.classes_) == 2 else range(len(model.classes_))
    p = model.predict_proba(X) if len(X) else np.empty((0, len(model.classes_)))
    shares = {f"probability of {model.classes_[k]}": [f"{v:.6g}" for v in p[:, k]] for k in chosen}
    return {name: [str(label) for label in predicted]} | shares


def _spread(values: Sequence[str], whole: Array) -> list[str]:
    """The values of the rows that have one, and "" for the others."""
    given = iter(values)
    return [next(given) if there else "" for there in whole]


class _Table:
    """The rows as CSV with the new columns; predictions that the table has already are replaced."""

    def __init__(self, file: IO[str], pieces: Pieces, quote: bool) -> None:
        layout = pieces.layout
        self._writer = csv.writer(file, lineterminator="\n", delimiter=layout.separator)
        self._comma, self._quote = layout.decimal != ".", quote
        self._header = False
        self._formulas, self._formula = 0, ""

    def add(self, frame: Frame, new: dict[str, list[str]]) -> None:
        """Write the rows of a piece."""
        old = zip(frame.names, frame.cells, strict=True)
        columns = {name: cells for name, cells in old if name not in new}
        if self._comma:
            new = {name: [_with_comma(cell) for cell in cells] for name, cells in new.items()}
        columns |= new
        if not self._header:
            self._header = True
            self._write(tuple(columns))
        for row in zip(*columns.values(), strict=True):
            self._write(row)

    def _write(self, row: Sequence[str]) -> None:
        formulas = [cell for cell in row if _is_formula(cell)]
        if formulas:
            self._formulas += len(formulas)
            self._formula = self._formula or formulas[0]
            if self._quote:
                row = [f"'{cell}" if _is_formula(cell) else cell for cell in row]
        self._writer.writerow(row)

    def tell(self) -> None:
        """Say how many cells a spreadsheet may compute."""
        if self._formulas and not self._quote:
            message(
                f"a spreadsheet may compute {self._formulas} cell{'s' * (self._formulas != 1)}, "
                f"such as {self._formula[:30]!r}; --quote-formulas puts ' before them"
            )


def _with_comma(cell: str) -> str:
    return cell.replace(".", ",") if number(cell) is not None else cell


def _is_formula(cell: str) -> bool:
    if cell[:1] not in _BEGINS or not cell or _PLAIN.fullmatch(cell):
        return False
    return number(cell.replace(",", ".")) is None


class _Summary:
    """The number of rows of each class, and the figures if the table has the true values."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._target = getattr(model, "target_name_", None)
        self._rows = self._known = self._right = self._without = 0
        self._counts: Counter[Any] = Counter()
        self._errors = Errors()

    def add(self, frame: Frame, predicted: Array, whole: Array) -> None:
        """Count the rows of a piece."""
        self._rows += len(frame)
        self._without += int((~whole).sum())
        known = frame.column(self._target).take(whole) if self._target in frame.names else None
        if isinstance(self._model, Classifier):
            self._counts.update(predicted.tolist())
            if known and len(known):
                true = codes_of(known, self._model.classes_)
                right = self._model.classes_[true] == predicted
                self._known += int((true >= 0).sum())
                self._right += int((right & (true >= 0)).sum())
        elif known and known.kind == "number":
            there = ~known.missing
            self._errors.add(known.values[there], predicted[there])

    def __str__(self) -> str:
        summary = f"{self._rows:,} row{'s' * (self._rows != 1)}"
        if isinstance(self._model, Classifier):
            classes = self._model.classes_.tolist()
            summary += ": " + ", ".join(f"{self._counts[k]:,} {k}" for k in classes)
        if self._known:
            share = self._right / self._known
            summary += f"; {share:.4f} of the {self._known:,} known are right"
        if errors := self._errors.rows:
            r2, rmse = self._errors.r2, self._errors.rmse
            summary += f"; R² {r2:.4f}, RMSE {rmse:.6g} of the {errors:,} known"
        if self._without:
            summary += f"; {self._without:,} without a prediction, because values are missing"
        return summary
