"""Derived forms are compared as expressions: no near-miss passes, none is longer than by hand."""

from __future__ import annotations

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.models import LogisticRegression, MLPClassifier

pytest.importorskip("sympy")

RANDOM = np.random.default_rng(8)


@pytest.fixture
def logistic():
    X = RANDOM.normal(size=(3, 3))
    L = LogisticRegression(intercept="separate").loss_graph(X, [1, 0, 1])
    nodes = {node.name: node for node in ag.Graph.of(L).nodes}
    return L, nodes


def test_the_form_equals_the_one_by_hand_and_no_near_miss(logistic):
    L, node = logistic
    X, ŷ, y, w = (node[name] for name in ("X", "ŷ", "y", "w"))
    derivation = ag.derive(L)
    form = derivation.closed_form[w]
    by_hand = derivation.read(X.T @ (ŷ - y) / 3)
    assert form == by_hand
    assert form.operations <= by_hand.operations
    near_misses = {
        "no transpose": X @ (ŷ - y) / 3,
        "no 1/m": X.T @ (ŷ - y),
        "another m": X.T @ (ŷ - y) / 4,
        "the wrong sign": X.T @ (y - ŷ) / 3,
        "one ŷ too many": X.T @ ((ŷ - y) * ŷ) / 3,
        "z for ŷ": X.T @ (node["z"] - y) / 3,
        "one row": (X[0] * (ŷ - y)) / 3,
    }
    for what, wrong in near_misses.items():
        assert form != derivation.read(wrong), what


def test_equal_forms_however_they_are_written(logistic):
    L, node = logistic
    X, ŷ, y, w = (node[name] for name in ("X", "ŷ", "y", "w"))
    derivation = ag.derive(L)
    for equal in (
        (ŷ - y) @ X / 3,
        X.T @ ŷ / 3 - X.T @ y / 3,
        np.sum((ŷ - y)[:, None] * X, axis=0) / 3,
        np.mean((ŷ - y)[:, None] * X, axis=0),
        -((y - ŷ) / 3) @ X,
        np.einsum("ij,i->j", X, (ŷ - y) / 3),
    ):
        assert derivation.closed_form[w] == derivation.read(equal)


@pytest.mark.parametrize("expand", [False, True])
def test_the_forms_of_a_perceptron(expand):
    X = RANDOM.normal(size=(5, 2))
    L = MLPClassifier((3, 4), random_state=0).loss_graph(X, [1, 0, 0, 1, 1])
    node = {n.name: n for n in ag.Graph.of(L).nodes}
    ŷ, y, w = node["ŷ"], node["y"], node["w"]
    derivation = ag.derive(L, expand=expand)
    δ2 = (((ŷ - y) / 5)[:, None] * w[None]) * (node["a⁽²⁾"] > 0)
    δ1 = (δ2 @ node["W⁽²⁾"]) * (node["a⁽¹⁾"] > 0)
    by_hand = {
        "W⁽¹⁾": δ1.T @ node["X"],
        "b⁽¹⁾": np.sum(δ1, axis=0),
        "W⁽²⁾": δ2.T @ node["h⁽¹⁾"],
        "b⁽²⁾": np.sum(δ2, axis=0),
        "w": node["h⁽²⁾"].T @ (ŷ - y) / 5,
        "b": np.sum(ŷ - y) / 5,
    }
    for name, expected in by_hand.items():
        form = derivation.closed_form[name]
        assert form == derivation.read(expected), name
        assert form.operations <= derivation.read(expected).operations
    wrong = np.sum(δ1 * (node["a⁽¹⁾"] > 0) * 2, axis=0)
    assert derivation.closed_form["b⁽¹⁾"] != derivation.read(wrong)
    assert derivation.closed_form["W⁽²⁾"] != derivation.read(δ2.T @ node["h⁽¹⁾"] * 5)


def test_a_square_weight_forgotten_to_transpose():
    """With square matrices only the structure shows the error."""
    A, x = ag.constant(RANDOM.normal(size=(3, 3)), name="A"), ag.Tensor(np.ones(3), name="x")
    derivation = ag.derive(np.sum(np.tanh(A @ x)))
    t = 1 - np.tanh(A @ x) ** 2
    assert derivation.closed_form[x] == derivation.read(A.T @ t)
    assert derivation.closed_form[x] != derivation.read(A @ t)


def test_a_form_that_is_wrong_is_not_shown(monkeypatch, logistic):
    from autograd_lite.derivation.chain import Chain

    right = Chain._parts

    def wrong(self, node, above):
        return [
            (k, type(part)(*(2 * p for p in part)) if node.inputs[k].name == "w" else part)
            for k, part in right(self, node, above)
        ]

    monkeypatch.setattr(Chain, "_parts", wrong)
    with pytest.raises(ag.derive.__globals__["DerivationError"], match="∂L/∂w disagrees"):
        ag.derive(logistic[0])


def test_what_is_used_often_is_named_once():
    x = ag.Tensor(0.5, name="x")
    lengths = []
    for depth in (10, 20, 40):
        y = x
        for _ in range(depth):
            y = np.sin(y) * np.cos(y)
        derivation = ag.derive(y)
        lengths.append(sum(len(str(s.form)) + len(str(s.product)) for s in derivation.steps))
    assert lengths[1] < 2.3 * lengths[0]
    assert lengths[2] < 2.3 * lengths[1]


def test_sixty_doublings():
    x, y = ag.Tensor(0.5, name="x"), ag.Tensor(0.5, name="x")
    for _ in range(60):
        y = y + y
    assert str(ag.derive(y).closed_form["x"]) == str(2**60)
    del x


def test_the_recursion_stays_as_long_as_the_network():
    counts = []
    for layers in (4, 8, 16):
        L = MLPClassifier((2,) * layers, random_state=0).loss_graph(np.ones((3, 2)), [0, 1, 1])
        counts.append(sum(step.form.operations for step in ag.derive(L).steps))
    assert counts[1] - counts[0] <= 4 * 8
    assert counts[2] - counts[1] <= 8 * 8


def test_a_step_knows_the_line_of_the_program():
    def loss(w):
        return np.sum((w * w).named("z"))

    line = loss.__code__.co_firstlineno + 1
    steps = {s.name: s for s in ag.derive(loss, args=(np.array([1.0, 2.0]),)).steps}
    assert steps["∂L/∂z"].line == (__file__, line, "loss")
    assert steps["∂L/∂w"].line is None
    x = ag.Tensor([1.0, 2.0])
    assert ag.derive(loss(x)).steps[0].line is None
    with ag.detect_anomaly():
        assert ag.derive(loss(x)).steps[0].line == (__file__, line, "loss")
        assert ag.derive(loss, args=(x,)).steps[0].line == (__file__, line, "loss")
