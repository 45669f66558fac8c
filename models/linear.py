"""Models that are linear in X: z = A w with a first column of ones, or z = X w + b."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np
import numpy.typing as npt

import autograd_lite as ag
from autograd_lite.models.estimator import Array, Arrays, Estimator, Parameters, Shapes

__all__ = ["Linear"]


@dataclass(kw_only=True, eq=False, repr=False)
class Linear(Estimator):
    """One layer. Its weights are w, or W (outputs, columns) of several outputs.

    With the intercept as a column they are trained as weights and biases all the same: A w is
    X w + b, where b is the first element, and X needs no copy with a column of ones.
    """

    intercept: Literal["column", "separate"] = "column"
    init: Literal["zeros", "random"] | Mapping[str, npt.ArrayLike] = "zeros"

    linear: ClassVar[bool] = True
    # One layer learns with larger steps than several.
    rates: ClassVar[Mapping[str, float]] = {"gd": 0.1, "sgd": 0.1, "adam": 0.1}

    def shapes(self, n_features: int, n_outputs: int = 1) -> Shapes:
        rows = () if n_outputs == 1 else (n_outputs,)
        name = "w" if n_outputs == 1 else "W"
        if self.intercept == "column":
            return {name: (*rows, 1 + n_features)}
        if self.intercept == "separate":
            return {name: (*rows, n_features), "b": rows}
        raise ValueError(f'intercept must be "column" or "separate", not {self.intercept!r}')

    def start(self, n_features: int, n_outputs: int = 1) -> Mapping[str, npt.ArrayLike]:
        shapes = self.shapes(n_features, n_outputs)
        if isinstance(self.init, Mapping):
            return self.init
        if not isinstance(self.init, str):
            raise ValueError(f'init must be "zeros", "random" or {{"w": …}}, not {self.init!r}')
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
        several = "W" in θ
        w, factor = (θ["W"].T.named("Wᵀ"), "Wᵀ") if several else (θ["w"], "w")
        out = self.output_name
        if "b" in θ:
            with ag.scope(f"linear:  {out} = X {factor} + b"):
                z = ((X @ w).named(f"X {factor}") + θ["b"]).named(out)
        else:
            with ag.scope(f"linear:  {out} = A {factor}"):
                z = (X @ w).named(out)
        return z, self.link(z)

    def penalised(self, θ: Parameters) -> list[Any]:
        weights = super().penalised(θ)
        return weights if "b" in θ else [w[1:] if w.ndim == 1 else w[:, 1:] for w in weights]

    def separated(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        if "b" in parameters:
            return dict(parameters)
        ((name, w),) = parameters.items()
        return {name: w[..., 1:], "b": w[..., 0]}

    def joined(self, weights: Mapping[str, Array]) -> Arrays:
        if self.intercept == "separate":
            return super().joined(weights)
        b, (name, w) = weights["b"], next(iter(weights.items()))
        return {name: np.concatenate([np.expand_dims(b, -1), w], axis=-1)}

    @property
    def coef_(self) -> Array:
        """The weights of the columns, as in scikit-learn."""
        self._check_fitted("coef_")
        return self._shown(self.separated(self.parameters_), "w", "W")

    @property
    def intercept_(self) -> Array:
        """The weight of the column of ones, or b, as in scikit-learn."""
        self._check_fitted("intercept_")
        return self._shown(self.separated(self.parameters_), "b")

    def _shown(self, weights: Mapping[str, Array], *names: str) -> Array:
        return next(weights[name] for name in names if name in weights)
