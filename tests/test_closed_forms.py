"""The gradients of the models equal the closed forms that people derive by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import arrays_of

import autograd_lite as ag
from autograd_lite.models import (
    LinearRegression,
    LogisticRegression,
    MLPClassifier,
    MLPRegressor,
)
from autograd_lite.sweep import gradients

NUMBERS = st.floats(-3, 3, allow_subnormal=False, width=32)
SIZES = st.integers(1, 6)
REDUCTIONS = st.sampled_from(["mean", "sum"])


def matrices(*shape):
    return arrays_of(shape, NUMBERS)


def labels(rows):
    return arrays_of(rows, st.sampled_from([0.0, 1.0]))


def σ(z):
    return 1 / (1 + np.exp(-z))


def by_name(L):
    """The values of a loss graph, and the gradients, by the names of its nodes."""
    gradient = gradients(L).of
    nodes = ag.Graph.of(L).nodes
    return {t.name: t.numpy() for t in nodes}, {t.name: gradient[t] for t in nodes if t in gradient}


def close(actual, expected):
    np.testing.assert_allclose(actual, expected, rtol=1e-9, atol=1e-12)


@st.composite
def regressions(draw):
    rows, columns = draw(SIZES), draw(SIZES)
    w, b = draw(matrices(columns)), draw(NUMBERS)
    return draw(matrices(rows, columns)), draw(labels(rows)), w, b, draw(REDUCTIONS)


@st.composite
def perceptrons(draw):
    rows, columns = draw(SIZES), draw(SIZES)
    sizes = draw(st.lists(SIZES, min_size=1, max_size=3))
    θ, inputs = {}, columns
    for layer, units in enumerate(sizes, start=1):
        θ |= {f"W{layer}": draw(matrices(units, inputs)), f"b{layer}": draw(matrices(units))}
        inputs = units
    θ |= {"w": draw(matrices(inputs)), "b": draw(NUMBERS)}
    return draw(matrices(rows, columns)), draw(labels(rows)), sizes, θ, draw(REDUCTIONS)


@given(regressions())
def test_logistic_regression_with_a_column_of_ones(case):
    X, y, w, b, reduction = case
    m = len(y) if reduction == "mean" else 1
    model = LogisticRegression(reduction=reduction, init={"w": [b, *w]})
    value, gradient = by_name(model.loss_graph(X, y))
    A = np.column_stack([np.ones(len(X)), X])

    np.testing.assert_array_equal(value["A"], A)
    close(value["z"], X @ w + b)
    close(value["ŷ"], σ(X @ w + b))
    close(gradient["z"], (value["ŷ"] - y) / m)
    close(gradient["w"], A.T @ (value["ŷ"] - y) / m)


@given(regressions())
def test_logistic_regression_with_a_separate_intercept(case):
    X, y, w, b, reduction = case
    m = len(y) if reduction == "mean" else 1
    model = LogisticRegression(intercept="separate", reduction=reduction, init={"w": w, "b": b})
    value, gradient = by_name(model.loss_graph(X, y))
    error = value["ŷ"] - y

    close(gradient["z"], error / m)
    close(gradient["w"], X.T @ error / m)
    close(gradient["b"], error.sum() / m)
    if reduction == "mean":
        close(gradient["b"], np.mean(error))


@given(regressions())
def test_both_ways_of_the_intercept_are_one_model(case):
    X, y, w, b, reduction = case
    column = LogisticRegression(reduction=reduction, init={"w": [b, *w]}).loss_graph(X, y)
    separate = LogisticRegression(
        reduction=reduction, intercept="separate", init={"w": w, "b": b}
    ).loss_graph(X, y)

    close(column.item(), separate.item())
    _, one = by_name(column)
    _, other = by_name(separate)
    close(one["w"], [other["b"], *other["w"]])


@given(regressions(), st.sampled_from([0.0, 0.5]))
def test_linear_regression(case, alpha):
    X, y, w, b, reduction = case
    y = 3 * y - X[:, 0]
    m = len(y) if reduction == "mean" else 1
    options = {"reduction": reduction, "alpha": alpha}
    column = LinearRegression(init={"w": [b, *w]}, **options).loss_graph(X, y)
    separate = LinearRegression(init={"w": w, "b": b}, intercept="separate", **options)
    value, gradient = by_name(separate.loss_graph(X, y))
    error, penalty = X @ w + b - y, alpha * w

    close(value["ŷ"], X @ w + b)
    close(value["L"], (error**2).sum() / 2 / m + alpha / 2 * w @ w)
    close(column.item(), value["L"])
    close(gradient["ŷ"], error / m)
    close(gradient["w"], X.T @ error / m + penalty)
    close(gradient["b"], error.sum() / m)
    _, gradient = by_name(column)
    A = np.column_stack([np.ones(len(X)), X])
    close(gradient["w"], A.T @ error / m + np.append(0, penalty))


@given(regressions())
def test_the_loss_is_binary_cross_entropy(case):
    X, y, w, b, reduction = case
    z = X @ w + b
    # 1 − σ(z) = σ(−z), which keeps its digits where σ(z) is near 1.
    losses = -(y * np.log(σ(z)) + (1 - y) * np.log(σ(-z)))
    model = LogisticRegression(reduction=reduction, init={"w": [b, *w]})
    expected = losses.mean() if reduction == "mean" else losses.sum()
    np.testing.assert_allclose(model.loss_graph(X, y).item(), expected, rtol=1e-6, atol=1e-12)


@given(perceptrons())
def test_the_four_forms_of_the_perceptron_for_each_example(case):
    X, y, sizes, θ, _ = case
    θ = {name: θ[name] for name in θ if name in ("W1", "b1")} | {
        "w": np.resize(θ["w"], sizes[0]),
        "b": θ["b"],
    }
    for row, label in zip(X, y, strict=True):
        loss = MLPClassifier(sizes[0], init=θ).loss_graph(row[None], [label])
        value, gradient = by_name(loss)
        (a,), (h,), (ŷ,) = value["a⁽¹⁾"], value["h⁽¹⁾"], value["ŷ"]
        db = ŷ - label
        da = db * value["w"] * (a > 0)

        close(a, θ["W1"] @ row + θ["b1"])
        close(h, np.maximum(a, 0))
        close(gradient["b"], db)
        close(gradient["w"], db * h)
        close(gradient["b⁽¹⁾"], da)
        close(gradient["W⁽¹⁾"], np.outer(da, row))


DERIVATIVES = {
    "relu": lambda a: a > 0,
    "tanh": lambda a: 1 - np.tanh(a) ** 2,
    "logistic": lambda a: σ(a) * (1 - σ(a)),
}


@given(
    perceptrons(),
    st.sampled_from([MLPClassifier, MLPRegressor]),
    st.sampled_from(sorted(DERIVATIVES)),
    st.sampled_from([0.0, 0.5]),
)
def test_the_forms_of_the_perceptron_layer_by_layer_over_a_batch(case, model, g, alpha):
    X, y, sizes, θ, reduction = case
    options = {"init": θ, "reduction": reduction, "activation": g, "alpha": alpha}
    value, gradient = by_name(model(sizes, **options).loss_graph(X, y))

    dz = (value["ŷ"] - y) / (len(y) if reduction == "mean" else 1)
    h = [value["X"]] + [value[f"h⁽{k}⁾"] for k in "¹²³"[: len(sizes)]]
    close(gradient["b"], dz.sum())
    close(gradient["w"], h[-1].T @ dz + alpha * value["w"])
    dh = np.outer(dz, value["w"])
    for layer in range(len(sizes), 0, -1):
        k = "¹²³"[layer - 1]
        da = dh * DERIVATIVES[g](value[f"a⁽{k}⁾"])
        close(gradient[f"b⁽{k}⁾"], da.sum(axis=0))
        close(gradient[f"W⁽{k}⁾"], da.T @ h[layer - 1] + alpha * value[f"W⁽{k}⁾"])
        dh = da @ value[f"W⁽{k}⁾"]


@given(perceptrons())
def test_the_gradient_of_a_batch_is_the_mean_of_its_examples(case):
    X, y, sizes, θ, _ = case
    model = MLPClassifier(sizes, init=θ)
    _, whole = by_name(model.loss_graph(X, y))
    each = [by_name(model.loss_graph(X[k : k + 1], y[k : k + 1]))[1] for k in range(len(X))]
    for name in ("W⁽¹⁾", "b⁽¹⁾", "w", "b"):
        close(whole[name], np.mean([gradient[name] for gradient in each], axis=0))


@given(matrices(5))
def test_the_derivative_of_the_sigmoid(z):
    t = ag.Tensor(z)
    np.sum(ag.sigmoid(t)).backward()
    close(t.grad, σ(z) * (1 - σ(z)))


@given(arrays_of(5, st.floats(-15, 15)))
def test_the_log_odds_undo_the_sigmoid(z):
    p = ag.sigmoid(ag.Tensor(z))
    np.testing.assert_allclose(np.log(p / (1 - p)).numpy(), z, rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_parameters_and_gradients_keep_the_dtype(dtype):
    X, y = np.array([[1, 2], [3, 4]], dtype), [0, 1]
    for model in (LogisticRegression(), MLPClassifier(3, random_state=0)):
        L = model.loss_graph(X, y)
        assert L.dtype == dtype
        L.backward()
        assert all(leaf.grad.dtype == dtype for leaf in ag.Graph.of(L).inputs if leaf.requires_grad)
