"""The page in headless Chromium: stepping, looking, folding, and what its cards show."""

import numpy as np
import pytest
from pages import batch, caption, data, fan_out, layers, neurons, page, shown

import autograd_lite as ag
from autograd_lite.explanation.sentences import text_of
from autograd_lite.models.examples import perceptron, student
from autograd_lite.sweep import gradients
from autograd_lite.text import number, printable


def texts(tab, card, color):
    """The numbers that a card shows in a colour."""
    return tab.evaluate(
        "([id, color]) => [...document.querySelectorAll(`#${id} > text[fill='var(--${color})']`)]"
        ".filter((t) => getComputedStyle(t).visibility === 'visible')"
        ".map((t) => t.textContent.trim())",
        [card, color],
    )


STATE = """() => [document.querySelector("header").innerText,
  ...[...document.querySelectorAll("svg, svg *")].map((g) => [g.id, [...g.classList].sort(),
    ...["d", "points", "x", "y", "transform", "viewBox", "hidden"]
    .map((x) => g.getAttribute(x))])]"""
"""All that a step or a fold changes."""

# Steps


@pytest.mark.parametrize("make", [student, perceptron, fan_out, layers])
def test_each_step_shows_the_numbers_of_the_engine(visit, make):
    result = make()
    found, nodes = gradients(result).of, ag.Graph.of(result).nodes
    tab = visit(result)
    tab.keyboard.press("Home")
    graded = 0
    operations = sum(node.op is not None for node in nodes)
    steps = operations + sum(node.requires_grad for node in nodes)
    assert caption(tab)[0] == f"0/{steps}"
    for k in range(1, steps + 1):
        tab.keyboard.press("ArrowRight")
        count, says = caption(tab)
        [card] = shown(tab, ".node.now")
        node = nodes[int(card.partition("n")[2])]
        backward = k > operations
        expected = found[node] if backward else node.array
        assert count == f"{k}/{steps}"
        assert says.startswith("backward: ∂" if backward else "forward: ")
        assert says.endswith(f" {text_of(expected)}")
        for color, array in (("value", node.array), ("grad", found[node]))[: 1 + backward]:
            numbers = [text for text in texts(tab, card, color) if text not in ("value", "grad")]
            assert numbers == [number(x) for x in np.ravel(array)]
        assert backward or not any(texts(tab, c, "grad") for c in shown(tab, ".node"))
        graded += backward
    assert graded == sum(node.requires_grad for node in nodes)
    assert tab.locator("#step").is_disabled()


def test_back_from_the_end_undoes_every_step(visit):
    tab = visit(fan_out())
    tab.keyboard.press("Home")
    states = [tab.evaluate(STATE)]
    for _ in range(8):
        tab.locator("#step").click()
        states.append(tab.evaluate(STATE))
    assert caption(tab) == ("8/8", "backward: ∂e/∂a = 2 × 1 = 2")
    assert len({str(known) for known in states}) == len(states)
    for known in reversed(states[:-1]):
        tab.locator("#back").click()
        assert tab.evaluate(STATE) == known
    assert tab.locator("#back").is_disabled()
    tab.locator("#all").click()
    assert caption(tab) == ("8 steps", "every value and gradient; step ▸ begins at the data")


def test_contributions_stand_on_the_arrows_and_add_up(visit):
    tab = visit(fan_out(), "#step=7")
    assert caption(tab)[1] == "backward: ∂e/∂b = 2 × 1 + 3 × 1 = 2 + 3 = 5"
    assert tab.locator(".edge.now text").all_text_contents() == ["× 1", "← 2", "× 1", "← 3"]


def test_a_step_has_an_address(visit):
    tab = visit(student(), "#step=7&theme=dark")
    assert caption(tab) == ("7/10", "backward: ∂L/∂z = −3.0138 × 0.2217 = −0.6682")
    assert shown(tab, ".node.now") == ["s0-n5"]
    assert tab.evaluate("document.documentElement.dataset.theme") == "dark"
    tab.keyboard.press("ArrowLeft")
    assert tab.evaluate("location.hash") == "#step=6"


# Looking


def test_hovering_shows_what_made_a_card_and_what_it_feeds(visit):
    result = perceptron()
    [sheet] = data(page(result))["sheets"]
    tab = visit(result)
    edges, names = sheet["edges"], [card["id"] for card in sheet["cards"]]
    [number] = [k for k, node in enumerate(ag.Graph.of(result).nodes) if node.name == "a⁽¹⁾"]
    at = f"s0-n{number}"

    def reached(start, ends):
        seen, waiting = {start}, [start]
        for card in waiting:
            new = {end for begin, end in ends if begin == card} - seen
            seen |= new
            waiting.extend(new)
        return seen

    pairs = [(names[edge["tail"]], names[edge["head"]]) for edge in edges]
    feeds, made = reached(at, pairs), reached(at, [pair[::-1] for pair in pairs])
    assert (len(feeds), len(made), len(names)) == (6, 6, 14)
    tab.locator(f"#{at}").hover()
    assert set(shown(tab, ".node.seen")) == feeds | made
    for kind, inside in (("from", made), ("feeds", feeds)):
        ends = {edge["id"] for edge, pair in zip(edges, pairs, strict=True) if {*pair} <= inside}
        assert set(shown(tab, f".edge.{kind}")) == ends
    faded = "(g) => getComputedStyle(g).opacity"
    for name in names:
        expected = "1" if name in feeds | made else "0.25"
        assert tab.locator(f"#{name}").evaluate(faded) == expected
    tab.locator("#caption").hover()
    assert shown(tab, "svg.looking, svg :is(.seen, .from, .feeds)") == []


def test_what_the_script_reckons_with(visit):
    tab = visit(fan_out())
    for code, expected in {
        "[...reach([1], [[0, 1], [1, 2], [2, 3], [4, 2]])]": [1, 2, 3],
        "[0, 10, 50, 90, 100, 130].map(squeeze([[10, 90, 0.5]], [[0, 8], [100, 130]]))": [
            *(0, 10, 30, 50, 60, 90)
        ],
        "[10, 40, 60, 90].map(squeeze([[10, 90, 0.1]], [[40, 60]]))": [10, 36, 56, 82],
        "[-5, 0, 7].map(squeeze([], []))": [-5, 0, 7],
    }.items():
        assert tab.evaluate(code) == expected


# Folding


def test_frames_fold_and_unfold_in_place(visit):
    tab = visit(layers())
    wide = "() => document.querySelector('svg').getBBox().width"
    before, width, cards = tab.evaluate(STATE), tab.evaluate(wide), shown(tab, ".node")
    tab.locator("#s0-c0 > text").click()
    assert tab.evaluate(wide) < width
    assert "s0-c0-folded" in shown(tab, ".node")
    assert len(shown(tab, ".node")) == len(cards) - 4
    assert "encoder" in tab.locator("#s0-c0-folded").text_content()
    assert caption(tab)[0] == "7 steps"
    tab.keyboard.press("ArrowRight")
    assert caption(tab) == ("1/7", "forward: encoder, 5 operations")
    for _ in range(5):
        tab.keyboard.press("ArrowRight")
    assert caption(tab)[1] == "backward: the gradient passes through encoder"
    tab.keyboard.press("a")
    tab.locator("#s0-c0-folded").click()
    tab.locator("#caption").hover()
    assert tab.evaluate(STATE) == before


def test_depth_folds_frames_at_first(visit):
    tab = visit(layers(), options={"depth": 1})
    folded = [id for id in shown(tab, ".node") if id.endswith("-folded")]
    titles = [tab.locator(f"#{id} text").first.text_content() for id in folded]
    assert titles == ["▸ block 1", "▸ block 2"]
    boxes = [tab.locator(f"#{id}").bounding_box() for id in shown(tab, ".node")]
    for k, a in enumerate(boxes):
        for b in boxes[:k]:
            apart = (
                a["x"] + a["width"] <= b["x"]
                or b["x"] + b["width"] <= a["x"]
                or a["y"] + a["height"] <= b["y"]
                or b["y"] + b["height"] <= a["y"]
            )
            assert apart, (a, b)


def test_folds_lead_to_their_inside_and_back(visit):
    tab = visit(neurons(scopes=True))
    tab.get_by_role("button", name="neuron 1 … neuron 16 (16 ×)").first.click()
    assert shown(tab, ".sheet") == ["s1"]
    assert tab.locator("#s1 nav").inner_text().startswith("the whole graph › neuron 1 … neuron 16")
    assert "sheet=1" in tab.evaluate("location.hash")
    tab.keyboard.press("Escape")
    assert shown(tab, ".sheet") == ["s0"]
    tab.get_by_role("button", name="neuron 1 … neuron 16 (16 ×)").first.focus()
    tab.keyboard.press("Enter")
    tab.get_by_role("button", name="the whole graph").click()
    assert shown(tab, ".sheet") == ["s0"]


# Cards


def test_a_derivation_is_mathematics(visit):
    pytest.importorskip("sympy")
    tab = visit(student(), "#node=5")
    formulas = tab.locator("#details math")
    assert formulas.count() >= 1
    assert formulas.first.evaluate("(m) => m.namespaceURI").endswith("MathML")
    assert formulas.first.bounding_box()["height"] > 20
    assert tab.locator("#details math mfrac").count() >= 1


def test_a_matrix_is_a_heat_map_with_its_numbers(visit):
    tab = visit(batch())
    tab.get_by_role("button", name="X, input").click()
    image = tab.get_by_role("img", name="heat map of the value")
    image.evaluate("(image) => image.decode()")
    assert image.evaluate("(image) => [image.naturalWidth, image.naturalHeight]") == [6, 120]
    box = image.bounding_box()
    tab.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.5)
    X = np.linspace(-2.0, 2.0, 120 * 6).reshape(120, 6)
    assert tab.locator(".readout").first.inner_text() == f"[60, 4] = {number(X[60, 4])}"
    assert not tab.get_by_role("region", name="numbers of the value").is_visible()
    tab.locator("#details summary").first.click()
    region = tab.get_by_role("region", name="numbers of the value")
    assert region.inner_text().split() == [number(x) for x in X.ravel()]
    tab.get_by_role("button", name="close").click()
    assert not tab.locator("#panel").is_visible()


@pytest.mark.parametrize(
    "name", ["</script><img src=x onerror=document.title='no'>", "\"'`${1} &amp;", "🎉👩‍🔬 \u202e"]
)
def test_any_name_is_text(visit, name):
    with ag.scope(name):
        t = np.tanh(ag.Tensor([0.5, 1.0], name=name)).named("t")
    tab = visit(np.sum(t).named(name), "#node=0")
    plain = printable(name, 40)
    assert tab.locator("#details h2").text_content() == plain
    assert tab.locator("#s0-n0 text").first.text_content() == plain
    assert tab.locator("#s0-c0 text").text_content() == f"▾ {printable(name, 78)}"
    assert tab.locator("img").count() == 0
    assert tab.title() == printable(name, 60)
    tab.locator("#s0-c0 > text").click()
    tab.keyboard.press("ArrowRight")
    assert caption(tab)[1] == f"forward: {printable(name, 80)}, 1 operation, 1 parameter"
