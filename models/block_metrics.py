"""Figures of a model on rows that are read block by block: one pass, and the memory of a block."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable
from typing import Any

import numpy as np

from autograd_lite.models import metrics
from autograd_lite.models.classifier import Classifier
from autograd_lite.models.inputs import numbers
from autograd_lite.models.metrics import Array, Figures, by_class, finite, indices, plain, rmse
from autograd_lite.models.regressor import Regressor
from autograd_lite.row_blocks import RowBlocks, together

__all__ = ["Errors", "Scores", "figures"]

_BINS = 1 << 12
_FIRST = 1 << 14  # rows


class Errors:
    """The errors of predicted numbers, block by block.

    Example:
        >>> errors = Errors()
        >>> errors.add(np.array([1.0, 2.0]), np.array([1.0, 2.5]))
        >>> errors.add(np.array([4.0]), np.array([4.5]))
        >>> round(errors.rmse, 3), round(errors.r2, 3)
        (0.408, 0.893)
    """

    def __init__(self) -> None:
        self.rows: int = 0
        self.mean: float = 0.0
        self._low, self._high = np.inf, -np.inf
        # Roots of sums of squares, which do not overflow where the numbers do not.
        self._error = self._spread = 0.0

    def add(self, y: Array, predicted: Array) -> None:
        """Add the true and the predicted numbers of more rows."""
        n = len(y)
        if not n:
            return
        root, mean = math.sqrt(n), float(np.mean(y, dtype=float))
        between = (mean - self.mean) * math.sqrt(self.rows * n / (self.rows + n))
        self._error = math.hypot(self._error, rmse(y, predicted) * root)
        self._spread = math.hypot(self._spread, rmse(y, mean) * root, between)
        self.mean += (mean - self.mean) * (n / (self.rows + n))
        self.rows += n
        self._low, self._high = min(self._low, float(y.min())), max(self._high, float(y.max()))

    @property
    def rmse(self) -> float:
        """The square root of the mean squared error."""
        return self._error / math.sqrt(self.rows)

    @property
    def r2(self) -> float:
        """R²; NaN if y is constant."""
        return math.nan if self._low == self._high else 1 - (self._error / self._spread) ** 2

    def rmse_of(self, number: float) -> float:
        """The root mean squared error of always predicting a number."""
        between = (self.mean - number) * math.sqrt(self.rows)
        return math.hypot(self._spread, between) / math.sqrt(self.rows)


class Scores:
    """Predicted classes and probabilities beside the true classes, block by block.

    The area under the ROC curve comes from a histogram of log-odds with 4,096 bins, in which rows
    of the same bin count as ties. Half of the bins are between quantiles of the first rows.

    Example:
        >>> scores = Scores(np.array(["no", "yes"]))
        >>> p = np.array([[0.2, 0.8], [0.9, 0.1]])
        >>> scores.add(np.array(["yes", "no"]), np.array(["yes", "no"]), np.log(p))
        >>> scores.accuracy, round(scores.log_loss, 4), scores.auc
        (1.0, 0.1643, (1.0, 0.0))
    """

    def __init__(self, classes: Array) -> None:
        k = len(classes)
        self.classes = classes
        self.counts: Array = np.zeros(
            (k, k), dtype=int
        )  # of the rows of each true and predicted class
        self.others: Counter[Any] = Counter()  # of the rows of classes that are not known
        self._loss = 0.0
        self._first: list[tuple[Array, Array]] = []  # until there are enough to choose bins
        self._edges: Array | None = None
        self._bins = np.zeros((2, k, _BINS), dtype=int)  # of negative and positive rows

    def add(self, y: Array, predicted: Array, log_p: Array) -> None:
        """Add the true and predicted classes and the logarithms of their probabilities."""
        if not len(y):
            return
        at, known = indices(y, self.classes)
        np.add.at(self.counts, (at[known], indices(predicted, self.classes)[0][known]), 1)
        self.others.update(y[~known].tolist())
        self._loss -= float(np.sum(log_p[np.arange(len(y)), at][known], dtype=float))
        self._first.append((_log_odds(log_p), np.where(known, at, -1)))
        if self._edges is not None or sum(len(at) for _, at in self._first) >= _FIRST:
            self._fill()

    def _fill(self) -> None:
        """Put the rows that wait into bins."""
        if not self._first:
            return
        odds, at = (np.concatenate(arrays) for arrays in zip(*self._first, strict=True))
        self._first.clear()
        if self._edges is None:
            self._edges = np.array([_edges(column) for column in odds.T])
        for k, edges in enumerate(self._edges):
            places = np.searchsorted(edges, odds[:, k], side="right")
            for sign, rows in enumerate((at != k, at == k)):
                self._bins[sign, k] += np.bincount(places[rows], minlength=_BINS)

    @property
    def rows(self) -> int:
        """The number of rows."""
        return int(self.counts.sum()) + self.others.total()

    @property
    def accuracy(self) -> float:
        """The share of rows whose class is predicted correctly."""
        return float(np.trace(self.counts)) / self.rows

    @property
    def log_loss(self) -> float:
        """The mean of −log of the probability of the true class."""
        return math.inf if self.others else self._loss / self.rows

    @property
    def auc(self) -> tuple[float, float]:
        """The mean area under the ROC curves, and the most that it can be wrong by."""
        self._fill()
        negative, positive = self._bins
        below = np.cumsum(negative, axis=1) - negative
        pairs = np.sum(positive * (below + negative / 2), axis=1)
        ties = np.sum(positive * negative, axis=1) / 2
        some = np.sum(positive, axis=1) * np.sum(negative, axis=1)
        with np.errstate(invalid="ignore"):
            return float(np.mean(pairs / some)), float(np.mean(ties / some))

    def baseline_log_loss(self, counts: Array) -> float:
        """The loss of always predicting the shares of the classes, given by their counts."""
        true = self.counts.sum(axis=1)
        if self.others or (counts[true > 0] == 0).any():
            return math.inf
        shares = np.log(counts[true > 0] / counts.sum())
        return float(-np.sum(true[true > 0] * shares)) / self.rows


def _log_odds(log_p: Array) -> Array:
    if log_p.shape[1] == 2:
        return metrics.margins(log_p)
    with np.errstate(divide="ignore"):
        return np.asarray(log_p - np.log(-np.expm1(np.minimum(log_p, 0))), dtype=float)


def _edges(odds: Array) -> Array:
    """Edges of bins: quantiles of the first log-odds, and others for those that come later."""
    half = _BINS // 2
    ranked = np.sort(odds)
    quantiles = ranked[(np.arange(half) * len(ranked)) // half]
    later = np.sinh(np.linspace(-9, 9, _BINS - 1 - half)) / 100  # to ±40
    return np.sort(np.concatenate([quantiles, later]))


def figures(model: Classifier | Regressor, X: Any, y: Any, y_train: Any) -> Figures:
    """The figures of `metrics.figures`, also for rows that are read block by block.

    For data by blocks of a classifier there is one figure more, `auc_within`: the most that `auc`
    can differ from the area of all rows; see `Scores`.

    Raises the same errors as `predict`.

    Example:
        >>> from autograd_lite.models import LogisticRegression
        >>> from autograd_lite.row_sources import ArraySource
        >>> X, y = np.array([[0.0], [1.0], [3.0], [4.0]]), np.array([0, 1, 0, 1])
        >>> model = LogisticRegression().fit(X, y)
        >>> rows, labels = (RowBlocks(ArraySource(array, 3)) for array in (X, y))
        >>> found = figures(model, rows, labels, labels)
        >>> found["auc"], found["auc_within"]
        (0.75, 0.0)
    """
    if not isinstance(X, RowBlocks):
        return metrics.figures(model, X, y, y_train)
    found: Figures
    if isinstance(model, Regressor):
        errors, training = Errors(), Errors()
        for block, target in together([X, y]):
            target = numbers(target)
            errors.add(target, model.predict(block) if len(target) else target)
        for target in y_train:
            training.add(numbers(target), numbers(target))
        baseline = errors.rmse_of(training.mean)
        found = {"r2": errors.r2, "rmse": errors.rmse, "baseline_rmse": baseline}
    else:
        scores = Scores(model.classes_)
        for block, target in together([X, y]):
            if len(target):
                scores.add(target, model.predict(block), model.predict_log_proba(block))
        found = _of_classes(scores, y_train)
    return {name: finite(value) for name, value in found.items()}


def _of_classes(scores: Scores, y_train: Iterable[Array]) -> Figures:
    counts = np.zeros(len(scores.classes), dtype=int)
    for target in y_train:
        counts += np.bincount(indices(target, scores.classes)[0], minlength=len(counts))
    most = int(counts.argmax())
    true = scores.counts.sum(axis=1)
    area, within = scores.auc
    tallies = true, scores.counts.sum(axis=0), np.diagonal(scores.counts)
    return {
        "accuracy": scores.accuracy,
        "baseline": float(true[most]) / scores.rows,
        "majority": plain(scores.classes[most]),
        "log_loss": scores.log_loss,
        "baseline_log_loss": scores.baseline_log_loss(counts),
        "auc": area,
        "auc_within": within,
        "classes": by_class(scores.classes, *tallies, dict(sorted(scores.others.items()))),
    }
