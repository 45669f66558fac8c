"""The warning of values that become plain numbers and lose their gradient."""

from __future__ import annotations

from typing import Any

from autograd_lite.arrays import describe
from autograd_lite.broadcasting import warn
from autograd_lite.context import current

__all__ = ["DetachedWarning", "warn_of_leak"]


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
