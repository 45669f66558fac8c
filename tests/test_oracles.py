"""Programs drawn at random give the same in PyTorch and JAX: value, gradient, Hessian times v.

`PROGRAMS=20000 pytest tests/test_oracles.py -k rich` draws so many of the rich ones.
"""

from __future__ import annotations

import functools
import os
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.testing import NAMES, Program, programs

CLOSE = {"rtol": 1e-8, "atol": 1e-10}
MANY = int(os.environ.get("PROGRAMS", "150"))

RICH = (
    "{0} / (1.5 + sin({1})) / 2",
    "{0} / sqrt(1 + mean({1} ** 2, axis=1, keepdims=True)) / 2",
    "log(2.1 + {0} * {0}) - {1} / 2",
    "log1p({0} ** 2) - expm1(-({1} ** 2))",
    "sqrt({0} ** 2 + {1} ** 2 + 0.1) / 1.5",
    "hypot({0}, 1 + {1} ** 2) / 3",
    "abs({0} - 0.3) ** 1.5 / 2",
    "(1.5 + sin({0})) ** {1} / 4",
    "({0} ** 3 - {1} ** 4 / 2) / 8",
    "arctan2({0}, 1.2 + {1} ** 2)",
    "{0} * {1} / 2 - {1}[-1:]",
    "prod({0} - 0.1, axis=0, keepdims=True) / 5",
    "prod(1.3 - {0} / 2, axis=1, keepdims=True) / 6",
    "cumsum({0} - {1} / 3, axis=1) / 4",
    "cumprod({0} + 0.2, axis=0) / 5",
    "norm({0} - 0.4, axis=1, keepdims=True) / 2",
    "{0} / norm(concatenate([{0}, cos({0}) + 1.1], axis=0), axis=0, keepdims=True)",
    "flip({0}, 0) - {0}[:, [-1]] / 2",
    "{0}[[-1]] / 2 + {1}[:, :1] / 2",
    "roll({0}, 1, axis=0) - flip({1}, 1) / 3",
    "concatenate([{0} + 0 * {1}, sin({1}) + 0 * {0}], axis=0)[::2]",
    "max(stack([{0} + 0 * {1}, 0.7 * {1} + 0 * {0} + 0.1]), axis=0)",
    "minimum({0}, 0.6 * {1} + 0.3)",
    "maximum({0} / 2 - 0.2, {1})",
    "clip({0}, -0.73, 0.81)",
    "clip({0} * {1}, -1.13, 1.07)",
    "where({0} * {1} > 0.2, sin({0}), {1} ** 2 / 3)",
    "where({0} > 0.1, log(abs({0}) + 0.05), exp({0} - 1) / 2) / 1.5",
    "sort({0} + 0.1 * {1}, axis=0)",
    "{0} - min(sort({1}, axis=1), axis=1, keepdims=True) / 2",
    "mean(stacked({0}) @ transposed(stacked({0})), axis=0) @ {0} / 30",
    "solve(definite({0}), {0} + 0.3)",
    "inv(definite({0} / 2)) @ {0}",
    "log(det(definite({0}))) / 5 + {1} / 4",
    "cholesky(definite({0})) @ {0} / 6",
    "var({0}, axis=0, keepdims=True) / 3 - {1} / 3",
    "std(stacked({0}), axis=0) - {1} / 4",
    "logsumexp({0} * {1}, axis=1, keepdims=True) / 3",
    "logsumexp(stacked({0}), axis=0) / 2 - {1} / 3",
    "softmax({0} - {1}, axis=1)",
    "log_softmax(2 * {0}, axis=0) / 4",
    "einsum('ij,kj->ik', {0}, tanh({0})) @ {0} / 12",
    "sinh({0} / 2) - cosh({1} / 3) + 1",
    "sigmoid(3 * {0}) - softplus({1}) / 2",
)
"""Steps with what `autograd_lite.testing.STEPS` lacks. None has a kink where a result may be 0."""


def stacked(names):
    return lambda x: names["stack"]([x, names["sin"](x) + 1.3, x * x - 0.9])


def definite(eye):
    return lambda x: x @ x.T + 1.5 * eye(len(x))


def among(home, names):
    return {name: getattr(home, name) for name in names.split()}


OURS = {
    **among(np, "sin cos sinh cosh expm1 log1p abs"),
    **among(np, "hypot arctan2 minimum clip einsum"),
    **among(np, "prod cumsum cumprod roll flip sort"),
    **among(np, "max min var std concatenate stack"),
    **among(np.linalg, "norm solve inv det cholesky"),
    **among(ag, "logsumexp softmax log_softmax"),
    "transposed": lambda x: np.swapaxes(x, -1, -2),
}
OURS |= {"stacked": stacked(OURS), "definite": definite(np.eye)}


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
    names = {
        **among(torch, "tanh exp log sqrt sigmoid relu"),
        **among(torch, "maximum where mean sum"),
        **among(torch, "sin cos sinh cosh expm1 log1p abs"),
        **among(torch, "hypot arctan2 minimum clip einsum"),
        **among(torch, "prod cumsum cumprod"),
        **among(torch, "concatenate stack softmax log_softmax"),
        **among(torch.linalg, "solve inv det cholesky"),
        "logsumexp": lambda x, axis, keepdims=False: torch.logsumexp(x, axis, keepdims),
        "max": torch.amax,
        "min": torch.amin,
        "norm": lambda x, axis, keepdims: torch.linalg.norm(x, dim=axis, keepdim=keepdims),
        "var": lambda x, axis, keepdims: torch.var(x, axis, correction=0, keepdim=keepdims),
        "std": lambda x, axis: torch.std(x, axis, correction=0),
        "roll": lambda x, shift, axis: torch.roll(x, shift, axis),
        "flip": lambda x, axis: torch.flip(x, (axis,)),
        "sort": lambda x, axis: torch.sort(x, dim=axis, stable=True).values,
        "softplus": lambda x: torch.logaddexp(x, torch.zeros_like(x)),
        "transposed": lambda x: x.mT,
    }
    eye = functools.partial(torch.eye, dtype=torch.float64)
    return names | {"stacked": stacked(names), "definite": definite(eye)}


def compare_with_torch(program, seed):
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


@settings(max_examples=40)
@given(programs(), st.integers(0, 99))
def test_torch_agrees(program, seed):
    compare_with_torch(program, seed)


@settings(max_examples=MANY)
@given(programs(RICH, OURS, max_size=20), st.integers(0, 99))
def test_torch_agrees_on_rich_programs(program, seed):
    compare_with_torch(program, seed)


def test_a_wrong_derivative_is_found():
    wrong = {"cumprod": lambda x, axis: 1.0001 * np.cumprod(x, axis)}
    source = "def program(x0):\n    return mean(cumprod(x0, axis=0))\n"
    x = np.random.default_rng(0).normal(size=(3, 2))
    compare_with_torch(Program(source, (x,), NAMES | OURS), 0)
    with pytest.raises(AssertionError, match="Mismatched"):
        compare_with_torch(Program(source, (x,), NAMES | OURS | wrong), 0)


@functools.cache
def jax_names():
    jax = library("jax")
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

    with jax.enable_x64(True):
        agree(ours(program, v), theirs(program.arrays, v))
