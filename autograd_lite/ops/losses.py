"""Losses; each has reduction="mean", "sum" or "none"."""

import math
from typing import Any

import numpy as np

from autograd_lite.op import Op, operation
from autograd_lite.ops.activations import log_softmax, sigmoid, softmax
from autograd_lite.ops.composition import holds, is_tensor


def reduced(losses: Any, reduction: Any) -> Any:
    """The mean or the sum of the losses, or the losses themselves."""
    if reduction == "mean":
        return np.add.reduce(losses, axis=None) / losses.size
    return np.add.reduce(losses, axis=None) if reduction == "sum" else losses


def per_example(g: Any, losses: Any, reduction: Any) -> Any:
    """The gradient that enters at each of the losses."""
    return g / float(losses.size) if reduction == "mean" else g


def _reducible(size, reduction):
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction must be 'mean', 'sum' or 'none', not {reduction!r}")
    if not size and reduction == "mean":
        raise ValueError("there are no examples to take the mean of")


def _array(x):
    return x if hasattr(x, "dtype") else np.asarray(x)


def _fitting(prediction, target, reduction):
    """Both as arrays of one shape; a target of integers or booleans is converted to floats."""
    prediction, target = _array(prediction), _array(target)
    if prediction.shape != target.shape:
        raise ValueError(
            f"both must have the same shape, not {prediction.shape} and {target.shape}; reshape one"
        )
    _reducible(target.size, reduction)
    if target.dtype.kind != "f":
        target = target.astype(np.result_type(prediction.dtype, 1.0))
    return prediction, target


def _squared_error(prediction, target, reduction="mean"):
    prediction, target = _fitting(prediction, target, reduction)
    error = prediction - target
    return reduced(error * error, reduction)


operation(
    "squared_error",
    _squared_error,
    lambda g, out, prediction, target, reduction="mean": (
        2 * per_example(g, prediction, reduction) * (prediction - target)
    ),
    lambda g, out, prediction, target, reduction="mean": (
        2 * per_example(g, target, reduction) * (target - prediction)
    ),
    reads="prediction target",
    symbol="SE",
    averages=True,
    formula="(ŷ − y)², its mean or sum",
    gradient="2 g (ŷ − y), 2 g (y − ŷ); over m for the mean",
)


def _label_over(y, p):
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.equal(y, 0), 0.0, np.divide(y, p))[()]


label_over: Op = operation(
    "label_over",
    _label_over,
    lambda g, out, y, p: g / p,
    lambda g, out, y, p: -g * label_over(out, p),
    reads=("p", "out p"),
    symbol="÷",
    precedence=60,
    elementwise=True,
    broadcasts=True,
    formula="y / p, 0 where y is 0",
    gradient="g / p, −g y / p²",
    notes="A label of 0 gives 0, even for a probability of 0.",
)


def _weighted(labels, logs):
    """Each logarithm times its label; a label of 0 gives 0, even for −∞."""
    return np.where(labels == 0, 0, labels * logs)


def _binary_cross_entropy(y_hat, y, reduction="mean"):
    y_hat, y = _fitting(y_hat, y, reduction)
    with np.errstate(divide="ignore", invalid="ignore"):
        losses = -(_weighted(y, np.log(y_hat)) + _weighted(1 - y, np.log(1 - y_hat)))
    return reduced(losses, reduction)


operation(
    "binary_cross_entropy",
    _binary_cross_entropy,
    lambda g, out, y_hat, y, reduction="mean": (
        per_example(g, y_hat, reduction) * (label_over(1 - y, 1 - y_hat) - label_over(y, y_hat))
    ),
    lambda g, out, y_hat, y, reduction="mean": (
        per_example(g, y, reduction) * (np.log(1 - y_hat) - np.log(y_hat))
    ),
    reads="y_hat y",
    symbol="BCE",
    averages=True,
    formula="−(y log ŷ + (1 − y) log(1 − ŷ)), its mean or sum",
    gradient="g ((1 − y)/(1 − ŷ) − y/ŷ), g (log(1 − ŷ) − log ŷ); over m for the mean",
    notes="Accurate for all log-odds if ŷ is a σ, in any notation (docs/stable.md).",
)


# Up to this size one slow function takes less time than four fast ones.
FEW = 64


def _of_infinite(z, y):
    """The losses where a logit is infinite; nothing of it is left if its label agrees."""
    positive = np.greater(z, 0)
    large = np.where(np.equal(positive, y), 0, (positive - y) * z)
    return large + np.log1p(np.exp(-np.abs(z)))


def _with_logits(z, y, reduction="mean"):
    z, y = _fitting(z, y, reduction)
    with np.errstate(invalid="ignore"):
        product = y * z
        if z.size <= FEW:
            losses = np.logaddexp(-product, z - product)
        else:
            # For a label of 0 or 1 the large terms cancel exactly; the small term is added last.
            losses = np.maximum(z, 0) - product + np.log1p(np.exp(-np.abs(z)))
        if holds(np.isnan(losses)):
            losses = _of_infinite(z, y)
    return reduced(losses, reduction)


def _error(z, y):
    """σ(z) − y; on arrays with full precision also where σ rounds to 1."""
    if is_tensor(z):
        return sigmoid(z) - y
    e = np.exp(-np.abs(z))
    tail = e / (1 + e)
    return np.where(z > 0, (1 - y) - tail, tail - y)


operation(
    "binary_cross_entropy_with_logits",
    _with_logits,
    lambda g, out, z, y, reduction="mean": per_example(g, z, reduction) * _error(z, y),
    lambda g, out, z, y, reduction="mean": -per_example(g, y, reduction) * z,
    reads="z y",
    symbol="BCE(σ)",
    averages=True,
    formula="log(1 + exp z) − y z, its mean or sum",
    gradient="g (σ(z) − y), −g z; over m for the mean",
)

operation(
    "binary_cross_entropy_of_sigmoid",
    lambda z, y_hat, y, reduction="mean": _with_logits(z, y, reduction),
    lambda g, out, z, y_hat, y, reduction="mean": per_example(g, z, reduction) * (y_hat - y),
    None,
    lambda g, out, z, y_hat, y, reduction="mean": -per_example(g, y, reduction) * z,
    reads=("z y_hat y", "", "z y"),
    symbol="BCE(σ)",
    averages=True,
    formula="log(1 + exp z) − y z, its mean or sum, where ŷ = σ(z) is known",
    gradient="g (ŷ − y), none, −g z; over m for the mean",
    notes="The stable form of `binary_cross_entropy` if ŷ is a σ.",
)


def _classes(logits, labels):
    """Whether the labels are class indices, not a probability for each class."""
    return len(labels.shape) < len(logits.shape)


def _cross_entropy(logits, labels, reduction="mean"):
    logits, labels = np.asarray(logits), np.asarray(labels)
    if not logits.ndim or labels.shape not in (logits.shape, logits.shape[:-1]):
        raise ValueError(
            f"labels of shape {labels.shape} do not match logits of shape {logits.shape}; use one "
            "class index for each row of logits, or a probability for each logit"
        )
    _reducible(math.prod(logits.shape[:-1]), reduction)
    logs = log_softmax.forward(logits)
    if not _classes(logits, labels):
        if labels.dtype.kind != "f":
            labels = labels.astype(logs.dtype)
        return reduced(-np.add.reduce(_weighted(labels, logs), axis=-1), reduction)
    if labels.dtype.kind not in "iu":
        raise TypeError(
            f"labels of dtype {labels.dtype} and shape {labels.shape} are not class indices; use "
            "integers"
        )
    count = logits.shape[-1]
    if labels.size and not (labels.min() >= 0 and labels.max() < count):
        wrong = labels[(labels < 0) | (labels >= count)].flat[0]
        raise ValueError(f"the label {wrong} is not a class index from 0 to {count - 1}")
    logs = np.take_along_axis(logs, labels[..., None], axis=-1)[..., 0]
    return reduced(-logs, reduction)


def _per_row(g, logits, reduction):
    """The gradient that enters at each row, with an axis added for broadcasting."""
    if reduction == "mean":
        return g / float(math.prod(logits.shape[:-1]))
    return np.expand_dims(g, -1) if reduction == "none" else g


def _cross_entropy_logits(g, out, logits, labels, reduction="mean"):
    p = softmax(logits)
    if _classes(logits, labels):
        numbers = np.arange(logits.shape[-1]).reshape((1,) * (logits.ndim - 1) + (-1,))
        error = p - np.equal(np.expand_dims(labels, -1), numbers)
    else:
        error = p * np.sum(labels, axis=-1, keepdims=True) - labels
    return _per_row(g, logits, reduction) * error


operation(
    "cross_entropy",
    _cross_entropy,
    _cross_entropy_logits,
    lambda g, out, logits, labels, reduction="mean": (
        -_per_row(g, logits, reduction) * log_softmax(logits)
    ),
    reads=("logits labels", "logits"),
    symbol="CE",
    averages=True,
    rows="last",
    formula="−Σ y log softmax(z) over the last axis, its mean or sum over the rows",
    gradient="g (softmax(z) Σ y − y), −g log softmax(z); over m for the mean",
    notes="The labels are one class index for each row, or a probability for each class.",
)
