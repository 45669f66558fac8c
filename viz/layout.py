"""Where the cards stand: ranks, frames and the straight line from the data to the loss, in DOT."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from autograd_lite.graph import Graph
from autograd_lite.sweep import Gradients
from autograd_lite.viz import cards
from autograd_lite.viz.folding import Group, is_literal
from autograd_lite.viz.labels import badge, labels

__all__ = ["layout"]

HEAD = """\
digraph autograd_lite {
  graph [rankdir=LR nodesep=0.25 ranksep=0.45 pad=0.2 bgcolor=white fontname="Helvetica"
    labelloc=b labeljust=l label=<%s>]
  node [shape=box margin="0.11,0.06" width=0 height=0 fontname="Helvetica"]
  edge [color="#4A4F55" penwidth=1.3 arrowsize=0.8 fontname="Helvetica" fontsize=11
    fontcolor="#A63F00"]
"""

FRAME = (
    'style="rounded,filled" fillcolor="#F6F7F8" color="#C4C7CC" labelloc=t labeljust=l margin=12'
)

MOVES = frozenset(
    {"transpose", "swapaxes", "reshape", "broadcast_to", "squeeze", "expand_dims", "astype"}
)
"""Operations that only rearrange: applied to a parameter they belong beside it."""

STRAIGHT = 20


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow between two cards, by their numbers, and the part of the gradient on it."""

    tail: int
    head: int
    part: str


def layout(groups: list[Group], graph: Graph, gradients: Gradients | None) -> str:
    """The cards of a graph, their frames and arrows, in DOT.

    A card is called after the position of its last node in the graph, so that the same graph
    always gives the same text.

    Args:
        groups: what shares a card.
        graph: the graph that they come from.
        gradients: what to show as gradients, None for none.
    """
    number = {node: k for k, node in enumerate(graph.nodes)}
    groups = sorted(groups, key=lambda group: number[group.nodes[-1]])
    ids = [f"n{number[group.nodes[-1]]}" for group in groups]
    edges = _edges(groups, graph, gradients)
    plan = _Plan(groups, edges)
    inside: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    for name, group, label in zip(ids, groups, _labels(groups, graph, gradients), strict=True):
        inside[group.scope].append(f"{name} {label}")
    for anchor, beside in sorted(plan.beside.items()):
        names = "; ".join(ids[k] for k in (anchor, *beside))
        inside[groups[anchor].scope].append(f"{{rank=same; {names}}}")
    folded = any(group.title is not None for group in groups)
    lines = [HEAD % cards.legend(_meaning(graph, gradients), folded), *_frames(inside)]
    lines.extend(f"  {plan.arrow(edge, ids)}\n" for edge in edges)
    return "".join([*lines, "}\n"])


def _labels(groups: list[Group], graph: Graph, gradients: Gradients | None) -> Iterator[str]:
    """The attributes of each card."""
    result = graph.outputs[-1]
    names = labels(graph)
    of = {} if gradients is None else gradients.of
    for group in groups:
        node = group.nodes[-1]
        if group.title is not None:
            yield cards.attributes("folded", cards.summary(group))
            continue
        role = cards.role_of(node, result)
        symbol = None
        if node.op is not None:
            literals = {k: x for k, x in enumerate(node.inputs) if is_literal(x, graph)}
            symbol = badge(node, literals)
        gradient = of.get(node) if node.requires_grad else None
        label = cards.card(node, names.get(node), role, symbol, gradient)
        yield cards.attributes(role, label)


def _meaning(graph: Graph, gradients: Gradients | None) -> str | None:
    """What the gradients are gradients of."""
    if gradients is None:
        return None
    result = graph.outputs[-1]
    name = cards.escape(result.name or "L", 12)
    total = name if np.size(result.array) == 1 else f"(Σ {name})"
    return f"∂{total}/∂(this node)"


def _edges(groups: list[Group], graph: Graph, gradients: Gradients | None) -> list[Edge]:
    """The arrows; between two single nodes one for each operand, else one for all."""
    owner = {node: k for k, group in enumerate(groups) for node in group.nodes}
    parts = {} if gradients is None else gradients.parts
    edges, known = [], set()
    for head, group in enumerate(groups):
        for node in group.nodes:
            for k, x in enumerate(node.inputs):
                tail = owner.get(x, head)
                if tail == head:
                    continue
                single = group.title is None and groups[tail].title is None
                if not single and (tail, head) in known:
                    continue
                known.add((tail, head))
                shared = single and len(graph.consumers[x]) > 1 and (node, k) in parts
                edges.append(Edge(tail, head, cards.part(parts[node, k]) if shared else ""))
    return edges


def _frames(inside: dict[tuple[str, ...], list[str]]) -> Iterator[str]:
    """The statements of each frame between its braces, frames within frames."""
    children: defaultdict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
    seen: set[tuple[str, ...]] = {()}
    for scope in inside:
        for depth in range(1, len(scope) + 1):
            if scope[:depth] not in seen:
                seen.add(scope[:depth])
                children[scope[: depth - 1]].append(scope[:depth])
    stack: list[tuple[bool, tuple[str, ...]]] = [(False, ())]
    frames, depth = 0, 0
    while stack:
        closed, scope = stack.pop()
        if closed:
            yield "  " * depth + "}\n"
            depth -= 1
            continue
        if scope:
            depth += 1
            title = cards.font(cards.escape(scope[-1]), 12, cards.GREY)
            label = f" label=<{title}>" if title else ' label=""'
            yield "  " * depth + f"subgraph cluster_{frames} {{\n"
            yield "  " * depth + f"  graph [{FRAME}{label}]\n"
            frames += 1
            stack.append((True, scope))
        for statement in inside.get(scope, ()):
            yield "  " * depth + f"  {statement}\n"
        stack.extend((False, child) for child in reversed(children[scope]))


class _Plan:
    """The line from the data to the result, and what stands beside it.

    Attributes:
        straight: the edges on the line.
        beside: for a card with a rank of its own the cards that share the rank.
        above: for an edge within a rank whether its tail stands above its head.
    """

    def __init__(self, groups: list[Group], edges: list[Edge]) -> None:
        self.groups = groups
        self.incoming: list[list[Edge]] = [[] for _ in groups]
        self.outgoing: list[list[Edge]] = [[] for _ in groups]
        for edge in edges:
            # Scopes that were entered again and again may fold into a cycle.
            if edge.tail < edge.head:
                self.incoming[edge.head].append(edge)
                self.outgoing[edge.tail].append(edge)
        self.data, self.main = self._mains()
        self.straight: set[Edge] = set()
        step = self.main[-1]
        while step is not None:
            self.straight.add(step)
            step = self.main[step.tail]
        self.beside: dict[int, list[int]] = {}
        self.above: dict[Edge, bool] = {}
        for head in range(len(groups)):
            self._hang(head)
        for row in list(self.beside.values()):
            for k in row:
                self.beside.pop(k, None)

    def _mains(self) -> tuple[list[bool], list[Edge | None]]:
        """For each card whether data reach it, and the operand that came the longest way.

        A way from data counts more than any way from parameters alone.
        """
        lengths: list[int] = []
        data: list[bool] = []
        main: list[Edge | None] = []
        for group, edges in zip(self.groups, self.incoming, strict=True):
            node = group.nodes[-1]
            is_data = node.op is None and not node.requires_grad
            data.append(is_data or any(data[edge.tail] for edge in edges))
            lengths.append(max((lengths[edge.tail] + 1 for edge in edges), default=0))
            main.append(
                max(edges, key=lambda edge: (data[edge.tail], lengths[edge.tail]), default=None)
            )
        return data, main

    def _hang(self, head: int) -> None:
        """Put at most one parameter below a card and one leaf of data above it."""
        edges = self.incoming[head]
        taken = set()
        for edge in edges:
            above = self.data[edge.tail]
            first = edge is self.main[head] and len(edges) > 1
            if first or edge in self.straight or above in taken:
                continue
            if chain := self._chain(edge):
                taken.add(above)
                self.beside.setdefault(head, []).extend(link.tail for link in chain)
                self.above.update(dict.fromkeys(chain, above))

    def _chain(self, edge: Edge) -> list[Edge]:
        """The edges that lead straight to a leaf, through what only rearranges it."""
        chain: list[Edge] = []
        while True:
            group = self.groups[edge.tail]
            node = group.nodes[-1]
            near = group.scope == self.groups[edge.head].scope
            if not near or group.title is not None or len(self.outgoing[edge.tail]) > 1:
                return chain
            if node.op is not None and (node.op.name not in MOVES or self.data[edge.tail]):
                return chain
            chain.append(edge)
            if not self.incoming[edge.tail]:
                return chain
            edge = self.incoming[edge.tail][0]

    def arrow(self, edge: Edge, ids: list[str]) -> str:
        """An edge in DOT."""
        tail, head = ids[edge.tail], ids[edge.head]
        attributes = []
        above = self.above.get(edge)
        if above is not None and above == bool(self.groups[edge.head].scope):
            # Within a rank dot puts the tail above the head, in a frame the head above the tail.
            tail, head = head, tail
            attributes.append("dir=back")
        if edge in self.straight:
            attributes.append(f"weight={STRAIGHT}")
        if edge.part:
            attributes.append(f'label="{edge.part}"')
        return f"{tail} -> {head}" + (f" [{' '.join(attributes)}]" if attributes else "")
