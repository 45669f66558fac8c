#!/usr/bin/env bash
# Numba 0.68.1 with NumPy 2.4.6: a function with cache=True returns arrays whose dtype is NumPy's own
# object in the process that compiled it, and another, equal object in every later process, which reads
# the machine code from disk. Seen:
#
#     compiled: dtype == float64 True, dtype is float64 True
#     read from disk: dtype == float64 True, dtype is float64 False
#
# Code that tests `array.dtype is np.dtype("float64")`, true for arrays made by NumPy, takes another
# way from the second run of a program on.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check 'numba==0.68.1' 'numpy==2.4.6'
cat > "$room/doubled.py" <<'MODULE'
import numpy as np
from numba import njit


@njit("float64[::1](float64[::1])", cache=True)
def doubled(x):
    return 2.0 * x


dtype = doubled(np.ones(2)).dtype
compiled = sum(doubled.stats.cache_misses.values())
same, identical = dtype == np.dtype("float64"), dtype is np.dtype("float64")
print("compiled:" if compiled else "read from disk:", end=" ")
print(f"dtype == float64 {same}, dtype is float64 {identical}")
assert same
assert identical == bool(compiled)
MODULE
cd "$room"
NUMBA_CACHE_DIR="$room/cache" "$room/venv/bin/python" -c 'import doubled; assert doubled.compiled'
NUMBA_CACHE_DIR="$room/cache" "$room/venv/bin/python" -c 'import doubled; assert not doubled.compiled'
