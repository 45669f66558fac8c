"""0 · ∞: a zero of structure silences, a number that happens to be 0 does not."""

from __future__ import annotations

import numpy as np
from attacks.attack import attack

import autograd_lite as ag

THREE = {"torch": "NaN", "jax": "NaN", "autograd": "NaN"}
BESIDE = dict.fromkeys(THREE, "NaN, ¼")


def at(f, x, order=1):
    """The gradient, or the Hessian."""
    with np.errstate(all="ignore"):
        return (ag.grad if order == 1 else ag.hessian)(f)(np.asarray(x, float))


def unknown(f, x, truth, order=1):
    """Whether each number is right, or says that it is not known."""
    got, truth = at(f, x, order), np.asarray(truth, float)
    return np.all(~np.isfinite(got) | np.isclose(got, truth, rtol=1e-12, atol=0))


@attack("(√x)² at 0, where 1 is right", "NaN, or 1", **THREE)
def test_root_squared():
    assert unknown(lambda x: np.sqrt(x) ** 2, 0.0, 1.0)
    assert unknown(lambda x: np.sqrt(x) * np.sqrt(x), 0.0, 1.0)
    assert unknown(lambda x: np.cbrt(x) ** 3, 0.0, 1.0)
    assert unknown(lambda x: np.sqrt(x) ** 2, 0.0, 0.0, order=2)


@attack(
    "exp(Σ log x) at (0, 2, 3), where 6, 0, 0 is right",
    "NaN, 0, 0",
    **dict.fromkeys(THREE, "NaN, 0, 0"),
)
def test_product_by_logarithms():
    product = lambda x: np.exp(np.sum(np.log(x)))  # noqa: E731
    assert unknown(product, [0.0, 2.0, 3.0], [6.0, 0.0, 0.0])
    assert unknown(product, [0.0, 2.0, 3.0], [[0, 3, 2], [3, 0, 0], [2, 0, 0]], order=2)


@attack("arccos(x)² at 1, where −2 is right", "NaN", **THREE)
def test_angle_squared():
    assert unknown(lambda x: np.arccos(x) ** 2, 1.0, -2.0)
    assert unknown(lambda x: np.arccosh(x) ** 2, 1.0, 2.0)
    assert unknown(lambda x: np.arcsin(x) * np.arccos(x), 1.0, -np.pi / 2)


@attack("1/(1/x) at 0, where 1 is right", "NaN", **THREE)
def test_reciprocal_twice():
    assert unknown(lambda x: 1 / (1 / x), 0.0, 1.0)
    assert unknown(lambda x: np.reciprocal(np.reciprocal(x)), 0.0, 1.0)


@attack("log cosh x at 1000, where 1 is right", "NaN", **THREE)
def test_overflow_under_a_logarithm():
    assert unknown(lambda x: np.log(np.cosh(x)), 1000.0, 1.0)
    weights = np.array([1.0, 2.0])
    assert unknown(lambda z: np.log(np.sum(weights * np.exp(z))), [800.0, 1.0], [1.0, 0.0])


@attack("log Σ exp(log p + c) at p = (0, ½)", "NaN at the 0, 2 beside it")
def test_log_sum_of_products():
    c = np.array([1.0, 2.0])
    truth = np.exp(c) / (np.exp(2) / 2)
    assert unknown(lambda p: ag.logsumexp(np.log(p) + c), [0.0, 0.5], truth)


@attack("x − x as a factor of √x at 0", "NaN")
def test_a_difference_that_is_zero():
    assert unknown(lambda x: (x - ag.stop_gradient(x)) * np.sqrt(x), 0.0, np.nan)
    assert unknown(lambda x: np.sum((x[0] - 2.0) * np.sqrt(x[1])), [2.0, 0.0], [0.0, np.nan])


@attack(
    "√ and log of relu(x), left of 0",
    "0",
    torch="0",
    jax="0; NaN by maximum",
    autograd="NaN by maximum",
)
def test_singular_after_relu():
    x = [-1.0, 4.0]
    for order in (1, 2):
        for f, derivatives in (
            (lambda x: np.sqrt(ag.relu(x)), (0.25, -1 / 32)),
            (lambda x: np.log(ag.relu(x)), (0.25, -1 / 16)),
            (lambda x: np.sqrt(np.maximum(x, 0)), (0.25, -1 / 32)),
            (lambda x: np.sqrt(np.clip(x, 0, 9)), (0.25, -1 / 32)),
            (lambda x: ag.relu(x) ** 0.3, (0.3 * 4**-0.7, -0.21 * 4**-1.7)),
        ):
            got = at(lambda x, f=f: np.sum(f(x)), x, order)
            expected = [0, derivatives[0]] if order == 1 else np.diag([0, derivatives[1]])
            np.testing.assert_allclose(got, expected, rtol=1e-12)


@attack("log(x)[x > 0], summed, at 0 and 4", "0, ¼", **BESIDE)
def test_singular_before_an_index():
    for f in (
        lambda x: np.sum(np.log(x)[1:]),
        lambda x: np.sum(np.log(x)[np.array([False, True])]),
        lambda x: np.sum(np.take(np.log(x), [1, 1])) / 2,
        lambda x: np.take_along_axis(np.log(x), np.array([1]), axis=0)[0],
        lambda x: np.max(np.log(x)),
        lambda x: np.trace(np.tril(np.log(x)[::-1][None, :])),
        lambda x: np.log(x)[-1],
    ):
        np.testing.assert_allclose(at(f, [0.0, 4.0]), [0, 0.25])
        np.testing.assert_allclose(at(f, [0.0, 4.0], 2), np.diag([0, -1 / 16]))


@attack("a mask of 0 and 1 times √x, at 0 and 4", "0, ¼", **BESIDE)
def test_singular_times_a_constant_mask():
    mask = np.array([0.0, 1.0])
    for f in (
        lambda x: np.sum(mask * np.sqrt(x)),
        lambda x: np.sum(mask[:, None] * np.sqrt(x)[:, None]),
        lambda x: np.sum(mask * (1 - np.sqrt(x).reshape(2, 1).T[0])) * -1,
    ):
        np.testing.assert_allclose(at(f, [0.0, 4.0]), [0, 0.25])
        np.testing.assert_allclose(at(f, [0.0, 4.0], 2), np.diag([0, -1 / 32]))


@attack("Σ where(y is missing, 0, (y − x)²)", "0 where it is missing", **THREE)
def test_missing_targets():
    y, x = np.array([np.nan, 1.0]), np.array([0.0, 4.0])
    for power in (lambda d: d**2, np.square, lambda d: d * d, np.cosh):
        f = lambda x, power=power: np.sum(np.where(np.isnan(y), 0, power(y - x)))  # noqa: E731
        got = at(f, x)
        assert got[0] == 0
        assert got[1] in (6.0, np.sinh(3.0))


@attack("the Jacobian of √x at (0, 4)", "∞ and ¼ on the diagonal, 0 beside it")
def test_the_jacobian_of_a_root():
    with np.errstate(all="ignore"):
        got = ag.jacobian(np.sqrt)(np.array([0.0, 4.0]))
    np.testing.assert_array_equal(got, [[np.inf, 0], [0, 0.25]])


@attack("x ** n for n = 0, 1, 2, 3 at 0", "0, 1, 0, 0")
def test_powers_at_zero():
    for n, derivative in enumerate([0.0, 1.0, 0.0, 0.0]):
        assert at(lambda x, n=n: x**n, 0.0) == derivative
        assert at(lambda x, n=n: x ** np.array([float(n)]) @ np.ones(1), 0.0) == derivative
    np.testing.assert_array_equal(at(lambda x: np.sum(np.vander(x, 4)), [0.0, 2.0]), [1, 17])


@attack("a ** b by both at (0, 0), where it jumps", "not finite")
def test_zero_to_the_zero():
    with np.errstate(all="ignore"):
        assert not np.isfinite(ag.grad(np.power, 1)(0.0, 0.0))
        assert ag.grad(np.power, 1)(0.0, 2.0) == 0
        assert not np.isfinite(ag.grad(ag.grad(np.power, 1))(0.0, 1.0))


@attack("the angle of the origin", "NaN, for it jumps there", torch="0", jax="NaN", autograd="NaN")
def test_the_angle_of_the_origin():
    assert np.isnan(at(lambda x: np.arctan2(x[0], x[1]), [0.0, 0.0])).all()


@attack("a label of 0 beside a probability of 0", "loss 0, gradient 1")
def test_labels_that_are_zero():
    loss = lambda p: ag.binary_cross_entropy(p, np.zeros(1))  # noqa: E731
    assert at(loss, [0.0]) == 1
    assert at(loss, [0.0], 2) == 1
    by_label = ag.grad(ag.grad(lambda p, y: ag.binary_cross_entropy(p, y)), 1)
    with np.errstate(all="ignore"):
        assert by_label(0.5, 0.0) == -4
        assert not np.isfinite(by_label(0.0, 0.0))


@attack("the mixed derivative of a ** b where b is 0", "½ at a = 2", torch="½", jax="½")
def test_mixed_derivatives_of_a_power():
    np.testing.assert_allclose(
        at(lambda x: x[0] ** x[1], [2.0, 0.0], 2), [[0, 0.5], [0.5, np.log(2) ** 2]]
    )
    by_exponent = lambda b: ag.grad(ag.grad(lambda a: a**b))(2.0)  # noqa: E731
    assert ag.grad(by_exponent)(0.0) == -0.25


@attack("where(False, Π x, Σ x) at (∞, 1)", "1, 1")
def test_what_mixes_elements_in_a_branch_not_taken():
    for f in (np.prod, ag.logsumexp, np.linalg.norm, np.std, np.var, lambda x: x @ x):
        gradient = at(lambda x, f=f: np.where(False, f(x), np.sum(x)), [np.inf, 1.0])
        np.testing.assert_array_equal(gradient, [1, 1])


@attack("a custom rule that subtracts shifted gradients, partly in a branch", "as without")
def test_differences_in_a_custom_rule():
    def rule(g, out, x):
        return np.roll(g, 1) - g

    step = ag.operation("attack_step", lambda x: np.roll(x, -1) - x, rule, reads="")
    taken, weights = np.array([True, True, True, False]), np.array([1.0, 2.0, 3.0, 4.0])
    hessian = at(lambda x: np.sum(np.where(taken, step(x**2) * weights, 0)), [1, 2, 4, 7], 2)
    np.testing.assert_array_equal(np.diag(hessian), [-2, -2, -2, 6])


@attack("missing targets, compiled", "0 where they are missing")
def test_missing_targets_compiled():
    y = np.array([np.nan, 2.0])
    loss = lambda x, y: np.sum(np.where(np.isnan(y), 0, (y - x) ** 2))  # noqa: E731
    np.testing.assert_array_equal(ag.compile(ag.grad(loss))(np.array([0.0, 4.0]), y), [0, 4])
    compiled = ag.compile(ag.grad(lambda x: np.sum(np.where(np.isnan(y), 0.0, x * y))))
    np.testing.assert_array_equal(compiled(np.ones(2)), [0, 2])
