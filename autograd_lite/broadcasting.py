"""Warnings at the line of the caller, and the warning of unintended broadcasting."""

from __future__ import annotations

import inspect
import itertools
import math
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_lite.core.state import hooks
from autograd_lite.core.tensor import Node

__all__ = ["BroadcastWarning", "level", "warn", "warn_of_broadcast"]

_INSIDE = (__package__, "numpy")


class BroadcastWarning(UserWarning):
    """Two operands with different numbers of dimensions were broadcast to a larger result."""


def warn_of_broadcast(op: Any, inputs: Sequence[Node]) -> None:
    """Warn of the first two operands that were broadcast to a shape larger than both."""
    shapes = [getattr(x.form, "shape", ()) for x in inputs]
    for (a, x), (b, y) in itertools.combinations(zip(shapes, inputs, strict=True), 2):
        shape = np.broadcast_shapes(a, b)
        if len(a) != len(b) and math.prod(shape) > max(math.prod(a), math.prod(b)):
            warnings.warn(
                f"{op.name}: {x} and {y} were broadcast to {shape}, larger than both; if this is "
                "intended, give both the same number of dimensions with reshape or [:, None]",
                BroadcastWarning,
                stacklevel=level(),
            )
            return


hooks.outgrown = warn_of_broadcast


def warn(text: str, category: type[Warning]) -> None:
    """Warn at the first line outside this package and NumPy."""
    warnings.warn(text, category, stacklevel=level())


def level() -> int:
    """The stack level of the first line outside this package and NumPy."""
    frame, depth = inspect.currentframe(), 0
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] in _INSIDE:
        frame, depth = frame.f_back, depth + 1
    return depth
