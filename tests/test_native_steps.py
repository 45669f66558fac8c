"""Native code for loops of steps: their values are those of NumPy's loops and of no loop."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings

import autograd_lite as ag
from autograd_lite.compiler import native_loops
from tests.loops import looped

pytest.importorskip("numba", reason="no Numba")
pytest.importorskip("scipy", reason="no SciPy, whose BLAS Numba calls")

RANDOM = np.random.default_rng(0)
SQUARE, OTHER = RANDOM.normal(size=(2, 3, 3))
ROW = RANDOM.normal(size=3)


def same(found: Any, expected: Any, tolerance: float = 1e-10) -> None:
    """Equal to rounding, of the same types, dtypes and shapes."""
    if isinstance(expected, (list, tuple)):
        assert len(found) == len(expected)
        for x, y in zip(found, expected, strict=True):
            same(x, y, tolerance)
        return
    assert type(found) is type(expected)
    assert (found.dtype, found.shape) == (expected.dtype, expected.shape)
    np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance)


def native(function: Any, *arguments: Any) -> Any:
    """The results by native code; those of NumPy are the same, and no result shares memory."""
    compiled = ag.compile(function, backend="numba")
    copies = [np.copy(x) for x in arguments]
    found = compiled(*arguments)
    same(found, ag.compile(function)(*arguments))
    same([np.asarray(x) for x in arguments], copies, 0)
    arrays = [*arguments, *(found if isinstance(found, (list, tuple)) else [found])]
    for k, x in enumerate(arrays):
        assert not any(np.shares_memory(x, y) for y in arrays[:k])
    return compiled.source


@pytest.mark.slow
@settings(max_examples=5)
@given(looped())
def test_random_loops_and_their_gradients(case):
    function, arguments = case

    def both(*arguments: Any) -> Any:
        value, gradients = ag.value_and_grad(function, argnums=(0, 1, 2))(*arguments)
        return [value, *gradients[0], *gradients[1:]]

    kind = np.asarray(arguments[1]).dtype
    found = ag.compile(both, backend="numba")(*arguments)
    same(found, ag.compile(both)(*arguments), 1e-3 if kind == np.float32 else 1e-9)


def runge_kutta(y: Any, w: Any, count: int = 12, h: float = 0.1) -> Any:
    """Steps of a differential equation with shifted neighbours."""

    def slope(y: Any) -> Any:
        return np.concatenate([y[1:], y[:1]]) * w - y

    for _ in range(count):
        k = slope(y)
        y = y + h * slope(y + h / 2 * k)
    return np.sum(y * y)


def test_a_differential_equation_and_its_gradient_are_one_native_function():
    source = native(lambda y, w: [ag.value_and_grad(runge_kutta)(y, w)[1]], ROW, np.array(0.5))
    assert "for step in range(12)" in source
    assert "# NumPy" not in source


def rows_by_number(h: Any, rows: Any) -> Any:
    total = 0.0
    for k in range(len(rows) - 1):
        h = np.tanh(h * rows[k])
        total = total + np.sum(h * rows[k + 1])
    return total


def test_rows_by_number():
    rows, both = RANDOM.normal(size=(30, 3)), ag.value_and_grad(rows_by_number, argnums=(0, 1))
    source = native(lambda h, rows: [both(h, rows)[0], *both(h, rows)[1]], ROW, rows)
    assert "for step in" in source


def recurrent(h: Any, w: Any, rows: Any) -> Any:
    kept = []
    for row in rows:
        h = np.tanh(w @ h + row)
        kept.append(h)
    return np.sum(np.stack(kept[::-1]) ** 2) + np.sum(h)


def test_a_recurrent_network_and_its_gradient():
    rows = RANDOM.normal(size=(9, 3))
    both = ag.value_and_grad(recurrent, argnums=(0, 1, 2))
    native(lambda h, w, rows: [both(h, w, rows)[0], *both(h, w, rows)[1]], ROW, SQUARE, rows)


def swapped(a: Any, b: Any) -> Any:
    for _ in range(10):
        a, b = b, 0.5 * a
    return a, b


def turned(a: Any, b: Any) -> Any:
    for _ in range(10):
        a, b = b.T, 0.5 * a.T
    return a, b


def numbers_of_arrays(h: Any, s: Any) -> Any:
    for _ in range(10):
        s, h = h[1], np.tanh(h + s)
    return s, h


def reshaped(a: Any, b: Any) -> Any:
    a = a[:2]
    for _ in range(10):
        b, a = np.tanh(np.reshape(b, (3, 3))) + 1, np.reshape(b, (3, 3))[:2]
    return a, b


def views_after_the_loop(h: Any, w: Any) -> Any:
    for _ in range(10):
        g = h.T
        h = np.tanh(h @ w + g)
    return g, h, h.T


def the_same_twice(h: Any, w: Any) -> Any:
    for _ in range(10):
        q = np.tanh(h @ w + h[0, 1])
        h = q.T * 1.0
    return h, q, q.T, np.reshape(q, 9)


def lagged(a: Any, b: Any) -> Any:
    older = [a, b, a]
    for _ in range(12):
        older = [np.tanh(older[0] - 0.5 * older[1] + 0.1 * older[2]), *older[:2]]
    return tuple(older)


def two_loops(a: Any, b: Any) -> Any:
    total = 0.0
    for k in range(9):
        a = np.tanh(a @ b)
        total = total + np.sum(a) * 0.1**k
    for _ in range(9):
        b = b * np.cos(a) + 0.01
    return total, a, b


@pytest.mark.parametrize(
    "function", [swapped, turned, reshaped, views_after_the_loop, the_same_twice, lagged, two_loops]
)
def test_states_that_look_at_each_other(function):
    native(function, SQUARE, OTHER)
    gradient = ag.grad(lambda a, b: sum(np.sum(x * x) for x in function(a, b)), argnums=(0, 1))
    native(gradient, SQUARE, OTHER)


def test_a_number_of_a_state():
    native(numbers_of_arrays, ROW, np.array(0.3))


def test_a_state_that_changes_while_it_is_read_fails_the_test():
    assert "for step in" in native(swapped, SQUARE, OTHER)
    kept = patch.object(native_loops, "_apart", lambda body, b: body)
    with kept, pytest.raises(AssertionError):
        native(lambda a, b: swapped(a, b + 0), SQUARE, OTHER)


def test_loops_that_start_from_an_element():
    def values(v, X):
        positive, first = np.logical_not(v > 0)[1], np.tanh(v)[2]
        for x in X:
            positive = np.logical_or(np.any(v > x), np.logical_not(positive))
            first = np.tanh(first / 2 + x[1])
        return {"positive": positive, "first": first}

    random = np.random.default_rng(4)
    v, X = random.normal(size=3), random.normal(size=(9, 3))
    native = ag.compile(values, backend="numba")
    found, expected = native(v, X), values(v, X)
    assert "for step" in native.source
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, rtol=1e-13, err_msg=name)
