#!/usr/bin/env bash
# NumPy 2.4.6: a view of np.memmap keeps the `offset` of the whole array, which its documentation calls
# the "offset position in the file". Whoever opens the view again from its attributes (filename, offset,
# dtype, shape), as in another process, reads other rows without an error. Seen:
#
#     view             [70. 71. 72.]  offset 0
#     opened again     [0. 1. 2.]
#
# The place of a view in the file is the difference of the addresses.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check 'numpy==2.4.6'
cd "$room"
"$room/venv/bin/python" - <<'SEEN'
import numpy as np

np.arange(100.0).tofile("x")
view = np.memmap("x", np.float64, "r")[70:73]
again = np.memmap(view.filename, view.dtype, view.mode, view.offset, view.shape)
print("view            ", view, " offset", view.offset)
print("opened again    ", again)
assert view.tolist() == [70, 71, 72]
assert again.tolist() == [0, 1, 2]
SEEN
