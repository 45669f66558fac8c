"""What holds for this thread and this task: recording, the scope, the watcher, tracing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, Protocol

__all__ = ["Context", "Watch", "current", "no_grad", "scope", "setting"]


class Watch(Protocol):
    """Who looks on while operations are applied and swept back."""

    def made(self, node: Any, op: Any, inputs: tuple[Any, ...], operands: tuple[Any, ...]) -> None:
        """An operation was applied and made this node."""

    def around(self, rule: Callable[..., Any], node: Any, k: int) -> Callable[..., Any]:
        """The gradient rule of a node's k-th input, to be called in its place."""


@dataclass(frozen=True, slots=True)
class Context:
    """The state that an operation looks at when it is applied."""

    recording: bool = True
    scope: tuple[str, ...] = ()
    watch: Watch | None = None
    leaks: str | None = None


_context: ContextVar[Context] = ContextVar("autograd_lite", default=Context())  # noqa: B039 - frozen

current = _context.get


@contextmanager
def setting(**changes: Any) -> Iterator[None]:
    """Change the context of this thread and task for a while."""
    token = _context.set(replace(_context.get(), **changes))
    try:
        yield
    finally:
        _context.reset(token)


def no_grad() -> Any:
    """Compute without recording, in this thread and task only; also a decorator.

    Example:
        >>> import autograd_lite as ag
        >>> w = ag.Tensor(3.0)
        >>> with ag.no_grad():
        ...     (w * w).requires_grad
        False
    """
    return setting(recording=False)


def scope(title: str) -> Any:
    """Group the operations applied inside under a title, for pictures and derivations.

    Scopes nest. A title may hold any text.

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
        raise TypeError(f"scope: a title is a string, not {type(title).__name__}")
    return _scope(title)


@contextmanager
def _scope(title: str) -> Iterator[None]:
    with setting(scope=(*_context.get().scope, title)):
        yield
