"""Compiled programs with many σ and softplus, compared with the eager engine and long double.

A thousand random programs; set PROGRAMS=20000 in the environment to run that many.
"""

from __future__ import annotations

import os

import jets
import numpy as np
import pytest
import rich
from hypothesis import Phase, given, settings

from autograd_lite.compiler import sigmoids

COUNT = int(os.environ.get("PROGRAMS", "1000"))


def check_programs(count, phases=tuple(Phase)):
    @settings(max_examples=count, phases=phases)
    @given(rich.programs())
    def check(program):
        assert rich.disagreement(program) is None

    check()


@pytest.mark.slow
def test_compiled_programs_agree_to_second_order():
    check_programs(COUNT)


def test_a_lost_power_is_found(monkeypatch):
    monkeypatch.setattr(sigmoids, "lowest_terms", rich.planted)
    with pytest.raises(AssertionError):
        check_programs(60, [Phase.generate])


BODIES = {
    "entropy": "p = sigmoid(z)\n    return -sum(p * log(p) + (1 - p) * log(1 - p))",
    "difference": "return sum(y * sigmoid(z) * sigmoid(-z) - z * sigmoid(z) * sigmoid(-z))",
    "soft F1": "s = sigmoid(z)\n    return 1 - 2 * sum(s * y) / (sum(s) + sum(y * y))",
    "saturation": "s = sum(sigmoid(z))\n    return s / (s + 2)",
    "log-odds": "p = sigmoid(z)\n    return sum(y * log(p / (1 - p)))",
    "divergence": "p, q = sigmoid(z), sigmoid(y)\n"
    "    return sum(p * log(p / q) + (1 - p) * log((1 - p) / (1 - q)))",
    "z silu(z)": "return sum(z * z * sigmoid(z))",
    "softplus²": "return sum(softplus(z) ** 2)",
    "weighted": "p = 1 / (1 + exp(-z))\n    return -mean(3 * y * log(p) + (1 - y) * log(1 - p))",
    "focal": "p = sigmoid(z)\n    return -sum((1 - p) ** 2 * log(p) * y)",
    "gated": "return sum(tanh(z) * sigmoid(z) * (1 - sigmoid(z)) + tanh(z) * tanh(z))",
    "powers": "s = sigmoid(z)\n    return sum(s * y - s * s * y + s ** 3)",
}


@pytest.mark.parametrize("name", BODIES)
def test_losses_whose_terms_cancel(name):
    text = f"def program(z, y):\n    {BODIES[name]}\n"
    arrays = np.array([0.5, -1.5, 3.0, 0.0]), np.array([0.25, 1.0, -0.5, 0.75])
    assert rich.disagreement(rich.Program(text, arrays, rich.NAMES)) is None


def test_the_random_programs_cover_their_forms():
    """Distinct and equal numbers, each step, and programs in which values are shared."""
    programs = []

    @settings(max_examples=1000)
    @given(rich.programs())
    def collect(program):
        programs.append(program)

    collect()
    arrays = [x for program in programs for x in program.arrays if x.size >= 3]
    apart = np.mean([len(np.unique(x)) == x.size for x in arrays])
    alike = np.mean([len(np.unique(x)) < x.size for x in arrays])
    assert min(apart, alike) > 0.2
    assert np.mean(np.concatenate([x.ravel() for x in arrays]) == 0) < 0.4
    text = "".join(program.source for program in programs)
    for step in (*rich.STEPS, *rich.LOSSES):
        longest = max(step.replace("{1}", "{0}").split("{0}"), key=len)
        assert longest in text, step
    assert np.median([program.source.count("\n") for program in programs]) >= 5


def test_the_long_double_derivatives_are_those_of_known_functions():
    x, v = np.array([0.3, -1.2, 2.0]), np.array([1.0, 0.5, -2.0])
    of = jets.NAMES
    wide, tilt = 1 + x * x, 1 / np.cosh(x) ** 2
    known = [
        (lambda z: of["sum"](z**3 / 2), 1.5 * x**2, 3 * x),
        (lambda z: of["sum"](1 - 1 / (2 + z)), (2 + x) ** -2, -2 * (2 + x) ** -3),
        (lambda z: of["sum"](of["tanh"](z)), tilt, -2 * np.tanh(x) * tilt),
        (lambda z: of["sum"](of["softplus"](z)), 1 / (1 + np.exp(-x)), 1 / (2 + 2 * np.cosh(x))),
        (lambda z: of["mean"](of["exp"](-z) * 3), -np.exp(-x), np.exp(-x)),
        (lambda z: of["sum"](of["log"](1 + z * z)), 2 * x / wide, 2 * (1 - x * x) / wide**2),
        (lambda z: of["sum"](of["sqrt"](z * z)), np.sign(x), 0 * x),
        (lambda z: of["sum"](rich.A @ z), rich.A.sum(0), 0 * x),
    ]
    for function, derivative, curve in known:
        _, (gradient,), (product,) = jets.derivatives(function, [x], [v])
        np.testing.assert_allclose(gradient.astype(float), derivative, rtol=1e-14, atol=1e-15)
        np.testing.assert_allclose(product.astype(float), curve * v, rtol=1e-13, atol=1e-15)
    _, (gradient,), (product,) = jets.derivatives(lambda z: of["sum"](z) ** 2, [x], [v])
    np.testing.assert_allclose(product.astype(float), 2 * v.sum(), rtol=1e-14)
    np.testing.assert_allclose(gradient.astype(float), 2 * x.sum(), rtol=1e-14)
