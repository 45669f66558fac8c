"""Walkthroughs as files, of long graphs and of hostile ones, and what they refuse."""

import base64
import gc
import hashlib
import html
import json
import re
import weakref
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import neurons

import autograd_lite as ag
from autograd_lite.explanation import pages as module
from autograd_lite.explanation import writer
from autograd_lite.models.examples import perceptron, student

HOSTILE = [
    "</style></script><script>alert(1)</script>",
    "\"'><img src=x onerror=alert(1)>",
    "```\n# heading",
    "$x$ *bold* [a](b) | c",
    "{{ $title }}",
    "\u202e\x00\ud800",
]
NAMES = st.sampled_from(HOSTILE) | st.text(max_size=12)


class Tags(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.open, self.found, self.text = [], [], ""
        self.feed(text)
        self.close()
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += f"{data} "


def deep(layers=12, units=16):
    rng = np.random.default_rng(0)
    h = ag.constant(rng.normal(size=(50, units)), name="X")
    for k in range(1, layers + 1):
        with ag.scope(f"layer {k}"):
            W = ag.Tensor(rng.normal(size=(units, units)) / 4, name=f"W{k}")
            b = ag.Tensor(np.zeros(units), name=f"b{k}")
            h = np.tanh((h @ W.T).named(f"z{k}") + b).named(f"h{k}")
    return np.mean(h * h).named("L")


@given(NAMES, NAMES, NAMES)
@settings(max_examples=40, deadline=None)
def test_names_are_only_text(name, other, scope):
    x, y = ag.Tensor([[1.0, 2.0]], name=name), ag.constant([3.0, -1.0], name=other)
    with ag.scope(scope):
        loss = np.sum((x @ y).named(other)).named(name)
    walk = ag.walkthrough(loss, 0.1)
    tags = Tags(walk.html())
    kinds = {tag for tag, _ in tags.found}
    assert not kinds & {"script", "img", "a"}
    for _, attrs in tags.found:
        assert not [key for key in attrs if key.startswith("on") or key in ("src", "style")]
        assert attrs.get("href", "data:,") == "data:,"
    json.loads(walk.notebook())
    assert "\x00" not in str(walk)
    # Every equation of the Markdown is inside a fence, which no name can close.
    fence = None
    for line in walk.markdown().splitlines():
        if fence is None:
            if found := re.match(r"(`{3,})text$", line):
                fence = found[1]
            assert " = " not in line or line.startswith(("#", "learning rate"))
        elif line == fence:
            fence = None
    assert fence is None


def test_the_page_fetches_nothing():
    text = ag.walkthrough(perceptron(), 0.1).html()
    assert "url(" not in text
    assert "@import" not in text
    assert not re.search("https?:", text.replace("http://www.w3.org/1998/Math/MathML", ""))
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"default-src 'none'; img-src data:; style-src 'sha256-{digest}'" in html.unescape(text)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_in_a_browser(browser, tmp_path, scheme):
    path = ag.walkthrough(perceptron(), 0.1).save(tmp_path / "walk.html")
    tab = browser.new_page(color_scheme=scheme, viewport={"width": 800, "height": 600})
    complaints, requests = [], []
    tab.on("console", lambda message: complaints.append(message.text))
    tab.on("request", lambda request: requests.append(request.url))
    tab.goto(path.as_uri())
    assert complaints == []
    assert [url for url in requests if not url.startswith("data:")] == [path.as_uri()]
    style = "e => getComputedStyle(e).backgroundColor"
    paper = tab.eval_on_selector("body", style)
    assert paper == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(19, 20, 23)")
    # A matrix is laid out in rows and columns, and the page is not wider than its window.
    boxes = "e => [...e.querySelectorAll('td')].map(c => [c.offsetLeft, c.offsetTop])"
    (a, b), (c, d), (e, f), (g, h) = tab.eval_on_selector("table.matrix:has(tr + tr)", boxes)
    assert a == e < c == g
    assert b == d < f == h
    assert tab.evaluate("document.documentElement.scrollWidth") <= 800
    tab.close()


def test_each_format_has_the_same_numbers(tmp_path):
    walk = ag.walkthrough(perceptron(), 0.1)
    text = str(walk)
    assert text == walk.text()
    assert walk.save(tmp_path / "walk.txt").read_text(encoding="utf-8") == text
    assert walk.save(tmp_path / "walk.md").read_text(encoding="utf-8") == walk.markdown()
    assert walk.save(tmp_path / "walk.html").read_text(encoding="utf-8") == walk.html()
    content = json.loads(walk.save(tmp_path / "walk.ipynb").read_text(encoding="utf-8"))
    cells = "\n\n".join("".join(cell["source"]) for cell in content["cells"]) + "\n"
    assert cells == walk.markdown()
    fenced = re.sub(r"^```.*\n", "", walk.markdown(), flags=re.MULTILINE)
    numbers = r"−?\d+\.\d+"
    assert re.findall(numbers, fenced) == re.findall(numbers, text)
    page = Tags(re.sub(r"<(style|math).*?</\1>", "", walk.html(), flags=re.DOTALL)).text
    forms = re.sub(r"^.*\(closed form\)$", "", text, flags=re.MULTILINE)
    assert sorted(re.findall(numbers, page)) == sorted(re.findall(numbers, forms))


def test_a_notebook_opens():
    nbformat = pytest.importorskip("nbformat")
    nbformat.validate(nbformat.reads(ag.walkthrough(student(), 0.1).notebook(), as_version=4))


def test_a_notebook_displays_it():
    walk = ag.walkthrough(student())
    assert walk._repr_html_().startswith("<style>")
    assert Tags(walk._repr_html_())
    assert walk._repr_markdown_() == walk.markdown()
    assert repr(walk) == "<Walkthrough of L (); print it, or save('walk.html')>"


def test_a_failed_save_loses_nothing(tmp_path, monkeypatch):
    path = tmp_path / "walk.html"
    path.write_text("old")
    walk = ag.walkthrough(student())

    def broken(items):
        raise MemoryError

    monkeypatch.setattr(module, "html", broken)
    with pytest.raises(MemoryError):
        walk.save(path)
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["walk.html"]
    with pytest.raises(ValueError, match=r"walk\.pdf must end in \.txt, \.md, \.html or \.ipynb"):
        walk.save(tmp_path / "walk.pdf")
    with pytest.raises(FileNotFoundError, match="no folder"):
        ag.walkthrough(student()).save(tmp_path / "missing" / "walk.txt")


def test_equal_layers_are_shown_once():
    text = str(ag.walkthrough(deep(), 0.1))
    assert text.count("layer 1 … layer 12  (12 ×)") == 2
    assert "48 operations, 24 parameters." in text
    for name in ("z1", "h1"):
        assert text.count(f"\n{name} = ") == 1
        assert text.count(f"\n∂L/∂{name} = ") == 1
    assert "\n∂L/∂W1 = (∂L/∂z1)ᵀ · X " in text
    assert "\nz2 = " not in text
    assert "… and those of 20 more parameters" in text
    assert "… and 12 more" in text


def test_ten_thousand_nodes_are_a_short_text():
    x = y = ag.Tensor(0.5, name="x")
    for _ in range(5_000):
        y = ag.sigmoid(y) * x
    text = str(ag.walkthrough(y.named("L"), 0.1))
    assert len(text.splitlines()) < 120
    assert "∂L/∂x = the sum of 5,001 parts " in text
    assert "after 625 operations" in text


def test_scopes_of_a_large_graph():
    text = str(ag.walkthrough(neurons(scopes=True)))
    assert "### layer 2 › neuron 1 … neuron 16  (16 ×)" in text
    assert len(text.splitlines()) < 250


@pytest.mark.parametrize("size", [7, 40])
def test_a_large_array_is_its_shape_and_range(size):
    x = ag.Tensor(np.linspace(-1, 2, size * size).reshape(size, size), name="x")
    text = str(ag.walkthrough(np.sum(x * x).named("L"), 0.1))
    assert f"x = ({size}, {size}) numbers, −1 … 2 " in text
    assert f"∂L/∂x = ({size}, {size}) numbers" not in text.partition("## 2")[0]
    assert f"= ({size}, {size}) numbers, −2 … 4" in text


@pytest.mark.parametrize(
    ("loss", "shown"),
    [
        (lambda x: np.log(x - x).named("L"), "L = log(x − x)"),
        (lambda x: (x / (x - x)).named("L"), "= ∞"),
        (lambda x: ((x - x) / (x - x)).named("L"), "= NaN"),
    ],
)
def test_what_is_not_finite_is_shown(loss, shown):
    with np.errstate(all="ignore"):
        text = str(ag.walkthrough(loss(ag.Tensor(2.0, name="x")), 0.1))
    assert shown in text
    assert "The step took L from" in text


def test_a_structural_zero_is_not_multiplied():
    x = ag.Tensor([0.0, 4.0], name="x")
    with np.errstate(all="ignore"):
        loss = np.sum(np.where(x.array > 0, np.sqrt(x), 0.0)).named("L")
        text = str(ag.walkthrough(loss))
    assert "0 × ∞" not in text
    block = text[text.index("∂L/∂x = ") :].partition("\n\n")[0]
    assert "      = (0, 0.25)" in block


def test_of_several_elements_the_sum_is_differentiated():
    x = ag.Tensor([1.0, 2.0], name="x")
    text = str(ag.walkthrough((x * x).named("y")))
    assert "∂(Σ y)/∂x = " in text
    assert "= (2, 4)" in text


def test_without_a_parameter_there_is_no_way_back():
    text = str(ag.walkthrough((ag.constant(2, name="a") + 3).named("L")))
    assert "# The value of L, step by step" in text
    assert "L = a + 3 " in text
    assert "L depends on no Tensor that requires a gradient" in text
    assert "## 2" not in text


def test_operations_of_users():
    @ag.custom_gradient(lambda g, out, x: 2 * x * g, elementwise=True, symbol="sq")
    def square_of_mine(x):
        return x * x

    x = ag.Tensor(3.0, name="x")
    text = str(ag.walkthrough(square_of_mine(x).named("L"), 0.5))
    assert "L = sq(x)" in text
    assert "∂L/∂x = 1 × 6" in text
    assert "The step took L from 9 to 0." in text


@pytest.mark.parametrize("loss", [2.0, np.ones(3), None, "L"])
def test_what_is_no_tensor(loss):
    with pytest.raises(TypeError, match=r"walkthrough takes a Tensor, not \w+"):
        ag.walkthrough(loss)


@pytest.mark.parametrize("rate", [0, -0.1, float("nan"), float("inf")])
def test_a_learning_rate_is_positive(rate):
    with pytest.raises(ValueError, match="walkthrough: learning_rate must be positive, not"):
        ag.walkthrough(student(), rate)


@pytest.mark.parametrize("rate", [True, "0.1", [0.1], 1j])
def test_a_learning_rate_is_a_number(rate):
    with pytest.raises(TypeError, match="walkthrough: learning_rate must be a number, not"):
        ag.walkthrough(student(), rate)


def test_what_cannot_be_updated():
    x = ag.Tensor([1.0, 2.0], name="x")
    with pytest.raises(ValueError, match=r"needs a scalar loss; got y \(2,\)"):
        ag.walkthrough((x * x).named("y"), 0.1)
    with pytest.raises(ValueError, match="nothing to update; leave out learning_rate"):
        ag.walkthrough(ag.constant(2.0) + 1, 0.1)


def test_data_that_changed_inside_a_graph():
    w = ag.Tensor(2.0, name="w")
    y = w * w
    w.data = np.float64(3.0)
    with pytest.raises(ag.ChangedError, match="walkthrough: the data of w"):
        ag.walkthrough(y * w)


def test_a_walkthrough_leaves_nothing_behind(monkeypatch):
    # The closed forms wait for the garbage collector, as every derivation does.
    monkeypatch.setattr(writer, "_closed_forms", lambda loss, equations: ({}, []))
    loss = perceptron()
    gone = weakref.ref(loss)
    gc.collect()
    gc.disable()
    try:
        str(ag.walkthrough(loss, 0.1))
        del loss
        assert gone() is None
    finally:
        gc.enable()
