"""LogSumExp of a vector, log Σ exp x, from its parts: the maximum, exponentials, sum, logarithm."""

from __future__ import annotations

from typing import Any

import numpy

SIZE, SMALL = (160_000,), (50,)


def inputs(n: int) -> tuple[Any, ...]:
    return (numpy.random.default_rng(0).random(n),)


def primal(np: Any, x: Any) -> Any:
    largest = np.max(x)
    return largest + np.log(np.sum(np.exp(x - largest)))
