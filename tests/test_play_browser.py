"""The page of `autograd-lite play` in headless Chromium: training, its keys, and its memory."""

import json

import numpy as np
import pytest
from playing import choose, data, shaped, text, weights

import autograd_lite as ag
import benchmarks.play
from autograd_lite.models import MLPClassifier
from autograd_lite.models.perceptron import ACTIVATIONS
from autograd_lite.text import number

pytest.importorskip("sympy")


def gradient_of(units, activation):
    """The gradient of the model's loss."""

    def loss(θ, X, y, alpha):
        if units:
            model = MLPClassifier(units, activation=activation)
            return model.loss(X, y, θ, alpha=alpha)
        ŷ = ag.sigmoid(X @ θ["w"] + θ["b"])
        return ag.binary_cross_entropy(ŷ, y) + alpha / 2 * np.sum(θ["w"] ** 2)

    return ag.value_and_grad(loss)


# Training

RANDOM = np.random.default_rng(1)
NETWORKS = [
    (tuple(RANDOM.integers(1, 17, k % 5).tolist()), list(ACTIVATIONS)[k % 3], (0, 0.01, 0.1)[k % 3])
    for k in range(1, 11)
]


def test_a_hundred_steps_are_those_of_python(play):
    tab, tables = play(), data(text())["tables"]
    for k, (units, activation, alpha) in enumerate(NETWORKS):
        table = tables[k % len(tables)]
        choose(
            tab,
            units,
            data=table["title"],
            activation=list(ACTIVATIONS).index(activation),
            alpha=str(alpha),
            rate="0.1",
        )
        θ, found = shaped(weights(tab), units), gradient_of(units, activation)
        assert (len(θ) - 2) / 2 == len(units)
        X, y = np.reshape(table["X"], (-1, 2)), np.array(table["y"], float)
        for _ in range(100):
            loss, gradient = found(θ, X, y, np.float64(alpha))
            θ = {name: θ[name] - 0.1 * gradient[name] for name in θ}
        last = tab.evaluate(
            "() => { for (let k = 0; k < 99; k++) playground.run.step();"
            "const { loss } = playground.run.now; playground.run.step(); return loss; }"
        )
        assert np.isclose(last, loss, rtol=1e-9)
        for name, w in shaped(weights(tab), units).items():
            np.testing.assert_allclose(w, θ[name], rtol=1e-9, atol=1e-9, err_msg=str(units))


@pytest.mark.parametrize(("size", "units"), [(64, (3,)), (1, (1, 1))])
def test_batches_have_each_row_once(play, size, units):
    tab, count = play(), -(-200 // size)
    choose(tab, units, batch=str(size), rate="0.3", alpha="0.01")
    θ, found = shaped(weights(tab), units), gradient_of(units, "tanh")
    batches = tab.evaluate(
        "(length) => Array.from({ length }, () => { const { inputs, targets } = playground.run;"
        "const found = [[...inputs], [...targets]]; playground.run.step(); return found; })",
        2 * count,
    )
    table = data(text())["tables"][0]
    rows = sorted(map(tuple, np.reshape(table["X"], (-1, 2)).tolist()))
    for epoch in (batches[:count], batches[count:]):
        seen = np.concatenate([np.reshape(X, (-1, 2)) for X, _ in epoch])
        assert sorted(map(tuple, seen.tolist())) == rows
    for X, y in batches:
        _, gradient = found(θ, np.reshape(X, (-1, 2)), np.array(y, float), np.float64(0.01))
        θ = {name: θ[name] - 0.3 * gradient[name] for name in θ}
    for name, w in shaped(weights(tab), units).items():
        np.testing.assert_allclose(w, θ[name], rtol=1e-9, atol=1e-9)


def test_first_weights_are_those_of_he(play):
    tab = play()
    choose(tab, (16, 16, 16, 16))
    θ = shaped(weights(tab), (16, 16, 16, 16))
    for name in ("W2", "W3", "W4"):
        assert 0.8 < θ[name].std() * np.sqrt(16 / 2) < 1.2
        assert abs(θ[name].mean()) < 0.1
    assert all(not np.any(θ[name]) for name in θ if name[0] == "b")
    again = weights(tab)
    tab.keyboard.press("r")
    assert weights(tab) == again
    tab.keyboard.press("n")
    assert weights(tab) != again


def test_numbers_are_written_as_elsewhere(play):
    random = np.random.default_rng(0)
    scales = 10.0 ** random.uniform(-320, 300, 300), 10.0 ** random.uniform(-5, 6, 300)
    numbers = (random.normal(size=600) * np.concatenate(scales)).tolist()
    numbers += (random.integers(0, 3000, 200) / 32).tolist()  # half of the last digit
    numbers += (random.integers(20_000, 200_000, 200) * 5.0).tolist()
    numbers += [0.0, -0.0, 1e-3, 9999.99996, 9999.5, 1e4, float("nan"), float("inf")]
    shown = play().evaluate("(xs) => xs.map(number)", numbers)
    assert shown == [number(x) for x in numbers]


# Keys


def test_every_control_is_reached_and_set_by_keys(play):
    tab = play()
    reached = []
    for _ in range(40):
        tab.keyboard.press("Tab")
        reached.append(
            tab.evaluate(
                "() => { const e = document.activeElement;"
                "return e.id || e.name || e.dataset.name || ''; }"
            )
        )
        if reached[-1] == "y":
            break
    controls = ["play", "step", "reset", "weights", "theme"]
    controls += ["data", "depth", "units1", "activation", "rate", "batch", "alpha", "speed"]
    cards = ["X", "a1", "h1", "W1", "b1", "z", "ŷ", "w", "b", "L", "y"]
    named = [name for name in reached if name in controls]
    assert named == controls
    assert {name for name in reached if name in cards} == set(cards)
    tab.locator("[name=depth]").focus()
    tab.keyboard.press("ArrowDown")
    assert tab.evaluate("playground.run.settings.units.length") == 2
    assert tab.locator("[name=units2]").is_visible()
    assert not tab.locator("[name=units3]").is_visible()
    tab.locator("[name=units2]").focus()
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("Tab")
    assert tab.evaluate("playground.run.settings.units") == [8, 9]
    assert tab.get_by_role("status").inner_text() == "Units of layer 2: the run starts again"
    for name in ("data", "activation", "rate", "batch", "alpha"):
        before = tab.evaluate("JSON.stringify(playground.run.settings)")
        tab.locator(f"[name={name}]").focus()
        tab.keyboard.press("ArrowDown")
        assert tab.evaluate("JSON.stringify(playground.run.settings)") != before


def test_play_step_and_reset_by_keys(play):
    tab = play()
    steps = "playground.run.steps"
    assert tab.evaluate(steps) == 0
    tab.keyboard.press("s")
    tab.keyboard.press("Shift+S")  # as with Caps Lock
    assert tab.evaluate(steps) == 2
    assert tab.locator("#count").inner_text() == "step 2"
    assert tab.get_by_role("status").inner_text().startswith("step 2: loss 0.")
    tab.keyboard.press("Space")
    assert tab.locator("#play").inner_text() == "❚❚ pause"
    tab.wait_for_function("() => playground.run.steps > 5")
    tab.keyboard.press("Space")
    paused = tab.evaluate(steps)
    tab.evaluate("new Promise((done) => setTimeout(done, 100))")
    assert tab.evaluate(steps) == paused
    assert tab.get_by_role("status").inner_text().startswith(f"paused at step {paused}: loss")
    tab.keyboard.press("r")
    assert tab.evaluate(steps) == 0
    tab.locator("#step").focus()
    tab.keyboard.press("Space")  # a button that has the focus is pressed
    assert tab.evaluate(steps) == 1
    tab.locator("[name=units1]").focus()
    tab.keyboard.press("ArrowRight")  # moves the cursor
    assert tab.evaluate(steps) == 1


def test_units_stay_between_their_limits(play):
    tab = play()
    for typed, units in (("99", 16), ("-3", 1), ("2.6", 3), ("", 1)):
        tab.locator("[name=units1]").fill(typed)
        tab.keyboard.press("Enter")
        tab.keyboard.press("Tab")
        assert tab.evaluate("playground.run.settings.units") == [units]
        assert tab.locator("[name=units1]").input_value() == str(units)


# Time and memory


@pytest.mark.slow
def test_ten_thousand_steps_take_no_more_memory(play):
    tab = play()
    choose(tab, (16, 16), activation=0, batch="16", rate="0.1", speed="fast")
    session = tab.context.new_cdp_session(tab)

    def used():
        session.send("HeapProfiler.collectGarbage")
        return session.send("Runtime.getHeapUsage")["usedSize"]

    take = "() => { for (let k = 0; k < 40; k++) playground.advance(50); }"
    tab.evaluate(take)
    before = used()
    for _ in range(4):
        tab.evaluate(take)
    assert tab.evaluate("playground.run.steps") == 10_000
    assert used() < before + 1_000_000
    curve = json.loads(tab.evaluate("JSON.stringify(playground.run.curve)"))
    assert 200 <= len(curve) <= 401
    assert sum(part["count"] for part in curve) == 10_001
    assert [part["step"] for part in curve] == sorted({part["step"] for part in curve})


def test_the_benchmark_measures_a_step_and_its_drawing(play):
    tab = play()
    step, both = benchmarks.play.milliseconds(tab, "tanh", pictures=5)
    assert 0 <= step < both
    assert tab.evaluate("playground.run.steps") == 5
    assert tab.evaluate("playground.run.settings.units") == [16, 16]
