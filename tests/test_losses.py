"""Activations and losses: closed forms, extreme numbers, and shapes that do not fit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import Values, shapes

import autograd_lite as ag

PRECISIONS = (np.float64, np.float32)
REDUCTIONS = ("mean", "sum", "none")
SEEDS = st.integers(0, 2**32 - 1)


def reduce(losses, reduction):
    return losses if reduction == "none" else getattr(np, reduction)(losses)


def slope_of(loss, x):
    """The gradient of the sum of a loss by a Tensor of these values."""
    t = ag.Tensor(x)
    np.sum(loss(t)).backward()
    return t.grad


# What the losses are


@given(shapes(), SEEDS, st.sampled_from(REDUCTIONS))
def test_binary_cross_entropy_is_its_formula(shape, seed, reduction):
    values = Values(seed)
    y_hat, y = values(shape, 0.1, 0.9, signed=False), values(shape, 0.1, 0.9, signed=False)
    losses = -(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat))
    loss = ag.binary_cross_entropy(ag.Tensor(y_hat), y, reduction=reduction)
    np.testing.assert_allclose(loss.numpy(), reduce(losses, reduction), rtol=1e-12)


@given(shapes(), SEEDS, st.sampled_from(REDUCTIONS))
def test_three_ways_to_one_binary_cross_entropy(shape, seed, reduction):
    values = Values(seed)
    z, y = values(shape), values(shape, 0.1, 0.9, signed=False)
    naive, of_sigmoid, with_logits = (ag.Tensor(z) for _ in range(3))
    y_hat = 1 / (1 + np.exp(-naive))
    losses = [
        reduce(-(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat)), reduction),
        ag.binary_cross_entropy(ag.sigmoid(of_sigmoid), y, reduction=reduction),
        ag.binary_cross_entropy_with_logits(with_logits, y, reduction=reduction),
    ]
    for loss in losses:
        np.testing.assert_allclose(loss.numpy(), losses[0].numpy(), rtol=1e-11)
        np.sum(loss).backward()
    np.testing.assert_allclose(of_sigmoid.grad, naive.grad, rtol=1e-10, atol=1e-14)
    np.testing.assert_allclose(with_logits.grad, of_sigmoid.grad, rtol=1e-12, atol=1e-15)


@given(shapes(), SEEDS)
def test_the_gradient_is_prediction_less_target(shape, seed):
    values = Values(seed)
    z, y = values(shape), values(shape, 0.1, 0.9, signed=False)
    expected = (1 / (1 + np.exp(-z)) - y) / max(z.size, 1)
    got = slope_of(lambda z: ag.binary_cross_entropy(ag.sigmoid(z), y), z)
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("size", [1, 64, 65, 1000])
def test_few_and_many_logits_agree(size):
    z = np.linspace(-50, 50, size)
    for y in (np.zeros(size), np.ones(size), np.linspace(0, 1, size)):
        losses = ag.binary_cross_entropy_with_logits(ag.Tensor(z), y, reduction="none").numpy()
        one_by_one = [
            ag.binary_cross_entropy_with_logits(ag.Tensor(a), b).item()
            for a, b in zip(z, y, strict=True)
        ]
        np.testing.assert_allclose(losses, one_by_one, rtol=1e-13)


@given(shapes(min_dims=1), st.integers(2, 4), SEEDS, st.sampled_from(REDUCTIONS))
def test_cross_entropy_takes_class_numbers_and_probabilities(rows, classes, seed, reduction):
    values, random = Values(seed), np.random.default_rng(seed)
    z, labels = values((*rows, classes)), random.integers(0, classes, rows)
    one_hot = np.eye(classes)[labels]
    p = np.exp(z) / np.sum(np.exp(z), axis=-1, keepdims=True)
    losses = -np.log(np.sum(p * one_hot, axis=-1))
    for given_labels in (labels, labels.astype(np.int8), one_hot, one_hot.astype(int)):
        t = ag.Tensor(z)
        loss = ag.cross_entropy(t, given_labels, reduction=reduction)
        np.testing.assert_allclose(loss.numpy(), reduce(losses, reduction), rtol=1e-12)
        np.sum(loss).backward()
        count = losses.size if reduction == "mean" else 1
        np.testing.assert_allclose(t.grad, (p - one_hot) / count, rtol=1e-10, atol=1e-14)


@settings(max_examples=9)
@given(SEEDS, st.sampled_from(REDUCTIONS))
def test_the_other_gradients_of_cross_entropy(seed, reduction):
    values = Values(seed)
    z, y = values((2, 3)), values((2, 3), 0.1, 0.9, signed=False)
    ag.check_gradients(lambda z, y: np.sum(ag.cross_entropy(z, y, reduction=reduction)), z, y)
    labels = np.array([2, 0])
    ag.check_gradients(
        lambda z: np.sum(ag.cross_entropy(z, labels, reduction=reduction) ** 2), z, order=2
    )


@given(shapes(), SEEDS, st.sampled_from(REDUCTIONS))
def test_squared_error(shape, seed, reduction):
    values = Values(seed)
    prediction, target = values(shape), values(shape)
    loss = ag.squared_error(ag.Tensor(prediction), target, reduction=reduction)
    expected = reduce((prediction - target) ** 2, reduction)
    np.testing.assert_allclose(loss.numpy(), expected, rtol=1e-13)


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2)])
def test_softmax_over_axes(name, axis):
    x = Values(5)((2, 3, 4))
    p = np.exp(x) / np.sum(np.exp(x), axis=axis, keepdims=True)
    expected = p if name == "softmax" else np.log(p)
    got = getattr(ag, name)(ag.Tensor(x), axis=axis).numpy()
    np.testing.assert_allclose(got, expected, rtol=1e-12)


# Extreme numbers


@pytest.mark.parametrize("dtype", PRECISIONS)
@pytest.mark.parametrize(
    "activation",
    [
        ag.relu,
        ag.leaky_relu,
        ag.elu,
        ag.gelu,
        ag.silu,
        ag.sigmoid,
        ag.softplus,
        ag.softmax,
        ag.log_softmax,
        ag.logsumexp,
        np.tanh,
    ],
)
def test_activations_far_out(activation, dtype):
    x = np.array([-1e30, -1e4, -89.0, -1.0, 0.0, 1.0, 89.0, 710.0, 1e4, 1e30], dtype)
    t = ag.Tensor(x)
    y = activation(t)
    np.sum(y[y.shape[0] // 2 :] if y.ndim else y).backward()
    assert y.dtype == t.grad.dtype == dtype
    assert np.isfinite(y.numpy()).all()
    assert np.isfinite(t.grad).all()


@pytest.mark.parametrize(
    ("activation", "derivatives"),
    [
        (ag.relu, (0, 0, 1)),
        (ag.leaky_relu, (0.01, 0.01, 1)),
        (lambda x: ag.leaky_relu(x, negative_slope=0.5), (0.5, 0.5, 1)),
        (ag.elu, (0, 1, 1)),
        (lambda x: ag.elu(x, alpha=2.0), (0, 2, 1)),
        (ag.gelu, (0, 0.5, 1)),
        (ag.silu, (0, 0.5, 1)),
        (ag.softplus, (0, 0.5, 1)),
    ],
)
def test_derivatives_at_both_ends_and_at_zero(activation, derivatives):
    got = slope_of(activation, [-800.0, 0.0, 800.0])
    np.testing.assert_allclose(got, derivatives, atol=1e-300)


def test_gelu_is_near_the_exact_one():
    from math import erf, sqrt

    x = np.linspace(-4, 4, 81)
    exact = [v * (1 + erf(v / sqrt(2))) / 2 for v in x]
    np.testing.assert_allclose(ag.gelu(ag.constant(x)).numpy(), exact, atol=5e-4)


def test_sigmoid_keeps_its_small_numbers():
    z = np.array([-708.0, -300.0, -40.0])
    np.testing.assert_allclose(ag.sigmoid(ag.constant(z)).numpy(), np.exp(z), rtol=1e-15)


@pytest.mark.parametrize("dtype", PRECISIONS)
def test_losses_of_huge_logits(dtype):
    z = np.array([[1e4, -1e4, 0.0], [-1e4, 1e4, 3.0]], dtype)
    t = ag.Tensor(z)
    loss = ag.cross_entropy(t, np.array([1, 1]), reduction="none")
    np.sum(loss).backward()
    assert loss.dtype == t.grad.dtype == dtype
    np.testing.assert_array_equal(loss.numpy(), [2e4, 0])
    np.testing.assert_array_equal(t.grad, [[1, -1, 0], [0, 0, 0]])


@pytest.mark.filterwarnings("error")
def test_certain_probabilities():
    """0 · log 0 is 0, and its gradient is that of the other term."""
    y_hat = ag.Tensor([0.0, 1.0, 0.25])
    loss = ag.binary_cross_entropy(y_hat, [0.0, 1.0, 1.0], reduction="none")
    np.sum(loss).backward()
    np.testing.assert_allclose(loss.numpy(), [0, 0, np.log(4)])
    np.testing.assert_allclose(y_hat.grad, [1, -1, -4])


def test_a_wrong_certainty_costs_infinitely_much():
    y_hat = ag.Tensor([0.0, 1.0])
    loss = ag.binary_cross_entropy(y_hat, [1, 0], reduction="none")
    np.testing.assert_array_equal(loss.numpy(), [np.inf, np.inf])


# Dtypes


@pytest.mark.parametrize("labels", [np.int64, np.int8, np.bool_, np.float32])
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_float32_stays_float32_whatever_the_labels(labels, reduction):
    z, y = np.float32([0.5, -1.0]), np.array([1, 0]).astype(labels)
    for loss in (
        lambda z: ag.binary_cross_entropy(ag.sigmoid(z), y, reduction=reduction),
        lambda z: ag.binary_cross_entropy(1 / (1 + np.exp(-z)), y, reduction=reduction),
        lambda z: ag.binary_cross_entropy(z * z / 2, y, reduction=reduction),
        lambda z: ag.binary_cross_entropy_with_logits(z, y, reduction=reduction),
        lambda z: ag.squared_error(z, y, reduction=reduction),
        lambda z: ag.cross_entropy(z[None], np.array([1]), reduction=reduction),
        lambda z: ag.cross_entropy(z[None], y[None], reduction=reduction),
    ):
        t = ag.Tensor(z)
        result = loss(t)
        np.sum(result).backward()
        assert result.dtype == t.grad.dtype == np.float32


# What does not fit

LOSSES = {
    "binary_cross_entropy": lambda z, y, **k: ag.binary_cross_entropy(ag.sigmoid(z), y, **k),
    "binary_cross_entropy_with_logits": ag.binary_cross_entropy_with_logits,
    "squared_error": ag.squared_error,
}


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(("one", "other"), [((3, 1), (3,)), ((3,), ()), ((2, 3), (3,))])
def test_shapes_that_would_broadcast_are_refused(name, one, other):
    z, y = ag.Tensor(np.zeros(one), name="z"), ag.constant(np.ones(other), name="y")
    with pytest.raises(ValueError, match=f"^{name}: ") as error:
        LOSSES[name](z, y)
    assert str(one) in str(error.value)
    assert str(other) in str(error.value)
    assert "of_sigmoid" not in str(error.value)


@pytest.mark.parametrize("name", LOSSES)
def test_reductions_are_checked(name):
    with pytest.raises(ValueError, match="'mean', 'sum' or 'none', not 'average'"):
        LOSSES[name](ag.Tensor([1.0]), [1.0], reduction="average")
    with pytest.raises(ValueError, match="no examples"):
        LOSSES[name](ag.Tensor(np.zeros(0)), np.zeros(0))
    assert LOSSES[name](ag.Tensor(np.zeros(0)), np.zeros(0), reduction="sum").item() == 0


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([0, 3], ValueError, "label 3 is not a class index from 0 to 2"),
        ([-1, 0], ValueError, "label -1 is not a class index"),
        ([0.0, 1.0], TypeError, "are not class indices; use integers"),
        ([True, False], TypeError, "are not class indices; use integers"),
        ([0, 1, 2], ValueError, r"labels of shape \(3,\) do not match logits of shape \(2, 3\)"),
        ([[0], [1]], ValueError, r"labels of shape \(2, 1\) do not match"),
        (1, ValueError, r"labels of shape \(\) do not match"),
    ],
)
def test_labels_are_checked(labels, error, message):
    with pytest.raises(error, match=message):
        ag.cross_entropy(ag.Tensor(np.zeros((2, 3)), name="z"), labels)
