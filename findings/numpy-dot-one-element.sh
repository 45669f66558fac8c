#!/usr/bin/env bash
# NumPy 2.4.6 (its wheel for Linux, OpenBLAS 0.3.31): np.dot of a column with a matrix of one element
# takes that element as a scalar, and if it is 0 leaves the result at 0. NaN and infinity in the
# column are lost, where @ and np.outer of the same arrays give NaN, and so does np.dot for a matrix
# of two columns. Seen:
#
#     dot   [0. 0.]
#     @     [nan  0.]
#     outer [nan  0.]
#     dot, two columns [nan  0.]
#
# A compiler that turns a @ b into a.dot(b) for speed hides 0 · ∞ in this case.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check 'numpy==2.4.6'
"$room/venv/bin/python" -W ignore - <<'SEEN'
import numpy as np

for bad in (np.inf, np.nan):
    column, zero = np.array([[bad], [1.0]]), np.array([[0.0]])
    seen = {
        "dot": np.dot(column, zero),
        "@": column @ zero,
        "outer": np.outer(column, zero),
        "dot, two columns": np.dot(np.hstack([column, column]), np.zeros((2, 1))),
    }
    for name, result in seen.items():
        print(name, result.ravel())
    assert (seen.pop("dot") == 0).all()
    for result in seen.values():
        np.testing.assert_array_equal(result.ravel(), [np.nan, 0])
SEEN
