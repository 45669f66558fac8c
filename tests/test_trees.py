"""Containers of arrays are taken apart and put together again."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict, defaultdict, namedtuple
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograd_lite.trees import flatten, leaves_like, tree_map

Pair = namedtuple("Pair", "one two")


@dataclasses.dataclass(frozen=True)
class Layer:
    weights: Any
    bias: Any = 0.0
    units: int = dataclasses.field(init=False, default=3)


TREES = st.recursive(
    st.integers(),
    lambda children: st.one_of(
        st.lists(children, max_size=3),
        st.lists(children, max_size=3).map(tuple),
        st.dictionaries(st.text(max_size=2), children, max_size=3),
        st.tuples(children, children).map(lambda pair: Pair(*pair)),
        st.tuples(children, children).map(lambda pair: Layer(*pair)),
        st.none(),
    ),
    max_leaves=12,
)


@given(TREES)
def test_built_from_its_own_leaves_a_tree_is_itself(tree):
    leaves, paths, build = flatten(tree)
    assert build(leaves) == tree
    assert len(leaves) == len(paths) == len(set(paths))


@given(TREES)
def test_tree_map_reaches_every_leaf_once_and_keeps_the_kinds(tree):
    mapped = tree_map(lambda x: x + 1, tree)
    assert flatten(mapped)[0] == [x + 1 for x in flatten(tree)[0]]
    assert flatten(mapped)[1] == flatten(tree)[1]
    back = tree_map(lambda x: x - 1, mapped)
    assert back == tree
    assert repr(back) == repr(tree)  # which tells a named tuple from a tuple


@given(st.dictionaries(st.text(max_size=3), st.integers(), min_size=1), st.randoms())
def test_the_order_of_keys_does_not_matter(tree, random):
    keys = list(tree)
    random.shuffle(keys)
    shuffled = {key: tree[key] for key in keys}
    leaves, paths, _ = flatten(tree)
    assert leaves_like(shuffled, paths, "a tree") == leaves


@pytest.mark.parametrize(
    "tree",
    [
        OrderedDict(b=1, a=2),
        defaultdict(list, {"b": 1}),
        Layer([1, 2], (3,)),
        Pair({"a": 1}, None),
        [],
        {},
        (),
    ],
)
def test_kinds_of_containers(tree):
    leaves, _, build = flatten(tree)
    built = build(leaves)
    assert built == tree
    assert type(built) is type(tree)


def test_paths_say_where():
    tree = {"layers": [Layer(1, 2)], 3: Pair(4, (5,))}
    assert flatten(tree)[1] == [
        "['layers'][0].weights",
        "['layers'][0].bias",
        "[3].one",
        "[3].two[0]",
    ]


def test_what_is_missing_or_too_many_is_named():
    paths = flatten({"w": 1, "b": 2})[1]
    with pytest.raises(ValueError, match=r"a tangent has nothing at its \['b'\]"):
        leaves_like({"w": 1}, paths, "a tangent")
    with pytest.raises(ValueError, match=r"a tangent has an extra entry at its \['c'\]"):
        leaves_like({"w": 1, "b": 2, "c": 3}, paths, "a tangent")
    with pytest.raises(ValueError, match="its top, where an array is needed"):
        leaves_like([1.0, 2.0], flatten(1.0)[1], "a cotangent")


def test_a_container_that_contains_itself():
    tree: list[Any] = []
    tree.append(tree)
    with pytest.raises(ValueError, match="contains itself"):
        flatten(tree)
