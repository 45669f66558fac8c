#!/usr/bin/env bash
# scikit-learn 1.9.1 (NumPy 2.4.6).
#
# PCA with its default solver takes the covariance as X'X less the product of the means, so that
# columns far from 0 lose their digits, without a word: of three columns of 1e8 plus standard normal
# numbers (300 rows), the explained variances are 8.3 and 0 in place of 0.99 and 0.95. The default
# "auto" chooses "covariance_eigh" for up to 1,000 columns and ten times as many rows; "full" is right.
#
# Seen:
#   1e8 plus noise: auto [8.291 0.   ], full [0.995 0.95 ], np.cov [0.995 0.95 ]
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check scikit-learn==1.9.1 numpy==2.4.6
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 "$room/venv/bin/python" - <<'PYTHON'
import numpy as np
from sklearn.decomposition import PCA

X = 1e8 + np.random.default_rng(0).normal(size=(300, 3))
auto = PCA(2).fit(X).explained_variance_
full = PCA(2, svd_solver="full").fit(X).explained_variance_
true = np.linalg.eigvalsh(np.cov(X.T))[:0:-1]
print(f"1e8 plus noise: auto {auto.round(3)}, full {full.round(3)}, np.cov {true.round(3)}")
assert np.allclose(full, true, rtol=1e-3), "the solver full changed"
assert not np.allclose(auto, true, rtol=0.1), "the default solver changed"
PYTHON
