"""The page of `autograd-lite play` in headless Chromium: training, keys, marks, and what it shows."""

import json
from functools import cache

import numpy as np
import pytest
from pages import data
from test_page_access import contrast

import autograd_lite as ag
from autograd_lite.data.reading import read_table
from autograd_lite.models import MLPClassifier
from autograd_lite.play.page import page
from autograd_lite.play.programs import ACTIVATIONS
from autograd_lite.play.tables import generated, of_columns
from autograd_lite.text import number, printable
from autograd_lite.viz.cards import measures

pytest.importorskip("sympy")


@cache
def text():
    return page(generated())


@pytest.fixture
def play(opened):
    """Opens the page with the generated tables."""

    def play(**given):
        return opened(text(), **given)

    return play


SET = """(given) => {
  const fields = document.getElementById("controls").elements;
  for (const [name, value] of Object.entries(given)) {
    if (name === "activation") fields[name].selectedIndex = value;
    else fields[name].value = value;
    fields[name].dispatchEvent(new Event("change", { bubbles: true }));
  }
}"""


def choose(tab, units=None, **given):
    """Set the controls."""
    if units is not None:
        given |= {"depth": str(len(units))}
        given |= {f"units{k}": str(n) for k, n in enumerate(units, 1)}
    tab.evaluate(SET, given)


WEIGHTS = """(run) => Object.fromEntries(Object.entries(run.weights).map(([name, w]) =>
  [name, typeof w === "number" ? w : [...w]]))"""


def weights(tab):
    """The weights of the run on the page."""
    return tab.evaluate(f"({WEIGHTS})(playground.run)")


def shaped(θ, units):
    sizes = dict(zip(range(1, len(units) + 1), zip(units, [2, *units]), strict=False))
    return {
        name: np.reshape(w, sizes[int(name[1:])]) if name[0] == "W" else np.array(w)
        for name, w in θ.items()
    }


@cache
def program(units, activation):
    """The gradient of the model's loss, compiled."""

    def loss(θ, X, y, alpha):
        if units:
            model = MLPClassifier(units, activation=activation)
            return model.loss(X, y, θ, alpha=alpha)
        ŷ = ag.sigmoid(X @ θ["w"] + θ["b"])
        return ag.binary_cross_entropy(ŷ, y) + alpha / 2 * np.sum(θ["w"] ** 2)

    return ag.compile(ag.value_and_grad(loss))


# Training

RANDOM = np.random.default_rng(1)
NETWORKS = [
    (tuple(RANDOM.integers(1, 17, k % 5).tolist()), list(ACTIVATIONS)[k % 3], k % 3 * 0.01)
    for k in range(1, 11)
]


def test_a_hundred_steps_are_those_of_python(play):
    tab, tables = play(), data(text())["tables"]
    for k, (units, activation, alpha) in enumerate(NETWORKS):
        table = tables[k % len(tables)]
        choose(
            tab,
            units,
            data=table["title"],
            activation=list(ACTIVATIONS).index(activation),
            alpha=str(alpha),
            rate="0.1",
        )
        θ, found = shaped(weights(tab), units), program(units, activation)
        assert (len(θ) - 2) / 2 == len(units)
        X, y = np.reshape(table["X"], (-1, 2)), np.array(table["y"], float)
        for _ in range(100):
            loss, gradient = found(θ, X, y, np.float64(alpha))
            θ = {name: θ[name] - 0.1 * gradient[name] for name in θ}
        last = tab.evaluate(
            "() => { for (let k = 0; k < 99; k++) playground.run.step();"
            "const { loss } = playground.run.now; playground.run.step(); return loss; }"
        )
        assert np.isclose(last, loss, rtol=1e-9)
        for name, w in shaped(weights(tab), units).items():
            np.testing.assert_allclose(w, θ[name], rtol=1e-9, atol=1e-9, err_msg=str(units))


def test_batches_have_each_row_once(play):
    tab = play()
    choose(tab, (3,), batch="64", rate="0.3")
    θ, found = shaped(weights(tab), (3,)), program((3,), "tanh")
    batches = tab.evaluate(
        "() => Array.from({ length: 12 }, () => { const { inputs, targets } = playground.run;"
        "const found = [[...inputs], [...targets]]; playground.run.step(); return found; })"
    )
    table = data(text())["tables"][0]
    rows = sorted(map(tuple, np.reshape(table["X"], (-1, 2)).tolist()))
    for epoch in range(3):
        seen = [b for X, _ in batches[4 * epoch : 4 * epoch + 4] for b in np.reshape(X, (-1, 2))]
        assert sorted(map(tuple, np.array(seen).tolist())) == rows
    for X, y in batches:
        _, gradient = found(θ, np.reshape(X, (-1, 2)), np.array(y, float), np.float64(0))
        θ = {name: θ[name] - 0.3 * gradient[name] for name in θ}
    for name, w in shaped(weights(tab), (3,)).items():
        np.testing.assert_allclose(w, θ[name], rtol=1e-9, atol=1e-9)


def test_first_weights_are_those_of_he(play):
    tab = play()
    choose(tab, (16, 16, 16, 16))
    θ = shaped(weights(tab), (16, 16, 16, 16))
    for name in ("W2", "W3", "W4"):
        assert 0.8 < θ[name].std() * np.sqrt(16 / 2) < 1.2
        assert abs(θ[name].mean()) < 0.1
    assert all(not np.any(θ[name]) for name in θ if name[0] == "b")
    again = weights(tab)
    tab.keyboard.press("r")
    assert weights(tab) == again
    tab.keyboard.press("n")
    assert weights(tab) != again


@pytest.mark.parametrize("exponent", [-320, -7, -3, 0, 3, 5, 300])
def test_numbers_are_written_as_elsewhere(play, exponent):
    tab = play()
    random = np.random.default_rng(exponent + 400)
    numbers = (random.normal(size=40) * 10.0**exponent).tolist() + [0.0, -0.0, 1e-3, 9999.99996]
    assert tab.evaluate("(xs) => xs.map(number)", numbers) == [number(x) for x in numbers]


# Keys


def test_every_control_is_reached_and_set_by_keys(play):
    tab = play()
    reached = []
    for _ in range(40):
        tab.keyboard.press("Tab")
        reached.append(
            tab.evaluate(
                "() => { const e = document.activeElement;"
                "return e.id || e.name || e.dataset.name || ''; }"
            )
        )
        if reached[-1] == "y":
            break
    controls = ["play", "step", "reset", "weights", "theme"]
    controls += ["data", "depth", "units1", "activation", "rate", "batch", "alpha", "speed"]
    cards = ["X", "a1", "h1", "W1", "b1", "z", "ŷ", "w", "b", "L", "y"]
    named = [name for name in reached if name in controls]
    assert named == controls
    assert {name for name in reached if name in cards} == set(cards)
    tab.locator("[name=depth]").focus()
    tab.keyboard.press("ArrowDown")
    assert tab.evaluate("playground.run.settings.units.length") == 2
    assert tab.locator("[name=units2]").is_visible()
    assert not tab.locator("[name=units3]").is_visible()
    tab.locator("[name=units2]").focus()
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("Tab")
    assert tab.evaluate("playground.run.settings.units") == [8, 9]
    for name in ("data", "activation", "rate", "batch", "alpha"):
        before = tab.evaluate("JSON.stringify(playground.run.settings)")
        tab.locator(f"[name={name}]").focus()
        tab.keyboard.press("ArrowDown")
        assert tab.evaluate("JSON.stringify(playground.run.settings)") != before


def test_play_step_and_reset_by_keys(play):
    tab = play()
    steps = "playground.run.steps"
    assert tab.evaluate(steps) == 0
    tab.keyboard.press("s")
    tab.keyboard.press("ArrowRight")
    assert tab.evaluate(steps) == 2
    assert tab.locator("#count").inner_text() == "step 2"
    assert tab.get_by_role("status").inner_text().startswith("step 2: loss 0.")
    tab.keyboard.press("Space")
    assert tab.locator("#play").get_attribute("aria-pressed") == "true"
    tab.wait_for_function("() => playground.run.steps > 5")
    tab.keyboard.press("Space")
    paused = tab.evaluate(steps)
    tab.evaluate("new Promise((done) => setTimeout(done, 100))")
    assert tab.evaluate(steps) == paused
    assert tab.get_by_role("status").inner_text().startswith(f"paused at step {paused}: loss")
    tab.keyboard.press("r")
    assert tab.evaluate(steps) == 0
    tab.locator("#step").focus()
    tab.keyboard.press("Space")  # a button that has the focus is pressed
    assert tab.evaluate(steps) == 1
    tab.locator("[name=units1]").focus()
    tab.keyboard.press("ArrowRight")  # moves the cursor
    assert tab.evaluate(steps) == 1


def test_units_stay_between_their_limits(play):
    tab = play()
    for typed, units in (("99", 16), ("-3", 1), ("2.6", 3), ("", 1)):
        tab.locator("[name=units1]").fill(typed)
        tab.keyboard.press("Enter")
        tab.keyboard.press("Tab")
        assert tab.evaluate("playground.run.settings.units") == [units]
        assert tab.locator("[name=units1]").input_value() == str(units)


# What is shown


def card(tab, name):
    """The numbers of a card, by their class."""
    return tab.evaluate(
        "(name) => [...document.querySelectorAll(`.card[data-name='${name}'] .numbers"
        " span:not(.label):not(.words)`)].map((x) => [x.className.split(' ')[0], x.textContent])",
        name,
    )


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
    box = tab.locator("#network").bounding_box()
    tab.mouse.move(box["x"] + box["width"] / 2, box["y"] + 20)
    assert tab.locator(".card.looked").get_attribute("data-name") == "h1"
    tab.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 20)
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
        "() => { const { run } = playground; for (const k of [2, 3, 4]) run.weights[`W${k}`].fill(0.01);"
        "run.compute(); playground.draw(); }"
    )
    said = tab.locator("#problems").inner_text()
    assert "▽ W⁽¹⁾ vanishing" in said
    assert tab.locator(".card[data-name='W1'] .mark").inner_text().startswith("▽ vanishing")
    tab.evaluate(
        "() => { const { run } = playground; run.weights.W4.fill(0); run.compute(); playground.draw(); }"
    )
    assert "∅ W⁽¹⁾ zero gradient from the loss" in tab.locator("#problems").inner_text()


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
    tab.wait_for_function("() => document.getElementById('play').ariaPressed === 'false'")
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
    assert tab.locator("main :is(b, i):not(.head b):not(.rule)").count() == 0
    assert tab.evaluate("playground.advance(5)")


# Size and colours


@pytest.mark.parametrize("size", [(1250, 700), (1920, 1080), (390, 844), (768, 1024)])
def test_nothing_overlaps(play, size):
    tab = play(viewport={"width": size[0], "height": size[1]})
    choose(tab, (16, 16), activation=0)
    tab.evaluate("playground.advance(30)")
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
        "(all) => all.map((card) => [card.getBoundingClientRect(),"
        " ...[...card.querySelectorAll('.numbers span, .badge')].map((x) => x.getBoundingClientRect())]"
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


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_in_light_and_dark(play, scheme):
    tab = play(color_scheme=scheme)
    choose(tab, (4, 4), activation=0, rate="100")
    tab.evaluate("playground.advance(30)")
    pairs = tab.evaluate(PAIRS)
    assert len(pairs) > 60
    for words, ink, ground in pairs:
        assert contrast(ink, ground) >= 4.5, (words, ink, ground)
    before = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    tab.keyboard.press("d")
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") != before


# Time and memory


@pytest.mark.slow
def test_ten_thousand_steps_take_no_more_memory(play):
    tab = play()
    choose(tab, (16, 16), activation=0, batch="16", rate="0.1")
    session = tab.context.new_cdp_session(tab)

    def used():
        session.send("HeapProfiler.collectGarbage")
        return session.send("Runtime.getHeapUsage")["usedSize"]

    take = "() => { for (let k = 0; k < 200; k++) playground.advance(10); }"
    tab.evaluate(take)
    before = used()
    for _ in range(4):
        tab.evaluate(take)
    assert tab.evaluate("playground.run.steps") == 10_000
    assert used() < before + 1_000_000
    curve = json.loads(tab.evaluate("JSON.stringify(playground.run.curve)"))
    assert 200 <= len(curve) <= 401
    assert sum(part["count"] for part in curve) == 10_001
    assert [part["step"] for part in curve] == sorted({part["step"] for part in curve})
