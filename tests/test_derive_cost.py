"""The cost of a derivation is linear in the length of its graph."""

from __future__ import annotations

import sys

import numpy as np
import pytest

import autograd_lite as ag

pytest.importorskip("sympy")

OPERATIONS = [np.sin, np.tanh, lambda h: 0.9 * h, lambda h: h + 0.25]


def steps(function):
    """How many steps Python's interpreter takes in the package: the same on every machine."""
    count = 0

    def inside(frame, event, arg):
        nonlocal count
        count += event == "opcode"
        return inside

    def called(frame, event, arg):
        if "autograd_lite" in frame.f_code.co_filename:
            frame.f_trace_opcodes = True
            return inside
        return None

    before = sys.gettrace()
    sys.settrace(called)
    try:
        function()
    finally:
        sys.settrace(before)
    return count


def chain(length, named):
    h = ag.Tensor([0.3, 0.2], "x")
    for k in range(length):
        h = OPERATIONS[k % 4](h)
        h = h.named(f"h{k}") if named else h
    return np.sum(h).named("L")


@pytest.mark.parametrize("named", [True, False])
def test_a_chain_twice_as_long_costs_twice_as_much(named):
    short, long = chain(80, named), chain(160, named)
    ag.derive(long).text()  # fills the memory of forms seen before
    once, twice = (steps(lambda loss=loss: ag.derive(loss).text()) for loss in (short, long))
    assert once < twice < 2.2 * once
