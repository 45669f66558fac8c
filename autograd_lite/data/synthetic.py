"""Generated data: two classes in the plane that no straight line separates."""

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
