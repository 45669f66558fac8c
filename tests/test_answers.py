"""Gradients by hand: what is correct, and which mistake gives the numbers of a wrong answer."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.testing import check_answer, check_step, programs
from autograd_lite.testing.comparison import Comparison
from autograd_lite.testing.mistakes import KINK, MISTAKES, WRONG_RULES
from autograd_lite.testing.points import Point, candidates

ROOT = Path(__file__).parent.parent
RANDOM = np.random.default_rng(3)
X, y = RANDOM.normal(size=(3, 3)), np.array([1.0, 0.0, 1.0])
W, b, v = RANDOM.normal(size=(3, 3)), RANDOM.normal(size=3), RANDOM.normal(size=3)


def σ(z):
    return 1 / (1 + np.exp(-z))


def d_tanh(a):
    return 1 - np.tanh(a) ** 2


# Losses, and mistakes in their gradients, each written by hand


def entropy(v, X, y):
    return ag.binary_cross_entropy(ag.sigmoid(X @ v), y)


def total(v, X, y):
    p = 1 / (1 + np.exp(-(X @ v)))
    return -np.sum(y * np.log(p) + (1 - y) * np.log(1 - p))


def divided(v, X, y):
    return total(v, X, y) / len(y)


def with_logits(v, X, y):
    return ag.binary_cross_entropy_with_logits(X @ v, y)


def squares(v, X, y):
    return np.sum((np.tanh(X @ v) - y) ** 2) / 2


def network(W, v, X, y):
    return ag.binary_cross_entropy(ag.sigmoid(ag.relu(X @ W.T) @ v), y)


def units(W, v, X, y):
    a = X @ W.T
    h = np.maximum(a, 0)
    return a, h, (σ(h @ v) - y) / len(y)


def dot(v, X):
    return v @ X[0] * (v @ X[1])


def layer(W, b, x):
    return np.sum(np.tanh(W @ x + b) * b)


def delta(W, b, x):
    return b * d_tanh(W @ x + b)


LOGISTIC = {
    "wrong sign": lambda v, X, y: X.T @ (y - σ(X @ v)) / 3,
    "forgotten 1/m": lambda v, X, y: X.T @ (σ(X @ v) - y),
    "1/m twice": lambda v, X, y: X.T @ (σ(X @ v) - y) / 9,
    "forgotten transpose": lambda v, X, y: X @ (σ(X @ v) - y) / 3,
    "rows not summed": lambda v, X, y: X * (σ(X @ v) - y)[:, None] / 3,
    "wrong shape": lambda v, X, y: (X.T @ (σ(X @ v) - y) / 3)[:, None],
    "summed over all axes": lambda v, X, y: (X.T @ (σ(X @ v) - y) / 3).sum(),
    "derivative applied twice": lambda v, X, y: X.T @ ((σ(X @ v) - y) * σ(X @ v) * σ(-X @ v)) / 3,
    "missing derivative": lambda v, X, y: X.T @ ((1 - y) / σ(-X @ v) - y / σ(X @ v)) / 3,
    "zero gradient": lambda v, X, y: 0 * v,
    "loss in place of its gradient": lambda v, X, y: np.array(entropy(v, X, y)),
    "constant factor": lambda v, X, y: 7 * X.T @ (σ(X @ v) - y),
    "gradient of an intermediate result": lambda v, X, y: (σ(X @ v) - y) / 3,
}
"""Mistakes in the gradient of the mean of the cross-entropy, in any notation of the loss."""

OTHERS = [
    (total, (v, X, y), "mean in place of a sum", lambda v, X, y: X.T @ (σ(X @ v) - y) / 3),
    (entropy, (v, X, y), "missing term of the cross-entropy",
     lambda v, X, y: -X.T @ (y * σ(-X @ v)) / 3),
    (total, (v, X, y), "missing part", lambda v, X, y: -X.T @ (y * σ(-X @ v))),
    (squares, (v, X, y), "missing derivative", lambda v, X, y: X.T @ (np.tanh(X @ v) - y)),
    (squares, (v, X, y), "missing constant",
     lambda v, X, y: 2 * X.T @ ((np.tanh(X @ v) - y) * d_tanh(X @ v))),
    (squares, (v, X, y), "incomplete derivative",
     lambda v, X, y: X.T @ ((np.tanh(X @ v) - y) * (1 - np.tanh(X @ v)))),
    (squares, (v, X, y), "derivative at the wrong place",
     lambda v, X, y: X.T @ ((np.tanh(X @ v) - y) * (1 - (X @ v) ** 2))),
    (squares, (v, X, y), "not finite",
     lambda v, X, y: X.T @ ((np.tanh(X @ v) - y) * d_tanh(X @ v)) / np.array([1.0, 1, 0])),
    (dot, (v, X), "missing part", lambda v, X: X[0] * (v @ X[1])),
    (dot, (v, X), "wrong sign of a part", lambda v, X: X[0] * (v @ X[1]) - X[1] * (v @ X[0])),
    (dot, (v, X), "missing factor", lambda v, X: X[0] * (v @ X[1]) + np.ones(3) * (v @ X[0])),
    (dot, (v, X), "wrong factor", lambda v, X: X[0] * (v @ X[1]) + v * (v @ X[0])),
    (layer, (W, b, X[0]), "transposed gradient", lambda W, b, x: np.outer(x, delta(W, b, x))),
    (layer, (W, b, X[0]), "dot product in place of the outer product",
     lambda W, b, x: delta(W, b, x) @ x),
    (network, (W, v, X, y), "missing mask",
     lambda W, v, X, y: np.outer(units(W, v, X, y)[2], v).T @ X),
    (network, (W, v, X, y), "inverted mask",
     lambda W, v, X, y: (np.outer(units(W, v, X, y)[2], v) * (X @ W.T < 0)).T @ X),
    (network, (W, v, X, y), "value in place of the mask",
     lambda W, v, X, y: (np.outer(units(W, v, X, y)[2], v) * units(W, v, X, y)[1]).T @ X),
]  # fmt: skip


@pytest.mark.parametrize("loss", [entropy, divided, with_logits])
@pytest.mark.parametrize("mistake", LOGISTIC)
def test_a_mistake_in_logistic_regression_is_named(loss, mistake):
    found = check_answer(LOGISTIC[mistake], loss, v, X, y)
    assert not found
    assert mistake in found.mistakes
    assert found.message.startswith(f"∂L/∂v is not correct: {mistake}")
    assert check_answer(lambda v, X, y: X.T @ (σ(X @ v) - y) / 3, loss, v, X, y)


@pytest.mark.parametrize(("loss", "args", "mistake", "answer"), OTHERS)
def test_a_mistake_is_named(loss, args, mistake, answer):
    found = check_answer(answer, loss, *args)
    assert not found.correct
    assert mistake in found.mistakes, found


def test_two_mistakes_are_named_together():
    found = check_answer(lambda v, X, y: X.T @ (y - σ(X @ v)), entropy, v, X, y)
    assert found.mistakes == ("wrong sign", "forgotten 1/m")
    found = check_answer(lambda v, X, y: X * (σ(X @ v) - y)[:, None], divided, v, X, y)
    assert found.mistakes == ("rows not summed", "forgotten 1/m")


def test_several_gradients_share_a_paragraph():
    def answer(W, v, X, y):
        a, _, dz = units(W, v, X, y)
        return np.outer(dz, v).T @ X, a.T @ dz

    found = check_answer(answer, network, W, v, X, y, argnums=(0, 1))
    assert found.mistakes == ("missing mask", "pre-activation in place of the activation")

    def swapped(W, b, x):
        return delta(W, b, x) + np.tanh(W @ x + b), np.outer(delta(W, b, x), x)

    found = check_answer(swapped, layer, W, b, X[0], argnums=(0, 1))
    assert found.mistakes == ("gradient of another argument",)
    assert found.message.startswith("∂L/∂W and ∂L/∂b are not correct: ")
    half = check_answer(lambda W, b, x: (..., b**7), layer, W, b, X[0], argnums=[0, 1])
    assert half.message.startswith("∂L/∂W: no answer yet.\n∂L/∂b is not correct.\n")


def test_another_derivative_at_a_kink_is_correct():
    def loss(W, v, X, y):
        return np.sum(ag.relu(X @ W.T) @ v)

    def answer(W, v, X, y):
        return (np.outer(np.ones(3), v) * (X @ W.T >= 0)).T @ X

    found = check_answer(answer, loss, np.zeros((3, 3)), v, X, y)
    assert found.correct
    assert found.message.startswith(f"∂L/∂W is correct: {KINK}.")
    for f, slope in (
        (lambda t: np.sum(np.abs(t)), lambda t: np.where(t >= 0, 1, -1)),
        (lambda t: np.sum(np.maximum(t, 0)), lambda t: np.where(t > 0, 1, 0)),
        (lambda t: np.sum(np.minimum(t, 0)), lambda t: np.where(t > 0, 0, 1)),
    ):
        assert check_answer(slope, f, np.array([-1.0, 0.0, 2.0]))
        assert not check_answer(lambda t, slope=slope: -slope(t), f, np.array([-1.0, 0.0, 2.0]))


# Steps of gradient descent

RATE = 0.1


def gradients(W, v, X, y):
    a, h, dz = units(W, v, X, y)
    return (np.outer(dz, v) * (a > 0)).T @ X, h.T @ dz


def early(W, v, X, y):
    dv = gradients(W, v, X, y)[1]
    a, _, dz = units(W, v, X, y)
    v = v - RATE * dv
    return W - RATE * (np.outer(dz, v) * (a > 0)).T @ X, v


def in_turn(W, v, X, y):
    W = W - RATE * gradients(W, v, X, y)[0]
    return W, v - RATE * gradients(W, v, X, y)[1]


def by(change):
    return lambda *args: tuple(
        change(p, g) for p, g in zip(args[:2], gradients(*args), strict=True)
    )


STEPS = {
    "wrong sign": by(lambda p, g: p + RATE * g),
    "missing learning rate": by(lambda p, g: p - g),
    "forgotten 1/m": by(lambda p, g: p - 3 * RATE * g),
    "gradient in place of the parameters": by(lambda p, g: g),
    "change in place of the parameters": by(lambda p, g: -RATE * g),
    "parameters not changed": by(lambda p, g: p),
}


@pytest.mark.parametrize("mistake", STEPS)
def test_a_mistake_in_a_step_is_named(mistake):
    args = {"argnums": (0, 1), "learning_rate": RATE}
    found = check_step(STEPS[mistake], network, W, v, X, y, **args)
    assert found.mistakes == (mistake,)
    assert found.message.startswith("The new W and the new v are not correct: ")
    assert check_step(by(lambda p, g: p - RATE * g), network, W, v, X, y, **args)


@pytest.mark.parametrize("step", [early, in_turn])
def test_parameters_that_change_too_early_are_noticed(step):
    found = check_step(step, network, W, v, X, y, argnums=(0, 1), learning_rate=RATE)
    assert found.mistakes == ("parameters changed too early",)


def test_every_mistake_is_among_these_tests():
    here = {*LOGISTIC, *STEPS, *(mistake for _, _, mistake, _ in OTHERS), KINK}
    here |= {"pre-activation in place of the activation", "gradient of another argument"}
    assert {*here, "parameters changed too early"} == set(MISTAKES)
    assert set(WRONG_RULES) <= set(MISTAKES)


# Random programs


@settings(max_examples=25)
@given(programs(max_size=12), st.integers(0, 9))
def test_the_gradient_of_a_program_is_correct(program, number):
    number %= len(program.arrays)
    found = check_answer(ag.grad(program, number), program, *program.arrays, argnums=number)
    assert found.correct
    assert found.message == f"∂L/∂(argument {number}) is correct."


@settings(max_examples=25)
@given(programs(max_size=12), st.integers(0, 2**16))
def test_a_wrong_rule_in_a_program_is_recognised(program, seed):
    every = list(candidates(Point(program, program.arrays, [0], "").edges))
    assume(every)
    one = every[seed % len(every)]

    def answer(*args):
        return Point(program, args, [0], "").wrong([one])[0]

    assume(Point(program, program.arrays, [0], "").wrong([one]) is not None)
    found = check_answer(answer, program, *program.arrays)
    # Another mistake may give the same numbers, or the right ones.
    assert found.correct or found.mistakes, one


@settings(max_examples=25)
@given(programs(max_size=12), st.integers(0, 2**16))
def test_numbers_of_no_mistake_are_not_explained(program, seed):
    noise = 1 + np.random.default_rng(seed).uniform(0.1, 0.9, program.arrays[0].shape)
    gradient = ag.grad(program)
    assume(np.count_nonzero(gradient(*program.arrays)) > 2)
    found = check_answer(lambda *args: noise * gradient(*args), program, *program.arrays)
    assert not found.correct
    assert found.mistakes == ()
    yours, right = re.findall(r"is (\S+); it must be (\S+?)[.,] ", found.message)[0]
    assert yours != right


# Input


def test_what_is_not_an_answer_yet():
    for nothing in (None, ..., lambda v, X, y: None, lambda v, X, y: ...):
        found = check_answer(nothing, entropy, v, X, y)
        assert (found.correct, found.mistakes) == (False, ())
        assert repr(found) == "∂L/∂v: no answer yet."


def test_an_array_is_compared_at_the_arguments_only():
    right = ag.grad(entropy)(v, X, y)
    assert check_answer(right, entropy, v, X, y)
    assert check_answer(np.round(right, 3), entropy, v, X, y, rtol=1e-2)
    assert check_answer(right.tolist(), entropy, v, X, y)
    assert check_answer(ag.Tensor(right), entropy, ag.Tensor(v), ag.constant(X), y)
    assert check_answer(-right, entropy, v, X, y).mistakes == ("wrong sign",)
    assert not check_answer(lambda v, X, y: right, entropy, v, X, y)
    assert check_answer(5.0, lambda t: t * t, 3.0).mistakes == ()
    assert check_answer(lambda t: 5 * t, lambda t: t * t, 3.0).mistakes == ("constant factor",)


def test_an_answer_changes_no_argument_and_may_have_float32():
    kept, small = v.copy(), v.astype(np.float32)

    def answer(v, X, y):
        v -= 0.5
        v += 0.5
        X *= 1
        return X.T @ (σ(X @ v) - y) / 3

    assert check_answer(answer, entropy, kept, X, y)
    assert np.array_equal(kept, v)
    assert check_answer(answer, entropy, small, X.astype(np.float32), y.astype(np.float32))


def test_mistakes_in_a_large_network_are_named():
    X, W, v = (RANDOM.normal(size=n) / 10 for n in ((200, 200), (200, 200), 200))
    y = RANDOM.integers(0, 2, 200)

    def answer(W, v, X, y, inner=lambda W, X: X @ W.T > 0, factor=lambda h, a: h):
        a, h, dz = units(W, v, X, y)
        return (np.outer(dz, v) * inner(W, X)).T @ X, factor(h, a).T @ dz

    assert check_answer(answer, network, W, v, X, y, argnums=(0, 1))
    for mistake, wrong in {
        "missing mask": {"inner": lambda W, X: 1},
        "value in place of the mask": {"inner": lambda W, X: np.maximum(X @ W.T, 0)},
        "pre-activation in place of the activation": {"factor": lambda h, a: a},
    }.items():
        found = check_answer(
            lambda *args, wrong=wrong: answer(*args, **wrong), network, W, v, X, y, argnums=(0, 1)
        )
        assert mistake in found.message


def test_answers_of_a_wrong_kind_say_so():
    for answer, part in (
        ("text", "The answer must be an array of real numbers, not str."),
        (1j * v, "The answer must be an array of real numbers, not complex128."),
        (np.ones((3, 2)), "The shape is (3, 2); it must be (3,)."),
    ):
        assert part in repr(check_answer(answer, entropy, v, X, y))
    found = check_answer(lambda W, b, x: W, layer, W, b, X[0], argnums=(0, 1))
    assert "The answer must be a tuple of 2 arrays." in found.message
    with pytest.raises(ValueError, match="matmul") as failure:
        check_answer(lambda v, X: X @ v[:2], lambda v, X: np.sum(X @ v), v, X)
    assert "must one of its factors be transposed?" in failure.value.__notes__[0]


def test_bad_exercises_are_refused():
    with pytest.raises(ValueError, match="the loss must return one number"):
        check_answer(v, lambda v: v, v)
    with pytest.raises(ValueError, match="not finite at these arguments"):
        check_answer(v, lambda v: np.sum(np.sqrt(v)), np.zeros(3))
    with pytest.raises(TypeError, match="argnums 2 is not the number of one of 1 arguments"):
        check_answer(v, lambda v: np.sum(v), v, argnums=2)
    with pytest.raises(TypeError, match="the loss must be a function, not float"):
        check_answer(v, 1.0, v)
    with pytest.raises(TypeError, match="argument 0"):
        check_answer(v, lambda v: 1.0, {"v": v})
    with pytest.raises(ValueError, match="check_step: the loss must return one number"):
        check_step(v, lambda v: v, v, learning_rate=1)
    with pytest.raises(ValueError, match="the learning rate must be positive"):
        check_step(v, entropy, v, X, y, learning_rate=0)


def test_close_numbers_are_finite():
    point = Point(entropy, (v, X, y), [0], "")
    point.answers = [v]
    compared = Comparison([point], 0, 1e-6, None)
    assert compared.close(v, v)
    assert not compared.close(v, v + [np.inf, 0, 0])
    assert not compared.close(v + [np.nan, 0, 0], v)


def test_exercises_need_no_hypothesis():
    code = (
        "import sys; sys.modules['hypothesis'] = None\n"
        "from autograd_lite.testing import check_answer\n"
        "print(check_answer(lambda t: 2 * t, lambda t: t * t, 3.0))"
    )
    ran = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert ran.stdout == "∂L/∂t is correct.\n", ran.stderr
