#!/usr/bin/env bash
# pyarrow 26.0.1: ParquetFile.iter_batches, which is recommended for tables larger than memory, by
# default fetches all groups of rows in advance and keeps them to the end: it allocates as much as the
# file is long, though only one batch of 10,000 rows is in use. Seen (a file of one GiB took 1.2 GiB):
#
#     file                             152 MiB, 20 groups of rows
#     iter_batches                     155 MiB
#     pre_buffer=False                  10 MiB
#     pre_buffer=False, buffer_size      3 MiB
#
# The documentation says of pre_buffer that False is for "minimal memory usage". On a local disk it was
# as fast.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check 'numpy==2.4.6' 'pyarrow==26.0.1'
cd "$room"
"$room/venv/bin/python" - <<'SEEN'
import os

import numpy as np
import pyarrow as pa
from pyarrow import parquet

GROUPS, ROWS = 20, 100_000
random = np.random.default_rng(0)
schema = pa.schema([(name, pa.float64()) for name in "abcdefghij"])
with parquet.ParquetWriter("x.parquet", schema, use_dictionary=False) as writer:
    for _ in range(GROUPS):
        writer.write_table(pa.table([random.random(ROWS) for _ in schema], schema=schema))


def peak(**options):
    """The most bytes that pyarrow had allocated during a pass, in batches of 10,000 rows."""
    most = 0
    for _ in parquet.ParquetFile("x.parquet", **options).iter_batches(10_000):
        most = max(most, pa.total_allocated_bytes())
    return most


size = os.path.getsize("x.parquet")
print(f"file                          {size >> 20:6} MiB, {GROUPS} groups of rows")
seen = []
for name, options in {
    "iter_batches": {},
    "pre_buffer=False": {"pre_buffer": False},
    "pre_buffer=False, buffer_size": {"pre_buffer": False, "buffer_size": 1 << 16},
}.items():
    seen.append(peak(**options))
    print(f"{name:30}{seen[-1] >> 20:6} MiB")
assert seen[0] > size
assert max(seen[1:]) < size / 4
SEEN
