"""How well a model predicts rows that it was not trained on, beside the simplest prediction."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from autograd_lite.models.classifier import Classifier
from autograd_lite.models.inputs import numbers
from autograd_lite.models.regressor import Regressor

__all__ = [
    "auc", "below_baseline", "by_class", "calibration", "figures", "finite", "indices", "log_loss",
    "margins", "plain", "r2", "rmse", "roc",
]  # fmt: skip

Array = npt.NDArray[Any]
Figures = dict[str, Any]


# Classes


def log_loss(y: Array, classes: Array, log_p: Array) -> float:
    """The mean of −log of the probability of the true class.

    Args:
        y: the true classes, (rows,).
        classes: all classes, sorted.
        log_p: the logarithm of the probability of each class, (rows, classes), so that a
            probability that rounds to 0 has a finite loss.

    Returns:
        The loss; infinite if y has a class that is not one of `classes`.
    """
    at, known = indices(y, classes)
    with np.errstate(over="ignore"):
        return float(np.mean(np.where(known, -log_p[np.arange(len(y)), at], np.inf), dtype=float))


def margins(log_p: Array) -> Array:
    """What orders the rows by the probability of each class, (rows, classes).

    For two classes it is the log-odds, which still differ where both logarithms round.
    """
    log_p = np.asarray(log_p, dtype=float)
    return log_p - log_p[:, ::-1] if log_p.shape[1] == 2 else log_p


def roc(positive: Array, score: Array) -> tuple[Array, Array]:
    """The false and the true positive rate for each threshold on a score, the highest first.

    The curve runs from (0, 0) to (1, 1), and points on its straight lines are left out. A rate is
    NaN if no row could count for it.

    Example:
        >>> false, true = roc(np.array([True, False, True]), np.array([0.9, 0.5, 0.2]))
        >>> false.tolist(), true.tolist()
        ([0.0, 0.0, 1.0, 1.0], [0.0, 0.5, 0.5, 1.0])
    """
    counts = _passed(positive, score)
    ends, steps = counts[:, -1:], np.diff(counts)
    turns = steps[0, 1:] * steps[1, :-1] != steps[0, :-1] * steps[1, 1:]
    corners = counts[:, np.concatenate([[True], turns, [True]])]
    false, true = np.where(ends > 0, corners / np.maximum(ends, 1), np.nan)
    return false, true


def auc(positive: Array, score: Array) -> float:
    """The area under the ROC curve.

    It is the probability that a positive row has a higher score than a negative one, where a tie
    counts half. NaN if there are no rows of one kind.

    Example:
        >>> auc(np.array([True, False, True]), np.array([0.9, 0.5, 0.5]))
        0.75
    """
    false, true = _passed(positive, score)
    pairs = int(false[-1]) * int(true[-1])
    twice = int(np.sum(np.diff(false) * (true[1:] + true[:-1])))
    return twice / (2 * pairs) if pairs else math.nan


def _passed(positive: Array, score: Array) -> Array:
    """How many negative and positive rows have at least each of the scores, from none to all."""
    order = np.argsort(score)[::-1]
    ranked = score[order]
    last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
    true = np.cumsum(positive[order])[last]
    return np.array([np.append(0, last + 1 - true), np.append(0, true)])


def calibration(
    positive: Array,
    probability: Array,
    bins: int = 10,
    strategy: Literal["quantile", "uniform"] = "quantile",
) -> tuple[Array, Array, Array]:
    """The mean probability, the share of positive rows and the number of rows of each bin.

    Bins are of equally many rows, as far as equal probabilities allow ("quantile"), or of equal
    width ("uniform"); empty ones are left out.

    Example:
        >>> p, share, rows = calibration(np.array([False, True]), np.array([0.2, 0.8]), 2)
        >>> p.tolist(), share.tolist(), rows.tolist()
        ([0.2, 0.8], [0.0, 1.0], [1, 1])
    """
    if strategy == "quantile":
        edges = np.sort(probability)[(np.arange(1, bins) * len(probability) - 1) // bins]
    else:
        edges = np.linspace(0, 1, bins + 1)[1:-1]
    bin_of = np.searchsorted(edges, probability)
    rows = np.bincount(bin_of, minlength=bins)
    sums = [np.bincount(bin_of, weights, bins) for weights in (probability, positive)]
    some = rows > 0
    mean, share = (total[some] / rows[some] for total in sums)
    return mean, share, rows[some]


def indices(y: Array, classes: Array) -> tuple[Array, Array]:
    """The index of the class of each row, and whether it is one of the classes."""
    at = np.minimum(np.searchsorted(classes, y), len(classes) - 1)
    return at, np.asarray(classes[at] == y, dtype=bool)


# Numbers


def rmse(y: Array, predicted: Any) -> float:
    """The square root of the mean squared error, in the unit of y."""
    with np.errstate(over="ignore", invalid="ignore"):
        error = np.abs(np.subtract(predicted, y, dtype=float))
        largest = error.max() or 1.0
        # Scaled, so that no square overflows or vanishes.
        return float(largest * np.sqrt(np.mean((error / largest) ** 2)))


def r2(y: Array, predicted: Array) -> float:
    """R²: 1 less the squared error over that of the mean of y; NaN if y is constant."""
    if not np.ptp(y):
        return math.nan
    ratio = rmse(y, predicted) / rmse(y, np.mean(y, dtype=float))
    return 1 - ratio * ratio


# Of a model


def figures(
    model: Classifier | Regressor, X: npt.ArrayLike, y: npt.ArrayLike, y_train: npt.ArrayLike
) -> Figures:
    """The figures of a model on held-out rows, for JSON: what has no finite value is None.

    Args:
        model: a fitted classifier or regressor.
        X: the held-out rows, (rows, columns).
        y: their targets, (rows,).
        y_train: the targets of the training rows, which the baselines are taken from.

    Returns:
        For a classifier `accuracy`; `baseline`, the accuracy of always predicting `majority`, the
        most frequent class of the training rows; `log_loss`; `baseline_log_loss` of predicting
        the share of each class in the training rows; `auc`, for more than two classes the mean of
        each class against the rest, None if a class has no held-out row; and `classes` with the
        `precision` (None if the class is never predicted), the `recall` (None if it has no
        held-out row) and the held-out `rows` of each class by its name.

        For a regressor `r2`, `rmse`, and `baseline_rmse` of predicting the mean of the training
        rows.

    Raises the same errors as `predict` and `score`.

    Example:
        >>> from autograd_lite.models import LinearRegression
        >>> model = LinearRegression().fit([[0.0], [1.0], [2.0]], [0.0, 2.0, 4.0])
        >>> {k: round(v, 3) for k, v in figures(model, [[0.0], [3.0]], [0, 7], [0, 2, 4]).items()}
        {'r2': 0.959, 'rmse': 0.707, 'baseline_rmse': 3.808}
    """
    if isinstance(model, Regressor):
        true, mean = numbers(np.asarray(y)), np.mean(numbers(np.asarray(y_train)), dtype=float)
        predicted = model.predict(X)
        errors = {"rmse": rmse(true, predicted), "baseline_rmse": rmse(true, mean)}
        found: Figures = {"r2": r2(true, predicted)} | errors
    else:
        found = _of_classes(model, X, np.asarray(y), np.asarray(y_train))
    return {name: finite(value) for name, value in found.items()}


def _of_classes(model: Classifier, X: npt.ArrayLike, y: Array, y_train: Array) -> Figures:
    classes, log_p = model.classes_, model.predict_log_proba(X)
    at, known = indices(y, classes)
    scores = margins(log_p).T
    areas = [auc(known & (at == k), score) for k, score in enumerate(scores)]
    counts = np.bincount(indices(y_train, classes)[0], minlength=len(classes))
    with np.errstate(divide="ignore"):
        shares = np.log(counts / counts.sum())
    majority = classes[counts.argmax()]
    return {
        "accuracy": model.score(X, y),
        "baseline": float(np.mean(y == majority)),
        "majority": plain(majority),
        "log_loss": log_loss(y, classes, log_p),
        "baseline_log_loss": log_loss(y, classes, np.tile(shares, (len(y), 1))),
        "auc": float(np.mean(areas)),
        "classes": _by_class(y, model.predict(X), classes),
    }


def _by_class(y: Array, predicted: Array, classes: Array) -> dict[str, Figures]:
    at, known = indices(y, classes)
    guess, size = indices(predicted, classes)[0], len(classes)
    rows = np.bincount(at[known], minlength=size)
    guesses = np.bincount(guess, minlength=size)
    hits = np.bincount(at[known & (at == guess)], minlength=size)
    others = dict(zip(*np.unique(y[~known], return_counts=True), strict=True))
    return by_class(classes, rows, guesses, hits, others)


def by_class(
    classes: Array, rows: Array, guesses: Array, hits: Array, others: Mapping[Any, int]
) -> dict[str, Figures]:
    """Precision, recall and the number of rows of each class, those that are not known last.

    Of each class `rows` have it, it is predicted for `guesses`, and correctly for `hits`; `others`
    are the rows of classes that are not known.
    """
    counts = (array.tolist() for array in (hits, guesses, rows))
    found = {
        str(k): {
            "precision": right / guessed if guessed else None,
            "recall": right / true if true else None,
            "rows": true,
        }
        for k, right, guessed, true in zip(classes, *counts, strict=True)
    }
    return found | {
        str(k): {"precision": None, "recall": 0.0, "rows": int(n)} for k, n in others.items()
    }


def finite(value: Any) -> Any:
    """None instead of a number that is not finite."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


def plain(label: Any) -> Any:
    """A label as JSON has it."""
    label = getattr(label, "item", lambda: label)()
    return label if isinstance(label, (bool, int, float, str)) else str(label)


def below_baseline(name: str, figures: Figures) -> str | None:
    """The sentence that says that a model does not beat its baseline; None if it does.

    A classifier has to beat it both in accuracy and in log-loss.

    Example:
        >>> found = {"accuracy": 0.61, "baseline": 0.63, "majority": "no"}
        >>> below_baseline("mlp", found | {"log_loss": 0.7, "baseline_log_loss": 0.66})
        "mlp does not beat always predicting 'no': accuracy 0.6100, baseline 0.6300"
    """
    if "rmse" in figures:
        error, limit = _number(figures["rmse"]), _number(figures["baseline_rmse"])
        if error < limit:
            return None
        said = f"RMSE {error:.6g}, baseline {limit:.6g}"
        return f"{name} does not beat always predicting the mean of the training rows: {said}"
    loss, limit = _number(figures["log_loss"]), _number(figures["baseline_log_loss"])
    losses = f"log-loss {loss:.4f}, baseline {limit:.4f}"
    if figures["accuracy"] > figures["baseline"]:
        if loss < limit or loss == limit == math.inf:
            return None
        return (
            f"the probabilities of {name} do not beat the shares of the classes in the training "
            f"rows: {losses}"
        )
    said = f"accuracy {figures['accuracy']:.4f}, baseline {figures['baseline']:.4f}"
    better = f"; its probabilities do ({losses})" if loss < limit else ""
    return f"{name} does not beat always predicting {figures['majority']!r}: {said}{better}"


def _number(figure: float | None) -> float:
    return math.inf if figure is None else figure
