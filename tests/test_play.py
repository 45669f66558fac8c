"""The page of `autograd-lite play`: its programs, its formulas, its data and its file."""

import json
import re
import sys
from html import unescape

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from playing import data, text

import autograd_lite as ag
from autograd_lite.data import make_moons
from autograd_lite.data.reading import read_table
from autograd_lite.models import MLPClassifier
from autograd_lite.models.estimator import symbol
from autograd_lite.models.perceptron import ACTIVATIONS
from autograd_lite.play.page import FOLDER, SCRIPTS
from autograd_lite.play.programs import (
    DEPTHS,
    formulas,
    parameters,
    predict,
    programs,
    step,
)
from autograd_lite.play.tables import MOST, generated, of_columns
from autograd_lite.sweep import gradients

# Programs


def logistic_regression(θ, X, y, alpha):
    """The loss of a network without hidden layers, which `MLPClassifier` does not have."""
    z = (X @ θ["w"] + θ["b"]).named("z")
    E = ag.binary_cross_entropy(ag.sigmoid(z).named("ŷ"), y)
    return E + alpha / 2 * np.sum(θ["w"] ** 2)


@given(
    st.lists(st.integers(1, 5), max_size=4),
    st.sampled_from(list(ACTIVATIONS)),
    st.integers(1, 9),
    st.integers(0, 2**32),
)
@settings(max_examples=40)
def test_a_step_is_that_of_the_model(units, activation, rows, seed):
    random = np.random.default_rng(seed)
    X, y = random.normal(size=(rows, 2)), random.integers(0, 2, rows).astype(float)
    arrays = parameters(tuple(units), lambda shape: random.normal(size=shape))
    rate, alpha = random.uniform(0.01, 1, 2)
    index = list(ACTIVATIONS).index(activation)
    found = step(arrays, X, y, rate, alpha, np.int64(index))

    θ = {name: ag.Tensor(array, name=symbol(name)) for name, array in arrays.items()}
    if units:
        L = MLPClassifier(tuple(units), activation=activation).loss(
            ag.constant(X), ag.constant(y), θ, alpha=alpha
        )
    else:
        L = logistic_regression(θ, X, y, alpha)
    of = {node.name: (node.array, g) for node, g in gradients(L).of.items() if node.name}
    np.testing.assert_allclose(found["loss"], L.numpy(), rtol=1e-12)
    for name, value in found["values"].items():
        np.testing.assert_allclose(value, of[symbol(name)][0], rtol=1e-12, atol=1e-300)
    for name in found["gradients"].keys() - {"ŷ"}:  # σ and cross-entropy are one step there
        g = of[symbol(name)][1]
        np.testing.assert_allclose(found["gradients"][name], g, rtol=1e-9, atol=1e-12)
    squares = sum(np.sum(found["gradients"][name] ** 2) for name in arrays)
    np.testing.assert_allclose(found["squares"], squares)
    for name, array in arrays.items():
        expected = array - rate * found["gradients"][name]
        np.testing.assert_allclose(found["next"][name], expected, rtol=1e-12)
    outputs = predict(arrays, X, np.int64(index))
    assert set(outputs) == {"ŷ", *(f"h{k}" for k in range(1, len(units) + 1))}
    for name, value in outputs.items():
        np.testing.assert_allclose(value, found["values"][name], rtol=1e-12)


def test_the_gradient_by_the_probability():
    random = np.random.default_rng(0)
    X, y = random.normal(size=(5, 2)), random.integers(0, 2, 5).astype(float)
    found = step(parameters((3,), np.ones), X, y, 0.1, 0.0, np.int64(1))
    p = found["values"]["ŷ"]
    np.testing.assert_allclose(found["gradients"]["ŷ"], (-y / p + (1 - y) / (1 - p)) / 5)


# Formulas


SCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁽⁾", "0123456789()", " \u2061")


def plain(text):
    """The letters of a formula, in MathML or as text."""
    text = unescape(re.sub(r"<[^>]*>", "", text))
    return text.replace("yˆ", "ŷ").replace("⊤", "ᵀ").translate(SCRIPT)


def test_every_array_has_its_formulas():
    pytest.importorskip("sympy")
    found = formulas()
    for depth in DEPTHS:
        for numbers in found["of"][depth]:
            names = {f"{letter}{k}" for k in range(1, depth + 1) for letter in "Wbah"}
            assert numbers.keys() == names | {"w", "b", "z", "ŷ", "L", "E", "R"}
            for name, lines in numbers.items():
                heads = [plain(found["texts"][k]).partition("=")[0] for k in lines]
                written = plain(symbol(name))
                value = [] if name[0] in "Wwb" else [written]
                gradient = [f"∂L∂{written}"] * (name != "L")
                assert heads in (value + gradient, [*value, f"δ{written[1:]}"]), name


def test_the_formulas_are_those_of_the_lectures():
    pytest.importorskip("sympy")
    found = formulas()
    of = {
        name: [plain(found["texts"][k]) for k in lines] for name, lines in found["of"][1][0].items()
    }
    assert of["W1"][-1].endswith("(∂L∂a(1))ᵀX+αW(1)")
    assert of["h1"][-1].endswith("1m(ŷ−y)wᵀ")
    assert of["a1"] == ["a(1)=XW(1)ᵀ+b(1)", "∂L∂a(1)=∂L∂h(1)⊙g′(a(1))"]
    assert found["notes"][1][0] == ["g = ReLU, g′(a) = 1[a > 0]"]


def test_without_sympy_the_extra_is_named(run, monkeypatch, tmp_path):
    monkeypatch.setattr("autograd_lite.play.page.formulas", formulas.__wrapped__)  # not cached
    monkeypatch.setitem(sys.modules, "sympy", None)
    monkeypatch.delitem(sys.modules, "autograd_lite.derivation.derivation", raising=False)
    code, _, err = run("play", "--out", tmp_path / "play.html")
    assert code == 2
    assert "autograd_lite[derive]" in err
    assert not (tmp_path / "play.html").exists()


# Data


def test_generated_tables_are_standardized():
    tables = generated()
    assert [table.title for table in tables] == ["moons", "spirals", "circles", "XOR", "students"]
    for table in tables:
        assert table.X.shape == (200, 2)
        assert set(table.y) == {0, 1}
        np.testing.assert_allclose(table.X.mean(axis=0), 0, atol=1e-12)
        np.testing.assert_allclose(table.X.std(axis=0), 1)
    moons = make_moons(200, random_state=0)
    np.testing.assert_allclose(tables[0].X * tables[0].scale + tables[0].mean, moons.X)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A table with names that are markup."""
    path = tmp_path_factory.mktemp("own") / "own.csv"
    names = ['"</script><b>""x""</b>"', "'y' & \\u2028", "kind", "word", "hole", "same", "three"]
    rows = [
        f"{k},{k * k % 7}.5,{'<i>no</i>' if k % 3 else '</script>'},w{k},{k or ''},4,{k % 3}"
        for k in range(12)
    ]
    path.write_text("\n".join([",".join(names), *rows]), encoding="utf-8")
    return path


X1, X2 = '</script><b>"x"</b>', "'y' & \\u2028"


def test_a_table_of_ones_own_comes_first(run, own, tmp_path):
    pytest.importorskip("sympy")
    out = tmp_path / "play.html"
    code, said, _ = run(
        *("play", "--data", own, "--columns", X1, X2, "--target", "kind", "--out", out)
    )
    assert code == 0
    assert said == f"written to {out}\n"
    written = out.read_text(encoding="utf-8")
    tables = data(written)["tables"]
    assert [table["title"] for table in tables][:2] == ["your data", "moons"]
    table = tables[0]
    assert table["columns"] == [X1, X2]
    assert table["classes"] == ["</script>", "<i>no</i>"]
    assert table["y"] == [int(k % 3 > 0) for k in range(12)]
    X = np.reshape(table["X"], (12, 2)) * table["scale"] + table["mean"]
    np.testing.assert_allclose(X, [[k, k * k % 7 + 0.5] for k in range(12)])
    assert written.count("</script>") == 2
    assert "<b>" not in re.sub(r"<script.*?</script>|<ul.*?</ul>", "", written, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("--columns", X1, "word", "--target", "kind"), "the column 'word' is not numeric"),
        (("--columns", X1, "hole", "--target", "kind"), "'hole' has 1 missing value; fill"),
        (("--columns", X1, "same", "--target", "kind"), "'same' has the same value in every row"),
        (("--columns", X1, X2, "--target", "three"), "'three' has 3 classes; two are needed"),
        (("--columns", X1, X2, "--target", "same"), "'same' has one class; two are needed"),
        (("--columns", X1, X2, "--target", "hole"), "'hole' has 1 missing value; leave"),
        (("--columns", X1, X1, "--target", "kind"), "two different columns and another target"),
        (("--columns", X1, X2, "--target", X1), "two different columns and another target"),
        (("--columns", X1, "none", "--target", "kind"), "has no column 'none'"),
        (("--columns", X1, X2), "--data needs --columns with two names, and --target"),
        (("--target", "kind"), "--data needs --columns with two names, and --target"),
        (("--columns", X1, "--target", "kind"), "expected 2 arguments"),
    ],
)
def test_a_table_that_does_not_fit(run, own, tmp_path, given, message):
    out = tmp_path / "play.html"
    out.write_text("before")
    code, _, err = run("play", "--data", own, *given, "--out", out)
    assert code == 2
    assert message in err
    assert err.count("\n") == 1
    assert out.read_text() == "before"


def test_columns_need_data(run):
    code, _, err = run("play", "--columns", "a", "b")
    assert code == 2
    assert "--columns and --target need --data" in err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("a,b,c\n1,2,x\n1e999,3,y\n", "'a' has an infinite number"),
        ("a,b,c\n1e200,2,x\n-1e200,3,y\n", "'a' has numbers that are too large"),
        ("a,b,c\n0.1,2,x\n0.1,3,y\n0.1,4,x\n", "'a' has the same value in every row"),
        ("a,b,c\n1e-320,2,x\n0,3,y\n", "'a' has numbers that are too close to each other"),
        ("a,b,c\n1,2,2020-01-01\n2,3,2020-01-02\n", "'c' holds neither text nor numbers"),
    ],
)
def test_numbers_that_do_not_fit(tmp_path, content, message):
    path = tmp_path / "table.csv"
    path.write_text(content)
    with pytest.raises(ValueError, match=message):
        of_columns(read_table(path), ("a", "b"), "c")


def test_a_long_table_is_sampled_the_same_each_time(run, tmp_path):
    pytest.importorskip("sympy")
    path, out = tmp_path / "long.csv", tmp_path / "play.html"
    rows = [f"{k},{-k},{int(k == 0)}" for k in range(MOST + 500)]
    path.write_text("\n".join(["a,b,c", *rows]))
    code, _, err = run(
        "play", "--data", path, *("--columns", "a", "b", "--target", "c"), "--out", out
    )
    assert code == 0
    assert f"2,000 of {MOST + 500:,} rows are on the page, chosen at random" in err
    first = data(out.read_text(encoding="utf-8"))["tables"][0]
    assert len(first["y"]) == MOST
    assert sum(first["y"]) == 1
    again = of_columns(read_table(path), ("a", "b"), "c")
    assert again.as_json() == json.loads(json.dumps(first))


# The file


def test_the_code_of_the_page_is_small():
    pytest.importorskip("sympy")
    whole = text()
    found = re.search(r'<script id="data"[^>]*>(.*?)</script>', whole, re.DOTALL)[1]
    size = sum(len(part.encode()) * sign for part, sign in ((whole, 1), (found, -1)))
    assert 40_000 < size - len(programs().encode()) < 60_000
    assert {path.name for path in FOLDER.glob("*.js")} == set(SCRIPTS)
