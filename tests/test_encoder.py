"""From columns to numbers and back."""

import json

import numpy as np
import pytest
from frames import FORMATS, frames, same
from hypothesis import given
from hypothesis import strategies as st

from autograd_lite.data import Encoder, Frame, read_table
from autograd_lite.data.columns import Column
from autograd_lite.models.inputs import scaled, standard

MISSING = ("drop", "mean", "indicator")


@st.composite
def tables(draw, rows=None):
    """A table of numbers, booleans and text, some missing; each column has a value."""
    rows = rows or draw(st.integers(1, 6))
    columns = []
    for k in range(draw(st.integers(1, 4))):
        kind = draw(st.sampled_from(["number", "boolean", "text"]))
        categories = ("a", "b", "c=d")[: draw(st.integers(1, 3))] if kind == "text" else ()
        of = {
            "number": st.floats(-1e6, 1e6).map(lambda x: round(x, 4)),
            "boolean": st.sampled_from([0.0, 1.0]),
            "text": st.integers(0, len(categories) - 1) if categories else st.nothing(),
        }
        values = np.array(draw(st.lists(of[kind], min_size=rows, max_size=rows)))
        gaps = draw(st.lists(st.booleans(), min_size=rows, max_size=rows))
        gaps[draw(st.integers(0, rows - 1))] = False
        values = np.where(gaps, -1 if kind == "text" else np.nan, values)
        values = values.astype(int if kind == "text" else float)
        columns.append(Column(f"c{k}", kind, values, categories))
    return Frame("table.csv", tuple(columns))


@given(tables(), st.sampled_from(MISSING))
def test_what_is_encoded_is_decoded(table, missing):
    encoder = Encoder.learn(table, missing)
    X = encoder.encode(table)
    assert X.shape == (len(table), len(encoder.names))
    for column, back in zip(table.columns, encoder.decode(X), strict=True):
        there = ~column.missing
        assert (back.name, back.kind) == (column.name, column.kind)
        np.testing.assert_array_equal(back.texts()[there], column.texts()[there])


@given(tables())
def test_what_stands_for_a_missing_value(table):
    mean, drop = Encoder.learn(table, "mean"), Encoder.learn(table, "drop")
    X, N = mean.encode(table), drop.encode(table)
    np.testing.assert_array_equal(
        np.isnan(N).any(axis=1), np.any([c.missing for c in table.columns], axis=0)
    )
    np.testing.assert_array_equal(X[~np.isnan(N)], N[~np.isnan(N)])
    expected = np.broadcast_to(np.nanmean(N, axis=0), N.shape)
    np.testing.assert_allclose(X[np.isnan(N)], expected[np.isnan(N)], rtol=1e-12, atol=1e-9)
    encoder = Encoder.learn(table, "indicator")
    both = encoder.encode(table)
    for name in [name for name in encoder.names if name.endswith(" is missing")]:
        column = table.column(name.removesuffix(" is missing"))
        np.testing.assert_array_equal(both[:, encoder.names.index(name)], column.missing)
    others = [k for k, name in enumerate(encoder.names) if not name.endswith(" is missing")]
    np.testing.assert_array_equal(both[:, others], X)
    assert len(both.T) - len(others) == sum(column.missing.any() for column in table.columns)


@given(tables(rows=5), st.permutations(range(5)), st.sampled_from(MISSING), st.randoms())
def test_the_order_of_rows_and_columns_does_not_matter(table, order, missing, random):
    encoder = Encoder.learn(table, missing)
    columns = [*table.columns, Column("other", "date", np.zeros(5))]
    random.shuffle(columns)
    moved = Frame("moved.csv", tuple(columns)).take(np.array(order))
    np.testing.assert_array_equal(encoder.encode(moved), encoder.encode(table)[np.array(order)])


@given(tables(), st.sampled_from(MISSING))
def test_there_and_back_as_json(table, missing):
    encoder = Encoder.learn(table, missing)
    assert Encoder.from_json(encoder.to_json()) == encoder


@given(tables())
def test_damaged_json_is_one_error(table):
    content = json.loads(Encoder.learn(table).to_json())
    first = content["features"][0]
    for damage in (
        {"features": []},
        {"missing": "zero"},
        {"features": [first | {"kind": "date"}]},
        {"features": [first | {"means": []}]},
        {"features": [first | {"means": [float("nan")] * 3}]},
        {"features": [first | {"indicator": 1}]},
        {"features": [first | {"more": 1}]},
        {"features": [{}]},
        {"features": [first, first]},
        {"features": [first | {"name": None}]},
        {"features": [first | {"means": "5"}]},
        {"features": [first | {"kind": "text", "categories": "ab", "means": [0.0, 1.0]}]},
        {"features": [first | {"kind": "text", "categories": [], "means": []}]},
        {"features": None},
    ):
        with pytest.raises(ValueError, match="it does not say how"):
            Encoder.from_json(json.dumps(content | damage))
    for text in ("", "[]", "null", "{"):
        with pytest.raises(ValueError):
            Encoder.from_json(text)


def test_a_category_that_is_not_known_is_as_missing_and_is_counted():
    known = Frame("old.csv", (Column("k", "text", np.array([0, 1, 1]), ("a", "b")),))
    new = Frame("new.csv", (Column("k", "text", np.array([0, 1, -1, 0]), ("c", "b")),))
    encoder = Encoder.learn(known, "mean")
    np.testing.assert_allclose(
        encoder.encode(new), [[1 / 3, 2 / 3], [0, 1], [1 / 3, 2 / 3]] + [[1 / 3, 2 / 3]]
    )
    assert encoder.unseen(new) == {"k": {"c": 2}}
    assert encoder.unseen(known) == {}
    assert np.isnan(Encoder.learn(known, "drop").encode(new)).all(axis=1).tolist() == [
        True,
        False,
        True,
        True,
    ]


@pytest.mark.parametrize(
    ("kind", "values", "categories", "message"),
    [
        ("text", [0], ("red",), "column 'x' holds 'red', but the model was trained on numbers"),
        ("date", [0.0], (), "column 'x' holds dates, but the model was trained on numbers"),
        ("number", [np.inf], (), "column 'x' holds an infinite number"),
    ],
)
def test_a_column_that_changed_is_refused(kind, values, categories, message):
    encoder = Encoder.learn(Frame("old.csv", (Column("x", "number", np.array([1.0, 2.0])),)))
    new = Frame("new.csv", (Column("x", kind, np.array(values), categories),))
    with pytest.raises(ValueError, match=rf"new\.csv: {message}"):
        encoder.encode(new)


def test_booleans_may_come_as_0_and_1_but_not_as_other_numbers():
    encoder = Encoder.learn(Frame("old.csv", (Column("x", "boolean", np.array([1.0, 0.0])),)))
    new = Column("x", "number", np.array([0.0, 1.0, np.nan]))
    np.testing.assert_array_equal(encoder.encode(Frame("new.csv", (new,)))[:, 0], [0, 1, 0.5])
    with pytest.raises(ValueError, match="must hold True and False, or 1 and 0"):
        encoder.encode(Frame("new.csv", (Column("x", "number", np.array([2.0])),)))


def test_columns_that_are_not_there_are_named():
    encoder = Encoder.learn(Frame("old.csv", (Column("x", "number", np.array([1.0])),)))
    with pytest.raises(
        ValueError, match=r"new\.csv lacks the column 'x' of the model; it has 1: y"
    ):
        encoder.encode(Frame("new.csv", (Column("y", "number", np.array([1.0])),)))


@given(tables(), st.booleans())
def test_standardizing_inverts(table, single):
    X = Encoder.learn(table).encode(table).astype(np.float32 if single else np.float64)
    mean, scale = standard(X)
    eps = np.finfo(X.dtype).eps
    # Two roundings, of numbers as large as the mean and the number itself.
    error = np.abs(scaled(X, mean, scale) * scale + mean - X)
    assert (error <= 8 * eps * (np.abs(mean) + np.abs(X).max(axis=0))).all()


@given(frames())
def test_every_format_gives_the_same_numbers(tmp_path_factory, table):
    folder = tmp_path_factory.mktemp("formats")
    found = []
    for name, write in FORMATS.items():
        write(table, folder / name)
        frame = read_table(folder / name)
        there = tuple(column for column in frame.columns if not column.missing.all())
        encoder = Encoder.learn(Frame("table", there), "indicator")
        found.append((encoder, encoder.encode(Frame("table", there))))
    for encoder, X in found[1:]:
        assert encoder == found[0][0]
        np.testing.assert_array_equal(X, found[0][1])


def test_the_columns_of_both_readers_are_compared_by_what_they_hold():
    column = Column("x", "number", np.array([1.0, np.nan]))
    assert same(column, column.take([0, 1]))
    assert not same(column, column.take([1, 0]))


@pytest.mark.parametrize(
    "text",
    [
        '{"features": [{"name": "a", "kind": "number", "categories": [], "means": [1'
        + "0" * 400
        + '], "indicator": false, "unit": ""}], "missing": "mean"}',
        (
            '{"features": [{"name": "a", "kind": "text", "categories": [1, "1"], "means": [0, 1], '
            '"indicator": false, "unit": ""}], "missing": "mean"}'
        ),
        "[" * 200_000,
    ],
    ids=["a number beyond floats", "equal categories", "nested too deep"],
)
def test_json_that_python_reads_otherwise_is_refused(text):
    with pytest.raises(ValueError, match="does not say how"):
        Encoder.from_json(text)
