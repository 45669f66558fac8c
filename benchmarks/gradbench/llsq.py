"""Linear least squares: a polynomial of m coefficients beside the sign of n points of [−1, 1]."""

from __future__ import annotations

from typing import Any

import numpy

SIZE, SMALL = (4096, 128), (20, 5)


def inputs(n: int, m: int) -> tuple[Any, ...]:
    return numpy.random.default_rng(0).random(m), numpy.linspace(-1, 1, n)


def primal(np: Any, x: Any, t: Any) -> Any:
    errors = np.sign(t) - np.vander(t, len(x), increasing=True) @ x
    return np.sum(errors**2) / 2
