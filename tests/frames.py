"""Tables of every kind of column, and every way to write them, for the tests of reading."""

import math

import numpy as np
import pandas as pd
import polars as pl
from hypothesis import strategies as st

from autograd_lite.data.cells import is_date, is_missing, number


def is_plain_text(text):
    """Whether a text stays the text that it is when a table is read."""
    return bool(
        text.strip() == text
        and not is_missing(text)
        and number(text) is None
        and number(text, ",") is None
        and text.lower() not in ("true", "false")
        and not is_date(text)
        and "\0" not in text
        and "\r" not in text
    )


WORDS = st.text(st.sampled_from("abcxyzÄß日;,|\t\"'\n =@#%&-_.1"), min_size=1, max_size=6).filter(
    is_plain_text
)
NAMES = st.text(st.sampled_from("abcdeÄ ;,\"'1_"), min_size=1, max_size=6).map(str.strip)
NUMBERS = st.one_of(
    st.integers(-(10**6), 10**6).map(float),
    st.floats(-1e6, 1e6, allow_subnormal=False).filter(lambda x: math.isfinite(x)),
)


@st.composite
def frames(draw):
    """A DataFrame of pandas: numbers, booleans, text and categories, some of them missing."""
    rows = draw(st.integers(2, 8))
    names = draw(st.lists(NAMES.filter(bool), min_size=2, max_size=5, unique=True))
    columns = {}
    for name in names:
        kind = draw(st.sampled_from(["float", "int", "bool", "text", "category"]))
        gaps = draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
        gaps = gaps if kind != "int" and not all(gaps) else [False] * rows
        if kind in ("text", "category"):
            words = draw(st.lists(WORDS, min_size=1, max_size=3, unique=True))
            values = draw(st.lists(st.sampled_from(words), min_size=rows, max_size=rows))
        else:
            of = {"float": NUMBERS, "int": st.integers(-(10**6), 10**6), "bool": st.booleans()}
            values = draw(st.lists(of[kind], min_size=rows, max_size=rows))
        values = [None if gap else value for gap, value in zip(gaps, values, strict=True)]
        dtype = {"float": float, "int": "int64", "bool": "boolean", "text": "str"}.get(kind, kind)
        columns[name] = pd.Series(values, dtype=dtype)
    return pd.DataFrame(columns)


def written_by_polars(table, path, **options):
    pl.from_pandas(table).write_csv(path, **options)


FORMATS = {
    "pandas.csv": lambda t, path: t.to_csv(path, index=False),
    "pandas.tsv": lambda t, path: t.to_csv(path, index=False, sep="\t"),
    "pandas-comma.csv": lambda t, path: t.to_csv(path, index=False, sep=";", decimal=","),
    "pandas.csv.gz": lambda t, path: t.to_csv(path, index=False),
    "pandas.parquet": lambda t, path: t.to_parquet(path),
    "pandas.feather": lambda t, path: t.to_feather(path),
    "polars.csv": written_by_polars,
    "polars-pipe.csv": lambda t, path: written_by_polars(t, path, separator="|"),
    "polars-comma.csv": lambda t, path: written_by_polars(
        t, path, separator=";", decimal_comma=True
    ),
    "polars.parquet": lambda t, path: pl.from_pandas(t).write_parquet(path),
    "polars.arrow": lambda t, path: pl.from_pandas(t).write_ipc(path),
    "polars.stream": lambda t, path: pl.from_pandas(t).write_ipc_stream(path),
}
"""How to write a table, by the name of the file."""


def same(column, other):
    """Whether two columns hold the same, whatever they were read from."""
    return (column.name, column.kind, column.categories) == (
        other.name,
        other.kind,
        other.categories,
    ) and np.array_equal(column.values, other.values, equal_nan=True)
