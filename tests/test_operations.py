"""Every operation of the table, over shapes, axes and dtypes, against numerical derivatives."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from makers import SPECIAL
from operands import DIFFERENTIABLE, VOCABULARY, Case, NoOperandsError, cases
from rulecheck import (
    check_gradient,
    check_nothing_is_changed,
    check_nothing_is_shared,
    check_second_order,
    check_shape_and_dtype,
    numerical,
    several,
)
from strategies import FLOATS, Values

import autograd_lite as ag
from autograd_lite.op import OPS, operation

pytestmark = pytest.mark.filterwarnings("ignore::autograd_lite.BroadcastWarning")


@pytest.mark.parametrize("name", DIFFERENTIABLE)
@settings(max_examples=12)
@given(st.data())
def test_first_order(name, data):
    check_gradient(data.draw(cases(OPS[name])))


@pytest.mark.parametrize("name", DIFFERENTIABLE)
@settings(max_examples=4)
@given(st.data())
def test_first_order_in_float32(name, data):
    case = data.draw(cases(OPS[name])).astype(np.float32)
    check_gradient(case)
    if name not in ("astype", "float_power"):  # which set their dtype themselves
        assert all(y.dtype == np.float32 for y in several(case.forward(*case.operands)))


@pytest.mark.parametrize("name", DIFFERENTIABLE)
@settings(max_examples=6)
@given(st.data())
def test_second_order(name, data):
    check_second_order(data.draw(cases(OPS[name])))


@pytest.mark.parametrize("name", DIFFERENTIABLE)
@settings(max_examples=6)
@given(st.data())
def test_shape_dtype_and_memory(name, data):
    case = data.draw(cases(OPS[name])).astype(data.draw(st.sampled_from(FLOATS)))
    check_shape_and_dtype(case)
    check_nothing_is_changed(case)
    check_nothing_is_shared(case)


@pytest.mark.parametrize("name", [n for n in DIFFERENTIABLE if (OPS[n].arity or 2) > 1])
@settings(max_examples=4)
@given(st.data())
def test_each_gradient_has_the_dtype_of_its_own_input(name, data):
    case = data.draw(cases(OPS[name]))
    mixed = [
        x.astype(FLOATS[k % 2]) if x.dtype.kind == "f" else x for k, x in enumerate(case.operands)
    ]
    check_shape_and_dtype(type(case)(case.op, tuple(mixed), case.attributes))


@pytest.mark.parametrize("name", sorted(set(VOCABULARY) - set(DIFFERENTIABLE)))
@settings(max_examples=6)
@given(st.data())
def test_what_has_no_derivative_is_a_recorded_constant(name, data):
    case = data.draw(cases(OPS[name]))
    expected = case.forward(*case.operands)
    result = case(*(ag.Tensor(x, requires_grad=x.dtype.kind == "f") for x in case.operands))
    assert isinstance(result, (ag.Tensor, tuple))
    for y, value in zip(
        result if isinstance(result, tuple) else [result],
        expected if isinstance(expected, tuple) else [expected],
        strict=True,
    ):
        assert isinstance(y, ag.Tensor)
        assert not y.requires_grad
        assert y.op is not None
        assert y.dtype == np.asarray(value).dtype
        np.testing.assert_array_equal(y.data, value)
    if name == "stop_gradient" or isinstance(expected, tuple):
        return
    if np.asarray(expected).dtype.kind == "f":
        for k in case.floats():  # so leaving it out is no mistake
            derivative = numerical(lambda *xs: np.sum(case.forward(*xs)), case.operands, k)
            np.testing.assert_allclose(derivative, 0, atol=1e-9)


@pytest.mark.parametrize("name", VOCABULARY)
@settings(max_examples=3)
@given(st.data())
def test_on_arrays_an_operation_is_its_forward(name, data):
    case = data.draw(cases(OPS[name]))
    assert isinstance(case(*case.operands), (np.ndarray, np.generic, tuple, float, int))


def test_a_gradient_comes_back_in_the_dtype_it_left():
    x = ag.Tensor([1.0, 2.0])
    y = x.astype(np.float32)
    (y * y).backward(np.ones(2))
    assert y.dtype == np.float32
    assert x.grad.dtype == np.float64
    np.testing.assert_array_equal(x.grad, [2, 4])


def test_every_special_case_belongs_to_an_operation():
    assert set(SPECIAL) <= set(OPS)


@pytest.mark.usefixtures("operations_removed")
def test_an_operation_without_operands_fails_with_what_to_do():
    painted = operation("painted", lambda a, colour="red": a, lambda g, out, a, colour: g)
    with pytest.raises(NoOperandsError, match=r"painted.*its attribute colour.*tests/makers\.py"):
        _one(painted)


def _one(op):
    found = []

    @settings(max_examples=1)
    @given(st.data())
    def draw(data):
        found.append(data.draw(cases(op)))

    draw()
    return found


@pytest.mark.usefixtures("operations_removed")
def test_a_new_elementwise_operation_is_tested_by_being_added():
    cube = operation(
        "cube of the test", lambda x: x**3, lambda g, out, x: g * 3 * x * x, elementwise=True
    )
    for case in _one(cube):
        check_gradient(case)


BINARY = [
    name
    for name in DIFFERENTIABLE
    if OPS[name].traits.elementwise and OPS[name].arity == 2 and name not in SPECIAL
]


@pytest.mark.parametrize("name", [name for name in BINARY if name != "float_power"])
@pytest.mark.parametrize("number", [1.5, 2, True])
def test_float32_stays_float32_under_a_python_number(name, number):
    for first in (True, False):
        x = ag.Tensor(np.array([0.5, 1.25], np.float32))
        y = OPS[name](x, number) if first else OPS[name](number, x)
        assert y.dtype == np.float32
        y.backward(np.ones(2))
        rule = OPS[name].rules[0 if first else 1]
        assert (x.grad is None) == (rule is None)
        if rule is not None:
            assert x.grad.dtype == np.float32


@pytest.mark.parametrize("name", BINARY)
@pytest.mark.parametrize("first", [True, False])
def test_integers_are_constants_beside_a_tensor(name, first):
    whole, x = np.array([1, 2, 3]), Values(0)((3,), 0.5, 0.9, signed=False)
    operands = [whole, x] if first else [x, whole]
    case = Case(OPS[name], tuple(operands))
    check_gradient(case)
    check_shape_and_dtype(case)


@pytest.mark.parametrize("name", DIFFERENTIABLE)
@settings(max_examples=1)
@given(st.data())
def test_longdouble_stays_longdouble(name, data):
    case = data.draw(cases(OPS[name]))
    wide = [x.astype(np.longdouble) if x.dtype.kind == "f" else x for x in case.operands]
    try:
        case.forward(*wide)
    except TypeError as error:
        # LAPACK and most functions of scipy.special have no such precision.
        if not re.search("is unsupported in linalg|not supported for the input types", str(error)):
            raise
        return
    xs = [ag.Tensor(x, requires_grad=x.dtype.kind == "f") for x in wide]
    check_shape_and_dtype(Case(case.op, tuple(wide), case.attributes))
    assert isinstance(case(*xs), ag.Tensor)
