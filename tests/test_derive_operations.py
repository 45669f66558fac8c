"""Every operation of the table can be derived: never wrong, never an exception."""

from __future__ import annotations

import numpy as np
import pytest
from derived_forms import agree
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from operands import DIFFERENTIABLE, cases

import autograd_lite as ag
from autograd_lite.op import OPS
from autograd_lite.testing import programs

pytest.importorskip("sympy")


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_an_operation_is_derived(name):
    @settings(max_examples=3)
    @given(st.data())
    def run(data):
        case = data.draw(cases(OPS[name]))
        leaves = [
            ag.Tensor(x, name=f"x{k}", requires_grad=np.asarray(x).dtype.kind == "f")
            for k, x in enumerate(case.operands)
        ]
        out = case(*leaves)
        if isinstance(out.array, tuple) or not out.requires_grad or out.dtype.kind != "f":
            return
        loss = np.sum(out * out)
        agree(loss, lacking=True)

    run()


# A derivation takes too long to be shrunk.
@settings(max_examples=10, phases=[Phase.explicit, Phase.generate])
@given(programs())
def test_a_random_program_is_derived(program):
    leaves = [ag.Tensor(x, name=f"x{k}") for k, x in enumerate(program.arrays)]
    loss = program(*leaves)
    if not loss.requires_grad:
        return
    agree(loss, lacking=True)


def test_a_tie_is_shared_in_the_form_as_well():
    x = ag.Tensor([0.0, 1.0, -1.0], "x")
    derivation = ag.derive(np.sum(np.maximum(x, 0)).named("L"))
    (form,) = derivation.closed_form.values()
    np.testing.assert_array_equal(form.evaluate({"x": x.numpy()}), [0.5, 1, 0])


def test_labels_that_are_truth_values():
    A = ag.constant(np.arange(6.0).reshape(3, 2), "A")
    w, y = ag.Tensor([0.1, -0.2], "w"), ag.constant([True, False, True], "y")
    ŷ = ag.sigmoid(A @ w).named("ŷ")
    L = (-np.sum(y * np.log(ŷ) + (1 - y) * np.log(1 - ŷ))).named("L")
    assert "∂L/∂w = Aᵀ(ŷ − y)" in ag.derive(L, wrt=[w]).text()


def test_a_power_with_a_name():
    p, a = ag.constant(2.5, "p"), ag.Tensor([1.0, 2.0], "a")
    assert "∂L/∂a = p a^(p − 1)" in ag.derive(np.sum(a**p).named("L")).text()


def test_a_running_product_is_shown_as_the_operations_of_its_rule():
    M = ag.Tensor([1.0, 2.0, 3.0], "M")
    (form,) = ag.derive(np.cumprod(M).sum().named("L")).closed_form.values()
    np.testing.assert_allclose(form.evaluate({"M": M.numpy()}), [9, 4, 2])


def test_infinity_and_nan_are_written_as_such():
    x = ag.Tensor(np.arange(1.0, 4.0), name="x")
    largest = ag.derive(np.sum(np.where(x > 0, np.maximum(x, -np.inf), np.nan)))
    assert "NaN" in str(largest)
    assert "−∞" in str(largest)
    assert r"\infty" in largest.latex()
    spread = np.std(x, where=np.array([True, False, True]))
    assert "checked against the sweep" in str(ag.derive(spread))
