"""The base class of the classifiers: any number of classes, by cross-entropy."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

import autograd_lite as ag
from autograd_lite.models.block_predict import by_blocks, score
from autograd_lite.models.block_rows import are_blocks
from autograd_lite.models.estimator import Array, Estimator, reduced
from autograd_lite.models.inputs import row_weights, target

__all__ = ["Classifier"]


@dataclass(kw_only=True, eq=False, repr=False)
class Classifier(Estimator):
    """A model of two or more classes, trained on cross-entropy.

    For two classes z are the log-odds of the second, (rows,), and ŷ = σ(z) is its probability; for
    more, z and ŷ = softmax(z) are (rows, classes), and y has a row of zeros and a one for each
    example. After `fit`: `classes_`, sorted, and what every `Estimator` has.
    """

    class_weight: Literal["balanced"] | Mapping[Any, float] | None = None

    if TYPE_CHECKING:
        classes_: Array = field(init=False)

    kind: ClassVar[Literal["classifier", "regressor"]] = "classifier"
    score_name: ClassVar[str] = "accuracy"
    output_name: ClassVar[str] = "z"
    curvature: ClassVar[float] = 0.25

    def link(self, z: ag.Tensor) -> ag.Tensor:
        """The probabilities ŷ of outputs z."""
        ŷ = ag.sigmoid(z) if z.ndim == 1 else ag.softmax(z)
        return ŷ.named("ŷ")

    def formula(self, z: str, several: bool) -> str:
        """How ŷ follows from z."""
        return f"ŷ = {'softmax' if several else 'σ'}({z})"

    def cost(self, ŷ: ag.Tensor, y: ag.Tensor, reduction: str) -> ag.Tensor:
        """Cross-entropy: −log of the probability of the true class."""
        if ŷ.ndim == 1:
            L: ag.Tensor = ag.binary_cross_entropy(ŷ, y, reduction=reduction)
            return L
        return reduced(-np.sum(y * np.log(ŷ), axis=1), reduction)

    @by_blocks
    def decision_function(self, X: npt.ArrayLike) -> Array:
        """The outputs z: for two classes the log-odds of the second, (rows,), log(p / (1 − p)).

        For more classes, (rows, classes): the logarithms of the probabilities, up to a constant in
        each row.
        """
        return self._output(X, "decision_function")

    @by_blocks
    def predict(self, X: npt.ArrayLike) -> Array:
        """The most probable class of each row, (rows,).

        Raises:
            ValueError: if an output is NaN because the features of its row are too large.
        """
        z = self._output(X, "predict")
        return np.asarray(self.classes_[_chosen(z)])

    @by_blocks
    def predict_proba(self, X: npt.ArrayLike) -> Array:
        """The probability of each class, (rows, classes), in the order of `classes_`."""
        z = self._output(X, "predict_proba")
        return np.asarray(ag.softmax(z) if z.ndim == 2 else _pair(ag.sigmoid(-z), ag.sigmoid(z)))

    @by_blocks
    def predict_log_proba(self, X: npt.ArrayLike) -> Array:
        """The logarithms of the probabilities; finite where these round to 0."""
        z = self._output(X, "predict_log_proba")
        logs = ag.log_softmax(z) if z.ndim == 2 else _pair(-ag.softplus(z), -ag.softplus(-z))
        return np.asarray(logs)

    def score(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> float:
        """The accuracy: the fraction of rows whose class is predicted correctly."""
        if are_blocks(X):
            return score(self, X, y, sample_weight)
        predicted = self.predict(X)
        labels, weights = target(y, len(predicted)), row_weights(sample_weight, len(predicted))
        self._check_labels(labels)
        return float(np.average(predicted == labels, weights=weights))

    def score_of(self, z: Array, y: Array, weights: Array | None) -> float:
        return float(np.average(_chosen(z) == self.groups(y), weights=weights))

    def _check_labels(self, labels: Array) -> None:
        if _is_text(labels) != _is_text(self.classes_):
            kinds = ("numbers", "text")
            raise ValueError(
                f"y holds {kinds[_is_text(labels)]}, but the classes are "
                f"{kinds[_is_text(self.classes_)]}: {', '.join(map(str, self.classes_[:5]))}"
            )

    def chosen(self, z: Array) -> Array:
        """The number of the most probable class of each row."""
        return _chosen(z)

    def groups(self, y: Array) -> Array:
        return np.asarray(y.argmax(axis=1) if y.ndim == 2 else y, dtype=int)

    def _partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        if isinstance(self.class_weight, str):
            raise ValueError(
                f"partial_fit: class_weight={self.class_weight!r} needs all rows at once; give a "
                "weight for each class"
            )
        known = None if classes is None else _encoded(target(classes, len(classes)), None)[0]
        if known is not None and not np.array_equal(getattr(self, "classes_", known), known):
            raise ValueError(
                f"partial_fit: the classes {', '.join(map(str, known))} are not the same as on "
                f"the first call, {', '.join(map(str, self.classes_))}"
            )
        return self._continue(X, y, sample_weight, known)

    def _targets(
        self, y: Array, weights: Array | None, classes: Array | None
    ) -> tuple[Array, Array | None, dict[str, Any]]:
        classes, codes = _encoded(y, classes)
        if self.class_weight is not None:
            weights = np.ones(len(y)) if weights is None else weights
            weights = weights * self._class_weights(classes, codes, weights)[codes]
        return _as_numbers(codes, classes), weights, {"classes_": classes}

    def _encoding(
        self, facts: Any, classes: Array | None
    ) -> tuple[Callable[[Array], Array], Array | None, Array, dict[str, Any]]:
        classes, codes = _encoded(facts.labels, classes)
        sums, factors = np.bincount(codes, facts.label_weights, len(classes)), None
        if self.class_weight is not None:
            factors = self._class_weights(classes, codes, facts.label_weights)
        return partial(_encode, classes), factors, sums, {"classes_": classes}

    def _class_weights(self, classes: Array, codes: Array, weights: Array) -> Array:
        """The weight of each class; "balanced" gives all classes the same sum of weights."""
        given = self.class_weight
        if isinstance(given, str) and given == "balanced":
            sums = np.bincount(codes, weights=weights, minlength=len(classes))
            present = sums > 0
            return np.where(present, sums.sum() / (present.sum() * np.where(present, sums, 1)), 0)
        if not isinstance(given, Mapping):
            raise ValueError(f'class_weight must be "balanced", a mapping or None, not {given!r}')
        factors = np.ones(len(classes))
        for label, factor in given.items():
            same = np.array([bool(label == known) for known in classes])
            if not same.any():
                raise ValueError(
                    f"class_weight names {label!r}; the classes are {', '.join(map(str, classes))}"
                )
            if not (isinstance(factor, (int, float, np.number)) and 0 <= factor < np.inf):
                raise ValueError(
                    f"class_weight of {label!r} must be a number of at least 0, not {factor!r}"
                )
            factors[same] = factor
        if not (factors[codes] * weights).any():
            raise ValueError("class_weight is zero for the class of every row")
        return factors


def _as_numbers(codes: Array, classes: Array) -> Array:
    """The targets as numbers: 0 and 1, or for more classes a column for each."""
    return codes if len(classes) == 2 else np.eye(len(classes))[codes]


def _encode(classes: Array, y: Array) -> Array:
    return _as_numbers(_encoded(y, classes)[1], classes)


def _is_text(labels: Array) -> bool:
    return isinstance(labels[0], (str, bytes))


def _chosen(z: Array) -> Array:
    """The index of the most probable class of each row."""
    return np.asarray(z.argmax(axis=1) if z.ndim == 2 else z > 0, dtype=int)


def _pair(first: Any, second: Any) -> Array:
    return np.column_stack([first, second])


def _encoded(y: Array, classes: Array | None) -> tuple[Array, Array]:
    """The classes, sorted, and the index of the class of each label."""
    try:
        present = _different(y)
    except TypeError:
        raise TypeError(
            "y must not mix labels of different types, such as text and numbers, and its labels "
            "must have an order"
        ) from None
    if classes is None:
        classes = present
        if len(classes) < 2:
            raise ValueError(f"y must have two classes or more; it has 1 class: {classes[0]}")
        if y.dtype.kind == "f" and len(classes) > 2 and (classes % 1 != 0).any():
            raise ValueError(
                f"Unknown label type: continuous: y holds {len(classes)} numbers with fractions; "
                "for a number as target use LinearRegression or MLPRegressor"
            )
    known = {label: k for k, label in enumerate(classes.tolist())}
    unknown = [label for label in present.tolist() if label not in known]
    if unknown:
        raise ValueError(
            f"y has the label {unknown[0]}; the classes are {', '.join(map(str, classes))}"
        )
    codes = (y == classes[1]).astype(int) if len(classes) == 2 else np.searchsorted(classes, y)
    return classes, codes


def _different(y: Array) -> Array:
    """The different labels, sorted; two numbers are found without sorting."""
    if y.dtype.kind in "biuf" and y.size:
        ends = np.array([y.min(), y.max()])
        if ((y == ends[0]) | (y == ends[1])).all():
            return ends if ends[0] != ends[1] else ends[:1]
    return np.unique(y)
