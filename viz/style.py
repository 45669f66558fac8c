"""How curves and surfaces look: the colours of the cards, and a second sign beside each colour."""

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

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "CLASSES", "FORMATS", "GRADIENT", "GREY", "INK", "LOSS", "PARAMETER", "SERIES", "VALUE",
    "axes", "panels", "render", "save", "styled",
]  # fmt: skip

INK, GREY = "#202124", "#5F6368"
VALUE, GRADIENT, PARAMETER, LOSS = "#0072B2", "#A63F00", "#B87700", "#A3457F"

SERIES = (
    {"color": VALUE, "linestyle": "-", "marker": "o"},
    {"color": PARAMETER, "linestyle": (0, (5, 1.5)), "marker": "s"},
    {"color": LOSS, "linestyle": (0, (6, 1.5, 1.5, 1.5)), "marker": "^"},
    {"color": "#3C4043", "linestyle": (0, (1.5, 1.2)), "marker": "D"},
)
"""Lines that dashes and markers keep apart in grey, and their colours for the colour-blind."""

CLASSES = (
    {"marker": "o", "facecolor": VALUE, "edgecolor": "white"},
    {"marker": "s", "facecolor": "#FDE9C4", "edgecolor": "#6B4500"},
)
"""Points of the first and of the second class: dark circles and light squares."""

FORMATS = ("svg", "png", "pdf")

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
    """The function drawing in the project's style, whatever the user's own settings are.

    It raises ImportError, with what to install, where there is no matplotlib.
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
    """An array (rows, columns) of empty Axes in a figure of that size, in inches.

    The figure belongs to no window: `save(axes, path)` or `axes.figure.savefig(path)` writes it,
    and in a notebook `axes.figure` shows itself.
    """
    from matplotlib.figure import Figure

    class Picture(Figure):
        """A figure that shows itself in a notebook, whether or not pyplot was ever imported."""

        def _repr_png_(self) -> bytes:
            return render(self.axes, "png")

    figure = Picture(figsize=size, layout="constrained")
    return figure.subplots(rows, columns, squeeze=False, **options)


def axes(ax: Axes | None, size: tuple[float, float]) -> Axes:
    """The Axes given, or those of a new figure."""
    return panels(1, 1, size)[0, 0] if ax is None else ax


@styled
def render(axes: Axes | Array | list[Axes], format: str) -> bytes:
    """The whole figure of some Axes as svg, png or pdf; equal figures give equal bytes."""
    picture = BytesIO()
    # A date would make every file differ from the last.
    metadata = {"svg": {"Date": None}, "png": {}, "pdf": {"CreationDate": None}}[format]
    _figure(axes).savefig(
        picture, format=format, metadata=metadata, bbox_inches="tight", pad_inches=0.1
    )
    return picture.getvalue()


def save(axes: Axes | Array, path: str | os.PathLike[str]) -> Path:
    """Write the whole figure of some Axes as the suffix says: .svg, .png or .pdf.

    A file that is there is replaced only when the new one is complete.

    Raises ValueError for another suffix, OSError as `open` does.

    Example:
        >>> import pathlib, tempfile
        >>> from autograd_lite.viz.curves import sigmoid_curves
        >>> save(sigmoid_curves(), pathlib.Path(tempfile.mkdtemp()) / "sigmoid.svg").name
        'sigmoid.svg'
    """
    path = Path(path)
    format = format_of(path)
    picture = render(axes, format)
    with atomic(path, "wb") as file:
        file.write(picture)
    return path


def format_of(path: Path) -> str:
    """The format that a file's suffix names.

    Raises ValueError when it names none.
    """
    format = path.suffix.lower().removeprefix(".")
    if format not in FORMATS:
        raise ValueError(f"{path.name} must end in .svg, .png or .pdf, which says what to write")
    return format


def _figure(axes: Any) -> Figure:
    return np.ravel(axes)[0].get_figure(root=True)  # type: ignore[no-any-return]
