"""The benchmarks of the models fit the same losses; no test looks at a time."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import __main__ as command
from benchmarks import estimators
from benchmarks.estimators import OURS, THEIRS, Fit, Race, Times

LINES, BENT = ("drawn", 80, 3), ("drawn", 400, 3)


@pytest.fixture(autouse=True, scope="module")
def scikit_learn():
    pytest.importorskip("sklearn")
    pytest.importorskip("scipy")


def test_all_libraries_minimize_the_same_loss():
    fits = [Fit(*estimators.Logistic(name, *LINES).fit(1e-7)) for name in (OURS, THEIRS)]
    assert fits[0].loss == pytest.approx(fits[1].loss, rel=1e-9)
    assert max(fit.slope for fit in fits) < 1e-6


@given(st.integers(0, 1000), st.sampled_from([LINES, ("digits",)]))
@settings(max_examples=5)
def test_the_weights_to_start_from_are_those_that_scikit_learn_draws(seed, problem):
    from sklearn.neural_network import MLPClassifier

    peer = estimators.Perceptron(THEIRS, *problem)
    θ = peer.weights(seed)
    still = MLPClassifier(16, random_state=seed, learning_rate_init=1e-300, max_iter=1)
    estimators.timed(still, peer.X, peer.y)
    for W, b, name in zip(still.coefs_, still.intercepts_, ("1", ""), strict=True):
        given_W = θ["W1" if name else "W" if "W" in θ else "w"]
        np.testing.assert_array_equal(np.atleast_2d(given_W), W.T)
        np.testing.assert_array_equal(np.ravel(θ[f"b{name}"]), b)


@given(st.integers(0, 100))
def test_rows_are_held_out_once(seed):
    X, y = estimators.drawn(50, 2)
    some, _, rest, _ = estimators.split(X, y, seed)
    assert len(rest) == 10
    assert {*map(tuple, some), *map(tuple, rest)} == set(map(tuple, X))


def test_logistic_regression_is_measured():
    notes: list[str] = []
    found = estimators.logistic(LINES, (OURS, THEIRS), fits=2, skip=notes.append)
    assert not notes
    assert list(found) == ["loss", "gradient"]
    for times in found.values():
        assert set(times) == {OURS, THEIRS}
        assert all(len(each.later) == 2 and min(each.later) > 0 for each in times.values())


def test_a_perceptron_is_measured():
    notes: list[str] = []
    race = estimators.perceptron(BENT, seeds=2, epochs=3, skip=notes.append)
    assert not notes
    assert race is not None
    assert all(len(times.later) == 2 for times in race.times.values())
    assert all(0.4 < accuracy <= 1 for accuracy in race.accuracy.values())


def test_epochs_one_by_one_are_those_of_a_fit():
    peer = estimators.Perceptron(OURS, *BENT)
    losses = [peer.fit(3, epochs).loss for epochs in (1, 2, 3, 4)]
    for epochs, loss in enumerate(losses, start=1):
        if loss == min(losses[:epochs]):
            assert peer.epochs(3, loss * (1 + 1e-12), 9) == epochs


def test_goals_of_the_estimators():
    times = {
        OURS: Times(9.0, [1.0, 2.0, 3.0]),
        THEIRS: Times(2.0, [2.0, 2.0, 2.0]),
        estimators.FASTEST: Times(2.0, [1.0, 1.0, 1.0]),
    }
    (goal,) = estimators.logistic_goals(times, "loss")
    assert (goal.measured, goal.limit) == (1.0, 1.0)
    (goal,) = estimators.logistic_goals(times, "gradient")
    assert (goal.measured, goal.limit) == (2.0, 1.2)
    time, accuracy = estimators.perceptron_goals(Race(times, {OURS: 0.9, THEIRS: 0.45}))
    assert (time.measured, time.limit, accuracy.measured) == (1.0, 0.5, 0.5)
    found = estimators.default_goals({"MLPClassifier": 0.9})
    assert [goal.verdict for goal in found["MLPClassifier"]] == ["missed by 25.0 %"]


def test_the_estimators_are_reported(monkeypatch, capsys):
    times = {OURS: Times(0.5, [0.001]), THEIRS: Times(0.01, [0.002])}
    monkeypatch.setattr(estimators, "logistic", lambda *_, **__: {"loss": times})
    race = Race(times, {OURS: 0.9, THEIRS: 0.9})
    monkeypatch.setattr(estimators, "perceptron", lambda *_, **__: race)
    monkeypatch.setattr(estimators, "defaults", lambda: {"LogisticRegression": 0.95})
    assert command.main(["--parts", "estimators"]) == 0
    text = capsys.readouterr().out
    assert "| breast cancer, loss | 1 (500) | 2 (10) |" in text
    assert "| digits 0–9 | 1 (500) | 2 (10) |" in text
    assert f"| breast cancer | {OURS} ÷ {THEIRS}, loss | 0.5 | 1 | met |" in text
    assert "| LogisticRegression | errors | 0.05 | 0.06 | met |" in text
