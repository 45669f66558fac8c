#!/usr/bin/env bash
# Dask 2026.8.0: `dask.graph_manipulation.clone`, which gives "equivalent collections generated from
# independent calculations", of an array that `rechunk` joined cannot be computed: the keys of its
# layers are new, but the tasks still name the chunks before. An array without `rechunk` can. Seen:
#
#     array            [0.0, 1.0, 2.0, 3.0]
#     clone            [0.0, 1.0, 2.0, 3.0]
#     rechunked        [0.0, 1.0, 2.0, 3.0]
#     its clone        ValueError: Missing dependency
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check 'dask[array]==2026.8.0' 'numpy==2.4.6'
cd "$room"
"$room/venv/bin/python" - <<'SEEN'
import dask.array as da
import numpy as np
from dask.graph_manipulation import clone

def seen(x):
    try:
        return str(x.compute(scheduler="sync").tolist())
    except ValueError as error:
        return f"ValueError: {' '.join(str(error).split()[:2])}"

x = da.from_array(np.arange(4.0), chunks=1)
joined = x.rechunk(2)
found = [seen(x), seen(clone(x)), seen(joined), seen(clone(joined))]
for name, text in zip(("array", "clone", "rechunked", "its clone"), found):
    print(f"{name:16} {text}")
assert found[:3] == [str([0.0, 1.0, 2.0, 3.0])] * 3
assert found[3] == "ValueError: Missing dependency"
SEEN
