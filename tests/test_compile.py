"""Compiled functions give the same results as the eager engine."""

from __future__ import annotations

import enum
import warnings
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from operands import UNDEFINED, cases

import autograd_lite as ag
from autograd_lite.op import OPS
from autograd_lite.testing import programs, together
from autograd_lite.trees import flatten


def executed(compiled, *args):
    """The results of the readable form, run with NumPy alone."""
    space = {}
    exec(compiled.readable(*args), space)
    return space[compiled.__name__](*args)


def assert_close(found, expected, rtol=1e-9):
    found, _, _ = flatten(found)
    expected, _, _ = flatten(expected)
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        b = b.numpy() if isinstance(b, ag.Tensor) else b
        assert np.shape(a) == np.shape(b)
        assert np.asarray(a).dtype == np.asarray(b).dtype
        size = np.max(np.abs(b), initial=0, where=np.isfinite(b)) if np.size(b) else 0
        np.testing.assert_allclose(a, b, rtol=rtol, atol=rtol * (1 + size))


def derivatives(program):
    """The value, the gradients and a Hessian-vector product of a program, as one function."""
    argnums = tuple(range(len(program.arrays)))

    def derivatives(*arrays):
        value, gradients = ag.value_and_grad(program, argnums)(*arrays)
        return value, gradients, ag.hvp(program, argnums)(*arrays, tuple(arrays))

    return derivatives


@settings(max_examples=40)
@given(programs())
def test_random_programs_give_what_the_eager_engine_gives(program):
    function = derivatives(program)
    compiled = ag.compile(function)
    before = [x.copy() for x in program.arrays]
    expected = function(*program.arrays)
    assert_close(compiled(*program.arrays), expected)
    assert_close(compiled(*program.arrays), expected)
    assert_close(executed(compiled, *program.arrays), expected)
    for x, was in zip(program.arrays, before, strict=True):
        np.testing.assert_array_equal(x, was)


@settings(max_examples=25)
@given(programs(dtype=np.float32))
def test_float32_stays_float32(program):
    function = ag.value_and_grad(program, tuple(range(len(program.arrays))))
    assert_close(ag.compile(function)(*program.arrays), function(*program.arrays), rtol=1e-3)


@settings(max_examples=16)
@given(programs(), st.sampled_from(["F", "strided", "reversed", "aliased"]))
def test_layout_and_aliasing_of_the_arguments_do_not_matter(program, layout):
    function = derivatives(program)
    expected = function(*program.arrays)
    compiled = ag.compile(function)
    compiled(*program.arrays)
    if layout == "aliased":
        same = {}
        arrays = [same.setdefault((x.shape, x.dtype), x) for x in program.arrays]
        expected = function(*arrays)
    else:
        arrays = [laid_out(x, layout) for x in program.arrays]
    assert_close(compiled(*arrays), expected)


def laid_out(x, layout):
    if layout == "F":
        return np.asfortranarray(x) if x.ndim else x
    wide = np.zeros((*x.shape[:-1], 2 * x.shape[-1]) if x.ndim else (2,), x.dtype)
    part = wide[..., ::2] if layout == "strided" else wide[..., -1::-2]
    part = part if x.ndim else part[0:1].reshape(())
    part[...] = x
    return part


@pytest.mark.parametrize("name", sorted(OPS.keys() - set(UNDEFINED)))
def test_every_operation_and_its_gradient(name):
    @settings(max_examples=2)
    @given(cases(OPS[name]))
    def check(case):
        floats = list(case.floats())
        arrays = [np.asarray(case.operands[k]) for k in floats]
        if not arrays:
            return

        def value(*arrays):
            operands = list(case.operands)
            for k, x in zip(floats, arrays, strict=True):
                operands[k] = x
            return case(*operands)

        def total(*arrays):
            result = value(*arrays)
            return np.sum(result * result)

        def function(*arrays):
            result = value(*arrays)
            if not isinstance(result, ag.Tensor) or result.dtype.kind != "f":
                return result
            return result, ag.value_and_grad(total, tuple(range(len(arrays))))(*arrays)

        expected = function(*(ag.constant(x) for x in arrays))
        compiled = ag.compile(function)
        assert_close(compiled(*arrays), expected)
        if not OPS[name].foreign:
            assert_close(executed(compiled, *arrays), expected)

    check()


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0)])
def test_arrays_without_elements(shape):
    def function(x, w):
        return ag.value_and_grad(lambda w: np.sum(ag.relu(x * w) + np.exp(x)))(w)

    x, w = np.ones(shape), np.ones(shape[-1:])
    assert_close(ag.compile(function)(x, w), function(x, w))


class Layer(NamedTuple):
    W: np.ndarray
    b: np.ndarray


def test_arguments_and_results_in_containers_of_every_kind():
    def function(tree, scale=2.0):
        layer, (x, nothing), words = tree["layer"], tree["data"], tree["words"]
        y = ag.relu(x @ layer.W.T + layer.b) * scale
        return {"y": y, "layer": Layer(layer.W * 2, layer.b), "none": nothing, "words": words}

    tree = {
        "layer": Layer(np.ones((2, 3)), np.arange(2.0)),
        "data": [np.arange(12.0).reshape(4, 3), None],
        "words": "plain",
    }
    compiled = ag.compile(function)
    for _ in range(2):
        found = compiled(tree, scale=3.0)
        assert isinstance(found["layer"], Layer)
        assert found["none"] is None
        assert found["words"] == "plain"
        np.testing.assert_array_equal(found["y"], 3 * (tree["data"][0].sum(1)[:, None] + [0, 1]))
    assert found["layer"].b is not tree["layer"].b


def test_results_belong_to_the_caller():
    x = np.arange(6.0).reshape(2, 3)
    function = ag.compile(
        lambda x: (x, x, x.T, x + 1, x + 1, (x + 1).T, np.broadcast_to(x, (2, 2, 3)))
    )
    first = function(x)
    for result in first:
        result += 100
    np.testing.assert_array_equal(x, np.arange(6.0).reshape(2, 3))
    for found, expected in zip(
        function(x), (x, x, x.T, x + 1, x + 1, (x + 1).T, [x, x]), strict=True
    ):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(first[3], x + 101)


def test_each_form_of_the_arguments_is_traced_once():
    traced = []

    @ag.compile
    def function(x, power=2):
        traced.append(x.shape)
        return x**power if power else x

    for _ in range(3):
        function(np.ones(2))
        function(np.ones(3))
        function(np.float64(3.0))
        function(np.ones(3), 3)
        function(np.ones(3), power=True)
        function(np.ones(3, np.float32))
    assert len(traced) == 6
    assert [function(np.full(1, 2.0), k).item() for k in (1, 2, 3)] == [2, 4, 8]


def test_the_cache_is_bounded():
    compiled = ag.compile(lambda x, k: x * k)
    for k in range(40):
        assert compiled(np.ones(2), k)[0] == k
    assert "16 programs" in repr(compiled)
    assert compiled(np.ones(2), 0)[0] == 0


def test_minus_zero_and_zero_are_different_plain_values():
    compiled = ag.compile(lambda x, zero: np.copysign(x, zero))
    assert compiled(np.ones(1), 0.0)[0] == 1
    assert compiled(np.ones(1), -0.0)[0] == -1


def test_compiled_functions_take_tensors_and_nest():
    inner = ag.compile(lambda x: np.sum(np.sin(x) * x))
    x = np.array([0.5, 2.0])
    expected = np.sin(x) + x * np.cos(x)
    np.testing.assert_allclose(ag.grad(inner)(x), expected)
    np.testing.assert_allclose(ag.compile(ag.grad(inner))(x), expected)


def test_closed_over_arrays_are_constants_taken_once():
    factor = np.array([1.0, 2.0])
    compiled = ag.compile(lambda x: x * factor)
    assert compiled(np.ones(2)).tolist() == [1, 2]
    factor[:] = 5
    assert compiled(np.ones(2)).tolist() == [1, 2]


B = np.array([[1.0, 2.0, 0.5], [3.0, -1.0, 2.0], [0.0, 1.0, 4.0]])


@pytest.mark.parametrize(
    "function",
    [
        lambda A: ag.grad(lambda A: np.sum(A @ B))(A),
        lambda A: ag.grad(lambda A: np.mean(A @ B))(A),
        lambda A: ag.grad(lambda A: np.sum(A @ B @ A))(A),
        lambda A: ag.grad(lambda A: np.sum(np.outer(A[0], A[0])))(A),
        lambda A: np.ones_like(A) @ A,
    ],
)
def test_a_square_matrix_of_ones_is_not_a_neutral_element(function):
    A = np.arange(9.0).reshape(3, 3)
    np.testing.assert_allclose(ag.compile(function)(A), function(A))


def test_the_order_of_a_dict_belongs_to_the_program():
    stacked = ag.compile(lambda d: np.stack(list(d.values())))
    x = np.array([1.0, 2.0])
    assert stacked({"b": x, "a": 10 * x}).tolist() == [[1, 2], [10, 20]]
    assert stacked({"a": 10 * x, "b": x}).tolist() == [[10, 20], [1, 2]]


@pytest.mark.parametrize("key", [enum.IntEnum("Place", "A").A, np.str_("a"), np.int64(3), (1, 2)])
def test_keys_that_are_not_literals(key):
    compiled = ag.compile(lambda d: d[key] * 2)
    for _ in range(2):
        assert compiled({key: np.ones(2)}).tolist() == [2, 2]


@pytest.mark.parametrize("f", [lambda w: w**2, lambda w: w**0.5, lambda w: w * 1e38 * 10])
def test_float32_under_numbers_of_python(f):
    w = np.ones(3, np.float32)
    gradient = ag.grad(lambda w: np.sum(f(w)))
    with np.errstate(over="ignore"):
        found, expected = ag.compile(gradient)(w), gradient(w)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_arrays_with_zero_rows():
    gradient = ag.compile(lambda x: ag.grad(lambda x: np.mean(x**2))(x))
    assert gradient(np.ones(0)).shape == (0,)


REDUCED = {
    "sum": np.sum,
    "mean": np.mean,
    "norm": lambda x: np.linalg.norm(x),
    "mean of sizes": lambda x: np.mean(np.abs(x)),
    "sum of rows": lambda x: np.sum(np.sum(x, axis=0, keepdims=True) ** 2),
}


@given(together(2), st.sampled_from(sorted(REDUCED)), st.integers(0, 99))
def test_a_quotient_keeps_the_shape_that_either_gives_it(shapes, name, seed):
    """The gradient of a sum is an array of equal elements, for which its number may stand."""
    random = np.random.default_rng(seed)
    a, b = (random.uniform(0.5, 1.5, shape) for shape in shapes)

    def f(a, b):
        own = a / (np.sum(a) + np.max(b))
        return REDUCED[name](a / b) + np.sum(np.ones(3) / np.sum(b)) + np.sum(own)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ag.BroadcastWarning)
        expected = ag.grad(f, (0, 1))(a, b)
        for got, exact in zip(ag.compile(ag.grad(f, (0, 1)))(a, b), expected, strict=True):
            assert got.shape == exact.shape
            np.testing.assert_allclose(got, exact, rtol=1e-12)


def test_two_different_arrays_of_indices():
    i, j = np.array([0, 0, 1]), np.array([1, 2, 2])
    f = lambda x: np.sum(np.sqrt(x)[..., i] * np.exp(x)[..., j])  # noqa: E731
    x = np.array([0.5, 1.0, 2.0])
    np.testing.assert_allclose(ag.compile(ag.grad(f))(x), ag.grad(f)(x))


def test_a_quotient_by_zero_is_infinite():
    f = ag.grad(lambda x: np.sum((x / 0.0) ** 2))
    with np.errstate(all="ignore"):
        np.testing.assert_array_equal(ag.compile(lambda x: f(x))(np.ones(3)), np.full(3, np.inf))


@pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan])
def test_a_constant_that_is_not_finite_keeps_its_dtype_when_it_is_read(value):
    f = ag.compile(lambda x: np.fmin(x, np.array(value)) * x)
    x = np.array([1e30], np.float32)
    namespace = {}
    exec(f.readable(x), namespace)
    (read,) = (g for name, g in namespace.items() if name.startswith("function"))
    with np.errstate(all="ignore"):
        assert read(x).dtype == f(x).dtype == np.float64
        np.testing.assert_array_equal(read(x), f(x))


SPREAD = {
    "broadcast": lambda x: np.broadcast_to(np.exp(x), (3, 4)),
    "before a function": lambda x: np.exp(np.broadcast_to(x, (3, 4))),
    "transposed": lambda x: np.broadcast_to(np.exp(x), (3, 4)).T,
    "reshaped": lambda x: np.reshape(np.broadcast_to(np.exp(x), (3, 4)), (1, 3, 4)),
    "a part": lambda x: np.broadcast_to(np.exp(x), (3, 4))[1:],
}


@pytest.mark.parametrize("name", SPREAD)
def test_the_elements_of_a_result_do_not_share_memory(name):
    x = np.arange(4.0)
    expected = np.array(SPREAD[name](x))
    found = ag.compile(SPREAD[name])(x)
    np.testing.assert_array_equal(found, expected)
    first = (0,) * found.ndim
    found[first] += 1
    expected[first] += 1
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("function", [np.exp, np.hypot, np.maximum])
def test_a_ufunc_of_numpy(function):
    arguments = [np.array([0.5, 2.0]), np.array([1.0, -3.0])][: function.nin]
    compiled = ag.compile(function)
    assert_close(compiled(*arguments), function(*arguments))
    assert_close(executed(compiled, *arguments), function(*arguments))


@pytest.mark.parametrize("function", [np.sum, np.diff, np.linalg.pinv, np.cumsum, np.argmax])
def test_a_function_of_numpy(function):
    x = np.array([[0.5, 2.0], [1.0, -3.0]])
    assert_close(ag.compile(function)(x), function(x))


def test_what_numpy_marks_as_not_passed_can_be_passed():
    x = np.array([0.5, 2.0])
    compiled = ag.compile(np.diff)
    for args, kwargs in [((x,), {}), ((x, 1, -1, 3.0), {}), ((x,), {"append": 4.0})]:
        assert_close(compiled(*args, **kwargs), np.diff(*args, **kwargs))


def test_a_derivative_of_a_ufunc():
    value, gradient = ag.compile(ag.value_and_grad(np.hypot, argnums=(0, 1)))(3.0, 4.0)
    assert_close([value, *gradient], [5.0, 0.6, 0.8])
