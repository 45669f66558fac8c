"""A gradient of one's own for a function of arrays."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from autograd_lite.op import Op, operation

__all__ = ["custom_gradient"]


def custom_gradient(
    *rules: Callable[..., Any] | None, **traits: Any
) -> Callable[[Callable[..., Any]], Op]:
    """Decorate a function of arrays to give it a gradient of its own; it becomes one operation.

    Args:
        rules: one per operand, ``(g, out, *operands, **attributes) -> gradient of that operand``,
            None for an operand without a gradient. Written in NumPy's functions a rule can be
            differentiated in its turn. It reads its operands and out, not what the function
            kept, which is of its last call and a plain number: a derivative of such a rule is
            refused, and to see it the function is run again beside its operands.
        traits: how it is written and what it does, as for `operation`: ``symbol="Huber"``,
            ``elementwise=True``, ``broadcasts=True`` (the sweep sums over broadcast axes) …

    The function may use anything that computes on arrays. Its first parameters are the operands,
    as many as there are rules; the others, with defaults, are attributes. It sees its operands
    read-only, and its result is copied.

    Raises:
        TypeError: without a rule, or with more rules than parameters.

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> @ag.custom_gradient(lambda g, out, x: np.clip(g, -1, 1))
        ... def clipped(x):
        ...     return x
        >>> float(ag.grad(lambda x: 5 * clipped(x))(2.0))
        1.0
    """
    if not rules or not all(rule is None or callable(rule) for rule in rules):
        raise TypeError(
            "custom_gradient: takes one rule per operand, @custom_gradient(lambda g, out, x: …)"
        )

    def decorate(forward: Callable[..., Any]) -> Op:
        name = getattr(forward, "__name__", type(forward).__name__)
        home = getattr(forward, "__module__", None) or "__main__"
        traits.setdefault("symbol", name)
        return operation(f"{home}.{name}", forward, *rules, **traits)

    return decorate
