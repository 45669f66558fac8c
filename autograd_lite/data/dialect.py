"""How a text file writes a table: its encoding, its separator, its lines."""

from __future__ import annotations

import codecs
import csv
import re
from collections import Counter
from collections.abc import Iterator
from io import StringIO
from typing import NamedTuple

__all__ = [
    "Start",
    "check_text",
    "checked_names",
    "in_utf8",
    "lines",
    "not_text",
    "start_of",
    "utf8",
]

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SEPARATORS = ";\t|,"  # the comma last: it may be a decimal sign
_SAMPLE = 1 << 16


def in_utf8(content: bytes, encoding: str | None, source: str) -> bytes:
    """The text of a file in UTF-8 without a byte order mark.

    By default the file is in UTF-8, which is not checked here, or in what a byte order mark says.
    Raises ValueError if it is not text in the encoding, or has a NUL.
    """
    content = b"".join(utf8(iter([content]), encoding, source))
    check_text(content, source)
    return content


def utf8(chunks: Iterator[bytes], encoding: str | None, source: str) -> Iterator[bytes]:
    """The text of a file, chunk by chunk, in UTF-8 without a byte order mark; see `in_utf8`."""
    first = next(chunks, b"")
    marked = next((name for mark, name in _MARKS if first.startswith(mark)), None)
    if first.startswith(b"PK\x03\x04"):
        raise ValueError(
            f"{source} is not a text file but a zip file, as those of Excel; save the sheet as CSV"
        )
    encoding = encoding or marked
    if encoding is None:
        yield first
        yield from chunks
        return
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
        yield decoder.decode(first).removeprefix("\ufeff").encode()
        for chunk in chunks:
            yield decoder.decode(chunk).encode()
        yield decoder.decode(b"", True).encode()
    except (LookupError, TypeError):
        raise ValueError(f"--encoding {encoding}: there is no such encoding") from None
    except UnicodeError as error:
        raise not_text(error, encoding, source) from None


def check_text(content: bytes, source: str, before: int = 0) -> None:
    """Raise ValueError if there is a NUL; `before` is the number of lines before the content."""
    if b"\0" in content:
        line = before + content.count(b"\n", 0, content.index(b"\0")) + 1
        raise ValueError(f"{source} is not a text file: line {line} has a NUL")


def not_text(error: Exception, encoding: str, source: str) -> ValueError:
    """The error about a file that is not text in an encoding."""
    reason = getattr(error, "reason", error)
    return ValueError(
        f"{source} is not a text file ({encoding.upper()}): {reason}; use --encoding, for example "
        "cp1252, or export it as CSV in UTF-8"
    )


class Start(NamedTuple):
    """The first lines of a text file: the header, where it ends in bytes, and rows after it."""

    separator: str
    names: list[str]
    end: int
    rows: list[list[str]]


def start_of(content: bytes, separator: str | None, source: str) -> Start:
    """The header of a text file in UTF-8 and its first rows, and what separates their values.

    The separator is the one that cuts most of the first lines into as many values as the header,
    and of two, the one that leaves no column without a name.
    Raises ValueError if there is no header.
    """
    whole = len(content) <= _SAMPLE or b"\n" not in content[:_SAMPLE]
    sample = content if whole else content[: content.rindex(b"\n", 0, _SAMPLE) + 1]
    try:
        text = sample.decode()
    except UnicodeDecodeError as error:
        raise not_text(error, "utf-8", source) from None
    found = []
    for sign in [separator] if separator else _SEPARATORS:
        end, rows, good = _rows(text, sign)
        width = len(rows[0]) if rows else 1
        share = sum(len(row) == width for row in rows) / max(len(rows), 1)
        likely = width > 1 and share >= 0.5
        named = likely and all(map(str.strip, rows[0]))
        # If none cuts most lines as the header, the one that cuts the header most names the line.
        last = width, named, likely or sign == ","
        key = (likely, likely and (good or not whole), likely * share, *last)
        found.append((key, sign, end, rows))
    _, sign, end, rows = max(found, key=lambda start: start[0])
    if rows and re.fullmatch("sep=.?", rows[0][0].lower()):
        raise ValueError(f"{source}: delete the first line, {rows[0][0]}; it is not the header")
    if not rows:
        for _ in lines(content, sign, source):  # it raises what is wrong with the header
            pass
    if not rows:
        raise ValueError(f"{source} is empty; it needs a header line and rows")
    return Start(sign, checked_names(rows[0], source), len(text[:end].encode()), rows[1:])


def _rows(text: str, separator: str) -> tuple[int, list[list[str]], bool]:
    """Where the first row that is not blank ends, these rows, and whether they are all."""
    file, rows, end = StringIO(text, newline=""), [], 0
    try:
        for row in csv.reader(file, delimiter=separator, strict=True):
            if not _blank(row):
                rows.append(row)
                end = end or file.tell()
    except csv.Error:
        return end, rows, False
    return end, rows, True


def _blank(row: list[str]) -> bool:
    return len(row) < 2 and not "".join(row).strip()


def lines(
    content: bytes, separator: str, source: str, before: int = 0
) -> Iterator[tuple[int, list[str]]]:
    """The lines that are not blank as values, with their numbers as an editor shows them.

    `before` is the number of lines before the content.

    Raises ValueError if the content is not UTF-8, or not a table of values with this separator.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise not_text(error, "utf-8", source) from None
    reader = csv.reader(StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        for values in reader:
            if not _blank(values):
                yield before + reader.line_num, values
    except csv.Error as error:
        line = before + reader.line_num
        raise ValueError(f"{source} is not a CSV file: line {line}: {error}") from None


def checked_names(names: list[str], source: str) -> list[str]:
    """The names of the columns, stripped; one without a name gets a name as in pandas.

    Raises ValueError if two columns have the same name.
    """
    stripped = [name.strip() for name in names]
    twice = [name for name, count in Counter(stripped).items() if name and count > 1]
    if twice:
        raise ValueError(
            f"{source} has more than one column named {', '.join(map(repr, twice[:5]))}"
        )
    unique: list[str] = []
    for k, name in enumerate(stripped):
        made = name or f"Unnamed: {k}"
        while made in unique or (not name and made in stripped):
            made += ".1"
        unique.append(made)
    return unique
