#!/usr/bin/env bash
# JAX 0.10.2: the gradient of jax.scipy.special.rel_entr(p, q) = p log(p/q) by p is log(p/q) + 1. It
# tends to −∞ for p → 0, but at p = 0 it is 0, and that of kl_div is −1. The gradient of entr in the
# same module is ∞ there, as it should be. Seen, by p at q = 2:
#
#     p = 1e-300: rel_entr -690.5 kl_div -691.5 entr 689.8
#     p = 0.0: rel_entr 0.0 kl_div -1.0 entr inf
#
# A probability that has reached 0 looks stationary, although the loss falls most steeply there. Do not
# take it for the reference of a gradient of a Kullback–Leibler divergence with zeros.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    'jax==0.10.2' 'jaxlib==0.10.2' 'numpy==2.4.6' 'scipy==1.17.1'
JAX_PLATFORMS=cpu "$room/venv/bin/python" - <<'SEEN'
from math import inf

import jax
from jax.scipy.special import entr, kl_div, rel_entr

jax.config.update("jax_enable_x64", True)
for p, expected in ((1e-300, (-690.5, -691.5, 689.8)), (0.0, (0, -1, inf))):
    found = [round(float(jax.grad(f)(p, 2.0)), 1) for f in (rel_entr, kl_div)]
    found.append(round(float(jax.grad(entr)(p)), 1) if p else float(jax.grad(entr)(p)))
    print(f"p = {p}: rel_entr {found[0]} kl_div {found[1]} entr {found[2]}")
    assert tuple(found) == expected, found
SEEN
