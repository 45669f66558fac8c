"""Long programs: loops that a compiler or a derivation must take in linear time.

A program is a function of the number of nodes wanted. It returns a loss, as a function, and the
arguments of the loss. `python -m benchmarks --parts slow` reports what a derivation takes per node
of the loss, and what the compiler takes per node of the loss and its gradients. It also reports
the gradient of indexing in a loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import combinations
from time import perf_counter
from typing import Any

import numpy as np

import autograd_lite as ag
from benchmarks.worker import Worker, WorkerError

Loss = Callable[..., Any]
Program = Callable[[int], tuple[Loss, tuple[Any, ...]]]

NODES = (100, 1_000, 10_000)
GOAL = 200e-6  # seconds a node, for a derivation
COMPILE_GOAL = 70e-6  # for the passes of the compiler
INDEXED = (1_000, 4_000)  # the lengths of the loops over the elements of an array
RATIO_GOAL = 5.0  # of the times for these lengths


def descent(nodes: int) -> tuple[Loss, tuple[Any, ...]]:
    """Steps of gradient descent, z − 0.1 (2z − w)."""

    def loss(z: Any, w: Any) -> Any:
        for _ in range(nodes // 6):
            z = z - 0.1 * (2 * z - w)
        return np.sum(z * z)

    return loss, (np.array([0.3, -0.2]), np.array([0.5, 0.1]))


def logistic_map(nodes: int) -> tuple[Loss, tuple[Any, ...]]:
    """The logistic map, 3.5 z (1 − z)."""

    def loss(z: Any) -> Any:
        for _ in range(nodes // 5):
            z = 3.5 * z * (1 - z)
        return np.sum(z)

    return loss, (np.array([0.3, 0.6]),)


def tanh_chain(nodes: int) -> tuple[Loss, tuple[Any, ...]]:
    """A recurrence of one weight, tanh(z w)."""

    def loss(z: Any, w: Any) -> Any:
        for _ in range(nodes // 2):
            z = np.tanh(z * w)
        return np.sum(z)

    return loss, (np.array([0.3, -0.2]), np.array([0.9, 1.1]))


def residual(nodes: int) -> tuple[Loss, tuple[Any, ...]]:
    """Residual steps, x + x tanh x."""

    def loss(x: Any) -> Any:
        for _ in range(nodes // 3):
            x = x + x * np.tanh(x)
        return np.sum(x)

    return loss, (np.array([-0.3, -0.02]),)


def kalman_filter(nodes: int) -> tuple[Loss, tuple[Any, ...]]:
    """The likelihood of observations of a position that moves with a hidden velocity."""
    steps = max(1, nodes // 22)
    seen = np.random.default_rng(0).normal(size=steps)
    F, H = np.array([[1.0, 0.1], [0.0, 1.0]]), np.array([1.0, 0.0])

    def loss(q: Any, r: Any) -> Any:
        m, P, total = np.zeros(2), np.eye(2), 0.0
        Q = q * np.eye(2)
        for y in seen:
            m, P = F @ m, F @ P @ F.T + Q
            error, variance = y - H @ m, H @ P @ H + r
            gain = P @ H / variance
            m, P = m + gain * error, P - np.outer(gain, H @ P)
            total = total + np.log(variance) + error**2 / variance
        return total

    return loss, (np.array(0.1), np.array(0.5))


def lstm(nodes: int) -> tuple[Loss, tuple[Any, ...]]:
    """A long short-term memory of three units."""
    steps = max(1, nodes // 17)
    random = np.random.default_rng(0)
    data = random.normal(size=(steps, 2))

    def loss(W: Any, U: Any, b: Any) -> Any:
        h, c = np.zeros(3), np.zeros(3)
        for x in data:
            a = W @ x + U @ h + b
            kept, added, shown = (ag.sigmoid(a[k : k + 3]) for k in (0, 3, 6))
            c = kept * c + added * np.tanh(a[9:])
            h = shown * np.tanh(c)
        return np.sum(h * h)

    shapes = (12, 2), (12, 3), (12,)
    return loss, tuple(random.normal(size=shape) / 2 for shape in shapes)


def matrix_products(nodes: int) -> tuple[Loss, tuple[Any, ...]]:
    """A deep network of one shared matrix, tanh(A W)."""
    random = np.random.default_rng(0)

    def loss(A: Any, W: Any) -> Any:
        for _ in range(nodes // 2):
            A = np.tanh(A @ W)
        return np.sum(A)

    return loss, (random.normal(size=(3, 4)), random.normal(size=(4, 4)))


def determinant(nodes: int) -> tuple[Loss, tuple[Any, ...]]:
    """A determinant, expanded by minors down the rows; each minor is computed once."""
    n = next(n for n in range(2, 30) if 1.6 * n * 2**n > nodes)

    def loss(A: Any) -> Any:
        elements = [[A[i, j] for j in range(n)] for i in range(n)]
        minors: dict[tuple[int, ...], Any] = {(): 1.0}
        for size in range(1, n + 1):
            for columns in combinations(range(n), size):
                total = 0.0
                for k, j in enumerate(columns):
                    term = elements[n - size][j] * minors[columns[:k] + columns[k + 1 :]]
                    total = total - term if k % 2 else total + term
                minors[columns] = total
        return minors[tuple(range(n))]

    return loss, (np.random.default_rng(0).normal(size=(n, n)),)


PROGRAMS: dict[str, Program] = {
    "descent": descent,
    "logistic map": logistic_map,
    "tanh chain": tanh_chain,
    "x + x tanh x": residual,
    "Kalman filter": kalman_filter,
    "LSTM": lstm,
    "matrix products": matrix_products,
    "determinant by minors": determinant,
}


class Derivation:
    """A program, and what deriving its gradients takes."""

    def __init__(self, program: str, nodes: int) -> None:
        import sympy  # noqa: F401 - so that it is not part of the time

        loss, arguments = PROGRAMS[program](nodes)
        self.arguments = [ag.Tensor(x, name=f"x{k}") for k, x in enumerate(arguments)]
        self.loss = loss(*self.arguments)

    def nodes(self) -> int:
        return len(ag.Graph.of(self.loss))

    def seconds(self) -> float:
        """The time that one derivation takes, with its text."""
        started = perf_counter()
        ag.derive(self.loss).text()
        return perf_counter() - started


class Compilation:
    """A program, and what compiling it with its gradients takes."""

    def __init__(self, program: str, nodes: int) -> None:
        # So that loading the compiler is not part of the time.
        ag.compile(lambda x: np.sin(x) * x)(np.ones(2))
        loss, self.arguments = PROGRAMS[program](nodes)
        self.function = ag.value_and_grad(loss, argnums=tuple(range(len(self.arguments))))

    def nodes(self) -> int:
        return len(ag.compile(self.function).graph_for(*self.arguments))

    def tracing(self) -> float:
        """The time that it takes to trace the program."""
        started = perf_counter()
        ag.compile(self.function).graph_for(*self.arguments)
        return perf_counter() - started

    def seconds(self) -> float:
        """The time of the passes: from the graph to the code that runs."""
        started = perf_counter()
        ag.compile(self.function).source_for(*self.arguments)
        return perf_counter() - started - self.tracing()


class Indexing:
    """The gradient of a sum over products of the elements of an array."""

    def __init__(self, peer: str, length: int) -> None:
        array = np.random.default_rng(0).normal(size=(length, 10, 10))
        self.step = _with_torch(array) if peer == "torch" else self._eager(array)

    def _eager(self, array: Any) -> Callable[[], Any]:
        def loss(W: Any) -> Any:
            return np.sum(sum(W[k] @ W[k] for k in range(len(array))))

        return lambda: ag.grad(loss)(array)

    def seconds(self) -> float:
        started = perf_counter()
        self.step()
        return perf_counter() - started


def _with_torch(array: Any) -> Callable[[], Any]:
    import torch

    torch.set_num_threads(1)
    W = torch.tensor(array, requires_grad=True)

    def step() -> None:
        W.grad = None
        sum(W[k] @ W[k] for k in range(len(array))).sum().backward()  # type: ignore[union-attr]

    return step


def measure(
    what: str,
    name: str,
    size: int,
    questions: Sequence[str] = ("seconds", "nodes"),
    *,
    skip: Callable[[str], None] = print,
) -> list[float]:
    """The answers of a subject in a new process: the least of three times, or the number of nodes.

    Args:
        what: a class of this module.
        name: the program or the peer.
        size: the number of nodes wanted, or the length of the loop.
        questions: the methods to call.
        skip: is called with the reason if there is no answer; the result is empty then.
    """
    try:
        with Worker(name, f"benchmarks.slow:{what}", name, size) as worker:
            worker.ask(questions[0])
            return [min(worker.ask(one) for _ in range(2)) for one in questions]
    except WorkerError as error:
        skip(str(error))
        return []
