"""The layout in DOT: ranks, frames and the straight line from the data to the loss."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from autograd_lite.explanation.folding import Group, is_literal
from autograd_lite.explanation.labels import badge
from autograd_lite.explanation.snapshot import Snapshot
from autograd_lite.graph import Graph
from autograd_lite.sweep import Gradients
from autograd_lite.viz import cards
from autograd_lite.viz.marks import Mark, marks

__all__ = ["Edge", "Scene", "edges_between", "frames", "layout"]

HEAD = """\
digraph autograd_lite {
  graph [rankdir=LR nodesep=0.25 ranksep=0.45 pad=0.2 bgcolor=white fontname="Helvetica"
    labelloc=b labeljust=l label=%s%s]
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
"""Operations that only rearrange; the result of one on a parameter is placed next to it."""

STRAIGHT = 20

MANY, HURRY = 400, " splines=line nslimit=1 nslimit1=1 mclimit=0.1"
"""For more cards Graphviz may take minutes for its best layout; these options speed it up."""

PACKED = 6
"""At least this many unconnected pieces are arranged in rows on a page."""


class Scene(Snapshot):
    """A graph with the contents of its cards.

    Attributes:
        numbers: the position of each node in the graph, which is the number of its card.
        marks: the problems at each node.
    """

    __slots__ = ("marks", "numbers")

    def __init__(self, graph: Graph, gradients: Gradients | None) -> None:
        super().__init__(graph, gradients)
        self.numbers: dict[Any, int] = {node: k for k, node in enumerate(graph.nodes)}
        result = graph.outputs[-1]
        self.marks: dict[Any, tuple[Mark, ...]] = {
            node: marks(node, array, self.gradient(node), node is result)
            for node, array in self.arrays.items()
        }

    def badge(self, node: Any) -> str | None:
        """The symbol of a node's operation with its literals, None for a leaf."""
        if node.op is None:
            return None
        literals = {k: x for k, x in enumerate(node.inputs) if is_literal(x, self.graph)}
        return badge(node, literals)

    def card_of(self, group: Group) -> str:
        """The identifier of a card, from the position of its last node: equal for equal graphs."""
        return f"n{self.numbers[group.nodes[-1]]}"


@dataclass(frozen=True, slots=True)
class Edge:
    """An arrow between two cards, by their numbers.

    Attributes:
        tail: the card where it starts.
        head: the card where it ends.
        at: between single nodes, the consumer and the number of the operand.
        part: the part of the gradient, if the tail has several consumers.
    """

    tail: int
    head: int
    at: tuple[Any, int] | None
    part: str


def layout(
    groups: list[Group],
    scene: Scene,
    page: str | None = None,
    derivatives: dict[tuple[Any, int], str] | None = None,
) -> str:
    """The cards of a graph, their frames and arrows, in DOT.

    Args:
        groups: the cards, in the order of their last nodes.
        scene: their graph.
        page: for a page, the prefix of the identifiers of cards (n), frames (c) and arrows (e).
        derivatives: the label of the arrow to the k-th operand of a consumer, by (consumer, k).
    """
    ids = [scene.card_of(group) for group in groups]
    edges = edges_between(groups, scene)
    plan = _Plan(groups, edges)
    order, packed = (range(len(ids)), "") if page is None else _packed(len(ids), edges)
    inside: defaultdict[tuple[str, ...], list[str]] = defaultdict(list)
    labelled = list(_labels(groups, scene))
    for k in order:
        known = "" if page is None else f' [id="{page}{ids[k]}"]'
        inside[groups[k].scope].append(f"{ids[k]} {labelled[k]}{known}")
    for anchor, beside in sorted(plan.beside.items()):
        names = "; ".join(ids[k] for k in (anchor, *beside))
        inside[groups[anchor].scope].append(f"{{rank=same; {names}}}")
    folded = any(group.title is not None for group in groups)
    meaning = None if scene.gradients is None else cards.escape(f"∂{scene.loss}/∂(this node)")
    legend = f"<{cards.legend(meaning, folded)}>" if page is None else '""'
    if hurried := len(groups) > MANY:
        packed += HURRY
    lines = [HEAD % (legend, packed), *_frames(inside, frames(groups), page)]
    for k, edge in enumerate(edges):
        label = edge.part
        if derivatives and edge.at in derivatives and not hurried:
            label = "\\n".join(filter(None, (cards.escape(derivatives[edge.at], 40), label)))
        known = "" if page is None else f'id="{page}e{k}"'
        lines.append(f"  {plan.arrow(edge, ids, label, known)}\n")
    return "".join([*lines, "}\n"])


def _labels(groups: list[Group], scene: Scene) -> Iterator[str]:
    """The attributes of each card."""
    result = scene.graph.outputs[-1]
    for group in groups:
        if group.title is not None:
            yield cards.attributes("folded", cards.summary(group, found(group, scene)))
            continue
        node = group.nodes[-1]
        role = cards.role_of(node, result)
        array, name, gradient = scene.arrays[node], scene.names.get(node), scene.gradient(node)
        badge, marks = scene.badge(node), scene.marks[node]
        label = cards.card(node, array, name, role, badge, gradient, marks)
        yield cards.attributes(role, label)


def _packed(cards: int, edges: list[Edge]) -> tuple[Sequence[int], str]:
    """The order of the cards and the DOT options that arrange unconnected pieces in rows."""
    piece = list(range(cards))

    def first(k: int) -> int:
        while piece[k] != k:
            piece[k] = k = piece[piece[k]]
        return k

    for edge in edges:
        a, b = sorted((first(edge.tail), first(edge.head)))
        piece[b] = a
    pieces = sorted({first(k) for k in range(cards)})
    if len(pieces) < PACKED:
        return range(cards), ""
    columns = math.isqrt(len(pieces))
    short = -len(pieces) % columns
    # Graphviz fills the rows from the bottom; readers start at the top.
    rows = {k: divmod(n + short, columns) for n, k in enumerate(pieces)}
    place = {k: (-row, column) for k, (row, column) in rows.items()}
    order = sorted(range(cards), key=lambda k: (place[first(k)], k))
    return order, f' pack=30 packmode="array_ci{columns}"'


def found(group: Group, scene: Scene) -> Counter[Mark]:
    """The number of occurrences of each mark in a fold."""
    return Counter(mark.plain for node in group.nodes for mark in scene.marks[node])


def edges_between(groups: list[Group], scene: Scene) -> list[Edge]:
    """The arrows: one for each operand between single nodes, else one between two cards."""
    owner = {node: k for k, group in enumerate(groups) for node in group.nodes}
    consumers = scene.graph.consumers
    parts = {} if scene.gradients is None else scene.gradients.parts
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
                shared = single and len(consumers[x]) > 1 and (node, k) in parts
                part = cards.part(parts[node, k]) if shared else ""
                edges.append(Edge(tail, head, (node, k) if single else None, part))
    return edges


def frames(groups: Iterable[Group]) -> dict[tuple[str, ...], int]:
    """The frames around the cards and their numbers, outer frames first."""
    scopes = (group.scope[: k + 1] for group in groups for k in range(len(group.scope)))
    return {scope: k for k, scope in enumerate(dict.fromkeys(scopes))}


def _frames(
    inside: dict[tuple[str, ...], list[str]],
    numbers: dict[tuple[str, ...], int],
    page: str | None,
) -> Iterator[str]:
    """The statements of each frame in its braces, frames inside frames."""
    children: defaultdict[tuple[str, ...], list[tuple[str, ...]]] = defaultdict(list)
    for scope in numbers:
        children[scope[:-1]].append(scope)
    stack: list[tuple[bool, tuple[str, ...]]] = [(False, ())]
    depth = 0
    while stack:
        closed, scope = stack.pop()
        if closed:
            yield "  " * depth + "}\n"
            depth -= 1
            continue
        if scope:
            depth += 1
            text = scope[-1] if page is None else f"▾ {scope[-1]}"
            title = cards.font(cards.escape(text), 12, cards.GREY)
            label = f" label=<{title}>" if title else ' label=""'
            known = "" if page is None else f' id="{page}c{numbers[scope]}"'
            yield "  " * depth + f"subgraph cluster_{numbers[scope]} {{\n"
            yield "  " * depth + f"  graph [{FRAME}{label}{known}]\n"
            stack.append((True, scope))
        for statement in inside.get(scope, ()):
            yield "  " * depth + f"  {statement}\n"
        stack.extend((False, child) for child in reversed(children[scope]))


class _Plan:
    """The straight line from the data to the result, and the cards next to it.

    Attributes:
        straight: the edges on the line.
        beside: the cards that share the rank of a card.
        above: for an edge within a rank, whether its tail is above its head.
    """

    def __init__(self, groups: list[Group], edges: list[Edge]) -> None:
        self.groups = groups
        self.incoming: list[list[Edge]] = [[] for _ in groups]
        self.outgoing: list[list[Edge]] = [[] for _ in groups]
        for edge in edges:
            # Scopes that were entered several times may fold into a cycle.
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
        """For each card whether it depends on data, and its operand with the longest path.

        A path from data counts more than any path from parameters alone.
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
        """Place at most one parameter below a card and one leaf of data above it."""
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
        """The edges back to a leaf through operations that only rearrange it."""
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

    def arrow(self, edge: Edge, ids: list[str], label: str, known: str) -> str:
        """An edge in DOT."""
        tail, head = ids[edge.tail], ids[edge.head]
        attributes = [known] if known else []
        above = self.above.get(edge)
        if above is not None and above == bool(self.groups[edge.head].scope):
            # Within a rank dot places the tail above the head; in a frame, the head above the tail.
            tail, head = head, tail
            attributes.append("dir=back")
        if edge in self.straight:
            attributes.append(f"weight={STRAIGHT}")
        if label:
            attributes.append(f'label="{label}"')
        return f"{tail} -> {head}" + (f" [{' '.join(attributes)}]" if attributes else "")
