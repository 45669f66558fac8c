#!/usr/bin/env bash
# Hypothesis 6.170.17: what a test with derandomize=True draws depends on the other modules of the
# project. The documentation says that every run tries the same inputs until Hypothesis, Python or the
# test function is updated. But floats(), integers() and text() also draw constants that stand in the
# project's source files, those of every local module that is imported. So an edit of another file
# changes the inputs, and so does the import of one more file, which is never called. Seen, for 200
# draws of floats(), and how many of them are 6.02214076:
#
#     alone            200 draws, 0 of them the constant
#     alone, again     the same 200 draws
#     constant added   other draws, 1 of them the constant
#     file imported    other draws, 1 of them the constant
#
# A test of a large suite therefore draws other inputs alone than in the suite, and a failure can
# appear or vanish in a change to a file that the test does not use.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check 'hypothesis==6.170.17'
mkdir "$room/project"
cd "$room/project"

cat > draws.py <<'TEST'
import importlib
import sys

from hypothesis import given, settings, strategies as st

import helper

for name in sys.argv[1:]:
    importlib.import_module(name)

DRAWN = []


@settings(derandomize=True, database=None, max_examples=200)
@given(st.floats())
def test(x):
    DRAWN.append(x)


test()
print(*map(repr, DRAWN))
TEST

draws() {
    PYTHONHASHSEED=0 "$room/venv/bin/python" draws.py "$@"
}
constants() {
    tr ' ' '\n' <<< "$1" | grep -cx -e '-\?6.02214076' || true
}

echo '"""Nothing."""' > helper.py
alone=$(draws)
again=$(draws)
printf 'def never_called():\n    return 6.02214076\n' > helper.py
edited=$(draws)
echo '"""Nothing."""' > helper.py
printf 'def never_called():\n    return 6.02214076\n' > other.py
imported=$(draws other)

echo "alone: $(wc -w <<< "$alone") draws, $(constants "$alone") of them the constant"
echo "constant added: $(constants "$edited"), file imported: $(constants "$imported")"
[ "$alone" = "$again" ]
[ "$(constants "$alone")" = 0 ]
[ "$alone" != "$edited" ] && [ "$(constants "$edited")" -ge 1 ]
[ "$alone" != "$imported" ] && [ "$(constants "$imported")" -ge 1 ]
