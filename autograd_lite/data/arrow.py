"""Parquet, Feather and large text files, read by pyarrow."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autograd_lite.data.cells import MISSING
from autograd_lite.data.columns import Array, Column, categorical

__all__ = [
    "Texts",
    "available",
    "cells",
    "columns",
    "index_of_pandas",
    "is_arrow",
    "parquet_file",
    "pieces",
    "read_binary",
    "read_text",
    "textual",
]

Texts = tuple[list[str], Array]
"""The different texts of a column, and the index of each row's text, −1 where there is none."""

BUFFER = 1 << 16
"""Bytes that pyarrow reads at once of each column of a Parquet file."""

_MAGIC = b"PAR1", b"ARROW1", b"FEA1", b"\xff\xff\xff\xff"
_UNKNOWN = sorted({form for text in MISSING for form in (text, text.upper())} | {"NaN", "None"})


def available() -> bool:
    """Whether pyarrow is installed."""
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        return False
    return True


def is_arrow(content: bytes) -> bool:
    """Whether a file is in Parquet or Feather."""
    return content.startswith(_MAGIC)


def read_binary(content: bytes, source: str) -> Any:
    """The table of a Parquet or Feather file.

    Raises ImportError without pyarrow, and ValueError if the file is damaged.
    """
    try:
        import pyarrow as pa
        from pyarrow import feather, parquet
    except ImportError:
        raise _missing(source) from None
    file = pa.BufferReader(content)
    try:
        if content.startswith(b"PAR1"):
            return parquet.read_table(file)
        if content.startswith(b"\xff\xff\xff\xff"):
            return pa.ipc.open_stream(file).read_all()
        return feather.read_table(file)
    except _failures() as error:
        raise ValueError(f"{source} cannot be read: {error}") from None


def pieces(path: Path, source: str, size: int) -> Iterator[Any]:
    """A Parquet or Feather file as tables of about `size` bytes, the first without a row.

    Raises like `read_binary`.
    """
    try:
        import pyarrow as pa
    except ImportError:
        raise _missing(source) from None
    try:
        schema, batches = _batches(path, size)
        yield schema.empty_table()
        rows = max(1, size // (8 * max(1, len(schema))))
        for batch in batches:
            for start in range(0, len(batch), rows):
                yield pa.Table.from_batches([batch.slice(start, rows)], schema)
    except _failures() as error:
        raise ValueError(f"{source} cannot be read: {error}") from None


def parquet_file(path: str | Path, metadata: Any = None) -> Any:
    """A Parquet file to be read in batches; by default pyarrow would hold all of it in memory."""
    from pyarrow import parquet

    return parquet.ParquetFile(path, metadata=metadata, pre_buffer=False, buffer_size=BUFFER)


def _batches(path: Path, size: int) -> tuple[Any, Iterator[Any]]:
    """The schema of a file, and its rows by batches."""
    import pyarrow as pa
    from pyarrow import feather

    with open(path, "rb") as file:
        start = file.read(8)
    if start.startswith(b"PAR1"):
        whole = parquet_file(path)
        width = max(1, len(whole.schema_arrow))
        return whole.schema_arrow, whole.iter_batches(max(1, size // (8 * width)))
    if start.startswith(b"FEA1"):
        table = feather.read_table(path)
        return table.schema, iter(table.to_batches())
    if start.startswith(b"ARROW1"):
        reader = pa.ipc.open_file(pa.OSFile(str(path)))
        return reader.schema, map(reader.get_batch, range(reader.num_record_batches))
    stream = pa.ipc.open_stream(pa.OSFile(str(path)))
    return stream.schema, iter(stream)


def _failures() -> tuple[type[Exception], ...]:
    import pyarrow as pa

    return pa.ArrowException, OSError, ValueError, TypeError, NotImplementedError


def _missing(source: str) -> ImportError:
    return ImportError(
        f"{source} is a Parquet or Feather file; reading it needs pyarrow: pip install "
        '"autograd_lite[tables]"'
    )


def read_text(
    content: bytes, start: int, width: int, separator: str, decimal: str, numbers: Sequence[int]
) -> Any:
    """The rows of a text file from byte `start` on: `numbers` as float64, other columns as text.

    Raises pyarrow.ArrowInvalid if the lines are not that.
    """
    import pyarrow as pa
    from pyarrow import csv

    names = [str(k) for k in range(width)]
    types = dict.fromkeys(names, pa.string()) | {str(k): pa.float64() for k in numbers}
    quoted = b'"' in content
    return csv.read_csv(
        pa.BufferReader(memoryview(content)[start:]),
        read_options=csv.ReadOptions(column_names=names),
        # It is faster if it need not look for quotes.
        parse_options=csv.ParseOptions(
            delimiter=separator, quote_char='"' if quoted else False, newlines_in_values=quoted
        ),
        convert_options=csv.ConvertOptions(
            column_types=types,
            decimal_point=decimal,
            null_values=_UNKNOWN,
            strings_can_be_null=False,
        ),
    )


def columns(table: Any, names: Sequence[str]) -> list[Column | Texts]:
    """The columns of a table of pyarrow, those of text by their different texts."""
    index = index_of_pandas(table.schema.pandas_metadata)
    return [
        _column(name, values, "index" if name in index else "")
        for name, values in zip(names, table.columns, strict=True)
    ]


def textual(table: Any) -> set[int]:
    """The places of the columns that hold texts, categories of them included."""
    import pyarrow as pa

    types = [
        kind.value_type if pa.types.is_dictionary(kind) else kind for kind in table.schema.types
    ]
    return {k for k, kind in enumerate(types) if _is_text(kind)}


def cells(table: Any) -> tuple[list[str], ...]:
    """The cells of every column as text, "" where a value is missing."""
    return tuple(
        ["" if value is None else str(value) for value in values.to_pylist()]
        for values in table.columns
    )


def _column(name: str, values: Any, note: str) -> Column | Texts:
    import pyarrow as pa

    kind, types = values.type, pa.types
    if types.is_dictionary(kind):
        kind = kind.value_type
        if not _is_text(kind):
            values = values.cast(kind)
    if types.is_null(kind):
        return Column(name, "number", np.full(len(values), np.nan), note=note)
    if _is_text(kind):
        whole = None if types.is_dictionary(values.type) else _whole_numbers(values)
        return _encoded(values) if whole is None else Column(name, "number", whole, note=note)
    if types.is_boolean(kind):
        return Column(name, "boolean", _floats(values), note=note)
    if types.is_integer(kind) and _is_large(values):
        # float64 does not tell them apart.
        return categorical(name, *_encoded(values), note)
    if types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind):
        return Column(name, "number", _floats(values), note=note)
    known = np.where(values.is_null().to_numpy(), np.nan, 0.0)
    dates = types.is_temporal(kind)
    return Column(name, "date" if dates else "other", known, note=note or str(kind))


def _is_text(kind: Any) -> bool:
    import pyarrow as pa

    return kind in (pa.string(), pa.large_string(), pa.string_view())


def _whole_numbers(values: Any) -> Array | None:
    """The numbers of texts that are all plain whole numbers, or empty; else None.

    Codes, which begin with 0 or have more digits than float64, are left to `from_texts`.
    """
    import pyarrow as pa
    from pyarrow import compute as pc

    values = values.cast(pa.large_string())
    lengths = pc.binary_length(values)
    if (pc.max(lengths).as_py() or 99) > 15 or not len(values):
        return None
    for start in ("0", "-0"):
        code = pc.and_(pc.starts_with(values, start), pc.greater(lengths, 1))
        if pc.any(code).as_py():
            return None
    try:
        whole = pc.cast(pc.if_else(pc.equal(lengths, 0), None, values), pa.int64())
    except pa.ArrowInvalid:
        return None
    return _floats(whole)


def _is_large(values: Any) -> bool:
    """Whether whole numbers have more than 15 digits."""
    from pyarrow import compute

    ends = compute.min_max(values).as_py().values()
    return any(end is not None and abs(end) >= 10**15 for end in ends)


def _floats(values: Any) -> Array:
    import pyarrow as pa

    if pa.types.is_float32(values.type) or pa.types.is_float16(values.type):
        # As text has them: 3.58 and not 3.5799999237060547.
        short: Array = values.to_numpy().astype(str).astype(np.float64)
        return short
    if values.type != pa.float64():
        values = values.cast(pa.float64(), safe=False)
    array: Array = values.to_numpy()
    return array


def _encoded(values: Any) -> Texts:
    """The different values as text, of a column of text or of categories.

    A conversion of categories to NumPy would have the last of them in place of a missing value.
    """
    index: dict[str, int] = {}
    codes = [np.empty(0, dtype=int)]
    for chunk in values.chunks:
        if not hasattr(chunk, "dictionary"):
            chunk = chunk.cast("large_string").dictionary_encode()
        places = [
            -1 if value is None else index.setdefault(str(value), len(index))
            for value in chunk.dictionary.to_pylist()
        ]
        codes.append(np.array([*places, -1])[chunk.indices.fill_null(len(places)).to_numpy()])
    return list(index), np.concatenate(codes)


def index_of_pandas(metadata: Mapping[str, Any] | None) -> set[str]:
    """The names of the columns that were the index of a DataFrame."""
    found = (metadata or {}).get("index_columns", [])
    return {name for name in found if isinstance(name, str)}
