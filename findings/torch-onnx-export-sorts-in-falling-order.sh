#!/usr/bin/env bash
# PyTorch 2.13.0, torch.onnx.export(dynamo=False, opset_version=9): torch.sort(x), in rising order, is
# written as TopK of version 1, which gives the largest elements first: the file sorts in falling
# order, without an error or a warning. With opset 11 the order is right. Seen:
#
#     module [1.0, 2.0, 3.0]
#     file   [3.0, 2.0, 1.0]
#
# Export with opset 11 or later.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    'torch==2.13.0' 'onnx==1.23.2' 'onnxruntime==1.32.0' 'numpy==2.4.6'
cd "$room"
"$room/venv/bin/python" -W ignore - <<'SEEN'
import onnxruntime
import torch


class Sort(torch.nn.Module):
    def forward(self, x):
        return torch.sort(x, dim=1).values


x = torch.tensor([[3.0, 1.0, 2.0]])
rows = {}
for opset in (9, 11):
    torch.onnx.export(
        Sort(), (x,), "sort.onnx", input_names=["x"], dynamo=False, opset_version=opset
    )
    (found,) = onnxruntime.InferenceSession("sort.onnx").run(None, {"x": x.numpy()})
    rows[opset] = found[0].tolist()
print("module", Sort()(x)[0].tolist())
print("file  ", rows[9])
assert rows[11] == Sort()(x)[0].tolist() == [1.0, 2.0, 3.0]
assert rows[9] == [3.0, 2.0, 1.0]
SEEN
