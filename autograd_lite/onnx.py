"""ONNX files, which other programs read and write."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from autograd_lite.exchange.from_onnx.model import OnnxModel

__all__ = ["export_onnx", "import_onnx"]


def export_onnx(
    f: Callable[..., Any],
    args: Sequence[Any],
    path: str | os.PathLike[str],
    *,
    rows: str | Sequence[str] = (),
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write the program of a function as an ONNX model (opset 18).

    The function is traced once, as by `compile`. The model has an input for each array in `args`
    and an output for each array in the results; both keep the names of Tensors, parameters, dict
    keys and fields. Numbers and other plain values in `args` become constants, and so do arrays
    that f closes over. A function that `grad` or `value_and_grad` returns can be exported, too.

    Args:
        f: a function of arrays in nested containers.
        args: its arguments; of arrays only the shapes and dtypes matter.
        path: the file to write.
        rows: the names of the parameters whose arrays have any number of rows, their first axis.
            f is traced for several numbers of rows, and all of these arrays share one number.
        metadata: texts by name, kept in the model.

    Raises:
        ValueError: if ONNX has no operation for a part of the program, which the error names with
            its line; or if the program depends on the number of rows.
        TypeError: if f reads the value of an array while it is traced, or if an argument is of a
            wrong type.
        ImportError: without the package onnx (the extra `exchange`).

    Example:
        >>> import pathlib, tempfile
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> def predict(x, w):
        ...     return {"probability": ag.sigmoid(x @ w)}
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "model.onnx"
        >>> args = np.ones((4, 3)), np.array([[0.5], [-1.0], [0.25]])
        >>> ag.export_onnx(predict, args, path, rows="x")
        >>> import onnx
        >>> [node.op_type for node in onnx.load(path).graph.node]
        ['MatMul', 'Neg', 'Exp', 'Add', 'Reciprocal']
    """
    from autograd_lite.exchange.to_onnx.export import export

    export(f, args, path, rows, metadata or {})


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
    from autograd_lite.exchange.from_onnx.model import load

    return load(path)
