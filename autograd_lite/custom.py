"""Operations of users: they get read-only arrays, and their results are copied."""

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
    """Define an operation and add it to the table.

    Args:
        name: its name in the table.
        forward: a function of arrays. Its first parameters are the operands; the others, with
            defaults, are the attributes.
        rules: one gradient rule per operand, ``(g, out, *operands, **attributes) -> gradient of
            that operand``; no rules for an operation without a derivative.
        numpy: the NumPy functions that it implements.
        arity: the number of operands; None for a sequence of operands, with one rule for all of
            them that takes the number ``k`` of the operand.
        traits: its notation, ``symbol="Huber"``, and its properties: ``elementwise=True``,
            ``broadcasts=True`` (the sweep sums over broadcast axes) …

    The forward and the rules get read-only arrays, and their results are copied.

    Raises:
        TypeError: if there are more rules than parameters.
        ValueError: if the package has an operation of this name or for a NumPy function.

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
        raise ValueError(f"operation: {name!r} is an operation of the package; choose another name")
    for function in numpy:
        if function in NUMPY and not getattr(NUMPY[function], "foreign", False):
            raise ValueError(f"operation: np.{function.__name__} has an operation already")
    once = guarded(forward, f"the forward of {name}")
    again = once if arity is not None else _of_several(once)
    around = [rule and guarded(rule, f"a gradient rule of {name}", again) for rule in rules]
    return entered(name, once, *around, numpy=numpy, arity=arity, foreign=True, **traits)


def _of_several(forward: Callable[..., Any]) -> Callable[..., Any]:
    return lambda *arrays, k=0, **attributes: forward(arrays, **attributes)


def custom_gradient(
    *rules: Callable[..., Any] | None, **traits: Any
) -> Callable[[Callable[..., Any]], Op]:
    """Decorate a function of arrays to define its gradient; it becomes one operation.

    Args:
        rules: one per operand, ``(g, out, *operands, **attributes) -> gradient of that operand``,
            None for an operand without a gradient. A rule written in NumPy functions can be
            differentiated again. It must compute from its arguments, not from values that the
            function stored, which belong to its last call; differentiating a rule that uses
            stored values is an error. To detect it, the function is called once more.
        traits: its notation and properties, as for `operation`: ``symbol="Huber"``,
            ``elementwise=True``, ``broadcasts=True`` (the sweep sums over broadcast axes) …

    The function may use any code that computes on arrays. Its first parameters are the operands,
    as many as there are rules; the others, with defaults, are attributes. It gets read-only
    arrays, and its result is copied.

    Raises:
        TypeError: if there is no rule, or more rules than parameters.

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
            "custom_gradient: pass one rule per operand, @custom_gradient(lambda g, out, x: …)"
        )

    def decorate(forward: Callable[..., Any]) -> Op:
        name = getattr(forward, "__name__", type(forward).__name__)
        home = getattr(forward, "__module__", None) or "__main__"
        traits.setdefault("symbol", name)
        return operation(f"{home}.{name}", forward, *rules, **traits)

    return decorate
