"""Modules of source: put together, registered so that tracebacks show their lines, and run."""

from __future__ import annotations

import linecache
from collections.abc import Iterable, Mapping, Sequence
from itertools import count
from typing import Any

import numpy as np

from autograd_lite.expressions.printer import literal

__all__ = ["LITERAL", "constant_source", "loaded", "shape_text"]

LITERAL = 64  # elements up to which a constant is written as a list of numbers
LARGEST = 1 << 22  # bytes up to which it is written at all

_numbers = count(1)


def shape_text(shape: Sequence[int]) -> str:
    """A shape for people."""
    return f"({', '.join(map(str, shape))}{',' * (len(shape) == 1)})"


def constant_source(name: str, value: Any) -> str:
    """The lines that define a constant, exact to the last bit.

    Raises:
        ValueError: for a constant too large for source text.
    """
    if value.ndim and value.size and (value == 1).all():
        return f'{name} = np.ones({value.shape!r}, dtype="{value.dtype}")'
    if value.size <= LITERAL and np.isfinite(value).all():
        return f"{name} = {literal(value)}"
    if value.nbytes > LARGEST:
        raise ValueError(
            f"compile: the function closes over an array {shape_text(value.shape)} of "
            f"{value.nbytes:,} bytes, too large to be written as source; make it an argument"
        )
    digits = np.ascontiguousarray(value).tobytes().hex()
    lines = [f'    "{digits[k : k + 80]}"' for k in range(0, len(digits), 80)] or ['    ""']
    text = "\n".join(lines)
    return (
        f"{name} = np.frombuffer(\n    bytes.fromhex(\n"
        + text.replace("    ", "        ")
        + f'\n    ),\n    dtype="{value.dtype}",\n).reshape({value.shape!r})'
    )


def loaded(source: str, title: str, given: Mapping[str, Any], wanted: Iterable[str]) -> list[Any]:
    """Run a module's source and return what it defines; its lines show in tracebacks."""
    filename = f"<compiled {title} {next(_numbers)}>"
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    space: dict[str, Any] = {"__name__": f"compiled_{title}", **given}
    exec(compile(source, filename, "exec"), space)
    return [space[name] for name in wanted]
