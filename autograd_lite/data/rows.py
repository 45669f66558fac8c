"""Data by rows from files, tables, arrays and whatever else gives blocks of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np

from autograd_lite.arrays import numbers_only
from autograd_lite.dask_rows import DaskSource, is_dask
from autograd_lite.data import row_arrays, row_table_files
from autograd_lite.data.pieces import open_table
from autograd_lite.data.row_given import KINDS, GivenSource
from autograd_lite.data.row_paths import kind_of, name_of, paths_of
from autograd_lite.row_blocks import RowBlocks
from autograd_lite.row_sources import ArraySource, Source, default_rows

__all__ = ["open_rows"]

Columns = str | int | Sequence[str] | Sequence[int]


def open_rows(
    source: Any, columns: Columns | None = None, block_rows: int | None = None
) -> RowBlocks | tuple[RowBlocks, ...]:
    """Open data that are read one block of rows after the other, and may be larger than memory.

    The result stands for an array in `fit`, `predict`, `score` and compiled functions. Each pass
    reads the same blocks in the same order; only those in use are in memory. `source` is one of:

    - a `.npy`, Parquet or Arrow (Feather) file, or text such as CSV; a list of such files; a folder
      or a pattern such as "folder/*.npy", whose files come by name, part-2 before part-10;
    - an array of NumPy, also `np.memmap`, which is read from its file; what slices like an array,
      as h5py and Zarr; a table or a dataset of pyarrow; a Dask array, whose chunks are the blocks;
    - an iterable of blocks, or a function without arguments that returns a new one for each pass.
      A block is an array, or a tuple such as (X, y) of arrays with the same rows; then the result
      is a tuple, whose parts are read together.

    `columns` are read in this order: names for tables, whose index of pandas is left out if nothing
    is said, or numbers for arrays; a single one gives one dimension. `block_rows` is the number of
    rows of a block, about 8 MiB if nothing is said; text, iterables and Dask arrays have theirs.
    Columns of tables become float64, or float32 if all of them are. NaN is read as it is, and text
    has NaN where a value is missing.

    Raises BlockError, a ValueError that names file, block and row, for a damaged file, a missing
    value, text, and whole numbers above 2⁵³, which float64 does not tell apart; also later, if a
    file is missing or has changed, or a block is unlike the first. TypeError for a generator, which
    can be gone through only once.

    Example:
        >>> X, y = open_rows(lambda: ((np.ones((5, 2)), np.ones(5)) for _ in range(3)))
        >>> X.shape, [len(block) for block in y]
        ((15, 2), [5, 5, 5])
    """
    _check(block_rows)
    table = _table(source, columns, block_rows)
    if table is not None:
        return table
    opened = _source(source, block_rows)
    if isinstance(opened, GivenSource) and opened.parts is not None:
        if columns is not None:
            raise ValueError(
                f"{opened.name} gives several arrays; pick columns of one of them, as in X[:, :3]"
            )
        return tuple(RowBlocks(opened, partial(_part, k)) for k in range(opened.parts))
    return _picked(opened if isinstance(opened, RowBlocks) else RowBlocks(opened), columns)


def _check(block_rows: Any) -> None:
    whole = isinstance(block_rows, (int, np.integer)) and not isinstance(block_rows, bool)
    if block_rows is not None and (not whole or block_rows < 1):
        raise ValueError(f"block_rows must be a whole number of at least 1, not {block_rows!r}")


def _part(k: int, block: Any) -> Any:
    return block[k]


def _table(source: Any, columns: Any, block_rows: int | None) -> RowBlocks | None:
    """The columns of a table, by their names; None if the source is something else."""
    if row_table_files.is_arrow_object(source):
        return RowBlocks(row_table_files.open_object(source, columns, block_rows))
    paths = paths_of(source)
    kind = kind_of(paths) if paths is not None else "npy"
    if paths is None or kind == "npy":
        return None
    if kind != "text":
        return RowBlocks(row_table_files.open_files(paths, columns, block_rows))
    if block_rows is not None:
        raise ValueError(f"{name_of(paths)} is text, which is cut by bytes; leave out block_rows")
    rows = open_table(paths).rows(row_table_files.names_of(columns, name_of(paths)))
    return rows[:, 0] if isinstance(columns, str) else rows


def _source(source: Any, block_rows: int | None) -> Source | RowBlocks:
    """An array, or what has blocks of its own."""
    paths = paths_of(source)
    if paths is not None:
        return row_arrays.open_files(paths, block_rows)
    if isinstance(source, RowBlocks) or is_dask(source) or not hasattr(source, "__array__"):
        if block_rows is not None:
            raise ValueError(
                f"{type(source).__name__} has the blocks that it has; block_rows cannot change them"
            )
        if isinstance(source, RowBlocks):
            return source
        if is_dask(source):
            dask = DaskSource([source], f"the Dask array {source.name}")
            return RowBlocks(dask, partial(_part, 0))
        return _given(source)
    return _array(source, block_rows)


def _array(source: Any, block_rows: int | None) -> Source | RowBlocks:
    """An array in memory, one that a file is mapped to, or one that reads the rows of a slice."""
    if hasattr(source, "to_dask_array"):
        raise TypeError("open_rows takes Dask arrays; give it .to_dask_array() of a Dask DataFrame")
    numbers_only(source, "open_rows")
    # Datasets of h5py and Zarr are not in memory; a Series of pandas is, and slices by its labels.
    is_lazy = isinstance(getattr(source, "dtype", None), np.dtype) and not hasattr(source, "iloc")
    array = source if is_lazy else np.asarray(source)
    if not array.shape or array.dtype.kind not in KINDS:
        raise TypeError(
            f"open_rows takes rows of numbers, not {array.dtype} of shape {array.shape}"
        )
    if isinstance(array, np.ndarray):
        mapped = row_arrays.open_mapped(array, block_rows)
        if mapped is not None:
            return mapped
    row = array.dtype.itemsize * int(np.prod(array.shape[1:]))
    name = "the array" if isinstance(array, np.ndarray) else f"the {type(array).__name__}"
    rows = RowBlocks(ArraySource(array, block_rows or default_rows(row), name))
    native = array.dtype.newbyteorder("=")
    return rows if array.dtype.isnative else rows.map(lambda block: block.astype(native))


def _given(source: Any) -> GivenSource:
    """An iterable, or a function that returns one."""
    kind = type(source).__name__
    make: Callable[[], Iterable[Any]]
    if isinstance(source, Iterable):
        make, name = partial(iter, source), f"the {kind}"
    elif callable(source):
        make, name = source, f"{getattr(source, '__name__', kind)}()"
    else:
        raise TypeError(
            f"open_rows takes a file, a folder, an array, an iterable of blocks or a function that "
            f"returns one, not {kind}"
        )
    blocks = make()
    if blocks is iter(blocks) and blocks is make():
        raise TypeError(
            f"{name} can be gone through only once, and each pass needs a new one; give a function "
            "that returns a new iterator, as in open_rows(lambda: blocks(path))"
        )
    return GivenSource(make, name)


def _picked(rows: RowBlocks, columns: Any) -> RowBlocks:
    """These columns, by their numbers."""
    if columns is None:
        return rows
    name = rows.source.name
    several = isinstance(columns, (list, tuple, range, np.ndarray))
    width = rows.head.shape[1] if rows.ndim > 1 else 0
    for number in columns if several else [columns]:
        if not isinstance(number, (int, np.integer)) or isinstance(number, bool):
            raise ValueError(
                f"{name} has columns without names; columns= takes their numbers, not {number!r}"
            )
        if not -width <= number < width:
            raise ValueError(f"{name} has {width} columns, so there is no column {number}")
    return rows[:, [*map(int, columns)] if several else int(columns)]
