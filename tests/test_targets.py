"""Classes, a number, or an id: what a target is."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_lite.data import read_table
from autograd_lite.data.columns import Column
from autograd_lite.data.targets import codes_of, label_named, target_of


def target(tmp_path, values, task=None):
    pd.DataFrame({"t": values, "x": 1.5}).to_csv(tmp_path / "t.csv", index=False)
    frame = read_table(tmp_path / "t.csv")
    return target_of(frame.column("t"), "t.csv", task)


@pytest.mark.parametrize(
    ("values", "labels"),
    [
        (["no", "yes", "no", "yes"], ["no", "yes"]),
        ([0, 1, 1, 0], [0, 1]),
        ([0.0, 1.0, 1.0], [0, 1]),
        ([0.5, 1.5, 0.5], [0.5, 1.5]),
        ([True, False, True], [False, True]),
        ([1, 2, 3, 3, 2, 1], [1, 2, 3]),
        (["none", "some", "none", "some"], ["none", "some"]),
    ],
)
def test_classes(tmp_path, values, labels):
    found = target(tmp_path, values)
    assert found.task == "classification"
    assert np.unique(found.y).tolist() == labels
    assert type(np.unique(found.y).tolist()[0]) is type(labels[0])


@pytest.mark.parametrize(
    "values",
    [
        np.linspace(0, 1, 9),
        np.arange(40) * 3,
        [0, 1, 2, 3, 37, 0, 1, 2, 3],
        np.r_[np.arange(21), np.arange(21)],
    ],
)
def test_numbers(tmp_path, values):
    found = target(tmp_path, values)
    assert found.task == "regression"
    assert "t.csv: the target 't' has" in found.why
    np.testing.assert_array_equal(found.y, np.asarray(values, dtype=float))


def test_the_sentence_names_the_way_out(tmp_path):
    few = [1, 2, 3] * 4
    assert "to predict the number, use --task regression" in target(tmp_path, few).why
    assert target(tmp_path, few, "regression").task == "regression"
    many = np.repeat(np.arange(30), 3)
    assert "to predict classes, use --task classification" in target(tmp_path, many).why
    assert target(tmp_path, many, "classification").task == "classification"


@pytest.mark.parametrize(
    ("values", "task", "message"),
    [
        (np.arange(50), None, "numbers the rows; it is an id"),
        ([f"name {k}" for k in range(9)], None, "9 different values in 9 rows, like an id"),
        (np.arange(50) * 1.5, "classification", "50 different values in 50 rows, like an id"),
        ([0.5, 1.5, 2.5] * 4, "classification", "has numbers with decimal places; name it in"),
        (["a", "b", "a"], "regression", "is not a number; use --task classification"),
        (["2020-01-01", "2020-01-02"], None, "holds dates or times"),
        (["a", "a"], None, "is always a"),
        ([3, 3], None, "is always 3"),
        ([None, None], None, "has no values"),
        ([*map(str, np.arange(40) * 1.5), "many"], None, "holds numbers or dates, but also 'many'"),
    ],
)
def test_targets_that_cannot_be_predicted(tmp_path, values, task, message):
    with pytest.raises(ValueError, match=rf"t\.csv: the target 't' .*{message}"):
        target(tmp_path, values, task)


def test_rows_without_a_value_are_not_counted(tmp_path):
    found = target(tmp_path, ["a", None, "b", "a", "b"])
    assert found.rows.tolist() == [0, 2, 3, 4]
    assert found.y.tolist() == ["a", "b", "a", "b"]


WRITINGS = [
    Column("t", "number", np.array([0.0, 1.0, np.nan, 2.0])),
    Column("t", "boolean", np.array([0.0, 1.0, np.nan, np.nan])),
    Column("t", "text", np.array([0, 2, -1, 1]), ("0", "1.5", "True")),
    Column("t", "text", np.array([1, 0, -1, 2]), ("1.0", "False", "maybe")),
]


@pytest.mark.parametrize("column", WRITINGS)
@pytest.mark.parametrize(
    "classes",
    [np.array([0, 1]), np.array([0.0, 1.0]), np.array([False, True]), np.array(["0", "1"])],
)
def test_labels_are_compared_as_what_they_are(column, classes):
    assert codes_of(column, classes).tolist() == [0, 1, -1, -1]


@given(st.lists(st.text("abcé", min_size=1), min_size=2, max_size=5, unique=True), st.data())
def test_texts_are_compared_as_texts(names, data):
    classes = np.array(sorted(names))
    codes = np.array(data.draw(st.lists(st.integers(-1, len(names) - 1), min_size=1)))
    column = Column("t", "text", codes, tuple(names))
    for code, found in zip(codes, codes_of(column, classes), strict=True):
        assert found == (-1 if code < 0 else classes.tolist().index(names[code]))


def test_a_class_by_its_name():
    assert label_named(np.array(["benign", "malignant"]), "malignant", "t") == 1
    assert label_named(np.array([False, True]), "1", "t") == 1
    assert label_named(np.array([0, 1]), "0.0", "t") == 0
    with pytest.raises(ValueError, match="t has no class '2'; the classes are 0, 1"):
        label_named(np.array([0, 1]), "2", "t")
