"""The page: the picture in one HTML file that fetches nothing, to step through and look into."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from string import Template
from typing import Any

from autograd_lite.text import printable
from autograd_lite.viz.folding import Group, common, fold, unfold
from autograd_lite.viz.layout import Edge, Scene, edges_between, frames, layout
from autograd_lite.viz.panel import Panels
from autograd_lite.viz.rendering import render
from autograd_lite.viz.words import Words

__all__ = ["page"]

CARDS, SHEETS = 2_000, 64
"""About so many cards and sheets a page holds."""

COLORS = {
    "#202124": "ink", "#5f6368": "grey", "#3c4043": "badge", "#4a4f55": "arrow",
    "#dcebf7": "data", "#fde9c4": "parameter", "#f7e1ee": "loss", "#e8eaed": "folded",
    "#f6f7f8": "frame", "#c4c7cc": "line",
    "#0072b2": "data-line", "#b87700": "parameter-line", "#7a7a7a": "result-line",
    "#a3457f": "loss-line",
    "#a63f00": "grad", "#b3261e": "grad-exploding", "#0b57d0": "grad-vanishing",
    "#5c6166": "grad-zero", "#63676c": "value-dead", "#b01818": "alarm",
}  # fmt: skip
"""The page's style knows the colours of the picture by name, each in light and dark."""


def page(scene: Scene, depth: int | None = None) -> str:
    """The page of a graph.

    Args:
        scene: the graph and its gradients.
        depth: how many nested scopes are open at first.

    Raises:
        RuntimeError: if no Graphviz is installed.
    """
    return _Page(scene).html(depth)


class _Page:
    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.words = Words(scene)
        self.panels = Panels(scene, self.words)
        self.told: dict[int, str] = {}
        self.sheets: list[dict[str, Any]] = []
        self.pictures: list[str] = []

    def html(self, depth: int | None) -> str:
        """The file."""
        graph = self.scene.graph
        title = printable(self.scene.graph.outputs[-1].name or "", 60) or "graph"
        groups, shut = fold(graph), depth
        if depth is not None and any(group.title is not None for group in groups):
            groups, shut = fold(graph, depth), None
        waiting: list[tuple[list[Group], str, int]] = [(groups, "the whole graph", -1)]
        # Folds of a sheet are opened in sheets of their own, until the page is large enough.
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
        return self._filled(title)

    def _filled(self, title: str) -> str:
        folder = Path(__file__).parent
        style, script, frame = (
            (folder / f"page.{suffix}").read_text(encoding="utf-8")
            for suffix in ("css", "js", "html")
        )
        meaning = ""
        hello = "every value"
        if self.scene.gradients is not None:
            loss = html.escape(self.scene.loss)
            meaning = (
                f'\n<li class="grad"><b>grad</b> = ∂{loss}/∂(this node),  '
                "× … = local derivative (multiply right to left)</li>"
            )
            hello = "every value and gradient"
        data = {"hello": f"{hello}; step ▸ begins at the data", "sheets": self.sheets}
        # Nothing is fetched, and no other script or style than these two is run.
        policy = (
            f"default-src 'none'; img-src data:; script-src {_hashed(script)}; "
            f"style-src {_hashed(style)}; base-uri 'none'; form-action 'none'"
        )
        panels = (f'<template id="node-{k}">\n{text}</template>' for k, text in self.told.items())
        return Template(frame).substitute(
            title=html.escape(title),
            policy=policy,
            style=style,
            script=script,
            sheets="\n".join(self.pictures),
            panels="\n".join(panels),
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
        """One picture, with what its cards, arrows and frames are."""
        (k, title), scene = path[-1], self.scene
        groups = _without_common_frames(groups) if k else groups
        page = f"s{k}-"
        edges = edges_between(groups, scene)
        parts = {} if scene.gradients is None else scene.gradients.parts
        slopes = {
            e.at: self.words.slope(*e.at) for e in edges if e.at is not None and e.at in parts
        }
        numbers = frames(groups)
        buttons = {}
        for j, group in enumerate(groups):
            buttons[f"{page}{scene.card_of(group)}"] = self._button(group, opens.get(j))
        frame_data = []
        for scope, j in numbers.items():
            inside = [i for i, g in enumerate(groups) if g.scope[: len(scope)] == scope]
            name, held = printable(scope[-1], 80), _held([groups[i] for i in inside])
            buttons[f"{page}c{j}"] = (
                f'data-frame="{j}" aria-expanded="true" {_labelled(f"{name}, fold")}'
            )
            frame_data.append(
                {
                    "id": f"{page}c{j}",
                    "parent": numbers.get(scope[:-1]),
                    "at": _entrance(groups, edges, set(inside)),
                    "title": name,
                    "text": held,
                    "steps": [f"forward: {name}, {held}", _passing(name)],
                }
            )
        label = html.escape(f"{title}: {len(groups)} cards")
        svg = _inline(render(layout(groups, scene, page, slopes), "svg").decode(), label, buttons)
        folded = "".join(_folded(j, frame) for j, frame in enumerate(frame_data))
        trail = " › ".join(
            f'<button data-sheet="{up}">{html.escape(name)}</button>' for up, name in path[:-1]
        )
        here = f'<span aria-current="page">{html.escape(title)}</span>'
        nav = f'<nav aria-label="Where in the graph">{trail} › {here}</nav>\n' if trail else ""
        self.pictures.append(
            f'<div class="sheet" id="s{k}" hidden>\n{nav}<div class="view">\n'
            # The folded frames are drawn over the graph, in its own system of coordinates.
            + svg.replace("</g>\n</svg>", f"{folded}</g>\n</svg>")
            + "</div></div>"
        )
        self.sheets.append(
            {
                "up": path[-2][0] if trail else None,
                "cards": [
                    {"id": f"{page}{scene.card_of(group)}", "frame": numbers.get(group.scope)}
                    for group in groups
                ],
                "edges": [
                    {"id": f"{page}e{j}", "tail": edge.tail, "head": edge.head}
                    for j, edge in enumerate(edges)
                ],
                "frames": [
                    {key: frame[key] for key in ("id", "parent", "at", "steps")}
                    for frame in frame_data
                ],
                "folded": [j for s, j in numbers.items() if depth is not None and len(s) > depth],
                "steps": [
                    (card, direction, self._step(groups[card], direction))
                    for card, direction in _steps(groups, scene)
                ],
            }
        )

    def _button(self, group: Group, opens: int | None) -> str:
        """What a click on a card does, and the card for a screen reader."""
        if group.title is not None:
            name = f"{printable(group.title, 80)}, {_held([group])}"
            if opens is None:
                return f'tabindex="0" role="img" aria-label="{html.escape(name)}"'
            return f'data-sheet="{opens}" {_labelled(f"{name}, opens")}'
        node = group.nodes[-1]
        number = self.scene.numbers[node]
        if number not in self.told:
            self.told[number] = self.panels.panel(node)
        return f'data-node="{number}" {_labelled(self.panels.label(node))}'

    def _step(self, group: Group, direction: int) -> str:
        """A step in words."""
        if group.title is not None:
            name = printable(group.title, 80)
            return _passing(name) if direction else f"forward: {name}, {_held([group])}"
        node = group.nodes[-1]
        if direction:
            return f"backward: {self.words.backward(node)}"
        return f"forward: {self.words.forward(node)}"


def _passing(name: str) -> str:
    return f"backward: the gradient passes through {name}"


def _labelled(name: str) -> str:
    return f'tabindex="0" role="button" aria-label="{html.escape(name)}"'


def _folded(k: int, frame: dict[str, Any]) -> str:
    """The card of a folded frame; the page gives it its width and place."""
    does = f'data-frame="{k}" aria-expanded="false" '
    does += _labelled(f"{frame['title']}, {frame['text']}, unfold")
    return (
        f'<g class="node" id="{frame["id"]}-folded" {does}>\n'
        '<rect rx="12" height="56" fill="var(--folded)" stroke="var(--result-line)"/>\n'
        '<text x="12" y="23" font-size="14" font-weight="bold" fill="var(--ink)">'
        f"▸ {html.escape(frame['title'])}</text>\n"
        f'<text x="12" y="42" font-size="11" fill="var(--grey)">{frame["text"]}</text>\n</g>\n'
    )


def _entrance(groups: list[Group], edges: list[Edge], inside: set[int]) -> int:
    """The card beside which a folded frame stands: one that is joined to what is outside."""
    crossing = (e for e in edges if (e.tail in inside) != (e.head in inside))
    ends = (e.tail if e.tail in inside else e.head for e in crossing)
    return next((k for k in ends if groups[k].nodes[-1].op is not None), min(inside))


def _without_common_frames(groups: list[Group]) -> list[Group]:
    """Inside a fold, the frames around all of it say nothing."""
    cut = len(common(group.scope for group in groups if group.scope))
    return [Group(group.nodes, group.title, group.scope[cut:]) for group in groups]


def _held(groups: list[Group]) -> str:
    """What a fold holds, in words."""
    nodes = [node for group in groups for node in group.nodes]
    operations = sum(node.op is not None for node in nodes)
    parameters = [node for node in nodes if node.op is None and node.requires_grad]
    words = [f"{operations:,} operation{'s' * (operations != 1)}"] if operations else []
    if parameters:
        words.append(f"{len(parameters):,} parameter{'s' * (len(parameters) != 1)}")
    data = len(nodes) - operations - len(parameters)
    if data:
        words.append(f"{data:,} of data")
    return ", ".join(words)


def _steps(groups: list[Group], scene: Scene) -> list[tuple[int, int]]:
    """The cards that each step reaches: 0 forward, then 1 backward.

    A gradient is complete when all that use its node have had their turn; a leaf comes right
    after the last of them.
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


def _inline(svg: str, label: str, buttons: dict[str, str]) -> str:
    """SVG as a part of a page: its colours by name, and what can be clicked on."""
    svg = svg[svg.index("<svg") :].replace("&#45;", "-")
    svg = re.sub(r"<(title|!--).*?(</title|--)>\n?", "", svg, flags=re.DOTALL)
    # The paper, what the page's style says of every text, and spaces that hold nothing apart here.
    svg = re.sub(r'<polygon fill="white"[^>]*>\n?', "", svg, count=1)
    svg = re.sub(r"<text [^>]*>[\s\u00a0]*</text>\n?", "", svg)
    svg = re.sub(r' (?:xml:space="preserve"|text-anchor="start"|font-family="[^"]*")', "", svg)
    svg = re.sub(r'(<(?:path|polygon) fill=)"(?:#ffffff|white)"', r'\1"var(--result)"', svg)
    svg = re.sub(r'(font-size="13.00" fill=)"#202124"', r'\1"var(--value)"', svg)
    svg = re.sub(
        r'"(#[0-9a-f]{6})"',
        lambda found: f'"var(--{COLORS[found[1]]})"' if found[1] in COLORS else found[0],
        svg,
    )
    svg = re.sub(
        r'<g id="(s[^"]*)"', lambda found: " ".join((found[0], buttons.get(found[1], ""))), svg
    )
    box = re.search(r'viewBox="[^"]*"', svg)
    head = f'<svg {box[0] if box else ""} role="group" aria-label="{label}"'
    return re.sub(r"^<svg[^>]*", head, svg)


def embedded(data: Any) -> str:
    """JSON that may stand in a script element: no name in it can end the element."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
