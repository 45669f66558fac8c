"""The graph as data: nodes in order, edges with their multiplicity, one traversal."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.graph import ancestors


def test_nodes_stand_in_order_of_execution():
    a, b = ag.Tensor(2.0, name="a"), ag.Tensor(3.0, name="b")
    c = a * b
    d = c + a
    graph = ag.Graph.of(d)
    assert graph.nodes == [a, b, c, d]
    assert graph.inputs == (a, b)
    assert graph.outputs == (d,)
    assert len(graph) == 4


def test_operands_keep_their_order():
    a, b = ag.Tensor(2.0), ag.Tensor(3.0)
    assert (a - b).inputs == (a, b)
    assert (b - a).inputs == (b, a)
    assert (1 - a).inputs[1] is a


def test_operands_keep_their_multiplicity():
    x = ag.Tensor(3.0)
    y = x * x
    assert y.inputs == (x, x)
    assert ag.Graph.of(y).consumers[x] == [(y, 0), (y, 1)]


def test_consumers_of_the_diamond():
    a = ag.Tensor(1.0)
    b = a + a
    c = b * a
    consumers = ag.Graph.of(c).consumers
    assert consumers == {a: [(b, 0), (b, 1), (c, 1)], b: [(c, 0)], c: []}


def test_several_outputs_share_their_nodes():
    a = ag.Tensor(1.0)
    b, c = np.exp(a), np.tanh(a)
    assert ag.Graph.of(b, c).nodes == [a, b, c]


def test_a_leaf_is_a_graph():
    a = ag.Tensor(1.0)
    assert ag.Graph.of(a).nodes == [a]
    assert ag.Graph.of(a).inputs == ag.Graph.of(a).outputs == (a,)


def test_equal_constants_stay_apart():
    a = ag.Tensor(1.0)
    b = (a + 2.0) + 2.0
    constants = [node for node in ag.Graph.of(b).inputs if node is not a]
    assert len(constants) == 2


def test_constants_are_part_of_the_graph():
    X = ag.constant(np.ones((2, 2)), name="X")
    loss = np.sum(X @ ag.Tensor([1.0, 2.0]))
    assert X in ag.Graph.of(loss).inputs


@pytest.mark.parametrize("what", [None, 1.0, np.ones(2), [ag.Tensor(1.0)]])
def test_only_tensors_have_a_graph(what):
    with pytest.raises(TypeError, match=r"Graph\.of.*Tensors"):
        ag.Graph.of(what)


def test_the_representation_of_a_graph():
    a, b = ag.Tensor(2.0, name="a"), ag.Tensor(3.0, name="b")
    assert repr(ag.Graph.of((a * b).named("c"))) == "Graph(2 inputs, 1 operation: a, b → c)"


def test_ancestors_that_require_grad_leave_out_constants():
    a, X = ag.Tensor(2.0), ag.constant(3.0)
    c = a * X
    assert ancestors([c], requires_grad=True) == [a, c]


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 99), st.integers(0, 99)), min_size=1, max_size=30))
def test_an_input_stands_before_what_is_made_from_it(edges):
    nodes = [ag.Tensor(1.0)]
    for left, right in edges:
        nodes.append(nodes[left % len(nodes)] * nodes[right % len(nodes)])
    graph = ag.Graph.of(nodes[-1])
    place = {node: k for k, node in enumerate(graph.nodes)}
    reached, stack = {nodes[-1]}, [nodes[-1]]
    while stack:
        for x in stack.pop().inputs:
            if x not in reached:
                reached.add(x)
                stack.append(x)
    assert set(place) == reached
    assert all(place[x] < place[node] for node in graph.nodes for x in node.inputs)
    assert sum(map(len, graph.consumers.values())) == sum(len(node.inputs) for node in graph.nodes)


def test_a_long_chain_is_walked_without_recursion():
    y = ag.Tensor(0.0)
    for _ in range(20_000):
        y = y + 1.0
    assert len(ag.Graph.of(y)) == 40_001


def test_a_trace_has_its_arguments_as_inputs_in_their_order():
    graph = ag.trace(lambda a, b: np.sum(b), np.ones(2), np.ones(3))
    assert [x.shape for x in graph.inputs] == [(2,), (3,)]
    assert [y.shape for y in graph.outputs] == [()]


def test_scope_groups_and_nests():
    with ag.scope("layer 1"):
        a = ag.relu(ag.Tensor(1.0))
        with ag.scope("inside"):
            b = a + 1
    c = b + 1
    assert (a.scope, b.scope, c.scope) == (("layer 1",), ("layer 1", "inside"), ())


def test_a_scope_ends_with_an_error():
    with pytest.raises(ZeroDivisionError), ag.scope("broken"):
        raise ZeroDivisionError
    assert ag.Tensor(1.0).scope == ()


def test_a_scope_has_a_title():
    with pytest.raises(TypeError, match="scope: the title must be a string, not int"):
        ag.scope(1)
