"""The models train with compiled steps as they do with the eager engine."""

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.compiler import machine_code, program
from autograd_lite.compiler.executors import Threads
from autograd_lite.models import LogisticRegression, MLPClassifier

RANDOM = np.random.default_rng(5)
X = RANDOM.normal(size=(40, 3))
Y = (X[:, 0] * X[:, 1] > 0).astype(int)

MODELS = {
    "column": lambda: LogisticRegression(max_iter=40),
    "separate": lambda: LogisticRegression(
        max_iter=40, intercept="separate", reduction="sum", learning_rate_init=0.01
    ),
    "perceptron": lambda: MLPClassifier(5, random_state=0, max_iter=40),
    "deep": lambda: MLPClassifier(
        (4, 3), random_state=0, max_iter=40, reduction="sum", learning_rate_init=0.005
    ),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", MODELS)
def test_the_loss_curve_is_the_same_to_rounding(name, dtype, monkeypatch):
    compiled, eager = MODELS[name](), MODELS[name]()
    monkeypatch.setattr(eager, "compiled", False)
    compiled.fit(X.astype(dtype), Y)
    eager.fit(X.astype(dtype), Y)
    rtol = 1e-10 if dtype is np.float64 else 1e-4
    np.testing.assert_allclose(compiled.loss_curve_, eager.loss_curve_, rtol=rtol)
    for key, weights in eager.parameters_.items():
        assert compiled.parameters_[key].dtype == dtype
        np.testing.assert_allclose(compiled.parameters_[key], weights, rtol=100 * rtol, atol=rtol)


def test_the_code_of_the_perceptron_reads_like_a_textbook():
    model = MLPClassifier(5, random_state=0, max_iter=1).fit(X, Y)

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
    options = {"max_iter": 3, "random_state": 0}
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
    model = LogisticRegression(max_iter=6)
    for calls, backend in ((6, "numba"), (7, "numpy")):
        monkeypatch.setattr(program, "calls_to_pay", lambda _, calls=calls: calls)
        assert model.fit(X, Y).backend_ == backend
    monkeypatch.setattr(model, "compiled", False)
    assert model.fit(X, Y).backend_ == "numpy"


@pytest.mark.parametrize("model", [LogisticRegression, MLPClassifier])
def test_without_numba_training_is_by_numpy(model, monkeypatch):
    monkeypatch.setattr(machine_code, "installed", lambda: False)
    monkeypatch.setattr(program, "calls_to_pay", lambda _: 1)
    assert model(max_iter=2).fit(X, Y).backend_ == "numpy"
    with pytest.raises(ImportError, match="needs Numba and SciPy; pip install"):
        model(max_iter=2, backend="numba").fit(X, Y)
    with pytest.raises(ValueError, match="backend is"):
        model(max_iter=2, backend="torch").fit(X, Y)
