"""The rows that a model is trained on."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from autograd_lite.models.inputs import (
    column_names,
    examples,
    row_weights,
    scaled,
    standard,
    target,
)
from autograd_lite.row_blocks import RowBlocks

__all__ = ["Rows", "read_rows"]

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


def read_rows(
    model: Any,
    X: Any,
    y: Any,
    weights: Any,
    learned: dict[str, Any],
    classes: Array | None,
    *,
    graph: bool = False,
) -> Rows:
    """Rows in memory, standardized, and what the model learns by reading them.

    Args:
        model: whose rows they are.
        X, y, weights: the data.
        learned: what the model learned before, if it did.
        classes: those of a classifier, if they are known.
        graph: whether labels that are all 0 or 1 may be of one class.

    Raises as `fit` does.
    """
    again = bool(learned)
    names = column_names(X)
    array = model._examples(X) if again else examples(X)
    y = target(y, len(array))
    given = row_weights(weights, len(array))
    if not again:
        learned = {"n_features_in_": array.shape[1]}
        if names is not None:
            learned["feature_names_in_"] = np.array(names, dtype=object)
    bits = graph and not again and y.dtype.kind in "biuf" and np.isin(y, (0, 1)).all()
    y, given, more = model._targets(y, given, np.array([0, 1]) if bits else classes)
    learned |= more
    if given is not None:
        # Rows without weight are as if they were not there.
        array, y, given = array[given > 0], y[given > 0], given[given > 0]
    if not again:
        mean, scale = standard(array, given) if model.standardize else (None, None)
        learned |= {"mean_": mean, "scale_": scale}
    # A DataFrame holds its numbers by columns, and steps of training read rows.
    X = np.ascontiguousarray(scaled(array, learned["mean_"], learned["scale_"]))
    with np.errstate(over="ignore"):
        t = y.astype(X.dtype)
    if not np.isfinite(t).all():
        raise ValueError(f"y has numbers that are too large for the {X.dtype} of X")
    return Rows(X, t, given, learned)
