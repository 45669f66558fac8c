#!/usr/bin/env bash
# onnxruntime 1.32.0 (onnx 1.23.2): LinearRegressor of ai.onnx.ml with post_transform="LOGISTIC" gives
# the log-odds where it has one target, the usual case, and the probabilities where it has two. The
# model passes onnx's full check; there is no error and no warning. Seen, for the same coefficients:
#
#     one target [0.45, 0.65, 0.6], the first of two [0.61, 0.66, 0.65], NumPy [0.61, 0.66, 0.65]
#
# A logistic regression is written as LinearClassifier, or as Gemm and Sigmoid.
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

X = np.array([[0.5, -1.0], [2.0, 0.25], [-1.0, -4.0]], np.float32)


def probabilities(coefficients, intercepts):
    targets = len(intercepts)
    node = helper.make_node(
        "LinearRegressor", ["x"], ["y"], domain="ai.onnx.ml", coefficients=coefficients,
        intercepts=intercepts, targets=targets, post_transform="LOGISTIC",
    )
    graph = helper.make_graph(
        [node], "graph", [helper.make_tensor_value_info("x", 1, [None, 2])],
        [helper.make_tensor_value_info("y", 1, [None, targets])],
    )
    opsets = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", 3)]
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {"x": X})[0]


one = probabilities([0.3, -0.2], [0.1])[:, 0]
two = probabilities([0.3, -0.2, 1.0, 1.0], [0.1, 0.0])[:, 0]
scores = X @ np.array([0.3, -0.2]) + 0.1
right = 1 / (1 + np.exp(-scores))
shown = [np.round(x.astype(float), 2).tolist() for x in (one, two, right)]
print("one target {}, the first of two {}, NumPy {}".format(*shown))
assert np.allclose(one, scores, atol=1e-6)
assert np.allclose(two, right, atol=1e-6)
SEEN
