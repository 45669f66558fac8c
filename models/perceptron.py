"""The multilayer perceptron: h = g(W x + b) layer by layer, and an output layer."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

import autograd_lite as ag
from autograd_lite.models.estimator import Array, Estimator, Parameters, Shapes, symbol

__all__ = ["ACTIVATIONS", "Perceptron"]

ACTIVATIONS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "relu": ("ReLU", ag.relu),
    "tanh": ("tanh", np.tanh),
    "logistic": ("σ", ag.sigmoid),
}
"""The name of each activation in formulas, and the function."""


def _nonlinearity(activation: Any) -> tuple[str, Callable[[Any], Any]]:
    """The name of g in formulas, and g; raises ValueError if there is none."""
    if not isinstance(activation, str) or activation not in ACTIVATIONS:
        raise ValueError(f"activation must be one of {', '.join(ACTIVATIONS)}, not {activation!r}")
    return ACTIVATIONS[activation]


@dataclass(kw_only=True, eq=False, repr=False)
class Perceptron(Estimator):
    """Hidden layers W1, b1, W2, b2, … and an output layer w, b, or W, b of several outputs.

    W1 is (units, inputs), and examples are rows: a = W⁽¹⁾x + b⁽¹⁾ for one example becomes
    a = X W⁽¹⁾ᵀ + b⁽¹⁾.
    """

    hidden_layer_sizes: int | Sequence[int] = field(default=(16,), kw_only=False)
    activation: Literal["relu", "tanh", "logistic"] = "relu"
    init: Literal["he"] | Mapping[str, npt.ArrayLike] = "he"

    @property
    def _sizes(self) -> tuple[int, ...]:
        given = self.hidden_layer_sizes
        sizes = np.atleast_1d(np.asarray(given))
        if sizes.ndim != 1 or not sizes.size or sizes.dtype.kind not in "iu" or sizes.min() < 1:
            raise ValueError(f"hidden_layer_sizes must be positive integers, not {given!r}")
        return tuple(sizes.tolist())

    def shapes(self, n_features: int, n_outputs: int = 1) -> Shapes:
        _nonlinearity(self.activation)
        shapes: Shapes = {}
        inputs = n_features
        for layer, units in enumerate(self._sizes, start=1):
            shapes |= {f"W{layer}": (units, inputs), f"b{layer}": (units,)}
            inputs = units
        if n_outputs == 1:
            return shapes | {"w": (inputs,), "b": ()}
        return shapes | {"W": (n_outputs, inputs), "b": (n_outputs,)}

    def start(self, n_features: int, n_outputs: int = 1) -> Mapping[str, npt.ArrayLike]:
        if isinstance(self.init, Mapping):
            return self.init
        if not isinstance(self.init, str) or self.init != "he":
            raise ValueError(f'init must be "he" or the weights by name, not {self.init!r}')
        random = np.random.default_rng(self.random_state)
        return {
            name: np.zeros(shape)
            if name.startswith("b")
            else random.normal(0.0, np.sqrt(2 / shape[-1]), shape)
            for name, shape in self.shapes(n_features, n_outputs).items()
        }

    def forward(self, X: ag.Tensor, θ: Parameters) -> tuple[ag.Tensor, ag.Tensor]:
        name, g = _nonlinearity(self.activation)
        h, H = X, "X"
        for layer in range(1, 1 + sum(name.startswith("W") and name != "W" for name in θ)):
            W, b = θ[f"W{layer}"], θ[f"b{layer}"]
            Wᵀ, b_ = symbol(f"W{layer}") + "ᵀ", symbol(f"b{layer}")
            a_, h_ = symbol(f"a{layer}"), symbol(f"h{layer}")
            with ag.scope(f"layer {layer}:  {h_} = {name}({H} {Wᵀ} + {b_})"):
                a = ((h @ W.T.named(Wᵀ)).named(f"{H} {Wᵀ}") + b).named(a_)
                h, H = g(a).named(h_), h_
        w, factor = (θ["W"].T, "Wᵀ") if "W" in θ else (θ["w"], "w")
        with ag.scope(f"output:  {self.formula(f'{H} {factor} + b', 'W' in θ)}"):
            if "W" in θ:
                w = w.named("Wᵀ")
            z = ((h @ w).named(f"{H} {factor}") + θ["b"]).named(self.output_name)
            return z, self.link(z)

    @property
    def coefs_(self) -> list[Array]:
        """The weights of each layer, (units, inputs); scikit-learn's are the transposes."""
        self._check_fitted("coefs_")
        θ = self.parameters_
        return [np.atleast_2d(θ[name]) for name in θ if not name.startswith("b")]

    @property
    def intercepts_(self) -> list[Array]:
        """The biases of each layer, (units,)."""
        self._check_fitted("intercepts_")
        θ = self.parameters_
        return [np.atleast_1d(θ[name]) for name in θ if name.startswith("b")]
