"""detect_anomaly stops at the first operation that makes a bad number, and says where it stands."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path

import numpy as np
import pytest

import autograd_lite as ag


def line_of(mark):
    """The number of the line of this file that ends with a mark."""
    for number, line in enumerate(Path(__file__).read_text(encoding="utf-8").splitlines(), 1):
        if line.endswith("# " + mark):
            return number
    raise AssertionError(mark)


def anomaly(f):
    with pytest.raises(ag.AnomalyError) as caught, ag.detect_anomaly():
        f()
    return str(caught.value)


def sum_of_roots():
    x = ag.Tensor([4.0, 0.0, 1.0], name="x")
    y = np.sqrt(x)  # the root
    total = np.sum(y * 3)
    total.backward()


def norm_by_hand():
    x = ag.Tensor([0.0, 0.0], name="x")
    squares = np.sum(x * x).named("squares")
    length = np.reshape(np.stack([squares]), ()) ** 0.5  # the power
    length.backward()


def division():
    a, b = ag.Tensor([[1.0, 2.0]], name="a"), ag.Tensor([[4.0], [0.0]], name="b")
    ratio = a / b  # the division
    return np.tanh(ratio)


def overflow():
    x = ag.Tensor([1.0, 500.0], name="x")
    return np.log(np.exp(2 * x) * 1.0)  # the exponential


def test_the_root_is_blamed_and_not_its_neighbour():
    text = anomaly(sum_of_roots)
    assert text.startswith("the gradient rule of sqrt, for its input x, made inf")
    assert "at [1] of its result (3,), 1 of 3 numbers" in text
    assert f"{__file__}:{line_of('the root')}, in sum_of_roots" in text
    assert "y = np.sqrt(x)  # the root" in text
    assert "gradient entering: [3.] there" in text
    assert "x (3,) float64: [0.] there" in text


def test_the_power_is_blamed():
    text = anomaly(norm_by_hand)
    assert text.startswith("the gradient rule of power")
    assert f":{line_of('the power')}, in norm_by_hand" in text


def test_division_going_forward():
    text = anomaly(division)
    assert text.startswith("divide made inf from finite inputs at [1, 0] of its result (2, 2)")
    assert f":{line_of('the division')}, in division" in text
    assert "a (1, 2) float64: [1., 2.] there" in text
    assert "b (2, 1) float64: [0., 0.] there" in text


def test_overflow_going_forward():
    text = anomaly(overflow)
    assert text.startswith("exp made inf")
    assert f":{line_of('the exponential')}, in overflow" in text
    assert "the result of multiply (2,) float64: [1000.] there" in text


def test_inside_transforms_of_any_order():
    def f(x):
        return np.sum(np.sqrt(x))  # a root inside

    x = np.array([0.0, 1.0])
    for transform in (ag.grad(f), ag.hessian(f), lambda x: ag.hvp(f)(x, x)):
        text = anomaly(lambda transform=transform: transform(x))
        assert text.startswith("the gradient rule of sqrt, for its input")
        assert f":{line_of('a root inside')}, in f" in text


def test_a_second_derivative_is_traced_to_the_line_of_the_first():
    def f(x):
        return np.sum(np.power(x, 1.5))  # three halves

    assert ag.grad(f)(np.zeros(1)) == 0
    text = anomaly(lambda: ag.hessian(f)(np.zeros(1)))
    assert f":{line_of('three halves')}, in f" in text


def test_what_is_right_is_left_alone():
    with ag.detect_anomaly():
        x = ag.Tensor([0.0, 4.0])
        np.sum(np.where(x > 0, np.sqrt(x), 0 * x)).backward()
        np.sum(np.exp(np.where(x > 0, x, -np.inf))).backward()
        np.sum(ag.constant([np.nan, np.inf]) * x)
        ag.hessian(lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0 * x)))(np.array([0.0, 4.0]))
    assert np.all(np.isfinite(x.grad))


def test_a_nan_out_of_infinities_that_were_given():
    text = anomaly(lambda: ag.constant([np.inf]) - ag.constant([np.inf]))
    assert text.startswith("subtract made nan")


def test_without_recording_too():
    def f():
        with ag.no_grad():
            np.log(ag.Tensor([0.0], name="x"))

    assert anomaly(f).startswith("log made -inf")


def test_it_is_over_when_it_is_over():
    with pytest.raises(ag.AnomalyError), ag.detect_anomaly():
        ag.Tensor(1.0) / 0
    with np.errstate(divide="ignore"):
        assert np.isinf((ag.Tensor(1.0) / 0).data)
    with pytest.warns(RuntimeWarning, match="divide by zero"):
        ag.Tensor(1.0) / 0


def test_threads_and_tasks_of_their_own():
    found = []

    def work():
        with np.errstate(all="ignore"):
            found.append((ag.Tensor(1.0) / 0).data)

    async def quiet():
        with np.errstate(all="ignore"):
            await asyncio.sleep(0)
            found.append((ag.Tensor(1.0) / 0).data)

    async def watched():
        with ag.detect_anomaly():
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            with pytest.raises(ag.AnomalyError):
                ag.Tensor(1.0) / 0

    async def both():
        await asyncio.gather(watched(), quiet())

    with ag.detect_anomaly():
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    asyncio.run(both())
    assert np.all(np.isinf(found))
    assert len(found) == 2


def test_gradients_are_the_same_and_the_lines_go_with_the_nodes():
    x = ag.Tensor([1.0, 2.0])
    with ag.detect_anomaly():
        y = np.sum(np.sqrt(x) * x)  # a good line
        y.backward()
    expected = x.grad
    x.zero_grad()
    y.backward()
    np.testing.assert_array_equal(x.grad, expected)
    assert y.line[1:] == (line_of("a good line"), y.line[2])
