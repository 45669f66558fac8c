"""`autograd-lite train --report`: one page with everything on it, and each part as a file."""

import base64
import csv
import json
import re
import sys
from html.parser import HTMLParser

import numpy as np
import pytest
from pages import needs_graphviz

import autograd_lite as ag
from autograd_lite.cli import main
from autograd_lite.commands.folder import runs
from autograd_lite.commands.html import cell, csv_of, table
from autograd_lite.commands.report import Run
from autograd_lite.commands.report import report as report_of
from autograd_lite.data import Table, make_moons, read_csv, split
from autograd_lite.models import LinearRegression, LogisticRegression, MLPRegressor, load
from autograd_lite.models.estimator import symbol
from autograd_lite.models.metrics import figures

HOSTILE = '<script>alert("1")</script>'


class Page(HTMLParser):
    """A page: its elements in order, its text, and whether every element that opens is closed."""

    EMPTY = ("meta", "img", "br")

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.text = [], [], ""
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in self.EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attrs for name, attrs in self.elements if name == tag]


@pytest.fixture
def train(capsys, tmp_path):
    """Train on a table with --report; returns the folder and the text on standard error."""

    def train(table, *options):
        path = tmp_path / "table.csv"
        path.write_bytes(csv_of([(*table.columns, table.target)]))
        with open(path, "ab") as file:
            file.write(csv_of((*x, k) for x, k in zip(table.X.tolist(), table.y, strict=True)))
        out = tmp_path / "out"
        given = ("--data", path, "--target", table.target, "--quiet")
        short = ("--max-iter", 30, "--tol", 0, "--learning-rate", 0.02)
        argv = ("train", "--report", *given, *short, "--out", out, *options)
        assert main([str(argument) for argument in argv]) == 0
        return out, capsys.readouterr().err

    return train


@pytest.fixture(scope="module")
def moons():
    return make_moons(40, random_state=0)


@pytest.fixture(scope="module")
def groups():
    """Three classes in the plane."""
    random = np.random.default_rng(0)
    y = np.arange(45) % 3
    X = np.array([[0, 0], [3, 0], [0, 3]])[y] + random.normal(size=(45, 2))
    return Table(X, np.array(["ant", "bee", "cat"])[y], ("width", "length"), "animal")


def loaded(path):
    """The saved model, without the names of its columns, for arrays."""
    model = load(path)
    del model.feature_names_in_
    return model


def report(out):
    text = (out / "report.html").read_text(encoding="utf-8")
    return text, Page(text)


def complete():
    pytest.importorskip("matplotlib")
    pytest.importorskip("sympy")
    needs_graphviz()


@pytest.mark.parametrize("table", ["moons", "groups"])
def test_the_whole_report(train, request, table):
    complete()
    out, complaints = train(request.getfixturevalue(table))
    assert complaints == ""
    text, page = report(out)
    headings = re.findall(r"<h[23]>(.*?)</h[23]>", text)
    parts = ["Held-out rows", "Graph", "Derivation of the gradient", "Generated source", "Weights"]
    assert headings == [
        *("Data", "Loss"),
        *("Logistic regression", *parts),
        *("Multilayer perceptron", *parts),
        "Files",
    ]
    # Nothing is fetched: pictures stand in the page, links lead to the files beside it.
    assert not re.search(r"""(?:src|href)\s*=\s*["']?(?:https?:)?//|@import|url\(""", text)
    assert not page.all("script")
    for link in page.all("a"):
        assert (out / link["href"]).is_file()
    listed = {link["href"] for link in page.all("a")}
    assert listed == {path.name for path in out.iterdir()} - {"report.html"}
    # A file has the id of its run at the end.
    files = [path.read_bytes() for path in out.glob("*.svg")]
    for image in page.all("img"):
        kind, _, code = image["src"].partition(",")
        assert kind == "data:image/svg+xml;base64"
        assert any(file.startswith(base64.b64decode(code)) for file in files)
        assert image["alt"]
    assert len(page.all("img")) == 1 + 2 * 5
    for name in ("logistic-regression", "mlp"):
        assert f'<a href="{name}.html">{name}.html</a> steps through the graph' in text
    assert len(page.all("math")) > 8


def test_files_of_earlier_runs_are_noticed(train, moons):
    out, _ = train(moons, "--model", "logistic-regression")
    (first,) = runs(out)
    text, page = report(out)
    assert f"of the run {first}:" in page.text
    assert "earlier runs" not in text
    train(moons, "--model", "mlp")
    (second,) = runs(out).keys() - {first}
    page = report(out)[1]
    assert f"of the run {second}:" in page.text
    kept = page.text.partition("Files of earlier runs stay in the folder: ")[2]
    assert kept.startswith("logistic-regression-boundary.svg, ")
    assert kept.partition(" more (")[2].startswith(f"{first}).")


def test_the_derivation_of_a_model_that_is_certain_is_checked(train, moons):
    complete()
    apart = moons._replace(X=np.stack([2.0 * moons.y - 1] * 2, axis=1))
    fast = ("--solver", "gd", "--learning-rate", 100)
    out, _ = train(apart, *fast, "--model", "logistic-regression")
    text = (out / "logistic-regression-derivation.md").read_text(encoding="utf-8")
    assert text.startswith("# Logistic regression: the gradient in closed form\n\n$$")
    assert "checked against the sweep at the graph's values and at 3 random points" in text
    assert "not finite" not in text


@pytest.mark.parametrize("kind", ["moons", "groups"])
def test_what_the_files_say(train, request, kind):
    given = request.getfixturevalue(kind)
    out, _ = train(given)
    table = read_csv(out.parent / "table.csv", given.target)
    X, X_test, y, y_test = split(table.X, table.y, random_state=0)
    for name in ("logistic-regression", "mlp"):
        model = loaded(out / f"{name}.npz")
        content = json.loads((out / f"{name}.json").read_text(encoding="utf-8"))
        assert content["results"]["accuracy on the held-out rows"] == model.score(X_test, y_test)
        assert content["figures"] == figures(model, X_test, y_test, y)
        assert content["settings"]["max_iter"] == 30
        assert content["results"]["solver"] == ("adam" if name == "mlp" else "lbfgs")
        L = model.loss_graph(X, y).item()
        np.testing.assert_allclose(content["results"]["loss of the trained weights"], L)
        with open(out / f"{name}-confusion.csv", newline="", encoding="utf-8") as file:
            counts = np.array([row[1:-1] for row in list(csv.reader(file))[1:]], dtype=int)
        assert counts.trace() == round(model.score(X_test, y_test) * len(y_test))
        assert counts.sum() == len(y_test)
        lines = (out / f"{name}-loss.csv").read_text().splitlines()
        assert len(lines) == 1 + content["results"]["steps or epochs"] <= 1 + 30
    data = (out / "data.csv").read_text(encoding="utf-8").splitlines()
    assert data[0] == "column,min,mean,max,standard deviation,run"
    np.testing.assert_allclose(float(data[1].split(",")[2]), table.X[:, 0].mean())


@pytest.mark.parametrize("kind", ["moons", "groups"])
@pytest.mark.parametrize("options", [(), ("--alpha", 0.125), ("--intercept", "separate")])
def test_the_generated_source_gives_the_gradients(train, request, kind, options):
    given = request.getfixturevalue(kind)
    out, _ = train(given, *options, "--hidden", "4,3")
    table = read_csv(out.parent / "table.csv", given.target)
    X, _, y, _ = split(table.X, table.y, random_state=0)
    for name in ("logistic-regression", "mlp"):
        model = loaded(out / f"{name}.npz")
        space = {}
        exec((out / f"{name.replace('-', '_')}_gradients.py").read_text(encoding="utf-8"), space)
        L = model.loss_graph(X, y)
        L.backward()
        leaves = {node.name: node for node in ag.Graph.of(L).inputs}
        examples = leaves["A"] if "A" in leaves else leaves["X"]
        loss, gradients = space["loss_and_gradients"](
            *model.parameters_.values(), examples.numpy(), leaves["y"].numpy()
        )
        np.testing.assert_allclose(loss, L.item())
        for key, gradient in zip(model.parameters_, gradients, strict=True):
            np.testing.assert_allclose(gradient, leaves[symbol(key)].grad, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("intercept", ["column", "separate"])
@pytest.mark.parametrize("kind", ["moons", "groups"])
def test_the_weights_of_every_column(train, request, kind, intercept):
    given = request.getfixturevalue(kind)
    out, _ = train(given, "--model", "logistic-regression", "--intercept", intercept)
    model = load(out / "logistic-regression.npz")
    text = report(out)[0].partition("largest first:")[2]
    found = {name: [float(x.replace("−", "-")) for x in row] for name, row in cells(text).items()}
    expected = {"intercept": model.intercept_} | dict(
        zip(given.columns, model.coef_.T, strict=True)
    )
    assert found.keys() == expected.keys()
    for name, weights in found.items():
        np.testing.assert_allclose(weights, expected[name], atol=1e-4)
    sizes = [max(map(abs, weights)) for weights in found.values()]
    assert sizes == sorted(sizes, reverse=True)
    heads = re.findall(r'<th scope="col">weight for (.*?)</th>', text)
    assert heads == (["ant", "bee", "cat"] if kind == "groups" else [])


def cells(text):
    """The cells of every row of the tables, by the heading of the row."""
    rows = re.findall(r'<tr><th scope="row">(.*?)</th>(.*?)</tr>', text)
    return {name: re.findall("<td>(.*?)</td>", row) for name, row in rows}


def test_the_figures_beside_their_baselines():
    """A model that knows nothing is told, and what is not defined is not a number."""
    X, y = np.zeros((12, 1)), np.array(["no", "no", "yes"] * 4)
    model = LogisticRegression(max_iter=50).fit(X, y)
    run = Run("t", ["x"], "y", X, X[:2], y, y[:2], {"m": model})
    text = report_of(run, {})["report.html"].decode()
    said = "logistic regression does not beat always predicting &#x27;no&#x27;: accuracy 1.0000"
    assert f"<strong>{said}" in text
    shown = cells(text)
    assert shown["accuracy"] == ["1", "1"]
    assert shown["log-loss"] == ["0.4055", "0.4055"]
    assert shown["area under the ROC curve"] == ["not defined", "0.5"]
    assert shown["no"][:3] == ["1", "1", "2"]
    assert shown["yes"][:3] == ["not defined", "not defined", "0"]


@pytest.mark.parametrize("model", [LinearRegression(), MLPRegressor(3, random_state=0, tol=0.1)])
def test_the_report_of_numbers(model):
    complete()
    X = np.random.default_rng(0).normal(size=(40, 2))
    y = 3 * X[:, 0] - X[:, 1] + 5
    model.fit(X[:30], y[:30])
    run = Run("t", ("a", "b"), "$price", X[:30], X[30:], y[:30], y[30:], {"m": model})
    files = report_of(run, {})
    assert json.loads(files["m.json"])["figures"] == figures(model, X[30:], y[30:], y[:30])
    names = {"m.json", "m-loss.csv", "m-predicted.svg", "m-derivation.md", "m_gradients.py"}
    assert files.keys() == names | {"data.csv", "report.html"}
    text = files["report.html"].decode()
    assert Page(text).all("img")[0]["alt"] == f"{model.title}: the predicted over the true numbers"
    assert "10 held out.</p>" in text
    assert "RMSE" in cells(text)
    if isinstance(model, LinearRegression):
        weights = {name: float(cells(text)[name][-1].replace("−", "-")) for name in "ab"}
        np.testing.assert_allclose([weights["a"], weights["b"]], model.coef_, atol=1e-4)
    else:
        assert "largest first" not in text


def test_more_classes_than_can_be_told_apart_have_no_boundary(train):
    table = Table(np.arange(42.0).reshape(21, 2), np.arange(21) % 7, ("a", "b"), "k")
    out, complaints = train(table, "--model", "logistic-regression")
    assert complaints == ""
    names = {path.name for path in out.glob("*.svg")}
    assert "logistic-regression-confusion.svg" in names
    assert "logistic-regression-boundary.svg" not in names


def test_hostile_names_stay_text(train, moons):
    table = moons._replace(
        columns=(HOSTILE, "a & b"),
        target='"y"',
        y=np.where(moons.y == 0, HOSTILE, "$\\frac$"),
    )
    out, _ = train(table, "--model", "logistic-regression")
    text, page = report(out)
    assert "<script" not in text
    assert page.text.count(HOSTILE) >= 2
    assert "a & b" in page.text


def test_many_columns_are_folded_away(train):
    random = np.random.default_rng(0)
    X = random.normal(size=(20, 15))
    table = make_moons(20)._replace(X=X, columns=tuple(f"c{k}" for k in range(15)))
    out, _ = train(table, "--model", "logistic-regression")
    text, page = report(out)
    assert len(page.all("details")) == 3
    assert "<summary>5 more</summary>" in text
    assert "decision boundary" not in text


def test_without_matplotlib_and_sympy_their_parts_are_left_out(train, moons, monkeypatch):
    for name in ("matplotlib", "sympy"):
        monkeypatch.setitem(sys.modules, name, None)
    out, complaints = train(moons, "--model", "mlp")
    text, page = report(out)
    assert "pip install 'autograd_lite[plot]'" in complaints
    assert "the report has no derivation: derive needs SymPy" in complaints
    assert "Derivation" not in text
    assert "true ＼ predicted" in page.text
    assert not list(out.glob("*boundary*"))


def test_without_the_option_there_is_no_report(capsys, tmp_path):
    (tmp_path / "t.csv").write_text("a,t\n1,0\n2,1\n3,0\n4,1\n")
    given = ("--data", tmp_path / "t.csv", "--target", "t", "--max-iter", 2, "--quiet")
    assert main([str(x) for x in ("train", *given, "--out", tmp_path / "out")]) == 0
    assert not (tmp_path / "out" / "report.html").exists()


def test_cells():
    values = (True, None, 1234, -3, 0.5, -1e-9, "a")
    assert [cell(value) for value in values] == [
        "yes", "none", "1,234", "−3", "0.5", "−1e−9", "a",
    ]  # fmt: skip
    assert '<td class="text">&lt;b&gt;</td>' in table(("a", "b"), [("x", "<b>")])


@pytest.mark.slow
def test_both_derivations_are_in_the_report_of_the_data_that_come_along(tmp_path, capsys):
    """With 31 columns random points lie where ŷ is nearly 1, and 1 − ŷ has lost its digits."""
    pytest.importorskip("sympy")
    main(["train", "--report", "--quiet", "--out", str(tmp_path / "out")])
    assert "no derivation" not in capsys.readouterr().err
    for name in ("logistic-regression", "mlp"):
        text = (tmp_path / "out" / f"{name}-derivation.md").read_text(encoding="utf-8")
        assert r"\frac{\partial L}{\partial w}" in text
