"""Elementwise functions that ONNX has no operation for, in terms of those that it has one for.

onnxruntime has no float64 kernel for many functions, or one that differs from NumPy for NaN, ties
or integers. Each form is a function of arrays that also runs on symbols; a test compares it with
the function that it replaces.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["FORMS", "form", "kind_of"]

FORMS: dict[str, Callable[..., Any]] = {}
"""The form of each function, by its name in an expression; it may return None for the function."""


def form(*fns: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Enter the form of functions."""

    def enter(made: Callable[..., Any]) -> Callable[..., Any]:
        FORMS.update(dict.fromkeys(fns, made))
        return made

    return enter


def kind_of(x: Any) -> Any:
    """The type of the numbers in an array, such as np.float32."""
    return x.dtype.type


def size_of(x: Any) -> Any:
    """|x| with the derivative 1 at 0: that of the branch which odd functions take there."""
    return np.where(x < 0, -x, x)


# Exponentials and logarithms (Kahan's form of log1p and expm1: Higham 2002, section 1.14.1)


@form("np.log1p")
def log1p(x: Any) -> Any:
    u = 1 + x
    return np.where((u == 1) | (u == np.inf), x, np.log(u) * (x / (u - 1)))


@form("np.expm1")
def expm1(x: Any) -> Any:
    u = np.exp(x)
    v = u - 1
    return np.where(u == 1, x, np.where((v == -1) | (u == np.inf), v, v * (x / np.log(u))))


@form("np.exp2")
def exp2(x: Any) -> Any:
    return np.power(kind_of(x)(2), x)


@form("np.log2")
def log2(x: Any) -> Any:
    return np.log(x) / math.log(2)


@form("np.log10")
def log10(x: Any) -> Any:
    return np.log(x) / math.log(10)


@form("np.logaddexp")
def logaddexp(a: Any, b: Any) -> Any:
    high, low = np.maximum(a, b), np.minimum(a, b)
    # Two equal infinities have no difference.
    apart = np.where(high == low, 0, low - high)
    return high + np.log1p(np.exp(apart))


@form("np.logaddexp2")
def logaddexp2(a: Any, b: Any) -> Any:
    high, low = np.maximum(a, b), np.minimum(a, b)
    apart = np.where(high == low, 0, low - high)
    return high + np.log1p(np.exp2(apart)) / math.log(2)


@form("np.cbrt")
def cbrt(x: Any) -> Any:
    root = np.power(size_of(x), kind_of(x)(1 / 3))
    return np.where(x < 0, -root, root)


@form("np.hypot")
def hypot(a: Any, b: Any) -> Any:
    a, b = np.abs(a), np.abs(b)
    high, low = np.maximum(a, b), np.minimum(a, b)
    ratio = low / np.where(high > 0, high, 1)
    length = np.where(high > 0, high * np.sqrt(1 + ratio * ratio), high)
    return np.where((a == np.inf) | (b == np.inf), np.inf, length)


# Hyperbolic functions and their inverses


@form("np.sinh")
def sinh(x: Any) -> Any:
    size = size_of(x)
    e, half = np.expm1(np.minimum(size, 1)), np.exp(size / 2)
    small = (e + e / (e + 1)) / 2
    large = half / 2 * half - np.exp(-size) / 2
    result = np.where(size < 1, small, large)
    return np.where(x < 0, -result, result)


@form("np.cosh")
def cosh(x: Any) -> Any:
    size = np.abs(x)
    half = np.exp(size / 2)
    return half / 2 * half + np.exp(-size) / 2


FAR = 1e8  # from here on, the square plus 1 is the square


@form("np.arcsinh")
def arcsinh(x: Any) -> Any:
    size = size_of(x)
    near = np.minimum(size, FAR)
    square = near * near
    small = np.log1p(near + square / (1 + np.sqrt(1 + square)))
    result = np.where(size > FAR, np.log(size) + math.log(2), small)
    return np.where(x < 0, -result, result)


@form("np.arccosh")
def arccosh(x: Any) -> Any:
    above = np.minimum(x, FAR) - 1
    small = np.log1p(above + np.sqrt(above * (above + 2)))
    return np.where(x < 1, np.nan, np.where(x > FAR, np.log(x) + math.log(2), small))


@form("np.arctanh")
def arctanh(x: Any) -> Any:
    size = size_of(x)
    result = np.log1p(2 * size / (1 - size)) / 2
    return np.where(x < 0, -result, result)


# Trigonometric functions: twice half the angle, until its series is short


# π / 2 in three parts, of which the first two have 33 bits, so that multiples are exact.
QUARTER = 1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21


@form("np.tan")
def tan(x: Any) -> Any:
    # onnxruntime's sine and cosine in float64 lose digits near the multiples of π / 2.
    rest = x.astype(np.float64)
    count = np.where(np.abs(rest) < 1e6, np.rint(rest * (2 / math.pi)), 0)
    for part in QUARTER:
        rest = rest - count * part
    s, c = np.sin(rest), np.cos(rest)
    odd = count - 2 * np.floor(count / 2) == 1
    return np.where(odd, -c, s) / np.where(odd, s, c)


@form("np.arctan")
def arctan(x: Any) -> Any:
    size = size_of(x)
    large = size > 1
    t = np.where(large, 1 / np.where(large, size, 1), size)
    for _ in range(2):
        t = t / (1 + np.sqrt(1 + t * t))
    square = t * t  # at most tan² (π / 16) = 0.04
    series = square * 0
    for k in range(12, 0, -1):
        series = (series + (-1) ** k / (2 * k + 1)) * square
    angle = 4 * (t + t * series)
    angle = np.where(large, math.pi / 2 - angle, angle)
    return np.where(x < 0, -angle, angle)


@form("np.arcsin")
def arcsin(x: Any) -> Any:
    return 2 * np.arctan(x / (1 + np.sqrt((1 - x) * (1 + x))))


@form("np.arccos")
def arccos(x: Any) -> Any:
    half = 2 * np.arcsin(np.sqrt((1 - size_of(x)) / 2))
    return np.where(x < 0, math.pi - half, half)


def _is_negative(x: Any) -> Any:
    """Whether the sign is negative, also that of a zero."""
    return (x < 0) | ((x == 0) & (1 / x < 0))


@form("np.arctan2")
def arctan2(y: Any, x: Any) -> Any:
    high, low = np.maximum(np.abs(x), np.abs(y)), np.minimum(np.abs(x), np.abs(y))
    ratio = np.where(high == low, np.where(high == 0, 0.0, 1.0), low / np.where(high > 0, high, 1))
    angle = np.arctan(ratio)
    angle = np.where(np.abs(y) > np.abs(x), math.pi / 2 - angle, angle)
    angle = np.where(_is_negative(x), math.pi - angle, angle)
    angle = np.where(_is_negative(y), -angle, angle)
    return np.where(np.isnan(x) | np.isnan(y), np.nan, angle)


@form("np.angle")
def angle(z: Any, deg: bool = False) -> Any:
    found = np.arctan2(np.zeros(z.shape, z.dtype), z)
    return found * (180 / math.pi) if deg else found


@form("np.sinc")
def sinc(x: Any) -> Any:
    y = math.pi * np.where(x == 0, kind_of(x)(1e-20), x)
    return np.sin(y) / y


@form("np.deg2rad", "np.radians")
def deg2rad(x: Any) -> Any:
    return x * (math.pi / 180)


@form("np.rad2deg", "np.degrees")
def rad2deg(x: Any) -> Any:
    return x * (180 / math.pi)


# Selection, signs, whole numbers and remainders


@form("np.isfinite")
def isfinite(x: Any) -> Any:
    return np.abs(x) < np.inf


@form("np.isposinf")
def isposinf(x: Any) -> Any:
    return x == np.inf


@form("np.isneginf")
def isneginf(x: Any) -> Any:
    return x == -np.inf


@form("np.clip")
def clip(a: Any, a_min: Any = None, a_max: Any = None) -> Any:
    a = a if a_min is None else np.maximum(a, a_min)
    return a if a_max is None else np.minimum(a, a_max)


@form("np.fmax")
def fmax(a: Any, b: Any) -> Any:
    return np.where(a != a, b, np.where(b != b, a, np.maximum(a, b)))


@form("np.fmin")
def fmin(a: Any, b: Any) -> Any:
    return np.where(a != a, b, np.where(b != b, a, np.minimum(a, b)))


@form("np.isreal")
def isreal(x: Any) -> Any:
    return np.full(x.shape, True)


@form("np.iscomplex")
def iscomplex(x: Any) -> Any:
    return np.full(x.shape, False)


@form("np.copysign")
def copysign(a: Any, b: Any) -> Any:
    size = np.abs(a)
    # The sign of NaN is not known.
    return np.where(b != b, np.nan, np.where(_is_negative(b), -size, size))


@form("np.heaviside")
def heaviside(a: Any, b: Any) -> Any:
    return np.where(a < 0, 0, np.where(a == 0, b, np.where(a > 0, 1, np.nan)))


@form("np.trunc")
def trunc(x: Any) -> Any:
    return np.where(x < 0, np.ceil(x), np.floor(x))


@form("np.round")
def round_(a: Any, decimals: int = 0) -> Any:
    if not decimals:
        return np.rint(a)
    scale = 10.0 ** abs(decimals)
    return np.rint(a * scale) / scale if decimals > 0 else np.rint(a / scale) * scale


@form("np.remainder")
def remainder(a: Any, b: Any) -> Any:
    if a.dtype.kind != "f":
        return None
    rest = np.fmod(a, b)
    return np.where((rest != 0) & ((rest < 0) != (b < 0)), rest + b, rest)


@form("np.floor_divide")
def floor_divide(a: Any, b: Any) -> Any:
    if a.dtype.kind != "f":
        return None
    rest = np.fmod(a, b)
    quotient = (a - rest) / b
    quotient = np.where((rest != 0) & ((rest < 0) != (b < 0)), quotient - 1, quotient)
    whole = np.floor(quotient)
    whole = np.where(quotient - whole > 0.5, whole + 1, whole)
    return np.where(b == 0, a / b, whole)


@form("np.ldexp")
def ldexp(x: Any, i: Any) -> Any:
    power = i.astype(x.dtype)
    half = np.floor(power / 2)
    two = kind_of(x)(2)
    return x * np.power(two, half) * np.power(two, power - half)


@form("np.isclose")
def isclose(a: Any, b: Any, rtol: Any = 1e-5, atol: Any = 1e-8, equal_nan: bool = False) -> Any:
    near = (np.abs(a - b) <= atol + rtol * np.abs(b)) & np.isfinite(b) | (a == b)
    return near | ((a != a) & (b != b)) if equal_nan else near


@form("np.isin")
def isin(
    element: Any, test_elements: Any, assume_unique: bool = False, invert: bool = False
) -> Any:
    tests = np.reshape(test_elements, (-1,))
    found = np.any(np.equal(np.expand_dims(element, -1), tests), axis=-1)
    return ~found if invert else found
