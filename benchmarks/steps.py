"""One step of training the multilayer perceptron (MLP), as each peer's user would write it.

    a = X W₁ᵀ + b₁,  h = ReLU(a),  z = h w₂ + b₂,  ŷ = σ(z),  L = binary cross-entropy, mean

then gradients and the update of plain gradient descent. Every function here takes what `problem`
takes and returns a step; a step updates its own weights and returns the loss. All start from the
same weights. In a column w₂ is (hidden, 1), b₂ (1,), and z, ŷ and y are (rows, 1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from benchmarks.rounds import Goal, interleave, median, ratio

Array = np.ndarray[Any, Any]
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


class Problem(NamedTuple):
    X: Array
    y: Array
    W1: Array
    b1: Array
    w2: Array
    b2: Array


def problem(
    rows: int, features: int, hidden: int, dtype: str = "float64", *, column: bool = False
) -> Problem:
    """Data and initial weights, the same in every process; the output as a column or flat."""
    draw = np.random.default_rng(0)
    X = draw.standard_normal((rows, features))
    y = X @ draw.standard_normal(features) > 0
    W1 = draw.standard_normal((hidden, features)) * np.sqrt(2 / features)
    w2 = draw.standard_normal(hidden) * np.sqrt(1 / hidden)
    b1, b2 = np.full(hidden, 0.1), np.zeros(())
    if column:
        y, w2, b2 = y[:, None], w2[:, None], b2[None]
    arrays = X, y, W1, b1, w2, b2
    return Problem(*(array.astype(dtype) for array in arrays))


def hand(*given: Any, column: bool = False) -> Step:
    """The textbook NumPy."""
    X, y, W1, b1, w2, b2 = problem(*given, column=column)
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
        gb2 = d.sum(axis=0)
        da = (d @ w2.T if column else np.outer(d, w2)) * (a > 0)
        gW1 = da.T @ X
        gb1 = da.sum(axis=0)
        W1 -= LEARNING_RATE * gW1
        b1 -= LEARNING_RATE * gb1
        w2 -= LEARNING_RATE * gw2
        b2 -= LEARNING_RATE * gb2
        return float(loss)

    return step


def hand_column(*given: Any) -> Step:
    return hand(*given, column=True)


def out(*given: Any) -> Step:
    """The textbook NumPy with every large array preallocated."""
    X, y, W1, b1, w2, b2 = problem(*given)
    rows, hidden = len(y), len(b1)
    a, h = np.empty((rows, hidden), X.dtype), np.empty((rows, hidden), X.dtype)
    p, q, t, u = np.empty_like(y), np.empty_like(y), np.empty_like(y), 1 - y
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


def autograd_lite(*given: Any, column: bool = False, replaced: bool = False) -> Step:
    """The eager engine; an update changes each parameter's array in place, or replaces it."""
    import autograd_lite as ag

    X, y, *weights = problem(*given, column=column)
    X = ag.constant(X)
    y = ag.constant(y)
    W1, b1, w2, b2 = parameters = [ag.Tensor(weight) for weight in weights]

    def step() -> float:
        h = ag.relu(X @ W1.T + b1)
        loss = ag.binary_cross_entropy(ag.sigmoid(h @ w2 + b2), y)
        loss.backward()
        for parameter in parameters:
            if replaced:
                parameter.data = parameter.data - LEARNING_RATE * parameter.grad
            else:
                parameter.data -= LEARNING_RATE * parameter.grad
            parameter.zero_grad()
        return loss.item()

    return step


def replaced(*given: Any) -> Step:
    return autograd_lite(*given, replaced=True)


def column(*given: Any) -> Step:
    return autograd_lite(*given, column=True)


def column_replaced(*given: Any) -> Step:
    return autograd_lite(*given, column=True, replaced=True)


def compiled(
    *given: Any, rows: str | None = "auto", constant: bool = False, **options: Any
) -> Step:
    """The naive loss, differentiated and updated in one function, compiled."""
    import autograd_lite as ag

    parameters = problem(*given)._asdict()
    X, y = parameters.pop("X"), parameters.pop("y")

    def loss_of(parameters: Any, X: Any, y: Any) -> Any:
        h = ag.relu(X @ parameters["W1"].T + parameters["b1"])
        p = ag.sigmoid(h @ parameters["w2"] + parameters["b2"])
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    def update(parameters: Any, X: Any, y: Any) -> Any:
        loss, gradients = ag.value_and_grad(loss_of)(parameters, X, y)
        return loss, {name: p - LEARNING_RATE * gradients[name] for name, p in parameters.items()}

    def update_on_constants(parameters: Any) -> Any:
        return update(parameters, X, y)

    fast = ag.compile(update_on_constants if constant else update, rows=rows, **options)
    data = () if constant else (X, y)

    def step() -> float:
        nonlocal parameters
        loss, parameters = fast(parameters, *data)
        return float(loss)

    return step


def compiled_for_two_workers(*given: Any) -> Step:
    """The same, large tables by two threads."""
    return compiled(*given, workers=2)


def compiled_by_numba(*given: Any, **options: Any) -> Step:
    """The same, native code."""
    import numba  # noqa: F401 - so that a worker says if it is missing, and its import is no step

    return compiled(*given, backend="numba", **options)


def compiled_by_numba_for_two_workers(*given: Any) -> Step:
    """The same, large tables by two threads."""
    return compiled_by_numba(*given, workers=2)


def compiled_on_constants(*given: Any) -> Step:
    """The same with X and y closed over."""
    return compiled(*given, constant=True)


def compiled_in_one_pass(*given: Any) -> Step:
    """The same, never over blocks of rows."""
    return compiled(*given, rows=None)


PEERS = {
    name: f"benchmarks.{module}:{function}"
    for module, name, function in (
        ("steps", "hand", "hand"),
        ("steps", "out=", "out"),
        ("steps", "autograd_lite", "autograd_lite"),
        ("steps", "replaced", "replaced"),
        ("steps", "hand-column", "hand_column"),
        ("steps", "column", "column"),
        ("steps", "column-replaced", "column_replaced"),
        ("steps", "compiled", "compiled"),
        ("steps", "two-workers", "compiled_for_two_workers"),
        ("steps", "compiled-numba", "compiled_by_numba"),
        ("steps", "numba-two-workers", "compiled_by_numba_for_two_workers"),
        ("steps", "constant-X", "compiled_on_constants"),
        ("frameworks", "torch", "torch"),
        ("frameworks", "torch.compile", "torch_compile"),
        ("frameworks", "jax.jit", "jax"),
        ("frameworks", "mygrad", "mygrad"),
        ("frameworks", "autograd", "autograd"),
        ("frameworks", "advect", "advect"),
        ("frameworks", "advect.stage", "advect_stage"),
        ("frameworks", "tangent", "tangent_ad"),
    )
}
ESSENTIAL = ("hand", "autograd_lite")
FRAMEWORKS = {  # and what multiplies their matrices
    "torch": "torch",
    "torch.compile": "torch",
    "jax.jit": "jax",
    **dict.fromkeys(("mygrad", "autograd", "advect", "advect.stage", "tangent"), "numpy"),
}
PRODUCTS = {name: f"benchmarks.products:{name}" for name in ("numpy", "torch", "jax")}


class OfProducts(NamedTuple):
    """A limit in terms of the matrix products alone: NumPy's time over the framework's."""

    times: float


EAGER = (2.2, 2.0, 1.5, 1.1, 1.1, 1.1)
# At most so many times the other's time, problem by problem; None: no goal.
GOALS: dict[tuple[str, str], tuple[float | OfProducts | None, ...]] = {
    ("autograd_lite", "hand"): EAGER,
    ("replaced", "hand"): EAGER,
    ("column", "hand-column"): EAGER,
    ("column-replaced", "hand-column"): EAGER,
    ("compiled", "out="): (0.8, 0.85, 0.9, 1.05, 1.05, 0.75),
    ("constant-X", "out="): (0.7, 0.7, 0.7),
    ("two-workers", "compiled"): (None, None, None, None, 0.65, 0.6),
    ("compiled", "fastest framework"): (0.4, 0.3, 0.5, 1.0, OfProducts(1.0), 1.1),
    ("compiled-numba", "fastest framework"): (0.22, 0.16, 0.42, 0.95, OfProducts(1.03), 0.66),
    ("compiled-numba", "compiled"): (0.2, 0.4, 0.62, 1.03, 1.03, 0.6),
    ("numba-two-workers", "compiled-numba"): (None, None, None, None, 0.65, 0.55),
}


def measure(
    shape: Shape, peers: Sequence[str] = tuple(PEERS), dtype: str = "float64", **options: Any
) -> dict[str, list[float]]:
    """Seconds of a step of each peer, round by round; options as for `interleave`."""
    targets = {peer: (PEERS[peer], *shape, dtype) for peer in peers}
    return interleave(targets, dtype=dtype, essential=ESSENTIAL, **options)


def measure_products(
    shape: Shape, peers: Sequence[str] = tuple(PEERS), dtype: str = "float64", **options: Any
) -> dict[str, list[float]]:
    """Seconds of the four matrix products of a step by NumPy and by each library of the peers."""
    libraries = dict.fromkeys(
        ["numpy", *(FRAMEWORKS[peer] for peer in peers if peer in FRAMEWORKS)]
    )
    targets = {library: (PRODUCTS[library], *shape, dtype) for library in libraries}
    return interleave(targets, dtype=dtype, essential=("numpy",), **options)


def fastest(seconds: Mapping[str, Sequence[float]]) -> str:
    """The framework of the least median; "" where no framework was measured."""
    found = [peer for peer in FRAMEWORKS if peer in seconds]
    return min(found, key=lambda peer: median(seconds[peer]), default="")


def goals(
    shape: Shape,
    seconds: Mapping[str, Sequence[float]],
    products: Mapping[str, Sequence[float]],
) -> list[Goal]:
    """The goals for this problem, beside the measurements."""
    found, position = [], SHAPES.index(shape)
    for (peer, rival), limits in GOALS.items():
        other = fastest(seconds) if rival == "fastest framework" else rival
        if not {peer, other} <= seconds.keys() or position >= len(limits):
            continue
        limit = limits[position]
        if isinstance(limit, OfProducts):
            own = products.get(FRAMEWORKS[other])
            limit = limit.times * ratio(products["numpy"], own) if own else None
        if limit is not None:
            measured = ratio(seconds[peer], seconds[other])
            found.append(Goal(f"{peer} ÷ {other}", measured, limit))
    return found
