"""Generated data: two classes in the plane."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autograd_lite.data.tables import Array, Table

_COLUMNS, _TARGET = ("x₁", "x₂"), "class"


def make_moons(
    n_samples: int = 200,
    *,
    noise: float = 0.15,
    random_state: int | np.random.Generator | None = None,
) -> Table:
    """Two interleaving half circles: X (n_samples, 2), y of 0 and 1.

    The first, (cos φ, sin φ), opens downwards, the second, (1 − cos φ, ½ − sin φ), upwards; φ
    takes even steps from 0 to π. Normal noise with the standard deviation `noise` is added to every
    coordinate. If n_samples is odd, the second has one point more.

    Raises ValueError if n_samples is below 2, or noise is negative or not finite.

    Example:
        >>> X, y, *_ = make_moons(4, noise=0)
        >>> X.round(1).tolist(), y.tolist()
        ([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.5], [2.0, 0.5]], [0, 0, 1, 1])
    """
    first, second = _halves(n_samples)
    φ, ψ = np.linspace(0, np.pi, first), np.linspace(0, np.pi, second)
    curves = (
        np.column_stack([np.cos(φ), np.sin(φ)]),
        np.column_stack([1 - np.cos(ψ), 0.5 - np.sin(ψ)]),
    )
    return _noisy(curves, noise, random_state)


def make_spirals(
    n_samples: int = 200,
    *,
    turns: float = 1.25,
    noise: float = 0.02,
    random_state: int | np.random.Generator | None = None,
) -> Table:
    """Two spirals around each other: X (n_samples, 2) in the unit disc, y of 0 and 1.

    The first is r (cos 2π·turns·r, sin 2π·turns·r) with the radius r in even steps from 0.1 to 1;
    the second is the first rotated by half a circle. Normal noise with the standard deviation
    `noise` is added to every coordinate. If n_samples is odd, the second has one point more.

    Raises ValueError if n_samples is below 2, or noise is negative or not finite.

    Example:
        >>> X, y, *_ = make_spirals(4, turns=1, noise=0)
        >>> X[[1, 3]].round(1).tolist(), y.tolist()
        ([[1.0, -0.0], [-1.0, 0.0]], [0, 0, 1, 1])
    """
    curves = []
    for sign, points in zip((1, -1), _halves(n_samples), strict=True):
        r = np.linspace(0.1, 1, points)
        φ = 2 * np.pi * turns * r
        curves.append(sign * np.column_stack([r * np.cos(φ), r * np.sin(φ)]))
    return _noisy(curves, noise, random_state)


def make_circles(
    n_samples: int = 200,
    *,
    factor: float = 0.5,
    noise: float = 0.1,
    random_state: int | np.random.Generator | None = None,
) -> Table:
    """Two circles around the same centre: X (n_samples, 2), y of 0 and 1.

    The first has the radius 1, the second the radius `factor`; the points of each are at even
    angles. Normal noise with the standard deviation `noise` is added to every coordinate. If
    n_samples is odd, the second has one point more.

    Raises ValueError if n_samples is below 2, factor is not between 0 and 1, or noise is negative
    or not finite.

    Example:
        >>> X, y, *_ = make_circles(4, noise=0)
        >>> X.round(1).tolist(), y.tolist()
        ([[1.0, 0.0], [-1.0, 0.0], [0.5, 0.0], [-0.5, 0.0]], [0, 0, 1, 1])
    """
    if not 0 < factor < 1:
        raise ValueError(f"factor must be between 0 and 1, not {factor}")
    curves = []
    for radius, points in zip((1, factor), _halves(n_samples), strict=True):
        φ = 2 * np.pi * np.arange(points) / points
        curves.append(radius * np.column_stack([np.cos(φ), np.sin(φ)]))
    return _noisy(curves, noise, random_state)


def make_xor(
    n_samples: int = 200,
    *,
    noise: float = 0.1,
    random_state: int | np.random.Generator | None = None,
) -> Table:
    """Points in a square, of class 1 where the signs of their coordinates differ.

    X (n_samples, 2) is uniform in the square from −1 to 1, y is 0 or 1. Normal noise with the
    standard deviation `noise` is then added to every coordinate. If n_samples is odd, class 1 has
    one point more.

    Raises ValueError if n_samples is below 2, or noise is negative or not finite.

    Example:
        >>> X, y, *_ = make_xor(4, noise=0, random_state=0)
        >>> np.sign(X).tolist(), y.tolist()
        ([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [1.0, -1.0]], [0, 0, 1, 1])
    """
    random = np.random.default_rng(random_state)
    curves = []
    for sign, points in zip((1, -1), _halves(n_samples), strict=True):
        x, size = random.uniform(-1, 1, points), random.uniform(0, 1, points)
        curves.append(np.column_stack([x, sign * np.where(x < 0, -size, size)]))
    return _noisy(curves, noise, random)


def make_students(
    n_samples: int = 200, *, random_state: int | np.random.Generator | None = None
) -> Table:
    """Students with the hours that they studied and slept, and whether they passed a test.

    X (n_samples, 2) has hours studied, uniform from 0 to 8, and hours slept, uniform from 4 to 9.
    A student passes, y = 1, with the probability σ(1.2 (studied − 4) + 0.8 (slept − 6.5)).

    Raises ValueError if n_samples is below 2.

    Example:
        >>> table = make_students(4, random_state=0)
        >>> table.X.round(1).tolist(), table.y.tolist()
        ([[5.1, 8.1], [2.2, 8.6], [0.3, 7.0], [0.1, 7.6]], [1, 0, 0, 1])
        >>> table.columns, table.target
        (('hours studied', 'hours slept'), 'passed')
    """
    _halves(n_samples)
    random = np.random.default_rng(random_state)
    studied, slept = random.uniform(0, 8, n_samples), random.uniform(4, 9, n_samples)
    log_odds = 1.2 * (studied - 4) + 0.8 * (slept - 6.5)
    passed = random.logistic(size=n_samples) < log_odds
    return Table(
        np.column_stack([studied, slept]),
        passed.astype(int),
        ("hours studied", "hours slept"),
        "passed",
    )


def _halves(n_samples: int) -> tuple[int, int]:
    if n_samples < 2:
        raise ValueError(f"n_samples must be at least 2, one for each class, not {n_samples}")
    return n_samples // 2, n_samples - n_samples // 2


def _noisy(
    curves: Sequence[Array], noise: float, random_state: int | np.random.Generator | None
) -> Table:
    if not 0 <= noise < np.inf:
        raise ValueError(f"noise must be a finite standard deviation of at least 0, not {noise}")
    X = np.vstack(curves)
    X = X + noise * np.random.default_rng(random_state).normal(size=X.shape)
    return Table(X, np.repeat([0, 1], [len(curve) for curve in curves]), _COLUMNS, _TARGET)
