"""The page: what stands in the file, that its numbers are the engine's, that it fetches nothing."""

import base64
import hashlib
import html
import io
import re
import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import (
    SCALARS,
    batch,
    data,
    fan_out,
    layers,
    needs_graphviz,
    neurons,
    page,
    panels,
    scalars,
)  # fmt: skip

import autograd_lite as ag
from autograd_lite.explanation.words import Words
from autograd_lite.models.examples import perceptron, student
from autograd_lite.sweep import gradients
from autograd_lite.text import number, printable
from autograd_lite.viz import draw, panel, rendering
from autograd_lite.viz import page as module
from autograd_lite.viz.layout import Scene

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\"'><img src=x onerror=alert(1)>",
    "$data ${title} \\u003c",
    "&lt;b&gt; & 🎉👩‍🔬",
    "]]> \u2028 \u202e",
]
MATHML = {"mi", "mn", "mo", "mtext", "mrow", "msub", "msup", "msubsup", "mover"}

NAMES = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def written(array):
    """Numbers as a page writes them."""
    return [number(x) for x in np.ravel(array)]


class Elements(HTMLParser):
    """The elements of a page and their attributes."""

    def __init__(self, text):
        super().__init__()
        self.found = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    handle_startendtag = handle_starttag


@pytest.mark.parametrize("make", [student, perceptron, fan_out, layers, batch])
def test_the_numbers_are_those_of_the_engine(make):
    result = make()
    found, graph = gradients(result), ag.Graph.of(result)
    shown = panels(page(result))
    assert shown
    for k, node in shown.items():
        tensor = graph.nodes[k]
        assert np.concatenate(node.numbers["value"]).tolist() == written(tensor.array)
        if tensor.requires_grad:
            assert np.concatenate(node.numbers["gradient"]).tolist() == written(found.of[tensor])
        else:
            assert "gradient" not in node.numbers
        for rows in node.numbers.values():
            assert tensor.ndim < 2 or len(rows[0]) == tensor.shape[-1]


@given(SCALARS)
@settings(max_examples=40)
def test_a_step_multiplies_by_the_local_derivative_and_adds(steps):
    result = scalars(steps).named("L")
    scene = Scene(ag.Graph.of(result), gradients(result))
    words, parts, of = Words(scene), scene.gradients.parts, scene.gradients.of
    for (consumer, k), part in parts.items():
        shown = words.text(words.derivative(consumer, k))
        assert shown.startswith("× ")
        assert np.isclose(of[consumer] * scene.array("local", (consumer, k)), part)
        assert shown == f"× {number(scene.array('local', (consumer, k)))}"
    for node in scene.graph.nodes:
        if node.requires_grad and node is not result:
            text = words.text(words.backward(node))
            assert text.startswith(f"{words.of(node)} = ")
            assert text.endswith(f"= {number(of[node])}")


@pytest.mark.parametrize(
    ("make", "name", "forward", "backward"),
    [
        (student, "z", "z = w·x + b = −0.7 + 0 = −0.7", "∂L/∂z = −3.0138 × 0.2217 = −0.6682"),
        (student, "ŷ", "ŷ = σ(z) = σ(−0.7) = 0.3318", "∂L/∂ŷ = 1 × (−3.0138) = −3.0138"),
        (student, "w", None, "∂L/∂w = −0.6682 × (3, 5) = (−2.0046, −3.3409)"),
        (student, "L", "L = BCE(ŷ, y) = BCE(0.3318, 1) = 1.1032", "∂L/∂L = 1"),
        (fan_out, "b", None, "∂e/∂b = 2 × 1 + 3 × 1 = 2 + 3 = 5"),
        (fan_out, "b + 1", "b + 1 = 1 + 1 = 2", "∂e/∂(b + 1) = 1 × 3 = 3"),
        (perceptron, "h⁽¹⁾", "ReLU", "∂L/∂h⁽¹⁾ = −0.2611 × (0.7, −0.5) = (−0.1828, 0.1306)"),
        (perceptron, "W⁽¹⁾", None, "(∂L/∂W⁽¹⁾ᵀ)ᵀ"),
        (batch, "W", None, "(∂L/∂Wᵀ)ᵀ"),
        (batch, "Wᵀ", "Wᵀ = (6, 4) numbers, 0.1 … 0.1", "Xᵀ · ∂L/∂(XWᵀ)"),
        (batch, "v", None, "∂L/∂v = Σ("),
    ],
)
def test_a_step_in_words(make, name, forward, backward):
    [node] = [n for n in panels(page(make())).values() if n.name == name]
    if forward is not None:
        assert any(forward in text for text in node.texts)
    assert any(backward in text for text in node.texts)


@pytest.mark.parametrize("make", [student, perceptron, fan_out, layers, batch])
def test_the_steps_go_forward_and_then_back(make):
    result = make()
    graph = ag.Graph.of(result)
    [sheet] = data(page(result))["sheets"]
    nodes = [graph.nodes[int(card["id"].partition("n")[2])] for card in sheet["cards"]]
    done = [set(), set()]
    kinds = [backward for _, backward in sheet["steps"]]
    assert kinds == sorted(kinds)
    users = {k: set() for k in range(len(sheet["cards"]))}
    for edge in sheet["edges"]:
        users[edge["tail"]].add(edge["head"])
    acting = {k for k, node in enumerate(nodes) if node.op is not None}
    for k, backward in sheet["steps"]:
        if backward:
            assert {u for u in users[k] if nodes[u].requires_grad} <= done[1]
        else:
            inputs = {edge["tail"] for edge in sheet["edges"] if edge["head"] == k}
            assert inputs & acting <= done[0]
        done[backward].add(k)
    assert done[0] == acting


def test_the_student_has_ten_steps():
    assert len(data(page(student()))["sheets"][0]["steps"]) == 10


@pytest.mark.parametrize("library", [False, True])
def test_every_identifier_is_in_the_picture(monkeypatch, library):
    if library:
        pytest.importorskip("pygraphviz")
        monkeypatch.setattr(rendering, "_by_executable", lambda source, format: None)
    text = page(layers())
    [sheet] = data(text)["sheets"]
    ids = [part["id"] for kind in ("cards", "edges", "frames") for part in sheet[kind]]
    assert len(ids) == len(set(ids))
    styles = data(text)["styles"]
    for part in sheet["cards"] + sheet["frames"]:
        tags = [styles[style][0] for style, *_ in part["items"]]
        assert tags[0] == "rect"
        assert "text" in tags
        assert all(item[3:] for item in part["items"])
    for edge in sheet["edges"]:
        assert len(edge["curve"]) % 6 == 2
        assert abs(np.hypot(*edge["tip"][2:]) - 80) <= 2, "tenths of a point"


def test_nothing_is_fetched_and_nothing_else_runs():
    text = page(perceptron())
    outside = re.sub(r"http://www\.w3\.org/[\w/.]*", "", text)
    assert "http:" not in outside
    assert "https:" not in outside
    assert "url(" not in text
    assert "@import" not in text
    for tag, attrs in Elements(text).found:
        assert attrs.get("href", "data:,") == "data:,", tag
        assert attrs.get("src", "data:image/png;").startswith("data:image/png;"), tag
        assert not [name for name in attrs if name.startswith("on")], tag
        assert "style" not in attrs, "the policy would drop it"
    [policy] = [a["content"] for t, a in Elements(text).found if "content" in a and t == "meta"][:1]
    for tag, rule in (("style", "style-src"), (r"script", "script-src")):
        inside = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{rule} 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_the_code_of_a_page_is_small():
    folder = Path(module.__file__).parent
    names = ("page.css", "page.html", *module.SCRIPTS)
    assert sum(len((folder / name).read_bytes()) for name in names) < 60_000


@pytest.mark.parametrize("scopes", [False, True])
def test_the_page_of_a_thousand_nodes_is_below_a_megabyte(scopes):
    text = page(neurons(scopes=scopes))
    assert len(data(text)["nodes"]) > 960
    assert len(text.encode()) < 700_000


@given(NAMES, NAMES, NAMES)
@settings(max_examples=12)
def test_any_name_stands_in_the_page_and_breaks_nothing(leaf, result, scope):
    with ag.scope(scope):
        t = np.tanh(ag.Tensor(2.0, name=leaf)).named(result)
    text = page((t * 2.0).named(result))
    plain = Elements(page((np.tanh(ag.Tensor(2.0)) * 2.0).named("L"))).found
    tags = [tag for tag, _ in Elements(text).found]
    assert tags.count("script") == 3
    assert set(tags) <= {tag for tag, _ in plain} | {"p", "rect", *MATHML}
    names = {node.name for node in panels(text).values()}
    for name in filter(printable, (leaf, result)):
        assert printable(name, 40) in names
    title = re.search(r"<title>(.*?)</title>", text, re.DOTALL)[1]
    assert html.unescape(title) == (printable(result, 60) or "graph")


def test_the_style_knows_every_colour_of_the_picture():
    with np.errstate(all="ignore"):
        marked = np.sum(ag.relu(ag.Tensor([[-1.0, 2.0], [-3.0, 4.0]]) * [1e-9, np.inf]) * 1e9)
    style = Path(module.__file__).with_name("page.css").read_text(encoding="utf-8")
    for result in (perceptron(), layers(), marked.named("L"), neurons()):
        text = page(result)
        looks = [look for _, look in data(text)["styles"]]
        colours = {look[key] for look in looks for key in ("fill", "stroke") if key in look}
        names = {colour for colour in colours if colour.startswith("var(")}
        assert colours - names <= {"#ffffff", "none"}
        assert all(f" {name[4:-1]}: " in style for name in names)


def test_the_same_graph_gives_the_same_bytes():
    assert page(perceptron()) == page(perceptron())


def test_numbers_that_are_none():
    with np.errstate(all="ignore"):
        shown = panels(page(np.sum(ag.Tensor([np.inf, -np.inf, np.nan, 1.0], name="t"))))
    [node] = [n for n in shown.values() if n.name == "t"]
    assert node.numbers["value"] == [["∞", "−∞", "NaN", "1"]]
    assert "✖ not finite" in node.texts


ODD = {
    "a leaf": lambda: ag.Tensor([1.0, 2.0], name="w"),
    "a constant": lambda: np.exp(ag.constant([1.0, 2.0])),
    "several numbers": lambda: (ag.Tensor(np.eye(3)) * 2.0).named("v"),
    "nothing": lambda: np.sum(ag.Tensor(np.zeros((0, 3))) * 2.0),
    "truth values": lambda: np.sum(np.where(ag.Tensor([1.0, -1.0]) > 0, ag.Tensor(2.0), 0.0)),
    "several results": lambda: np.linalg.slogdet(ag.Tensor(np.eye(2) * 2.0))[1],
    "a sequence": lambda: np.sum(np.stack([ag.Tensor([1.0]), ag.Tensor([2.0])]) ** 2),
    "many axes": lambda: np.mean(np.tanh(ag.Tensor(np.linspace(-1, 1, 48).reshape(2, 3, 2, 4)))),
    "overflow": lambda: np.sum(np.exp(ag.Tensor([1e3, -1e3, 0.0, 1.0, 2.0]))),
    "many uses": lambda: sum((lambda t: [t * k for k in range(9)])(ag.Tensor(1.0, name="t"))),
    "float32": lambda: np.sum(ag.Tensor(np.linspace(0, 1, 99, dtype=np.float32)) ** 2),
    "integers": lambda: np.sum(ag.constant(np.arange(99)) * ag.Tensor(2.0)),
    "a number with axes": lambda: ag.Tensor([[3.0]], name="a") * ag.Tensor([2.0], name="b"),
    "axes": lambda: np.sum(np.mean(ag.Tensor(np.ones((3, 4)), name="A"), axis=1) * 3.0),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_results_have_a_page(name):
    with np.errstate(all="ignore"):
        result = ODD[name]()
    text = page(result)
    whole, *others = data(text)["sheets"]
    assert len(panels(text)) == len(whole["cards"])
    assert bool(others) == (len(whole["cards"]) > module.OVERVIEW)


def test_of_a_large_array_the_first_rows_stand_in_the_page(monkeypatch):
    monkeypatch.setattr(panel, "WHOLE", 100)
    X = np.arange(60.0 * 50).reshape(60, 50)
    shown = panels(page(np.sum(ag.Tensor(X, name="X") * 1.0)))
    [node] = [n for n in shown.values() if n.name == "X"]
    assert any("the first 40 rows and 40 columns are shown" in text for text in node.texts)
    assert node.numbers["value"] == [written(row) for row in X[:40, :40]]


def test_a_page_of_many_nodes_has_fewer_numbers():
    h = ag.constant(np.random.default_rng(0).normal(size=(20, 10)), name="X")
    for k in range(150):
        h = np.tanh(h @ ag.Tensor(np.eye(10), name=f"W{k}"))
    text = page(np.mean(h * h))
    assert len(data(text)["nodes"]) > 450
    assert len(text.encode()) < 1_500_000
    whole, [part] = panels(text), [n for n in panels(text).values() if n.name == "W149"]
    assert len(whole[0].numbers["value"]) == 20
    assert any("the first 3 rows and 3 columns are shown" in text for text in part.texts)
    assert part.numbers["value"] == [["1", "0", "0"], ["0", "1", "0"], ["0", "0", "1"]]


def test_a_heat_map_is_blue_white_and_red():
    pictures = []

    def kept(pixels):
        pictures.append(pixels)
        return b""

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(panel, "_png", kept)
        panel._heat(np.array([[-2.0, 0.0, 2.0], [np.nan, np.inf, -1.0]]))
    [pixels] = pictures
    assert pixels.shape == (2, 3, 3)
    assert pixels[0].tolist() == panel.SCALE[[0, 2, 4]].tolist()
    assert pixels[1].tolist() == [[0, 0, 0], [0, 0, 0], panel.SCALE[1].tolist()]


def test_a_heat_map_is_a_picture_of_its_numbers():
    pixels = np.arange(4 * 5 * 3, dtype=np.uint8).reshape(4, 5, 3)
    image = pytest.importorskip("matplotlib.image")
    read = image.imread(io.BytesIO(panel._png(pixels)))
    assert np.array_equal((read * 255).round().astype(np.uint8)[..., :3], pixels)


def test_what_training_changes_afterwards_is_not_shown():
    needs_graphviz()
    w = ag.Tensor([1.0, 2.0], name="w")
    drawing = draw(np.sum(w * w))
    before = drawing.source
    w.data = np.array([5.0, 6.0])
    text = drawing.html()
    [node] = [n for n in panels(text).values() if n.name == "w"]
    assert node.numbers["value"] == [["1", "2"]]
    assert drawing.source == before


def test_the_derivation_of_a_gradient_is_mathml():
    pytest.importorskip("sympy")
    formulas = panels(page(student()))[5].derivation
    assert "<mo>∂</mo><mi>L</mi>" in formulas[0]
    for formula in formulas:
        assert ElementTree.fromstring(f"<div>{formula}</div>").find("math") is not None


def test_without_sympy_there_is_a_page_without_derivations(monkeypatch):
    monkeypatch.setitem(sys.modules, "sympy", None)
    assert not any(node.derivation for node in panels(page(student())).values())


def test_a_page_without_gradients():
    text = page(student(), gradients=False)
    assert not any("gradient" in node.numbers for node in panels(text).values())
    assert {backward for _, backward in data(text)["sheets"][0]["steps"]} == {0}


def test_depth_says_which_frames_are_open_at_first():
    for depth, shut in ((None, []), (0, ["encoder", "decoder"]), (1, ["block 1", "block 2"])):
        [sheet] = data(page(layers(), depth=depth))["sheets"]
        titles = {sheet["frames"][k]["title"] for k in sheet["folded"]}
        assert set(shut) <= titles
        assert bool(titles) == bool(shut)


def test_folds_open_in_sheets_of_their_own(monkeypatch):
    h = ag.Tensor(np.eye(2), name="h")
    for k in range(30):
        with ag.scope(f"layer {k}"):
            for _ in range(4):
                h = ag.relu(h @ ag.Tensor(np.eye(2) + 0.1) + 0.1)
    result = np.mean(h).named("L")
    text = page(result)
    sheets = data(text)["sheets"]
    first, others, *_ = sheets[0]["cards"]
    assert (first["title"], first["contents"]) == ("layer 0", "12 operations, 5 parameters")
    assert others["title"] == "layer 1 … layer 29  (29 ×)"
    assert len(sheets) > 2
    opened = [
        (card["opens"], k)
        for k, sheet in enumerate(sheets)
        for card in sheet["cards"]
        if card.get("opens") is not None
    ]
    assert opened == [(j, sheet["up"]) for j, sheet in enumerate(sheets) if j]
    monkeypatch.setattr(module, "SHEETS", 2)
    assert len(data(page(result))["sheets"]) == 2


def test_save_writes_the_page(tmp_path):
    text = page(student())
    assert draw(student()).save(tmp_path / "graph.html").read_text(encoding="utf-8") == text
    assert [path.name for path in tmp_path.iterdir()] == ["graph.html"]
