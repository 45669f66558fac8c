"""Fitted estimators of scikit-learn from models; imported when one is asked for."""

from __future__ import annotations

from typing import Any

import numpy as np

from autograd_lite.models.layers import state_of

try:
    from sklearn import linear_model, neural_network
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
except ImportError:
    raise ImportError(
        'to_sklearn needs scikit-learn: pip install "autograd_lite[sklearn]"'
    ) from None

__all__ = ["converted"]


def converted(model: Any) -> Any:
    """What `to_sklearn` of a model returns."""
    arrays = list(state_of(model.separated(model.parameters_)).values())
    weights, biases = arrays[::2], arrays[1::2]
    estimator = (_linear if model.linear else _perceptron)(model, weights, biases)
    first = estimator
    if model.mean_ is not None:
        first = StandardScaler()
        first.mean_, first.scale_ = model.mean_.copy(), model.scale_.copy()
        first.var_, first.n_features_in_ = model.scale_**2, model.n_features_in_
    if hasattr(model, "feature_names_in_"):
        first.feature_names_in_ = np.array(model.feature_names_in_, dtype=object)
    return estimator if first is estimator else make_pipeline(first, estimator)


def _linear(model: Any, weights: list[Any], biases: list[Any]) -> Any:
    (weight,), (bias,) = weights, biases
    if model.kind == "classifier":
        estimator = linear_model.LogisticRegression()
        estimator.classes_, estimator.coef_ = model.classes_.copy(), weight.copy()
        estimator.intercept_ = bias.copy()
        estimator.n_iter_ = np.array([getattr(model, "n_iter_", 0)])
    else:
        estimator = linear_model.LinearRegression()
        estimator.coef_, estimator.intercept_ = weight[0].copy(), bias[0]
    estimator.n_features_in_ = model.n_features_in_
    return estimator


def _perceptron(model: Any, weights: list[Any], biases: list[Any]) -> Any:
    name = f"MLP{model.kind.capitalize()}"
    sizes = tuple(len(bias) for bias in biases[:-1])
    kind = getattr(neural_network, name)
    estimator = kind(hidden_layer_sizes=sizes, activation=model.activation, random_state=0)
    # One step on rows of zeros sets all that belongs to a fitted estimator, also what is private.
    classes = {"classes": model.classes_} if model.kind == "classifier" else {}
    y = model.classes_ if classes else np.zeros(2)
    rows = np.zeros((len(y), model.n_features_in_), weights[0].dtype)
    estimator.partial_fit(rows, y, **classes).set_params(random_state=None)
    estimator.coefs_ = [np.array(weight.T, order="C") for weight in weights]
    estimator.intercepts_ = [bias.copy() for bias in biases]
    vars(estimator).pop("_optimizer", None)  # its state is of that step
    estimator.n_iter_, estimator.t_ = getattr(model, "n_iter_", 0), 0
    estimator.loss_curve_ = list(getattr(model, "loss_curve_", []))
    estimator.loss_ = estimator.best_loss_ = getattr(model, "loss_", None)
    return estimator
