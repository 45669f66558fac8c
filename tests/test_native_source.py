"""The source of native functions, run as plain Python: many programs, and no time to compile them.

New arrays are full of NaN, so that what is read before it is written is seen. Numba is not needed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from native_programs import programs

import autograd_lite as ag
from autograd_lite.compiler import machine_code, module, plan
from tests.loops import looped

pytestmark = pytest.mark.filterwarnings("ignore::autograd_lite.BroadcastWarning")


class WithNaN:
    """NumPy, whose empty arrays of floats are full of NaN."""

    def __getattr__(self, name: str) -> Any:
        return getattr(np, name)

    def empty(self, *given: Any) -> Any:
        array = np.empty(*given)
        array[...] = np.nan if array.dtype.kind == "f" else 1
        return array


def njit(*given: Any, **_: Any) -> Any:
    """The decorator, which leaves a function as it is."""
    return given[0] if given and callable(given[0]) else lambda function: function


def functions(source: str) -> dict[str, Any]:
    space: dict[str, Any] = {"np": WithNaN(), "njit": njit}
    exec(compile(source, "<native>", "exec"), space)
    return {name: value for name, value in space.items() if name not in ("np", "njit")}


@contextmanager
def as_python() -> Iterator[None]:
    """Let compiled programs run their native functions as plain Python."""
    loader = patch.object(module, "native_functions", functions)
    with loader, patch.object(machine_code, "installed", lambda: True):
        yield


def check(function: Any, arguments: Any, tolerance: float) -> str:
    """Whether the results are those of NumPy; returns the source."""
    with as_python(), np.errstate(all="ignore"):
        compiled = ag.compile(function, backend="numba")
        found = compiled(*arguments)
    with np.errstate(all="ignore"):
        expected = ag.compile(function)(*arguments)
    for name, x in expected.items():
        y = found[name]
        assert (type(y), np.shape(y), np.asarray(y).dtype) == (type(x), np.shape(x), x.dtype), name
        np.testing.assert_allclose(y, x, rtol=tolerance, atol=tolerance, err_msg=name)
    arrays = [*arguments, *(x for x in found.values() if isinstance(x, np.ndarray))]
    for k, x in enumerate(arrays[len(arguments) :], len(arguments)):
        assert not any(np.may_share_memory(x, y) for y in arrays[:k])
    return compiled.source


@settings(max_examples=200)
@given(programs(25, bad=False))
def test_random_programs(program):
    kind = program.arguments[0].dtype
    check(program, program.arguments, 2e-4 if kind == np.float32 else 1e-9)


def with_gradients(function: Any) -> Any:
    def values(start: Any, w: Any, rows: Any, elements: Any) -> Any:
        both = ag.value_and_grad(function, argnums=(0, 1, 2))
        value, (start, w, rows) = both(start, w, rows, elements)
        return {"value": value, "w": w, "rows": rows} | {
            f"start{k}": x for k, x in enumerate(start)
        }

    return values


@settings(max_examples=100)
@given(looped())
def test_random_loops_and_their_gradients(case):
    function, arguments = case
    kind = np.asarray(arguments[1]).dtype
    flat = [*arguments[0], *arguments[1:3], *arguments[3]]
    states = len(arguments[0])

    def values(*flat: Any) -> Any:
        return with_gradients(function)(
            [*flat[:states]], *flat[states : states + 2], [*flat[states + 2 :]]
        )

    check(values, flat, 1e-3 if kind == np.float32 else 1e-8)


def test_arrays_that_are_freed_too_early_fail_the_test():
    def values(x: Any) -> Any:
        y = np.tanh(x)
        z = np.sum(y, axis=0) + np.sum(np.exp(y), axis=1)
        return {"y": y @ z, "z": z * np.max(y, axis=0)}

    x = np.linspace(-1, 1, 9).reshape(3, 3)
    assert "np.empty" in check(values, [x], 1e-9)
    early = patch.object(plan.Plan, "_lasts", lambda p: dict(p.step_of))
    with early, pytest.raises(AssertionError):
        check(values, [x + 0.5], 1e-9)
