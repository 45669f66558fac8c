"""check_gradients accepts right gradients, reports doubt, and finds planted faults."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.differences import derivative
from autograd_lite.testing import STEPS, arrays, programs

pytestmark = pytest.mark.usefixtures("operations_removed")

RANDOM = np.random.default_rng(5)
X = RANDOM.uniform(0.5, 2.0, size=(3, 3))
Y = RANDOM.uniform(0.5, 2.0, size=(3, 3))


# The product of three saturates the tanh, where float32 has derivative 0 everywhere.
ROUGH = ("where({0}", "relu", "abs", "maximum", "tanh({0} @")
SMOOTH = [step for step in STEPS if not step.startswith(ROUGH)]


@settings(max_examples=30)
@given(programs(SMOOTH, max_size=12), st.sampled_from([np.float32, np.float64]))
def test_random_programs_pass(program, dtype):
    found = ag.check_gradients(program, *(x.astype(dtype) for x in program.arrays))
    assert found.count == sum(x.size for x in program.arrays)
    assert not found.unsure


@settings(max_examples=20)
@given(programs(SMOOTH, max_size=6))
def test_random_programs_pass_at_order_2(program):
    assert not ag.check_gradients(program, *program.arrays, order=2).unsure


@settings(max_examples=40)
@given(arrays(st.sampled_from([(), (3,), (2, 2)])), st.integers(-3, 3))
def test_far_and_near_arguments(x, power):
    scaled = np.abs(x) * 10.0**power + 10.0 ** (power - 1)
    for f in (np.log, np.sqrt, lambda x: 1 / x, lambda x: x**1.5):
        assert not ag.check_gradients(f, scaled).unsure


FAULTS = {
    "a factor": lambda g, out, x, y: g * y * 1.001,
    "the sign": lambda g, out, x, y: -g * y,
    "the axis": lambda g, out, x, y: (g * y).T,
    "an operand": lambda g, out, x, y: g * x,
    "a missing contribution": lambda g, out, x, y: np.zeros_like(g),
    "half a contribution": lambda g, out, x, y: np.where(np.arange(3) == 1, 0, g * y),
    "float32": lambda g, out, x, y: (g * y).astype(np.float32),
    "whole numbers": lambda g, out, x, y: np.astype(np.round(g * y), np.int64),
    "a NaN": lambda g, out, x, y: g * y * np.nan,
    "no gradient": None,
}


@pytest.mark.parametrize(
    ("fault", "dtype"),
    [
        (fault, dtype)
        for fault in FAULTS
        for dtype in (np.float32, np.float64)
        if dtype == np.float64 or fault != "float32"
    ],
)
def test_planted_faults_are_found(fault, dtype):
    product = ag.custom_gradient(FAULTS[fault], lambda g, out, x, y: g * x)(lambda x, y: x * y)
    with pytest.raises(ag.GradientError):
        ag.check_gradients(lambda x, y: np.sum(product(x, y)), X.astype(dtype), Y.astype(dtype))
    with pytest.raises(ag.GradientError):
        ag.check_gradients(lambda p: product(p["x"], p["y"]), {"x": X.astype(dtype), "y": Y})


def test_a_wider_dtype_is_found():
    def wide(g, out, x):
        return g * np.ones(x.shape)

    same = ag.custom_gradient(wide)(lambda x: x)
    ag.check_gradients(same, X)
    with pytest.raises(ag.GradientError, match="gave dtype float64"):
        ag.check_gradients(same, X.astype(np.float32))


def test_a_wrong_second_derivative_is_found_at_order_2():
    # The rule stops at the value of x, so its own derivative is lost.
    square = ag.custom_gradient(lambda g, out, x: g * 2 * ag.stop_gradient(x))(lambda x: x * x)
    ag.check_gradients(square, X)
    with pytest.raises(ag.GradientError, match=r"argument 0\[0, 0\]: the second derivative is 0"):
        ag.check_gradients(square, X, order=2)


def test_changes_in_place_are_found():
    def forward(x):
        x[0] = 0
        return x

    def rule(g, out, x):
        g *= 2
        return g

    with pytest.raises(ValueError, match="in place"):
        ag.check_gradients(ag.custom_gradient(lambda g, out, x: g)(forward), X.copy())
    with pytest.raises(ValueError, match="in place"):
        ag.check_gradients(ag.custom_gradient(rule)(lambda x: 2 * x), X)
    given_ = X.copy()

    def f(x):
        given_[0, 0] += 1
        return np.sum(x)

    with pytest.raises(ag.GradientError, match="changed its argument 0 in place"):
        ag.check_gradients(f, given_)


def test_what_differs_from_run_to_run_is_found():
    random, calls = np.random.default_rng(0), []
    with pytest.raises(ag.GradientError, match="changes from run to run"):
        ag.check_gradients(lambda x: np.sum(x) * random.normal(), X)

    def rule(g, out, x):
        calls.append(1)
        return g * 2 * len(calls)

    with pytest.raises(ag.GradientError, match="a second backward pass gives different gradients"):
        ag.check_gradients(ag.custom_gradient(rule)(lambda x: 2 * x), X)


def test_the_report_names_argument_element_and_both_numbers():
    square = ag.custom_gradient(lambda g, out, x: g * 2.002 * x)(lambda x: x * x)
    parameters = {"layers": [np.ones((1, 2)), np.array([[1.0, 3.0]])]}
    with pytest.raises(ag.GradientError) as caught:
        ag.check_gradients(
            lambda scale, p: np.sum(scale * p["layers"][0] + square(p["layers"][1])),
            2.0,
            parameters,
        )
    text = str(caught.value)
    assert "2 of 5 derivatives disagree" in text
    assert "argument 1['layers'][1][0, 1]: the gradient is 6.006, differences give 6" in text
    assert "0.1 % off" in text
    with pytest.raises(ag.GradientError, match="and 92 more"):
        ag.check_gradients(square, np.arange(1.0, 101.0))


@pytest.mark.parametrize(
    ("f", "x", "kinks"),
    [
        (np.abs, [1.0, 0.0], 1),
        (ag.relu, [0.0, -1.0, 1.0], 1),
        (lambda x: ag.relu(x) + 1000 * x * x, [0.0], 1),
        (np.max, [1.0, 1.0, 0.0], 2),
        (lambda x: np.maximum(x, 0.5), [0.5, 0.5 + 1e-12, 0.6], 2),
        (lambda x: np.where(x > 0, x, 2 * x), [0.0, 3.0], 1),
    ],
)
def test_kinks_are_reported_not_failed(f, x, kinks):
    found = ag.check_gradients(f, np.array(x))
    assert len(found.unsure) == kinks
    assert all("a kink" in line for line in found.unsure)
    assert found.count == len(x)


def test_a_gradient_outside_the_two_sides_of_a_kink_fails():
    absolute = ag.custom_gradient(lambda g, out, x: g * (2 * (x >= 0) - 1) * 1.5)(np.abs)
    with pytest.raises(
        ag.GradientError, match="not between the one-sided derivatives −1 and 1 of a kink"
    ):
        ag.check_gradients(absolute, np.array([0.0]))


def test_a_kink_close_by_does_not_disturb():
    for distance in (1e-2, 1e-3, 1e-4, 1e-5):
        assert not ag.check_gradients(np.abs, np.array([distance, -3 * distance])).unsure


def test_jumps_and_edges_are_reported():
    found = ag.check_gradients(lambda x: np.where(x >= 0, x + 1, x), np.array([0.0, 1.0]))
    assert [line.split(": ")[1].split(";")[0] for line in found.unsure] == ["a jump"]
    found = ag.check_gradients(np.sqrt, np.array([0.0, 1.0]))
    assert "an edge of the domain" in found.unsure[0]
    assert str(found).splitlines()[0] == "1 derivatives agree with differences"


def test_large_arrays_are_sampled_and_probed_as_a_whole():
    x = np.random.default_rng(0).normal(size=(40, 40))
    assert ag.check_gradients(lambda x: np.sum(np.tanh(x)), x).count == 257
    unchecked = ag.custom_gradient(lambda g, out, x: g * np.where(x == x[39, 39], 5, 1))(
        lambda x: 1 * x
    )
    with pytest.raises(ag.GradientError, match="along a direction"):
        ag.check_gradients(lambda x: np.sum(unchecked(x)), x)


def test_integers_and_constants_are_left_alone():
    labels, data = np.array([0, 2]), ag.constant(X)
    found = ag.check_gradients(lambda w, k, c: np.sum((c @ w)[k]), np.ones((3, 2)), labels, data)
    assert found.count == 6
    w = ag.Tensor(X)
    assert ag.check_gradients(lambda w: np.sum(w**3), w).count == 9
    assert w.grad is None


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: ag.check_gradients(np.sum, X, order=0),
            ValueError,
            "order must be a positive integer, not 0",
        ),
        (lambda: ag.check_gradients(3, X), TypeError, "takes a function, not int"),
        (lambda: ag.check_gradients(np.sum), TypeError, "no argument is a floating-point"),
        (lambda: ag.check_gradients(np.sum, [1, 2]), TypeError, "no argument is a floating"),
        (lambda: ag.check_gradients(lambda x: "text", X), TypeError, "function's result"),
        (lambda: ag.check_gradients(lambda x: x > 0, X), TypeError, "no floating-point numbers"),
        (lambda: ag.check_gradients(lambda x: None, X), TypeError, "no floating-point numbers"),
        (
            lambda: ag.check_gradients(lambda x: x * np.nan, X),
            ag.GradientError,
            "is not finite here",
        ),
    ],
)
def test_bad_input_is_named(call, error, message):
    with pytest.raises(error, match=message):
        call()


@given(st.floats(-3, 3), st.sampled_from([np.exp, np.sin, np.arctan, lambda t: t**5 - t]))
def test_derivatives_are_within_their_estimated_error(x, f):
    found = derivative(lambda t: float(f(x + t)))
    h = 1e-30
    exact = float(np.imag(f(complex(x, h)))) / h
    assert not found.trouble
    assert abs(found.value - exact) <= 4 * found.error + 1e-12 * abs(exact)
    assert found.error < 1e-7 * (1 + abs(exact))
