"""Which columns are learned from, and why not from the others."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_lite.data import read_table
from autograd_lite.data.selection import select

RANDOM = np.random.default_rng(0)
ROWS = 60
PLAIN = {"x": RANDOM.normal(size=ROWS), "y": np.arange(ROWS) % 2}


def decided(tmp_path, columns=None, drop=(), **table):
    """The names of the columns that are kept, and the reasons of the others."""
    pd.DataFrame(PLAIN | table).to_csv(tmp_path / "table.csv", index=False)
    kept, left = select(read_table(tmp_path / "table.csv"), "y", columns=columns, drop=drop)
    return kept.names, {decision.name: decision.done for decision in left}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("Unnamed: 0", np.arange(ROWS)),
        ("Unnamed: 0.1", RANDOM.permutation(ROWS)),
        ("__index_level_0__", np.repeat(np.arange(ROWS // 2), 2)),
        ("level_0", np.arange(5, ROWS + 5)),
        ("Order", np.arange(1, ROWS + 1)),
        ("anything", np.arange(ROWS)),
        ("PassengerId", RANDOM.permutation(ROWS) + 1),
        ("customer_id", RANDOM.permutation(10**6)[:ROWS]),
        ("ID", np.r_[np.arange(7, ROWS), np.arange(7)]),
        ("Name", [f"person {k}" for k in range(ROWS)]),
        ("ticket", [f"t{k % 40}" for k in range(ROWS)]),
    ],
)
def test_what_tells_rows_apart_is_left_out(tmp_path, name, values):
    kept, left = decided(tmp_path, **{name: values})
    assert kept == ["x"]
    assert left[name].startswith("left out: ")
    assert left[name].endswith("--columns keeps it")
    assert decided(tmp_path, columns=["x", name], **{name: values})[0] == ["x", name]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("valid", RANDOM.permutation(ROWS)),
        ("grid", RANDOM.permutation(ROWS)),
        ("casino", RANDOM.permutation(ROWS)),
        ("smoking_no", RANDOM.permutation(ROWS)),
        ("year", np.arange(1960, 1960 + ROWS)),
        ("id", np.arange(ROWS) % 3),
        ("ID", RANDOM.normal(size=ROWS)),
        ("colour", np.array(["red", "green", "blue"])[np.arange(ROWS) % 3]),
        ("drug", np.array(["none", "aspirin"])[np.arange(ROWS) % 2]),
    ],
)
def test_what_only_looks_like_it_is_kept(tmp_path, name, values):
    assert decided(tmp_path, **{name: values})[0] == ["x", name]


def test_a_short_table_keeps_what_counts_its_rows(tmp_path):
    pd.DataFrame({"hours": range(1, 11), "y": [0, 1] * 5}).to_csv(tmp_path / "t.csv", index=False)
    assert select(read_table(tmp_path / "t.csv"), "y")[0].names == ["hours"]
    pd.DataFrame({"t": range(100), "y": [0, 1] * 50}).to_csv(tmp_path / "t.csv", index=False)
    assert select(read_table(tmp_path / "t.csv"), "y")[0].names == ["t"]


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ([7] * ROWS, "it is always 7"),
        (["a"] * ROWS, "it is always a"),
        ([True] * ROWS, "it is always True"),
        ([None] * ROWS, "it has no values"),
        (["a", None] * (ROWS // 2), "it is always a or missing"),
    ],
)
def test_what_says_nothing_is_left_out(tmp_path, values, reason):
    kept, left = decided(tmp_path, c=values)
    assert (kept, left) == (["x"], {"c": f"left out: {reason}"})


@given(st.integers(0, 10**4))
def test_dates_in_many_writings_are_refused(tmp_path_factory, day):
    tmp_path = tmp_path_factory.mktemp("dates")
    days = pd.Timestamp("1995-03-01") + pd.to_timedelta(day + np.arange(ROWS) * 17, unit="D")
    for form in (
        "%Y-%m-%d",
        "%d.%m.%Y",
        "%m/%d/%y",
        "%Y%m%d",
        "%Y-%m-%d %H:%M",
        "%b %d, %Y",
        "%Y-%m",
    ):
        with pytest.raises(ValueError, match=r"column 'd' holds dates or times; .* --drop 'd'"):
            decided(tmp_path, d=days.strftime(form))
    for kind in ("datetime64[s]", "datetime64[ns, UTC]"):
        when = days.tz_localize("UTC") if "UTC" in kind else days
        pd.DataFrame(PLAIN | {"d": when.astype(kind)}).to_parquet(tmp_path / "d.parquet")
        with pytest.raises(ValueError, match="column 'd' holds dates or times"):
            select(read_table(tmp_path / "d.parquet"), "y")
    kept, left = decided(tmp_path, drop=["d"], d=days)
    assert (kept, left) == (["x"], {"d": "left out, as asked for"})


def test_all_bad_columns_are_in_one_message(tmp_path):
    table = pd.DataFrame(
        PLAIN
        | {
            "when": pd.date_range("2020", periods=ROWS),
            "several": [[1, 2]] * ROWS,
            "age": [*map(str, RANDOM.normal(size=ROWS - 1)), "twelve"],
            "big": [np.inf, *range(ROWS - 1)],
            "day": [*pd.date_range("2020", periods=ROWS - 1).strftime("%Y-%m-%d"), "unknown"],
        }
    )
    table.to_parquet(tmp_path / "bad.parquet")
    with pytest.raises(ValueError, match="--drop") as failure:
        select(read_table(tmp_path / "bad.parquet"), "y")
    text = str(failure.value)
    assert "\n" not in text
    for part in (
        "column 'when' holds dates",
        "column 'several' holds values of type list<",
        "column 'age' holds numbers or dates, but also 'twelve'",
        "column 'big' holds an infinite number",
        "column 'day' holds numbers or dates, but also 'unknown'",
        "--drop 'when,several,age,big,day'",
    ):
        assert part in text
    kept, _ = select(read_table(tmp_path / "bad.parquet"), "y", columns=["x"])
    assert kept.names == ["x"]


def test_infinity_in_a_column_of_few_numbers(tmp_path):
    with pytest.raises(ValueError, match="column 'c' holds numbers or dates, but also 'inf'"):
        decided(tmp_path, c=["1", "inf", "3"] * (ROWS // 3))


def test_names_that_are_not_there(tmp_path):
    for options in ({"columns": ["z"]}, {"drop": ["z"]}):
        with pytest.raises(ValueError, match="has no column 'z'"):
            decided(tmp_path, **options)
    pd.DataFrame(PLAIN).to_csv(tmp_path / "t.csv")
    with pytest.raises(ValueError, match="has no column 'Y'; did you mean 'y'"):
        read_table(tmp_path / "t.csv").column("Y")


def test_nothing_is_left(tmp_path):
    with pytest.raises(ValueError, match="no column to learn from besides the target 'y': 'x' is"):
        decided(tmp_path, drop=["x"])
