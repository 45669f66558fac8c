"""The operations of ONNX that move numbers: shapes, parts, types and constants."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np

from autograd_lite.core.tensor import Value
from autograd_lite.exchange.from_onnx.file import dtype_of
from autograd_lite.exchange.from_onnx.math import weakly
from autograd_lite.exchange.from_onnx.nodes import Function, Node, known, plainly, reads
from autograd_lite.op import OPS

plainly(
    Identity=lambda x: x,
    Where=lambda condition, x, y: weakly(lambda x, y: np.where(condition, x, y))(x, y),
    CastLike=lambda x, like: _as_type(x, like.dtype),
    Size=lambda x: np.array(x.size, np.int64),
    Range=lambda start, limit, delta: np.arange(start.item(), limit.item(), delta.item()).astype(
        start.dtype
    ),
)


@reads("Constant")
def _constant(node: Node) -> Function:
    for name, dtype in (("float", np.float32), ("int", np.int64)):
        for given in (node.get(f"value_{name}"), node.get(f"value_{name}s")):
            if given is not None:
                return lambda: np.array(given, dtype)
    value = node.get("value")
    if value is None:
        raise node.refused("only dense constants of numbers are supported")
    return lambda: value


@reads("Cast")
def _cast(node: Node) -> Function:
    dtype = dtype_of(node.attributes["to"])
    if dtype is None or dtype.kind not in "biuf":
        raise node.refused("only casts to numbers and bool are supported")
    return lambda x: _as_type(x, dtype)


def _as_type(x: Any, dtype: Any) -> Any:
    return x if x.dtype == dtype else OPS["astype"](x, dtype=dtype)


@reads("Dropout")
def _dropout(node: Node) -> Function:
    def dropout(x: Any, ratio: Any = None, training: Any = None) -> Any:
        if training is not None and (isinstance(training, Value) or training):
            raise node.refused("only the form for predictions is supported")
        return x

    return dropout


@reads("Reshape")
def _reshape(node: Node) -> Function:
    keeps_zeros = node.get("allowzero", 0)

    def reshape(x: Any, shape: Any) -> Any:
        lengths = known(shape, node, "shape")
        if not keeps_zeros:
            lengths = tuple(n or x.shape[k] for k, n in enumerate(lengths))
        return x if lengths == x.shape else np.reshape(x, lengths)

    return reshape


@reads("Flatten")
def _flatten(node: Node) -> Function:
    axis = node.get("axis", 1)

    def flatten(x: Any) -> Any:
        at = axis + x.ndim if axis < 0 else axis
        shape = (math.prod(x.shape[:at]), math.prod(x.shape[at:]))
        return x if shape == x.shape else np.reshape(x, shape)

    return flatten


@reads("Transpose")
def _transpose(node: Node) -> Function:
    axes = node.get("perm")
    return lambda x: np.transpose(x, axes)


@reads("Squeeze")
def _squeeze(node: Node) -> Function:
    fixed = node.get("axes")  # an attribute before version 13

    def squeeze(x: Any, axes: Any = None) -> Any:
        axes = fixed if axes is None else axes
        return np.squeeze(x, axis=None if axes is None else known(axes, node, "axes"))

    return squeeze


@reads("Unsqueeze")
def _unsqueeze(node: Node) -> Function:
    fixed = node.get("axes")  # an attribute before version 13

    def unsqueeze(x: Any, axes: Any = None) -> Any:
        numbers = known(fixed if axes is None else axes, node, "axes")
        return np.expand_dims(x, numbers[0] if len(numbers) == 1 else numbers)

    return unsqueeze


@reads("Expand")
def _expand(node: Node) -> Function:
    def expand(x: Any, shape: Any) -> Any:
        lengths = np.broadcast_shapes(x.shape, known(shape, node, "shape"))
        return x if lengths == x.shape else np.broadcast_to(x, lengths)

    return expand


@reads("Tile")
def _tile(node: Node) -> Function:
    return lambda x, repeats: np.tile(x, known(repeats, node, "repeats"))


@reads("Concat")
def _concat(node: Node) -> Function:
    axis = node.attributes["axis"]
    return lambda *arrays: np.concatenate(arrays, axis=axis) if len(arrays) > 1 else arrays[0]


@reads("Split")
def _split(node: Node) -> Function:
    axis, count = node.get("axis", 0), node.get("num_outputs", len(node.outputs))
    fixed = node.get("split")  # an attribute before version 13

    def split(x: Any, lengths: Any = None) -> Any:
        lengths = fixed if lengths is None else lengths
        if lengths is None:
            each = -(-x.shape[axis] // count)  # the last part may be shorter
            ends = [min(each * k, x.shape[axis]) for k in range(count + 1)]
        else:
            ends = [0, *itertools.accumulate(known(lengths, node, "lengths"))]
            if ends[-1] != x.shape[axis]:
                raise node.refused(f"lengths that add up to {ends[-1]}, not {x.shape[axis]}")
        before = (slice(None),) * (axis % x.ndim)
        parts = tuple(x[(*before, slice(*pair))] for pair in itertools.pairwise(ends))
        return parts if len(node.outputs) > 1 else parts[0]

    return split


@reads("Slice")
def _slice(node: Node) -> Function:
    fixed = (node.get("starts"), node.get("ends"), node.get("axes"))  # before version 10

    def part(x: Any, *given: Any) -> Any:
        starts, ends, axes, steps = (*(given or fixed), None, None)[:4]
        numbers = known(starts, node, "starts")
        axes = range(len(numbers)) if axes is None else known(axes, node, "axes")
        steps = (1,) * len(numbers) if steps is None else known(steps, node, "steps")
        key = [slice(None)] * x.ndim
        places = zip(axes, numbers, known(ends, node, "ends"), steps, strict=True)
        for axis, start, end, step in places:
            key[axis] = slice(start, end, step)
        return x[tuple(key)]

    return part


@reads("Gather")
def _gather(node: Node) -> Function:
    axis = node.get("axis", 0)
    return lambda x, places: np.take(x, places, axis=axis)


@reads("GatherElements")
def _gather_elements(node: Node) -> Function:
    axis = node.get("axis", 0)

    def gather(x: Any, places: Any) -> Any:
        # Of the other axes, only as many elements as there are places; NumPy would broadcast.
        key = [slice(n) for n in places.shape]
        key[axis] = slice(None)
        x = x if places.shape == x.shape else x[tuple(key)]
        return np.take_along_axis(x, places, axis=axis)

    return gather


@reads("ScatterElements")
def _scatter_elements(node: Node) -> Function:
    axis = node.get("axis", 0)
    if node.get("reduction", "none") != "add":
        raise node.refused('only reduction="add" is supported')

    def scatter(x: Any, places: Any, updates: Any) -> Any:
        along = axis % x.ndim
        if places.shape != (*x.shape[:along], places.shape[along], *x.shape[along + 1 :]):
            raise node.refused(f"places of shape {places.shape} in an array {x.shape}")
        return x + OPS["add_along_axis"](updates, places, axis=axis, shape=x.shape)

    return scatter


@reads("TopK")
def _top_k(node: Node) -> Function:
    axis, largest = node.get("axis", -1), node.get("largest", 1)
    fixed = node.get("k")  # an attribute before version 10

    def top(x: Any, count: Any = None) -> Any:
        """The first of equal elements, which ONNX demands."""
        (k,) = known(fixed if count is None else count, node, "number of elements")
        falling = np.negative if x.dtype.kind == "f" else np.invert  # -x of integers may overflow
        order = np.argsort(falling(x) if largest else x, axis=axis, kind="stable")
        places = order[(*(slice(None),) * (axis % x.ndim), slice(k))]
        return np.take_along_axis(x, places, axis=axis), places

    return top


@reads("Pad")
def _pad(node: Node) -> Function:
    mode, fixed = node.get("mode", "constant"), node.get("pads")  # an attribute before version 11
    number = node.get("value", 0.0)

    def pad(x: Any, pads: Any = None, value: Any = None, axes: Any = None) -> Any:
        lengths = known(fixed if pads is None else pads, node, "lengths")
        numbers = range(x.ndim) if axes is None else known(axes, node, "axes")
        widths, inside = [(0, 0)] * x.ndim, [slice(None)] * x.ndim
        for k, axis in enumerate(numbers):
            before, after = lengths[k], lengths[k + len(numbers)]
            if before + x.shape[axis] + after < 0:
                raise node.refused(f"lengths {before} and {after} for an axis of {x.shape[axis]}")
            widths[axis] = max(before, 0), max(after, 0)
            # A negative length removes elements.
            inside[axis] = slice(max(-before, 0), x.shape[axis] + min(after, 0))
        x = x[tuple(inside)] if min(lengths, default=0) < 0 else x
        if mode != "constant":
            return np.pad(x, widths, mode=mode)
        filled = number if value is None else value
        return np.pad(x, widths, constant_values=np.asarray(filled).item())

    return pad


@reads("Trilu")
def _trilu(node: Node) -> Function:
    function = np.triu if node.get("upper", 1) else np.tril

    def triangle(x: Any, k: Any = None) -> Any:
        return function(x, 0 if k is None else known(k, node, "diagonal")[0])

    return triangle


@reads("Shape")
def _shape(node: Node) -> Function:
    part = slice(node.get("start", 0), node.get("end"))
    return lambda x: np.array(x.shape[part], np.int64)


@reads("ConstantOfShape")
def _constant_of_shape(node: Node) -> Function:
    value = node.get("value", np.zeros(1, np.float32))
    return lambda shape: np.full(known(shape, node, "shape"), value[0])
