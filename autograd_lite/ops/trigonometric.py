"""Trigonometric and hyperbolic functions, their inverses, and angles."""

import math

import numpy as np

from autograd_lite.op import Op, operation

operation(
    "sin",
    np.sin,
    lambda g, out, x: g * np.cos(x),
    reads="x",
    formula="sin x",
    gradient="g cos x",
)
cos: Op = operation(
    "cos",
    np.cos,
    lambda g, out, x: g * -np.sin(x),
    reads="x",
    formula="cos x",
    gradient="−g sin x",
)
operation(
    "tan",
    np.tan,
    lambda g, out, x: g * (1 + out * out),
    reads="out",
    formula="tan x",
    gradient="g (1 + tan² x)",
)
operation(
    "arcsin",
    np.arcsin,
    lambda g, out, x: g / np.sqrt((1 - x) * (1 + x)),
    reads="x",
    formula="arcsin x",
    gradient="g / √(1 − x²)",
)
operation(
    "arccos",
    np.arccos,
    lambda g, out, x: -g / np.sqrt((1 - x) * (1 + x)),
    reads="x",
    formula="arccos x",
    gradient="−g / √(1 − x²)",
)
operation(
    "arctan",
    np.arctan,
    lambda g, out, x: g / (1 + x * x),
    reads="x",
    formula="arctan x",
    gradient="g / (1 + x²)",
)


def _over_square(x, length):
    """x / length², without overflow or underflow of the square."""
    return x / length / length


operation(
    "arctan2",
    np.arctan2,
    lambda g, out, y, x: g * _over_square(x, np.hypot(x, y)),
    lambda g, out, y, x: -g * _over_square(y, np.hypot(x, y)),
    reads="y x",
    formula="the angle of the point (b, a)",
    gradient="g b / (a² + b²), −g a / (a² + b²)",
    notes="At the origin, where the angle jumps, the gradient is NaN.",
    kinks=lambda y, x: np.equal(y, 0) & np.less_equal(x, 0),
)


operation(
    "sinh",
    np.sinh,
    lambda g, out, x: g * np.cosh(x),
    reads="x",
    formula="sinh x",
    gradient="g cosh x",
)
cosh: Op = operation(
    "cosh",
    np.cosh,
    lambda g, out, x: g * np.sinh(x),
    reads="x",
    formula="cosh x",
    gradient="g sinh x",
)
operation(
    "arcsinh",
    np.arcsinh,
    lambda g, out, x: g / np.hypot(1.0, x),
    reads="x",
    formula="arsinh x",
    gradient="g / √(1 + x²)",
)
operation(
    "arccosh",
    np.arccosh,
    lambda g, out, x: g / (np.sqrt(x - 1) * np.sqrt(x + 1)),
    reads="x",
    formula="arcosh x",
    gradient="g / √(x² − 1)",
)
operation(
    "arctanh",
    np.arctanh,
    lambda g, out, x: g / ((1 - x) * (1 + x)),
    reads="x",
    formula="artanh x",
    gradient="g / (1 − x²)",
)

operation(
    "deg2rad",
    np.deg2rad,
    lambda g, out, x: g * (math.pi / 180),
    reads="",
    numpy=(np.radians,),
    symbol="rad",
    formula="x π / 180",
    gradient="g π / 180",
)
operation(
    "rad2deg",
    np.rad2deg,
    lambda g, out, x: g * (180 / math.pi),
    reads="",
    numpy=(np.degrees,),
    symbol="deg",
    formula="x 180 / π",
    gradient="g 180 / π",
)


def _sinc_rule(g, out, x):
    # Near 0 the quotient loses precision; the Taylor series does not.
    near = np.less(np.abs(x), 0.5)
    safe = np.where(near, 1.0, x)
    square = np.square(math.pi * np.where(near, x, 0.0))
    series = 0.0 * square
    for k in range(12, 0, -1):
        series = series * square + (-1) ** k * 2 * k / math.factorial(2 * k + 1)
    return g * np.where(
        near, series * x * math.pi**2, (np.cos(math.pi * safe) - np.sinc(safe)) / safe
    )


operation(
    "sinc",
    lambda x: np.sinc(x),
    _sinc_rule,
    reads="x",
    numpy=(np.sinc,),
    elementwise=True,
    formula="sin(πx) / (πx), 1 at 0",
    gradient="g (cos(πx) − sinc x) / x, 0 at 0",
)

operation(
    "unwrap",
    lambda p, discont=None, axis=-1, period=2 * math.pi: np.unwrap(
        p, discont=discont, axis=axis, period=period
    ),
    lambda g, out, p, discont=None, axis=-1, period=2 * math.pi: g,
    reads="",
    numpy=(np.unwrap,),
    formula="p with whole periods added, so that it does not jump",
    gradient="g",
)
