"""Functions of arrays as functions of JAX: values, derivatives, jit and vmap."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given, settings

import autograd_lite as ag
from autograd_lite.testing import programs

jax = pytest.importorskip("jax")
jnp = pytest.importorskip("jax.numpy")
test_util = pytest.importorskip("jax.test_util")


def network(x, layers, scale=1.0):
    hidden = np.tanh(x @ layers["w"] + layers["b"])
    return {"hidden": scale * hidden, "total": np.sum(x * x), "best": np.argmax(hidden, axis=1)}


layer = ag.interop.jax(network)


def arrays(dtype=np.float64):
    draw = np.random.default_rng(0).normal
    return tuple(jnp.asarray(draw(size=s).astype(dtype)) for s in ((4, 3), (3, 2), (2,)))


def floats(x, w, b):
    found = layer(x, {"w": w, "b": b}, scale=2.0)
    return found["hidden"], found["total"]


def test_the_checker_of_jax_accepts_it():
    with jax.enable_x64(True):
        test_util.check_grads(floats, arrays(), order=2, modes=["rev"])
        test_util.check_grads(jax.jit(floats), arrays(), order=2, modes=["rev"])


@settings(max_examples=5)
@given(program=programs(max_size=6))
def test_random_programs_have_the_gradients_of_the_engine(program):
    argnums = tuple(range(len(program.arrays)))
    value, gradients = ag.value_and_grad(program, argnums)(*program.arrays)
    with jax.enable_x64(True):
        given = [jnp.asarray(x) for x in program.arrays]
        found = jax.value_and_grad(ag.interop.jax(program), argnums)(*given)
        np.testing.assert_allclose(found[0], value, 1e-10)
        for x, y in zip(found[1], gradients, strict=True):
            np.testing.assert_allclose(x, y, 1e-9, 1e-9)


@pytest.mark.parametrize("wide", [False, True])
def test_dtypes_are_those_that_jax_has(wide):
    with jax.enable_x64(wide):
        x, w, b = arrays(np.float32)
        found = jax.jit(lambda x: layer(x, {"w": w, "b": b}))(x)
        kinds = {k: v.dtype for k, v in found.items()}
        assert kinds == {
            "hidden": "float32",
            "total": "float32",
            "best": "int64" if wide else "int32",
        }
        exact = ag.interop.jax(lambda x: x.astype(np.float64) / 3)(x)
        assert exact.dtype == ("float64" if wide else "float32")
        np.testing.assert_allclose(found["hidden"], jnp.tanh(x @ w + b), 1e-5)


def test_jit_vmap_and_grad_together():
    x, w, b = arrays(np.float32)

    def ours(b, x):
        return floats(x[None], w, b)[0].sum()

    def theirs(b, x):
        return 2 * jnp.tanh(x @ w + b).sum()

    found = jax.jit(jax.vmap(jax.grad(ours), (None, 0)))(b, x)
    np.testing.assert_allclose(found, jax.vmap(jax.grad(theirs), (None, 0))(b, x), 1e-4, 1e-5)


def test_integers_select_and_have_no_gradient():
    table, chosen = jnp.arange(6.0).reshape(3, 2), jnp.array([2, 0, 2])
    loss = ag.interop.jax(lambda t, i: np.sum(t[i] ** 2))
    found = jax.jit(jax.grad(loss))(table, chosen)
    np.testing.assert_array_equal(found, jnp.zeros((3, 2)).at[chosen].add(2 * table[chosen]))


def test_linear_algebra_is_traced_with_matrices_that_have_an_inverse():
    a = jnp.array([[2.0, 1.0], [1.0, 3.0]])
    loss = ag.interop.jax(lambda a: np.sum(np.linalg.inv(a)) + np.linalg.slogdet(a)[1])
    found = jax.jit(jax.grad(loss))(a)
    expected = jax.grad(lambda a: jnp.sum(jnp.linalg.inv(a)) + jnp.linalg.slogdet(a)[1])(a)
    np.testing.assert_allclose(found, expected, 1e-4, 1e-5)


def test_forward_mode_is_refused():
    with pytest.raises(TypeError, match="custom_vjp"):
        jax.jvp(ag.interop.jax(lambda x: np.sum(x)), (jnp.ones(2),), (jnp.ones(2),))


def test_bfloat16_is_refused():
    with pytest.raises(TypeError, match="bfloat16"):
        ag.interop.jax(lambda x: 2 * x)(jnp.ones(2, jnp.bfloat16))


def test_a_layer_is_copied_and_pickled():
    x, w, b = arrays()
    for other in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        found = other(x, {"w": w, "b": b}, scale=2.0)
        assert found["total"] == layer(x, {"w": w, "b": b}, scale=2.0)["total"]
