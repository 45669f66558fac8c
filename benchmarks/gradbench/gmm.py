"""The log posterior of a mixture of k Gaussians in d dimensions, for n points.

The precision matrix of a component is QᵀQ. Q is lower triangular, with exp q on its diagonal and
further numbers below it, column by column. The precision matrices have a Wishart prior with γ = 1
and m = 0 further degrees of freedom. Each library has a log-sum-exp of its own.
"""

from __future__ import annotations

from math import lgamma, log, pi
from typing import Any

import numpy

import autograd_lite as ag

SIZE, SMALL = (1000, 25, 10), (20, 3, 4)


def inputs(n: int, k: int, d: int) -> tuple[Any, ...]:
    draw = numpy.random.default_rng(0)
    x, alpha, mu = draw.normal(size=(n, d)), draw.normal(size=k), draw.random((k, d))
    q, rest = draw.normal(size=(k, d)), draw.normal(size=(k, d * (d - 1) // 2))
    return (alpha, mu, q, rest), x


def places(d: int) -> Any:
    """Where the numbers below the diagonal go; above it goes the zero that follows them."""
    count = d * (d - 1) // 2
    position = numpy.full((d, d), count)
    columns, rows = numpy.triu_indices(d, 1)
    position[rows, columns] = numpy.arange(count)
    return position


def posterior(np: Any, logsumexp: Any, parameters: Any, x: Any) -> Any:
    alpha, mu, q, rest = parameters
    (n, d), k = x.shape, len(alpha)
    diagonals = np.exp(q)
    below = np.concatenate([rest, np.zeros_like(rest[:, :1])], axis=1)[:, places(d)]
    centred = x[None, :, :] - mu[:, None, :]
    scaled = diagonals[:, None, :] * centred + centred @ np.swapaxes(below, 1, 2)
    beta = (alpha + np.sum(q, axis=1))[:, None] - np.sum(scaled**2, axis=2) / 2
    likelihood = np.sum(logsumexp(beta, 0)) - n * (logsumexp(alpha, 0) + d * log(2 * pi) / 2)
    return likelihood - (np.sum(diagonals**2) + np.sum(rest**2)) / 2 - k * normaliser(d)


def normaliser(d: int) -> float:
    """Of the Wishart prior of one component: d (d + 1) log √2 + log Γ_d((d + 1) / 2)."""
    gammas = sum(lgamma((d + 1 - j) / 2) for j in range(d))
    return d * (d + 1) * log(2) / 2 + d * (d - 1) * log(pi) / 4 + gammas


def primal(np: Any, *given: Any) -> Any:
    return posterior(np, ag.logsumexp, *given)


def autograd(*given: Any) -> Any:
    import autograd.numpy as anp
    from autograd.scipy.special import logsumexp

    return posterior(anp, logsumexp, *given)


def torch(*given: Any) -> Any:
    import torch

    return posterior(torch, torch.logsumexp, *given)


def jax(*given: Any) -> Any:
    import jax

    return posterior(jax.numpy, jax.nn.logsumexp, *given)
