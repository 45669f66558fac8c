"""The command line: its results and its options."""

import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from pages import needs_graphviz, panels, without_graphviz
from written import content

from autograd_lite.models import LogisticRegression, MLPClassifier, load
from autograd_lite.models.monitor import Monitor
from autograd_lite.text import number

TABLE = "studied,slept,passed\n" + "3,5,yes\n1,4,no\n4,8,yes\n0.5,6,no\n2,1,yes\n1.5,2,no\n" * 2


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "students.csv"
    path.write_text(TABLE)
    return path


def names(folder):
    return {path.name for path in folder.iterdir()}


def test_the_main_job(run, tmp_path):
    pytest.importorskip("matplotlib")
    needs_graphviz()
    out = tmp_path / "deep" / "results"
    code, shown, complaints = run("train", "--out", out)
    assert code == 0
    assert "warning:" not in complaints
    assert "569 rows, 30 columns, diagnosis: 357 benign, 212 malignant" in shown
    scores = [line.split()[2] for line in shown.splitlines() if line.startswith(("logi", "mult"))]
    scores = [score for score in scores if score[0].isdigit()]
    assert len(scores) == 2
    assert min(map(float, scores)) >= 0.95
    models = ("logistic-regression", "mlp")
    kinds = ("svg", "html", "npz")
    assert names(out) == {f"{model}.{kind}" for model in models for kind in kinds} | {
        "loss-curves.svg"
    }
    for picture in out.glob("*.svg"):
        text = picture.read_text(encoding="utf-8")
        assert "<svg" in text
        assert "nan" not in text.lower().replace("dominant", "")
    model = load(out / "mlp.npz")
    assert model.classes_.tolist() == ["benign", "malignant"]
    shown = {panel.name: panel for panel in panels((out / "mlp.html").read_text("utf-8")).values()}
    first = float(model.parameters_["W1"][0, 0])
    assert shown["W⁽¹⁾"].numbers["value"][0][0] == number(first)
    assert "gradient" in shown["W⁽¹⁾"].numbers


def test_the_same_seed_gives_the_same_files(run, tmp_path, table):
    pytest.importorskip("matplotlib")
    for out in ("one", "other"):
        options = ("--max-iter", 5, "--quiet", "--out", tmp_path / out)
        assert run("train", "--data", table, "--target", "passed", *options)[0] == 0
    for path in (tmp_path / "one").iterdir():
        assert content(path) == content(tmp_path / "other" / path.name)


def test_options(run, tmp_path, table):
    code, shown, _ = run(
        *("train", "--data", table, "--target", "passed", "--out", tmp_path / "out"),
        *("--model", "mlp", "--hidden", "4,3", "--max-iter", 7, "--learning-rate", 0.02),
        *("--no-standardize", "--reduction", "sum", "--random-state", 5, "--test-size", 0.5),
        *("--solver", "sgd", "--batch-size", 2, "--alpha", 0.25, "--activation", "tanh"),
        *("--tol", 0, "--backend", "numpy", "--quiet"),
    )
    assert code == 0
    assert "6 rows to train on, 6 held out" in shown
    model = load(tmp_path / "out" / "mlp.npz")
    assert [W.shape for W in model.coefs_] == [(4, 2), (3, 4), (1, 3)]
    assert (model.max_iter, model.learning_rate_init) == (7, 0.02)
    assert (model.reduction, model.standardize, model.random_state) == ("sum", False, 5)
    assert (model.solver, model.batch_size, model.alpha) == ("sgd", 2, 0.25)
    assert (model.activation, model.tol, model.early_stopping) == ("tanh", 0, False)
    assert model.backend == "numpy"
    assert "logistic-regression.npz" not in names(tmp_path / "out")


def test_without_options_the_models_train_as_in_python(run, tmp_path, table):
    run("train", "--data", table, "--target", "passed", "--out", tmp_path, "--quiet")
    usual = {"standardize": True, "random_state": 0, "verbose": False, "class_weight": None}
    for file, model in (("logistic-regression", LogisticRegression()), ("mlp", MLPClassifier())):
        found = load(tmp_path / f"{file}.npz").get_params()
        expected = model.get_params() | usual
        assert {key: found[key] for key in found if key != "hidden_layer_sizes"} == {
            key: expected[key] for key in expected if key != "hidden_layer_sizes"
        }


def test_the_help_says_the_defaults_of_the_models(run):
    shown = " ".join(run("train", "--help")[1].partition("the models:")[2].split())
    said = dict(re.findall(r"--([a-z-]+) (?:(?! --).)*?\(default: ([\w.]+)", shown))
    assert said.pop("learning-rate") == "0.1"
    assert "(default: 0.1; of sgd and adam for mlp 0.01; of both a tenth if" in shown
    assert set(LogisticRegression.rates.values()) == {0.1}
    assert MLPClassifier.rates == {"gd": 0.1, "sgd": 0.01, "adam": 0.01}
    # Batches of "auto" have 200 rows; the command line trains both models on standardized columns.
    assert (said.pop("batch-size"), said.pop("model"), said.pop("no-standardize")) == (
        *("200", "both", "yes"),
    )
    logistic, perceptron = LogisticRegression().get_params(), MLPClassifier().get_params()
    logistic |= {"hidden": 16, "activation": "relu"}
    perceptron |= {"hidden": perceptron["hidden_layer_sizes"][0]}
    perceptron |= {key: logistic[key] for key in ("init", "intercept")}
    assert len(said) == 10
    for option, default in said.items():
        for settings in (logistic, perceptron):
            setting = settings[option.replace("-", "_")]
            assert type(setting)(default) == setting


@pytest.mark.parametrize("classes", [3, 12])
def test_any_number_of_classes(run, tmp_path, classes):
    pytest.importorskip("matplotlib")
    needs_graphviz()
    rows = [f"{k + x},{k - x},{k}" for k in range(classes) for x in (0, 0.1, 0.2, 0.3)]
    (tmp_path / "t.csv").write_text("\n".join(["a,b,class", *rows]))
    out = tmp_path / "out"
    given = ("--data", tmp_path / "t.csv", "--target", "class", "--max-iter", 9, "--tol", 0)
    code, shown, complaints = run("train", *given, "--out", out, "--quiet")
    assert (code, complaints) == (0, "")
    assert ("class: 4 0, 4 1, 4 2" if classes == 3 else "class: 12 classes") in shown
    assert names(out) == {
        *("logistic-regression.svg", "logistic-regression.html", "logistic-regression.npz"),
        *("mlp.svg", "mlp.html", "mlp.npz", "loss-curves.svg"),
    }
    for name in ("logistic-regression", "mlp"):
        assert load(out / f"{name}.npz").classes_.tolist() == list(range(classes))


def test_the_command_of_the_documentation_converges(run, tmp_path):
    drawn = random.Random(0)
    hours = [(drawn.uniform(0, 5), drawn.uniform(3, 9)) for _ in range(40)]
    rows = [f"{a:.2f},{b:.2f},{'yes' if a > 2.5 else 'no'}" for a, b in hours]
    (tmp_path / "t.csv").write_text("\n".join(["studied,slept,passed", *rows]))
    code, _, complaints = run(
        *("train", "--data", tmp_path / "t.csv", "--target", "passed", "--model", "mlp"),
        *("--hidden", "16,8", "--learning-rate", 0.05, "--max-iter", 1000),
        *("--out", tmp_path / "trained", "--quiet"),
    )
    assert (code, complaints) == (0, "")


def test_early_stopping(run, tmp_path):
    given = ("--model", "mlp", "--early-stopping", "--report", "--out", tmp_path, "--quiet")
    code, _, complaints = run("train", *given)
    assert (code, complaints) == (0, "")
    content = json.loads((tmp_path / "mlp.json").read_text(encoding="utf-8"))
    assert content["settings"]["early_stopping"] is True
    assert 10 < content["results"]["steps or epochs"] < 500
    assert 0.9 < content["results"]["best validation accuracy"] <= 1


def test_an_interrupted_training_keeps_its_best_weights(run, tmp_path, table, monkeypatch):
    step = Monitor.step

    def interrupted(self, *args):
        stop = step(self, *args)
        if len(self.losses) == 5:
            raise KeyboardInterrupt
        return stop

    monkeypatch.setattr(Monitor, "step", interrupted)
    given = ("--data", table, "--target", "passed", "--model", "mlp", "--quiet")
    code, _, complaints = run("train", *given, "--out", tmp_path / "out")
    assert code == 130
    warning, said = complaints.splitlines()
    assert warning.startswith(
        "autograd-lite: warning: multilayer perceptron: fit was interrupted after 5 steps"
    )
    assert said.startswith("autograd-lite: interrupted; what was trained so far is written to ")
    assert "mlp.npz" in names(tmp_path / "out")


def test_options_of_logistic_regression(run, tmp_path, table):
    code, _, _ = run(
        *("train", "--data", table, "--target", "passed", "--out", tmp_path, "--quiet"),
        *("--model", "logistic-regression", "--intercept", "separate", "--init", "random"),
    )
    assert code == 0
    model = load(tmp_path / "logistic-regression.npz")
    assert set(model.parameters_) == {"w", "b"}


def test_too_large_a_rate_is_reported(run, tmp_path):
    code, _, complaints = run(
        *("train", "--model", "logistic-regression", "--out", tmp_path, "--quiet"),
        *("--solver", "gd", "--learning-rate", 1e5, "--max-iter", 5),
    )
    assert code == 0
    assert complaints.startswith(
        "autograd-lite: warning: logistic regression: the learning rate 100000 is too large"
    )
    assert np.isfinite(load(tmp_path / "logistic-regression.npz").parameters_["w"]).all()


def test_notes_in_place_of_pictures(run, tmp_path, table, monkeypatch):
    without_graphviz(monkeypatch)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    out = tmp_path / "out"
    given = ("--data", table, "--target", "passed", "--tol", 0)
    code, _, complaints = run("train", *given, "--out", out, "--model", "mlp", "--quiet")
    assert code == 0
    assert names(out) == {"mlp.dot", "mlp.npz", "loss-curves.txt"}
    assert "pip install 'autograd_lite[plot]'" in (out / "loss-curves.txt").read_text()
    assert len(complaints.splitlines()) == 2


def test_walkthrough(run, tmp_path):
    code, shown, complaints = run("walkthrough")
    assert (code, complaints) == (0, "")
    assert "(0.3005, 0.1341)" in shown
    code, message, _ = run("walkthrough", "--out", tmp_path / "walk.md")
    assert (code, message) == (0, f"written to {tmp_path / 'walk.md'}\n")
    assert (tmp_path / "walk.md").read_text(encoding="utf-8") == shown


def test_walkthrough_of_another_example(run):
    code, shown, _ = run(
        *("walkthrough", "--x", "1,-2", "--y", 0, "--w", "-0.5,0.25", "--b", "-1"),
        *("--learning-rate", 0.5),
    )
    assert code == 0
    assert "x = (1, −2), y = 0, w = (−0.5, 0.25), b = −1, learning rate α = 0.5" in shown
    assert "−2.01" not in shown


@pytest.mark.parametrize("example", ["student", "logistic-regression", "mlp"])
def test_draw(run, tmp_path, example):
    code, _, _ = run("draw", example, "--out", tmp_path / "graph.dot")
    assert code == 0
    with_gradients = (tmp_path / "graph.dot").read_text(encoding="utf-8")
    assert with_gradients.startswith("digraph")
    run("draw", example, "--no-gradients", "--out", tmp_path / "graph.dot")
    assert len((tmp_path / "graph.dot").read_text(encoding="utf-8")) < len(with_gradients)


def test_version(run):
    code, shown, _ = run("--version")
    assert code == 0
    assert shown.startswith("autograd_lite ")


@pytest.mark.parametrize("full", [False, True])
def test_a_closed_or_full_output_loses_no_model(tmp_path, table, full):
    command = [sys.executable, "-m", "autograd_lite", "train", "--data", table, "--quiet"]
    command += ["--target", "passed", "--out", tmp_path / "out", "--model", "logistic-regression"]
    if full and not Path("/dev/full").exists():
        pytest.skip("no /dev/full")
    pipe = subprocess.PIPE
    with (
        open("/dev/full" if full else os.devnull, "w", encoding="utf-8") as sink,
        subprocess.Popen(command, stdout=sink if full else pipe, stderr=pipe, text=True) as process,
    ):
        if not full:
            process.stdout.close()
        complaints = process.stderr.read()
    assert process.returncode == 0
    assert "Traceback" not in complaints
    assert "logistic-regression.npz" in names(tmp_path / "out")
