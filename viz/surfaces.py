"""Surfaces: the loss over two weights, and the path that gradient descent takes on it."""

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
    """The way of gradient descent: the points (steps + 1, n), and the loss at each, (steps + 1,).

    It ends early where the loss is no finite number.

    Example:
        >>> path, losses = descent(lambda w: (w * w).sum(), [4.0, 2.0], 0.25, 2)
        >>> path.tolist(), losses.tolist()
        ([[4.0, 2.0], [2.0, 1.0], [1.0, 0.5]], [20.0, 5.0, 1.25])
    """
    w = np.array(start, dtype=float)
    path, losses = [], []
    slope = ag.value_and_grad(loss)
    with np.errstate(all="ignore"):
        for _ in range(steps + 1):
            value, g = slope(w)
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
    """The contours of a loss of two weights, and the path of gradient descent on them.

    Args:
        loss: a function of one array (2,), such as `ag.grad` takes.
        start: where the path begins.
        learning_rate: the length of a step, α in w ← w − α ∂L/∂w.
        steps: how many.
        names: what the two weights are called.
        window: the ranges of the two weights that are seen; by default around the path.

    Example:
        >>> descent_path(lambda w: (w * w).sum(), [4.0, 2.0], 0.25, 2).get_ylabel()
        'w₂'
    """
    path, _ = descent(loss, start, learning_rate, steps)
    ax = style.axes(ax, (5.4, 5))
    (left, right), (low, high) = window = window or _around(path)
    _contours(ax, _surface(loss, window))
    _way(ax, path)
    ax.set(xlim=(left, right), ylim=(low, high), xlabel=names[0], ylabel=names[1])
    # Only where both axes have one scale does a step stand upright on the contour.
    ax.set_aspect("equal" if 1 / 3 < (right - left) / (high - low) < 3 else "auto")
    return ax


def _around(path: Any) -> Window:
    low, high = path.min(axis=0), path.max(axis=0)
    room = 0.25 * np.maximum(high - low, 0.5 * (high - low).max() + 1e-9)
    return tuple(zip((low - room).tolist(), (high + room).tolist(), strict=True))  # type: ignore[return-value]


def _surface(loss: Loss, window: Window) -> tuple[Array, Array, Array]:
    x, y = (np.linspace(*side, 81) for side in window)
    # A Tensor, because a loss of its log-odds is exact there and overflows for plain arrays.
    return x, y, np.array([[float(loss(ag.constant([a, b]))) for a in x] for b in y])


def _contours(ax: Axes, surface: tuple[Array, Array, Array]) -> None:
    from matplotlib.colors import LinearSegmentedColormap
    from matplotlib.ticker import FuncFormatter

    tint = LinearSegmentedColormap.from_list("loss", ["#FFFFFF", "#F7E1EE", "#DDA9C8"])
    low, high = surface[2].min(), surface[2].max()
    # Even steps of the logarithm show the bottom of a steep valley as well as its walls.
    spread = np.geomspace if low > 0 and high > 8 * low else np.linspace
    levels = np.unique([float(f"{level:.2g}") for level in spread(low, high, 13)])
    levels = levels[1:-1]
    bands = tint(np.linspace(0, 1, len(levels) + 1))
    ax.contourf(*surface, levels, colors=bands, extend="both")
    lines = ax.contour(*surface, levels, colors=style.LOSS, linewidths=0.7, alpha=0.8)
    ax.clabel(lines, levels[::2], fmt=FuncFormatter(lambda v, _: number(v)), fontsize=7.5)
    ax.grid(False)


def _way(ax: Axes, path: Any) -> None:
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
    """Several learning rates side by side: above the path on the loss, below the loss by step.

    Args:
        loss: a function of one array (2,).
        start: where every path begins.
        rates: the learning rates, by what to call them.
        steps: how many steps each takes.
        names: what the two weights are called.
        window: the ranges of the two weights that are seen; by default around all paths.

    Returns:
        An array (2, rates) of Axes.

    Example:
        >>> rates = {"too small": 0.01, "right": 0.25}
        >>> learning_rates(lambda w: (w * w).sum(), [4.0, 2.0], rates, 5).shape
        (2, 2)
    """
    ways = {name: descent(loss, start, rate, steps) for name, rate in rates.items()}
    window = window or _around(np.concatenate([path for path, _ in ways.values()]))
    surface = _surface(loss, window)
    axes = style.panels(
        2,
        len(rates),
        (3.1 * len(rates), 5.2),
        sharex="row",
        sharey="row",
        gridspec_kw={"height_ratios": (1.5, 1)},
    )
    for (above, below), (name, (path, losses)) in zip(axes.T, ways.items(), strict=True):
        _contours(above, surface)
        _way(above, path)
        above.set(xlim=window[0], ylim=window[1], xlabel=names[0])
        above.set_title(f"{name}: α = {number(rates[name])}")
        below.plot(losses, "o-", markersize=3.5, linewidth=1.4, color=style.LOSS)
        below.set_xlabel("step")
        fall = f"loss {number(losses[0])} → {number(losses[-1])}"
        below.set_title(fall, size=9.5, color=style.GREY)
    axes[0, 0].set_ylabel(names[1])
    axes[1, 0].set_ylabel("loss")
    return axes
