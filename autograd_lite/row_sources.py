"""Sources of data by rows: what reads blocks, from memory, from files, or wherever they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = [
    "HEAD",
    "ArraySource",
    "BlockError",
    "SomeBlocks",
    "Source",
    "Subset",
    "default_rows",
    "read_only",
]

Array = npt.NDArray[Any]

BYTES = 1 << 23  # of a block: small beside memory, large beside what a pass through Python costs
HEAD = 1024  # rows that tell what the others are like


class BlockError(ValueError):
    """A block cannot be read, or is not like the first; the message names the block and the row."""


def default_rows(row_bytes: int) -> int:
    """The number of rows of a block, if nothing else is said."""
    return max(1, BYTES // max(1, row_bytes))


def read_only(array: Array) -> Array:
    """A view that cannot be written to: what others hold must not change through a block."""
    view = array.view()
    view.flags.writeable = False
    return view


class Source(ABC):
    """Reads blocks of rows, each an array or a tuple of arrays with the same rows.

    Attributes:
        name: what errors call it.
        remote: whether other machines hold the blocks, and compute what is asked of them.
    """

    name: str
    remote: bool = False

    @property
    @abstractmethod
    def lengths(self) -> tuple[int, ...]:
        """The number of rows of each block, found by one pass if nothing tells it."""

    @property
    @abstractmethod
    def head(self) -> Any:
        """Some first rows, which tell dtypes and widths; without a row if there is none."""

    def read(self, k: int) -> Any:
        """Block k; only if the source is not `sequential`."""
        raise NotImplementedError

    def total(
        self,
        function: Callable[[int, Any], Any],
        add: Callable[[Any, Any], Any],
        numbers: Sequence[int] | None = None,
    ) -> Any:
        """The total of what a function returns for blocks and their numbers, if it is `remote`.

        Args:
            function: of the number of a block, and of a block, which it does not change.
            add: adds two of its results, those of neighbouring blocks first.
            numbers: of the blocks, in the order in which they are added; without it all that have
                rows.
        """
        raise NotImplementedError

    @property
    def sequential(self) -> bool:
        """Whether blocks can be read in their order only."""
        return type(self).read is Source.read

    def __iter__(self) -> Iterator[Any]:
        """The blocks in their order."""
        return map(self.read, range(len(self.lengths)))

    @property
    def starts(self) -> list[int]:
        """The number of the first row of each block."""
        return [0, *accumulate(self.lengths)][:-1]


@dataclass(frozen=True, eq=False)
class ArraySource(Source):
    """Blocks of an array, or of what gives arrays for slices of rows."""

    array: Any
    rows: int
    name: str = "the array"

    @property
    def lengths(self) -> tuple[int, ...]:
        n = len(self.array)
        return (self.rows,) * (n // self.rows) + (n % self.rows,) * (n % self.rows > 0)

    @property
    def head(self) -> Any:
        return read_only(np.asarray(self.array[:HEAD]))

    def read(self, k: int) -> Any:
        return read_only(np.asarray(self.array[k * self.rows : (k + 1) * self.rows]))


@dataclass(frozen=True)
class Subset(Source):
    """Some rows of another source, chosen by their numbers.

    `keep` takes the numbers of rows and returns whether each is in the subset. Two subsets of the
    same source by the same `keep` are equal, and are read together.
    """

    source: Source
    keep: Callable[[Array], Array]

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.source.name

    @property
    def sequential(self) -> bool:
        return self.source.sequential

    @property
    def remote(self) -> bool:  # type: ignore[override]
        return self.source.remote

    def total(self, function: Any, add: Any, numbers: Sequence[int] | None = None) -> Any:
        """The total over the rows of the subset, as the source computes it."""
        numbers = [k for k, n in enumerate(self.lengths) if n] if numbers is None else numbers
        return self.source.total(_OfSubset(function, self.keep, self.source.starts), add, numbers)

    @property
    def lengths(self) -> tuple[int, ...]:
        return self._lengths

    @cached_property
    def _lengths(self) -> tuple[int, ...]:
        return tuple(int(self._mask(k).sum()) for k in range(len(self.source.lengths)))

    def _mask(self, k: int) -> Array:
        start = self.source.starts[k]
        return self.keep(np.arange(start, start + self.source.lengths[k]))

    @property
    def head(self) -> Any:
        head = self.source.head
        return _each(head, lambda x: x[self.keep(np.arange(len(x)))])

    def read(self, k: int) -> Any:
        return _each(self.source.read(k), lambda x: x[self._mask(k)])

    def __iter__(self) -> Iterator[Any]:
        for k, block in enumerate(self.source):
            mask = self._mask(k)
            yield tuple(x[mask] for x in block) if isinstance(block, tuple) else block[mask]


def _each(block: Any, function: Callable[[Any], Any]) -> Any:
    return tuple(map(function, block)) if isinstance(block, tuple) else function(block)


@dataclass(frozen=True)
class _OfSubset:
    """A function of blocks, for the rows of a subset."""

    function: Callable[[int, Any], Any]
    keep: Callable[[Array], Array]
    starts: Sequence[int]

    def __call__(self, number: int, block: Any) -> Any:
        start = self.starts[number]
        mask = self.keep(np.arange(start, start + len(block[0])))
        return self.function(number, tuple(x[mask] for x in block))


@dataclass(frozen=True, eq=False)
class SomeBlocks(Source):
    """Some blocks of a source, in their order there or in another one."""

    source: Source
    numbers: Sequence[int]

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.source.name

    @property
    def remote(self) -> bool:  # type: ignore[override]
        return self.source.remote

    @property
    def lengths(self) -> tuple[int, ...]:
        return tuple(self.source.lengths[k] for k in self.numbers)

    @property
    def head(self) -> Any:
        return self.source.head

    def read(self, k: int) -> Any:
        return self.source.read(self.numbers[k])

    def total(self, function: Any, add: Any, numbers: Sequence[int] | None = None) -> Any:
        """The total over these blocks, as the source computes it."""
        of_source = self.numbers if numbers is None else [self.numbers[k] for k in numbers]
        return self.source.total(function, add, of_source)
