"""Addition, multiplication and their kin, and the product that keeps a zero zero."""

import numpy as np

from autograd_lite.op import operation


def _scaled(g, factor):
    product = g * factor
    if np.isfinite(np.add.reduce(product, axis=None)):
        return product
    return np.where(np.equal(g, 0), np.zeros_like(product), product)[()]


scaled = operation(
    "scaled",
    _scaled,
    lambda g, out, a, factor: scaled(g, factor),
    lambda g, out, a, factor: scaled(g, a),
    symbol="·",
    precedence=60,
    elementwise=True,
    broadcasts=True,
    formula="a · f",
    gradient="g · f, g · a",
    notes="The product of the gradient rules: where a is 0 the result is 0, however infinite f is.",
)

add = operation(
    "add",
    np.add,
    lambda g, out, a, b: g,
    lambda g, out, a, b: g,
    symbol="+",
    precedence=50,
    formula="a + b",
    gradient="g, g",
)

subtract = operation(
    "subtract",
    np.subtract,
    lambda g, out, a, b: g,
    lambda g, out, a, b: -g,
    symbol="−",
    precedence=50,
    formula="a − b",
    gradient="g, −g",
)

multiply = operation(
    "multiply",
    np.multiply,
    lambda g, out, a, b: g * b,
    lambda g, out, a, b: g * a,
    symbol="×",
    precedence=60,
    formula="a b",
    gradient="g b, g a",
)

divide = operation(
    "divide",
    np.divide,
    lambda g, out, a, b: scaled(g, 1 / b),
    lambda g, out, a, b: scaled(g, -out / b),
    symbol="÷",
    precedence=60,
    formula="a / b",
    gradient="g / b, −g a / b²",
)

negative = operation(
    "negative",
    np.negative,
    lambda g, out, x: -g,
    symbol="−",
    precedence=70,
    formula="−x",
    gradient="−g",
)


def _power_exponent(g, out, a, b):
    # 0 ** b is 0 for every b > 0, so its derivative is 0 and not 0 · log 0.
    positive = np.not_equal(a, 0)
    return scaled(g, out * np.where(positive, np.log(np.where(positive, a, 1.0)), 0.0))


power = operation(
    "power",
    np.power,
    lambda g, out, a, b: scaled(g, b * a ** np.where(np.equal(b, 0), 1.0, b - 1)),
    _power_exponent,
    symbol="^",
    precedence=80,
    formula="a ** b",
    gradient="g b a ** (b − 1), g a ** b log a",
    notes="For a negative base the derivative by the exponent does not exist and is NaN.",
)
