"""Ctrl-C on the command line while Python still imports the package: one line, no traceback.

The script `autograd-lite` and `python -m autograd_lite` import the package, with NumPy, before code
of their own runs, so that no `except` there could catch Ctrl-C. The package therefore imports this
module first. In any other program it does nothing.
"""

from __future__ import annotations

import os
import sys
from types import FrameType

__all__ = ["raise_again"]


def raise_again() -> None:
    """Let Ctrl-C raise KeyboardInterrupt, as Python does by default."""
    import signal

    if signal.getsignal(signal.SIGINT) is _end:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _end(number: int, frame: FrameType | None) -> None:
    os.write(2, b"autograd-lite: interrupted\n")
    os._exit(130)


def _is_command_line() -> bool:
    program = next(iter(sys.argv), "")
    if program == "-m":  # Python looks for the module; its name is before the arguments
        return sys.orig_argv[-len(sys.argv)].removeprefix("-m") == "autograd_lite"
    return os.path.basename(program) in ("autograd-lite", "autograd-lite.exe")


if _is_command_line():
    import signal

    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _end)
