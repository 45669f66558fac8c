"""The line of the user's program that applied an operation, or of whose gradient it is a part."""

from __future__ import annotations

import sys
from collections.abc import Callable
from inspect import unwrap
from types import FrameType
from typing import Any

from autograd_lite.core.sweep import sweep
from autograd_lite.core.tensor import Node

__all__ = ["Line", "Lines", "users_line"]

Line = tuple[str, int, str]
"""A file, a line and a function."""

_SWEEP: Any = unwrap(sweep).__code__

_ours: dict[str, bool] = {}
"""Whether the code in a file is that of this package or of NumPy."""


class Lines:
    """An observer that records for each node the line of the program that applied it.

    The operations of a gradient have the line of the operation whose gradient it is.

    Args:
        line: the line of all operations.
    """

    def __init__(self, line: Line | None = None) -> None:
        self.line = line
        self.swept: Line | None = None

    def applied(self, value: Any, op: Any, inputs: Any, arrays: Any) -> None:
        if self.line is not None:
            value.node.line = self.line
            return
        stop = None if self.swept is None else _SWEEP
        frame = _users_frame(sys._getframe(2), stop)  # from the caller of `apply`
        if frame is not None:
            value.node.line = self.swept if frame.f_code is stop else _line_of(frame)

    def following(self, view: Callable[[Node], Any]) -> Callable[[Node], Any]:
        """A view of a sweep whose operations have the line of the node at which it is."""

        def step(node: Node) -> Any:
            self.swept = getattr(node, "line", None)
            return view(node)

        return step


def users_line() -> Line | None:
    """The line of the innermost caller outside this package and NumPy."""
    frame = _users_frame(sys._getframe(1))
    return None if frame is None else _line_of(frame)


def _line_of(frame: FrameType) -> Line:
    return frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name


def _users_frame(frame: FrameType | None, stop: Any = None) -> FrameType | None:
    """The innermost frame of a user, or one that runs the code `stop`."""
    while frame is not None:
        code = frame.f_code
        file = code.co_filename
        if file not in _ours:
            _ours[file] = _is_ours(frame)
        if code is stop or not _ours[file]:
            return frame
        frame = frame.f_back
    return None


def _is_ours(frame: FrameType) -> bool:
    """Whether a frame does not run the user's code, but that of this package or of NumPy."""
    # The examples of a docstring run as a part of their module, but not from its file.
    module, file = (frame.f_globals.get(name, "") for name in ("__name__", "__file__"))
    home = module.split(".")[0]
    inner = home in (__package__, "numpy", "contextlib", "functools")
    return inner and file == frame.f_code.co_filename
