"""Formulas say along which axis, in which order of axes, and of which function."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from derived_forms import agree
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag

pytest.importorskip("sympy")

CONSUMERS = {
    "index": lambda x: x[1],
    "cumsum": lambda x: np.cumsum(x, axis=0),
    "reshape": lambda x: np.reshape(x, (-1,)),
    "max": lambda x: np.max(x, axis=1),
    "product": lambda x: x * np.cos(np.arange(float(x.size))).reshape(x.shape),
}
"""What is done with an array whose axes have another order."""


@settings(max_examples=60)
@given(
    st.sampled_from(sorted(CONSUMERS)),
    st.permutations([2, 3, 4]),
    st.permutations(range(3)),
    st.tuples(st.integers(-3, 2), st.integers(-3, 2)),
)
def test_any_order_of_axes_is_derived(consumer, shape, order, pair):
    values = np.sin(np.arange(24.0)).reshape(shape)
    for moved in (lambda x: np.transpose(x, order), lambda x: np.swapaxes(x, *pair)):
        x = ag.Tensor(values, name="x")
        agree(np.sum(CONSUMERS[consumer](moved(x)) ** 2).named("L"))


X = np.array([[0.3, -1.2, 2.6], [1.7, 0.9, -0.4]])
CUBE = np.sin(np.arange(27.0)).reshape(3, 3, 3)
WEIGHTS = np.cos(np.arange(9.0)).reshape(3, 3)

DIFFERENT = {
    "softmax": (X, [lambda x: ag.softmax(x, axis=0) ** 2, lambda x: ag.softmax(x, axis=1) ** 2]),
    "largest": (X, [np.max, lambda x: np.max(x, axis=0), lambda x: np.max(x, axis=1)]),
    "variance": (X, [lambda x: np.var(x, axis=0), lambda x: np.var(x, axis=1)]),
    "flip": (X, [lambda x, k=k: np.flip(x, axis=k) * X for k in (0, 1)]),
    "cumulative sum": (X, [lambda x: np.cumsum(x, axis=0), lambda x: np.cumsum(x, axis=1)]),
    "stack": (X, [lambda x, k=k: np.stack([x, np.cos(X)], axis=k)[0] ** 2 for k in (0, 1)]),
    "joined": (X[:, :2], [lambda x, k=k: np.concatenate([x, x], axis=k)[0] for k in (0, 1)]),
    "shape": (X, [lambda x: x.reshape(3, 2)[0], lambda x: x.reshape(6, 1)[0]]),
    "an element of another axis": (
        CUBE,
        [
            lambda x, axes=axes: np.transpose(x, axes)[1] * WEIGHTS
            for axes in itertools.permutations(range(3))
        ],
    ),
    "functions of one number": (
        X,
        [np.floor, np.ceil, np.trunc, np.rint, np.cbrt, lambda x: np.sqrt(x * x), np.tan],
    ),
    "functions of two numbers": (
        X,
        [lambda x: x // 0.7, lambda x: x % 0.7, lambda x: np.logical_and(x, x - 0.3) * X],
    ),
}
"""Functions with different values, which must have different formulas."""


@pytest.mark.parametrize("name", DIFFERENT)
def test_different_functions_have_different_formulas(name):
    values, functions = DIFFERENT[name]
    losses = []
    for function in functions:
        x = ag.Tensor(values, name="x")
        # The loss of a constant function would not have a gradient.
        losses.append((np.sum(function(x)) + np.sum(x * 0.1)).named("L"))
    numbers = [loss.item() for loss in losses]
    assert len(set(np.round(numbers, 9))) == len(numbers), "they have one value"
    derivations = [ag.derive(loss) for loss in losses]
    for write in (str, lambda d: d.latex(), lambda d: d.mathml()):
        formulas = {re.split(r"∂|\\partial", write(d))[0] for d in derivations}
        assert len(formulas) == len(losses)


def test_every_function_of_latex_is_ascii():
    x = ag.Tensor(np.array([[2.0, 0.5], [0.5, 1.0]]), name="x")
    for function in (np.log2, np.log10, np.prod, np.linalg.eigvalsh, np.cbrt, np.ceil):
        latex = ag.derive((np.sum(function(x)) + np.sum(x)).named("L")).latex()
        assert latex.isascii(), latex


@pytest.mark.parametrize("ndim", [1, 2, 3])
@pytest.mark.parametrize("product", [np.inner, np.kron, np.outer])
def test_operands_of_more_axes_than_the_gradient_are_marked(ndim, product):
    k = ag.Tensor(np.sin(np.arange(2.0**ndim)).reshape((2,) * ndim), name="k")
    doubled = k + k
    t = product(doubled, doubled)
    loss = np.sum(np.where(t > 0, t, 2 * t) * 1.5).named("L")
    assert "<math" in ag.derive(loss).mathml()
