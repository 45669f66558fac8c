#!/usr/bin/env bash
# statsmodels 0.15.0: Probit with labels 0 and 1 in an unsigned dtype fits nonsense, with
# converged=True and without a warning. It computes 2 y − 1 in the dtype of the labels, where −1 is 255
# for uint8. Logit of the same labels has the right coefficients and the log-likelihood −inf. Signed,
# boolean and floating labels are right. Seen:
#
#     dtype     Probit   log-likelihood  converged      Logit   log-likelihood
#     float64   1.9924           -64.58       True     3.4814           -64.93
#     int8      1.9924           -64.58       True     3.4814           -64.93
#     bool      1.9924           -64.58       True     3.4814           -64.93
#     uint8    -0.0070          -104.91       True     3.4814             -inf
#     uint16   -0.0000          -104.51       True     3.4814             -inf
#
# Write np.where(y, eta, -eta) for (2 * y - 1) * eta in a likelihood of your own.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    'numpy==2.4.6' 'scipy==1.17.1' 'pandas==3.1.1' 'statsmodels==0.15.0'
"$room/venv/bin/python" - <<'SEEN'
import warnings

import numpy as np
import statsmodels.api as sm

random = np.random.default_rng(0)
x = random.normal(size=200)
y = x + 0.5 * random.normal(size=200) > 0

print("dtype     Probit   log-likelihood  converged      Logit   log-likelihood")
for dtype in ("float64", "int8", "bool", "uint8", "uint16"):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        probit = sm.Probit(y.astype(dtype), x).fit(disp=0)
        warnings.simplefilter("ignore")
        logit = sm.Logit(y.astype(dtype), x).fit(disp=0)
    converged = probit.mle_retvals["converged"]
    print(
        f"{dtype:8} {probit.params[0]:7.4f} {probit.llf:16.2f} {converged!s:>10} "
        f"{logit.params[0]:10.4f} {logit.llf:16.2f}"
    )
    unsigned = dtype.startswith("u")
    assert converged
    assert (abs(probit.params[0] - 1.99240426) < 1e-6) == (not unsigned)
    assert abs(logit.params[0] - 3.48135452) < 1e-6
    assert np.isfinite(logit.llf) == (not unsigned)
SEEN
