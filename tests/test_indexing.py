"""Indexing in a loop: the gradient is added up once for each array, in linear time."""

from __future__ import annotations

import sys
from typing import Any
from unittest.mock import patch

import hypothesis.strategies as st
import numpy as np
import pytest
from hypothesis import given, settings

import autograd_lite as ag
from autograd_lite.ops import indexing

KEYS: list[Any] = [
    *(0, 1, -1, 2),
    slice(1, None),
    (slice(None), slice(None, None, -2)),
    (Ellipsis, 0),
    (None, 1),
    (1, 2),
    np.array([0, 2, 0]),
    (np.array([0, 2, 2]), np.array([1, 1, 1])),
    np.arange(12).reshape(3, 4) % 3 == 0,
    (),
]
keys = st.lists(st.sampled_from(KEYS), min_size=1, max_size=6)
dtypes = st.sampled_from([np.float64, np.float32])


def weights(count: int) -> Any:
    return np.linspace(0.5, 2.0, count)


def taken(chosen: list[Any]) -> Any:
    """A sum over parts of an array, and over the array itself."""

    def function(x: Any) -> Any:
        parts = zip(weights(len(chosen)).tolist(), chosen, strict=True)
        return np.sum(x * x) + sum(c * np.sum(np.sin(x[key])) for c, key in parts)

    return function


def expected(chosen: list[Any], x: Any, derivative: Any, square: Any) -> Any:
    total = square(x).astype(x.dtype)
    for c, key in zip(weights(len(chosen)).tolist(), chosen, strict=True):
        np.add.at(total, key, (c * derivative(x[key])).astype(x.dtype))
    return total


@settings(max_examples=40)
@given(keys, dtypes)
def test_gradients_of_indexed_parts_add_up(chosen, dtype):
    x = np.linspace(-1, 1, 12).reshape(3, 4).astype(dtype)
    function, tolerance = taken(chosen), 1e-12 if dtype is np.float64 else 1e-5
    right = expected(chosen, x, np.cos, lambda x: 2 * x)
    leaf = ag.Tensor(x)
    function(leaf).backward()
    for found in (leaf.grad, ag.grad(function)(x), ag.compile(ag.grad(function))(x)):
        assert found.dtype == dtype
        np.testing.assert_allclose(found, right, rtol=tolerance, atol=tolerance)


@settings(max_examples=40)
@given(keys)
def test_second_derivatives_of_indexed_parts_add_up(chosen):
    x = np.linspace(-1, 1, 12).reshape(3, 4)

    def summed(x: Any) -> Any:
        return np.sum(ag.grad(taken(chosen))(x))

    right = expected(chosen, x, lambda x: -np.sin(x), lambda x: 2 + 0 * x)
    np.testing.assert_allclose(ag.grad(summed)(x), right, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(ag.compile(ag.grad(summed))(x), right, rtol=1e-12, atol=1e-12)


@settings(max_examples=40)
@given(keys)
def test_an_infinite_part_leaves_the_others_finite(chosen):
    x = np.linspace(0.1, 1, 12).reshape(3, 4)
    x[1, 2] = 0.0

    def function(x: Any) -> Any:
        return sum(np.sum(np.sqrt(x[key])) for key in chosen)

    found = ag.grad(function)(x)
    right = np.zeros_like(x)
    with np.errstate(divide="ignore"):
        for key in chosen:
            np.add.at(right, key, 0.5 / np.sqrt(x[key]))
    np.testing.assert_allclose(found, right)


def walks(count: int) -> dict[str, Any]:
    return {
        "elements": lambda x: sum(np.sum(x[k] @ x[k]) for k in range(count)),
        "iteration": lambda x: sum(np.sum(np.tanh(row)) for row in x),
        "nested": lambda x: sum(x[k][0][1] * x[k, 1, 1] for k in range(count)),
        "slices": lambda x: sum(np.sum(x[k : k + 2] ** 2) for k in range(count)),
        "arrays": lambda x: sum(np.sum(x[np.array([k, 0])]) for k in range(count)),
    }


def additions(function: Any, x: Any) -> int:
    """The number of arrays of zeros to which contributions are added."""
    count = 0

    def called(frame: Any, event: str, arg: Any) -> None:
        nonlocal count
        count += event == "call" and frame.f_code.co_name in ("_add_at", "_add_each_at")

    before = sys.getprofile()
    sys.setprofile(called)
    try:
        function(x)
    finally:
        sys.setprofile(before)
    return count


@pytest.mark.parametrize("name", walks(1))
def test_contributions_are_added_up_once(name):
    for count in (10, 40):
        x = np.ones((count, 2, 2))
        large = additions(ag.grad(walks(count)[name]), x)
        # An element of a row is added to the gradient of that row.
        assert large <= (1 + 2 * count if name == "nested" else 1)


def test_a_key_in_the_wrong_place_is_found():
    def wrong(keys: Any) -> Any:
        return tuple(keys[::-1])

    function, x = taken([0, (1, 2), slice(1, None)]), np.linspace(-1, 1, 12).reshape(3, 4)
    right = ag.grad(function)(x)
    with patch.object(indexing, "_as_range", wrong), pytest.raises((AssertionError, ValueError)):
        np.testing.assert_allclose(ag.grad(function)(x), right)


def test_the_compiled_source_does_not_grow_with_the_number_of_elements():
    lines = set()
    for count in (20, 80):
        x = np.linspace(0, 1, 4 * count).reshape(count, 2, 2)
        gradient = ag.grad(walks(count)["elements"])
        compiled = ag.compile(gradient)
        np.testing.assert_allclose(compiled(x), gradient(x), rtol=1e-12)
        lines.add(len(compiled.readable().splitlines()))
    assert len(lines) == 1
