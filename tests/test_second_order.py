"""The directions and the steps of L-BFGS and of Newton's method."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from autograd_lite.models.solvers.lbfgs import _direction
from autograd_lite.models.solvers.line_search import line_search, point
from autograd_lite.models.solvers.newton_cg import _direction as newton_direction

SEEDS = st.integers(0, 2**32 - 1)


class Parabola:
    """Half of wᵀHw − bᵀw, with its derivatives."""

    def __init__(self, H, b):
        self.H, self.b = H, b

    def __call__(self, w):
        return float(w @ self.H @ w / 2 - self.b @ w), self.H @ w - self.b

    def hvp(self, w, vector):
        return self.H @ vector


def bowl(random, n):
    A = random.normal(size=(n + 2, n))
    return A.T @ A + 0.1 * np.eye(n)


@given(SEEDS, st.integers(1, 6), st.integers(0, 10))
def test_the_direction_of_lbfgs_is_that_of_the_matrix(seed, n, k):
    """The inverse of the curvature as BFGS writes it, updated by each pair in turn."""
    random = np.random.default_rng(seed)
    H = bowl(random, n)
    steps = random.normal(size=(k, n))
    changes = steps @ H
    inverse = np.eye(n)
    if k:
        inverse *= (steps[-1] @ changes[-1]) / (changes[-1] @ changes[-1])
    for s, y in zip(steps, changes, strict=True):
        V = np.eye(n) - np.outer(s, y) / (s @ y)
        inverse = V @ inverse @ V.T + np.outer(s, s) / (s @ y)
    d = random.normal(size=n)
    np.testing.assert_allclose(_direction(d, steps, changes), inverse @ d, rtol=1e-6, atol=1e-8)


@given(SEEDS, st.integers(1, 6), st.sampled_from([1.0, 1e-3, 1e-6]))
def test_the_direction_of_newton_is_the_more_exact_the_nearer_the_minimum(seed, n, distance):
    random = np.random.default_rng(seed)
    parabola = Parabola(bowl(random, n), random.normal(size=n))
    minimum = np.linalg.solve(parabola.H, parabola.b)
    here = point(parabola, minimum + distance * random.choice([-1, 1], size=n))
    direction = newton_direction(parabola, here)
    size = np.abs(here.gradient).sum()
    rest = np.abs(parabola.H @ direction + here.gradient).sum()
    assert rest <= (1 + 1e-6) * min(0.5, size**0.5) * size
    assert direction @ here.gradient < 0


@given(SEEDS, st.integers(1, 6))
def test_where_the_loss_bends_down_newton_goes_downhill(seed, n):
    random = np.random.default_rng(seed)
    hill = Parabola(-bowl(random, n), random.normal(size=n))
    here = point(hill, random.normal(size=n))
    direction = newton_direction(hill, here)
    np.testing.assert_allclose(direction, -here.gradient / np.linalg.norm(here.gradient))


FUNCTIONS = {
    "parabola": (lambda t: t**2 / 2, lambda t: t),
    "quartic": (lambda t: t**4 - t**2, lambda t: 4 * t**3 - 2 * t),
    "softplus": (lambda t: np.logaddexp(0, t) - 0.1 * t, lambda t: 1 / (1 + np.exp(-t)) - 0.1),
    "barrier": (lambda t: t - np.log(t) if t > 0 else np.nan, lambda t: 1 - 1 / t),
    "waves": (lambda t: np.sin(3 * t) + t**2 / 8, lambda t: 3 * np.cos(3 * t) + t / 4),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@given(st.floats(0.01, 20), st.floats(1e-6, 1e6))
def test_a_step_meets_the_conditions_of_wolfe(name, at, step):
    value, slope = FUNCTIONS[name]

    def function(w):
        with np.errstate(all="ignore"):
            return float(value(w[0])), np.array([slope(w[0])])

    here = point(function, np.array([at]))
    assume(abs(here.gradient[0]) > 1e-3)
    direction = -np.sign(here.gradient)
    found = line_search(function, here, direction, step)
    taken, before, after = (
        (found.w - here.w) @ direction,
        *(p.gradient @ direction for p in (here, found)),
    )
    assert taken > 0
    assert found.loss <= here.loss + 1e-4 * taken * before + 1e-15 * abs(here.loss)
    assert abs(after) <= 0.9 * abs(before)


@given(st.floats(-5, 5), st.sampled_from([1.0, 0.0, np.nan]))
def test_no_step_leads_uphill(at, slope):
    assert (
        line_search(
            lambda w: (w[0], np.ones(1)),
            point(lambda w: (w[0], np.ones(1)), np.array([at])),
            np.array([slope]),
            1.0,
        )
        is None
    )


@pytest.mark.parametrize("offset", [0.0, 1e9, -1e12])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_where_rounding_hides_the_fall_the_gradient_decides(offset, dtype):
    def function(w):
        return float(dtype(offset + w[0] ** 2 / 2)), w.astype(dtype)

    here = point(function, np.array([1e-6]))
    found = line_search(function, here, -here.gradient, 1.0)
    assert abs(found.w[0]) < 1e-7


def test_a_loss_that_falls_forever_ends():
    def fall(w):
        return -float(w[0]), -np.ones(1)

    assert line_search(fall, point(fall, np.zeros(1)), np.ones(1), 1.0) is None
