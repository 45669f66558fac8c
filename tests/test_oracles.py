"""Programs drawn at random give the same in PyTorch and JAX: value, gradient, Hessian times v."""

from __future__ import annotations

import functools
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.testing import programs

CLOSE = {"rtol": 1e-8, "atol": 1e-10}


def library(name):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip(name)


def ours(program, v):
    argnums = tuple(range(len(program.arrays)))
    value, gradient = ag.value_and_grad(program, argnums)(*program.arrays)
    return value, gradient, ag.hvp(program, argnums)(*program.arrays, v)


def agree(mine, theirs):
    (value, gradient, product), (value_, gradient_, product_) = mine, theirs
    np.testing.assert_allclose(value, value_, **CLOSE)
    for a, b in zip((*gradient, *product), (*gradient_, *product_), strict=True):
        np.testing.assert_allclose(a, b, **CLOSE)


def directions(program, seed):
    random = np.random.default_rng(seed)
    return tuple(random.normal(size=x.shape) for x in program.arrays)


@functools.cache
def torch_names():
    torch = library("torch")
    torch.set_num_threads(1)
    return {
        **{name: getattr(torch, name) for name in ("tanh", "exp", "log", "sqrt", "sigmoid")},
        **{name: getattr(torch, name) for name in ("relu", "maximum", "where", "abs")},
        "mean": lambda x, axis=None, keepdims=False: (
            torch.mean(x) if axis is None else torch.mean(x, axis, keepdims)
        ),
        "sum": lambda x, axis, keepdims: torch.sum(x, axis, keepdims),
        "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
    }


@settings(max_examples=40)
@given(programs(), st.integers(0, 99))
def test_torch_agrees(program, seed):
    names = torch_names()
    torch = library("torch")
    v = directions(program, seed)
    leaves = [torch.tensor(x, requires_grad=True) for x in program.arrays]
    value = program.within(names)(*leaves)

    def grads(y):
        # What does not depend on the leaves has gradient 0.
        if not y.requires_grad:
            return [torch.zeros_like(x) for x in leaves]
        found = torch.autograd.grad(y, leaves, create_graph=True, allow_unused=True)
        return [torch.zeros_like(x) if g is None else g for x, g in zip(leaves, found, strict=True)]

    gradient = grads(value)
    along = sum(torch.sum(g * torch.tensor(t)) for g, t in zip(gradient, v, strict=True))
    numbers = [[g.detach().numpy(force=True) for g in part] for part in (gradient, grads(along))]
    agree(ours(program, v), (value.detach().numpy(), *numbers))


@functools.cache
def jax_names():
    jax = library("jax")
    jax.config.update("jax_enable_x64", True)
    numpy = library("jax.numpy")
    return {
        **{name: getattr(numpy, name) for name in ("tanh", "exp", "log", "sqrt", "maximum")},
        **{name: getattr(numpy, name) for name in ("where", "mean", "sum", "abs")},
        **{name: getattr(jax.nn, name) for name in ("sigmoid", "relu", "softplus")},
    }


@settings(max_examples=8)
@given(programs(), st.integers(0, 99))
def test_jax_agrees(program, seed):
    names = jax_names()
    jax = library("jax")
    v = directions(program, seed)
    f = program.within(names)
    argnums = tuple(range(len(program.arrays)))

    @jax.jit
    def theirs(arguments, v):
        product = jax.jvp(jax.grad(f, argnums), arguments, v)[1]
        return *jax.value_and_grad(f, argnums)(*arguments), product

    agree(ours(program, v), theirs(program.arrays, v))
