"""Scopes fold into one card, and so do runs of a graph too large to read."""

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pages import neurons

import autograd_lite as ag
from autograd_lite.explanation.folding import LIMIT, RUNS, fold, is_literal, unfold
from autograd_lite.viz import draw

SCOPES = st.lists(st.sampled_from(["encoder", "layer", "block"]), max_size=3).map(tuple)
STEPS = st.lists(
    st.tuples(SCOPES, st.integers(0, 30), st.integers(0, 30), st.booleans()),
    min_size=1,
    max_size=25,
)


def nested(titles, compute):
    """What a function computes inside scopes."""
    if not titles:
        return compute()
    with ag.scope(titles[0]):
        return nested(titles[1:], compute)


def grown(steps):
    """A graph of products and sums whose operands and scopes the steps choose."""
    nodes = [ag.Tensor(0.5, name="w"), ag.constant([1.0, 2.0], name="x"), ag.Tensor([0.1, 0.2])]
    for titles, i, j, product in steps:
        a, b = nodes[i % len(nodes)], nodes[j % len(nodes)]
        nodes.append(nested(titles, lambda a=a, b=b, p=product: a * b if p else a + b * 0.5))
    return ag.Graph.of(np.sum(nodes[-1]))


def chain(length, scope=None):
    """A chain of tanh, in scopes of ten if a title is given."""
    t = ag.Tensor(0.5, name="x")
    for k in range(length):
        t = nested([scope.format(k // 10)] if scope else [], lambda t=t: np.tanh(t))
    return t


@given(STEPS, st.none() | st.integers(0, 4), st.integers(1, 40))
def test_every_node_stands_on_one_card(steps, depth, limit):
    graph = grown(steps)
    groups = fold(graph, depth, limit)
    held = Counter(node for group in groups for node in group.nodes)
    assert set(held.values()) <= {1}
    assert set(held) == {node for node in graph.nodes if not is_literal(node, graph)}
    for group in groups:
        positions = [node.position for node in group.nodes]
        assert positions == sorted(positions)


@given(STEPS, st.none() | st.integers(0, 4), st.integers(1, 40))
def test_the_result_has_a_card_of_its_own(steps, depth, limit):
    graph = grown(steps)
    [card] = [g for g in fold(graph, depth, limit) if graph.outputs[-1] in set(g.nodes)]
    assert card.title is None
    assert len(card.nodes) == 1


@given(STEPS, st.integers(0, 4))
def test_scopes_within_the_depth_are_open_and_others_closed(steps, depth):
    graph = grown(steps)
    for group in fold(graph, depth):
        assert len(group.scope) <= depth
        if group.title is not None:
            inside = {n.scope[: depth + 1] for n in group.nodes if n.op is not None}
            assert inside == {(*group.scope, group.title)}


@given(STEPS, st.integers(0, 3))
def test_a_deeper_view_has_no_fewer_cards(steps, depth):
    graph = grown(steps)
    assert len(fold(graph, depth)) <= len(fold(graph, depth + 1))


@given(STEPS, st.integers(40, 60))
def test_automatic_folding_keeps_within_a_reasonable_limit(steps, limit):
    assert len(fold(grown(steps), None, limit)) <= limit


def test_a_scope_card_counts_what_it_holds():
    x, w = ag.constant([1.0, 2.0], name="x"), ag.Tensor([0.5, 0.5], name="w")
    with ag.scope("layer 1"):
        h = np.tanh(x * w + 1.0)
    folded = [g for g in fold(ag.Graph.of(np.sum(h)), depth=0) if g.title == "layer 1"]
    assert [dict(g.operations) for g in folded] == [{"×": 1, "+": 1, "tanh": 1}]
    assert folded[0].parameters == [w]


def test_named_data_stay_in_sight():
    x = ag.constant([1.0, 2.0], name="x")
    with ag.scope("layer 1"):
        h = np.tanh(x * ag.Tensor([0.5, 0.5], name="w"))
    groups = fold(ag.Graph.of(np.sum(h)), depth=0)
    assert [g.nodes[-1].name for g in groups if g.nodes[-1].op is None] == ["x"]


def test_a_parameter_that_two_layers_share_stands_between_them():
    w, x = ag.Tensor(0.5, name="w"), ag.constant(2.0, name="x")
    with ag.scope("one"):
        h = w * x
    with ag.scope("two"):
        h = h * w
    [own] = [g for g in fold(ag.Graph.of(h + x), depth=0) if g.nodes[0] is w]
    assert own.scope == ()


def test_bare_numbers_have_no_card_and_named_ones_have():
    t = ag.Tensor(2.0, name="t")
    two = ag.constant(2.0, name="two")
    graph = ag.Graph.of(1.0 - t * 3.0 + two)
    leaves = [g.nodes[-1].name for g in fold(graph) if g.nodes[-1].op is None]
    assert leaves == ["t", "two"]


def test_a_small_graph_is_not_folded():
    assert all(group.title is None for group in fold(ag.Graph.of(chain(LIMIT - 1))))


@pytest.mark.parametrize("length", [LIMIT + 1, 5_000])
def test_a_long_chain_folds_into_runs(length):
    groups = fold(ag.Graph.of(chain(length)))
    assert len(groups) <= RUNS + 2
    assert sum(g.operations.total() for g in groups) == length
    assert sum(g.title is not None for g in groups) == RUNS


def layers(widths):
    """A layer in a scope for each width, each with more operations than the one before."""
    t = ag.Tensor(0.5, name="x")
    for k, width in enumerate(widths):
        with ag.scope(f"layer {k}"):
            for _ in range(width):
                t = np.tanh(t)
    return np.exp(t)


def test_scopes_fold_before_runs_do():
    titles = [g.title for g in fold(ag.Graph.of(layers(range(30, 50))))]
    assert titles == [*(f"layer {k}" for k in range(20)), None]


def test_repeated_layers_share_a_card_with_their_number():
    graph = ag.Graph.of(layers([9] + [40] * 8 + [7, 7, 40]))
    groups = fold(graph)
    assert [g.title for g in groups] == [
        *("layer 0", "layer 1 … layer 8  (8 ×)", "layer 9", "layer 10", "layer 11", None)
    ]
    inside = [g.title for g in unfold(groups[1], graph)]
    assert inside == [None, *(f"layer {k}" for k in range(1, 9))]


def test_layers_of_other_shapes_do_not_repeat():
    t = ag.constant(np.ones(3), name="x")
    for k in range(60):
        with ag.scope(f"layer {k}"):
            t = np.tanh(t * ag.Tensor(np.ones((1,) * (1 + k % 2) + (3,))) + 0.5 - 1.0)
    titles = [g.title for g in fold(ag.Graph.of(np.sum(t)), limit=80)]
    assert titles.count(None) == 2
    assert len(titles) == 62


@given(STEPS, st.integers(1, 12))
def test_the_inside_of_a_fold_holds_what_it_folds(steps, limit):
    graph = grown(steps)
    for group in fold(graph, 0, limit) + fold(graph, None, limit):
        if group.title is None:
            continue
        inside = unfold(group, graph)
        held = [node for part in inside for node in part.nodes]
        assert len(set(held)) == len(held)
        assert set(group.nodes) <= set(held)
        outside = set(held) - set(group.nodes)
        taken = {x for node in group.nodes for x in node.inputs}
        assert outside <= taken


def test_unfolding_ends():
    x = ag.Tensor(np.arange(1000.0), name="x")
    graph = ag.Graph.of(sum(np.tanh(x[k]) for k in range(500)))
    waiting, opened = fold(graph), 0
    while waiting:
        group = waiting.pop()
        if group.title is not None:
            inside = unfold(group, graph)
            assert all(len(part.nodes) < len(group.nodes) for part in inside)
            waiting.extend(inside)
            opened += 1
    assert 1 < opened < 500


def test_too_many_scopes_fold_into_runs_named_after_them():
    titles = [g.title for g in fold(ag.Graph.of(layers(range(10, 260)))) if g.title]
    assert len(titles) == RUNS
    assert titles[0].startswith("layer 0 … ")


@pytest.mark.parametrize("scopes", [False, True])
def test_a_perceptron_of_single_numbers_stays_readable(scopes):
    graph = ag.Graph.of(neurons(scopes=scopes))
    assert len(graph.nodes) > 900
    groups = fold(graph)
    assert len(groups) <= 20
    # What all neurons take stands in the overview, and ties nothing together inside.
    inputs = {node for node in graph.nodes if node.name in ("x0", "x1")}
    assert inputs <= {group.nodes[0] for group in groups if group.title is None}
    for group in groups:
        inside = unfold(group, graph) if group.title is not None else []
        assert len(inside) <= LIMIT
        assert not inputs & {node for card in inside for node in card.nodes}


def test_thousands_of_parameters_share_a_card():
    weights = [ag.Tensor(float(k)) for k in range(300)]
    once, twice = ag.Tensor(0.0, name="s"), ag.Tensor(0.0, name="t")
    for w in weights:
        once, twice = once + w, twice + w
    for w in weights:
        twice = twice * w
    groups = fold(ag.Graph.of(once * twice))
    assert len(groups) <= RUNS + 5
    assert {g.title for g in groups if not g.operations and len(g.nodes) > 1} <= {
        "shared parameters"
    }
    assert sum(len(g.parameters) for g in groups) == 302


def test_nothing_recurses_and_nothing_is_quadratic():
    assert len(fold(ag.Graph.of(chain(100_000)))) <= RUNS + 2


def test_hundreds_of_nested_scopes_draw():
    t = ag.Tensor(0.5, name="x")
    with ag.scope("0"):
        t = np.tanh(nested([str(k) for k in range(1, 300)], lambda: np.tanh(np.exp(t))))
    source = draw(np.sum(t)).source
    assert source.count("{") == source.count("}")


def test_scopes_that_are_entered_again_and_again_draw():
    t = ag.Tensor(0.5, name="x")
    for _ in range(5):
        with ag.scope("even"):
            t = np.tanh(t)
        with ag.scope("odd"):
            t = np.exp(-t)
    source = draw(np.sum(t), depth=0).source
    assert "even" in source
    assert "odd" in source
