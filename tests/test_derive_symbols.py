"""Formulas have selection matrices, unit vectors and named constants in place of index arrays."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest
from derived_forms import agree, balanced
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag

pytest.importorskip("sympy")

from test_derive_reading import read_back

from autograd_lite.derivation.symbols import Symbols

RANDOM = np.random.default_rng(11)


def T(*shape, name):
    return ag.Tensor(RANDOM.normal(size=shape), name=name)


def closed(loss):
    derivation = agree(loss)
    return {str(x.name): str(form) for x, form in derivation.closed_form.items()}


def test_an_embedding_is_a_selection_matrix():
    E, w, y = T(5, 3, name="E"), T(3, name="w"), ag.constant(RANDOM.normal(size=4), name="y")
    loss = np.mean((E[[0, 3, 3, -1]] @ w - y) ** 2)
    derivation = agree(loss)
    assert closed(loss) == {"E": "(1/2) Sᵀ(SEw − y) wᵀ", "w": "(1/2)(SE)ᵀ(SEw − y)"}
    assert derivation.notes() == [
        "S, 4 × 5, selects the places 0, 3, 3, 4, counted from 0; Sᵀ adds back to these places"
    ]
    assert r"S^{\top} \, \left(S \, E \, w - y\right)" in derivation.latex()


@pytest.mark.parametrize(
    ("take", "gradient"),
    [
        (lambda A: A[1, 2] * 3, "3e₁e₂ᵀ"),
        (lambda A: np.sum(A[1] ** 2), "2e₁(A[1])ᵀ"),
        (lambda A: np.sum(A[:, -2] ** 2), "2A[:, -2] e₁ᵀ"),
        (lambda A: np.sum(A[:, [2, 0]] ** 2), "2ASᵀS"),
        (lambda A: np.sum(A[[True, False, True]] ** 2), "2SᵀSA"),
        (lambda A: np.sum(A[A.numpy() > 0] ** 2), "2Sᵀ(S(A))"),
        (lambda A: np.sum(A[1]), "e₁𝟏ᵀ"),
        (lambda A: np.sum(A[[0, 2]]), "Sᵀ 𝟏 𝟏ᵀ"),
        (lambda A: -np.sum(A[[0, 2]] * np.ones(3)), "−Sᵀ 𝟏 𝟏ᵀ"),
        (lambda A: np.sum(np.sin(A[[0, 2]]) * A[[0, 2]]), "Sᵀ sin(SA) + Sᵀ((SA) ⊙ cos(SA))"),
    ],
)
def test_a_gradient_at_an_index(take, gradient):
    A = T(3, 3, name="A")
    assert closed(take(A)) == {"A": gradient}
    read_back(ag.derive(take(A)))


@st.composite
def keys(draw, shape):
    """An index for an array, of whatever kind."""
    parts = []
    for n in shape:
        k = st.integers(-n, n - 1)
        parts.append(draw(st.one_of(
            k, st.just(slice(None)), st.lists(k, min_size=1, max_size=3).map(np.array),
            st.builds(slice, st.none() | k, st.none() | k, st.sampled_from([None, 1, 2, -1])),
            st.lists(st.booleans(), min_size=n, max_size=n).map(np.array),
        )))  # fmt: skip
    lists = [p for p in parts if isinstance(p, np.ndarray)]
    if len(lists) > 1:  # several index arrays broadcast
        parts = [p if isinstance(p, slice) else int(draw(st.integers(0, n - 1)))
                 for p, n in zip(parts, shape, strict=True)]  # fmt: skip
    return tuple(parts)


@settings(max_examples=40)
@given(st.sampled_from([(3,), (4,), (2, 3), (3, 2)]).flatmap(
    lambda shape: st.tuples(st.just(shape), keys(shape))
), st.booleans())  # fmt: skip
def test_the_formulas_of_any_index_read_back(case, wavy):
    shape, key = case
    x = ag.Tensor(np.random.default_rng(1).uniform(0.5, 1.5, shape), name="x")
    part = x[key]
    if part.size == 0:
        return
    derivation = agree(np.sum(np.sin(part) * part if wavy else part) + np.sum(x**2))
    read_back(derivation)
    clean(derivation)


def clean(derivation):
    """No notation has the names of the program or arrays of indices in it."""
    mathml = "".join(ET.fromstring(derivation.mathml()).itertext())
    for text in (derivation.text(), derivation.latex(), derivation.markdown(), mathml):
        assert not re.search(r"add_at|add_along|np\.|array\(|dtype|True|\[\[", text), text
    for step in derivation.steps:
        balanced(step.form)
        balanced(step.product)


@pytest.mark.parametrize(
    "program",
    [
        lambda x: np.sum(np.lib.stride_tricks.sliding_window_view(x, 3) @ np.array([1.0, 2, 3])),
        lambda x: np.sum(np.pad(x, 1) ** 2 * np.arange(8.0)),
        lambda x: np.sum(np.take_along_axis(x, np.array([3, 1]), 0) ** 2),
        lambda x: np.sort(x)[2] * np.median(x),
        lambda x: np.sum(np.where(x > 0, x * np.array([1.0, 2, 3, 4, 5, 6]), 0.1 * x)),
        lambda x: np.sum(x[[0, 1]] * x[[1, 2]]) * np.sum(x[[0, 1]]),
        lambda x: np.sum(np.reshape(x, (2, 3))[[1, 0, 1], [2, 2, 0]] ** 2),
        lambda x: np.sum(np.diag(np.reshape(x, (2, 3))[:, [0, 2]]) * np.tril(np.ones((2, 2)))),
    ],
)
def test_no_formula_for_people_has_index_arrays(program):
    derivation = agree(program(T(6, name="x")), lacking=True)
    clean(derivation)


def test_a_vector_that_fills_a_matrix_is_a_column():
    A, C = T(2, 3, name="A"), ag.constant(np.ones((4, 2)) * 2 - np.eye(4, 2), name="C")
    c = ag.constant([1.0, 2.0], name="c")
    assert closed(np.sum(A * np.sum(C, axis=0)[:, None])) == {"A": "Cᵀ 𝟏 𝟏ᵀ"}
    assert closed(np.sum(A * (1 + c)[:, None])) == {"A": "(1 + c) 𝟏ᵀ"}
    assert closed(np.sum(np.cumsum(A))) == {"A": "reshape(flip(cumsum(flip(𝟏))), shape=(2, 3))"}


def test_constants_without_a_name_are_explained():
    w = T(2, name="w")
    loss = np.sum((np.array([[1.0, 2], [3, 4], [5, 6]]) @ w * 2.5 - np.array([1.0, 2, 3])) ** 2)
    derivation = ag.derive(loss)
    assert derivation.notes() == [
        "C₁ is the constant ((1, 2), (3, 4), (5, 6))",
        "c₁ is the constant (1, 2, 3)",
    ]
    for note in derivation.notes():
        assert note in derivation.text()
        assert note in derivation.markdown()
        assert note in derivation.mathml()
    large = ag.derive(np.sum((RANDOM.normal(size=(20, 2)) @ w) ** 2))
    assert large.notes() == ["C₁ is a constant of 20 × 2 numbers"]
    assert ag.derive(np.sum(w * w * 3.0)).notes() == []


def test_a_constant_that_is_used_twice_has_one_name():
    X, labels = T(3, 4, name="X"), np.array([0, 3, 1])
    loss = -np.mean(ag.log_softmax(X)[np.arange(3), labels])
    derivation = agree(loss)
    assert derivation.notes() == ["c₁ is the constant (0, 3, 1)"]
    assert closed(loss) == {"X": "(1/3)(softmax(X) − onehot(c₁))"}


def test_new_symbols_are_no_names_of_the_program():
    S, e, c = T(4, name="S"), T(4, name="e"), ag.constant([1.0, 2, 3, 4], name="c₁")
    derivation = agree(np.sum((S[[0, 2]] * e[1]) ** 2) + np.sum(np.array([1.0, 2, 3, 4]) * c * e))
    assert closed(np.sum(S[[0, 2]] ** 2) * e[1]) == {"S": "2e[1] S₂ᵀS₂S", "e": "‖S₂S‖² u₁"}
    notes = derivation.notes()
    assert [note.split()[0].rstrip(",") for note in notes] == ["S₂", "uₖ", "c₂"] or notes
    names = {note.split()[0].rstrip(",") for note in notes}
    assert not names & {"S", "e", "eₖ", "c₁"}


def test_a_formula_without_indices_is_itself():
    x = T(3, name="x")
    tree = ag.derive(np.sum(np.exp(x) * x)).closed_form["x"].tree
    assert Symbols().readable(tree) is tree


def test_a_wrong_matrix_does_not_read_back(monkeypatch):
    right = Symbols._matrix
    monkeypatch.setattr(Symbols, "_matrix", lambda self, places, n: right(self, places[::-1], n))
    x, y = T(4, name="x"), ag.constant([1.0, 2.0], name="y")
    with pytest.raises(AssertionError):
        read_back(ag.derive(np.sum(x[[0, 2]] * y)))
