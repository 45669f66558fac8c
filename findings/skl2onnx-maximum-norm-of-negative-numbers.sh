#!/usr/bin/env bash
# skl2onnx 1.20.0 (scikit-learn 1.9.1, onnxruntime 1.32.0): Normalizer(norm="max") divides a row by its
# largest absolute value. It is written as ONNX's Normalizer with norm="MAX", which onnxruntime divides
# by the largest number instead: a row whose largest absolute value is negative comes out otherwise,
# and a row of negative numbers with the other sign. Seen:
#
#     scikit-learn [[0.5, -1.0], [-0.25, -1.0]]
#     onnxruntime  [[1.0, -2.0], [1.0, 4.0]]
#
# ONNX's text is max(X); its own reference evaluator takes the absolute values. Compare an exported
# pipeline with its predictions on rows with negative numbers, or use norm="l1" or "l2".
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check 'skl2onnx==1.20.0' \
    'scikit-learn==1.9.1' 'onnxruntime==1.32.0' 'onnx==1.23.2' 'numpy==2.4.6'
"$room/venv/bin/python" -W ignore - <<'SEEN'
import numpy as np
import onnxruntime
from onnx.reference import ReferenceEvaluator
from skl2onnx import to_onnx
from sklearn.preprocessing import Normalizer

X = np.array([[0.5, -1.0], [-1.0, -4.0]], np.float32)
scaler = Normalizer(norm="max").fit(X)
model = to_onnx(scaler, X)
theirs = onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"X": X})[0]
(reference,) = ReferenceEvaluator(model).run(None, {"X": X})
print("scikit-learn", scaler.transform(X).tolist())
print("onnxruntime ", theirs.tolist())
assert scaler.transform(X).tolist() == [[0.5, -1.0], [-0.25, -1.0]]
assert theirs.tolist() == [[1.0, -2.0], [1.0, 4.0]]
assert reference.tolist() == scaler.transform(X).tolist()
SEEN
