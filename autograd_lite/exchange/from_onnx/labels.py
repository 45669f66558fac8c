"""Outputs of a classifier that name the most probable class, apart from its probabilities."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.exchange.from_onnx.file import Array, OnnxFile
from autograd_lite.exchange.from_onnx.ml import CLASSES
from autograd_lite.exchange.from_onnx.nodes import Node

__all__ = ["Labels", "labels_of"]


@dataclass
class Labels:
    """What a file says about classes.

    Attributes:
        outputs: the outputs that are numbers to compute.
        names: those that are labels.
        classes: in the order of the columns of the probabilities, or None.
    """

    outputs: dict[str, Array]
    names: tuple[str, ...]
    classes: np.ndarray[Any, Any] | None


def labels_of(file: OnnxFile) -> Labels:
    """Tell the labels from the other outputs; a file with labels only gives their scores."""
    makers = {name: node for node in file.nodes for name in node.outputs if name}
    names, scores, classes = [], "", None
    for output, form in file.outputs.items():
        if form.dtype is not None and form.dtype.kind == "f":
            continue
        walked = list(_back(output, makers))
        if walked and walked[0][1].kind.endswith("ZipMap"):
            classes = _classes(walked[0][1], file) if classes is None else classes
            continue
        for k, (name, node) in enumerate(walked):
            if chosen := _scores(name, node):
                names.append(output)
                scores = scores or chosen
                # Nodes before the scores may name classes of their own.
                found = (_classes(node, file) for _, node in walked[: k + 1])
                if classes is None:
                    classes = next((x for x in found if x is not None), None)
                break
    if classes is None:
        classes = _stated(file.metadata.get("classes", ""))
    if classes is None and "classes" in file.metadata:
        classes = _written(file.metadata["classes"])
    outputs = {name: form for name, form in file.outputs.items() if name not in names}
    return Labels(outputs or {scores: Array(None, None)}, tuple(names), classes)


def _written(text: str) -> np.ndarray[Any, Any] | None:
    """The classes that `autograd-lite export` writes, a list in JSON."""
    try:
        classes = json.loads(text)
    except ValueError:
        return None
    return np.array(classes) if isinstance(classes, list) else None


def _back(name: str, makers: dict[str, Node]) -> Iterator[tuple[str, Node]]:
    """The arrays that an array depends on, with the nodes that make them, the nearest first."""
    waiting, seen = [name], {name}
    while waiting:
        name = waiting.pop(0)
        node = makers.get(name)
        if node is None:
            continue
        yield name, node
        new = [x for x in node.inputs if x and x not in seen]
        seen.update(new)
        waiting += new


def _scores(name: str, node: Node) -> str:
    """The name of the scores, if this array has the numbers or labels of the largest of them."""
    if node.kind == "ArgMax":
        return node.inputs[0]
    if node.kind.endswith("LinearClassifier") and name == node.outputs[0]:
        return node.outputs[1]
    return ""


def _classes(node: Node, file: OnnxFile) -> np.ndarray[Any, Any] | None:
    """The classes that a node names."""
    if node.kind.endswith("ArrayFeatureExtractor"):
        classes = file.arrays.get(node.inputs[0])
        return None if classes is None else classes.ravel()
    given = next((node.get(name) for name in CLASSES if node.get(name)), None)
    return None if given is None else np.array(given)


def _stated(text: str) -> np.ndarray[Any, Any] | None:
    """The classes that `models.save` writes as metadata; None for other text."""
    try:
        classes = np.array(json.loads(text))
    except (ValueError, RecursionError):
        return None
    return classes if classes.ndim == 1 and classes.dtype.kind in "biufU" else None
