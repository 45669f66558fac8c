"""The panel of a node on the page: its arrays, its operation and its gradient."""

from __future__ import annotations

import base64
import html
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from autograd_lite.derivation import derive
from autograd_lite.explanation.sentences import shape, text_of
from autograd_lite.explanation.words import Words
from autograd_lite.text import number, printable
from autograd_lite.viz.cards import measures, role_of, word
from autograd_lite.viz.layout import Scene

__all__ = ["Panels"]

WHOLE, CORNER, NUMBERS = 20_000, 40, 400_000
"""Arrays of up to WHOLE numbers are shown completely, larger ones by their first CORNER rows and
columns; so is every array of more than CORNER² numbers once a page has NUMBERS of them."""

LINE, SHOWN = 5, 48
"""The numbers in a line of a vector, and the largest number of numbers that starts unfolded."""

HEAT = 12
"""A larger matrix has a heat map."""

PARTS = 64
"""A panel lists at most this many parts of a gradient."""

DERIVED = 60
"""The page shows the derivation of a graph with at most this many operations."""

SCALE = np.array([[33, 102, 172], [146, 197, 222], [247, 247, 247], [244, 165, 130], [178, 24, 43]])
"""Blue below zero, white at zero, red above."""


class Panels:
    """The panels of the nodes of a graph, in HTML with every name escaped."""

    def __init__(self, scene: Scene, words: Words) -> None:
        self.scene = scene
        self.words = words
        self.result: Any = scene.graph.outputs[-1]
        self.budget = NUMBERS
        self.derivations: dict[Any, list[str]] = _derivations(scene)

    def label(self, node: Any) -> str:
        """The description of a node for a screen reader."""
        op = None if node.op is None else node.op.name
        marks = (mark.text for mark in self.scene.marks[node])
        array = text_of(self.scene.arrays[node])
        return ", ".join(filter(None, (self.words.name(node), self._role(node), op, array, *marks)))

    def panel(self, node: Any) -> str:
        """The panel of a node."""
        return "\n".join(filter(None, self._lines(node)))

    def _role(self, node: Any) -> str:
        role = role_of(node, self.result)
        return word(node, role) or role

    def _lines(self, node: Any) -> Iterator[str]:
        scene, words = self.scene, self.words
        array, gradient = scene.arrays[node], scene.gradient(node)
        dtype = "" if isinstance(array, tuple) else str(np.asarray(array).dtype)
        place = " › ".join(printable(title, 80) for title in node.scope)
        yield _element("h2", words.name(node))
        yield _element(
            "p", " · ".join(filter(None, (self._role(node), shape(array), dtype, place)))
        )
        for mark in scene.marks[node]:
            yield _element('span class="mark"', f"{mark.sign} {mark.text}")
        if node.op is not None:
            yield _element("h3", f"operation {scene.badge(node)}  {node.op.name}")
            yield _element('p class="formula"', node.op.notation.formula)
            if node.requires_grad and node.op.notation.gradient:
                yield _element("h3", "its gradient rule; g is the gradient of its result")
                yield _element('p class="formula"', node.op.notation.gradient)
            yield _element("h3", "forward")
            yield _element("p", words.text(words.forward(node)))
        yield _element("h3", "value")
        yield from self._array(array, "value")
        if gradient is not None and scene.gradients is not None:
            yield _element('h3 class="grad"', f"grad  {words.of(node)}")
            yield _element('p class="grad"', words.text(words.backward(node)))
            parts = scene.gradients.parts
            edges = [edge for edge in scene.graph.consumers[node] if edge in parts]
            for consumer, k in edges if 1 < len(edges) <= PARTS else ():
                yield _element("p", f"from {words.name(consumer)}: {text_of(parts[consumer, k])}")
            yield from self._array(gradient, "gradient")
        if node in self.derivations:
            yield _element("h3", "derivation")
            yield from self.derivations[node]

    def _array(self, array: Any, what: str) -> Iterator[str]:
        """An array, or the first rows and columns of a large one."""
        if isinstance(array, tuple) or np.size(array) == 0:
            yield _element("p", text_of(array))
            return
        values = np.asarray(array)
        flat = values.ndim < 2
        rows = values.reshape(1, -1) if flat else values.reshape(-1, values.shape[-1])
        low, mean, high = map(text_of, measures(values))
        summary = f"min {low}, mean {mean}, max {high}"
        if rows.size > (WHOLE if self.budget > 0 else CORNER**2):
            rows = rows[:, : CORNER**2] if flat else rows[:CORNER, :CORNER]
            sides = f"{rows.shape[0]} rows and {rows.shape[1]} columns"
            summary += f"; the first {f'{rows.size} numbers' if flat else sides} are shown"
        self.budget -= rows.size
        if values.size > 1:
            yield _element("p", summary)
        texts = [number(x) for x in rows.ravel().tolist()]
        width, columns = max(map(len, texts)), LINE if flat else rows.shape[1]
        lines = [
            " ".join(text.rjust(width) for text in texts[k : k + columns])
            for k in range(0, len(texts), columns)
        ]
        label = f'class="numbers" tabindex="0" role="region" aria-label="numbers of the {what}"'
        numbers = _element(f"pre {label}", "\n".join(lines))
        folded = f"<details><summary>numbers</summary>{numbers}</details>"
        shown = folded if rows.size > SHOWN else numbers
        hot = not flat and rows.shape[1] > 1 and rows.size > HEAT
        yield f"<figure>{_heat(rows, what)}{shown}</figure>" if hot else shown


def _element(tag: str, text: str) -> str:
    """An element with text; an empty string for no text."""
    name, _, _ = tag.partition(" ")
    return f"<{tag}>{html.escape(text)}</{name}>" if text else ""


def _heat(rows: Any, what: str) -> str:
    """A heat map of a matrix on a scale symmetric about zero; black where not finite."""
    finite = np.isfinite(rows)
    shares = np.where(finite, rows, 0).astype(np.float64)
    top = float(np.abs(shares).max()) or 1.0
    colours = [np.interp(shares / top, np.linspace(-1, 1, len(SCALE)), c) for c in SCALE.T]
    picture = _png((np.stack(colours, axis=-1) * finite[..., None]).astype(np.uint8))
    height = max(40, min(260, 14 * len(rows)))
    source = f'src="data:image/png;base64,{base64.b64encode(picture).decode()}"'
    return (
        f'<img alt="heat map of the {what}" height="{height}" {source}>\n'
        f'<p class="scale">{number(-top)}<i></i>{number(top)}</p>\n<p class="readout"></p>\n'
    )


def _png(pixels: Any) -> bytes:
    """Pixels (rows, columns, 3) as a PNG file."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    height, width, _ = pixels.shape
    lines = b"".join(b"\0" + line.tobytes() for line in pixels)
    head = chunk(b"IHDR", struct.pack(">2I5B", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")


def _derivations(scene: Scene) -> dict[Any, list[str]]:
    """The derivation of each node's gradient, in MathML; empty if there is none."""
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
        # SymPy may be missing, or an operation may have no closed form; the rest of the page works.
        return {}


def _quotient(name: str) -> str:
    """∂L/∂z as a fraction."""
    above, bar, below = (html.escape(part) for part in name.partition("/"))
    if not bar:
        return f"<mi>{above}</mi>"
    return f"<mfrac><mtext>{above}</mtext><mtext>{below}</mtext></mfrac>"


def _inside(mathml: str) -> str:
    return re.sub(r"^<math[^>]*>|</math>$", "", mathml)
