"""Laws that derivatives obey, whatever the function is."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.testing import programs

SEEDS = st.integers(0, 999)
CLOSE = {"rtol": 1e-8, "atol": 1e-10}


def matrices(program):
    """A program as a function of its first argument alone, to a matrix."""
    names = program.names | {"mean": lambda x, **axes: np.mean(x, **axes) if axes else x}
    f = program.within(names)
    return (lambda x: f(x, *program.arrays[1:])), program.arrays[0]


@given(programs(max_size=20), SEEDS)
def test_vjp_is_linear(program, seed):
    f, x = matrices(program)
    random = np.random.default_rng(seed)
    y, pull = ag.vjp(f, x)
    u, v = random.normal(size=(2, *y.shape))
    a, b = random.normal(size=2)
    np.testing.assert_allclose(pull(a * u + b * v)[0], a * pull(u)[0] + b * pull(v)[0], **CLOSE)
    np.testing.assert_array_equal(pull(2 * u)[0], 2 * pull(u)[0])


@given(programs(max_size=20), SEEDS)
def test_jvp_is_linear(program, seed):
    f, x = matrices(program)
    random = np.random.default_rng(seed)
    u, v = random.normal(size=(2, *x.shape))
    push = lambda u: ag.jvp(f, (x,), (u,))[1]  # noqa: E731
    np.testing.assert_allclose(push(3 * u - v), 3 * push(u) - push(v), **CLOSE)


@given(programs(max_size=20), SEEDS)
def test_jacobian_and_its_transpose_agree(program, seed):
    f, x = matrices(program)
    random = np.random.default_rng(seed)
    y, pull = ag.vjp(f, x)
    u, v = random.normal(size=x.shape), random.normal(size=y.shape)
    forward = np.sum(v * ag.jvp(f, (x,), (u,))[1])
    np.testing.assert_allclose(forward, np.sum(pull(v)[0] * u), **CLOSE)


@settings(max_examples=30)
@given(programs(max_size=12))
def test_hessians_are_symmetric(program):
    argnums = tuple(range(len(program.arrays)))
    hessian = ag.hessian(program, argnums)(*program.arrays)
    for i in argnums:
        for j in argnums:
            block = hessian[i][j].reshape(program.arrays[i].size, -1)
            mirror = hessian[j][i].reshape(program.arrays[j].size, -1)
            np.testing.assert_allclose(block, mirror.T, **CLOSE)


@given(SEEDS, st.integers(1, 4), st.integers(1, 4))
def test_the_derivative_of_a_linear_function_is_itself(seed, rows, columns):
    random = np.random.default_rng(seed)
    matrix, x, u = (random.normal(size=s) for s in ((rows, columns), columns, columns))
    linear = [
        lambda x: matrix @ x,
        lambda x: np.cumsum(x[::-1]) / 2,
        lambda x: np.mean(np.stack([x, 3 * x]), axis=0),
        lambda x: np.concatenate([x, -x]).reshape(2, -1).T,
    ]
    for f in linear:
        np.testing.assert_allclose(ag.jvp(f, (x,), (u,))[1], f(u), **CLOSE)
        np.testing.assert_allclose(np.tensordot(ag.jacobian(f)(x), u, 1), f(u), **CLOSE)
        assert not np.any(ag.jvp(ag.jacobian(f), (x,), (u,))[1])


@given(programs(max_size=10), programs(max_size=10), SEEDS)
def test_sum_product_and_chain_rule(one, two, seed):
    f, x = matrices(one)
    g = lambda x: np.tanh(two.within(two.names)(*([x] * len(two.arrays))))  # noqa: E731
    h = lambda x: np.mean(f(x))  # noqa: E731
    (df, dg), (vf, vg) = (
        (ag.grad(h)(x), ag.grad(g)(x)),
        (h(ag.Tensor(x)).data, g(ag.Tensor(x)).data),
    )
    np.testing.assert_allclose(ag.grad(lambda x: h(x) + g(x))(x), df + dg, **CLOSE)
    np.testing.assert_allclose(ag.grad(lambda x: h(x) * g(x))(x), df * vg + vf * dg, **CLOSE)
    np.testing.assert_allclose(ag.grad(lambda x: np.exp(h(x)))(x), np.exp(vf) * df, **CLOSE)


@given(SEEDS, st.integers(1, 6), st.integers(1, 4), st.sampled_from(["sum", "mean"]))
def test_the_hessian_of_logistic_regression(seed, rows, columns, reduction):
    random = np.random.default_rng(seed)
    a, w = random.normal(size=(rows, columns)), random.normal(size=columns)
    y = random.integers(0, 2, rows).astype(float)
    over = rows if reduction == "mean" else 1
    y_hat = 1 / (1 + np.exp(-a @ w))
    expected = a.T @ np.diag(y_hat * (1 - y_hat)) @ a / over
    losses = [
        lambda w: ag.binary_cross_entropy(ag.sigmoid(a @ w), y, reduction=reduction),
        lambda w: ag.binary_cross_entropy_with_logits(a @ w, y, reduction=reduction),
        lambda w: (
            -np.sum(y * np.log(ag.sigmoid(a @ w)) + (1 - y) * np.log(1 - ag.sigmoid(a @ w))) / over
        ),
    ]
    for loss in losses:
        np.testing.assert_allclose(ag.grad(loss)(w), a.T @ (y_hat - y) / over, **CLOSE)
        np.testing.assert_allclose(ag.hessian(loss)(w), expected, **CLOSE)
        np.testing.assert_allclose(ag.hvp(loss)(w, w), expected @ w, **CLOSE)
