"""Reading tables: the same columns from every format, sign by sign, and errors that say where."""

import gzip
import io
import sys

import numpy as np
import pandas as pd
import polars as pl
import pytest
from frames import FORMATS, WORDS, frames, same
from hypothesis import example, given, settings
from hypothesis import strategies as st

from autograd_lite.data import arrow, read_table
from autograd_lite.data.cells import MISSING, is_null, number

EXAMPLES = settings(max_examples=40)


def expected(table):
    """The values of a DataFrame as numbers and texts, without reading it."""
    columns = {}
    for name, series in table.items():
        values = [None if pd.isna(value) else value for value in series]
        text = any(isinstance(value, str) for value in values)
        columns[str(name)] = values if text else [np.nan if v is None else float(v) for v in values]
    return columns


def found(frame):
    columns = {}
    for column in frame.columns:
        if column.kind == "text":
            texts = np.array([*column.categories, None], dtype=object)
            columns[column.name] = texts[column.values].tolist()
        else:
            columns[column.name] = column.values.tolist()
    return columns


def equal(one, other):
    return one.keys() == other.keys() and all(
        len(one[name]) == len(other[name])
        and all(a == b or (a != a and b != b) for a, b in zip(one[name], other[name], strict=True))
        for name in one
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("tables")


@pytest.mark.parametrize("name", FORMATS)
@EXAMPLES
@given(table=frames())
def test_what_was_written_is_read(folder, name, table):
    path = folder / name
    FORMATS[name](table, path)
    assert equal(found(read_table(path)), expected(table))


@EXAMPLES
@given(table=frames())
def test_without_pyarrow_text_is_read_all_the_same(folder, table):
    for name in ("pandas.csv", "pandas-comma.csv", "pandas.csv.gz", "polars-pipe.csv"):
        FORMATS[name](table, folder / name)
        frame = read_table(folder / name)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(arrow, "available", lambda: False)
            plain = read_table(folder / name)
        assert all(same(a, b) for a, b in zip(frame.columns, plain.columns, strict=True))
        assert (frame.separator, frame.decimal) == (plain.separator, plain.decimal)


@EXAMPLES
@given(st.lists(st.floats(-1e12, 1e12), min_size=2, max_size=6), st.data())
def test_thousands_and_decimal_signs(folder, values, data):
    sign = data.draw(st.sampled_from(".,"))
    group = data.draw(st.sampled_from([",", " ", "\u00a0", "\u202f", "'", "’"]))
    group = "." if (sign, group) == (",", ",") else group
    values = [round(value, 2) for value in values]
    cells = [f"{value:,.2f}".translate(str.maketrans({",": group, ".": sign})) for value in values]
    path = folder / "numbers.csv"
    pd.DataFrame({"x": cells, "y": "a"}).to_csv(path, index=False, sep=";")
    frame = read_table(path)
    assert frame.columns[0].values.tolist() == values
    assert frame.decimal == sign


@given(st.from_regex(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}", fullmatch=True))
def test_a_sign_that_is_not_clear_is_asked_for(folder, cell):
    path = folder / "unclear.csv"
    path.write_text(f"x;y\n{cell};a\n{cell};b\n")
    with pytest.raises(ValueError, match="may have a decimal sign or whole thousands"):
        read_table(path)
    for sign, value in ((",", cell.replace(",", ".")), (".", cell.replace(",", ""))):
        assert read_table(path, decimal=sign).columns[0].values[0] == float(value)
    # Where the comma separates values, one in a value is for thousands.
    path.write_text(f'x,y\n"{cell}",a\n"{cell}",b\n')
    assert read_table(path).columns[0].values[0] == float(cell.replace(",", ""))


@given(st.sampled_from(sorted(MISSING)), st.sampled_from([str, str.upper, str.title]))
def test_missing_values(folder, marker, form):
    marker = form(marker)
    (folder / "gaps.csv").write_text(
        f"x,t,d\n1,a,2020-01-01\n {marker} ,b,{marker}\n3,{marker},1:00\n"
    )
    x, t, d = read_table(folder / "gaps.csv").columns
    assert x.missing.tolist() == d.missing.tolist() == [False, True, False]
    assert (x.kind, d.kind, t.kind) == ("number", "date", "text")
    # Among texts "none" and "-" are texts.
    assert t.missing.tolist() == [False, False, is_null(marker)]
    assert t.markers == ((marker,) if marker and is_null(marker) else ())


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["12%", "7 %"], "number"),
        (["$1,234.50", "-$3", "$ 4"], "number"),
        (["00123.50", "1.5"], "number"),
        (["−1.5", "2"], "number"),
        (["01234", "98765"], "text"),
        (["3E5", "1E2"], "text"),
        (["1e+05", "1.5E3", "2e-3"], "number"),
        (["9007199254740993", "9007199254740992"], "text"),
        (["2020-01-31", "2020-02-01 10:30"], "date"),
        (["31.1.2020", "1/2/20"], "date"),
        (["Jan 2019", "5 Feb 2020"], "date"),
        (["2019-01", "2019-W07"], "date"),
        (["10:30", "9:15 pm"], "date"),
        (["TRUE", "False"], "boolean"),
        (["yes", "no"], "text"),
        (["A1", "A2"], "text"),
        (["1 234", "5"], "number"),
    ],
)
def test_what_cells_say(folder, cells, kind):
    pd.DataFrame({"x": cells, "y": "a"}).to_csv(folder / "cells.csv", index=False)
    column = read_table(folder / "cells.csv").columns[0]
    assert column.kind == kind
    if kind == "text":
        assert set(column.categories) == set(cells)


@pytest.mark.parametrize("late", ["00", "1E5", "-007", "123456789012345678", "inf", "1,500"])
def test_what_a_column_is_does_not_depend_on_the_order_of_rows(folder, late):
    rows = [f"{k};a" for k in range(40_000)]
    found = []
    for order in ([*rows, f"{late};b"], [f"{late};b", *rows]):
        (folder / "order.csv").write_text("\n".join(["x;y", *order]))
        try:
            column = read_table(folder / "order.csv").columns[0]
        except ValueError as error:
            found.append(str(error))
        else:
            found.append((column.kind, column.note, set(column.categories)))
    assert found[0] == found[1]


@pytest.mark.parametrize("cells", [["5%", "6%", "0.05"], ["$5", "$6", "€5"], ["5", "6", "7 €"]])
@pytest.mark.parametrize("order", [1, -1])
def test_units_are_not_mixed(folder, cells, order):
    pd.DataFrame({"x": (cells * 2)[::order], "y": "a"}).to_csv(folder / "u.csv", index=False)
    column = read_table(folder / "u.csv").columns[0]
    assert (column.kind, column.note) == ("text", cells[2])


def test_the_units_are_left_out(folder):
    (folder / "u.csv").write_text('x;y\n12 %;"$1,234.50"\n-7%;-$3\n')
    frame = read_table(folder / "u.csv")
    assert [column.values.tolist() for column in frame.columns] == [[12, -7], [1234.5, -3]]
    assert [column.unit for column in frame.columns] == ["%", "$"]


@pytest.mark.parametrize("missing", [True, False])
def test_categories_keep_what_is_missing(folder, missing):
    table = pd.DataFrame({"k": pd.Categorical(["b", None, "a", "b"], categories=["a", "b", "c"])})
    for name in ("pandas.parquet", "pandas.feather", "polars.arrow"):
        FORMATS[name](table, folder / name)
        (column,) = read_table(folder / name).columns
        assert column.values.tolist() == [1, -1, 0, 1]
        assert column.categories == ("a", "b")


def test_categories_of_numbers_are_numbers_as_in_text(folder):
    table = pd.DataFrame({"k": pd.Categorical([3, None, 1, 3])})
    for name in ("pandas.csv", "pandas.parquet", "pandas.feather"):
        FORMATS[name](table.assign(x="a"), folder / name)
        column = read_table(folder / name).columns[0]
        assert column.kind == "number"
        np.testing.assert_array_equal(column.values, [3, np.nan, 1, 3])


def test_a_value_that_is_not_like_the_first_ones(folder):
    rows = [f"{k},{k}.5" for k in range(30_000)]
    for last, kind in (('"1,234",7', "number"), ("twelve,7", "text")):
        (folder / "late.csv").write_text("\n".join(["x,y", *rows, last]))
        x, y = read_table(folder / "late.csv").columns
        assert x.kind == kind
        assert y.values[-1] == 7
        assert len(x) == len(rows) + 1
    assert x.note == "twelve"


def test_other_cells_in_several_columns_of_numbers(folder):
    rows = [f"{k}.5,{k}.25,{k}.125" for k in range(20_000)]
    (folder / "late.csv").write_text("\n".join(["x,y,z", *rows, "oops,1.5,ouch"]))
    x, y, z = read_table(folder / "late.csv").columns
    assert (x.kind, x.note, y.kind, z.kind, z.note) == ("text", "oops", "number", "text", "ouch")


def test_a_decimal_comma_that_comes_late(folder):
    rows = [f"{k};1.{k:03d}" for k in range(999)] * 20
    (folder / "late.csv").write_text("\n".join(["x;y", *rows, "1,5;2.000"]))
    frame = read_table(folder / "late.csv")
    assert frame.decimal == ","
    assert frame.columns[1].values[:2].tolist() == [1000, 1001]
    assert frame.columns[0].values[-1] == 1.5


@pytest.mark.parametrize(
    ("index", "noted"),
    [([0, 1, 2], True), ([5, 9, 7], True), ([1, 1, 2], True), ([1.5, 2, 3], False)],
)
def test_the_index_of_pandas(folder, index, noted):
    table = pd.DataFrame({"x": [1.5, 2.5, 3.5]}, index=index)
    table.to_csv(folder / "index.csv")
    first = read_table(folder / "index.csv").columns[0]
    assert (first.name, first.note == "index") == ("Unnamed: 0", noted)
    table.to_parquet(folder / "index.parquet")
    columns = read_table(folder / "index.parquet").columns
    assert all(column.note == "index" for column in columns[1:])


def test_an_index_that_was_written_again(folder):
    table = pd.DataFrame({"x": [1.5, 2.5, 3.5]}, index=[3, 1, 2])
    table.to_csv(folder / "once.csv")
    pd.read_csv(folder / "once.csv").to_csv(folder / "twice.csv")
    table.to_parquet(folder / "index.parquet")
    pl.read_parquet(folder / "index.parquet").write_csv(folder / "polars.csv")
    table.reset_index().reset_index().to_csv(folder / "reset.csv", index=False)
    for name, count in (("twice.csv", 2), ("polars.csv", 1), ("reset.csv", 1)):
        columns = read_table(folder / name).columns
        assert len({column.name for column in columns}) == len(columns)
        assert sum(column.note == "index" for column in columns) == count


def test_short_floats_are_those_of_the_text(folder):
    table = pd.DataFrame({"x": np.array([3.58, 0.1, np.nan, 1e-30], dtype=np.float32), "y": 1.0})
    table.to_parquet(folder / "short.parquet")
    table.to_csv(folder / "short.csv", index=False)
    columns = [read_table(folder / f"short.{kind}").columns[0] for kind in ("parquet", "csv")]
    np.testing.assert_array_equal(columns[0].values, [3.58, 0.1, np.nan, 1e-30])
    assert same(*columns)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_encodings_that_say_what_they_are(folder, encoding):
    (folder / "e.csv").write_bytes("Größe,t\n1,ä\n2,ß\n".encode(encoding))
    frame = read_table(folder / "e.csv")
    assert frame.names == ["Größe", "t"]
    assert frame.columns[1].categories == ("ß", "ä")


def test_other_encodings_are_asked_for(folder):
    (folder / "e.csv").write_bytes("t,u\nä,1\nß,2\n".encode("cp1252"))
    with pytest.raises(ValueError, match=r"e\.csv is not a text file \(UTF-8\).*--encoding"):
        read_table(folder / "e.csv")
    assert read_table(folder / "e.csv", encoding="cp1252").columns[0].categories == ("ß", "ä")
    with pytest.raises(ValueError, match="there is no such encoding"):
        read_table(folder / "e.csv", encoding="cp0")


def test_standard_input(monkeypatch):
    class Input:
        buffer = io.BytesIO(gzip.compress(b"a,b\n1,x\n2,y\n"))

    monkeypatch.setattr(sys, "stdin", Input)
    frame = read_table("-")
    assert (frame.source, frame.names) == ("standard input", ["a", "b"])


@EXAMPLES
@given(table=frames())
@example(pd.DataFrame({"a": ["=1+1", "x"], "b": [1.0, 2.0]}))
def test_the_cells_are_kept_as_they_are(folder, table):
    path = folder / "cells.csv"
    table.to_csv(path, index=False)
    frame = read_table(path, cells=True)
    again = pd.read_csv(path, dtype=str, keep_default_na=False, skip_blank_lines=False)
    assert [list(cells) for cells in frame.cells] == [again[name].tolist() for name in again]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"a,b\n", "has a header but no rows"),
        (b"a,b\n1,2\n3\n", "line 3: 1 values where the header has 2"),
        (b"a,b\n1,2\n\n3,4,5\n", "line 4: 3 values where the header has 2"),
        (b"a,b,a\n1,2,3\n", "more than one column named 'a'"),
        (b'a,b\n"1,2\n', "is not a CSV file: line 2"),
        (b'a,b\n1,"2\n3,4\n5,6\n', "is not a CSV file: line 4"),
        (b'a,b\n1,"2\n3,"4\n', "is not a CSV file: line 3"),
        (b"a,b\n1,\x002\n", "line 2 has a NUL"),
        (b"a;b\n1,5;1.5\n2,5;2.5\n", "column 'b' .1.5. has a decimal point and column 'a' .1,5."),
        (b"PAR1PAR1", "cannot be read"),
        (b"PK\x03\x04...", "not a text file but a zip file"),
        (b"sep=;\na;b\n1;2\n", "delete the first line, sep="),
        (b"x,y\n1,a,\n2,b,\n", "line 2: 3 values where the header has 2"),
        (b"x;y\n1.100;a\n2.200;b\n", "'1.100' may have a decimal sign or whole thousands"),
        (b"ARROW1\0\0", "cannot be read"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-9], "damaged gzip"),
    ],
)
def test_errors_say_where(folder, content, message):
    (folder / "bad.csv").write_bytes(content)
    with pytest.raises(ValueError, match=message) as failure:
        read_table(folder / "bad.csv")
    assert "bad.csv" in str(failure.value)
    assert "\n" not in str(failure.value)


def test_parquet_without_pyarrow_says_what_to_install(folder, monkeypatch):
    pd.DataFrame({"x": [1]}).to_parquet(folder / "x.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(ImportError, match=r"pip install \"autograd_lite\[tables\]\""):
        read_table(folder / "x.parquet")


@given(WORDS)
def test_words_are_no_numbers(word):
    assert number(word) is None


def test_no_column_without_a_name_if_another_separator_leaves_none(tmp_path):
    (tmp_path / "signs.csv").write_text("1,;\n;,0.0\n;,0.5\n")
    frame = read_table(tmp_path / "signs.csv")
    assert frame.names == ["1", ";"]
    assert frame.columns[1].values.tolist() == [0, 0.5]
