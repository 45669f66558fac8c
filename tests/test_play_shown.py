"""What the page of `autograd-lite play` shows in headless Chromium, in every size and colour."""

import numpy as np
import pytest
from playing import choose, data, shaped, text, weights
from test_page_access import contrast

import autograd_lite as ag
from autograd_lite.data.reading import read_table
from autograd_lite.models import MLPClassifier
from autograd_lite.play.page import page
from autograd_lite.play.tables import generated, of_columns
from autograd_lite.text import number, printable
from autograd_lite.viz.cards import measures

pytest.importorskip("sympy")


def card(tab, name):
    """The numbers of a card, by their class."""
    return tab.evaluate(
        "(name) => [...document.querySelectorAll(`.card[data-name='${name}'] .numbers"
        " span:not(.label)`)].map((x) => [x.className.split(' ')[0], x.textContent])",
        name,
    )


# What is shown


def test_cards_show_values_and_gradients_after_each_step(play):
    tab, table = play(), data(text())["tables"][0]
    choose(tab, (2,), activation=0, rate="0.3")
    X, y = np.reshape(table["X"], (-1, 2)), np.array(table["y"], float)
    θ = {name: ag.Tensor(w) for name, w in shaped(weights(tab), (2,)).items()}
    for _ in range(3):
        for parameter in θ.values():
            parameter.grad = None
        model = MLPClassifier(2, activation="relu")
        L = model.loss(ag.constant(X), ag.constant(y), θ)
        L.backward()
        for name, parameter in θ.items():
            expected = [("value", x) for x in parameter.numpy().ravel()]
            expected += [("grad", x) for x in parameter.grad.ravel()]
            found = card(tab, name)
            assert found == [[kind, number(x)] for kind, x in expected], name
        assert card(tab, "L") == [["value", number(L.item())], ["grad", "1"]]
        a = X @ θ["W1"].numpy().T + θ["b1"].numpy()
        shown = [text for kind, text in card(tab, "a1") if kind == "value"]
        assert shown == [number(x) for x in measures(a)]
        for parameter in θ.values():
            parameter.data -= 0.3 * parameter.grad
        tab.keyboard.press("s")


def test_the_formula_of_what_has_the_focus_or_the_pointer(play):
    tab = play()
    formula, notes = tab.locator("#formula"), tab.locator("#notes")
    for name, count, said in (
        ("b1", 1, "𝟏 is a vector of ones"),
        ("a1", 2, "g = tanh, g′(a) = 1 − tanh(a)²"),
        ("z", 2, "m is the number of rows"),
        ("L", 5, "m is the number of rows"),
        ("y", 0, ""),
    ):
        tab.locator(f".card[data-name='{name}']").focus()
        assert formula.locator("math").count() == count
        assert said in notes.inner_text()
    assert notes.inner_text() == "y is data: it has no gradient here"
    tab.locator(".card[data-name='h1']").hover()
    assert formula.locator("math").count() == 2
    network, width = tab.locator("#network"), tab.evaluate("network.clientWidth")
    network.hover(position={"x": width / 2, "y": 20})
    assert tab.locator(".card.looked").get_attribute("data-name") == "h1"
    network.hover(position={"x": width * 0.75, "y": 20})
    assert tab.locator(".card.looked").get_attribute("data-name") == "w"
    choose(tab, ())
    assert tab.locator(".card.looked").get_attribute("data-name") == "w"
    assert tab.locator("#none").is_visible()


def test_dead_units_are_marked(play):
    tab = play()
    choose(tab, (4, 3), activation=0)
    tab.evaluate(
        "() => { const { run } = playground; run.weights.b1[2] = -1e3; run.weights.b1[3] = -1e3;"
        "run.compute(); playground.draw(); }"
    )
    said = tab.locator("#problems").inner_text()
    h = shaped(weights(tab), (4, 3))
    table = data(text())["tables"][0]
    a = np.reshape(table["X"], (-1, 2)) @ h["W1"].T + h["b1"]
    off = int((a <= 0).all(axis=0).sum())
    assert off >= 2
    assert f"⊘ h⁽¹⁾ dead: {off} of 4 units" in said
    mark = tab.locator(".card[data-name='h1'] .mark")
    assert mark.inner_text() == f"⊘ dead: {off} of 4 units"
    choose(tab, activation=1)
    assert "dead" not in tab.locator("#problems").inner_text()
    assert tab.locator(".card[data-name='h1'] .mark").count() == 0


def test_vanishing_gradients_are_marked(play):
    tab = play()
    choose(tab, (4, 4, 4, 4), activation=2)
    tab.evaluate(
        "() => { const { run } = playground;"
        "for (const k of [2, 3, 4]) run.weights[`W${k}`].fill(0.01);"
        "run.compute(); playground.draw(); }"
    )
    said = tab.locator("#problems").inner_text()
    assert "▽ W⁽¹⁾ vanishing" in said
    assert tab.locator(".card[data-name='W1'] .mark").inner_text().startswith("▽ vanishing")
    tab.evaluate(
        "() => { const { run } = playground; run.weights.W4.fill(0);"
        "run.compute(); playground.draw(); }"
    )
    assert "∅ W⁽¹⁾ zero gradient from the loss" in tab.locator("#problems").inner_text()


def test_gradients_with_squares_out_of_range_have_a_norm(play):
    tab = play()
    for size in (1e-200, 1.0, 1e200):
        found = tab.evaluate("(x) => norm(Float64Array.of(3 * x, 0, -4 * x))", size)
        assert found == pytest.approx(5 * size)
    assert tab.evaluate("norm(Float64Array.of(0, 0))") == 0
    assert np.isnan(tab.evaluate("norm(Float64Array.of(1, NaN))"))
    choose(tab, (1,), activation=1)
    tab.evaluate(
        "() => { const { run } = playground; run.weights.b1.fill(-230);"
        "run.compute(); playground.draw(); }"
    )
    assert "▽ W⁽¹⁾ vanishing" in tab.locator("#problems").inner_text()


def test_a_gradient_that_is_not_finite_is_told_from_a_value(play):
    tab = play()
    choose(tab, ())
    tab.evaluate(
        "() => { const { run } = playground; run.weights.w.fill(1e4);"
        "run.compute(); playground.draw(); }"
    )
    assert tab.locator("#problems").inner_text() == "✖ ŷ gradient not finite"


def test_learning_rates_are_compared(play):
    tab = play()
    choose(tab, (2,), rate="0.001")
    for rate in ("100", "0.3"):
        tab.evaluate("playground.advance(150)")
        choose(tab, rate=rate)
    tab.evaluate("playground.advance(150)")
    lines = tab.locator("#runs li")
    assert lines.evaluate_all("(all) => all.map((line) => line.dataset.kind)") == [
        "small",
        "large",
        "right",
    ]
    texts = lines.all_inner_texts()
    assert [text.split()[2] for text in texts] == ["0.001", "100", "0.3"]
    assert "too small: the loss falls slowly" in texts[0]
    assert "too large" in texts[1]
    assert "right: the loss falls" in texts[2]
    dashes = tab.locator("#runs path").evaluate_all(
        "(all) => all.map((path) => path.getAttribute('stroke-dasharray'))"
    )
    assert len(set(dashes)) == 3
    choose(tab, data="circles")  # a loss on other data cannot be compared
    assert lines.count() == 1


def test_a_loss_that_is_not_finite_stops_the_run(play):
    tab = play()
    choose(tab, (4,), activation=0)
    tab.evaluate(
        "() => { playground.run.weights.W1.fill(1e200); playground.run.weights.w.fill(1e200);"
        "playground.run.compute(); playground.draw(); }"
    )
    tab.keyboard.press("Space")
    tab.wait_for_function("() => document.getElementById('play').textContent === '▶ play'")
    assert "too large: the loss is no longer finite" in tab.get_by_role("status").inner_text()
    assert "✖ L not finite" in tab.locator("#problems").inner_text()
    tab.keyboard.press("r")
    assert tab.locator("#problems").inner_text() == ""


MARKUP = "</script><b>'x'</b>"


def test_any_name_is_text(opened, tmp_path):
    path = tmp_path / "own.csv"
    rows = [f"{k},{k % 5},{'<i>a</i>' if k % 2 else chr(0x202E) + '&amp;'}" for k in range(20)]
    path.write_text("\n".join([f'{MARKUP},`${{y}},"""kind"""', *rows]), encoding="utf-8")
    own = of_columns(read_table(path), (MARKUP, "`${y}"), '"kind"')
    tab = opened(page([own, *generated()]))
    assert tab.locator("[name=data] option").first.inner_text() == "your data"
    assert tab.locator("#class-0").inner_text() == '"kind": <i>a</i>'
    assert tab.locator("#class-1").inner_text() == f'"kind": {printable(chr(0x202E))}&amp;'
    assert tab.locator("main :is(b, i):not(.head b, .rule, .point)").count() == 0
    assert tab.evaluate("playground.advance(5)")


# Size and colours


@pytest.mark.parametrize("units", [(), (2,), (8,), (16,)])
def test_the_graph_of_a_layer_needs_no_scrolling(play, units):
    tab = play(viewport={"width": 1250, "height": 800})
    choose(tab, units)
    tab.evaluate("playground.advance(30)")
    fits = "graph.scrollWidth <= graph.clientWidth"
    assert tab.evaluate(fits)
    choose(tab, rate="1", batch="8")  # numbers get longer and shorter
    for _ in range(10):
        tab.evaluate("playground.advance(7)")
        assert tab.evaluate(f"{fits} || Number(graph.style.zoom) === LEAST")


def test_nothing_overlaps(play):
    tab = play()
    choose(tab, (16, 16), activation=0)
    tab.evaluate("playground.advance(30)")
    for size in ((1250, 700), (1920, 1080), (390, 844), (768, 1024)):
        tab.set_viewport_size({"width": size[0], "height": size[1]})
        tab.evaluate("new Promise(requestAnimationFrame)")
        check_places(tab, size)


def check_places(tab, size):
    assert tab.evaluate("document.documentElement.scrollWidth") <= size[0]
    parts = "#controls label:visible, figure, #problems, #explained, #graph, footer"
    boxes = [part.bounding_box() for part in tab.locator(parts).all()]
    for k, a in enumerate(boxes):
        for b in boxes[:k]:
            assert (
                a["x"] + a["width"] <= b["x"] + 1
                or b["x"] + b["width"] <= a["x"] + 1
                or a["y"] + a["height"] <= b["y"] + 1
                or b["y"] + b["height"] <= a["y"] + 1
            ), (a, b)
    cards = tab.locator(".card").evaluate_all(
        "(all) => all.map((card) => [card, ...card.querySelectorAll('.numbers span, .badge')]"
        ".map((x) => x.getBoundingClientRect())"
        ".map(({ left, right, top, bottom }) => [left, right, top, bottom]))"
    )
    for (left, right, top, bottom), *inside in cards:
        for x1, x2, y1, y2 in inside:
            assert left <= x1 <= x2 <= right + 1
            assert top <= y1 <= y2 <= bottom + 1


PAIRS = """() => {
  const color = (g, key) => getComputedStyle(g)[key];
  const ground = (g) => { for (let e = g; e; e = e.parentElement) {
    const c = color(e, "backgroundColor"); if (!/, 0\\)$/.test(c)) return c; } };
  return [...document.querySelectorAll("header *, main *, footer *")].filter((g) =>
    g.checkVisibility() && [...g.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
    .map((g) => [g.textContent, color(g, "color"), ground(g)]);
}"""


def test_every_text_can_be_read_in_light_and_dark(play):
    tab = play(color_scheme="light")
    choose(tab, (4, 4), activation=0, rate="100")
    tab.evaluate("playground.advance(30)")
    for ground in ("rgb(255, 255, 255)", "rgb(19, 20, 23)"):
        assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == ground
        pairs = tab.evaluate(PAIRS)
        assert len(pairs) > 60
        for words, ink, behind in pairs:
            assert contrast(ink, behind) >= 4.5, (words, ink, behind)
        tab.keyboard.press("d")
