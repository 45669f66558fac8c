"""`autograd-lite predict`: what a trained model says about the rows of a table."""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from io import StringIO
from pathlib import Path

import numpy as np

from autograd_lite.data.tables import Examples, read_examples
from autograd_lite.files import atomic
from autograd_lite.models import load
from autograd_lite.models.classifier import Classifier


def add(parser: argparse.ArgumentParser) -> None:
    """The options of the command."""
    parser.description = (
        "Predict the class of each row with weights that `train` saved. The table comes back with "
        "two columns more: the class, and the probability of the second class. Columns that the "
        "model does not know are carried along."
    )
    parser.set_defaults(run=_run)
    option = parser.add_argument
    option("--weights", type=Path, required=True, metavar="FILE.npz", help="what `train` saved")
    option("--data", type=Path, required=True, metavar="FILE.csv", help="a table with a header")
    option("--out", type=Path, metavar="FILE.csv", help="(default: standard output)")


def _run(args: argparse.Namespace) -> None:
    model = load(args.weights)
    examples = read_examples(args.data, model.feature_names_in_ or model.n_features_in_)
    text = _table(model, examples)
    if args.out is None:
        print(text, end="")
        print(_summary(model, examples), file=sys.stderr)
        return
    with atomic(args.out) as file:
        file.write(text)
    print(f"{_summary(model, examples)}\nwritten to {args.out}")


def _table(model: Classifier, examples: Examples) -> str:
    """The rows with the class and the probability of the second class beside them."""
    second = model.classes_[1]
    new = [" ".join(["predicted", model.target_name_ or "class"]), f"probability of {second}"]
    # A table that was predicted before gets the new columns in place of the old.
    kept = [k for k, name in enumerate(examples.header) if name not in new]
    text = StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow([*(examples.header[k] for k in kept), *new])
    predicted, p = model.predict(examples.X), model.predict_proba(examples.X)[:, 1]
    for row, label, probability in zip(examples.rows, predicted, p, strict=True):
        writer.writerow([*(row[k] for k in kept), label, f"{probability:.6g}"])
    return text.getvalue()


def _summary(model: Classifier, examples: Examples) -> str:
    """How many rows of each class, and how many are right where the table says it."""
    predicted = [str(label) for label in model.predict(examples.X)]
    counts = Counter(predicted)
    classes = ", ".join(f"{counts[str(k)]} {k}" for k in model.classes_)
    words = f"{len(predicted)} row{'s' * (len(predicted) != 1)}: {classes}"
    if model.target_name_ in examples.header:
        column = examples.header.index(model.target_name_)
        known = [(row[column], k) for row, k in zip(examples.rows, predicted, strict=True)]
        known = [(y, k) for y, k in known if y in {str(label) for label in model.classes_}]
        if known:
            right = np.mean([y == k for y, k in known])
            words += f"; {right:.4f} of the {len(known)} known are right"
    return words
