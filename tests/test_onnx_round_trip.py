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
