"""Reading the tables that people have: text files, Parquet and Feather."""

from __future__ import annotations

import gzip
import os
import sys
import zlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from io import BytesIO
from itertools import islice
from typing import IO, Any

from autograd_lite.data import arrow
from autograd_lite.data.columns import Column
from autograd_lite.data.dialect import checked_names, in_utf8, lines, start_of
from autograd_lite.data.kinds import decimal_sign
from autograd_lite.data.raw import Kinds, Layout, Raw, layout_of, line_ends, read_text

__all__ = ["Frame", "few", "line_of", "read_table", "unpacking"]


@dataclass(frozen=True, eq=False)
class Frame:
    """A table as it was read: where from, its columns, and how a text file writes it.

    `cells` has the text of every cell, a list for each column, if that was asked for.
    """

    source: str
    columns: tuple[Column, ...]
    separator: str = ","
    decimal: str = "."
    cells: tuple[Sequence[str], ...] = ()

    def __len__(self) -> int:
        return len(self.columns[0])

    @property
    def names(self) -> list[str]:
        """The names of the columns."""
        return [column.name for column in self.columns]

    def column(self, name: str) -> Column:
        """The column of a name.

        Raises ValueError if there is none.
        """
        for column in self.columns:
            if column.name == name:
                return column
        plain = {other.casefold(): other for other in self.names}
        alike = get_close_matches(name.casefold(), plain, 1)
        meant = (
            f"; did you mean {plain[alike[0]]!r}?"
            if alike
            else f"; its columns are {few(self.names)}"
        )
        if len(self.columns) == 1:
            meant = (
                f"; its one column is {self.names[0]!r}: if its values are separated, --separator"
            )
        raise ValueError(f"{self.source} has no column {name!r}{meant}")

    def take(self, rows: Any) -> Frame:
        """The table of some rows, without its cells."""
        return replace(self, columns=tuple(column.take(rows) for column in self.columns), cells=())


def read_table(
    source: str | os.PathLike[str],
    *,
    separator: str | None = None,
    decimal: str | None = None,
    encoding: str | None = None,
    text: Collection[str] = (),
    cells: bool = False,
) -> Frame:
    """Read a table with a header line, or a Parquet or Feather file; "-" is standard input.

    Text may be compressed by gzip. What is not given is detected: the `separator` (comma,
    semicolon, tab or |), the `decimal` sign, and the `encoding` (UTF-8, or what a byte order mark
    says). Numbers may have thousands separators. Texts such as "", NA, NaN and ? are missing
    values. The columns named in `text` are text even if all of it is numbers; with `cells` the text
    of every cell is kept.

    Parquet and Feather need pyarrow, which also reads text faster
    (`pip install "autograd_lite[tables]"`).

    Raises ValueError, with the file and, in a text file, the line, if it is not a table, has no
    rows, a column name occurs twice, a line has too many or too few values, or the decimal sign is
    not clear; ImportError without pyarrow; OSError as `open` does.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "students.csv"
        >>> _ = path.write_text("studied;passed\\n3,5;yes\\n1;NA\\n")
        >>> frame = read_table(path)
        >>> [(column.name, column.kind, column.values.tolist()) for column in frame.columns]
        [('studied', 'number', [3.5, 1.0]), ('passed', 'text', [0, -1])]
    """
    where = "standard input" if source == "-" else str(source)
    with BytesIO(sys.stdin.buffer.read()) if source == "-" else open(source, "rb") as file:
        content = b"".join(unpacking(file, where))
    if arrow.is_arrow(content):
        frame = _of_arrow(content, where, decimal, text, cells)
    else:
        frame = _of_text(in_utf8(content, encoding, where), where, separator, decimal, text, cells)
    if not frame.columns or not len(frame):
        raise ValueError(f"{where} has a header but no rows")
    return frame


def _of_arrow(
    content: bytes, where: str, decimal: str | None, text: Collection[str], cells: bool
) -> Frame:
    """The table of a Parquet or Feather file."""
    table = arrow.read_binary(content, where)
    names = checked_names(table.column_names, where)
    raw = Raw(arrow.columns(table, names), arrow.textual(table))
    kinds = Kinds(names, text)
    kinds.add(raw)
    sign = decimal or decimal_sign(kinds.texts(), where) or "."
    layout = Layout(names, ",", sign, (), kinds.found(sign))
    return Frame(where, layout.finished(raw), ",", sign, arrow.cells(table) if cells else ())


def _of_text(
    content: bytes,
    where: str,
    separator: str | None,
    decimal: str | None,
    text: Collection[str],
    cells: bool,
) -> Frame:
    """The table of a text file in UTF-8."""
    start = start_of(content, separator, where)
    before = line_ends(content[: start.end])
    read: list[Raw] = []

    def pieces(numbers: Collection[int], sign: str) -> Iterator[Raw]:
        read[:] = [read_text(content, start, numbers, sign, where, before, cells)]
        yield from read

    layout = layout_of(pieces, start, where, decimal, text)
    columns = layout.finished(read[0])
    return Frame(where, columns, layout.separator, layout.decimal, read[0].cells)


def line_of(source: str | os.PathLike[str], row: int, frame: Frame) -> int:
    """The line of a text file, as an editor counts, that a row of its table ends in."""
    with open(source, "rb") as file:
        content = in_utf8(b"".join(unpacking(file, str(source))), None, str(source))
    return next(islice(lines(content, frame.separator, str(source)), row + 1, None))[0]


def few(names: Sequence[str]) -> str:
    """The first names of a list."""
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")


def unpacking(file: IO[bytes], where: str, size: int = -1) -> Iterator[bytes]:
    """The content of a file by chunks, or at once, unpacked if it is compressed by gzip.

    Raises ValueError if it is damaged.
    """
    packed = file.read(2) == b"\x1f\x8b"
    file.seek(0)
    content = gzip.GzipFile(fileobj=file) if packed else file
    try:
        while chunk := content.read(size):
            yield chunk
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{where} is a damaged gzip file: {error}") from None
