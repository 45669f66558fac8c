"""k-means: the sum over n points of the squared distance to the nearest of k centroids.

As in GradBench, what is measured as the gradient is the Newton step of the centroids: the gradient
over the diagonal of the Hessian, elementwise. The Hessian is diagonal, so its diagonal is its
product with a vector of ones.
"""

from __future__ import annotations

from typing import Any

import numpy

SIZE, SMALL = (10_000, 100, 16), (30, 4, 3)


def inputs(n: int, k: int, d: int) -> tuple[Any, ...]:
    points = numpy.random.default_rng(0).random((n, d))
    return points[-k:].copy(), points  # each centroid is the nearest one of some point


def primal(np: Any, centroids: Any, points: Any) -> Any:
    squares = np.sum(points**2, axis=1)[:, None] + np.sum(centroids**2, axis=1)[None, :]
    return np.sum(np.amin(squares - 2 * points @ centroids.T, axis=1))
