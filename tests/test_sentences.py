"""Sentences are data: their words fit any numbers, and they can be printed by other programs."""

import json
import re

import numpy as np
import pytest
import rich
from hypothesis import given, settings
from hypothesis import strategies as st
from pages import batch, fan_out, layers

import autograd_lite as ag
from autograd_lite.explanation.sentences import Ref, Term, encoded, text_of, written
from autograd_lite.explanation.snapshot import Snapshot
from autograd_lite.explanation.words import Words
from autograd_lite.models.examples import perceptron, student, students
from autograd_lite.sweep import gradients
from autograd_lite.text import number, superscript


def words_of(result):
    return Words(Snapshot(ag.Graph.of(result), gradients(result)))


def sentences(words):
    """Every sentence about a graph, each with its node or edge by numbers."""
    graph = words.snapshot.graph
    place = {node: k for k, node in enumerate(graph.nodes)}
    for node in graph.nodes:
        if node.op is not None:
            yield (place[node], "forward"), words.forward(node)
        if node.requires_grad:
            yield (place[node], "backward"), words.backward(node)
    for consumer, k in words.snapshot.gradients.parts:
        yield (place[consumer], k), words.derivative(consumer, k)


@given(rich.programs(), st.data())
@settings(max_examples=60, deadline=None)
def test_the_words_fit_other_numbers(program, draw):
    """A sentence printed with the numbers of another run is the sentence about that run."""
    other = [draw.draw(rich.numbers(a.shape)) for a in program.arrays]
    runs = []
    with np.errstate(all="ignore"):
        for arrays in (program.arrays, other):
            leaves = [ag.Tensor(a, name=f"x{k}") for k, a in enumerate(arrays)]
            runs.append(words_of(program(*leaves)))
    first, second = runs
    places = dict(zip(first.snapshot.graph.nodes, second.snapshot.graph.nodes, strict=True))

    def array(kind, at):
        at = (places[at[0]], at[1]) if isinstance(at, tuple) else places[at]
        return second.snapshot.array(kind, at)

    expected = dict(sentences(second))
    for key, sentence in sentences(first):
        assert written(sentence, array) == second.text(expected[key])


def spoken(plain, array):
    """Print a sentence from JSON, as a program in another language would."""

    def part(p):
        if isinstance(p, str):
            return p
        kind, style, *at = p
        values = array(kind, tuple(at))
        if values is None:
            raise LookupError
        text = text_of(values)
        if style in ("range", "times"):
            flat = np.ravel(values)
            if flat.size and (flat == flat[0]).all():
                text = number(flat[0])
            elif flat.size > 2:
                text = f"{number(flat.min())} … {number(flat.max())}"
            elif not flat.size:
                text = ""
            if style == "range":
                return text
            return f" × ({text})" if "…" in text or text[:1] == "−" else f" × {text}"
        if style == "exponent" and text.isdecimal():
            return superscript(text)
        closed = f"({text})" if text[0] == "−" and style != "numbers" else text
        return f" ^ {closed}" if style == "exponent" else closed

    def term(t):
        parts, otherwise = (t["parts"], t["otherwise"]) if isinstance(t, dict) else (t, [])
        try:
            return "".join(map(part, parts))
        except LookupError:
            return "".join(otherwise)

    sides = [" + ".join(map(term, side)).replace("+ −", "− ") for side in plain]
    return " = ".join(dict.fromkeys(sides))


@pytest.mark.parametrize("make", [student, students, perceptron, fan_out, layers, batch])
def test_a_sentence_in_json_says_the_same(make):
    words = words_of(make())
    nodes = words.snapshot.graph.nodes
    place = {node: k for k, node in enumerate(nodes)}

    def array(kind, at):
        return words.snapshot.array(kind, (nodes[at[0]], at[1]) if at[1:] else nodes[at[0]])

    for _, sentence in sentences(words):
        plain = json.loads(json.dumps(encoded(sentence, place.__getitem__)))
        assert spoken(plain, array) == words.text(sentence)


def test_a_sentence_has_no_number_of_its_own():
    """The numbers of a graph without literals are references."""
    words = words_of(student(x=(7.25, -3.5), w=(0.625, 0.125), b=-0.375))
    for _, sentence in sentences(words):
        plain = json.dumps(encoded(sentence, lambda node: 0), ensure_ascii=False)
        assert not re.search(r"\d\.\d", plain)


POWERS = {2.0: "x² = 3² = 9", 2.5: "3 ^ 2.5", -2.0: "3 ^ (−2)"}


@pytest.mark.parametrize("exponent", POWERS)
def test_an_exponent_is_written_as_its_number_requires(exponent):
    x, p = ag.Tensor(3.0, name="x"), ag.Tensor(exponent, name="p")
    words = words_of(x**p)
    node = words.snapshot.graph.outputs[0]
    text = words.text(words.forward(node))
    assert POWERS[exponent].removeprefix("x² = ").partition(" = ")[0] in text


def test_a_negative_number_is_in_parentheses_where_a_sign_is_before_it():
    a, b = ag.Tensor(-2.0, name="a"), ag.Tensor(-3.0, name="b")
    words = words_of(a * -b)
    *_, negative, product = words.snapshot.graph.nodes
    assert words.text(words.forward(negative)) == "−b = −(−3) = 3"
    assert words.text(words.forward(product)) == "a × (−b) = −2 × 3 = −6"
    assert words.text(words.backward(a)) == "∂L/∂a = 1 × 3 = 3"
    words = words_of(a + b)
    assert words.text(words.forward(words.snapshot.graph.outputs[0])) == "a + b = −2 + (−3) = −5"
    words = words_of((a * b).named("L"))
    assert words.text(words.backward(a)) == "∂L/∂a = 1 × (−3) = −3"


def test_a_term_without_its_number_is_said_otherwise():
    term = Term(("2 × ", Ref("local", "x")), ("the rest",))
    assert written(((Term(("z",)),), (term,)), lambda kind, at: None) == "z = the rest"
    # σ far below 0: the gradient of its log comes from the stable form, not from the factors.
    z = ag.Tensor(-800.0, name="z")
    words = words_of(np.log(ag.sigmoid(z)).named("L"))
    texts = [words.text(words.backward(n)) for n in words.snapshot.graph.nodes if n.requires_grad]
    assert texts[0] == "∂L/∂z = the part of ∂L/∂σ(z) through σ = 1"


@pytest.mark.parametrize(
    ("name", "written"),
    [("w", "∂w"), ("h⁽¹⁾", "∂h⁽¹⁾"), ("v₁²", "∂(v₁²)"), ("w × x", "∂(w × x)"), ("σ(z)", "∂σ(z)")],
)
def test_a_power_below_a_partial_is_in_parentheses(name, written):
    z = ag.Tensor(1.0, name=name)
    assert words_of(z).partial(z) == written


def test_a_product_of_letters_is_in_parentheses_where_it_would_read_as_another():
    A, B, v = (ag.Tensor(np.eye(2), name=letter) for letter in "ABv")
    words = words_of((A @ B.T @ v).sum().named("L"))
    nodes = {words.name(node): node for node in words.snapshot.graph.nodes}
    assert words.text(words.backward(v)).startswith("∂L/∂v = (ABᵀ)ᵀ · ∂L/∂(ABᵀ·v)")
    assert words.of(nodes["ABᵀ"]) == "∂L/∂(ABᵀ)"
    assert words.text(words.backward(nodes["Bᵀ"])).startswith("∂L/∂Bᵀ = Aᵀ · ∂L/∂(ABᵀ)")
