"""Constants as source, and the source of modules run so that tracebacks show its lines."""

from __future__ import annotations

import linecache
import re
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import numpy as np

from autograd_lite.compiler.machine_code import native_functions
from autograd_lite.expressions.printer import literal

__all__ = [
    "LITERAL",
    "MODULE",
    "Module",
    "check_size",
    "constant_source",
    "imports_of",
    "loaded",
]

LITERAL = 64  # elements up to which a constant is written as a list of numbers
LARGEST = 1 << 22  # bytes up to which a constant is written as source

MODULE = "__module__"  # the name under which a module that is loaded has its Module

_numbers = count(1)


def constant_source(name: str, value: Any) -> str:
    """The lines that define a constant, exact to the last bit.

    Raises:
        ValueError: for a constant too large for source text.
    """
    if value.ndim and value.size and (value == 1).all():
        return f'{name} = np.ones({value.shape!r}, dtype="{value.dtype}")'
    if value.size <= LITERAL and np.isfinite(value).all():
        return f"{name} = {literal(value)}"
    check_size(value)
    digits = np.ascontiguousarray(value).tobytes().hex()
    lines = [f'        "{digits[k : k + 80]}"' for k in range(0, len(digits) or 1, 80)]
    return "\n".join(
        [
            f"{name} = np.frombuffer(",
            *("    bytes.fromhex(", *lines, "    ),"),
            f'    dtype="{value.dtype}",',
            f").reshape({value.shape!r})",
        ]
    )


def check_size(value: Any) -> None:
    """Refuse a constant too large for source text."""
    if value.nbytes > LARGEST:
        raise ValueError(
            f"compile: the function closes over an array {value.shape} of "
            f"{value.nbytes:,} bytes, too large to be written as source; make it an argument"
        )


def imports_of(code: str) -> list[str]:
    """The lines that import what a module uses of NumPy and SciPy."""
    lines = {"np": "import numpy as np", "special": "from scipy import special"}
    return [line for name, line in lines.items() if re.search(rf"(?<![\w.]){name}\.", code)]


@dataclass(frozen=True, eq=False)
class Module:
    """A module that is written but not yet loaded.

    Attributes:
        name: of its last function.
        imports: its first lines.
        code: its source, without imports and native functions.
        namespace: the objects that it uses besides those that it defines.
        native: the source of its native functions, or nothing.
        in_blocks: the name of the function that computes over blocks of rows, or nothing.
    """

    name: str
    imports: str
    code: str
    namespace: Mapping[str, Any]
    native: str = ""
    in_blocks: str = ""

    @property
    def source(self) -> str:
        """All its source."""
        if not self.native:
            return f"{self.imports}\n{self.code}"
        return f"{self.imports}from numba import njit\n\n\n{self.native}\n\n{self.code}"

    def load(self) -> Any:
        """Run it, compile its native functions, and return its last function."""
        functions = native_functions(self.native) if self.native else {}
        code = f"{self.imports}\n{self.code}"
        return loaded(code, self.name, {**self.namespace, **functions, MODULE: self})


def loaded(source: str, name: str, namespace: Mapping[str, Any]) -> Any:
    """Run the source of a module; returns what it defines under a name, a function.

    Tracebacks show its lines as long as the function exists.
    """
    filename = f"<compiled {name} {next(_numbers)}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    space: dict[str, Any] = {"__name__": f"compiled_{name}", **namespace}
    exec(compile(source, filename, "exec"), space)
    weakref.finalize(space[name], linecache.cache.pop, filename, None).atexit = False
    return space[name]
