#!/usr/bin/env bash
# safetensors 0.8.0 with PyTorch 2.13.0: z.conj() is a view that is marked as a conjugate, and counts
# as contiguous. safetensors.torch.save writes the memory of z without the mark, so the numbers that
# are loaded again are not conjugated, without an error. torch.save keeps the conjugate. Seen:
#
#     tensor        [(1-2j), (3+4j)]
#     safetensors   [(1+2j), (3-4j)]
#     torch.save    [(1-2j), (3+4j)]
#     resolve_conj  [(1-2j), (3+4j)]
#
# The same is true of z.mH of one column. Call resolve_conj() before saving; contiguous() is not
# enough, because the view is contiguous.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    'safetensors==0.8.0' 'torch==2.13.0' 'numpy==2.4.6' 'packaging'
"$room/venv/bin/python" - <<'SEEN'
import io

import torch
from safetensors.torch import load, save


def saved(x):
    return load(save({"x": x}))["x"]


def pickled(x):
    file = io.BytesIO()
    torch.save(x, file)
    file.seek(0)
    return torch.load(file)


z = torch.tensor([1 + 2j, 3 - 4j])
view = z.conj()
seen = {
    "tensor": view.tolist(),
    "safetensors": saved(view).tolist(),
    "torch.save": pickled(view).tolist(),
    "resolve_conj": saved(view.resolve_conj()).tolist(),
}
for name, values in seen.items():
    print(name.ljust(13), values)
assert view.is_conj()
assert view.contiguous().is_conj()
assert seen["safetensors"] == z.tolist() != view.tolist()
assert seen["tensor"] == seen["torch.save"] == seen["resolve_conj"]
assert saved(z[:, None].mH).flatten().tolist() == z.tolist()
SEEN
