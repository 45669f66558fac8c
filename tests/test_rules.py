"""The gradient rules themselves: on Tensors as on arrays, linear, and differentiable again."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from operands import DIFFERENTIABLE, cases
from rulecheck import check_linear, check_on_tensors

import autograd_lite as ag
from autograd_lite.op import OPS

pytestmark = pytest.mark.filterwarnings("ignore::autograd_lite.BroadcastWarning")


@pytest.mark.parametrize("name", DIFFERENTIABLE)
@settings(max_examples=4)
@given(st.data())
def test_a_rule_runs_on_tensors_as_on_arrays(name, data):
    check_on_tensors(data.draw(cases(OPS[name])))


@pytest.mark.parametrize("name", DIFFERENTIABLE)
@settings(max_examples=4)
@given(st.data())
def test_a_rule_is_linear_in_the_gradient(name, data):
    check_linear(data.draw(cases(OPS[name])))


@pytest.mark.parametrize(
    ("f", "derivatives"),
    [
        (np.exp, [np.exp] * 4),
        (np.sin, [np.cos, lambda x: -np.sin(x), lambda x: -np.cos(x), np.sin]),
        (lambda x: x**4, [lambda x: 4 * x**3, lambda x: 12 * x**2, lambda x: 24 * x, lambda x: 24]),
        (np.log, [lambda x: 1 / x, lambda x: -1 / x**2, lambda x: 2 / x**3, lambda x: -6 / x**4]),
        (
            np.sqrt,
            [
                lambda x: 0.5 * x**-0.5,
                lambda x: -0.25 * x**-1.5,
                lambda x: 0.375 * x**-2.5,
                lambda x: -0.9375 * x**-3.5,
            ],
        ),
    ],
    ids=["exp", "sin", "fourth power", "log", "sqrt"],
)
def test_derivatives_of_every_order(f, derivatives):
    g = f
    for derivative in derivatives:
        g = ag.grad(g)
        np.testing.assert_allclose(g(0.7), derivative(0.7), rtol=1e-12)


def test_the_derivative_of_the_sigmoid():
    z = np.linspace(-6, 6, 13)
    sigma = ag.sigmoid(z)
    _, pull = ag.vjp(ag.sigmoid, z)
    np.testing.assert_allclose(pull(np.ones(13))[0], sigma * ag.sigmoid(-z), rtol=1e-14)


# Values at the points where a rule has to choose


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (ag.relu, 0.0, 0.0),
        (np.abs, 0.0, 0.0),
        (lambda x: np.maximum(x, 0), 0.0, 0.5),
        (lambda x: np.minimum(x, 0), 0.0, 0.5),
        (lambda x: np.max(np.stack([x, x, x])), 2.0, 1.0),
        (lambda x: x**0, 0.0, 0.0),
        (lambda x: x**1, 0.0, 1.0),
        (lambda x: x**2, 0.0, 0.0),
        (lambda x: 0.0**x, 2.0, 0.0),
        (lambda x: np.where(x > 0, np.sqrt(x), 0 * x), 0.0, 0.0),
        (lambda x: np.where(x > 0, np.log(x), x), -1.0, 1.0),
        (lambda x: np.logaddexp(x, x), 3.0, 1.0),
    ],
)
def test_where_a_rule_has_to_choose(f, x, expected):
    with np.errstate(all="ignore"):
        assert ag.grad(f)(x) == pytest.approx(expected, rel=1e-15, abs=0)


def test_ties_share_the_gradient_equally():
    gradient = ag.grad(np.max)(np.array([1.0, 3.0, 3.0, 2.0]))
    np.testing.assert_array_equal(gradient, [0, 0.5, 0.5, 0])
    rows = ag.grad(lambda a: np.sum(np.min(a, axis=1)))(np.array([[1.0, 1.0], [2.0, 3.0]]))
    np.testing.assert_array_equal(rows, [[0.5, 0.5], [1, 0]])


def test_repeated_indices_add_up():
    gradient = ag.grad(lambda x: np.sum(x[[0, 0, 2]] * np.array([1.0, 10.0, 100.0])))(np.ones(3))
    np.testing.assert_array_equal(gradient, [11, 0, 100])
