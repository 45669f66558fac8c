"""`train` on a table that may be larger than memory: the rows as numbers in temporary files."""

from __future__ import annotations

import argparse
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from autograd_lite.commands.prepare import Table, described, notes, task_of
from autograd_lite.commands.table import opened
from autograd_lite.commands.training import Data, Encoded
from autograd_lite.data.columns import Array, Column
from autograd_lite.data.encoder import Encoder, Missing
from autograd_lite.data.facts import MOST, Facts, hashed
from autograd_lite.data.pieces import Pieces
from autograd_lite.data.reading import Frame, few
from autograd_lite.data.selection import select
from autograd_lite.data.spool import Spool
from autograd_lite.data.targets import labels, target_of
from autograd_lite.row_blocks import RowBlocks
from autograd_lite.row_sources import HEAD

__all__ = ["prepared", "streams"]


def streams(args: argparse.Namespace) -> bool:
    """Whether the table is read piece by piece: if asked for, and if it is large beside memory.

    Raises ValueError if an option needs all rows in memory.
    """
    needy = [option for option in ("cv", "report") if getattr(args, option)]
    if args.stream is None:
        if args.data in (None, "-") or needy:
            return False
        path, memory = Path(args.data), _available()
        return path.is_dir() or (
            path.is_file() and memory is not None and path.stat().st_size > memory / 4
        )
    if args.stream and args.data is None:
        raise ValueError("--stream needs --data; the breast cancer data are in memory")
    if args.stream and needy:
        raise ValueError(
            f"--{needy[0]} needs all rows in memory; leave out --{needy[0]}, or --stream"
        )
    return bool(args.stream)


def _available() -> int | None:
    """The bytes of memory that are free, or there at all, if the system tells."""
    with suppress(OSError, StopIteration, ValueError):
        lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
        found = next(line for line in lines if line.startswith("MemAvailable:"))
        return int(found.split()[1]) << 10
    with suppress(AttributeError, OSError, ValueError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return None


def prepared(args: argparse.Namespace, folder: Path) -> tuple[Table, Encoded]:
    """The table, and its rows to train on and those held out by blocks.

    Whether a row is held out depends on its number and the seed alone. A second pass through the
    table writes the rows as numbers to temporary files in the folder.

    Raises ValueError, with the file, if the table cannot be learned from.
    """
    pieces = opened(args, args.data, text=args.text)
    name = pieces.frame.column(args.target).name
    for other in [*args.text, *(args.columns or ()), *args.drop]:
        pieces.frame.column(other)
    rows = _Rows(args, pieces, name, folder)
    facts, frame = rows.facts, rows.frame
    column = frame.column(name)
    target = target_of(column, frame.source, args.task or task_of(args.model), facts[name])
    used, left_out = select(
        frame, name, columns=args.columns, text=args.text, drop=args.drop, facts=facts
    )
    missing = {column.name: facts[column.name].missing for column in used.columns}
    dropped = rows.drop(used.names) if args.missing == "drop" else 0
    without = len(pieces) - facts[name].rows
    told = notes(target.why, column, without, args.missing, dropped, sum(missing.values()))

    encoder = Encoder.learn(used, cast(Missing, args.missing), rows.training_facts(used.names))
    encoded = rows.encoded(encoder, lambda found: labels(found, facts[name]))
    data = Data(used, target.y, target.task, cast(Missing, args.missing))
    counts = _checked(encoded, data, name)
    told += [
        f"read piece by piece; the rows take {_size(rows.nbytes)} of a temporary file in {folder}",
        f"the graphs show the first {min(HEAD, len(encoded.y_train)):,} training rows",
    ]
    total = len(encoded.y_train) + len(encoded.y_test)
    about = described(total, len(frame.columns) - 1, name, counts)
    title = " ".join(f"{frame.source}: {about}".split())
    return Table(title, name, data, frame.names, missing, left_out, told), encoded


def _size(count: int) -> str:
    return f"{count / 1e6:,.0f} MB" if count >= 1e6 else f"{count / 1e3:,.0f} kB"


class _Rows:
    """The rows that have a target, as numbers in temporary files; texts by their places.

    `frame` has all columns without rows, and `facts` are those of the columns.
    """

    def __init__(self, args: argparse.Namespace, pieces: Pieces, target: str, folder: Path) -> None:
        asked = set(pieces.names if args.columns is None else args.columns) - {*args.drop}
        self._target = target
        self._names = [
            column.name
            for column in pieces.frame.columns
            if column.name == target
            or (column.name in asked and column.kind in ("number", "boolean", "text"))
        ]
        self.facts = {column.name: self._facts_of(column) for column in pieces.frame.columns}
        self._places: dict[str, dict[str, int]] = {
            column.name: {} for column in pieces.frame.columns if column.kind == "text"
        }
        width = len(self._names)
        self._train, self._test = (Spool(folder, width, pieces.source) for _ in range(2))
        self._write(pieces, args.test_size, args.random_state)
        self.frame = replace(
            pieces.frame, columns=tuple(map(self._known, pieces.frame.columns)), cells=()
        )
        self._ranks = {name: _ranks(places) for name, places in self._places.items()}

    def _write(self, pieces: Pieces, share: float, seed: int) -> None:
        start = 0
        for frame in pieces:
            held = hashed(np.arange(start, start + len(frame)), seed) < np.uint64(share * 2**64)
            start += len(frame)
            there = ~frame.column(self._target).missing
            frame, held = frame.take(there), held[there]
            for column in frame.columns:
                self.facts[column.name].add(column)
            block = np.column_stack([self._numbers(frame.column(name)) for name in self._names])
            self._train.append(block[~held])
            self._test.append(block[held])

    def _numbers(self, column: Column) -> Array:
        """The values of a column; of texts their places among all texts of the column so far."""
        if column.kind != "text":
            return column.values
        if self.facts[column.name].different.values is None:
            return np.full(len(column), -1.0)  # it cannot be learned from
        places = self._places[column.name]
        found = [places.setdefault(text, len(places)) for text in column.categories]
        return np.array([*found, -1], dtype=float)[column.values]

    def _facts_of(self, column: Column) -> Facts:
        """The facts of a column so far: few of a number that is no target, as there may be many."""
        counted = column.kind == "text" or column.name == self._target
        return Facts.of(column, MOST if counted else MOST >> 4)

    def _known(self, column: Column) -> Column:
        """A column without rows, with its categories."""
        markers = tuple(sorted(self.facts[column.name].markers))
        return replace(
            column, categories=tuple(sorted(self._places.get(column.name, ()))), markers=markers
        )

    @property
    def nbytes(self) -> int:
        """The bytes of both files."""
        return self._train.nbytes + self._test.nbytes

    def framed(self, block: Array) -> Frame:
        """The columns of a block of numbers."""
        columns = []
        for name, values in zip(self._names, block.T, strict=True):
            column = self.frame.column(name)
            if column.kind == "text":
                values = self._ranks[name][values.astype(int)]
            columns.append(replace(column, values=values))
        return replace(self.frame, columns=tuple(columns))

    def drop(self, names: Sequence[str]) -> int:
        """Leave out rows without a value in one of these columns; how many these are."""
        before = len(self._train) + len(self._test)

        def whole(block: Array) -> Array:
            frame = self.framed(block)
            gaps: Array = np.any([frame.column(name).missing for name in names], axis=0)
            return ~gaps

        self._train, self._test = self._train.where(whole), self._test.where(whole)
        left = len(self._train) + len(self._test)
        if not left:
            raise ValueError(f"{self.frame.source}: every row lacks a value; use --missing mean")
        return before - left

    def training_facts(self, names: Sequence[str]) -> Mapping[str, Facts]:
        """What is known of columns from the rows to train on alone."""
        columns = [self.frame.column(name) for name in names]
        found = {c.name: Facts.of(c, MOST if c.kind == "text" else 0) for c in columns}
        for block in self._train.blocks():
            frame = self.framed(block)
            for name in names:
                found[name].add(frame.column(name))
        return found

    def encoded(self, encoder: Encoder, labelled: Callable[[Column], Array]) -> Encoded:
        """X and y of both parts by blocks."""
        unseen: dict[str, Counter[str]] = {}
        for block in self._test.blocks():
            for name, texts in encoder.unseen(self.framed(block)).items():
                unseen.setdefault(name, Counter()).update(texts)

        def examples(block: Array) -> Array:
            return encoder.encode(self.framed(block))

        def targets(block: Array) -> Array:
            return labelled(self.framed(block).column(self._target))

        if unseen and encoder.missing == "drop":
            self._test = self._test.where(lambda block: np.isfinite(examples(block).sum(axis=1)))
            if not len(self._test):
                raise ValueError(
                    f"{self.frame.source}: no held-out row has all values; --missing mean"
                )
        width = 8 * len(encoder.names)
        train, test = self._train.blocks(width), self._test.blocks(width)
        both = train.map(examples), test.map(examples)
        return Encoded(encoder, *both, train.map(targets), test.map(targets), unseen)


def _ranks(texts: Iterable[str]) -> Array:
    """The place of each text among all of them, sorted, and −1 at the end."""
    places = {text: k for k, text in enumerate(sorted(texts))}
    return np.array([*(places[text] for text in texts), -1])


def _checked(rows: Encoded, data: Data, target: str) -> Mapping[Any, int] | tuple[float, float]:
    """The rows of each class, or the smallest and the largest number, of both parts.

    Raises ValueError if a part has no rows, or a class has no row to train on.
    """
    where = f"{data.frame.source}: the target {target!r}"
    for part, y in (("train on", rows.y_train), ("hold out", rows.y_test)):
        if not len(y):
            raise ValueError(f"{where} has no rows to {part}; use another --test-size")
    if data.task == "regression":
        ends = [end for y in (rows.y_train, rows.y_test) for b in y for end in (b.min(), b.max())]
        return float(min(ends)), float(max(ends))
    train, test = _counted(rows.y_train), _counted(rows.y_test)
    if lacking := [str(label) for label in test if label not in train]:
        raise ValueError(
            f"{where} has no row of {few(lacking)} to train on, because rows are held out by their "
            "numbers: leave these rows out, join classes, or use another --random-state"
        )
    if len(train) < 2:
        raise ValueError(f"{where} has one class only in the rows to train on: {next(iter(train))}")
    return train + test


def _counted(y: RowBlocks) -> Counter[Any]:
    counts: Counter[Any] = Counter()
    for block in y:
        found, rows = np.unique(block, return_counts=True)
        counts.update(dict(zip(found.tolist(), rows.tolist(), strict=True)))
    return counts
