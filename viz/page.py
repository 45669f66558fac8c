"""The page: the picture in one HTML file that fetches nothing, to step through and look into."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import re
import warnings
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from autograd_lite.derive import derive
from autograd_lite.text import printable
from autograd_lite.viz.cards import role_of, shape, word
from autograd_lite.viz.folding import Group, common, fold, is_literal, unfold
from autograd_lite.viz.labels import badge
from autograd_lite.viz.layout import Scene, edges_between, frames, layout
from autograd_lite.viz.rendering import render
from autograd_lite.viz.words import Words, text_of

__all__ = ["page"]

CARDS, SHEETS = 2_000, 64
"""About so many cards and sheets a page holds."""

LISTED, WHOLE, CORNER, NUMBERS = 64, 20_000, 40, 400_000
"""Arrays up to the first are lists, up to the second whole, above it and when the page holds so
many numbers their first rows and columns."""

DERIVED = 60
"""Up to so many operations the page tells the derivation."""


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
        self.result = scene.graph.outputs[-1]
        self.budget = NUMBERS
        self.nodes: dict[str, Any] = {}
        self.sheets: list[dict[str, Any]] = []
        self.pictures: list[str] = []
        self.derivations = _derivations(scene)

    def html(self, depth: int | None) -> str:
        """The file."""
        graph = self.scene.graph
        title = printable(self.result.name or "", 60) or "graph"
        groups, shut = fold(graph), depth
        if depth is not None and any(group.title is not None for group in groups):
            groups, shut = fold(graph, depth), None
        waiting: list[tuple[list[Group], str, int | None]] = [(groups, "the whole graph", None)]
        # Folds of a sheet are opened in sheets of their own, until the page is large enough.
        for k, (groups, name, up) in enumerate(waiting):
            sheet = self._sheet(groups, k, name, up, shut if k == 0 else None)
            for card, group in zip(sheet["cards"], groups, strict=True):
                full = len(waiting) >= SHEETS or sum(len(g) for g, _, _ in waiting) > CARDS
                if group.title is None or full:
                    continue
                inside = unfold(group, graph)
                if inside and len(inside) > 1:
                    card["opens"] = len(waiting)
                    waiting.append((inside, group.title, k))
            self.sheets.append(sheet)
        return self._filled(title)

    def _filled(self, title: str) -> str:
        folder = Path(__file__).parent
        style, script, frame = (
            (folder / f"page.{suffix}").read_text(encoding="utf-8")
            for suffix in ("css", "js", "html")
        )
        # Without the comments and margins that only its readers need.
        script = re.sub(r"^\s+|^/\*\*(?:.|\n)*?\*/\n|^\s*//.*\n", "", script, flags=re.MULTILINE)
        style = re.sub(r"^\s+|/\*.*?\*/\n?", "", style, flags=re.MULTILINE)
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
            "nodes": self.nodes,
            "sheets": self.sheets,
        }
        # Nothing is fetched, and no other script or style than these two is run.
        policy = (
            f"default-src 'none'; img-src data:; script-src {_hashed(script)}; "
            f"style-src {_hashed(style)}; base-uri 'none'; form-action 'none'"
        )
        return Template(frame).substitute(
            title=html.escape(title),
            policy=policy,
            style=style,
            script=script,
            sheets="\n".join(self.pictures),
            meaning=meaning,
            data=embedded(data),
        )

    def _sheet(
        self, groups: list[Group], k: int, title: str, up: int | None, depth: int | None
    ) -> dict[str, Any]:
        """One picture, with what its cards, arrows and frames are."""
        groups = _without_common_frames(groups) if k else groups
        scene, page = self.scene, f"s{k}-"
        edges = edges_between(groups, scene)
        parts = {} if scene.gradients is None else scene.gradients.parts
        slopes = {
            e.at: self.words.slope(*e.at) for e in edges if e.at is not None and e.at in parts
        }
        svg = render(layout(groups, scene, page, slopes), "svg").decode()
        label = html.escape(f"{printable(title, 80)}: {len(groups)} cards")
        hidden = " hidden" if k else ""
        self.pictures.append(
            f'<div class="sheet" id="s{k}"{hidden}>\n{_inline(svg, label, page)}</div>'
        )
        numbers = frames(groups)
        return {
            "title": printable(title, 80),
            "up": up,
            "cards": [self._card(group, page, numbers) for group in groups],
            "edges": [
                {"id": f"{page}e{j}", "tail": edge.tail, "head": edge.head}
                for j, edge in enumerate(edges)
            ],
            "frames": [
                {
                    "id": f"{page}c{j}",
                    "title": printable(scope[-1], 80),
                    "parent": numbers.get(scope[:-1]),
                    "text": _held([g for g in groups if g.scope[: len(scope)] == scope]),
                }
                for scope, j in numbers.items()
            ],
            "folded": [j for s, j in numbers.items() if depth is not None and len(s) > depth],
            "steps": _steps(groups, scene),
        }

    def _card(self, group: Group, page: str, numbers: dict[tuple[str, ...], int]) -> dict[str, Any]:
        """One card: a node, or a fold with what it holds."""
        card: dict[str, Any] = {
            "id": f"{page}{self.scene.card_of(group)}",
            "frame": numbers.get(group.scope),
        }
        if group.title is not None:
            return card | {"title": printable(group.title, 80), "text": _held([group])}
        node = group.nodes[-1]
        number = str(self.scene.numbers[node])
        if number not in self.nodes:
            self.nodes[number] = self._node(node)
        return card | {"node": int(number)}

    def _node(self, node: Any) -> dict[str, Any]:
        """What the panel says of a node."""
        scene, words = self.scene, self.words
        array, gradient = scene.arrays[node], scene.gradient(node)
        role = role_of(node, self.result)
        told: dict[str, Any] = {
            "name": words.name(node),
            "role": word(node, role) or role,
            "scope": " › ".join(printable(title, 80) for title in node.scope),
            "value": self._array(array),
            "says": text_of(array),
            "marks": [{"sign": mark.sign, "text": mark.text} for mark in scene.marks(node)],
        }
        if node.op is not None:
            literals = {k: x for k, x in enumerate(node.inputs) if is_literal(x, scene.graph)}
            told["op"] = {
                "symbol": badge(node, literals),
                "name": node.op.name,
                "formula": node.op.formula,
                "gradient": node.op.gradient if node.requires_grad else "",
            }
            told["forward"] = words.forward(node)
        if gradient is not None and scene.gradients is not None:
            told["of"] = words.of(node)
            told["grad"] = self._array(gradient)
            told["backward"] = words.backward(node)
            edges = [edge for edge in scene.graph.consumers[node] if edge in scene.gradients.parts]
            told["parts"] = [
                (words.name(consumer), text_of(scene.gradients.parts[consumer, k]))
                for consumer, k in (edges if 1 < len(edges) <= LISTED else ())
            ]
        if node in self.derivations:
            told["derivation"] = self.derivations[node]
        return told

    def _array(self, array: Any) -> dict[str, Any]:
        """An array for the page: whole, or the first rows and columns of a large one."""
        if isinstance(array, tuple):
            return {"shape": "", "says": text_of(array)}
        values = np.asarray(array)
        said: dict[str, Any] = {
            "shape": shape(values),
            "dtype": str(values.dtype),
            "says": _range(values),
        }
        columns = values.shape[-1] if values.ndim > 1 else max(values.size, 1)
        if values.size == 0:
            return said
        rows = values.reshape(-1, columns)
        if rows.size > (WHOLE if self.budget > 0 else CORNER**2):
            rows = rows[:CORNER, :CORNER] if values.ndim > 1 else rows[:, : CORNER**2]
            sides = f"{rows.shape[0]} rows and {rows.shape[1]} columns"
            first = sides if values.ndim > 1 else f"{rows.size} numbers"
            said["says"] += f"; the first {first} are shown"
        self.budget -= rows.size
        said["columns"] = rows.shape[1]
        if rows.size <= LISTED:
            return said | {"list": [_plain(x) for x in rows.ravel().tolist()]}
        kind = "<f4" if values.dtype == np.float32 else "<f8"
        data = np.ascontiguousarray(rows, dtype=kind).tobytes()
        return said | {"bytes": int(kind[2]), "base64": base64.b64encode(data).decode()}


def _plain(x: float) -> float | str:
    return x if np.isfinite(x) else {"inf": "Infinity", "-inf": "-Infinity"}.get(str(x), "NaN")


def _range(values: Any) -> str:
    if values.size < 2:
        return text_of(values)
    with np.errstate(all="ignore"):
        measures = (values.min(), values.mean(dtype=np.float64), values.max())
    low, mean, high = map(text_of, measures)
    return f"min {low}, mean {mean}, max {high}"


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


def _derivations(scene: Scene) -> dict[Any, list[str]]:
    """For each node how its gradient is derived, in MathML; nothing where that is not known."""
    result = scene.graph.outputs[-1]
    operations = sum(node.op is not None for node in scene.graph.nodes)
    if (
        scene.gradients is None
        or np.size(scene.arrays[result]) != 1
        or not 0 < operations <= DERIVED
    ):
        return {}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            derivation = derive(result)
            steps = {}
            for step in derivation.steps:
                head = _quotient(step.name)
                forms = list(dict.fromkeys((step.product.mathml(), step.form.mathml())))
                inner = "".join(f"<mo>=</mo>{_inside(form)}" for form in forms)
                steps[step.node] = [f'<math display="block"><mrow>{head}{inner}</mrow></math>']
                if step.local and step.local_form is not None:
                    inner = f"{_quotient(step.local)}<mo>=</mo>{_inside(step.local_form.mathml())}"
                    steps[step.node].append(f'<math display="block"><mrow>{inner}</mrow></math>')
            return steps
    except Exception:
        # A picture without a derivation is still a picture: SymPy may be missing, or an
        # operation may have no closed form.
        return {}


def _quotient(name: str) -> str:
    """∂L/∂z as a fraction."""
    above, bar, below = (html.escape(part) for part in name.partition("/"))
    if not bar:
        return f"<mi>{above}</mi>"
    return f"<mfrac><mtext>{above}</mtext><mtext>{below}</mtext></mfrac>"


def _inside(mathml: str) -> str:
    return re.sub(r"^<math[^>]*>|</math>$", "", mathml)


def _inline(svg: str, label: str, page: str) -> str:
    """SVG as a part of a page: without prologue, titles and a size of its own."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<!--.*?-->\n?", "", svg, flags=re.DOTALL)
    svg = re.sub(r"<title>.*?</title>\n?", "", svg, flags=re.DOTALL)
    # What the page's style says of every text, and spaces that hold nothing apart here.
    svg = re.sub(r"<text [^>]*>[\s\u00a0]*</text>\n?", "", svg)
    svg = re.sub(r' (?:xml:space="preserve"|text-anchor="start"|font-family="[^"]*")', "", svg)
    svg = re.sub(r"<g id=\"graph0\"", f'<g id="{page}graph"', svg)
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
