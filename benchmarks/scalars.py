"""Graphs of scalars: micrograd's two examples, by micrograd and by this engine.

The code of an example is the same for both; a `Library` holds what they write differently.
"""

from __future__ import annotations

import gc
import random
from collections.abc import Callable, Mapping, Sequence
from math import cos, pi, sin
from typing import Any, NamedTuple

from benchmarks.rounds import Goal, interleave, median
from benchmarks.worker import NotInstalledError, Subject, Worker

LEARNING_RATE = 0.05
PENALTY = 1e-4
LIBRARIES = ("micrograd", "autograd_lite")
GOALS = {"readme": 2.0, "demo": 1.5}  # times micrograd's time a node, the collector off


class Library(NamedTuple):
    leaf: Callable[[float], Any]
    number: Callable[[float], Any]
    relu: Callable[[Any], Any]
    zero: Callable[[Any], None]
    count: Callable[[Any], int]


def micrograd() -> Library:
    from micrograd.engine import Value

    def zero(parameter: Any) -> None:
        parameter.grad = 0

    def count(result: Any) -> int:
        seen, todo = {result}, [result]
        while todo:
            new = todo.pop()._prev - seen
            seen |= new
            todo.extend(new)
        return len(seen)

    return Library(Value, Value, Value.relu, zero, count)


def autograd_lite() -> Library:
    import autograd_lite as ag
    from autograd_lite.graph import Graph

    def count(result: Any) -> int:
        return len(Graph.of(result).nodes)

    return Library(ag.Tensor, ag.constant, ag.relu, ag.Tensor.zero_grad, count)


def readme(library: Library) -> Subject:
    """The expression in micrograd's README, and its gradients."""
    leaf, relu, count = library.leaf, library.relu, library.count

    def expression() -> Any:
        a = leaf(-4.0)
        b = leaf(2.0)
        c = a + b
        d = a * b + b**3
        c += c + 1
        c += 1 + c + (-a)
        d += d * 2 + relu(b + a)
        d += 3 * d + relu(b - a)
        e = c - d
        f = e**2
        g = f / 2.0
        g += 10.0 / f
        g.backward()
        return g

    return Subject(lambda: value(expression()), lambda: count(expression()))


def demo(library: Library) -> Subject:
    """A step of micrograd's demo: 100 moons, MLP 2-16-16-1 of scalar nodes, hinge loss with L2."""
    leaf, number, relu, zero, count = library
    X, y = moons(100)
    layers = [
        [([leaf(weight) for weight in weights], leaf(0.0)) for weights in layer]
        for layer in demo_weights()
    ]
    parameters = [p for layer in layers for weights, bias in layer for p in (*weights, bias)]

    def score(x: list[Any]) -> Any:
        *hidden, last = layers
        for layer in hidden:
            x = [relu(affine(weights, x, bias)) for weights, bias in layer]
        ((weights, bias),) = last
        return affine(weights, x, bias)

    def loss() -> Any:
        scores = [score([number(feature) for feature in row]) for row in X]
        losses = [relu(1 + -label * score) for label, score in zip(y, scores, strict=True)]
        return sum(losses) * (1.0 / len(losses)) + PENALTY * sum(p * p for p in parameters)

    def step() -> float:
        total = loss()
        for p in parameters:
            zero(p)
        total.backward()
        for p in parameters:
            p.data = p.data - LEARNING_RATE * p.grad
        return value(total)

    return Subject(step, lambda: count(loss()))


def affine(weights: Sequence[Any], x: Sequence[Any], bias: Any) -> Any:
    return sum((w * feature for w, feature in zip(weights, x, strict=True)), bias)


def value(node: Any) -> float:
    return float(node.data)


def demo_weights() -> list[list[list[float]]]:
    """The weights that the demo starts from, layer by layer and unit by unit; biases are 0."""
    draw = random.Random(1)
    return [
        [[draw.uniform(-1, 1) for _ in range(width)] for _ in range(units)]
        for width, units in ((2, 16), (16, 16), (16, 1))
    ]


def moons(count: int) -> tuple[list[list[float]], list[float]]:
    """Two interleaving half circles with noise, labelled −1 and 1."""
    draw = random.Random(0)
    X, y = [], []
    for i in range(count // 2):
        turn = pi * i / (count // 2 - 1)
        for label, x0, x1 in (
            (-1.0, cos(turn), sin(turn)),
            (1.0, 1 - cos(turn), 0.5 - sin(turn)),
        ):
            X.append([x0 + draw.gauss(0, 0.1), x1 + draw.gauss(0, 0.1)])
            y.append(label)
    return X, y


def build(library: str, example: str, collect: bool = True) -> Subject:
    """The example in the library, both by the names of the functions above."""
    (gc.enable if collect else gc.disable)()
    subject: Subject = globals()[example](globals()[library]())
    return subject


class Cost(NamedTuple):
    seconds: float
    nodes: int

    @property
    def per_node(self) -> float:
        return self.seconds / self.nodes


def measure(
    example: str, *, skip: Callable[[str], None] = print, **options: Any
) -> dict[tuple[str, bool], Cost]:
    """The cost of an example of GOALS for each (library, with the garbage collector).

    Options are those of `interleave`, whose errors it raises.
    """
    nodes = {}
    for library in LIBRARIES:
        try:
            with Worker(library, "benchmarks.scalars:build", library, example) as worker:
                nodes[library] = worker.ask("size")
        except NotInstalledError as error:
            if library == "autograd_lite":
                raise
            skip(str(error))
    keys = [(library, collect) for collect in (True, False) for library in nodes]
    names = {(library, on): f"{library}, collector {'on' if on else 'off'}" for library, on in keys}
    targets = {names[key]: ("benchmarks.scalars:build", key[0], example, key[1]) for key in keys}
    seconds = interleave(targets, essential=list(targets), **options)
    return {key: Cost(median(seconds[names[key]]), nodes[key[0]]) for key in keys}


def goals(example: str, costs: Mapping[tuple[str, bool], Cost]) -> list[Goal]:
    """The goals for a node without the collector, beside the measurements."""
    peer, own = costs.get(("micrograd", False)), costs.get(("autograd_lite", False))
    if peer is None or own is None:
        return []
    ratio = own.per_node / peer.per_node
    return [Goal("autograd_lite ÷ micrograd, a node", ratio, GOALS[example])]
