"""A record keeps the arrays that its rules read, and computes the others again when asked."""

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
from autograd_lite.core import tensor as core
from autograd_lite.core.tensor import OUT, Outline, ancestors
from autograd_lite.op import OPS
from autograd_lite.sweep import gradients, sweep
from autograd_lite.testing import programs
from autograd_lite.viz import draw

N = 200_000
"""Numbers of the large arrays."""


@contextmanager
def small(size):
    """Leave out arrays of more bytes than these."""
    usual, core.SMALL = core.SMALL, size
    try:
        yield
    finally:
        core.SMALL = usual


def large(seed=0):
    return np.random.default_rng(seed).uniform(0.5, 1.5, N)


def saved(node):
    """What the node of a Tensor saves, in large arrays of the program's size."""
    return [k for k, a in enumerate(node.node.saved) if type(a) is np.ndarray]


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


def check_reads(op, case):
    """Run every rule with an outline in the place of all that it does not declare to read."""
    out = case.forward(*case.operands)
    if isinstance(out, tuple):
        return
    (g,) = cotangents([np.asarray(out)])
    floats = set(case.floats())
    for k, rule in enumerate(case.rules()):
        if rule is None or k not in floats:
            continue
        given_arrays = (out, *case.operands)
        outlined = [
            x if j in op.reads[k] else Outline(np.asarray(x)) for j, x in enumerate(given_arrays)
        ]
        expected = rule(g, *given_arrays, **case.attributes)
        np.testing.assert_array_equal(rule(g, *outlined, **case.attributes), expected)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
@settings(max_examples=5)
@given(data=st.data())
def test_a_rule_reads_what_it_declares_to_read(name, data):
    check_reads(OPS[name], data.draw(cases(OPS[name])))


def test_a_wrong_declaration_is_found():
    from dataclasses import replace

    from operands import Case

    for name, reads in (("multiply", [frozenset(), frozenset()]), ("exp", [frozenset({1})])):
        wrong = replace(OPS[name], reads=reads)
        arrays = tuple(np.array([0.5, 1.5]) for _ in range(wrong.arity))
        with pytest.raises((TypeError, AssertionError)):
            check_reads(wrong, Case(wrong, arrays, {}))


def test_many_rules_read_nothing_or_the_result_alone():
    rules = [
        reads
        for op in OPS.values()
        if op.arity is not None
        for rule, reads in zip(op.rules, op.reads, strict=True)
        if rule is not None
    ]
    assert sum(not reads for reads in rules) >= 30
    assert sum(set(reads) == {OUT} for reads in rules if len(reads) < 9) >= 8


def test_an_outline_gives_no_values():
    outline = Outline(np.ones((2, 3), np.float32))
    assert (outline.shape, outline.ndim, outline.size) == ((2, 3), 2, 6)
    assert outline.dtype == np.float32
    for use in (lambda: outline + np.ones(3), lambda: np.exp(outline), lambda: np.array(outline)):
        with pytest.raises(TypeError):
            use()


# What is kept


def test_a_chain_of_operations_that_need_no_values_keeps_one():
    x = ag.Tensor(large())

    def chain():
        y = x + 1.0
        for _ in range(100):
            y = (y * 0.5 - 0.25) + x
        return y

    assert held(chain) < 1.3


def test_a_chain_keeps_what_its_rules_read():
    x = ag.Tensor(large())

    def chain():
        y = x
        for _ in range(20):
            y = np.exp(-0.1 * y)
        return y

    assert 19.5 < held(chain) < 21


def test_no_variable_of_a_function_is_kept_by_the_record():
    x = ag.Tensor(large())

    def f():
        a = x + 1.0
        b = a * 2.0
        c = b - a
        d = np.exp(c)
        return np.sum(d)

    assert held(f) < 1.1
    loss = f()
    (d,) = loss.inputs
    assert saved(d) == [OUT]
    assert saved(d.inputs[0]) == []


def test_a_constant_keeps_nothing_that_it_was_made_from():
    X = ag.constant(large())
    assert held(lambda: np.sum(((X - 1.0) * 2.0) ** 2)) < 0.1


def test_a_naive_loss_keeps_what_its_equal_forms_read():
    x, y = ag.Tensor(large()), ag.constant(large(1) > 1)

    def loss():
        ŷ = ag.sigmoid(x * 2.0)
        return -np.mean(y * np.log(ŷ) + (1 - y) * np.log(1 - ŷ))

    # x · 2 and its negative, σ of both, and 1 − y.
    assert held(loss) < 5.5


def test_a_small_value_is_saved():
    x = ag.Tensor(np.ones(3))
    loss = np.sum((x + 1.0) + 2.0)
    assert all(saved(node) for node in ag.Graph.of(loss).nodes[1:] if node.op is not None)


@settings(max_examples=30)
@given(program=programs(max_size=25))
@small(-1)
def test_a_program_saves_what_its_rules_read_and_its_leaves_and_no_more(program):
    loss = program(*map(ag.Tensor, program.arrays))
    nodes = [*ancestors([loss.node], as_written=True), *ancestors([loss.node])]
    for node in filter(lambda node: node.op is not None, nodes):
        as_written = node.sources is node.inputs
        edges = zip(node.inputs, node.op.reads, strict=False) if as_written else ()
        read = [reads for x, reads in edges if x.requires_grad]
        expected = {k for k, x in enumerate(node.inputs, 1) if x.op is None}.union(*read)
        for k, array in enumerate(node.saved):
            if type(array) in (np.ndarray, Outline):
                assert (type(array) is np.ndarray) == (k in expected)


# What comes back


@pytest.mark.filterwarnings("ignore::autograd_lite.BroadcastWarning")
@pytest.mark.parametrize("name", DIFFERENTIABLE)
@settings(max_examples=3)
@given(data=st.data())
def test_leaving_arrays_out_changes_no_gradient_and_no_value(name, data):
    case = data.draw(cases(OPS[name]))

    def run():
        xs = tensors(case)
        # Something before and after, so that nothing else keeps operands and result.
        inner = [x * 1.0 if x.requires_grad else x for x in xs]
        results = [y - 0.25 for y in several(case(*inner)) if y.requires_grad]
        ends = [y + 0.5 for y in results]
        del inner, results
        entering = dict(zip(ends, cotangents(ends), strict=True))
        first, second = sweep(entering), sweep(entering)
        graph = ag.Graph.of(*ends)
        values = [node.array for node in graph.nodes if not isinstance(node.array, tuple)]
        return [found.get(xs[k]) for found in (first, second) for k in case.floats()] + values

    with small(-1):
        got = run()
    for a, b in zip(got, run(), strict=True):
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

    with small(-1):
        got = everything()
    for a, b in zip(got, everything(), strict=True):
        np.testing.assert_array_equal(a, b)


@small(-1)
def test_a_value_comes_back_as_it_was_when_the_leaves_have_changed():
    x = ag.Tensor([1.0, 2.0], name="x")
    z = np.exp((x + 1.0) * 3.0)
    product = z.inputs[0]
    assert saved(product.inputs[0]) == [1]
    x.data[...] = 50.0
    np.testing.assert_array_equal(product.data, [6.0, 9.0])
    np.testing.assert_array_equal(product.inputs[0].data, [2.0, 3.0])


@small(-1)
def test_a_picture_after_an_update_shows_the_old_values():
    x = ag.Tensor([1.0, 2.0], name="x")
    loss = np.sum(np.exp(x + 1.0) * x)
    before = draw(loss).svg()
    x.data -= 0.5
    assert draw(loss).svg() == before


@small(-1)
def test_a_long_chain_comes_back_without_recursion():
    x = ag.Tensor([1.0, 2.0])
    y = x
    for _ in range(5_000):
        y = y + 1.0
    loss = np.sum(y)
    del y
    np.testing.assert_array_equal(loss.inputs[0].data, [5001.0, 5002.0])


@small(-1)
def test_the_values_of_a_graph_are_computed_once_each(monkeypatch):
    calls = []

    def counted(a, b):
        calls.append(1)
        return np.add(a, b)

    y = ag.Tensor([1.0, 2.0])
    for _ in range(200):
        y = y + 1.0
    loss = np.sum(y)
    del y
    monkeypatch.setattr(OPS["add"], "compute", counted)
    graph = ag.Graph.of(loss)
    values = [node.data for node in reversed(graph.nodes)]
    np.testing.assert_array_equal(values[1], [201.0, 202.0])
    assert len(calls) <= 200


@small(-1)
@pytest.mark.parametrize("watched", [False, True])
def test_sweeps_compute_nothing_again_that_is_saved(monkeypatch, watched):
    calls = []

    def counted(a, b):
        calls.append(1)
        return np.add(a, b)

    def chain(x):
        for _ in range(50):
            x = np.sin(x) + x * 0.1
        return np.sum(x)

    monkeypatch.setattr(OPS["add"], "compute", counted)
    if watched:
        with ag.detect_anomaly(kinks=True):
            chain(ag.Tensor([0.5, 0.2])).backward()
    else:
        ag.grad(lambda x: np.sum(ag.grad(chain)(x) ** 2))(np.array([0.5, 0.2]))
    assert len(calls) <= 200


@small(-1)
def test_a_gradient_required_later_is_an_error_where_its_arrays_were_left_out():
    a, b = ag.Tensor([1.0, 2.0]), ag.Tensor([3.0, 4.0], requires_grad=False)
    loss = np.sum((a + 1.0) * b - 1.0)
    b.requires_grad = True
    with pytest.raises(TypeError, match="were not saved"):
        loss.backward()
    assert a.grad is b.grad is None


@small(-1)
def test_what_is_written_is_drawn_and_the_equal_form_is_swept():
    z = ag.Tensor([-800.0, 0.5, 800.0], name="z")
    with np.errstate(over="ignore"):
        loss = -np.sum(np.log(1 / (1 + np.exp(-(z * 1.0)))) + 0.0)
    loss.backward()
    np.testing.assert_allclose(z.grad, [-1.0, -1 / (1 + np.exp(0.5)), 0.0], atol=1e-15)
    written = {node.op.name: node.array for node in ag.Graph.of(loss).nodes if node.op}
    np.testing.assert_allclose(written["exp"], [np.inf, np.exp(-0.5), 0.0])
    np.testing.assert_allclose(written["log"], [-800.0, -np.log(1 + np.exp(-0.5)), 0.0])


@small(-1)
def test_a_custom_operation_is_never_computed_twice():
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


def test_the_first_bad_number_is_found_among_values_that_were_not_kept():
    x = ag.Tensor(np.zeros(N), name="x")
    loss = np.sum(np.sqrt((x + 0.0) * 1.0))
    with pytest.raises(ag.AnomalyError, match="sqrt"), ag.detect_anomaly():
        loss.backward()


def test_an_equal_form_whose_array_is_not_kept_is_computed_again():
    x = ag.Tensor(np.random.default_rng(0).normal(size=(N, 2)))
    squares = np.sqrt(np.sum(x**2, axis=1)) ** 2
    np.testing.assert_allclose(squares.numpy(), np.sum(x.data**2, axis=1))
    np.sum(squares).backward()
    np.testing.assert_allclose(x.grad, 2 * x.data)


def test_an_equal_form_that_is_a_leaf_shares_nothing_with_the_holder_of_its_data():
    x = ag.Tensor(np.array([1.0, 2.0]))
    held = x.data
    result = np.square(np.abs(x)) + np.log(np.exp(x)) * 0
    y = np.cos(np.abs(x))
    held[:] = 100
    np.testing.assert_array_equal(result.numpy(), [1, 4])
    np.testing.assert_allclose(y.numpy(), np.cos([1.0, 2.0]))
    np.sum(result).backward()
    np.testing.assert_array_equal(x.grad, [2, 4])
