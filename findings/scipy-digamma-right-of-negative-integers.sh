#!/usr/bin/env bash
# SciPy 1.17.1: digamma of a real number just right of −1, −2, … loses digits, the more the closer it
# is to the pole, and just left of it none. 1e-10 away 6e-7 of the value is wrong, 1e-15 away 3 %. The
# same function of the same number as a complex one is right. Seen, relative errors:
#
#     distance   right of −1   left of −1   right, complex
#     1e-04          7.2e-13      1.1e-16          1.3e-17
#     1e-07          6.3e-10      8.8e-17          2.2e-17
#     1e-10          6.2e-07      1.3e-16          3.1e-17
#     1e-13          8.9e-04      9.2e-17          1.1e-16
#     1e-15          2.8e-02      2.5e-18          7.8e-18
#
# PyTorch's digamma, and so its derivative of lgamma, has the same error; gammaln itself is right. The reflection formula with
# x − round(x) has no such error.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    'numpy==2.4.6' 'scipy==1.17.1' 'mpmath==1.3.0'
"$room/venv/bin/python" - <<'SEEN'
import mpmath
from scipy.special import digamma

mpmath.mp.dps = 40


def error(found, x):
    exact = mpmath.psi(0, mpmath.mpf(x))
    return float(abs((found - exact) / exact))


print("distance   right of −1   left of −1   right, complex")
for distance, least in ((1e-4, 1e-13), (1e-7, 1e-10), (1e-10, 1e-7), (1e-13, 1e-4), (1e-15, 1e-2)):
    right, left = -1 + distance, -1 - distance
    errors = [
        error(digamma(right), right),
        error(digamma(left), left),
        error(digamma(complex(right)).real, right),
    ]
    print(f"{distance:.0e} {errors[0]:16.1e} {errors[1]:12.1e} {errors[2]:16.1e}")
    assert errors[0] > least
    assert max(errors[1:]) < 1e-14
SEEN
