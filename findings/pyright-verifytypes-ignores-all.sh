#!/usr/bin/env bash
# basedpyright 1.40.2 (pyright's --verifytypes): `__all__` does not make a name private. In a package
# with py.typed, a function that a module leaves out of its `__all__` still counts as exported and
# lowers the type completeness score. Only a leading underscore takes it out. Seen, for one module
# with `__all__ = ["a"]`, a typed function `a` and an untyped function `b`, which is `_b` at last:
#
#     __all__ without b   Type completeness score: 50%
#     b renamed to _b     Type completeness score: 100%
#
# The score of a package therefore also counts the helpers of its inner modules.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check 'basedpyright==1.40.2'
mkdir "$room/pack"
touch "$room/pack/py.typed"

score() {
    printf '__all__ = ["a"]\n\n\ndef a() -> int:\n    return 1\n\n\ndef %s(x):\n    return x\n' "$1" \
        > "$room/pack/__init__.py"
    (cd "$room" && PYTHONPATH="$room" venv/bin/basedpyright --verifytypes pack --ignoreexternal || true) |
        grep 'Type completeness score'
}

with_all=$(score b)
private=$(score _b)
printf '__all__ without b   %s\nb renamed to _b     %s\n' "$with_all" "$private"
test "$with_all" = 'Type completeness score: 50%'
test "$private" = 'Type completeness score: 100%'
