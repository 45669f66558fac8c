#!/usr/bin/env bash
# PyTorch 2.13.0 (CPU) and JAX 0.10.2: the gradients of pinv and of torch.linalg.lstsq are wrong,
# silently, when rtol or rcond leaves out a singular value that is not 0. The rule of pinv (Golub and
# Pereyra 1973) holds where the singular values left out are 0.
# torch.linalg.lstsq's rule does not see rcond: it gives a gradient to a part of b on which the
# solution does not depend. For A = diag(3, 1) with a cutoff of 0.5, d pinv(A)[1, 0] / d A[0, 1] is
# 1/(3² − 1²) = 0.125, and the solution of least squares is (b₀/3, 0). Seen:
#
#     differences    0.125
#     torch pinv     0.1111
#     jax pinv       0.1111
#     torch lstsq by b [0.3333 1.    ], by differences [0.3333 0.    ]
#
# torch.autograd.gradcheck finds both; gradients of a truncated pseudoinverse need the singular
# vectors.
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
from torch.autograd.gradcheck import GradcheckError

jax.config.update("jax_enable_x64", True)
A, step = np.diag([3.0, 1.0]), np.array([[0.0, 1e-6], [0.0, 0.0]])


def entry(a):
    return np.linalg.pinv(a, rcond=0.5)[1, 0]


right = (entry(A + step) - entry(A - step)) / 2e-6
print("differences", round(right, 4))
np.testing.assert_allclose(right, 1 / 8, atol=1e-6)

a = torch.tensor(A, requires_grad=True)
torch.linalg.pinv(a, rtol=0.5)[1, 0].backward()
print("torch pinv", round(float(a.grad[0, 1]), 4))
np.testing.assert_allclose(float(a.grad[0, 1]), 1 / 9)

theirs = jax.grad(lambda a: jnp.linalg.pinv(a, rtol=0.5)[1, 0])(A)
print("jax pinv", round(float(theirs[0, 1]), 4))
np.testing.assert_allclose(float(theirs[0, 1]), 1 / 9)


def solution(b):
    return torch.linalg.lstsq(torch.tensor(A), b, rcond=0.5, driver="gelsd").solution.sum()


b = torch.ones(2, 1, dtype=torch.float64, requires_grad=True)
solution(b).backward()
moved = torch.tensor([[1.0], [1.5]], dtype=torch.float64)
differences = [1 / 3, float(solution(moved) - solution(b.detach())) / 0.5]
print("torch lstsq by b", b.grad.ravel().numpy().round(4), "by differences", np.round(differences, 4))
np.testing.assert_allclose(differences, [1 / 3, 0], atol=1e-12)
np.testing.assert_allclose(b.grad.ravel().numpy(), [1 / 3, 1])

for function, x in (
    (lambda a: torch.linalg.pinv(a, rtol=0.5), a),
    (lambda b: solution(b), b),
):
    try:
        torch.autograd.gradcheck(function, x)
    except GradcheckError:
        continue
    raise SystemExit("gradcheck passes now")
SEEN
