#!/usr/bin/env bash
# pyarrow 26.0.1: a quote in a CSV file that never ends, as in a file that was cut off or has a mistake,
# takes all rows after it into one cell, and read_csv reports nothing. Seen, of three rows whose first
# has an open quote:
#
#     pyarrow    1 row, y = 'a\n2,b\n3,c\n'
#     pandas     ParserError: Error tokenizing data. C error: EOF inside string starting at row 1
#     polars     ComputeError
#
# `invalid_row_handler` is not called, because the row has as many columns as it should. The setting
# newlines_in_values=False, the default, which says that values hold no ends of lines, makes no
# difference.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check 'numpy==2.4.6' 'pyarrow==26.0.1' \
    'pandas==3.1.1' 'polars==2.1.0'
cd "$room"
"$room/venv/bin/python" - <<'SEEN'
import io

import pandas as pd
import polars as pl
from pyarrow import csv

CONTENT = b'x,y\n1,"a\n2,b\n3,c\n'
called = []
handler = lambda row: called.append(row) or "error"  # noqa: E731
for newlines in (False, True):
    options = csv.ParseOptions(newlines_in_values=newlines, invalid_row_handler=handler)
    table = csv.read_csv(io.BytesIO(CONTENT), parse_options=options)
    print(f"pyarrow    {len(table)} row, y = {table['y'][0].as_py()!r}")
    assert table.to_pydict() == {"x": [1], "y": ["a\n2,b\n3,c\n"]}
assert not called
for name, read in (("pandas", pd.read_csv), ("polars", pl.read_csv)):
    try:
        read(io.BytesIO(CONTENT))
    except Exception as error:
        print(f"{name:11}{type(error).__name__}: {str(error).splitlines()[0][:70]}")
    else:
        raise AssertionError(f"{name} reads it, too")
SEEN
