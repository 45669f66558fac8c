#!/usr/bin/env bash
# PyTorch 2.13.0 (CPU) and JAX 0.10.2: the derivative of a quantile by its level q is 0 wherever
# q (n − 1) is a whole number, also where the quantile is a straight line of q. The median of an odd
# number of elements is such a place, and so is every quartile of 5 elements. Both interpolate between
# the elements at floor and ceil of the rank, which are one element there. Seen, for the elements
# 1, 2, 3, of which the q-quantile is 1 + 2q:
#
#     q      right  torch  jax
#     0.4999 2.0    2.0    2.0
#     0.5    2.0    0.0    0.0
#     0.5001 2.0    2.0    2.0
#
# A level that is learned, as in a conformal or quantile regression, stops at the median.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    'torch==2.13.0' 'jax==0.10.2' 'numpy==2.4.6'
"$room/venv/bin/python" -W ignore - <<'SEEN'
import jax
import jax.numpy as jnp
import numpy as np
import torch

jax.config.update("jax_enable_x64", True)
x = np.array([1.0, 2.0, 3.0])
for level, seen in ((0.4999, 2), (0.5, 0), (0.5001, 2)):
    right = (np.quantile(x, level + 1e-6) - np.quantile(x, level - 1e-6)) / 2e-6
    q = torch.tensor(level, dtype=torch.float64, requires_grad=True)
    torch.quantile(torch.tensor(x), q).backward()
    theirs = jax.grad(lambda q: jnp.quantile(x, q))(level)
    print(level, round(right, 4), round(q.grad.item(), 4), round(float(theirs), 4))
    np.testing.assert_allclose([right, q.grad.item(), theirs], [2, seen, seen], atol=1e-6)
SEEN
