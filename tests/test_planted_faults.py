"""Test the tester: a rule planted wrong is caught by the very checks that the suite uses."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from operands import Case
from rulecheck import (
    check_everything,
    check_gradient,
    check_linear,
    check_nothing_is_changed,
    check_nothing_is_shared,
    check_on_tensors,
    check_second_order,
    check_shape_and_dtype,
)
from strategies import Values

import autograd_lite as ag
from autograd_lite.op import OPS

VALUES = Values(0)
A, B = VALUES((3, 3)), VALUES((3, 3))


def planted(name, *operands, rules, forward=None, **attributes):
    """A case of an operation of the table with other rules (or another forward) in it."""
    op = replace(OPS[name], rules=rules, forward=forward or OPS[name].forward)
    return Case(op, operands, attributes)


def sound(name, *operands, **attributes):
    return planted(name, *operands, rules=OPS[name].rules, **attributes)


def test_what_is_sound_passes():
    check_everything(sound("multiply", A, B))
    check_everything(sound("sum", A, axis=1))
    check_everything(sound("matmul", A, B))
    check_everything(sound("exp", A))


def _writes_into_g(g, out, x):
    g *= out
    return g


def _writes_into_x(g, out, x):
    part = g * out
    x += 0.5
    return part


def _writes_into_out(g, out, x):
    out *= g
    return out.copy()


def _forgetful(g, out, x):
    return g * (out.detach() if isinstance(out, ag.Tensor) else out)


def _forward_that_writes(x):
    return np.exp(x, out=x) + 0.0


multiply, exp = OPS["multiply"].rules, OPS["exp"].rules

FAULTS = {
    "a factor wrong by 0.1 %": (
        check_gradient,
        planted("multiply", A, B, rules=(lambda g, out, a, b: 1.001 * g * b, multiply[1])),
    ),
    "a factor wrong by 0.1 % in one element": (
        check_gradient,
        planted("exp", A, rules=(lambda g, out, x: g * out * (1 + 0.001 * (x == A[1, 2])),)),
    ),
    "a factor wrong by 0.1 % in float32": (
        check_gradient,
        planted("exp", A, rules=(lambda g, out, x: g * out * 1.001,)).astype(np.float32),
    ),
    "a wrong sign": (
        check_gradient,
        planted("subtract", A, B, rules=(OPS["subtract"].rules[0], lambda g, out, a, b: g * 1)),
    ),
    "the operands exchanged": (
        check_gradient,
        planted("multiply", A, B, rules=(multiply[1], multiply[0])),
    ),
    "a wrong axis": (
        check_gradient,
        planted(
            "sum",
            A,
            rules=(lambda g, out, a, axis: np.broadcast_to(np.expand_dims(g, 0), a.shape),),
            axis=1,
        ),
    ),
    "a transpose left out": (
        check_gradient,
        planted("matmul", A, B, rules=(lambda g, out, a, b: g @ b, OPS["matmul"].rules[1])),
    ),
    "a missing contribution": (
        check_gradient,
        planted("multiply", A, A + 0.01, rules=(multiply[0], None)),
    ),
    "a contribution of nothing": (
        check_gradient,
        planted("multiply", A, B, rules=(multiply[0], lambda g, out, a, b: 0 * g)),
    ),
    "no number": (check_gradient, planted("exp", A, rules=(lambda g, out, x: g * np.nan,))),
    "rounded to integers": (
        check_gradient,
        planted("exp", A, rules=(lambda g, out, x: np.asarray(g * out).astype(np.int64),)),
    ),
    "rounded to float32": (
        check_gradient,
        planted("exp", A, rules=(lambda g, out, x: np.asarray(g * out).astype(np.float32),)),
    ),
    "a wrong dtype": (
        check_shape_and_dtype,
        planted("exp", A, rules=(lambda g, out, x: g * out * 1j,)),
    ),
    "a shape too small": (
        check_shape_and_dtype,
        planted("exp", A, rules=(lambda g, out, x: (g * out)[0],)),
    ),
    "a shape too large": (
        check_shape_and_dtype,
        planted("exp", A, rules=(lambda g, out, x: (g * out)[None],)),
    ),
    "a shape that would broadcast": (
        check_shape_and_dtype,
        planted("exp", A, rules=(lambda g, out, x: np.sum(g * out, axis=1, keepdims=True),)),
    ),
    "the gradient written into": (
        check_nothing_is_changed,
        planted("exp", A, rules=(_writes_into_g,)),
    ),
    "the operand written into": (
        check_nothing_is_changed,
        planted("exp", A, rules=(_writes_into_x,)),
    ),
    "the result written into": (
        check_nothing_is_changed,
        planted("exp", A, rules=(_writes_into_out,)),
    ),
    "a forward that writes into its operand": (
        check_nothing_is_changed,
        planted("exp", A, rules=exp, forward=_forward_that_writes),
    ),
    "the result handed out": (
        check_nothing_is_shared,
        planted("exp", A, rules=(lambda g, out, x: out,)),
    ),
    "a view of an operand handed out": (
        check_nothing_is_shared,
        planted("multiply", A, B, rules=(lambda g, out, a, b: b[:], multiply[1])),
    ),
    "right at first order, wrong at second": (
        check_second_order,
        planted("exp", A, rules=(_forgetful,)),
    ),
    "numbers taken out of a Tensor": (
        check_on_tensors,
        planted("exp", A, rules=(lambda g, out, x: np.asarray(g) * np.asarray(out),)),
    ),
    "other numbers on Tensors": (
        check_on_tensors,
        planted("exp", A, rules=(lambda g, out, x: g * (out if type(x) is np.ndarray else x),)),
    ),
    "not linear in the gradient": (
        check_linear,
        planted("exp", A, rules=(lambda g, out, x: g * g * out,)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught(fault):
    check, case = FAULTS[fault]
    with pytest.raises((AssertionError, ValueError, TypeError)) as caught:
        check(case)
    assert case.op.name in str(caught.value)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_caught_by_all_checks_together(fault):
    with pytest.raises((AssertionError, ValueError, TypeError)):
        check_everything(FAULTS[fault][1])


def test_a_report_names_operation_operand_element_and_both_numbers():
    check, case = FAULTS["a factor wrong by 0.1 % in one element"]
    with pytest.raises(AssertionError) as caught:
        check(case)
    g = np.random.default_rng(7).uniform(0.5, 1.5, (3, 3))
    right = (g * np.exp(A))[1, 2]
    text = str(caught.value)
    assert text.startswith("exp of (3, 3) float64")
    assert "operand 0 at (1, 2)" in text
    assert f"{1.001 * right:.10g}"[:10] in text
    assert f"{right:.10g}"[:9] in text
