"""The decisions of a classifier: its boundary in the plane and its confusion matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import numpy.typing as npt

from autograd_lite.viz import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["confusion", "confusion_matrix", "decision_boundary"]

Array = npt.NDArray[Any]


class Model(Protocol):
    """A fitted classifier."""

    classes_: npt.NDArray[Any]

    def predict_proba(self, X: npt.ArrayLike) -> npt.NDArray[Any]:
        """The probability of each class, (rows, classes)."""


LEVELS = (0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0)
TINTS = ("#9FC4E0", "#BFD9EC", "#DCEBF5", "#FFF9EC", "#FEF1D4", "#FDE6B5")
"""From certainly the first of two classes to certainly the second."""

REGIONS = ("#CFE3F1", "#FEF1D4", "#F0DCE8", "#E3E5E8", "#D5ECE3", "#E4DCF3")
"""Where each class is the most probable one of more than two."""


@style.styled
def decision_boundary(
    model: Model,
    X: npt.ArrayLike,
    y: npt.ArrayLike,
    *,
    columns: tuple[str, str] = ("x₁", "x₂"),
    ax: Axes | None = None,
) -> Axes:
    """The probability of the classes in the plane, and the points with their classes.

    On the thick lines the two most probable classes are equally probable; on the dashed ones a
    class has 90 %, so of two classes the other has 10 %.

    Args:
        model: a fitted classifier of two columns and at most six classes.
        X: the points, (rows, 2).
        y: their classes, (rows,).
        columns: the names of the two columns.

    Raises:
        ValueError: if X does not have two columns, or the model has more classes.

    Example:
        >>> from autograd_lite.models import LogisticRegression
        >>> X, y = [[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [0, 0, 1, 1]
        >>> decision_boundary(LogisticRegression(alpha=0.1).fit(X, y), X, y).get_xlabel()
        'x₁'
    """
    X, y = np.asarray(X), np.asarray(y)
    if X.ndim != 2 or X.shape[1] != 2:
        raise ValueError(f"decision_boundary: X must have two columns; got shape {X.shape}")
    if (count := len(model.classes_)) > len(style.CLASSES):
        raise ValueError(f"decision_boundary: at most {len(style.CLASSES)} classes; got {count}")
    alone, ax = ax is None, style.axes(ax, (5.6, 4.4))
    low, high = X.min(axis=0), X.max(axis=0)
    room = 0.12 * np.where(high > low, high - low, 1)
    sides = [np.linspace(a - r, b + r, 241) for a, b, r in zip(low, high, room, strict=True)]
    grid = np.stack(np.meshgrid(*sides), axis=-1)
    p = model.predict_proba(grid.reshape(-1, 2)).reshape(*grid.shape[:2], -1)
    (_two if p.shape[2] == 2 else _several)(ax, sides, p)
    for k, look in zip(model.classes_, style.CLASSES, strict=False):
        ax.scatter(*X[y == k].T, **look, label=f"class {k}", zorder=3)
    ax.set(xlabel=columns[0], ylabel=columns[1], xlim=sides[0][[0, -1]], ylim=sides[1][[0, -1]])
    ax.locator_params(nbins=6)
    if alone:
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1))
    ax.grid(False)
    return ax


def _two(ax: Axes, sides: list[Array], p: Array) -> None:
    """The probability of the second class in shades, and lines at 10, 50 and 90 %."""
    ax.contourf(*sides, p[..., 1], LEVELS, colors=TINTS)
    _line(ax, sides, p[..., 1], 0.5, "-", "50 %")
    _line(ax, sides, p[..., 1], 0.1, "--", "10 % and 90 %")
    _line(ax, sides, p[..., 1], 0.9, "--")


def _several(ax: Axes, sides: list[Array], p: Array) -> None:
    """The region of each class, the lines between them, and a line where the class has 90 %."""
    for k, tint in enumerate(REGIONS[: p.shape[2]]):
        ahead = p[..., k] - np.delete(p, k, axis=2).max(axis=2)
        ax.contourf(*sides, ahead, (0, 1), colors=[tint])
        _line(ax, sides, ahead, 0, "-", None if k else "equally probable")
        _line(ax, sides, p[..., k], 0.9, "--", None if k else "90 %")


def _line(
    ax: Axes, sides: list[Array], z: Array, level: float, dashes: str, label: str | None = None
) -> None:
    """The line where z has a level, if there is one."""
    width = 2.0 if dashes == "-" else 0.9
    if z.min() <= level <= z.max():
        ax.contour(*sides, z, (level,), colors=style.INK, linewidths=width, linestyles=dashes)
    if label:
        ax.plot([], [], dashes, color=style.INK, linewidth=width, label=label)


def confusion(y: npt.ArrayLike, predicted: npt.ArrayLike, classes: Any) -> npt.NDArray[np.int64]:
    """The confusion matrix: how many rows of class i (row i) were predicted as j (column j).

    Example:
        >>> confusion([0, 0, 1, 1], [0, 1, 1, 1], [0, 1]).tolist()
        [[1, 1], [0, 2]]
    """
    y, predicted = np.asarray(y), np.asarray(predicted)
    return np.array([[np.sum((y == i) & (predicted == j)) for j in classes] for i in classes])


@style.styled
def confusion_matrix(
    y: npt.ArrayLike, predicted: npt.ArrayLike, classes: Any, *, ax: Axes | None = None
) -> Axes:
    """The confusion matrix, in rows and in percent of each true class.

    A new figure grows with the number of classes.

    Example:
        >>> confusion_matrix([0, 0, 1, 1], [0, 1, 1, 1], [0, 1]).get_xlabel()
        'predicted'
    """
    counts = confusion(y, predicted, classes)
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    few = len(counts) <= 3
    inches = 2.6 / len(counts) if few else 0.62  # of a cell
    ax = style.axes(ax, (1.4 + inches * len(counts), 0.8 + inches * len(counts)))
    from matplotlib.colors import LinearSegmentedColormap

    tint = LinearSegmentedColormap.from_list("share", ["#FFFFFF", "#DCEBF7", style.VALUE])
    ax.pcolormesh(shares, cmap=tint, vmin=0, vmax=1, edgecolors="#7A7A7A", linewidth=1)
    for (i, j), count in np.ndenumerate(counts):
        text: dict[str, Any] = {"ha": "center", "va": "center"}
        text["color"] = "white" if shares[i, j] > 0.7 else style.INK
        weight = "bold" if i == j else "normal"
        ax.text(j + 0.5, i + 0.45, f"{count}", size=17 if few else 11, weight=weight, **text)
        ax.text(j + 0.5, i + 0.74, f"{shares[i, j]:.1%}", size=9 if few else 7, **text)
    ticks = np.arange(len(classes)) + 0.5
    names = [str(k) for k in classes]
    fit = 0.08 * max(map(len, names)) <= inches
    ax.set_xticks(ticks, names, rotation=0 if fit else 90)
    ax.set_yticks(ticks, names, rotation=90 if fit else 0, va="center")
    ax.tick_params(length=0, labelcolor=style.INK, labelsize=10)
    ax.spines[:].set_visible(False)
    ax.set(xlabel="predicted", ylabel="true")
    ax.invert_yaxis()
    ax.set_aspect("equal")
    ax.grid(False)
    return ax
