#!/usr/bin/env bash
# onnxruntime 1.32.0 (CPU): LogSoftmax in float64 gives finite numbers for a row that contains NaN,
# unless the NaN comes first. In float32 the whole row is NaN, as it is in NumPy, and so is Softmax in
# both. Seen, for the row (1, NaN):
#
#     float32 LogSoftmax [nan nan]
#     float64 LogSoftmax [46.05170189         nan]
#     float64 Softmax    [nan nan]
#
# A log-probability of +46 is no logarithm of a probability; a mean over the labels does not show it.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    'onnxruntime==1.32.0' 'onnx==1.23.2' 'numpy==2.4.6'
"$room/venv/bin/python" -W ignore - <<'SEEN'
import numpy as np
import onnxruntime
from onnx import helper


def computed(op, x):
    kind = helper.np_dtype_to_tensor_dtype(x.dtype)
    inputs = [helper.make_tensor_value_info("x", kind, x.shape)]
    outputs = [helper.make_tensor_value_info("y", kind, x.shape)]
    node = helper.make_node(op, ["x"], ["y"], axis=1)
    graph = helper.make_graph([node], op, inputs, outputs)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"x": x})[0][0]


for dtype, op in (("float32", "LogSoftmax"), ("float64", "LogSoftmax"), ("float64", "Softmax")):
    found = computed(op, np.array([[1, np.nan]], dtype))
    print(dtype, f"{op:10s}", found)
    finite = (dtype, op) == ("float64", "LogSoftmax")
    assert np.isfinite(found[0]) == finite
    if finite:
        assert found[0] > 40
SEEN
