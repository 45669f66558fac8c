"""The reverse sweep: each contribution once, in time linear in the graph, and no state left."""

from __future__ import annotations

import asyncio
import threading

import numpy as np
import pytest
import rich
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.op import operation
from autograd_lite.sweep import gradients


def test_the_diamond():
    a = ag.Tensor(3.0)
    b = a + a
    c = b + b
    c.backward()
    assert a.grad == 4


def test_subtraction_in_order():
    a, b = ag.Tensor(5.0), ag.Tensor(3.0)
    (a - b).backward()
    assert (a.grad, b.grad) == (1, -1)


def test_a_number_minus_itself():
    a = ag.Tensor(5.0)
    (a - a).backward()
    assert a.grad == 0


def test_paths_of_different_length():
    x = ag.Tensor(2.0)
    y = x * x
    z = y * x + y + x
    z.backward()
    assert x.grad == 3 * 4 + 2 * 2 + 1


def test_a_chain_of_100_000():
    x = ag.Tensor(1.0)
    y = x
    for _ in range(100_000):
        y = -y
    y.backward()
    assert x.grad == 1
    del y


@pytest.mark.slow
def test_a_chain_of_1_000_000():
    x = one = ag.Tensor(1.0)
    for _ in range(1_000_000):
        x = -x
    x.backward()
    assert one.grad == 1
    del x


def test_a_fan_of_many_consumers():
    x = ag.Tensor(1.0)
    np.sum(np.stack([x * k for k in range(1000)])).backward()
    assert x.grad == 999 * 500


# Accumulation


def test_a_second_backward_adds_exactly_the_same():
    a, b = ag.Tensor(-4.0), ag.Tensor(2.0)
    c = a * b + b**3
    d = c + ag.relu(b + a) + np.tanh(c) * c
    d.backward()
    first = a.grad, b.grad
    d.backward()
    assert (a.grad, b.grad) == (2 * first[0], 2 * first[1])
    d.backward()
    assert a.grad == 3 * first[0]


def test_backward_of_two_losses_adds():
    w = ag.Tensor([1.0, 2.0])
    shared = w * w
    np.sum(shared).backward()
    np.sum(shared * 10).backward()
    np.testing.assert_array_equal(w.grad, 11 * 2 * w.data)


def test_only_leaves_keep_a_gradient():
    a = ag.Tensor(2.0)
    b = a * a
    c = b * 2
    c.backward()
    assert b.grad is None
    assert c.grad is None


def test_backward_of_a_leaf():
    a = ag.Tensor(2.0)
    a.backward()
    assert a.grad == 1


def test_gradients_never_share_memory():
    a, b = ag.Tensor([1.0, 2.0]), ag.Tensor([3.0, 4.0])
    given = np.ones(2)
    (a + b).backward(given)
    a.grad += 100
    given += 100
    np.testing.assert_array_equal(b.grad, [1, 1])
    (a + b).backward(np.ones(2))
    np.testing.assert_array_equal(b.grad, [2, 2])


def test_a_gradient_may_be_changed_and_the_record_stays_as_it_was():
    a, b = ag.Tensor([1.0, 2.0]), ag.Tensor([3.0, 4.0])
    c = np.sum(a * b)
    c.backward()
    a.grad *= 100
    b.zero_grad()
    c.backward()
    np.testing.assert_array_equal(b.grad, [1, 2])


def test_zero_grad_forgets():
    a = ag.Tensor(2.0)
    (a * a).backward()
    a.zero_grad()
    assert a.grad is None


def test_a_gradient_from_the_user():
    a = ag.Tensor([1.0, 2.0])
    (a * a).backward([1.0, 10.0])
    np.testing.assert_array_equal(a.grad, [2, 40])


# What is visited


def test_constants_get_no_gradient():
    X, w = ag.constant(np.ones((2, 2))), ag.Tensor([1.0, 2.0])
    np.sum(X @ w).backward()
    assert X.grad is None


@pytest.mark.usefixtures("operations_removed")
def test_a_rule_that_is_not_needed_is_not_called():
    calls = []

    def rule(g, out, a, b):
        calls.append("b")
        return g * a

    op = operation("asked", lambda a, b: a * b, lambda g, out, a, b: g * b, rule)
    a = ag.Tensor(2.0)
    op(a, 3.0).backward()
    assert a.grad == 3
    assert calls == []


def test_comparisons_and_the_like_stop_a_gradient():
    x = ag.Tensor([1.0, -2.0])
    loss = np.sum(x * (x > 0) * np.sign(x))
    loss.backward()
    np.testing.assert_array_equal(x.grad, [1, 0])


def _wrong_shape(g, out, x):
    return np.ones((5,))


@pytest.mark.usefixtures("operations_removed")
def test_a_rule_of_a_wrong_shape_is_an_error_never_a_silent_sum():
    op = operation("crooked", lambda x: x * 2, _wrong_shape)
    with pytest.raises(ValueError, match=r"crooked.*shape \(5,\) for w \(3,\)"):
        np.sum(op(ag.Tensor(np.ones(3), name="w"))).backward()


@pytest.mark.usefixtures("operations_removed")
def test_an_operation_that_does_not_broadcast_is_not_summed():
    op = operation("stiff", lambda x, y: x * y, lambda g, out, x, y: g * y, None)
    with pytest.raises(ValueError, match="stiff: the gradient rule of input 0 returned shape"):
        np.sum(op(ag.Tensor(1.0), np.ones(3))).backward()


# The sweep as written, with every gradient


def test_the_parts_of_a_gradient_add_up():
    a = ag.Tensor(3.0)
    b = a * a
    c = b * a + b
    found = gradients(c)
    for node, consumers in ag.Graph.of(c).consumers.items():
        if consumers and node.requires_grad:
            parts = sum(found.parts[edge] for edge in consumers if edge in found.parts)
            assert found.of[node] == parts
    assert found.of[a] == 3 * 9 + 6
    assert found.of[c] == 1


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(st.integers(0, 99), st.integers(0, 99), st.booleans()), min_size=1, max_size=20
    )
)
def test_every_graph_agrees_with_forward_differentiation(edges):
    """Random graphs of + and × in whole numbers, with their derivatives carried forward."""
    nodes, values, derivatives = [ag.Tensor(1.0)], [1.0], [1.0]
    for left, right, times in edges:
        i, j = left % len(nodes), right % len(nodes)
        if times and abs(values[i] * values[j]) < 1e6:
            nodes.append(nodes[i] * nodes[j])
            derivatives.append(derivatives[i] * values[j] + values[i] * derivatives[j])
            values.append(values[i] * values[j])
        else:
            nodes.append(nodes[i] + nodes[j])
            derivatives.append(derivatives[i] + derivatives[j])
            values.append(values[i] + values[j])
    nodes[-1].backward()
    assert nodes[-1].item() == values[-1]
    assert nodes[0].grad == derivatives[-1]


# State of the engine


def test_no_grad_records_nothing():
    a = ag.Tensor(2.0)
    with ag.no_grad():
        b = a * a
    assert not b.requires_grad
    assert (a * a).requires_grad


def test_no_grad_ends_with_an_error():
    with pytest.raises(ZeroDivisionError), ag.no_grad():
        raise ZeroDivisionError
    assert (ag.Tensor(1.0) * 2).requires_grad


def test_no_grad_decorates():
    @ag.no_grad()
    def predict(x):
        return x * 2

    assert not predict(ag.Tensor(1.0)).requires_grad
    assert not predict(ag.Tensor(1.0)).requires_grad


def test_no_grad_is_of_one_thread():
    inside, seen, found = threading.Event(), threading.Event(), []

    def without():
        with ag.no_grad():
            inside.set()
            assert seen.wait(30)

    thread = threading.Thread(target=without)
    thread.start()
    assert inside.wait(30)
    found.append((ag.Tensor(1.0) * 2).requires_grad)
    seen.set()
    thread.join()
    assert found == [True]


def test_no_grad_is_of_one_task():
    async def without(inside, seen):
        with ag.no_grad():
            inside.set()
            await seen.wait()

    async def main():
        inside, seen = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(without(inside, seen))
        await inside.wait()
        recorded = (ag.Tensor(1.0) * 2).requires_grad
        seen.set()
        await task
        return recorded

    assert asyncio.run(main())


def test_threads_add_to_a_shared_leaf_without_loss():
    w = ag.Tensor(np.ones(4))

    def work():
        for _ in range(50):
            np.sum(w * w).backward()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(w.grad, np.full(4, 2.0 * 200))


def test_micrograd_readme():
    a, b = ag.Tensor(-4.0), ag.Tensor(2.0)
    c = a + b
    d = a * b + b**3
    c = c + c + 1
    c = c + 1 + c + (-a)
    d = d + d * 2 + ag.relu(b + a)
    d = d + 3 * d + ag.relu(b - a)
    e = c - d
    f = e**2
    g = f / 2.0
    g = g + 10.0 / f
    g.backward()
    assert f"{g.item():.4f}" == "24.7041"
    assert f"{a.grad:.4f}" == "138.8338"
    assert f"{b.grad:.4f}" == "645.5773"


def test_a_node_that_a_better_equal_passes_by_in_part_has_its_whole_gradient():
    # The logarithm of a σ is computed from z; the other factor of the focal loss needs ŷ itself.
    z = ag.Tensor([0.3, -1.2], name="z")
    y_hat = ag.sigmoid(z)
    loss = -np.sum((1 - y_hat) ** 2 * np.log(y_hat))
    found = gradients(loss)
    p = y_hat.data
    of_y_hat = 2 * (1 - p) * np.log(p) - (1 - p) ** 2 / p
    np.testing.assert_allclose(found.of[y_hat], of_y_hat, rtol=1e-12)
    np.testing.assert_allclose(found.of[z], of_y_hat * p * (1 - p), rtol=1e-12)
    np.testing.assert_allclose(found.parts[y_hat, 0], found.of[z], rtol=1e-12)


def test_a_node_beyond_what_was_passed_by_keeps_the_better_number():
    z = ag.Tensor([-800.0, 0.5], name="z")
    a = (z * 1.0).named("a")
    found = gradients(-np.sum(np.log(ag.sigmoid(a))))
    np.testing.assert_allclose(found.of[a], [-1.0, ag.sigmoid(np.array(0.5)) - 1])
    np.testing.assert_array_equal(found.of[z], found.of[a])


def test_the_gradient_of_what_a_product_transposes_is_contiguous():
    random = np.random.default_rng(0)
    W, X = ag.Tensor(random.normal(size=(4, 3))), ag.constant(random.normal(size=(5, 3)))
    np.sum((X @ W.T) ** 2).backward()
    assert W.grad.flags.c_contiguous
    np.testing.assert_allclose(W.grad, 2 * (X.data @ W.data.T).T @ X.data)
    V = ag.Tensor(random.normal(size=(3, 4)))
    np.sum((V.T @ X.T) ** 2).backward()
    assert V.grad.flags.c_contiguous
    np.testing.assert_allclose(V.grad, 2 * X.data.T @ (X.data @ V.data))


def test_large_gradients_give_no_warning():
    for count in (3, 5000):  # warnings are errors
        w = ag.Tensor(np.full(count, 1e-200))
        np.sum(np.log(w)).backward()
        np.testing.assert_array_equal(w.grad, 1e200)


@given(rich.programs())
@settings(max_examples=60, deadline=None)
def test_the_parts_of_a_gradient_add_up_where_stable_forms_bypass_nodes(program):
    leaves = [ag.Tensor(a, name=f"x{k}") for k, a in enumerate(program.arrays)]
    loss = program(*leaves)
    found, graph = gradients(loss), ag.Graph.of(loss)
    for node in graph.nodes:
        parts = [found.parts[edge] for edge in graph.consumers[node] if edge in found.parts]
        if parts:
            scale = sum(np.abs(part) for part in parts) + np.abs(found.of[node])
            assert (np.abs(sum(parts) - found.of[node]) <= 1e-9 * scale + 1e-12).all()
