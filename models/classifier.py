"""The base class of the models: scikit-learn's interface around a loss that is a graph."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
import numpy.typing as npt

import autograd_lite as ag
from autograd_lite.arrays import numbers_only
from autograd_lite.compiler.executors import available_workers
from autograd_lite.models.training import gradient_descent
from autograd_lite.text import superscript

Array = npt.NDArray[Any]
Arrays = dict[str, Array]
Shapes = dict[str, tuple[int, ...]]
Parameters = dict[str, ag.Tensor]


class NotFittedError(ValueError, AttributeError):
    """The model is used before `fit`."""


@dataclass(kw_only=True, eq=False)
class Classifier(ABC):
    """A model of two classes, trained by gradient descent on binary cross-entropy.

    A subclass defines its parameters (`shapes`), their initial values (`start`), and the forward
    pass from the examples to z and ŷ (`forward`).

    After `fit`: `classes_`, `parameters_` (arrays by name), `loss_curve_` (the loss before each
    step), `loss_` (of the trained weights), `n_iter_`, `n_features_in_` and `backend_` ("numpy" or
    "numba", which computed the last step); `mean_` and `scale_`, the columns' means and standard
    deviations, or None without `standardize`.
    `feature_names_in_` and `target_name_`, the names of the columns of X and of y, are None
    until they are set; `save` writes them.
    """

    learning_rate_init: float
    max_iter: int
    tol: float = 0.0
    reduction: Literal["mean", "sum"] = "mean"
    standardize: bool = False
    random_state: int | np.random.Generator | None = None
    verbose: bool = False
    workers: int | None = None
    backend: Literal["numpy", "numba", "auto"] = "auto"

    title: ClassVar[str]
    compiled: ClassVar[bool] = True
    """Whether `fit` runs compiled steps; eager steps give the same result up to rounding."""

    @abstractmethod
    def shapes(self, n_features: int) -> Shapes:
        """The shape of each parameter, by name."""

    @abstractmethod
    def start(self, n_features: int) -> Mapping[str, npt.ArrayLike]:
        """The initial weights, by name."""

    @abstractmethod
    def forward(self, X: ag.Tensor, θ: Parameters) -> tuple[ag.Tensor, ag.Tensor]:
        """The log-odds z and the probability ŷ of the second class, both (rows,)."""

    def inputs(self, X: Array) -> ag.Tensor:
        """The examples as input to the forward pass."""
        return ag.constant(X, name="X")

    def loss(self, X: ag.Tensor, y: ag.Tensor, θ: Parameters) -> ag.Tensor:
        """Binary cross-entropy, L = − mean (or sum) of y log ŷ + (1 − y) log(1 − ŷ)."""
        if self.reduction not in ("mean", "sum"):
            raise ValueError(f'reduction must be "mean" or "sum", not {self.reduction!r}')
        _, ŷ = self.forward(X, θ)
        L: ag.Tensor = ag.binary_cross_entropy(ŷ, y, reduction=self.reduction)
        return L.named("L")

    def fit(self, X: npt.ArrayLike, y: npt.ArrayLike) -> Self:
        """Train on the numbers X (rows, columns) and the labels y (rows,) of two classes.

        float32 stays float32; integers and booleans become float64. If training fails, the model
        is unchanged.

        Raises TypeError if X does not hold real numbers, ValueError if X is empty or not finite,
        X and y differ in length, or y does not have exactly two classes, and ImportError for the
        backend "numba" if Numba is not installed. Warns ConvergenceWarning if the learning rate is
        too large.
        """
        X = _examples(X)
        classes, t = _encoded(y, len(X))
        mean, scale = _standard(X) if self.standardize else (None, None)
        θ = self._parameters(self._starting(X))
        A, target = self.inputs(_scaled(X, mean, scale)), ag.constant(t.astype(X.dtype), name="y")
        step = self._compiled_step() if self.compiled else None
        descent = gradient_descent(
            lambda: self.loss(A, target, θ),
            list(θ.values()),
            learning_rate=self.learning_rate_init,
            max_iter=self.max_iter,
            tol=self.tol,
            accuracy=(lambda: self._accuracy(A, target, θ)) if self.verbose else None,
            value_and_grad=step and _value_and_grad(step, A.numpy(), target.numpy(), list(θ)),
            verbose=self.verbose,
            title=self.title,
        )
        weights = {name: θ[name].numpy().copy() for name in θ}
        self._set_fitted(X.shape[1], classes, weights, mean, scale)
        self.loss_curve_: list[float] = descent.losses
        self.loss_: float = descent.kept
        self.n_iter_: int = len(descent.losses)
        self.backend_: str = step.backend if step else "numpy"
        return self

    def decision_function(self, X: npt.ArrayLike) -> Array:
        """The log-odds z of the second class, (rows,): log(p / (1 − p))."""
        self._check_fitted("predict")
        X = _scaled(_examples(X, self.n_features_in_), self.mean_, self.scale_)
        with ag.no_grad():
            z, _ = self.forward(self.inputs(X), self._parameters(self.parameters_))
        return np.array(z.numpy())

    def predict(self, X: npt.ArrayLike) -> Array:
        """The more probable class of each row, (rows,): the second where z > 0.

        Raises:
            ValueError: if the log-odds of a row are NaN because its features are too large.
        """
        z = self.decision_function(X)
        if np.isnan(z).any():
            row = int(np.argmax(np.isnan(z)))
            raise ValueError(
                f"predict: the log-odds of row {row} are NaN; its features are too large or too "
                "small for the trained weights"
            )
        return np.asarray(self.classes_[(z > 0).astype(int)])

    def predict_proba(self, X: npt.ArrayLike) -> Array:
        """The probability of each class, (rows, 2), in the order of `classes_`."""
        z = self.decision_function(X)
        return np.column_stack([ag.sigmoid(-z), ag.sigmoid(z)])

    def score(self, X: npt.ArrayLike, y: npt.ArrayLike) -> float:
        """The accuracy: the fraction of rows whose class is predicted correctly."""
        numbers_only(y, "y")
        predicted, y = self.predict(X), np.asarray(y)
        if y.shape != predicted.shape:
            raise ValueError(f"y has shape {y.shape}, but X has {len(predicted)} rows")
        return float(np.mean(predicted == y))

    def loss_graph(self, X: npt.ArrayLike, y: npt.ArrayLike) -> ag.Tensor:
        """The loss on X and y as a graph to draw or differentiate, with a name for every node.

        The weights are the trained ones; before `fit`, the initial ones, and labels that are all
        0 or 1 are used as they are.

        Raises the same errors as `fit` and `predict`.

        Example:
            >>> from autograd_lite.models import LogisticRegression
            >>> L = LogisticRegression().loss_graph([[3.0, 5.0], [1.0, 4.0]], [1, 0])
            >>> L.name, round(L.item(), 4)
            ('L', 0.6931)
        """
        if hasattr(self, "parameters_"):
            X = _examples(X, self.n_features_in_)
            _, t = _encoded(y, len(X), self.classes_)
            arrays, mean, scale = self.parameters_, self.mean_, self.scale_
        else:
            X = _examples(X)
            numbers_only(y, "y")
            bits = np.isin(np.asarray(y), [0, 1]).all()
            _, t = _encoded(y, len(X), np.array([0, 1]) if bits else None)
            arrays = self._starting(X)
            mean, scale = _standard(X) if self.standardize else (None, None)
        target = ag.constant(t.astype(X.dtype), name="y")
        return self.loss(self.inputs(_scaled(X, mean, scale)), target, self._parameters(arrays))

    def _accuracy(self, X: ag.Tensor, y: ag.Tensor, θ: Parameters) -> float:
        with ag.no_grad():
            z, _ = self.forward(X, θ)
            return float(np.mean((z.numpy() > 0) == y.numpy()))

    def _compiled_step(self) -> Any:
        """The loss and its gradients, a compiled function of the weights by name, X and y."""
        workers = available_workers() if self.workers is None else self.workers

        @ag.compile(rows="auto", workers=workers, backend=self.backend)
        def step(θ: Any, X: Any, y: Any) -> Any:
            return ag.value_and_grad(lambda θ: self.loss(X, y, θ))(θ)

        return step

    def _set_fitted(
        self,
        n_features: int,
        classes: Array,
        parameters: Arrays,
        mean: Array | None,
        scale: Array | None,
    ) -> None:
        """Set the attributes that predictions need."""
        self.n_features_in_ = n_features
        self.classes_ = classes
        self.parameters_ = parameters
        self.mean_ = mean
        self.scale_ = scale
        self.feature_names_in_: Sequence[str] | None = None
        self.target_name_: str | None = None

    def _check_fitted(self, what: str) -> None:
        if not hasattr(self, "parameters_"):
            name = type(self).__name__
            raise NotFittedError(f"this {name} is not fitted; call fit(X, y) before {what}")

    def _starting(self, X: Array) -> Arrays:
        """The initial weights, checked, in the dtype of X."""
        shapes, given = self.shapes(X.shape[1]), self.start(X.shape[1])
        if given.keys() != shapes.keys():
            raise ValueError(
                f"init must give weights for {', '.join(shapes)}; got {', '.join(given)}"
            )
        numbers_only(list(given.values()), "the initial weights")
        arrays = {name: np.array(given[name], dtype=X.dtype) for name in shapes}
        for name, array in arrays.items():
            if array.shape != shapes[name]:
                raise ValueError(
                    f"the initial weights {name} have shape {array.shape}; "
                    f"{X.shape[1]} columns need {shapes[name]}"
                )
            if not np.isfinite(array).all():
                raise ValueError(f"the initial weights {name} must be finite")
        return arrays

    def _parameters(self, arrays: Mapping[str, Array]) -> Parameters:
        return {name: ag.Tensor(array, name=symbol(name)) for name, array in arrays.items()}


def symbol(name: str) -> str:
    """The symbol of a parameter: the number of the layer becomes a superscript.

    Example:
        >>> symbol("W1"), symbol("b12"), symbol("w")
        ('W⁽¹⁾', 'b⁽¹²⁾', 'w')
    """
    return re.sub(r"\d+", lambda number: superscript(f"({number[0]})"), name)


def _value_and_grad(
    step: Callable[..., Any], X: Array, y: Array, names: Sequence[str]
) -> Callable[[Sequence[Array]], tuple[Any, Sequence[Array]]]:
    """The loss and its gradients on X and y, as a function of the weights in the order of names."""

    def value_and_grad(weights: Sequence[Array]) -> tuple[Any, Sequence[Array]]:
        loss, gradients = step(dict(zip(names, weights, strict=True)), X, y)
        return loss, [np.asarray(gradients[name]) for name in names]

    return value_and_grad


def _examples(X: npt.ArrayLike, n_features: int | None = None) -> Array:
    """X as rows of finite floating-point numbers."""
    numbers_only(X, "X")
    array = np.asarray(X)
    if array.dtype.kind not in "biuf" or array.dtype == np.float16:
        raise TypeError(f"X must hold real numbers, not {array.dtype}")
    if array.ndim != 2:
        raise ValueError(
            f"X must have two dimensions, rows and columns; got shape {array.shape}; use "
            "X.reshape(-1, 1) for a single column or X.reshape(1, -1) for a single row"
        )
    if 0 in array.shape:
        raise ValueError(f"X is empty: its shape is {array.shape}")
    if n_features is not None and array.shape[1] != n_features:
        raise ValueError(f"X has {array.shape[1]} columns; the model was fitted with {n_features}")
    if array.dtype.kind != "f":
        array = array.astype(np.float64)
    finite = np.isfinite(array)
    if not finite.all():
        row, column = np.argwhere(~finite)[0]
        raise ValueError(f"X must be finite; row {row}, column {column} is {array[row, column]}")
    return array


def _encoded(y: npt.ArrayLike, rows: int, classes: Array | None = None) -> tuple[Array, Array]:
    """The two classes, sorted, and a Boolean for each label: whether it is the second."""
    numbers_only(y, "y")
    labels = np.asarray(y)
    if labels.ndim != 1:
        raise ValueError(
            f"y must have one dimension, a label for each row; got shape {labels.shape}; use "
            "np.ravel(y) for a column"
        )
    if len(labels) != rows:
        raise ValueError(f"X has {rows} rows, y has {len(labels)} labels")
    if labels.dtype.kind == "f" and np.isnan(labels).any():
        raise ValueError(f"y is NaN in row {np.flatnonzero(np.isnan(labels))[0]}")
    try:
        present = np.unique(labels)
    except TypeError:
        raise TypeError(
            "y must not mix labels of different types, such as text and numbers"
        ) from None
    if classes is None:
        classes = present
        if len(classes) != 2:
            found = ", ".join(map(str, classes[:5])) + ("…" if len(classes) > 5 else "")
            few = f"{len(classes)} class" + ("" if len(classes) == 1 else "es")
            raise ValueError(f"y must have two classes; it has {few}: {found}")
    unknown = [str(label) for label in present if label not in classes]
    if unknown:
        known = " and ".join(map(str, classes))
        raise ValueError(f"y has the label {unknown[0]}; the classes are {known}")
    return classes, labels == classes[1]


def _standard(X: Array) -> tuple[Array, Array]:
    """The mean and the standard deviation of each column, 1 for a constant column."""
    mean, scale = X.mean(axis=0), X.std(axis=0)
    scale[np.ptp(X, axis=0) == 0] = 1
    return mean, scale


def _scaled(X: Array, mean: Array | None, scale: Array | None) -> Array:
    return X if mean is None or scale is None else (X - mean) / scale
