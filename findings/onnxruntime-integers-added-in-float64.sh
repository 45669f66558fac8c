#!/usr/bin/env bash
# onnxruntime 1.32.0 (CPU): ReduceSum of int64 adds in float64, so a sum of two integers is off by one
# from 2⁵³ on. Einsum of int64 does the same. CumSum, MatMul and Add are exact, and so is ReduceMax.
# ReduceProd is at the largest integer where the product overflows; NumPy's wraps. Seen, for 2⁵³ and 3:
#
#     ReduceSum  9007199254740996
#     Einsum     9007199254740996
#     CumSum     9007199254740995
#     MatMul     9007199254740995
#     ReduceProd of 2⁴⁰ and 2⁴⁰ 9223372036854775807
#
# Sums of identifiers, hashes and times in nanoseconds are of that size.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    'onnxruntime==1.32.0' 'onnx==1.23.2' 'numpy==2.4.6'
"$room/venv/bin/python" -W ignore - <<'SEEN'
import numpy as np
import onnxruntime
from onnx import TensorProto, helper


def computed(op, *arrays, **attributes):
    names = [f"x{k}" for k in range(len(arrays))]
    inputs = [
        helper.make_tensor_value_info(name, TensorProto.INT64, x.shape)
        for name, x in zip(names, arrays)
    ]
    node = helper.make_node(op, names, ["y"], **attributes)
    graph = helper.make_graph([node], op, inputs, [helper.make_empty_tensor_value_info("y")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return int(session.run(None, dict(zip(names, arrays)))[0].flat[-1])


x, first = np.array([2**53, 3]), np.array([0])
seen = {
    "ReduceSum": computed("ReduceSum", x, first),
    "Einsum": computed("Einsum", x, equation="i->"),
    "CumSum": computed("CumSum", x, np.array(0)),
    "MatMul": computed("MatMul", x, np.ones(2, np.int64)),
    "ReduceProd of 2⁴⁰ and 2⁴⁰": computed("ReduceProd", np.array([2**40, 2**40]), first),
}
for name, result in seen.items():
    print(f"{name:10s}", result)
assert seen["CumSum"] == seen["MatMul"] == x.sum() == 2**53 + 3
assert seen["ReduceSum"] == seen["Einsum"] == 2**53 + 4
assert seen["ReduceProd of 2⁴⁰ and 2⁴⁰"] == 2**63 - 1
SEEN
