"""Which steps of a graph a walkthrough shows, and which it only sums up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from autograd_lite.explanation.folding import Group, fold
from autograd_lite.graph import Graph

__all__ = ["MOST", "detail", "groups_of", "outputs_of"]

MOST = 40
"""A walkthrough shows each step of a graph of up to this many operations."""

INSIDE = 24
"""It shows each step of the first of equal layers if it has up to this many operations."""


def groups_of(graph: Graph) -> list[Group]:
    """The nodes of a graph in execution order, those of a long one by scope."""
    if sum(node.op is not None for node in graph.nodes) <= MOST:
        return fold(graph, max(len(node.scope) for node in graph.nodes))
    return fold(graph, limit=MOST)


def detail(group: Group) -> list[Any]:
    """The operations of the first of several equal layers; empty for any other group."""
    acting = [node for node in group.nodes if node.op is not None]
    depth = len(group.scope) + 1
    first = acting[0].scope[:depth] if acting else ()
    if len(first) < depth or all(node.scope[:depth] == first for node in acting):
        return []
    found = [node for node in acting if node.scope[:depth] == first]
    return found if len(found) <= INSIDE else []


def outputs_of(group: Group, graph: Graph) -> Iterator[Any]:
    """The results of a group that other groups use."""
    inside = set(group.nodes)
    for node in group.nodes:
        used = graph.consumers[node]
        if node.op is not None and (not used or any(c not in inside for c, _ in used)):
            yield node
