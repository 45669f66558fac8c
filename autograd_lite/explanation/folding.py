"""Which nodes share a card: those of a folded scope, or of a run in a graph too large to read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby, takewhile
from typing import Any

from autograd_lite.explanation.labels import is_number, symbol
from autograd_lite.graph import Graph

__all__ = ["LIMIT", "Group", "common", "fold", "is_literal", "unfold"]

LIMIT = 200
"""A picture with more cards is unreadable, and Graphviz needs seconds for it."""

RUNS = 16
"""The number of cards for the operations of a graph that is too large even when folded."""

REPEATED = 3
"""At least this many equal folded layers in a row share a card."""

OUTSIDE, SHARED = 40, 4
"""An open fold shows at most so many of its inputs from outside, and only those that it uses at
most so many times."""

DEEPEST = 8
"""The deepest nesting of frames that automatic folding opens."""


@dataclass(frozen=True, eq=False, slots=True)
class Group:
    """Nodes that share a card: one node, or several folded under a title.

    Attributes:
        nodes: the nodes in execution order.
        title: the title of a card of several nodes; None for one node.
        scope: the titles of the frames around the card, outermost first.
    """

    nodes: tuple[Any, ...]
    title: str | None
    scope: tuple[str, ...]

    @property
    def operations(self) -> Counter[str]:
        """The number of occurrences of each operation, by symbol."""
        return Counter(symbol(node.op) for node in self.nodes if node.op is not None)

    @property
    def kind(self) -> Any:
        """What equal layers have in common; None for one node."""
        if self.title is None:
            return None
        shapes = tuple(leaf.shape for leaf in self.parameters)
        return self.scope, tuple(sorted(self.operations.items())), shapes

    @property
    def parameters(self) -> list[Any]:
        """The leaves that require a gradient."""
        return [node for node in self.nodes if node.op is None and node.requires_grad]


def fold(graph: Graph, depth: int | None = None, limit: int = LIMIT) -> list[Group]:
    """Distribute the nodes of a graph among cards, in execution order.

    Every node is on a card except literals, such as the 1 in ``t + 1``, which the card of the
    operation shows. The result of the graph always has a separate card.

    Args:
        graph: the graph to draw.
        depth: the number of nested scopes that are open; each scope inside them becomes one card.
            None opens as many as the limit allows; if even none exceeds it, runs of operations
            share a card.
        limit: the largest number of cards for depth None.
    """
    result = graph.outputs[-1]
    nodes = [node for node in graph.nodes if not is_literal(node, graph)]
    if depth is not None:
        return _in_order(_by_scope(nodes, graph, result, depth))
    return _in_order(_fitting(nodes, graph, result, limit))


def unfold(group: Group, graph: Graph, limit: int = LIMIT) -> list[Group]:
    """The cards inside a fold and those of its inputs; none if there are too many.

    Args:
        group: nodes that share a card.
        graph: their graph.
        limit: the number of cards above which the inside is folded again.
    """
    nodes = list(group.nodes)
    acting = [node for node in nodes if node.op is not None]
    if not acting:
        return [Group((node,), None, ()) for node in nodes] if len(nodes) <= limit else []
    depth = len(group.scope)
    several = len({node.scope[: depth + 1] for node in acting}) > 1
    groups = _fitting(nodes, graph, None, limit, depth + (not several), merging=False)
    inside = set(nodes)
    taken = Counter(x for node in acting for x in node.inputs if x not in inside)
    # An input of everything would connect all cards; without it the layout has separate pieces.
    outside = [x for x, times in taken.items() if times <= SHARED and not is_literal(x, graph)]
    return _in_order([*(Group((x,), None, ()) for x in outside[:OUTSIDE]), *groups])


def _in_order(groups: list[Group]) -> list[Group]:
    return sorted(groups, key=lambda group: group.nodes[-1].position)


def _fitting(
    nodes: list[Any],
    graph: Graph,
    result: Any,
    limit: int,
    least: int = 0,
    merging: bool = True,
) -> list[Group]:
    """Open as many scopes as the limit allows, at least `least`."""
    deepest = min(max((len(node.scope) for node in nodes), default=0), DEEPEST)
    for depth in range(max(deepest, least), least - 1, -1):
        groups = _by_scope(nodes, graph, result, depth)
        if len(groups) <= limit:
            break
    if merging:
        groups = _merged(groups)
    if len(groups) <= limit:
        return groups
    return _by_runs(groups, graph, result, max(2, min(RUNS, limit // 2)))


def _merged(groups: list[Group]) -> list[Group]:
    """Merge equal folded layers in a row into one card with their number."""
    result: list[Group] = []
    acting: list[Group] = []
    for group in groups:
        (result if group.nodes[-1].op is None else acting).append(group)
    for kind, same in groupby(acting, key=lambda group: group.kind):
        run = list(same)
        if kind is None or len(run) < REPEATED:
            result.extend(run)
            continue
        nodes = sorted((n for g in run for n in g.nodes), key=lambda n: n.position)
        title = f"{run[0].title} … {run[-1].title}  ({len(run):,} ×)"
        result.append(Group(tuple(nodes), title, run[0].scope))
    return _in_order(result)


def is_literal(node: Any, graph: Graph) -> bool:
    """Whether a leaf is a literal of an expression, such as the 1 in ``t + 1``."""
    return (
        is_number(node)
        and all(node is not output for output in graph.outputs)
        and all(
            c.op.traits.elementwise and len(c.inputs) == 2 and not is_number(c.inputs[1 - k])
            for c, k in graph.consumers[node]
        )
    )


def _by_scope(nodes: list[Any], graph: Graph, result: Any, depth: int) -> list[Group]:
    """One card for each scope deeper than `depth`, and one for each node elsewhere."""
    folded: dict[tuple[str, ...], list[Any]] = {}
    home: dict[Any, tuple[str, ...] | None] = {}
    for node in nodes:
        inside = len(node.scope) > depth and node.op is not None and node is not result
        home[node] = node.scope[: depth + 1] if inside else None
    if depth < max((len(node.scope) for node in nodes), default=0):
        for node in nodes:
            # A leaf that only one card uses goes into it, but named data stay visible.
            if node.op is None and (node.requires_grad or node.name is None):
                homes = {home.get(consumer) for consumer, _ in graph.consumers.get(node, ())}
                if len(homes) == 1:
                    home[node] = homes.pop()
    groups: list[Group | tuple[str, ...]] = []
    for node in nodes:
        scope = home[node]
        if scope is None:
            groups.append(Group((node,), None, _frame(node, graph, depth)))
        elif scope in folded:
            folded[scope].append(node)
        else:
            folded[scope] = [node]
            groups.append(scope)
    return [
        group if isinstance(group, Group) else Group(tuple(folded[group]), group[-1], group[:-1])
        for group in groups
    ]


def _frame(node: Any, graph: Graph, depth: int) -> tuple[str, ...]:
    """The frames around the card of a node; a parameter is in the frames of its consumers."""
    scope: tuple[str, ...] = node.scope
    if node.op is None and not scope and (node.requires_grad or node.name is None):
        scope = common(consumer.scope for consumer, _ in graph.consumers[node])
    return scope[:depth]


def common(scopes: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    """The common outer frames of several scopes."""
    found = list(scopes) or [()]
    pairs = zip(min(found), max(found), strict=False)
    return tuple(title for title, _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _by_runs(groups: list[Group], graph: Graph, result: Any, most: int) -> list[Group]:
    """Cut the operations into runs, and put each leaf into the only run that uses it."""
    acting = [g for g in groups if g.nodes[-1].op is not None and g.nodes[-1] is not result]
    runs = _runs(acting, most)
    run_of: dict[Any, int] = {}
    for k, run in enumerate(runs):
        for group in run:
            run_of.update(dict.fromkeys(group.nodes, k))
    members: list[list[Any]] = [[node for g in run for node in g.nodes] for run in runs]
    shared: dict[str, list[Any]] = {"shared parameters": [], "data": []}
    for group in groups:
        for leaf in group.nodes:
            if leaf.op is None and leaf is not result and leaf not in run_of:
                users = {run_of.get(consumer) for consumer, _ in graph.consumers[leaf]}
                hidden = leaf.requires_grad or leaf.name is None
                hidden = hidden and len(graph.consumers[leaf]) <= SHARED
                user = users.pop() if hidden and len(users) == 1 else None
                if user is None:
                    shared["shared parameters" if leaf.requires_grad else "data"].append(leaf)
                else:
                    members[user].append(leaf)
    folded = []
    for kind, leaves in shared.items():
        if len(leaves) <= most // 2:
            folded += [Group((leaf,), None, ()) for leaf in leaves]
        else:
            folded.append(Group(tuple(leaves), kind, ()))
    for run, nodes in zip(runs, members, strict=True):
        nodes.sort(key=lambda node: node.position)
        folded.append(_folded(run, nodes))
    if result is not None:
        folded.append(Group((result,), None, ()))
    return folded


def _runs(acting: list[Group], most: int) -> list[list[Group]]:
    """Group cards by their distance from the leaves, so that layers stay together."""
    steps: dict[Any, int] = {}
    far: list[tuple[int, Group]] = []
    for group in sorted(acting, key=lambda group: group.nodes[-1].position):
        away = 1 + max((steps.get(x, 0) for node in group.nodes for x in node.inputs), default=0)
        steps.update(dict.fromkeys(group.nodes, away))
        far.append((away, group))
    size = -(-len(acting) // most)
    runs: list[list[Group]] = []
    last = 0
    alike = len({away for away, _ in far}) == 1
    for away, group in sorted(far, key=lambda pair: pair[0]):
        if not runs or (len(runs[-1]) >= size and (away != last or alike)):
            runs.append([])
        runs[-1].append(group)
        last = away
    return runs


def _folded(run: list[Group], nodes: list[Any]) -> Group:
    titles = [group.title for group in run if group.title is not None]
    if len(nodes) == 1:
        return Group(tuple(nodes), None, ())
    if not titles:
        operations = sum(node.op is not None for node in nodes)
        title = f"{operations:,} operation{'s' * (operations != 1)}"
    elif len(titles) == 1:
        title = titles[0]
    else:
        title = f"{titles[0]} … {titles[-1]}"
    return Group(tuple(nodes), title, ())
