"""Tables by pieces: however a table is cut, its pieces are those of the whole table."""

import csv
import gzip
import io
import os
import sys
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from frames import FORMATS, frames
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_lite.data import Encoder, arrow, open_table, read_table
from autograd_lite.data.columns import Column
from autograd_lite.data.facts import Different, Facts
from autograd_lite.row_sources import BlockError

EXAMPLES = settings(max_examples=60, deadline=None)
FEW = settings(max_examples=25, deadline=None)
CELLS = st.one_of(
    st.integers(-9, 2000).map(str),
    st.sampled_from(["0", "1", "007", "1234567890123456789", "-0", "+5", "3E5"]),
    st.sampled_from(["1.5", "2,5", "1,234", "1.234", "1,234.5", "1e3", "inf", "-Infinity"]),
    st.sampled_from(["", "NA", "none", "-", " ", "?", "nan"]),
    st.sampled_from(["true", "False", "$3", "4 %", "2019-01-02", "1:30", "2019.1"]),
    st.sampled_from(["a", "b c", "ß", 'say "so"', "two\nlines", "a,b", "\r\n", '5"']),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("pieces")


@st.composite
def texts(draw):
    """The text of a CSV file, each column mostly of one kind."""
    rows = draw(st.integers(1, 12))
    columns = []
    for _ in range(draw(st.integers(1, 3))):
        few = draw(st.lists(CELLS, min_size=1, max_size=3))
        columns.append(draw(st.lists(st.sampled_from(few), min_size=rows, max_size=rows)))
    text = io.StringIO()
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    writer = csv.writer(text, quoting=quoting, lineterminator=end, delimiter=";")
    writer.writerow([f"x{k}" for k in range(len(columns))] if len(columns) > 1 else ["x", "y"])
    for row in zip(*columns, strict=True):
        writer.writerow(row if len(row) > 1 else [*row, "z"])
    shown = text.getvalue()
    return shown if draw(st.booleans()) else shown.removesuffix(end)


def joined(pieces):
    """The columns of all pieces, each as what is known of it and its values as texts."""
    parts = [frame.columns for frame in pieces]
    for columns in zip(*parts, strict=True):
        about = {(c.name, c.kind, c.note, c.unit) for c in columns}
        assert len(about) == 1
        markers = sorted({marker for c in columns for marker in c.markers})
        values = [value for c in columns for value in shown(c)]
        yield *about.pop(), markers, values


def shown(column):
    """The values of a column; those of text as texts."""
    return column.texts().tolist() if column.kind == "text" else [*map(str, column.values)]


def check(path, piece, **options):
    """Compare pieces with the table that is read at once."""
    try:
        whole = read_table(path, cells=True, **options)
    except ValueError as error:
        with pytest.raises(ValueError) as raised:
            list(open_table(path, cells=True, piece=piece, **options))
        return str(error), str(raised.value)
    pieces = open_table(path, cells=True, piece=piece, **options)
    for _ in range(2):
        read = [*pieces]
        assert [*joined(read)] == [*joined([whole])]
        cells = [
            [cell for frame in read for cell in frame.cells[k]] for k in range(len(pieces.names))
        ]
        assert cells == [list(column) for column in whole.cells]
    assert [len(frame) for frame in read] == list(pieces.lengths)
    assert (read[0].separator, read[0].decimal) == (whole.separator, whole.decimal)
    assert len(pieces) == len(whole)
    return "", ""


@pytest.mark.parametrize("name", FORMATS)
@FEW
@given(frames(), st.integers(1, 200))
def test_pieces_of_every_format_are_those_of_the_table(folder, name, table, piece):
    FORMATS[name](table, folder / name)
    assert check(folder / name, piece) == ("", "")


@pytest.mark.parametrize("installed", [True, False])
@EXAMPLES
@given(texts(), st.integers(1, 120), st.booleans(), st.sampled_from([None, ",", "."]))
def test_texts_of_every_kind_are_found_by_pieces(folder, installed, text, piece, named, decimal):
    path = folder / "texts.csv"
    path.write_text(text, newline="", encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        if not installed:
            patch.setattr(arrow, "available", lambda: False)
        options = {"text": ["x0"] if named and "x0" in text else [], "decimal": decimal}
        error, other = check(path, piece, separator=";", **options)
    assert error == other


def wide():
    """Columns of every kind, with many and few different values."""
    numbers = st.one_of(
        st.sampled_from([0.0, 1.0, 2.0, 20190131.0, 20191231.0, -0.0]),
        st.integers(-(10**6), 10**6).map(float),
        st.floats(-1e6, 1e6),
    )
    gaps = st.one_of(numbers, st.just(np.nan))
    values = st.lists(st.one_of(gaps), min_size=1, max_size=40)
    few = st.lists(st.sampled_from([0.0, 1.0, np.nan]), min_size=1, max_size=40)
    texts = st.lists(st.sampled_from([0, 1, 2, -1]), min_size=1, max_size=40)
    counts = st.builds(
        lambda a, n: np.arange(a, a + n).astype(float), st.integers(0, 1), st.integers(1, 40)
    )
    return st.one_of(
        st.one_of(values, counts).map(lambda x: Column("x", "number", np.array(x, dtype=float))),
        few.map(lambda x: Column("x", "boolean", np.array(x))),
        texts.map(lambda x: Column("x", "text", np.array(x), ("a", "b", "c"))),
    )


@EXAMPLES
@given(wide(), st.lists(st.integers(0, 40), max_size=5))
def test_facts_of_pieces_are_those_of_the_column(column, ends):
    ends = sorted({0, len(column), *(end for end in ends if end < len(column))})
    first, *others = [column.take(slice(*pair)) for pair in pairwise(ends)]
    whole, facts = Facts.of(column), Facts.of(first, most=50)
    for part in others:
        facts.add(part)
    for name in ("rows", "missing", "low", "high", "whole", "days", "infinite", "present"):
        assert getattr(facts, name) == getattr(whole, name), name
    if column.kind == "number":
        assert facts.counts_rows == whole.counts_rows == column.counts_rows
        assert facts.whole == column.whole
        np.testing.assert_allclose(facts.mean, whole.mean, rtol=1e-12, atol=1e-9)
    assert facts.different.values.tolist() == whole.different.values.tolist()
    assert facts.different.counts.tolist() == whole.different.counts.tolist()


@given(st.integers(1, 9), st.integers(0, 10**6))
def test_many_different_values_are_counted_about(repeats, seed):
    values = np.random.default_rng(seed).permutation(np.repeat(np.arange(20_000.0), repeats))
    different = Different(most=1000)
    for part in np.array_split(values, 7):
        different.add(*np.unique(part, return_counts=True))
    assert different.values is None
    assert abs(len(different) / 20_000 - 1) < 0.08  # five standard deviations


LINES = [f"{k}.5,{'ab'[k % 2]}" for k in range(30)]


@pytest.mark.parametrize("installed", [True, False])
@pytest.mark.parametrize("bad", ["1,2,3", "1", "1\0,a", b"\xff,a", '"1,a', '1,"a'])
@FEW
@given(st.integers(0, 30), st.integers(10, 200))
def test_what_is_wrong_with_a_line_is_said_of_the_same_line(folder, installed, bad, place, piece):
    lines = [line.encode() for line in LINES]
    lines.insert(place, bad if isinstance(bad, bytes) else bad.encode())
    path = folder / "wrong.csv"
    path.write_bytes(b"x,y\n" + b"\n".join(lines) + b"\n")
    with pytest.MonkeyPatch.context() as patch:
        if not installed:
            patch.setattr(arrow, "available", lambda: False)
        error, other = check(path, piece)
    assert error == other != ""


def test_a_row_that_never_ends_is_an_error(tmp_path, monkeypatch):
    monkeypatch.setattr("autograd_lite.data.pieces.PIECE", 100)
    path = tmp_path / "endless.csv"
    path.write_text("x,y\n1,a\n" + "2" * 10_000)
    with pytest.raises(ValueError, match=r"endless\.csv, line 3: no row ends in .* a quote that"):
        open_table(path, piece=10)


def test_a_damaged_gzip_file_is_an_error(tmp_path):
    path = tmp_path / "cut.csv.gz"
    path.write_bytes(gzip.compress(b"x,y\n" + b"1,a\n" * 10_000)[:-20])
    with pytest.raises(ValueError, match=r"cut\.csv\.gz is a damaged gzip file"):
        open_table(path, piece=1000)


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_a_file_that_changes_between_two_passes_is_an_error(tmp_path, suffix):
    path = tmp_path / f"table.{suffix}"
    table = pd.DataFrame({"x": np.arange(500.0) / 2, "y": "a"})
    write = {"csv": lambda t: t.to_csv(path, index=False), "parquet": lambda t: t.to_parquet(path)}
    write[suffix](table)
    pieces = open_table(path, piece=800)
    write[suffix](table[:300])
    with pytest.raises(BlockError, match=r"table\..* has changed since it was opened"):
        list(pieces)
    path.unlink()
    with pytest.raises(BlockError, match=r"table\..* was there when it was opened"):
        list(pieces)


def test_other_content_at_the_same_time_and_size_names_the_line(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("x,y\n" + "1.5,a\n" * 100)
    state = os.stat(path)
    pieces = open_table(path, piece=120)
    path.write_text("x,y\n" + "1.5,a\n" * 60 + "abc,a\n" * 40)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    with pytest.raises(
        BlockError, match=r"table\.csv, from line 61 on: column 'x' has 'abc', which"
    ):
        list(pieces)


def test_the_files_of_a_folder_are_one_table(tmp_path):
    for k in range(12):
        (tmp_path / f"part-{k}.csv").write_text(f"x,y\n{k},a\n{k}.5,b\n")
    (tmp_path / ".hidden").write_text("z\n")
    pieces = open_table(tmp_path, piece=5)
    assert pieces.rows(["x"]).read()[:, 0].tolist() == [k / 2 for k in range(24)]
    assert {frame.column("x").kind for frame in pieces} == {"number"}
    (tmp_path / "part-3.csv").write_text("x,z\n1,a\n")
    with pytest.raises(
        ValueError, match=r"part-3\.csv has the columns x, z, but .*part-0\.csv has"
    ):
        open_table(tmp_path)
    with pytest.raises(ValueError, match="is a folder without files"):
        open_table(tmp_path / "empty" if (tmp_path / "empty").mkdir() is None else "")


@EXAMPLES
@given(
    st.lists(st.tuples(*[st.floats(-100, 100).map(lambda x: round(x, 3))] * 3), min_size=1),
    st.integers(1, 99),
)
def test_rows_are_the_numbers_of_the_columns(folder, rows, piece):
    path = folder / "numbers.csv"
    pd.DataFrame(rows, columns=["a", "b", "c"]).to_csv(path, index=False)
    found = open_table(path, piece=piece).rows(["c", "a"])
    expected = np.array(rows)[:, [2, 0]]
    assert found.shape == expected.shape
    for _ in range(2):
        np.testing.assert_array_equal(np.concatenate([*found]), expected)
    np.testing.assert_array_equal(found[:, 0].read(), expected[:, 0])
    np.testing.assert_array_equal(found.where(lambda k: k % 2 == 0).read(), expected[::2])


def test_rows_of_text_are_refused(tmp_path):
    (tmp_path / "t.csv").write_text("x,y\n1,a\n2,b\n")
    pieces = open_table(tmp_path / "t.csv")
    with pytest.raises(ValueError, match="column 'y' holds text, not numbers"):
        pieces.rows()
    with pytest.raises(ValueError, match="has no column 'z'"):
        pieces.rows(["z"])


def test_standard_input_is_read_again_and_again(monkeypatch):
    content = io.TextIOWrapper(io.BytesIO(b"x,y\n" + b"1,a\n2.5,b\n" * 20))
    monkeypatch.setattr(sys, "stdin", content)
    pieces = open_table("-", piece=30)
    name = pieces._files[0].path
    for _ in range(2):
        assert sum(frame.column("x").values.sum() for frame in pieces) == 70
    assert name.exists()
    del pieces
    assert not name.exists()


@pytest.mark.parametrize("missing", ["mean", "indicator", "drop"])
@EXAMPLES
@given(frames(), st.integers(1, 200))
def test_pieces_are_encoded_as_the_table(folder, missing, table, piece):
    path = folder / "encoded.csv"
    FORMATS["pandas.csv"](table, path)
    whole = read_table(path)
    if not any(len(column) > column.missing.sum() for column in whole.columns):
        return
    pieces = open_table(path, piece=piece)
    facts = {column.name: Facts.of(column) for column in pieces.frame.columns}
    for frame in pieces:
        for column in frame.columns:
            facts[column.name].add(column)
    expected, found = Encoder.learn(whole, missing), Encoder.learn(pieces.frame, missing, facts)
    assert found.names == expected.names
    for feature, other in zip(found.features, expected.features, strict=True):
        np.testing.assert_allclose(feature.means, other.means, rtol=1e-12, atol=1e-9)
    encoded = np.concatenate([expected.encode(frame) for frame in pieces])
    np.testing.assert_array_equal(encoded, expected.encode(whole))
    np.testing.assert_allclose(found.encode(whole), expected.encode(whole), rtol=1e-12, atol=1e-9)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "cp1252"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@FEW
@given(st.integers(1, 200), st.booleans())
def test_pieces_of_every_encoding_and_line_end(folder, encoding, end, piece, quoted):
    path = folder / "encoded.csv"
    cell = f'"ä{end}ß"' if quoted else "äß"
    rows = ["größe;wert", *(f"{k},25;{cell}" for k in range(20))]
    path.write_bytes((end.join(rows) + end).encode(encoding))
    options = {"encoding": encoding} if encoding == "cp1252" else {}
    assert check(path, piece, **options) == ("", "")
    assert quoted or piece > 20 or len(open_table(path, piece=piece, **options).lengths) > 3
