"""Tensors inside a function that is being differentiated or traced, which gives out no values."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import numpy as np

from autograd_lite.arrays import describe
from autograd_lite.context import current, setting
from autograd_lite.core.tensor import leaf
from autograd_lite.tensor import Tensor

__all__ = ["INSIDE", "Differentiated", "Traced", "argument", "inside"]


INSIDE: ContextVar[str] = ContextVar("inside", default="")
"""Whether a function is being differentiated ("grad") or traced ("trace") here."""


@contextmanager
def inside(what: str) -> Iterator[None]:
    """Differentiate or trace a function: what is differentiated inside may depend on more."""
    token = INSIDE.set(INSIDE.get() or what)
    try:
        with setting(recording=True):
            yield
    finally:
        INSIDE.reset(token)


class Differentiated(Tensor, internal=True):
    """What a function that is being differentiated makes of its arguments.

    What depends on them gives no plain numbers: their gradient would be lost.
    """

    __slots__ = ()

    @property
    def is_argument(self) -> bool:  # type: ignore[override]
        """Whether it stands for an argument: nobody can reach or change its data."""
        return self.node.op is None

    def refuse_leak(self, what: str) -> None:
        """Refuse to give out the value as a plain number, while the function runs.

        Raises:
            TypeError: if the derivative depends on it.
        """
        if INSIDE.get() and (self.node.requires_grad or self.always_recorded):
            raise TypeError(
                f"{what}: would take the value of {describe(self)} out of the function that is "
                "being differentiated or traced, and lose its gradient; use NumPy's functions, "
                "np.where for a choice, or ag.stop_gradient to mean it"
            )


class Traced(Differentiated, internal=True):
    """What a function that is being traced makes of its arguments: its program has no values."""

    __slots__ = ()

    always_recorded = True

    def __bool__(self) -> bool:
        self.refuse_leak("bool()")
        return super().__bool__()


def argument(
    array: Any, requires_grad: bool, name: str | None = None, kind: type[Tensor] = Differentiated
) -> Tensor:
    """A fresh leaf for an argument of a transformed function."""
    value = leaf(kind, np.asarray(array), requires_grad, current().scope)
    value.node.name = name
    return value  # type: ignore[no-any-return]
