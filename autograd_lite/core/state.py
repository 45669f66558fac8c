"""The state under which operations are applied, and the hooks of the rest of the package."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

__all__ = ["STATE", "State", "hooks", "latest"]


@dataclass(frozen=True, eq=False)
class State:
    """Whether operations are recorded, in which scopes, and by which observer they are seen.

    `in_generator` marks a state that is set only while a generator runs. `hooks.running` then
    returns the state that applies now.
    """

    recording: bool = True
    scope: tuple[str, ...] = ()
    observer: Any = None
    in_generator: bool = False


STATE: ContextVar[State] = ContextVar("autograd_lite", default=State())  # noqa: B039 - frozen
latest = STATE.get

hooks: SimpleNamespace = SimpleNamespace()
"""`constant` makes a Tensor of an array or a number. `explained` adds operation and operands to
an error of NumPy. `outgrown` is called for a result that is larger than its operands. `running`
returns the state that applies now, for a state that a generator set."""
