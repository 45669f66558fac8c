"""Tensors inside a function that is being differentiated or traced."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from types import FrameType
from typing import Any

import numpy as np

from autograd_lite.arrays import describe
from autograd_lite.context import current, is_outside, note_shape_read, reported, setting
from autograd_lite.core.state import STATE
from autograd_lite.core.tensor import leaf
from autograd_lite.tensor import Tensor

__all__ = ["INSIDE", "Differentiated", "Traced", "argument", "inside"]


INSIDE: ContextVar[str] = ContextVar("inside", default="")
"""Whether a function is being differentiated ("grad") or traced ("trace") here."""


@contextmanager
def inside(what: str, recording: bool = True) -> Iterator[None]:
    """Mark the block as the run of a function that is being differentiated or traced."""
    token = INSIDE.set(INSIDE.get() or what)
    state = STATE.get()
    unchanged = state.recording == recording and not state.in_generator
    try:
        with nullcontext() if unchanged else setting(recording=recording):
            yield
    finally:
        INSIDE.reset(token)


class Differentiated(Tensor, internal=True):
    """A Tensor that depends on an argument of a function that is being differentiated.

    It cannot be converted to plain numbers, which would lose the gradient.
    """

    __slots__ = ()

    @property
    def is_argument(self) -> bool:  # type: ignore[override]
        """Whether it is an argument, whose data cannot be read or changed."""
        return self.node.op is None

    def refuse_leak(self, what: str) -> None:
        """Raise an error if the value is converted to plain numbers while the function runs.

        Raises:
            TypeError: if the derivative depends on it.
        """
        if INSIDE.get() and (self.node.requires_grad or self.always_recorded):
            raise TypeError(
                f"{what}: {describe(self)} is being differentiated or traced, and a plain number "
                "would lose its gradient; use NumPy's functions, np.where instead of if, or "
                "ag.stop_gradient if this is intended"
            )


class Traced(Differentiated, internal=True):
    """A Tensor of a function that is being traced: the program has no values yet."""

    __slots__ = ()

    always_recorded = True

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape, a tuple of ints."""
        shape: tuple[int, ...] = getattr(self.node.form, "shape", ())
        return reported(shape) if is_outside(sys._getframe(1)) else shape

    @property
    def size(self) -> int:
        """The number of elements."""
        size = super().size
        return reported(size) if is_outside(sys._getframe(1)) else size

    def __len__(self) -> int:
        length = super().__len__()
        return reported(length) if is_outside(sys._getframe(1)) else length

    @property
    def array(self) -> Any:
        """The value."""
        _read(sys._getframe(1))
        return super().array

    def __iter__(self) -> Iterator[Tensor]:
        _read(sys._getframe(1))
        return super().__iter__()

    def __repr__(self) -> str:
        _read(sys._getframe(1))
        return super().__repr__()

    def __array_function__(self, function: Any, types: Any, args: Any, kwargs: Any) -> Any:
        try:
            return super().__array_function__(function, types, args, kwargs)
        except Exception:  # which the program may catch
            note_shape_read()
            raise

    def __bool__(self) -> bool:
        self.refuse_leak("bool()")
        return super().__bool__()


def _read(frame: FrameType) -> None:
    """Note what is read outside this package and depends on a shape."""
    if is_outside(frame):
        note_shape_read()


def argument(
    array: Any, requires_grad: bool, name: str | None = None, kind: type[Tensor] = Differentiated
) -> Tensor:
    """A new leaf for an argument of a transformed function."""
    value = leaf(kind, np.asarray(array), requires_grad, current().scope)
    value.node.name = name
    return value  # type: ignore[no-any-return]
