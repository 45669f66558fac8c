"""The functions between the layers."""

import numpy as np

from autograd_lite.op import operation

tanh = operation(
    "tanh",
    np.tanh,
    lambda g, out, x: g * (1 - out * out),
    symbol="tanh",
    formula="tanh x",
    gradient="g (1 − tanh² x)",
)

relu = operation(
    "relu",
    lambda x: np.maximum(x, 0),
    lambda g, out, x: g * (x > 0),
    symbol="ReLU",
    elementwise=True,
    formula="max(x, 0)",
    gradient="g · 1[x > 0]",
    notes="The derivative at 0 is 0; `np.maximum(x, 0)` shares the tie and has ½ there.",
)


def _sigmoid(x):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-x))


sigmoid = operation(
    "sigmoid",
    _sigmoid,
    lambda g, out, x: g * (out * (1 - out)),
    symbol="σ",
    elementwise=True,
    formula="1 / (1 + exp(−x))",
    gradient="g σ(x) (1 − σ(x))",
)

softplus = operation(
    "softplus",
    lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
    lambda g, out, x: g * sigmoid(x),
    symbol="softplus",
    elementwise=True,
    formula="log(1 + exp x)",
    gradient="g σ(x)",
)
