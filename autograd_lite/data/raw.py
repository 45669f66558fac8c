"""The columns of a table, or of a piece of it, before it is known what their texts are."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.data import arrow
from autograd_lite.data.cells import is_missing, is_whole
from autograd_lite.data.columns import Column, categorical, column_of
from autograd_lite.data.dialect import Start, lines
from autograd_lite.data.kinds import Found, Kind, TextFacts, check_clear, decimal_sign

__all__ = ["Kinds", "Layout", "Raw", "layout_of", "line_ends", "read_text"]

_INDEX = re.compile(r"Unnamed: \d+(?:\.\d+)*|__index_level_\d+__|level_\d+")
"""The names that pandas gives an index that has none."""


class Raw(NamedTuple):
    """The columns of a piece: those that are texts by their different texts.

    `numbers` are the places of the columns that are read as numbers at once, `textual` of those
    that are texts in the file; of these, the ones with whole numbers only are numbers already.
    `cells` has every cell as text if asked for.
    """

    columns: Sequence[Column | arrow.Texts]
    textual: Collection[int]
    numbers: Collection[int] = ()
    cells: tuple[Sequence[str], ...] = ()

    def __len__(self) -> int:
        first = self.columns[0] if self.columns else ()
        return len(first) if isinstance(first, Column) or not first else len(first[1])


@dataclass(frozen=True)
class Layout:
    """How a table writes its columns: names, separator, decimal sign, and what each column is."""

    names: Sequence[str]
    separator: str
    decimal: str
    numbers: Collection[int]
    found: Sequence[Found]

    def finished(self, raw: Raw) -> tuple[Column, ...]:
        """The columns of a piece, of their kinds.

        Raises ValueError if a text is not of the kind of its column.
        """
        return tuple(
            self._finished(name, column, found)
            for name, column, found in zip(self.names, raw.columns, self.found, strict=True)
        )

    def _finished(self, name: str, raw: Column | arrow.Texts, found: Found) -> Column:
        if not isinstance(raw, Column):
            return column_of(name, found, *raw, self.decimal)
        note = raw.note or found.note
        if raw.kind == found.kind:
            return replace(raw, note=note, unit=found.unit)
        if found.kind == "text":
            distinct, codes = np.unique(raw.texts(), return_inverse=True)
            return categorical(name, distinct.tolist(), codes, note)
        if found.kind == "boolean" and np.isin(raw.values[~raw.missing], (0, 1)).all():
            return Column(name, "boolean", raw.values, note=note)
        if raw.missing.all():
            return Column(name, found.kind, np.full(len(raw), np.nan), note=note, unit=found.unit)
        raise ValueError(f"column {name!r} has {raw.kind}s, where it had {found.kind}s before")


class Kinds:
    """What each column of a table is, learned from one piece of it after the other.

    The columns named in `text` are text even if all of it is numbers.
    """

    def __init__(self, names: Sequence[str], text: Collection[str]) -> None:
        self.names: Sequence[str] = names
        self.text: Collection[str] = text
        self._texts: dict[str, TextFacts] = {}
        self._kinds: dict[str, set[Kind]] = {name: set() for name in names}
        self._whole = dict.fromkeys(names, True)
        self._notes = dict.fromkeys(names, "")

    def add(self, raw: Raw) -> None:
        """Learn from the next piece."""
        for k, (name, column) in enumerate(zip(self.names, raw.columns, strict=True)):
            if not isinstance(column, Column):
                self._facts(name).add(column[0], _rows_of(column))
                continue
            self._notes[name] = self._notes[name] or column.note
            if k in raw.textual:
                self._facts(name).add_whole(column.values)
            else:
                self._kinds[name].add(column.kind)
                if self._whole[name] and _INDEX.fullmatch(name):
                    self._whole[name] = column.whole

    def texts(self) -> dict[str, TextFacts]:
        """What is known of the columns of texts that may be numbers."""
        return {name: facts for name, facts in self._texts.items() if name not in self.text}

    def found(self, decimal: str) -> list[Found]:
        """What the columns are, if numbers have this decimal sign."""
        return [self._found(name, decimal) for name in self.names]

    def _found(self, name: str, decimal: str) -> Found:
        kinds = self._kinds[name]
        if name in self._texts:
            found = self._texts[name].found(decimal)
        else:
            kind: Kind = "text" if "text" in kinds else next(iter(kinds), "number")
            found = Found(kind, whole=self._whole[name])  # which only an index is asked for
        if name in self.text and (name in self._texts or found.kind in ("number", "boolean")):
            return Found("text", note=self._notes[name], foreign=found.foreign)
        index = found.kind == "number" and found.whole and _INDEX.fullmatch(name)
        return found._replace(note=found.note or self._notes[name] or "index" * bool(index))

    def _facts(self, name: str) -> TextFacts:
        return self._texts.setdefault(name, TextFacts())


def _rows_of(texts: arrow.Texts) -> list[int]:
    distinct, codes = texts
    rows: list[int] = np.bincount(codes[codes >= 0], minlength=len(distinct)).tolist()
    return rows


def layout_of(
    pieces: Callable[[Collection[int], str], Iterator[Raw]],
    start: Start,
    where: str,
    decimal: str | None,
    text: Collection[str],
) -> Layout:
    """How a text file writes its columns, from passes through it.

    `pieces` are the pieces of the table for columns to read as numbers at once, and the decimal
    sign. There is one pass, unless a column that begins with numbers has something else later.

    Raises ValueError if the decimal sign is not clear.
    """
    firsts = {}
    for name, texts in zip(start.names, zip(*start.rows, strict=False), strict=False):
        if name not in text:
            firsts[name] = TextFacts(signs_only=True)
            firsts[name].add(texts, [1] * len(texts))
    sign = decimal or decimal_sign(firsts, where) or "."
    numbers, kinds = _learned(pieces, _plain_numbers(start, sign, text), sign, start.names, text)
    found = decimal_sign(kinds.texts(), where, decimal)
    if decimal is None:
        if found == "," != sign:
            # The first rows did not say how numbers are written.
            numbers, kinds = _learned(pieces, (), ".", start.names, text)
            found = sign = decimal_sign(kinds.texts(), where) or "."
        if found is None and sign == "." and start.separator != ",":
            check_clear(firsts | kinds.texts(), where)
    return Layout(start.names, start.separator, sign, numbers, kinds.found(sign))


def _learned(
    pieces: Callable[[Collection[int], str], Iterator[Raw]],
    numbers: Collection[int],
    sign: str,
    names: Sequence[str],
    text: Collection[str],
) -> tuple[Collection[int], Kinds]:
    """The columns that are numbers in every piece, and what all columns are."""
    left = {*numbers}  # what is taken from it is read as text from the next piece on
    while True:
        kinds = Kinds(names, text)
        for k, raw in enumerate(pieces(left, sign)):
            if len(raw.numbers) < len(left):
                left.intersection_update(raw.numbers)
                if k:
                    break
            kinds.add(raw)
        else:
            return left, kinds


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


def read_text(
    content: bytes,
    start: Start,
    numbers: Collection[int],
    sign: str,
    where: str,
    before: int,
    cells: bool = False,
) -> Raw:
    """The columns of the rows after the start; `numbers` are read as such unless a cell is none.

    `before` is the number of lines before the rows. Raises ValueError that names the line if one
    has too many or too few values, or is not text.
    """
    names, separator, begin = start.names, start.separator, start.end
    width = len(names)
    if arrow.available():
        read = partial(arrow.read_text, content, begin, width, separator, sign)
        table, good = _with_numbers(read, numbers)
        if table and _has_all_lines(table, content, begin):
            columns = arrow.columns(table, names)
            textual = {*range(width)} - {*good}
            return Raw(columns, textual, good, arrow.cells(read([])) if cells else ())
    # Read line by line, which also finds the line that is wrong.
    rows = []
    for line, values in lines(content[begin:], separator, where, before):
        if len(values) != width:
            raise ValueError(
                f"{where}, line {line}: {len(values)} values where the header has {width}"
            )
        rows.append(values)
    texts = [list(column) for column in zip(*rows, strict=True)] or [[] for _ in names]
    encoded = [
        _encoded(name, column, sign if k in numbers else None)
        for k, (name, column) in enumerate(zip(names, texts, strict=True))
    ]
    good = [k for k in numbers if isinstance(encoded[k], Column)]
    return Raw(encoded, {*range(width)} - {*good}, good, tuple(texts) if cells else ())


def _with_numbers(
    read: Callable[[list[int]], Any], numbers: Collection[int]
) -> tuple[Any, list[int]]:
    """The table, and which of these columns are numbers in it; None for no table."""
    chosen = list(numbers)
    while True:
        try:
            return read(chosen), chosen
        except ValueError as error:
            column = re.search(r"In CSV column #(\d+): CSV conversion", str(error))
            if not column or int(column[1]) not in chosen:
                return None, chosen
            chosen.remove(int(column[1]))


def _has_all_lines(table: Any, content: bytes, begin: int) -> bool:
    """Whether no quote that never ends swallowed lines, which pyarrow does not report."""
    if b'"' not in content:
        return True
    end = len(content) - content.endswith(b"\n")
    last = content[max(begin, content.rfind(b"\n", begin, end) + 1) :]
    return len(table) == content.count(b"\n", begin, end) + 1 and last.count(b'"') % 2 == 0


def line_ends(content: bytes) -> int:
    """The number of ends of lines, as an editor counts: \\n, \\r\\n and \\r."""
    if b"\r" not in content:
        return content.count(b"\n")
    return len(re.findall(rb"\r\n?|\n", content))


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
