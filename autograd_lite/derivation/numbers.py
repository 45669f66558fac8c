"""Exact forms of numbers: short decimals, roots, logarithms and multiples of π."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from typing import Any

__all__ = ["constant", "is_decimal", "is_long"]


def is_decimal(x: Any) -> bool:
    """Whether a fraction is a short decimal number, other than a half, quarter or eighth."""
    return bool(x.q % 5 == 0 and 10_000 % x.q == 0)


def is_long(n: int) -> bool:
    """Whether a natural number is a float that is much shorter with an exponent, as 1e100 is."""
    return n < 2**1000 and n == float(n) and 2 * len(repr(float(n))) < len(str(n))


@cache
def constant(x: float) -> tuple[str, int, int, int] | None:
    """A number as √r, log r or r, where r is p/q times a power of π, if it is exactly equal."""
    for name, function, inverse in (
        ("", float, float),
        ("sqrt", math.sqrt, lambda v: v * v),
        ("log", math.log, math.exp),
    ):
        for π in (0, 1, -1):
            if (not name and not π) or x > 50:
                continue
            fraction = Fraction(inverse(x) / math.pi**π).limit_denominator(100)
            if fraction > 0 and function(float(fraction) * math.pi**π) == x:
                return name, fraction.numerator, fraction.denominator, π
    return None
