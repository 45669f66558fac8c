"""A walkthrough: its numbers are those of the engine, and its products can be computed again."""

import numpy as np
import pytest
import rich
import walked
from hypothesis import given, settings
from operands import cases
from pages import fan_out, layers, neurons

import autograd_lite as ag
from autograd_lite.explanation import writer
from autograd_lite.models.examples import perceptron, student, students
from autograd_lite.op import OPS
from autograd_lite.testing import programs


def checked(loss, learning_rate=0.1):
    """How many products of a walkthrough agree with their results; all must."""
    count = 0
    for left, side, computed, printed in walked.products(
        ag.walkthrough(loss, learning_rate).html()
    ):
        assert walked.agree(computed, printed), (left, side, computed.mid, printed.mid)
        count += 1
    return count


def without_closed_forms(monkeypatch):
    monkeypatch.setattr(writer, "_closed_forms", lambda loss, snapshot: ({}, []))


@pytest.mark.parametrize(
    ("make", "least"),
    [(student, 10), (students, 6), (perceptron, 22), (fan_out, 12), (layers, 10), (neurons, 1)],
)
def test_each_printed_product_follows_from_the_printed_factors(make, least):
    assert checked(make()) >= least


def leaves_of(program):
    return [ag.Tensor(a, name=f"x{k}") for k, a in enumerate(program.arrays)]


@given(rich.programs())
@settings(max_examples=30, deadline=None)
def test_rich_programs(program):
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        without_closed_forms(patch)
        checked(program(*leaves_of(program)))


@given(programs(max_size=10))
@settings(max_examples=30, deadline=None)
def test_random_programs(program):
    with pytest.MonkeyPatch.context() as patch, np.errstate(all="ignore"):
        without_closed_forms(patch)
        assert checked(program(*leaves_of(program))) > 0


@pytest.mark.parametrize(
    "op",
    [op for op in OPS.values() if op.differentiable and op.name not in ("completion", "arbitrary")],
    ids=lambda op: op.name,
)
def test_every_operation(op, monkeypatch):
    without_closed_forms(monkeypatch)

    @given(cases(op))
    @settings(max_examples=3, deadline=None)
    def check(case):
        leaves = [ag.Tensor(x) if np.asarray(x).dtype.kind == "f" else x for x in case.operands]
        with np.errstate(all="ignore"):
            out = case(*leaves)
            parts = (
                [out[k] for k in range(len(out.array))] if isinstance(out.array, tuple) else [out]
            )
            loss = sum(np.sum(part * part) for part in parts)
            if loss.requires_grad:
                checked(loss, 1e-3)

    check()
