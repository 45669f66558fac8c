"""The base class of the regressors: a number for each row, by squared error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

import autograd_lite as ag
from autograd_lite.models.block_predict import by_blocks, score
from autograd_lite.models.block_rows import are_blocks
from autograd_lite.models.estimator import Array, Estimator, reduced
from autograd_lite.models.inputs import numbers, row_weights, target

__all__ = ["Regressor"]


@dataclass(kw_only=True, eq=False, repr=False)
class Regressor(Estimator):
    """A model of a number, ŷ, trained on half the squared error, ½ (ŷ − y)², of each row."""

    kind: ClassVar[Literal["classifier", "regressor"]] = "regressor"
    score_name: ClassVar[str] = "R²"
    output_name: ClassVar[str] = "ŷ"
    curvature: ClassVar[float] = 1.0

    def link(self, z: ag.Tensor) -> ag.Tensor:
        """The prediction is the output."""
        return z

    def formula(self, z: str, several: bool) -> str:
        """How ŷ follows from z."""
        return f"ŷ = {z}"

    def cost(self, ŷ: ag.Tensor, y: ag.Tensor, reduction: str) -> ag.Tensor:
        """Half the squared error."""
        return reduced((ŷ - y) ** 2, reduction) / 2

    @by_blocks
    def predict(self, X: npt.ArrayLike) -> Array:
        """The predicted number of each row, (rows,)."""
        return self._output(X, "predict")

    def score(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> float:
        """R²: 1 less the squared error over that of the mean of y; 1 is best, the mean has 0.

        Of a constant y it is 1 or 0, as in scikit-learn.
        """
        if are_blocks(X):
            return score(self, X, y, sample_weight)
        predicted = self.predict(X)
        values = numbers(target(y, len(predicted)))
        return self.score_of(predicted, values, row_weights(sample_weight, len(predicted)))

    def score_of(self, z: Array, y: Array, weights: Array | None) -> float:
        error = np.average((z - y) ** 2, weights=weights)
        spread = np.average((y - np.average(y, weights=weights)) ** 2, weights=weights)
        return float(1 - error / spread) if spread else float(error == 0)

    def _check_labels(self, y: Array) -> None:
        numbers(y)

    def groups(self, y: Array) -> Array:
        return np.zeros(len(y), dtype=int)

    def _encoding(
        self, facts: Any, classes: Array | None
    ) -> tuple[Callable[[Array], Array], Array | None, Array, dict[str, Any]]:
        return numbers, None, np.zeros(0), {}

    def _partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        return self._continue(X, y, sample_weight)

    def _targets(
        self, y: Array, weights: Array | None, classes: Array | None
    ) -> tuple[Array, Array | None, dict[str, Any]]:
        return numbers(y), weights, {}
