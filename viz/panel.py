"""The panel of a node on the page, as data: its arrays, its operation and its gradient."""

from __future__ import annotations

import base64
import struct
import warnings
import zlib
from typing import Any

import numpy as np

from autograd_lite.derivation import derive
from autograd_lite.explanation.sentences import shape, text_of
from autograd_lite.explanation.words import Words
from autograd_lite.text import number, printable
from autograd_lite.viz.answers import Answers
from autograd_lite.viz.cards import measures, role_of, word
from autograd_lite.viz.layout import Scene

__all__ = ["Panels"]

WHOLE, CORNER = 20_000, 40
"""Arrays of up to WHOLE numbers are shown completely, larger ones by their first CORNER rows and
columns."""

NUMBERS, NODES, LEAST = 400_000, 50, 3
"""A page of up to NODES nodes has about NUMBERS numbers, and one of more nodes has fewer in inverse
proportion. After them every array is shown by its first LEAST rows and columns."""

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
    """What the page says about the nodes of a graph; its script shows it in a panel.

    Attributes:
        operations: for each operation its formula and its gradient rule.
    """

    def __init__(self, scene: Scene, words: Words, answers: Answers) -> None:
        self.scene = scene
        self.words = words
        self.answers = answers
        self.result: Any = scene.graph.outputs[-1]
        self.budget: int = NUMBERS * NODES // max(NODES, len(scene.graph.nodes))
        self.derivations: dict[Any, list[str]] = _derivations(scene)
        self.operations: dict[str, tuple[str, str]] = {}

    def panel(self, node: Any) -> dict[str, Any]:
        """The contents of the panel of a node, by name; what does not apply is left out."""
        scene, words = self.scene, self.words
        array, gradient = scene.arrays[node], scene.gradient(node)
        listed: list[tuple[Any, int]] = []
        role = role_of(node, self.result)
        contents: dict[str, Any] = {
            "name": words.name(node),
            "role": word(node, role) or role,
            "shape": shape(array),
            "dtype": "" if isinstance(array, tuple) else str(np.asarray(array).dtype),
            "place": " › ".join(printable(title, 80) for title in node.scope),
            "marks": [f"{mark.sign} {mark.text}" for mark in scene.marks[node]],
            "text": text_of(array),
            "value": self._array(array),
            "derivation": self.derivations.get(node),
        }
        if node.op is not None:
            notation = node.op.notation
            self.operations[node.op.name] = notation.formula, notation.gradient
            contents |= {"op": node.op.name, "badge": scene.badge(node)}
            contents |= {
                "forward": words.text(words.forward(node)),
                "constant": not node.requires_grad,
            }
        if gradient is not None and scene.gradients is not None:
            parts = scene.gradients.parts
            edges = [edge for edge in scene.graph.consumers[node] if edge in parts]
            listed += edges if 1 < len(edges) <= PARTS else []
            contents |= {
                "of": words.of(node),
                "backward": words.text(words.backward(node)),
                "parts": [f"{words.source(edge[0])}{text_of(parts[edge])}" for edge in listed],
                "gradient": self._array(gradient),
            }
        if self.answers.source:
            contents["sentences"] = self.answers.sentences(node, words, listed)
        return {key: value for key, value in contents.items() if value}

    def _array(self, array: Any) -> str | dict[str, Any]:
        """An array, or the first rows and columns of a large one; one number is a text."""
        if isinstance(array, tuple) or np.size(array) == 0:
            return {"about": text_of(array)}
        values = np.asarray(array)
        if values.size == 1:
            self.budget -= 1
            return number(values.flat[0])
        flat = values.ndim < 2
        rows = values.reshape(1, -1) if flat else values.reshape(-1, values.shape[-1])
        low, mean, high = map(text_of, measures(values))
        summary = f"min {low}, mean {mean}, max {high}"
        corner, most = (CORNER, WHOLE) if self.budget > 0 else (LEAST, LEAST**2)
        if rows.size > most:
            rows = rows[:, : corner**2] if flat else rows[:corner, :corner]
            sides = f"{rows.shape[0]} rows and {rows.shape[1]} columns"
            summary += f"; the first {f'{rows.size} numbers' if flat else sides} are shown"
        self.budget -= rows.size
        columns = LINE if flat else rows.shape[1]
        texts = [number(x) for x in rows.ravel().tolist()]
        lines = [" ".join(texts[k : k + columns]) for k in range(0, len(texts), columns)]
        hot = not flat and rows.shape[1] > 1 and rows.size > HEAT
        return {
            "about": summary,
            "numbers": "\n".join(lines),
            **({"folded": 1} if rows.size > SHOWN else {}),
            **(_heat(rows) if hot else {}),
        }


def _heat(rows: Any) -> dict[str, Any]:
    """A heat map of a matrix on a scale symmetric about zero; black where not finite."""
    finite = np.isfinite(rows)
    shares = np.where(finite, rows, 0).astype(np.float64)
    top = float(np.abs(shares).max()) or 1.0
    colours = [np.interp(shares / top, np.linspace(-1, 1, len(SCALE)), c) for c in SCALE.T]
    picture = _png((np.stack(colours, axis=-1) * finite[..., None]).astype(np.uint8))
    return {
        "heat": base64.b64encode(picture).decode(),
        "height": max(40, min(260, 14 * len(rows))),
        "scale": number(top),
    }


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
            return {step.node: derivation.shown(step) for step in derivation.steps}
    except Exception:
        # SymPy may be missing, or an operation may have no closed form; the rest of the page works.
        return {}
