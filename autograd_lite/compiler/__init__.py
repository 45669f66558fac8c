"""From the graph of a function to NumPy source: readable, and fast to run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

if TYPE_CHECKING:
    from autograd_lite.compiler.function import Compiled

__all__ = ["NotNativeWarning", "NotSeparableError", "compile"]

P = ParamSpec("P")
R = TypeVar("R")


class NotNativeWarning(RuntimeWarning):
    """Numba cannot compile a program, so NumPy runs it."""


class NotSeparableError(ValueError):
    """The results are not sums over rows; the message names the call that prevents it."""


@overload
def compile(
    f: Callable[P, R],
    *,
    rows: int | str | None = None,
    donate: str | Sequence[str] = (),
    backend: str = "numpy",
    workers: int = 1,
    client: Any = None,
) -> Compiled[P, R]: ...


@overload
def compile(
    f: None = None,
    *,
    rows: int | str | None = None,
    donate: str | Sequence[str] = (),
    backend: str = "numpy",
    workers: int = 1,
    client: Any = None,
) -> Callable[[Callable[P, R]], Compiled[P, R]]: ...


def compile(
    f: Callable[..., Any] | None = None,
    *,
    rows: int | str | None = None,
    donate: str | Sequence[str] = (),
    backend: str = "numpy",
    workers: int = 1,
    client: Any = None,
) -> Any:
    """Compile a function to plain NumPy calls; also a decorator.

    The first call with new containers, shapes, dtypes or plain values traces f on Tensors; later
    calls run the generated code. Only arrays may change from call to call. Numbers, strings and
    other plain values are constants of the code, also used in control flow; for another value it is
    compiled again (pass ``np.float64(x)`` for a number that changes often). Arrays in the closure
    of f are constants. Called with Tensors, f runs as written.

    Args:
        f: a function of arrays in nested containers that returns the same; with rows, arrays may
            also be data by blocks, of `autograd_lite.data.open_rows`, or Dask arrays.
        rows: the number of rows of a block, or "auto" to choose it, if the results are sums over
            rows; None for one pass. One program serves all numbers of rows that f treats alike: it
            is traced with three other numbers, and with each new one if it reads a shape itself.
        donate: names of arguments whose arrays the results may overwrite.
        backend: "numpy"; "numba" for native code; "auto" for Numba once a program was called so
            often that the time to compile it pays. Their results are equal to rounding.
        workers: the number of threads that compute blocks; it does not change any bit of a result.
        client: of the cluster that computes with Dask arrays, if it is not the current one.

    Raises:
        ImportError: for the backend "numba" if Numba is not installed.
        TypeError: from the first call, if f uses the value of an array (``if x > 0``).
        ValueError: if f has no argument that donate names, or for several workers without rows.
        NotSeparableError: if rows is given and the results are not sums over rows.

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> gradient = ag.compile(lambda x: ag.grad(lambda x: np.sum(x**2))(x))
        >>> gradient(np.array([1.0, 2.0]))
        array([2., 4.])
        >>> print(gradient.readable().splitlines()[-1])
            return 2 * x
    """
    from autograd_lite.compiler.executors import executor
    from autograd_lite.compiler.function import Compiled  # not when the package is imported

    execute, backend = executor(_checked(workers, rows, client)), _available(backend)
    made = partial(Compiled, rows, donate, execute, backend, client)
    return made if f is None else made(f)


def _available(backend: str) -> str:
    """The backend that can be used."""
    from autograd_lite.compiler.machine_code import installed

    if backend not in ("numpy", "numba", "auto"):
        raise ValueError(f'compile: backend is "numpy", "numba" or "auto", not {backend!r}')
    if backend == "numpy" or installed():
        return backend
    if backend == "auto":
        return "numpy"
    raise ImportError(
        'compile: backend="numba" needs Numba and SciPy; pip install "autograd_lite[native]"'
    )


def _checked(workers: Any, rows: Any, client: Any) -> int:
    if not (client is None or hasattr(client, "persist")):
        kind = type(client).__name__
        raise TypeError(f"compile: client is a Client of Dask's distributed, not {kind}")
    if not (rows is None or rows == "auto" or (isinstance(rows, int) and rows > 0)):
        raise ValueError(f'compile: rows is "auto", a positive number, or None, not {rows!r}')
    if not (isinstance(workers, int) and workers > 0):
        raise ValueError(f"compile: workers is a positive number, not {workers!r}")
    if workers > 1 and rows is None:
        raise ValueError('compile: several workers need blocks of rows; pass rows="auto"')
    return workers
