#!/usr/bin/env bash
# PyTorch 2.13.0 (CPU) and JAX 0.10.2: the square of a function with a kink is smooth, and its second
# derivatives at the kink are finite and wrong. torch.std(x)**2 is torch.var(x), but at equal numbers
# its Hessian is 0; that of var is 2/n (I − 1 1ᵀ/n). jnp.hypot(x, y)**2 is x² + y², but at the origin
# its Hessian is ½ in all four places in place of 2 I. Seen:
#
#     torch std² [[0.0, 0.0], [0.0, 0.0]] var [[0.5, -0.5], [-0.5, 0.5]]
#     jax hypot² [[0.5, 0.5], [0.5, 0.5]] x² + y² [[2.0, 0.0], [0.0, 2.0]]
#
# Both functions take a finite subgradient at the kink (0 and ½), so that the first derivative of the
# square is right; its derivative is then not. torch.linalg.norm(x)**2 and jnp.std(x)**2 give NaN,
# which shows that something is missing. No error, no warning: a Newton step divides by 0, or goes
# elsewhere. A comparison of second derivatives with these libraries must leave out such points.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    'torch==2.13.0' 'jax==0.10.2' 'jaxlib==0.10.2' 'numpy==2.4.6'
JAX_PLATFORMS=cpu "$room/venv/bin/python" -W ignore - <<'SEEN'
import jax
import jax.numpy as jnp
import torch
from torch.autograd.functional import hessian

equal = torch.tensor([2.0, 2.0], dtype=torch.float64)
std = hessian(lambda x: torch.std(x, correction=0) ** 2, equal).tolist()
var = hessian(lambda x: torch.var(x, correction=0), equal).tolist()
print("torch std²", std, "var", var)
assert std == [[0, 0], [0, 0]], std
assert var == [[0.5, -0.5], [-0.5, 0.5]], var

jax.config.update("jax_enable_x64", True)
origin = jnp.zeros(2)
hypot = jax.hessian(lambda x: jnp.hypot(x[0], x[1]) ** 2)(origin).tolist()
squares = jax.hessian(lambda x: x[0] ** 2 + x[1] ** 2)(origin).tolist()
print("jax hypot²", hypot, "x² + y²", squares)
assert hypot == [[0.5, 0.5], [0.5, 0.5]], hypot
assert squares == [[2, 0], [0, 2]], squares
SEEN
