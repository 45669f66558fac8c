"""The coordinates that the solvers work in: the weights of standardized columns."""

from __future__ import annotations

from collections.abc import Iterator
from copy import copy
from typing import Any

import numpy as np

from autograd_lite.models.inputs import standard
from autograd_lite.models.monitor import largest
from autograd_lite.models.objective import Array, Layout, Objective

__all__ = ["Standardized", "standardized"]

_SAMPLE = 1000  # rows at least that say how the columns are scaled
_SURE = 8  # times less than at most the cost of a row bends for a trained classifier
_MOST = 1000  # columns: their independence takes their number to the third power
_RIDGE = 1e-6  # of a column's variance, for columns that are sums of others


class Standardized:
    """An objective as a function of weights u for columns of mean 0 and standard deviation 1.

    They give the same loss: X W + b = (X − μ) S⁻¹ U + c, where W = S⁻¹ U and b = c − W μ. S is the
    standard deviations of the columns, or a matrix that makes them independent, too. The output of
    a regression is in units of the target's standard deviation, from its mean, and the loss in
    their squares. Solvers arrive sooner in these coordinates, and X need not be changed.
    """

    objective: Objective
    layout: Layout
    rows: int
    mean: Array
    scale: Array
    """S, as a vector of standard deviations or a matrix."""
    inverse: Array
    offset: Any
    unit: float
    judged: tuple[Array, Array]
    """The mean and the scale of the coordinates in which the gradient is compared with tol."""
    rounding: float
    """What columns far from 0 leave of the digits of their gradients."""
    weight: str
    bias: str
    outputs: list[str]

    def __init__(
        self,
        objective: Objective,
        mean: Array,
        scale: Array,
        target: tuple[Any, Any],
        judged: tuple[Array, Array],
    ) -> None:
        self.objective, self.mean, self.rows = objective, mean, objective.rows
        self.scale, self.inverse = scale, np.linalg.inv(scale) if scale.ndim == 2 else 1 / scale
        self.offset, self.unit, self.layout = target[0], float(target[1]), objective.layout
        self.judged = judged
        size = np.abs(self.inverse) @ np.abs(mean) if scale.ndim == 2 else np.abs(mean) / scale
        self.rounding = objective.rounding * max(1.0, float(np.max(size)))
        shapes = self.layout.shapes
        self.weight = next(name for name in ("W1", "W", "w") if name in shapes)
        self.bias = "b1" if self.weight == "W1" else "b"
        self.outputs = ["W" if "W" in shapes else "w", "b"]

    def __call__(self, u: Array) -> tuple[float, Array]:
        loss, gradient = self.objective(self.weights(u))
        return loss / self.unit**2, self._pulled(gradient)

    def hvp(self, u: Array, vector: Array) -> Array:
        """The product of the Hessian at u and a vector."""
        return self._pulled(self.objective.hvp(self.weights(u), self._linear(vector)))

    def slope(self, gradient: Array) -> float:
        """The largest element of the gradient in the coordinates in which it is judged."""
        mean, scale = self.judged
        gradient = gradient.copy()
        W, b = self._first(gradient)
        _multiply(W, self.scale.T)  # the gradient by W, less that by b times the mean
        W += np.multiply.outer(b, self.mean - mean)
        W /= scale
        return largest(gradient)

    def batches(self, random: np.random.Generator, size: int) -> Iterator[Standardized]:
        """Objectives of some of the rows each, in the same coordinates."""
        for batch in self.objective.batches(random, size):
            part = copy(self)
            part.objective, part.rows = batch, batch.rows
            yield part

    def start(self, weights: Array) -> Array:
        """The u of weights of the model."""
        u = weights.astype(self.scale.dtype)
        W, b = self._first(u)
        self.layout.array(u, "b")[...] -= self.offset
        b += W @ self.mean
        _multiply(W, self.scale)
        self._in_units(u, 1 / self.unit)
        return u

    def weights(self, u: Array) -> Array:
        """The weights of the model at u."""
        w = self._linear(u)
        if self.offset:
            self.layout.array(w, "b")[...] += self.offset
        return w

    def _linear(self, u: Array) -> Array:
        w = u.copy()
        self._in_units(w, self.unit)
        W, b = self._first(w)
        _multiply(W, self.inverse)
        b -= W @ self.mean
        return w

    def _pulled(self, gradient: Array) -> Array:
        """The gradient with respect to u, in place of the one with respect to w."""
        gradient = gradient.astype(self.scale.dtype, copy=False)
        W, b = self._first(gradient)
        W -= np.multiply.outer(b, self.mean)
        _multiply(W, self.inverse.T)
        if self.unit != 1:
            self._in_units(gradient, self.unit)
            gradient /= self.unit**2
        return gradient

    def _first(self, flat: Array) -> tuple[Array, Array]:
        """The weights of the columns, and the biases beside them."""
        return self.layout.array(flat, self.weight), self.layout.array(flat, self.bias)

    def _in_units(self, flat: Array, unit: float) -> None:
        """Multiply what gives the output."""
        if unit != 1:
            for name in self.outputs:
                self.layout.array(flat, name)[...] *= unit


def _multiply(W: Array, S: Array) -> None:
    W[...] = W * S if S.ndim == 1 else W @ S


def standardized(
    objective: Objective, state: dict[str, Array], *, independent: bool
) -> Objective | Standardized:
    """The objective in coordinates where no column is far from mean 0 and standard deviation 1.

    For a linear model they make the columns `independent`, if there are not too many. The state of
    a solver holds what it says of the columns, so that later epochs use the same.
    """
    model = objective.model
    columns = objective.X.shape[1]
    X, y, weights = objective.sample(max(_SAMPLE, 10 * columns, objective.rows // 30))
    if "column_mean" not in state:
        mean, scale = standard(X, weights)
        # Of a constant column there is nothing to learn but the rounding of its size.
        constant = np.ptp(X, axis=0) == 0
        scale[constant] = np.maximum(1, np.abs(mean[constant]))
        state["column_mean"], state["column_scale"] = mean, scale
        offset, unit = np.zeros(1, X.dtype), np.ones(1, X.dtype)
        if model.kind == "regressor":
            offset, unit = standard(y[:, None], weights)
        state["target_mean"], state["target_scale"] = offset, unit
    mean, scale = state["column_mean"], state["column_scale"]
    # The penalty curves the loss, too: for columns of small scale much more than the data do.
    total = 1.0 if model.reduction == "mean" else objective.total
    penalty = model.alpha / (total * model.curvature)
    offset, unit = state["target_mean"][0], state["target_scale"][0]
    independent = independent and columns <= min(_MOST, len(X))
    if independent and model.linear:
        # A trained classifier is sure of most rows, where its cost bends little.
        weight = _SURE * penalty if model.kind == "classifier" else penalty
        root = _root(X, weights, mean, scale, weight)
    else:
        root = np.sqrt(scale**2 + penalty)
    judged, means = (mean, scale), np.append(mean, offset / unit)
    scales = np.concatenate([scale, [unit], root if root.ndim == 1 else []])
    if (np.abs(means) <= 1).all() and (scales >= 1 / 3).all() and (scales <= 3).all():
        if root.ndim == 1:
            return objective
        judged = np.zeros_like(mean), np.ones_like(scale)
    return Standardized(objective, mean, root, (offset, unit), judged)


def _root(X: Array, weights: Array | None, mean: Array, scale: Array, penalty: float) -> Array:
    """A matrix S for which (X − μ) S⁻¹ has independent columns, the penalty taken into account."""
    Z = ((X - mean) / scale).astype(np.float64)
    C = (Z.T if weights is None else Z.T * weights) @ Z
    C /= len(Z) if weights is None else weights.sum()
    C[np.diag_indices_from(C)] += penalty / scale.astype(np.float64) ** 2 + np.where(
        np.diag(C) > 0, _RIDGE, 1
    )
    return np.asarray(np.linalg.cholesky(C) * scale[:, None])
