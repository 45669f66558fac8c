"""Operations of one's own: they see the record read-only, and keep nothing of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from inspect import signature
from typing import Any

import numpy as np

from autograd_lite.foreign import guarded
from autograd_lite.op import NUMPY, OPS, Op
from autograd_lite.op import operation as entered

__all__ = ["custom_gradient", "operation"]


def operation(
    name: str,
    forward: Callable[..., Any],
    *rules: Callable[..., Any] | None,
    numpy: Sequence[Any] = (),
    arity: int | None = -1,
    **traits: Any,
) -> Op:
    """Define an operation of your own and enter it into the table.

    Args:
        name: its name in the table.
        forward: a function of arrays. Its first parameters are the operands, the others, which
            have defaults, the attributes.
        rules: one gradient rule per operand, ``(g, out, *operands, **attributes) -> gradient of
            that operand``, none for an operation without a derivative.
        numpy: NumPy's functions that it answers for.
        arity: the number of operands; None for one sequence of operands, and one rule for all that
            takes the number ``k`` of the operand.
        traits: how it is written, ``symbol="Huber"``, and what it does: ``elementwise=True``,
            ``broadcasts=True`` (the sweep sums over broadcast axes) …

    Forward and rules see their operands read-only, and their results are copied.

    Raises:
        TypeError: for more rules than parameters.
        ValueError: for the name or a NumPy function of an operation of the package.

    Example:
        >>> import autograd_lite as ag
        >>> cube = ag.operation(
        ...     "cube", lambda x: x**3, lambda g, out, x: g * 3 * x**2, elementwise=True
        ... )
        >>> float(ag.grad(cube)(2.0))
        12.0
    """
    if arity is not None and not isinstance(forward, np.ufunc):
        count = len(signature(forward).parameters)
        if len(rules) > count:
            raise TypeError(f"{name}: {len(rules)} rules for {count} operands; give one rule each")
    known = OPS.get(name)
    if known is not None and not known.foreign:
        raise ValueError(f"operation: {name!r} is an operation of the package; name it anew")
    for function in numpy:
        if function in NUMPY and not getattr(NUMPY[function], "foreign", False):
            raise ValueError(f"operation: np.{function.__name__} has an operation already")
    once = guarded(forward, f"the forward of {name}")
    again = (
        once if arity is not None else lambda *arrays, k=0, **attributes: once(arrays, **attributes)
    )
    around = [rule and guarded(rule, f"a gradient rule of {name}", again) for rule in rules]
    return entered(name, once, *around, numpy=numpy, arity=arity, foreign=True, **traits)


def _of_several(forward: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arrays, k=0, **attributes: forward(arrays, **attributes)


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
