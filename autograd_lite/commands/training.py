"""What `train` trains on and with: the rows of a table, and the models it chooses for them."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, cast

import numpy as np

from autograd_lite.commands.output import message
from autograd_lite.data.columns import Array
from autograd_lite.data.encoder import Encoder, Missing
from autograd_lite.data.reading import Frame
from autograd_lite.data.tables import folds
from autograd_lite.data.targets import Task
from autograd_lite.models import (
    ConvergenceWarning,
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
)
from autograd_lite.models.checkpoint import Checkpoint
from autograd_lite.models.classifier import Classifier
from autograd_lite.models.metrics import Figures, figures
from autograd_lite.models.regressor import Regressor
from autograd_lite.row_blocks import RowBlocks

__all__ = [
    "MODELS",
    "Data",
    "Encoded",
    "Model",
    "Trained",
    "complaints",
    "cross_validated",
    "trained",
]

Model = Classifier | Regressor
Chosen = Mapping[str, tuple[type[Model], Mapping[str, Any]]]
"""Models to train, by name: the class and its settings."""

MODELS: dict[Task, dict[str, type[Model]]] = {
    "classification": {"logistic-regression": LogisticRegression, "mlp": MLPClassifier},
    "regression": {"linear-regression": LinearRegression, "mlp": MLPRegressor},
}
"""The models for each task, by the names of their files."""


class Data(NamedTuple):
    """The rows that have a target, of the columns to learn from, and what to do without a value."""

    frame: Frame
    y: Array
    task: Task
    missing: Missing = "mean"

    @property
    def groups(self) -> Array:
        """The group of each row; of each the same share is held out."""
        return self.y if self.task == "classification" else np.zeros(len(self.y))

    def folds(self, k: int, seed: int) -> Array:
        """The fold of each row; raises ValueError if a class has fewer rows than folds."""
        try:
            return folds(self.groups, k, random_state=seed)
        except ValueError as error:
            raise ValueError(f"{self.frame.source}: --cv {k}: {error}") from None

    def encoded(self, train: Array, test: Array) -> Encoded:
        """X and y of both parts, by an encoder that is learned from the training rows alone."""
        encoder = Encoder.learn(self.frame.take(train), self.missing)
        held_out = self.frame.take(test)
        X, X_test = encoder.encode(self.frame.take(train)), encoder.encode(held_out)
        whole = ~np.isnan(X_test).any(axis=1)
        if not whole.any():
            raise ValueError(f"{self.frame.source}: no held-out row has all values; --missing mean")
        y, y_test = self.y[train], self.y[test][whole]
        return Encoded(encoder, X, X_test[whole], y, y_test, encoder.unseen(held_out))


class Encoded(NamedTuple):
    """The rows to train on and those held out as numbers, and what they were encoded by.

    They are arrays, or `RowBlocks` of a table that may be larger than memory. `unseen` are the
    categories of held-out rows that no training row has.
    """

    encoder: Encoder
    X_train: Any
    X_test: Any
    y_train: Any
    y_test: Any
    unseen: dict[str, Counter[str]]

    @property
    def classes(self) -> Array:
        """The different targets of the training rows."""
        blocks = self.y_train if isinstance(self.y_train, RowBlocks) else [self.y_train]
        return np.unique(np.concatenate([np.unique(block) for block in blocks]))

    @property
    def first(self) -> tuple[Array, Array]:
        """The training rows, or the first of them if they are read by blocks."""
        X, y = self.X_train, self.y_train
        return (X.head, y.head) if isinstance(X, RowBlocks) else (X, y)


class Trained(NamedTuple):
    """The models that were trained, by name, and whether Ctrl-C ended the training early."""

    models: dict[str, Model]
    interrupted: bool


def trained(
    chosen: Chosen, X: Any, y: Any, checkpoint: Callable[[str], Checkpoint] | None = None
) -> Trained:
    """Train models, each a class with its settings, until all are or Ctrl-C is pressed.

    `checkpoint` gives that of a model by its name.

    Raises KeyboardInterrupt if no model was trained by then.
    """
    models: dict[str, Model] = {}
    for name, (kind, settings) in chosen.items():
        try:
            with _named(kind.title):
                models[name] = kind(**settings)._fit(X, y, None, checkpoint and checkpoint(name))
        except KeyboardInterrupt:
            if not models:
                raise
            return Trained(models, True)
        if models[name].interrupted_:
            return Trained(models, True)
    return Trained(models, False)


def cross_validated(chosen: Chosen, data: Data, k: int, random: int) -> dict[str, list[Figures]]:
    """The figures of each model on each of k folds, trained on the others.

    Raises ValueError if a class has fewer rows than folds.
    """
    fold = data.folds(k, random)
    found: dict[str, list[Figures]] = {name: [] for name in chosen}
    for part in range(k):
        train, test = np.flatnonzero(fold != part), np.flatnonzero(fold == part)
        rows = data.encoded(train, test)
        models, interrupted = trained(chosen, rows.X_train, rows.y_train)
        if interrupted:
            raise KeyboardInterrupt
        for name, model in models.items():
            found[name].append(figures(model, rows.X_test, rows.y_test, rows.y_train))
    return found


@contextmanager
def complaints() -> Iterator[None]:
    """Show each different warning once, as a message in one line."""
    shown: set[str] = set()

    def show(warning: Warning | str, *_: Any, **__: Any) -> None:
        if str(warning) not in shown:
            shown.add(str(warning))
            message(f"warning: {warning}")

    with warnings.catch_warnings():
        warnings.simplefilter("always", ConvergenceWarning)
        warnings.showwarning = cast(Any, show)
        yield


@contextmanager
def _named(title: str) -> Iterator[None]:
    """Show warnings with the title of the model that they are about."""
    show = warnings.showwarning

    def named(warning: Warning | str, *args: Any, **options: Any) -> None:
        show(f"{title}: {warning}", *args, **options)

    with warnings.catch_warnings():
        warnings.showwarning = cast(Any, named)
        yield
