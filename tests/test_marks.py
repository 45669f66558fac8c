"""What the picture marks: dead units, gradients that are zero, explode, vanish or are NaN."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.viz import draw, marks
from autograd_lite.viz.marks import DEAD, EXPLODES, EXPLODING, NOT_FINITE, VANISHES, VANISHING, ZERO

ALL = (NOT_FINITE, DEAD, EXPLODES, VANISHES, ZERO)


def texts(node, gradient=None, last=False):
    return [mark.text for mark in marks.marks(node, node.array, gradient, last)]


def test_marks_differ_in_shape_in_words_and_in_colour():
    for what in ("sign", "text", "color"):
        assert len({getattr(mark, what) for mark in ALL}) == len(ALL)


@given(
    st.lists(
        st.lists(st.sampled_from([-1.0, 0.0, 2.0]), min_size=3, max_size=3), min_size=1, max_size=5
    )
)
def test_a_unit_is_dead_that_is_off_for_every_row(rows):
    h = ag.relu(ag.Tensor(rows))
    off = sum(all(row[k] <= 0 for row in rows) for k in range(3))
    found = [text for text in texts(h) if text.startswith("dead")]
    if off == 3:
        assert found == ["dead"]
    elif off and len(rows) > 1:
        assert found == [f"dead: {off} of 3 units"]
    else:
        assert found == []


def test_other_operations_are_not_dead():
    assert texts(np.tanh(ag.Tensor([0.0, 0.0]))) == []


@given(st.integers(-12, 12), st.integers(1, 4))
def test_a_gradient_vanishes_or_explodes_by_its_norm(power, size):
    norm = 3.0 * 10.0**power
    t = ag.Tensor(np.ones(size))
    expected = ["vanishing"] * (norm < VANISHING) + ["exploding"] * (norm > EXPLODING)
    assert texts(t, np.full(size, norm / np.sqrt(size))) == expected
    assert texts(ag.Tensor(1.0), np.float64(-norm)) == expected


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none(bad):
    assert texts(ag.Tensor(bad), np.float64(1.0)) == ["not finite"]
    assert texts(ag.Tensor([1.0, 2.0]), np.array([bad, 0.0])) == ["not finite"]


def test_what_is_fine_or_empty_has_no_mark():
    assert texts(ag.Tensor([1.0, 2.0]), np.array([0.1, 0.0])) == []
    assert texts(ag.Tensor(np.zeros((0, 3))), np.zeros((0, 3))) == []
    assert texts(ag.Tensor([1.0]), None) == []
    assert texts(ag.Tensor(1.0), np.float64(0.0), last=True) == []


def test_the_picture_shows_the_marks():
    x = ag.Tensor([1.0, -2.0], name="x")
    source = draw((np.sum(ag.relu(-np.abs(x))) + x[0] * 1e5).named("L")).source
    shown = re.findall(r"<B>([✖⊘▲▽∅] [^<]*)</B>", source)
    assert {"⊘ dead", "∅ zero gradient", "▲ exploding"} <= set(shown)


def test_a_fold_counts_the_marks_inside():
    t = ag.Tensor(-1.0, name="t")
    with ag.scope("off"):
        h = ag.relu(ag.relu(t * 2.0) * 3.0)
    source = draw(np.exp(h), depth=0).source
    assert "⊘ 2 × dead" in source
    assert re.search(r"∅ \d × zero gradient", source)
