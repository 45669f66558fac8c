"""A step of micrograd's demo on whole arrays, beside micrograd: the same data, weights and loss.

Scalar nodes run with Python's garbage collector off, which is kinder to them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import autograd_lite as ag
from benchmarks.rounds import Goal, interleave, ratio
from benchmarks.scalars import LEARNING_RATE, PENALTY, demo_weights, moons
from benchmarks.steps import Array, Step

PEERS: dict[str, tuple[Any, ...]] = {
    "micrograd": ("benchmarks.scalars:build", "micrograd", "demo", False),
    "autograd_lite, scalars": ("benchmarks.scalars:build", "autograd_lite", "demo", False),
    "autograd_lite": ("benchmarks.demo:eager",),
    "compiled": ("benchmarks.demo:compiled",),
}
GOAL = 1 / 1000  # of micrograd's time


def problem() -> tuple[Array, Array, list[Array]]:
    X, y = moons(100)
    weights = [np.array(layer) for layer in demo_weights()]
    return np.array(X), np.array(y), [a for W in weights for a in (W, np.zeros(len(W)))]


def loss_of(parameters: Any, X: Any, y: Any) -> Any:
    """The hinge loss with L2 of the MLP 2-16-16-1."""
    W1, b1, W2, b2, W3, b3 = parameters
    h = ag.relu(ag.relu(X @ W1.T + b1) @ W2.T + b2)
    score = (h @ W3.T + b3)[:, 0]
    return np.mean(ag.relu(1 - y * score)) + PENALTY * sum(np.sum(p**2) for p in parameters)


def eager() -> Step:
    X, y, arrays = problem()
    X, y = ag.constant(X), ag.constant(y)
    parameters = [ag.Tensor(array) for array in arrays]

    def step() -> float:
        loss = loss_of(parameters, X, y)
        loss.backward()
        for parameter in parameters:
            parameter.data -= LEARNING_RATE * parameter.grad
            parameter.zero_grad()
        return float(loss.item())

    return step


def compiled() -> Step:
    X, y, parameters = problem()

    @ag.compile
    def update(parameters: Any, X: Any, y: Any) -> Any:
        loss, gradients = ag.value_and_grad(loss_of)(parameters, X, y)
        return loss, [p - LEARNING_RATE * g for p, g in zip(parameters, gradients, strict=True)]

    def step() -> float:
        nonlocal parameters
        loss, parameters = update(parameters, X, y)
        return float(loss)

    return step


def measure(**options: Any) -> dict[str, list[float]]:
    """Seconds of a step of each, round by round; options as for `interleave`."""
    return interleave(PEERS, essential=("autograd_lite", "compiled"), **options)


def goals(seconds: dict[str, list[float]]) -> list[Goal]:
    if "micrograd" not in seconds:
        return []
    measured = ratio(seconds["compiled"], seconds["micrograd"])
    return [Goal("compiled ÷ micrograd", measured, GOAL)]
