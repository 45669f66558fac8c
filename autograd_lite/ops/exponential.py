"""Exponentials, logarithms and roots."""

import math

import numpy as np

from autograd_lite.op import OPS, SCIPY, operation
from autograd_lite.ops.activations import sigmoid

LOG2, LOG10 = math.log(2), math.log(10)

operation(
    "exp",
    np.exp,
    lambda g, out, x: g * out,
    reads="out",
    symbol="exp",
    formula="exp x",
    gradient="g exp x",
)

operation(
    "exp2",
    np.exp2,
    lambda g, out, x: g * (out * LOG2),
    reads="out",
    formula="2ˣ",
    gradient="g 2ˣ log 2",
)

operation(
    "expm1",
    np.expm1,
    lambda g, out, x: g * np.exp(x),
    reads="x",
    formula="exp x − 1",
    gradient="g exp x",
)

operation(
    "log",
    np.log,
    lambda g, out, x: g / x,
    reads="x",
    symbol="log",
    formula="log x",
    gradient="g / x",
)

operation(
    "log2",
    np.log2,
    lambda g, out, x: g / (x * LOG2),
    reads="x",
    symbol="log₂",
    formula="log₂ x",
    gradient="g / (x log 2)",
)

operation(
    "log10",
    np.log10,
    lambda g, out, x: g / (x * LOG10),
    reads="x",
    symbol="log₁₀",
    formula="log₁₀ x",
    gradient="g / (x log 10)",
)

operation(
    "log1p",
    np.log1p,
    lambda g, out, x: g / (1 + x),
    reads="x",
    formula="log(1 + x)",
    gradient="g / (1 + x)",
)

operation(
    "logaddexp",
    np.logaddexp,
    lambda g, out, a, b: g * sigmoid(a - b),
    lambda g, out, a, b: g * sigmoid(b - a),
    reads="a b",
    formula="log(exp a + exp b)",
    gradient="g σ(a − b), g σ(b − a)",
)

operation(
    "logaddexp2",
    np.logaddexp2,
    lambda g, out, a, b: g * sigmoid((a - b) * LOG2),
    lambda g, out, a, b: g * sigmoid((b - a) * LOG2),
    reads="a b",
    formula="log₂(2ᵃ + 2ᵇ)",
    gradient="g 2ᵃ / (2ᵃ + 2ᵇ), g 2ᵇ / (2ᵃ + 2ᵇ)",
)

operation(
    "sqrt",
    np.sqrt,
    lambda g, out, x: 0.5 * g / out,
    reads="out",
    symbol="√",
    formula="√x",
    gradient="g / (2 √x)",
)

operation(
    "cbrt",
    np.cbrt,
    lambda g, out, x: g / (3 * out * out),
    reads="out",
    symbol="∛",
    formula="∛x",
    gradient="g / (3 (∛x)²)",
)

# SciPy has functions of its own under these names.
SCIPY |= {name: OPS[name] for name in ("cbrt", "exp2", "expm1", "log1p")}
