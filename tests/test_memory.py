"""Nothing of a graph lives on after the last holder lets it go, without the garbage collector."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.core.tensor import Node
from autograd_lite.sweep import gradients
from autograd_lite.trees import flatten


@pytest.fixture(autouse=True)
def _without_the_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def alive() -> int:
    """How many values are recorded."""
    return sum(type(x) is Node for x in gc.get_objects())


def leaves():
    random = np.random.default_rng(0)
    X = ag.constant(random.standard_normal((8, 3)), name="X")
    w = ag.Tensor(random.standard_normal(3), name="w")
    y = ag.constant((random.standard_normal(8) > 0).astype(float), name="y")
    return X, w, y


def loss_of(X, w, y):
    z = X @ w
    hidden = np.concatenate([np.exp(z), np.stack([np.tanh(z)])[0]])
    extra = np.where(z > 0, np.sqrt(np.abs(z)), 0 * z)[[0, 1, 1]]
    return ag.binary_cross_entropy(ag.sigmoid(z), y) + np.sum(hidden) + np.max(extra)


def test_the_graph_goes_with_the_loss():
    held = leaves()
    before = alive()
    loss = loss_of(*held)
    assert alive() > before + 10
    made = [node.array for node in ag.Graph.of(loss).nodes if node.op is not None]
    arrays = [weakref.ref(array) for array in made if type(array) is np.ndarray]
    assert arrays
    del loss, made
    assert [ref() for ref in arrays if ref() is not None] == []
    assert alive() == before


def test_the_graph_goes_after_backward():
    held = leaves()
    before = alive()
    loss = loss_of(*held)
    loss.backward()
    loss.backward()
    del loss
    assert alive() == before
    assert held[1].grad is not None


def test_a_gradient_keeps_nothing_of_the_graph():
    X, w, y = leaves()
    loss = loss_of(X, w, y)
    arrays = [
        weakref.ref(n.array)
        for n in ag.Graph.of(loss).nodes
        if n.op is not None and type(n.array) is np.ndarray
    ]
    loss.backward()
    kept = w.grad
    del loss
    assert all(ref() is None for ref in arrays)
    assert kept.base is None or kept.base.size == kept.size


def test_what_a_result_was_made_from_lives_while_the_result_does():
    a = ag.Tensor(2.0)
    before = alive()
    loss = np.exp(a * a)
    assert alive() == before + 2
    assert loss.inputs[0].op.name == "multiply"
    del loss
    assert alive() == before
    assert a.grad is None


def test_a_second_loss_keeps_what_they_share():
    a = ag.Tensor(2.0)
    shared = np.exp(a)
    first, second = shared * 2, shared * 3
    reference, nodes = weakref.ref(shared), alive()
    del shared, first
    assert reference() is None
    assert alive() == nodes - 2  # the first product and its factor
    second.backward()
    np.testing.assert_allclose(a.grad, 3 * np.exp(2.0))
    del second
    assert alive() == nodes - 5


def test_the_sweep_over_a_graph_as_written_keeps_nothing():
    held = leaves()
    before = alive()
    loss = loss_of(*held)
    found = gradients(loss)
    assert found.parts
    del loss, found
    assert alive() == before


def test_the_graph_as_data_keeps_only_what_it_lists():
    held = leaves()
    before = alive()
    graph = ag.Graph.of(loss_of(*held))
    assert len(graph) > 10
    del graph
    assert alive() == before


@pytest.mark.parametrize(
    "transform",
    [
        lambda f, x: ag.grad(f)(x),
        lambda f, x: ag.value_and_grad(f)(x),
        lambda f, x: ag.grad(lambda x: np.sum(ag.grad(f)(x)))(x),
        lambda f, x: ag.vjp(f, x)[1](np.array(1.0)),
    ],
    ids=["grad", "value_and_grad", "grad of grad", "vjp"],
)
def test_a_transform_holds_no_record_after_it_returned(transform):
    seen = []

    def f(x):
        y = np.exp(x) * x
        seen.append(weakref.ref(y))
        return np.sum(y * y)

    before = alive()
    found = transform(f, np.array([1.0, 2.0]))
    assert not any(isinstance(x, ag.Tensor) for x in flatten(found)[0])
    assert all(ref() is None for ref in seen)
    assert alive() == before


def test_a_pull_holds_the_record_as_long_as_it_lives():
    before = alive()
    _, pull = ag.vjp(lambda x: np.exp(x) * x, np.array([1.0, 2.0]))
    assert alive() > before
    first = pull(np.ones(2))
    np.testing.assert_array_equal(first, pull(np.ones(2)))
    del pull
    assert alive() == before


def test_an_error_on_the_way_keeps_nothing():
    w = ag.Tensor(np.ones(3), name="w")
    before = alive()
    with pytest.raises(ValueError, match="w"):
        np.exp(w) @ np.ones(4) + np.exp(w)
    with pytest.raises(ValueError, match="backward"):
        (w * 2).backward()
    assert alive() == before


def test_no_grad_keeps_no_operands():
    a = ag.Tensor(np.ones(3))
    with ag.no_grad():
        b = np.exp(a) * 2
    assert b.inputs == b.operands == ()
    assert alive() >= 2


def test_training_does_not_grow():
    X, w, y = leaves()

    def step():
        loss = loss_of(X, w, y)
        loss.backward()
        w.data -= 0.01 * w.grad
        w.zero_grad()

    step()
    before = alive(), len(gc.get_objects())
    for _ in range(20):
        step()
    assert alive() == before[0]
    assert len(gc.get_objects()) <= before[1] + 20
