"""Gradient descent: where it goes, when it ends, and what it reports when the step is too long."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.models import (
    ConvergenceWarning,
    LogisticRegression,
    MLPClassifier,
    gradient_descent,
)

X = np.array([[3.0, 5.0], [1.0, 4.0], [4.0, 8.0], [0.5, 6.0], [2.0, 1.0]])
y = np.array([1, 0, 1, 0, 1])


def bowl(start=3.0):
    w = ag.Tensor(start, name="w")
    return w, lambda: w * w


def descend(w, loss, rate, steps, **options):
    return gradient_descent(loss, [w], learning_rate=rate, max_iter=steps, **options)


@given(st.floats(0.125, 5, width=32), st.floats(0.01, 0.45), st.integers(1, 20))
def test_the_path_on_a_parabola(start, rate, steps):
    w, loss = bowl(start)
    descent = descend(w, loss, rate, steps)
    path = start * (1 - 2 * rate) ** np.arange(steps + 1)
    np.testing.assert_allclose(descent.losses, path[:-1] ** 2, rtol=1e-9, atol=1e-300)
    np.testing.assert_allclose(w.item(), path[-1], rtol=1e-9, atol=1e-300)
    assert descent.kept == loss().item()


def test_it_ends_where_the_gradient_is_small():
    w, loss = bowl()
    descent = descend(w, loss, 0.25, 100, tol=0.1)
    assert len(descent.losses) < 10
    assert abs(2 * w.item()) <= 0.1


def test_parameters_end_without_gradients():
    w, loss = bowl()
    descend(w, loss, 0.1, 3)
    assert w.grad is None


def test_too_long_a_step_is_named_and_the_best_weights_kept():
    w, loss = bowl()
    with pytest.warns(ConvergenceWarning, match=r"learning rate 1.5 is too large.*try 0.15"):
        descent = descend(w, loss, 1.5, 10)
    assert w.item() == 3.0
    assert descent.kept == 9.0


def test_overflow_is_reported_once_and_without_other_warnings():
    w, loss = bowl()
    with pytest.warns(ConvergenceWarning, match="the loss became inf") as caught:
        descent = descend(w, loss, 1e200, 50)
    assert len(caught) == 1
    assert len(descent.losses) == 2
    assert w.item() == 3.0


def test_a_loss_that_ends_above_its_best_is_reported():
    # One step lands near the minimum, the next flies off: never above the start, but rising.
    w = ag.Tensor(1.0)

    def loss():
        return np.abs(w)

    with pytest.warns(ConvergenceWarning, match="was rising at the end"):
        descent = descend(w, loss, 0.9, 2)
    np.testing.assert_allclose([descent.kept, w.item()], 0.1)


@pytest.mark.parametrize("model", [LogisticRegression, MLPClassifier])
def test_a_model_with_too_large_a_rate(model):
    wild = model(solver="gd", learning_rate_init=1e4, random_state=0)
    rows, labels = np.vstack([X, X]), np.append(y, [0, 0, 1, 0, 1])  # row 0 is of both classes
    with pytest.warns(ConvergenceWarning, match="learning rate 10000 is too large") as caught:
        wild.fit(rows, labels)
    # The warning points at the line that called fit.
    assert caught[0].filename == __file__
    assert np.isfinite(wild.loss_)
    assert wild.loss_ == min(*wild.loss_curve_, wild.loss_)
    assert all(np.isfinite(array).all() for array in wild.parameters_.values())
    np.testing.assert_allclose(wild.loss_graph(rows, labels).item(), wild.loss_)


@pytest.mark.parametrize("model", [LogisticRegression, MLPClassifier])
def test_a_modest_rate_falls_at_every_step_and_does_not_warn(model):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        calm = model(solver="gd", learning_rate_init=0.01, max_iter=200, tol=0, random_state=0)
        calm.fit(X, y)
    assert calm.n_iter_ == len(calm.loss_curve_) == 200
    assert np.all(np.diff(calm.loss_curve_) < 0)
    assert calm.loss_ < calm.loss_curve_[-1]


def test_the_first_loss_of_zero_weights_is_log_2():
    model = LogisticRegression(max_iter=3, tol=0).fit(X, y)
    np.testing.assert_allclose(model.loss_curve_[0], np.log(2))


@pytest.mark.parametrize("rate", [0, -1, float("nan"), float("inf")])
def test_bad_rates(rate):
    with pytest.raises(ValueError, match="learning rate must be a positive number"):
        LogisticRegression(learning_rate_init=rate).fit(X, y)


def test_bad_number_of_steps():
    with pytest.raises(ValueError, match="max_iter must be at least 1"):
        LogisticRegression(max_iter=0).fit(X, y)
