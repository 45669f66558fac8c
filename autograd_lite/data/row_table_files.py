"""Opens Parquet and Arrow files, and tables and datasets of pyarrow, to be read by rows."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from typing import Any

import numpy as np

from autograd_lite.data.arrow import BUFFER, index_of_pandas, parquet_file
from autograd_lite.data.row_paths import FileState, name_of
from autograd_lite.data.row_tables import Part, TableSource
from autograd_lite.row_sources import BlockError, default_rows

__all__ = ["is_arrow_object", "names_of", "open_files", "open_object"]

Names = str | Sequence[str] | None


def is_arrow_object(source: Any) -> bool:
    """Whether it is a table or a dataset of pyarrow."""
    arrow, dataset = sys.modules.get("pyarrow"), sys.modules.get("pyarrow.dataset")
    return (arrow is not None and isinstance(source, (arrow.Table, arrow.RecordBatch))) or (
        dataset is not None and isinstance(source, dataset.Dataset)
    )


def open_object(source: Any, columns: Names, block_rows: int | None) -> TableSource:
    """A table or a dataset of pyarrow."""
    if not hasattr(source, "scanner"):
        part = Part("the table", source.schema, (source.num_rows,), partial(_sliced, source))
        return _opened(part.name, [part], columns, block_rows)
    count = source.count_rows()
    parts = _files_of(source)
    if not parts or sum(part.rows for part in parts) != count:
        parts = [Part("the dataset", source.schema, (count,), partial(_scanned, source))]
    return _opened(name_of([part.name for part in parts]), parts, columns, block_rows)


def _files_of(dataset: Any) -> list[Part]:
    """The files of a dataset, if they have just its columns: read alone they take less memory."""
    from pyarrow import fs

    local = isinstance(getattr(dataset, "filesystem", None), fs.LocalFileSystem)
    if not local or dataset.format.default_extname not in ("parquet", "arrow"):
        return []
    parts = [_part(path) for path in dataset.files]
    return parts if all(part.schema.equals(dataset.schema) for part in parts) else []


def _sliced(table: Any, names: Sequence[str], rows: int, piece: int | None) -> Iterator[Any]:
    table = table.select(names)
    for start in range(0, table.num_rows, rows):
        part = table.slice(start, rows)
        yield from part.to_batches() if hasattr(part, "to_batches") else [part]


def _scanned(dataset: Any, names: Sequence[str], rows: int, piece: int | None) -> Iterator[Any]:
    from pyarrow import dataset as ds

    options = None
    if isinstance(getattr(dataset, "format", None), ds.ParquetFileFormat):
        options = ds.ParquetFragmentScanOptions(
            use_buffered_stream=True, buffer_size=BUFFER, pre_buffer=False
        )
    yield from dataset.scanner(
        columns=[*names],
        batch_size=rows,
        batch_readahead=1,
        fragment_readahead=1,
        fragment_scan_options=options,
    ).to_batches()


def open_files(paths: Sequence[str], columns: Names, block_rows: int | None) -> TableSource:
    """The tables of Parquet or Arrow files; raises ImportError without pyarrow."""
    try:
        import pyarrow as pa
    except ImportError:
        raise ImportError(
            f"{paths[0]} is a Parquet or Arrow file; reading it needs pyarrow: pip install "
            '"autograd_lite[tables]"'
        ) from None
    parts: list[Part] = []
    for path in paths:
        try:
            parts.append(_part(path))
        except FileNotFoundError:
            raise
        except (pa.ArrowException, OSError) as error:
            rows = sum(part.rows for part in parts)
            raise BlockError(f"{path}, from row {rows} on, cannot be read: {error}") from None
    return _opened(name_of(paths), parts, columns, block_rows)


def _part(path: str) -> Part:
    """The table of a file; groups of rows of Parquet are pieces of it."""
    from pyarrow import dataset, ipc

    state = FileState.of(path)
    with open(path, "rb") as file:
        start = file.read(4)
        file.seek(0)
        if start == b"PAR1":
            with parquet_file(path) as table:
                schema, metadata = table.schema_arrow, table.metadata
            groups = map(metadata.row_group, range(metadata.num_row_groups))
            sizes = tuple(group.num_rows for group in groups)
            return Part(path, schema, sizes, partial(_parquet, path, metadata), state)
        if start == b"\xff\xff\xff\xff":
            schema = ipc.open_stream(file).schema
            batches = partial(_arrow, path, True)
            rows = sum(batch.num_rows for batch in batches(schema.names[:1], 0, None))
            return Part(path, schema, (rows,), batches, state)
    table = dataset.dataset(path, format="ipc")
    return Part(path, table.schema, (table.count_rows(),), partial(_arrow, path, False), state)


def _parquet(
    path: str, metadata: Any, names: Sequence[str], rows: int, piece: int | None
) -> Iterator[Any]:
    """Record batches of a Parquet file."""
    import pyarrow as pa

    with parquet_file(path, metadata) as file:
        yield from file.iter_batches(
            rows,
            row_groups=None if piece is None else [piece],
            columns=[*names],
            # Copying and what is computed keep two processors busy.
            use_threads=pa.cpu_count() > 2,
        )


def _arrow(
    path: str, stream: bool, names: Sequence[str], rows: int, piece: int | None
) -> Iterator[Any]:
    """The record batches of an Arrow file as they are, `rows` or not."""
    import pyarrow as pa

    with pa.OSFile(path) as file:
        if stream:
            for batch in pa.ipc.open_stream(file):
                yield batch.select(names)
        else:
            reader = pa.ipc.open_file(file)
            for k in range(reader.num_record_batches):
                yield reader.get_batch(k).select(names)


def _opened(
    name: str, parts: Sequence[Part], columns: Names, block_rows: int | None
) -> TableSource:
    names = _names(parts[0], columns)
    dtype = _dtype(parts, names, columns is None)
    rows = block_rows or default_rows(dtype.itemsize * len(names))
    sizes = [size for part in parts for size in part.sizes]
    largest, count = max(sizes, default=0), sum(sizes)
    if count * 4 >= len(sizes) * rows and largest <= (block_rows or 4 * rows):
        # Pieces of about the right size are the blocks, which can be read in any order.
        rows = max(rows, largest)
    else:
        parts = [replace(part, sizes=(part.rows,)) for part in parts]
    return TableSource(name, parts, names, isinstance(columns, str), dtype, rows)


def names_of(columns: Any, where: str) -> list[str] | None:
    """The names of columns that `columns` means; None for all."""
    if columns is None:
        return None
    names = [columns] if isinstance(columns, str) else [*columns]
    for name in names:
        if not isinstance(name, str):
            raise ValueError(f"{where}: columns= takes names of columns, not {name!r}")
    if not names:
        raise ValueError(f"{where}: no column is to be read")
    return names


def _names(part: Part, columns: Names) -> list[str]:
    """The columns to read: those asked for, or all but the index of a DataFrame."""
    there = part.schema.names
    names = names_of(columns, part.name)
    if names is None:
        index = index_of_pandas(part.schema.pandas_metadata)
        names = [name for name in there if name not in index]
    if not names:
        raise ValueError(f"{part.name}: no column is to be read")
    for name in names:
        if name not in there:
            near = get_close_matches(name, there, 1) or there[:9]
            raise ValueError(f"{part.name} has no column {name!r}; it has {', '.join(near)}")
        if there.count(name) > 1:
            raise ValueError(f"{part.name} has {there.count(name)} columns called {name!r}")
    return names


def _dtype(parts: Sequence[Part], names: Sequence[str], every: bool) -> np.dtype[Any]:
    """float64, or float32 if no column needs more.

    Raises BlockError if a file lacks a column, holds something else than numbers in it, or, where
    `every` column is read, has another one.
    """
    first, kinds, rows = parts[0], set(), 0
    for part in parts:
        schema = part.schema
        where = f"{part.name}, from row {rows} on,"
        for name in names:
            if name not in schema.names:
                raise BlockError(f"{where} has no column {name!r}; {first.name} has one")
            kind = schema.field(name).type
            if not _is_number(kind):
                raise BlockError(
                    f"{where} holds {kind} in the column {name!r}, and not numbers; choose columns "
                    "of numbers with columns="
                )
            kinds.add(str(kind))
        for name in {*_names(part, None)}.difference(names) if every else ():
            raise BlockError(f"{where} has a column {name!r}; {first.name} has none")
        rows += part.rows
    return np.dtype(np.float32 if kinds <= {"float", "halffloat"} else np.float64)


def _is_number(kind: Any) -> bool:
    import pyarrow as pa

    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = ("is_integer", "is_floating", "is_boolean", "is_decimal", "is_null")
    return any(getattr(pa.types, test)(kind) for test in tests)
