"""ONNX models for the tests: built, saved, imported, and run by ONNX's own evaluator."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

import autograd_lite as ag

onnx = pytest.importorskip("onnx")

from onnx import helper, numpy_helper  # noqa: E402

COUNT = itertools.count()
KINDS = {
    np.dtype(np.float32): 1,
    np.dtype(np.int64): 7,
    np.dtype(bool): 9,
    np.dtype(np.float64): 11,
}


def declared(name, x):
    """An input or output of this dtype and number of axes."""
    shape = [f"{name}_{k}" for k in range(np.ndim(x))]
    return helper.make_tensor_value_info(name, KINDS[np.asarray(x).dtype], shape)


def built(nodes, inputs, outputs, arrays=(), opset=20, versions=None, **model):
    """A model; `inputs` and `outputs` are examples by name, or declarations."""
    inputs, outputs = (
        [x if hasattr(x, "type") else declared(name, x) for name, x in group.items()]
        for group in (inputs, outputs)
    )
    arrays = [numpy_helper.from_array(np.asarray(x), name) for name, x in dict(arrays).items()]
    graph = helper.make_graph(list(nodes), "graph", inputs, outputs, arrays)
    versions = versions or [("", opset), ("ai.onnx.ml", 3)]
    opsets = [helper.make_opsetid(domain, version) for domain, version in versions]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9, **model)


def imported(model, folder):
    """The model as read from a file."""
    path = folder / f"{next(COUNT)}.onnx"
    onnx.save(model, path)
    return ag.import_onnx(path)


def evaluated(model, inputs):
    """The outputs by ONNX's reference evaluator."""
    from onnx.reference import ReferenceEvaluator

    with np.errstate(all="ignore"):
        return ReferenceEvaluator(model).run(None, inputs)


def ran(model, inputs):
    """The outputs by onnxruntime."""
    runtime = pytest.importorskip("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 3
    options.intra_op_num_threads = 1
    return runtime.InferenceSession(model.SerializeToString(), options).run(None, inputs)
