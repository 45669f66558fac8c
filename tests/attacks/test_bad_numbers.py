"""Zeros, infinities and singular points."""

import warnings

import numpy as np
import pytest
from attacks.attack import attack

import autograd_lite as ag

NAN = "NaN, silently"


def gradient(f, x):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return ag.grad(f)(x)


@attack("where(x > 0, √x, 0·x) at 0", "0", torch=NAN, jax=NAN, autograd=NAN, mygrad=NAN)
def test_branch_not_taken():
    found = gradient(lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0 * x)), np.zeros(1))
    assert found.tolist() == [0]


@attack("where(x ≠ 0, 1/x, 0) at 0", "0")
def test_division_not_taken():
    found = gradient(lambda x: np.sum(np.where(x != 0, 1 / x, 0.0)), np.array([0.0, 2.0]))
    assert found.tolist() == [0, -0.25]


@attack("where(x > 0, log x, 0) at 0 and −1", "0, 0")
def test_logarithm_not_taken():
    f = lambda x: np.sum(np.where(x > 0, np.log(x), 0.0))  # noqa: E731
    assert gradient(f, np.array([0.0, -1.0, 2.0])).tolist() == [0, 0, 0.5]


@attack("where(p > 0, p log p, 0) at 0", "0", torch=NAN, jax=NAN, autograd=NAN, mygrad=NAN)
def test_entropy_not_taken():
    f = lambda p: np.sum(np.where(p > 0, p * np.log(p), 0))  # noqa: E731
    assert gradient(f, np.array([0.0, 1.0])).tolist() == [0, 1]


@attack("where(x > 0, √x · exp(1/x), 1) at 0, by product of infinities", "0")
def test_product_not_taken():
    f = lambda x: np.sum(np.where(x > 0, np.sqrt(x) * np.exp(1 / x), 1.0))  # noqa: E731
    assert gradient(f, np.zeros(1)).tolist() == [0]


@attack("0 · √x at 0", "0", torch=NAN, jax=NAN, autograd="ZeroDivisionError", mygrad=NAN)
def test_zero_times_root():
    assert gradient(lambda x: np.sqrt(x) * 0, 0.0) == 0


@attack("√Σx² at 0, written out", "0, 0", torch=NAN, jax=NAN, autograd=NAN, mygrad=NAN)
def test_root_of_squares():
    assert gradient(lambda x: np.sqrt(np.sum(x * x)), np.zeros(2)).tolist() == [0, 0]
    assert gradient(lambda x: np.sqrt(np.sum(x**2)), np.zeros(2)).tolist() == [0, 0]


@attack(
    "logsumexp at 10²⁰, 10²⁰",
    "½, ½",
    torch="1, 1, silently",
    jax="½, ½",
    autograd="1, 1, silently",
)
def test_logsumexp_of_large_numbers():
    assert gradient(ag.logsumexp, np.array([1e20, 1e20])).tolist() == [0.5, 0.5]


@attack("np.linalg.norm at 0", "0, 0", torch="0, 0", jax=NAN, autograd=NAN)
def test_norm():
    assert gradient(np.linalg.norm, np.zeros(2)).tolist() == [0, 0]


@attack(
    "−log(1 − σ(40))",
    "40, with gradient 1",
    torch="inf, gradient NaN",
    jax="inf, gradient NaN",
    autograd="inf, gradient inf",
    mygrad="inf, gradient NaN",
)
def test_log_of_complement():
    value, gradient = ag.value_and_grad(lambda z: -np.log(1 - ag.sigmoid(z)))(40.0)
    assert (value, gradient) == (40, 1)


@attack(
    "−log σ(−800)",
    "800, with gradient −1",
    torch="inf, gradient NaN",
    jax="inf, gradient NaN",
    autograd="inf, gradient NaN",
    mygrad="inf, gradient NaN",
)
def test_log_of_sigmoid():
    value, gradient = ag.value_and_grad(lambda z: -np.log(ag.sigmoid(z)))(-800.0)
    assert (value, gradient) == (800, -1)


@attack("−log(1/(1 + exp(800))), σ written out", "800, with gradient −1")
def test_written_out():
    with np.errstate(over="ignore"):
        value, gradient = ag.value_and_grad(lambda z: -np.log(1 / (1 + np.exp(-z))))(-800.0)
    assert (value, gradient) == (800, -1)


@attack("the naive cross-entropy at logits of ±10⁴, float64 and float32", "as the stable form")
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_naive_cross_entropy(dtype):
    z = np.array([1e4, -1e4, 1e4, -1e4, 0.0, 40.0], dtype)
    y = np.array([1, 0, 0, 1, 1, 0], dtype)

    def naive(z):
        p = ag.sigmoid(z)
        return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))

    def stable(z):
        return ag.binary_cross_entropy_with_logits(z, y)

    (value, gradient), (other, expected) = ag.value_and_grad(naive)(z), ag.value_and_grad(stable)(z)
    assert np.isclose(value, other, rtol=4 * np.finfo(dtype).eps)
    np.testing.assert_allclose(gradient, expected, rtol=4 * np.finfo(dtype).eps)


@attack("log Σ exp of (1000, 0), written out", "gradient 1, 0", torch=NAN, jax=NAN, autograd=NAN)
def test_written_log_sum_exp():
    with np.errstate(over="ignore"):
        value, gradient = ag.value_and_grad(lambda z: np.log(np.sum(np.exp(z))))(
            np.array([1000.0, 0.0])
        )
    assert value == 1000
    assert gradient.tolist() == [1, 0]


@attack("max of (1, 1)", "½, ½: a tie is shared", torch="½, ½", jax="½, ½", mygrad="1, 0")
def test_maximum_of_array():
    assert gradient(np.max, np.ones(2)).tolist() == [0.5, 0.5]


@attack("maximum(x, 0) at 0", "½", torch="½", jax="½", autograd="½", mygrad="0")
def test_maximum():
    assert gradient(lambda x: np.maximum(x, 0), 0.0) == 0.5


@attack("relu(0), as the derivations have it", "0")
def test_relu():
    assert gradient(ag.relu, 0.0) == 0


@attack("|x| at 0", "0", torch="0", jax="1", mygrad="0")
def test_absolute():
    assert gradient(np.abs, 0.0) == 0


@attack("x ** 0 at 0", "0", torch="0", jax="NaN for a float exponent", autograd="0")
def test_power_zero():
    assert gradient(lambda x: x**0.0, 0.0) == 0


@attack("0 ** x by x, at 2", "0", torch="0", jax="0", autograd="0", mygrad="0")
def test_zero_to_a_power():
    assert gradient(lambda x: 0.0**x, 2.0) == 0


@attack("(−2) ** 3 by the base", "12, not NaN")
def test_negative_base():
    assert gradient(lambda x: x**3, -2.0) == 12


@attack("prod of (0, 2, 3)", "6, 0, 0", torch="6, 0, 0", jax="6, 0, 0", autograd="NaN, 0, 0")
def test_product_with_zero():
    assert gradient(np.prod, np.array([0.0, 2.0, 3.0])).tolist() == [6, 0, 0]


@attack("prod of (0, 0, 3)", "0, 0, 0")
def test_product_with_two_zeros():
    assert gradient(np.prod, np.array([0.0, 0.0, 3.0])).tolist() == [0, 0, 0]


@attack("std of equal numbers", "0, 0", torch="0, 0", jax=NAN, autograd=NAN, mygrad=NAN)
def test_standard_deviation():
    assert gradient(np.std, np.ones(2)).tolist() == [0, 0]


@attack("the second derivative at an optimum, through a zero gradient", "2, not 0")
def test_second_derivative_at_optimum():
    assert gradient(ag.grad(lambda x: x * x), 0.0) == 2
    assert gradient(ag.grad(lambda x: x**2), 0.0) == 2


@attack("logsumexp of (−∞, 0)", "gradient 0, 1")
def test_log_sum_exp_with_infinity():
    assert gradient(ag.logsumexp, np.array([-np.inf, 0.0])).tolist() == [0, 1]


@attack("σ, softplus and their gradients at ±10⁴", "0, 1, 10⁴; finite, and no warning")
def test_large_arguments():
    z = np.array([-1e4, 1e4])
    assert ag.sigmoid(z).tolist() == [0, 1]
    assert ag.softplus(z).tolist() == [0, 1e4]
    assert ag.grad(lambda z: np.sum(ag.softplus(z)))(z).tolist() == [0, 1]


@attack("denormal numbers", "kept: the gradient of 3x at 5·10⁻³²⁴ is 3")
def test_denormal():
    assert gradient(lambda x: np.sum(3 * x), np.array([5e-324])).tolist() == [3]


@attack("NaN in one row", "stays in its row: gradients of other rows are numbers")
def test_nan_stays_in_its_row():
    X = np.array([[1.0, np.nan], [2.0, 3.0]])
    found = gradient(lambda X: np.sum(np.tanh(X)), X)
    assert np.isnan(found).tolist() == [[False, True], [False, False]]


@attack("where(x > 0, x, exp x − 1) at 1000", "1")
def test_exponential_not_taken():
    assert gradient(lambda x: np.where(x > 0, x, np.exp(x) - 1), 1000.0) == 1
    assert gradient(lambda x: np.where(x > 0, x, np.expm1(x)), 1000.0) == 1
    assert gradient(lambda x: np.where(x > 0, x, np.cosh(x)), 1000.0) == 1
