"""The Tensor: what it holds, what it refuses, and how it behaves as Python's and NumPy's own."""

from __future__ import annotations

import copy
import pickle

import numpy as np
import pytest

import autograd_lite as ag


def test_it_holds_a_copy_of_the_data():
    given = np.array([1.0, 2.0])
    t = ag.Tensor(given)
    given[0] = 100
    np.testing.assert_array_equal(t.data, [1, 2])


def test_the_representation():
    t = ag.Tensor(np.ones((2, 3)), name="W")
    assert (t.shape, t.ndim, t.size, t.dtype) == ((2, 3), 2, 6, np.float64)
    assert (t.name, t.op, t.inputs, t.requires_grad, t.grad) == ("W", None, (), True, None)
    assert t.T.shape == (3, 2)
    assert len(t) == 2


def test_a_number_is_zero_dimensional():
    t = ag.Tensor(3.0)
    assert (t.shape, t.size, t.item(), float(t.detach())) == ((), 1, 3.0, 3.0)
    assert type(t.item()) is float


def test_a_result_knows_how_it_was_made():
    a = ag.Tensor(2.0, name="a")
    b = (a * 3).named("b")
    assert b.op.name == "multiply"
    assert b.inputs[0] is a
    assert b.name == "b"
    assert a.position < b.position


def test_named_returns_itself():
    t = ag.Tensor(1.0)
    assert t.named("t") is t
    with pytest.raises(TypeError, match="the name of a Tensor must be a string, not int"):
        t.named(3)


@pytest.mark.parametrize(
    ("data", "dtype"),
    [
        (3, np.float64),
        ([1, 2], np.float64),
        (True, np.float64),
        (np.float32(1), np.float32),
        (np.ones(2, np.float32), np.float32),
        (np.ones(2, np.int8), np.float64),
        (np.ones(2, ">f8"), np.float64),
        (np.ones(2, np.longdouble), np.longdouble),
        (memoryview(np.ones(2)), np.float64),
        (range(3), np.float64),
    ],
)
def test_the_dtype_of_what_requires_a_gradient(data, dtype):
    assert ag.Tensor(data).dtype == dtype


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, np.bool_, np.float32, np.float64])
def test_constants_keep_their_dtype(dtype):
    assert ag.constant(np.ones(2, dtype)).dtype == dtype


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (1j, "complex128.*real and imaginary"),
        (np.ones(2, np.complex64), "complex64"),
        ("text", "use numbers"),
        (["a", "b"], "use numbers"),
        (None, "object"),
        ({"a": 1}, "object"),
        (np.array([1, "a"], object), "object"),
        ([[1, 2], [3]], "not an array of numbers"),
        (np.ones(2, np.float16), "float16 is too coarse"),
        (np.ma.array([1.0, 2.0]), "masked"),
        (np.array(["2020-01-01"], "M8[D]"), "datetime64"),
        (b"bytes", "use numbers"),
        (2**70, "object"),
    ],
    ids=str,
)
@pytest.mark.parametrize("make", [ag.Tensor, ag.constant], ids=["Tensor", "constant"])
def test_data_that_are_not_real_numbers_are_refused(make, data, message):
    with pytest.raises(TypeError, match=message):
        make(data)


def test_such_data_are_refused_as_operands_too():
    t = ag.Tensor([1.0, 2.0])
    for other in (1j, "text", None, np.array([1j, 2])):
        with pytest.raises(TypeError, match=r"dtype .* is not supported"):
            t * other
    with pytest.raises(TypeError, match="float16"):
        t + np.ones(2, np.float16)


def test_a_tensor_of_tensors_is_refused_with_advice():
    t = ag.Tensor(1.0)
    with pytest.raises(TypeError, match="are a Tensor already"):
        ag.Tensor(t)


@pytest.mark.parametrize("shape", [(0,), (0, 3), (2, 0, 1)])
def test_empty_arrays(shape):
    t = ag.Tensor(np.ones(shape))
    total = np.sum(np.exp(t) * 2)
    assert total.item() == 0
    total.backward()
    assert t.grad.shape == shape


@pytest.mark.parametrize(
    "f", [np.max, np.min, np.argmax, ag.logsumexp], ids=["max", "min", "argmax", "logsumexp"]
)
def test_no_extreme_of_nothing(f):
    with pytest.raises(ValueError, match=r"w \(0,\)"):
        f(ag.Tensor(np.ones(0), name="w"))


def test_layouts_of_every_kind():
    base = np.arange(12.0).reshape(3, 4)
    read_only = base.copy()
    read_only.flags.writeable = False
    for given in (np.asfortranarray(base), base[::-1, ::-2], base.T, read_only):
        t = ag.Tensor(given)
        np.testing.assert_array_equal(t.data, given)
        np.sum(t * t).backward()
        np.testing.assert_array_equal(t.grad, 2 * given)


# backward


def test_backward_of_several_numbers_says_what_to_do():
    w = ag.Tensor(np.ones(3), name="w")
    with pytest.raises(
        ValueError, match=r"backward needs a scalar; got z \(3,\).*sum\(\) or mean\(\)"
    ):
        (w * 2).named("z").backward()
    assert w.grad is None


def test_backward_of_one_number_in_a_larger_shape():
    w = ag.Tensor([[3.0]])
    (w * w).backward()
    np.testing.assert_array_equal(w.grad, [[6.0]])


@pytest.mark.parametrize("gradient", [np.ones(2), np.ones((3, 1)), 1.0, np.ones(3, complex)])
def test_backward_with_a_gradient_that_does_not_fit(gradient):
    w = ag.Tensor(np.ones(3), name="w")
    with pytest.raises(ValueError, match=r"backward: gradient= of shape"):
        (w * 2).backward(gradient)
    assert w.grad is None


def test_backward_of_what_requires_no_gradient():
    with pytest.raises(ValueError, match=r"backward: .*does not require a gradient"):
        (ag.constant(2.0) * 3).backward()


# Data


def test_data_of_a_leaf_change_at_any_time():
    w = ag.Tensor([1.0, 2.0])
    w.data[0] = 5
    w.data -= 1
    np.testing.assert_array_equal(w.data, [4, 1])
    w.data = [7, 8]
    np.testing.assert_array_equal(w.data, [7, 8])
    assert w.dtype == np.float64


def test_a_leaf_that_comes_back_from_the_record_still_shares_its_data():
    w = ag.Tensor([1.0, 2.0])
    view, y = w.data, np.exp(w)
    del w
    view += 1
    (again,) = ag.Graph.of(y).inputs
    assert again.data is view
    loss = np.sum(again * again)
    view += 1
    loss.backward()
    np.testing.assert_array_equal(again.grad, [4, 6])
    again.data = [7.0, 8.0]
    del again
    np.testing.assert_array_equal(y.inputs[0].data, [7, 8])


@pytest.mark.parametrize("view_first", [False, True])
def test_a_change_of_data_never_reaches_back_into_a_record(view_first):
    w = ag.Tensor([1.0, 2.0])
    view = w.data[:] if view_first else None
    loss = np.sum(w * w)
    if view is not None:
        view[:] = 100
    w.data[:] = 200
    w.data = [300.0, 400.0]
    loss.backward()
    np.testing.assert_array_equal(w.grad, [2, 4])


def test_a_change_of_an_operand_never_reaches_back():
    x, w = np.array([1.0, 2.0]), ag.Tensor([3.0, 4.0])
    loss = np.sum(w * x)
    x[:] = 100
    loss.backward()
    np.testing.assert_array_equal(w.grad, [1, 2])


def test_results_are_handed_out_read_only():
    w = ag.Tensor([1.0, 2.0])
    y = np.exp(w)
    for handed_out in (y.data, y.numpy(), w.numpy()):
        with pytest.raises(ValueError, match="read-only"):
            handed_out[0] = 5
        with pytest.raises(ValueError, match="WRITEABLE"):
            handed_out.flags.writeable = True


def test_data_of_a_result_cannot_be_set():
    y = np.exp(ag.Tensor([1.0, 2.0]))
    with pytest.raises(ValueError, match="only the data of a leaf"):
        y.data = [1.0, 2.0]


def test_data_keep_their_shape():
    w = ag.Tensor([1.0, 2.0], name="w")
    with pytest.raises(ValueError, match=r"w \(2,\).*shape \(3,\)"):
        w.data = np.ones(3)
    with pytest.raises(TypeError, match="complex"):
        w.data = np.ones(2) * 1j
    np.testing.assert_array_equal(w.data, [1, 2])


def test_data_keep_their_dtype_and_are_never_rounded_to_whole_numbers():
    w = ag.Tensor(np.ones(2, np.float32))
    w.data = np.array([0.5, 2.0])
    assert w.data.dtype == np.float32
    count = ag.constant([1, 2], name="n")
    with pytest.raises(TypeError, match=r"n \(2,\): float64 data cannot be converted to int64"):
        count.data = [1.5, 2.5]
    np.testing.assert_array_equal(count.data, [1, 2])


def test_detach_is_a_constant_copy():
    w = ag.Tensor([1.0, 2.0], name="w")
    d = (w * 2).named("d").detach()
    assert (d.op, d.requires_grad, d.name) == (None, False, "d")
    d.data[:] = 100
    np.testing.assert_array_equal((w * 2).data, [2, 4])


# Python's protocols


def test_in_place_operators_rebind():
    t = u = ag.Tensor([1.0, 2.0])
    t += 1
    t *= 2
    t -= 1
    t /= 2
    assert t is not u
    np.testing.assert_array_equal(u.data, [1, 2])
    np.sum(t).backward()
    np.testing.assert_array_equal(u.grad, [1, 1])


def test_assignment_to_elements_says_what_to_do():
    t = ag.Tensor([1.0, 2.0])
    with pytest.raises(TypeError, match=r"np\.where.*t\.data\[key\]"):
        t[0] = 5


def test_an_array_cannot_take_a_tensor_in_place():
    a = np.ones(2)
    with pytest.raises(TypeError, match=r"array = array \+ t"):
        a += ag.Tensor([1.0, 2.0])
    with pytest.raises(TypeError, match="out="):
        np.add(a, ag.Tensor([1.0, 2.0]), out=a)
    with pytest.raises(TypeError, match="lose its gradient"):
        a[:] = ag.Tensor([1.0, 2.0])
    np.testing.assert_array_equal(a, [1, 1])


def test_length_iteration_and_membership():
    t = ag.Tensor([[1.0, 2.0], [3.0, 4.0]])
    assert len(t) == 2
    rows = list(t)
    assert [row.shape for row in rows] == [(2,), (2,)]
    np.sum(rows[1]).backward()
    np.testing.assert_array_equal(t.grad, [[0, 0], [1, 1]])
    assert 3.0 in t
    assert 9.0 not in t
    for f in (len, iter):
        with pytest.raises(TypeError, match="0-d"):
            f(ag.Tensor(1.0))


def test_truth_is_numpys():
    assert bool(ag.Tensor(2.0))
    assert not bool(ag.Tensor(0.0))
    with pytest.raises(ValueError, match="ambiguous"):
        bool(ag.Tensor([1.0, 2.0]))


def test_comparison_is_elementwise_and_hash_by_identity():
    a, b = ag.Tensor([1.0, 2.0]), ag.Tensor([1.0, 3.0])
    np.testing.assert_array_equal((a == b).data, [True, False])
    np.testing.assert_array_equal((a != b).data, [False, True])
    np.testing.assert_array_equal((a < b).data, [False, True])
    assert not (a == b).requires_grad
    assert len({a, b, a}) == 2
    assert (a == "text") is False
    assert (a != None) is True  # noqa: E711


@pytest.mark.parametrize(
    ("f", "expected"),
    [
        (lambda t: 2 + t, [3, 4]),
        (lambda t: 2 - t, [1, 0]),
        (lambda t: 2 * t, [2, 4]),
        (lambda t: 2 / t, [2, 1]),
        (lambda t: 2**t, [2, 4]),
        (lambda t: np.eye(2) @ t, [1, 2]),
        (lambda t: np.ones(2) - t, [0, -1]),
        (lambda t: [1, 1] + t, [2, 3]),
        (lambda t: +t, [1, 2]),
        (lambda t: -t, [-1, -2]),
        (lambda t: abs(t), [1, 2]),
        (lambda t: t % 2, [1, 0]),
        (lambda t: 5 % t, [0, 1]),
        (lambda t: t // 2, [0, 1]),
        (lambda t: 5 // t, [5, 2]),
    ],
)
def test_operators_from_either_side(f, expected):
    result = f(ag.Tensor([1.0, 2.0]))
    assert isinstance(result, ag.Tensor)
    np.testing.assert_array_equal(result.data, expected)


def test_text():
    assert repr(ag.Tensor([1.0, 2.0], name="w")) == "Tensor([1., 2.], name='w')"
    assert repr(ag.constant(3)) == "Tensor(3, requires_grad=False)"
    assert repr(ag.Tensor(1.0) + 1) == "Tensor(2., op=add)"
    assert f"{ag.Tensor(1.23456):.2f}" == "1.23"


def test_leaves_are_copied_and_pickled():
    w = ag.Tensor([1.0, 2.0], name="w")
    np.sum(w * w).backward()
    for twin in (copy.copy(w), copy.deepcopy(w), pickle.loads(pickle.dumps(w))):
        assert twin is not w
        assert (twin.name, twin.requires_grad) == ("w", True)
        np.testing.assert_array_equal(twin.data, w.data)
        np.testing.assert_array_equal(twin.grad, w.grad)
        twin.data[:] = 9
        twin.grad[:] = 9
    np.testing.assert_array_equal(w.data, [1, 2])
    np.testing.assert_array_equal(w.grad, [2, 4])


def test_results_are_not_copied():
    y = ag.Tensor(1.0) * 2
    for f in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(TypeError, match="would lose its record"):
            f(y)


def test_a_tensor_has_no_subclass_and_no_further_attribute():
    with pytest.raises(TypeError, match="cannot be subclassed"):
        type("Own", (ag.Tensor,), {})
    with pytest.raises(AttributeError):
        ag.Tensor(1.0).colour = "red"
    with pytest.raises(AttributeError, match="no attribute 'colour'"):
        _ = ag.Tensor(1.0).colour


@pytest.mark.parametrize(
    ("method", "args"),
    [
        ("sum", ()), ("sum", (0,)), ("mean", (1,)), ("max", ()), ("min", (0,)), ("argmax", (1,)),
        ("argmin", ()), ("reshape", (3, 2)), ("reshape", ((3, 2),)), ("transpose", ()),
        ("transpose", (1, 0)), ("swapaxes", (0, 1)), ("squeeze", ()), ("astype", (np.float32,)),
        ("copy", ()), ("cumsum", (1,)), ("prod", ()), ("std", ()), ("var", (0,)), ("ravel", ()),
        ("clip", (1.5, 3.5)), ("dot", (np.ones(3),)), ("flatten", ()), ("diagonal", ()),
        ("trace", ()), ("take", ([0, 2],)), ("repeat", (2,)), ("round", ()), ("cumprod", (0,)),
        ("argsort", ()), ("all", ()), ("any", ()),
    ],
)  # fmt: skip
def test_methods_are_numpys(method, args):
    data = np.array([[3.25, 1.0, 2.5], [6.0, 5.5, 4.0]])
    expected = getattr(data, method)(*args)
    found = getattr(ag.Tensor(data), method)(*args)
    assert isinstance(found, ag.Tensor)
    np.testing.assert_array_equal(found.data, expected)


def test_methods_that_change_an_array_in_place_are_not_there():
    for method in ("sort", "partition", "fill", "put", "resize", "itemset"):
        assert not hasattr(ag.Tensor([2.0, 1.0]), method)
