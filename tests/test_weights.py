"""Weights survive their file, and other files are refused."""

import io
import pickle
import zipfile

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


def written(**changes):
    """An npz file of good weights, with some arrays changed or, where None, left out."""
    file = io.BytesIO()
    save_to = {
        "model": "LogisticRegression",
        "settings": '{"intercept": "column"}',
        "classes": np.array([0, 1]),
        "n_features": 2,
        "w": np.zeros(3),
    } | changes
    np.savez(file, **{name: array for name, array in save_to.items() if array is not None})
    return file.getvalue()


def archive(name, content):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as zipped:
        zipped.writestr(name, content)
    return file.getvalue()


class Trap:
    """What unpickling would run."""

    def __reduce__(self):
        return pytest.fail, ("the file was unpickled",)


def test_the_good_file_is_good(path):
    path.write_bytes(written())
    assert load(path).predict([[1, 2]]).tolist() == [0]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "it is not an npz file"),
        (b"a,b\n1,2\n", "it is not an npz file"),
        (pickle.dumps(Trap()), "it is not an npz file"),
        (written()[:-40], "it is not an npz file"),
        (archive("model", "LogisticRegression"), "does not hold"),
        (archive("model.npy", pickle.dumps(Trap())), "does not hold"),
        (written(w=np.array([Trap(), 0, 0], object)), "allow_pickle"),
        (written(model=None), "it has no 'model'"),
        (written(w=None), "it has no 'w'"),
        (written(model="Forest"), "there is no model 'Forest'"),
        (written(settings="{"), "does not hold"),
        (written(settings='{"colour": 1}'), "its settings do not match the model"),
        (written(settings="[]"), "its settings do not match the model"),
        (written(settings='{"intercept": "none"}'), "intercept"),
        (written(model="MLPClassifier", settings='{"hidden_layer_sizes": "ab"}'), "hidden_layer"),
        (written(classes=np.array([0])), "it does not name its classes"),
        (written(classes=np.array([0, 1, 2])), "it has no 'W'"),
        (written(columns=np.array(["a"])), "it does not name 2 columns"),
        (written(columns=np.array([1, 2])), "it does not name 2 columns"),
        (written(n_features=7), r"w is not an array of finite numbers of shape \(8,\)"),
        (written(n_features=np.array([1, 2])), "does not hold"),
        (written(w=np.array([0, np.nan, 0])), "w is not an array of finite numbers"),
        (written(w=np.array(["a", "b", "c"])), "w is not an array of finite numbers"),
        (written(v=np.zeros(1)), "unknown arrays: v"),
        (written(mean=np.zeros(2)), "it has no 'scale'"),
        (written(scale=np.ones(2)), "it has no 'mean'"),
    ],
)
def test_other_files_are_refused(path, content, message):
    path.write_bytes(content)
    with pytest.raises(ValueError, match=message) as failure:
        load(path)
    assert str(failure.value).startswith(f"{path} does not hold a model's weights")


def test_a_file_that_is_not_there(path):
    with pytest.raises(FileNotFoundError):
        load(path)


def test_damaged_bytes_are_refused_or_do_not_matter(path):
    good, refused = written(), 0
    path.write_bytes(good)
    model = load(path)
    positions = range(0, len(good), 7)
    for position in positions:
        path.write_bytes(good[:position] + bytes([good[position] ^ 0xFF]) + good[position + 1 :])
        try:
            back = load(path)
        except ValueError:
            refused += 1
            continue
        assert repr(back) == repr(model)
        np.testing.assert_array_equal(back.classes_, model.classes_)
        np.testing.assert_array_equal(back.parameters_["w"], model.parameters_["w"])
    assert refused > len(positions) / 2
