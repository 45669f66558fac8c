"""What NumPy's reductions take besides an axis: where=, initial=, dtype=, correction=."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rulecheck import numerical
from strategies import Values, axes, shapes

import autograd_lite as ag
from autograd_lite.op import OPS

INITIAL = ("sum", "prod", "max", "min", "nansum", "nanprod", "nanmax", "nanmin")
TYPED = ("sum", "prod", "mean", "var", "std", "nansum", "nanprod", "nanmean", "nanvar", "nanstd")
EXTREMES = ("max", "min", "nanmax", "nanmin")
NAMES = tuple(dict.fromkeys((*INITIAL, *TYPED, "all", "any")))
RUNNING = ("cumsum", "cumprod", "nancumsum", "nancumprod", "cumulative_sum", "cumulative_prod")


@st.composite
def calls(draw):
    """A reduction, an array, and arguments that NumPy takes."""
    name = draw(st.sampled_from(NAMES))
    seed = draw(st.integers(0, 999))
    x = Values(seed)(draw(shapes(3)))
    options = {"axis": draw(axes(x.ndim)), "keepdims": draw(st.booleans())}
    random = np.random.default_rng(seed)
    if name in INITIAL and (name in EXTREMES or draw(st.booleans())):
        options["initial"] = draw(st.sampled_from([0.40625, -3.0, 2, np.float64(1.5)]))
    if draw(st.booleans()):
        mask = random.random(x.shape) < 0.7
        small = tuple(slice(0, 1) if draw(st.booleans()) else slice(None) for _ in x.shape)
        options["where"] = mask[small]
    if name in TYPED and draw(st.booleans()):
        options["dtype"] = draw(st.sampled_from(["f4", "f8"]))
    if name.endswith(("var", "std")) and draw(st.booleans()):
        options[draw(st.sampled_from(["ddof", "correction"]))] = draw(st.sampled_from([0, 1, 0.5]))
    if name.startswith("nan"):
        x = np.where(random.random(x.shape) < 0.2, np.nan, x)
    return getattr(np, name), x, options


def quietly(f, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, for an empty selection
        return f(*args, **options)


def weighted(y):
    return np.sum(y * np.cos(np.arange(np.size(y))).reshape(np.shape(y)))


@settings(max_examples=250)
@given(calls())
def test_the_value_is_numpys(call):
    f, x, options = call
    for kind in (x, x.astype(np.float32)):
        expected = np.asarray(quietly(f, kind, **options))
        found = quietly(f, ag.Tensor(kind), **options)
        assert (found.shape, found.dtype) == (expected.shape, expected.dtype)
        np.testing.assert_allclose(found.data, expected, rtol=2e-6, atol=1e-6)


@settings(max_examples=60)
@given(calls())
def test_integers_are_reduced_as_numpy_does(call):
    f, x, options = call
    whole = np.where(np.isnan(x), 0, 8 * x).astype(int)
    expected = np.asarray(quietly(f, whole, **options))
    found = quietly(f, ag.constant(whole), **options)
    assert found.dtype.kind == expected.dtype.kind
    np.testing.assert_allclose(found.data, expected, rtol=1e-6)


@settings(max_examples=80)
@given(calls())
def test_the_gradient_is_the_derivative(call):
    f, x, options = call
    if f in (np.all, np.any):
        return
    options = {key: value for key, value in options.items() if key != "dtype"}

    def scalar(x):
        y = f(x, **options)
        return weighted(np.where(np.isfinite(y), y, 0))

    gradient = quietly(ag.grad(scalar), x)
    there = ~np.isnan(x)
    right = quietly(numerical, scalar, [x], 0)
    np.testing.assert_allclose(gradient[there], right[there], rtol=1e-7, atol=1e-8)
    assert np.all(gradient[~there] == 0)


def test_what_is_left_out_is_a_structural_zero():
    x, mask = np.array([0.0, 4.0]), np.array([False, True])
    for f in (np.sum, np.mean):
        with np.errstate(divide="ignore"):
            assert ag.grad(lambda x, f=f: f(np.log(x), where=mask))(x).tolist() == [0, 0.25]
    with_nan = np.array([np.nan, 4.0])
    assert ag.grad(lambda x: np.max(x, where=mask, initial=0.0))(with_nan).tolist() == [0, 1]


def test_a_wrong_neutral_number_is_found(monkeypatch):
    monkeypatch.setattr(OPS["prod"], "neutral", lambda dtype: 0)
    x = np.array([2.0, 3.0])
    assert np.prod(ag.Tensor(x), where=[True, False]).item() != 2


def test_the_mask_and_the_initial_value_may_be_tensors():
    x = np.array([1.0, -2.0, 3.0])

    def f(x, b):
        return np.sum(x * x, where=x > 0, initial=b)

    gradients = ag.grad(f, (0, 1))(x, 0.5)
    assert gradients[0].tolist() == [2, 0, 6]
    assert gradients[1] == 1
    assert ag.grad(lambda b: np.max(ag.constant(x), initial=b))(7.0) == 1
    assert ag.grad(lambda x: np.max(x, initial=3.0))(x).tolist() == [0, 0, 0.5]


def test_an_empty_axis_has_the_initial_value():
    t = ag.Tensor(np.ones((2, 0)))
    for f, initial in ((np.max, -2.0), (np.min, 5.0), (np.sum, 1.0), (np.prod, 3.0)):
        found = f(t, axis=1, initial=initial)
        np.testing.assert_array_equal(found.data, f(np.ones((2, 0)), axis=1, initial=initial))


@pytest.mark.parametrize("f", [np.mean, np.var, np.std])
def test_an_empty_axis_has_no_masked_mean_or_deviation(f):
    found = f(ag.Tensor(np.ones((2, 0))), axis=1, where=np.ones((2, 0), bool))
    np.testing.assert_array_equal(found.data, [np.nan, np.nan])
    assert f(ag.Tensor(np.ones((2, 0))), axis=0, where=False).shape == (0,)


@settings(max_examples=30)
@given(st.data())
def test_running_sums_in_another_dtype(data):
    x = Values(data.draw(st.integers(0, 99)))(data.draw(shapes(2, min_dims=1)))
    f = getattr(np, data.draw(st.sampled_from(RUNNING)), None)
    if f is None:
        return
    options = {"axis": data.draw(st.integers(-x.ndim, x.ndim - 1)), "dtype": "f4"}
    expected, found = f(x, **options), f(ag.Tensor(x), **options)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.data, expected, rtol=1e-6)
    assert ag.grad(lambda x: np.sum(f(x, **options)))(x).dtype == np.float64


@pytest.mark.parametrize("name", ["add", "multiply", "maximum", "minimum", "logical_and"])
def test_the_reduce_of_a_ufunc_takes_its_arguments_by_position(name):
    x = np.array([[0.5, -2.0, 3.0], [1.5, 2.5, 0.0]])
    reduce = getattr(np, name).reduce
    for args in ((), (1,), (0, None, None, True), (None,), (1, None, None, False, 0.25)):
        expected = np.asarray(reduce(x, *args))
        if name == "logical_and" and len(args) > 4:
            continue
        found = reduce(ag.Tensor(x), *args)
        assert found.shape == expected.shape
        np.testing.assert_array_equal(found.data, expected)
    mask = x > 0
    if name != "logical_and":
        found = reduce(ag.Tensor(x), axis=0, where=mask, initial=1.0)
        np.testing.assert_array_equal(found.data, reduce(x, axis=0, where=mask, initial=1.0))


@pytest.mark.parametrize("axis", [0, 1, None, (1, 0)])
def test_the_reduce_of_logaddexp_is_logsumexp(axis):
    x = np.array([[0.5, -2.0, 800.0], [-np.inf, 2.5, 0.0]])
    for keepdims in (False, True):
        found = np.logaddexp.reduce(ag.Tensor(x), axis=axis, keepdims=keepdims)
        np.testing.assert_allclose(found.data, np.logaddexp.reduce(x, axis, keepdims=keepdims))
    gradient = ag.grad(lambda x: np.sum(np.logaddexp.reduce(x, axis)))(x)
    np.testing.assert_allclose(gradient, ag.softmax(x, axis=axis), rtol=1e-14)
    with pytest.raises(TypeError, match="logsumexp"):
        np.logaddexp.reduce(ag.Tensor(x), axis, initial=1.0)


def test_methods_take_them_too():
    x = np.array([[0.5, -2.0], [3.0, 1.5]])
    t, mask = ag.Tensor(x), x > 0
    assert t.sum(where=mask).item() == x.sum(where=mask)
    assert t.mean(0, dtype=np.float32).dtype == np.float32
    assert t.max(initial=7).item() == 7
    assert t.prod(axis=0, where=mask).shape == (2,)
    np.testing.assert_array_equal(ag.sum(t, 0, where=mask).data, np.sum(x, 0, where=mask))


@pytest.mark.parametrize(
    ("call", "kind", "message"),
    [
        (lambda t: np.sum(t, where=[1, 0]), TypeError, "sum: where= must be boolean"),
        (lambda t: np.sum(t, where=np.ones(5, bool)), ValueError, r"sum: where= of shape \(5,\)"),
        (lambda t: np.max(t, where=[True, False]), ValueError, "max: .*initial="),
        (lambda t: np.sum(t, initial=[1.0]), ValueError, "sum: initial= must be a number"),
        (lambda t: np.mean(t, dtype=int), TypeError, "mean: dtype= must be floating"),
        (lambda t: np.sum(t, dtype=complex), TypeError, "complex128 is not supported"),
        (lambda t: np.var(t, ddof=1, correction=1), ValueError, "var: .*not both"),
        (lambda t: np.sum(t, out=np.zeros(2)), TypeError, "sum: out= is not supported"),
        (lambda t: np.mean(t, initial=1.0), TypeError, "initial"),
    ],
)
def test_what_is_refused(call, kind, message):
    with pytest.raises(kind, match=message):
        call(ag.Tensor([1.0, 2.0]))


def test_they_are_compiled_and_derived():
    x, mask = Values(5)((2, 3)), np.array([True, False, True])

    def f(w):
        return np.sum(np.mean(w * x, axis=1, where=mask)) + np.max(w, where=mask, initial=-9.0)

    w = Values(6)((3,))
    value, gradient = ag.compile(ag.value_and_grad(f))(w)
    np.testing.assert_allclose(value, f(w))
    np.testing.assert_allclose(gradient, numerical(f, [w], 0), rtol=1e-7)
    pytest.importorskip("sympy")
    assert "checked" in str(ag.derive(f(ag.Tensor(w, name="w")).named("L")))
    rows = ag.compile(ag.value_and_grad(lambda w, x: np.sum(w * x, where=mask)), rows="auto")
    np.testing.assert_allclose(rows(w, x)[1], np.where(mask, np.sum(x, axis=0), 0))
