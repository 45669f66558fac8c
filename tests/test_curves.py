"""Curves and surfaces: the lines show what the engine computed, also without colour."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.data import make_moons
from autograd_lite.models import LogisticRegression, MLPClassifier, student
from autograd_lite.sweep import gradients

matplotlib = pytest.importorskip("matplotlib")

from autograd_lite.viz import style  # noqa: E402
from autograd_lite.viz.curves import layer_histograms, loss_curves, sigmoid_curves  # noqa: E402
from autograd_lite.viz.decisions import (  # noqa: E402
    confusion,
    confusion_matrix,
    decision_boundary,
)
from autograd_lite.viz.surfaces import descent, descent_path, learning_rates  # noqa: E402

FEW = settings(max_examples=10)


def bowl(w):
    return (w * w).sum()


def vertices(ax):
    """Every corner of the contour lines of some Axes, by the colour of the line."""
    for collection in ax.collections:
        if hasattr(collection, "levels") and not collection.filled:
            for path in collection.get_paths():
                yield collection.levels[0], path.vertices


# Loss curves


@FEW
@given(st.lists(st.lists(st.floats(1e-6, 1e6), min_size=1, max_size=30), min_size=1, max_size=5))
def test_every_loss_is_on_its_line(curves):
    ax = loss_curves({f"run {k}": curve for k, curve in enumerate(curves)})
    assert [line.get_ydata().tolist() for line in ax.lines] == curves
    assert ax.get_yscale() == "log"


def test_lines_are_distinct_without_colour():
    count = len(style.SERIES)
    lines = loss_curves({str(k): [2.0, 1.0] for k in range(count)}).lines
    for trait in ("get_marker", "_dash_pattern", "get_color"):
        values = [getattr(line, trait) for line in lines]
        assert len({str(v() if callable(v) else v) for v in values}) == count, trait


def test_a_loss_that_is_not_positive_has_a_plain_axis():
    assert loss_curves({"a": [1.0, 0.0]}).get_yscale() == "linear"
    assert loss_curves({"a": [1.0, float("inf"), 0.5]}).get_yscale() == "log"


def test_a_loss_that_left_the_numbers_is_drawn_without_a_warning():
    ax = loss_curves({"a": [1.0, 1e40, 1e308, float("inf"), 0.5]})
    np.testing.assert_array_equal(ax.lines[0].get_ydata(), [1.0, 1e40, np.nan, np.nan, 0.5])
    assert style.render(ax, "svg")


@pytest.mark.parametrize("losses", [{}, {"a": []}, {"a": [1.0], "b": []}])
def test_no_losses(losses):
    with pytest.raises(ValueError, match="no losses to draw"):
        loss_curves(losses)


def test_axes_of_the_user():
    ax = style.panels(1, 1, (4, 3))[0, 0]
    assert sigmoid_curves(ax) is ax
    assert len(ax.figure.axes) == 1


# The sigmoid


def test_the_sigmoid_and_its_derivative():
    lines = {line.get_label(): line for line in sigmoid_curves().lines}
    (σ, dσ) = (line for label, line in lines.items() if label.startswith("σ"))
    z = σ.get_xdata()
    np.testing.assert_allclose(σ.get_ydata(), 1 / (1 + np.exp(-z)), rtol=1e-12)
    np.testing.assert_allclose(dσ.get_ydata(), σ.get_ydata() * (1 - σ.get_ydata()), rtol=1e-12)
    assert dσ.get_ydata().max() == 0.25


# Layers


def test_histograms_by_layer():
    t = make_moons(60, random_state=0)
    L = MLPClassifier((8, 8), random_state=0).loss_graph(t.X, t.y)
    axes = layer_histograms(L)
    assert axes.shape == (3, 2)
    hidden = next(node for node in ag.Graph.of(L).nodes if node.name == "h⁽¹⁾")
    zeros = np.mean(hidden.numpy() == 0)
    assert axes[0, 0].texts[0].get_text().startswith(f"{zeros:.0%} are 0, deviation ")
    assert axes[0, 1].get_title(loc="left") == "∂L/∂h⁽¹⁾"
    # The bars hold what is not 0, but for the outermost percent.
    (bars,) = axes[0, 0].patches
    widths, heights = np.diff(bars.xy[::2, 0][:49]), bars.xy[1::2, 1][:48]
    assert np.all(widths > 0)
    np.testing.assert_allclose(heights.sum(), 100 * (1 - zeros), atol=1.01)


def test_chosen_nodes_and_what_is_not_there():
    axes = layer_histograms(student(), ["z"])
    assert axes.shape == (1, 2)
    with pytest.raises(ValueError, match="no node with a gradient is called 'q'"):
        layer_histograms(student(), ["q"])
    w = ag.Tensor(2.0)
    with pytest.raises(ValueError, match="activation function; use names="):
        layer_histograms(w * w)


def test_gradients_of_the_layers_are_those_of_the_sweep():
    L = student()
    ax = layer_histograms(L, ["ŷ"])[0, 1]
    node = next(n for n in ag.Graph.of(L).nodes if n.name == "ŷ")
    (bars,) = ax.patches
    low, high = bars.xy[:, 0].min(), bars.xy[:, 0].max()
    assert low <= gradients(L).of[node] <= high


# Gradient descent


@given(
    st.lists(st.floats(-5, 5, width=32), min_size=2, max_size=2),
    st.floats(0.01, 0.6),
    st.integers(0, 20),
)
def test_the_way_down_a_bowl(start, rate, steps):
    path, losses = descent(bowl, start, rate, steps)
    expected = np.array(start) * (1 - 2 * rate) ** np.arange(steps + 1)[:, None]
    np.testing.assert_allclose(path, expected, rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(losses, (path**2).sum(axis=1), rtol=1e-12)


def test_a_way_that_leaves_the_numbers_ends():
    path, losses = descent(bowl, [1.0, 1.0], 1e200, 50)
    assert len(path) == len(losses) == 2
    assert losses[-1] == np.inf


def test_the_path_that_is_drawn():
    ax = descent_path(bowl, [4.0, 2.0], 0.25, 3, names=("b", "w"))
    path, _ = descent(bowl, [4.0, 2.0], 0.25, 3)
    np.testing.assert_array_equal(np.column_stack(ax.lines[0].get_data()), path)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("b", "w")
    assert np.all(path > [ax.get_xlim()[0], ax.get_ylim()[0]])
    assert np.all(path < [ax.get_xlim()[1], ax.get_ylim()[1]])


def test_a_loss_of_huge_log_odds_has_contours():
    def loss(w):
        return ag.binary_cross_entropy(ag.sigmoid(w.sum()), 1.0)

    ax = descent_path(loss, [-900.0, -100.0], 300.0, 3)
    assert len(list(vertices(ax))) > 3


def test_rates_side_by_side():
    rates = {"small": 0.01, "right": 0.4, "large": 1.2}
    axes = learning_rates(bowl, [4.0, 2.0], rates, 6)
    assert axes.shape == (2, 3)
    for rate, (above, below) in zip(rates.values(), axes.T, strict=True):
        path, losses = descent(bowl, [4.0, 2.0], rate, 6)
        np.testing.assert_array_equal(np.column_stack(above.lines[0].get_data()), path)
        np.testing.assert_array_equal(below.lines[0].get_ydata(), losses)
    assert [ax.get_title(loc="left") for ax in axes[0]] == [
        "small: α = 0.01",
        "right: α = 0.4",
        "large: α = 1.2",
    ]


# Decisions


class Linear:
    """A classifier with the probabilities softmax(X W + b)."""

    def __init__(self, W, b):
        self.W, self.b, self.classes_ = np.array(W), np.array(b), np.arange(len(b))

    def predict_proba(self, X):
        return np.asarray(ag.softmax(np.asarray(X) @ self.W.T + self.b))


def weights(classes):
    """The weights of a linear classifier."""
    number = st.floats(-4, 4, width=32)
    row = st.tuples(number, number)
    return st.builds(
        Linear,
        st.lists(row, min_size=classes, max_size=classes, unique=True),
        st.lists(number, min_size=classes, max_size=classes),
    )


@FEW
@given(st.integers(2, 6).flatmap(weights))
def test_the_boundary_is_where_the_model_is_undecided(model):
    X = np.array([[-2.0, -2.0], [2.0, 2.0]])
    ax = decision_boundary(model, X, [0, 1])
    for level, points in vertices(ax):
        if not len(points):
            continue
        p = np.sort(model.predict_proba(points), axis=1)
        if level in (0, 0.5):
            np.testing.assert_allclose(p[:, -1], p[:, -2], atol=0.02)
        else:
            np.testing.assert_allclose(p[:, -1], 0.9, atol=0.02)
    assert style.render(ax, "svg")


def test_the_levels_of_two_classes():
    t = make_moons(60, random_state=0)
    model = LogisticRegression(solver="gd", learning_rate_init=0.5, tol=0).fit(t.X, t.y)
    found = list(vertices(decision_boundary(model, t.X, t.y)))
    assert {level for level, _ in found} == {0.1, 0.5, 0.9}
    for level, points in found:
        np.testing.assert_allclose(model.predict_proba(points)[:, 1], level, atol=2e-3)


def test_every_class_has_a_marker_of_its_own():
    model = Linear(np.random.default_rng(0).normal(size=(6, 2)), np.zeros(6))
    y = np.arange(60) % 6
    ax = decision_boundary(model, np.random.default_rng(1).normal(size=(60, 2)), y)
    shown = {c.get_label(): c for c in ax.collections if c.get_label().startswith("class")}
    assert list(shown) == [f"class {k}" for k in range(6)]
    assert len({c.get_paths()[0].vertices.tobytes() for c in shown.values()}) == 6
    assert all(len(c.get_offsets()) == 10 for c in shown.values())


def test_more_classes_than_markers():
    model = Linear(np.zeros((7, 2)), np.zeros(7))
    with pytest.raises(ValueError, match="at most 6 classes; got 7"):
        decision_boundary(model, np.zeros((4, 2)), [0, 1, 0, 1])


def test_a_boundary_needs_two_columns():
    with pytest.raises(ValueError, match=r"two columns; got shape \(4, 3\)"):
        decision_boundary(LogisticRegression(), np.zeros((4, 3)), [0, 1, 0, 1])


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("ab")), min_size=1, max_size=30))
def test_confusion_counts_every_row(pairs):
    y, predicted = zip(*pairs, strict=True)
    counts = confusion(y, predicted, ["a", "b"])
    assert counts.sum(axis=1).tolist() == [y.count("a"), y.count("b")]
    assert counts.sum(axis=0).tolist() == [predicted.count("a"), predicted.count("b")]
    assert counts.trace() == sum(a == b for a, b in pairs)


@pytest.mark.parametrize("classes", [2, 3, 4, 10])
def test_the_cells_of_a_confusion_matrix_stay_large_enough_for_their_text(classes):
    names = [f"a long name {k}" for k in range(classes)]
    ax = confusion_matrix(names * 1000, names * 1000, names)
    style.render(ax, "svg")
    to_inches = ax.figure.dpi_scale_trans.inverted()
    side = np.diff(ax.transData.transform([[0, 0], [1, 1]]), axis=0)
    cell = np.abs(side) / ax.figure.dpi
    for text in ax.texts:
        box = text.get_window_extent().transformed(to_inches)
        assert box.width < cell[0, 0]
    boxes = [label.get_window_extent() for label in ax.get_xticklabels()]
    assert not any(one.overlaps(other) for one, other in pairwise(boxes))


def test_the_confusion_matrix_shows_counts_and_shares():
    ax = confusion_matrix(["a", "a", "a", "b"], ["a", "a", "b", "b"], ["a", "b"])
    shown = [text.get_text() for text in ax.texts]
    assert shown == ["2", "66.7%", "1", "33.3%", "0", "0.0%", "1", "100.0%"]


# Files


@pytest.mark.parametrize(("format", "magic"), [("svg", b"<?xml"), ("png", b"\x89PNG")])
def test_equal_pictures_have_equal_bytes(format, magic):
    one, other = (style.render(descent_path(bowl, [4.0, 2.0], 0.25, 3), format) for _ in range(2))
    assert one.startswith(magic)
    assert one == other


def test_saving(tmp_path):
    ax = loss_curves({"a": [2.0, 1.0]})
    assert style.save(ax, tmp_path / "a.pdf").read_bytes().startswith(b"%PDF")
    (tmp_path / "a.gif").write_text("before")
    with pytest.raises(ValueError, match=r"a\.gif must end in \.svg, \.png or \.pdf"):
        style.save(ax, tmp_path / "a.gif")
    assert (tmp_path / "a.gif").read_text() == "before"


def test_a_figure_shows_itself_in_a_notebook():
    assert sigmoid_curves().figure._repr_png_().startswith(b"\x89PNG")


def test_nothing_of_the_users_is_touched():
    with matplotlib.rc_context({"font.size": 30.0}):
        ax = sigmoid_curves()
        assert matplotlib.rcParams["font.size"] == 30.0
    assert ax.xaxis.label.get_size() == 10


def test_pyplot_is_left_alone():
    code = (
        "import sys; from autograd_lite.viz import style; "
        "from autograd_lite.viz.curves import sigmoid_curves; "
        "style.render(sigmoid_curves(), 'svg'); print('matplotlib.pyplot' in sys.modules)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    assert found.stdout.strip() == "False"


def test_without_matplotlib_the_fix_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError, match=r"pip install 'autograd_lite\[plot\]'"):
        sigmoid_curves()
