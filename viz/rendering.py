"""DOT to pixels and paths: the dot executable where there is one, else pygraphviz."""

from __future__ import annotations

import shutil

__all__ = ["FORMATS", "render"]

FORMATS = ("svg", "png", "pdf")

FIX = "pip install 'autograd_lite[dot]', or put Graphviz's dot on the PATH"


def render(source: str, format: str) -> bytes:
    """Lay out a graph in DOT and draw it.

    Raises:
        RuntimeError: if there is no Graphviz, or it fails; one line that says what to do.
    """
    failures = []
    for renderer in (_by_executable, _by_library):
        try:
            picture = renderer(source, format)
        except (OSError, RuntimeError, ValueError) as error:
            failures.append(" ".join(str(error).split()))
        else:
            if picture:
                return picture
    if failures:
        raise RuntimeError(f"Graphviz could not draw this graph as {format}: {failures[-1]}")
    raise RuntimeError(f"no Graphviz to draw with: {FIX}")


def _by_executable(source: str, format: str) -> bytes | None:
    if shutil.which("dot") is None:
        return None
    import graphviz

    try:
        return bytes(graphviz.pipe("dot", format, source.encode(), quiet=True))
    except graphviz.CalledProcessError as error:
        raise RuntimeError((error.stderr or b"dot failed").decode(errors="replace")) from error


def _by_library(source: str, format: str) -> bytes | None:
    try:
        import pygraphviz
    except ImportError:
        return None
    graph = pygraphviz.AGraph(string=source)
    try:
        return bytes(graph.draw(format=format, prog="dot"))
    finally:
        graph.close()
