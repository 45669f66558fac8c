"""The page answers: after an edit it says what the page of a graph with these numbers says."""

import numpy as np
import pytest
from editing import EDIT, SAYS, differences
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pages import SCALARS, caption, data, fan_out, page, scalars, shown

import autograd_lite as ag
from autograd_lite.models.examples import student
from autograd_lite.text import number
from autograd_lite.viz import answers

# What is edited: a function of the numbers of leaves, numbers for a first page, and others


def softmax(logits, targets):
    t, y = ag.Tensor(logits, name="t"), ag.constant(targets, name="y")
    return -np.sum(y * np.log(ag.softmax(t, axis=-1))).named("L")


def kinks(a, b):
    """Masks, ties, dead units, and gradients that come in several parts."""
    a, b = ag.Tensor(a, name="a"), ag.Tensor(b, name="b")
    h = ag.relu(a * b).named("h")
    return np.sum(np.where(a > b, h, b * b) + np.abs(a) + np.maximum(a, b)).named("L")


def twice(a, b):
    a, b = ag.Tensor(a, name="a"), ag.Tensor(b, name="b")
    return ((a + b) * (b + 1)).named("e")


def matrices(W, x):
    W, x = ag.Tensor(W, name="W"), ag.constant(x, name="x")
    h = np.tanh(W @ x).named("h")
    return (np.mean(h * h) / np.sqrt(np.sum(W * W) + 1e-12)).named("L")


def many(X, w):
    """More numbers than a card shows."""
    X, w = (
        ag.constant(np.reshape(np.linspace(-2, X, 60), (20, 3)), name="X"),
        ag.Tensor(w, name="w"),
    )
    return np.mean(ag.sigmoid(X @ w) ** 2).named("L")


def single(X, W):
    """Matrices with one row and one column."""
    X, W = ag.constant(X, name="X"), ag.Tensor(W, name="W")
    return np.mean(np.tanh(X @ W) ** 2).named("L")


GRAPHS = {
    "single": (single, [((1.0, 2.0),), ((0.5,), (-1.0,))], [((0.0, -3.0),), ((0.1,), (0.2,))]),
    "student": (student, [(3.0, 5.0), 1.0, (0.1, -0.2), 0.0], [(1.5, -2.0), 0.25, (9.5, 7), 1e-5]),
    "saturated": (student, [(3.0, 5.0), 1.0, (0.1, -0.2), 0.0], [None, None, (9.0, 8.0), 5.0]),
    "softmax": (softmax, [(1.0, 2.0, -1.0), (0.0, 1.0, 0.0)], [(-3.0, 9.0, 4.5), (1.0, 0.0, 0.0)]),
    "kinks": (kinks, [(1.0, -2.0, 3.0), (2.0, 2.0, -1.0)], [(2.0, 0.0, -3.0), (2.0, -1.5, -0.0)]),
    "dead": (kinks, [(1.0, -2.0, 3.0), (2.0, 2.0, 1.0)], [(-1.0, -2.0, -3.0), (2.0, 2.0, 1.0)]),
    "twice": (twice, [2.0, 1.0], [-0.03125, 9999.99995]),
    "overflow": (twice, [2.0, 1.0], [1e308, 1e308]),
    "matrices": (matrices, [((0.5, -1.0), (2.0, 0.0)), (1.0, -1.0)], [((0, 0), (0, 0)), (1.0, 4)]),
    "many": (many, [2.0, (0.5, -0.5, 0.1)], [None, (-40.0, 30.0, 2e-7)]),
}  # fmt: skip


def leaves(result):
    """The leaves with a name, in the order in which they were made."""
    nodes = ag.Graph.of(result).nodes
    found = [(node.position, k, node.name) for k, node in enumerate(nodes) if node.op is None]
    return [(k, name) for _, k, name in sorted(found) if name is not None]


def edited(tab, result, numbers):
    """Type the numbers of the leaves; None leaves one as it is."""
    for (k, _), x in zip(leaves(result), numbers, strict=True):
        if x is not None:
            assert tab.evaluate(EDIT, [k, [repr(float(v)) for v in np.ravel(x)]]) == ""


def said(visit, result, **given):
    """All that the page of a result says."""
    tab = visit(result, **given)
    found = tab.evaluate(SAYS)
    tab.context.close()
    return found


@pytest.mark.parametrize("name", GRAPHS)
def test_after_an_edit_the_page_is_that_of_the_new_numbers(visit, name):
    make, before, after = GRAPHS[name]
    numbers = [x if y is None else y for x, y in zip(before, after, strict=True)]
    with np.errstate(all="ignore"):
        first = make(*before)
        expected = said(visit, make(*numbers))
    tab = visit(first)
    drawn = tab.evaluate(SAYS)
    assert differences(drawn, expected)
    edited(tab, first, after)
    assert differences(tab.evaluate(SAYS), expected) == {}
    tab.locator("#reset").click()
    assert differences(tab.evaluate(SAYS), drawn) == {}
    assert not tab.locator("#reset").is_visible()


def test_a_wrong_program_is_seen(visit, monkeypatch):
    written = answers.javascript

    def wrong(*args, **options):
        return written(*args, **options).replace("Math.exp(", "Math.expm1(")

    expected = said(visit, student(w=(0.5, 0.5)))
    monkeypatch.setattr(answers, "javascript", wrong)
    tab = visit(student())
    edited(tab, student(), [None, None, (0.5, 0.5), None])
    assert "captions" in differences(tab.evaluate(SAYS), expected)


@given(SCALARS, st.tuples(*[st.floats(-4, 4, width=32)] * 4))
@settings(max_examples=3, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example([("÷", 0, 1), ("σ", 2, 0), ("×", 3, 3)], (0.5, 2.0, -0.25, 0.0))
def test_any_graph_of_numbers_answers(visit, steps, numbers):
    first = scalars(steps, *numbers[:2])
    expected = said(visit, scalars(steps, *numbers[2:]))
    tab = visit(first)
    new = dict(zip("ab", numbers[2:], strict=True))
    edited(tab, first, [new[name] for _, name in leaves(first)])
    assert differences(tab.evaluate(SAYS), expected) == {}
    tab.context.close()


def test_numbers_are_written_as_in_python(visit):
    rng = np.random.default_rng(0)
    bits = rng.integers(0, 2**64, 3000, dtype=np.uint64).view(np.float64)
    plain = rng.normal(size=3000) * 10.0 ** rng.integers(-6, 7, 3000)
    ties = np.arange(-99, 99) / 32 * 10.0 ** rng.integers(0, 9, 198)
    edges = [
        0.0,
        -0.0,
        1e-3,
        9999.5,
        9999.99995,
        1e4,
        100005.0,
        100015.0,
        9.99995e-4,
        np.nan,
        np.inf,
    ]
    numbers = np.concatenate([bits, plain, ties, edges, -np.array(edges), np.float32(plain)])
    tab = visit(fan_out())
    written = tab.evaluate("(numbers) => numbers.map(number)", numbers.tolist())
    assert written == [number(x) for x in numbers]
    for n in (1, 7, 8, 9, 16, 100, 129, 200, 3000):
        assert tab.evaluate("(numbers) => total(numbers)", plain[:n].tolist()) == np.sum(plain[:n])


# By hand


def test_the_keyboard_edits_a_leaf_and_restores_it(visit):
    tab = visit(student())
    tab.get_by_role("button", name="w, parameter").focus()
    tab.keyboard.press("Enter")
    first = tab.get_by_role("textbox", name="w[0]")
    assert first.input_value() == "0.1"
    first.focus()
    tab.keyboard.press("Control+a")
    tab.keyboard.type("−2.5d")
    assert tab.locator("html").get_attribute("data-theme") is None, "d is a letter here"
    tab.keyboard.press("Escape")
    assert first.input_value() == "0.1"
    tab.keyboard.press("Control+a")
    tab.keyboard.type(" −2.5e0 ")
    tab.keyboard.press("Enter")
    assert caption(tab)[1] == "with other numbers of w"
    assert tab.evaluate("document.activeElement.ariaLabel") == "w[0]"
    z = -2.5 * 3 - 0.2 * 5
    assert number(z) in tab.locator("#s0-n5").text_content()
    tab.keyboard.press("Escape")
    assert not tab.locator("#panel").is_visible()
    tab.get_by_role("button", name="reset").click()
    assert caption(tab)[1] == "every value and gradient; step ▸ begins at the data"


def test_what_is_no_number_changes_nothing(visit):
    tab = visit(student())
    before = tab.evaluate(SAYS)
    [k] = [k for k, name in leaves(student()) if name == "w"]
    for wrong in ("", "  ", "one", "1,5", "1e999", "NaN", "0x10", "--1", "<b>1"):
        says = tab.evaluate(EDIT, [k, ["5", wrong]])
        assert says == f"w[1] must be a number, not “{wrong}”"
        assert tab.evaluate("document.activeElement.ariaLabel") == "w[1]"
        assert tab.locator("#details b").count() == 0
    assert differences(tab.evaluate(SAYS), before) == {}
    assert not tab.locator("#reset").is_visible()


def test_whole_numbers_and_truth_values(visit):
    n, m = ag.constant([1, 2], name="n"), ag.constant([True, False], name="m")
    tab = visit(np.sum(np.where(m, n * ag.Tensor(2.0, name="w"), 0.5)).named("L"))
    assert tab.evaluate(EDIT, [0, ["1.5", "2"]]) == (
        "n[0] must be an integer from −9007199254740991 to 9007199254740991, not “1.5”"
    )
    assert tab.evaluate(EDIT, [0, ["7", "2"]]) == ""
    assert "14.5" in tab.evaluate("document.querySelector('main').textContent")


@pytest.mark.parametrize(
    ("dtype", "fits", "wrong"),
    [
        ("int8", ["127", "-128"], "128"),
        ("uint8", ["255", "0"], "-1"),
        ("uint16", ["65535", "1e3"], "65536"),
        ("int32", ["-2147483648", "2.0"], "2147483648"),
        ("int64", ["9007199254740991", "-1"], "9007199254740993"),
        ("bool", ["0", "1"], "2"),
        ("float32", ["3.4e38", "1e-50"], "1e39"),
    ],
)
def test_a_number_is_one_of_its_dtype(visit, dtype, fits, wrong):
    n = ag.constant(np.array([1, 1], dtype), name="n")
    tab = visit(np.sum(n * ag.Tensor(np.float32(2.0), name="w")).named("L"))
    assert tab.evaluate(EDIT, [0, fits]) == ""
    assert f"not “{wrong}”" in tab.evaluate(EDIT, [0, [wrong, fits[1]]])


# Where it cannot follow


def test_a_page_says_why_it_cannot_be_edited(visit):
    A, w = ag.Tensor(np.eye(2) * 2.0, name="A"), ag.Tensor(np.linspace(0, 1, 13), name="w")
    for result, node, reason in (
        (np.linalg.det(A).named("L"), 0, "JavaScript has no equal of linalg.det"),
        (np.sum(w * w).named("L"), 0, "there are 13, more than 12"),
        (w, 0, "the graph has no operation"),
        (
            np.sum(ag.Tensor(np.ones(5000)) * 2.0),
            0,
            "the graph has arrays of more than 4,000 numbers",
        ),
    ):
        tab = visit(result, f"#node={node}")
        assert (
            tab.locator("#details .fixed").inner_text()
            == f"The numbers cannot be edited: {reason}."
        )
        assert tab.locator("#details input").count() == 0


def test_a_page_warns_of_nothing_a_second_time():
    a, b = ag.Tensor(np.ones((3, 1)), name="a"), ag.Tensor(np.ones(3), name="b")
    with pytest.warns(ag.BroadcastWarning):
        result = np.sum((a * b) ** 2).named("L")
    assert "reason" not in data(page(result))["program"]


def test_a_large_graph_has_no_program(monkeypatch):
    monkeypatch.setattr(answers, "NODES", 5)
    program = data(page(student()))["program"]
    assert program == {"reason": "the graph has 8 nodes, more than 5"}


def test_without_gradients_the_values_follow(visit):
    tab = visit(student(), options={"gradients": False})
    expected = said(visit, student(x=(1, 2)), options={"gradients": False})
    [k] = [k for k, name in leaves(student()) if name == "x"]
    assert tab.evaluate(EDIT, [k, ["1", "2"]]) == ""
    assert differences(tab.evaluate(SAYS), expected) == {}


@pytest.mark.parametrize("name", ["</script><img src=x>", "\"'`${1} &amp;", "W⁽¹⁾ \\u003c"])
def test_any_name_can_be_edited(visit, name):
    tab = visit((ag.Tensor(2.0, name=name) ** 2).named(name))
    assert tab.evaluate(EDIT, [0, ["three"]]) == f"{name} must be a number, not “three”"
    assert tab.evaluate(EDIT, [0, ["3"]]) == ""
    assert caption(tab)[1] == f"with other numbers of {name}"
    assert tab.locator("#s0-n2").text_content().endswith("output" + "value9" + "grad1")
    assert tab.locator("img").count() == 0


PIXELS = """async () => {
  const image = document.querySelectorAll("#details img")[1];
  await image.decode();
  const canvas = document.createElement("canvas"), context = canvas.getContext("2d");
  [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
  context.drawImage(image, 0, 0);
  return [...context.getImageData(0, 0, canvas.width, canvas.height).data];
}"""
"""The colours of the heat map of a gradient."""


def test_a_heat_map_follows(visit):
    def weighted(v):
        W = ag.Tensor(np.linspace(-1, 1, 20).reshape(5, 4), name="W")
        return np.sum(np.tanh(W) ** 2 * ag.Tensor(v, name="v")).named("L")

    before, after = [1.0, 2.0, 3.0, 4.0], [-3.0, 0.5, 0.0, 1.0]
    tab, expected = (visit(weighted(v), "#node=0") for v in (before, after))
    drawn = np.array(tab.evaluate(PIXELS))
    assert tab.evaluate(EDIT, [leaves(weighted(before))[1][0], list(map(str, after))]) == ""
    tab.get_by_role("button", name="W, parameter").click()
    found, other = (np.array(page.evaluate(PIXELS)) for page in (tab, expected))
    assert np.abs(found - other).max() <= 1
    assert np.abs(found - drawn).max() > 50


def test_every_sheet_follows(visit):
    x = ag.Tensor(0.5, name="x")
    result = sum(np.sin(x * k) for k in range(2, 12)).named("L")
    tab = visit(result, viewport={"width": 900, "height": 500})
    assert shown(tab, ".sheet") == ["s1"]
    assert tab.evaluate(EDIT, [0, ["0"]]) == ""
    last = f"n{len(ag.Graph.of(result).nodes) - 1}"
    assert "value0" in tab.locator(f"#s1-{last}").text_content()
    tab.get_by_role("button", name="the whole graph").click()
    assert "value0" in tab.locator(f"#s0-{last}").text_content()


@pytest.mark.slow
def test_ten_thousand_steps_and_many_edits_hold_no_memory(visit):
    tab = visit(student())
    session = tab.context.new_cdp_session(tab)
    session.send("HeapProfiler.enable")

    def held():
        session.send("HeapProfiler.collectGarbage")
        found = session.send("Runtime.getHeapUsage")
        return found["usedSize"], tab.evaluate("document.querySelectorAll('*').length")

    walk = """(times) => { for (let k = 0; k < times; k++) {
      document.querySelector(k % 20 < 10 ? "#step" : "#back").click(); } }"""
    found = []
    for _ in range(2):
        tab.evaluate(walk, 5_000)
        for k in range(100):
            assert tab.evaluate(EDIT, [2, [str(k % 7), "0.5"]]) == ""
        found.append(held())
    (before, elements), (after, same) = found
    assert after < before + 200_000
    assert elements == same
