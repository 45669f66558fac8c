#!/usr/bin/env bash
# PyTorch 2.13.0 (CPU), with NumPy 2.4.6: the imaginary part of a conjugate is a view that is marked
# as negative and not yet negated. `numpy()` refuses such a tensor and says what to do; DLPack exports
# it without the mark, so the consumer reads the opposite sign, without an error. A conjugate, which
# is marked in the same way, is refused. With copy=True the sign is right. Seen:
#
#     tensor             [-2.0, 4.0]
#     np.from_dlpack     [2.0, -4.0]
#     torch.from_dlpack  [2.0, -4.0]
#     np.from_dlpack(copy=True) [-2.0, 4.0]
#     numpy() RuntimeError: Can't call numpy() on Tensor that has negative bit set.
#     np.from_dlpack of the conjugate BufferError: Can't export tensors with the conjugate bit set
#
# To exchange such a tensor, call resolve_neg() first, or read it through numpy().
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check 'numpy==2.4.6' 'torch==2.13.0'
"$room/venv/bin/python" - <<'SEEN'
import numpy as np
import torch

z = torch.tensor([1 + 2j, 3 - 4j])
view = z.conj().imag
seen = {
    "tensor": view.tolist(),
    "np.from_dlpack": np.from_dlpack(view).tolist(),
    "torch.from_dlpack": torch.from_dlpack(view).tolist(),
    "np.from_dlpack(copy=True)": np.from_dlpack(view, copy=True).tolist(),
}
for name, values in seen.items():
    print(name.ljust(18), values)
for name, read in {
    "numpy()": lambda: view.numpy(),
    "np.from_dlpack of the conjugate": lambda: np.from_dlpack(z.conj()),
}.items():
    try:
        raise SystemExit(f"{name} gives {read()}")
    except (RuntimeError, BufferError) as error:
        print(name, f"{type(error).__name__}: {str(error).split('. ')[0]}")
assert view.is_neg()
assert seen["tensor"] == seen["np.from_dlpack(copy=True)"] == [-2, 4]
assert seen["np.from_dlpack"] == seen["torch.from_dlpack"] == [2, -4]
SEEN
