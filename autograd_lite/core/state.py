"""What holds where an operation is applied, and what the package does for the engine."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

__all__ = ["STATE", "State", "hooks", "latest"]


@dataclass(frozen=True, eq=False)
class State:
    """Whether operations are recorded, in which scopes, and who is told of them.

    `held` marks a state that holds only while a generator runs; `hooks.running` tells which does.
    """

    recording: bool = True
    scope: tuple[str, ...] = ()
    observer: Any = None
    held: bool = False


STATE: ContextVar[State] = ContextVar("autograd_lite", default=State())  # noqa: B039 - frozen
latest = STATE.get

hooks: SimpleNamespace = SimpleNamespace()
"""`constant` makes a Tensor of an array or a number, `explained` an error of an error of NumPy's;
`outgrown` hears of an operation whose result is larger than its operands; `running` tells which
state holds, of one that a generator holds."""
