"""`autograd-lite predict`: the class of each row of a table, by a trained model."""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import numpy as np

from autograd_lite.commands.output import write
from autograd_lite.data.tables import Examples, read_examples
from autograd_lite.models import load
from autograd_lite.models.classifier import Classifier


def add(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = (
        "Predict the class of each row with weights that `train` saved. The output is the table "
        "with more columns: the predicted class, and the probability of the second of two classes, "
        "or of each of more. Columns that the model does not use are kept."
    )
    parser.set_defaults(run=_run)
    option = parser.add_argument
    option("--weights", type=Path, required=True, metavar="FILE.npz", help="weights from `train`")
    option("--data", type=Path, required=True, metavar="FILE.csv", help="a table with a header row")
    option(
        "--out", type=Path, metavar="FILE.csv", help="where to write the table (default: stdout)"
    )


def _run(args: argparse.Namespace) -> None:
    model = load(args.weights)
    if not isinstance(model, Classifier):
        raise ValueError(f"{args.weights} holds a {model.title}, which has no classes to predict")
    examples = read_examples(args.data, _columns(model))
    # The columns are in the order of the model now, and have no names.
    vars(model).pop("feature_names_in_", None)
    write(_table(model, examples), args.out)
    print(_summary(model, examples), file=sys.stdout if args.out else sys.stderr)


def _columns(model: Classifier) -> Sequence[str] | int:
    """The names of the columns that the model was trained on, or their number."""
    return [*getattr(model, "feature_names_in_", ())] or model.n_features_in_


def _table(model: Classifier, examples: Examples) -> str:
    """The rows as CSV, with the predicted class and the probabilities."""
    classes = model.classes_[1:] if len(model.classes_) == 2 else model.classes_
    new = [
        " ".join(["predicted", getattr(model, "target_name_", "class")]),
        *(f"probability of {k}" for k in classes),
    ]
    # If the table already has predictions, replace them.
    kept = [k for k, name in enumerate(examples.header) if name not in new]
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*(examples.header[k] for k in kept), *new])
    predicted, p = model.predict(examples.X), model.predict_proba(examples.X)[:, -len(classes) :]
    for row, label, shares in zip(examples.rows, predicted, p, strict=True):
        writer.writerow([*(row[k] for k in kept), label, *(f"{share:.6g}" for share in shares)])
    return text.getvalue()


def _summary(model: Classifier, examples: Examples) -> str:
    """The number of rows of each class, and the accuracy if the table has the true classes."""
    predicted = [str(label) for label in model.predict(examples.X)]
    counts = Counter(predicted)
    classes = ", ".join(f"{counts[str(k)]} {k}" for k in model.classes_)
    summary = f"{len(predicted)} row{'s' * (len(predicted) != 1)}: {classes}"
    name = getattr(model, "target_name_", None)
    if name in examples.header:
        column = examples.header.index(name)
        known = [(row[column], k) for row, k in zip(examples.rows, predicted, strict=True)]
        known = [(y, k) for y, k in known if y in {str(label) for label in model.classes_}]
        if known:
            right = np.mean([y == k for y, k in known])
            summary += f"; {right:.4f} of the {len(known)} known are right"
    return summary
