"""Surfaces: the loss of two weights and the path of gradient descent."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

import autograd_lite as ag
from autograd_lite.text import number
from autograd_lite.viz import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["descent", "descent_path", "learning_rates"]

Array = npt.NDArray[np.float64]
Loss = Callable[[Any], Any]
Window = tuple[tuple[float, float], tuple[float, float]]


def descent(
    loss: Loss, start: npt.ArrayLike, learning_rate: float, steps: int
) -> tuple[Array, Array]:
    """The path of gradient descent: the points (steps + 1, n) and their losses (steps + 1,).

    It ends early if the loss is not finite.

    Example:
        >>> path, losses = descent(lambda w: (w * w).sum(), [4.0, 2.0], 0.25, 2)
        >>> path.tolist(), losses.tolist()
        ([[4.0, 2.0], [2.0, 1.0], [1.0, 0.5]], [20.0, 5.0, 1.25])
    """
    w = np.array(start, dtype=float)
    path, losses = [], []
    value_and_grad = ag.value_and_grad(loss)
    with np.errstate(all="ignore"):
        for _ in range(steps + 1):
            value, g = value_and_grad(w)
            path.append(w)
            losses.append(float(value))
            if not np.isfinite(value):
                break
            w = w - learning_rate * g
    return np.array(path), np.array(losses)


@style.styled
def descent_path(
    loss: Loss,
    start: npt.ArrayLike,
    learning_rate: float,
    steps: int,
    *,
    names: Sequence[str] = ("w₁", "w₂"),
    window: Window | None = None,
    ax: Axes | None = None,
) -> Axes:
    """The contours of a loss of two weights and the path of gradient descent.

    Args:
        loss: a function of one array (2,).
        start: where the path begins.
        learning_rate: α in w ← w − α ∂L/∂w.
        steps: the number of steps.
        names: the names of the two weights.
        window: the visible ranges of the two weights; by default around the path.

    Example:
        >>> descent_path(lambda w: (w * w).sum(), [4.0, 2.0], 0.25, 2).get_ylabel()
        'w₂'
    """
    path, _ = descent(loss, start, learning_rate, steps)
    ax = style.axes(ax, (5.4, 5))
    (left, right), (low, high) = window = window or _around(path)
    _contours(ax, _surface(loss, window))
    _path(ax, path)
    ax.set(xlim=(left, right), ylim=(low, high), xlabel=names[0], ylabel=names[1])
    # Steps are perpendicular to the contours only if both axes have the same scale.
    ax.set_aspect("equal" if 1 / 3 < (right - left) / (high - low) < 3 else "auto")
    return ax


def _around(path: Any) -> Window:
    low, high = path.min(axis=0), path.max(axis=0)
    room = 0.25 * np.maximum(high - low, 0.5 * (high - low).max() + 1e-9)
    return tuple(zip((low - room).tolist(), (high + room).tolist(), strict=True))  # type: ignore[return-value]


def _surface(loss: Loss, window: Window) -> tuple[Array, Array, Array]:
    x, y = (np.linspace(*side, 81) for side in window)
    # Tensors, because cross-entropy of a sigmoid overflows on plain arrays.
    return x, y, np.array([[float(loss(ag.constant([a, b]))) for a in x] for b in y])


def _contours(ax: Axes, surface: tuple[Array, Array, Array]) -> None:
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.ticker import FuncFormatter

    tint = LinearSegmentedColormap.from_list("loss", ["#FFFFFF", "#F7E1EE", "#DDA9C8"])
    low, high = surface[2].min(), surface[2].max()
    # Logarithmic levels show both the bottom of a steep valley and its walls.
    spread = np.geomspace if low > 0 and high > 8 * low else np.linspace
    levels = np.unique([float(f"{level:.2g}") for level in spread(low, high, 13)])
    levels = levels[1:-1]
    bands = tint(np.linspace(0, 1, len(levels) + 1))
    ax.contourf(*surface, levels, colors=bands, extend="both")
    lines = ax.contour(*surface, levels, colors=style.LOSS, linewidths=0.7, alpha=0.8)
    ax.clabel(lines, levels[::2], fmt=FuncFormatter(lambda v, _: number(v)), fontsize=7.5)
    ax.grid(False)


def _path(ax: Axes, path: Any) -> None:
    dark = "#6B4500"
    ax.plot(*path.T, "-", color=dark, linewidth=1.4, zorder=3)
    ax.plot(*path[1:-1].T, "o", color="#FDE9C4", markeredgecolor=dark, markersize=4.5, zorder=4)
    ax.plot(*path[:1].T, "D", color="white", markeredgecolor=dark, markersize=7, zorder=5)
    ax.plot(*path[-1:].T, "s", color=dark, markeredgecolor="white", markersize=8, zorder=5)


@style.styled
def learning_rates(
    loss: Loss,
    start: npt.ArrayLike,
    rates: Mapping[str, float],
    steps: int,
    *,
    names: Sequence[str] = ("w₁", "w₂"),
    window: Window | None = None,
) -> Any:
    """Learning rates side by side: the path on the loss above, the loss by step below.

    Args:
        loss: a function of one array (2,).
        start: where every path begins.
        rates: the learning rates by title.
        steps: the number of steps.
        names: the names of the two weights.
        window: the visible ranges of the two weights; by default around all paths.

    Returns:
        An array (2, rates) of Axes.

    Example:
        >>> rates = {"too small": 0.01, "right": 0.25}
        >>> learning_rates(lambda w: (w * w).sum(), [4.0, 2.0], rates, 5).shape
        (2, 2)
    """
    runs = {name: descent(loss, start, rate, steps) for name, rate in rates.items()}
    window = window or _around(np.concatenate([path for path, _ in runs.values()]))
    surface = _surface(loss, window)
    options: dict[str, Any] = {"sharex": "row", "sharey": "row"}
    options["gridspec_kw"] = {"height_ratios": (1.5, 1)}
    axes = style.panels(2, len(rates), (3.1 * len(rates), 5.2), **options)
    for (above, below), (name, (path, losses)) in zip(axes.T, runs.items(), strict=True):
        _contours(above, surface)
        _path(above, path)
        above.set(xlim=window[0], ylim=window[1], xlabel=names[0])
        above.set_title(f"{name}: α = {number(rates[name])}")
        below.plot(losses, "o-", markersize=3.5, linewidth=1.4, color=style.LOSS)
        below.set_xlabel("step")
        fall = f"loss {number(losses[0])} → {number(losses[-1])}"
        below.set_title(fall, size=9.5, color=style.GREY)
    axes[0, 0].set_ylabel(names[1])
    axes[1, 0].set_ylabel("loss")
    return axes
