"""`autograd-lite export`: other programs compute what `predict` says."""

import csv
import json
import sys

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.models import (
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
    load,
    save,
)

pytest.importorskip("onnx")

CITIES = ("Bern", "Linz", "a=b", "")


def table(path, rows, target, seed, cities=CITIES):
    """A table of numbers, truth values and texts, some of them missing."""
    random = np.random.default_rng(seed)
    age, score = random.integers(18, 90, rows), random.normal(size=rows).round(2)
    classes = {"pair": ["no", "yes"], "several": ["c", "a", "b"]}.get(target)
    lines = ["age,city,member,score,height,y"]
    for k in range(rows):
        y = f"{age[k] / 7 + score[k]:.3f}" if classes is None else classes[k % len(classes)]
        cells = [str(age[k]), random.choice(cities), random.choice(["True", "False"])]
        cells += [str(score[k]), str(150 + k % 40)]
        for place in (0, 2, 3):
            if random.random() < 0.2:
                cells[place] = ""
        lines.append(",".join([*cells, y]))
    path.write_text("\n".join(lines) + "\n")
    return path


def encoded(path, columns, gaps):
    """The table as the model's columns say, written by hand; a text is missing where all are 0."""
    with open(path, newline="") as file:
        rows = list(csv.DictReader(file))
    X = np.zeros((len(rows), len(columns)))
    for k, row in enumerate(rows):
        for j, name in enumerate(columns):
            if name in row:
                X[k, j] = {"True": 1, "False": 0, "": np.nan}.get(row[name], row[name])
            else:
                column, _, category = name.partition("=")
                X[k, j] = gaps if row[column] == "" else row[column] == category
    return X


def reference(path):
    """What the evaluator of the package onnx computes, and the metadata of the file."""
    import onnx
    from onnx.reference import ReferenceEvaluator

    model = onnx.load(path)
    evaluator = ReferenceEvaluator(model)
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    names = [output.name for output in model.graph.output]

    def computed(X):
        with np.errstate(all="ignore"):  # exp(100) is infinity in float32, on purpose
            return dict(zip(names, evaluator.run(None, {"X": X}), strict=True))

    return computed, metadata


def runtime(path):
    """What onnxruntime computes, and the metadata of the file."""
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    metadata = session.get_modelmeta().custom_metadata_map
    return lambda X: dict(zip(names, session.run(None, {"X": X}), strict=True)), metadata


RUNTIMES = pytest.mark.parametrize("computed", [reference, runtime])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the models of each target and treatment of missing values are trained, once."""
    return tmp_path_factory.mktemp("trained")


def trained(run, folder, target, missing):
    out = folder / f"{target}-{missing}"
    if not out.exists():
        data = table(folder / f"{target}-{missing}.csv", 60, target, 0)
        options = ("--target", "y", "--missing", missing, "--max-iter", 3, "--tol", 0, "--quiet")
        assert run("train", "--data", data, *options, "--standardize", "--out", out)[0] == 0
    return out / "mlp.npz", out / f"{'linear' if target == 'number' else 'logistic'}-regression.npz"


@RUNTIMES
@pytest.mark.parametrize(
    ("target", "missing"),
    [
        ("pair", "mean"),
        ("pair", "indicator"),
        ("several", "drop"),
        ("several", "indicator"),
        ("number", "mean"),
    ],
)
def test_the_file_computes_what_predict_says(run, folder, tmp_path, computed, target, missing):
    new = table(tmp_path / "new.csv", 25, target, 1, (*CITIES, "Oslo"))  # which is not known
    for weights in trained(run, folder, target, missing):
        out = tmp_path / "model.onnx"
        code, shown, complaints = run("export", weights, out)
        assert (code, shown, complaints) == (0, f"written to {out}\n", "")
        options = ("--data", new, "--out", tmp_path / "p.csv")
        assert run("predict", "--weights", weights, *options)[0] == 0
        with open(tmp_path / "p.csv", newline="") as file:
            rows = list(csv.DictReader(file))
        f, metadata = computed(out)
        assert metadata["missing"] == missing
        columns = json.loads(metadata["columns"])
        assert columns == ["age", "city=Bern", "city=Linz", "city=a=b", "member", "score", "height"]
        for gaps in (0, np.nan):
            found = f(encoded(new, columns, gaps))
            if target == "number":
                assert list(found) == ["prediction"]
                assert_shown(found["prediction"], [row["predicted y"] for row in rows])
                continue
            assert list(found) == ["probabilities", "logits"]
            classes = json.loads(metadata["classes"])
            for k, label in enumerate(classes):
                name = f"probability of {label}"
                if name in rows[0]:
                    assert_shown(found["probabilities"][:, k], [row[name] for row in rows])
            z = found["logits"]
            chosen = z.argmax(axis=1) if z.ndim == 2 else np.asarray(z > 0, dtype=int)
            for row, k in zip(rows, chosen, strict=True):
                assert row["predicted y"] in ("", classes[k])


def assert_shown(found, texts):
    """Whether numbers are those that were printed; NaN where nothing was."""
    shown = np.array([float(text or "nan") for text in texts])
    np.testing.assert_allclose(found, shown, rtol=2e-5, atol=1e-6)
    assert not np.isnan(shown).all()


X = np.random.default_rng(0).normal(size=(12, 3))
MODELS = {
    "pair": (MLPClassifier((2, 3, 4, 5, 6), random_state=0), ["a", "b"] * 6),
    "several": (MLPClassifier(2, activation="tanh", random_state=0), [1, 2, 7] * 4),
    "linear": (LogisticRegression(standardize=True), [True, False] * 6),
    "separate": (LogisticRegression(intercept="separate"), [0.5, 1.5] * 6),
    "number": (MLPRegressor((1, 2), activation="logistic", random_state=0), X[:, 0]),
    "least squares": (LinearRegression(), X[:, 1]),
}


@RUNTIMES
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", MODELS)
def test_any_model_in_both_dtypes_for_any_number_of_rows(tmp_path, computed, name, dtype):
    model, y = MODELS[name]
    model.set_params(max_iter=3, tol=0).fit(X.astype(dtype), y)
    save(model, tmp_path / "model.onnx")
    f, metadata = computed(tmp_path / "model.onnx")
    assert metadata["model"] == type(model).__name__
    for rows in (1, 3, 12, 500):
        given = 100 * np.random.default_rng(rows).normal(size=(rows, 3)).astype(dtype)
        found = f(given)
        if model.kind == "regressor":
            expected = {"prediction": model.predict(given)}
        else:
            expected = {
                "probabilities": model.predict_proba(given),
                "logits": model.decision_function(given),
            }
            assert json.loads(metadata["classes"]) == model.classes_.tolist()
        assert list(found) == list(expected)
        for key, array in expected.items():
            assert found[key].dtype == dtype
            assert found[key].shape == array.shape
            tolerance = 1e-5 if dtype == np.float32 else 1e-12
            atol = tolerance * np.abs(array).max()
            np.testing.assert_allclose(found[key], array, rtol=tolerance, atol=atol)


@pytest.mark.parametrize("name", MODELS)
def test_import_onnx_reads_the_file(tmp_path, name):
    model, y = MODELS[name]
    save(model.set_params(max_iter=3, tol=0).fit(X, y), tmp_path / "model.onnx")
    back = ag.import_onnx(tmp_path / "model.onnx")
    if model.kind == "regressor":
        np.testing.assert_allclose(back(X), model.predict(X), rtol=1e-13)
        return
    np.testing.assert_array_equal(back.classes, model.classes_)
    p = back(X)["probabilities"]
    np.testing.assert_allclose(p, model.predict_proba(X), rtol=1e-12)


def test_small_probabilities_keep_their_digits(tmp_path):
    model = LogisticRegression(intercept="separate", max_iter=1, tol=0).fit([[1.0], [2.0]], [0, 1])
    model.parameters_ = {"w": np.array([1.0]), "b": np.array(0.0)}
    save(model, tmp_path / "model.onnx")
    f, _ = reference(tmp_path / "model.onnx")
    given = np.array([[-600.0], [-40.0], [0.0], [40.0], [600.0]])
    found = f(given)["probabilities"]
    np.testing.assert_allclose(found, model.predict_proba(given), rtol=1e-12)
    assert (found > 0).all()


def test_from_one_file_to_the_other(run, folder, tmp_path):
    pytest.importorskip("safetensors")
    weights, _ = trained(run, folder, "pair", "indicator")
    first, second = tmp_path / "a.safetensors", tmp_path / "b.NPZ"
    assert run("export", weights, first)[0] == 0
    assert run("export", first, second)[0] == 0
    before, after = load(weights), load(second)
    for name in ("table_", "run_id_", "target_name_"):
        assert getattr(after, name) == getattr(before, name)
    for name, array in before.parameters_.items():
        np.testing.assert_array_equal(after.parameters_[name], array)
    assert run("export", second, tmp_path / "c.onnx")[0] == 0
    assert run("export", weights, tmp_path / "d.onnx")[0] == 0
    assert (tmp_path / "c.onnx").read_bytes() == (tmp_path / "d.onnx").read_bytes()


def test_errors_are_one_line_and_nothing_is_written(run, folder, tmp_path, monkeypatch):
    weights, _ = trained(run, folder, "pair", "mean")
    data = folder / "pair-mean.csv"
    (tmp_path / "folder.onnx").mkdir()
    (tmp_path / "old.onnx").write_text("old")
    onnx = tmp_path / "old.onnx"
    cases = [
        (("export", weights, tmp_path / "m.pt"), "must end in .onnx, .safetensors, .npz"),
        (("export", weights, tmp_path / "m"), "must end in .onnx, .safetensors, .npz"),
        (("export", weights, weights), "would overwrite the weights"),
        (("export", data, tmp_path / "m.onnx"), "does not hold a model's weights"),
        (("export", onnx, tmp_path / "m.npz"), "autograd_lite.import_onnx reads models of ONNX"),
        (("export", tmp_path / "none.npz", tmp_path / "m.onnx"), "No such file"),
        (("export", weights, tmp_path / "none" / "m.onnx"), "there is no folder"),
        (("export", weights, tmp_path / "folder.onnx"), "is a folder"),
        (("export", weights), "required: OUT"),
    ]
    for argv, message in cases:
        code, shown, complaints = run(*argv)
        assert (code, shown) == (2, "")
        assert message in complaints
        assert complaints.count("\n") == 1
    monkeypatch.setitem(sys.modules, "onnx", None)
    code, shown, complaints = run("export", weights, tmp_path / "old.onnx")
    assert (code, shown) == (2, "")
    assert 'pip install "autograd_lite[exchange]"' in complaints
    assert {path.name for path in tmp_path.iterdir()} == {"folder.onnx", "old.onnx"}
    assert (tmp_path / "old.onnx").read_text() == "old"


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"encoder": 1}', '{"encoder": "{}"}', None], ids=lambda text: str(text)
)
def test_weights_that_say_how_to_read_another_table_are_refused(tmp_path, run, folder, text):
    weights, _ = trained(run, folder, "pair", "mean")
    other, _ = trained(run, folder, "pair", "indicator")
    model = load(weights)
    model.table_ = load(other).table_ if text is None else text
    with pytest.raises(ValueError, match=r"the weights (do not )?say how") as caught:
        save(model, tmp_path / "model.onnx")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "model.onnx").exists()
