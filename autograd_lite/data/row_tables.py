"""Blocks of rows of tables of pyarrow: columns of numbers, converted block by block."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from autograd_lite.data.row_paths import FileState
from autograd_lite.row_blocks import ahead
from autograd_lite.row_sources import HEAD, BlockError, Source, read_only

__all__ = ["Part", "TableSource"]

Array = npt.NDArray[Any]

EXACT = 2**53
"""Up to here float64 holds every whole number."""


@dataclass(frozen=True)
class Part:
    """A table: of a file, or in memory.

    Attributes:
        name: what errors call it.
        schema: the names and types of its columns.
        sizes: the rows of each piece that can be read alone.
        batches: record batches of so many rows, about, with the columns of these names; of a piece
            with this number, or of all of them if it is None.
        state: the state of the file when it was opened.
    """

    name: str
    schema: Any
    sizes: tuple[int, ...]
    batches: Callable[[Sequence[str], int, int | None], Iterator[Any]]
    state: FileState | None = None

    @property
    def rows(self) -> int:
        """The number of rows."""
        return sum(self.sizes)


@dataclass(frozen=True, eq=False)
class TableSource(Source):
    """Columns of numbers, of tables one after the other; no block is of two pieces of them.

    `single` says that the only column is an array of one dimension.
    """

    name: str
    parts: Sequence[Part]
    columns: Sequence[str]
    single: bool
    dtype: np.dtype[Any]
    block_rows: int

    @property
    def lengths(self) -> tuple[int, ...]:
        return self._lengths

    @cached_property
    def _lengths(self) -> tuple[int, ...]:
        return tuple(length for part in self.parts for length in self._lengths_of(part))

    def _lengths_of(self, part: Part) -> list[int]:
        rows = self.block_rows
        return [min(rows, size - done) for size in part.sizes for done in range(0, size, rows)]

    @property
    def sequential(self) -> bool:
        return any(size > self.block_rows for part in self.parts for size in part.sizes)

    @cached_property
    def _pieces(self) -> list[tuple[Part, int]]:
        """The table of each block, and the number of the piece, if each piece is a block."""
        return [(part, j) for part in self.parts for j, size in enumerate(part.sizes) if size]

    def read(self, k: int) -> Any:
        part, piece = self._pieces[k]
        alone = piece if len(part.sizes) > 1 else None
        with closing(self._blocks(part, [part.sizes[piece]], k, alone)) as blocks:
            return next(blocks)

    def __iter__(self) -> Iterator[Any]:
        number = 0
        for part in self.parts:
            lengths = self._lengths_of(part)
            yield from self._blocks(part, lengths, number)
            number += len(lengths)

    @property
    def head(self) -> Any:
        return self._head

    @cached_property
    def _head(self) -> Array:
        part = next((part for part in self.parts if part.rows), None)
        if part is None:
            return self._empty(0)
        with closing(self._blocks(part, [min(HEAD, part.rows)], 0)) as blocks:
            return read_only(next(blocks))

    def _empty(self, rows: int) -> Array:
        return np.empty((rows,) if self.single else (rows, len(self.columns)), self.dtype)

    def _blocks(
        self, part: Part, lengths: Sequence[int], number: int, piece: int | None = None
    ) -> Generator[Array]:
        """The first rows of a table, or of a piece, as blocks of these lengths."""
        import pyarrow as pa

        # While rows are copied, which takes as long as reading them, the next ones are read.
        batches = ahead(
            part.batches([*dict.fromkeys(self.columns)], max(lengths, default=1), piece)
        )
        start = sum(self._lengths[:number])
        with closing(batches):
            pieces = _cut(batches, lengths)
            for k, length in enumerate(lengths):
                place = _Place(part.name, number + k, start)
                if part.state is not None:
                    part.state.check(str(place))
                try:
                    block = self._block(next(pieces), length, place)
                except StopIteration:
                    raise BlockError(f"{place} cannot be read: the table ends before") from None
                except (pa.ArrowException, OSError) as error:
                    raise BlockError(f"{place} cannot be read: {error}") from None
                yield block
                del block
                start += length

    def _block(self, pieces: Sequence[Any], rows: int, place: _Place) -> Array:
        block = self._empty(rows)
        done = 0
        for piece in pieces:
            for j, name in enumerate(self.columns):
                part = block if self.single else block[:, j]
                try:
                    part[done : done + len(piece)] = _numbers(piece.column(name))
                except _ValueError as error:
                    row = place.row + done + error.row
                    raise BlockError(
                        f"{place.name}: block {place.number}, row {row}: column {name!r} {error}"
                    ) from None
            done += len(piece)
        return block


class _Place(NamedTuple):
    """Where a block is: what errors call its part, its number and that of its first row."""

    name: str
    number: int
    row: int

    def __str__(self) -> str:
        return f"{self.name}: block {self.number}, from row {self.row} on,"


class _ValueError(ValueError):
    """A value that is not a number; `row` counts from the first of the record batch."""

    def __init__(self, row: int, message: str) -> None:
        super().__init__(message)
        self.row = row


def _cut(batches: Iterator[Any], lengths: Sequence[int]) -> Iterator[list[Any]]:
    """Record batches cut to pieces, as many rows together as each of the lengths says."""
    rest: Any = ()
    for length in lengths:
        pieces = []
        while length:
            if not len(rest):
                rest = next(batches, None)
                if rest is None:
                    return
            pieces.append(rest.slice(0, length))
            rest = rest.slice(length)
            length -= len(pieces[-1])
        yield pieces


def _numbers(values: Any) -> Array:
    """The numbers of a column of a record batch. Raises _ValueError for a missing one."""
    import pyarrow as pa

    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if values.null_count:
        missing = values.is_null().to_numpy(zero_copy_only=False)
        raise _ValueError(int(missing.argmax()), "has no value; fill it in, or leave the row out")
    if pa.types.is_decimal(values.type):
        values = values.cast(pa.float64())
    array: Array = values.to_numpy(zero_copy_only=False)
    if array.dtype.itemsize == 8 and array.dtype.kind in "iu" and len(array):
        for row in (int(array.argmax()), int(array.argmin())):
            if abs(int(array[row])) > EXACT:
                raise _ValueError(
                    row,
                    f"holds {array[row]}, which float64 does not tell apart from its neighbours",
                )
    return array
