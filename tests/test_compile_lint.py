"""The layout of the readable source of every operation and of the models."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from operands import VOCABULARY, cases

import autograd_lite as ag
from autograd_lite.compiler.layout import laid_out
from autograd_lite.models import LogisticRegression, MLPClassifier
from autograd_lite.op import OPS
from autograd_lite.testing import programs

RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(20, 3))
Y = (X[:, 0] > 0).astype(int)


def of_operation(name, found):
    """The source of an operation and of its gradients."""

    @settings(max_examples=1)
    @given(cases(OPS[name]))
    def draw(case):
        floats = list(case.floats())

        def value(*arrays):
            operands = list(case.operands)
            for k, x in zip(floats, arrays, strict=True):
                operands[k] = x
            return case(*operands)

        def function(*arrays):
            result = value(*arrays)
            if not isinstance(result, ag.Tensor) or result.dtype.kind != "f":
                return result
            argnums = tuple(range(len(arrays)))
            return result, ag.grad(lambda *x: np.sum(value(*x) ** 2), argnums)(*arrays)

        if floats:
            arrays = [case.operands[k] for k in floats]
            found[name] = ag.compile(function).readable(*arrays)

    draw()


def of_models(found):
    models = {
        "logistic": LogisticRegression(max_iter=1, tol=0),
        "separate": LogisticRegression(max_iter=1, tol=0, intercept="separate"),
        "perceptron": MLPClassifier(4, max_iter=1, tol=0, random_state=0),
        "deep": MLPClassifier((5, 4, 3), max_iter=1, tol=0, random_state=0),
    }
    for name, model in models.items():
        model.fit(X, Y)
        arguments = model.parameters_, model.inputs(X).numpy(), Y.astype(float)
        found[name] = gradients_of(model).readable(*arguments)


def gradients_of(model):
    return ag.compile(lambda θ, X, y: ag.value_and_grad(lambda θ: model.loss(X, y, θ))(θ))


def of_random_programs(found):
    @settings(max_examples=20)
    @given(programs(max_size=24))
    def draw(program):
        gradients = ag.value_and_grad(program, tuple(range(len(program.arrays))))
        found[f"program_{len(found)}"] = ag.compile(gradients).readable(*program.arrays)

    draw()


def loop(step):
    """The gradient of a loop over the rows of a table."""

    def last(X):
        h = X[0]
        for x in X:
            h = step(h, x)
        return np.sum(h)

    return ag.grad(last)


def gates(h, x):
    """A step that keeps many values for its gradient."""
    a, b, c, d = ag.sigmoid(h * x), np.tanh(h + x), np.sin(h - x), np.exp(-h * h)
    for k in range(6):
        a, b, c, d = b * c + k, np.cos(c * d), np.tanh(a * d), np.sin(a + b)
    return a * b + c * d


SMALL = {
    "nothing_of_numpy": (lambda x, y: (x > y, x * 2), (X, X)),
    "nothing_needed": (lambda d: d["x"], ({"x": X, "unused": X},)),
    "no_arguments": (lambda: np.ones(3), ()),
    "many_results": (lambda x: [(np.exp(x) * k, np.exp(-x) / k) for k in range(1, 20)], (X,)),
    "many_numbers": (lambda x: x * np.linspace(0, 1, 60).reshape(20, 3), (X,)),
    "bytes": (lambda x: x * np.linspace(0, 1, 6000).reshape(20, 300), (X[:, :1],)),
    "one_line": (lambda x: np.tanh(np.tanh(x * x + 1) / (2 + x) - x / 3) ** 2 + x**3, (X,)),
    "letters": (lambda d: {"l": (d["I"] @ d["O"].T).named("l")}, ({"I": X, "O": X},)),
    "words": (lambda x, word: {word: x, "word": word}, (X, '\\ """ \' é\n' * 2)),
    "one_loop": (loop(lambda h, x: np.tanh(h * x) + x), (X,)),
    "a_long_loop": (loop(gates), (np.ones((20, 3)),)),
    "several": (lambda *x, **y: sum(x) + sum(y.values()), (X,) * 30),
}


@cache
def sources():
    found = {}
    for name in VOCABULARY:
        of_operation(name, found)
    of_models(found)
    of_random_programs(found)
    for name, (function, arguments) in SMALL.items():
        compiled = ag.compile(function)
        compiled(*arguments)
        found[name] = compiled.readable()
    return found


def test_the_source_is_laid_out_and_imports_what_it_uses():
    for name, text in sources().items():
        tree = ast.parse(text)
        used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        imports = [x for x in ast.walk(tree) if isinstance(x, (ast.Import, ast.ImportFrom))]
        lines = {"np": "import numpy as np", "special": "from scipy import special"}
        needed = [line for word, line in lines.items() if word in used]
        assert [*map(ast.unparse, imports)] == needed, name
        assert not needed or text.startswith("\n".join([*needed, "", "", ""])), name
        for line in text.splitlines():
            assert len(line) <= 100, (name, line)
            assert line == line.rstrip(), (name, line)
        for function in (node for node in tree.body if isinstance(node, ast.FunctionDef)):
            names = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
            loaded = {node.id for node in names if isinstance(node.ctx, ast.Load)}
            single = [
                node.targets[0].id
                for node in ast.walk(function)
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
            ]
            assert set(single) <= loaded, (name, function.name)


@pytest.mark.skipif(
    importlib.util.find_spec("ruff") is None, reason="ruff is not installed; it is in .[dev]"
)
def test_ruff_reports_nothing(tmp_path):
    for name, text in sources().items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    options = ["--isolated", "--no-cache", "--line-length=100", "--select=E,F,W,I,UP,B"]
    ran = subprocess.run(
        [sys.executable, "-m", "ruff", "check", *options, "--output-format=concise", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@settings(max_examples=30)
@given(st.integers(8, 120), st.integers(0, 500))
def test_a_broken_line_is_the_same_statement(width, number):
    tree = ast.parse(list(sources().values())[number % len(sources())])
    for statement in ast.walk(tree):
        if isinstance(statement, (ast.Assign, ast.Return)):
            line = ast.unparse(statement)
            again = ast.parse(f"def f():\n    {laid_out(line, width)}").body[0].body[0]
            assert ast.dump(again) == ast.dump(statement)
