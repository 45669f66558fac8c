"""jacobian, hessian and hvp against closed forms, by rows and by columns, and over containers."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.testing import arrays, shapes

A = np.random.default_rng(1).normal(size=(4, 3))
X = np.array([0.5, -1.0, 2.0])


@pytest.mark.parametrize("rows", [1, 2, 3, 7])
def test_the_jacobian_of_a_linear_map_is_its_matrix(rows):
    matrix = np.random.default_rng(rows).normal(size=(rows, 3))
    np.testing.assert_array_equal(ag.jacobian(lambda x: matrix @ x)(X), matrix)


@given(arrays(shapes(max_dims=2, max_side=3)))
def test_elementwise_jacobians_are_diagonal(x):
    jacobian = ag.jacobian(np.tanh)(x)
    assert jacobian.shape == x.shape + x.shape
    expected = np.diag((1 - np.tanh(x) ** 2).ravel()).reshape(x.shape + x.shape)
    np.testing.assert_allclose(jacobian, expected, atol=1e-15)


def test_containers_in_containers():
    def f(p, s):
        return {"scaled": p["w"] * s, "sum": np.sum(p["w"]) + p["b"]}

    given_ = {"w": X, "b": 2.0}
    jacobian = ag.jacobian(f, (0, 1))(given_, 3.0)
    np.testing.assert_array_equal(jacobian["scaled"][0]["w"], 3 * np.eye(3))
    np.testing.assert_array_equal(jacobian["scaled"][0]["b"], np.zeros(3))
    np.testing.assert_array_equal(jacobian["scaled"][1], X)
    np.testing.assert_array_equal(jacobian["sum"][0]["w"], np.ones(3))
    assert jacobian["sum"][0]["b"] == 1
    assert jacobian["sum"][1] == 0
    assert ag.jacobian(f)(given_, 3.0)["sum"]["b"] == 1


@pytest.mark.parametrize("outputs", [1, 2, 5])
def test_rows_and_columns_agree(outputs):
    random = np.random.default_rng(outputs)
    mix = random.normal(size=(outputs, 3))
    jacobian = ag.jacobian(lambda x, y: np.tanh(mix @ (x * y)), (0, 1))(X, 2.0)
    derivative = 1 - np.tanh(mix @ (2 * X)) ** 2
    np.testing.assert_allclose(jacobian[0], derivative[:, None] * mix * 2, rtol=1e-12)
    np.testing.assert_allclose(jacobian[1], derivative * (mix @ X), rtol=1e-12)


def test_the_hessian_of_a_quadratic_form():
    matrix = np.random.default_rng(3).normal(size=(3, 3))
    f = lambda x: x @ matrix @ x  # noqa: E731
    np.testing.assert_allclose(ag.hessian(f)(X), matrix + matrix.T, rtol=1e-12)
    np.testing.assert_allclose(ag.hvp(f)(X, X), (matrix + matrix.T) @ X, rtol=1e-12)
    np.testing.assert_array_equal(ag.jacobian(ag.hessian(f))(X), np.zeros((3, 3, 3)))


def test_third_derivatives():
    third = ag.jacobian(ag.hessian(lambda x: np.sum(x**3)))(X)
    expected = np.zeros((3, 3, 3))
    expected[range(3), range(3), range(3)] = 6
    np.testing.assert_allclose(third, expected, atol=1e-12)


@given(st.integers(0, 30))
def test_hvp_is_the_hessian_times_v(seed):
    random = np.random.default_rng(seed)

    def f(p):
        return np.mean(np.tanh(A @ p["w"] + p["b"]) ** 2)

    p = {"w": random.normal(size=(3,)), "b": random.normal(size=(4,))}
    v = {"w": random.normal(size=(3,)), "b": random.normal(size=(4,))}
    hessian, product = ag.hessian(f)(p), ag.hvp(f)(p, {"b": v["b"], "w": v["w"]})
    for row in p:
        expected = sum(hessian[row][column] @ v[column] for column in p)
        np.testing.assert_allclose(product[row], expected, rtol=1e-9, atol=1e-12)


def test_hvp_by_several_arguments():
    f = lambda x, y: np.sum(x * x * y)  # noqa: E731
    x, y = ag.hvp(f, (0, 1))(X, X + 1, (X, X))
    np.testing.assert_allclose(x, 2 * (X + 1) * X + 2 * X * X)
    np.testing.assert_allclose(y, 2 * X * X)
    np.testing.assert_allclose(ag.hvp(f, 1)(X, X, X), np.zeros(3))
    np.testing.assert_allclose(ag.hvp(f)(X, X, X), 2 * X * X)


def test_tensors_give_tensors_that_can_be_differentiated():
    w = ag.Tensor(X)
    np.sum(ag.hessian(lambda x: np.sum(x**4))(w)).backward()
    np.testing.assert_allclose(w.grad, 24 * X)
    w.zero_grad()
    np.sum(ag.jacobian(lambda x: np.stack([x**2, x**3, x**4, x**5]))(w)[0]).backward()
    np.testing.assert_allclose(w.grad, [2, 2, 2])


def test_empty_arrays_and_numbers():
    assert ag.jacobian(np.exp)(np.zeros((0, 2))).shape == (0, 2, 0, 2)
    assert ag.jacobian(lambda x: x[:0])(X).shape == (0, 3)
    assert ag.jacobian(np.exp)(0.0) == 1
    assert isinstance(ag.hessian(np.exp)(0.0), np.float64)


def test_dtypes():
    assert ag.jacobian(np.exp)(X.astype(np.float32)).dtype == np.float32
    assert ag.hessian(lambda x: np.sum(np.exp(x)))(X.astype(np.float32)).dtype == np.float32


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: ag.jacobian(3), TypeError, "expected a function; got int"),
        (lambda: ag.hessian(np.exp)(X), ValueError, "must return a scalar"),
        (lambda: ag.hvp(np.sum)(X), TypeError, "then a vector"),
        (lambda: ag.hvp(np.sum)(X, X[:2]), ValueError, r"the vector of shape \(2,\)"),
        (lambda: ag.jacobian(lambda x: "text")(X), TypeError, "the function's result"),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


def _plain(x):
    return np.sum(x**3)


def _of_two(x, y, *, scale=1.0):
    return np.sum(x**3 * y) * scale


def _with_a_default(x, power=3):
    return np.sum(x**power)


def _of_any_number(*xs, **named):
    return np.sum(xs[0] ** 3) * sum(named.values(), start=1.0) + 0 * sum(map(np.sum, xs[1:]))


def _called_v(v):
    return np.sum(v**3)


@pytest.mark.parametrize(
    ("f", "before", "named"),
    [
        (_plain, (), {}),
        (_of_two, (X,), {}),
        (_of_two, (X,), {"scale": 3.0}),
        (_with_a_default, (), {}),
        (_with_a_default, (4,), {}),
        (_with_a_default, (), {"power": 4}),
        (_of_any_number, (X, X), {"k": 2.0}),
        (_called_v, (), {}),
        (np.sum, (), {}),
    ],
)
def test_the_signature_of_hvp_has_the_vector(f, before, named):
    product = ag.hvp(f)
    arguments = (X, *before, np.ones(3))
    inspect.signature(product).bind(*arguments, **named)
    expected = product(*arguments, **named)
    np.testing.assert_allclose(ag.compile(product)(*arguments, **named), expected, rtol=1e-14)
