"""What becomes plain numbers: values, which lose their gradient, and shapes."""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

from autograd_lite.arrays import describe
from autograd_lite.broadcasting import warn
from autograd_lite.context import current

__all__ = ["SHAPES_READ", "DetachedWarning", "note_shape_read", "warn_of_leak"]

SHAPES_READ: ContextVar[list[bool] | None] = ContextVar("shapes_read", default=None)
"""A list to which True is added when a program that is traced reads a shape, where it matters."""


class DetachedWarning(UserWarning):
    """A Tensor that requires a gradient became a plain number, and its gradient is lost."""


def warn_of_leak(x: Any) -> None:
    """Warn, once for each line of code, if a gradient is being recorded."""
    if x.requires_grad and current().recording:
        known = x.name is not None or x.op is not None
        warn(
            f"{describe(x) if known else 'a Tensor'} becomes a plain number here, as in float(t), "
            "math.exp(t) or out[0] = t, and no gradient flows back through it; use NumPy's "
            "functions, np.stack for a list of Tensors, or t.item() if this is intended",
            DetachedWarning,
        )


def note_shape_read() -> None:
    """Note that the program that is traced reads a shape."""
    noted = SHAPES_READ.get()
    if noted is not None:
        noted.append(True)
