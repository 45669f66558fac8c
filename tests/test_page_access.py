"""The page for everybody: zoom, keys, light and dark, paper, a screen reader."""

import re

import numpy as np
import pytest
from pages import caption, layers, shown

import autograd_lite as ag
from autograd_lite.models.examples import perceptron, student

# Zoom


def test_zoom_drag_and_fit(visit):
    tab = visit(perceptron())
    box = "() => { const b = document.querySelector('#s0 svg').getBoundingClientRect();"
    box += " return [b.x, b.y, b.width, b.height]; }"
    whole = tab.evaluate(box)
    view = tab.locator("#s0 .view").bounding_box()
    assert whole[2] <= view["width"] + 0.5
    assert whole[3] <= view["height"] + 0.5
    for _ in range(6):
        tab.keyboard.press("+")
    large = tab.evaluate(box)
    assert np.allclose(large[2:], np.multiply(whole[2:], 1.25**6), atol=1)
    assert np.isclose(large[0] + large[2] / 2, view["x"] + view["width"] / 2, atol=8)
    tab.mouse.move(600, 300)
    tab.mouse.down()
    tab.mouse.move(500, 280, steps=4)
    tab.mouse.up()
    moved = tab.evaluate(box)
    assert np.allclose(np.subtract(moved[:2], large[:2]), [-100, -20], atol=2)
    assert not tab.locator("#panel").is_visible()
    tab.keyboard.press("-")
    tab.locator("#fit").click()
    assert np.allclose(tab.evaluate(box), whole)
    wheel = "(g, given) => g.dispatchEvent(new WheelEvent('wheel', {bubbles: true, ...given}))"
    at = {"clientX": 900, "clientY": 300}
    share = (900 - whole[0]) / whole[2]
    for _ in range(9):
        tab.locator("#s0 svg").evaluate(wheel, {"deltaY": -60, "ctrlKey": True, **at})
    near = tab.evaluate(box)
    assert near[2] > 5 * whole[2]
    assert np.isclose(near[0] + share * near[2], 900, atol=9)
    tab.locator("#s0 svg").evaluate(wheel, {"deltaY": -60, **at})
    assert tab.evaluate(box) == near


def test_a_step_comes_into_sight(visit):
    tab = visit(perceptron(), viewport={"width": 390, "height": 780})
    assert tab.evaluate("document.documentElement.scrollWidth") <= 390
    tab.keyboard.press("Home")
    for _ in range(20):
        tab.keyboard.press("ArrowRight")
        card = tab.locator(".node.now").bounding_box()
        view = tab.locator("#s0 .view").bounding_box()
        assert view["x"] - 1 <= card["x"]
        assert card["x"] + card["width"] <= view["x"] + view["width"] + 1
        height = tab.locator(".node.now text").first.bounding_box()["height"]
        assert height > 9


def test_a_large_picture_begins_near_enough_to_be_read(visit):
    tab = visit(perceptron(), viewport={"width": 390, "height": 780})
    assert tab.locator(".node text").first.bounding_box()["height"] > 9
    tab.get_by_role("button", name="L, loss").click()
    card, view = (tab.locator(x).bounding_box() for x in ("[data-node='13']", "#s0 .view"))
    assert view["x"] - 1 <= card["x"] <= view["x"] + view["width"] - card["width"] + 1
    tab.keyboard.press("Escape")
    tab.locator("#fit").click()
    assert tab.locator("#s0 svg").bounding_box()["width"] <= view["width"] + 1


# Colours


def luminance(color):
    """As the Web Content Accessibility Guidelines define it."""
    parts = np.array([float(x) for x in color[4:-1].split(",")]) / 255
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


def contrast(one, other):
    low, high = sorted(map(luminance, (one, other)))
    return (high + 0.05) / (low + 0.05)


PAIRS = """() => {
  const color = (g, key) => getComputedStyle(g)[key];
  const found = [["paper", color(document.body, "color"), color(document.body, "backgroundColor")]];
  for (const node of document.querySelectorAll(".node")) {
    const badge = node.querySelector("[fill='var(--badge)']");
    for (const text of node.querySelectorAll("text")) {
      const white = text.getAttribute("fill") === "#ffffff";
      found.push([text.textContent, color(text, "fill"),
        color(white ? badge : node.firstElementChild, "fill")]);
    }
  }
  for (const text of document.querySelectorAll(".edge text, .cluster text, footer *, #caption"))
    found.push([text.textContent, color(text, text.closest("svg") ? "fill" : "color"),
      color(text.className === "operation" ? text : document.body, "backgroundColor")]);
  return found;
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read_in_light_and_dark(visit, scheme):
    result = np.sum(ag.relu(ag.Tensor([[-1.0, 2.0], [-3.0, 4.0]], name="A")) * 1e9).named("L")
    tab = visit(result, color_scheme=scheme)
    paper = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert paper == {"light": "rgb(255, 255, 255)", "dark": "rgb(19, 20, 23)"}[scheme]
    pairs = tab.evaluate(PAIRS)
    assert len(pairs) > 30
    for text, ink, ground in pairs:
        assert contrast(ink, ground) >= 4.5, (text, ink, ground)
    tab.keyboard.press("d")
    other = tab.evaluate("getComputedStyle(document.body).backgroundColor")
    assert other != paper
    tab.locator("#theme").click()
    assert tab.evaluate("getComputedStyle(document.body).backgroundColor") == paper


def test_it_prints_in_light_colours_without_its_buttons(visit):
    tab = visit(student(), "#step=7&node=5", color_scheme="dark")
    tab.emulate_media(media="print", color_scheme="dark")
    assert tab.evaluate("getComputedStyle(document.body).color") == "rgb(32, 33, 36)"
    assert not tab.locator(".buttons").is_visible()
    assert not tab.locator("#close").is_visible()
    assert tab.locator("#caption").is_visible()
    assert tab.locator("#details").is_visible()
    picture, sheet = (tab.locator(x).bounding_box() for x in ("#s0 svg", "body"))
    assert picture["width"] <= sheet["width"]
    assert tab.pdf().startswith(b"%PDF")


# For those who do not see it


def test_a_screen_reader_reaches_everything(visit):
    tab = visit(layers())
    status = tab.get_by_role("status")
    assert status.get_attribute("aria-live") == "polite"
    tab.keyboard.press("ArrowRight")
    assert status.inner_text().startswith("forward: x × 2 = ")
    assert tab.get_by_role("toolbar", name="Steps and view").get_by_role("button").count() == 7
    assert tab.get_by_role("group", name=re.compile("^the whole graph: [0-9]+ cards$")).is_visible()
    for node in ag.Graph.of(layers()).nodes:
        if node.name is not None:
            assert tab.get_by_role("button", name=f"{node.name}, ").count() >= 1
    frame = tab.get_by_role("button", name="encoder, fold")
    assert frame.get_attribute("aria-expanded") == "true"
    unnamed = tab.evaluate(
        "() => [...document.querySelectorAll('[tabindex=\"0\"], button')]"
        ".filter((x) => !(x.ariaLabel || x.textContent.trim())).length"
    )
    assert unnamed == 0


# Keys


def test_the_keyboard_alone_opens_a_card_and_closes_it(visit):
    tab = visit(student())
    for _ in range(40):
        tab.keyboard.press("Tab")
        if tab.evaluate("document.activeElement.id") == "s0-n5":
            break
    assert "s0-n5" in shown(tab, ".node.seen")
    tab.keyboard.press("Enter")
    panel = tab.get_by_role("dialog", name="z")
    assert panel.is_visible()
    assert tab.evaluate("document.activeElement.id") == "panel"
    text = panel.inner_text()
    for part in ("operation + add", "a + b", "z = w·x + b = −0.7 + 0 = −0.7", "float64"):
        assert part in text
    assert "∂L/∂z = −3.0138 × 0.2217 = −0.6682" in text
    tab.keyboard.press("ArrowRight")
    assert caption(tab)[0] == "1/10"
    assert panel.is_visible()
    tab.keyboard.press("Escape")
    assert not panel.is_visible()
    assert tab.evaluate("document.activeElement.id") == "s0-n5"
    tab.keyboard.press("Shift+Tab")
    assert tab.evaluate("document.activeElement.id") != "s0-n5"
