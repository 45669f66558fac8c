"""`autograd-lite predict`: what a trained model predicts for each row of a table."""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Sequence
from io import StringIO
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from autograd_lite.commands.folder import notice
from autograd_lite.commands.output import message, write
from autograd_lite.commands.table import Fitted, add_reading, listed, read
from autograd_lite.data.cells import number
from autograd_lite.data.columns import Array
from autograd_lite.data.reading import Frame
from autograd_lite.data.targets import codes_of
from autograd_lite.models import load
from autograd_lite.models.classifier import Classifier
from autograd_lite.models.metrics import r2, rmse


def add(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = (
        "Predict the target of each row with weights that `train` saved. The output is the table "
        "as CSV with more columns: the prediction, and the probability of one of two classes, or "
        "of each of more. Columns that the model does not use are kept."
    )
    parser.set_defaults(run=_run)
    option = parser.add_argument
    option("--weights", type=Path, required=True, metavar="FILE.npz", help="weights from `train`")
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
    frame = read(args, args.data, text=saved.encoder.texts, cells=True)
    encoder = Fitted.of(model, frame.names).encoder
    if len(encoder.names) != model.n_features_in_:
        raise ValueError(
            f"{frame.source} has {len(encoder.names)} columns, but the model was fitted with "
            f"{model.n_features_in_} without names"
        )
    for name, texts in encoder.unseen(frame).items():
        message(f"column {name!r}: {listed(texts)} not seen in training; taken as missing")
    for line in encoder.filled(frame):
        message(line)
    X = encoder.encode(frame)
    whole = np.asarray(~np.isnan(X).any(axis=1))
    # The columns are in the order of the model now, and have no names.
    vars(model).pop("feature_names_in_", None)
    predicted = model.predict(X[whole]) if whole.any() else np.empty(0)
    new = _new_columns(model, saved.positive, X[whole], predicted)
    write(
        _table(frame, {name: _spread(new[name], whole) for name in new}, args.quote_formulas),
        args.out,
    )
    print(_summary(model, frame, predicted, whole), file=sys.stdout if args.out else sys.stderr)


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


def _table(frame: Frame, new: dict[str, list[str]], quote: bool) -> str:
    """The rows as CSV with the new columns; predictions that the table has already are replaced."""
    old = dict(zip(frame.names, frame.cells, strict=True))
    columns = {name: cells for name, cells in old.items() if name not in new}
    if frame.decimal != ".":
        shown = {name: [_with_comma(cell) for cell in cells] for name, cells in new.items()}
        columns |= shown
    else:
        columns |= new
    every = [*columns, *chain.from_iterable(columns.values())]
    formulas = [cell for cell in every if _is_formula(cell)]
    if formulas and not quote:
        message(
            f"a spreadsheet may compute {len(formulas)} cell{'s' * (len(formulas) != 1)}, such as "
            f"{formulas[0][:30]!r}; --quote-formulas puts ' before them"
        )
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n", delimiter=frame.separator)
    for row in [tuple(columns), *zip(*columns.values(), strict=True)]:
        writer.writerow([f"'{cell}" if quote and _is_formula(cell) else cell for cell in row])
    return text.getvalue()


def _with_comma(cell: str) -> str:
    return cell.replace(".", ",") if number(cell) is not None else cell


def _is_formula(cell: str) -> bool:
    return cell[:1] in ("=", "+", "-", "@", "\t", "\r") and number(cell.replace(",", ".")) is None


def _summary(model: Any, frame: Frame, predicted: Array, whole: Array) -> str:
    """The number of rows of each class, and the figures if the table has the true values."""
    summary = f"{len(frame):,} row{'s' * (len(frame) != 1)}"
    target = getattr(model, "target_name_", None)
    known = frame.column(target).take(whole) if target in frame.names else None
    if isinstance(model, Classifier):
        counts = Counter(predicted.tolist())
        summary += ": " + ", ".join(f"{counts[k]:,} {k}" for k in model.classes_.tolist())
        true = codes_of(known, model.classes_) if known else np.full(len(predicted), -1)
        there = true >= 0
        if there.any():
            right = np.mean(model.classes_[true[there]] == predicted[there])
            summary += f"; {right:.4f} of the {there.sum():,} known are right"
    elif known and known.kind == "number" and not known.missing.all():
        there = ~known.missing
        y, ŷ = known.values[there], predicted[there]
        summary += f"; R² {r2(y, ŷ):.4f}, RMSE {rmse(y, ŷ):.6g} of the {len(y):,} known"
    if not whole.all():
        summary += f"; {(~whole).sum():,} without a prediction, because values are missing"
    return summary
