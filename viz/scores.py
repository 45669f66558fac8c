"""What held-out rows say about a model: ROC and calibration curves, and predicted numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from autograd_lite.text import number
from autograd_lite.viz import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["calibration_curves", "predicted_against_true", "roc_curves"]

Array = npt.NDArray[Any]


@style.styled
def roc_curves(
    curves: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike]], *, ax: Axes | None = None
) -> Axes:
    """The true over the false positive rate, one curve a model or class; needs matplotlib.

    Args:
        curves: the false and the true positive rates of each curve, from (0, 0) to (1, 1), as
            `autograd_lite.models.metrics.roc` computes them. The legend has the area under each.

    Raises ValueError if there is no curve.

    Example:
        >>> roc_curves({"mlp": ([0, 0, 1], [0, 0.5, 1])}).get_legend().get_texts()[0].get_text()
        'mlp: area 0.75'
    """
    ax = _square(curves, ax, "roc_curves", ("false positive rate", "true positive rate"))
    ax.plot([0, 1], [0, 1], label="guessing: area 0.5", zorder=1.5, **_DIAGONAL)
    for k, (name, (false, true)) in enumerate(curves.items()):
        x, y = np.asarray(false, dtype=float), np.asarray(true, dtype=float)
        area = np.sum(np.diff(x) * (y[1:] + y[:-1])) / 2
        if np.isnan(area):
            ax.plot([], [], label=f"{name}: no area", **_look(k))
            continue
        # Spaced by their distance along the curve, and not where other curves have theirs.
        every = (0.03 + 0.04 * k, 0.24)
        label = f"{name}: area {number(area)}"
        ax.plot(x, y, label=label, markevery=every, clip_on=False, **_look(k))
    _legend(ax, "lower right")
    return ax


@style.styled
def calibration_curves(
    curves: Mapping[str, tuple[npt.ArrayLike, npt.ArrayLike, npt.ArrayLike]],
    *,
    ax: Axes | None = None,
) -> Axes:
    """The share of positive rows over their probability, one curve a model or class.

    The thin lines are Wilson's 95 % intervals: how far a bin can be off by chance. It needs
    matplotlib.

    Args:
        curves: the mean probability, the share of positive rows and the number of rows of each
            bin, as `autograd_lite.models.metrics.calibration` computes them.

    Raises ValueError if there is no curve.

    Example:
        >>> calibration_curves({"mlp": ([0.2, 0.7], [0.1, 0.8], [50, 50])}).get_xlabel()
        'predicted probability'
    """
    ax = _square(curves, ax, "calibration_curves", ("predicted probability", "observed share"))
    ax.plot([0, 1], [0, 1], label="calibrated", zorder=1.5, **_DIAGONAL)
    for k, (name, (probability, share, rows)) in enumerate(curves.items()):
        look = _look(k)
        low, high = _interval(np.asarray(share, dtype=float), np.asarray(rows, dtype=float))
        ax.vlines(probability, low, high, color=look["color"], linewidth=0.8, zorder=1.8)
        ax.plot(probability, share, label=name, clip_on=False, **look)
    _legend(ax, "upper left")
    return ax


def _interval(share: Array, rows: Array) -> tuple[Array, Array]:
    """Wilson's interval, which holds the true share in about 95 % of all samples."""
    z = 1.96
    middle = (share + z**2 / (2 * rows)) / (1 + z**2 / rows)
    half = z * np.sqrt(share * (1 - share) / rows + (z / (2 * rows)) ** 2) / (1 + z**2 / rows)
    return np.clip(middle - half, 0, 1), np.clip(middle + half, 0, 1)


@style.styled
def predicted_against_true(
    y: npt.ArrayLike, predicted: npt.ArrayLike, *, name: str = "y", ax: Axes | None = None
) -> Axes:
    """The predicted over the true number of each row; on the line they are equal.

    It needs matplotlib.

    Example:
        >>> predicted_against_true([1.0, 2.0, 3.0], [1.1, 1.9, 3.0], name="price").get_xlabel()
        'true price'
    """
    y, predicted = np.asarray(y, dtype=float), np.asarray(predicted, dtype=float)
    ax = style.axes(ax, (4.6, 4.4))
    both = np.concatenate([y, predicted])
    low, high = both.min(), both.max()
    room = 0.05 * (high - low or abs(high) or 1)
    ends = low - room, high + room
    ax.plot(ends, ends, zorder=4, **_DIAGONAL | {"color": style.INK})
    few = len(y) <= 500
    look = style.CLASSES[0] | ({} if few else {"s": 9, "linewidth": 0, "alpha": 0.35})
    # As pixels if there are many, so that a vector picture stays small.
    ax.scatter(y, predicted, rasterized=len(y) > 3000, zorder=3, **look)
    ax.set(xlabel=f"true {name}", ylabel=f"predicted {name}", xlim=ends, ylim=ends)
    ax.locator_params(nbins=6)
    ax.set_aspect("equal")
    return ax


_DIAGONAL: dict[str, Any] = {"color": style.GREY, "linewidth": 1.0, "linestyle": (0, (1, 2))}


def _square(curves: Mapping[str, Any], ax: Axes | None, what: str, axes: tuple[str, str]) -> Axes:
    """Axes for two fractions."""
    if not curves:
        raise ValueError(f"{what}: there are no curves to draw")
    ax = style.axes(ax, (4.6, 4.4))
    room = (-0.02, 1.02)
    ax.set(xlabel=axes[0], ylabel=axes[1], xlim=room, ylim=room)
    ax.set_aspect("equal")
    return ax


def _look(k: int) -> dict[str, Any]:
    return style.SERIES[k % len(style.SERIES)] | {"markersize": 5}


def _legend(ax: Axes, where: Any) -> None:
    """The legend, where curves that beat the diagonal leave room, the diagonal last."""
    lines, labels = ax.get_legend_handles_labels()
    ax.legend(lines[1:] + lines[:1], labels[1:] + labels[:1], loc=where)
