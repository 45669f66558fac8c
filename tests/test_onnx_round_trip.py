"""What `export_onnx` writes, `import_onnx` reads: the same values and derivatives."""

from __future__ import annotations

import os

import numpy as np
import pytest
from hypothesis import given, settings

pytest.importorskip("onnx")

from onnx_programs import programs, with_gradients
from onnx_runs import largest, leaves

import autograd_lite as ag
from autograd_lite.op import OPS

pytestmark = pytest.mark.filterwarnings("ignore::autograd_lite.BroadcastWarning")

EXAMPLES = int(os.environ.get("PROGRAMS", "30"))


def read_back(f, arrays, folder):
    path = folder / "model.onnx"
    ag.export_onnx(f, arrays, path)
    return ag.import_onnx(path)


def compare(found, expected, source):
    expected, found = leaves(expected), leaves(found)
    kinds = [x.dtype for x in expected]
    assert [x.dtype for x in found] == kinds
    close = 2e-4 if np.float32 in kinds else 1e-10
    size = max(largest(expected), 1)
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=close, atol=close * size, err_msg=source)


@given(program=programs())
@settings(max_examples=EXAMPLES)
def test_programs_and_their_gradients_come_back(program, tmp_path_factory):
    f = with_gradients(program)
    model = read_back(f, program.arrays, tmp_path_factory.mktemp("round"))
    with np.errstate(all="ignore"):
        compare(model(*program.arrays), f(*program.arrays), program.source)


@given(program=programs())
@settings(max_examples=EXAMPLES)
def test_a_program_that_came_back_has_the_same_gradient(program, tmp_path_factory):
    def loss(*arrays):
        return program(*arrays)[0]

    model = read_back(loss, program.arrays, tmp_path_factory.mktemp("round"))
    numbers = tuple(range(len(program.arrays)))
    with np.errstate(all="ignore"):
        found = ag.grad(model, numbers)(*program.arrays)
        compare(found, ag.grad(loss, numbers)(*program.arrays), program.source)


SMOOTH = [
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arccos",
    "arctan",
    "sinh",
    "cosh",
    "tanh",
    "arcsinh",
    "arctanh",
    "cbrt",
    "exp",
    "expm1",
    "log1p",
    "exp2",
    "softplus",
    "sigmoid",
    "silu",
    "gelu",
    "elu",
    "relu",
    "leaky_relu",
    "absolute",
    "square",
    "erf",
    "erfc",
    "ndtr",
    "log_ndtr",
    "logaddexp",
    "softmax",
    "log_softmax",
    "logsumexp",
]
PLACES = np.array([0.0, -0.0, 1e-300, 1e-12, -1e-9, 1e-6, 0.25, -0.5, 0.9])


@pytest.mark.parametrize("name", SMOOTH)
def test_a_function_comes_back_also_near_zero(name, tmp_path):
    """The forms by which it is exported must not have kinks or cancel there."""
    op = OPS[name]
    if name in ("erf", "erfc", "ndtr", "log_ndtr"):
        pytest.importorskip("scipy")

    def f(x):
        return op(x, 0.5 * x) if name == "logaddexp" else op(x)

    model = read_back(f, (PLACES,), tmp_path)
    with np.errstate(all="ignore"):
        np.testing.assert_allclose(model(PLACES), f(PLACES), rtol=1e-12)
        found = ag.grad(lambda x: np.sum(model(x) * np.arange(1, 10)[: np.size(f(x))]))(PLACES)
        expected = ag.grad(lambda x: np.sum(f(x) * np.arange(1, 10)[: np.size(f(x))]))(PLACES)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


def test_functions_come_back_as_such(tmp_path):
    """Kahan's forms of log1p and expm1, and what contains them."""
    for f in (np.log1p, np.expm1):
        model = read_back(f, (PLACES,), tmp_path)
        graph = ag.trace(model, PLACES)
        assert "1 operation" in repr(graph)
