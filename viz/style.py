"""The style of curves and surfaces; dashes, markers and hatches repeat what colours show."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

import numpy as np
import numpy.typing as npt

from autograd_lite.files import atomic
from autograd_lite.viz.rendering import format_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "CLASSES", "GRADIENT", "GREY", "INK", "LOSS", "PARAMETER", "SERIES", "VALUE", "axes",
    "format_of", "panels", "render", "save", "styled",
]  # fmt: skip

INK, GREY = "#202124", "#5F6368"
VALUE, GRADIENT, PARAMETER, LOSS = "#0072B2", "#A63F00", "#B87700", "#A3457F"

SERIES = (
    {"color": VALUE, "linestyle": "-", "marker": "o"},
    {"color": PARAMETER, "linestyle": (0, (5, 1.5)), "marker": "s"},
    {"color": LOSS, "linestyle": (0, (6, 1.5, 1.5, 1.5)), "marker": "^"},
    {"color": "#3C4043", "linestyle": (0, (1.5, 1.2)), "marker": "D"},
    {"color": "#00664B", "linestyle": (0, (9, 2)), "marker": "v"},
    {"color": "#7A5BC0", "linestyle": (0, (4, 1.2, 1.2, 1.2, 1.2, 1.2)), "marker": "P"},
)
"""Line styles that differ in dashes and markers too, with colours for the colour-blind."""

CLASSES: tuple[dict[str, Any], ...] = (
    {"marker": "o", "facecolor": VALUE, "edgecolor": "white", "s": 26, "linewidth": 0.8},
    {"marker": "s", "facecolor": "#FDE9C4", "edgecolor": "#6B4500", "s": 26, "linewidth": 0.8},
    {"marker": "^", "facecolor": LOSS, "edgecolor": "white", "s": 34, "linewidth": 0.8},
    {"marker": "D", "facecolor": "white", "edgecolor": INK, "s": 22, "linewidth": 0.8},
    {"marker": "v", "facecolor": "#00664B", "edgecolor": "white", "s": 34, "linewidth": 0.8},
    {"marker": "P", "facecolor": "#C9B3EC", "edgecolor": "#3D1F78", "s": 34, "linewidth": 0.8},
)
"""Markers of the classes: dark ones and light ones in turn, each of another shape."""

_STYLE = {
    "axes.axisbelow": True,
    "axes.edgecolor": "#7A7A7A",
    "axes.grid": True,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlelocation": "left",
    "axes.titlepad": 8.0,
    "axes.titlesize": 11.0,
    "font.family": ["DejaVu Sans"],
    "font.size": 10.0,
    "grid.color": "#E3E5E8",
    "grid.linewidth": 0.8,
    "hatch.linewidth": 0.7,
    "legend.borderaxespad": 0.4,
    "legend.fontsize": 9.5,
    "legend.frameon": False,
    "legend.handlelength": 3.2,
    "lines.linewidth": 1.9,
    "savefig.dpi": 110.0,
    "svg.hashsalt": "autograd_lite",
    "text.color": INK,
    "text.parse_math": False,
    "xtick.color": "#7A7A7A",
    "xtick.labelcolor": GREY,
    "xtick.labelsize": 9.0,
    "ytick.color": "#7A7A7A",
    "ytick.labelcolor": GREY,
    "ytick.labelsize": 9.0,
}

Array = npt.NDArray[np.object_]
"""Axes in rows and columns."""

P = ParamSpec("P")
R = TypeVar("R")


def styled(function: Callable[P, R]) -> Callable[P, R]:
    """Make a function draw in the project's style instead of the user's matplotlib settings.

    The function raises ImportError if matplotlib is not installed.
    """

    @functools.wraps(function)
    def drawing(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            import matplotlib
        except ImportError:
            raise ImportError(
                "curves and surfaces need matplotlib: pip install 'autograd_lite[plot]'"
            ) from None
        with matplotlib.rc_context(_STYLE):  # type: ignore[arg-type]
            return function(*args, **kwargs)

    return drawing


def panels(rows: int, columns: int, size: tuple[float, float], **options: Any) -> Any:
    """An array (rows, columns) of empty Axes in a figure of a size in inches.

    The figure has no window; `save(axes, path)` or `axes.figure.savefig(path)` writes it, and a
    notebook displays `axes.figure`.
    """
    from matplotlib.figure import Figure

    class Picture(Figure):
        """A figure that a notebook displays even without pyplot."""

        def _repr_png_(self) -> bytes:
            return render(self.axes, "png")

    figure = Picture(figsize=size, layout="constrained")
    return figure.subplots(rows, columns, squeeze=False, **options)


def axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """The given Axes, or the Axes of a new figure."""
    return panels(1, 1, size)[0, 0] if ax is None else ax


@styled
def render(axes: Axes | Array | list[Axes], format: str) -> bytes:
    """The figure of some Axes as svg, png or pdf; equal figures give equal bytes."""
    picture = BytesIO()
    # Without dates, so that files are reproducible.
    metadata = {"svg": {"Date": None}, "png": {}, "pdf": {"CreationDate": None}}[format]
    figure: Any = np.ravel(axes)[0].get_figure(root=True)  # type: ignore[arg-type]
    figure.savefig(picture, format=format, metadata=metadata, bbox_inches="tight", pad_inches=0.1)
    return picture.getvalue()


def save(axes: Axes | Array, path: str | os.PathLike[str]) -> Path:
    """Write the figure of some Axes in the format of the suffix: .svg, .png or .pdf.

    An existing file is replaced only when the new one is complete.

    Raises ValueError for another suffix, and OSError as `open` does.

    Example:
        >>> import pathlib, tempfile
        >>> from autograd_lite.viz.curves import sigmoid_curves
        >>> save(sigmoid_curves(), pathlib.Path(tempfile.mkdtemp()) / "sigmoid.svg").name
        'sigmoid.svg'
    """
    path = Path(path)
    picture = render(axes, format_of(path))
    with atomic(path, "wb") as file:
        file.write(picture)
    return path
