"""Programs saved as JavaScript, run in headless Chromium beside Python."""

from __future__ import annotations

import numpy as np
import pytest
from scripts import RUN, found, given, same

import autograd_lite as ag
from autograd_lite.compiler.javascript import javascript


@pytest.fixture(scope="module")
def run(browser):
    """Run calls (source, name, arguments) at once; returns what each returned."""
    tab = browser.new_context(offline=True).new_page()

    def together(calls):
        return tab.evaluate(RUN, [[text, name, [*map(given, args)]] for text, name, args in calls])

    yield together
    tab.close()


def layers(rng, sizes):
    params = {}
    for k, (n, m) in enumerate(zip(sizes[1:], sizes, strict=False), 1):
        params |= {f"W{k}": rng.normal(size=(n, m)), f"b{k}": rng.normal(size=n)}
    return params | {"w": rng.normal(size=sizes[-1]), "b": np.array(rng.normal())}


def perceptron(depth):
    """A training step; its kind of activation is an argument."""

    def step(params, X, y, rate, kind):
        def loss(params):
            h = X
            for k in range(1, depth + 1):
                a = h @ params[f"W{k}"].T + params[f"b{k}"]
                smooth = np.where(kind == 1, np.tanh(a), ag.sigmoid(a))
                h = np.where(kind == 0, ag.relu(a), smooth)
            return ag.binary_cross_entropy_with_logits(h @ params["w"] + params["b"], y)

        value, gradient = ag.value_and_grad(loss)(params)
        return value, {k: x - rate * gradient[k] for k, x in params.items()}

    return step


@pytest.mark.parametrize("depth", range(5))
def test_one_program_serves_every_size(run, depth):
    rng, step = np.random.default_rng(depth), perceptron(depth)

    def arguments(sizes):
        params = layers(rng, list(sizes.values())[1:])
        X = rng.normal(size=(sizes["rows"], sizes["inputs"]))
        return params, X, (X[:, 0] > 0) * 1.0, np.array(0.1), np.array(rng.integers(3))

    names = ["rows", "inputs", *(f"units{k}" for k in range(1, depth + 1))]
    base = dict(zip(names, range(5, 5 + len(names)), strict=True))
    text = javascript(step, arguments(base), "step", base)
    drawn = [{name: int(rng.integers(1, 20)) for name in names} for _ in range(4)]
    calls = [(*arguments(sizes), sizes) for sizes in drawn]
    results = run([(text, "step", args) for args in calls])
    for args, result in zip(calls, results, strict=True):
        same(found(result), step(*args[:-1]), 1e-12, text)
