"""`autograd-lite predict`: what a saved model says about a table, whatever stands in it."""

import csv
import random

import numpy as np
import pytest

from autograd_lite.data import make_moons
from autograd_lite.models import LogisticRegression, load, save

ROWS = "3,5,yes\n1,4,no\n4,8,yes\n0.5,6,no\n2,1,yes\n1.5,2,no\n" * 2
TABLE = f"studied,slept,passed\n{ROWS}"


@pytest.fixture
def weights(run, tmp_path):
    """What `train` saved of a model of two columns."""
    (tmp_path / "students.csv").write_text(TABLE)
    options = ("--target", "passed", "--max-iter", 20, "--tol", 0, "--quiet")
    options += ("--out", tmp_path / "trained")
    assert run("train", "--data", tmp_path / "students.csv", *options)[0] == 0
    return tmp_path / "trained" / "mlp.npz"


def loaded(weights):
    """The saved model, without the names of its columns, for arrays."""
    model = load(weights)
    del model.feature_names_in_
    return model


def read(path):
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def predict(run, weights, tmp_path, text):
    (tmp_path / "new.csv").write_text(text, encoding="utf-8")
    out = tmp_path / "out.csv"
    code, shown, complaints = run(
        "predict", "--weights", weights, "--data", tmp_path / "new.csv", "--out", out
    )
    return code, shown, complaints, out


def test_the_rows_come_back_with_class_and_probability(run, weights, tmp_path):
    code, shown, complaints, out = predict(run, weights, tmp_path, "studied,slept\n3,5\n0.5,6\n")
    assert (code, complaints) == (0, "")
    assert "2 rows: " in shown
    model = loaded(weights)
    X = [[3.0, 5.0], [0.5, 6.0]]
    rows = read(out)
    assert list(rows[0]) == ["studied", "slept", "predicted passed", "probability of yes"]
    assert [row["predicted passed"] for row in rows] == model.predict(X).tolist()
    found = [float(row["probability of yes"]) for row in rows]
    np.testing.assert_allclose(found, model.predict_proba(X)[:, 1], rtol=1e-5)


@pytest.mark.parametrize("seed", range(5))
def test_columns_are_found_by_name_and_others_carried_along(run, weights, tmp_path, seed):
    shuffled = random.Random(seed)
    columns = {"studied": "3", "slept": "5", "name": "Ada, of ☕", "remark": "", "grade": "?"}
    names = shuffled.sample(list(columns), len(columns))
    text = ",".join(names) + "\n" + ",".join(f'"{columns[name]}"' for name in names) + "\n"
    code, _, _, out = predict(run, weights, tmp_path, text)
    assert code == 0
    (row,) = read(out)
    assert {name: row[name] for name in columns} == columns
    assert row["predicted passed"] == loaded(weights).predict([[3.0, 5.0]])[0]


def test_known_labels_are_compared(run, weights, tmp_path):
    code, shown, _, _ = predict(run, weights, tmp_path, TABLE + "9,9,\n")
    model = loaded(weights)
    y = [line.split(",")[2] for line in ROWS.split()]
    X = [[float(x) for x in line.split(",")[:2]] for line in ROWS.split()]
    assert code == 0
    assert f"; {model.score(X, y):.4f} of the 12 known are right" in shown


def test_more_than_two_classes_have_a_probability_each(run, tmp_path):
    random = np.random.default_rng(0)
    X, y = random.normal(size=(30, 2)), np.arange(30) % 3
    model = LogisticRegression(alpha=0.1).fit(X, np.array(["low", "middle", "high"])[y])
    names = np.array(["p", "q"], dtype=object)
    model.feature_names_in_, model.target_name_ = names, "level"
    save(model, tmp_path / "w.npz")
    text = "\n".join(["p,q", *(f"{a!r},{b!r}" for a, b in X.tolist())])
    code, shown, complaints, out = predict(run, tmp_path / "w.npz", tmp_path, text)
    assert (code, complaints) == (0, "")
    assert shown.splitlines()[-1].startswith("30 rows: ")
    rows = read(out)
    new = ["predicted level", *(f"probability of {k}" for k in ("high", "low", "middle"))]
    assert list(rows[0]) == ["p", "q", *new]
    del model.feature_names_in_
    assert [row["predicted level"] for row in rows] == model.predict(X).tolist()
    found = [[float(row[name]) for name in new[1:]] for row in rows]
    np.testing.assert_allclose(found, model.predict_proba(X), rtol=1e-5)
    first = out.read_text()
    predict(run, tmp_path / "w.npz", tmp_path, first)
    assert out.read_text() == first


def test_predicting_twice_replaces_the_columns(run, weights, tmp_path):
    _, _, _, out = predict(run, weights, tmp_path, "studied,slept\n3,5\n")
    first = out.read_text()
    code, _, _, out = predict(run, weights, tmp_path, first)
    assert code == 0
    assert out.read_text() == first


def test_standard_output_holds_the_table_alone(run, weights, tmp_path):
    (tmp_path / "new.csv").write_text("slept,studied\n5,3\n")
    code, shown, complaints = run("predict", "--weights", weights, "--data", tmp_path / "new.csv")
    assert code == 0
    assert [len(line.split(",")) for line in shown.splitlines()] == [4, 4]
    assert complaints.startswith("1 row: ")


def test_a_model_that_knows_no_names_takes_the_columns_in_order(run, tmp_path):
    t = make_moons(20, random_state=0)
    model = LogisticRegression(max_iter=5, tol=0).fit(t.X, t.y)
    save(model, tmp_path / "w.npz")
    assert not hasattr(load(tmp_path / "w.npz"), "feature_names_in_")
    code, _, _, out = predict(run, tmp_path / "w.npz", tmp_path, "p,q\n0.5,1\n")
    assert code == 0
    (row,) = read(out)
    assert row["predicted class"] == str(model.predict([[0.5, 1.0]])[0])
    code, _, complaints, _ = predict(run, tmp_path / "w.npz", tmp_path, "p,q,r\n1,2,3\n")
    assert code == 2
    assert "new.csv has 3 columns, but the model was fitted with 2" in complaints


def test_names_there_and_back(weights, tmp_path):
    model = load(weights)
    assert model.feature_names_in_.tolist() == ["studied", "slept"]
    assert model.target_name_ == "passed"
    save(model, tmp_path / "again.npz")
    assert load(tmp_path / "again.npz").feature_names_in_.tolist() == ["studied", "slept"]
    model.set_params(tol=0).fit([[1.0], [2.0]], [0, 1])
    assert not hasattr(model, "feature_names_in_")


def test_weights_that_name_too_few_columns(weights, tmp_path):
    with np.load(weights) as arrays:
        held = dict(arrays) | {"columns": np.array(["studied"])}
    np.savez(tmp_path / "bad.npz", **held)
    with pytest.raises(ValueError, match="'columns' must be text of shape"):
        load(tmp_path / "bad.npz")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("studied,age\n3,5\n", "lacks the column 'slept' of the model; it has 2: studied, age"),
        ("age\n3\n", "lacks the 2 columns 'studied', 'slept' of the model; it has 1: age"),
        ("studied,slept\n3,five\n", "new.csv: column 'slept' holds 'five', but the model was"),
        ("studied,slept\ninf,5\n", "column 'studied' holds 'inf'"),
        ("studied,slept\n3,5,7\n", "line 2: 3 values where the header has 2"),
        ("studied,slept\n", "has a header but no rows"),
        ("studied,slept,slept\n3,5,5\n", "more than one column named 'slept'"),
        ("", "is empty"),
    ],
)
def test_a_table_that_does_not_fit(run, weights, tmp_path, text, message):
    (tmp_path / "out.csv").write_text("before")
    code, shown, complaints, out = predict(run, weights, tmp_path, text)
    assert (code, shown) == (2, "")
    assert message in complaints
    assert len(complaints.splitlines()) == 1
    assert out.read_text() == "before"


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("--weights", "trained/mlp.npz", "--data", "none.csv"), "none.csv"),
        (("--weights", "trained/mlp.npz", "--data", "new.csv", "--out", "no/o.csv"), "no folder"),
    ],
)
def test_files_that_are_not_there(run, weights, tmp_path, monkeypatch, argv, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "new.csv").write_text("studied,slept\n3,5\n")
    code, shown, complaints = run("predict", *argv)
    assert (code, shown) == (2, "")
    assert message in complaints
    assert len(complaints.splitlines()) == 1
