#!/usr/bin/env bash
# ONNX 1.23.2: the reference evaluator computes Erf of float64 in float32 and returns it as float64. So
# it does for Gelu, which it takes apart into Erf. Sigmoid, Tanh and Softplus are computed in float64.
# onnxruntime has no Erf of float64, so that the evaluator may be all there is to compare with. Largest
# error between −2 and 2 seen:
#
#     Erf  float64 2.2e-08
#     Gelu float64 1.5e-08
#     Tanh float64 0.0e+00
#
# Compare Erf of float64 with scipy.special.erf or math.erf instead.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check 'onnx==1.23.2' 'numpy==2.4.6'
"$room/venv/bin/python" - <<'SEEN'
import math

import numpy as np
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

x = np.linspace(-2, 2, 7)
erf = np.array([math.erf(t) for t in x])
half = np.array([math.erf(t / math.sqrt(2)) for t in x])
exact = {"Erf": erf, "Gelu": x * (1 + half) / 2, "Tanh": np.tanh(x)}
errors = {}
for kind, values in exact.items():
    ends = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None]) for name in "xy"]
    graph = helper.make_graph([helper.make_node(kind, ["x"], ["y"])], "g", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])
    (found,) = ReferenceEvaluator(model).run(None, {"x": x})
    errors[kind] = abs(found - values).max()
    print(f"{kind:4} {found.dtype} {errors[kind]:.1e}")
    assert found.dtype == np.float64
assert 1e-9 < errors["Erf"] < 1e-7 and 1e-9 < errors["Gelu"] < 1e-7
assert errors["Tanh"] < 1e-15
SEEN
