"""One step of training the multilayer perceptron (MLP), as each peer's user would write it.

    a = X W₁ᵀ + b₁,  h = ReLU(a),  z = h w₂ + b₂,  ŷ = σ(z),  L = binary cross-entropy, mean

then gradients and the update of plain gradient descent. Every function here takes the rows, the
features and the hidden units and returns a step; a step updates its own weights and returns the
loss. All start from the same weights.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks.worker import Worker, WorkerError

Array = np.ndarray[Any, np.dtype[np.float64]]
Step = Callable[[], float]
Shape = tuple[int, int, int]

LEARNING_RATE = 1e-3  # small: a fit so good that log(1 − ŷ) fails must stay out of reach
SHAPES: tuple[Shape, ...] = (
    (1, 2, 2),
    (64, 30, 16),
    (569, 30, 16),
    (128, 784, 128),
    (1024, 784, 256),
    (100_000, 30, 16),
)
AIMS = (2.5, 2.5, 2.0, 1.15, 1.1, 1.1)  # what a step of the engine may cost, times `hand`


class Problem(NamedTuple):
    X: Array
    y: Array
    W1: Array
    b1: Array
    w2: Array
    b2: Array


def problem(rows: int, features: int, hidden: int) -> Problem:
    """Data and initial weights, the same in every process."""
    draw = np.random.default_rng(0)
    X = draw.standard_normal((rows, features))
    y = (X @ draw.standard_normal(features) > 0).astype(np.float64)
    W1 = draw.standard_normal((hidden, features)) * np.sqrt(2 / features)
    w2 = draw.standard_normal(hidden) * np.sqrt(1 / hidden)
    return Problem(X, y, W1, np.full(hidden, 0.1), w2, np.zeros(()))


def hand(*shape: int) -> Step:
    """The textbook NumPy."""
    X, y, W1, b1, w2, b2 = problem(*shape)
    n = len(y)

    def step() -> float:
        nonlocal W1, b1, w2, b2
        a = X @ W1.T + b1
        h = np.maximum(a, 0)
        z = h @ w2 + b2
        p = 1 / (1 + np.exp(-z))
        loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
        d = (p - y) / n
        gw2 = h.T @ d
        gb2 = d.sum()
        da = np.outer(d, w2) * (a > 0)
        gW1 = da.T @ X
        gb1 = da.sum(axis=0)
        W1 -= LEARNING_RATE * gW1
        b1 -= LEARNING_RATE * gb1
        w2 -= LEARNING_RATE * gw2
        b2 -= LEARNING_RATE * gb2
        return float(loss)

    return step


def out(*shape: int) -> Step:
    """The textbook NumPy with every large array preallocated."""
    X, y, W1, b1, w2, b2 = problem(*shape)
    rows, _, hidden = shape
    a, h = np.empty((rows, hidden)), np.empty((rows, hidden))
    p, q, t, u = np.empty(rows), np.empty(rows), np.empty(rows), 1 - y
    on = np.empty((rows, hidden), dtype=bool)
    gW1, gb1, gw2 = np.empty_like(W1), np.empty_like(b1), np.empty_like(w2)

    def step() -> float:
        nonlocal b2
        np.matmul(X, W1.T, out=a)
        np.add(a, b1, out=a)
        np.maximum(a, 0, out=h)
        np.matmul(h, w2, out=p)
        np.add(p, b2, out=p)
        np.negative(p, out=p)
        np.exp(p, out=p)
        np.add(p, 1, out=p)
        np.reciprocal(p, out=p)
        np.log(p, out=t)
        np.multiply(t, y, out=t)
        np.subtract(1, p, out=q)
        np.log(q, out=q)
        np.multiply(q, u, out=q)
        np.add(t, q, out=t)
        loss = -t.sum() / rows
        np.subtract(p, y, out=p)
        np.divide(p, rows, out=p)
        np.matmul(p, h, out=gw2)
        b2 -= LEARNING_RATE * p.sum()
        np.greater(a, 0, out=on)
        np.multiply(p[:, None], w2, out=a)
        np.multiply(a, on, out=a)
        np.matmul(a.T, X, out=gW1)
        np.sum(a, axis=0, out=gb1)
        for parameter, gradient in ((W1, gW1), (b1, gb1), (w2, gw2)):
            np.multiply(gradient, LEARNING_RATE, out=gradient)
            np.subtract(parameter, gradient, out=parameter)
        return float(loss)

    return step


def autograd_lite(*shape: int) -> Step:
    import autograd_lite as ag

    X, y, *weights = problem(*shape)
    X = ag.constant(X)
    y = ag.constant(y)
    W1, b1, w2, b2 = parameters = [ag.Tensor(weight) for weight in weights]

    def step() -> float:
        h = ag.relu(X @ W1.T + b1)
        loss = ag.binary_cross_entropy(ag.sigmoid(h @ w2 + b2), y)
        loss.backward()
        for parameter in parameters:
            parameter.data -= LEARNING_RATE * parameter.grad
            parameter.zero_grad()
        return loss.item()

    return step


def compiled(*shape: int, dtype: str = "float64") -> Step:
    """The naive loss, differentiated and updated in one function, compiled."""
    import autograd_lite as ag

    X, y, *parameters = (array.astype(dtype) for array in problem(*shape))

    def loss_of(parameters: Any, X: Any, y: Any) -> Any:
        W1, b1, w2, b2 = parameters
        h = ag.relu(X @ W1.T + b1)
        p = ag.sigmoid(h @ w2 + b2)
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    @ag.compile(rows="auto")
    def update(parameters: Any, X: Any, y: Any) -> Any:
        loss, gradients = ag.value_and_grad(loss_of)(parameters, X, y)
        return loss, [p - LEARNING_RATE * g for p, g in zip(parameters, gradients, strict=True)]

    def step() -> float:
        nonlocal parameters
        loss, parameters = update(parameters, X, y)
        return float(loss)

    update(parameters, X, y)  # what is measured is the step, not its compilation
    return step


def torch(*shape: int, transform: Callable[[Any], Any] = lambda function: function) -> Step:
    import torch

    X, y, *weights = (torch.from_numpy(np.array(array)) for array in problem(*shape))
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


def torch_compile(*shape: int) -> Step:
    import torch as library

    return torch(*shape, transform=library.compile)


def jax(*shape: int) -> Step:
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)
    X, y, *parameters = map(jnp.asarray, problem(*shape))

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


def mygrad(*shape: int) -> Step:
    import mygrad as mg
    from mygrad.nnet.activations import relu, sigmoid

    X, y, *weights = problem(*shape)
    W1, b1, w2, b2 = parameters = [mg.tensor(weight) for weight in weights]

    def step() -> float:
        h = relu(X @ W1.T + b1)
        p = sigmoid(h @ w2 + b2)
        loss = -mg.mean(y * mg.log(p) + (1 - y) * mg.log(1 - p))
        loss.backward()
        for parameter in parameters:
            parameter.data -= LEARNING_RATE * parameter.grad
            parameter.null_grad()
        return loss.item()

    return step


def autograd(*shape: int) -> Step:
    import autograd.numpy as anp
    from autograd import value_and_grad

    X, y, *parameters = problem(*shape)

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


PEERS = {
    name: f"benchmarks.steps:{function}"
    for name, function in (
        ("hand", "hand"),
        ("out=", "out"),
        ("autograd_lite", "autograd_lite"),
        ("compiled", "compiled"),
        ("torch", "torch"),
        ("torch.compile", "torch_compile"),
        ("jax.jit", "jax"),
        ("mygrad", "mygrad"),
        ("autograd", "autograd"),
    )
}
ESSENTIAL = ("hand", "autograd_lite")


class Disagreement(RuntimeError):
    """Two peers do not compute the same losses."""


def agree(losses: dict[str, list[float]]) -> None:
    """Compare the first losses of all peers, so their forward passes, gradients and updates.

    Raises: Disagreement, naming the peer and both lists of losses.

    Example:
        >>> agree({"hand": [0.5, 0.4], "slip": [0.5, 0.6]})
        Traceback (most recent call last):
        benchmarks.steps.Disagreement: losses of slip [0.5, 0.6] differ from hand's [0.5, 0.4]
    """
    (first, expected), *others = losses.items()
    for name, found in others:
        if not np.allclose(found, expected, rtol=1e-8, atol=0):
            raise Disagreement(f"losses of {name} {found} differ from {first}'s {expected}")


def measure(
    shape: Shape,
    peers: Sequence[str] = tuple(PEERS),
    *,
    rounds: int = 5,
    budget: float = 0.1,
    threads: int = 1,
    skip: Callable[[str], None] = print,
) -> dict[str, float]:
    """Seconds of one step for each peer: the least over rounds in which the peers take turns.

    A peer that is not installed or cannot run is left out, and `skip` gets a line that says so;
    `hand` and the engine must run.

    Raises: Disagreement when the losses differ; WorkerError when a worker dies.
    """
    workers: dict[str, Worker] = {}
    try:
        losses = {}
        for name in peers:
            try:
                workers[name] = Worker(name, PEERS[name], *shape, threads=threads)
                losses[name] = workers[name].ask("losses", 3)
            except WorkerError as error:
                if name in ESSENTIAL:
                    raise
                skip(str(error))
                if name in workers:
                    workers.pop(name).close()
        agree(losses)
        best = dict.fromkeys(workers, float("inf"))
        for _ in range(rounds):
            for name, worker in workers.items():
                best[name] = min(best[name], worker.ask("seconds", budget))
        return best
    finally:
        for worker in workers.values():
            worker.close()
