"""check_gradients passes right gradients that are 0 or nearly so, and catches wrong ones there."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.rounding import Shaken, rounding

pytestmark = pytest.mark.usefixtures("operations_removed")


def layer_norm(z):
    centred = z - np.mean(z, axis=-1, keepdims=True)
    return centred / np.sqrt(np.mean(np.square(centred), axis=-1, keepdims=True) + 1e-5)


def vanishing(random, s):
    """Functions, and arguments of size s where their gradients are 0 or nearly so.

    Large terms cancel there, or the point is a minimum.
    """
    A, b, v = random.normal(size=(7, 3)), random.normal(size=7) * s, random.normal(size=3) * s
    z, c, p = random.normal(size=(3, 4)) * s, random.normal() * s, random.normal(size=4)
    B, S = np.arange(12.0).reshape(4, 3), np.diag([1.0, 3.0, 4.0]) * s
    share = np.exp(p) / np.sum(np.exp(p))
    orthonormal = np.linalg.qr(random.normal(size=(5, 3)))[0]
    optimum = np.linalg.lstsq(A, b, rcond=None)[0]
    return {
        "the sum of a layer norm": (lambda z: np.sum(layer_norm(z)), z),
        "a layer norm of a product": (lambda z: np.sum(layer_norm(z @ B)), z),
        "the sum of what is centred": (lambda z: np.sum(z - np.mean(z)), z + 10 * s),
        "the sum of centred data, squared": (lambda z: np.sum(z) ** 2, z - z.mean()),
        "an orthonormal matrix": (lambda Q: np.sum((Q.T @ Q - np.eye(3)) ** 2), orthonormal),
        "least squares at the optimum": (lambda w: np.sum((A @ w - b) ** 2), optimum),
        "an exact fit": (lambda w: np.mean((A @ w - A @ v) ** 2), v),
        "a cube at its root": (lambda x: np.sum((x - c) ** 3), np.full(2, c)),
        "a square at its root": (lambda x: np.sum((x - c) ** 2), np.full(2, c)),
        "the sum of a softmax": (lambda z: np.sum(ag.softmax(z)), z / s),
        "a softmax by hand": (lambda z: np.sum(np.exp(z) / np.sum(np.exp(z))), p),
        "cross-entropy at its optimum": (lambda z: -np.sum(ag.log_softmax(z) * share), p),
        "log-partitions": (lambda z: ag.logsumexp(z + 3.0) - np.log(np.sum(np.exp(z))), p),
        "sin² + cos²": (lambda x: np.sum(np.sin(x) ** 2 + np.cos(x) ** 2), p),
        "a product with the inverse": (
            lambda M: np.sum(M @ np.linalg.inv(M)),
            A[:3] + 4 * np.eye(3),
        ),
        "a Rayleigh quotient": (lambda x: x @ S @ x / (x @ x), np.array([0.0, 1.5, 0.0])),
        "a large constant": (
            lambda x: np.sum((x + 10 * s) ** 2 - x * x - 20 * s * x),
            np.array([0.1, -1.0]) * s,
        ),
        "a saturated tanh": (lambda x: np.sum(np.tanh(x)), np.array([18.0, -19.0, 0.5])),
    }


KINDS = list(vanishing(np.random.default_rng(0), 1.0))


def nothing(kind, seed, power):
    return vanishing(np.random.default_rng(seed), 10.0**power)[kind]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=6)
@given(
    seed=st.integers(0, 2**16),
    power=st.integers(-3, 3),
    dtype=st.sampled_from([np.float64, np.float32]),
)
def test_right_gradients_that_nearly_vanish_pass(kind, seed, power, dtype):
    f, x = nothing(kind, seed, power)
    found = ag.check_gradients(f, x.astype(dtype))
    assert found.count == x.size, found


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_term_is_found_where_the_right_gradient_vanishes(kind):
    f, x = nothing(kind, 3, 0)
    wrong = ag.custom_gradient(lambda g, out, x: g * 0)(lambda x: 1.0 * x)
    with pytest.raises(ag.GradientError):
        ag.check_gradients(lambda x: f(x) + 1e-3 * np.sum(wrong(x)), x)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=3)
@given(seed=st.integers(0, 2**16), dtype=st.sampled_from([np.float64, np.float32]))
def test_a_factor_of_a_thousandth_on_one_of_the_terms_is_found(kind, seed, dtype):
    # x enters each function twice, and through one of the two its gradient is wrong.
    f, x = nothing(kind, seed, 0)
    wrong = ag.custom_gradient(lambda g, out, x: g * 1.001)(lambda x: 1.0 * x)
    with pytest.raises(ag.GradientError):
        ag.check_gradients(lambda x: f(x) + np.sum(wrong(x) - x), x.astype(dtype))


@pytest.mark.parametrize("order", [1, 2, 3])
@pytest.mark.parametrize(
    "kind", ["the sum of a layer norm", "an orthonormal matrix", "sin² + cos²"]
)
def test_higher_orders_too(kind, order):
    f, x = nothing(kind, 1, 0)
    assert ag.check_gradients(f, x, order=order).count == order * x.size


@given(st.integers(-9, 0), st.sampled_from([1.001, 0.99, 0.0, -1.0]))
def test_a_small_derivative_beside_a_large_one_is_checked(power, factor):
    small = 10.0**power
    wrong = ag.custom_gradient(lambda g, out, x: g * factor)(lambda x: 1.0 * x)
    x = np.array([0.3, 0.7])
    right = ag.check_gradients(lambda x: np.sin(x[0]) + small * np.sin(x[1]), x)
    assert right.count == 2
    if abs(factor - 1) * small > 3e-12:
        with pytest.raises(ag.GradientError, match=r"argument 0\[1\]"):
            ag.check_gradients(lambda x: np.sin(x[0]) + small * np.sin(wrong(x[1])), x)


def test_what_cancels_in_the_value_is_reported_as_noise():
    wrong = ag.custom_gradient(lambda g, out, x: g * 1.001)(lambda x: 1.0 * x)
    found = ag.check_gradients(lambda x: (wrong(x) + 1e12) - 1e12, np.float64(0.3))
    assert not found.count
    assert "too noisy" in found.unsure[0]


def test_a_kink_of_parts_is_refused():
    with pytest.raises(ag.GradientError, match="the gradient is 0, differences give 1"):
        ag.check_gradients(lambda t: ag.relu(t) - ag.relu(-t), np.float64(0.0))
    with pytest.raises(ag.GradientError, match="the gradient is 0, differences give 2"):
        ag.check_gradients(lambda t: ag.relu(2 * t - 2) - ag.relu(2 - 2 * t), np.float64(1.0))


def test_third_derivatives_are_checked():
    x = np.array([0.5, 2.0])
    assert ag.check_gradients(np.sin, x, order=4).count == 8
    # Right to the second order: the second derivative of x³ holds a factor without a gradient.
    cube = ag.custom_gradient(lambda g, out, x: g * slope(x))(lambda x: x**3)
    slope = ag.custom_gradient(lambda g, out, x: g * 6 * ag.stop_gradient(x))(lambda x: 3 * x * x)
    assert ag.check_gradients(cube, x, order=2).count == 4
    with pytest.raises(ag.GradientError, match=r"argument 0\[0\]: the third derivative is 0"):
        ag.check_gradients(cube, x, order=3)


@given(st.integers(0, 10**6), st.integers(0, 9))
def test_the_rounding_of_a_sum_is_that_of_its_terms(seed, power):
    random = np.random.default_rng(seed)
    x, y = random.normal(size=(2, 20))
    large = 10.0**power

    def f(arrays):
        terms = large * ag.Tensor(arrays[0])
        return float(np.sum(ag.Tensor(arrays[1]) + terms - terms).data)

    shake = Shaken()
    found = rounding(f([x, y]), [shake(f, [x, y]) for _ in range(4)])
    exact = np.sum(y.astype(np.longdouble))
    assert abs(f([x, y]) - exact) <= found + 1e-15 * np.sum(np.abs(y))
    assert found <= 1e-13 * (large * np.sum(np.abs(x)) + np.sum(np.abs(y)))
