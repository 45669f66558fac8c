"""The worked example: one iteration, every number as the document has it."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.models import student, walkthrough


def row(text, name, part=0):
    """The last cell of the row called `name` in the given table that has one."""
    lines = [line for line in text.splitlines() if line.startswith(f"| {name} ")]
    return lines[part].split("|")[-2].strip().removesuffix("[^1]")


def test_the_student():
    text = walkthrough()
    assert row(text, "w·x") == row(text, "z") == "−0.7"
    assert row(text, "ŷ") == "0.3318"
    assert row(text, "L") == "1.1032"
    assert row(text, "dL/dz") == row(text, "dL/db") == "−0.6682"
    assert row(text, "dL/dw") == "(−2.0046, −3.3409)"
    assert row(text, "w") == "(0.3005, 0.1341)"
    assert row(text, "b") == "0.0668"
    assert row(text, "z", 1) == "1.6387"
    assert row(text, "ŷ", 1) == "0.8374"
    assert row(text, "L", 1) == "0.1775"
    assert "from 1.1032 to 0.1775" in text
    assert "−2.01, −3.35" in text
    assert "0.301, 0.135" in text


def test_the_graph_of_the_student_is_the_one_in_the_design():
    L = student()
    L.backward()
    node = {t.name: t for t in ag.Graph.of(L).nodes}
    assert list(node) == ["x", "y", "w", "b", "w·x", "z", "ŷ", "L"]
    np.testing.assert_allclose(node["w"].grad, [-2.0046, -3.3409], atol=5e-5)
    np.testing.assert_allclose(node["b"].grad, -0.6682, atol=5e-5)
    assert node["w·x"].scope == node["z"].scope == ("linear:  z = w·x + b",)


def test_another_example_has_no_footnote():
    text = walkthrough(x=(1, 2, 3), y=0, w=(0.5, 0, -0.25), b=0.1, learning_rate=1)
    assert "[^1]" not in text
    assert "x = (1, 2, 3), y = 0, w = (0.5, 0, −0.25), b = 0.1, learning rate α = 1" in text
    assert row(text, "z") == "−0.15"
    assert "rounded only for display" in text


def test_many_inputs_are_written_short():
    text = walkthrough(x=np.arange(9), w=np.zeros(9))
    assert "w₁x₁ + w₂x₂ + … + w₉x₉" in text


def test_a_hopeless_example_still_has_its_gradient():
    text = walkthrough(x=(3000, 5), w=(-1, 1))
    assert row(text, "L") == "2995"
    assert row(text, "dL/dz") == "−1"
    assert row(text, "dL/dw") == "(−3000, −5)"
    assert "NaN" not in text


FINITE = st.floats(-5, 5, width=32)


@given(st.lists(st.tuples(FINITE, FINITE), min_size=1, max_size=5), st.sampled_from([0, 1]), FINITE)
def test_the_tables_are_aligned_markdown(pairs, y, b):
    x, w = zip(*pairs, strict=True)
    text = walkthrough(x, y, w, b)
    assert "NaN" not in text
    for table in re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE):
        lines = table.splitlines()
        assert len({len(line) for line in lines}) == 1
        assert len({line.count("|") for line in lines}) == 1
        assert set(lines[1]) == {"|", "-"}


@given(st.lists(st.tuples(FINITE, FINITE), min_size=1, max_size=4), st.sampled_from([0, 1]), FINITE)
def test_a_small_step_never_raises_the_loss(pairs, y, b):
    x, w = np.transpose(pairs)
    L = student(x, y, w, b)
    L.backward()
    node = {t.name: t for t in ag.Graph.of(L).nodes}
    α = 1e-3
    after = student(x, y, w - α * node["w"].grad, b - α * node["b"].grad)
    assert after.item() <= L.item() + 1e-12


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"x": (1, 2, 3)}, "x and w"),
        ({"x": (1, float("nan"))}, "x must be finite"),
        ({"w": ("a", "b")}, "w must be finite numbers"),
        ({"y": 2}, "y must be between 0 and 1"),
        ({"b": float("inf")}, "b must be finite"),
        ({"learning_rate": 0}, "learning rate must be positive"),
        ({"x": 3, "w": 1}, "x must be a list of numbers"),
        ({"x": (), "w": ()}, "x must be a list of numbers"),
    ],
)
def test_bad_input_is_named(given, message):
    with pytest.raises(ValueError, match=message):
        walkthrough(**given)
