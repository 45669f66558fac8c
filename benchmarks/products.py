"""The matrix products of a training step and nothing else, by each library of linear algebra."""

from __future__ import annotations

from typing import Any

from benchmarks.steps import Step, problem


def _products(X: Any, W1: Any, w2: Any) -> Any:
    """Forward twice and backward twice, of the shapes and layouts of the step."""
    a = X @ W1.T
    z = a @ w2
    return z @ a, a.T @ X


def numpy(*given: Any) -> Step:
    X, _, W1, _, w2, _ = problem(*given)

    def step() -> float:
        gw2, gW1 = _products(X, W1, w2)
        return float(gw2[0] + gW1[0, 0])

    return step


def torch(*given: Any) -> Step:
    import torch

    X, _, W1, _, w2, _ = map(torch.from_numpy, problem(*given))

    def step() -> float:
        gw2, gW1 = _products(X, W1, w2)
        return (gw2[0] + gW1[0, 0]).item()

    return step


def jax(*given: Any) -> Step:
    import jax
    import jax.numpy as jnp

    data = problem(*given)
    jax.config.update("jax_enable_x64", data.X.dtype.itemsize == 8)
    X, _, W1, _, w2, _ = map(jnp.asarray, data)

    @jax.jit
    def products(X: Any, W1: Any, w2: Any) -> Any:
        gw2, gW1 = _products(X, W1, w2)
        return gw2[0] + gW1[0, 0], gw2, gW1

    def step() -> float:
        return float(jax.block_until_ready(products(X, W1, w2))[0])

    return step
