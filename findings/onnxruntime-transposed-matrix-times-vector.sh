#!/usr/bin/env bash
# onnxruntime 1.32.0 (CPU): the product of a transposed matrix and a vector is silently wrong. At its
# default optimization level it fuses Transpose and MatMul, and the fused kernel reads the elements of
# the matrix in the order in which they lie, not transposed. The shape is right. It is the same in
# float64, and for stacks of matrices. Without this optimization, or with the vector as a column, the
# product is right. Seen:
#
#     default                    [ 5. 17. 29.]
#     default, as a column       [15. 18. 21.]
#     ORT_ENABLE_BASIC           [15. 18. 21.]
#
# The gradient of a linear model with one output is such a product, Xᵀ (ŷ − y).
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    'onnxruntime==1.32.0' 'onnx==1.23.2' 'numpy==2.4.6'
"$room/venv/bin/python" -W ignore - <<'SEEN'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper


def product(shape, level):
    """Xᵀ v, where the model declares v with a shape."""
    nodes = [helper.make_node("Transpose", ["X"], ["T"], perm=[1, 0])]
    nodes.append(helper.make_node("MatMul", ["T", "v"], ["y"]))
    inputs = [
        helper.make_tensor_value_info("X", TensorProto.FLOAT, [4, 3]),
        helper.make_tensor_value_info("v", TensorProto.FLOAT, list(shape)),
    ]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [3, *shape[1:]])]
    graph = helper.make_graph(nodes, "product", inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"X": X, "v": v.reshape(shape)})[0].ravel()


X = np.arange(12, dtype=np.float32).reshape(4, 3)
v = np.array([1, 0, 1, 1], np.float32)
levels = onnxruntime.GraphOptimizationLevel
default = product((4,), levels.ORT_ENABLE_ALL)
column = product((4, 1), levels.ORT_ENABLE_ALL)
basic = product((4,), levels.ORT_ENABLE_BASIC)
print("default                   ", default)
print("default, as a column      ", column)
print("ORT_ENABLE_BASIC          ", basic)
np.testing.assert_array_equal(column, X.T @ v)
np.testing.assert_array_equal(basic, X.T @ v)
assert not np.allclose(default, X.T @ v)
SEEN
