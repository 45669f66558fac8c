"""Repeated steps are compiled once: a loop computes what the steps compute one by one."""

from __future__ import annotations

from itertools import accumulate
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings

import autograd_lite as ag
from autograd_lite.compiler import passes, rolling
from autograd_lite.trees import flatten
from tests.loops import looped, unrolled

x = np.array([0.1, 0.2, 0.3])
w = np.array([0.9, 1.1, 0.8])


def steps(step: Any, count: int) -> Any:
    def function(z: Any, w: Any) -> Any:
        for _ in range(count):
            z = step(z, w)
        return np.sum(z)

    return ag.value_and_grad(function, argnums=(0, 1))


STEPS = {
    "descent": lambda z, w: z - 0.1 * (2 * z - w),
    "logistic map": lambda z, w: 0.9 * z * (1 - z) * w,
    "tanh": lambda z, w: np.tanh(z * w),
    "used twice": lambda z, w: z + z * np.tanh(z) * w,
    "sigmoid": lambda z, w: ag.sigmoid(z * w) - z,
}


def run_readable(compiled: Any, args: Any) -> Any:
    space: dict[str, Any] = {}
    exec(compiled.readable(*args), space)
    return space["function"](*args)


def equal(found: Any, expected: Any) -> bool:
    """Whether results are equal to the last bit."""
    pairs = zip(flatten(found)[0], flatten(expected)[0], strict=True)
    return all(
        np.asarray(a).dtype == np.asarray(b).dtype and np.asarray(a).tobytes() == b.tobytes()
        for a, b in ((np.asarray(a), np.asarray(b)) for a, b in pairs)
    )


def check_close(found: Any, expected: Any) -> None:
    for a, b in zip(flatten(found)[0], flatten(expected)[0], strict=True):
        tolerance = 1e-3 if np.asarray(b).dtype == np.float32 else 1e-9
        largest = np.max(np.abs(b), initial=0.0, where=np.isfinite(b))
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance * largest)
        assert np.asarray(a).dtype == np.asarray(b).dtype


@pytest.mark.parametrize("name", STEPS)
def test_the_source_does_not_grow_with_the_number_of_steps(name):
    texts = []
    for count in (20, 200):
        function = ag.compile(steps(STEPS[name], count))
        check_close(function(x, w), steps(STEPS[name], count)(x, w))
        texts.append((function.source, function.readable()))
    (source, readable), (long_source, long_readable) = texts
    assert "    for " in readable
    assert len(long_source.splitlines()) == len(source.splitlines())
    assert len(long_readable.splitlines()) == len(readable.splitlines())


@pytest.mark.parametrize("name", STEPS)
def test_a_loop_and_its_steps_one_by_one_agree_to_the_bit(name):
    gradient, running = steps(STEPS[name], 20), passes.running
    rolled = ag.compile(gradient)
    expected = rolled(x, w)
    with patch.object(passes, "running", lambda roots, b, length=0: unrolled(running(roots, b), b)):
        straight = ag.compile(gradient)
        assert equal(straight(x, w), expected)
    assert "    for " in rolled.source
    assert "    for " not in straight.source


@settings(max_examples=60, deadline=None)
@given(looped())
def test_rolled_and_unrolled_programs_agree_to_the_bit(case):
    function, args = case
    gradient = ag.value_and_grad(function, argnums=(0, 1, 2, 3))
    running = passes.running
    rolled = ag.compile(gradient)(*args)
    with patch.object(passes, "running", lambda roots, b, length=0: unrolled(running(roots, b), b)):
        straight = ag.compile(gradient)
        assert equal(straight(*args), rolled)


@settings(max_examples=60, deadline=None)
@given(looped())
def test_loops_compute_what_the_program_computes(case):
    function, args = case
    for f in (function, ag.value_and_grad(function, argnums=(0, 1, 2, 3))):
        compiled = ag.compile(f)
        expected = f(*args)
        check_close(compiled(*args), expected)
        check_close(run_readable(ag.compile(named(f)), args), expected)


def named(f: Any) -> Any:
    def function(*args: Any) -> Any:
        return f(*args)

    return function


def test_an_element_taken_from_the_wrong_step_is_found():
    def wrong(self: Any, first: int, move: int, count: int, new: Any) -> Any:
        return sequence(self, first - move, move, count, new)

    sequence = rolling._Program._sequence

    def function(rows: Any) -> Any:
        return sum(np.tanh(row) * k for k, row in zip(constants, rows, strict=True))

    constants, rows = np.arange(20.0), np.linspace(0, 1, 60).reshape(20, 3)
    expected = function(rows)
    np.testing.assert_allclose(ag.compile(function)(rows), expected)
    with patch.object(rolling._Program, "_sequence", wrong), pytest.raises(AssertionError):
        np.testing.assert_allclose(ag.compile(function)(rows), expected)


def test_all_values_of_a_loop_may_be_results():
    def function(rows: Any) -> Any:
        return [*accumulate(rows, lambda total, row: np.tanh(total + row))]

    rows = np.linspace(-1, 1, 40).reshape(20, 2)
    found = ag.compile(function)(rows)
    assert len(found) == 20
    check_close(found, function(rows))
    found[3][:] = 0
    check_close(ag.compile(function)(rows), function(rows))


def test_steps_with_other_numbers_are_not_rolled():
    def function(z: Any) -> Any:
        for k in range(12):
            z = np.sin(z) * (0.1 + 0.01 * k)
        return z

    compiled = ag.compile(function)
    check_close(compiled(x), function(x))
    assert "for _" not in compiled.source


def test_a_long_program_needs_no_recursion():
    def function(z: Any) -> Any:
        for k in range(1500):  # above the limit of recursion
            z = np.sin(z) * (0.5 + k * 1e-9) + 0.1
        return np.sum(z)

    np.testing.assert_allclose(ag.compile(function)(x), function(x))


def test_the_initial_state_may_be_what_the_first_step_reads():
    def function(rows: Any) -> Any:
        h = rows[0]
        for row in rows:
            h = np.tanh(h * row) + row
        return np.sum(h)

    rows = np.linspace(-1, 1, 60).reshape(20, 3)
    gradient = ag.value_and_grad(function)
    check_close(ag.compile(gradient)(rows), gradient(rows))


def test_one_value_of_a_loop_may_be_listed_again_and_again():
    def function(z: Any) -> Any:
        values = [*accumulate([z] * 12, lambda total, z: np.tanh(total * z))]
        return np.sum(np.stack([values[3]] * 9) * np.arange(27.0).reshape(9, 3)) + sum(values)

    check_close(ag.compile(function)(x), function(x))
