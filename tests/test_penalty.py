"""The penalty alpha: its optimum, what it spares, and how it is written."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.models import (
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
)

ALL = [LogisticRegression, LinearRegression, MLPClassifier, MLPRegressor]
SEEDS = st.integers(0, 2**32 - 1)
INTERCEPTS = st.sampled_from(["column", "separate"])
ALPHAS = st.sampled_from([0.01, 0.3, 10.0])


def rows_of(seed, rows=40, columns=3):
    random = np.random.default_rng(seed)
    X = random.normal(size=(rows, columns)) * [0.5, 1, 2] + [1, 0, -1]
    return X, random


def labels(random, rows=40):
    return np.append([0, 1], random.integers(2, size=rows - 2))


@settings(max_examples=20)
@given(SEEDS, INTERCEPTS, ALPHAS)
def test_the_optimum_of_classes_is_that_of_scikit_learn(seed, intercept, alpha):
    linear_model = pytest.importorskip("sklearn.linear_model", reason="no scikit-learn")
    X, random = rows_of(seed)
    y, weights = labels(random), random.uniform(0.5, 2, 40)
    options = {"intercept": intercept, "solver": "lbfgs", "tol": 1e-8}
    own = LogisticRegression(alpha=alpha, reduction="sum", **options).fit(X, y, weights)
    theirs = linear_model.LogisticRegression(C=1 / alpha, tol=1e-10, max_iter=10_000)
    theirs.fit(X, y, weights)
    np.testing.assert_allclose(own.coef_, theirs.coef_, atol=1e-6)
    np.testing.assert_allclose(own.intercept_, theirs.intercept_, atol=1e-6)


@settings(max_examples=20)
@given(SEEDS, INTERCEPTS, ALPHAS)
def test_the_optimum_of_numbers_is_that_of_ridge_regression(seed, intercept, alpha):
    X, random = rows_of(seed)
    y = X @ [1.0, -2.0, 3.0] + 5 + random.normal(size=40)
    own = LinearRegression(alpha=alpha, reduction="sum", intercept=intercept, tol=1e-9).fit(X, y)
    # The normal equations of ½ ‖A w − y‖² + α/2 ‖w[1:]‖².
    A, penalty = np.column_stack([np.ones(40), X]), alpha * np.diag([0, 1, 1, 1])
    w = np.linalg.solve(A.T @ A + penalty, A.T @ y)
    np.testing.assert_allclose(np.append(own.intercept_, own.coef_), w, atol=1e-6)


def test_ridge_of_scikit_learn():
    linear_model = pytest.importorskip("sklearn.linear_model", reason="no scikit-learn")
    X, random = rows_of(5)
    y = X @ [1.0, -2.0, 3.0] + 5 + random.normal(size=40)
    own = LinearRegression(alpha=2.5, reduction="sum", tol=1e-9).fit(X, y)
    theirs = linear_model.Ridge(alpha=2.5).fit(X, y)
    np.testing.assert_allclose(own.coef_, theirs.coef_, atol=1e-6)
    np.testing.assert_allclose(own.intercept_, theirs.intercept_, atol=1e-6)


@settings(max_examples=20)
@given(SEEDS, INTERCEPTS, ALPHAS)
def test_the_mean_has_the_optimum_of_the_sum_for_alpha_by_row(seed, intercept, alpha):
    X, random = rows_of(seed)
    y = labels(random)
    options = {"intercept": intercept, "solver": "lbfgs"}
    one = LogisticRegression(alpha=alpha / 40, tol=1e-8, **options).fit(X, y)
    other = LogisticRegression(alpha=alpha, reduction="sum", tol=1e-8, **options).fit(X, y)
    np.testing.assert_allclose(one.coef_, other.coef_, atol=1e-6)
    np.testing.assert_allclose(40 * one.loss_, other.loss_)


@pytest.mark.parametrize("model", ALL)
@pytest.mark.parametrize("classes", [2, 3])
@given(SEEDS)
@settings(max_examples=5)
def test_the_loss_has_half_the_squares_of_the_weights_without_the_biases(model, classes, seed):
    X, random = rows_of(seed)
    y = np.append(range(classes), random.integers(classes, size=40 - classes))
    more = {"intercept": "separate"} if model in ALL[:2] else {"hidden_layer_sizes": (4, 3)}
    options = {"max_iter": 3, "tol": 0, "random_state": 0, "learning_rate_init": 1e-3} | more
    trained = model(**options).fit(X, y)
    plain = trained.loss_graph(X, y).item()
    squares = sum(np.sum(a**2) for n, a in trained.parameters_.items() if not n.startswith("b"))
    penalised = trained.set_params(alpha=0.5).loss_graph(X, y).item()
    np.testing.assert_allclose(penalised, plain + 0.5 / 2 * squares)


@pytest.mark.parametrize("model", ALL[:2])
def test_a_large_alpha_leaves_the_bias_alone(model):
    X, random = rows_of(1)
    y = (random.uniform(size=40) < 0.8).astype(int)
    expected = np.log(y.mean() / (1 - y.mean())) if model is LogisticRegression else y.mean()
    for intercept in ("column", "separate"):
        trained = model(alpha=1e4, intercept=intercept, solver="lbfgs", tol=1e-7).fit(X, y)
        np.testing.assert_allclose(trained.coef_, 0, atol=1e-4)
        np.testing.assert_allclose(trained.intercept_, expected, atol=1e-3)


@given(SEEDS, st.sampled_from(["gd", "sgd", "adam"]))
@settings(max_examples=15)
def test_each_step_has_the_gradient_of_the_penalty(seed, solver):
    """Two models of all rows, one with the penalty and one whose gradient it is added to."""
    X, random = rows_of(seed)
    y = labels(random)
    model = LogisticRegression(solver=solver, alpha=0.3, tol=0, learning_rate_init=1e-3)
    L = model.fit(X, y).loss_graph(X, y)
    L.backward()
    [g] = [t.grad for t in ag.Graph.of(L).nodes if t.name == "w"]
    A, w = np.column_stack([np.ones(40), X]), model.parameters_["w"]
    by_hand = A.T @ (1 / (1 + np.exp(-(A @ w))) - y) / 40 + 0.3 * np.append(0, w[1:])
    np.testing.assert_allclose(g, by_hand, atol=1e-12)


# What the formulas say.


def forms(model, X, y):
    L = model.loss_graph(X, y)
    closed = ag.derive(L, lengths=True).closed_form
    return {t.name: str(form) for t, form in closed.items()}


def test_the_derivations():
    X, random = rows_of(2, 6)
    y = labels(random, 6)
    separate = {"alpha": 0.1, "intercept": "separate"}
    expected = {"w": "(1/m) Xᵀ(ŷ − y) + αw", "b": "(1/m) Σ(ŷ − y)"}
    assert forms(LogisticRegression(**separate), X, y) == expected
    assert forms(LinearRegression(**separate), X, y) == expected
    perceptron = forms(MLPClassifier(3, alpha=0.1, random_state=0), X, y)
    assert perceptron == {
        "W⁽¹⁾": "(∂L/∂a⁽¹⁾)ᵀ X + α W⁽¹⁾",
        "b⁽¹⁾": "𝟏ᵀ ∂L/∂a⁽¹⁾",
        "w": "(1/m) h⁽¹⁾ᵀ(ŷ − y) + αw",
        "b": "(1/m) Σ(ŷ − y)",
    }


@pytest.mark.parametrize("model", ALL[:2])
def test_the_derivation_with_a_column_of_ones(model):
    X, random = rows_of(2, 6)
    y = labels(random, 6)
    form = forms(model(alpha=0.1), X, y)["w"]
    assert form.startswith("(1/m) Aᵀ(ŷ − y) + ")
    assert "α w[1:]" in form
    assert "‖w[1:]‖²" in str(ag.derive(model(alpha=0.1).loss_graph(X, y)))
