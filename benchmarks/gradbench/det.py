"""The determinant of a matrix.

GradBench expands it by minors, so that the number of operations is a factorial. A NumPy user calls
`np.linalg.det`.
"""

from __future__ import annotations

from typing import Any

import numpy

SIZE, SMALL = (50,), (4,)


def inputs(n: int) -> tuple[Any, ...]:
    return (numpy.random.default_rng(0).random((n, n)),)


def primal(np: Any, A: Any) -> Any:
    return np.linalg.det(A)
