"""Warnings in the line of the caller, and the one for what was broadcast to more than was meant."""

from __future__ import annotations

import inspect
import itertools
import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_lite.node import describe

__all__ = ["BroadcastWarning", "level", "warn", "warn_of_broadcast"]

_INSIDE = (__package__, "numpy")


class BroadcastWarning(UserWarning):
    """Two operands of different rank were broadcast to something larger than both."""


def warn_of_broadcast(node: Any, inputs: Sequence[Any]) -> None:
    """Warn of the first two operands whose broadcast was larger than both."""
    for a, b in itertools.combinations(inputs, 2):
        shape = np.broadcast_shapes(a.shape, b.shape)
        if a.ndim != b.ndim and math.prod(shape) > max(a.size, b.size):
            warnings.warn(
                f"{node.op.name if node.op else 'an operation'}: {describe(a)} and {describe(b)} "
                f"were broadcast to {shape}, larger than both; give both the same number of "
                "dimensions, with reshape or [:, None], to say what is meant",
                BroadcastWarning,
                stacklevel=level(),
            )
            return


def warn(text: str, category: type[Warning]) -> None:
    """Warn in the line of the caller, outside this package and NumPy."""
    warnings.warn(text, category, stacklevel=level())


def level() -> int:
    """The stack level of the first line outside this package and NumPy."""
    frame, depth = inspect.currentframe(), 0
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] in _INSIDE:
        frame, depth = frame.f_back, depth + 1
    return depth
