"""A table that may be larger than memory, read one piece after the other, again and again."""

from __future__ import annotations

import csv
import os
import shutil
import sys
import tempfile
import weakref
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from io import StringIO
from itertools import chain
from pathlib import Path

import numpy as np

from autograd_lite.data import arrow
from autograd_lite.data.columns import Array, Column
from autograd_lite.data.dialect import Start, check_text, checked_names, start_of, utf8
from autograd_lite.data.kinds import decimal_sign
from autograd_lite.data.raw import Kinds, Layout, Raw, layout_of, line_ends, read_text
from autograd_lite.data.reading import Frame, few, unpacking
from autograd_lite.data.row_paths import FileState, name_of, paths_of
from autograd_lite.row_blocks import RowBlocks
from autograd_lite.row_sources import HEAD, BlockError, Source

__all__ = ["Pieces", "open_table"]

PIECE = 1 << 23  # bytes of a piece
_SAMPLE = 1 << 17  # bytes from which the header and the separator are found
_LONGEST = 16  # pieces; a row is not longer


def open_table(
    source: str | os.PathLike[str] | Sequence[str],
    *,
    separator: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    text: Collection[str] = (),
    cells: bool = False,
    piece: int | None = None,
) -> Pieces:
    """Open a table that may be larger than memory, to be read piece by piece.

    What `read_table` reads, or a folder, a pattern or a list of files with the same columns. The
    options are those of `read_table`. One pass finds what each column is, so that every piece has
    the kinds of columns that the whole table has.

    Args:
        source: the files; "-" is standard input, which is copied to a temporary file.
        separator: between the values.
        decimal: the decimal sign.
        encoding: of text files.
        text: columns that are text even if all of it is numbers.
        cells: whether pieces have the text of every cell.
        piece: the bytes of a piece, about; by default 8 MiB, with `cells` 2 MiB.

    Raises ValueError, with the file and, in a text file, the line, as `read_table` does.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "students.csv"
        >>> _ = path.write_text("studied,passed\\n3.5,yes\\n1,no\\n2,no\\n")
        >>> pieces = open_table(path, piece=10)
        >>> len(pieces), [len(frame) for frame in pieces]
        (3, [2, 1])
        >>> pieces.rows(["studied"]).read().tolist()
        [[3.5], [1.0], [2.0]]
    """
    pieces = Pieces(source, separator, encoding, cells, piece or (PIECE // 4 if cells else PIECE))
    pieces.layout = pieces.learned(decimal, text)
    if not pieces.names or not len(pieces):
        raise ValueError(f"{pieces.source} has a header but no rows")
    return pieces


class Pieces:
    """The pieces of a table, made by `open_table`: `for frame in pieces` reads them.

    Attributes:
        source: what errors call the table.
        layout: how the table writes its columns, and what they are.
        lengths: the number of rows of each piece.
    """

    layout: Layout

    def __init__(
        self,
        source: str | os.PathLike[str] | Sequence[str],
        separator: str | None,
        encoding: str | None,
        cells: bool,
        piece: int,
    ) -> None:
        self.source: str = "standard input" if source == "-" else _name(source)
        self.lengths: tuple[int, ...] = ()
        self._cells = cells
        self._files = [
            _file(path, name, separator, encoding, piece) for path, name in _paths(source, self)
        ]
        first = self._files[0]
        for file in self._files[1:]:
            if file.names != first.names:
                raise ValueError(
                    f"{file.where} has the columns {few(file.names)}, but {first.where} has "
                    f"{few(first.names)}; the files of a folder must have the same columns"
                )

    def __len__(self) -> int:
        return sum(self.lengths)

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return self._files[0].names

    @cached_property
    def frame(self) -> Frame:
        """The table without its rows: its columns, and what they are.

        The one category of a column of text is its first text that is no number.
        """
        found = zip(next(iter(self)).columns, self.layout.found, strict=True)
        empty = [
            replace(
                column.take(slice(0)), categories=(about.foreign,) * bool(about.foreign), markers=()
            )
            for column, about in found
        ]
        return self._framed(tuple(empty), ())

    def learned(self, decimal: str | None, text: Collection[str]) -> Layout:
        """What the columns are, from one pass; see `open_table`."""
        first = self._files[0]
        if isinstance(first, _TextFile):
            return layout_of(self._counted, first.start, self.source, decimal, text)
        kinds = Kinds(first.names, text)
        for raw in self._counted((), "."):
            kinds.add(raw)
        sign = decimal or decimal_sign(kinds.texts(), self.source) or "."
        return Layout(first.names, ",", sign, (), kinds.found(sign))

    def _counted(self, numbers: Collection[int], sign: str) -> Iterator[Raw]:
        """The pieces, whose lengths are noted."""
        lengths = []
        for file in self._files:
            for _, raw in file.pieces(numbers, sign, False):
                lengths.append(len(raw))
                yield raw
        self.lengths = tuple(lengths)

    def __iter__(self) -> Iterator[Frame]:
        layout = self.layout
        for file in self._files:
            for place, raw in file.pieces(layout.numbers, layout.decimal, self._cells):
                try:
                    columns = layout.finished(raw)
                except ValueError as error:
                    raise BlockError(f"{place}: {error}; has the file changed?") from None
                yield self._framed(columns, raw.cells)

    def _framed(self, columns: tuple[Column, ...], cells: tuple[Sequence[str], ...]) -> Frame:
        layout = self.layout
        return Frame(self.source, columns, layout.separator, layout.decimal, cells)

    def rows(self, columns: Sequence[str] | None = None) -> RowBlocks:
        """The numbers of the columns by blocks of rows, NaN where one is missing.

        Raises ValueError if a column is not there, or holds something else.
        """
        chosen = [self.frame.column(name) for name in columns or self.names]
        for column in chosen:
            if column.kind not in ("number", "boolean"):
                raise ValueError(
                    f"{self.source}: column {column.name!r} holds {column.kind}, not numbers; "
                    "choose others with columns="
                )
        return RowBlocks(_Numbers(self, tuple(column.name for column in chosen)))


@dataclass(frozen=True, eq=False)
class _Numbers(Source):
    """Columns of a table as blocks of numbers."""

    pieces: Pieces
    columns: tuple[str, ...]

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.pieces.source

    @property
    def lengths(self) -> tuple[int, ...]:
        return self.pieces.lengths

    @cached_property
    def head(self) -> Array:
        first: Array = next(iter(self))
        return first[:HEAD]

    def __iter__(self) -> Iterator[Array]:
        for frame in self.pieces:
            yield np.column_stack([frame.column(name).values for name in self.columns])


class _File:
    """A file of the table, unchanged as long as it is read."""

    names: list[str]

    def __init__(self, path: Path, where: str, piece: int) -> None:
        self.path, self.where, self.piece = path, where, piece
        self._state = FileState.of(str(path))

    def pieces(self, numbers: Collection[int], sign: str, cells: bool) -> Iterator[tuple[str, Raw]]:
        """Where each piece that has rows is, and its columns."""
        self._state.check(self.where)
        for place, raw in self._pieces(numbers, sign, cells):
            if len(raw):
                yield place, raw
        self._state.check(self.where)

    def _pieces(
        self, numbers: Collection[int], sign: str, cells: bool
    ) -> Iterator[tuple[str, Raw]]:
        raise NotImplementedError


class _TextFile(_File):
    """A text file, cut between its rows."""

    def __init__(
        self, path: Path, where: str, separator: str | None, encoding: str | None, piece: int
    ) -> None:
        super().__init__(path, where, piece)
        self.encoding = encoding
        sample = b""
        for chunk in self._content():
            sample += chunk
            if len(sample) >= _SAMPLE and b"\n" in sample:
                break
        check_text(sample, where)
        self.start = start_of(sample, separator, where)
        self.names = self.start.names
        self._before = line_ends(sample[: self.start.end])

    def _content(self) -> Iterator[bytes]:
        with open(self.path, "rb") as file:
            yield from utf8(
                unpacking(file, self.where, max(self.piece, 8)), self.encoding, self.where
            )

    def _pieces(
        self, numbers: Collection[int], sign: str, cells: bool
    ) -> Iterator[tuple[str, Raw]]:
        start: Start = self.start._replace(end=0)
        before = self._before
        for content in _cut(self._rows(), start.separator, self.piece, self.where, before):
            check_text(content, self.where, before)
            raw = read_text(content, start, numbers, sign, self.where, before, cells)
            yield f"{self.where}, from line {before + 1} on", raw
            before += line_ends(content)

    def _rows(self) -> Iterator[bytes]:
        """The content after the header."""
        skip = self.start.end
        for chunk in self._content():
            yield chunk[skip:]
            skip = max(0, skip - len(chunk))


class _ArrowFile(_File):
    """A Parquet or Feather file."""

    def __init__(self, path: Path, where: str, piece: int) -> None:
        super().__init__(path, where, piece)
        schema = next(arrow.pieces(path, where, piece))
        self.names = checked_names(schema.column_names, where)

    def _pieces(
        self, numbers: Collection[int], sign: str, cells: bool
    ) -> Iterator[tuple[str, Raw]]:
        start = 0
        for table in arrow.pieces(self.path, self.where, self.piece):
            texts = arrow.cells(table) if cells else ()
            raw = Raw(arrow.columns(table, self.names), arrow.textual(table), (), texts)
            yield f"{self.where}, from row {start} on", raw
            start += len(table)


def _file(path: Path, where: str, separator: str | None, encoding: str | None, piece: int) -> _File:
    with open(path, "rb") as file:
        start = file.read(8)
    if arrow.is_arrow(start):
        return _ArrowFile(path, where, piece)
    return _TextFile(path, where, separator, encoding, piece)


def _name(source: str | os.PathLike[str] | Sequence[str]) -> str:
    return str(source) if isinstance(source, (str, os.PathLike)) else name_of(source)


def _paths(
    source: str | os.PathLike[str] | Sequence[str], owner: object
) -> Iterable[tuple[Path, str]]:
    """The files of a table, and what errors call them; standard input is copied to a file."""
    if source == "-":
        handle, name = tempfile.mkstemp(prefix="autograd-lite-")
        weakref.finalize(owner, _remove, name)
        with open(handle, "wb") as file:
            shutil.copyfileobj(sys.stdin.buffer, file)
        return [(Path(name), "standard input")]
    return [(Path(path), path) for path in paths_of(source) or ()]


def _remove(name: str) -> None:
    Path(name).unlink(missing_ok=True)


def _cut(
    chunks: Iterator[bytes], separator: str, piece: int, where: str, before: int
) -> Iterator[bytes]:
    """The content, cut where a row ends."""
    content = b""
    for chunk in chain(chunks, [None]):
        if chunk is not None:
            content += chunk
            if len(content) < piece:
                continue
        end = len(content) if chunk is None else _row_end(content, separator, where, before)
        if end:
            yield content[:end]
            before += line_ends(content[:end])
            content = content[end:]
        elif len(content) > _LONGEST * max(piece, PIECE):
            raise ValueError(
                f"{where}, line {before + 1}: no row ends in {len(content) >> 20} MiB; is there a "
                "quote that never ends?"
            )


def _row_end(content: bytes, separator: str, where: str, before: int) -> int:
    """Where the last row that surely ends in the content does; 0 if none does."""
    if b'"' not in content:
        return content.rfind(b"\n") + 1 or content.rfind(b"\r", 0, -1) + 1
    text = content.decode("utf-8", "surrogateescape")
    read = end = last = 0

    def lines() -> Iterator[str]:
        nonlocal read
        for line in StringIO(text, newline=""):
            read += len(line)
            yield line

    reader = csv.reader(lines(), delimiter=separator)
    try:
        for _ in reader:
            last, end = end, read
    except csv.Error as error:
        line = before + reader.line_num
        raise ValueError(f"{where} is not a CSV file: line {line}: {error}") from None
    return len(text[:last].encode("utf-8", "surrogateescape"))
