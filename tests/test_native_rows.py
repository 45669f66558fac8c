"""Native code over blocks of rows: any number of rows, and the same bits from any workers."""

from __future__ import annotations

import threading

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.compiler.executors import BLAS
from autograd_lite.trees import flatten

pytest.importorskip("numba")
pytest.importorskip("scipy")

LENGTHS = (2, 3, 63, 1000, 1001, 1009, 5000)
WORKERS = (1, 2, 4)


def perceptron(params, X, y):
    h = np.tanh(X @ params["W1"].T + params["b1"])
    return ag.binary_cross_entropy(ag.sigmoid(h @ params["w2"] + params["b2"]), y)


def step(params, X, y):
    loss, gradients = ag.value_and_grad(perceptron)(params, X, y)
    return loss, {name: params[name] - 0.1 * gradients[name] for name in params}


def per_row(params, X, y):
    h = np.tanh(X @ params["W1"].T)
    largest = np.max(X, axis=1)
    return {"h": h, "scores": h @ params["w2"] * y, "sum": np.sum(h, axis=0), "largest": largest}


def classes(params, X, y):
    targets = np.where(y[:, None] > 0, [[0.25, 0.25, 0.5]], [[0.0, 1.0, 0.0]])

    def loss(W):
        return ag.cross_entropy(X @ W.T + params["b1"], targets)

    value, gradient = ag.value_and_grad(loss)(params["W1"])
    return value, params["W1"] - 0.1 * gradient


def reshaped(params, X, y):
    pairs = np.reshape(X, (X.shape[0], 2, 2)) * y[:, None, None]
    return np.sum(pairs**3, axis=0), np.mean(np.swapaxes(pairs, 1, 2) * params["w2"][:2], axis=0)


FUNCTIONS = {f.__name__: f for f in (step, per_row, classes, reshaped)}


def arguments(rows, dtype, seed=4):
    random = np.random.default_rng(seed)
    params = {"W1": (3, 4), "b1": (3,), "w2": (3,), "b2": ()}
    params = {k: np.asarray(random.normal(size=s), dtype)[()] for k, s in params.items()}
    x, y = random.normal(size=(rows, 4)), random.integers(0, 2, rows)
    return params, x.astype(dtype), y.astype(dtype)


def leaves(tree):
    return flatten(tree)[0]


def bits(tree):
    return [(x.shape, x.dtype, np.asarray(x).tobytes()) for x in leaves(tree)]


def assert_close(found, expected, dtype):
    most = 64 * np.finfo(dtype).eps
    for x, y in zip(leaves(found), leaves(expected), strict=True):
        assert (x.shape, x.dtype) == (np.shape(y), np.asarray(y).dtype)
        np.testing.assert_allclose(x, y, rtol=most, atol=most)


@pytest.mark.parametrize("rows", ["auto", 1000])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_any_number_of_rows_and_of_workers(name, rows):
    function = FUNCTIONS[name]
    programs = [ag.compile(function, rows=rows, backend="numba", workers=k) for k in WORKERS]
    plain = ag.compile(function, rows=rows)
    for length in LENGTHS:
        args = arguments(length, np.float64)
        found = [program(*args) for program in programs]
        assert_close(found[0], plain(*args), np.float64)
        assert bits(found[1]) == bits(found[2]) == bits(found[0])
        assert programs[0].backend == "numba"
    assert len(programs[0]._programs) == len(plain._programs)


def test_float32_and_other_layouts():
    native, plain = (ag.compile(step, rows=100, backend=x) for x in ("numba", "numpy"))
    for length in (2, 350):
        params, X, y = arguments(length, np.float32)
        expected = native(params, X, y)
        assert_close(expected, plain(params, X, y), np.float32)
        wide = np.zeros((2 * length, 5), np.float32)
        wide[::2, 1:] = X
        frozen = y.copy()
        frozen.flags.writeable = False
        for x in (np.asfortranarray(X), wide[::2, 1:], X[::-1].copy()[::-1]):
            assert bits(native(params, x, frozen)) == bits(expected)


def test_many_rows_are_run_in_blocks():
    native = ag.compile(step, rows="auto", backend="numba", workers=2)
    args = arguments(60_000, np.float64)
    assert_close(native(*args), step(*args), np.float64)
    single = ag.compile(step, rows="auto", backend="numba")
    assert bits(native(*args)) == bits(single(*args))
    assert "def partial(" in native.source


def test_bad_numbers_in_one_block():
    native = ag.compile(step, rows=50, backend="numba", workers=2)
    params, X, y = arguments(500, np.float64)
    for value in (np.nan, np.inf):
        X[321, 2] = value
        found, expected = native(params, X, y), step(params, X, y)
        for a, b in zip(leaves(found), leaves(expected), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-12, atol=1e-13)


def test_donated_parameters():
    native = ag.compile(step, rows=50, donate="params", backend="numba", workers=2)
    for length in (2, 500, 999):
        params, X, y = arguments(length, np.float64)
        expected = step({k: np.copy(v)[()] for k, v in params.items()}, X, y)
        assert_close(native(params, X, y), expected, np.float64)


def test_calls_from_several_threads():
    native = ag.compile(step, rows=64, backend="numba", workers=2)
    inputs = [arguments(length, np.float64, seed) for seed, length in enumerate((2, 500, 777, 64))]
    expected = [bits(native(*args)) for args in inputs]
    found = [[None] * 30 for _ in inputs]

    def work(k):
        for j in range(30):
            found[k][j] = bits(native(*inputs[k]))

    threads = [threading.Thread(target=work, args=(k,)) for k in range(len(inputs))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for results, right in zip(found, expected, strict=True):
        assert results == [right] * 30


def test_first_calls_from_several_threads():
    """Each program is compiled once, and every thread gets its results."""
    native, args = ag.compile(step, rows=32, backend="numba"), arguments(100, np.float64)
    found = []
    threads = [threading.Thread(target=lambda: found.append(bits(native(*args)))) for _ in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [bits(native(*args))] * 4
    assert len(native._programs) == 1


def test_the_blas_of_native_code_has_one_thread_while_workers_run():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    compiled = ag.compile(lambda X, w: np.sum(np.tanh(X @ w)), rows=64, workers=2, backend="numba")
    compiled(np.ones((300, 40)), np.ones((40, 30)))
    with threadpoolctl.threadpool_limits(3, user_api="blas"), BLAS.limited():
        found = threadpoolctl.threadpool_info()
    assert {x["num_threads"] for x in found if x["user_api"] == "blas"} == {1}
    assert len([x for x in found if x["user_api"] == "blas"]) > 1


def test_a_native_part_without_rows():
    """SciPy's logit divides the program; the part before it has parameters alone."""
    special = pytest.importorskip("scipy.special")

    def loss(w, X):
        return np.sum(special.logit(ag.sigmoid(w)) ** 2) + np.sum(np.tanh(X @ w))

    w, X = np.array([0.5, -1.0]), np.linspace(-1, 1, 14).reshape(7, 2)
    compiled = ag.compile(ag.value_and_grad(loss), backend="numba", rows="auto")
    for rows in (X, X[:3]):
        expected = ag.value_and_grad(loss)(w, rows)
        for found, right in zip(compiled(w, rows), expected, strict=True):
            np.testing.assert_allclose(found, right, rtol=1e-12)
