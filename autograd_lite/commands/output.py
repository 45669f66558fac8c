"""What the commands share: how they write a result and print a message."""

from __future__ import annotations

import sys
from html import escape
from pathlib import Path
from string import Template

from autograd_lite.files import atomic

DEFAULT = "(default: %(default)s)"
"""Ends the help of an option that has a default."""


def message(text: str) -> None:
    """Print one line to standard error."""
    print(f"autograd-lite: {' '.join(text.split())}", file=sys.stderr)


def write(content: str | bytes, path: Path | None) -> None:
    """Write a result to a file and print its path, or print the text if there is no path."""
    if path is None:
        print(content, end="")
        return
    with atomic(path, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    print(f"written to {path}")


def page(title: str, body: str) -> str:
    """A self-contained HTML page."""
    frame = Path(__file__).with_name("page.html").read_text(encoding="utf-8")
    return Template(frame).substitute(title=escape(title), body=body)
