"""Native functions: from source to machine code by Numba, which keeps it on disk."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import sys
import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import RLock
from typing import Any

from autograd_lite.compiler.elementary import FUNCTIONS
from autograd_lite.compiler.executors import controller
from autograd_lite.files import atomic

__all__ = ["CONTIGUOUS", "FLAGS", "HELPERS", "digest", "installed", "native_functions", "signature"]

FLAGS = 'error_model="numpy", nogil=True, cache=True'

HELPERS = {
    **FUNCTIONS,
    "plus": """@njit(fastmath={"reassoc"})
def plus(total, x):
    return total + x""",
    "plus_product": """@njit(fastmath={"reassoc", "contract"})
def plus_product(total, x, y):
    return total + x * y""",
    # With np.dot in a function of its own, the arrays stay known to the loops around it.
    "product": """@njit
def product(a, b, out):
    np.dot(a, b, out)""",
    "plus_exactly": """@njit
def plus_exactly(total, rest, x):
    added = total + x
    if abs(total) >= abs(x):
        return added, rest + ((total - added) + x)
    return added, rest + ((x - added) + total)""",
}
"""What native functions call, by name. Sums may be computed in any order."""


@cache
def installed() -> bool:
    """Whether Numba, and SciPy, which brings its BLAS, are installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("numba", "scipy"))


CONTIGUOUS = """def contiguous(*values):
    # Arrays in order, writeable and aligned, and numbers, as native functions take them.
    return [np.require(x, None, "CWA")[()] if isinstance(x, np.ndarray) else x for x in values]"""


class NotNativeError(Exception):
    """Numba cannot compile a native function; the message says why in one line."""


_importing = RLock()


def _after_fork() -> None:
    """After a fork the thread that may hold the lock no longer exists."""
    global _importing
    _importing = RLock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def native_functions(source: str) -> dict[str, Any]:
    """The functions of a module with this source, which Numba compiles or finds on disk.

    Numba knows a function by the name of its file, so each source has a file of its own.

    Raises:
        NotNativeError: if Numba cannot compile them.
    """
    source = f"import numpy as np\nfrom numba import njit\n\n\n{source}"
    name = f"autograd_lite_{digest(source)}"
    with _importing:
        if name not in sys.modules:
            try:
                _import(name, _written(name, source))
            except Exception as error:
                raise NotNativeError(" ".join(str(error).split())[:200]) from None
            controller.cache_clear()  # it does not know SciPy's BLAS if that was loaded just now
        return vars(sys.modules[name])


def _written(name: str, source: str) -> Path:
    """The file of a module, written unless it is there."""
    path = folder() / f"{name}.py"
    if not path.exists() or path.read_bytes() != source.encode():
        with atomic(path) as file:
            file.write(source)
    return path


def _import(name: str, path: Path, again: bool = True) -> None:
    """Import the module in a file; a second time without what Numba wrote, if that is damaged."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except BaseException as error:
        del sys.modules[name]
        if not (again and isinstance(error, Exception)):
            raise
        for file in (path.parent / "__pycache__").glob(f"{name}.*"):
            file.unlink(missing_ok=True)
        _import(name, path, again=False)


def digest(source: str) -> str:
    """A short text that is different for each source."""
    return hashlib.sha256(source.encode()).hexdigest()[:16]


@cache
def folder() -> Path:
    """Where native modules are kept: AUTOGRAD_LITE_CACHE, or a folder of the user's caches."""
    if given := os.environ.get("AUTOGRAD_LITE_CACHE"):
        path = Path(given)
    elif os.name == "nt":
        path = Path(os.environ.get("LOCALAPPDATA", Path.home())) / "autograd_lite"
    elif sys.platform == "darwin":
        path = Path.home() / "Library" / "Caches" / "autograd_lite"
    else:
        path = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "autograd_lite"
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            return path
    except OSError:
        return Path(tempfile.mkdtemp(prefix="autograd_lite_"))


def signature(types: Sequence[tuple[Any, tuple[int, ...], bool]]) -> str:
    """The argument types of a native function, for dtypes, shapes and whether read-only."""
    words = []
    for dtype, shape, read_only in types:
        name = "boolean" if dtype.kind == "b" else dtype.name
        if not shape:
            words.append(name)
        elif read_only:
            words.append(f'Array({name}, {len(shape)}, "C", readonly=True)')
        else:
            words.append(f"{name}[{', '.join([':'] * (len(shape) - 1) + ['::1'])}]")
    return f"({', '.join(words)}{',' * (len(words) == 1)})"
