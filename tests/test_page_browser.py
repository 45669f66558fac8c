"""The page in headless Chromium: stepping, folding, looking, keys, light and dark."""

import json
import re
import shutil
import subprocess

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.models.examples import student
from autograd_lite.viz import draw

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-dev-shm-usage", "--enable-logging=stderr", "--window-size=1200,700"),
    "--dump-dom",
)


@pytest.fixture(scope="module")
def browse(tmp_path_factory):
    """Opens a page at an address, runs a script in it, and gives the page that stands then."""
    if CHROMIUM is None:
        pytest.skip("no Chromium to look at the page with")
    folder = tmp_path_factory.mktemp("pages")

    def run(path, hash=""):
        # A browser that dies or hangs says nothing about the page, so it gets another go.
        for _ in range(3):
            profile = tmp_path_factory.mktemp("profile")
            command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", f"{path.as_uri()}{hash}"]
            try:
                ran = subprocess.run(
                    command, capture_output=True, encoding="utf-8", errors="replace", timeout=60
                )
            except subprocess.TimeoutExpired:
                continue
            if "</html>" in ran.stdout:
                return ran
        return None

    blank = folder / "blank.html"
    blank.write_text("<title>it runs</title>", encoding="utf-8")
    try:
        runs = run(blank)
    except OSError:
        runs = None
    if runs is None:
        pytest.skip("Chromium does not start here")

    def opened(result, hash="", script=None):
        path = folder / "page.html"
        try:
            text = draw(result).html()
        except RuntimeError as error:
            pytest.skip(str(error))
        if script is not None:
            # The page's policy lets no other script run, so it goes for this test.
            text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", text)
            text = text.replace("</body>", f"<script>{SAYING}\n{script}</script></body>")
        path.write_text(text, encoding="utf-8")
        ran = run(path, hash)
        if ran is None:
            pytest.skip("Chromium stopped three times")
        assert "CONSOLE" not in ran.stderr, ran.stderr
        return ran.stdout

    return opened


SAYING = """
const at = (id) => document.getElementById(id);
const said = [];
const say = (thing) => said.push(thing);
const key = (name, target = document.body) =>
  target.dispatchEvent(new KeyboardEvent("keydown", { key: name, bubbles: true }));
const caption = () => [at("count").textContent, at("caption").textContent];
const shows = (element) => element.getClientRects().length > 0;
const shown = (id) => at(id) !== null && shows(at(id));
addEventListener("DOMContentLoaded", () => {
  const made = document.createElement("pre");
  made.id = "said";
  made.textContent = JSON.stringify(said);
  document.body.append(made);
});
"""


def said(dom):
    """What a script said in the page."""
    text = re.search(r'<pre id="said">(.*?)</pre>', dom, re.DOTALL)[1]
    return json.loads(text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&"))


def classes(dom, id):
    """The classes of an element."""
    return re.search(rf'<[^>]*id="{id}"[^>]*>', dom)[0].split('class="')[1].split('"')[0].split()


def nested():
    x = ag.Tensor([0.3, 1.2], name="x")
    with ag.scope("encoder"):
        with ag.scope("block 1"):
            h = np.tanh(x * 2.0)
        with ag.scope("block 2"):
            h = np.exp(-h) + x
    return np.sum(h * x).named("L")


def test_a_step_by_its_address(browse):
    dom = browse(student(), "#step=7&theme=dark")
    assert "backward: ∂L/∂z = −3.0138 × 0.2217 = −0.6682" in dom
    assert ">7/10<" in dom
    assert 'data-theme="dark"' in dom
    assert "now" in classes(dom, "s0-n5")
    assert "ungraded" in classes(dom, "s0-n2")
    assert "ungraded" not in classes(dom, "s0-n6")


def test_keys_walk_to_the_end_and_back(browse):
    dom = browse(
        student(),
        script="""
        key("Home"); say(caption());
        for (let k = 0; k < 12; k++) { key("ArrowRight"); say(caption()); }
        for (let k = 0; k < 11; k++) key("ArrowLeft");
        say(caption()); key("a"); say(caption());
        at("step").click(); say(caption()); say(at("step").disabled); say(location.hash);
        """,
    )
    first, *steps, back, everything, again, disabled, address = said(dom)
    assert first == ["0/10", "before the first step: only the leaves hold values"]
    assert [count for count, _ in steps[:10]] == [f"{k}/10" for k in range(1, 11)]
    assert steps[9] == steps[10] == steps[11]
    assert steps[0][1].startswith("forward: w·x = ")
    assert steps[3][1] == "forward: L = BCE(ŷ, y) = BCE(0.3318, 1) = 1.1032"
    assert steps[4][1] == "backward: ∂L/∂L = 1"
    assert steps[9][1] == "backward: ∂L/∂w = −0.6682 × (3, 5) = (−2.0046, −3.3409)"
    assert back == first
    assert everything[0] == "10 steps"
    assert again == steps[0]
    assert disabled is False
    assert address == "#step=1"


def test_looking_at_a_card_shows_what_made_it_and_what_it_feeds(browse):
    dom = browse(
        student(),
        script="""
        const z = at("s0-n5");
        z.dispatchEvent(new PointerEvent("pointerenter"));
        say([...document.querySelectorAll(".node.seen")].map((g) => g.id));
        say([document.querySelectorAll(".edge.from").length,
             document.querySelectorAll(".edge.feeds").length]);
        z.dispatchEvent(new PointerEvent("pointerleave"));
        say(document.querySelectorAll("svg.looking, svg :is(.seen, .from, .feeds)").length);
        """,
    )
    seen, edges, after = said(dom)
    names = [node.name for node in ag.Graph.of(student()).nodes]
    assert {names[int(id.split("n")[1])] for id in seen} == {
        *("x", "w", "b", "w·x", "z", "ŷ", "L")
    }  # fmt: skip
    assert edges == [4, 2]
    assert after == 0


def test_frames_fold_and_unfold_in_place(browse):
    dom = browse(
        nested(),
        script="""
        const width = () => { at("fit").click(); return Number(
          document.querySelector("svg").querySelector(".graph").getBBox().width); };
        const steps = () => Number(at("count").textContent.split(" ")[0]);
        say([width(), steps(), shown("s0-n2")]);
        key("Enter", document.querySelector("#s0-c0 .title"));
        say([width(), steps(), shown("s0-n2"), shown("s0-c0-folded")]);
        say(document.activeElement.id);
        say([...document.querySelectorAll(".edge path")].filter((g) => shows(g)).length);
        key("ArrowRight"); say(caption()); key("a");
        key(" ", at("s0-c0-folded"));
        say([width(), steps(), shown("s0-n2"), shown("s0-c0-folded")]);
        """,
    )
    before, folded, focus, edges, caption, after = said(dom)
    assert folded[0] < before[0]
    assert folded[1] < before[1]
    assert folded[2:] == [False, True]
    assert focus == "s0-c0-folded"
    assert edges == 4
    assert caption[1] == "forward: encoder, 5 operations"
    assert after[1:] == [*before[1:], False]
    assert abs(after[0] - before[0]) < 1


def test_a_card_opens_its_panel_and_escape_closes_it(browse):
    result = student()
    dom = browse(
        result,
        script="""
        const card = at("s0-n5");
        card.focus(); key("Enter", card);
        say([at("panel").hidden, at("panel-title").textContent, document.activeElement.id]);
        say(at("panel").textContent); say(document.querySelectorAll("#panel math").length);
        key("Escape"); say([at("panel").hidden, document.activeElement.id]);
        say([...document.querySelectorAll(".node")].every((g) =>
          g.getAttribute("role") === "button" && g.tabIndex === 0 && g.ariaLabel));
        """,
    )
    shut, text, formulas, closed, labelled = said(dom)
    assert shut == [False, "z", "panel"]
    assert "∂L/∂z = −3.0138 × 0.2217 = −0.6682" in text
    assert "a + b" in text
    assert formulas >= 1
    assert closed == [True, "s0-n5"]
    assert labelled is True


def test_a_matrix_is_a_heat_map_with_its_numbers(browse):
    W = ag.Tensor(np.arange(24.0).reshape(4, 6), name="W")
    dom = browse(
        np.sum(np.tanh(W)).named("L"),
        script="""
        at("s0-n0").dispatchEvent(new MouseEvent("click", { bubbles: true }));
        const canvas = document.querySelector("#panel canvas");
        say([canvas.width, canvas.height, canvas.getAttribute("role")]);
        say([...document.querySelectorAll("#panel table")].map((t) => t.rows.length));
        say(document.querySelector("#panel td").textContent);
        """,
    )
    assert said(dom) == [[6, 4, "img"], [4, 4], "0"]


def test_light_and_dark(browse):
    dom = browse(
        student(),
        "#theme=dark",
        script="""
        const paper = () => getComputedStyle(document.body).backgroundColor;
        say(paper()); key("d"); say(paper()); key("d"); say(paper());
        """,
    )
    assert said(dom) == ["rgb(19, 20, 23)", "rgb(255, 255, 255)", "rgb(19, 20, 23)"]


def test_hostile_names_are_text(browse):
    name = "</script><img src=x onerror=document.title='no'>\"' 🎉"
    with ag.scope(name):
        t = np.tanh(ag.Tensor([0.5, 1.0], name=name)).named("t")
    dom = browse(
        np.sum(t).named(name),
        script="""
        at("s0-n0").dispatchEvent(new MouseEvent("click", { bubbles: true }));
        say(at("panel-title").textContent); say(document.querySelectorAll("img").length);
        say(document.title);
        """,
    )
    title, images, head = said(dom)
    assert title == name[:39].rstrip() + "…"
    assert images == 0
    assert head.startswith("</script>")


def test_folds_lead_to_their_inside_and_escape_leads_back(browse):
    x = ag.Tensor(0.5, name="x")
    for k in range(300):
        x = np.tanh(x) if k % 2 else x * 1.01
    dom = browse(
        x.named("L"),
        script="""
        const open = () => [...document.querySelectorAll(".sheet")]
          .filter((s) => s.getClientRects().length).map((s) => s.id);
        say(open());
        document.querySelector("#s0 .node[aria-label*=opens]").dispatchEvent(
          new MouseEvent("click", { bubbles: true }));
        say(open()); say(at("path").textContent); say(location.hash);
        key("Escape"); say(open()); say(at("path").hidden);
        """,
    )
    first, inside, path, address, back, hidden = said(dom)
    assert first == back == ["s0"]
    assert inside == ["s1"]
    assert path.startswith("the whole graph › ")
    assert "sheet=1" in address
    assert hidden is True
