"""A differential equation, solved up to t = 2 by s steps of Runge and Kutta.

y₀′ = x₀ and yᵢ′ = xᵢ yᵢ₋₁, from y = 0. The gradient is that of the last element of y.
"""

from __future__ import annotations

from typing import Any

import numpy

SIZE, SMALL = (1000, 100), (4, 12)


def inputs(n: int, s: int) -> tuple[Any, ...]:
    return numpy.random.default_rng(0).random(n), s


def step(np: Any, y: Any, x: Any, h: float) -> Any:
    def slope(y: Any) -> Any:
        return x * np.concatenate([np.ones_like(y[:1]), y[:-1]])

    k1 = slope(y)
    k2 = slope(y + h / 2 * k1)
    k3 = slope(y + h / 2 * k2)
    k4 = slope(y + h * k3)
    return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)


def primal(np: Any, x: Any, s: int) -> Any:
    y = np.zeros_like(x)
    for _ in range(s):
        y = step(np, y, x, 2 / s)
    return y[-1]


def jax(x: Any, s: int) -> Any:
    import jax
    import jax.numpy as jnp

    body = lambda _, y: step(jnp, y, x, 2 / s)  # noqa: E731
    return jax.lax.fori_loop(0, s, body, jnp.zeros_like(x))[-1]
