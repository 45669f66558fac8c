"""The cheap-gradient bound: a gradient takes at most 5 times the operations of its function.

Operations are counted in the traced graphs, each once, whatever it costs; the gradient's graph
holds those of the function that it needs. What a transform adds to keep derivatives apart
(identity) is no operation.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given

import autograd_lite as ag
from autograd_lite.testing import NAMES, STEPS, programs

DEARER = {"maximum({0}, {1})": "6.5: wins are told from ties, again for each operand"}
"""Steps that exceed the bound alone, and why; in programs they are mixed with cheaper ones."""


def operations(graph):
    return sum(node.op is not None and node.op.name != "identity" for node in graph.nodes)


def ratio(f, *args):
    both = ag.trace(ag.value_and_grad(f, tuple(range(len(args)))), *args)
    return operations(both) / max(1, operations(ag.trace(f, *args)))


RANDOM = np.random.default_rng(2)
DATA, TARGETS = RANDOM.normal(size=(8, 5)), RANDOM.integers(0, 2, 8).astype(float)


def logistic_regression(w, b):
    return ag.binary_cross_entropy(ag.sigmoid(DATA @ w + b), TARGETS)


def ridge(w, b):
    return np.mean((DATA @ w + b - TARGETS) ** 2) + 0.1 * np.sum(w * w)


def perceptron(w1, b1, w2, b2):
    hidden = ag.relu(DATA @ w1.T + b1)
    return ag.binary_cross_entropy_with_logits(hidden @ w2 + b2, TARGETS)


def deep(w, b):
    h = DATA
    for _ in range(10):
        h = np.tanh(h @ w + b)
    return np.mean(h * h)


def softmax_regression(w):
    z = DATA @ w
    return -np.mean((z - ag.logsumexp(z, axis=1, keepdims=True))[:, 0])


MODELS = {
    logistic_regression: [(5,), ()],
    ridge: [(5,), ()],
    perceptron: [(4, 5), (4,), (4,), ()],
    deep: [(5, 5), (5,)],
    softmax_regression: [(5, 3)],
}


@pytest.mark.parametrize("model", MODELS, ids=lambda f: f.__name__)
def test_models(model):
    assert ratio(model, *(RANDOM.normal(size=shape) for shape in MODELS[model])) <= 5


@pytest.mark.parametrize("step", [step for step in STEPS if step not in DEARER])
def test_steps_by_themselves(step):
    f = eval(f"lambda x, y: sum({step.format('x', 'y')})", dict(NAMES))
    assert ratio(f, RANDOM.normal(size=(3, 3)), RANDOM.normal(size=(3, 3))) <= 5


@given(programs([step for step in STEPS if step not in DEARER]))
def test_random_programs(program):
    assert ratio(program, *program.arrays) <= 5


@given(programs())
def test_random_programs_with_what_is_dearer(program):
    assert ratio(program, *program.arrays) <= 7


def test_the_ratio_does_not_grow_with_the_length():
    def chain(length):
        def f(x):
            for _ in range(length):
                x = np.tanh(x * 1.5) + x
            return np.sum(x)

        return f

    x = np.ones(3)
    assert ratio(chain(200), x) <= ratio(chain(20), x) + 0.1 <= 5


def test_a_hessian_vector_product_takes_about_two_gradients():
    w = RANDOM.normal(size=(5, 5))
    once = operations(ag.trace(ag.grad(lambda w: deep(w, 0.1)), w))
    twice = operations(ag.trace(ag.hvp(lambda w: deep(w, 0.1)), w, w))
    assert twice <= 3.5 * once
