"""The strategies for users draw what they promise."""

from __future__ import annotations

import importlib
import sys

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.op import OPS
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


@pytest.mark.parametrize("wrong", [False, True])
def test_an_operation_of_ones_own_is_tested_in_programs(wrong):
    mine = ag.custom_gradient(lambda g, out, x: g * (3 - wrong) * x * x / 4)(lambda x: x**3 / 4)

    @settings(max_examples=15)
    @given(programs(["mine({0})", "tanh({0} + {1})"], {"mine": mine}, max_size=5))
    def test(program):
        ag.check_gradients(program, *program.arrays)

    try:
        if wrong:
            with pytest.raises(ag.GradientError):
                test()
        else:
            test()
    finally:
        del OPS[mine.name]


def test_without_hypothesis_the_error_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    monkeypatch.delitem(sys.modules, "autograd_lite.testing")
    with pytest.raises(ImportError, match=r"pip install 'autograd_lite\[test\]'"):
        importlib.import_module("autograd_lite.testing")
