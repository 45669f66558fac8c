"""`autograd-lite walkthrough`: the student's page, and the walkthrough of any graph."""

import json
import os
import subprocess
import sys
from functools import partial

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.commands.sources import EXAMPLES
from autograd_lite.data import load_breast_cancer
from autograd_lite.models import MLPClassifier, load, save, walkthrough

HOSTILE = '</script><b>"&'


@pytest.fixture
def run(run):
    """Run the command; returns the exit code, standard output and standard error."""
    return partial(run, "walkthrough")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a file of functions and a trained model."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mine.py").write_text(
        f"""import autograd_lite as ag


def loss():
    x = ag.Tensor([1.0, 2.0], name={HOSTILE!r})
    return (x * x).sum().named("L")


def row():
    return ag.Tensor([1.0, 2.0], name="x") * 3


def data():
    return ag.constant(2.0, name="x") * 3
""",
        encoding="utf-8",
    )
    table = load_breast_cancer()
    model = MLPClassifier(2, solver="lbfgs", alpha=0.1, standardize=True, random_state=0)
    save(model.fit(table.X, table.y), "mlp.npz")
    return tmp_path


def test_without_a_source_it_is_the_page_of_the_student(run, tmp_path):
    assert run() == (0, walkthrough(), "")
    given = (np.array([1.0, -2.0]), 0.0, np.array([-0.5, 0.25]), -1.0, 0.5)
    argv = ("--x", "1,-2", "--y", 0, "--w", "-0.5,0.25", "--b", -1, "--learning-rate", 0.5)
    assert run(*argv) == (0, walkthrough(*given), "")
    path = tmp_path / "any.name"
    assert run(*argv, "--out", path) == (0, f"written to {path}\n", "")
    assert path.read_text("utf-8") == walkthrough(*given)


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.parametrize("rate", [0.1, 0.5])
def test_an_example(run, name, rate):
    options = [] if rate == 0.1 else ["--learning-rate", rate]
    code, shown, complaints = run(*options, name)
    assert (code, complaints) == (0, "")
    assert shown.rstrip("\n") == str(ag.walkthrough(EXAMPLES[name](), rate)).rstrip("\n")


def test_a_function_of_a_file(run, folder):
    code, shown, complaints = run("mine.py:loss", "--learning-rate", 0.25)
    assert (code, complaints) == (0, "")
    x = ag.Tensor([1.0, 2.0], name=HOSTILE)
    assert shown.rstrip("\n") == str(ag.walkthrough((x * x).sum().named("L"), 0.25)).rstrip("\n")


def test_without_parameters_or_with_several_elements_there_is_no_update(run, folder):
    for name, result in (("row", ag.Tensor([1.0, 2.0], name="x") * 3), ("data", None)):
        code, shown, complaints = run(f"mine.py:{name}")
        assert (code, complaints) == (0, "")
        if result is not None:
            assert shown.rstrip("\n") == str(ag.walkthrough(result)).rstrip("\n")
        code, shown, complaints = run(f"mine.py:{name}", "--learning-rate", 0.1)
        assert (code, shown) == (2, "")
        assert len(complaints.splitlines()) == 1


@pytest.mark.parametrize("rows", [(3,), (3, 8)])
def test_rows_of_a_trained_model(run, folder, rows):
    code, shown, complaints = run("mlp.npz", "--row", ",".join(map(str, rows)))
    assert (code, complaints) == (0, "")
    table, which = load_breast_cancer(), [k - 1 for k in rows]
    loss = load("mlp.npz").loss_graph(table.X[which], table.y[which])
    assert shown.rstrip("\n") == str(ag.walkthrough(loss, 0.1)).rstrip("\n")


def test_a_model_of_onnx(run, folder):
    pytest.importorskip("onnx")
    save(load("mlp.npz"), "mlp.onnx")
    code, shown, complaints = run("mlp.onnx:logits", "--row", 3)
    assert (code, complaints) == (0, "")
    assert "logits" in shown


def test_files(run, folder):
    walk = ag.walkthrough(EXAMPLES["student"](), 0.1)
    for kind, text in {".txt": str(walk), ".md": walk.markdown(), ".html": walk.html()}.items():
        assert run("student", "--out", f"a{kind}") == (0, f"written to a{kind}\n", "")
        assert (folder / f"a{kind}").read_text("utf-8").strip() == text.strip()
    assert run("student", "--out", "a.ipynb")[0] == 0
    assert json.loads((folder / "a.ipynb").read_text("utf-8"))["cells"]
    assert run("mine.py:loss", "--out", "b.html")[0] == 0
    text = (folder / "b.html").read_text("utf-8")
    assert HOSTILE not in text
    assert "&lt;/script&gt;" in text


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("studnet",), "'studnet' is no example (student, logistic-regression, mlp)"),
        (("student", "--x", "1,2"), "--x can be used without student only"),
        (("--row", 3), "--row can be used with a trained model only"),
        (("student", "--row", 3), "--row goes with a trained model, not with student"),
        (("student", "--out", "a.pdf"), "a.pdf must end in .md, .html, .ipynb, .txt"),
        (("student", "--out", "none/a.md"), "none"),
        (("student", "--learning-rate", "nan"), "learning"),
        (("student", "--learning-rate", -1), "learning"),
        (("mlp.npz", "--row", 570), "--row 570: the Wisconsin breast cancer data has 569 rows"),
        (("mine.py:los",), "mine.py has no function 'los'; did you mean loss?"),
        (("student", "mlp"), "unrecognized arguments: mlp"),
    ],
)
def test_bad_input_is_one_line(run, folder, argv, message):
    before = sorted(folder.iterdir())
    code, shown, complaints = run(*argv)
    assert (code, shown) == (2, "")
    assert message in complaints
    assert len(complaints.splitlines()) == 1
    assert sorted(folder.iterdir()) == before


def test_a_terminal_that_cannot_show_greek(folder):
    """In a process of its own, with ASCII only."""
    command = [sys.executable, "-m", "autograd_lite", "walkthrough", "mlp"]
    environment = os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}
    found = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert found.stdout
    assert found.stderr == ""
