"""Norms, roots of squares and deviations: at 0, where they have a kink, and far out."""

from __future__ import annotations

import numpy as np
import pytest
from attacks.attack import attack

import autograd_lite as ag

SMOOTH = {
    "‖w‖²": (lambda x: np.linalg.norm(x) ** 2, 2 * np.eye(2)),
    "‖w‖ ‖w‖": (lambda x: np.linalg.norm(x) * np.linalg.norm(x), 2 * np.eye(2)),
    "square of ‖w‖": (lambda x: np.square(np.linalg.norm(x)), 2 * np.eye(2)),
    "‖w‖⁴": (lambda x: np.linalg.norm(x) ** 4, np.zeros((2, 2))),
    "(√Σw²)²": (lambda x: np.sqrt(np.sum(x * x)) ** 2, 2 * np.eye(2)),
    "((Σw²) ** ½)²": (lambda x: (np.sum(x * x) ** 0.5) ** 2, 2 * np.eye(2)),
    "(root mean square)²": (lambda x: np.sqrt(np.mean(x**2)) ** 2, np.eye(2)),
    "exp(−‖w‖²)": (lambda x: np.exp(-(np.linalg.norm(x) ** 2)), -2 * np.eye(2)),
    "√(1 + ‖w‖²)": (lambda x: np.sqrt(1 + np.linalg.norm(x) ** 2), np.eye(2)),
    "hypot²": (lambda x: np.hypot(x[0], x[1]) ** 2, 2 * np.eye(2)),
    "|w|²": (lambda x: np.sum(np.abs(x) ** 2), 2 * np.eye(2)),
    "|w| |w|": (lambda x: np.sum(np.abs(x) * np.abs(x)), 2 * np.eye(2)),
    "cosh |w|": (lambda x: np.sum(np.cosh(np.abs(x))), np.eye(2)),
    "cos |w|": (lambda x: np.sum(np.cos(np.abs(x))), -np.eye(2)),
    "Frobenius²": (lambda x: np.linalg.norm(x[None, :], "fro") ** 2, 2 * np.eye(2)),
    "std²": (lambda x: np.std(x) ** 2, np.array([[0.5, -0.5], [-0.5, 0.5]])),
}


@pytest.mark.parametrize("name", SMOOTH)
def test_smooth_functions_of_a_length(name):
    f, hessian = SMOOTH[name]
    x = np.zeros(2)
    np.testing.assert_array_equal(ag.grad(f)(x), 0)
    np.testing.assert_allclose(ag.hessian(f)(x), hessian)
    np.testing.assert_allclose(ag.hvp(f)(x, np.array([1.0, 3.0])), hessian @ [1, 3])
    compiled = ag.compile(lambda x: ag.hessian(f)(x))
    np.testing.assert_allclose(compiled(x), hessian)


@attack(
    "the Hessian of ‖w‖², and of exp(−‖w‖²), at w = 0",
    "2 I and −2 I",
    torch="NaN",
    jax="NaN",
    autograd="NaN",
)
def test_the_square_of_a_norm():
    for name in ("‖w‖²", "exp(−‖w‖²)"):
        test_smooth_functions_of_a_length(name)


@attack("the second derivative of |x|² at 0", "2", torch="0", jax="2", autograd="0")
def test_the_square_of_an_absolute_value():
    test_smooth_functions_of_a_length("|w|²")


@attack(
    "Newton's first step of ridge regression from w = 0", "the solution", torch="NaN", jax="NaN"
)
def test_newton_from_zero():
    random = np.random.default_rng(0)
    A, y = random.normal(size=(9, 3)), random.normal(size=9)
    loss = lambda w: np.sum((A @ w - y) ** 2) + 0.5 * np.linalg.norm(w) ** 2  # noqa: E731
    w = np.zeros(3)
    step = np.linalg.solve(ag.hessian(loss)(w), ag.grad(loss)(w))
    np.testing.assert_allclose(w - step, np.linalg.solve(A.T @ A + 0.5 * np.eye(3), A.T @ y))


@attack("row norms squared, one row 0", "2 I in each row", torch="NaN", jax="NaN", autograd="NaN")
def test_row_norms():
    x = np.array([[0.0, 0.0], [3.0, 4.0]])
    f = lambda x: np.sum(np.linalg.norm(x, axis=1) ** 2)  # noqa: E731
    np.testing.assert_allclose(ag.hessian(f)(x).reshape(4, 4), 2 * np.eye(4), atol=1e-15)
    f = lambda x: np.sum(np.linalg.norm(x, axis=1, keepdims=True) ** 2)  # noqa: E731
    np.testing.assert_allclose(ag.hessian(f)(x).reshape(4, 4), 2 * np.eye(4), atol=1e-15)


@attack("the Hessian of ‖w‖ at w = 0, which does not exist", "not finite", torch="NaN", jax="NaN")
def test_the_hessian_of_a_kink():
    for f in (
        np.linalg.norm,
        np.std,
        lambda x: np.hypot(x[0], x[1]),
        lambda x: np.exp(-np.linalg.norm(x)),
        lambda x: np.linalg.norm(x, ord=3),
        lambda x: np.linalg.norm(x) ** 2.5 / np.linalg.norm(x) ** 1.5,
    ):
        with np.errstate(all="ignore"):
            hessian = ag.hessian(f)(np.zeros(2))
        assert not np.isfinite(hessian).any()


@attack(
    "the Hessian of std at equal numbers", "NaN; 0 for one number", torch="0", jax="NaN",
    autograd="NaN",
)  # fmt: skip
def test_deviation_of_equal_numbers():
    for x in ([1.0, 1.0], [0.1, 0.1, 0.1]):
        assert ag.Tensor(x).std().item() == 0
        np.testing.assert_array_equal(ag.grad(np.std)(np.array(x)), 0)
        with np.errstate(all="ignore"):
            assert not np.isfinite(ag.hessian(np.std)(np.array(x))).any()
    assert ag.hessian(lambda x: np.std(x, axis=0).sum())(np.array([[3.0]])) == 0


SIZES = {
    np.float64: (1e-170, 1e200, 1e-310, 5e-324),
    np.float32: (1e-23, 1e20, 1e-40, 1e-45),
}


@attack(
    "the norm of (1e-170, 1e-170), of (1e200, 1e200) and their gradients",
    "as of (1, 1)",
    torch="0",
    jax="∞ and 0",
    autograd="∞ and 0",
)
def test_lengths_of_any_size():
    root, cube = 0.5**0.5, 2 ** (-2 / 3)
    for dtype, sizes in SIZES.items():
        for size in sizes:
            x = np.array([size, size], dtype)
            denormal = size < np.finfo(dtype).tiny
            for f, value, derivative in (
                (np.linalg.norm, 2**0.5, root),
                (lambda x: np.hypot(x[0], x[1]), 2**0.5, root),
                (lambda x: np.sqrt(np.sum(x**2)), 2**0.5, root),
                (lambda x: np.linalg.norm(x, ord=3), 2 ** (1 / 3), cube),
                (lambda x: np.linalg.norm(x[None, :], axis=1)[0], 2**0.5, root),
            ):
                with np.errstate(over="ignore", under="ignore"):
                    found, gradient = ag.value_and_grad(f)(x)
                if not denormal:
                    np.testing.assert_allclose(found, value * x[0], rtol=1e-6)
                np.testing.assert_allclose(gradient, [derivative, derivative], rtol=1e-6)


@attack("std of (1e-170, 3e-170) and of (1e200, 3e200)", "1e-170 and 1e200, gradient −½, ½")
def test_deviations_of_any_size():
    for size in (1e-170, 1e200, 1.0):
        value, gradient = ag.value_and_grad(np.std)(size * np.array([1.0, 3.0]))
        np.testing.assert_allclose(value, size)
        np.testing.assert_allclose(gradient, [-0.5, 0.5])


@attack(
    "arctan2(1e-200, 1e-200)", "gradient 5e199, −5e199", torch="0", jax="∞", autograd="∞"
)  # fmt: skip
def test_angles_of_small_numbers():
    for size in (1e-200, 1e200):
        gradient = ag.grad(np.arctan2, (0, 1))(size, size)
        np.testing.assert_allclose(gradient, [0.5 / size, -0.5 / size])


def one_argument(f):
    return lambda x: f(x)


@attack("σ′(17) in float32, σ′(40), tanh′(20)", "to all digits", torch="0", jax="0")
def test_gradients_far_out():
    for x, f, dtype in (
        (17.0, ag.sigmoid, np.float32),
        (40.0, ag.sigmoid, np.float64),
        (-40.0, ag.sigmoid, np.float64),
    ):
        e = np.exp(-abs(np.longdouble(x)))
        exact = float(e / (1 + e) ** 2)
        compiled = ag.compile(ag.grad(one_argument(f)))
        for found in (ag.grad(f)(dtype(x)), compiled(dtype(x))):
            np.testing.assert_allclose(found, exact, rtol=4e-7 if dtype is np.float32 else 1e-15)
    for x, dtype in ((10.0, np.float32), (20.0, np.float64), (-20.0, np.float64)):
        exact = float(1 / np.cosh(np.longdouble(x)) ** 2)
        compiled = ag.compile(ag.grad(one_argument(np.tanh)))
        for found in (ag.grad(np.tanh)(dtype(x)), compiled(dtype(x))):
            np.testing.assert_allclose(found, exact, rtol=2e-6 if dtype is np.float32 else 1e-14)


@attack("nanstd of equal and of small numbers", "as std")
def test_deviations_with_missing_numbers():
    with np.errstate(all="ignore"):
        assert not np.isfinite(ag.hessian(np.nanstd)(np.full(3, 0.1))).any()
    np.testing.assert_array_equal(ag.grad(np.nanstd)(np.full(3, 0.1)), 0)
    small = np.array([1e-25, np.nan, 3e-25], np.float32)
    np.testing.assert_allclose(ag.grad(np.nanstd)(small), [-0.5, 0, 0.5], rtol=1e-6)


@attack("the Hessian of a correlation of 1", "not halved by a clip")
def test_a_correlation_of_one():
    x = np.array([1.0, 2.0, 3.0])
    hessian = ag.hessian(lambda y: np.corrcoef(x, y)[0, 1])(2 * x)
    centre = np.array([1.0, -2.0, 1.0])
    np.testing.assert_allclose(hessian, -np.outer(centre, centre) / 48, atol=1e-12)


@attack("the second derivative of logaddexp far out", "to all digits")
def test_logaddexp_far_out():
    second = ag.hessian(lambda x: np.logaddexp(np.exp(x), 1.0))(40.0)
    np.testing.assert_allclose(second, np.exp(40.0))


@attack("the gradient of a float32 bias under 10⁶ rows", "to 10⁻⁶", torch="10⁻⁶")
def test_a_bias_under_many_rows():
    rows = 10**6
    X = np.full((rows, 2), 0.1, np.float32)
    b = np.zeros(2, np.float32)
    exact = rows * float(np.float32(0.1))
    gradient = ag.grad(lambda b: np.sum((b + X) * X))(b)
    np.testing.assert_allclose(gradient, exact, rtol=2e-6)
    odd = ag.grad(lambda b: np.sum((b + X[:-77].reshape(-1, 1, 2)) * X[:-77, None]))(b)
    np.testing.assert_allclose(odd, exact - 7.7, rtol=2e-6)
