"""The multilayer perceptron: h = ReLU(W x + b) layer by layer, then ŷ = σ(w·h + b)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import numpy as np
import numpy.typing as npt

import autograd_lite as ag
from autograd_lite.models.classifier import Array, Classifier, Parameters, Shapes, symbol


@dataclass(kw_only=True, eq=False)
class MLPClassifier(Classifier):
    """A multilayer perceptron with ReLU, trained by gradient descent over all rows.

    Its parameters are W1, b1, W2, b2, … of the hidden layers, and w, b of the output. W1 is
    (units, inputs), and examples are rows: a = W⁽¹⁾x + b⁽¹⁾ for one example becomes
    a = X W⁽¹⁾ᵀ + b⁽¹⁾.

    Args:
        hidden_layer_sizes: the number of units of each hidden layer, or of a single one.
        init: "he" for normal weights with variance 2 / inputs and zero biases (He et al. 2015,
            arXiv:1502.01852); or the weights themselves, by name.
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

    Example:
        >>> X, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 1, 1, 0]
        >>> MLPClassifier(8, learning_rate_init=0.5, random_state=0).fit(X, y).score(X, y)
        1.0
    """

    hidden_layer_sizes: int | Sequence[int] = field(default=(16,), kw_only=False)
    learning_rate_init: float = 0.1
    max_iter: int = 500
    init: Literal["he"] | Mapping[str, npt.ArrayLike] = "he"

    title: ClassVar[str] = "multilayer perceptron"

    @property
    def _sizes(self) -> tuple[int, ...]:
        sizes = self.hidden_layer_sizes
        sizes = (sizes,) if isinstance(sizes, (int, np.integer)) else tuple(sizes)
        if not sizes or not all(isinstance(n, (int, np.integer)) and n > 0 for n in sizes):
            raise ValueError(f"hidden_layer_sizes must be positive integers, not {sizes}")
        return sizes

    def shapes(self, n_features: int) -> Shapes:
        shapes: Shapes = {}
        inputs = n_features
        for layer, units in enumerate(self._sizes, start=1):
            shapes |= {f"W{layer}": (units, inputs), f"b{layer}": (units,)}
            inputs = units
        return shapes | {"w": (inputs,), "b": ()}

    def start(self, n_features: int) -> Mapping[str, npt.ArrayLike]:
        if isinstance(self.init, Mapping):
            return self.init
        if self.init != "he":
            raise ValueError(f'init must be "he" or the weights by name, not {self.init!r}')
        random = np.random.default_rng(self.random_state)
        return {
            name: np.zeros(shape)
            if name.startswith("b")
            else random.normal(0.0, np.sqrt(2 / shape[-1]), shape)
            for name, shape in self.shapes(n_features).items()
        }

    def forward(self, X: ag.Tensor, θ: Parameters) -> tuple[ag.Tensor, ag.Tensor]:
        h, H = X, "X"
        for layer in range(1, len(self._sizes) + 1):
            W, b = θ[f"W{layer}"], θ[f"b{layer}"]
            a_, h_ = symbol(f"a{layer}"), symbol(f"h{layer}")
            with ag.scope(f"layer {layer}:  {h_} = ReLU({H} {W.name}ᵀ + {b.name})"):
                a = ((h @ W.T.named(f"{W.name}ᵀ")).named(f"{H} {W.name}ᵀ") + b).named(a_)
                h, H = ag.relu(a).named(h_), h_
        w, b = θ["w"], θ["b"]
        with ag.scope(f"output:  ŷ = σ({H} w + b)"):
            z = ((h @ w).named(f"{H} w") + b).named("z")
            ŷ = ag.sigmoid(z).named("ŷ")
        return z, ŷ

    @property
    def coefs_(self) -> list[Array]:
        """The weights of each layer, (units, inputs); scikit-learn's are the transposes."""
        self._check_fitted("coefs_")
        θ = self.parameters_
        return [θ[name] for name in θ if name.startswith("W")] + [θ["w"][None, :]]

    @property
    def intercepts_(self) -> list[Array]:
        """The biases of each layer, (units,)."""
        self._check_fitted("intercepts_")
        θ = self.parameters_
        return [θ[name] for name in θ if name.startswith("b") and name != "b"] + [θ["b"][None]]
