"""Models run by onnxruntime, or where it is not installed by the reference evaluator of ONNX."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx.reference import ReferenceEvaluator

import autograd_lite as ag

try:
    import onnxruntime
except ImportError:
    onnxruntime = None

BY_ONNXRUNTIME = onnxruntime is not None
"""Whether models are run by onnxruntime, for whose kernels the forms are chosen."""


def exported(folder: Path, f: Any, args: Any, **options: Any) -> onnx.ModelProto:
    """The model of a function, checked with inferred shapes."""
    path = folder / "model.onnx"
    ag.export_onnx(f, tuple(args), path, **options)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True, data_prop=True)
    return model


def run(model: onnx.ModelProto, arrays: Any, every: bool = False) -> list[Any]:
    """The outputs of a model for arrays in the order of its inputs; or every value of a node."""
    if every:
        model = onnx.shape_inference.infer_shapes(model)
        own = {value.name for value in model.graph.output}
        model.graph.output.extend(v for v in model.graph.value_info if v.name not in own)
    given = dict(zip([x.name for x in model.graph.input], map(np.asarray, arrays), strict=True))
    if onnxruntime is None:
        with np.errstate(all="ignore"):
            return ReferenceEvaluator(model).run(None, given)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    return session.run(None, given)


def leaves(results: Any) -> list[Any]:
    """The arrays in nested containers, in order."""
    if isinstance(results, dict):
        results = list(results.values())
    if isinstance(results, (tuple, list)):
        return [x for part in results for x in leaves(part)]
    return [np.asarray(results)]


def difference(found: Any, expected: Any) -> float:
    """The largest difference of the finite elements of results; the others must be the same."""
    largest = 0.0
    for a, b in zip(found, expected, strict=True):
        assert (a.shape, a.dtype) == (b.shape, b.dtype)
        if a.dtype.kind != "f":
            np.testing.assert_array_equal(a, b)
            continue
        finite = np.isfinite(b)
        np.testing.assert_array_equal(np.where(finite, 0, a), np.where(finite, 0, b))
        with np.errstate(all="ignore"):
            apart = np.abs(a.astype(float) - b.astype(float))[finite]
        assert not np.isnan(apart).any()
        largest = max(largest, float(apart.max(initial=0)))
    return largest


def largest(values: Any) -> float:
    """The largest finite number among arrays."""
    sizes = [np.abs(x[np.isfinite(x)]).max(initial=0) for x in values if x.dtype.kind == "f"]
    return float(max(sizes, default=1.0))
