"""Losses: binary cross-entropy on probabilities and on log-odds."""

import numpy as np

from autograd_lite.op import operation
from autograd_lite.ops.activations import sigmoid, softplus
from autograd_lite.ops.arithmetic import scaled


def reduced(losses, reduction):
    """The mean or the sum of the losses, or the losses themselves."""
    if reduction == "mean":
        return np.add.reduce(losses, axis=None) / losses.size
    return np.add.reduce(losses, axis=None) if reduction == "sum" else losses


def per_example(g, losses, reduction):
    """The gradient that enters at each of the losses."""
    return g / float(losses.size) if reduction == "mean" else g


def _fits(name, prediction, target, reduction):
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"reduction is 'mean', 'sum' or 'none', not {reduction!r}")
    if np.shape(prediction) != np.shape(target):
        raise ValueError(
            f"{name} compares arrays of one shape, not {np.shape(prediction)} with "
            f"{np.shape(target)}; reshape one of them"
        )
    if not np.size(target) and reduction == "mean":
        raise ValueError("the mean over no examples does not exist")


def _binary_cross_entropy(y_hat, y, reduction="mean"):
    _fits("binary_cross_entropy", y_hat, y, reduction)
    y_hat = np.asarray(y_hat)
    with np.errstate(divide="ignore"):
        losses = -(scaled(y, np.log(y_hat)) + scaled(1 - y, np.log(1 - y_hat)))
    return reduced(losses, reduction)


binary_cross_entropy = operation(
    "binary_cross_entropy",
    _binary_cross_entropy,
    lambda g, out, y_hat, y, reduction="mean": scaled(
        per_example(g, y_hat, reduction), (1 - y) / (1 - y_hat) - y / y_hat
    ),
    lambda g, out, y_hat, y, reduction="mean": scaled(
        per_example(g, y_hat, reduction), np.log(1 - y_hat) - np.log(y_hat)
    ),
    symbol="BCE",
    formula="−(y log ŷ + (1 − y) log(1 − ŷ)), its mean or sum",
    gradient="g ((1 − y)/(1 − ŷ) − y/ŷ), g (log(1 − ŷ) − log ŷ), over m for the mean",
    notes="Exact at any log-odds when ŷ was made by `sigmoid`.",
)


def _with_logits(z, y, reduction="mean"):
    _fits("binary_cross_entropy_with_logits", z, y, reduction)
    return reduced(softplus(z) - y * z, reduction)


binary_cross_entropy_with_logits = operation(
    "binary_cross_entropy_with_logits",
    _with_logits,
    lambda g, out, z, y, reduction="mean": per_example(g, z, reduction) * (sigmoid(z) - y),
    lambda g, out, z, y, reduction="mean": -per_example(g, z, reduction) * z,
    symbol="BCE(σ)",
    formula="log(1 + exp z) − y z, its mean or sum",
    gradient="g (σ(z) − y), −g z, over m for the mean",
)

of_sigmoid = operation(
    "binary_cross_entropy_of_sigmoid",
    lambda z, y_hat, y, reduction="mean": _with_logits(z, y, reduction),
    lambda g, out, z, y_hat, y, reduction="mean": per_example(g, z, reduction) * (y_hat - y),
    None,
    lambda g, out, z, y_hat, y, reduction="mean": -per_example(g, z, reduction) * z,
    symbol="BCE(σ)",
    formula="log(1 + exp z) − y z, its mean or sum, where ŷ = σ(z) is known",
    gradient="g (ŷ − y), none, −g z, over m for the mean",
    notes="What `binary_cross_entropy` holds when ŷ was made by `sigmoid`.",
)
