"""Numerical derivatives, with an estimate of their error, and of whether they exist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["Derivative", "derivative"]


@dataclass(frozen=True, slots=True)
class Derivative:
    """A numerical derivative.

    Attributes:
        value: the derivative.
        error: an estimate of its error.
        left, right: the one-sided derivatives.
        trouble: "" where the derivative exists, else "a kink", "a jump" or "an edge of the domain".
    """

    value: float
    error: float
    left: float
    right: float
    trouble: str = ""


def derivative(
    phi: Callable[[float], float],
    scale: float = 1.0,
    noise: Callable[[float, float], float] = lambda t, y: 0.0,
    enough: float = 1e-8,
) -> Derivative:
    """The derivative of a function of one number at 0.

    Central differences at h, h/2 and h/4, extrapolated to h = 0 (Romberg), for smaller and smaller
    h until the error is small enough or mostly rounding. If the one-sided derivatives, extrapolated
    in the same way, remain different, there is a kink.

    Args:
        phi: the function.
        scale: the distance over which its value may change much.
        noise: the error of its value y at t, beyond the rounding of y.
        enough: the error at which to stop.

    Example:
        >>> import math
        >>> found = derivative(math.exp)
        >>> round(found.value, 9), found.trouble
        (1.0, '')
        >>> derivative(abs).trouble
        'a kink'
    """
    here = phi(0.0)
    best = None
    for h in scale * 10.0 ** -np.arange(2.0, 7.0):
        found, rounding = _at(phi, here, float(h), noise)
        if best is None or best.trouble or (not found.trouble and found.error < best.error):
            best = found
        # Rounding grows as h shrinks, so a smaller h cannot help where it is most of the error.
        if not best.trouble and best.error <= max(enough, 2 * rounding):
            break
    assert best is not None
    return best


def _at(
    phi: Callable[[float], float], here: float, h: float, noise: Callable[[float, float], float]
) -> tuple[Derivative, float]:
    """The derivative from steps of at most h, and the part of its error that is rounding."""
    steps = [h, h / 2, h / 4]
    above, below = [phi(step) for step in steps], [phi(-step) for step in steps]
    most = max(map(abs, [here, *above, *below]))
    off = 2 * max(noise(h, above[0]), noise(-h, below[0]), 4.5e-16 * most)
    rounding = off / steps[-1]
    right = [(y - here) / step for y, step in zip(above, steps, strict=True)]
    left = [(here - y) / step for y, step in zip(below, steps, strict=True)]
    if not np.all(np.isfinite([*right, *left])):
        return Derivative(np.nan, np.inf, left[-1], right[-1], "an edge of the domain"), rounding

    first, second, third = ((a + b) / 2 for a, b in zip(right, left, strict=True))
    coarse, fine = (4 * second - first) / 3, (4 * third - second) / 3
    value = (16 * fine - coarse) / 15
    error = abs(value - fine) + rounding

    trouble = ""
    first, second, third = (a - b for a, b in zip(right, left, strict=True))
    coarse, fine = 2 * second - first, 2 * third - second
    apart = abs(fine) > 1e-5 * max(map(abs, [*right, *left])) + 16 * rounding
    if apart and abs(fine - coarse) < 0.2 * abs(fine):
        trouble = "a kink"
    if abs(above[2] - below[2]) > 0.85 * abs(above[0] - below[0]) + 2 * off:
        trouble = "a jump"
    return Derivative(value, error, left[-1], right[-1], trouble), rounding
