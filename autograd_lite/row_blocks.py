"""Data by rows: an array that is read one block of rows after the other, again and again.

A *source* reads blocks: from files, from memory, or wherever a user's function has them. What it
reads is an array, or several with the same rows, such as the examples and their targets.
`RowBlocks` is one array of a source. What works on several of them goes through `together`, which
reads each source once.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from operator import itemgetter
from queue import Queue
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from autograd_lite.row_sources import BlockError, Source, Subset

__all__ = ["JoinedSource", "RowBlocks", "ahead", "together"]

Array = npt.NDArray[Any]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class JoinedSource(Source):
    """Several data with the same rows; a block is a tuple of a block of each."""

    parts: Sequence[RowBlocks]

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.parts[0].source.name

    @property
    def sequential(self) -> bool:
        return any(part.source.sequential for part in self.parts)

    @property
    def lengths(self) -> tuple[int, ...]:
        return self.parts[0].lengths

    @property
    def head(self) -> Any:
        rows = min(len(part.head) for part in self.parts)
        return tuple(part.head[:rows] for part in self.parts)

    def read(self, k: int) -> Any:
        return next(together(self.parts, [k]))

    def __iter__(self) -> Iterator[Any]:
        return together(self.parts)


Pick = Callable[[Any], Any]


class _Composed(tuple[Pick, ...]):
    """One function after the other; it can be sent to another process if they can."""

    def __call__(self, block: Any) -> Any:
        for function in self:
            block = function(block)
        return block


class RowBlocks:
    """An array by blocks of rows, from a source that may be larger than memory.

    `for block in rows` reads the blocks in their order, any number of times. `rows[:, 3]` and
    `rows[:, :3]` are columns, `rows.map(f)` is what f returns for each block. Made by
    `autograd_lite.data.open_rows`.

    Args:
        source: where the blocks come from.
        pick: what makes the array of a block of the source.
    """

    def __init__(self, source: Source, pick: Pick | None = None) -> None:
        self.source = source
        self.pick: Pick = _Composed() if pick is None else pick

    @cached_property
    def head(self) -> Array:
        """Some first rows, which tell the dtype and the width."""
        return np.asarray(self.pick(self.source.head))

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """The number of rows of each block; if nothing tells it, it takes a pass."""
        return self.source.lengths

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the whole array; see `lengths`."""
        return (sum(self.lengths), *self.head.shape[1:])

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of every block."""
        return self.head.dtype

    @property
    def ndim(self) -> int:
        """The number of dimensions of every block."""
        return self.head.ndim

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape, dtype=int))

    @property
    def nbytes(self) -> int:
        """The bytes that the whole array would take in memory."""
        return self.size * self.dtype.itemsize

    def __len__(self) -> int:
        return sum(self.lengths)

    def __iter__(self) -> Iterator[Array]:
        for (block,) in together([self]):
            yield block
            del block  # its memory is free while the next one is read

    def __getitem__(self, key: Any) -> RowBlocks:
        if not (isinstance(key, tuple) and key and key[0] == slice(None)):
            raise TypeError(
                f"{self.source.name}: rows of data by blocks cannot be picked; rows[:, k] picks "
                "columns, and rows.read() reads all of it"
            )
        return self.map(itemgetter(key))

    def map(self, function: Callable[[Array], Any]) -> RowBlocks:
        """What a function returns for each block, with the same number of rows."""
        before = self.pick if isinstance(self.pick, _Composed) else (self.pick,)
        return RowBlocks(self.source, _Composed((*before, np.asarray, function)))

    def where(self, keep: Callable[[Array], Array]) -> RowBlocks:
        """The rows for whose numbers `keep` is true."""
        return RowBlocks(Subset(self.source, keep), self.pick)

    def read(self) -> Array:
        """The whole array, in memory."""
        out = np.empty(self.shape, self.dtype)
        start = 0
        for block in self:
            out[start : start + len(block)] = block
            start += len(block)
        return out

    def checked(self, block: Any, k: int) -> Array:
        """The array of block k of the source.

        Raises BlockError if it is not like the first, or has another number of rows than before.
        """
        array = np.asarray(self.pick(block))
        head, length = self.head, self.lengths[k]
        start = sum(self.lengths[:k])
        where = f"{self.source.name}: block {k}, from row {start} on,"
        if array.shape[1:] != head.shape[1:] or array.ndim != head.ndim:
            raise BlockError(
                f"{where} has the shape {array.shape}; the first block has rows of shape "
                f"{head.shape[1:]}"
            )
        if len(array) != length:
            raise BlockError(f"{where} has {len(array)} rows; it had {length} in the first pass")
        if array.dtype != head.dtype:
            if not np.can_cast(array.dtype, head.dtype):
                raise BlockError(f"{where} holds {array.dtype}; the first block holds {head.dtype}")
            array = array.astype(head.dtype)
        return array

    def __array__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(
            f"{self.source.name} is data by blocks of rows, which may be larger than memory; "
            "rows.read() reads all of it"
        )

    def __repr__(self) -> str:
        kind = f"{self.dtype} rows of shape {self.head.shape[1:]}"
        return f"<RowBlocks of {self.source.name}, {kind}>"


def together(
    parts: Sequence[RowBlocks | Array], order: Iterable[int] | None = None
) -> Iterator[tuple[Array, ...]]:
    """The blocks of several data with the same rows, each as a tuple of arrays.

    The blocks are those of the first part; arrays are cut, and blocks of other lengths are cut and
    joined. Data of the same source are read once. With `order`, these blocks in this order, as far
    as the sources can.

    Raises BlockError if the parts have different numbers of rows, and for blocks unlike the first.
    """
    first = next(part for part in parts if isinstance(part, RowBlocks))
    count = len(first)
    for part in parts:
        if len(part) != count:
            name = part.source.name if isinstance(part, RowBlocks) else "an array"
            raise BlockError(
                f"{first.source.name} has {count} rows, but {name} beside it has {len(part)}"
            )
    numbers = [*range(len(first.lengths))] if order is None else [*order]
    if any(isinstance(part, RowBlocks) and part.source.sequential for part in parts):
        numbers = sorted(numbers)
    groups: dict[Source, list[int]] = {}
    for k, part in enumerate(parts):
        if isinstance(part, RowBlocks):
            groups.setdefault(part.source, []).append(k)
    readers = {
        source: _read(source, [parts[k] for k in members], first, numbers)  # type: ignore[misc]
        for source, members in groups.items()
    }
    starts = first.source.starts
    for number in numbers:
        rows = slice(starts[number], starts[number] + first.lengths[number])
        block = {k: part[rows] for k, part in enumerate(parts) if not isinstance(part, RowBlocks)}
        for source, members in groups.items():
            block.update(zip(members, next(readers[source]), strict=True))
        yield tuple(block[k] for k in range(len(parts)))
        del block
    if order is None:
        for reader in readers.values():
            next(reader, None)  # an error if there are more blocks than before


def _read(
    source: Source, parts: Sequence[RowBlocks], first: RowBlocks, numbers: Sequence[int]
) -> Iterator[list[Array]]:
    """The arrays of some parts of one source, in the blocks of the first of all parts."""
    in_order = [*numbers] == [*range(len(first.lengths))]
    if source.lengths == first.lengths:
        if not in_order and not source.sequential:
            for k in numbers:
                yield _checked(source.read(k), k, parts)
            return
        blocks = _checked_blocks(source, parts)
        if in_order:
            yield from blocks
            return
        wanted = {*numbers}
        yield from (block for k, block in enumerate(blocks) if k in wanted)
        return
    none = [part.head[:0] for part in parts]
    pieces = _joined(_checked_blocks(source, parts), first.lengths, none)
    if in_order:
        yield from pieces
    elif [*numbers] == sorted(numbers):
        wanted = {*numbers}
        yield from (block for k, block in enumerate(pieces) if k in wanted)
    else:
        raise BlockError(
            f"{source.name} has other blocks than {first.source.name}, so they cannot be read in "
            "another order; open both with the same block_rows"
        )


def _checked_blocks(source: Source, parts: Sequence[RowBlocks]) -> Iterator[list[Array]]:
    count, k = len(source.lengths), 0
    for block in source:
        if k == count:
            raise BlockError(f"{source.name} has more blocks than the {count} of the first pass")
        arrays = _checked(block, k, parts)
        del block
        yield arrays
        del arrays
        k += 1
    if k < count:
        raise BlockError(f"{source.name} ended after {k} of the {count} blocks it had before")


def _checked(block: Any, k: int, parts: Sequence[RowBlocks]) -> list[Array]:
    return [part.checked(block, k) for part in parts]


def _joined(
    blocks: Iterator[list[Array]], lengths: Sequence[int], none: list[Array]
) -> Iterator[list[Array]]:
    """Blocks cut and joined to other lengths; `none` is a block without rows."""
    waiting: list[list[Array]] = []
    held = 0
    for length in lengths:
        while held < length:
            waiting.append(next(blocks))
            held += len(waiting[-1][0])
        taken, missing = list[list[Array]](), length
        while missing:
            block = waiting.pop(0)
            part = [x[:missing] for x in block]
            if len(block[0]) > missing:
                waiting.insert(0, [x[missing:] for x in block])
            taken.append(part)
            missing -= len(part[0])
        held -= length
        taken = taken or [none]
        yield (
            taken[0] if len(taken) == 1 else [np.concatenate(xs) for xs in zip(*taken, strict=True)]
        )
    next(blocks, None)  # an error if there are more


def ahead(items: Iterator[T]) -> Generator[T]:
    """The same items, the next one made by another thread while this one is used.

    It makes one item ahead. What making an item raises is raised when the item is asked for.
    """
    made: Queue[tuple[bool, Any]] = Queue()
    wanted: Queue[bool] = Queue()

    def make() -> None:
        while wanted.get():
            try:
                made.put((True, next(items)))
            except BaseException as error:
                made.put((False, error))
                return

    thread = threading.Thread(target=make, name="read ahead", daemon=True)
    thread.start()
    wanted.put(True)
    try:
        for _ in repeat(None):
            there, item = made.get()
            if not there:
                if isinstance(item, StopIteration):
                    return
                raise item
            wanted.put(True)
            yield item
            del item
    finally:
        wanted.put(False)
        thread.join()
