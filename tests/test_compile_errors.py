"""Errors of compile, and donated arguments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import autograd_lite as ag

X = np.arange(6.0).reshape(3, 2)


@pytest.mark.parametrize(
    "leak",
    [
        lambda x: x if x.sum() > 0 else -x,
        lambda x: float(x[0, 0]) * x,
        lambda x: x[0, 0].item() * x,
        lambda x: np.sum(x.data),
        lambda x: x.numpy(),
        lambda x: np.asarray(x),
        lambda x: x[: int(x[0, 0])],
        lambda x: [x for _ in range(x[0, 0])],
    ],
)
def test_using_the_value_of_an_array_raises(leak):
    with pytest.raises(TypeError, match=r"lose its gradient|is being differentiated or traced"):
        ag.compile(leak)(X)


def test_shapes_and_plain_values_are_free_to_use():
    @ag.compile
    def function(x, times, mode="sum", flag=True):
        for _ in range(times):
            x = x * x.shape[0] if x.ndim == 2 and flag else x
        return np.sum(x) if mode == "sum" else np.max(x)

    assert function(X, 2) == 15 * 9
    assert function(X, 1, "max") == 15
    assert function(X, 1, flag=False) == 15


def test_random_generators_are_refused():
    with pytest.raises(TypeError, match="draw them outside"):
        ag.compile(lambda x, rng: x * rng.normal())(X, np.random.default_rng(0))


def test_other_objects_are_refused():
    with pytest.raises(TypeError, match="arguments are arrays"):
        ag.compile(lambda x, y: x)(X, object())


def test_the_object_of_a_method_is_not_an_argument():
    class Model:
        compiled = ag.compile(lambda self, x: x)

        def plain(self, x):
            return 2 * x

    with pytest.raises(TypeError, match="self is a Model"):
        Model().compiled(X)
    np.testing.assert_array_equal(ag.compile(Model().plain)(X), 2 * X)


@pytest.mark.parametrize("rows", [0, -1, "all", 1.5])
def test_invalid_rows(rows):
    with pytest.raises(ValueError, match="rows is"):
        ag.compile(lambda x: x, rows=rows)


def test_donate_must_name_arguments():
    with pytest.raises(ValueError, match=r"donate names 'w'.*are x"):
        ag.compile(lambda x: x, donate="w")


def test_only_functions_are_compiled():
    with pytest.raises(TypeError, match="takes a function, not int"):
        ag.compile(3)


def test_complex_and_masked_arrays_are_refused():
    with pytest.raises(TypeError, match="complex128"):
        ag.compile(lambda x: x)(X + 1j)
    with pytest.raises(TypeError, match="masked"):
        ag.compile(lambda x: x)(np.ma.masked_array(X, X > 2))


def test_a_failed_trace_leaves_the_function_usable():
    compiled = ag.compile(lambda x: x / 0.0 if x.ndim else x @ x)
    with pytest.raises(ValueError, match="matmul"):
        compiled(np.float64(1.0))
    assert np.isinf(compiled(np.ones(2))).all()


def test_source_before_the_first_call():
    compiled = ag.compile(lambda x: x)
    for ask in (lambda: compiled.source, compiled.readable):
        with pytest.raises(RuntimeError, match="was not called yet"):
            ask()


# Donation


def update(w, g):
    return [w - 0.5 * g, np.sum(w)]


def test_donated_arguments_are_overwritten_and_others_are_not():
    w, g = np.ones(3), np.full(3, 2.0)
    found, total = ag.compile(update, donate="w")(w, g)
    assert found is w
    assert w.tolist() == [0, 0, 0]
    assert g.tolist() == [2, 2, 2]
    assert total == 3
    w = np.ones(3)
    assert ag.compile(update)(w, g)[0] is not w
    assert w.tolist() == [1, 1, 1]


def test_donated_trees():
    @ag.compile(donate=["params"])
    def step(params, x):
        value, gradients = ag.value_and_grad(lambda p: np.sum((x @ p["W"] + p["b"]) ** 2))(params)
        return value, {name: params[name] - 0.01 * gradients[name] for name in params}

    params = {"W": np.ones((2, 2)), "b": np.zeros(2)}
    W = params["W"]
    first, params = step(params, X)
    assert params["W"] is W
    second, params = step(params, X)
    assert second < first


def test_donated_memory_must_be_free():
    step = ag.compile(update, donate="w")
    w = np.ones(3)
    step(w.copy(), w)
    with pytest.raises(ValueError, match="shares memory with g"):
        step(w, w)
    with pytest.raises(ValueError, match="shares memory with g"):
        step(w, w[::-1])
    w.flags.writeable = False
    with pytest.raises(ValueError, match="read-only"):
        step(w, np.ones(3))
    assert w.tolist() == [1, 1, 1]


@st.composite
def views(draw):
    """An array that may be written to, with strides of any kind, and the places of its elements."""
    shape = draw(st.lists(st.integers(0, 4), max_size=3).map(tuple))
    strides = [draw(st.integers(-9, 9)) for _ in shape]
    start = 300
    view = np.lib.stride_tricks.as_strided(
        np.arange(1000.0)[start:], shape, [8 * step for step in strides]
    )
    places = [start + np.dot(strides, index) for index in np.ndindex(shape)]
    return view, places


@given(views())
def test_a_donated_array_may_not_share_memory_with_itself(case):
    view, places = case
    if len(set(places)) < len(places):
        with pytest.raises(ValueError, match="w is donated, but its elements share memory"):
            ag.compile(update, donate="w")(view, np.ones(view.shape))


@pytest.mark.parametrize(
    "view",
    [
        lambda x: x,
        lambda x: x.T,
        lambda x: x[::2, ::-1],
        lambda x: x.swapaxes(0, 2),
        lambda x: x[:, None, 1],
        lambda x: x[:0],
        lambda x: np.einsum("iij->ij", x[:, :2]),
        lambda x: np.lib.stride_tricks.as_strided(x, (4, 4), (32, 8)),
    ],
)
def test_views_without_overlap_are_donated(view):
    w = view(np.arange(24.0).reshape(2, 3, 4))
    expected = w - 0.5
    np.testing.assert_array_equal(ag.compile(update, donate="w")(w, np.ones(w.shape))[0], expected)
