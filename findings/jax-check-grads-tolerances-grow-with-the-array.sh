#!/usr/bin/env bash
# jax 0.10.2 (NumPy 2.4.6): jax.test_util.check_grads multiplies atol and rtol by the number of
# elements of the array that it compares, also those that the caller gives. "atol: absolute
# tolerance for gradient equality" says nothing of it. In forward mode the array is the derivative
# of the result, so the derivative of a function of 1,000 numbers may have the opposite sign. In
# reverse mode one product with the gradient is compared, so it is caught there. (Reported in 2020
# as jax-ml/jax issue 3130, open.) Seen, for sin with −cos as its derivative:
#
#     float32, default tolerances: caught with 10 numbers, caught with 100, passes with 1,000
#     float64, atol=0, rtol=1e-5: caught with 1,000 numbers, passes with 500,000
#     reverse mode, 1,000 numbers: caught
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    'jax==0.10.2' 'jaxlib==0.10.2' 'numpy==2.4.6' 'scipy==1.17.1'
JAX_PLATFORMS=cpu "$room/venv/bin/python" - <<'SEEN'
import jax
import jax.numpy as jnp
import numpy as np
from jax.test_util import check_grads

jax.config.update("jax_enable_x64", True)


@jax.custom_jvp
def sine(x):
    return jnp.sin(x)


@sine.defjvp
def _(primals, tangents):
    return sine(*primals), -jnp.cos(*primals) * tangents[0]  # the sign is wrong


def passes(count, dtype, mode="fwd", **tolerances):
    x = jnp.asarray(np.random.default_rng(0).normal(size=count), dtype)
    try:
        check_grads(sine, (x,), order=1, modes=[mode], **tolerances)
    except AssertionError:
        return "caught"
    return "passes"


single = [passes(n, jnp.float32) for n in (10, 100, 1000)]
print("float32, default tolerances: {} with 10 numbers, {} with 100, {} with 1,000".format(*single))
double = [passes(n, jnp.float64, atol=0, rtol=1e-5) for n in (1000, 500_000)]
print("float64, atol=0, rtol=1e-5: {} with 1,000 numbers, {} with 500,000".format(*double))
reverse = passes(1000, jnp.float32, "rev")
print(f"reverse mode, 1,000 numbers: {reverse}")
assert [*single, *double, reverse] == ["caught", "caught", "passes", "caught", "passes", "caught"]
SEEN
