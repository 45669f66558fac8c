"""The base class of the models: scikit-learn's interface around a loss that is a graph."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

import autograd_lite as ag
from autograd_lite.arrays import numbers_only
from autograd_lite.compiler.cluster import NoWorkersError
from autograd_lite.models.block_rows import are_blocks
from autograd_lite.models.block_training import read_blocks
from autograd_lite.models.checkpoint import Checkpoint
from autograd_lite.models.conventions import Conventions
from autograd_lite.models.errors import ConvergenceWarning, warn
from autograd_lite.models.inputs import (
    check_names,
    column_names,
    examples,
    normalized,
    scaled,
)
from autograd_lite.models.layers import state_of
from autograd_lite.models.objective import Array, Arrays, Layout, Shapes
from autograd_lite.models.rows import Rows, read_rows
from autograd_lite.models.settings import check_packages, check_settings
from autograd_lite.models.training import train
from autograd_lite.text import superscript

__all__ = ["Array", "Arrays", "Estimator", "Parameters", "Shapes", "reduced", "symbol"]

Parameters = dict[str, ag.Tensor]

# The fitted attributes that come from reading the rows, and stay when training goes on.
_OF_ROWS = (
    *("n_features_in_", "feature_names_in_", "target_name_", "table_"),
    *("classes_", "mean_", "scale_"),
)


@dataclass(kw_only=True, eq=False, repr=False)
class Estimator(Conventions, ABC):
    """A model that a solver trains by the gradients of its loss.

    A subclass defines its parameters (`shapes`), their initial values (`start`), the forward pass
    (`forward`), and what it costs to be wrong (`cost`).

    After `fit`: `parameters_` (arrays by name), `loss_curve_` (the loss before each step; for
    batches, the mean over each epoch), `loss_` (of the trained weights), `n_iter_`,
    `n_features_in_`, `solver_`, `backend_` ("numpy" or "numba", which computed the last step), and
    `interrupted_`, whether Ctrl-C ended it;
    `mean_` and `scale_`, the columns' means and standard deviations, or None without
    `standardize`; `feature_names_in_`, if X was a DataFrame; and with `early_stopping` the
    `validation_scores_`.
    """

    solver: Literal["gd", "sgd", "adam", "lbfgs", "newton-cg", "auto"] = "auto"
    learning_rate_init: float | None = None
    max_iter: int = 500
    tol: float = 1e-4
    alpha: float = 0.0
    reduction: Literal["mean", "sum"] = "mean"
    standardize: bool = False
    batch_size: int | Literal["auto"] = "auto"
    momentum: float = 0.9
    nesterovs_momentum: bool = True
    early_stopping: bool = False
    validation_fraction: float = 0.1
    n_iter_no_change: int = 10
    warm_start: bool = False
    random_state: Any = None
    verbose: bool = False
    workers: int | None = None
    backend: Literal["numpy", "numba", "auto"] = "auto"

    title: ClassVar[str]
    kind: ClassVar[Literal["classifier", "regressor"]]
    linear: ClassVar[bool] = False
    score_name: ClassVar[str]
    rates: ClassVar[Mapping[str, float]] = {"gd": 0.1, "sgd": 0.01, "adam": 0.01}

    if TYPE_CHECKING:
        parameters_: Arrays = field(init=False)
        loss_curve_: list[float] = field(init=False)
        loss_: float = field(init=False)
        n_iter_: int = field(init=False)
        n_features_in_: int = field(init=False)
        solver_: str = field(init=False)
        backend_: str = field(init=False)
        interrupted_: bool = field(init=False)
        mean_: Array | None = field(init=False)
        scale_: Array | None = field(init=False)
        feature_names_in_: Array = field(init=False)
        target_name_: str = field(init=False)
        table_: str = field(init=False)
        run_id_: str = field(init=False)
        validation_scores_: list[float] = field(init=False)

    # What a subclass defines.

    @abstractmethod
    def shapes(self, n_features: int, n_outputs: int = 1) -> Shapes:
        """The shape of each parameter, by name."""

    @abstractmethod
    def start(self, n_features: int, n_outputs: int = 1) -> Mapping[str, npt.ArrayLike]:
        """The initial weights, by name."""

    output_name: ClassVar[str]
    curvature: ClassVar[float]
    """The largest second derivative of the cost of a row by its output."""

    @abstractmethod
    def link(self, z: ag.Tensor) -> ag.Tensor:
        """The prediction ŷ of outputs z."""

    @abstractmethod
    def formula(self, z: str, several: bool) -> str:
        """How the prediction of one or several outputs follows from z, as text."""

    @abstractmethod
    def forward(self, X: ag.Tensor, θ: Parameters) -> tuple[ag.Tensor, ag.Tensor]:
        """The output z of the last layer and the prediction ŷ, (rows,) or (rows, outputs)."""

    @abstractmethod
    def cost(self, ŷ: ag.Tensor, y: ag.Tensor, reduction: str) -> ag.Tensor:
        """The loss of predictions, without a penalty."""

    @abstractmethod
    def _targets(
        self, y: Array, weights: Array | None, classes: Array | None
    ) -> tuple[Array, Array | None, dict[str, Any]]:
        """The targets as numbers, the weights of the rows, and what is learned from them."""

    @abstractmethod
    def _encoding(
        self, facts: Any, classes: Array | None
    ) -> tuple[Callable[[Array], Array], Array | None, Array, dict[str, Any]]:
        """How targets become numbers, of rows by blocks, by the facts of a pass over them.

        Then the weight of each class, if classes have one, the weights of the rows of each, and
        what is learned.
        """

    @abstractmethod
    def score_of(self, z: Array, y: Array, weights: Array | None) -> float:
        """The score of outputs, for targets as numbers."""

    @abstractmethod
    def groups(self, y: Array) -> Array:
        """The group of each row; of each group the same fraction is held out."""

    def inputs(self, X: Array) -> ag.Tensor:
        """The examples as input to the forward pass."""
        return ag.constant(X, name="X")

    def penalised(self, θ: Parameters) -> list[ag.Tensor]:
        """The weights that alpha penalises, without the biases."""
        return [θ[name] for name in θ if not name.startswith("b")]

    def separated(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters with every bias apart, as they are trained."""
        return dict(parameters)

    def joined(self, weights: Mapping[str, Array]) -> Arrays:
        """The parameters, of weights and biases that were trained apart."""
        return {name: array.copy() for name, array in weights.items()}

    # The loss.

    def loss_of(self, z: Array, y: Array, weights: Array | None) -> float:
        """The mean cost of outputs, for targets as numbers."""
        costs = self.cost(self.link(ag.Tensor(z)), ag.constant(y), "none")
        return float(np.average(costs.numpy(), weights=weights))

    def loss(
        self,
        X: ag.Tensor,
        y: ag.Tensor,
        θ: Parameters,
        sample_weight: Any = None,
        alpha: Any = None,
    ) -> ag.Tensor:
        """The mean (or sum) of the costs of the rows, plus α/2 Σ w² over the weights if given."""
        if self.reduction not in ("mean", "sum"):
            raise ValueError(f'reduction must be "mean" or "sum", not {self.reduction!r}')
        _, ŷ = self.forward(X, θ)
        if sample_weight is None:
            L = self.cost(ŷ, y, self.reduction)
        else:
            L = reduced(sample_weight * self.cost(ŷ, y, "none"), self.reduction)
        if alpha is not None:
            squares = [np.sum(w**2) for w in self.penalised(θ)]
            L = L.named("E") + alpha / 2 * sum(squares[1:], start=squares[0])
        return L.named("L")

    def loss_graph(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> ag.Tensor:
        """The loss on X and y as a graph to draw or differentiate, its results named.

        The weights are the trained ones; before `fit`, the initial ones as plain descent starts
        from them, and labels that are all 0 or 1 are used as they are.

        Raises the same errors as `fit` and `predict`.

        Example:
            >>> from autograd_lite.models import LogisticRegression
            >>> L = LogisticRegression().loss_graph([[3.0, 5.0], [1.0, 4.0]], [1, 0])
            >>> L.name, round(L.item(), 4)
            ('L', 0.6931)
        """
        rows = self._read(X, y, sample_weight, again=self.__sklearn_is_fitted__(), graph=True)
        again = self.__sklearn_is_fitted__()
        check_settings(self)
        arrays = self._last() if again else self._starting(rows)
        options: dict[str, Any] = {}
        weights = normalized(rows.weights, self.reduction)
        if weights is not None:
            options["sample_weight"] = ag.constant(weights.astype(rows.X.dtype), name="s")
        if self.alpha:
            options["alpha"] = ag.constant(np.asarray(self.alpha, rows.X.dtype), name="α")
        y = ag.constant(rows.y, name="y")
        return self.loss(self.inputs(rows.X), y, _parameters(arrays), **options)

    # Training.

    def fit(
        self, X: npt.ArrayLike, y: npt.ArrayLike, sample_weight: npt.ArrayLike | None = None
    ) -> Self:
        """Train on the numbers X (rows, columns), the targets y (rows,) and the rows' weights.

        X may be a DataFrame of pandas or polars, data by blocks of rows (`open_rows`), or a Dask
        array, of which a cluster computes. float32 stays float32; integers and booleans become
        float64. If training fails, the model is unchanged; if it is interrupted (Ctrl-C), or a
        cluster has no worker left, the best weights so far are kept, with a warning or the error.

        Raises TypeError if X does not hold real numbers, ValueError if X is empty or not finite, X
        and y differ in length or a setting is not valid, and ImportError if the solver or the
        backend needs a package that is not installed. Warns ConvergenceWarning if the learning rate
        is too large, and if training ended before it converged.
        """
        return self._fit(X, y, sample_weight)

    def _fit(self, X: Any, y: Any, weights: Any, checkpoint: Checkpoint | None = None) -> Self:
        """Train as `fit` does; with a checkpoint of an earlier training, go on from there."""
        check_settings(self)
        check_packages(self)
        warm = self.warm_start and self.__sklearn_is_fitted__()
        rows = self._read(X, y, weights, again=warm)
        start = self._last() if warm else self._starting(rows)
        trained = train(
            *(self, rows, self._layout(rows), self.separated(start)),
            drawn=self._draws(warm),
            checkpoint=checkpoint,
        )
        self._set_fitted(self.joined(trained.weights), trained.learned | rows.learned)
        if isinstance(trained.stopped, NoWorkersError):
            raise trained.stopped
        if trained.complaint:
            warn(trained.complaint, ConvergenceWarning)
        return self

    @property
    def partial_fit(self) -> Callable[..., Self]:
        """Train for one epoch on more rows: one step for "gd", one for each batch otherwise.

        Called as `partial_fit(X, y, classes=None, sample_weight=None)`, without `classes` by
        regressors. The first call of a classifier needs all `classes`, unless y has all of them.
        Columns are standardized as the first rows are. "auto" trains with Adam.

        The solvers "lbfgs" and "newton-cg" do not have it: they need all rows at once. Raises like
        `fit`.
        """
        if self.solver in ("lbfgs", "newton-cg"):
            raise AttributeError(
                f"partial_fit: the solver {self.solver!r} needs all rows at once; use another one"
            )
        return self._partial_fit

    @abstractmethod
    def _partial_fit(self, X: Any, y: Any, *args: Any, **options: Any) -> Self:
        """One epoch on X and y, for `partial_fit`."""

    def _continue(self, X: Any, y: Any, weights: Any, classes: Array | None = None) -> Self:
        """Train for one epoch from the weights so far, if there are any."""
        check_settings(self)
        again = self.__sklearn_is_fitted__()
        rows = self._read(X, y, weights, again=again, classes=classes)
        start = self._last() if again else self._starting(rows)
        drawn = self._draws(again)
        trained = train(
            self, rows, self._layout(rows), self.separated(start), drawn=drawn, epoch=True
        )
        self._set_fitted(self.joined(trained.weights), trained.learned | rows.learned)
        return self

    def _read(
        self,
        X: Any,
        y: Any,
        weights: Any,
        *,
        again: bool = False,
        graph: bool = False,
        classes: Array | None = None,
    ) -> Rows:
        """The rows, standardized; `again` as an earlier `fit` did, for its columns and classes."""
        learned = {key: vars(self)[key] for key in vars(self) if again and key in _OF_ROWS}
        classes = learned.get("classes_", classes)
        read = read_blocks if are_blocks(X) else partial(read_rows, graph=graph)
        return read(self, X, y, weights, learned, classes)

    def _layout(self, rows: Rows) -> Layout:
        shapes = self.shapes(rows.X.shape[1], rows.outputs)
        views = self.separated({name: np.empty(shape) for name, shape in shapes.items()})
        return Layout({name: np.shape(array) for name, array in views.items()})

    def _starting(self, rows: Rows) -> Arrays:
        """The initial weights, checked, in the dtype of X."""
        n, dtype = rows.X.shape[1], rows.X.dtype
        shapes, given = self.shapes(n, rows.outputs), self.start(n, rows.outputs)
        if given.keys() != shapes.keys():
            raise ValueError(
                f"init must give weights for {', '.join(shapes)}; got {', '.join(map(str, given))}"
            )
        numbers_only(list(given.values()), "the initial weights")
        if any(np.asarray(array).dtype.kind not in "biuf" for array in given.values()):
            raise ValueError("the initial weights must be real numbers")
        arrays = {name: np.array(given[name], dtype=dtype) for name in shapes}
        for name, array in arrays.items():
            if array.shape != shapes[name]:
                raise ValueError(
                    f"the initial weights {name} have shape {array.shape}; {n} columns need "
                    f"{shapes[name]}"
                )
            if not np.isfinite(array).all():
                raise ValueError(f"the initial weights {name} must be finite")
        return arrays

    def _last(self) -> Arrays:
        """The trained weights, if the settings of the layers are still those of the training."""
        shapes = {name: array.shape for name, array in self.parameters_.items()}
        same = shapes == self.shapes(self.n_features_in_, self._n_outputs)
        if not same or self.standardize != (self.mean_ is not None):
            raise ValueError(
                f"the layers or standardize of this {type(self).__name__} were set anew after it "
                "was fitted; set them back, or fit it without warm_start"
            )
        return self.parameters_

    @property
    def _n_outputs(self) -> int:
        """The number of outputs of a fitted model."""
        classes = len(getattr(self, "classes_", ()))
        return classes if classes > 2 else 1

    def _draws(self, again: bool) -> bool:
        """Whether the initial weights are drawn, not given or those of an earlier training."""
        return not again and not isinstance(getattr(self, "init", None), Mapping)

    def _set_fitted(self, parameters: Arrays, learned: dict[str, Any]) -> None:
        """Set the fitted attributes in one step, so that an interrupt leaves all or none."""
        settings = {key: value for key, value in vars(self).items() if not key.endswith("_")}
        self.__dict__ = settings | learned | {"parameters_": parameters}

    def state_dict(self) -> Arrays:
        """The weights as PyTorch has them, of `torch.nn.Sequential` of the same layers.

        "0.weight" (units, inputs), "0.bias" (units,), "2.weight", …; the activations between have
        no arrays. With `standardize` the inputs are (X − mean_) / scale_. `from_state_dict` is the
        way back. Raises NotFittedError before `fit`.
        """
        self._check_fitted("state_dict")
        state = state_of(self.separated(self.parameters_))
        return {name: np.array(array, order="C") for name, array in state.items()}

    # Predictions.

    def _examples(self, X: Any) -> Array:
        """The rows X, checked against those of `fit`."""
        name = type(self).__name__
        check_names(column_names(X), getattr(self, "feature_names_in_", None), name)
        array = examples(X)
        if array.shape[1] != self.n_features_in_:
            raise ValueError(
                f"X has {array.shape[1]} features, but {name} is expecting "
                f"{self.n_features_in_} features as input"
            )
        return array

    def _output(self, X: Any, what: str) -> Array:
        """The output z of rows X."""
        self._check_fitted(what)
        X = scaled(self._examples(X), self.mean_, self.scale_)
        z = self.output(X, self.separated(self.parameters_))
        if (bad := np.isnan(z)).any():
            raise ValueError(
                f"{what}: the output of row {np.argwhere(bad)[0, 0]} is NaN; its features are too "
                "large or too small for the trained weights"
            )
        return z

    def output(self, X: Array, weights: Mapping[str, Any]) -> Array:
        """The output z of standardized rows, for weights with every bias apart."""
        with ag.no_grad():
            z, _ = self.forward(ag.constant(X), {k: ag.Tensor(w) for k, w in weights.items()})
        return np.array(z.numpy())


def _parameters(arrays: Mapping[str, Array]) -> Parameters:
    return {name: ag.Tensor(array, name=symbol(name)) for name, array in arrays.items()}


def reduced(costs: ag.Tensor, reduction: str) -> ag.Tensor:
    """The mean or the sum of the rows' costs, or the costs themselves."""
    if reduction == "none":
        return costs
    return np.mean(costs) if reduction == "mean" else np.sum(costs)


def symbol(name: str) -> str:
    """The symbol of a parameter: the number of the layer becomes a superscript.

    Example:
        >>> symbol("W1"), symbol("b12"), symbol("w")
        ('W⁽¹⁾', 'b⁽¹²⁾', 'w')
    """
    return re.sub(r"\d+", lambda number: superscript(f"({number[0]})"), name)
