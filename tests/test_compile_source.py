"""The source of compiled functions, shown and saved."""

from __future__ import annotations

import ast
import enum
import gc
import inspect
import keyword
import linecache
import subprocess
import sys
import textwrap
import traceback
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.expressions.names import RESERVED, Names
from autograd_lite.models import LogisticRegression, MLPClassifier
from autograd_lite.testing import programs


def logistic(A, y, w):
    def loss(w):
        y_hat = ag.sigmoid((A @ w).named("z")).named("ŷ")
        return ag.binary_cross_entropy(y_hat, y)

    return ag.value_and_grad(loss)(w)


def naive(A, y, w):
    def loss(w):
        p = 1 / (1 + np.exp(-(A @ w)))
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    return ag.grad(loss)(w)


ROWS = np.random.default_rng(0).normal(size=(5, 3)), np.array([1.0, 0, 1, 1, 0]), np.ones(3)


def test_logistic_regression_reads_like_a_textbook():
    text = ag.compile(logistic).readable(*ROWS)
    assert "z = A @ w" in text
    assert "y_hat = np.where" in text or "y_hat = 1 / (1 + np.exp(-z))" in text
    assert "A.T @ (y_hat - y) / 5" in text


def test_the_naive_loss_has_the_same_gradient():
    text = ag.compile(naive).readable(*ROWS)
    assert text.rstrip().endswith("return A.T @ (1 / (1 + np.exp(-(A @ w))) - y) / 5")


def test_the_saved_text_and_its_docstring(tmp_path):
    path = tmp_path / "step.py"
    compiled = ag.compile(logistic)
    compiled(*ROWS)
    compiled.save(path)
    text = path.read_text()
    assert text == compiled.readable()
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    lines = text.splitlines()
    assert lines[lines.index("def logistic(A, y, w):") + 1].strip().startswith('"""')
    assert "A: float64 (5, 3)" in text


def test_the_saved_module_needs_numpy_alone(tmp_path):
    compiled = ag.compile(logistic)
    expected = compiled(*ROWS)
    compiled.save(tmp_path / "step.py")
    script = textwrap.dedent(
        f"""
        import sys
        import numpy as np
        from step import logistic
        assert not any(name.startswith("autograd") for name in sys.modules)
        A, y, w = (np.array(x) for x in {[x.tolist() for x in ROWS]!r})
        print(*(x.tolist() for x in logistic(A, y, w)), sep=";")
        """
    )
    ran = subprocess.run(
        [sys.executable, "-W", "error", "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    for found, value in zip(ran.stdout.split(";"), expected, strict=True):
        np.testing.assert_allclose(ast.literal_eval(found), value, rtol=1e-12)


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "step.py"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="was not called yet"):
        ag.compile(logistic).save(path)
    assert path.read_text() == "old"


def traced_again(text, arguments):
    """The readable form of a function that was read from readable source."""
    space = {}
    exec(text, space)
    return ag.compile(space["function"]).readable(*arguments)


@settings(max_examples=25)
@given(programs(max_size=20))
def test_the_readable_source_traced_again_gives_the_same_source(program):
    argnums = tuple(range(len(program.arrays)))
    names = ", ".join(f"x{k}" for k in argnums)
    function = ag.value_and_grad(program, argnums)
    once = ag.compile(eval(f"lambda {names}: f({names})", {"f": function}))
    text = once.readable(*program.arrays)
    assume("def _" not in text)  # an operation written out computes on arrays alone
    assert traced_again(text, program.arrays) == text


def test_the_source_of_the_models_traced_again_gives_the_same_source(monkeypatch):
    # A module with NumPy alone cannot give names to results.
    monkeypatch.setattr(ag.Tensor, "named", lambda self, name: self)
    X, y, _ = ROWS
    for model in (
        LogisticRegression(max_iter=1, tol=0),
        LogisticRegression(max_iter=1, tol=0, intercept="separate"),
        MLPClassifier(4, max_iter=1, tol=0, random_state=0),
        MLPClassifier((4, 3), max_iter=1, tol=0, random_state=0),
    ):
        model.fit(X, y.astype(int))
        arguments = model.parameters_, model.inputs(X).numpy(), y
        text = gradients_of(model).readable(*arguments)
        assert traced_again(text, arguments) == text


def gradients_of(model):
    return ag.compile(lambda θ, X, y: ag.value_and_grad(lambda θ: model.loss(X, y, θ))(θ))


@given(
    st.text(max_size=12) | st.sampled_from([*keyword.kwlist, "np", "add", "print", "x\nimport os"])
)
def test_names_become_harmless_identifiers(text):
    names = Names(["taken"])
    found = [names.take(text) for _ in range(3)]
    assert len(set(found)) == 3
    for name in found:
        assert name.isidentifier()
        assert name.isascii()
        assert name not in RESERVED


@pytest.mark.parametrize(
    "name",
    ["np", "def", "exp", "add", "x", "y); import os; os.abort(", "__import__", '"""', "t1", "\\"],
)
def test_names_from_users_never_break_the_code(name):
    @ag.compile
    def function(x, **others):
        y = (np.exp(x) * 2).named(name)
        z = (y * y + others[name]).named(name)
        return z, y.named(name)

    x = np.array([0.5, 1.0])
    others = {name: np.ones(2)} if name != "x" else {"others": x}
    if name == "x":
        return
    for value in function(x, **others), executed(function, x, others):
        np.testing.assert_allclose(value[1], 2 * np.exp(x))
        np.testing.assert_allclose(value[0], 4 * np.exp(2 * x) + 1)


def executed(compiled, x, others):
    space = {}
    exec(compiled.readable(), space)
    # A keyword that is not an identifier has another name in the source.
    *_, first = list(inspect.signature(space["function"]).parameters)[1:]
    return space["function"](x, **{first: next(iter(others.values()))})


HOSTILE = ["given", "given_1", "np", "t1", "zero", "exp", "C", "i", "total", "out", "function", "I"]


class Pair(NamedTuple):
    held0: object
    np: object


@dataclass
class Record:
    held: object
    t1: object


class Colour(enum.Enum):
    RED = 1


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("other", ["given", "t1", "np_", "x"])
def test_names_do_not_clash_with_generated_names(name, other):
    if name == other:
        return

    def body(a, b):
        z = (2 * np.log(ag.softmax(a * b)) + np.array([1.0, 2.0])).named(name)
        return Pair(z + b, z.sum()), {name: Record((z * z).named(other), a), (1, "é\n"): ")("}

    space = {"body": body}
    exec(f"def function({name}, {other}): return body({name}, {other})", space)
    x = np.array([0.5, 1.0])
    pair, rest = body(*map(ag.constant, (x, x + 1)))
    expected = pair.held0.numpy(), rest[name].held.numpy()
    for arguments, function in (
        ((x, x + 1), space["function"]),
        (({name: x, Colour.RED: x + 1},), lambda d: body(*d.values())),
        ((Record(x, x + 1),), lambda r: body(r.held, r.t1)),
    ):
        compiled = ag.compile(function)
        for _ in range(2):
            pair, rest = compiled(*arguments)
            np.testing.assert_allclose((pair.held0, rest[name].held), expected, rtol=1e-14)
            np.testing.assert_array_equal(rest[name].t1, x)
            assert rest[1, "é\n"] == ")("
        if type(arguments[0]) is dict:
            with pytest.raises(ValueError, match=r"Colour\.RED.*NumPy source cannot express"):
                compiled.readable()
            continue
        read = {}
        exec(compiled.readable(), read)
        pair, rest = read["function"](*arguments)
        np.testing.assert_allclose((pair[0], rest[name]["held"]), expected, rtol=1e-14)


def test_plain_values_stay_in_the_signature():
    @ag.compile
    def step(params, X, axis, rate=0.5, *, scale=(2, 1), act=np.tanh, shift, word='"""\\'):
        z = act(X @ params["W"]) * scale[0] + shift
        return params["W"] - rate * np.sum(z, axis=axis)

    params, X = {"W": np.ones(3), "unused": np.ones(2)}, np.ones((2, 3))
    expected = step(params, X, 0, shift=np.ones(()))
    text = step.readable()
    assert (
        "def step(params, X, axis=0, rate=0.5, *, scale=(2, 1), act=None, shift, "
        'word="\\"\\"\\"\\\\"):' in text
    )
    assert "unused = " not in text
    space = {}
    exec(text, space)
    np.testing.assert_array_equal(space["step"](params, X, shift=np.ones(())), expected)
    assert "Fixed, whatever is passed: axis=0, rate=0.5, scale[0]=2, scale[1]=1, act=tanh," in (
        space["step"].__doc__
    )
    needed = ag.compile(lambda mode, x: x * 2).readable("sum", np.ones(2))
    assert "def function(mode, x):" in needed


def test_tracebacks_show_the_line():
    compiled = ag.compile(lambda x: np.linalg.inv(x) + 1)
    compiled(np.eye(2))
    with pytest.raises(np.linalg.LinAlgError) as error:
        compiled(np.zeros((2, 2)))
    assert "_inv(x)" in "".join(traceback.format_exception(error.value))


def test_the_source_of_a_program_is_kept_as_long_as_the_program():
    def kept():
        gc.collect()
        return sum(name.startswith("<compiled ") for name in linecache.cache)

    before = kept()
    compiled = ag.compile(lambda x, k: x * k)
    for k in range(16):
        compiled(np.ones(2), k)
    most = kept()
    assert most > before
    for k in range(16, 40):
        compiled(np.ones(2), k)
    assert kept() == most
    del compiled
    assert kept() == before


def test_source_and_graph_for_other_arguments():
    compiled = ag.compile(lambda x: np.sum(x * x))
    assert "def function" in compiled.source_for(np.ones(3))
    graph = compiled.graph_for(np.ones(4))
    assert graph.inputs[0].shape == (4,)
    assert graph.outputs[0].shape == ()
    with pytest.raises(TypeError, match="pass arrays"):
        compiled.source_for(ag.Tensor(1.0))


def test_large_constants_are_written_exactly():
    X = np.random.default_rng(1).normal(size=(40, 3))
    compiled = ag.compile(lambda w: np.tanh(X @ w))
    w = np.array([0.1, 0.2, 0.3])
    expected = compiled(w)
    space = {}
    exec(compiled.readable(), space)
    np.testing.assert_array_equal(space["function"](w), expected)
    huge = np.arange(1e6)
    too_large = ag.compile(lambda w: huge * w)
    too_large(np.float64(2.0))
    with pytest.raises(ValueError, match="make it an argument"):
        too_large.readable()


def test_operations_of_users_cannot_be_saved():
    double = ag.operation(
        "compile_test_double", lambda x: 2 * np.asarray(x), lambda g, out, x: 2 * g
    )
    compiled = ag.compile(lambda x: double(x) + 1)
    assert compiled(np.ones(2)).tolist() == [3, 3]
    with pytest.raises(ValueError, match="compile_test_double cannot be written"):
        compiled.readable()


def test_parentheses_only_where_needed():
    compiled = ag.compile(
        lambda a, b, c: (a - (b - c), a - b - c, a / (b * c), -(a * b), (a + b) * c, (a @ b) @ c)
    )
    arrays = [np.full((2, 2), float(k)) for k in (2, 3, 5)]
    text = " ".join(compiled.readable(*arrays).split())
    for written in (
        "a - (b - c)",
        "a - b - c",
        "a / (b * c)",
        "-(a * b)",
        "(a + b) * c",
        "a @ b @ c",
    ):
        assert written in text
