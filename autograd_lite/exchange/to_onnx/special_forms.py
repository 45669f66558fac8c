"""The special functions of the normal distribution and of entropies, as NumPy functions.

They are computed in float64, from one function, exp(x²) erfc(x).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from autograd_lite.exchange.to_onnx.forms import form

ROOT_2, ROOT_PI = math.sqrt(2), math.sqrt(math.pi)
TERMS = 26  # of the series up to |x| = 1
STEP = 0.5  # of the trapezoidal rule, whose error is of the size of exp(−π² / step²)


def _exp_of_square(x: Any, sign: int) -> Any:
    """exp(± x²), from the exact square of a number of few digits and the rest."""
    x = np.clip(x, -40, 40)
    near = np.rint(16 * x) / 16
    return np.exp(sign * near * near) * np.exp(sign * (x - near) * (x + near))


def _series(x: Any) -> Any:
    """erf(x) for |x| ≤ 1: 2/√π exp(−x²) Σ 2ⁿ x²ⁿ⁺¹ / (2n + 1)!!, whose terms do not cancel."""
    square = x * x
    total = 1.0 + 0 * square
    for n in range(TERMS, 0, -1):
        total = 1 + total * square * (2 / (2 * n + 1))
    return 2 / ROOT_PI * np.exp(-square) * x * total


def _tail(x: Any) -> Any:
    """exp(x²) erfc(x) for x ≥ 1, by the trapezoidal rule with a correction for its pole.

    x/π ∫ exp(−t²) / (x² + t²) dt (Matta and Reichel 1971, Mathematics of Computation 25, 339).
    """
    square = x * x
    total = 1 / square
    for n in range(1, 13):
        t = (n * STEP) ** 2
        total = total + 2 * math.exp(-t) / (square + t)
    near = np.minimum(x, math.pi / STEP)
    pole = 2 * np.exp(near * near) / np.expm1(2 * math.pi / STEP * near)
    return STEP / math.pi * x * total - np.where(x < math.pi / STEP, pole, 0)


def _scaled(x: Any) -> Any:
    """exp(x²) erfc(x)."""
    inner, size = np.clip(x, -1, 1), np.maximum(np.abs(x), 1)
    middle = np.exp(inner * inner) * (1 - _series(inner))
    low = 2 * _exp_of_square(x, 1) - _outer(size)
    return np.where(x > 1, _outer(size), np.where(x < -1, low, middle))


def _outer(x: Any) -> Any:
    """The tail, also where the square overflows."""
    return np.where(x > 1e8, 1 / x / ROOT_PI, _tail(np.minimum(x, 1e8)))


def _wide(x: Any) -> Any:
    return x.astype(np.float64)


def _erfc(x: Any) -> Any:
    inner, size = np.clip(x, -1, 1), np.maximum(np.abs(x), 1)
    outer = _exp_of_square(size, -1) * _tail(np.minimum(size, 30))
    return np.where(x > 1, outer, np.where(x < -1, 2 - outer, 1 - _series(inner)))


@form("special.erf")
def erf(x: Any) -> Any:
    x = _wide(x)
    inner, size = np.clip(x, -1, 1), np.maximum(np.abs(x), 1)
    outer = 1 - _exp_of_square(size, -1) * _tail(np.minimum(size, 30))
    return np.where(x > 1, outer, np.where(x < -1, -outer, _series(inner)))


@form("special.erfc")
def erfc(x: Any) -> Any:
    return _erfc(_wide(x))


@form("special.erfcx")
def erfcx(x: Any) -> Any:
    return _scaled(_wide(x))


@form("special.ndtr")
def ndtr(x: Any) -> Any:
    return _erfc(_wide(x) / -ROOT_2) / 2


@form("special.log_ndtr")
def log_ndtr(x: Any) -> Any:
    x = _wide(x)
    low = np.minimum(x, -1)
    left = np.log(_scaled(low / -ROOT_2) / 2) - low / 2 * low
    return np.where(x < -1, left, np.log1p(-_erfc(np.maximum(x, -1) / ROOT_2) / 2))


def _hazard(x: Any) -> Any:
    """φ(x) / Φ(x)."""
    return math.sqrt(2 / math.pi) / _scaled(x / -ROOT_2)


@form("truncated_moment")
def truncated_moment(x: Any, order: int = 1) -> Any:
    # As the forward of the operation, without looking whether an element needs the fraction.
    x = _wide(x)
    before, moment = 1.0, x + _hazard(x)
    for n in range(1, order):
        before, moment = moment, n * before + x * moment
    z, last = np.maximum(-x, 3), 40 + order
    ratio = 2 / (z + np.sqrt(z * z + 4 * last))
    product: Any = 1.0
    for n in range(last - 1, 0, -1):
        ratio = 1 / (z + (n + 1) * ratio)
        product = product * (n * ratio) if n <= order else product
    return np.where(x < -3, product, moment)


@form("special.xlogy")
def xlogy(x: Any, y: Any) -> Any:
    return np.where((x == 0) & (y == y), 0, x * np.log(y))


@form("special.xlog1py")
def xlog1py(x: Any, y: Any) -> Any:
    return np.where((x == 0) & (y == y), 0, x * np.log1p(y))


@form("special.entr")
def entr(x: Any) -> Any:
    return np.where(x < 0, -np.inf, np.where(x == 0, 0, -x * np.log(x)))


@form("special.rel_entr")
def rel_entr(x: Any, y: Any) -> Any:
    ratio = x / y
    near = (ratio > 0.5) & (ratio < 2)
    fits = (ratio > np.finfo(x.dtype).tiny) & (ratio < np.inf)
    logs = np.where(fits, np.log(ratio), np.log(x) - np.log(y))
    found = x * np.where(near, np.log1p((x - y) / y), logs)
    found = np.where((x == 0) & (y >= 0), 0, np.where((x < 0) | (y < 0), np.inf, found))
    found = np.where((x > 0) & (y == 0), np.inf, found)
    return np.where((x != x) | (y != y), np.nan, found)


@form("special.logit")
def logit(x: Any) -> Any:
    twice = 2 * (x - 0.5)
    middle = (x > 0.3) & (x < 0.65)
    return np.where(middle, np.log1p(twice) - np.log1p(-twice), np.log(x / (1 - x)))
