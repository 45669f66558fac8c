"""The page: what stands in the file, that its numbers are the engine's, that it fetches nothing."""

import base64
import hashlib
import html
import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.models.examples import perceptron, student
from autograd_lite.sweep import gradients
from autograd_lite.text import number, printable
from autograd_lite.viz import draw, rendering
from autograd_lite.viz import page as module
from autograd_lite.viz.layout import Scene
from autograd_lite.viz.words import Words

HOSTILE = [
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\"'><img src=x onerror=alert(1)>",
    "$data ${title} \\u003c",
    "&lt;b&gt; & 🎉👩‍🔬",
    "]]> \u2028 \u202e",
]
NAMES = st.sampled_from(HOSTILE) | st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SCALARS = st.lists(
    st.tuples(st.sampled_from("+×−÷σ"), st.integers(0, 30), st.integers(0, 30)),
    min_size=1,
    max_size=12,
)


def page(result, depth=None):
    """The page of a result, or a skipped test where nothing can draw."""
    try:
        return draw(result, depth=depth).html()
    except RuntimeError as error:
        if str(error).startswith("no Graphviz"):
            pytest.skip(str(error))
        raise


def data(text):
    """What the page's script reads."""
    return json.loads(re.search(r'<script id="data"[^>]*>(.*?)</script>', text, re.DOTALL)[1])


def decoded(array):
    """The numbers of an array of the page."""
    if "list" in array:
        return np.array([float(x) for x in array["list"]])
    kind = "<f4" if array["bytes"] == 4 else "<f8"
    return np.frombuffer(base64.b64decode(array["base64"]), kind)


def fan_out():
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


def scalars(steps):
    """A graph of numbers whose operands the steps choose."""
    nodes = [ag.Tensor(0.7, name="a"), ag.Tensor(-1.3, name="b"), ag.Tensor(0.2)]
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
    told = data(page(result))["nodes"]
    assert told
    for k, node in told.items():
        tensor = graph.nodes[int(k)]
        assert np.array_equal(decoded(node["value"]), np.ravel(tensor.array))
        if tensor.requires_grad:
            assert np.array_equal(decoded(node["grad"]), np.ravel(found.of[tensor]))
        else:
            assert "grad" not in node


@given(SCALARS)
@settings(max_examples=40)
def test_a_step_multiplies_by_the_local_derivative_and_adds(steps):
    result = scalars(steps).named("L")
    scene = Scene(ag.Graph.of(result), gradients(result))
    words, parts, of = Words(scene), scene.gradients.parts, scene.gradients.of
    for (consumer, k), part in parts.items():
        slope = words.slope(consumer, k)
        assert slope.startswith("× ")
        assert np.isclose(of[consumer] * words._slope(consumer, k), part)
        assert slope == f"× {number(words._slope(consumer, k))}"
    for node in scene.graph.nodes:
        if node.requires_grad and node is not result:
            text = words.backward(node)
            assert text.startswith(f"{words.of(node)} = ")
            assert text.endswith(f"= {number(of[node])}")


@pytest.mark.parametrize(
    ("make", "name", "forward", "backward"),
    [
        (student, "z", "z = w·x + b = −0.7 + 0 = −0.7", "∂L/∂z = −3.0138 × 0.2217 = −0.6682"),
        (student, "ŷ", "ŷ = σ(z) = σ(−0.7) = 0.3318", "∂L/∂ŷ = 1 × −3.0138 = −3.0138"),
        (student, "w", None, "∂L/∂w = −0.6682 × (3, 5) = (−2.0046, −3.3409)"),
        (student, "L", "L = BCE(ŷ, y) = BCE(0.3318, 1) = 1.1032", "∂L/∂L = 1"),
        (fan_out, "b", None, "∂e/∂b = 2 × 1 + 3 × 1 = 2 + 3 = 5"),
        (fan_out, "b + 1", "b + 1 = 1 + 1 = 2", "∂e/∂(b + 1) = 1 × 3 = 3"),
        (perceptron, "h⁽¹⁾", "ReLU", "∂L/∂h⁽¹⁾ = −0.2611 × (0.7, −0.5) = (−0.1828, 0.1306)"),
        (perceptron, "W⁽¹⁾", None, "(∂L/∂W⁽¹⁾ᵀ)ᵀ"),
        (batch, "W", None, "(∂L/∂Wᵀ)ᵀ"),
        (batch, "Wᵀ", "Wᵀ = (6, 4) numbers, 0.1 … 0.1", "Xᵀ · ∂L/∂XWᵀ"),
        (batch, "v", None, "∂L/∂v = Σ("),
    ],
)
def test_a_step_in_words(make, name, forward, backward):
    [node] = [n for n in data(page(make()))["nodes"].values() if n["name"] == name]
    if forward is not None:
        assert forward in node["forward"]
    assert backward in node["backward"]


@pytest.mark.parametrize("make", [student, perceptron, fan_out, layers, batch])
def test_the_steps_go_forward_and_then_back(make):
    told = data(page(make()))
    [sheet] = told["sheets"]
    done = [set(), set()]
    kinds = [backward for _, backward in sheet["steps"]]
    assert kinds == sorted(kinds)
    users = {k: set() for k in range(len(sheet["cards"]))}
    for edge in sheet["edges"]:
        users[edge["tail"]].add(edge["head"])
    acting = {
        k for k, card in enumerate(sheet["cards"]) if "op" in told["nodes"][str(card["node"])]
    }
    for k, backward in sheet["steps"]:
        if backward:
            graded = {
                u for u in users[k] if "grad" in told["nodes"][str(sheet["cards"][u]["node"])]
            }
            assert graded <= done[1]
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
    ids = [attrs["id"] for _, attrs in Elements(text).found if "id" in attrs]
    assert len(ids) == len(set(ids))
    for sheet in data(text)["sheets"]:
        wanted = {part["id"] for kind in ("cards", "edges", "frames") for part in sheet[kind]}
        assert wanted <= set(ids)
    for svg in re.findall(r"<svg.*?</svg>", text, re.DOTALL):
        ElementTree.fromstring(svg.replace("&nbsp;", "&#160;").replace("xlink:", ""))


def test_nothing_is_fetched_and_nothing_else_runs():
    text = page(perceptron())
    outside = re.sub(r"http://www\.w3\.org/[\w/.]*", "", text)
    assert "http:" not in outside
    assert "https:" not in outside
    assert "url(" not in text
    assert "@import" not in text
    for tag, attrs in Elements(text).found:
        assert "src" not in attrs, tag
        assert attrs.get("href", "data:,") == "data:,", tag
        assert not [name for name in attrs if name.startswith("on")], tag
        assert "style" not in attrs, "the policy would drop it"
    [policy] = [a["content"] for t, a in Elements(text).found if "content" in a and t == "meta"][:1]
    for tag, rule in (("style", "style-src"), (r"script", "script-src")):
        inside = re.search(rf"<{tag}>(.*?)</{tag}>", text, re.DOTALL)[1]
        digest = base64.b64encode(hashlib.sha256(inside.encode()).digest()).decode()
        assert f"{rule} 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy


def test_the_code_of_a_page_is_small():
    text = page(fan_out())
    assert len(re.search(r"<script>(.*?)</script>", text, re.DOTALL)[1].encode()) < 30_000
    assert len(re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1].encode()) < 10_000


@given(NAMES, NAMES, NAMES)
@settings(max_examples=12)
def test_any_name_stands_in_the_page_and_breaks_nothing(leaf, result, scope):
    with ag.scope(scope):
        t = np.tanh(ag.Tensor(2.0, name=leaf)).named(result)
    text = page((t * 2.0).named(result))
    plain = Elements(page((np.tanh(ag.Tensor(2.0)) * 2.0).named("L"))).found
    tags = [tag for tag, _ in Elements(text).found]
    assert tags.count("script") == 2
    assert set(tags) <= {tag for tag, _ in plain} | {"b", "p", "li"}
    names = {node["name"] for node in data(text)["nodes"].values()}
    for name in filter(printable, (leaf, result)):
        assert printable(name, 40) in names
    title = re.search(r"<title>(.*?)</title>", text, re.DOTALL)[1]
    assert html.unescape(title) == printable(result, 60) or title == "graph"


def test_the_same_graph_gives_the_same_bytes():
    assert page(perceptron()) == page(perceptron())


def test_numbers_that_json_lacks():
    with np.errstate(all="ignore"):
        told = data(page(np.sum(ag.Tensor([np.inf, -np.inf, np.nan, 1.0], name="t"))))
    [node] = [n for n in told["nodes"].values() if n["name"] == "t"]
    assert node["value"]["list"] == ["Infinity", "-Infinity", "NaN", 1.0]
    assert [mark["text"] for mark in node["marks"]] == ["not finite"]


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
    told = data(page(result))
    for node in told["nodes"].values():
        for kind in ("value", "grad"):
            if kind in node and "columns" in node[kind]:
                assert decoded(node[kind]).size > 0
    assert len(told["sheets"]) == 1


def test_of_a_large_array_the_first_rows_stand_in_the_page(monkeypatch):
    monkeypatch.setattr(module, "WHOLE", 100)
    X = np.arange(60.0 * 50).reshape(60, 50)
    told = data(page(np.sum(ag.Tensor(X, name="X") * 1.0)))
    [node] = [n for n in told["nodes"].values() if n["name"] == "X"]
    assert "the first 40 rows and 40 columns are shown" in node["value"]["says"]
    assert np.array_equal(decoded(node["value"]).reshape(40, 40), X[:40, :40])


def test_what_training_changes_afterwards_is_not_shown():
    w = ag.Tensor([1.0, 2.0], name="w")
    drawing = draw(np.sum(w * w))
    before = drawing.source
    w.data = np.array([5.0, 6.0])
    try:
        text = drawing.html()
    except RuntimeError as error:
        pytest.skip(str(error))
    [node] = [n for n in data(text)["nodes"].values() if n["name"] == "w"]
    assert node["value"]["list"] == [1.0, 2.0]
    assert drawing.source == before


def test_the_derivation_of_a_gradient_is_mathml():
    pytest.importorskip("sympy")
    [node] = [n for n in data(page(student()))["nodes"].values() if n["name"] == "z"]
    assert "∂L" in node["derivation"][0]
    for formula in node["derivation"]:
        assert ElementTree.fromstring(formula).tag == "math"


def test_without_sympy_there_is_a_page_without_derivations(monkeypatch):
    monkeypatch.setitem(sys.modules, "sympy", None)
    assert not any("derivation" in n for n in data(page(student()))["nodes"].values())


def test_a_page_without_gradients():
    try:
        text = draw(student(), gradients=False).html()
    except RuntimeError as error:
        pytest.skip(str(error))
    told = data(text)
    assert not any("grad" in node for node in told["nodes"].values())
    assert {backward for _, backward in told["sheets"][0]["steps"]} == {0}


def test_depth_says_which_frames_are_open_at_first():
    for depth, shut in ((None, []), (0, ["encoder", "decoder"]), (1, ["block 1", "block 2"])):
        [sheet] = data(page(layers(), depth))["sheets"]
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
    sheets = data(page(result))["sheets"]
    assert sheets[0]["cards"][0]["title"] == "layer 0"
    assert sheets[0]["cards"][1]["title"] == "layer 1 … layer 29  (29 ×)"
    for k, sheet in enumerate(sheets):
        for card in sheet["cards"]:
            if "opens" in card:
                assert sheets[card["opens"]]["up"] == k
                assert sheets[card["opens"]]["title"] == card["title"]
    monkeypatch.setattr(module, "SHEETS", 2)
    assert len(data(page(result))["sheets"]) == 2


def test_save_writes_the_page(tmp_path):
    text = page(student())
    assert draw(student()).save(tmp_path / "graph.html").read_text(encoding="utf-8") == text
    assert [path.name for path in tmp_path.iterdir()] == ["graph.html"]


SCRIPT = Path(module.__file__).with_name("page.js")
NODE = shutil.which("node")


def in_node(code, *arguments):
    """What a line of JavaScript says of the functions of the page."""
    if NODE is None:
        pytest.skip("no node to run JavaScript with")
    start = f"const {{ number, decode, reach, squeeze }} = require({json.dumps(str(SCRIPT))});"
    ran = subprocess.run(
        [NODE, "-e", f"{start} console.log(JSON.stringify({code}))", *map(json.dumps, arguments)],
        capture_output=True, text=True, check=True, encoding="utf-8", timeout=60,
    )  # fmt: skip
    return json.loads(ran.stdout)


def test_the_script_writes_numbers_as_python_does():
    exact = [
        0.0,
        1.0,
        -3.0138,
        0.2217,
        1e-3,
        9999.5,
        1e4,
        0.5,
        -12.25,
        1.2e-7,
        6.02e23,
        1 / 3,
        1e300,
    ]
    random = np.random.default_rng(0).normal(size=200) * 10.0 ** np.arange(-100, 100)
    values = [*exact, *random.tolist()]
    text = "JSON.parse(process.argv[1]).map(Number).map(number)"
    assert in_node(text, [*values, "NaN", "Infinity", "-Infinity"]) == [
        *map(number, values), "NaN", "∞", "−∞"
    ]  # fmt: skip


def test_the_script_reads_arrays_as_they_were():
    for array in (np.linspace(-1, 1, 100), np.float32([0.1] * 70), np.array([np.inf, 2.0])):
        scene = Scene(ag.Graph.of(ag.constant(array)), None)
        told = module._Page(scene)._array(array)
        read = in_node("[...decode(JSON.parse(process.argv[1]))].map(String)", told)
        assert np.array_equal([float(x.replace("Infinity", "inf")) for x in read], array)


def test_the_script_squeezes_folds_and_keeps_order():
    code = "[0, 10, 50, 90, 100, 130].map(squeeze([[10, 90, 0.5]], [[0, 8], [100, 130]]))"
    assert in_node(code) == [0, 10, 30, 50, 60, 90]
    code = "[10, 40, 60, 90].map(squeeze([[10, 90, 0.1]], [[40, 60]]))"
    assert in_node(code) == [10, 36, 56, 82]
    assert in_node("[...reach(1, [[0, 1], [1, 2], [2, 3], [4, 2]])].sort()") == [1, 2, 3]
