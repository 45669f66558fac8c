"""Blocks of rows that an iterable or a function gives."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd_lite.arrays import numbers_only
from autograd_lite.row_sources import HEAD, BlockError, Source, read_only

__all__ = ["KINDS", "GivenSource"]

Array = npt.NDArray[Any]

KINDS = "biufcSU"
"""The dtypes that rows may have: numbers, and texts that name classes."""


def _array(rows: Any, where: str) -> Array:
    """A copy of the rows: what gives them may write the next ones into the same array.

    Raises BlockError, which begins with `where`, if they are not an array of numbers or texts.
    """
    if not hasattr(rows, "__array__"):
        raise BlockError(
            f"{where} is a {type(rows).__name__}; a block is an array, or a tuple of arrays"
        )
    try:
        numbers_only(rows, where.rstrip(","))
    except TypeError as error:
        raise BlockError(str(error)) from None
    array = np.asarray(rows)
    if not array.ndim:
        raise BlockError(f"{where} is a single value, and not rows")
    if array.dtype.kind not in KINDS:
        raise BlockError(f"{where} holds {array.dtype}, and not numbers")
    return array.astype(array.dtype.newbyteorder("="))


@dataclass(frozen=True, eq=False)
class GivenSource(Source):
    """Blocks of what a function returns for each pass; those without rows are left out."""

    make: Callable[[], Iterable[Any]]
    name: str

    @property
    def lengths(self) -> tuple[int, ...]:
        return self._lengths

    @cached_property
    def _lengths(self) -> tuple[int, ...]:
        return tuple(map(len, map(_first, self)))

    @property
    def head(self) -> Any:
        return self._head

    @cached_property
    def _head(self) -> Any:
        empty = None
        for block in self._blocks():
            if len(_first(block)):
                return _top(block)
            empty = block if empty is None else empty
        if empty is None:
            raise ValueError(f"{self.name} gives no block, which would tell how wide the rows are")
        return empty

    @property
    def parts(self) -> int | None:
        """The number of arrays of a block; None if it is one array and no tuple."""
        return len(self.head) if isinstance(self.head, tuple) else None

    def __iter__(self) -> Iterator[Any]:
        unseen = True
        for block in self._blocks():
            if not len(_first(block)):
                continue
            if unseen and not _equal(_top(block), self.head):
                raise BlockError(
                    f"{self.name}: block 0, from row 0 on, differs from the pass before; each pass "
                    "must give the same blocks in the same order"
                )
            unseen = False
            yield block
            del block  # its memory is free while the next one is made

    def _blocks(self) -> Iterator[Any]:
        number, row, parts = 0, 0, None
        for block in self.make():
            where = f"{self.name}: block {number}, from row {row} on,"
            kind = f"a tuple of {len(block)}" if isinstance(block, tuple) else "an array"
            parts = parts or kind
            if kind != parts:
                raise BlockError(f"{where} is {kind}; the first block is {parts}")
            if not isinstance(block, tuple):
                made: Any = _array(block, where)
            else:
                made = tuple(_array(part, f"{where} part {j},") for j, part in enumerate(block))
                lengths = [len(part) for part in made]
                if len({*lengths}) != 1:
                    raise BlockError(f"{where} has parts of different lengths: {lengths}")
            number, row = number + 1, row + len(_first(made))
            del block
            yield made
            del made


def _first(block: Any) -> Array:
    array: Array = block[0] if isinstance(block, tuple) else block
    return array


def _top(block: Any) -> Any:
    if isinstance(block, tuple):
        return tuple(map(_top, block))
    return read_only(block[:HEAD].copy())


def _equal(block: Any, other: Any) -> bool:
    """Whether two blocks, or tuples, are the same to the bit."""
    if isinstance(block, tuple):
        same = isinstance(other, tuple) and len(block) == len(other)
        return same and all(map(_equal, block, other))
    return (
        isinstance(other, np.ndarray)
        and (block.dtype, block.shape) == (other.dtype, other.shape)
        and block.tobytes() == other.tobytes()
    )
