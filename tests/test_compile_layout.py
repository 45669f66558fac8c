"""Long lines of generated source are broken in time that is linear in their length."""

from __future__ import annotations

import ast
import io
import keyword
import sys
import tokenize

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.compiler import layout

NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,199}", fullmatch=True).filter(
    lambda name: not keyword.iskeyword(name)
)

FORMS = (
    "{0} + {1}",
    "{0} * ({1} - {0})",
    "{0} - np.maximum({0}, {1})",
    "np.exp({1})",
    "f({0}, key={1} + {0})",
    "({1})[:, None]",
    '[{0}, "a, (b", {1}]',
    '{{"a": {1} @ {0}, "b": -{0}}}',
    "f(lambda {0}: {1})",
)


@st.composite
def expressions(draw, most=24):
    """Expressions nested up to a depth of 24, of few names of up to 200 characters."""
    names = draw(st.lists(NAMES, min_size=1, max_size=3))
    text = names[0]
    for form in draw(st.lists(st.sampled_from(FORMS), max_size=most)):
        text = form.format(draw(st.sampled_from(names)), text)
    return text


def calls_per_token(line, width):
    """The calls of Python functions with which a line is laid out, for each of its tokens."""
    count = 0

    def profile(frame, event, arg):
        nonlocal count
        count += event == "call"

    sys.setprofile(profile)
    try:
        layout.laid_out(line, width)
    finally:
        sys.setprofile(None)
    return count / len([*tokenize.generate_tokens(io.StringIO(line.strip()).readline)])


STARTS = st.sampled_from(["y = ", "return ", "x, y[0] = ", "y += "])


@settings(max_examples=50)
@given(expressions(), STARTS, st.integers(8, 100))
def test_a_long_line_is_broken_in_linear_time_and_is_the_same_statement(text, start, width):
    line = f"    {start}{text}"
    assert calls_per_token(line, width) < 120
    again = ast.parse(f"def f():\n{layout.laid_out(line, width)}").body[0].body[0]
    assert ast.dump(again) == ast.dump(ast.parse(line.strip()).body[0])


def test_a_layout_in_exponential_time_is_found(monkeypatch):
    parts = layout._parts

    def twice(*args):
        parts(*args)
        return parts(*args)

    monkeypatch.setattr(layout, "_parts", twice)
    line = "y = " + "x + f(" * 9 + "x" + ")" * 9
    assert calls_per_token(line, 8) > 120


@settings(max_examples=20)
@given(st.lists(NAMES, min_size=2, max_size=4, unique=True), st.text(max_size=200))
def test_readable_source_with_names_of_any_length(names, word):
    arguments = {name: np.full(2, k + 0.5) for k, name in enumerate(names)}

    def loss(d):
        x, *others = d.values()
        for name, y in zip(names, others, strict=False):
            x = (np.maximum(x, x + y * np.exp(y)) / (1 + y * y)).named(name)
        return np.sum(x * x)

    compiled = ag.compile(lambda d, word: ag.value_and_grad(loss)(d))
    value, gradients = compiled(arguments, {"w" + names[0]: word})
    space = {}
    exec(compiled.readable(), space)
    again, others = space["function"](arguments, None)
    np.testing.assert_allclose(again, value, rtol=1e-12)
    for name in names:
        np.testing.assert_allclose(others[name], gradients[name], rtol=1e-12)
    assert all(len(line) <= 250 for line in compiled.readable().splitlines())


@pytest.mark.parametrize("word", ["it's (", ']] [[ """ \\', "\\", "# x", "a - b, " * 40])
@pytest.mark.parametrize("key", ["k" * 120, 'a"""b' * 30, "k, " * 60])
def test_the_docstring_is_text_and_is_not_broken_as_code(key, word):
    text = ag.compile(lambda d: d["x"] * 2).readable({"x": np.ones(2), key: word})
    space = {}
    exec(text, space)
    assert "Fixed, whatever is passed:" in space["function"].__doc__
