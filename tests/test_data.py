"""Tables: the shipped one, reading, and splitting."""

import csv

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_lite.data import (
    load_breast_cancer,
    make_circles,
    make_moons,
    make_spirals,
    make_students,
    make_xor,
    read_csv,
    split,
)


@pytest.fixture
def table(tmp_path):
    """Write a CSV file and return its path."""

    def write(content):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def test_the_shipped_table():
    X, y, columns, target = load_breast_cancer()
    assert X.shape == (569, 30)
    assert X.dtype == np.float64
    assert len(set(columns)) == 30
    assert target == "diagnosis"
    assert dict(zip(*np.unique(y, return_counts=True), strict=True)) == {
        "benign": 357,
        "malignant": 212,
    }
    # Sums that pin every number down to rounding; the first row as published.
    np.testing.assert_allclose(X[0, :3], [17.99, 10.38, 122.8])
    np.testing.assert_allclose(X[:, 0].mean(), 14.127291739894552)
    np.testing.assert_allclose(X.sum(), 1056474.4596356, rtol=1e-12)


@pytest.mark.parametrize(
    ("content", "X", "y"),
    [
        ("a,b,t\n1,2,x\n3,4,y\n", [[1, 2], [3, 4]], ["x", "y"]),
        ("t,a\r\n0,1.5\r\n1,-2e3\r\n", [[1.5], [-2000]], [0, 1]),
        ('a,t\n"1","yes, sir"\n\n2,no', [[1], [2]], ["yes, sir", "no"]),
        (b"\xef\xbb\xbfa,t\n1,0.5\n", [[1]], [0.5]),
        (" a , t \n 1 , x \n", [[1]], ["x"]),
        ("a;t\n1,5;0\n", [[1.5]], [0]),
        ("a\tt\n1\t0\n", [[1]], [0]),
    ],
)
def test_reading(table, content, X, y):
    found = read_csv(table(content), "t")
    assert found.X.tolist() == X
    assert found.y.tolist() == y
    assert "t" not in found.columns


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty"),
        ("a,b\n1,2\n", "has no column 't'; its columns are a, b"),
        ("a,t\n", "has a header but no rows"),
        ("a,t\n1,0\nten,1\n", "line 3: column 'a': 'ten' is not a number"),
        ("a,t\n1,0\n1_000,1\n", "line 3: column 'a': '1_000' is not a number"),
        ("a,t\ninf,0\n", "line 2: column 'a': 'inf' is not a finite number"),
        ("a,t\n1,0\n\n,1\n", "line 4: column 'a' has no value"),
        ("a,t\nNA,0\n", "line 2: column 'a' has no value"),
        ("a,t\n1,?\n", "line 2: column 't' has no value"),
        ("a,b,t\n1,2,0\n,,\n", "line 3: column 'a' has no value"),
        ("a,t\n1,0\n1,0,5\n", "line 3: 3 values where the header has 2"),
        ("a,t\n1\n", "line 2: 1 values where the header has 2"),
        ("a,b,a,t\n1,2,3,0\n", "more than one column named 'a'"),
        ("t\n1\n", "no column besides the target"),
        (b"PK\x03\x04\xff\xfe\x00", "is not a text file"),
        (b"a,t\n1,\x000\n", "is not a text file: line 2 has a NUL"),
        ('a,t\n"1,0\n', "is not a CSV file"),
    ],
)
def test_bad_tables_say_where(table, content, message):
    with pytest.raises(ValueError, match=message.replace("?", r"\?")) as failure:
        read_csv(table(content), "t")
    assert "table.csv" in str(failure.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_csv(tmp_path / "missing.csv", "t")


@given(
    st.lists(
        st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=3, max_size=3),
        min_size=1,
        max_size=5,
    )
)
def test_numbers_survive_the_file(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("tables") / "table.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([["a", "b", "t", "c"]] + [[*r[:2], "x", r[2]] for r in rows])
    np.testing.assert_array_equal(read_csv(path, "t").X, rows)


@given(
    st.lists(st.sampled_from(["a", "b"]), min_size=4, max_size=60),
    st.floats(0.01, 0.99),
    st.integers(0, 2**32),
)
def test_splitting_keeps_every_row_and_the_proportions(labels, test_size, seed):
    y = np.array(["a", "a", "b", "b", *labels])
    X = np.arange(len(y))[:, None]
    X_train, X_test, y_train, y_test = split(X, y, test_size=test_size, random_state=seed)
    np.testing.assert_array_equal(np.sort(np.vstack([X_train, X_test]), axis=0), X)
    np.testing.assert_array_equal(y[X_train[:, 0]], y_train)
    np.testing.assert_array_equal(y[X_test[:, 0]], y_test)
    for label in "ab":
        rows, held = np.sum(y == label), np.sum(y_test == label)
        assert 1 <= held < rows
        assert abs(held - test_size * rows) <= 1
    again = split(X, y, test_size=test_size, random_state=seed)
    np.testing.assert_array_equal(again[1], X_test)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([[1], [2]], [0, 0], 1.5), "between 0 and 1"),
        (([[1], [2]], [0, 0, 1], 0.5), "2 rows, y has 3"),
        (([[1], [2], [3]], [0, 0, 1], 0.5), "class 1 has a single row"),
    ],
)
def test_bad_splits(arguments, message):
    X, y, test_size = arguments
    with pytest.raises(ValueError, match=message):
        split(X, y, test_size=test_size, random_state=0)


MAKERS = (make_moons, make_spirals, make_circles, make_xor)


@pytest.mark.parametrize("make", MAKERS)
@given(st.integers(2, 60), st.integers(0, 2**32), st.floats(0, 2))
def test_drawn_points(make, n_samples, seed, noise):
    X, y, columns, _ = make(n_samples, noise=noise, random_state=seed)
    assert X.shape == (n_samples, 2)
    assert X.dtype == np.float64
    assert len(columns) == 2
    assert np.bincount(y).tolist() == [n_samples // 2, n_samples - n_samples // 2]
    np.testing.assert_array_equal(make(n_samples, noise=noise, random_state=seed).X, X)


@given(st.integers(2, 60))
def test_moons_are_half_circles(n_samples):
    X, y, *_ = make_moons(n_samples, noise=0)
    centre = np.array([[0, 0], [1, 0.5]])[y]
    np.testing.assert_allclose(np.linalg.norm(X - centre, axis=1), 1)
    assert np.all((X - centre)[:, 1] * np.where(y == 0, 1, -1) > -1e-9)


@given(st.integers(1, 30), st.floats(0.1, 3))
def test_one_spiral_is_the_other_turned(half, turns):
    X, y, *_ = make_spirals(2 * half, turns=turns, noise=0)
    np.testing.assert_allclose(X[y == 1], -X[y == 0])
    r = np.linalg.norm(X[y == 0], axis=1)
    np.testing.assert_allclose(r, np.linspace(0.1, 1, half))
    angle = 2 * np.pi * turns * r
    np.testing.assert_allclose(X[y == 0], r[:, None] * np.c_[np.cos(angle), np.sin(angle)])


@given(st.integers(2, 60), st.floats(0.01, 0.99))
def test_circles_have_their_radii(n_samples, factor):
    X, y, *_ = make_circles(n_samples, factor=factor, noise=0)
    np.testing.assert_allclose(np.linalg.norm(X, axis=1), np.where(y == 0, 1, factor))
    if n_samples > 3:
        np.testing.assert_allclose([X[y == k].mean(axis=0) for k in (0, 1)], 0, atol=1e-12)


@given(st.integers(2, 60), st.integers(0, 2**32))
def test_xor_is_the_sign_of_the_product(n_samples, seed):
    X, y, *_ = make_xor(n_samples, noise=0, random_state=seed)
    assert np.abs(X).max() <= 1
    np.testing.assert_array_equal(X[:, 0] * X[:, 1] < 0, y == 1)


def test_students_pass_as_often_as_their_hours_say():
    X, y, columns, target = make_students(100_000, random_state=0)
    assert (columns, target) == (("hours studied", "hours slept"), "passed")
    assert np.all((X >= [0, 4]) & (X <= [8, 9]))
    z = 1.2 * (X[:, 0] - 4) + 0.8 * (X[:, 1] - 6.5)
    for low in np.arange(-4, 4):
        some = (z >= low) & (z < low + 1)
        p = 1 / (1 + np.exp(-z[some]))
        assert abs(y[some].mean() - p.mean()) < 4 * np.sqrt(p.mean() * (1 - p.mean()) / some.sum())
    np.testing.assert_array_equal(
        make_students(9, random_state=1).X, make_students(9, random_state=1).X
    )
    with pytest.raises(ValueError, match="at least 2, one for each class"):
        make_students(1)


@pytest.mark.parametrize("factor", [0, 1, -0.5, float("nan")])
def test_a_factor_of_circles_is_between_0_and_1(factor):
    with pytest.raises(ValueError, match="factor must be between 0 and 1"):
        make_circles(factor=factor)


@pytest.mark.parametrize("make", MAKERS)
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_samples": 1}, "at least 2, one for each class"),
        ({"noise": -1}, "at least 0"),
        ({"noise": float("nan")}, "at least 0"),
    ],
)
def test_bad_drawings(make, options, message):
    with pytest.raises(ValueError, match=message):
        make(**options)
