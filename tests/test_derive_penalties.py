"""A loss with a penalty, as written by hand: each term keeps its own number."""

from __future__ import annotations

import numpy as np
import pytest
from derived_forms import agree
from hypothesis import given, settings
from hypothesis import strategies as st
from test_derive_reading import read_back

import autograd_lite as ag
from autograd_lite.models import LinearRegression, LogisticRegression, MLPClassifier

pytest.importorskip("sympy")

RANDOM = np.random.default_rng(11)
LABELS = np.array([1.0, 0, 1, 1, 0, 1])


def forms(loss, **options):
    derivation = ag.derive(loss, **options)
    names = derivation._writer.names
    return {names[x.position]: str(form) for x, form in derivation.closed_form.items()}


def regression():
    """The mean cross-entropy of a logistic regression, the mean square of a linear one, and w."""
    A, y = ag.constant(RANDOM.normal(size=(6, 3)), "A"), ag.constant(LABELS, "y")
    w = ag.Tensor(RANDOM.normal(size=3), "w")
    ŷ = ag.sigmoid((A @ w).named("z")).named("ŷ")
    entropy = -np.mean(y * np.log(ŷ) + (1 - y) * np.log(1 - ŷ))
    return entropy, np.mean((A @ w - y) ** 2), w


def number(name):
    return ag.constant(0.1, name)


@pytest.mark.parametrize(
    ("penalty", "form"),
    [
        (lambda w: number("λ") / 2 * np.sum(w**2), "λw"),
        (lambda w: number("λ") * (w @ w), "2λw"),
        (lambda w: number("λ") * np.linalg.norm(w) ** 2, "2λw"),
        (
            lambda w: number("α") * np.sum(np.abs(w)) + number("λ") / 2 * np.sum(w**2),
            "α sign(w) + λw",
        ),
    ],
)
def test_a_penalty_keeps_its_number(penalty, form):
    entropy, squares, w = regression()
    assert forms(entropy + penalty(w)) == {"w": f"(1/6) Aᵀ(ŷ − y) + {form}"}
    assert forms(entropy + penalty(w), lengths=True) == {"w": f"(1/m) Aᵀ(ŷ − y) + {form}"}
    assert forms(squares + penalty(w)) == {"w": f"(1/3) Aᵀ(Aw − y) + {form}"}


@st.composite
def ends(draw):
    """The shape of a vector or a matrix, and a key that takes one end of one of its axes."""
    shape = tuple(draw(st.lists(st.integers(2, 4), min_size=1, max_size=2)))
    axis = draw(st.integers(0, len(shape) - 1))
    k = draw(st.integers(1, shape[axis] - 1))
    starts, stops = [k, k - shape[axis]], [None, 0]
    end = draw(
        st.builds(slice, st.sampled_from(starts), st.sampled_from([None, shape[axis]]))
        | st.builds(slice, st.sampled_from(stops), st.sampled_from(starts))
    )
    is_short = axis == len(shape) - 1 and draw(st.booleans())
    return shape, (*([...] if is_short else [slice(None)] * axis), end)


@settings(max_examples=40)
@given(ends(), st.integers(0, 2**32 - 1))
def test_a_penalty_on_one_end_stands_beside_zeros(end, seed):
    """The formula is read back: (0, α w[1:]) is 0 where w is not penalised."""
    (shape, key), random = end, np.random.default_rng(seed)
    W = ag.Tensor(random.normal(size=shape), "W")
    z = ag.constant(random.normal(size=(5, shape[0])), "A") @ W
    L = np.mean((z - 1) ** 2) + number("α") / 2 * np.sum(W[key] ** 2)
    form = str(agree(L).closed_form[W])
    assert "(0" in form or "0)" in form
    read_back(ag.derive(L))


@pytest.mark.parametrize(
    ("key", "form"),
    [
        (1, "2w[1] e₁"),
        (slice(1, 3), "2Sᵀ w[1:3]"),
        (slice(None, None, -1), "2Sᵀ w[::-1]"),
        (slice(0, 3, 2), "2Sᵀ w[0:3:2]"),
        ([0, 1], "2SᵀSw"),
        ((slice(1, None), None), "2Sᵀ(w[1:, None])"),
    ],
)
def test_what_is_no_end_is_put_at_its_place(key, form):
    w = ag.Tensor(RANDOM.normal(size=4), "w")
    derivation = agree(np.sum(w[key] ** 2))
    assert str(derivation.closed_form[w]) == form
    read_back(derivation)
    assert forms(np.sum(w[1:])) == {"w": "Sᵀ𝟏"}


def test_the_intercept_of_a_model_is_not_penalised():
    X, three = RANDOM.normal(size=(6, 3)), [0, 1, 2, 0, 1, 2]
    column = LogisticRegression(alpha=0.1)
    separate = LogisticRegression(intercept="separate", alpha=0.1)
    found = {
        "column": forms(column.loss_graph(X, LABELS), lengths=True),
        "separate": forms(separate.loss_graph(X, LABELS), lengths=True),
        "three classes": forms(column.loss_graph(X, three), lengths=True),
    }
    assert found == {
        "column": {"w": "(1/m) Aᵀ(ŷ − y) + (0, α w[1:])"},
        "separate": {"w": "(1/m) Xᵀ(ŷ − y) + αw", "b": "(1/m) Σ(ŷ − y)"},
        "three classes": {"W": "(1/m)(ŷ − y)ᵀA + (0, α W[:, 1:])"},
    }


def definitions(loss):
    """The formulas of a loss and of its part without the penalty."""
    written = ((name, str(form)) for name, form in ag.derive(loss, lengths=True).definitions())
    return {name: text for name, text in written if name in "EL"}


def test_a_loss_and_its_penalty_read_in_that_order():
    X, y = RANDOM.normal(size=(6, 3)), [0, 1, 2, 0, 1, 2]
    assert definitions(LinearRegression(alpha=0.1).loss_graph(X, LABELS)) == {
        "E": "(1/(2m)) ‖ŷ − y‖²",
        "L": "E + α ‖w[1:]‖²/2",
    }
    assert definitions(MLPClassifier(4, alpha=0.1, random_state=0).loss_graph(X, y)) == {
        "E": "−(1/m) Σ(y ⊙ log(ŷ))",
        "L": "E + α (‖W⁽¹⁾‖² + ‖W‖²)/2",
    }


@pytest.mark.parametrize("labels", [LABELS, [0, 1, 2, 0, 1, 2]])
def test_the_steps_of_a_penalised_perceptron(labels):
    L = MLPClassifier(4, alpha=0.1, random_state=0).loss_graph(RANDOM.normal(size=(6, 3)), labels)
    steps = {step.name: str(step.product) for step in ag.derive(L, lengths=True).steps}
    assert steps["∂L/∂E"] == "1"
    assert steps["∂L/∂ŷ"].startswith(("(1/m) ∂L/∂E ", "−(1/m) ∂L/∂E "))
    assert steps["∂L/∂a⁽¹⁾"] == "∂L/∂h⁽¹⁾ ⊙ g′(a⁽¹⁾)"
    assert steps["∂L/∂W⁽¹⁾"] == "(∂L/∂a⁽¹⁾)ᵀ X + α W⁽¹⁾"


def test_a_penalty_on_every_layer():
    L = MLPClassifier(4, random_state=0).loss_graph(RANDOM.normal(size=(6, 3)), LABELS)
    weights = [n for n in ag.Graph.of(L).nodes if n.name in ("W⁽¹⁾", "w")]
    L = (L + number("λ") / 2 * sum(np.sum(W**2) for W in weights)).named("J")
    found = forms(L)
    assert found["W⁽¹⁾"] == "(∂J/∂a⁽¹⁾)ᵀ X + λ W⁽¹⁾"
    assert found["w"] == "(1/6) h⁽¹⁾ᵀ(ŷ − y) + λw"


def test_a_common_number_is_factored_out_where_that_is_shorter():
    x, y = ag.Tensor([1.0, 2.0], "x"), ag.constant([3.0, 4.0], "y")
    assert forms(np.sum((x - y) ** 2) / 4) == {"x": "(1/2)(x − y)"}
    assert forms(np.sum(x**2 + 4 * x * y)) == {"x": "2(x + 2y)"}
    assert forms(np.sum(x**2 / 12 + x * y)) == {"x": "(1/6) x + y"}


def test_numbers_read_as_the_program_writes_them():
    entropy, squares, w = regression()
    assert forms(entropy + 0.01 / 2 * np.sum(w**2)) == {"w": "(1/6) Aᵀ(ŷ − y) + 0.01w"}
    assert forms(squares + 0.05 * np.sum(w**2) + 0.1 * np.sum(np.abs(w))) == {
        "w": "(1/3) Aᵀ(Aw − y) + 0.1w + 0.1 sign(w)"
    }
    x = ag.Tensor(RANDOM.normal(size=10), "x")
    assert forms(np.mean(x**2) / 2) == {"x": "(1/10) x"}
    assert forms(np.sum(x**2) / np.sqrt(8)) == {"x": "2x/√8"}
    assert forms(np.sum(x) * np.log(2 * np.pi) + x[0] * 0) == {"x": "log(2π)"}
    assert forms(np.sum(x**2) * np.pi / 2) == {"x": "πx"}
    assert forms(np.sum(1e-5 * x)) == {"x": "10⁻⁵"}
    (form,) = ag.derive(np.sum(1e-5 * x**3 * np.sqrt(2 / np.pi))).closed_form.values()
    assert form.text() == "3 · 10⁻⁵ √(2/π) x²"
    assert form.latex() == r"3 \cdot 10^{-5} \, \sqrt{\frac{2}{\pi}} \, x^{2}"
