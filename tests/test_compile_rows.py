"""Sums over rows: the analysis, and the loop over blocks that uses it."""

from __future__ import annotations

import threading
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.compiler import NotSeparableError
from autograd_lite.compiler.executors import in_turn
from autograd_lite.trees import flatten

RANDOM = np.random.default_rng(3)
X, Y = RANDOM.normal(size=(53, 4)), RANDOM.normal(size=53)
W1, B1, W2 = RANDOM.normal(size=(3, 4)), RANDOM.normal(size=3), RANDOM.normal(size=3)
PARAMS = {"W1": W1, "b1": B1, "w2": W2, "b2": np.float64(0.5)}


def perceptron(params, X, y):
    h = ag.relu(X @ params["W1"].T + params["b1"])
    return ag.binary_cross_entropy(ag.sigmoid(h @ params["w2"] + params["b2"]), y)


def step(params, X, y):
    loss, gradients = ag.value_and_grad(perceptron)(params, X, y)
    return loss, {name: params[name] - 0.1 * gradients[name] for name in params}


def watch(compiled, blocks):
    """Collect the blocks that a compiled function runs over."""

    def execute(partial, rows):
        return in_turn(lambda block: (blocks.append(block), partial(block))[1], rows)

    compiled._execute = execute


def assert_same(found, expected):
    for a, b in zip(flatten(found)[0], flatten(expected)[0], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-11, atol=1e-13)
        assert np.asarray(a).dtype == np.asarray(b).dtype


@settings(max_examples=15)
@given(st.integers(1, 60), st.sampled_from([np.float64, np.float32]))
def test_the_step_of_the_perceptron_in_blocks_of_any_size(rows, dtype):
    args = [X.astype(dtype), (Y > 0).astype(dtype)]
    params = {name: np.asarray(w, dtype)[()] for name, w in PARAMS.items()}
    compiled, blocks = ag.compile(step, rows=rows), []
    watch(compiled, blocks)
    expected = step(params, *args)
    if dtype is np.float64:
        assert_same(compiled(params, *args), expected)
    else:
        for a, b in zip(flatten(compiled(params, *args))[0], flatten(expected)[0], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
            assert np.asarray(a).dtype == np.float32
    assert bool(blocks) == (rows < 53)


SEPARABLE = {
    "least squares": lambda X, y, W: ag.grad(lambda W: np.mean((X @ W[0] - y) ** 2))(W),
    "columns": lambda X, y, W: np.sum(X.T * y, axis=1),
    "products": lambda X, y, W: (X.T @ X, y @ X, X.T @ y, y @ y),
    "per row": lambda X, y, W: (np.tanh(X @ W.T), np.exp(y)),
    "softmax": lambda X, y, W: np.sum(ag.softmax(X @ W.T), axis=0),
    "largest of each row": lambda X, y, W: np.sum(np.max(X, axis=1) + np.mean(X, axis=-1)),
    "lengths of each row": lambda X, y, W: np.sum(
        X / np.linalg.norm(X, axis=1, keepdims=True) + np.linalg.norm(X, 3, axis=1)[:, None], axis=0
    ),
    "deviations of each row": lambda X, y, W: ag.grad(
        lambda W: np.sum(np.sin(X @ W.T / np.std(X @ W.T, axis=1, ddof=1, keepdims=True)))
    )(W),
    "views": lambda X, y, W: np.sum(np.expand_dims(y, 1) * X[:, 1:3], axis=0),
    "reshaped": lambda X, y, W: np.sum(np.reshape(X, (53, 2, 2)) ** 3, axis=0),
    "after the sum": lambda X, y, W: np.exp(np.sum(X, axis=0)) / np.sum(y**2) + W.sum(),
    "where": lambda X, y, W: np.sum(np.where(y > 0, y, 0.5 * y)),
    "nothing": lambda X, y, W: np.tanh(W),
}


@pytest.mark.parametrize("name", SEPARABLE)
def test_sums_over_rows(name):
    function = SEPARABLE[name]
    expected = [x.numpy() for x in flatten(function(*map(ag.constant, (X, Y, W1))))[0]]
    assert_same(flatten(ag.compile(function, rows=10)(X, Y, W1))[0], expected)


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("kind", ["numbers", "bytes", "probabilities"])
def test_the_loss_of_a_classifier_is_a_sum_over_rows(reduction, kind):
    labels = np.arange(53) % 3
    y = {"numbers": labels, "bytes": labels.astype(np.uint8), "probabilities": np.eye(3)[labels]}

    def function(W, X, y):
        def loss(W):
            losses = ag.cross_entropy(X @ W.T, y, reduction=reduction)
            return np.sum(losses) if reduction == "none" else losses

        value, gradient = ag.value_and_grad(loss)(W)
        return value, W - 0.1 * gradient

    compiled = ag.compile(function, rows=10)
    assert_same(compiled(W1, X, y[kind]), function(W1, X, y[kind]))
    assert "def partial(" in compiled.source
    if kind == "numbers":
        with pytest.raises(ValueError, match="the label 3 is not a class index"):
            compiled(W1, X, labels + 1)


def test_what_is_computed_before_the_rows_is_not_overwritten():
    def function(W, X):
        a = np.tanh(W)
        b = a * 2 + 1
        return np.sum(X @ b.T), a, W * np.sum(X), np.exp(W) + a

    expected = function(W1, X)
    assert_same(ag.compile(function, rows=10)(W1, X), expected)
    given = W1.copy()
    assert_same(ag.compile(function, rows=10, donate="W")(given, X), expected)
    assert (given != W1).any()


def test_the_classes_of_one_example_are_not_rows():
    with pytest.raises(NotSeparableError, match=r"cross_entropy.*along the rows"):
        ag.compile(lambda z, y: ag.cross_entropy(z, y), rows=10)(X[:, 0], np.eye(53)[3])


def test_closed_over_arrays_are_split_into_blocks():
    function = lambda w: ag.value_and_grad(lambda w: np.sum(np.tanh(X @ w) * Y))(w)  # noqa: E731
    w = np.ones(4)
    closed = ag.compile(function, rows=10)
    assert_same(closed(w), function(w))
    # The data are stored once, and a block is a view of them.
    assert "return (), (c, " in closed.source or "), (c, " in closed.source
    both = ag.compile(
        lambda w, X: ag.value_and_grad(lambda w: np.sum(np.tanh(X @ w) * Y))(w), rows=10
    )
    assert_same(both(w, X), function(w))


MIXING = {
    "centred": (lambda X, y: X - np.mean(X, axis=0), "subtract.*with a result of all"),
    "every pair": (lambda X, y: np.sum(X @ X.T), "matmul.*every row with every other"),
    "outer": (lambda X, y: np.sum(y[:, None] * y[None, :]), "multiply.*every row with every other"),
    "sorted": (lambda X, y: np.sort(y), "mixes rows|picks rows"),
    "running": (lambda X, y: np.cumsum(y), "cumsum.*along the rows"),
    "largest": (lambda X, y: np.max(X, axis=0), "max.*along the rows"),
    "part": (lambda X, y: np.sum(X[:10]), "picks some of the rows"),
    "other axis": (lambda X, y: np.tanh(X).T, "another axis than the first"),
    "named": (lambda X, y: (y - np.sum(y)).named("δ"), "δ = .*subtract"),
}


@pytest.mark.parametrize("name", MIXING)
def test_errors_name_the_call_that_mixes_rows(name):
    function, message = MIXING[name]
    with pytest.raises(ValueError, match=message):
        ag.compile(function, rows=10)(X, Y)


def test_auto_decides_by_size():
    compiled, blocks = ag.compile(step, rows="auto"), []
    watch(compiled, blocks)
    y = (Y > 0).astype(float)
    compiled(PARAMS, X, y)
    assert not blocks
    many = np.tile(X, (800, 1)), np.tile(y, 800)
    assert_same(compiled(PARAMS, *many), step(PARAMS, *many))
    assert len(blocks) > 4


def test_the_memory_of_blocks_is_bounded():
    import tracemalloc

    many = np.tile(X, (800, 1)), np.tile((Y > 0).astype(float), 800)
    compiled = ag.compile(step, rows="auto")
    compiled(PARAMS, *many)
    tracemalloc.start()
    compiled(PARAMS, *many)
    blocks = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert blocks < 42400 * 3 * 8 * 5 / 10


def test_a_program_keeps_neither_the_record_nor_the_arguments():
    import gc
    import weakref

    class Pair(NamedTuple):
        first: object
        second: object

    held = np.ones((50, 4))
    compiled = ag.compile(lambda pair, x: Pair(np.tanh(x @ x.T), pair.first * 2), rows=None)
    compiled(Pair(held, 1), held)
    gone = weakref.ref(held)
    del held
    gc.collect()
    assert gone() is None


def test_calls_from_several_threads_are_right():
    compiled = ag.compile(step, rows=10)
    y = (Y > 0).astype(float)
    inputs = [{**PARAMS, "w2": W2 * k} for k in range(8)]
    expected = [step(params, X, y) for params in inputs]
    found = [[None] * 8 for _ in range(20)]

    def work(k):
        for results in found:
            results[k] = compiled(inputs[k], X, y)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for results in found:
        for a, b in zip(results, expected, strict=True):
            assert_same(a, b)
