"""`autograd-lite plot`: every picture that it offers, and one line when it cannot."""

import sys
from functools import partial

import numpy as np
import pytest

from autograd_lite.cli import _parser
from autograd_lite.commands.html import csv_of
from autograd_lite.commands.model_pictures import MODEL_PICTURES, class_curves
from autograd_lite.commands.pictures import PICTURES
from autograd_lite.data import load_breast_cancer, make_moons
from autograd_lite.models import (
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
    load,
    save,
)
from autograd_lite.models.metrics import auc
from autograd_lite.text import number

pytest.importorskip("matplotlib")


@pytest.fixture
def run(run):
    """Run the command; returns the exit code, standard output and standard error."""
    return partial(run, "plot")


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture(run, tmp_path, name):
    path = tmp_path / "picture.png"
    code, shown, complaints = run(name, "--out", path)
    assert (code, complaints) == (0, "")
    assert shown == f"written to {path}\n"
    assert path.read_bytes().startswith(b"\x89PNG")
    assert PICTURES[name].caption.endswith(".")


def test_a_folder_that_does_not_exist(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, shown, complaints = run("sigmoid", "--out", "none/sigmoid.svg")
    assert (code, shown) == (2, "")
    assert "there is no folder" in complaints


def test_the_default_is_svg_under_its_name(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert run("sigmoid")[0] == 0
    assert "<svg" in (tmp_path / "sigmoid.svg").read_text(encoding="utf-8")


def test_help_lists_the_pictures(run):
    code, shown, _ = run("--help")
    assert code == 0
    for name, picture in PICTURES.items():
        assert f"{name} " in shown
        assert picture.title in shown


def test_the_step_on_the_student_is_that_of_the_walkthrough():
    ax = PICTURES["descent"].axes()
    path = np.column_stack(ax.lines[0].get_data())
    np.testing.assert_allclose(path[:2], [[0.1, -0.2], [0.3005, 0.1341]], atol=5e-5)
    # Each step is a multiple of x = (3, 5).
    steps = np.diff(path, axis=0)
    np.testing.assert_allclose(steps[:, 1] / steps[:, 0], 5 / 3, rtol=1e-9)


def test_too_small_right_and_too_large():
    small, right, large = (ax.lines[0].get_ydata() for ax in PICTURES["learning-rates"].axes()[1])
    assert np.all(np.diff(small) < 0)
    assert np.all(np.diff(right) < 0)
    assert right[-1] < small[-1]
    assert right[-1] < large[-1]
    assert np.sum(np.diff(large) > 0) > 5


def test_without_matplotlib_the_fix_is_named(run, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    code, shown, complaints = run("sigmoid", "--out", tmp_path / "a.svg")
    assert (code, shown) == (2, "")
    assert "pip install 'autograd_lite[plot]'" in complaints
    assert list(tmp_path.iterdir()) == []


# Pictures of trained models.

HOSTILE = '</script><b>"&$x$, a'


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Tables, and models of them with two columns, with more, with three classes, of numbers."""
    path, few = tmp_path_factory.mktemp("models"), {"solver": "lbfgs", "random_state": 0}
    table, shipped = make_moons(60, noise=0.4, random_state=0), load_breast_cancer()
    a, b = table.X.T
    y = np.where(table.y == 1, "yes", "no")
    groups, more = (a > 0.5).astype(int) + (b > 0.3), np.column_stack([a, b, a * b])
    columns = {"moons": [HOSTILE, "b"], "three": [HOSTILE, "b"], "more": ["a", "b", HOSTILE]}
    models = {
        "moons": (LogisticRegression(**few, alpha=0.1), table.X, y),
        "moons-mlp": (MLPClassifier((4, 3), **few, alpha=0.1), table.X, y),
        "three": (LogisticRegression(**few, alpha=0.1), table.X, groups),
        "more": (MLPClassifier(3, **few, alpha=0.1), more, y),
        "number": (LinearRegression(), table.X, a + b),
        "number-mlp": (MLPRegressor(3, **few, alpha=0.1), table.X, a + b),
    }
    for name, (model, X, t) in models.items():
        names = columns.get(name.removesuffix("-mlp"), columns["moons"])
        model.fit(X, t)
        model.feature_names_in_, model.target_name_ = np.array(names, dtype=object), "t"
        save(model, path / f"{name}.npz")
        rows = [(*map(repr, x), k) for x, k in zip(X.tolist(), t.tolist(), strict=True)]
        (path / f"{name}.csv").write_bytes(csv_of([(*names, "t"), *rows]))
    save(LogisticRegression(**few, alpha=0.1).fit(shipped.X, shipped.y), path / "shipped.npz")
    for name, losses in (("one", [0.7, 0.3, 0.2]), ("other", [0.7, 0.5])):
        rows = [("step or epoch", "loss"), *enumerate(losses)]
        (path / f"{name}-loss.csv").write_bytes(csv_of(rows))
    return path


def axes(folder, name, *files, **options):
    """The Axes of a picture of models."""
    given = [part for key, value in options.items() for part in (f"--{key}", str(value))]
    argv = ["plot", name, *(str(folder / file) for file in files), *given]
    return MODEL_PICTURES[name].axes(_parser().parse_args(argv))


@pytest.mark.parametrize(
    ("name", "files", "table"),
    [
        ("boundary", ["moons.npz"], "moons"),
        ("boundary", ["three.npz"], "three"),
        ("confusion", ["three.npz"], "three"),
        ("confusion", ["shipped.npz"], None),
        ("curves", ["moons.npz", "moons-mlp.npz"], "moons"),
        ("curves", ["three.npz"], "three"),
        ("layers", ["moons-mlp.npz"], "moons"),
        ("layers", ["number-mlp.npz"], "number"),
        ("predicted", ["number.npz"], "number"),
        ("loss-curves", ["one-loss.csv", "other-loss.csv"], None),
    ],
)
def test_pictures_of_models(run, folder, tmp_path, name, files, table):
    given = ["--data", folder / f"{table}.csv"] if table else []
    path = tmp_path / "picture.svg"
    result = run(name, *given, *(folder / file for file in files), "--out", path)
    assert result == (0, f"written to {path}\n", "")
    text = path.read_text("utf-8")
    assert text.rstrip().endswith("</svg>")
    assert "</script>" not in text


def test_the_boundary_is_that_of_the_model(folder):
    ax = axes(folder, "boundary", "moons.npz", data=folder / "moons.csv")
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title(loc="left")) == (HOSTILE, "b", "")
    model, points = load(folder / "moons.npz"), np.vstack([c.get_offsets() for c in ax.collections])
    assert {tuple(p) for p in make_moons(60, noise=0.4, random_state=0).X.round(9).tolist()} <= {
        tuple(p) for p in points.round(9).tolist()
    }
    # The thick line is where both classes are equally probable.
    (line,) = (c for c in ax.collections if c.get_linewidths()[0] == 2.0)
    del model.feature_names_in_
    z = model.decision_function(np.vstack([path.vertices for path in line.get_paths()]))
    np.testing.assert_allclose(z, 0, atol=0.01)


def test_the_boundary_over_two_of_more_columns(folder):
    data = folder / "more.csv"
    ax = axes(
        folder, "boundary", "more.npz", data=data, columns=f'b,"{HOSTILE}"'.replace('"&', '""&')
    )
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("b", HOSTILE)
    assert ax.get_title(loc="left") == "the other column at its mean"
    model, table = load(folder / "more.npz"), make_moons(60, noise=0.4, random_state=0)
    del model.feature_names_in_
    lines = [c for c in ax.collections if c.get_linewidths()[0] == 2.0]
    points = np.vstack([path.vertices for line in lines for path in line.get_paths()])
    rows = np.column_stack([np.full(len(points), table.X[:, 0].mean()), points])
    np.testing.assert_allclose(model.predict_proba(rows)[:, 1], 0.5, atol=0.01)


def test_curves_of_models_and_classes(folder):
    for files, table in ((["moons.npz", "moons-mlp.npz"], "moons"), (["three.npz"], "three")):
        left, right = axes(folder, "curves", *files, data=folder / f"{table}.csv")
        names = [file.removesuffix(".npz") for file in files]
        if table == "three":
            names = ["class 0", "class 1", "class 2"]
        texts = [text.get_text() for text in left.get_legend().get_texts()]
        assert [text.partition(":")[0] for text in texts] == [*names, "guessing"]
        model = load(folder / files[0])
        del model.feature_names_in_
        rows = np.genfromtxt(folder / f"{table}.csv", delimiter=",", skip_header=1, usecols=(0, 1))
        labels = np.genfromtxt(
            folder / f"{table}.csv", delimiter=",", skip_header=1, usecols=2, dtype=str
        )
        score = model.decision_function(rows)
        if table == "moons":
            assert texts[0].endswith(f"area {number(auc(labels == 'yes', score))}")
        texts = [text.get_text() for text in right.get_legend().get_texts()]
        assert texts == [*names, "calibrated"]


@pytest.mark.parametrize("positive", [0, 1])
def test_the_curves_of_the_class_that_matters(positive):
    table = make_moons(200, noise=0.4, random_state=1)
    model = LogisticRegression(alpha=0.1).fit(table.X, np.where(table.y == 1, "yes", "no"))
    more = make_moons(90, noise=0.4, random_state=2)
    few = np.append(np.flatnonzero(more.y == 1)[:20], np.flatnonzero(more.y == 0))
    X, y = more.X[few], np.where(more.y == 1, "yes", "no")[few]
    ((name, ((false, true), (probability, share, rows))),) = class_curves(
        model, X, y, positive
    ).items()
    of, p = y == model.classes_[positive], model.predict_proba(X)[:, positive]
    assert name == f"class {model.classes_[positive]}"
    area = np.sum(np.diff(false) * (true[1:] + true[:-1])) / 2
    np.testing.assert_allclose(area, auc(of, p))
    np.testing.assert_allclose(np.sum(share * rows), of.sum())
    np.testing.assert_allclose(np.sum(probability * rows), p.sum())


def test_histograms_of_each_hidden_layer(folder):
    found = axes(folder, "layers", "moons-mlp.npz", data=folder / "moons.csv")
    assert [ax.get_title(loc="left") for ax in found[:, 0]] == ["h⁽¹⁾", "h⁽²⁾"]


def test_losses_of_files(folder):
    ax = axes(folder, "loss-curves", "one-loss.csv", "other-loss.csv")
    assert [line.get_label() for line in ax.lines] == ["one", "other"]
    assert ax.lines[0].get_ydata().tolist() == [0.7, 0.3, 0.2]


def test_files_of_one_name_are_told_apart_by_their_folders(folder, tmp_path):
    (tmp_path / "one-loss.csv").write_bytes((folder / "one-loss.csv").read_bytes())
    ax = axes(folder, "loss-curves", "one-loss.csv", tmp_path / "one-loss.csv")
    assert [line.get_label() for line in ax.lines] == [str(folder / "one"), str(tmp_path / "one")]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("moons", "moons.npz"), "plot moons shows no trained model; pictures that do: boundary"),
        (("boundary",), "plot boundary needs a trained model: plot boundary WEIGHTS"),
        (("moons", "--row", 3), "plot moons does not use --row without a trained model"),
        (("confusion", "moons.npz", "--columns", "a,b"), "plot confusion does not use --columns"),
        (("loss-curves", "one-loss.csv", "--data", "x.csv"), "loss-curves does not use --data"),
        (("loss-curves", "moons.npz"), "moons.npz holds no losses; `train --report` writes them"),
        (("loss-curves", "moons.csv"), "moons.csv has no column 'loss'"),
        (("boundary", "more.npz", "--data", "more.csv"), "plot boundary needs two columns of more"),
        (
            ("boundary", "more.npz", "--data", "more.csv", "--columns", "a,a"),
            "needs two columns of",
        ),
        (
            ("boundary", "more.npz", "--data", "more.csv", "--columns", "a,q"),
            "has no column 'q'; it",
        ),
        (
            ("boundary", "number.npz", "--data", "number.csv"),
            "needs a classifier, not the LinearReg",
        ),
        (
            ("layers", "moons.npz", "--data", "moons.csv"),
            "a perceptron, not the LogisticRegression",
        ),
        (("predicted", "moons.npz", "--data", "moons.csv"), "a regressor, not the LogisticRegress"),
        (("confusion", "moons.npz", "three.npz"), "plot confusion shows one model, not 2"),
        (("curves", "moons.npz", "moons.npz", "--data", "-"), "standard input can be read for one"),
        (
            ("curves", "three.npz", "three.npz", "three.npz", "--data", "three.csv"),
            "three is given twice",
        ),
        (("confusion", "moons.npz"), "moons.npz was trained on another table than the Wisconsin"),
        (("confusion", "none.npz"), "none.npz: No such file"),
    ],
)
def test_models_that_do_not_fit_the_picture(run, folder, monkeypatch, tmp_path, argv, message):
    monkeypatch.chdir(folder)
    code, shown, complaints = run(*argv, "--out", tmp_path / "a.svg")
    assert (code, shown) == (2, "")
    assert message in complaints
    assert len(complaints.splitlines()) == 1
    assert not list(tmp_path.iterdir())
