"""The page: a picture to step through and inspect, in one self-contained HTML file."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
from pathlib import Path
from string import Template
from typing import Any

from autograd_lite.explanation.folding import Group, common, fold, unfold
from autograd_lite.explanation.words import Words
from autograd_lite.text import printable
from autograd_lite.viz.cards import count
from autograd_lite.viz.layout import Edge, Scene, edges_between, frames, layout
from autograd_lite.viz.panel import Panels
from autograd_lite.viz.rendering import render

__all__ = ["Page"]

CARDS, SHEETS = 2_000, 64
"""The approximate maximum numbers of cards and of sheets on a page."""

COLORS = {
    "#202124": "ink", "#5f6368": "grey", "#3c4043": "badge", "#4a4f55": "arrow",
    "#dcebf7": "data", "#fde9c4": "parameter", "#f7e1ee": "loss", "#e8eaed": "folded",
    "#f6f7f8": "frame", "#c4c7cc": "line",
    "#0072b2": "data-line", "#b87700": "parameter-line", "#7a7a7a": "result-line",
    "#a3457f": "loss-line",
    "#a63f00": "grad", "#b3261e": "grad-exploding", "#0b57d0": "grad-vanishing",
    "#5c6166": "grad-zero", "#63676c": "value-dead", "#b01818": "alarm",
}  # fmt: skip
"""The names of the picture's colours in the page's style, which has a light and a dark version."""


class Page:
    """The page of a graph and its gradients."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene
        self.words = Words(scene)
        self.panels = Panels(scene, self.words)
        self.panel_of: dict[int, str] = {}
        self.sheets: list[dict[str, Any]] = []
        self.pictures: list[str] = []

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
        waiting: list[tuple[list[Group], str, int]] = [(groups, "the whole graph", -1)]
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
        # Nothing is fetched, and only this script and this style are allowed.
        policy = (
            f"default-src 'none'; img-src data:; script-src {hashed(script)}; "
            f"style-src {hashed(style)}; base-uri 'none'; form-action 'none'"
        )
        panels = (
            f'<template id="node-{k}">\n{text}</template>' for k, text in self.panel_of.items()
        )
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
        """Add one picture, with the data of its cards, arrows and frames."""
        (k, title), scene = path[-1], self.scene
        groups = _without_common_frames(groups) if k else groups
        prefix = f"s{k}-"
        ids = [f"{prefix}{scene.card_of(group)}" for group in groups]
        edges, numbers = edges_between(groups, scene), frames(groups)
        framed = [_framed(prefix, scope, groups, edges, numbers) for scope in numbers]
        buttons = {ids[j]: self._button(group, opens.get(j)) for j, group in enumerate(groups)}
        for j, frame in enumerate(framed):
            buttons[frame["id"]] = _toggle(j, "true", f"{frame['title']}, fold")
        label = html.escape(f"{title}: {len(groups)} cards")
        dot = layout(groups, scene, prefix, self._derivatives(edges))
        svg = _inline(render(dot, "svg").decode(), label, buttons)
        # The folded frames are drawn over the graph, in its coordinates.
        folded = "".join(_folded(j, frame) for j, frame in enumerate(framed))
        svg = svg.replace("</g>\n</svg>", f"{folded}</g>\n</svg>")
        self.pictures.append(
            f'<div class="sheet" id="s{k}" hidden>\n{_navigation(path)}<div class="view">\n{svg}'
            "</div></div>"
        )
        self.sheets.append(
            {
                "up": path[-2][0] if len(path) > 1 else None,
                "cards": [
                    {"id": name, "frame": numbers.get(group.scope)}
                    for name, group in zip(ids, groups, strict=True)
                ],
                "edges": [
                    {"id": f"{prefix}e{j}", "tail": edge.tail, "head": edge.head}
                    for j, edge in enumerate(edges)
                ],
                "frames": [
                    {key: frame[key] for key in ("id", "parent", "at", "steps")} for frame in framed
                ],
                "folded": [j for s, j in numbers.items() if depth is not None and len(s) > depth],
                "steps": [
                    (card, direction, self._step(groups[card], direction))
                    for card, direction in _steps(groups, scene)
                ],
            }
        )

    def _button(self, group: Group, opens: int | None) -> str:
        """The attributes of a card: what a click does, and its label for screen readers."""
        if group.title is not None:
            name = f"{printable(group.title, 80)}, {_contents([group])}"
            if opens is None:
                return f'tabindex="0" role="img" aria-label="{html.escape(name)}"'
            return f'data-sheet="{opens}" {_labelled(f"{name}, opens")}'
        node = group.nodes[-1]
        number = self.scene.numbers[node]
        if number not in self.panel_of:
            self.panel_of[number] = self.panels.panel(node)
        return f'data-node="{number}" {_labelled(self.panels.label(node))}'

    def _derivatives(self, edges: list[Edge]) -> dict[tuple[Any, int], str]:
        """The labels of the arrows between single nodes."""
        gradients = self.scene.gradients
        found = [] if gradients is None else [e.at for e in edges if e.at in gradients.parts]
        return {at: self.words.text(self.words.derivative(*at)) for at in found if at is not None}

    def _step(self, group: Group, direction: int) -> str:
        """A step in words."""
        if group.title is not None:
            name = printable(group.title, 80)
            return _passing(name) if direction else f"forward: {name}, {_contents([group])}"
        node = group.nodes[-1]
        if direction:
            return f"backward: {self.words.text(self.words.backward(node))}"
        return f"forward: {self.words.text(self.words.forward(node))}"


def _framed(
    prefix: str,
    scope: tuple[str, ...],
    groups: list[Group],
    edges: list[Edge],
    numbers: dict[tuple[str, ...], int],
) -> dict[str, Any]:
    """A frame: its identifier, parent, entrance, title, contents and steps."""
    inside = [k for k, group in enumerate(groups) if group.scope[: len(scope)] == scope]
    name, contents = printable(scope[-1], 80), _contents([groups[k] for k in inside])
    return {
        "id": f"{prefix}c{numbers[scope]}",
        "parent": numbers.get(scope[:-1]),
        "at": _entrance(groups, edges, set(inside)),
        "title": name,
        "text": contents,
        "steps": [f"forward: {name}, {contents}", _passing(name)],
    }


def _navigation(path: list[tuple[int, str]]) -> str:
    """The titles of the sheets around a sheet, as buttons; empty for the whole graph."""
    if len(path) < 2:
        return ""
    trail = " › ".join(
        f'<button data-sheet="{k}">{html.escape(title)}</button>' for k, title in path[:-1]
    )
    here = f'<span aria-current="page">{html.escape(path[-1][1])}</span>'
    return f'<nav aria-label="Where in the graph">{trail} › {here}</nav>\n'


def _passing(name: str) -> str:
    return f"backward: the gradient passes through {name}"


def _labelled(name: str) -> str:
    return f'tabindex="0" role="button" aria-label="{html.escape(name)}"'


def _toggle(k: int, expanded: str, name: str) -> str:
    return f'data-frame="{k}" aria-expanded="{expanded}" {_labelled(name)}'


def _folded(k: int, frame: dict[str, Any]) -> str:
    """The card of a folded frame; the page sets its width and position."""
    does = _toggle(k, "false", f"{frame['title']}, {frame['text']}, unfold")
    return (
        f'<g class="node" id="{frame["id"]}-folded" {does}>\n'
        '<rect rx="12" height="56" fill="var(--folded)" stroke="var(--result-line)"/>\n'
        '<text x="12" y="23" font-size="14" font-weight="bold" fill="var(--ink)">'
        f"▸ {html.escape(frame['title'])}</text>\n"
        f'<text x="12" y="42" font-size="11" fill="var(--grey)">{frame["text"]}</text>\n</g>\n'
    )


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


def _inline(svg: str, label: str, buttons: dict[str, str]) -> str:
    """SVG for the page: with colours by name and with buttons."""
    svg = svg[svg.index("<svg") :].replace("&#45;", "-")
    svg = re.sub(r"<(title|!--).*?(</title|--)>\n?", "", svg, flags=re.DOTALL)
    # Remove the background, what the page's style sets for every text, and texts of spaces only.
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
    """JSON for a script element, escaped so that no name in it can end the element."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def hashed(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
