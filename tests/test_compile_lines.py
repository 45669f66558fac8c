"""The lines of the user's program to which the lines of compiled source belong."""

from __future__ import annotations

import ast
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.context import setting
from autograd_lite.lines import Lines

STEPS = (
    *("np.tanh({0})", "np.exp(-{0} * {0})", "{0} * {1}", "{0} - 2 * {1}", "{0} / (1 + {1} * {1})"),
    *("ag.sigmoid({0})", "np.log(1 + np.exp({0}))", "ag.softmax({0})", "-{0}", "{0} + 3"),
    *("np.maximum({0}, {1})", "np.where({0} > 0, {1}, 0)", "{0} - np.mean({1})", "{0}[::-1] * {1}"),
)


@st.composite
def sources(draw):
    """A function with one operation or a few on each line; every value has a name."""
    lines, values = ["def f(x, y):"], ["x", "y"]
    for k in range(draw(st.integers(2, 8))):
        one, two = (draw(st.sampled_from(values[-3:])) for _ in range(2))
        lines.append(f"    v{k} = ({draw(st.sampled_from(STEPS)).format(one, two)}).named('v{k}')")
        values.append(f"v{k}")
    return "\n".join([*lines, f"    return np.sum({values[-1]} * {values[-2]})"])


def made(source, name="f"):
    space = {"np": np, "ag": ag}
    exec(compile(source, "program.py", "exec"), space)
    return space[name]


def lines_of(compiled, *args):
    """The lines of the readable form with their places; those of statements must have one."""
    text, places = compiled.readable(*args), compiled.source_map(*args)
    for function in ast.parse(text).body:
        if isinstance(function, ast.FunctionDef) and function.name == compiled.__name__:
            for statement in function.body[1:]:
                assert statement.lineno in places or "np.full" in ast.unparse(statement), text
    assert all(file == "program.py" for file, _ in places.values())
    lines = text.splitlines()
    return [(lines[number - 1].strip(), line) for number, (_, line) in places.items()]


X = np.array([0.5, -1.0, 2.0]), np.array([1.5, 0.25, -0.5])


@settings(max_examples=80)
@given(sources())
def test_each_line_belongs_to_the_line_that_it_computes(source):
    compiled = ag.compile(made(source))
    for text, line in lines_of(compiled, *X):
        if match := re.match(r"v(\d+) = ", text):
            assert line == int(match[1]) + 2, (source, compiled.readable())


@settings(max_examples=40)
@given(sources())
def test_a_gradient_belongs_to_the_lines_of_its_function(source):
    f = made(source)

    def gradient(x, y):
        return ag.value_and_grad(f, (0, 1))(x, y)

    count = len(source.splitlines())
    assert all(2 <= line <= count for _, line in lines_of(ag.compile(gradient), *X))


def test_the_line_of_an_operation_and_of_its_gradient():
    source = """
def f(x, y):
    z = np.sinh(x)
    t = np.sqrt(
        z * z + 2
    )
    return np.sum(np.cbrt(t) * y)

def g(x, y):
    gradient = ag.grad(f)(x, y)
    return x - 0.5 * gradient
"""
    found = lines_of(ag.compile(made(source, "g")), *X)
    assert any("np.sinh" in text and line == 3 for text, line in found)
    assert any("np.sqrt" in text and line == 4 for text, line in found)
    assert any("np.cbrt" in text and line == 7 for text, line in found)
    assert any("np.cosh" in text for text, _ in found)
    assert any(text.startswith("return x - ") and line == 11 for text, line in found)


def test_steps_of_a_loop_belong_to_the_line_in_it():
    source = """
def f(x, y):
    for _ in range(20):
        x = np.tanh(x * y)
        x = x - 0.1 * np.sin(x)
    return np.sum(x * x)
"""
    text = ag.compile(ag.grad(made(source))).readable(*X)
    assert "for " in text
    found = lines_of(ag.compile(made(source)), *X)
    assert {line for text, line in found if "np.tanh" in text} == {4}
    assert {line for text, line in found if "np.sin(" in text} == {5}
    assert {line for _, line in found} <= {4, 5, 6}


def test_the_gradient_of_indexing_belongs_to_the_line_of_the_index():
    source = """
def f(x, y):
    z = np.exp(x)
    first = z[0] * y[1]
    second = np.sin(
        z[1:]
    )
    return first + np.sum(second)
"""
    with setting(observer=Lines()):
        graph = ag.trace(ag.grad(made(source), (0, 1)), *X)
    added = {node.op.name: node.line for node in graph.nodes if node.op and "add_" in node.op.name}
    assert {name: line for name, (_, line, _) in added.items()} == {"add_each_at": 6, "add_at": 4}


def test_source_map_without_a_call():
    compiled = ag.compile(lambda x: x)
    with pytest.raises(RuntimeError, match=r"source_map\(\): .* was not called yet"):
        compiled.source_map()
    assert ag.compile(lambda x: np.exp(x) * 2).source_map(np.ones(2))
