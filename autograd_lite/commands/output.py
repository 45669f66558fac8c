"""What the commands share: how they write a result and print a message."""

from __future__ import annotations

import sys
from pathlib import Path

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
