"""How much of a number may be rounding, whatever cancels on the way to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_lite.context import setting
from autograd_lite.core.tensor import OUT
from autograd_lite.record import Recorded

__all__ = ["Shaken", "rounding"]

MOVED = 2048
"""How many units in the last place a result is moved by."""


def rounding(value: float, shaken: Sequence[float | None]) -> float:
    """How wrong a number may be, told from the same number under movements that are larger.

    Args:
        value: the number.
        shaken: what it was a few times when everything on the way to it was moved; None and what
            is not finite tell nothing.
    """
    off = [abs(x - value) for x in shaken if x is not None and np.isfinite(x)]
    # A few movements may happen to cancel, and an operation rounds more than once inside.
    return 16 / MOVED * max(off, default=0.0)


class Shaken:
    """Moves every result, and every part of a gradient, by many units in its last place.

    Where large terms cancel, what is left may be small, and still be wrong by the rounding of the
    terms. A number that is computed again with larger roundings shows what its own roundings make
    of it (Parker 1997, "Monte Carlo Arithmetic"). The movements are large against the roundings
    that remain, and small enough that the number follows them in proportion; a choice between
    operands that they turn counts for little when scaled back.

    Args:
        least: arguments smaller than this are moved as if they were so large, or as large as the
            largest of their array.

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> def f(arrays):
        ...     return float((ag.Tensor(arrays[0]) + 1e6 - 1e6).data)
        >>> x, shake = [np.float64(0.1)], Shaken()
        >>> 1e-10 < rounding(f(x), [shake(f, x) for _ in range(3)]) < 1e-8
        True
    """

    def __init__(self, least: float = 0.0) -> None:
        self.least = least
        self.random = np.random.default_rng(0)

    def __call__(self, f: Callable[[Sequence[Any]], Any], arrays: Sequence[Any]) -> Any:
        """What f gives when its arrays and all made of them are moved; None if it fails."""
        moved = []
        for x in arrays:
            size = np.abs(x)
            size = np.maximum(size, min(self.least, np.max(size, initial=0.0)))
            moved.append((x + (self._moved(size) - size)).astype(x.dtype))
        try:
            with setting(observer=self), np.errstate(all="ignore"):
                return f(moved)
        except (ArithmeticError, AssertionError, ValueError):
            # Matrices that are no longer positive definite, probabilities that exceed 1.
            return None

    def _moved(self, x: Any) -> Any:
        """Each element of an array moved up or down; anything else as it is."""
        dtype = getattr(x, "dtype", None)
        if dtype is None or dtype.kind != "f":
            return x
        step = dtype.type(MOVED * np.finfo(dtype).eps)
        return x * np.where(self.random.integers(0, 2, x.shape, bool), 1 - step, 1 + step)

    def applied(self, value: Any, op: Any, inputs: Any, arrays: Any) -> None:
        # The rule of an operation with kinks may ask which of its operands is the result; these
        # were moved already.
        if op.differentiable and op.traits.kinks is None:
            node, moved = value.node, self._moved(value.kept)
            value.kept = moved
            if node.form is (node.saved[OUT] if node.saved else node.form):
                node.form = moved
                node.saved = (moved, *node.saved[1:])

    def around(self, rule: Callable[..., Any], node: Any, k: int) -> Callable[..., Any]:
        def moved(*args: Any, **attributes: Any) -> Any:
            part = rule(*args, **attributes)
            # A Tensor was moved when it was made.
            return part if isinstance(part, Recorded) else self._moved(part)

        return moved
