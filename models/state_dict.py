"""Models from weights that were trained elsewhere."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from autograd_lite.exchange.tensors import Tensors
from autograd_lite.models.estimator import Estimator
from autograd_lite.models.inputs import Array
from autograd_lite.models.layers import Layers, layers_of, parameters_of
from autograd_lite.models.linear_regression import LinearRegression
from autograd_lite.models.logistic_regression import LogisticRegression
from autograd_lite.models.mlp import MLPClassifier, MLPRegressor

__all__ = ["different", "fitted", "from_state_dict"]

Activation = Literal["relu", "tanh", "logistic"]


def from_state_dict(
    state: Mapping[str, Any] | str | os.PathLike[str],
    *,
    activation: Activation | None = None,
    classes: npt.ArrayLike | None = None,
    columns: Sequence[str] | None = None,
    mean: npt.ArrayLike | None = None,
    scale: npt.ArrayLike | None = None,
) -> Estimator:
    """The model whose layers are those of a `state_dict` of PyTorch, ready to predict.

    `state` holds the weight (units, inputs) and the bias (units,) of each linear layer, as arrays
    or tensors of float32 or float64, by names that differ in their numbers alone: "0.weight",
    "0.bias", "2.weight", or "net.fc1.weight", "net.fc2.weight". It may be the path of a safetensors
    file that holds them. A layer without a bias has one of 0.

    What a `state_dict` does not say is given beside it. `activation` is that of all hidden layers.
    `classes` are the labels of the outputs, in their order; of one output, which is the log-odds of
    the second, both labels. Of two outputs for two classes their difference is kept, which has the
    same probabilities. Without `classes` the output is a number. `columns` are the names of the
    inputs; `mean` and `scale`, if the network was trained on standardized columns, what was
    subtracted from each and what it was divided by.

    One layer makes a LogisticRegression or LinearRegression, more an MLPClassifier or MLPRegressor.
    `model.state_dict()` is the way back.

    Raises TypeError if `state` is neither, ValueError that names the array or argument if it does
    not fit, or if `activation` is needed and not given, ImportError if safetensors is not
    installed, and OSError as `open` does.

    Example:
        >>> state = {"0.weight": np.array([[1.0, -1.0]]), "0.bias": np.array([0.5])}
        >>> model = from_state_dict(state, classes=["no", "yes"])
        >>> model.predict([[2.0, 1.0], [0.0, 3.0]]).tolist()
        ['yes', 'no']
        >>> model.state_dict()["0.weight"].tolist()
        [[1.0, -1.0]]
    """
    given: dict[str, Any] = {"activation": activation, "classes": classes, "columns": columns}
    given |= {"mean": mean, "scale": scale}
    where = "from_state_dict"
    try:
        if isinstance(state, (str, os.PathLike)):
            where += f": {os.fspath(state)}"
            state = Tensors(state)
        return fitted(layers_of(state), **given)
    except ValueError as error:
        raise ValueError(f"{where}: {error}") from None


def fitted(
    layers: Layers,
    *,
    activation: str | None = None,
    classes: Any = None,
    columns: Any = None,
    mean: Any = None,
    scale: Any = None,
) -> Estimator:
    """The fitted model of these layers; see `from_state_dict`."""
    columns_in = layers[0][0].shape[1]
    learned: dict[str, Any] = {"n_features_in_": columns_in}
    if classes is not None:
        layers, learned["classes_"] = _by_class(layers, classes)
    elif (outputs := len(layers[-1][1])) > 1:
        raise ValueError(f"the last layer has {outputs} outputs; give the class of each as classes")
    if columns is not None:
        learned["feature_names_in_"] = _names(columns, columns_in)
    dtype = np.result_type(*(array for layer in layers for array in layer))
    standardize = mean is not None or scale is not None
    if standardize:
        mean, scale = _numbers("mean", mean, columns_in), _numbers("scale", scale, columns_in)
        if not (scale > 0).all():
            raise ValueError("scale must be positive")
        # Not rounded: the mean may be large beside the differences from it.
        dtype = np.result_type(dtype, mean, scale)
        mean, scale = mean.astype(dtype), scale.astype(dtype)
    state = {
        f"{2 * k}.{name}": array.astype(dtype)
        for k, layer in enumerate(layers)
        for name, array in zip(("weight", "bias"), layer, strict=True)
    }
    model = _model([len(b) for _, b in layers[:-1]], activation, classes is not None)
    model.standardize = standardize
    parameters = parameters_of(model, state, len(layers[-1][1]))
    model._set_fitted(parameters, learned | {"mean_": mean, "scale_": scale})
    return model


def _model(hidden: list[int], activation: Any, classifier: bool) -> Estimator:
    """The model with hidden layers of these sizes, not fitted."""
    if not hidden:
        return LogisticRegression() if classifier else LinearRegression()
    if activation is None:
        raise ValueError(
            'give the activation of the hidden layers: activation="relu", "tanh" or "logistic"'
        )
    kind = MLPClassifier if classifier else MLPRegressor
    return kind(tuple(hidden), activation=activation)


def _by_class(layers: Layers, classes: Any) -> tuple[Layers, Array]:
    """The layers whose outputs are in the order of the sorted classes, and these."""
    given = classes if isinstance(classes, np.ndarray) else np.array(list(classes))
    texts = given.dtype.kind in "OU"
    if given.ndim != 1 or (texts and not all(isinstance(label, str) for label in classes)):
        raise ValueError("classes must be a list of numbers, Booleans or texts, of one type")
    order = np.argsort(given)
    if not different(given[order]):
        raise ValueError("classes must be two or more finite labels, all different")
    (*hidden, (weight, bias)), count = layers, len(given)
    if len(bias) == count:
        weight, bias = weight[order], bias[order]
        if count == 2:  # softmax of two is σ of their difference
            with np.errstate(over="ignore"):
                weight, bias = weight[1:] - weight[:1], bias[1:] - bias[:1]
            if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
                raise ValueError(f"the differences of its two outputs overflow {weight.dtype}")
    elif (len(bias), count) != (1, 2):
        raise ValueError(f"the last layer has {len(bias)} outputs, but there are {count} classes")
    elif order[0] == 1:
        weight, bias = -weight, -bias
    return [*hidden, (weight, bias)], given[order]


def different(classes: Array) -> bool:
    """Whether there are two or more classes, finite, sorted and all different."""
    finite = classes.dtype.kind != "f" or np.isfinite(classes).all()
    return bool(len(classes) > 1 and finite and (classes[1:] > classes[:-1]).all())


def _names(columns: Any, count: int) -> Array:
    names = np.array(list(columns), dtype=object)
    if names.shape != (count,) or not all(isinstance(name, str) for name in names):
        raise ValueError(f"columns must be the {count} names of the columns")
    return names


def _numbers(name: str, given: Any, count: int) -> Array:
    array = np.array(given if given is not None else np.nan)
    if array.dtype.kind in "iu":
        array = array.astype(float)
    if array.shape != (count,) or array.dtype.char not in "fd" or not np.isfinite(array).all():
        raise ValueError(f"{name} must be {count} finite numbers, one for each column")
    return array.astype(array.dtype.newbyteorder("="))
