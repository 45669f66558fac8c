"""Logistic regression: ŷ = σ(z), z = A w with a first column of ones, or z = X w + b."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

import autograd_lite as ag
from autograd_lite.models.classifier import Array, Classifier, Parameters, Shapes


@dataclass(kw_only=True, eq=False)
class LogisticRegression(Classifier):
    """Logistic regression, trained by gradient descent over all rows.

    Args:
        intercept: "column" for z = A w, where A is X with a first column of ones, so that w
            (1 + columns,) begins with the intercept; "separate" for z = X w + b.
        init: "zeros"; "random" for normal numbers with standard deviation 0.01; or the weights
            themselves, {"w": …} or {"w": …, "b": …}.
        learning_rate_init: α in θ ← θ − α ∂L/∂θ.
        max_iter: the maximum number of steps.
        tol: training stops when no element of the gradient exceeds it.
        reduction: the "mean" or the "sum" of the examples' losses.
        standardize: subtract each column's mean and divide by its standard deviation, as
            computed by `fit`.
        random_state: a seed or a generator.
        verbose: show progress and the loss.
        workers: the number of threads that compute large tables; by default one for each core, if
            threadpoolctl is installed. It does not change the result.
        backend: "numpy"; "numba" for native code; "auto" for Numba, if it is installed, after so
            many steps that compiling pays. The results are equal to rounding.

    The gradient of the loss is Aᵀ(ŷ − y), divided by the number of rows for "mean".

    Example:
        >>> X = [[3.0, 5.0], [1.0, 4.0], [4.0, 8.0], [0.5, 6.0]]
        >>> model = LogisticRegression(learning_rate_init=0.05)
        >>> _ = model.fit(X, ["pass", "fail", "pass", "fail"])
        >>> model.predict([[5.0, 6.0], [0.0, 6.0]]).tolist()
        ['pass', 'fail']
        >>> round(model.loss_curve_[0], 4)
        0.6931
    """

    learning_rate_init: float = 0.1
    max_iter: int = 500
    intercept: Literal["column", "separate"] = "column"
    init: Literal["zeros", "random"] | Mapping[str, npt.ArrayLike] = "zeros"

    title: ClassVar[str] = "logistic regression"

    def shapes(self, n_features: int) -> Shapes:
        if self.intercept == "column":
            return {"w": (1 + n_features,)}
        if self.intercept == "separate":
            return {"w": (n_features,), "b": ()}
        raise ValueError(f'intercept must be "column" or "separate", not {self.intercept!r}')

    def start(self, n_features: int) -> Mapping[str, npt.ArrayLike]:
        shapes = self.shapes(n_features)
        if isinstance(self.init, Mapping):
            return self.init
        if self.init == "zeros":
            return {name: np.zeros(shape) for name, shape in shapes.items()}
        if self.init == "random":
            random = np.random.default_rng(self.random_state)
            return {name: random.normal(0.0, 0.01, shape) for name, shape in shapes.items()}
        raise ValueError(f'init must be "zeros", "random" or {{"w": …}}, not {self.init!r}')

    def inputs(self, X: Array) -> ag.Tensor:
        if self.intercept == "separate":
            return ag.constant(X, name="X")
        ones = np.ones((len(X), 1), dtype=X.dtype)
        return ag.constant(np.hstack([ones, X]), name="A")

    def forward(self, X: ag.Tensor, θ: Parameters) -> tuple[ag.Tensor, ag.Tensor]:
        if self.intercept == "column":
            A, w = X, θ["w"]
            with ag.scope("linear:  z = A w"):
                z = (A @ w).named("z")
        else:
            w, b = θ["w"], θ["b"]
            with ag.scope("linear:  z = X w + b"):
                z = ((X @ w).named("X w") + b).named("z")
        ŷ = ag.sigmoid(z).named("ŷ")
        return z, ŷ

    @property
    def coef_(self) -> Array:
        """The weights of the columns, (1, columns), as in scikit-learn."""
        self._check_fitted("coef_")
        w = self.parameters_["w"]
        return w[None, 1:] if self.intercept == "column" else w[None, :]

    @property
    def intercept_(self) -> Array:
        """The weight of the column of ones, or b, (1,)."""
        self._check_fitted("intercept_")
        b = self.parameters_["w"][0] if self.intercept == "column" else self.parameters_["b"]
        return np.reshape(b, 1)
