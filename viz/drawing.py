"""Drawing the graph of a result in DOT, SVG, PNG or PDF, or as an interactive page."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from autograd_lite import sweep
from autograd_lite.explanation.folding import fold
from autograd_lite.files import atomic
from autograd_lite.graph import Graph
from autograd_lite.viz.layout import Scene, layout
from autograd_lite.viz.page import Page
from autograd_lite.viz.rendering import FORMATS, format_of, render

__all__ = ["Drawing", "draw"]


class Drawing:
    """A picture of a graph; a notebook displays it.

    Attributes:
        source: the picture in DOT, the language of Graphviz.
    """

    __slots__ = ("_depth", "_scene", "source")

    def __init__(self, scene: Scene, depth: int | None) -> None:
        self.source: str = layout(fold(scene.graph, depth), scene)
        self._scene = scene
        self._depth = depth

    def svg(self) -> str:
        """The picture as SVG.

        Raises:
            RuntimeError: if Graphviz is not installed.
        """
        return render(self.source, "svg").decode()

    def html(self) -> str:
        """The picture as a page to step through, in one self-contained file.

        Raises:
            RuntimeError: if Graphviz is not installed.
        """
        return Page(self._scene).html(self._depth)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the picture in the format of the suffix and return the path.

        The suffixes are .svg, .png, .pdf, .dot, and .html for a page to step through. An existing
        file is replaced only when the new one is complete.

        Raises:
            ValueError: for another suffix.
            RuntimeError: if Graphviz is not installed; .dot does not need it.
        """
        path = Path(path)
        format = format_of(path, (*FORMATS, "dot", "html"))
        if format == "dot":
            picture = self.source.encode()
        elif format == "html":
            picture = self.html().encode()
        else:
            picture = render(self.source, format)
        with atomic(path, "wb") as file:
            file.write(picture)
        return path

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        try:
            return {"image/svg+xml": _fitting(self.svg()), "text/plain": repr(self)}
        except RuntimeError as error:
            return {"text/plain": f"{self!r}\n{error}"}

    def __repr__(self) -> str:
        lines = self.source.count("\n")
        return f"<Drawing: {lines} lines of DOT; .save('graph.svg') draws it>"


LEAST = 0.6
"""The smallest scale of a picture in a notebook; a larger picture is scrolled."""


def _fitting(svg: str) -> str:
    """The picture in the width of a notebook."""

    def fitting(size: re.Match[str]) -> str:
        return f'{size[0]} style="max-width: max(100%, {LEAST * int(size[1]):.0f}pt); height: auto"'

    return re.sub(r'<svg width="(\d+)pt" height="\d+pt"', fitting, svg, count=1)


def draw(result: Any, *, gradients: bool = True, depth: int | None = None) -> Drawing:
    """The graph of a result as cards with values and gradients, from left to right.

    Every card shows the gradient of the result, whether or not ``backward()`` was called; for a
    result with several elements, the gradient of their sum.

    Args:
        result: a Tensor, usually a scalar loss.
        gradients: whether to show gradients.
        depth: the number of nested scopes (`ag.scope`) that are open, as frames; each scope inside
            them becomes one card. The default opens as many as a readable picture allows, and
            folds a graph that is too large for that into runs of operations.

    Raises:
        TypeError: if the result is not a Tensor.
        ValueError: if depth is negative.

    Example:
        >>> import autograd_lite as ag
        >>> from autograd_lite.viz import draw
        >>> w = ag.Tensor(3.0, name="w")
        >>> print(draw((w * w).named("L")).source[:7])
        digraph
    """
    if depth is not None and (isinstance(depth, bool) or not isinstance(depth, int) or depth < 0):
        raise ValueError(f"draw: depth must be an integer from 0 on, not {depth!r}")
    graph = Graph.of(result)
    found = sweep.gradients(result) if gradients and result.requires_grad else None
    return Drawing(Scene(graph, found), depth)
