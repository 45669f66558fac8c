"""Data by rows in Dask arrays: their chunks of rows are the blocks."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from autograd_lite.arrays import numbers_only
from autograd_lite.row_sources import HEAD, BlockError, Source, read_only

__all__ = ["DaskSource", "dask_array", "is_dask", "promised"]

Array = npt.NDArray[Any]


def is_dask(value: Any) -> bool:
    """Whether a value is a Dask array; it does not import Dask."""
    dask = sys.modules.get("dask.array")
    return dask is not None and isinstance(value, dask.Array)


class DaskSource(Source):
    """The chunks of Dask arrays with the same rows; a block is a tuple of one chunk of each.

    Args:
        arrays: the Dask arrays; the first says what the blocks are.
        name: what errors call them.

    Raises:
        TypeError: for arrays that do not hold NumPy arrays, or an unknown number of columns.
        BlockError: for arrays with other numbers of rows.
    """

    def __init__(self, arrays: Sequence[Any], name: str = "the Dask array") -> None:
        self.name = name
        for x in arrays:
            if not isinstance(x._meta, np.ndarray) or not x.ndim:
                kind = type(x._meta).__name__ if x.ndim else "a single number"
                raise TypeError(f"{name}: the chunks are NumPy arrays with rows, not {kind}")
            numbers_only(x._meta, name)
            if any(map(math.isnan, x.shape[1:])):
                raise TypeError(f"{name}: the number of columns is not known to Dask")
        self.arrays: tuple[Any, ...] = self._aligned(arrays)

    def _aligned(self, arrays: Sequence[Any]) -> tuple[Any, ...]:
        """The arrays with all columns in one chunk, and with the same chunks of rows."""
        whole = [x.rechunk(dict.fromkeys(range(1, x.ndim), -1)) for x in arrays]
        if len({_is_known(x) or x.numblocks[0] for x in whole}) > 1:
            whole = [x if _is_known(x) else self._measured(x) for x in whole]
        first, *others = whole
        for x in others:
            if _is_known(x) and len(x) != len(first):
                raise BlockError(
                    f"{self.name} has {len(first)} rows, but another beside it has {len(x)}"
                )
        if _is_known(first) and not len(first):  # then Dask leaves the chunks as they are
            return tuple(dask_array(np.empty(x.shape, x.dtype), [0]) for x in whole)
        rows = {0: first.chunks[0]}
        return (first, *(x.rechunk(rows) if _is_known(x) else x for x in others))

    def _measured(self, x: Any) -> Any:
        """The array with lengths that Dask knows."""
        x = x.copy()
        x.compute_chunk_sizes()
        return x

    @property
    def are_lengths_known(self) -> bool:
        """Whether Dask knows the number of rows of each chunk."""
        return _is_known(self.arrays[0])

    @cached_property
    def head(self) -> tuple[Array, ...]:
        """Some first rows."""
        first = next((k for k, length in enumerate(self.lengths) if length), None)
        if first is None:
            return tuple(np.empty((0, *x.shape[1:]), x.dtype) for x in self.arrays)
        return self._rows(first, HEAD)

    @cached_property
    def lengths(self) -> tuple[int, ...]:
        """The number of rows of each chunk; it takes a pass if Dask does not know it."""
        first = self.arrays[0]
        if not _is_known(first):
            first = self._measured(first)
        return tuple(map(int, first.chunks[0]))

    @cached_property
    def _chunks(self) -> list[list[Any]]:
        # x.blocks[k] costs more the more chunks there are, and fails for some that are empty.
        return [x.to_delayed().ravel().tolist() for x in self.arrays]

    def read(self, k: int) -> tuple[Array, ...]:
        """Chunk k of each array, computed by Dask."""
        return self._rows(k, None)

    def _rows(self, k: int, most: int | None) -> tuple[Array, ...]:
        """The first rows of chunk k of each array."""
        from dask import compute

        blocks = compute(*(chunks[k] for chunks in self._chunks))
        where = f"{self.name}: block {k}"
        blocks = tuple(
            promised(x, y.dtype, where) for x, y in zip(blocks, self.arrays, strict=True)
        )
        self._check(k, self.lengths, [(x.shape, x.dtype) for x in blocks])
        # Persisted chunks stay with Dask.
        return tuple(read_only(x)[:most] for x in blocks)

    def _check(self, k: int, lengths: Sequence[int], forms: Sequence[Any]) -> None:
        """Raise BlockError if the shapes and dtypes of block k are not those of the Dask arrays."""
        for x, form in zip(self.arrays, forms, strict=True):
            expected = (lengths[k], *x.shape[1:]), x.dtype
            if form != expected:
                raise BlockError(
                    f"{self.name}: block {k}, from row {sum(lengths[:k])} on, has the shape "
                    f"{form[0]} and holds {form[1]}, but its Dask array promises {expected[0]} and "
                    f"{expected[1]}"
                )

    def mapped(self, function: Callable[..., Any], shape: tuple[int, ...], dtype: Any) -> Any:
        """A Dask array of what a function returns for the arrays of each block.

        Args:
            function: of the arrays of a block.
            shape, dtype: of a row of its results.
        """
        from dask import array

        pairs, letters = list[Any](), 1
        for x in self.arrays:
            pairs += [x, (0, *range(letters, letters + x.ndim - 1))]
            letters += x.ndim - 1
        new = range(letters, letters + len(shape))
        return array.blockwise(
            *(function, (0, *new), *pairs),
            new_axes=dict(zip(new, shape, strict=True)),
            concatenate=True,
            dtype=dtype,
            meta=np.empty((0,) * (1 + len(shape)), dtype),
        )


def promised(chunk: Any, dtype: Any, where: str = "a chunk") -> Array:
    """A chunk in the dtype that its Dask array promises, if that has room for its numbers.

    Raises:
        TypeError: for masked arrays.
    """
    numbers_only(chunk, where)
    x = np.asarray(chunk)
    return x.astype(dtype, copy=False) if np.can_cast(x.dtype, dtype) else x


def dask_array(array: Array, lengths: Sequence[int]) -> Any:
    """An array in memory as a Dask array, in chunks of rows of these lengths."""
    from dask.array import from_array

    return from_array(array, chunks=(tuple(lengths), *array.shape[1:]))


def _is_known(x: Any) -> bool:
    """Whether Dask knows the number of rows of each chunk of an array."""
    return not any(map(math.isnan, x.chunks[0]))
