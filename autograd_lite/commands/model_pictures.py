"""The pictures of `autograd-lite plot` that show models which the user has trained."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.commands.model_rows import ModelRows, model_rows
from autograd_lite.data.columns import Array
from autograd_lite.data.reading import few, read_table
from autograd_lite.models.classifier import Classifier
from autograd_lite.models.metrics import calibration, margins, roc
from autograd_lite.models.perceptron import Perceptron
from autograd_lite.models.regressor import Regressor
from autograd_lite.text import superscript
from autograd_lite.viz import style
from autograd_lite.viz.curves import layer_histograms, loss_curves
from autograd_lite.viz.decisions import confusion_matrix, decision_boundary
from autograd_lite.viz.scores import calibration_curves, predicted_against_true, roc_curves

__all__ = ["MODEL_PICTURES", "ModelPicture", "class_curves"]


class ModelPicture(NamedTuple):
    """A picture of models: its title, and the function that draws it and returns its Axes."""

    title: str
    axes: Callable[[argparse.Namespace], Any]


def class_curves(
    model: Classifier, X: Array, y: Array, positive: int
) -> dict[str, tuple[tuple[Array, Array], tuple[Array, Array, Array]]]:
    """The ROC and the calibration of each class.

    The curves of one of two classes say the same as those of the other, so only the class with the
    index `positive` has them.
    """
    scores, p = margins(model.predict_log_proba(X)), model.predict_proba(X)
    bins = int(np.clip(len(y) // 20, 1, 10))
    shown = [*enumerate(model.classes_)]
    shown = [shown[positive]] if len(shown) == 2 else shown
    return {
        f"class {c}": (roc(y == c, scores[:, k]), calibration(y == c, p[:, k], bins))
        for k, c in shown
    }


class _Slice:
    """A classifier as a function of two of its columns; the others keep one value."""

    def __init__(self, model: Classifier, pair: Sequence[int], others: Array) -> None:
        self.classes_ = model.classes_
        self._model, self._pair, self._others = model, pair, others

    def predict_proba(self, X: Any) -> Array:
        """The probability of each class, (rows, classes)."""
        rows = np.tile(self._others, (len(X), 1))
        rows[:, self._pair] = X
        return self._model.predict_proba(rows)


@style.styled
def _boundary(args: argparse.Namespace) -> Any:
    of = _only(args, Classifier)
    pair = _pair(args, of.names)
    model, columns = _Slice(of.model, pair, of.X.mean(axis=0)), [of.names[k] for k in pair]
    ax = decision_boundary(model, of.X[:, pair], of.y, columns=(columns[0], columns[1]))
    if others := len(of.names) - 2:
        other = "the other column at its mean"
        ax.set_title(other if others == 1 else f"the other {others} columns at their means")
    return ax


def _pair(args: argparse.Namespace, names: Sequence[str]) -> list[int]:
    """The indices of the two columns of X that a boundary is drawn over."""
    chosen = args.columns or names
    if len(chosen) != 2 or chosen[0] == chosen[1]:
        raise ValueError(
            f"plot boundary needs two columns of {args.files[0]}; choose them with --columns "
            f"from {few(names)}"
        )
    for name in chosen:
        if name not in names:
            raise ValueError(f"{args.files[0]} has no column {name!r}; it has {few(names)}")
    return [names.index(name) for name in chosen]


def _confusion(args: argparse.Namespace) -> Any:
    of = _only(args, Classifier)
    return confusion_matrix(of.y, of.model.predict(of.X), of.model.classes_)


@style.styled
def _curves(args: argparse.Namespace) -> Any:
    """ROC beside calibration, with a curve for each model, or each class of more than two."""
    if args.data == "-" and len(args.files) > 1:
        raise ValueError("standard input can be read for one model; give --data a file")
    curves: dict[str, Any] = {}
    for file, name in zip(args.files, _titles(args.files), strict=True):
        of = _checked(args, file, Classifier)
        found = class_curves(of.model, of.X, of.y, of.positive)
        if len(args.files) > 1:
            found = {name if len(found) == 1 else f"{name}, {k}": pair for k, pair in found.items()}
        curves |= found
    if len(curves) > len(style.SERIES):
        raise ValueError(f"{len(curves)} curves are too many to tell apart; at most 6 are drawn")
    axes = style.panels(1, 2, (9.2, 4.4))[0]
    roc_curves({name: found for name, (found, _) in curves.items()}, ax=axes[0])
    calibration_curves({name: found for name, (_, found) in curves.items()}, ax=axes[1])
    return axes


def _layers(args: argparse.Namespace) -> Any:
    of = _only(args, Perceptron)
    layers = sum(name.startswith("W") and name != "W" for name in of.model.parameters_)
    names = [f"h{superscript(f'({layer})')}" for layer in range(1, layers + 1)]
    return layer_histograms(of.model.loss_graph(of.X, of.y), names)


def _predicted(args: argparse.Namespace) -> Any:
    of = _only(args, Regressor)
    return predicted_against_true(of.y, of.model.predict(of.X), name=of.target)


def _losses(args: argparse.Namespace) -> Any:
    """The column `loss` of files as `train --report` writes them."""
    curves = {}
    for file, name in zip(args.files, _titles(args.files), strict=True):
        if file.suffix.lower() in (".npz", ".safetensors"):
            raise ValueError(
                f"{file} holds no losses; `train --report` writes them to {file.stem}-loss.csv"
            )
        column = read_table(file).column("loss")
        if column.kind != "number":
            raise ValueError(f"{file}: column 'loss' holds {column.kind}, not numbers")
        curves[name] = column.values.tolist()
    ax = loss_curves(curves)
    ax.set_xlabel("step or epoch")
    return ax


def _only(args: argparse.Namespace, kind: type) -> ModelRows:
    """The one model of the command, and its rows."""
    if len(args.files) > 1:
        raise ValueError(f"plot {args.name} shows one model, not {len(args.files)}")
    return _checked(args, args.files[0], kind)


_KINDS: dict[type, str] = {
    Classifier: "a classifier",
    Perceptron: "a perceptron",
    Regressor: "a regressor",
}


def _checked(args: argparse.Namespace, file: Path, kind: type) -> ModelRows:
    """A model of a kind, and its rows."""
    of = model_rows(args, file)
    if not isinstance(of.model, kind):
        raise ValueError(
            f"plot {args.name} needs {_KINDS[kind]}, not the {type(of.model).__name__} of {file}"
        )
    return of


def _titles(files: Sequence[Path]) -> list[str]:
    """The names of files without what is the same in all; those that are alike as paths."""
    stems = [file.stem.removesuffix("-loss") for file in files]
    alike = Counter(stems)
    titles = [
        stem if alike[stem] == 1 else str(file.with_name(stem))
        for file, stem in zip(files, stems, strict=True)
    ]
    if twice := [title for title, count in Counter(titles).items() if count > 1]:
        raise ValueError(f"{twice[0]} is given twice")
    return titles


MODEL_PICTURES: dict[str, ModelPicture] = {
    "boundary": ModelPicture("Where a classifier decides, over two of its columns", _boundary),
    "confusion": ModelPicture("Where a classifier is right and wrong", _confusion),
    "curves": ModelPicture("ROC and calibration of one or several classifiers", _curves),
    "layers": ModelPicture("Activations and gradients by layer of a perceptron", _layers),
    "loss-curves": ModelPicture("Losses, from NAME-loss.csv of `train --report`", _losses),
    "predicted": ModelPicture("Predicted over true numbers", _predicted),
}
"""Every picture of models by its name on the command line."""
