"""An estimate of the rounding error of a computed number, also after cancellation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from autograd_lite.context import setting
from autograd_lite.core.tensor import OUT
from autograd_lite.record import Recorded

__all__ = ["Shaken", "rounding"]

MOVED = 2048
"""The size of a perturbation, in units in the last place."""


def rounding(value: float, shaken: Sequence[float | None]) -> float:
    """An estimate of the rounding error of a number.

    Args:
        value: the number.
        shaken: the number computed a few times with larger perturbations; None and values that are
            not finite are ignored.
    """
    off = [abs(x - value) for x in shaken if x is not None and np.isfinite(x)]
    # A few perturbations may cancel by chance, and an operation may round several times.
    return 16 / MOVED * max(off, default=0.0)


class Shaken:
    """Perturbs every result, and every contribution to a gradient, by many units in the last place.

    If large terms cancel, the result may be small, with an error as large as the rounding of the
    terms. The effect of larger perturbations shows the effect of the rounding errors (Parker 1997,
    "Monte Carlo Arithmetic"). The perturbations are large compared with the remaining rounding
    errors, and so small that the number depends on them linearly. A different choice between
    operands changes little after scaling.

    Args:
        least: arguments smaller than this are perturbed as if they were of this size, or of the
            size of the largest element of their array.

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
        """The result of f with all arrays and results perturbed; None if f fails."""
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
        """Each element of an array of floats perturbed up or down."""
        dtype = getattr(x, "dtype", None)
        if dtype is None or dtype.kind != "f":
            return x
        step = dtype.type(MOVED * np.finfo(dtype).eps)
        return x * np.where(self.random.integers(0, 2, x.shape, bool), 1 - step, 1 + step)

    def applied(self, value: Any, op: Any, inputs: Any, arrays: Any) -> None:
        # The rule of an operation with kinks may compare the result with the operands, which were
        # perturbed before.
        if op.differentiable and op.traits.kinks is None:
            node, moved = value.node, self._moved(value.kept)
            value.kept = moved
            if node.form is (node.saved[OUT] if node.saved else node.form):
                node.form = moved
                node.saved = (moved, *node.saved[1:])

    def around(self, rule: Callable[..., Any], node: Any, k: int) -> Callable[..., Any]:
        def moved(*args: Any, **attributes: Any) -> Any:
            part = rule(*args, **attributes)
            # A Tensor was perturbed when it was created.
            return part if isinstance(part, Recorded) else self._moved(part)

        return moved
