"""The problems of GradBench: their formulas, that all peers agree, and what is reported."""

from __future__ import annotations

from importlib import import_module
from math import factorial, lgamma, log, pi

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import __main__ as command
from benchmarks.gradbench import gmm, kmeans, llsq, lse, lstm, measure, ode, particle, peers
from benchmarks.gradbench.measure import PEERS, PROBLEMS, Times
from benchmarks.rounds import DisagreementError
from benchmarks.worker import resolve

HERE = "tests.test_gradbench"
LIBRARIES = {"numba": "numba", "torch": "torch", "jax.jit": "jax", "autograd": "autograd.scipy"}
TAKES_LONG_TO_COMPILE = [("numba", problem) for problem in ("lstm", "ode", "particle")]
sizes = st.integers(2, 5)


def subject(peer, problem):
    """A peer's function and gradient of a small problem."""
    if peer in LIBRARIES:
        pytest.importorskip(LIBRARIES[peer])
    return resolve(PEERS[peer])(problem, *import_module(f"benchmarks.gradbench.{problem}").SMALL)


PAIRS = [
    pytest.param(
        problem, peer, marks=pytest.mark.slow if (peer, problem) in TAKES_LONG_TO_COMPILE else ()
    )
    for problem in PROBLEMS
    for peer in PEERS
    if peer != "autograd_lite"
]


@pytest.mark.parametrize(("problem", "peer"), PAIRS)
def test_peers_agree_in_values_and_gradients(problem, peer):
    expected, found = subject("autograd_lite", problem), subject(peer, problem)
    assert float(found.primal()) == pytest.approx(float(expected.primal()), rel=1e-12)
    pairs = zip(*(peers.parts(one.gradient()) for one in (found, expected)), strict=True)
    for part, wanted in pairs:
        assert np.shape(part) == np.shape(wanted)
        np.testing.assert_allclose(part, wanted, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.losses(3), expected.losses(3), rtol=1e-9)


@given(st.integers(1, 50))
def test_lse_is_the_logarithm_of_a_sum_of_exponentials(n):
    (x,) = lse.inputs(n)
    assert lse.primal(np, x) == pytest.approx(log(np.exp(x).sum()))


@given(sizes, st.integers(6, 20))
def test_llsq_is_least_at_the_least_squares_solution(m, n):
    _, t = llsq.inputs(n, m)
    powers = t[:, None] ** np.arange(m)
    best, (twice, *_), *_ = np.linalg.lstsq(powers, np.sign(t))
    assert llsq.primal(np, best, t) == pytest.approx(twice / 2)


@given(st.integers(5, 30), sizes, sizes)
def test_the_newton_step_of_kmeans_leads_to_the_means(n, k, d):
    centroids, points = kmeans.inputs(n, k, d)
    step = peers.autograd_lite("kmeans", n, k, d).gradient()
    nearest = np.argmin(((points[:, None] - centroids) ** 2).sum(axis=2), axis=1)
    means = [points[nearest == j].mean(axis=0) for j in range(k)]
    np.testing.assert_allclose(centroids - step, means)
    assert kmeans.primal(np, centroids, points) == pytest.approx(
        ((points - centroids[nearest]) ** 2).sum()
    )


@given(st.integers(1, 6), sizes, sizes)
def test_gmm_is_the_log_posterior_of_its_densities(n, k, d):
    parameters, x = gmm.inputs(n, k, d)
    alpha, mu, q, below = parameters
    weights = np.exp(alpha) / np.exp(alpha).sum()
    Q = np.zeros((k, d, d))
    for j, (column, row) in enumerate((c, r) for c in range(d) for r in range(c + 1, d)):
        Q[:, row, column] = below[:, j]
    Q[:, range(d), range(d)] = np.exp(q)
    precision = np.swapaxes(Q, 1, 2) @ Q
    likelihood = np.zeros(n)
    for j in range(k):
        away = x - mu[j]
        scale = np.sqrt(np.linalg.det(precision[j]) / (2 * pi) ** d)
        likelihood += weights[j] * scale * np.exp(-((away @ precision[j]) * away).sum(axis=1) / 2)
    gammas = d * (d - 1) / 4 * log(pi) + sum(lgamma((d + 1 - j) / 2) for j in range(d))
    priors = -np.trace(precision, axis1=1, axis2=2) / 2 - d * (d + 1) / 2 * log(2) - gammas
    found = gmm.primal(np, parameters, x)
    assert found == pytest.approx(np.log(likelihood).sum() + priors.sum())


@given(st.integers(1, 5))
def test_ode_comes_close_to_the_solution(n):
    x, s = ode.inputs(n, 200)
    assert ode.primal(np, x, s) == pytest.approx(x.prod() * 2**n / factorial(n), rel=1e-6)


def test_an_lstm_of_one_bit_is_what_scalars_give():
    (main, extra), state, characters = lstm.inputs(1, 4, 1)
    (w, b), (h, c) = main[0, :, :, 0], state[0, :, 0]
    total = 0.0
    for t in range(3):
        x = characters[t, 0] * extra[0, 0]
        f, i, o = (1 / (1 + np.exp(-(w[j] * v + b[j]))) for j, v in enumerate((x, h, x)))
        c = f * c + i * np.tanh(w[3] * h + b[3])
        h = o * np.tanh(c)
        y = h * extra[1, 0] + extra[2, 0]
        total -= characters[t + 1, 0] * (y - log(2 + np.exp(y)))
    assert lstm.primal(np, (main, extra), state, characters) == pytest.approx(total / 3)


def test_the_particle_meets_the_origin_at_gradbenchs_answer():
    assert particle.primal(np, *particle.inputs(0.2071918746486116, 0.1)) < 1e-8
    assert particle.primal(np, *particle.inputs(0.0, 0.1)) > 1e-2


def test_a_gradient_that_differs_is_reported(monkeypatch):
    monkeypatch.setitem(PEERS, "compiled", f"{HERE}:half")
    with pytest.raises(DisagreementError, match="losses of compiled"):
        measure.measure("lse", lse.SMALL, ("autograd_lite", "compiled"), rounds=1, budget=0)


def half(problem, *size):
    right = peers.autograd_lite(problem, *size)
    return peers.Differentiated(right.primal, lambda: right.gradient() / 2)


def test_functions_and_gradients_are_measured():
    found = measure.measure("llsq", llsq.SMALL, ("autograd_lite", "compiled"), rounds=2, budget=0)
    assert list(found) == ["autograd_lite", "compiled"]
    assert all(len(column) == 2 and min(column) > 0 for times in found.values() for column in times)


seconds = st.floats(1e-6, 1e3)


@given(seconds, seconds, seconds, seconds)
def test_a_problem_is_won_against_all_rivals(numpy, numba, torch, jax):
    times = {"compiled": numpy, "numba": numba, "torch": torch, "jax.jit": jax}
    found = {"lse": {peer: Times([1.0], [time]) for peer, time in times.items()}}
    assert measure.won(found) == (min(numpy, numba) <= min(torch, jax))
    assert [goal.measured <= 1 for goal in measure.goals(found["lse"])] == [
        min(numpy, numba) <= rival for rival in (torch, jax)
    ]


def test_the_problems_are_reported(monkeypatch, capsys):
    def measured(problem, **options):
        return {
            "autograd_lite": Times([1e-3] * 3, [4e-3, 3e-3, 5e-3]),
            "compiled": Times([1e-3] * 3, [2e-3] * 3),
            "torch": Times([2e-3] * 3, [4e-3] * 3),
        }

    monkeypatch.setattr(measure, "measure", measured)
    assert command.main(["--parts", "gradbench"]) == 0
    text = capsys.readouterr().out
    assert text.count("| lse | 1,000 | 1,000 | 2,000 |") == 1
    assert text.count("| lse | 4,000 | 2,000 | 4,000 |") == 1
    assert text.count("| lse | 4 | 2 | 2 |") == 1
    assert "| lse | compiled ÷ torch | 0.5 | 1 | met |" in text
    assert "in 8 problems (wanted: 6)" in text
