"""Pictures of held-out rows: the lines show the numbers that they are given."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd_lite.models.metrics import auc, calibration, roc
from autograd_lite.text import number

pytest.importorskip("matplotlib")

from autograd_lite.viz import (
    calibration_curves,
    predicted_against_true,
    roc_curves,
    style,
)

FEW = settings(max_examples=10)
NUMBERS = hnp.arrays(
    float, st.tuples(st.just(2), st.integers(1, 30)), elements=st.floats(-1e100, 1e100)
)


def rows(seed, count=40):
    random = np.random.default_rng(seed)
    positive = random.permutation(np.arange(count) % 2 == 0)
    return positive, np.clip(0.3 * positive + random.integers(0, 8, size=count) / 10, 0, 1)


def texts(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


@FEW
@given(st.lists(st.integers(0, 99), min_size=1, max_size=6, unique=True))
def test_every_curve_is_on_its_line_and_its_area_beside_its_name(seeds):
    given = {f"run {seed}": rows(seed) for seed in seeds}
    ax = roc_curves({name: roc(*pair) for name, pair in given.items()})
    diagonal, *lines = ax.lines
    assert diagonal.get_xydata().tolist() == [[0, 0], [1, 1]]
    for line, pair in zip(lines, given.values(), strict=True):
        np.testing.assert_array_equal(line.get_data(), roc(*pair))
    areas = [f"{name}: area {number(auc(*pair))}" for name, pair in given.items()]
    assert texts(ax) == [*areas, "guessing: area 0.5"]


@FEW
@given(st.lists(st.integers(0, 99), min_size=1, max_size=6, unique=True))
def test_every_bin_is_a_point_inside_its_interval(seeds):
    given = {f"run {seed}": calibration(*rows(seed), 5) for seed in seeds}
    ax = calibration_curves(given)
    for line, bars, (p, share, _) in zip(ax.lines[1:], ax.collections, given.values(), strict=True):
        np.testing.assert_array_equal(line.get_data(), (p, share))
        for middle, known, segment in zip(p, share, bars.get_segments(), strict=True):
            (x, low), (_, high) = segment
            assert x == middle
            assert 0 <= low <= known + 1e-12
            assert known - 1e-12 <= high <= 1
            assert high > low
    assert texts(ax) == [*given, "calibrated"]


@FEW
@given(st.integers(1, 500), st.data())
def test_the_interval_is_that_of_scipy(count, data):
    stats = pytest.importorskip("scipy.stats", reason="no SciPy")
    hits = data.draw(st.integers(0, count))
    theirs = stats.binomtest(hits, count).proportion_ci(0.95, "wilson")
    (bars,) = calibration_curves({"a": ([0.5], [hits / count], [count])}).collections
    np.testing.assert_allclose(bars.get_segments()[0][:, 1], theirs, atol=1e-4)


@FEW
@given(NUMBERS)
@example(np.full((2, 3), 1e100))
def test_every_row_is_a_point(pair):
    ax = predicted_against_true(*pair, name="price")
    np.testing.assert_array_equal(ax.collections[0].get_offsets().T, pair)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("true price", "predicted price")
    assert ax.get_xlim() == ax.get_ylim()
    low, high = ax.get_xlim()
    assert low <= pair.min() <= pair.max() <= high


def test_curves_of_one_kind_of_rows():
    ax = roc_curves({"none": roc(np.zeros(3, bool), np.arange(3))})
    assert texts(ax) == ["none: no area", "guessing: area 0.5"]
    assert style.render(ax, "svg")
    with np.errstate(all="raise"):
        assert style.render(calibration_curves({"one": ([0.5], [1.0], [1])}), "svg")


def test_a_picture_of_many_rows_is_small():
    y = np.random.default_rng(0).normal(size=(2, 100_000))
    assert len(style.render(predicted_against_true(*y), "svg")) < 300_000


@pytest.mark.parametrize("draw", [roc_curves, calibration_curves])
def test_no_curves_and_axes_of_the_user(draw):
    with pytest.raises(ValueError, match=f"{draw.__name__}: there are no curves to draw"):
        draw({})
    ax = style.panels(1, 1, (4, 3))[0, 0]
    numbers = (np.array([0.0, 1.0]), np.array([0.0, 1.0]), np.array([3, 4]))
    assert draw({"a": numbers if draw is calibration_curves else numbers[:2]}, ax=ax) is ax
    assert len(ax.figure.axes) == 1
