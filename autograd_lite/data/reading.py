"""Reading the tables that people have: text files, Parquet and Feather."""

from __future__ import annotations

import gzip
import os
import re
import sys
import zlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.data import arrow
from autograd_lite.data.cells import decimal_sign, is_missing, is_whole, number
from autograd_lite.data.columns import Column, categorical, from_texts
from autograd_lite.data.dialect import Start, checked_names, in_utf8, lines, start_of

__all__ = ["Frame", "few", "line_of", "read_table"]

_INDEX = re.compile(r"Unnamed: \d+(?:\.\d+)*|__index_level_\d+__|level_\d+")
"""The names that pandas gives an index that has none."""


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
    content = sys.stdin.buffer.read() if source == "-" else Path(source).read_bytes()
    content = _unpacked(content, where)
    if arrow.is_arrow(content):
        frame = _of_arrow(content, where, decimal, text, cells)
    else:
        frame = _of_text(in_utf8(content, encoding, where), where, separator, decimal, text, cells)
    if not frame.columns or not len(frame):
        raise ValueError(f"{where} has a header but no rows")
    return replace(frame, columns=tuple(map(_numbered, frame.columns)))


def _of_arrow(
    content: bytes, where: str, decimal: str | None, text: Collection[str], cells: bool
) -> Frame:
    """The table of a Parquet or Feather file."""
    table = arrow.read_binary(content, where)
    names = checked_names(table.column_names, where)
    read = _Read(arrow.columns(table, names), arrow.cells(table) if cells else ())
    sign = decimal or decimal_sign(read.texts(names, text), where) or "."
    return Frame(where, _finished(names, read, sign, text), ",", sign, read.cells)


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
    firsts = dict(zip(start.names, zip(*start.rows, strict=False), strict=False))
    firsts = {name: texts for name, texts in firsts.items() if name not in text}
    sign = decimal or decimal_sign(firsts, where) or "."
    read = _read_text(content, start, _plain_numbers(start, sign, text), sign, where, cells)
    found = decimal_sign(read.texts(start.names, text), where, decimal)
    if decimal is None:
        if found == "," != sign:
            # The first rows did not say how numbers are written.
            read = _read_text(content, start, [], ".", where, cells)
            found = sign = decimal_sign(read.texts(start.names, text), where) or "."
        if found is None and sign == "." and start.separator != ",":
            _check_clear(firsts | read.texts(start.names, text), where)
    columns = _finished(start.names, read, sign, text)
    return Frame(where, columns, start.separator, sign, read.cells)


def line_of(source: str | os.PathLike[str], row: int, frame: Frame) -> int:
    """The line of a text file, as an editor counts, that a row of its table ends in."""
    content = in_utf8(_unpacked(Path(source).read_bytes(), str(source)), None, str(source))
    return next(islice(lines(content, frame.separator, str(source)), row + 1, None))[0]


def few(names: Sequence[str]) -> str:
    """The first names of a list."""
    return ", ".join(names[:8]) + (", …" if len(names) > 8 else "")


def _finished(
    names: Sequence[str], read: _Read, decimal: str, text: Collection[str]
) -> tuple[Column, ...]:
    """The columns, those of texts by what the texts say."""
    columns = []
    for name, raw in zip(names, read.columns, strict=True):
        if not isinstance(raw, Column):
            made = categorical(name, *raw) if name in text else from_texts(name, *raw, decimal)
            columns.append(made)
        elif name in text and raw.kind in ("number", "boolean"):
            distinct, codes = np.unique(raw.texts(), return_inverse=True)
            columns.append(categorical(name, distinct.tolist(), codes))
        else:
            columns.append(raw)
    return tuple(columns)


class _Read(NamedTuple):
    """Columns, those of text by their different texts; and every cell as text if asked for."""

    columns: Sequence[Column | arrow.Texts]
    cells: tuple[Sequence[str], ...]

    def texts(self, names: Sequence[str], text: Collection[str]) -> dict[str, Sequence[str]]:
        """The different texts of the columns that may be numbers."""
        return {
            name: raw[0]
            for name, raw in zip(names, self.columns, strict=True)
            if not isinstance(raw, Column) and name not in text
        }


def _read_text(
    content: bytes, start: Start, numbers: list[int], sign: str, where: str, cells: bool
) -> _Read:
    """The columns of a text file; `numbers` are read as such unless one of their cells is not."""
    if arrow.available():
        width, separator = len(start.names), start.separator
        read = partial(arrow.read_text, content, start.end, width, separator, sign)
        table = _with_numbers(read, numbers)
        # A quote that never ends swallows lines, which pyarrow does not report.
        if table and (b'"' not in content or len(table) == _count_lines(content, start.end)):
            columns = arrow.columns(table, start.names)
            return _Read(columns, arrow.cells(read([])) if cells else ())
    # Read line by line, which also finds the line that is wrong.
    rows = []
    for line, values in islice(lines(content, start.separator, where), 1, None):
        if len(values) != len(start.names):
            raise ValueError(
                f"{where}, line {line}: {len(values)} values where the header has "
                f"{len(start.names)}"
            )
        rows.append(values)
    texts = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in start.names]
    columns = [
        _encoded(name, column, sign if k in numbers else None)
        for k, (name, column) in enumerate(zip(start.names, texts, strict=True))
    ]
    return _Read(columns, tuple(texts) if cells else ())


def _with_numbers(read: Callable[[list[int]], Any], numbers: list[int]) -> Any:
    """The table, with these columns as numbers but for those that have another cell; or None."""
    chosen = list(numbers)
    while True:
        try:
            return read(chosen)
        except ValueError as error:
            column = re.search(r"In CSV column #(\d+): CSV conversion", str(error))
            if not column or int(column[1]) not in chosen:
                return None
            chosen.remove(int(column[1]))


def _count_lines(content: bytes, start: int) -> int:
    return content.count(b"\n", start) + (not content.endswith(b"\n"))


def _plain_numbers(start: Start, sign: str, text: Collection[str]) -> list[int]:
    """The columns of numbers with decimal places in the first rows, without those of text.

    Whole numbers may be codes, so they are read as text first.
    """
    plain = re.compile(rf"[+-]?\d+(?:{re.escape(sign)}\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
    found = []
    columns = zip(*start.rows, strict=False)
    for k, (name, column) in enumerate(zip(start.names, columns, strict=False)):
        present = [text for text in map(str.strip, column) if not is_missing(text)]
        whole = all(map(is_whole, present))
        if name not in text and not whole and all(map(plain.fullmatch, present)):
            found.append(k)
    return found


def _encoded(name: str, column: list[str], sign: str | None) -> Column | arrow.Texts:
    """The different texts of a column; its numbers, if these have the decimal sign."""
    if sign is not None:
        try:
            values = np.array([float(text.replace(sign, ".").replace("_", "x")) for text in column])
        except ValueError:
            values = np.array([np.inf])
        if not np.isinf(values).any():
            return Column(name, "number", values)
    index: dict[str, int] = {}
    codes = [index.setdefault(text, len(index)) for text in column]
    return list(index), np.array(codes, dtype=int)


def _check_clear(columns: Mapping[str, Sequence[str]], where: str) -> None:
    """Raise ValueError if numbers can be read with a decimal point and with a decimal comma."""
    for name, texts in columns.items():
        present = [text for text in map(str.strip, texts) if not is_missing(text)]
        signed = next((text for text in present if "," in text or "." in text), None)
        if signed and all(number(text, sign) is not None for text in present for sign in ".,"):
            raise ValueError(
                f"{where}: column {name!r}: {signed!r} may have a decimal sign or whole thousands; "
                'use --decimal "," or --decimal "."'
            )


def _numbered(column: Column) -> Column:
    """The column, marked as an index of pandas if it has the name of one that became a column."""
    if _INDEX.fullmatch(column.name) and column.whole:
        return replace(column, note="index")
    return column


def _unpacked(content: bytes, where: str) -> bytes:
    if not content.startswith(b"\x1f\x8b"):
        return content
    try:
        return gzip.decompress(content)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{where} is a damaged gzip file: {error}") from None
