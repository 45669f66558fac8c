"""A page opens fitted to its window and readable: what does not fit opens folded."""

from contextlib import nullcontext

import numpy as np
import pytest
from pages import caption, neurons, shown

import autograd_lite as ag
from autograd_lite.models.examples import student

SEEN = """() => {
  const svg = document.querySelector(".sheet:not([hidden]) svg"), view = svg.parentNode;
  const { width, height } = svg.getBoundingClientRect();
  return [width / svg.viewBox.baseVal.width, width / view.clientWidth, height / view.clientHeight];
}"""
"""The scale of the picture, and its sides as shares of the window's."""


def scopes(named):
    return ag.scope if named else lambda title: nullcontext()


def recurrent(named=True, steps=8):
    """A recurrent network, which uses its parameters in each step."""
    rng, scope = np.random.default_rng(0), scopes(named)
    W, U = (ag.Tensor(rng.normal(size=(3, n)), name=name) for name, n in (("W", 3), ("U", 2)))
    b, h = ag.Tensor(np.zeros(3), name="b"), ag.constant(np.zeros(3), name="h₀")
    for k in range(1, steps + 1):
        with scope(f"step {k}"):
            h = np.tanh(W @ h + U @ ag.constant(rng.normal(size=2), name=f"x{k}") + b)
    return np.sum((ag.Tensor(rng.normal(size=3), name="v") * h - 1.0) ** 2).named("L")


def deep(depth=20):
    rng = np.random.default_rng(1)
    h = ag.constant(rng.normal(size=(4, 3)), name="X")
    for k in range(1, depth + 1):
        with ag.scope(f"layer {k}"):
            h = np.tanh(h @ ag.Tensor(rng.normal(size=(3, 3)), name=f"W{k}").T + ag.Tensor(0.1))
    return np.mean(h * h).named("L")


def wide():
    """A sum of thirty terms side by side."""
    x = ag.Tensor(0.5, name="x")
    return sum(np.sin(x * k) * ag.Tensor(0.1, name=f"a{k}") for k in range(2, 32)).named("L")


def reopened(tab, width, height):
    """Open the page again in a window of another size."""
    tab.set_viewport_size({"width": width, "height": height})
    tab.evaluate("history.replaceState(null, '', '#')")
    tab.evaluate("dispatchEvent(new HashChangeEvent('hashchange'))")


GRAPHS = {
    "recurrent": recurrent, "recurrent, no scopes": lambda: recurrent(False), "deep": deep,
    "wide": wide, "student": student, "neurons": lambda: neurons((3, 4, 4, 1), scopes=True),
}  # fmt: skip


@pytest.mark.parametrize("name", GRAPHS)
def test_it_opens_fitted_and_readable(visit, name):
    tab = visit(GRAPHS[name](), viewport={"width": 1250, "height": 700})
    scale, *shares = tab.evaluate(SEEN)
    assert scale >= 0.45
    assert max(shares) <= 1.001
    assert max(shares) > 0.4
    reopened(tab, 390, 800)
    scale, *shares = tab.evaluate(SEEN)
    assert scale >= 0.45
    assert min(shares) <= 1.001, "a phone scrolls in one direction"
    assert max(shares) <= 5


def test_what_fits_opens_unfolded(visit):
    tab = visit(recurrent(), viewport={"width": 7000, "height": 4000})
    assert shown(tab, ".sheet") == ["s0"]
    assert not [name for name in shown(tab, ".node") if name.endswith("-folded")]
    reopened(tab, 1920, 1080)
    folded = [name for name in shown(tab, ".node") if name.endswith("-folded")]
    assert shown(tab, ".sheet") == ["s0"]
    assert len(folded) == 8


def test_an_overview_leads_to_the_whole_graph_and_back(visit):
    tab = visit(recurrent(named=False), viewport={"width": 1250, "height": 700})
    assert shown(tab, ".sheet") == ["s1"]
    assert tab.locator("#s1 nav").inner_text() == "overview · the whole graph"
    tab.keyboard.press("ArrowRight")
    assert caption(tab)[1].startswith("forward: ")
    tab.get_by_role("button", name="the whole graph").click()
    assert shown(tab, ".sheet") == ["s0"]
    assert len(shown(tab, ".node")) > 50
    tab.keyboard.press("Escape")
    assert shown(tab, ".sheet") == ["s1"]


def test_a_link_opens_what_it_says(visit):
    """The number of a step counts the cards of the whole graph."""
    tab = visit(recurrent(), viewport={"width": 1250, "height": 700})
    for address in ("#step=3", "#folded=", "#node=0", "#sheet=0"):
        reopened(tab, 1250, 700)
        assert shown(tab, ".sheet") == ["s1"]
        tab.evaluate("(address) => { location.hash = address; }", address)
        tab.wait_for_selector("#s0", state="visible")
        assert shown(tab, ".sheet") == ["s0"]
        assert not [name for name in shown(tab, ".node") if name.endswith("-folded")]


def test_depth_is_as_asked_in_every_window(visit):
    tab = visit(recurrent(), options={"depth": 1}, viewport={"width": 390, "height": 800})
    assert len(shown(tab, ".node")) > 50
