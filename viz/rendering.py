"""Rendering DOT with the dot executable if there is one, else with pygraphviz."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

__all__ = ["FORMATS", "format_of", "render"]

FORMATS = ("svg", "png", "pdf")

FIX = "pip install 'autograd_lite[dot]', or put Graphviz's dot on the PATH"


def format_of(path: Path, formats: Sequence[str] = FORMATS) -> str:
    """The format for the suffix of a path.

    Raises:
        ValueError: if it is none of the formats.
    """
    format = path.suffix.lower().removeprefix(".")
    if format not in formats:
        *most, last = (f".{known}" for known in formats)
        raise ValueError(f"{path.name} must end in {', '.join(most)} or {last}")
    return format


def render(source: str, format: str) -> bytes:
    """Lay out and draw a graph in DOT.

    Raises:
        RuntimeError: if Graphviz is not installed or fails.
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
    raise RuntimeError(f"Graphviz is not installed: {FIX}")


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
    # In a separate process: the libraries write errors and Fontconfig's warnings directly to
    # standard error, and a crash in them would end this process.
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
