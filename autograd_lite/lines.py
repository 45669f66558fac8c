"""The lines of a program that apply its operations."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

__all__ = ["Lines", "users_line"]


class Lines:
    """An observer that records for each node the line of the program that applied it."""

    def __init__(self, line: tuple[str, int, str] | None = None) -> None:
        self.line = line

    def applied(self, value: Any, op: Any, inputs: Any, arrays: Any) -> None:
        value.node.line = self.line or users_line()

    def around(self, rule: Callable[..., Any], node: Any, k: int) -> Callable[..., Any]:
        return rule


def users_line() -> tuple[str, int, str] | None:
    """The file, line and function of the innermost caller outside this package and NumPy."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        home = frame.f_globals.get("__name__", "").split(".")[0]
        if home not in (__package__, "numpy", "contextlib", "functools"):
            return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name
        frame = frame.f_back
    return None
