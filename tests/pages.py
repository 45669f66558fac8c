"""Pages to look at: how tests make and read them, and small graphs with something to see."""

import contextlib
import json
import re
import shutil
import sys
from importlib.util import find_spec

import numpy as np
import pytest
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.viz import draw, rendering


def needs_graphviz():
    """Skips the test where nothing can draw; each test that draws asks here, by itself or not."""
    if shutil.which("dot") is None and find_spec("pygraphviz") is None:
        pytest.skip("no Graphviz to draw with")


def without_graphviz(monkeypatch):
    """Let nothing be found that can draw."""
    monkeypatch.setattr(rendering.shutil, "which", lambda name: None)
    monkeypatch.setitem(sys.modules, "pygraphviz", None)


def page(result, **options):
    """The page of a result, or a skipped test where nothing can draw."""
    needs_graphviz()
    return draw(result, **options).html()


def data(text):
    """What the page's script reads, with names for what its lists contain."""
    read = json.loads(re.search(r'<script id="data"[^>]*>(.*?)</script>', text, re.DOTALL)[1])
    for k, sheet in enumerate(read["sheets"]):
        names = ("number", "frame", "outline", "face", "title", "contents", "opens")
        sheet["cards"] = [
            {"id": f"s{k}-n{card[0]}"} | dict(zip(names, card, strict=False))
            for card in sheet["cards"]
        ]
        for card in sheet["cards"]:
            card["items"] = [card["outline"], *read["faces"][card["face"]]]
        names = ("tail", "head", "curve", "tip", "items", "label")
        sheet["edges"] = [
            {"id": f"s{k}-e{j}"} | dict(zip(names, edge, strict=True))
            for j, edge in enumerate(sheet["edges"])
        ]
        names = ("parent", "at", "items", "title", "contents")
        sheet["frames"] = [
            {"id": f"s{k}-c{j}"} | dict(zip(names, frame, strict=True))
            for j, frame in enumerate(sheet["frames"])
        ]
    return read


class Panel:
    """What a page shows of a node.

    Attributes:
        name: its name.
        texts: the sentences and the marks.
        numbers: under "value" and "gradient" the numbers as they are written.
        derivation: its formulas in MathML.
    """

    def __init__(self, node):
        self.name = node["name"]
        self.texts = [node[key] for key in ("forward", "backward") if key in node]
        self.texts += node.get("marks", []) + node.get("parts", [])
        self.derivation = node.get("derivation", [])
        self.numbers = {}
        for what in ("value", "gradient"):
            shown = node.get(what, {})
            if not isinstance(shown, dict):
                shown = {"numbers": shown}
            if "about" in shown:
                self.texts.append(shown["about"])
            if "numbers" in shown:
                self.numbers[what] = [line.split() for line in shown["numbers"].split("\n")]


def panels(text):
    """What the page shows of each node, by its number in the graph."""
    return {int(k): Panel(node) for k, node in data(text)["nodes"].items()}


SCALARS = st.lists(
    st.tuples(st.sampled_from("+×−÷σ"), st.integers(0, 30), st.integers(0, 30)),
    min_size=1,
    max_size=12,
)


def scalars(steps, a=0.7, b=-1.3):
    """A graph of numbers whose operands the steps choose."""
    nodes = [ag.Tensor(a, name="a"), ag.Tensor(b, name="b"), ag.Tensor(0.2)]
    for sign, i, j in steps:
        a, b = nodes[i % len(nodes)], nodes[j % len(nodes)]
        nodes.append(
            {
                "+": lambda a, b: a + b,
                "×": lambda a, b: a * b,
                "−": lambda a, b: a - b,
                "÷": lambda a, b: a / (b * b + 1.0),
                "σ": lambda a, b: ag.sigmoid(a),
            }[sign](a, b)
        )
    return nodes[-1]


def fan_out():
    """b is used twice."""
    a, b = ag.Tensor(2.0, name="a"), ag.Tensor(1.0, name="b")
    return ((a + b) * (b + 1)).named("e")


def layers():
    x = ag.Tensor([0.3, 1.2], name="x")
    with ag.scope("encoder"):
        with ag.scope("block 1"):
            h = np.tanh(x * 2.0)
        with ag.scope("block 2"):
            h = np.exp(-h) + x
    with ag.scope("decoder"):
        return np.sum(h * x).named("L")


def batch():
    rows = np.linspace(-2.0, 2.0, 120 * 6).reshape(120, 6)
    X, W = ag.constant(rows, name="X"), ag.Tensor(np.full((4, 6), 0.1), name="W")
    h = ag.relu(X @ W.T).named("h")
    return np.mean(h * ag.Tensor(np.float32([1, -1, 2, 0]), name="v")).named("L")


def neurons(sizes=(2, 16, 16, 1), scopes=False):
    """A perceptron of single numbers, one node for each product and sum."""
    rng = np.random.default_rng(0)
    scope = ag.scope if scopes else contextlib.nullcontext
    values = [ag.Tensor(x, name=f"x{k}") for k, x in enumerate((0.3, -0.7))]
    for layer, units in enumerate(sizes[1:], 1):
        outputs = []
        for unit in range(1, units + 1):
            with scope(f"layer {layer}"), scope(f"neuron {unit}"):
                total = ag.Tensor(0.0)
                for x in values:
                    total = total + ag.Tensor(rng.uniform(-1, 1)) * x
                outputs.append(ag.relu(total) if layer + 1 < len(sizes) else total)
        values = outputs
    return ag.relu(1.0 - values[0]).named("L")


def caption(tab):
    return tab.locator("#count").inner_text(), tab.locator("#caption").inner_text()


def shown(tab, selector):
    """The identifiers of what is in sight."""
    return tab.evaluate(
        "(selector) => [...document.querySelectorAll(selector)]"
        ".filter((g) => g.getClientRects().length).map((g) => g.id)",
        selector,
    )
