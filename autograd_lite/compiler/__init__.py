"""From the graph of a function to the NumPy that a person would write, and faster."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

if TYPE_CHECKING:
    from autograd_lite.compiler.function import Compiled

__all__ = ["NotSeparableError", "compile"]

P = ParamSpec("P")
R = TypeVar("R")


class NotSeparableError(ValueError):
    """The results are no sums over rows; the message names the call that forbids it."""


@overload
def compile(
    f: Callable[P, R], *, rows: int | str | None = None, donate: str | Sequence[str] = ()
) -> Compiled[P, R]: ...


@overload
def compile(
    f: None = None, *, rows: int | str | None = None, donate: str | Sequence[str] = ()
) -> Callable[[Callable[P, R]], Compiled[P, R]]: ...


def compile(
    f: Callable[..., Any] | None = None,
    *,
    rows: int | str | None = None,
    donate: str | Sequence[str] = (),
) -> Any:
    """The same function, run as generated straight-line NumPy; a call or a decorator.

    The first call with new containers, shapes, dtypes or plain values traces f on Tensors; later
    ones run the code. Arrays are what may change from call to call. Numbers, strings and other
    plain values in the arguments are free to use, also in control flow, and belong to the code:
    another value is another program (pass ``np.float64(x)`` for a number that changes often).
    Arrays that f closes over are constants, taken once.

    Args:
        f: a function of arrays in nested containers, and to such; it may use the whole engine,
            `value_and_grad` and the update of parameters included.
        rows: run over blocks of so many rows where the results are sums over rows; "auto" to
            decide by size; None for one pass.
        donate: names of arguments whose arrays may be overwritten by the results.

    Called with Tensors, f runs as it is written and records.

    Raises:
        TypeError: where f takes the value of an array out (``if x > 0``, ``float(x)``), from the
            first call.
        ValueError: if donate names no argument of f.
        NotSeparableError: if rows is asked for and the results are no sums over rows.

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> @ag.compile
        ... def slope(x):
        ...     return ag.grad(lambda x: np.sum(x**2))(x)
        >>> slope(np.array([1.0, 2.0]))
        array([2., 4.])
        >>> print(slope.readable())
        def slope(x):
            \"\"\"Compiled by autograd_lite, for these shapes and dtypes:
        <BLANKLINE>
            x: float64 (2,)
            \"\"\"
            return 2 * x
        <BLANKLINE>
    """
    # Whoever does not compile does not wait for the compiler to be imported.
    from autograd_lite.compiler.function import Compiled

    donate = (donate,) if isinstance(donate, str) else tuple(donate)
    if not (rows is None or rows == "auto" or (isinstance(rows, int) and rows > 0)):
        raise ValueError(f'compile: rows is "auto", a positive number, or None, not {rows!r}')
    if f is None:
        return lambda function: Compiled(function, rows, donate)
    if not callable(f):
        raise TypeError(f"compile: takes a function, not {type(f).__name__}")
    return Compiled(f, rows, donate)
