"""What the commands share: how they write a result and print a message."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from html import escape
from pathlib import Path
from string import Template
from tempfile import SpooledTemporaryFile
from typing import IO

from autograd_lite.files import atomic

DEFAULT = "(default: %(default)s)"
"""Ends the help of an option that has a default."""

_HELD = 1 << 25  # bytes that wait in memory


def message(text: str) -> None:
    """Print one line to standard error."""
    print(f"autograd-lite: {' '.join(text.split())}", file=sys.stderr)


def say(text: str, end: str = "\n") -> None:
    """Print to standard output; if it is closed, as by `head`, or full, print no more."""
    try:
        print(text, end=end, flush=True)
    except OSError as error:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if not isinstance(error, BrokenPipeError):
            message(f"nothing more is printed: {error.strerror}")


def write(content: str | bytes, path: Path | None) -> None:
    """Write a result to a file and print its path, or print the text if there is no path."""
    if path is None:
        say(content if isinstance(content, str) else content.decode(), end="")
        return
    with atomic(path, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    print(f"written to {path}")


@contextmanager
def writing(path: Path | None) -> Iterator[IO[str]]:
    """Text that is written part by part, to a file or printed; if the block raises, none of it.

    What is printed waits in a temporary file until the block ends.
    """
    if path is not None:
        with atomic(path) as file:
            yield file
        print(f"written to {path}")
        return
    with SpooledTemporaryFile(_HELD, "w+", encoding="utf-8", newline="") as held:
        yield held
        held.seek(0)
        while text := held.read(1 << 20):
            say(text, end="")


def page(title: str, body: str) -> str:
    """A self-contained HTML page."""
    frame = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    return Template(frame).substitute(title=escape(title), body=body)
