#!/usr/bin/env bash
# liac-arff 2.5.0: a column that ARFF declares INTEGER is read through a float and then cut. A fraction
# loses its digits without a word, and so does a number above 2⁵³, though the result is a Python int
# that could hold it. Seen:
#
#     1.7 -> 1
#     -0.9 -> 0
#     9007199254740993 -> 9007199254740992
#
# Exported tables often declare INTEGER by their first rows: declare NUMERIC instead, and read ids
# as STRING.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check 'liac-arff==2.5.0'
"$room/venv/bin/python" - <<'SEEN'
import arff

seen = {}
for text in ("1.7", "-0.9", "9007199254740993"):
    [[value]] = arff.loads(f"@relation r\n@attribute x INTEGER\n@data\n{text}\n")["data"]
    print(f"{text} -> {value}")
    assert type(value) is int
    seen[text] = value
assert list(seen.values()) == [1, 0, 2**53]
SEEN
