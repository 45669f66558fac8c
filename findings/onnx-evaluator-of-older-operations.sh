#!/usr/bin/env bash
# onnx 1.23.2, ReferenceEvaluator: some operations of older opsets are computed as others, without an
# error. Softmax and LogSoftmax before opset 13 normalise over their axis and all that follow it; the
# evaluator normalises over the one axis, as opset 13 defines. BatchNormalization of opset 9 with one
# output uses the mean and variance that it is given; the evaluator mixes them with those of the batch.
# onnxruntime 1.32.0 does as the operators of each opset say. Seen, opset 11 and 9:
#
#     sums of a softmax over two axes: evaluator [4.0, 4.0], onnxruntime [1.0, 1.0]
#     1, 2, 3 by mean 0, variance 1: evaluator [0.81, 1.83, 2.85], onnxruntime [1.0, 2.0, 3.0]
#
# Convert a model with onnx.version_converter before it is evaluated.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    'onnxruntime==1.32.0' 'onnx==1.23.2' 'numpy==2.4.6'
"$room/venv/bin/python" - <<'SEEN'
import numpy as np
import onnx
import onnxruntime
from onnx import helper
from onnx.reference import ReferenceEvaluator


def both(kind, opset, inputs, **attributes):
    """By the evaluator and by onnxruntime."""
    names = list(inputs)
    graph = helper.make_graph(
        [helper.make_node(kind, names, ["out"], **attributes)], "graph",
        [helper.make_tensor_value_info(k, 1, x.shape) for k, x in inputs.items()],
        [helper.make_tensor_value_info("out", 1, inputs[names[0]].shape)],
    )
    opsets = [helper.make_opsetid("", opset)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=6)
    onnx.checker.check_model(model, full_check=True)
    (evaluated,) = ReferenceEvaluator(model).run(None, inputs)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return evaluated, session.run(None, inputs)[0]


x = np.linspace(-1, 1, 24, dtype=np.float32).reshape(2, 3, 4)
pair = both("Softmax", 11, {"x": x}, axis=1)
sums = [p.sum(axis=(1, 2)).astype(float).round(2).tolist() for p in pair]
print("sums of a softmax over two axes: evaluator {}, onnxruntime {}".format(*sums))
one, zero = np.ones(1, np.float32), np.zeros(1, np.float32)
column = np.array([[1], [2], [3]], np.float32)
given = {"x": column, "scale": one, "shift": zero, "mean": zero, "variance": one}
found = [y[:, 0].astype(float).round(2).tolist() for y in both("BatchNormalization", 9, given)]
print("1, 2, 3 by mean 0, variance 1: evaluator {}, onnxruntime {}".format(*found))
assert sums == [[4.0, 4.0], [1.0, 1.0]]
assert found == [[0.81, 1.83, 2.85], [1.0, 2.0, 3.0]]
SEEN
