"""Operands of special functions with an order or a parameter that has no gradient."""

from __future__ import annotations

import numpy as np
from domains import positive
from hypothesis import strategies as st
from makers import special
from strategies import together


@special("polygamma")
def _polygamma(draw, values):
    n, x = draw(together())  # large derivatives would look like jumps
    return [np.abs(values(n)).astype(np.int8), values(x, **positive(0.5, 3))], {}


@special("iv", "ive")
def _of_order(draw, values):
    n, x = draw(together())
    return [np.abs(4 * values(n)).astype(np.int8), values(x, **positive(0.25, 3))], {}


@special("gammainc", "gammaincc", "gamma_density")
def _of_whole_parameter(draw, values):
    (a, x), _ = _of_order(draw, values)
    return [1 + 3 * a, x], {}


@special("ive_derivative")
def _ive_derivative(draw, values):
    (v, x), _ = _of_order(draw, values)
    return [draw(st.integers(0, 2)), v, x], {}


@special("polygamma_difference")
def _polygamma_difference(draw, values):
    a, b = draw(together())
    n = draw(st.integers(0, 2))
    return [n, values(a, **positive(0.25, 3)), values(b, **positive(0.25, 3))], {}
