"""A record keeps only what its rules read, and gives back the rest when asked."""

from __future__ import annotations

import tracemalloc
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from operands import DIFFERENTIABLE, cases
from rulecheck import cotangents, several, tensors

import autograd_lite as ag
from autograd_lite import residuals
from autograd_lite.op import OPS
from autograd_lite.residuals import OUT, Outline, reads, reads_of
from autograd_lite.sweep import gradients, sweep
from autograd_lite.testing import programs
from autograd_lite.viz import draw

N = 200_000
"""Numbers of the large arrays."""


@contextmanager
def threshold(size):
    """Let go of values from so many bytes on."""
    usual, residuals.THRESHOLD = residuals.THRESHOLD, size
    try:
        yield
    finally:
        residuals.THRESHOLD = usual


def large(seed=0):
    return np.random.default_rng(seed).uniform(0.5, 1.5, N)


def gone(node):
    return type(node.kept) is Outline


def held(make):
    """The bytes that a result keeps alive, in large arrays."""
    tracemalloc.start()
    try:
        result = make()
        assert result is not None
        return tracemalloc.get_traced_memory()[0] / (8 * N)
    finally:
        tracemalloc.stop()


# What a rule reads


@pytest.mark.parametrize("name", DIFFERENTIABLE)
@settings(max_examples=5)
@given(data=st.data())
def test_a_rule_reads_no_values_but_those_that_it_is_known_to_read(name, data):
    case = data.draw(cases(OPS[name]))
    out = case.forward(*case.operands)
    if isinstance(out, tuple):
        return
    (g,) = cotangents([np.asarray(out)])
    for k, rule in enumerate(case.rules()):
        if rule is None:
            continue
        read = reads_of(case.op)[0 if case.op.arity is None else k]
        outlined = [x if j in read else Outline(np.asarray(x)) for j, x in enumerate(case.operands)]
        expected = rule(g, out, *case.operands, **case.attributes)
        found = rule(g, out if OUT in read else Outline(out), *outlined, **case.attributes)
        np.testing.assert_array_equal(found, expected)


def test_shapes_and_dtypes_are_no_values():
    assert reads(lambda g, out, a, b: np.reshape(g, a.shape).astype(b.dtype)) == set()
    assert reads(lambda g, out, a, b: g * b if a.ndim and b.size else g) == {1}
    assert reads(lambda g, out, a, b: g * a.T.shape[0]) == {0}
    assert reads(lambda g, out, a: [g * x for x in out]) == {OUT}
    assert reads(lambda g, out, a: (lambda: g * a)()) == {0}


def test_nothing_is_presumed_of_a_rule_that_cannot_be_looked_into():
    assert 7 in reads(lambda g, out, *inputs: g)
    assert OUT in reads(np.multiply)
    assert list(reads(None)) == []


def test_an_outline_gives_no_values():
    outline = Outline(np.ones((2, 3), np.float32))
    assert (outline.shape, outline.ndim, outline.size) == ((2, 3), 2, 6)
    assert outline.dtype == np.float32
    for use in (lambda: outline + np.ones(3), lambda: np.exp(outline), lambda: np.array(outline)):
        with pytest.raises(TypeError):
            use()


# What is kept


def test_a_chain_of_operations_that_need_no_values_keeps_two():
    x = ag.Tensor(large())

    def chain():
        y = x + 1.0
        for _ in range(30):
            y = (y * 0.5 - 0.25) + x
        return np.sum(y)

    assert held(chain) < 4


def test_what_a_variable_held_goes_when_it_is_rebound():
    x = ag.Tensor(large())

    def rebound():
        for _ in range(10):
            y = x * 2.0
            z = y + 1.0
            u = z - 0.5
            v = u * 3.0
            w = v + x
        return np.sum(w + 1.0)

    def nested():
        def shifted(t):
            a = t + 1.0
            b = a - 0.5
            return b * 2.0

        t = x
        for _ in range(20):
            t = shifted(t)
        return np.sum(t)

    # The next result asks again for what the variables of a function have let go.
    assert held(lambda: rebound() * 1.0) < 3
    assert held(lambda: nested() * 1.0) < 3


def test_locals_of_a_function_are_let_go_by_the_sweep():
    x = ag.Tensor(large())

    def f():
        a = x + 1.0
        b = a * 2.0
        c = b - a
        d = np.exp(c)
        return np.sum(d)

    def swept():
        loss = f()
        loss.backward()
        x.zero_grad()
        return loss

    assert held(swept) < 1.1
    loss = swept()
    (d,) = loss.inputs
    assert not gone(d)
    assert [gone(node) for node in (d.inputs[0], *d.inputs[0].inputs)] == [True, True, True]


def test_a_naive_loss_keeps_what_its_better_form_reads():
    x, y = ag.Tensor(large()), ag.constant(large(1))

    def swept(loss):
        loss.backward()
        x.zero_grad()
        return loss

    def written_out(sigmoid):
        ŷ = sigmoid(x * 2.0)
        return -np.mean(y * np.log(ŷ) + (1 - y) * np.log(1 - ŷ))

    def softmax():
        exps = np.exp(np.reshape(x * 2.0, (-1, 10)))
        shares = exps / np.sum(exps, axis=1, keepdims=True)
        return np.sum(np.log(shares))

    # x · 2 and its negative, and 1 − y.
    assert held(lambda: swept(written_out(ag.sigmoid))) < 3.1
    assert held(lambda: swept(written_out(lambda z: 1 / (1 + np.exp(-z))))) < 3.1
    assert held(lambda: swept(softmax())) < 2.2


@threshold(0)
def test_what_was_passed_by_comes_back_for_who_sweeps_through_it():
    z = ag.Tensor([-2.0, 0.5, 3.0])
    first = np.sum(np.log(1 / (1 + np.exp(-z))))
    first.backward()
    quotient = first.inputs[0].inputs[0]
    exps = quotient.inputs[1].inputs[1]
    assert gone(quotient)
    assert gone(exps)
    z.zero_grad()
    second = np.sum(exps * exps)
    second.backward()
    np.testing.assert_allclose(z.grad, -2 * np.exp(-2 * z.data))
    np.testing.assert_allclose(quotient.data, 1 / (1 + np.exp(-z.data)))
    z.zero_grad()
    first.backward()
    np.testing.assert_allclose(z.grad, 1 / (1 + np.exp(z.data)))


def test_a_value_that_somebody_holds_is_kept():
    x = ag.Tensor(large())
    a = x + 1.0
    loss = np.sum((a - 2.0) + 3.0)
    loss.backward()
    assert not gone(a)
    middle = loss.inputs[0].inputs[0]
    assert gone(middle)


def test_a_small_value_is_kept():
    x = ag.Tensor(np.ones(3))
    loss = np.sum((x + 1.0) + 2.0)
    loss.backward()
    assert not any(gone(node) for node in ag.Graph.of(loss).nodes)


@settings(max_examples=30)
@given(program=programs(max_size=25))
@threshold(0)
def test_after_a_sweep_only_what_a_rule_reads_is_kept(program):
    leaves = [ag.Tensor(x) for x in program.arrays]
    loss = program(*leaves)
    loss.backward()
    nodes = [node for node in ag.Graph([loss], written=False).nodes if node.requires_grad]
    read, uses = {loss}, {}
    for node in nodes:
        if node.op is None or node.stable is not None:
            continue
        for k, x in enumerate(node.inputs):
            uses.setdefault(x, []).append(node)
            if x.requires_grad and node.op.rules_for(node.inputs):
                found = reads_of(node.op)[0 if node.op.arity is None else k]
                read |= {node} if OUT in found else set()
                read |= {y for j, y in enumerate(node.inputs) if j in found}
    swept = set(nodes)
    for node in nodes:
        if node.op is None or node in read or node.shape == ():
            continue
        # A comparison that nobody sweeps through holds what it compared.
        graph = ag.Graph([loss])
        elsewhere = [c for c, _ in graph.consumers.get(node, ()) if c not in swept]
        assert gone(node) or elsewhere or any(c.stable is not None for c in uses[node])


# What comes back


@pytest.mark.filterwarnings("ignore::autograd_lite.BroadcastWarning")
@pytest.mark.parametrize("name", DIFFERENTIABLE)
@settings(max_examples=3)
@given(data=st.data())
def test_letting_go_changes_no_gradient_and_no_value(name, data):
    case = data.draw(cases(OPS[name]))

    def run():
        xs = tensors(case)
        # Something before and after, so that the operation's own operands and result can go.
        inner = [x * 1.0 if x.requires_grad else x for x in xs]
        results = [y - 0.25 for y in several(case(*inner)) if y.requires_grad]
        ends = [y + 0.5 for y in results]
        del inner, results
        entering = dict(zip(ends, cotangents(ends), strict=True))
        first, second = sweep(entering), sweep(entering)
        graph = ag.Graph.of(*ends)
        lost = sum(map(gone, graph.nodes))
        values = [node.array for node in graph.nodes if not isinstance(node.array, tuple)]
        return [found.get(xs[k]) for found in (first, second) for k in case.floats()], values, lost

    with threshold(0):
        got, values, lost = run()
    expected, as_kept, none = run()
    assert lost >= none == 0
    for a, b in zip(got + values, expected + as_kept, strict=True):
        np.testing.assert_array_equal(a, b)


@settings(max_examples=30)
@given(program=programs(max_size=25))
def test_random_programs_are_as_before(program):
    def everything():
        leaves = [ag.Tensor(x) for x in program.arrays]
        loss = program(*leaves)
        loss.backward()
        loss.backward()
        of, parts = gradients(loss).of, gradients(loss).parts
        ones = tuple(np.ones_like(x) for x in program.arrays)
        tangent = ag.jvp(lambda *args: ag.grad(program)(*args), program.arrays, ones)
        kept = [leaf.grad for leaf in leaves if leaf.grad is not None]
        return [*kept, *of.values(), *parts.values(), *tangent, np.array(draw(loss).svg())]

    with threshold(0):
        got = everything()
    for a, b in zip(got, everything(), strict=True):
        np.testing.assert_array_equal(a, b)


@threshold(0)
def test_a_value_comes_back_as_it_was_when_the_leaves_have_changed():
    x = ag.Tensor([1.0, 2.0], name="x")
    z = np.exp((x + 1.0) * 3.0)
    loss = np.sum(z)
    loss.backward()
    product = z.inputs[0]
    assert gone(product)
    assert gone(product.inputs[0])
    x.data[...] = 50.0
    np.testing.assert_array_equal(product.data, [6.0, 9.0])
    assert not gone(product)
    np.testing.assert_array_equal(product.inputs[0].data, [2.0, 3.0])


@threshold(0)
def test_a_long_chain_comes_back_without_recursion():
    x = ag.Tensor([1.0, 2.0])
    y = x
    for _ in range(5_000):
        y = y + 1.0
    loss = np.sum(y)
    del y
    loss.backward()
    assert gone(loss.inputs[0])
    np.testing.assert_array_equal(loss.inputs[0].data, [5001.0, 5002.0])


@threshold(0)
def test_a_walk_down_a_long_chain_computes_each_value_once(monkeypatch):
    calls = []

    def counted(a, b):
        calls.append(1)
        return np.add(a, b)

    y = ag.Tensor([1.0, 2.0])
    for _ in range(200):
        y = y + 1.0
    loss = np.sum(y)
    del y
    loss.backward()
    monkeypatch.setattr(OPS["add"], "forward", counted)
    node = loss.inputs[0]
    for k in range(200):
        np.testing.assert_array_equal(node.data, [201.0 - k, 202.0 - k])
        (node, _) = node.inputs
    assert len(calls) <= 200
    gradients(loss)
    assert len(calls) <= 200


@threshold(0)
def test_a_gradient_wanted_later_finds_the_values_that_it_reads():
    a, b = ag.Tensor([1.0, 2.0]), ag.Tensor([3.0, 4.0], requires_grad=False)
    loss = np.sum((a + 1.0) * b - 1.0)
    loss.backward()
    assert b.grad is None
    b.requires_grad = True
    loss.backward()
    np.testing.assert_array_equal(b.grad, [2.0, 3.0])
    np.testing.assert_array_equal(a.grad, [6.0, 8.0])


@threshold(0)
def test_what_is_written_is_drawn_and_what_is_held_is_swept():
    z = ag.Tensor([-800.0, 0.5, 800.0], name="z")
    with np.errstate(over="ignore"):
        loss = -np.sum(np.log(1 / (1 + np.exp(-(z * 1.0)))) + 0.0)
    loss.backward()
    np.testing.assert_allclose(z.grad, [-1.0, -1 / (1 + np.exp(0.5)), 0.0], atol=1e-15)
    written = {node.op.name: node.array for node in ag.Graph.of(loss).nodes if node.op}
    np.testing.assert_allclose(written["exp"], [np.inf, np.exp(-0.5), 0.0])
    np.testing.assert_allclose(written["log"], [-800.0, -np.log(1 + np.exp(-0.5)), 0.0])


@threshold(0)
def test_a_tensor_that_stands_for_another_lets_go_of_itself_alone():
    leaf = ag.Tensor([1.0, 2.0])
    inner = leaf * 2.0
    for z in (leaf, inner):
        logarithm = np.log(np.exp(z))
        logarithm.stable, logarithm.array = z, z.array
        loss = np.sum((logarithm + 1.0) * 3.0)
        del logarithm
        loss.backward()
        (logarithm, _) = loss.inputs[0].inputs[0].inputs
        assert gone(logarithm)
        assert not gone(z)
        np.testing.assert_array_equal(logarithm.data, z.data)
    np.testing.assert_array_equal(leaf.grad, [9.0, 9.0])


@threshold(0)
def test_an_operation_of_ones_own_is_never_computed_twice():
    calls = []

    @ag.custom_gradient(lambda g, out, x: g, elementwise=True)
    def noted(x):
        calls.append(1)
        return x * 2.0

    x = ag.Tensor([1.0, 2.0])
    loss = np.sum((noted(x) + 1.0) - 2.0)
    loss.backward()
    for node in ag.Graph.of(loss).nodes:
        assert np.all(np.isfinite(node.array))
    assert len(calls) == 1


def test_the_first_bad_number_is_found_among_values_that_were_gone():
    x = ag.Tensor(np.zeros(N), name="x")
    loss = np.sum(np.sqrt((x + 0.0) * 1.0))
    with pytest.raises(ag.AnomalyError, match="sqrt"), ag.detect_anomaly():
        loss.backward()


@threshold(0)
def test_what_no_grad_made_changes_like_a_leaf_and_never_reaches_a_record():
    x, w = ag.Tensor([1.0, 2.0]), ag.Tensor([3.0, 4.0])
    with ag.no_grad():
        doubled, view = x * 2.0, x[::-1]
    loss = np.sum(doubled * w) + np.sum(x * x)
    doubled.data[...] = 0.0
    view.data[...] = 0.0
    loss.backward()
    np.testing.assert_array_equal(w.grad, [2.0, 4.0])
    np.testing.assert_array_equal(x.grad, [2.0, 4.0])
    np.testing.assert_array_equal(x.data, [1.0, 2.0])


@threshold(0)
def test_what_waits_to_be_let_go_is_bounded_where_nothing_is():
    a = ag.Tensor([1.0, 2.0]) + 1.0
    doubled = (a + 1.0) + 1.0
    assert doubled.waiting
    with ag.detect_anomaly():
        for _ in range(20):
            doubled = (doubled + doubled) * 0.5
    assert len(doubled.waiting) <= residuals.WAITING
