"""The strategies for users draw what they promise."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite import testing
from autograd_lite.testing import NAMES, STEPS, arrays, programs, shapes, together


@given(shapes(max_dims=2, min_side=0, max_side=3, min_dims=1))
def test_shapes(shape):
    assert 1 <= len(shape) <= 2
    assert all(0 <= side <= 3 for side in shape)


@given(together(3))
def test_shapes_that_broadcast_together(found):
    assert len(found) == 3
    np.broadcast_shapes(*found)


@given(st.data(), st.sampled_from([np.float32, np.float64]))
def test_arrays(data, dtype):
    x = data.draw(arrays((2, 3), dtype, low=1, high=2))
    assert x.shape == (2, 3)
    assert x.dtype == dtype
    assert np.all((x >= 1) & (x <= 2))
    assert data.draw(arrays(shapes(max_dims=0))).shape == ()


def drawn(strategy, count=200):
    found = []

    @settings(max_examples=count, phases=[Phase.generate], derandomize=True, database=None)
    @given(strategy)
    def collect(x):
        found.append(x)

    collect()
    return found


def test_every_second_array_has_ties_and_zeros():
    found = drawn(arrays((3, 4)))
    tied = [len(np.unique(x)) < x.size for x in found]
    assert 0.3 < np.mean(tied) < 0.7
    zeros = [np.any(x == 0) for x in found]
    assert np.mean(zeros) > 0.8 * np.mean(tied)
    # Each number is drawn for itself: hardly an array holds one number alone.
    assert np.median([len(np.unique(x)) for x in found]) >= 3
    assert all(x.shape == (3, 4) for x in found)


def test_two_arrays_tie_with_each_other():
    both = drawn(st.tuples(arrays(4, ties=True), arrays(4, ties=True)))
    assert np.mean([np.any(x == y) for x, y in both]) > 0.5


@given(arrays((3, 4), ties=False), arrays((3, 4), low=0.5, high=2, ties=True))
def test_ties_may_be_required_or_not(distinct, tied):
    assert len(np.unique(distinct)) == 12
    assert not np.any(distinct == 0)
    assert len(np.unique(tied)) <= 4
    assert np.all((tied >= 0.5) & (tied < 2))


@given(programs(ties=True, max_size=5))
def test_programs_with_ties_run(program):
    assert all(len(np.unique(x)) <= 5 for x in program.arrays)
    assert np.isfinite(program(*program.arrays))


@given(programs())
def test_programs_run_on_arrays_and_tensors_alike(program):
    value = program(*program.arrays)
    assert np.ndim(value) == 0
    assert abs(value) <= 6
    result = program(*map(ag.Tensor, program.arrays))
    np.testing.assert_allclose(result.numpy(), value, rtol=1e-12, atol=1e-12)
    assert len(program.source.splitlines()) <= 42
    assert "array(" in repr(program)


def test_programs_share_and_reach_forty_operations():
    def shares(program):
        graph = ag.Graph.of(program(*map(ag.Tensor, program.arrays)))
        return len(graph) >= 40 and any(len(c) >= 2 for c in graph.consumers.values())

    quick = settings(max_examples=200, phases=[Phase.generate], derandomize=True, database=None)
    assert find(programs(), shares, settings=quick)


@pytest.mark.parametrize("step", STEPS)
def test_every_step_keeps_matrices_in_bounds(step):
    random = np.random.default_rng(0)
    f = eval(f"lambda x, y: {step.format('x', 'y')}", dict(NAMES))
    for _ in range(20):
        x, y = random.uniform(-2, 2, size=(2, 3, 3))
        assert np.max(np.abs(f(x, y))) <= 2


@pytest.mark.usefixtures("operations_removed")
@pytest.mark.parametrize("wrong", [False, True])
def test_a_custom_operation_is_tested_in_programs(wrong):
    mine = ag.custom_gradient(lambda g, out, x: g * (3 - wrong) * x * x / 4)(lambda x: x**3 / 4)

    @settings(max_examples=15)
    @given(programs(["mine({0})", "tanh({0} + {1})"], {"mine": mine}, max_size=5))
    def test(program):
        ag.check_gradients(program, *program.arrays)

    if wrong:
        with pytest.raises(ag.GradientError):
            test()
    else:
        test()


def test_without_hypothesis_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    monkeypatch.delitem(sys.modules, "autograd_lite.testing.strategies")
    with pytest.raises(ImportError, match=r"pip install 'autograd_lite\[test\]'"):
        testing.arrays  # noqa: B018


def test_what_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'nothing'"):
        testing.nothing  # noqa: B018
