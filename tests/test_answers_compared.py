"""Where the answer to an exercise is compared with the gradient, and how closely."""

import numpy as np
import pytest

import autograd_lite as ag
from autograd_lite.testing import check_answer, check_step

X, y = np.random.default_rng(3).normal(size=(3, 2)), np.array([1.0, 0.0, 1.0])


def test_each_element_is_compared_by_its_own_size():
    def loss(w):
        return 1e6 * w[0] + 0.5 * w[1] ** 2

    assert check_answer(lambda w: np.array([1e6, w[1]]), loss, np.ones(2))
    for wrong in ([1e6, 0], [1e6, 1 + 1e-5], [1e6 + 10, 1]):
        assert not check_answer(np.array(wrong), loss, np.ones(2)), wrong
    assert check_answer(np.float32([1e6, 1 + 1e-5]), loss, np.ones(2)), "the precision of float32"

    def step(w):
        return w - w.dtype.type(0.01) * w

    for dtype in (np.float32, np.float64):
        w = np.array([1000, 0.01], dtype)
        assert check_step(step, lambda w: np.sum(w**2) / 2, w, learning_rate=0.01)
        assert not check_step(
            lambda w: w - w / 50, lambda w: np.sum(w**2) / 2, w, learning_rate=0.01
        )


def test_rounding_errors_at_a_minimum_are_not_a_mistake():
    w = np.linalg.lstsq(X, y)[0]

    def loss(w):
        return np.mean((X @ w - y) ** 2)

    def answer(w, factor=2):
        return factor / len(y) * (X.T @ X @ w - X.T @ y)

    assert np.max(np.abs(answer(w))) < 1e-14
    assert check_answer(answer, loss, w)
    assert check_answer(lambda w: answer(w, 1), loss, w).mistakes == ("incomplete derivative",)


@pytest.mark.parametrize(
    ("loss", "right", "wrong"),
    [
        (lambda t: np.sum(ag.relu(t)), lambda t: t > 0, np.ones_like),
        (lambda t: np.sum(np.abs(t)), np.sign, np.ones_like),
        (np.max, lambda t: t == np.max(t), lambda t: np.array([1.0, 0, 0])),
        (lambda t: np.sum(np.log(t)), lambda t: 1 / t, lambda t: 1 / np.array([7.0, 5.0, 6.0])),
    ],
)
def test_an_answer_is_compared_where_the_masks_are_different(loss, right, wrong):
    t = np.array([7.0, 5.0, 6.0])
    assert np.array_equal(right(t), wrong(t))
    assert check_answer(lambda t: 1.0 * right(t), loss, t)
    assert not check_answer(wrong, loss, t)


def test_a_loss_may_refuse_other_arguments():
    def loss(p):
        if np.any(p < 0):
            raise ValueError("a probability is not negative")
        return -np.sum(np.log(p))

    assert check_answer(lambda p: -1 / p, loss, np.array([0.01, 0.99]))
    assert not check_answer(lambda p: -100 * p / p, loss, np.array([0.01, 0.01]))
