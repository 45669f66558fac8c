"""Recording, scopes and observers, set for a block in this thread and task.

The state is a stack of settings. A setting that a generator entered applies only while that
generator runs, not to the code that iterates over it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import ContextDecorator
from contextvars import ContextVar
from dataclasses import dataclass, fields
from inspect import CO_ASYNC_GENERATOR, CO_GENERATOR
from types import FrameType
from typing import Any

from autograd_lite.core.state import STATE, State, hooks

__all__ = [
    "SHAPES_READ",
    "ShapesRead",
    "current",
    "is_outside",
    "no_grad",
    "note_shape_read",
    "reported",
    "scope",
    "setting",
]


@dataclass
class ShapesRead:
    """What a program that is traced reads of the shapes of its arrays.

    Attributes:
        length: the number of rows of the arrays.
        told: the number of rows that the program is told.
        read: whether it reads a shape.
        otherwise: whether it reads one that `told` does not change.
    """

    length: int = 1
    told: int = 1
    read: bool = False
    otherwise: bool = False


SHAPES_READ: ContextVar[ShapesRead | None] = ContextVar("shapes_read", default=None)


def note_shape_read() -> None:
    """Note that the program that is traced reads what depends on a shape, such as an error."""
    noted = SHAPES_READ.get()
    if noted is not None:
        noted.read = noted.otherwise = True


def is_outside(frame: FrameType) -> bool:
    """Whether the code of a frame is not of this package."""
    return bool(frame.f_globals.get("__name__", "").split(".")[0] != "autograd_lite")


def reported(lengths: Any) -> Any:
    """A length or a shape as the program that reads it is told."""
    noted = SHAPES_READ.get()
    if noted is None:
        return lengths
    noted.read = True
    if isinstance(lengths, tuple):
        return tuple(map(reported, lengths))
    if noted.length == noted.told or type(lengths) is not int or lengths % noted.length:
        return lengths
    return lengths // noted.length * noted.told


FIELDS = [field.name for field in fields(State)]


@dataclass(frozen=True, eq=False, kw_only=True)
class Laid(State):
    """A state that results from a setting applied to the state below it."""

    setting: Setting
    below: State
    frame: FrameType | None
    """The frame of the generator that entered the setting."""


def current() -> State:
    """The current state."""
    state = STATE.get()
    return running(state) if state.in_generator else state


def running(state: Any) -> State:
    """A state without the settings of generators that do not run now."""
    above = []
    while state.in_generator:
        if state.frame is None or _runs(state.frame):
            above.append(state)
        state = state.below
    return _laid(above, state)


hooks.running = running


def _laid(above: list[Any], below: State) -> State:
    """The settings of states, applied to another state from the last to the first."""
    for state in reversed(above):
        below = state if state.below is below else state.setting.over(below, state.frame)
    return below


class Setting(ContextDecorator):
    """A change of the state while a block or a function runs."""

    def __init__(self, change: Callable[[State], dict[str, Any]]) -> None:
        self.change = change

    def over(self, below: State, frame: FrameType | None) -> State:
        """The state with this setting applied to the one below."""
        in_generator = below.in_generator or frame is not None
        state = {name: getattr(below, name) for name in FIELDS}
        state |= {**self.change(below), "in_generator": in_generator}
        return Laid(**state, setting=self, below=below, frame=frame)

    def __enter__(self) -> None:
        above: list[State] = []
        state: Any = STATE.get()
        while (
            isinstance(state, Laid) and state.frame is not None and not _runs(state.frame)
        ):  # it will run inside this block
            above.append(state)
            state = state.below
        STATE.set(_laid(above, self.over(state, _generator(sys._getframe(1)))))

    def __exit__(self, *error: object) -> None:
        above: list[State] = []
        state: Any = STATE.get()
        while isinstance(state, Laid) and state.setting is not self:
            above.append(state)
            state = state.below
        if isinstance(state, Laid):  # otherwise it was entered in another thread or task
            STATE.set(_laid(above, state.below))


def _runs(frame: FrameType) -> bool:
    here = sys._getframe() if frame.f_back else None  # a suspended frame has no caller
    while here is not None and here is not frame:
        here = here.f_back
    return here is frame


def _generator(frame: FrameType) -> FrameType | None:
    """The frame of the generator whose body enters a setting here, or None."""
    while (caller := frame.f_back) and (_enters(frame) or _enters(caller)):
        frame = caller
    return frame if frame.f_code.co_flags & (CO_GENERATOR | CO_ASYNC_GENERATOR) else None


def _enters(frame: FrameType) -> bool:
    """Whether a frame enters a context manager for another one."""
    return frame.f_code.co_name in _ENTER


_ENTER = {"__enter__", "__aenter__", "enter_context", "enter_async_context"}
_ENTER |= {"call_fixture_func", "_multicall"}  # pytest runs generators as context managers


def setting(**changes: Any) -> Setting:
    """Change the state of this thread and task for a while."""
    return Setting(lambda below: changes)


def no_grad() -> Setting:
    """Compute without recording, in this thread and task only; also a decorator.

    In the body of a generator it applies only while the generator runs.

    Example:
        >>> import autograd_lite as ag
        >>> w = ag.Tensor(3.0)
        >>> with ag.no_grad():
        ...     (w * w).requires_grad
        False
    """
    return setting(recording=False)


def scope(title: str) -> Setting:
    """Group the operations applied inside under a title, for pictures and derivations.

    Scopes nest. A title may be any text.

    Raises:
        TypeError: if the title is not a string.

    Example:
        >>> import autograd_lite as ag
        >>> with ag.scope("layer 1"):
        ...     h = ag.relu(ag.Tensor(2.0))
        >>> h.scope
        ('layer 1',)
    """
    if not isinstance(title, str):
        raise TypeError(f"scope: the title must be a string, not {type(title).__name__}")
    return Setting(lambda below: {"scope": (*below.scope, title)})
