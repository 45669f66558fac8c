#!/usr/bin/env bash
# NumPy 2.4.6: nanquantile and nanpercentile with a matrix of levels and a tuple of axes return their
# result with the axes in a wrong order. The axes of the levels belong first, as in quantile. Over one
# axis this was mended in NumPy 2.0 (numpy/numpy#25731); over several it is still so, because the axes
# of the result are moved from −1 and 0 instead of −1 and the one after. Seen, for 2 × 2 levels of a
# (2, 3, 2) array over the axes 0 and 2, which has no NaN:
#
#     quantile    (2, 2, 3)
#     nanquantile (2, 3, 2)
#
# Where the remaining axis is as long as the levels, the shapes agree and the numbers are exchanged:
# for a (2, 2, 2) array, 2 of the 8 numbers are at their place.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check 'numpy==2.4.6'
"$room/venv/bin/python" - <<'SEEN'
import numpy as np

levels = np.array([[0.1, 0.3], [0.6, 0.9]])
for length, shape in ((3, (2, 3, 2)), (2, (2, 2, 2))):
    x = np.random.default_rng(0).normal(size=(2, length, 2))
    right = np.quantile(x, levels, axis=(0, 2))
    found = np.nanquantile(x, levels, axis=(0, 2))
    print(right.shape, found.shape)
    assert right.shape == (2, 2, length) and found.shape == shape
    one_axis = np.moveaxis(x, 1, 0).reshape(length, 4)
    np.testing.assert_allclose(np.nanquantile(one_axis, levels, axis=1), right)
    np.testing.assert_allclose(np.nanpercentile(x, 100 * levels, axis=(0, 2)), found)
np.testing.assert_allclose(found, np.moveaxis(right, 0, -1))
print(np.isclose(found, right).sum(), "of 8 numbers at their place")
assert np.isclose(found, right).sum() == 2
SEEN
