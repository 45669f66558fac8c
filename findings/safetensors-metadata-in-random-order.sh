#!/usr/bin/env bash
# safetensors 0.8.0 (NumPy 2.4.6): files of the same arrays and the same metadata differ. The arrays are
# sorted, but the texts of the metadata are written in the order of a hash map of Rust, which is another
# one in each call. With one text the bytes are always the same. Seen:
#
#     8 texts: 10 different files of 10
#     1 text: 1 different file of 10
#     the arrays in another order: 1 different file of 2
#
# Checksums of files, caches by content and deduplicating stores take equal models for different ones;
# one text that holds all of them, such as JSON, avoids that.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check 'safetensors==0.8.0' 'numpy==2.4.6'
"$room/venv/bin/python" - <<'SEEN'
import numpy as np
from safetensors.numpy import load, save

arrays = {"weight": np.ones((2, 3)), "bias": np.zeros(2)}
metadata = {f"text {k}": "same" for k in range(8)}
files = [save(arrays, metadata) for _ in range(10)]
one = [save(arrays, {"text": "same"}) for _ in range(10)]
turned = [save(arrays), save(dict(reversed(arrays.items())))]
print(f"8 texts: {len(set(files))} different files of 10")
print(f"1 text: {len(set(one))} different file of 10")
print(f"the arrays in another order: {len(set(turned))} different file of 2")
assert all((load(file)[name] == arrays[name]).all() for file in files for name in arrays)
assert len(set(files)) > 1, "the order of the metadata is fixed now"
assert len(set(one)) == len(set(turned)) == 1
SEEN
