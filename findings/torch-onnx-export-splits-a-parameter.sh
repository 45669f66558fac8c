#!/usr/bin/env bash
# PyTorch 2.13.0, torch.onnx.export(dynamo=False): what depends on parameters alone is computed when the
# file is written, and stored as one more initializer (do_constant_folding=True is the default). Where
# a parameter is used itself, too, as in x·w / √(Σ x² Σ w²), the file has w and w²: who changes w in the
# file, or differentiates with respect to it, gets another function than the module. Seen after w was
# doubled, which the module does not notice:
#
#     module 0.9810
#     file   1.9620
#
# Export with do_constant_folding=False if the parameters are to be changed or trained.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    'torch==2.13.0' 'onnx==1.23.2' 'onnxruntime==1.32.0' 'numpy==2.4.6'
cd "$room"
"$room/venv/bin/python" -W ignore - <<'SEEN'
import onnx
import onnxruntime
import torch
from onnx import numpy_helper


class Cosine(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.w = torch.nn.Parameter(torch.tensor([[1.0, 2.0, 3.0]]))

    def forward(self, x):
        return torch.nn.functional.cosine_similarity(x, self.w)


net, x = Cosine(), torch.tensor([[1.0, 3.0, 3.0]])
results = {}
for folding in (True, False):
    torch.onnx.export(
        net, (x,), "net.onnx", input_names=["x"], dynamo=False, do_constant_folding=folding
    )
    model = onnx.load("net.onnx")
    arrays = model.graph.initializer
    names = [array.name for array in arrays]
    (w,) = [array for array in arrays if array.name == "w"]
    w.CopyFrom(numpy_helper.from_array(2 * numpy_helper.to_array(w), "w"))
    session = onnxruntime.InferenceSession(model.SerializeToString())
    results[folding] = len(names), float(session.run(None, {"x": x.numpy()})[0][0])
with torch.no_grad():
    net.w *= 2
    module = float(net(x)[0])
print(f"module {module:.4f}")
print(f"file   {results[True][1]:.4f}")
assert results[True][0] == 2 and abs(results[True][1] - 2 * module) < 1e-5
assert results[False][0] == 1 and abs(results[False][1] - module) < 1e-5
SEEN
