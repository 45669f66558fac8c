"""Activation functions."""

import numpy as np

from autograd_lite.op import SCIPY, Op, operation
from autograd_lite.ops.composition import holds, in_place, is_tensor
from autograd_lite.ops.special import density, ndtr, special


def _bell(x):
    """σ(x) σ(−x)."""
    e = np.exp(-np.abs(x))
    return e / np.square(1 + e)


# 1 − t² and 1 − σ lose precision where t and σ are close to 1. On Tensors they are recorded as
# written, and computed by stable forms (docs/stable.md).

operation(
    "tanh",
    np.tanh,
    lambda g, out, x: g * (1 - out * out if is_tensor(out) else 4 * _bell(2 * x)),
    reads="x",
    symbol="tanh",
    activation=True,
    formula="tanh x",
    gradient="g (1 − tanh² x)",
)

operation(
    "tanh_derivative",
    lambda x, t: 4 * _bell(2 * x),
    lambda g, out, x, t: -2 * g * out * t,
    None,
    reads=("out t", ""),
    elementwise=True,
    formula="1 − tanh² x, where t = tanh x is known",
    gradient="−2 g t (1 − t²), none",
    notes="The stable form of `1 − t * t`.",
)

operation(
    "relu",
    lambda x: np.maximum(x, 0),
    lambda g, out, x: g * (out > 0),
    reads="out",
    symbol="ReLU",
    activation=True,
    elementwise=True,
    chooses=(lambda out, x: np.less_equal(out, 0),),
    formula="max(x, 0)",
    gradient="g · 1[x > 0]",
    notes="The derivative at 0 is 0; that of `np.maximum(x, 0)` is ½.",
    kinks=lambda x: np.equal(x, 0),
)

operation(
    "leaky_relu",
    lambda x, negative_slope=0.01: np.where(x > 0, x, negative_slope * x),
    lambda g, out, x, negative_slope=0.01: np.where(x > 0, g, negative_slope * g),
    reads="x",
    symbol="LeakyReLU",
    activation=True,
    elementwise=True,
    formula="x where x > 0, else c x",
    gradient="g where x > 0, else c g",
    notes="The derivative at 0 is that of the negative side.",
    kinks=lambda x, negative_slope=0.01: np.equal(x, 0) & (negative_slope != 1),
)


def _below(x):
    """min(x, 0), so that the exponential does not overflow where it is not used."""
    return np.where(x > 0, 0, x)


operation(
    "elu",
    lambda x, alpha=1.0: np.where(x > 0, x, alpha * np.expm1(_below(x))),
    lambda g, out, x, alpha=1.0: np.where(x > 0, g, g * (alpha * np.exp(_below(x)))),
    reads="x",
    symbol="ELU",
    activation=True,
    elementwise=True,
    formula="x where x > 0, else α (exp x − 1)",
    gradient="g where x > 0, else g α exp x",
    kinks=lambda x, alpha=1.0: np.equal(x, 0) & (alpha != 1),
)


def _sigmoid(x):
    with np.errstate(over="ignore"):
        return np.reciprocal(1 + np.exp(-x))


sigmoid: Op = operation(
    "sigmoid",
    _sigmoid,
    lambda g, out, x: g * (out * (1 - out) if is_tensor(out) else _bell(x)),
    reads="x",
    symbol="σ",
    activation=True,
    elementwise=True,
    formula="1 / (1 + exp(−x))",
    gradient="g σ(x) (1 − σ(x))",
)

# Beyond these numbers the factor σ(x) or σ(−x) is 0. The other factor is cut off there, so that
# the product is not 0 · ∞ at an infinity.
_FAR = 1000


def _within(x, far):
    """x, cut off at ±far; the derivative of clip would be 0 at NaN."""
    return np.where(np.abs(x) > far, far * np.sign(x), x)


def _silu_rule(g, out, x):
    x = _within(x, _FAR)
    return g * (sigmoid(x) * (1 + x * sigmoid(-x)))


operation(
    "silu",
    lambda x: np.maximum(x, -_FAR) * _sigmoid(x),
    _silu_rule,
    reads="x",
    symbol="SiLU",
    activation=True,
    elementwise=True,
    formula="x σ(x)",
    gradient="g σ(x) (1 + x σ(−x))",
)

softplus: Op = operation(
    "softplus",
    lambda x: np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x))),
    lambda g, out, x: g * sigmoid(x),
    reads="x",
    symbol="softplus",
    activation=True,
    elementwise=True,
    formula="log(1 + exp x)",
    gradient="g σ(x)",
)


def _log_expit(x):
    """log σ(x), which is −softplus(−x)."""
    return -softplus(-x)


SCIPY |= {"expit": sigmoid, "log_expit": _log_expit}

_C, _K = (2 / np.pi) ** 0.5, 0.044715


def _gelu(x, approximate="tanh"):
    if approximate == "none":
        return np.maximum(x, -_FAR) * special.ndtr(x)
    if approximate != "tanh":
        raise ValueError(f'gelu: approximate must be "none" or "tanh", not {approximate!r}')
    # (1 + tanh u) / 2 is σ(2u), which is accurate where the tanh is −1.
    with np.errstate(over="ignore"):
        return np.maximum(x, -_FAR) * _sigmoid(2 * _C * x * (1 + _K * x * x))


def _gelu_rule(g, out, x, approximate="tanh"):
    if approximate == "none":
        x = x if is_tensor(x) else _within(x, 100)  # x φ(x) is 0 at infinity
        return g * (ndtr(x) + x * density(x))
    # For larger |x| the derivative is 0 or 1, and its terms would overflow.
    x = _within(x, 100)
    u = 2 * _C * x * (1 + _K * x * x)
    p = sigmoid(u)
    return g * (p + p * sigmoid(-u) * (2 * _C * x * (1 + 3 * _K * x * x)))


operation(
    "gelu",
    _gelu,
    _gelu_rule,
    reads="x",
    symbol="GELU",
    activation=True,
    elementwise=True,
    formula="x (1 + t)/2, t = tanh(√(2/π) (x + 0.044715 x³))",
    gradient="g ((1 + t)/2 + x (1 − t²) √(2/π) (1 + 0.134145 x²)/2)",
    notes="The tanh form (Hendrycks and Gimpel 2016), at most 5e-4 from the exact x Φ(x), whose "
    'gradient is g (Φ(x) + x φ(x)). `approximate="none"` is the exact one, as in PyTorch.',
)


def _shifted(x, axis):
    """x minus its maximum, so that the exponentials do not overflow."""
    peak = np.max(x, axis=axis, keepdims=True)
    shifted = x - np.where(np.isfinite(peak), peak, 0)
    if not holds(np.equal(peak, np.inf)):
        return shifted
    # One ∞ outweighs all other numbers. Of several, none is known to outweigh the others.
    largest = np.equal(x, np.inf)
    single = np.equal(np.sum(largest, axis=axis, keepdims=True), 1)
    return np.where(single, np.where(largest, 0, -np.inf).astype(x.dtype), shifted)


def _softmax(x, axis=-1):
    e = in_place(np.exp, _shifted(x, axis))
    return in_place(np.divide, e, np.sum(e, axis=axis, keepdims=True))


def _log_softmax(x, axis=-1):
    x = _shifted(x, axis)
    return x - np.log(np.add.reduce(np.exp(x), axis=axis, keepdims=True))


softmax: Op = operation(
    "softmax",
    _softmax,
    lambda g, out, x, axis=-1: out * (g - np.sum(g * out, axis=axis, keepdims=True)),
    reads="out",
    symbol="softmax",
    formula="p = exp x / Σ exp x",
    gradient="p (g − Σ g p)",
    notes="`axis` may be one axis, several, or None for all.",
    rows="along",
)

log_softmax: Op = operation(
    "log_softmax",
    _log_softmax,
    lambda g, out, x, axis=-1: g - np.exp(out) * np.sum(g, axis=axis, keepdims=True),
    reads="out",
    symbol="log softmax",
    formula="x − log Σ exp x",
    gradient="g − softmax(x) Σ g",
    rows="along",
)
