"""The page: a picture to step through and inspect, in one self-contained HTML file."""

from __future__ import annotations

import html
from pathlib import Path
from string import Template
from typing import Any

from autograd_lite.derivation.style import STYLE
from autograd_lite.explanation.folding import Group, common, fold, unfold
from autograd_lite.explanation.words import Words
from autograd_lite.text import printable
from autograd_lite.viz.answers import Answers
from autograd_lite.viz.cards import count
from autograd_lite.viz.layout import Edge, Scene, edges_between, frames, layout
from autograd_lite.viz.panel import Panels
from autograd_lite.viz.picture import Faces, Styles, read
from autograd_lite.viz.rendering import render
from autograd_lite.web_page import embedded, policy

__all__ = ["Page"]

CARDS, SHEETS = 2_000, 64
"""The approximate maximum numbers of cards and of sheets on a page."""

OVERVIEW = 16
"""A graph of more cards has an overview of about so many, for windows that are too small for it."""

WHOLE = "the whole graph"

SCRIPTS = (
    "picture.js", "panel.js", "numbers.js", "answers.js", "edit.js", "geometry.js", "page.js",
)  # fmt: skip


class Page:
    """The page of a graph and its gradients."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.words: Words = Words(scene)
        self.answers: Answers = Answers(scene)
        self.panels: Panels = Panels(scene, self.words, self.answers)
        self.styles: Styles = Styles()
        self.faces: Faces = Faces()
        self.nodes: dict[int, dict[str, Any]] = {}
        self.sheets: list[dict[str, Any]] = []
        self.frames: list[str] = []

    def html(self, depth: int | None) -> str:
        """The file, with scopes nested deeper than `depth` folded at first.

        Raises:
            RuntimeError: if Graphviz is not installed.
        """
        graph = self.scene.graph
        title = printable(graph.outputs[-1].name or "", 60) or "graph"
        groups, shut = fold(graph), depth
        if depth is not None and any(group.title is not None for group in groups):
            groups, shut = fold(graph, depth), None
        waiting: list[tuple[list[Group], str, int]] = [(groups, WHOLE, -1)]
        if depth is None and len(groups) > OVERVIEW:
            waiting = [(groups, WHOLE, 1), (fold(graph, None, OVERVIEW), "overview", -1)]
        # Each fold opens in a separate sheet, until the page is large enough.
        for k, (groups, _, _) in enumerate(waiting):
            opens: dict[int, int] = {}
            for j, group in enumerate(groups):
                full = len(waiting) >= SHEETS or sum(len(g) for g, _, _ in waiting) > CARDS
                if group.title is None or full:
                    continue
                inside = unfold(group, graph)
                if inside and len(inside) > 1:
                    opens[j] = len(waiting)
                    waiting.append((inside, group.title, k))
            path = [k]
            while waiting[path[0]][2] >= 0:
                path.insert(0, waiting[path[0]][2])
            titles = [(sheet, printable(waiting[sheet][1], 80)) for sheet in path]
            self._sheet(groups, titles, opens, None if k else shut)
        return self._filled(title, depth)

    def _filled(self, title: str, depth: int | None) -> str:
        folder = Path(__file__).parent
        style, frame, *parts = (
            (folder / name).read_text(encoding="utf-8")
            for name in ("page.css", "page.html", *SCRIPTS)
        )
        script = "\n".join(parts)
        style += STYLE
        meaning = ""
        hello = "every value"
        if self.scene.gradients is not None:
            loss = html.escape(self.scene.loss)
            meaning = (
                f'\n<li class="grad"><b>grad</b> = ∂{loss}/∂(this node),  '
                "× … = local derivative (multiply right to left)</li>"
            )
            hello = "every value and gradient"
        data = {
            "hello": f"{hello}; step ▸ begins at the data",
            "fits": depth is None,
            "sheets": self.sheets,
            "styles": self.styles.table,
            "faces": self.faces.table,
            "operations": self.panels.operations,
            "nodes": self.nodes,
            "program": self.answers.data(),
        }
        return Template(frame).substitute(
            title=html.escape(title),
            policy=policy(style, self.answers.source, script),
            style=style,
            script=script,
            program=self.answers.source,
            sheets="\n".join(self.frames),
            meaning=meaning,
            data=embedded(data),
        )

    def _sheet(
        self,
        groups: list[Group],
        path: list[tuple[int, str]],
        opens: dict[int, int],
        depth: int | None,
    ) -> None:
        """Add one picture, with the data of its cards, arrows and frames."""
        (k, title), scene = path[-1], self.scene
        groups = _without_common_frames(groups) if k else groups
        ids = [scene.card_of(group) for group in groups]
        edges, numbers = edges_between(groups, scene), frames(groups)
        dot = layout(groups, scene, "", self._derivatives(edges))
        shapes = read(render(dot, "svg").decode(), self.styles)
        cards = [
            [
                self._node(group),
                numbers.get(group.scope),
                shapes[ids[j]][0],
                self.faces.number(shapes[ids[j]]),
                *_fold(group, opens.get(j)),
            ]
            for j, group in enumerate(groups)
        ]
        self.frames.append(
            f'<div class="sheet" id="s{k}" hidden>\n{_navigation(path)}'
            '<div class="view"></div></div>'
        )
        self.sheets.append(
            {
                "up": path[-2][0] if len(path) > 1 else None,
                "label": f"{title}: {len(groups)} cards",
                "cards": cards,
                "edges": [
                    [edge.tail, edge.head, *shapes[f"e{j}"], self._label(edge)]
                    for j, edge in enumerate(edges)
                ],
                "frames": [
                    _framed(scope, groups, edges, numbers, shapes[f"c{j}"])
                    for scope, j in numbers.items()
                ],
                "folded": [j for s, j in numbers.items() if depth is not None and len(s) > depth],
                "steps": _steps(groups, scene),
            }
        )

    def _node(self, group: Group) -> int:
        """The number of a card's last node; the page has a panel of the node of a card of one."""
        node = group.nodes[-1]
        number = self.scene.numbers[node]
        if group.title is None and number not in self.nodes:
            self.nodes[number] = self.panels.panel(node)
        return number

    def _label(self, edge: Edge) -> list[Any]:
        return self.answers.label(edge, self.words) if self.answers.source else []

    def _derivatives(self, edges: list[Edge]) -> dict[tuple[Any, int], str]:
        """The labels of the arrows between single nodes."""
        gradients = self.scene.gradients
        found = [] if gradients is None else [e.at for e in edges if e.at in gradients.parts]
        return {at: self.words.text(self.words.derivative(*at)) for at in found if at is not None}


def _fold(group: Group, opens: int | None) -> list[Any]:
    """The title and the contents of a fold and the number of its sheet; nothing for one node."""
    if group.title is None:
        return []
    return [printable(group.title, 80), _contents([group]), opens]


def _framed(
    scope: tuple[str, ...],
    groups: list[Group],
    edges: list[Edge],
    numbers: dict[tuple[str, ...], int],
    items: list[Any],
) -> list[Any]:
    """A frame: its parent, entrance, outline, title and contents."""
    inside = [k for k, group in enumerate(groups) if group.scope[: len(scope)] == scope]
    contents = _contents([groups[k] for k in inside])
    entrance = _entrance(groups, edges, set(inside))
    return [numbers.get(scope[:-1]), entrance, items, printable(scope[-1], 80), contents]


def _navigation(path: list[tuple[int, str]]) -> str:
    """The titles of the sheets around a sheet, as buttons; empty if there is no other sheet."""
    if path == [(0, WHOLE)]:
        return ""
    trail = "".join(f"{_to(*sheet)} › " for sheet in path[:-1])
    here = f'<span aria-current="page">{html.escape(path[-1][1])}</span>'
    # The overview is an entrance to the whole graph too.
    beside = f" · {_to(0, WHOLE)}" if len(path) == 1 else ""
    return f'<nav aria-label="Where in the graph">{trail}{here}{beside}</nav>\n'


def _to(sheet: int, title: str) -> str:
    return f'<button data-sheet="{sheet}">{html.escape(title)}</button>'


def _entrance(groups: list[Group], edges: list[Edge], inside: set[int]) -> int:
    """The card whose place a folded frame takes: one with an arrow to or from the outside."""
    crossing = (e for e in edges if (e.tail in inside) != (e.head in inside))
    ends = (e.tail if e.tail in inside else e.head for e in crossing)
    return next((k for k in ends if groups[k].nodes[-1].op is not None), min(inside))


def _without_common_frames(groups: list[Group]) -> list[Group]:
    """The groups without the frames that are around all of them."""
    cut = len(common(group.scope for group in groups if group.scope))
    return [Group(group.nodes, group.title, group.scope[cut:]) for group in groups]


def _contents(groups: list[Group]) -> str:
    """The contents of a fold, in words."""
    nodes = [node for group in groups for node in group.nodes]
    operations = sum(node.op is not None for node in nodes)
    parameters = sum(node.op is None and node.requires_grad for node in nodes)
    data = len(nodes) - operations - parameters
    words = [count(operations, "operation")] if operations else []
    words += [count(parameters, "parameter")] if parameters else []
    words += [f"{data:,} of data"] if data else []
    return ", ".join(words)


def _steps(groups: list[Group], scene: Scene) -> list[tuple[int, int]]:
    """The card and the direction of each step: 0 forward, then 1 backward.

    A gradient is complete after the steps of all consumers of its node; the step of a leaf follows
    the last of them.
    """
    acting = [k for k, group in enumerate(groups) if any(n.op is not None for n in group.nodes)]
    steps = [(k, 0) for k in acting]
    if scene.gradients is None:
        return steps
    owner = {node: k for k, group in enumerate(groups) for node in group.nodes}
    waiting: dict[int, list[int]] = {}
    busy = set(acting)
    for k, group in enumerate(groups):
        if k not in busy and any(scene.gradient(node) is not None for node in group.nodes):
            users = [
                owner[c] for n in group.nodes for c, _ in scene.graph.consumers[n] if c in owner
            ]
            waiting.setdefault(min(users, default=k), []).append(k)
    for k in range(len(groups) - 1, -1, -1):
        if k in busy and any(scene.gradient(node) is not None for node in groups[k].nodes):
            steps.append((k, 1))
        steps.extend((leaf, 1) for leaf in reversed(waiting.get(k, ())))
    return steps
