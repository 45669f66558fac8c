"""The loss of a model on given rows, as a function of one flat vector of weights."""

from __future__ import annotations

from collections.abc import Mapping
from copy import copy
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

import autograd_lite as ag
from autograd_lite.compiler.executors import available_workers
from autograd_lite.models.inputs import normalized, standard
from autograd_lite.models.settings import of_the_loss

__all__ = ["Arrays", "Layout", "Objective", "Shapes", "Standardized", "standardized"]

Array = npt.NDArray[Any]
Arrays = dict[str, Array]
Shapes = dict[str, tuple[int, ...]]

_FEW = 1 << 19  # elements of X that one thread computes sooner than two
_SAMPLE = 1000  # rows that say how the columns are scaled


class Layout:
    """Where each array of weights stands in a flat vector."""

    def __init__(self, shapes: Shapes) -> None:
        self.shapes, self.places, start = shapes, dict[str, slice](), 0
        for name, shape in shapes.items():
            size = int(np.prod(shape, dtype=int))
            self.places[name] = slice(start, start + size)
            start += size

    def arrays(self, flat: Array) -> Arrays:
        """The arrays, as views of the vector."""
        return {name: flat[place].reshape(self.shapes[name]) for name, place in self.places.items()}

    def flat(self, arrays: Mapping[str, Any]) -> Array:
        """A new vector of the arrays."""
        return np.concatenate([np.ravel(arrays[name]) for name in self.places])


class Objective:
    """The loss on rows X and their targets, and its gradient, at a vector of weights.

    `weights` are those of the rows, or None; `alpha` is the penalty. All objectives of one kind of
    model and of the same settings share the compiled programs, which take the data as arguments.
    """

    def __init__(
        self,
        model: Any,
        layout: Layout,
        X: Array,
        y: Array,
        weights: Array | None = None,
    ) -> None:
        self.model, self.layout, self.X, self.y, self.rows = model, layout, X, y, len(X)
        self.total = float(self.rows if weights is None else weights.sum())
        self.unit, self.rounding = 1.0, float(np.finfo(X.dtype).eps)
        options: Arrays = {}
        weights = normalized(weights, model.reduction)
        if weights is not None:
            options["sample_weight"] = weights.astype(X.dtype)
        if model.alpha:
            options["alpha"] = np.asarray(model.alpha, X.dtype)
        self.options = options
        self._step = self._program("step")

    def _program(self, kind: str) -> Any:
        workers = self.model.workers
        if workers is None:
            workers = available_workers() if self.X.size >= _FEW else 1
        key = of_the_loss(self.model)
        kind_of_model: Any = type(self.model)
        return _program(kind, kind_of_model, key, workers, self.model.backend)

    @property
    def backend(self) -> str:
        """The backend that computed the last step."""
        return str(self._step.backend)

    def __call__(self, flat: Array) -> tuple[float, Array]:
        """The loss and a new vector, its gradient."""
        loss, gradients = self._step(self._arrays(flat), self.X, self.y, self.options)
        return float(loss), self.layout.flat(gradients)

    def hvp(self, flat: Array, vector: Array) -> Array:
        """The product of the Hessian at `flat` and a vector."""
        product = self._program("hvp")(
            self._arrays(flat), self._arrays(vector), self.X, self.y, self.options
        )
        return self.layout.flat(product)

    def batch(self, rows: Array) -> Objective:
        """The objective of some of the rows; a sum of losses is scaled to all of them."""
        part = copy(self)
        part.X, part.y, part.rows = self.X.take(rows, axis=0), self.y.take(rows, axis=0), len(rows)
        weights = self.options.get("sample_weight")
        weights = None if weights is None else weights.take(rows)
        if self.model.reduction == "sum":
            share = np.full(part.rows, self.rows / part.rows, self.X.dtype)
            weights = share if weights is None else share * weights
        if weights is not None:
            part.options = self.options | {"sample_weight": weights}
        return part

    def weights(self, flat: Array) -> Array:
        """The weights of the model at a point of the solver: the point itself."""
        return flat

    def start(self, weights: Array) -> Array:
        """The point of the solver for weights of the model."""
        return weights

    def _arrays(self, flat: Array) -> Arrays:
        return self.layout.arrays(flat.astype(self.X.dtype, copy=False))


class Standardized:
    """An objective as a function of weights u for columns of mean 0 and standard deviation 1.

    They give the same loss: X W + b = ((X − μ) / σ) U + c, where W = U / σ and b = c − W μ. The
    output of a regression is in units of the target's standard deviation, from its mean, and the
    loss in their squares. Solvers arrive sooner in these coordinates, and X need not be changed.
    """

    def __init__(
        self, objective: Objective, mean: Array, scale: Array, offset: Any, unit: Any
    ) -> None:
        self.objective, self.mean, self.scale, self.rows = objective, mean, scale, objective.rows
        self.offset, self.unit, self.layout = offset, float(unit), objective.layout
        # What columns far from 0 lose of the digits of their gradients.
        self.rounding = objective.rounding * max(1.0, float(np.max(np.abs(mean) / scale)))
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

    def batch(self, rows: Array) -> Standardized:
        """The objective of some of the rows, in the same coordinates."""
        part = copy(self)
        part.objective, part.rows = self.objective.batch(rows), len(rows)
        return part

    def start(self, weights: Array) -> Array:
        """The u of weights of the model."""
        u = weights.copy()
        θ = self.layout.arrays(u)
        θ["b"] -= self.offset
        θ[self.bias] += θ[self.weight] @ self.mean
        θ[self.weight] *= self.scale
        for name in self.outputs:
            θ[name] /= self.unit
        return u

    def weights(self, u: Array) -> Array:
        """The weights of the model at u."""
        w = self._linear(u)
        self.layout.arrays(w)["b"] += self.offset
        return w

    def _linear(self, u: Array) -> Array:
        w = u.copy()
        θ = self.layout.arrays(w)
        for name in self.outputs:
            θ[name] *= self.unit
        θ[self.weight] /= self.scale
        θ[self.bias] -= θ[self.weight] @ self.mean
        return w

    def _pulled(self, gradient: Array) -> Array:
        """The gradient with respect to u, in place of the one with respect to w."""
        g = self.layout.arrays(gradient)
        g[self.weight] -= np.multiply.outer(g[self.bias], self.mean)
        g[self.weight] /= self.scale
        for name in self.outputs:
            g[name] *= self.unit
        gradient /= self.unit**2
        return gradient


def standardized(objective: Objective, state: dict[str, Array]) -> Objective | Standardized:
    """The objective in coordinates where no column is far from mean 0 and standard deviation 1.

    The state of a solver holds what it says of the columns, so that later epochs use the same.
    """
    if "column_mean" not in state:
        weights, step = objective.options.get("sample_weight"), max(1, objective.rows // _SAMPLE)
        weights = None if weights is None else weights[::step]
        X = objective.X[::step]
        mean, scale = standard(X, weights)
        # Of a constant column there is nothing to learn but the rounding of its size.
        constant = np.ptp(X, axis=0) == 0
        scale[constant] = np.maximum(1, np.abs(mean[constant]))
        state["column_mean"], state["column_scale"] = mean, scale
        offset, unit = np.zeros(1, X.dtype), np.ones(1, X.dtype)
        if objective.model.kind == "regressor":
            offset, unit = standard(objective.y[::step, None], weights)
        state["target_mean"], state["target_scale"] = offset, unit
    mean, scale = state["column_mean"], state["column_scale"]
    # The penalty curves the loss, too: for columns of small scale much more than the data do.
    total = 1.0 if objective.model.reduction == "mean" else objective.total
    scale = np.sqrt(scale**2 + objective.model.alpha / (total * objective.model.curvature))
    offset, unit = state["target_mean"][0], state["target_scale"][0]
    means, scales = np.append(mean, offset / unit), np.append(scale, unit)
    if (np.abs(means) <= 1).all() and (scales >= 1 / 3).all() and (scales <= 3).all():
        return objective
    return Standardized(objective, mean, scale, offset, unit)


@lru_cache(maxsize=64)
def _program(kind: str, model: Any, settings: tuple[Any, ...], workers: int, backend: Any) -> Any:
    """A compiled function of weights by name, X, y and options, which all fits share."""
    graph = model(**dict(settings))

    def loss(θ: Any, X: Any, y: Any, options: Any) -> Any:
        return graph.loss(X, y, θ, **options)

    def step(θ: Any, X: Any, y: Any, options: Any) -> Any:
        return ag.value_and_grad(lambda θ: loss(θ, X, y, options))(θ)

    def hvp(θ: Any, v: Any, X: Any, y: Any, options: Any) -> Any:
        return ag.hvp(lambda θ: loss(θ, X, y, options))(θ, v)

    function: Any = {"step": step, "hvp": hvp}[kind]
    program: Any = ag.compile(function, rows="auto", workers=workers, backend=backend)
    return program
