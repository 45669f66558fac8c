#!/usr/bin/env bash
# scikit-learn-intelex 2026.2.0 (scikit-learn 1.9.1, NumPy 2.4.6, Linux x86-64).
#
# Its LinearRegression does not subtract the means of the columns before it multiplies them, so that
# columns far from 0 lose their digits, without a word: with three columns of 1e8 plus standard normal
# numbers and y = x1 + 2 x2 + 3 x3 without noise, scikit-learn finds the coefficients 1, 2, 3, and the
# accelerated class, a drop-in replacement, finds other ones. In float32 a column of years is enough:
# of y = year / 2 + x, it finds 0.4925 for the years where scikit-learn finds 0.5. The wrong digits
# vary with the number of threads.
#
# Seen:
#   float64, 1e8 plus noise: scikit-learn [1. 2. 3.], intelex [-0. -0. -0.]
#   float32, years: scikit-learn [0.5 1. ], intelex [0.4925 1.0042]
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn-intelex==2026.2.0 scikit-learn==1.9.1 numpy==2.4.6
"$room/venv/bin/python" - <<'PYTHON' 2>/dev/null
import numpy as np
from sklearn.linear_model import LinearRegression
from sklearnex.linear_model import LinearRegression as Accelerated

random = np.random.default_rng(0)
noise = random.normal(size=(300, 3))
years = np.column_stack([random.integers(1990, 2021, 500), random.normal(size=500)])
cases = {
    "float64, 1e8 plus noise": (1e8 + noise, noise @ [1.0, 2.0, 3.0], [1, 2, 3]),
    "float32, years": (
        years.astype(np.float32),
        (years @ [0.5, 1.0]).astype(np.float32),
        [0.5, 1],
    ),
}
for name, (X, y, true) in cases.items():
    own = LinearRegression().fit(X, y).coef_
    accelerated = Accelerated().fit(X, y).coef_
    print(f"{name}: scikit-learn {own.round(4)}, intelex {accelerated.round(4)}")
    assert np.allclose(own, true, atol=1e-3), "scikit-learn changed"
    assert not np.allclose(accelerated, true, atol=1e-3), "intelex changed"
PYTHON
