"""The operations of ai.onnx.ml that scikit-learn's exporter writes: linear models, scaling."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from autograd_lite.exchange.from_onnx.nodes import READERS, Function, Node, known, reads
from autograd_lite.op import OPS

__all__ = ["CLASSES", "with_arrays"]

sigmoid, softmax = OPS["sigmoid"], OPS["softmax"]

CLASSES = ("classlabels_strings", "classlabels_ints", "classlabels_int64s")
"""The attributes that name classes."""

TRANSFORMS: dict[str, Callable[[Any], Any] | None] = {
    "NONE": None,
    "LOGISTIC": sigmoid,
    "SOFTMAX": softmax,
    "PROBIT": OPS["ndtri"],
}

# The numbers that these nodes have as attributes.
NUMBERS = {
    "ai.onnx.ml.Scaler": ("offset", "scale"),
    "ai.onnx.ml.LinearClassifier": ("coefficients", "intercepts"),
    "ai.onnx.ml.LinearRegressor": ("coefficients", "intercepts"),
}


def with_arrays(node: Node, arrays: dict[str, np.ndarray[Any, Any]]) -> Node:
    """The node with its numbers as inputs, like the initializers of other nodes."""
    if node.kind not in NUMBERS:
        return node
    inputs, attributes = list(node.inputs), dict(node.attributes)
    for attribute in NUMBERS[node.kind]:
        numbers = attributes.pop(attribute, None)
        if numbers is None:
            inputs.append("")
            continue
        array = np.array(numbers, np.float32)
        if attribute == "coefficients":
            scores = _scores(node)
            if not scores or array.size % scores:
                raise node.refused(f"{array.size} coefficients for {scores} scores")
            array = array.reshape(scores, -1)
        array.flags.writeable = False
        name = title = f"{node.name or node.kind.rpartition('.')[2]}.{attribute}"
        count = 1
        while name in arrays:
            count += 1
            name = f"{title}_{count}"
        arrays[name] = array
        inputs.append(name)
    return replace(node, inputs=tuple(inputs), attributes=attributes)


def _scores(node: Node) -> int:
    """The number of scores of a linear model."""
    if node.kind.endswith("LinearRegressor"):
        return int(node.get("targets", 1))
    classes = next((node.get(name) for name in CLASSES if node.get(name)), ())
    return len(node.get("intercepts", ())) or len(classes)


def _transform(node: Node) -> Callable[[Any], Any] | None:
    name = node.get("post_transform", "NONE")
    if name not in TRANSFORMS:
        raise node.refused(f"post_transform {name} is not supported")
    return TRANSFORMS[name]


def _linear(x: Any, coefficients: Any, intercepts: Any = None) -> Any:
    x = x if x.ndim > 1 else np.reshape(x, (1, -1))
    scores = x @ coefficients.T
    return scores if intercepts is None else scores + intercepts


@reads("ai.onnx.ml.LinearRegressor")
def _linear_regressor(node: Node) -> Function:
    if node.get("post_transform", "NONE") != "NONE":
        raise node.refused("only post_transform NONE is supported, since runtimes disagree")
    return _linear


@reads("ai.onnx.ml.LinearClassifier")
def _linear_classifier(node: Node) -> Function:
    transform = _transform(node)
    if len(node.inputs) < 3 or not node.inputs[2]:
        raise node.refused("it has no intercepts")
    classes = next((node.get(name) for name in CLASSES if node.get(name)), ())

    def scores(x: Any, coefficients: Any, intercepts: Any) -> Any:
        z = _linear(x, coefficients, intercepts)
        if len(classes) == 2 and z.shape[-1] == 1:  # that of the second class
            if transform is not sigmoid:
                raise node.refused("of a single score only LOGISTIC is supported")
            z = np.concatenate([-z, z], axis=1)
        return None, (z if transform is None else transform(z))

    return scores


@reads("ai.onnx.ml.Scaler")
def _scaler(node: Node) -> Function:
    def scaled(x: Any, offset: Any = None, scale: Any = None) -> Any:
        x = x if offset is None else x - offset
        return x if scale is None else x * scale

    return scaled


@reads("ai.onnx.ml.Normalizer")
def _normalizer(node: Node) -> Function:
    kind = node.get("norm", "MAX")
    lengths: dict[str, Callable[[Any], Any]] = {
        "L1": lambda x: np.sum(np.absolute(x), axis=-1, keepdims=True),
        "L2": lambda x: OPS["norm"](x, axis=-1, keepdims=True),
    }
    if kind not in lengths:
        # onnxruntime divides by the largest number, scikit-learn and ONNX's evaluator by the
        # largest absolute value.
        raise node.refused(f"norm {kind} is not supported, since runtimes disagree about it")

    def normalized(x: Any) -> Any:
        length = lengths[kind](x)
        return x / np.where(np.equal(length, 0), 1.0, length)

    return normalized


@reads("ai.onnx.ml.Imputer")
def _imputer(node: Node) -> Function:
    filling, missing = node.get("imputed_value_floats"), node.get("replaced_value_float", 0.0)
    if not filling:
        raise node.refused("only imputed_value_floats are supported")
    filling = np.array(filling, np.float32)

    def filled(x: Any) -> Any:
        return np.where(np.isnan(x) if np.isnan(missing) else np.equal(x, missing), filling, x)

    return filled


@reads("ai.onnx.ml.Binarizer")
def _binarizer(node: Node) -> Function:
    threshold = node.get("threshold", 0.0)
    return lambda x: OPS["astype"](np.greater(x, threshold), dtype=x.dtype)


@reads("ai.onnx.ml.ArrayFeatureExtractor")
def _array_feature_extractor(node: Node) -> Function:
    def columns(x: Any, places: Any) -> Any:
        x = x if x.ndim > 1 else np.reshape(x, (1, -1))
        return np.take(x, np.array(known(places, node, "columns")), axis=-1)

    return columns


# The probabilities without the names of the classes.
READERS["ai.onnx.ml.ZipMap"] = lambda node: lambda x: x
