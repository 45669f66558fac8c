"""From the graph of a function to NumPy source: readable, and fast to run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

if TYPE_CHECKING:
    from autograd_lite.compiler.function import Compiled

__all__ = ["NotSeparableError", "compile"]

P = ParamSpec("P")
R = TypeVar("R")


class NotSeparableError(ValueError):
    """The results are not sums over rows; the message names the call that prevents it."""


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
    """Compile a function to straight-line NumPy; also a decorator.

    The first call with new containers, shapes, dtypes or plain values traces f on Tensors; later
    calls run the generated code. Only arrays may change from call to call. Numbers, strings and
    other plain values are constants of the code, which f may also use in control flow; for another
    value it is compiled again (pass ``np.float64(x)`` for a number that changes often). Arrays in
    the closure of f are constants. Called with Tensors, f runs as it is written.

    Args:
        f: a function of arrays in nested containers that returns the same. It may use everything
            in the package, `value_and_grad` and updates of parameters included.
        rows: the number of rows of a block, to run over blocks of rows where the results are sums
            over rows; "auto" to choose the number; None for one pass.
        donate: names of arguments whose arrays the results may overwrite.

    Raises:
        TypeError: from the first call, if f uses the value of an array (``if x > 0``).
        ValueError: if donate names an argument that f does not have.
        NotSeparableError: if rows is given and the results are not sums over rows.

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> @ag.compile
        ... def gradient(x):
        ...     return ag.grad(lambda x: np.sum(x**2))(x)
        >>> gradient(np.array([1.0, 2.0]))
        array([2., 4.])
        >>> print(gradient.readable())
        def gradient(x):
            \"\"\"Compiled by autograd_lite, for these shapes and dtypes:
        <BLANKLINE>
            x: float64 (2,)
            \"\"\"
            return 2 * x
        <BLANKLINE>
    """
    from autograd_lite.compiler.function import Compiled  # not when the package is imported

    if not (rows is None or rows == "auto" or (isinstance(rows, int) and rows > 0)):
        raise ValueError(f'compile: rows is "auto", a positive number, or None, not {rows!r}')
    if f is None:
        return lambda function: Compiled(function, rows, donate)
    return Compiled(f, rows, donate)
