"""`train` and `predict` on the tables that people have."""

import csv
import io
import json
import sys

import numpy as np
import pandas as pd
import pytest
from frames import FORMATS

from autograd_lite.commands.results import folds_as_text, of_folds
from autograd_lite.models import LogisticRegression, MLPClassifier, load
from autograd_lite.models.estimator import Estimator
from autograd_lite.models.monitor import Monitor

RANDOM = np.random.default_rng(16)
N = 120


def people(n=N):
    """Numbers, text, categories, booleans, an id and a date, some values missing."""
    age = RANDOM.normal(40, 12, n).round(1)
    island = RANDOM.choice(["Biscoe", "Dream", "Torgersen"], n)
    weight = (50 + age / 2 + 5 * (island == "Dream") + RANDOM.normal(0, 3, n)).round(2)
    table = pd.DataFrame(
        {
            "person_id": np.arange(n) + 100,
            "age": np.where(RANDOM.random(n) < 0.1, np.nan, age),
            "island": pd.Series(np.where(RANDOM.random(n) < 0.1, None, island), dtype="str"),
            "smoker": pd.Series(RANDOM.random(n) < 0.3, dtype="boolean"),
            "group": pd.Categorical(RANDOM.choice(["a", "b; c"], n)),
            "weight": weight,
            "heavy": np.where(weight > 72, "yes", "no"),
        }
    )
    return table


PEOPLE = people()
QUICK = ("--quiet", "--max-iter", 20, "--tol", 0)


@pytest.fixture
def train(run, tmp_path):
    """Train on a table and return the exit code, what was printed, and the output folder."""

    def with_table(table, *options, name="table.csv", write=FORMATS["pandas.csv"]):
        write(table, tmp_path / name)
        out = tmp_path / "out"
        code, shown, complaints = run(
            "train", "--data", tmp_path / name, "--out", out, *QUICK, *options
        )
        return code, shown, complaints, out

    return with_table


def result(shown):
    """The one object on standard output; NaN is not JSON."""
    return json.loads(shown, parse_constant=lambda name: pytest.fail(f"{name} in JSON"))


def test_every_format_gives_the_same_model(train):
    options = ("--target", "heavy", "--drop", "weight", "--json", "--backend", "numpy")
    found = {}
    for name, write in FORMATS.items():
        code, shown, complaints, out = train(PEOPLE, *options, name=name, write=write)
        assert (code, complaints) == (0, ""), name
        content = result(shown)
        parameters = load(out / "mlp.npz").parameters_
        found[name] = (
            content["models"],
            content["columns"],
            {key: array.tolist() for key, array in parameters.items()},
        )
    first, *others = found.values()
    assert all(other == first for other in others)


def test_what_is_printed_and_saved_about_each_column(train):
    code, shown, _, out = train(PEOPLE, "--target", "heavy", "--drop", "weight")
    assert code == 0
    lines = {line.split()[0]: line for line in shown.splitlines() if line.strip()}
    assert "left out: an id" in lines["person_id"]
    assert "left out, as asked for" in lines["weight"]
    assert f"{PEOPLE.age.isna().sum()}  as it is; missing: " in lines["age"]
    assert "one-hot, 3 categories: Biscoe, Dream, Torgersen; missing: the share" in lines["island"]
    assert "0 and 1" in lines["smoker"]
    assert "one-hot, 2 categories: a, b; c" in lines["group"]
    missing = PEOPLE.age.isna().sum() + PEOPLE.island.isna().sum()
    assert f"{missing} missing values: the mean of the training rows (--missing mean)" in shown
    saved = json.loads(load(out / "mlp.npz").table_)
    assert [column["name"] for column in saved["columns"]] == [
        name for name in PEOPLE if name != "heavy"
    ]
    assert load(out / "mlp.npz").feature_names_in_.tolist() == [
        "age",
        *("island=Biscoe", "island=Dream", "island=Torgersen"),
        "smoker",
        *("group=a", "group=b; c"),
    ]


def test_the_texts_that_are_taken_as_missing_are_named(train):
    table = pd.DataFrame(
        {"x": ["a", "NA", "b", "none"] * 10, "y": ["p", "q", "None", "p", "q"] * 8}
    )
    code, shown, *_ = train(table, "--target", "y", "--model", "logistic-regression")
    assert code == 0
    assert "8 rows without y ('None') left out" in shown
    assert "one-hot, 3 categories: a, b, none; missing ('NA'): the share" in shown


def test_a_column_that_only_held_out_rows_have(train):
    table = pd.DataFrame({"x": RANDOM.normal(size=40), "y": [0, 1] * 20})
    for k in range(40):
        table[f"t{k}"], table[f"n{k}"] = None, np.nan
        table.loc[[k, (k + 7) % 40], f"t{k}"] = ["a", "b"]
        table.loc[[k, (k + 9) % 40], f"n{k}"] = [1.5, 2.5]
    code, shown, complaints, out = train(table, "--target", "y", "--json", "--cv", 2)
    assert (code, complaints) == (0, "")
    done = [column["done"] for column in result(shown)["columns"]]
    assert "left out: it has no values in the training rows" in done
    assert len(done) == 81
    model = load(out / "mlp.npz")
    assert len(model.feature_names_in_) == model.n_features_in_


def test_row_numbers_are_not_learned(train):
    table = pd.DataFrame({"x": RANDOM.normal(size=200), "y": np.repeat(["no", "yes"], 100)})
    for write in (
        lambda t, path: t.to_csv(path),
        lambda t, path: (
            t.reset_index().rename(columns={"index": "Order"}).to_csv(path, index=False)
        ),
    ):
        code, shown, _, _ = train(table, "--target", "y", "--json", write=write)
        assert code == 0
        for figures in result(shown)["models"].values():
            assert figures["accuracy"] < 0.75
        assert any("numbers the rows" in column["done"] for column in result(shown)["columns"])


def test_a_model_that_is_no_better_than_its_baseline_is_told(train):
    table = pd.DataFrame({"x": RANDOM.normal(size=N), "y": RANDOM.random(N) < 0.2})
    code, shown, _, _ = train(table, "--target", "y", "--model", "logistic-regression")
    assert code == 0
    assert "logistic regression does not beat always predicting False" in shown


@pytest.mark.parametrize("missing", ["drop", "mean", "indicator"])
def test_missing_values(train, missing):
    options = ("--target", "heavy", "--drop", "weight", "--missing", missing, "--json")
    code, shown, _, out = train(PEOPLE, *options)
    assert code == 0
    content = result(shown)
    whole = (~PEOPLE[["age", "island"]].isna().any(axis=1)).sum()
    assert sum(content["rows"].values()) == (whole if missing == "drop" else N)
    names = load(out / "mlp.npz").feature_names_in_.tolist()
    assert ("age is missing" in names) == ("island is missing" in names) == (missing == "indicator")


def test_a_number_is_predicted_by_regression(train, run, tmp_path):
    code, shown, _, out = train(PEOPLE, "--target", "weight", "--drop", "heavy", "--json")
    assert code == 0
    content = result(shown)
    assert content["task"] == "regression"
    assert any("to predict classes, use --task classification" in note for note in content["notes"])
    assert content["models"].keys() == {"linear-regression", "mlp"}
    figures = content["models"]["linear-regression"]
    assert figures.keys() == {"r2", "rmse", "baseline_rmse"}
    assert figures["rmse"] < 0.7 * figures["baseline_rmse"]
    predicted = tmp_path / "predicted.csv"
    weights = ("--weights", out / "linear-regression.npz", "--data", tmp_path / "table.csv")
    code, shown, complaints = run("predict", *weights, "--out", predicted)
    assert code == 0
    assert "column 'age': " in complaints
    table = pd.read_csv(predicted)
    rmse = np.sqrt(np.mean((table["predicted weight"] - table["weight"]) ** 2))
    assert f"RMSE {rmse:.6g} of the {N} known" in shown


def test_cross_validation_and_the_positive_class(train):
    options = ("--target", "heavy", "--drop", "weight", "--cv", 3, "--positive", "no", "--json")
    code, shown, _, out = train(PEOPLE, *options)
    assert code == 0
    for figures in result(shown)["models"].values():
        assert figures["cv"]["folds"] == 3
        assert 0.4 < figures["cv"]["accuracy"]["mean"] <= 1
    assert json.loads(load(out / "mlp.npz").table_)["positive"] == 0
    code, _, complaints, _ = train(PEOPLE, "--target", "heavy", "--cv", 100)
    assert code == 2
    assert "--cv 100: class" in complaints
    code, _, complaints, _ = train(PEOPLE, "--target", "heavy", "--positive", "maybe")
    assert code == 2
    assert "has no class 'maybe'; the classes are no, yes" in complaints


def test_a_figure_that_one_model_lacks_is_left_out_of_the_folds():
    models = {"a": LogisticRegression(), "b": MLPClassifier()}
    folds = {name: [{"accuracy": 0.5, "log_loss": 0.7}] * 2 for name in models}
    folds["b"] = [{"accuracy": 0.5, "log_loss": None}, {"accuracy": 1.0, "log_loss": 0.1}]
    found = of_folds(folds)
    assert found["b"].keys() == {"folds", "accuracy"}
    assert found["b"]["accuracy"] == {"mean": 0.75, "std": np.sqrt(0.125)}
    _, head, *lines = folds_as_text(models, found)
    assert head.split() == ["2", "folds", "accuracy"]
    assert "0.7500 ± 0.3536" in lines[1]


def test_only_some_columns_and_numbers_as_categories(train):
    options = ("--target", "heavy", "--columns", "age,person_id", "--text", "person_id")
    code, _, _, out = train(PEOPLE[:60], *options, "--model", "logistic-regression")
    assert code == 0
    names = load(out / "logistic-regression.npz").feature_names_in_.tolist()
    assert "age" in names
    assert sum(name.startswith("person_id=") for name in names) == 45


def test_standard_input(run, tmp_path, monkeypatch):
    class Input:
        buffer = io.BytesIO(PEOPLE.to_csv(index=False, sep=";", decimal=",").encode())

    monkeypatch.setattr(sys, "stdin", Input)
    code, shown, _ = run(
        "train", "--data", "-", "--target", "heavy", "--out", tmp_path / "out", *QUICK
    )
    assert code == 0
    assert shown.startswith(f"standard input: {N} rows")


@pytest.fixture
def weights(train):
    code, *_, out = train(PEOPLE, "--target", "heavy", "--drop", "weight", "--missing", "drop")
    assert code == 0
    return out / "mlp.npz"


def predicted(run, weights, path, *options):
    code, shown, complaints = run("predict", "--weights", weights, "--data", path, *options)
    assert code == 0
    return list(csv.reader(io.StringIO(shown))), complaints


def test_predictions_of_rows_with_missing_values_and_unknown_categories(run, weights, tmp_path):
    new = PEOPLE.drop(columns=["heavy", "weight"])[:8].assign(**{"@note": "=1+1"})
    new.loc[0, "age"] = np.nan
    new.loc[1, "island"] = "Atlantis"
    new.loc[2:, "age"], new.loc[2:, "island"] = 33.5, "Dream"
    new[new.columns[::-1]].to_csv(tmp_path / "new.csv", index=False)
    (header, *rows), complaints = predicted(run, weights, tmp_path / "new.csv")
    assert header[-2:] == ["predicted heavy", "probability of yes"]
    assert [row[-2] == "" for row in rows] == [True, True] + [False] * 6
    assert "column 'island': Atlantis in 1 row not seen in training" in complaints
    assert "2 without a prediction" in complaints
    assert "a spreadsheet may compute 9 cells, such as '@note'; --quote-formulas" in complaints
    (names, *quoted), _ = predicted(run, weights, tmp_path / "new.csv", "--quote-formulas")
    assert [row[0] for row in [names, *quoted]] == ["'@note"] + ["'=1+1"] * 8
    assert [row[1:] for row in quoted] == [row[1:] for row in rows]


def test_the_output_is_written_as_the_table(run, weights, tmp_path):
    new = PEOPLE.drop(columns=["weight"]).assign(age=33.25, island="Dream")
    new.to_csv(tmp_path / "new.csv", index=False, sep=";", decimal=",")
    code, shown, complaints = run("predict", "--weights", weights, "--data", tmp_path / "new.csv")
    assert code == 0
    table = pd.read_csv(io.StringIO(shown), sep=";", decimal=",")
    pd.testing.assert_frame_equal(
        table[new.columns], pd.read_csv(tmp_path / "new.csv", sep=";", decimal=",")
    )
    assert table["probability of yes"].between(0, 1).all()
    right = np.mean(table["predicted heavy"] == table["heavy"])
    assert f"{right:.4f} of the {N} known are right" in complaints


@pytest.mark.parametrize("written", ["0", "0.0", "False"])
def test_labels_are_compared_as_what_they_are(train, run, tmp_path, written):
    table = pd.DataFrame({"x": RANDOM.normal(size=40)})
    table["y"] = (table.x > 0).astype({"0": int, "0.0": float, "False": bool}[written])
    code, *_, out = train(table, "--target", "y", "--model", "logistic-regression")
    assert code == 0
    for kind in (int, float, bool):
        table.assign(y=table.y.astype(kind)).to_csv(tmp_path / "new.csv", index=False)
        _, complaints = predicted(run, out / "logistic-regression.npz", tmp_path / "new.csv")
        assert "of the 40 known are right" in complaints


def test_truth_values_and_0_and_1_are_the_same_classes(train):
    table = pd.DataFrame({"x": RANDOM.normal(size=40), "y": ["0", "False", "1", "True"] * 10})
    code, shown, *_ = train(table, "--target", "y", "--model", "logistic-regression")
    assert code == 0
    assert "y: 20 False, 20 True" in shown


def test_predictions_never_replace_the_weights(run, weights, tmp_path):
    PEOPLE.to_csv(tmp_path / "new.csv", index=False)
    before = weights.read_bytes()
    given = ("--weights", weights, "--data", tmp_path / "new.csv", "--out", weights)
    code, shown, complaints = run("predict", *given)
    assert (code, shown) == (2, "")
    assert "would overwrite the weights" in complaints
    assert weights.read_bytes() == before


def interrupted_at(monkeypatch, step):
    """Press Ctrl-C at a step of the first training."""
    original, steps = Monitor.step, []

    def interrupted(self, *args):
        stop = original(self, *args)
        steps.append(stop)
        if len(steps) == step:
            raise KeyboardInterrupt
        return stop

    monkeypatch.setattr(Monitor, "step", interrupted)


def test_ctrl_c_in_training_writes_what_there_is(train, monkeypatch):
    interrupted_at(monkeypatch, 5)
    code, _, complaints, out = train(PEOPLE, "--target", "heavy")
    assert code == 130
    assert "interrupted; what was trained so far is written to" in complaints
    assert "logistic-regression.npz" in {path.name for path in out.iterdir()}
    assert "mlp.npz" not in {path.name for path in out.iterdir()}


def test_ctrl_c_before_the_first_step_writes_nothing(train, monkeypatch):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(Estimator, "_fit", interrupted)
    code, _, complaints, out = train(PEOPLE, "--target", "heavy")
    assert (code, complaints) == (130, "autograd-lite: interrupted\n")
    assert not out.exists()


@pytest.mark.parametrize("where", ["cross_validated", "_drawn", "as_text"])
def test_ctrl_c_after_training_keeps_all_weights(train, monkeypatch, where):
    def interrupted(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(f"autograd_lite.commands.train.{where}", interrupted)
    code, _, complaints, out = train(PEOPLE, "--target", "heavy", "--cv", 2)
    assert code == 130
    assert len(complaints.splitlines()) == 1
    assert {"logistic-regression.npz", "mlp.npz"} <= {path.name for path in out.iterdir()}


def test_the_table_is_never_overwritten(train, run, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    PEOPLE.to_csv(out / "data.csv", index=False)
    before = (out / "data.csv").read_bytes()
    code, _, complaints = run(
        "train", "--data", out / "data.csv", "--target", "heavy", "--out", out, "--report", *QUICK
    )
    assert code == 2
    assert "would be overwritten; use another --out" in complaints
    assert (out / "data.csv").read_bytes() == before
