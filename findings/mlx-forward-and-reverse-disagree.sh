#!/usr/bin/env bash
# MLX 0.32.4 (CPU), three derivatives that are finite and wrong, each beside one that is right:
#
# - addmm(c, a, b, alpha, beta) is alpha a b + beta c. Reverse mode (grad) multiplies by alpha and
#   beta; forward mode (jvp) forgets both.
# - divmod(x, 3)[1] is x % 3. The derivative of % is 1, that of the remainder of divmod is 0.
# - the imaginary part of (x + i)² is 2 x. Its derivative is 2; grad gives −2 where the square is
#   written `** 2` and 2 where it is written as a product. jvp gives 2 for both.
#
# Seen:
#
#     addmm, alpha 10, beta 100   grad [100.0, 30.0, 20.0]   jvp [1.0, 3.0, 2.0]
#     remainder by 3 at 7         % 1.0   divmod 0.0
#     Im (x + i)² at 1.5          product 2.0   ** -2.0   jvp of ** 2.0
#
# A check of one mode by finite differences does not see the other; comparing both modes does.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check 'mlx[cpu]==0.32.4'
"$room/venv/bin/python" - <<'SEEN'
import mlx.core as mx


def forward(function, arguments, which):
    """The derivative of a function of 1 × 1 arrays by one argument, in forward mode."""
    seeds = [mx.ones_like(x) if i == which else mx.zeros_like(x) for i, x in enumerate(arguments)]
    return mx.jvp(function, arguments, seeds)[1][0].item()


def reverse(function, arguments, which):
    """The same in reverse mode."""
    return mx.grad(lambda *given: function(*given).sum(), argnums=which)(*arguments).item()


if __name__ == "__main__":
    mx.set_default_device(mx.cpu)
    fused = lambda c, a, b: mx.addmm(c, a, b, alpha=10.0, beta=100.0)
    c, a, b = (mx.array([[number]]) for number in (1.0, 2.0, 3.0))
    assert fused(c, a, b).item() == 10 * 2 * 3 + 100 * 1
    sums = [[mode(fused, [c, a, b], i) for i in range(3)] for mode in (reverse, forward)]
    print(f"addmm, alpha 10, beta 100   grad {sums[0]}   jvp {sums[1]}")

    seven, three = mx.array(7.0), mx.array(3.0)
    rests = [lambda x: x % three, lambda x: mx.divmod(x, three)[1]]
    assert [rest(seven).item() for rest in rests] == [1.0, 1.0]
    slopes = [reverse(rest, [seven], 0) for rest in rests]
    print(f"remainder by 3 at 7         % {slopes[0]}   divmod {slopes[1]}")

    product = lambda x: mx.imag((x + 1j) * (x + 1j))
    power = lambda x: mx.imag((x + 1j) ** 2)
    x = mx.array(1.5)
    assert product(x).item() == 3.0 and abs(power(x).item() - 3.0) < 1e-5
    parts = [reverse(product, [x], 0), reverse(power, [x], 0), forward(power, [x], 0)]
    parts = [round(part, 4) for part in parts]
    print(f"Im (x + i)² at 1.5          product {parts[0]}   ** {parts[1]}   jvp of ** {parts[2]}")

    assert sums == [[100.0, 30.0, 20.0], [1.0, 3.0, 2.0]]
    assert slopes == [1.0, 0.0]
    assert parts == [2.0, -2.0, 2.0]
SEEN
