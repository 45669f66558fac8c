#!/usr/bin/env bash
# tangent-ad 0.4.0 (NumPy 2.4.6): where an index takes an element twice, its gradient counts it once.
# x[[0, 0, 1]] is x₀, x₀, x₁, so that the sum of its squares is 2 x₀² + x₁². The gradient by tangent
# is that of x₀² + x₁²: its backward step adds by assignment to gradient[index], and NumPy keeps one
# of several assignments to a place (np.add.at adds them all). np.take and a loop over the same
# indices are right. Seen:
#
#     x[index]    [2.0, 4.0, 0.0]
#     np.take     [4.0, 4.0, 0.0]
#     loop        [4.0, 4.0, 0.0]
#
# No error, no warning. Indices repeat wherever rows are drawn with replacement (a minibatch, a
# bootstrap) or looked up (an embedding), so that the gradient of such a step is finite and too small.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check 'tangent-ad==0.4.0' 'numpy==2.4.6'
cat >"$room/seen.py" <<'SEEN'
import numpy as np
import tangent


def index(x):
    return np.sum(x[np.array([0, 0, 1])] ** 2)


def take(x):
    return np.sum(np.take(x, np.array([0, 0, 1])) ** 2)


def loop(x):
    total = 0.0
    for i in [0, 0, 1]:
        total = total + x[i] ** 2
    return total


if __name__ == "__main__":
    point = np.array([1.0, 2.0, 3.0])
    functions = {"x[index]": index, "np.take": take, "loop": loop}
    assert {float(function(point)) for function in functions.values()} == {6.0}
    seen = {name: tangent.grad(one)(point).tolist() for name, one in functions.items()}
    for name, gradient in seen.items():
        print(f"{name:11} {gradient}")
    assert seen["x[index]"] == [2.0, 4.0, 0.0]
    assert seen["np.take"] == seen["loop"] == [4.0, 4.0, 0.0]
SEEN
"$room/venv/bin/python" -W ignore "$room/seen.py"
