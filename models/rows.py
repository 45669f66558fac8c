"""The rows that a model is trained on."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from autograd_lite.row_blocks import RowBlocks

__all__ = ["Rows"]

Array = npt.NDArray[Any]


class Rows(NamedTuple):
    """Rows to train on, and what the model learned by reading them, such as its classes.

    X, y and the weights are arrays, or data by blocks. `sample` has some of the rows, where they
    are by blocks; `total` is the sum of their weights then, which have a mean of 1 if costs are
    averaged.
    """

    X: Any
    y: Any
    weights: Any
    learned: dict[str, Any]
    sample: Rows | None = None
    total: float = np.nan

    @property
    def by_blocks(self) -> bool:
        """Whether the rows are read by blocks."""
        return isinstance(self.X, RowBlocks)

    @property
    def shown(self) -> Array:
        """The examples, or some of them."""
        X: Array = self.X if self.sample is None else self.sample.X
        return X

    @property
    def outputs(self) -> int:
        """The number of outputs of a model of them."""
        return 1 if self.y.ndim == 1 else int(self.y.shape[1])

    def part(self, which: Array) -> Rows:
        """Some of the rows, of arrays."""
        weights = None if self.weights is None else self.weights[which]
        return Rows(self.X[which], self.y[which], weights, self.learned)
