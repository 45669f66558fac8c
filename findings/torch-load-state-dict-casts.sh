#!/usr/bin/env bash
# PyTorch 2.13.0 (CPU): `load_state_dict(…, strict=True)` compares names and shapes, not dtypes. What is
# loaded is cast to the dtype of the module without a word, also where that loses the value: float64 to
# float32 rounds and overflows, floats to an integer buffer are cut off, and to a Boolean one are True.
# Seen:
#
#     <All keys matched successfully>
#     float64 1e+300 and int64 16777217 as float32: inf 16777216.0
#     float32 [0.9, -1.9] as int64: [0, -1]
#     float32 [0.5, 0.0] as bool: [True, False]
#     with assign=True: torch.float64
#
# Weights of NumPy, which are float64, need a module in float64 (`module.double()`) to be the same there.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check 'torch==2.13.0' 'numpy==2.4.6'
"$room/venv/bin/python" -W error - <<'SEEN'
import torch

given = {"weight": torch.tensor([[1e300]], dtype=torch.float64), "bias": torch.tensor([2**24 + 1])}
layer = torch.nn.Linear(1, 1)
print(layer.load_state_dict(given, strict=True))
seen = [layer.weight.item(), layer.bias.item()]
print("float64 1e+300 and int64 16777217 as float32:", *seen)
assert seen == [float("inf"), 2.0**24]


class Buffers(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("count", torch.zeros(2, dtype=torch.int64))
        self.register_buffer("seen", torch.zeros(2, dtype=torch.bool))


buffers = Buffers()
buffers.load_state_dict(
    {"count": torch.tensor([0.9, -1.9]), "seen": torch.tensor([0.5, 0.0])}, strict=True
)
print("float32 [0.9, -1.9] as int64:", buffers.count.tolist())
print("float32 [0.5, 0.0] as bool:", buffers.seen.tolist())
assert buffers.count.tolist() == [0, -1]
assert buffers.seen.tolist() == [True, False]
layer.load_state_dict({"weight": given["weight"], "bias": torch.zeros(1)}, assign=True)
print("with assign=True:", layer.weight.dtype)
assert layer.weight.dtype == torch.float64
SEEN
