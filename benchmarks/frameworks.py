"""The step of `steps.py` as the users of other libraries write it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.steps import LEARNING_RATE, Step, problem


def torch(*given: Any, transform: Callable[[Any], Any] = lambda function: function) -> Step:
    import torch

    X, y, *weights = (torch.from_numpy(np.array(array)) for array in problem(*given))
    parameters = [weight.requires_grad_() for weight in weights]

    @transform
    def loss_of(W1: Any, b1: Any, w2: Any, b2: Any) -> Any:
        h = torch.relu(X @ W1.T + b1)
        return torch.nn.functional.binary_cross_entropy(torch.sigmoid(h @ w2 + b2), y)

    def step() -> float:
        loss = loss_of(*parameters)
        loss.backward()
        with torch.no_grad():
            for parameter in parameters:
                parameter -= LEARNING_RATE * parameter.grad
                parameter.grad = None
        return loss.item()

    return step


def torch_compile(*given: Any) -> Step:
    import torch as library

    return torch(*given, transform=library.compile)


def jax(*given: Any) -> Step:
    import jax
    import jax.numpy as jnp

    data = problem(*given)
    jax.config.update("jax_enable_x64", data.X.dtype == np.float64)
    X, y, *parameters = map(jnp.asarray, data)

    def loss_of(parameters: Sequence[Any], X: Any, y: Any) -> Any:
        W1, b1, w2, b2 = parameters
        h = jax.nn.relu(X @ W1.T + b1)
        p = jax.nn.sigmoid(h @ w2 + b2)
        return -jnp.mean(y * jnp.log(p) + (1 - y) * jnp.log(1 - p))

    @jax.jit
    def update(parameters: Sequence[Any], X: Any, y: Any) -> Any:
        loss, gradients = jax.value_and_grad(loss_of)(parameters, X, y)
        return loss, [p - LEARNING_RATE * g for p, g in zip(parameters, gradients, strict=True)]

    def step() -> float:
        nonlocal parameters
        loss, parameters = jax.block_until_ready(update(parameters, X, y))
        return float(loss)

    return step


def mygrad(*given: Any) -> Step:
    import mygrad as mg
    from mygrad.nnet.activations import relu, sigmoid

    X, y, *weights = problem(*given)
    W1, b1, w2, b2 = parameters = [mg.tensor(weight) for weight in weights]
    one = X.dtype.type(1)  # beside a Python number MyGrad goes over to float64

    def step() -> float:
        h = relu(X @ W1.T + b1)
        p = sigmoid(h @ w2 + b2)
        loss = -mg.mean(y * mg.log(p) + (1 - y) * mg.log(one - p))
        loss.backward()
        for parameter in parameters:
            parameter.data -= LEARNING_RATE * parameter.grad
            parameter.null_grad()
        return loss.item()

    return step


def autograd(*given: Any) -> Step:
    import autograd.numpy as anp
    from autograd import value_and_grad

    X, y, *parameters = problem(*given)

    def loss_of(parameters: Sequence[Any]) -> Any:
        W1, b1, w2, b2 = parameters
        h = anp.maximum(anp.dot(X, W1.T) + b1, 0)
        p = 1 / (1 + anp.exp(-(anp.dot(h, w2) + b2)))
        return -anp.mean(y * anp.log(p) + (1 - y) * anp.log(1 - p))

    differentiate = value_and_grad(loss_of)

    def step() -> float:
        nonlocal parameters
        loss, gradients = differentiate(parameters)
        parameters = [p - LEARNING_RATE * g for p, g in zip(parameters, gradients, strict=True)]
        return float(loss)

    return step


def advect(*given: Any, staged: bool = False) -> Step:
    import advect

    X, y, *parameters = problem(*given)

    def loss_of(parameters: Sequence[Any], X: Any, y: Any) -> Any:
        W1, b1, w2, b2 = parameters
        h = np.maximum(X @ W1.T + b1, 0)
        p = 1 / (1 + np.exp(-(h @ w2 + b2)))
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    def update(parameters: Sequence[Any], X: Any, y: Any) -> Any:
        loss, gradients = advect.value_and_grad(loss_of)(parameters, X, y)
        return loss, [p - LEARNING_RATE * g for p, g in zip(parameters, gradients, strict=True)]

    run = advect.stage(update, parameters, X, y) if staged else update

    def step() -> float:
        nonlocal parameters
        loss, parameters = run(parameters, X, y)
        return float(loss)

    return step


def advect_stage(*given: Any) -> Step:
    return advect(*given, staged=True)


def tangent_ad(*given: Any) -> Step:  # not `tangent`, which its generated code takes for itself
    import tangent

    X, y, *parameters = problem(*given)

    def loss_of(W1, b1, w2, b2, X, y):  # type: ignore[no-untyped-def] # it runs annotations
        h = np.maximum(np.dot(X, np.transpose(W1)) + b1, 0)
        p = 1 / (1 + np.exp(-(np.dot(h, w2) + b2)))
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    differentiate = tangent.grad(loss_of, wrt=(0, 1, 2, 3), preserve_result=True)

    def step() -> float:
        *gradients, loss = differentiate(*parameters, X, y)
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter -= LEARNING_RATE * gradient  # some gradients of float32 are float64
        return float(loss)

    return step
