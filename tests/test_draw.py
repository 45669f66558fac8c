"""The picture: cards, roles, gradients, the line from the data to the loss."""

import html
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from pages import fan_out, needs_graphviz

import autograd_lite as ag
from autograd_lite.sweep import gradients
from autograd_lite.text import number, printable
from autograd_lite.viz import draw, rendering
from autograd_lite.viz.cards import ROLES, measures

NAMES = st.text(st.characters(), max_size=20) | st.sampled_from(
    [
        "<b>&\"'",
        "\\N \\G \\E \\\\",
        "]]>",
        "a\nb",
        "\x00\x1b",
        "שלום",
        "🎉👩‍🔬",
        "--> {}",
        "%s",
        "\u202eabc",
    ]
)
SHAPES = hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)
COLOURS = {role: look.fill for role, look in ROLES.items()}


def student():
    """The logistic regression of the walkthrough."""
    x = ag.constant([3.0, 5.0], name="x")
    w, b = ag.Tensor([0.1, -0.2], name="w"), ag.Tensor(0.0, name="b")
    with ag.scope("linear:  z = w·x + b"):
        z = (w @ x + b).named("z")
    y_hat = ag.sigmoid(z).named("ŷ")
    return ag.binary_cross_entropy(y_hat, ag.constant(1.0, name="y")).named("L")


def batch():
    """A layer on three examples, with its weights transposed."""
    X = ag.constant(np.arange(6.0).reshape(3, 2), name="X")
    W, b = ag.Tensor([[0.5, 0.3], [-0.8, 0.2]], name="W⁽¹⁾"), ag.Tensor([0.1, -0.2], name="b⁽¹⁾")
    with ag.scope("layer 1"):
        h = ag.relu((X @ W.T + b).named("a⁽¹⁾")).named("h")
    return np.mean(h).named("L")


def cards(source):
    """The line of each card, by its identifier."""
    return dict(re.findall(r"^ *(n\d+) (\[style=.*\])$", source, re.MULTILINE))


def texts(line):
    """What can be read on a card."""
    raw = re.findall(r"<FONT [^>]*>(?:<B>)?([^<]*)<", line)
    return [html.unescape(text).replace("\xa0", " ").strip() for text in raw]


def card_of(source, name):
    """The card with a name."""
    [line] = [line for line in cards(source).values() if name in texts(line)]
    return line


def arrows(source):
    """Tail, head and attributes of each edge."""
    return re.findall(r"^  (n\d+) -> (n\d+)(.*)$", source, re.MULTILINE)


def renders(source, format="svg"):
    """The picture, or a skipped test where nothing can draw."""
    needs_graphviz()
    return rendering.render(source, format)


def test_the_cards_of_the_student():
    source = draw(student()).source
    assert texts(card_of(source, "ŷ"))[-4:] == ["value", "0.3318", "grad", "−3.0138"]
    assert [t for t in texts(card_of(source, "w")) if t][1:] == [
        *("(2,)", "value", "0.1", "−0.2", "grad", "−2.0046", "−3.3409")
    ]
    assert "w·x" in texts(card_of(source, "@"))
    assert {"1.1032", "loss"} <= set(texts(card_of(source, "L")))
    assert "∂L/∂(this node)" in source


@pytest.mark.parametrize(
    ("name", "role"),
    [("x", "data"), ("y", "data"), ("w", "parameter"), ("z", "result"), ("L", "loss")],
)
def test_roles_differ_by_shape_border_and_colour(name, role):
    line = card_of(draw(student()).source, name)
    assert f'fillcolor="{COLOURS[role]}"' in line
    assert ('style="filled"' in line) == (role == "data")
    assert ("peripheries=2" in line) == (role == "loss")
    assert ("penwidth=2.4" in line) == (role == "parameter")


def test_data_say_what_they_are():
    source = draw(student() + np.sum(ag.constant([1.0, 2.0]))).source
    assert "input (2,)" in texts(card_of(source, "x"))
    assert "target" in texts(card_of(source, "y"))
    assert card_of(source, "constant (2,)")
    assert "grad" not in texts(card_of(source, "x"))


def test_without_gradients_no_card_has_any():
    source = draw(fan_out(), gradients=False).source
    assert ">grad<" not in source
    assert "←" not in source


def test_a_result_that_needs_no_gradient_shows_none():
    source = draw(np.exp(ag.constant([1.0, 2.0], name="x"))).source
    assert ">grad<" not in source


def test_the_parts_of_a_gradient_stand_on_the_edges_and_add_up():
    source = draw(fan_out()).source
    parts = re.findall(r'label="← ([^"]*)"', source)
    assert sorted(parts) == ["2", "3"]
    assert texts(card_of(source, "b"))[-1] == "5"


def test_an_operand_used_twice_has_two_arrows():
    x = ag.Tensor(3.0, name="x")
    source = draw(x * x).source
    assert [(tail, head) for tail, head, _ in arrows(source)] == [("n0", "n1")] * 2
    assert source.count('label="← 3"') == 2


def test_a_bare_number_stands_on_the_card_of_its_operation():
    t = ag.Tensor(2.0, name="t")
    source = draw((1 - t) ** 3 / -4 + np.maximum(t, 0)).source
    shown = [text for line in cards(source).values() for text in texts(line)]
    assert {"1 −", "(·)³", "÷ (−4)", "max 0"} <= set(shown)
    assert "constant" not in shown


@pytest.mark.parametrize(
    ("compute", "label"),
    [
        (lambda a, b, W, v: a + b, "a + b"),
        (lambda a, b, W, v: a - (b - a), "a − (b − a)"),
        (lambda a, b, W, v: (a + b) * a, "(a + b) × a"),
        (lambda a, b, W, v: -a, "−a"),
        (lambda a, b, W, v: (-a) ** 2, "(−a)²"),
        (lambda a, b, W, v: (a * b) ** b, "(a × b) ^ b"),
        (lambda a, b, W, v: W @ v, "W₁v"),
        (lambda a, b, W, v: v @ v, "v·v"),
        (lambda a, b, W, v: W @ W.T, "W₁W₁ᵀ"),
        (lambda a, b, W, v: (W + W).T, "(W₁ + W₁)ᵀ"),
        (lambda a, b, W, v: ag.sigmoid(a), "σ(a)"),
        (lambda a, b, W, v: np.sum(v), "Σ(v)"),
        (lambda a, b, W, v: np.abs(a - 1), "|a − 1|"),
        (lambda a, b, W, v: v[0], "v[0]"),
        (lambda a, b, W, v: W[:, -1:], "W₁[:, −1:]"),
        (lambda a, b, W, v: (v + v)[1:], "(v + v)[1:]"),
        (lambda a, b, W, v: v[()], "v[()]"),
        (lambda a, b, W, v: v[[0, 1]], "v[…]"),
        (lambda a, b, W, v: np.exp(np.tanh(a + b) * (a + b)), None),
    ],
)
def test_a_result_without_a_name_is_called_by_its_formula(compute, label):
    a, b = ag.Tensor(2.0, name="a"), ag.Tensor(3.0, name="b")
    W, v = ag.Tensor([[1.0, 2.0], [3.0, 4.0]], name="W₁"), ag.Tensor([1.0, 2.0], name="v")
    result = compute(a, b, W, v)
    line = list(cards(draw(result).source).values())[-1]
    bold = [html.unescape(text) for text in re.findall(r"<B>([^<]*)</B>", line)]
    assert bold == ([] if label is None else [label])
    assert label is not None or result.op.name in texts(line)


def test_the_line_from_the_data_to_the_loss_is_straight():
    source = draw(batch()).source
    straight = [(tail, head) for tail, head, rest in arrows(source) if "weight=20" in rest]
    by_name = {texts(line)[0]: name for name, line in cards(source).items()}
    assert by_name["X"] in {tail for tail, _ in straight}
    heads = [tail for tail, _ in straight] + [straight[-1][1]]
    assert heads == sorted(heads, key=lambda name: int(name[1:]))
    assert len(straight) == 4


def test_a_parameter_hangs_under_its_operation_through_its_transpose():
    source = draw(batch()).source
    inside = source[source.index("subgraph cluster_0") : source.index("\n  }\n")]
    ranks = re.findall(r"\{rank=same; ([^}]*)\}", inside)
    by_name = {t: name for name, line in cards(source).items() for t in texts(line)}
    product = by_name["XW⁽¹⁾ᵀ"]
    assert f"{product}; {by_name['W⁽¹⁾ᵀ']}; {by_name['W⁽¹⁾']}" in ranks
    assert f"{by_name['a⁽¹⁾']}; {by_name['b⁽¹⁾']}" in ranks


def test_frames_nest_as_scopes_do():
    x = ag.Tensor(1.0, name="x")
    with ag.scope("outer"):
        h = np.tanh(x)
        with ag.scope("inner <1>"):
            h = np.tanh(h)
    source = draw(np.sum(h)).source
    outer, inner = source.index(">outer<"), source.index(">inner &lt;1&gt;<")
    assert outer < inner < source.index("}\n  }\n")
    assert "subgraph" not in draw(np.sum(h), depth=0).source
    assert "inner" in draw(np.sum(h), depth=1).source


@given(hnp.arrays(np.float64, SHAPES, elements=st.floats(width=64)))
def test_values_of_any_shape(values):
    with np.errstate(all="ignore"):
        result = np.sum(ag.Tensor(values, name="t") * 2.0)
    shown = texts(card_of(draw(result).source, "t"))
    if values.ndim:
        assert str(values.shape) in shown
    if values.size == 0:
        assert "empty" in shown
    elif values.size <= 12:
        value, grad = shown[: shown.index("grad")], shown[shown.index("grad") :]
        assert value[value.index("value") + 1 :][-values.size * 2 :].count("") < values.size
        expected = [number(x) for x in values.flat]
        assert [text for text in value[value.index("value") + 1 :] if text] == expected
        signs = ["✖ not finite"] * (not np.isfinite(values).all())
        assert [text for text in grad[1:] if text] == ["2"] * values.size + signs
    else:
        assert {"min", "mean", "max", "|grad| ≤", number(values.min())} <= set(shown)


@given(st.integers(0, 10**6), st.integers(13, 600), st.floats(1e-6, 1e6))
def test_the_mean_of_a_centred_column_is_zero(seed, size, scale):
    values = scale * np.random.default_rng(seed).normal(size=size)
    column = values - values.mean()
    assert measures(column) == (column.min(), 0, column.max())
    raised = column + 1e-13 * column.max()
    assert measures(raised)[1] == raised.mean() > 0


@pytest.mark.parametrize("data", [True, 3, [True, False], np.float32(0.1), np.arange(20)])
def test_values_of_any_kind(data):
    result = np.sum(ag.constant(data, name="c") * ag.Tensor(2.0, name="t"))
    assert "input" in card_of(draw(result).source, "c")


def test_a_leaf_draws_as_itself():
    source = draw(ag.Tensor([1.0, 2.0], name="w")).source
    assert f'fillcolor="{COLOURS["parameter"]}"' in card_of(source, "w")


def test_the_gradient_of_many_results_is_that_of_their_sum():
    source = draw((ag.Tensor([1.0, 2.0], name="w") * 3.0).named("v")).source
    assert "∂(Σ v)/∂(this node)" in source
    assert texts(card_of(source, "w"))[-2:] == ["3", "3"]


@pytest.mark.parametrize("make", [student, fan_out, batch])
def test_the_same_graph_gives_the_same_bytes(make):
    first, second = make(), make()
    assert draw(first).source == draw(first).source == draw(second).source
    assert renders(draw(first).source) == renders(draw(second).source)


def test_identifiers_are_positions_in_the_graph():
    result = student()
    names = list(cards(draw(result).source))
    assert sorted(names, key=lambda name: int(name[1:])) == [
        f"n{k}" for k in range(len(ag.Graph.of(result).nodes))
    ]


def test_drawing_leaves_the_graph_alone():
    result = student()
    before = {node: np.array(node.array) for node in ag.Graph.of(result).nodes}
    draw(result)
    for node, array in before.items():
        assert np.array_equal(node.array, array)
        assert node.grad is None
    assert np.shape(gradients(result).of[result]) == ()


@given(NAMES, NAMES, NAMES)
@settings(max_examples=60)
def test_any_name_is_shown_as_it_is_and_breaks_nothing(leaf, result, scope):
    with ag.scope(scope):
        t = np.tanh(ag.Tensor(2.0, name=leaf)).named(result)
    source = draw(t + 1).source
    shown = [text for line in cards(source).values() for text in texts(line)]
    for name in filter(printable, (leaf, result)):
        assert printable(name, 40).replace("\xa0", " ").strip().replace("\\", 2 * "\\") in shown
    bare = draw(np.tanh(ag.Tensor(2.0)) + 1).source
    assert len(source.splitlines()) == len(bare.splitlines()) + 3, "only the frame adds lines"


@given(st.lists(NAMES, min_size=3, max_size=3))
@settings(max_examples=15)
def test_graphviz_reads_any_name_and_writes_good_xml(names):
    with ag.scope(names[0]):
        t = np.tanh(ag.Tensor(2.0, name=names[1])).named(names[2])
    svg = renders(draw(t + 1).source)
    shown = "".join(ElementTree.fromstring(svg).itertext()).replace("\xa0", " ")
    for name in names:
        assert printable(name, 40).replace("\xa0", " ") in shown


@pytest.mark.parametrize("format", ["svg", "png", "pdf", "dot"])
def test_save_writes_what_the_suffix_says(tmp_path, format):
    drawing = draw(student())
    if format != "dot":
        renders(drawing.source, format)
    path = drawing.save(tmp_path / f"graph.{format.upper()}")
    head = {"svg": b"<?xml", "png": b"\x89PNG", "pdf": b"%PDF", "dot": b"digraph"}[format]
    assert path.read_bytes().startswith(head)
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("name", ["graph", "graph.jpeg", ".svg"])
def test_save_refuses_a_suffix_that_it_does_not_know(tmp_path, name):
    with pytest.raises(ValueError, match=r"must end in \.svg, \.png, \.pdf, \.dot or \.html"):
        draw(student()).save(tmp_path / name)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("depth", [-1, 1.5, True, "1"])
def test_a_depth_that_is_invalid(depth):
    with pytest.raises(ValueError, match="depth must be an integer from 0 on"):
        draw(student(), depth=depth)


def test_only_a_tensor_can_be_drawn():
    with pytest.raises(TypeError, match="ndarray"):
        draw(np.ones(3))
