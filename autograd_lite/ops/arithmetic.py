"""Addition, multiplication, powers and remainders."""

from typing import Any

import numpy as np

from autograd_lite.core.tensor import Value
from autograd_lite.op import Op, operation


def least_length(dtype: Any) -> Any:
    """The smallest number by which a division keeps full precision."""
    return np.finfo(dtype).tiny / np.finfo(dtype).eps


operation(
    "add",
    np.add,
    lambda g, out, a, b: g,
    lambda g, out, a, b: g,
    reads="",
    symbol="+",
    precedence=50,
    formula="a + b",
    gradient="g, g",
)

operation(
    "subtract",
    np.subtract,
    lambda g, out, a, b: g,
    lambda g, out, a, b: -g,
    reads="",
    symbol="−",
    precedence=50,
    formula="a − b",
    gradient="g, −g",
)

operation(
    "multiply",
    np.multiply,
    lambda g, out, a, b: g * b,
    lambda g, out, a, b: g * a,
    reads=("b", "a"),
    symbol="×",
    precedence=60,
    absorbing=True,
    formula="a b",
    gradient="g b, g a",
)

operation(
    "divide",
    np.divide,
    lambda g, out, a, b: g / b,
    lambda g, out, a, b: -g * out / b,
    reads=("b", "out b"),
    symbol="÷",
    precedence=60,
    formula="a / b",
    gradient="g / b, −g a / b²",
)

operation(
    "negative",
    np.negative,
    lambda g, out, x: -g,
    reads="",
    symbol="−",
    precedence=70,
    formula="−x",
    gradient="−g",
)

operation(
    "reciprocal",
    np.reciprocal,
    lambda g, out, x: -g * out * out,
    reads="out",
    symbol="⁻¹",
    precedence=90,
    formula="1 / x",
    gradient="−g / x²",
)

operation(
    "square",
    np.square,
    lambda g, out, x: g * (2 * x),
    reads="x",
    symbol="²",
    precedence=90,
    formula="x²",
    gradient="2 g x",
)


def _power_base(g, out, a, b):
    values = b.array if isinstance(b, Value) else b
    known = type(values) in (int, float) or not getattr(b, "always_recorded", False)
    if known and np.all(values):
        return g * (b * a ** (b - 1))
    # a ** 0 is 1 for every a, so its derivative at 0 is 0 and not 0 · 0⁻¹.
    at_zero = np.logical_and(np.equal(a, 0), np.equal(b, 0))
    return g * (b * a ** np.where(at_zero, b, b - 1))


def _power_exponent(g, out, a, b):
    # 0 ** b is 0 for every b > 0, so its derivative is 0 and not 0 · log 0. The derivative of this
    # with respect to a is infinite for b ≤ 1; the root has that derivative.
    zero = np.logical_and(np.equal(a, 0), np.greater(b, 0))
    return g * np.where(
        zero, -np.sqrt(np.where(zero, a, 1.0)), out * np.log(np.where(zero, 1.0, a))
    )


power: Op = operation(
    "power",
    np.power,
    _power_base,
    _power_exponent,
    reads=("a b", "out a b"),
    symbol="^",
    precedence=80,
    formula="a ** b",
    gradient="g b a ** (b − 1), g a ** b log a",
    notes="For a negative base the derivative with respect to the exponent is NaN.",
)

operation(
    "float_power",
    np.float_power,
    *power.rules,
    reads=("a b", "out a b"),
    symbol="^",
    precedence=80,
    formula="a ** b, in float64",
    gradient="g b a ** (b − 1), g a ** b log a",
)

operation(
    "remainder",
    np.remainder,
    lambda g, out, a, b: g,
    lambda g, out, a, b: -g * np.floor_divide(a, b),
    reads=("", "a b"),
    symbol="mod",
    precedence=60,
    formula="a − b ⌊a / b⌋",
    gradient="g, −g ⌊a / b⌋",
    notes="At the jumps the derivative of the branch is taken.",
    kinks=lambda a, b: np.equal(np.remainder(a, b), 0),
)

operation(
    "fmod",
    np.fmod,
    lambda g, out, a, b: g,
    lambda g, out, a, b: -g * np.trunc(a / b),
    reads=("", "a b"),
    symbol="fmod",
    precedence=60,
    formula="a − b trunc(a / b)",
    gradient="g, −g trunc(a / b)",
    notes="At the jumps the derivative of the branch is taken.",
    kinks=lambda a, b: np.equal(np.fmod(a, b), 0) & np.not_equal(a, 0),
)

operation(
    "ldexp",
    np.ldexp,
    lambda g, out, x, i: np.ldexp(g, i),
    None,
    reads=("i", ""),
    formula="x 2ⁱ",
    gradient="g 2ⁱ, none",
)

operation(
    "copysign",
    np.copysign,
    lambda g, out, a, b: g * np.sign(a) * np.copysign(1.0, b),
    None,
    reads=("a b", ""),
    formula="|a| with the sign of b",
    gradient="g sign a sign b, none",
    notes="The derivative at a = 0 is 0, as that of |a|.",
    kinks=lambda a, b: np.equal(a, 0) | np.equal(b, 0),
)
