"""The models train with compiled steps as they do with the eager engine."""

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.compiler import machine_code, program
from autograd_lite.compiler.executors import Threads
from autograd_lite.models import (
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
    objective,
)
from autograd_lite.models.estimator import symbol

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(40, 3))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)

GD = {"solver": "gd", "max_iter": 40, "tol": 0, "random_state": 0}
MODELS = {
    "column": lambda: LogisticRegression(**GD, alpha=0.01),
    "separate": lambda: LogisticRegression(
        **GD, intercept="separate", reduction="sum", learning_rate_init=0.01
    ),
    "perceptron": lambda: MLPClassifier(5, **GD),
    "deep": lambda: MLPClassifier((4, 3), **GD, reduction="sum", learning_rate_init=0.005),
    "line": lambda: LinearRegression(**GD),
    "curve": lambda: MLPRegressor(5, **GD, activation="tanh", alpha=0.1),
}
THREE = np.digitize(X[:, 0], [-0.5, 0.5])


def by_eager_steps(model, X, y):
    """The losses before each step of gd, and the last weights, by `backward` on the graph."""
    outputs = 3 if model.kind == "classifier" and len(set(y)) > 2 else 1
    θ, losses = model.start(X.shape[1], outputs), []
    for _ in range(model.max_iter):
        L = model.set_params(init=θ).loss_graph(X, y)
        L.backward()
        losses.append(L.item())
        gradient = {node.name: node.grad for node in ag.Graph.of(L).nodes}
        rate = model.learning_rate_init or 0.1
        θ = {name: array - rate * gradient[symbol(name)] for name, array in θ.items()}
    return losses, θ


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("targets", [Y, THREE], ids=["two classes", "three classes"])
@pytest.mark.parametrize("name", MODELS)
def test_the_loss_curve_is_that_of_the_eager_engine(name, targets, dtype):
    model = MODELS[name]().fit(X.astype(dtype), targets)
    losses, θ = by_eager_steps(MODELS[name](), X.astype(dtype), targets)
    rtol = 1e-10 if dtype is np.float64 else 1e-4
    np.testing.assert_allclose(model.loss_curve_, losses, rtol=rtol)
    for key, weights in model.parameters_.items():
        assert weights.dtype == dtype
        np.testing.assert_allclose(weights, θ[key], rtol=100 * rtol, atol=rtol)


def test_the_code_of_the_perceptron_reads_like_a_textbook():
    model = MLPClassifier(5, random_state=0, max_iter=1, tol=0).fit(X, Y)

    @ag.compile
    def gradients(θ, X, y):
        return ag.value_and_grad(lambda θ: model.loss(X, y, θ))(θ)

    text = gradients.readable(model.parameters_, X, Y.astype(float))
    for line in (
        "h1 = np.maximum(",
        "h1_w = h1 @ w",
        "z = h1_w + b",
        "y_hat = ",
        "(y_hat - y) / 40",
    ):
        assert line in text
    assert ".T @ X" in text
    assert "h1.T @ " in text
    assert text.rstrip().endswith("}")
    assert "return L, {" in text


@pytest.mark.parametrize("model", [LogisticRegression, MLPClassifier])
def test_any_number_of_workers_gives_the_same_weights(model, monkeypatch):
    blocks, call = [], Threads.__call__

    def counted(self, partial, rows):
        blocks.append(len(rows))
        return call(self, partial, rows)

    monkeypatch.setattr(Threads, "__call__", counted)
    random = np.random.default_rng(4)
    X = random.normal(size=(20_000, 6))
    y = X[:, 0] + random.normal(size=len(X)) > 0
    options = {"solver": "gd", "max_iter": 3, "tol": 0, "random_state": 0}
    alone = model(workers=1, **options).fit(X, y)
    assert not blocks
    for workers in (3, None):
        together = model(workers=workers, **options).fit(X, y)
        assert together.loss_curve_ == alone.loss_curve_
        for name, weights in together.parameters_.items():
            np.testing.assert_array_equal(weights, alone.parameters_[name])
    assert min(blocks) > 2


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ["column", "perceptron"])
def test_native_steps_give_the_same_loss_curve_to_rounding(name, dtype):
    pytest.importorskip("numba")
    pytest.importorskip("scipy")
    numpy, numba = MODELS[name](), MODELS[name]()
    numpy.backend, numba.backend = "numpy", "numba"
    numpy.fit(X.astype(dtype), Y)
    numba.fit(X.astype(dtype), Y)
    assert (numpy.backend_, numba.backend_) == ("numpy", "numba")
    rtol = 1e-10 if dtype is np.float64 else 1e-4
    np.testing.assert_allclose(numba.loss_curve_, numpy.loss_curve_, rtol=rtol)
    for key, weights in numpy.parameters_.items():
        assert numba.parameters_[key].dtype == dtype
        np.testing.assert_allclose(numba.parameters_[key], weights, rtol=100 * rtol, atol=rtol)


def test_the_backend_of_the_last_step_is_recorded(monkeypatch):
    pytest.importorskip("numba")
    pytest.importorskip("scipy")
    for calls, backend in ((7, "numba"), (9, "numpy")):
        objective._program.cache_clear()  # else the steps of other fits count
        monkeypatch.setattr(program, "calls_to_pay", lambda _, calls=calls: calls)
        # Six steps, the loss after them, and the one that is reported.
        model = LogisticRegression(solver="gd", max_iter=6, tol=0).fit(X, Y)
        assert model.backend_ == backend


@pytest.mark.parametrize("model", [LogisticRegression, MLPClassifier])
def test_without_numba_training_is_by_numpy(model, monkeypatch):
    monkeypatch.setattr(machine_code, "installed", lambda: False)
    monkeypatch.setattr(program, "calls_to_pay", lambda _: 1)
    objective._program.cache_clear()
    assert model(max_iter=2, tol=0).fit(X, Y).backend_ == "numpy"
    with pytest.raises(ImportError, match="needs Numba and SciPy; pip install"):
        model(backend="numba").fit(X, Y)
    with pytest.raises(ValueError, match="backend"):
        model(backend="torch").fit(X, Y)


@pytest.mark.parametrize("solver", ["gd", "sgd", "adam", "lbfgs", "newton-cg"])
def test_fits_of_the_same_shapes_share_one_program(solver, monkeypatch):
    traced, named = [], ag.Tensor.named

    def counted(self, name):
        traced.append(name)
        return named(self, name)

    monkeypatch.setattr(ag.Tensor, "named", counted)
    objective._program.cache_clear()
    options = {"solver": solver, "max_iter": 3, "tol": 0, "batch_size": 20}
    LogisticRegression(alpha=0.1, **options).fit(X, Y)
    count = len(traced)
    LogisticRegression(alpha=0.2, learning_rate_init=0.01, **options).fit(X + 1, 1 - Y)
    assert len(traced) == count > 0
