"""Random programs: every way to the same derivative gives the same derivative."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

import autograd_lite as ag
from autograd_lite.graph import Graph
from autograd_lite.sweep import gradients
from autograd_lite.testing import programs


def leaves_of(program):
    return [ag.Tensor(x, name=f"x{k}") for k, x in enumerate(program.arrays)]


@given(programs())
def test_backward_twice_adds_exactly_the_same(program):
    leaves = leaves_of(program)
    result = program(*leaves)
    result.backward()
    once = [leaf.grad for leaf in leaves]
    result.backward()
    for leaf, g in zip(leaves, once, strict=True):
        if g is not None:
            np.testing.assert_array_equal(leaf.grad, g + g)


@given(programs())
def test_the_parts_on_the_edges_add_up_to_each_gradient(program):
    result = program(*leaves_of(program))
    found = gradients(result)
    for node, consumers in Graph.of(result).consumers.items():
        parts = [found.parts[edge] for edge in consumers if edge in found.parts]
        if parts and node.requires_grad:
            np.testing.assert_allclose(sum(parts), found.of[node], rtol=1e-9, atol=1e-12)


@given(programs())
def test_backward_of_the_sum_of_two_is_backward_of_each(program):
    together, apart = leaves_of(program), leaves_of(program)
    one, two = program(*together), np.exp(program(*together))
    (one + two).backward()
    first, second = program(*apart), np.exp(program(*apart))
    first.backward()
    second.backward()
    for a, b in zip(together, apart, strict=True):
        if a.grad is not None:
            np.testing.assert_allclose(a.grad, b.grad, rtol=1e-10, atol=1e-12)


@given(programs(), st.floats(-3, 3))
def test_backward_is_linear_in_its_gradient(program, factor):
    one, two = leaves_of(program), leaves_of(program)
    program(*one).backward()
    program(*two).backward(factor)
    for a, b in zip(one, two, strict=True):
        if a.grad is not None:
            np.testing.assert_allclose(factor * a.grad, b.grad, rtol=1e-9, atol=1e-12)


@given(programs(dtype=np.float32))
def test_float32_agrees_with_float64(program):
    argnums = tuple(range(len(program.arrays)))
    narrow = ag.grad(program, argnums)(*program.arrays)
    wide = ag.grad(program, argnums)(*(x.astype(np.float64) for x in program.arrays))
    for a, b in zip(narrow, wide, strict=True):
        assert a.dtype == np.float32
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-4 * (1 + np.max(np.abs(b))))


@settings(max_examples=40)
@given(programs(max_size=25))
def test_back_over_back_is_forward_over_back(program):
    argnums = tuple(range(len(program.arrays)))
    v = tuple(np.cos(np.arange(x.size)).reshape(x.shape) for x in program.arrays)
    product = ag.hvp(program, argnums)(*program.arrays, v)
    pushed = ag.jvp(ag.grad(program, argnums), program.arrays, v)[1]
    for a, b in zip(product, pushed, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-8, atol=1e-10)


@given(programs())
def test_nothing_that_was_given_is_changed(program):
    before = [x.copy() for x in program.arrays]
    argnums = tuple(range(len(program.arrays)))
    ag.value_and_grad(program, argnums)(*program.arrays)
    ag.hvp(program, argnums)(*program.arrays, tuple(program.arrays))
    for x, was in zip(program.arrays, before, strict=True):
        np.testing.assert_array_equal(x, was)
