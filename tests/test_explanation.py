"""A walkthrough: its numbers are those of the engine, and its products can be computed again."""

import re
import sys
from contextlib import contextmanager

import numpy as np
import pytest
import rich
import walked
from hypothesis import given, settings
from operands import cases
from pages import fan_out, layers

import autograd_lite as ag
from autograd_lite.explanation import writer
from autograd_lite.explanation.equations import Equations
from autograd_lite.explanation.sentences import Ref
from autograd_lite.explanation.snapshot import Snapshot
from autograd_lite.explanation.update import replayed
from autograd_lite.models.examples import perceptron, student, students
from autograd_lite.op import OPS
from autograd_lite.sweep import gradients
from autograd_lite.testing import programs
from autograd_lite.text import number


def checked(loss, learning_rate=0.1):
    """How many products of a walkthrough agree with their results; all must."""
    count = 0
    page = ag.walkthrough(loss, learning_rate).html()
    for left, side, computed, printed in walked.products(page):
        assert walked.agree(computed, printed), (left, side, computed.mid, printed.mid)
        count += 1
    return count


@contextmanager
def numbers_only():
    """Closed forms take most of the time, and some tests do not look at them."""
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        patch.setattr(writer, "_closed_forms", lambda loss, equations: ({}, []))
        yield


def leaves_of(program):
    return [ag.Tensor(a, name=f"x{k}") for k, a in enumerate(program.arrays)]


@pytest.mark.parametrize(
    ("make", "count"), [(student, 9), (students, 6), (perceptron, 18), (fan_out, 11), (layers, 16)]
)
def test_each_printed_product_follows_from_the_printed_factors(make, count):
    assert checked(make()) == count


@given(rich.programs())
@settings(max_examples=50, deadline=None)
def test_of_rich_programs_too(program):
    with numbers_only():
        checked(program(*leaves_of(program)))


@given(programs(max_size=10))
@settings(max_examples=50, deadline=None)
def test_of_programs_of_matrices_too(program):
    with numbers_only():
        assert checked(program(*leaves_of(program))) > 0


@pytest.mark.parametrize("factor", [1.001, -1])
def test_a_wrong_factor_is_caught(monkeypatch, factor):
    right = Snapshot.array

    def wrong(self, kind, at):
        array = right(self, kind, at)
        return array * factor if kind == "local" and array is not None else array

    monkeypatch.setattr(Snapshot, "array", wrong)
    with pytest.raises(AssertionError, match="∂L/∂"):
        checked(perceptron())


# A cross product is written with the sign of another product and einsum with that of a sum; the
# other two have no operands by name.
ALONE = [
    op
    for op in OPS.values()
    if op.differentiable and op.name not in ("cross", "einsum", "completion", "arbitrary")
]


@pytest.mark.parametrize("op", ALONE, ids=lambda op: op.name)
def test_every_operation(op):
    @given(cases(op))
    @settings(max_examples=2, deadline=None)
    def check(case):
        leaves = [ag.Tensor(x) if np.asarray(x).dtype.kind == "f" else x for x in case.operands]
        with numbers_only():
            out = case(*leaves)
            several = isinstance(out.array, tuple)
            loss = sum(np.sum(part * part) for part in (list(out) if several else [out]))
            if loss.requires_grad:
                checked(loss, 1e-3)

    check()


def test_every_number_of_the_derivation_of_the_perceptron():
    text, loss = str(ag.walkthrough(perceptron(), 0.1)), perceptron()
    loss.backward()
    node = {t.name: t for t in ag.Graph.of(loss).nodes}
    found = {t.name: g for t, g in gradients(loss).of.items()}
    for name in ("a⁽¹⁾", "h⁽¹⁾", "z", "ŷ", "L"):
        [line] = [x for x in text.partition("## 2")[0].splitlines() if x.startswith(f"{name} = ")]
        block = text[text.index(line) :].partition("\n\n")[0]
        assert all(number(x) in block for x in np.ravel(node[name].array))
    for name in ("z", "w", "h⁽¹⁾", "a⁽¹⁾", "b⁽¹⁾", "W⁽¹⁾", "b", "ŷ"):
        block = text[text.index(f"∂L/∂{name} = ") :].partition("\n\n")[0]
        assert all(number(x) in block for x in np.ravel(found[name]))
    assert "(∂L/∂(X W⁽¹⁾ᵀ))ᵀ · X " in text
    assert "an outer product\n         = ⎡−0.1828⎤ · [1  2]" in text


def test_closed_forms_stand_beside():
    pytest.importorskip("sympy")
    text = str(ag.walkthrough(perceptron()))
    block = text[text.index("∂L/∂z = ") :].partition("\n\n")[0]
    assert block.splitlines()[-1] == "      = ŷ − y   (closed form)"
    assert "In the closed forms, g = ReLU, g′(a) = 1[a > 0]." in text


def test_closed_forms_have_the_names_of_the_walkthrough():
    pytest.importorskip("sympy")
    W, h = ag.Tensor([[0.1, 0.2], [0.3, 0.4]], name="W"), ag.constant([0.1, 0.2], name="h")
    for _ in range(2):
        h = np.tanh(W @ h).named("h")
    text = str(ag.walkthrough((h @ h).named("L")))
    assert "       = 2h₃   (closed form)" in text
    assert text.count("h₁ᵀ + ") == text.count(" h₂ᵀ   (closed form)") == 1
    x = ag.Tensor([1.0, 2.0])
    assert "       = 2θ₁   (closed form)" in str(ag.walkthrough((x * x).sum()))


def test_sums_and_products_keep_their_parentheses_in_closed_forms():
    pytest.importorskip("sympy")
    x = ag.Tensor([[1.0, 2.0], [3.0, -4.0]], name="x")
    c = x - x.mean(axis=0, keepdims=True)
    text = str(ag.walkthrough((c / np.sqrt((c * c).sum(axis=1, keepdims=True))).max(axis=1).sum()))
    assert "= ∂L/∂(x − mean(x)) − (1/2) 𝟏ᵀ ∂L/∂(x − mean(x))   (closed form)" in text
    long = ag.Tensor(2.0, name="a + " + "b" * 100)
    text = str(ag.walkthrough((long * long * x).sum()))
    assert f"= 2(a + {'b' * 35}…) Σ x   (closed form)" in text


@pytest.mark.parametrize(
    ("make", "shown"),
    [
        (lambda a, b: a - (-3.0) * b, "a − (−3 × b)"),
        (lambda a, b: a + -b, "a + (−b)"),
        (lambda a, b: b**2 * a, "b² × a"),
        (lambda a, b: (a + b) ** 2, "(a + b)²"),
        (lambda a, b: a - (b - 1), "a − (b − 1)"),
        (lambda a, b: -3.0 * a, "−3 × a"),
        (lambda a, b: 1e-5 * a, "1e−5 × a"),
        (lambda a, b: a - 2 / b, "a − 2 ÷ b"),
        (lambda a, b: a == b, "(a = b)"),
        (lambda a, b: (a > 0) * b, "(a > 0) × b"),
    ],
)
def test_a_formula_reads_as_what_it_computes(make, shown):
    a, b, words = (ag.Tensor(x, name=name) for x, name in ((2.0, "a"), (-3.0, "b"), (4.0, "the c")))
    assert f"L = {shown} " in str(ag.walkthrough(make(a, b).named("L")))
    assert "L = (the c)² × a " in str(ag.walkthrough((words**2 * a).named("L")))


def value_of(text, values):
    """The value of a formula of numbers and names."""
    for name in sorted(values, key=len, reverse=True):
        text = text.replace(name, f"({values[name]!r})")
    for sign, meaning in zip("×÷−²^", ("*", "/", "-", "**2", "**"), strict=True):
        text = text.replace(sign, meaning)
    return eval(text, {"sin": np.sin})


@pytest.mark.parametrize("seed", range(60))
def test_what_is_written_in_symbols_has_the_value(seed):
    """Names are distinct, and parentheses stand where they are needed."""
    random = np.random.default_rng(seed)
    made = [ag.Tensor(x, name=name) for x, name in zip(random.normal(size=3), "pqr", strict=True)]
    for _ in range(7):
        a, b = (made[k] for k in random.integers(len(made), size=2))
        results = (
            a + b, a - b, a * b, a / (b * b + 1), -a, a**2, -3.0 * a, a - (-2.5), np.sin(a),
            (a * b).named("u"), (a > b) * b, a - 1e-5 * b,
        )  # fmt: skip
        made.append(results[random.integers(len(results))])
    graph, found = ag.Graph.of(made[-1]), gradients(made[-1])
    words = Equations(Snapshot(graph, found, distinct=True))
    value, letter = words.snapshot.array, re.compile("[pqruvL][₀-₉]*")
    values = {words.name(x): float(x.data) for x in graph.nodes if letter.fullmatch(words.name(x))}
    slopes = {words.of(x): float(g) for x in graph.nodes if (g := value("gradient", x)) is not None}
    for x in graph.nodes:
        uses = words.edges(x)
        for c, k in uses:
            slopes[f"{words.partial(c)}/{words.partial(x)}"] = float(value("local", (c, k)))
        twice = len({c for c, _ in uses}) < len(uses)  # ∂(a × a)/∂a is two derivatives
        for sides, known, result in (
            (words.forward(x) if x.op else (), values, float(x.data)),
            (words.backward(x) if uses and not twice else (), slopes, value("gradient", x)),
        ):
            for side in sides[1:-1]:
                if not any(isinstance(part, Ref) for term in side for part in term.parts):
                    text = " + ".join("".join(term.parts) for term in side)
                    np.testing.assert_allclose(value_of(text, known), result, err_msg=text)


def test_a_closed_form_that_is_the_number_is_not_repeated():
    a, b = ag.Tensor(2.0, name="a"), ag.Tensor(-3.0, name="b")
    text = str(ag.walkthrough((a - 3 * b).named("L")))
    assert "∂L/∂b = ∂L/∂(3 × b) × ∂(3 × b)/∂b" in text
    assert "closed" not in text


def test_the_letter_of_the_learning_rate_is_not_that_of_a_penalty():
    w = ag.Tensor(2.0, name="w")
    text = str(ag.walkthrough((ag.constant(0.5, name="α") * w * w).named("L"), 0.1))
    assert "learning rate η = 0.1" in text
    assert "new w = w − η ∂L/∂w\n      = 2 − 0.1 × 2\n" in text


@pytest.mark.parametrize(
    ("reduction", "loss", "divided"),
    [("mean", ", its mean", " / m"), ("sum", ", its sum", ""), ("none", "", "")],
)
def test_the_rule_of_a_loss_is_that_of_its_reduction(reduction, loss, divided):
    p, y = ag.Tensor([0.2, 0.6], name="p"), ag.constant([0.0, 1.0], name="y")
    losses = ag.binary_cross_entropy(p, y, reduction=reduction)
    lines = str(ag.walkthrough(losses.named("L"))).splitlines()
    rules = [line.partition("binary_cross_entropy: ")[2] for line in lines]
    assert list(filter(None, rules)) == [
        f"−(y log ŷ + (1 − y) log(1 − ŷ)){loss}", f"g ((1 − y)/(1 − ŷ) − y/ŷ){divided}",
    ]  # fmt: skip


def test_without_sympy_the_numbers_are_there(monkeypatch):
    monkeypatch.setitem(sys.modules, "sympy", None)
    text = str(ag.walkthrough(perceptron()))
    assert "closed form" not in text
    assert "      = −1.3535 × 0.193\n      = −0.2611\n" in text


def test_a_value_that_is_used_twice():
    text = str(ag.walkthrough(fan_out()))
    block = text[text.index("∂e/∂b = ") :].partition("\n\n")[0]
    assert block.splitlines()[1:3] == ["      = 2 + 3", "      = 5"]


def test_forward_again_is_the_forward_of_the_new_parameters():
    loss, rate = student(), 0.1
    node = {t.name: t for t in ag.Graph.of(loss).nodes}
    found = gradients(loss).of
    w, b = (node[name].array - rate * found[node[name]] for name in "wb")
    after = student(w=w, b=b).item()
    text = str(ag.walkthrough(loss, rate))
    assert f"The step took L from {number(loss.item())} to {number(after)}." in text
    assert node["w"].array.tolist() == [0.1, -0.2], "the Tensors keep their data"


@given(rich.programs())
@settings(max_examples=40, deadline=None)
def test_a_replay_is_another_run(program):
    leaves = leaves_of(program)
    loss = program(*leaves)
    new = {x: x.array * 0.75 + 0.125 for x in leaves if x in ag.Graph.of(loss).consumers}
    other = program(*(ag.Tensor(new.get(x, x.array)) for x in leaves))
    if new:
        assert replayed(ag.Graph.of(loss), new)[loss] == other.item()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_replay_keeps_the_dtype(dtype):
    x = ag.Tensor(np.array([1.0, 2.0], dtype), name="x")
    loss = np.mean(x * 2 + 0.5) / 3
    assert replayed(ag.Graph.of(loss), {x: x.array})[loss].dtype == dtype


def test_a_replay_is_stable_where_the_engine_is():
    z = ag.Tensor(-800.0, name="z")
    loss = np.log(ag.sigmoid(z)).named("L")
    assert replayed(ag.Graph.of(loss), {z: np.float64(-900.0)})[loss] == -900


def test_the_program_does_not_run_again():
    calls = []

    def loss(w):
        calls.append(1)
        return np.sum(w * w).named("L")

    result = loss(ag.Tensor([1.0, 2.0], name="w"))
    ag.walkthrough(result, 0.1)
    assert calls == [1]


def test_training_afterwards_does_not_change_it():
    w = ag.Tensor([1.0, 2.0], name="w")
    loss = np.sum(w * w).named("L")
    walk = ag.walkthrough(loss, 0.1)
    before = str(walk)
    w.data = np.array([5.0, 5.0])
    assert str(walk) == before == str(ag.walkthrough(loss, 0.1))


def test_equal_graphs_give_equal_files():
    one, two = (ag.walkthrough(perceptron(), 0.1) for _ in range(2))
    assert one.html() == two.html()
    assert one.notebook() == two.notebook()


def test_every_node_has_a_name_of_its_own():
    a, b = ag.Tensor(1.0, name="v₁"), ag.Tensor(2.0, name="v₁")
    h = np.tanh(np.tanh(np.tanh(np.tanh(a * b))))
    loss = (h * h + h * h).named("v₁")
    graph = ag.Graph.of(loss)
    names = Equations(Snapshot(graph, gradients(loss), distinct=True)).snapshot.names
    assert len(set(names.values())) == len(graph.nodes)


def test_a_name_that_several_nodes_have_gets_numbers():
    x, h = ag.Tensor(0.5, name="x"), ag.constant(0.0, name="h₂")
    for _ in range(3):
        h = np.tanh(x + h).named("h")
    text = str(ag.walkthrough((h * h).named("L")))
    assert "h₁ = tanh(x + h₂)" in text
    assert "h₃ = tanh(x + h₁)" in text
    assert "h₄ = tanh(x + h₃)" in text
    assert "L = h₄ × h₄" in text
