#!/usr/bin/env bash
# PyTorch 2.13.0, torch.onnx.export(dynamo=False): parameters whose values happen to be equal are
# written once. Of two layers with biases of zeros, as many initialisers leave them, the file has one
# bias, and the other is a copy of it made by Identity: who trains the file's initializers trains both
# biases as one. Biases that differ in one element are written apart. Seen:
#
#     equal  ['0.bias', '0.weight', '2.weight']
#     apart  ['0.bias', '0.weight', '2.bias', '2.weight']
#
# Read the arrays of the network from its state_dict, or the copies as parameters of their own.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    'torch==2.13.0' 'onnx==1.23.2' 'numpy==2.4.6'
cd "$room"
"$room/venv/bin/python" -W ignore - <<'SEEN'
import onnx
import torch
from torch import nn

net = nn.Sequential(nn.Linear(3, 3), nn.Tanh(), nn.Linear(3, 3))
seen = []
for title, number in (("equal", 0.0), ("apart", 1e-3)):
    nn.init.zeros_(net[0].bias)
    nn.init.zeros_(net[2].bias)
    with torch.no_grad():
        net[2].bias[0] = number
    torch.onnx.export(net, (torch.zeros(1, 3),), "net.onnx", dynamo=False)
    graph = onnx.load("net.onnx").graph
    names = sorted(array.name for array in graph.initializer)
    copies = [tuple(node.input) for node in graph.node if node.op_type == "Identity"]
    print(title, "", names)
    seen.append((names, copies))
assert seen[0] == (["0.bias", "0.weight", "2.weight"], [("0.bias",)])
assert seen[1] == (["0.bias", "0.weight", "2.bias", "2.weight"], [])
SEEN
