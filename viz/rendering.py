"""DOT to pixels and paths: the dot executable where there is one, else pygraphviz."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib.util import find_spec

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
    if find_spec("pygraphviz") is None:
        return None
    # In a process of its own, as dot is: the libraries write their errors and the warnings of an
    # old Fontconfig to standard error itself, and a crash in them would take this process along.
    command = [sys.executable, "-P", "-c", _LIBRARY, format]
    done = subprocess.run(command, input=source.encode(), capture_output=True)
    if done.returncode:
        complaint = done.stderr.decode(errors="replace").strip()
        raise RuntimeError(complaint or f"pygraphviz ended with exit code {done.returncode}")
    return done.stdout


_LIBRARY = """
import sys
import pygraphviz
try:
    graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
    sys.stdout.buffer.write(graph.draw(format=sys.argv[1], prog="dot"))
except Exception as error:
    sys.exit(str(error))
"""
