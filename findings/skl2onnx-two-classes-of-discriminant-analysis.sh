#!/usr/bin/env bash
# skl2onnx 1.20.0 (scikit-learn 1.9.1, onnxruntime 1.32.0): LinearDiscriminantAnalysis of two classes
# has the probability σ(z). It is written as a LinearClassifier of −z and z with post_transform
# SOFTMAX, which is σ(2z): the predicted classes agree, the probabilities are too extreme, and no
# warning says so. Three classes are right. Seen, of the same row:
#
#     scikit-learn 0.7827
#     onnxruntime  0.9284
#
# Compare the probabilities of an exported model with predict_proba, not only the classes.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check 'skl2onnx==1.20.0' \
    'scikit-learn==1.9.1' 'onnxruntime==1.32.0' 'onnx==1.23.2' 'numpy==2.4.6'
"$room/venv/bin/python" -W ignore - <<'SEEN'
import numpy as np
import onnxruntime
import skl2onnx
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

X = np.random.default_rng(3).normal(size=(80, 5))


def probabilities(y):
    model = LinearDiscriminantAnalysis().fit(X, y)
    file = skl2onnx.to_onnx(model, X[:1].astype(np.float32), options={"zipmap": False})
    session = onnxruntime.InferenceSession(file.SerializeToString())
    (found,) = session.run(["probabilities"], {"X": X.astype(np.float32)})
    return model.predict_proba(X), found


expected, found = probabilities(X[:, 0] > 0)
print(f"scikit-learn {expected[2, 1]:.4f}")
print(f"onnxruntime  {found[2, 1]:.4f}")
z = np.log(expected[:, 1] / expected[:, 0])
np.testing.assert_allclose(found[:, 1], 1 / (1 + np.exp(-2 * z)), atol=1e-5)
assert abs(found - expected).max() > 0.1
three, of_three = probabilities(np.digitize(X[:, 0], [-0.5, 0.5]))
np.testing.assert_allclose(of_three, three, atol=1e-5)
SEEN
