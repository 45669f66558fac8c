"""Weights survive their file."""

import numpy as np
import pytest

from autograd_lite.models import (
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
    NotFittedError,
    load,
    save,
)

X = np.array([[3.0, 5.0], [1.0, 4.0], [4.0, 8.0], [0.5, 6.0], [2.0, 1.0]])
y = np.array(["yes", "no", "yes", "no", "yes"])

FEW = {"max_iter": 5, "tol": 0}
MODELS = [
    LogisticRegression(**FEW),
    LogisticRegression(intercept="separate", standardize=True, class_weight={"no": 2.0}, **FEW),
    MLPClassifier((3, 2), alpha=0.1, random_state=0, **FEW),
    MLPClassifier(np.int64(4), standardize=True, random_state=np.random.default_rng(0), **FEW),
    LinearRegression(init={"w": [1, 2, 3]}, **FEW),
    MLPRegressor(activation="tanh", solver="adam", random_state=0, **FEW),
]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.npz"


@pytest.mark.parametrize("model", MODELS)
def test_there_and_back(path, model):
    targets = y if model.kind == "classifier" else X[:, 0]
    save(model.fit(X, targets), path)
    back = load(path)
    assert type(back) is type(model)
    if model.kind == "classifier":
        assert back.classes_.tolist() == ["no", "yes"]
        np.testing.assert_array_equal(back.predict_proba(X), model.predict_proba(X))
    np.testing.assert_array_equal(back.predict(X), model.predict(X))
    left = {"init", "random_state", "class_weight"}
    back.set_params(**{name: getattr(model, name) for name in left & vars(model).keys()})
    np.testing.assert_allclose(back.loss_graph(X, targets).item(), model.loss_, rtol=1e-12)
    for name, value in model.get_params().items():
        assert np.array_equal(getattr(back, name), value)


def test_the_names_of_columns_and_more_classes_there_and_back(path):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(X, columns=["hours", "sleep"])
    model = LogisticRegression(**FEW).fit(frame, ["a", "b", "c", "a", "b"])
    save(model, path)
    back = load(path)
    assert back.feature_names_in_.tolist() == ["hours", "sleep"]
    np.testing.assert_array_equal(back.predict_proba(frame), model.predict_proba(frame))
    with pytest.raises(ValueError, match="same order"):
        back.predict(frame[["sleep", "hours"]])


@pytest.mark.parametrize("labels", [[0, 1], [0.5, 1.5], [False, True], ["a", "b"]], ids=str)
def test_labels_there_and_back(path, labels):
    given = np.array(labels)[[0, 1, 0, 1, 1]]
    save(LogisticRegression(**FEW).fit(X, given), path)
    assert load(path).predict(X).dtype == given.dtype
    assert load(path).classes_.tolist() == labels


def test_dtypes_there_and_back(path):
    save(MODELS[0].fit(X.astype(np.float32), y), path)
    assert load(path).parameters_["w"].dtype == np.float32


def test_numpy_can_read_the_file(path):
    save(MODELS[2].fit(X, y), path)
    with np.load(path, allow_pickle=False) as arrays:
        assert {"model", "settings", "classes", "W1", "b1", "W2", "b2", "w", "b"} <= set(arrays)


def test_saving_what_cannot_be_saved(path):
    path.write_text("before")
    with pytest.raises(NotFittedError, match="call fit"):
        save(LogisticRegression(), path)
    model = LogisticRegression(**FEW).fit(
        X, np.array(["2024", "2025", "2024", "2025", "2024"], dtype="M8[Y]")
    )
    with pytest.raises(TypeError, match="labels of dtype datetime64"):
        save(model, path)
    with pytest.raises(TypeError, match="first argument must be a fitted model"):
        save(path, model)
    assert path.read_text() == "before"


TEXTS = {"target_name_": "passed", "run_id_": "2026-11-28-3f2a9c", "table_": '{"ü": "\\ud83d"}'}


def test_texts_that_are_set_after_fit_there_and_back(path):
    model = LogisticRegression(warm_start=True, **FEW).fit(X, y)
    assert not vars(model).keys() & TEXTS.keys()
    vars(model).update(TEXTS)
    save(model, path)
    back = load(path)
    assert {name: getattr(back, name) for name in TEXTS} == TEXTS
    # More training keeps what is known of the columns, but its weights are not those of the run.
    assert not hasattr(back.fit(X, y), "run_id_")
    assert (back.target_name_, back.table_) == (TEXTS["target_name_"], TEXTS["table_"])
    back.set_params(warm_start=False).fit(X, y)
    assert not vars(back).keys() & TEXTS.keys()


@pytest.mark.parametrize(("attribute", "most"), [("run_id_", 1 << 10), ("table_", 1 << 24)])
def test_texts_have_a_largest_size(path, attribute, most):
    model = LogisticRegression(**FEW).fit(X, y)
    setattr(model, attribute, "é" * (most // 4))
    save(model, path)
    assert getattr(load(path), attribute) == "é" * (most // 4)
    setattr(model, attribute, "é" * (most // 4 + 1))
    with pytest.raises(ValueError, match=rf"more than the {most} it may have"):
        save(model, path)
    assert len(getattr(load(path), attribute)) == most // 4


def test_settings_of_numpy_types_there_and_back(path):
    given = {"standardize": np.True_, "alpha": np.float32(0.5), "tol": np.longdouble(0.25)}
    save(LogisticRegression(max_iter=np.int32(5), **given).fit(X, y), path)
    back = load(path)
    assert {name: getattr(back, name) for name in given} == given
    np.testing.assert_array_equal(back.fit(X, y).mean_, X.mean(axis=0))


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("dtype", ["f4", "f8"])
def test_both_byte_orders_there_and_back(path, order, dtype):
    model = LogisticRegression(standardize=True, **FEW).fit(
        X.astype(order + dtype), [3, 1, 1, 1, 3]
    )
    model.classes_ = model.classes_.astype(f"{order}i8")
    save(model, path)
    np.testing.assert_array_equal(load(path).predict_proba(X), model.predict_proba(X))


def test_what_load_would_refuse_is_not_saved(path):
    model = LogisticRegression(**FEW).fit(X, y)
    with pytest.raises(ValueError, match="alpha must be"):
        save(model.set_params(alpha=-1), path)
    labels = np.array(["a", "a\0", "a", "a\0", "a"], dtype=object)
    with pytest.raises(ValueError, match="labels as <U2 are not different"):
        save(LogisticRegression(**FEW).fit(X, labels), path)
    assert not path.exists()


def test_a_file_that_is_not_there(path):
    with pytest.raises(FileNotFoundError):
        load(path)
