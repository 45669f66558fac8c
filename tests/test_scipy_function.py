"""Functions of nested containers as objectives of SciPy's solvers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings

import autograd_lite as ag
from autograd_lite.testing import programs

optimize = pytest.importorskip("scipy.optimize")
minimize = optimize.minimize


def loss(model, X, y):
    z = X @ model["w"] + model["b"][0]
    return np.mean(ag.softplus(z) - y * z) + 0.05 * np.sum(model["w"] ** 2)


def problem(dtype=np.float64):
    draw = np.random.default_rng(0).normal
    X = draw(size=(60, 3))
    y = (X @ np.array([1.0, -2.0, 0.5]) + draw(size=60) > 0).astype(float)
    start = {"w": np.zeros(3, dtype), "b": [np.zeros((), dtype)]}
    return ag.interop.scipy(loss)(start, X, y=y)


PLAIN = ["BFGS", "CG", "L-BFGS-B", "TNC", "SLSQP"]
PRODUCT = ["Newton-CG", "trust-ncg", "trust-krylov", "trust-constr"]


@pytest.mark.parametrize("method", [*PLAIN, *PRODUCT, "trust-exact", "dogleg"])
def test_every_solver_finds_the_minimum(method):
    p = problem()
    more = {"hessp": p.hessp} if method in PRODUCT else {}
    more = {"hess": p.hess} if method in ("trust-exact", "dogleg") else more
    result = minimize(p, p.x0, jac=True, method=method, tol=1e-8, **more)
    value, gradient = p(result.x)
    assert np.abs(gradient).max() < 1e-4
    assert value == pytest.approx(0.4872479, abs=1e-6)
    model = p.tree(result.x)
    assert model["w"].shape == (3,)
    assert model["b"][0].shape == ()


@settings(max_examples=15)
@given(program=programs(max_size=10))
def test_values_and_derivatives_of_random_programs(program):
    argnums = tuple(range(len(program.arrays)))
    p = ag.interop.scipy(lambda x: program(*x))(list(program.arrays))
    value, gradients = ag.value_and_grad(program, argnums)(*program.arrays)
    found = p(p.x0)
    assert found[0] == pytest.approx(float(value), rel=1e-12, nan_ok=True)
    flat = np.concatenate([np.ravel(g) for g in gradients])
    np.testing.assert_allclose(found[1], flat, 1e-9, 1e-9)
    v = np.cos(np.arange(p.x0.size))
    np.testing.assert_allclose(
        p.hess(p.x0) @ v, p.hessp(p.x0, v), 1e-6, 1e-8 * (1 + np.abs(p.hess(p.x0)).max())
    )


def test_the_gradient_by_the_checker_of_scipy():
    p = problem()
    assert optimize.check_grad(lambda x: p(x)[0], lambda x: p(x)[1], p.x0 + 0.3) < 1e-6


def test_each_array_is_a_new_one():
    p = problem()
    x = p.x0.copy()
    first, product = p(x)[1], p.hessp(x, x + 1)
    kept = first.copy(), product.copy()
    p(x + 1), p.hessp(x + 1, x + 2)
    first_again = p(x)[1]
    np.testing.assert_array_equal(first, kept[0])
    np.testing.assert_array_equal(product, kept[1])
    assert not np.shares_memory(first, first_again)
    tree = p.tree(x)
    tree["w"] += 1
    np.testing.assert_array_equal(x, p.x0)
    np.testing.assert_array_equal(p.tree(p.x0)["w"], 0)


def test_it_computes_in_float64_and_returns_the_dtypes_of_the_start():
    p = problem(np.float32)
    value, gradient = p(p.x0)
    assert (p.x0.dtype, gradient.dtype, type(value)) == (np.float64, np.float64, float)
    np.testing.assert_array_equal(gradient, problem()(p.x0)[1])
    assert p.tree(p.x0)["w"].dtype == np.float32


def test_a_callback_gets_a_vector_that_fits():
    p, seen = problem(), []

    def callback(intermediate_result):
        seen.append(p.tree(intermediate_result.x)["w"])

    minimize(p, p.x0, jac=True, method="L-BFGS-B", callback=callback)
    assert len({w.tobytes() for w in seen}) == len(seen) > 2


def test_bad_input_has_one_error():
    with pytest.raises(ValueError, match="the start holds no numbers"):
        ag.interop.scipy(loss)({"w": np.zeros(0)})
    with pytest.raises(TypeError, match=r"the start\['w'\]"):
        ag.interop.scipy(loss)({"w": "text"})
    with pytest.raises(ValueError, match=r"interop.scipy: x has shape \(2,\), not \(4,\)"):
        problem()(np.zeros(2))
    p = ag.interop.scipy(lambda x: x * x)(np.zeros(3))
    with pytest.raises(ValueError, match="must return a scalar"):
        p(p.x0)
