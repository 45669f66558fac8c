#!/usr/bin/env bash
# JAX 0.10.2 (CPU, float64 enabled): two functions of the normal distribution lose most of their
# digits within their range. log_ndtr(x) takes the logarithm of ndtr(x), a number next to 1, up to
# x = 8: there it is 7 % wrong, just above it is right.
# norm.logcdf is the same function. erfinv has ten digits near 1 − 7·10⁻⁹. SciPy's have fifteen at
# all of these. Relative errors seen, against mpmath:
#
#                          jax      scipy
#     log_ndtr 5       1.5e-10    2.3e-15
#     log_ndtr 7       4.1e-05    7.9e-17
#     log_ndtr 8       7.1e-02    7.0e-15
#     log_ndtr 8.5     7.1e-15    7.2e-15
#     erfinv 1 − 7e-9  1.0e-10    7.0e-17
#
# A float64 result of JAX is no oracle for a probit likelihood: compare with many digits.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    'jax==0.10.2' 'jaxlib==0.10.2' 'numpy==2.4.6' 'scipy==1.17.1' 'mpmath==1.3.0'
"$room/venv/bin/python" -W ignore - <<'SEEN'
import jax
import jax.scipy
import mpmath
from scipy import special

jax.config.update("jax_enable_x64", True)
mpmath.mp.dps = 50


def log_ndtr(x):
    return mpmath.log1p(-mpmath.erfc(x / mpmath.sqrt(2)) / 2)


def errors(name, exact, x):
    """The relative errors of JAX and of SciPy."""
    found = []
    for home in (jax.scipy.special, special):
        value = getattr(home, name)(x)
        assert str(value.dtype) == "float64"
        found.append(float(abs(float(value) / exact(mpmath.mpf(x)) - 1)))
    print(f"{name} {x:<18} {found[0]:.1e} {found[1]:.1e}")
    return found


for x, low, high in ((5.0, 1e-11, 1e-9), (7.0, 1e-6, 1e-3), (8.0, 0.05, 0.1), (8.5, 0, 1e-13)):
    theirs, scipys = errors("log_ndtr", log_ndtr, x)
    assert low <= theirs <= high and scipys < 1e-13
logcdf, log = (f(7.999) for f in (jax.scipy.stats.norm.logcdf, jax.scipy.special.log_ndtr))
assert logcdf == log
assert jax.scipy.special.log_ndtr(7.999) == jax.scipy.special.log_ndtr(8.0)  # a step, then right

theirs, scipys = errors("erfinv", mpmath.erfinv, 0.9999999930534023)
assert 1e-11 < theirs < 1e-9 and scipys < 1e-15
SEEN
