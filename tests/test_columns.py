"""What a model reads: tables of pandas and polars, their names, and columns that are no numbers."""

import datetime
import warnings
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograd_lite.models import (
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
)

pd = pytest.importorskip("pandas", reason="no pandas")
pl = pytest.importorskip("polars", reason="no polars")
pytest.importorskip("pyarrow", reason="no pyarrow")

ALL = pytest.mark.parametrize(
    "model", [LogisticRegression, LinearRegression, MLPClassifier, MLPRegressor]
)
KINDS = pytest.mark.parametrize("frame", [pd.DataFrame, pl.DataFrame], ids=["pandas", "polars"])
FEW = {"solver": "adam", "max_iter": 4, "tol": 0, "learning_rate_init": 1e-3, "random_state": 0}
X = np.random.default_rng(0).integers(-4, 5, size=(12, 3)).astype(float)
y = np.array([0, 1] * 6)
NAMES = ["age", "height", "ŵ"]


def columns(names=NAMES):
    return {name: X[:, k] for k, name in enumerate(names)}


def fitted(model, data):
    return model(**FEW).fit(data, y)


@ALL
@KINDS
def test_a_table_is_as_its_array(model, frame):
    by_name, by_place = fitted(model, frame(columns())), fitted(model, X)
    assert by_name.feature_names_in_.tolist() == NAMES
    assert by_name.feature_names_in_.dtype == object
    assert by_name.n_features_in_ == 3
    assert not hasattr(by_place, "feature_names_in_")
    np.testing.assert_allclose(by_name.predict(frame(columns())), by_place.predict(X), rtol=1e-9)
    np.testing.assert_allclose(by_name.loss_curve_, by_place.loss_curve_, rtol=1e-12)


DTYPES = {
    "pandas": ["int8", "uint8", "int64", "float32", "float64"],
    "nullable": ["Int8", "Int64", "Float32", "Float64"],
    "arrow": ["int8[pyarrow]", "int64[pyarrow]", "float[pyarrow]", "double[pyarrow]"],
    "polars": [pl.Int8, pl.Int64, pl.Float32, pl.Float64],
}


@st.composite
def typed_tables(draw):
    """A table whose columns have dtypes of their own, and the array of its numbers."""
    kind = draw(st.sampled_from(sorted(DTYPES)))
    dtypes = draw(st.lists(st.sampled_from(DTYPES[kind]), min_size=3, max_size=3))
    table = {name: np.abs(X[:, k]) for k, name in enumerate(NAMES)}
    if kind == "polars":
        frame = pl.DataFrame(table).with_columns(
            [pl.col(name).cast(dtype) for name, dtype in zip(NAMES, dtypes, strict=True)]
        )
    else:
        frame = pd.DataFrame(table).astype(dict(zip(NAMES, dtypes, strict=True)))
    single = all("float32" in str(dtype).lower() or str(dtype)[:6] == "float[" for dtype in dtypes)
    return frame, np.abs(X).astype(np.float32 if single else np.float64)


@given(typed_tables())
@settings(max_examples=60)
def test_columns_of_any_dtype_of_numbers(case):
    frame, array = case
    model = fitted(LogisticRegression, frame)
    assert model.parameters_["w"].dtype == array.dtype
    expected = fitted(LogisticRegression, array).predict_proba(array)
    np.testing.assert_allclose(model.predict_proba(frame), expected, rtol=1e-5)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(columns()) > 0,
        (pd.DataFrame(columns()) > 0).astype("boolean"),
        (pd.DataFrame(columns()) > 0).astype("bool[pyarrow]"),
        pl.DataFrame(columns()).select(pl.all() > 0),
    ],
    ids=["pandas", "nullable", "arrow", "polars"],
)
def test_columns_of_booleans(frame):
    expected = fitted(LogisticRegression, X > 0).parameters_["w"]
    np.testing.assert_allclose(fitted(LogisticRegression, frame).parameters_["w"], expected)


def test_sparse_columns_of_pandas():
    frame = pd.DataFrame(columns()).astype(pd.SparseDtype(float, 0.0))
    expected = fitted(LogisticRegression, X).parameters_["w"]
    np.testing.assert_allclose(fitted(LogisticRegression, frame).parameters_["w"], expected)


# Names.


def with_targets(way, X):
    return way(X, y)


def uses(model, frame):
    """Every way to give a trained model rows, by name."""
    trained = fitted(model, frame(columns()))
    names = ("predict", "predict_proba", "predict_log_proba", "decision_function")
    ways = {name: getattr(trained, name) for name in names if hasattr(trained, name)}
    for name in ("score", "loss_graph", "partial_fit"):
        ways[name] = partial(with_targets, getattr(trained, name))
    return ways.items()


@ALL
@KINDS
def test_other_names_are_refused(model, frame):
    table = columns()
    for _, way in uses(model, frame):
        with pytest.raises(ValueError, match="must be in the same order as they were in fit"):
            way(frame({name: table[name] for name in reversed(NAMES)}))
        with pytest.raises(
            ValueError, match=r"(?s)unseen at fit time:\n- size\n.*now missing:\n- ŵ"
        ):
            way(frame(columns(["age", "height", "size"])))
        with pytest.raises(ValueError, match="unseen at fit time:\n- more\n"):
            way(frame(table | {"more": X[:, 0]}))
        with pytest.raises(ValueError, match="seen at fit time, yet now missing:\n- ŵ\n"):
            way(frame({name: table[name] for name in NAMES[:2]}))


@ALL
@KINDS
def test_names_on_one_side_only(model, frame):
    for name, way in uses(model, frame):
        with pytest.warns(UserWarning, match="does not have valid feature names, but") as caught:
            way(X)
        assert [warning.filename for warning in caught] == [__file__], name
    with pytest.warns(UserWarning, match="X has feature names, but .* fitted without"):
        fitted(model, X).predict(frame(columns()))


@ALL
def test_the_words_are_those_of_scikit_learn(model):
    linear_model = pytest.importorskip("sklearn.linear_model", reason="no scikit-learn")
    theirs = linear_model.LogisticRegression().fit(pd.DataFrame(columns()), y)
    own = fitted(model, pd.DataFrame(columns()))
    for names in (NAMES[::-1], ["a", "b", "c"], ["age", "height", "size"], [*"abcdefgh"]):
        frame = pd.DataFrame(np.ones((12, len(names))), columns=names)
        said = []
        for trained in (own, theirs):
            with pytest.raises(ValueError, match="feature names") as error:
                trained.predict(frame)
            said.append(str(error.value))
        assert said[0] == said[1]


@ALL
def test_names_that_are_not_text(model):
    assert not hasattr(fitted(model, pd.DataFrame(X)), "feature_names_in_")
    with pytest.raises(TypeError, match="some names of columns are text and some are not"):
        fitted(model, pd.DataFrame(X, columns=["a", 1, 2]))


@ALL
@KINDS
def test_a_new_fit_learns_the_names_anew(model, frame):
    trained = fitted(model, frame(columns()))
    assert trained.fit(frame(columns(["a", "b", "c"])), y).feature_names_in_.tolist() == [*"abc"]
    assert not hasattr(trained.fit(X, y), "feature_names_in_")
    warm = trained.set_params(warm_start=True).fit(X, y)
    with pytest.warns(UserWarning, match="X has feature names"):
        warm.fit(frame(columns()), y)


@KINDS
def test_a_table_that_cannot_be_read_changes_nothing(frame):
    trained = fitted(LogisticRegression, frame(columns()))
    before = vars(trained).copy()
    for bad in (columns(["a", "b", "c"]) | {"a": [None] * 12}, columns() | {"age": ["x"] * 12}):
        with pytest.raises((TypeError, ValueError)):
            trained.fit(frame(bad), y)
    assert vars(trained) == before


# Values that are no numbers.


DAYS = [datetime.date(2020, 1, day) for day in range(1, 13)]
TEXT = ["a", "b"] * 6


@ALL
@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (pd.Series(TEXT), "str"),
        (pd.Series(TEXT, dtype="object"), "object"),
        (pd.Series(TEXT, dtype="category"), "category"),
        (pd.Series([1, 2] * 6, dtype="category"), "category"),
        (pd.to_datetime(pd.Series(DAYS)), "datetime64"),
        (pd.to_datetime(pd.Series(DAYS)).diff(), "timedelta64"),
        (pd.Series(TEXT, dtype="string[pyarrow]"), "str"),
        (pd.Series([1 + 2j] * 12), "complex128"),
    ],
)
def test_a_column_of_pandas_that_is_not_numeric_is_named(model, values, dtype):
    frame = pd.DataFrame(columns()).assign(height=values)
    with pytest.raises(TypeError, match=rf"but not column 'height' \({dtype}.*; encode them"):
        fitted(model, frame)


@ALL
@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (pl.Series(TEXT), "String"),
        (pl.Series(TEXT, dtype=pl.Categorical), "Categorical"),
        (pl.Series(TEXT, dtype=pl.Enum(["a", "b"])), "Enum"),
        (pl.Series(DAYS), "Date"),
        (pl.Series([[1.0]] * 12), "List"),
    ],
)
def test_a_column_of_polars_that_is_not_numeric_is_named(model, values, dtype):
    frame = pl.DataFrame(columns()).with_columns(values.alias("height"))
    with pytest.raises(TypeError, match=rf"but not column 'height' \({dtype}.*; encode them"):
        fitted(model, frame)


def test_all_columns_that_are_not_numeric_are_named():
    frame = pd.DataFrame({"a": TEXT, "b": X[:, 0], "c": pd.to_datetime(DAYS)})
    with pytest.raises(TypeError, match=r"not columns 'a' \(str\), 'c' \(datetime64"):
        fitted(LogisticRegression, frame)


MISSING = [1.0, None] * 6


@ALL
@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(columns() | {"height": MISSING}),
        pd.DataFrame(columns() | {"height": pd.array([1, pd.NA] * 6, dtype="Int64")}),
        pd.DataFrame(columns() | {"height": pd.array([1, None] * 6, dtype="double[pyarrow]")}),
        pl.DataFrame(columns() | {"height": MISSING}),
        pl.DataFrame(columns() | {"height": [1, None] * 6}),
        pl.DataFrame(columns() | {"height": [True, None] * 6}),
    ],
    ids=["NaN", "nullable", "arrow", "polars", "polars integers", "polars booleans"],
)
def test_a_missing_value_is_named(model, frame):
    with pytest.raises(ValueError, match="X must be finite; row 1, column 'height' is NaN"):
        fitted(model, frame)


@ALL
def test_an_infinite_value_is_named(model):
    bad = np.where(X[7, 1] == X, np.inf, X)
    row, column = np.argwhere(np.isinf(bad))[0]
    with pytest.raises(ValueError, match=f"row {row}, column {column} is inf"):
        fitted(model, bad)


@ALL
def test_large_numbers_are_not_taken_for_infinite_ones(model):
    trained = fitted(model, np.where(X[7, 1] == X, 1e300, X) / 1e290)
    assert all(np.isfinite(array).all() for array in trained.parameters_.values())


@ALL
def test_a_mask_is_not_dropped(model):
    masked = np.ma.masked_array(X, X > 2)
    trained = fitted(model, X)
    for way in (trained.fit, trained.predict, trained.loss_graph, trained.score):
        for data in (masked, list(masked)):
            with pytest.raises(TypeError, match="a masked array would lose its mask"):
                way(data) if way == trained.predict else way(data, y)


@ALL
@pytest.mark.parametrize("kind", ["csr_array", "csr_matrix", "coo_array", "csc_array"])
def test_a_sparse_matrix_is_refused_by_name(model, kind):
    sparse = pytest.importorskip("scipy.sparse", reason="no SciPy")
    trained = fitted(model, X)
    with pytest.raises(TypeError, match=f"X is a sparse {kind}; .*toarray"):
        trained.fit(getattr(sparse, kind)(X), y)
    with pytest.raises(TypeError, match=f"X is a sparse {kind}"):
        trained.predict(getattr(sparse, kind)(X))


@ALL
@pytest.mark.parametrize("data", [X[:, 0], pd.Series(X[:, 0]), 3.0, X[None]], ids=type)
def test_other_dimensions(model, data):
    with pytest.raises(ValueError, match="X must have two dimensions, rows and columns"):
        model(**FEW).fit(data, y)


@ALL
@pytest.mark.parametrize("data", [pd.DataFrame(), pd.DataFrame(X[:0]), pl.DataFrame()], ids=str)
def test_nothing_to_read(model, data):
    with pytest.raises(ValueError, match="X is empty"):
        model(**FEW).fit(data, [])


# Targets.


TARGETS = {
    "Series": lambda y: pd.Series(y, name="passed"),
    "nullable": lambda y: pd.Series(y, dtype="Int64"),
    "arrow": lambda y: pd.Series(y, dtype="int64[pyarrow]"),
    "polars": lambda y: pl.Series("passed", y),
    "list": lambda y: y.tolist(),
    "tuple": lambda y: tuple(y.tolist()),
    "objects": lambda y: y.astype(object),
    "objects of NumPy": lambda y: pd.Series(list(y), dtype=object),
}


@ALL
@pytest.mark.parametrize("kind", TARGETS)
def test_targets_of_any_kind(model, kind):
    trained = model(**FEW).fit(X, TARGETS[kind](y))
    assert trained.loss_curve_ == fitted(model, X).loss_curve_
    assert trained.score(X, TARGETS[kind](y)) == fitted(model, X).score(X, y)


@pytest.mark.parametrize("model", [LogisticRegression, MLPClassifier])
@pytest.mark.parametrize(
    "labels",
    [
        pd.Series(TEXT),
        pd.Series(TEXT, dtype="category"),
        pd.Series(TEXT, dtype="string[pyarrow]"),
        pl.Series(TEXT),
        pl.Series(TEXT, dtype=pl.Categorical),
        TEXT,
    ],
    ids=lambda labels: str(getattr(labels, "dtype", "list")),
)
def test_labels_of_text(model, labels):
    trained = model(**FEW).fit(X, labels)
    assert trained.classes_.tolist() == ["a", "b"]
    assert set(trained.predict(X)) <= {"a", "b"}
    assert trained.loss_curve_ == fitted(model, X).loss_curve_


@ALL
@pytest.mark.parametrize(
    "targets",
    [
        pd.Series([1.0, None] + [0.0, 1.0] * 5),
        pd.Series([1, None] + [0, 1] * 5, dtype="Int64"),
        pl.Series([1, None] + [0, 1] * 5),
        np.array([1, None] + [0, 1] * 5, dtype=object),
        [1.0, float("nan")] + [0.0, 1.0] * 5,
    ],
    ids=["pandas", "nullable", "polars", "objects", "list"],
)
def test_a_missing_target_is_named(model, targets):
    with pytest.raises(ValueError, match="the target of row 1 is missing"):
        model(**FEW).fit(X, targets)


@ALL
@KINDS
def test_a_table_of_one_target(model, frame):
    with pytest.warns(UserWarning, match="A column-vector y was passed") as caught:
        trained = model(**FEW).fit(X, frame({"passed": y}))
    assert caught[0].filename == __file__
    assert trained.loss_curve_ == fitted(model, X).loss_curve_


def test_nothing_else_warns():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for frame in (pd.DataFrame, pl.DataFrame):
            for _, way in uses(MLPClassifier, frame):
                way(frame(columns()))
