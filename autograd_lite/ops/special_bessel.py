"""The modified Bessel functions of the first kind, also scaled by e^−|x|."""

import numpy as np

from autograd_lite.op import OPS, SCIPY, Op, operation
from autograd_lite.ops.special import floats, no_gradient, special

TERMS = 48
"""Of the asymptotic expansion; it converges to rounding where x > 50 and x > v² / 8."""


i0: Op = operation(
    "i0",
    lambda x: special.i0(x),
    lambda g, out, x: g * i1(x),
    numpy=(np.i0,),
    reads="x",
    elementwise=True,
    symbol="I₀",
    formula="I₀(x)",
    gradient="g I₁(x)",
)
i1: Op = operation(
    "i1",
    lambda x: special.i1(x),
    lambda g, out, x: g * (i0(x) + iv(2, x)) / 2,
    reads="x",
    elementwise=True,
    symbol="I₁",
    formula="I₁(x)",
    gradient="g (I₀(x) + I₂(x)) / 2",
)
iv: Op = operation(
    "iv",
    lambda v, x: special.iv(v, x),
    no_gradient("iv", "v", "it is an order"),
    lambda g, out, v, x: g * (iv(v - 1, x) + iv(v + 1, x)) / 2,
    reads=("", "v x"),
    elementwise=True,
    broadcasts=True,
    formula="I_v(x)",
    gradient="g (I_{v − 1}(x) + I_{v + 1}(x)) / 2",
)


def _ive_derivative(n, v, x):
    """The n-th derivative of e^−|x| I_v(x) by x; at 0 the mean of both sides.

    For large x, the terms of I_v′ = (I_{v − 1} + I_{v + 1}) / 2 and of the scale cancel. There each
    term of the asymptotic expansion (DLMF 10.40.1) is differentiated.
    """
    n, (v, x) = int(n), floats(v, x)
    dtype, v, x = x.dtype, np.asarray(v, float), np.asarray(x, float)
    size, sign = np.abs(x), np.sign(x)
    near = np.zeros(())
    for k in range(n + 1):
        terms = (special.comb(k, j) * special.ive(v - k + 2 * j, x) for j in range(k + 1))
        scale = (-1) ** (n - k) * (sign if (n - k) % 2 else 1)
        near = near + special.comb(n, k) * scale / 2**k * sum(terms)
    with np.errstate(all="ignore"):
        term, total = 1.0, 0.0
        for k in range(n):
            term = term * -(k + 0.5) / size
        for k in range(TERMS):
            total = total + term
            ratio = ((2 * k + 1) ** 2 - 4 * v * v) / (8 * (k + 1)) / size
            term = term * ratio * (k + 0.5 + n) / (k + 0.5)
        parity = np.where(v % 2 == 0, 1, np.where(v % 2 == 1, -1, np.nan)) * (-1) ** n
        far = total / np.sqrt(2 * np.pi * size) * np.where(sign < 0, parity, 1)
        result = np.where(size > np.maximum(50, v * v / 8), far, near)
    return result.astype(dtype)[()]


ive_derivative: Op = operation(
    "ive_derivative",
    _ive_derivative,
    no_gradient("ive_derivative", "n", "it is an order"),
    no_gradient("ive_derivative", "v", "it is an order"),
    lambda g, out, n, v, x: g * ive_derivative(n + 1, v, x),
    reads=("", "", "n v x"),
    elementwise=True,
    broadcasts=True,
    formula="the n-th derivative of e^−|x| I_v(x)",
    gradient="g times the next derivative",
    notes="The derivatives of `ive`, `i0e` and `i1e`, without cancellation.",
    kinks=lambda n, v, x: np.equal(x, 0) & np.equal(v % 2, n % 2),
)
operation(
    "ive",
    lambda v, x: special.ive(v, x),
    no_gradient("ive", "v", "it is an order"),
    lambda g, out, v, x: g * ive_derivative(1, v, x),
    reads=("", "v x"),
    elementwise=True,
    broadcasts=True,
    formula="e^−|x| I_v(x)",
    gradient="g times its derivative",
    notes="The derivative at 0 is the mean of both sides.",
    kinks=lambda v, x: np.equal(x, 0) & np.equal(v, 0),
)
operation(
    "i0e",
    lambda x: special.i0e(x),
    lambda g, out, x: g * ive_derivative(1, 0, x),
    reads="x",
    elementwise=True,
    formula="e^−|x| I₀(x)",
    gradient="g (e^−|x| I₁(x) − sign(x) e^−|x| I₀(x))",
    notes="The derivative at 0 is 0, the mean of both sides.",
    kinks=lambda x: np.equal(x, 0),
)
operation(
    "i1e",
    lambda x: special.i1e(x),
    lambda g, out, x: g * ive_derivative(1, 1, x),
    reads="x",
    elementwise=True,
    formula="e^−|x| I₁(x)",
    gradient="g (e^−|x| (I₀(x) + I₂(x)) / 2 − sign(x) e^−|x| I₁(x))",
)

SCIPY |= {name: OPS[name] for name in ("i0", "i1", "iv", "ive", "i0e", "i1e")}
