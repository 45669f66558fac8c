"""ONNX files: models that other libraries trained come in as functions."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from autograd_lite.exchange.onnx_import import OnnxModel

__all__ = ["import_onnx"]


def import_onnx(path: str | os.PathLike[str]) -> OnnxModel:
    """Read the model of an ONNX file as a function of arrays.

    Given arrays it returns arrays; given Tensors it records, so that a model trained in PyTorch or
    scikit-learn can be differentiated, compiled, drawn and derived. Expressions that exporters take
    apart, such as log σ, are computed in their stable forms.

    Args:
        path: of the file; external data are read from its folder.

    Returns:
        An OnnxModel: call it with the inputs by position or name, and with other ``parameters=`` to
        differentiate with respect to them. It has `inputs`, `outputs`, `parameters`, `classes`,
        `labels` and `metadata`.

    Raises:
        ImportError: if onnx is not installed.
        FileNotFoundError: if the file, or one with its external data, does not exist.
        ValueError: if it is not a valid model, or has operations that are not supported; the error
            names them all.

    Example:
        >>> import onnx, pathlib, tempfile
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> graph = onnx.parser.parse_model('''
        ...     <ir_version: 10, opset_import: ["" : 20]>
        ...     layer (float[n, 2] x) => (float[n, 1] y)
        ...     <float[1, 2] W = {3, -2}> { z = Gemm<transB = 1>(x, W)  y = Tanh(z) }
        ... ''')
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "layer.onnx"
        >>> onnx.save(graph, path)
        >>> model = ag.import_onnx(path)
        >>> model
        OnnxModel(x (n, 2) → y (n, 1); 1 parameter)
        >>> model(np.array([[2.0, 3.0]]))
        array([[0.]])
        >>> ag.grad(lambda p: np.sum(model([[2.0, 3.0]], parameters=p)))(model.parameters)
        {'W': array([[2., 3.]], dtype=float32)}
    """
    from autograd_lite.exchange.onnx_import import load

    return load(path)
