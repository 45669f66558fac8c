"""The loss of a model on given rows, as a function of one flat vector of weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

import autograd_lite as ag
from autograd_lite.compiler.executors import available_workers
from autograd_lite.models.block_training import batches
from autograd_lite.models.inputs import normalized
from autograd_lite.models.monitor import largest
from autograd_lite.models.rows import Rows
from autograd_lite.models.settings import of_the_loss
from autograd_lite.row_blocks import RowBlocks

__all__ = ["Arrays", "Layout", "Objective", "Shapes"]

Array = npt.NDArray[Any]
Arrays = dict[str, Array]
Shapes = dict[str, tuple[int, ...]]

_FEW = 1 << 21  # elements of X that one thread computes sooner than two


class Layout:
    """Where each array of weights stands in a flat vector."""

    shapes: Shapes
    places: dict[str, slice]

    def __init__(self, shapes: Shapes) -> None:
        self.shapes, self.places, start = shapes, {}, 0
        for name, shape in shapes.items():
            size = int(np.prod(shape, dtype=int))
            self.places[name] = slice(start, start + size)
            start += size

    def arrays(self, flat: Array) -> Arrays:
        """The arrays, as views of the vector."""
        return {name: self.array(flat, name) for name in self.places}

    def array(self, flat: Array, name: str) -> Array:
        """One of the arrays, as a view of the vector."""
        return flat[self.places[name]].reshape(self.shapes[name])

    def flat(self, arrays: Mapping[str, Any]) -> Array:
        """A new vector of the arrays."""
        return np.concatenate([arrays[name].reshape(-1) for name in self.places])


class Objective:
    """The loss on rows X and their targets, and its gradient, at a vector of weights.

    `weights` are those of the rows, or None; `alpha` is the penalty. All objectives of one kind of
    model and of the same settings share the compiled programs, which take the data as arguments.
    """

    model: Any
    layout: Layout
    X: Any
    y: Any
    rows: int
    total: float
    """The sum of the weights of the rows."""
    unit: float
    """The unit of the output, in whose square the loss is."""
    rounding: float
    """The relative rounding of the gradient."""
    passed: Callable[[int], None] = staticmethod(lambda rows: None)
    """Called with the number of rows after each block of them."""

    def __init__(self, model: Any, layout: Layout, rows: Rows) -> None:
        self.model, self.layout, self.X, self.y = model, layout, rows.X, rows.y
        self.rows, self._sample = len(rows.X), rows.sample
        weights = rows.weights
        if rows.by_blocks:
            self.total = rows.total
        else:
            self.total = float(self.rows if weights is None else weights.sum())
            weights = normalized(weights, model.reduction)
            weights = None if weights is None else weights.astype(rows.X.dtype)
        self.unit, self.rounding = 1.0, float(np.finfo(rows.X.dtype).eps)
        options: dict[str, Any] = {} if weights is None else {"sample_weight": weights}
        if model.alpha:
            options["alpha"] = np.asarray(model.alpha, rows.X.dtype)
        self.options = options
        self.use(model.backend)

    def use(self, backend: str) -> None:
        """Compute the steps by a backend from now on."""
        self._backend = backend
        self._step = self._program("step")

    def _program(self, kind: str) -> Any:
        workers = self.model.workers
        if workers is None:
            workers = available_workers() if self.X.size >= _FEW else 1
        key = of_the_loss(self.model)
        given: tuple[Any, ...] = (kind, type(self.model), key, workers, self._backend)
        try:
            return _program(*given)
        except TypeError:  # a setting of a subclass that cannot be a key
            return _program.__wrapped__(*given)

    @property
    def calls_to_pay(self) -> float:
        """After how many steps Numba, if installed, has saved the time to compile them."""
        return float(self._step.calls_to_pay)

    @property
    def backend(self) -> str:
        """The backend that computed the last step."""
        return str(self._step.backend)

    def __call__(self, flat: Array) -> tuple[float, Array]:
        """The loss and a new vector, its gradient."""
        loss, gradients = self._step(self._arrays(flat), self._counted(), self.y, self.options)
        return float(loss), self.layout.flat(gradients)

    def hvp(self, flat: Array, vector: Array) -> Array:
        """The product of the Hessian at `flat` and a vector."""
        product = self._program("hvp")(
            self._arrays(flat), self._arrays(vector), self._counted(), self.y, self.options
        )
        return self.layout.flat(product)

    @property
    def by_blocks(self) -> bool:
        """Whether the rows are read by blocks."""
        return isinstance(self.X, RowBlocks)

    def _counted(self) -> Any:
        """The examples, for a pass whose rows are counted."""
        if self.by_blocks and not self.X.source.remote:
            return self.X.map(self._count)
        self.passed(self.rows)
        return self.X

    def _count(self, block: Array) -> Array:
        self.passed(len(block))
        return block

    def sample(self, most: int) -> tuple[Array, Array, Array | None]:
        """Some rows X with their targets and weights, the same each time."""
        data = self.X, self.y, self.options.get("sample_weight")
        if self._sample is not None:
            data = self._sample[:3]
        rows = len(data[0])
        some: Any = slice(None)
        if rows > most:
            some = np.sort(np.random.default_rng(0).integers(rows, size=most))
        X, y, weights = data
        return X[some], y[some], None if weights is None else weights[some]

    def batches(self, random: np.random.Generator, size: int) -> Iterator[Objective]:
        """Objectives of some of the rows each, in a random order, which have all of them."""
        weights = self.options.get("sample_weight")
        data = [self.X, self.y, *([] if weights is None else [weights])]
        if isinstance(self.X, RowBlocks):
            yield from (self._part(*parts) for parts in batches(data, random, size))
            return
        order = random.permutation(self.rows)
        for start in range(0, self.rows, size):
            some = order[start : start + size]
            yield self._part(*(x.take(some, axis=0) for x in data))

    def _part(self, X: Any, y: Any, weights: Any = None) -> Objective:
        """The objective of some of the rows; a sum of losses is scaled to all of them."""
        part = copy(self)
        part.X, part.y, part.rows = X, y, len(X)
        if self.model.reduction == "sum":
            share = _Times(self.rows / part.rows, self.X.dtype)
            weights = share(X, weights)
        if weights is not None:
            part.options = self.options | {"sample_weight": weights}
        return part

    def slope(self, gradient: Array) -> float:
        """The largest element of the gradient."""
        return largest(gradient)

    def weights(self, flat: Array) -> Array:
        """The weights of the model at a point of the solver: the point itself."""
        return flat

    def start(self, weights: Array) -> Array:
        """The point of the solver for weights of the model."""
        return weights

    def _arrays(self, flat: Array) -> Arrays:
        return self.layout.arrays(flat.astype(self.X.dtype, copy=False))


class _Times(NamedTuple):
    """Weights of rows times a number; those of rows without weights are 1."""

    factor: float
    dtype: Any

    def __call__(self, X: Any, weights: Any) -> Any:
        if isinstance(X, RowBlocks):
            return X.map(self.ones) if weights is None else weights.map(self.times)
        return self.ones(X) if weights is None else self.times(weights)

    def ones(self, block: Array) -> Array:
        return np.full(len(block), self.factor, self.dtype)

    def times(self, block: Array) -> Array:
        return self.ones(block) * block


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
