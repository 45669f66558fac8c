"""The cost of compiling grows with the program, not with the number of paths through it."""

from __future__ import annotations

import ast
import sys

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.compiler import rules
from autograd_lite.compiler.layout import laid_out
from autograd_lite.compiler.polynomial import MOST_CALLS

x = np.array([0.1, -0.2, 0.3])
w = np.array([0.9, 1.1, -0.8])

STEPS = {
    "used twice": lambda z: z + z * np.tanh(z),
    "descent": lambda z: z - 0.1 * (2 * z - w),
    "logistic map": lambda z: 3.5 * z * (1 - z),
    "tanh": lambda z: np.tanh(z * w),
    "sigmoids": lambda z: ag.sigmoid(z) * z - ag.sigmoid(-z) * w,
    "polynomial": lambda z: (z - w) * (z + w) - z * w,
    "factors": lambda z: 0.3 * z + 0.7 * np.sin(z),
    "norm": lambda z: z / np.sqrt(1 + np.sum(z * z)),
    "shift": lambda z: z - np.max(z),
}


def repeated(step, count, rolls=False):
    """The step again and again, with another factor each time unless a loop may be rolled."""

    def function(z):
        for k in range(count):
            z = step(z) * (1 if rolls else 1 + k / 1024)
        return np.sum(z)

    return function


def calls(function, *args):
    """The number of calls made to compile a function and to print it."""
    count = 0

    def called(frame, event, arg):
        nonlocal count
        count += event == "call"

    compiled = ag.compile(function)
    before = sys.getprofile()
    sys.setprofile(called)
    try:
        compiled.readable(*args)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("rolls", [False, True])
@pytest.mark.parametrize("transform", [lambda f: f, ag.value_and_grad], ids=["value", "gradient"])
@pytest.mark.parametrize("name", STEPS)
def test_twice_the_program_takes_twice_the_calls(name, transform, rolls):
    once, twice = (calls(transform(repeated(STEPS[name], n, rolls)), x) for n in (12, 24))
    assert twice < 2.5 * once


def test_walking_a_program_as_a_tree_fails_the_test(monkeypatch):
    def walked(b, e):
        def size(y):
            return 1 + sum(map(size, y.inputs))

        return None if size(e) else e

    monkeypatch.setitem(rules.ALGEBRA, "np.add", [walked])
    once, twice = (calls(repeated(STEPS["used twice"], n), x) for n in (4, 7))
    assert twice > 2.5 * once


@pytest.mark.parametrize(
    ("name", "count"), [("used twice", 10), ("descent", 20), ("logistic map", 10), ("tanh", 1000)]
)
def test_long_programs_are_compiled_and_right(name, count):
    gradient, inside = ag.value_and_grad(repeated(STEPS[name], count)), np.abs(x)
    for found, expected in zip(ag.compile(gradient)(inside), gradient(inside), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-300)


def test_a_sum_of_many_terms_with_sigmoids_is_left_as_it_is():
    def function(z, y):
        s, t = ag.sigmoid(z), ag.sigmoid(-z)
        return sum((k * y * s - t * (y + k) for k in range(2 * MOST_CALLS)), 0.0 * z)

    found = ag.compile(function)(x, w)
    np.testing.assert_allclose(found, function(ag.constant(x), ag.constant(w)).numpy(), rtol=1e-12)


@pytest.mark.parametrize("length", [27, 28, 60, 200])
def test_long_names_are_printed_and_saved(length, tmp_path):
    names = [letter * length for letter in "ab"]
    space = {"np": np, "ag": ag}
    exec(f"def f({', '.join(names)}):\n    return np.tanh({names[0]} * {names[1]}) ** 2 + 1", space)
    compiled = ag.compile(
        lambda *z: ag.value_and_grad(lambda *z: np.sum(space["f"](*z)), (0, 1))(*z)
    )
    compiled(x, w)
    named = ag.compile(space["f"])
    expected = named(x, w)
    path = tmp_path / "f.py"
    named.save(path)
    read = {}
    exec(path.read_text(), read)
    np.testing.assert_array_equal(read["f"](x, w), expected)


@pytest.mark.parametrize(
    "line",
    [
        "a" * 5000,
        "return " + "b" * 5000,
        ", ".join(["c" * 40] * 200) + " = d",
        "return " + ", ".join(["e" * 40] * 200),
        "f = " + " + ".join(["g" * 40] * 200),
        "h = np.tanh(" + ", ".join(["i" * 40] * 200) + ")",
        '"' + "j" * 5000 + '": k',
        "k = tuple(" + "l" * 60 + " for m, n in enumerate(" + "o" * 60 + "))",
    ],
)
def test_any_long_line_is_broken_into_the_same_statement(line):
    text = laid_out(line)
    if not line.startswith('"'):
        again, before = (ast.dump(ast.parse(f"def f():\n    {source}")) for source in (text, line))
        assert again == before
