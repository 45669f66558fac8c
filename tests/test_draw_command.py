"""`autograd-lite draw`: examples, functions of a file, trained models and models of ONNX."""

import random
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import data, needs_graphviz

import autograd_lite as ag
from autograd_lite.cli import _parser, main
from autograd_lite.commands import model_rows, sources
from autograd_lite.commands.python_file import result_of
from autograd_lite.commands.sources import EXAMPLES
from autograd_lite.data import load_breast_cancer, open_table, read_table
from autograd_lite.models import LogisticRegression, MLPClassifier, load, save
from autograd_lite.viz import draw

HOSTILE = '</script><b>"&'

FILE = f"""
from __future__ import annotations
import dataclasses
import autograd_lite as ag
import helpers


@dataclasses.dataclass
class Settings:
    scale: float = 2.0


def loss(scale=Settings().scale):
    x = ag.Tensor([1.0, 2.0], name={HOSTILE!r})
    return helpers.squares(scale * x).named("L")


def needs(x, y, *, z, more=1, **others):
    return x


def divides():
    return helpers.over(0)


def stops():
    raise SystemExit(3)


def silent():
    raise KeyError


def number():
    return 3.0


def nothing():
    pass


async def later():
    return loss()


three = 3
assert __name__ != "__main__"
"""


@pytest.fixture
def run(run):
    """Run the command; returns the exit code, standard output and standard error."""
    return partial(run, "draw")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a file of functions and what it imports."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "helpers", raising=False)
    (tmp_path / "mine.py").write_text(FILE, encoding="utf-8")
    (tmp_path / "helpers.py").write_text(
        "def squares(x):\n    return (x * x).sum()\n\n\ndef over(n):\n    return 1 / n\n"
    )
    (tmp_path / "broken.py").write_text("x = 1\ndef f(:\n")
    (tmp_path / "raises.py").write_text("\n\n1 / 0\n")
    yield tmp_path
    sys.modules.pop("helpers", None)


def refused(run, *argv):
    """The line that is printed for bad input, which leaves no picture."""
    code, shown, complaints = run(*argv, "--out", "refused.dot")
    assert (code, shown) == (2, "")
    assert len(complaints.splitlines()) == 1
    return complaints


# Functions of a file.


def test_a_function_of_a_file(run, folder):
    before = list(sys.path)
    assert run("mine.py:loss", "--out", "a.dot")[0] == 0
    x = ag.Tensor([1.0, 2.0], name=HOSTILE)
    scaled = 2.0 * x
    assert (folder / "a.dot").read_text("utf-8") == draw((scaled * scaled).sum().named("L")).source
    assert sys.path == before
    assert "explained_file" not in sys.modules


def test_the_page_of_a_hostile_name_is_whole(run, folder):
    needs_graphviz()
    assert run("mine.py:loss", "--out", "a.html")[0] == 0
    text = (folder / "a.html").read_text("utf-8")
    # Of the data, of the program that computes the graph, and of the code.
    assert text.count("</script>") == text.count("<script") == 3
    assert data(text)["sheets"]


@pytest.mark.parametrize(
    ("word", "message"),
    [
        ("mine.py:needs", "mine.py:needs is called without arguments, but needs x, y, z; give"),
        ("mine.py:divides", "helpers.py, line 6, in over: ZeroDivisionError: division by zero"),
        ("mine.py:stops", "mine.py, line 27, in stops: SystemExit: 3"),
        ("mine.py:silent", "mine.py, line 31, in silent: KeyError\n"),
        ("mine.py:number", "mine.py:number returned a float, not a Tensor; return a result"),
        ("mine.py:nothing", "mine.py:nothing returned None, not a Tensor"),
        ("mine.py:later", "mine.py:later returned a coroutine, not a Tensor"),
        ("mine.py:three", "three in mine.py is an int, not a function"),
        ("mine.py:los", "mine.py has no function 'los'; did you mean loss?"),
        ("mine.py:q", "mine.py has no function 'q'; it has loss, needs, divides, stops, silent"),
        ("mine.py", "mine.py: which function? Use mine.py:FUNCTION"),
        ("mine.py:", "mine.py: lacks a name after the colon"),
        ("broken.py:f", "broken.py, line 2: SyntaxError: invalid syntax"),
        ("raises.py:f", "raises.py, line 3: ZeroDivisionError: division by zero"),
        ("none.py:f", "none.py: No such file or directory"),
        ("studnet", "'studnet' is no example (student, logistic-regression, mlp), no FILE.py"),
        ("studnet", "did you mean student?"),
        ("table.csv", "no file that ends in .npz, .safetensors, .onnx"),
    ],
)
def test_a_word_that_means_nothing(run, folder, word, message):
    assert message in refused(run, word)
    assert not (folder / "refused.dot").exists()


def test_a_gradient_rule_that_fails(run, folder, operations_removed):
    """It runs when the graph is drawn, and imports what is beside the file."""
    (folder / "cube.py").write_text(
        "import autograd_lite as ag\n"
        "def rule(g, out, x):\n"
        "    import helpers\n"
        "    return helpers.over(0)\n"
        "cube = ag.operation('cube', lambda x: x**3, rule, elementwise=True)\n"
        "def loss():\n"
        "    return cube(ag.Tensor(2.0, name='x'))\n"
    )
    line = refused(run, "cube.py:loss")
    assert "helpers.py, line 6, in over: ZeroDivisionError: division by zero" in line
    assert run("cube.py:loss", "--no-gradients", "--out", "a.dot")[0] == 0


def test_a_function_from_elsewhere_that_fails(run, folder):
    (folder / "key.py").write_text("import functools\nf = functools.partial({}.pop, 1)\n")
    assert "key.py: KeyError: 1" in refused(run, "key.py:f")


def test_options_of_tables_go_with_models_only(run, folder):
    assert "--row goes with a trained model, not with student" in refused(run, "student", "--row=1")
    line = refused(run, "--data", "x.csv", "mine.py:loss")
    assert "--data goes with a trained model, not with mine.py:loss" in line


@given(st.permutations([("mlp",), ("--out", "a.dot"), ("--no-gradients",)]))
def test_options_may_stand_anywhere(order):
    argv = [part for group in order for part in group]
    args = _parser().parse_args(["draw", *argv])
    assert (args.source, str(args.out), args.gradients) == ("mlp", "a.dot", False)
    assert sorted(args.given) == ["--no-gradients", "--out"]


def test_the_file_is_read_anew_each_time(folder):
    for k in (1, 2):
        (folder / "again.py").write_text(
            f"import autograd_lite as ag\ndef f():\n    return ag.Tensor({k}.0)\n"
        )
        with result_of("again.py", "f") as result:
            assert result.item() == k
    assert not (folder / "__pycache__" / "again.cpython-311.pyc").exists()


def test_an_unknown_format_is_refused_before_the_function_runs(run, folder):
    code, _, complaints = run("mine.py:divides", "--out", "a.bmp")
    assert code == 2
    assert "a.bmp must end in" in complaints


# Trained models.


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A folder with a table, models that were trained on it, and one on the shipped data."""
    path, draws = tmp_path_factory.mktemp("trained"), random.Random(0)
    quoted = HOSTILE.replace('"', '""')
    lines = [f'id;"{quoted}";city;bought;spent']
    for k in range(40):
        income, city = draws.uniform(1, 9), draws.choice(["Bern", "Köln"])
        shown = "" if k == 4 else f"{income:.2f}".replace(".", ",")
        bought = "" if k == 6 else "yes" if income + 2 * (city == "Bern") > 6 else "no"
        lines.append(f"r{k};{shown};{city};{bought};{f'{income + k / 9:.2f}'.replace('.', ',')}")
    (path / "table.csv").write_text("\n".join(lines), encoding="utf-8")
    for target, missing, out in (
        ("bought", "indicator", "b"),
        ("bought", "drop", "d"),
        ("spent", "mean", "s"),
    ):
        argv = ["--data", path / "table.csv", "--target", target, "--drop", "id"]
        argv += ["--missing", missing, "--max-iter", 3, "--quiet", "--out", path / out]
        assert main(["train", *map(str, argv)]) == 0
    table = load_breast_cancer()
    settings = {"standardize": True, "max_iter": 3, "random_state": 0, "tol": 0}
    save(MLPClassifier(2, **settings).fit(table.X, table.y), path / "shipped.npz")
    return path


@pytest.fixture
def here(trained, monkeypatch, tmp_path):
    """The folder of the models; pictures go to another."""
    monkeypatch.chdir(trained)
    return tmp_path / "a.dot"


@pytest.mark.parametrize("rows", [(), (3,), (9, 2, 9)])
def test_the_loss_of_rows_of_the_shipped_data(run, here, rows):
    chosen = ["--row", ",".join(map(str, rows))] if rows else []
    assert run("shipped.npz", *chosen, "--out", here)[0] == 0
    table, which = load_breast_cancer(), [k - 1 for k in sorted(set(rows))] or slice(None)
    expected = load("shipped.npz").loss_graph(table.X[which], table.y[which])
    assert here.read_text("utf-8") == draw(expected).source


@pytest.mark.parametrize(
    "model", ["b/mlp", "b/logistic-regression", "s/mlp", "s/linear-regression"]
)
def test_the_loss_of_a_row_has_the_encoding_of_the_model(run, here, model):
    """Row 5 lacks its income, and what was learned stands for it."""
    code, _, complaints = run(f"{model}.npz", "--data", "table.csv", "--row", 5, "--out", here)
    assert code == 0
    assert f"column {HOSTILE!r}: 1 missing" in complaints
    fitted = load(f"{model}.npz")
    encoder = model_rows.Fitted.of(fitted, []).encoder
    frame = read_table("table.csv").take([4])
    del fitted.feature_names_in_
    y = frame.column(fitted.target_name_)
    y = y.texts() if y.kind == "text" else y.values
    expected = fitted.loss_graph(encoder.encode(frame), y)
    assert here.read_text("utf-8") == draw(expected).source


def test_rows_without_a_target_or_a_value_are_left_out_or_refused(run, here):
    args = ("--data", "table.csv")
    line = refused(run, "b/mlp.npz", *args, "--row", 7)
    assert "table.csv: row 7 lacks the value of 'bought'" in line
    line = refused(run, "d/mlp.npz", *args, "--row", "4,5")
    assert "table.csv: row 5 lacks the value that the model needs" in line
    for model, rows in (("b", 39), ("d", 38)):
        assert run(f"{model}/logistic-regression.npz", *args, "--out", here)[0] == 0
        assert f"({rows}, " in here.read_text("utf-8")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("shipped.npz", "--row", 570), "--row 570: the Wisconsin breast cancer data has 569 rows"),
        (("shipped.npz", "--row", 0), "--row: '0' is not a list of positive integers like 3 or"),
        (("shipped.npz", "--row", "1:3"), "--row: '1:3' is not a list of positive integers"),
        (("shipped.npz", "--data", "table.csv"), "shipped.npz does not name the column of its tar"),
        (("shipped.npz", "--data", "table.csv", "--target", "city"), "has 4 columns beside the ta"),
        (("b/mlp.npz",), "b/mlp.npz was trained on another table than the Wisconsin breast can"),
        (("b/mlp.npz", "--data", "none.csv"), "none.csv: No such file"),
        (("b/mlp.npz", "--data", "table.csv", "--row", 41), "--row 41: table.csv has 40 rows"),
        (("b/mlp.npz", "--data", "table.csv", "--target", "x"), "table.csv has no column 'x'"),
        (("b/mlp.npz", "--data", "table.csv", "--target", "city"), "the classes of the model are"),
        (("s/mlp.npz", "--data", "table.csv", "--target", "city"), "but the model predicts a num"),
        (("none.npz",), "none.npz: No such file"),
        (("table.npz",), "table.npz does not hold a model's weights"),
    ],
)
def test_a_table_that_does_not_fit(run, here, argv, message):
    (here.parent / "table.npz").write_text("a,b\n")
    if argv[0] == "table.npz":
        argv = (here.parent / "table.npz", *argv[1:])
    code, _, complaints = run(*argv, "--out", here)
    assert code == 2
    assert message in complaints
    assert len(complaints.splitlines()) == 1
    assert not here.exists()


def test_a_model_without_a_table_takes_the_columns_in_their_order(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.csv").write_text("a,y,b\n1,0,2\n3,1,4\n5,1,1\n")
    X, y = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 1.0]]), np.array([0, 1, 1])
    model = LogisticRegression(alpha=0.1).fit(X, y)
    save(model, "m.npz")
    assert run("m.npz", "--data", "t.csv", "--target", "y", "--out", "m.dot")[0] == 0
    assert (tmp_path / "m.dot").read_text("utf-8") == draw(model.loss_graph(X, y)).source


@given(
    st.lists(st.integers(-50, 50), min_size=1, max_size=30),
    st.integers(8, 60),
    st.data(),
)
def test_rows_of_a_table_that_is_read_in_pieces(numbers, size, data):
    """The rows are those of the numbers, whatever piece they are in, in the order of the table."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "table.csv")
        path.write_text("\n".join(["a,b", *(f"{n},x{k}" for k, n in enumerate(numbers))]))
        pieces = open_table(path, piece=size)
        chosen = data.draw(st.none() | st.lists(st.integers(1, len(numbers)), min_size=1))
        parts = list(model_rows.taken(pieces, chosen))
    rows = range(1, len(numbers) + 1) if chosen is None else sorted(set(chosen))
    found = np.concatenate([frame.column("a").values for _, frame in parts])
    assert found.tolist() == [numbers[row - 1] for row in rows]
    texts = np.concatenate([frame.column("b").texts() for _, frame in parts])
    assert texts.tolist() == [f"x{row - 1}" for row in rows]
    if chosen is not None:
        assert [first for first, _ in parts] == list(rows)


# Models of ONNX.


@pytest.fixture
def onnx(here, run):
    """Models of ONNX in the folder of pictures."""
    pytest.importorskip("onnx")
    for name in ("b/mlp", "s/mlp", "shipped"):
        save(load(f"{name}.npz"), here.parent / f"{name.replace('/', '-')}.onnx")
    return here.parent


def test_a_model_of_onnx_at_ones(run, onnx):
    assert run(onnx / "shipped.onnx:logits", "--out", onnx / "a.dot") == (
        *(0, f"written to {onnx / 'a.dot'}\n", ""),
    )
    model = ag.import_onnx(onnx / "shipped.onnx")
    parameters = {name: ag.Tensor(x, name=name) for name, x in model.parameters.items()}
    ones = ag.constant(np.ones((1, 30)), name="X")
    expected = draw(model(ones, parameters=parameters)["logits"]).source
    assert (onnx / "a.dot").read_text("utf-8") == expected
    # Those of the sum of probabilities would be 0.
    code, _, complaints = run(onnx / "shipped.onnx", "--out", onnx / "a.dot")
    assert code == 0
    assert "the output logits; for others use" in complaints
    assert (onnx / "a.dot").read_text("utf-8") == expected


def test_the_rows_of_a_table_are_those_of_the_weights(run, onnx):
    """As numbers: the output of the file for a row is what the weights predict for it."""
    for name, weights in (("b-mlp", "b/mlp"), ("s-mlp", "s/mlp"), ("shipped", "shipped")):
        given = {} if name == "shipped" else {"data": "table.csv"}
        options = ["--row", "5,8", *(["--data", "table.csv"] if given else [])]
        output = "prediction" if name == "s-mlp" else "logits"
        argv = ["draw", f"{onnx / name}.onnx:{output}", *options]
        with sources.explained(_parser().parse_args(argv)) as result:
            found = result.numpy()
        argv[1] = f"{weights}.npz"
        rows = model_rows.model_rows(_parser().parse_args(argv), argv[1])
        expected = rows.model._output(rows.X, "draw")
        np.testing.assert_allclose(found.ravel(), expected, rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (("b-mlp.onnx:logit",), "has no output 'logit'; its outputs are probabilities, logits"),
        (("b-mlp.onnx", "--row", 2), "the Wisconsin breast cancer data has no column"),
        (("none.onnx",), "none.onnx: No such file"),
        (("bad.onnx",), "bad.onnx is not an ONNX file"),
    ],
)
def test_a_model_of_onnx_that_cannot_be_drawn(run, onnx, argv, message):
    (onnx / "bad.onnx").write_text("abc")
    code, _, complaints = run(onnx / argv[0], *argv[1:], "--out", onnx / "a.dot")
    assert code == 2
    assert message in complaints
    assert len(complaints.splitlines()) == 1


def test_inputs_of_integers_and_without_parameters(run, onnx):
    from onnx import helper, save

    graph = helper.make_graph(
        [
            helper.make_node("Gather", ["table", "k"], ["row"]),
            helper.make_node("Mul", ["row", "x"], ["y"]),
        ],
        "g",
        [
            helper.make_tensor_value_info("table", 1, ["n"]),
            helper.make_tensor_value_info("k", 7, [2]),
            helper.make_tensor_value_info("x", 1, [2]),
        ],
        [helper.make_tensor_value_info("y", 1, [2])],
    )
    opset = [helper.make_opsetid("", 20)]
    save(helper.make_model(graph, opset_imports=opset, ir_version=10), onnx / "g.onnx")
    assert run(onnx / "g.onnx", "--out", onnx / "a.dot")[0] == 0
    code, _, complaints = run(onnx / "g.onnx", "--row", 1, "--out", onnx / "a.dot")
    assert code == 2
    assert "rows of a table fit a model with one input of two axes only" in complaints


def test_without_onnx_the_extra_is_named(run, here, monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    (here.parent / "m.onnx").write_bytes(b"")
    assert "autograd_lite[exchange]" in refused(run, here.parent / "m.onnx")


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples(run, tmp_path, name):
    assert run(name, "--out", tmp_path / "a.dot")[0] == 0
    assert (tmp_path / "a.dot").read_text("utf-8") == draw(EXAMPLES[name]()).source


def test_as_a_program(folder):
    """In a process of its own, as from a shell, a file may be in another folder."""
    command = [sys.executable, "-m", "autograd_lite", "draw", str(folder / "mine.py") + ":loss"]
    command += ["--out", str(folder / "b.dot")]
    subprocess.run(command, check=True, capture_output=True)
    assert (folder / "b.dot").exists()
