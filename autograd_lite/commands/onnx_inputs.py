"""An output of an ONNX model, computed from rows of a table, or from ones."""

from __future__ import annotations

import argparse
import json
from typing import Any

import numpy as np

import autograd_lite as ag
from autograd_lite.commands.model_rows import open_rows, taken, target_of
from autograd_lite.commands.output import message
from autograd_lite.data.columns import Array
from autograd_lite.data.reading import Frame

__all__ = ["onnx_result"]


def onnx_result(args: argparse.Namespace, path: str, output: str) -> ag.Tensor:
    """An output of the model; the parameters of the file want gradients.

    By default it is the logits, as `export` calls them, else the first: the sum of probabilities,
    whose gradient is shown, is always 1, so that all gradients are 0.

    With `--data` or `--row` the input has rows of the table, else each input is of ones, of zeros
    if it has integers or truth values, and a length that may vary is 1.

    Raises ValueError if there is no such output, the table does not fit the input, or an input has
    no declared shape; and what `autograd_lite.import_onnx` raises.
    """
    model = ag.import_onnx(path)
    if output and output not in model.outputs:
        known = ", ".join(model.outputs)
        raise ValueError(f"{path} has no output {output!r}; its outputs are {known}")
    arrays = _of_table(args, model, path) if args.data or args.row else _of_ones(model, path)
    parameters = {name: ag.Tensor(x, name=name) for name, x in model.parameters.items()}
    inputs = [ag.constant(x, name=name) for name, x in zip(model.inputs, arrays, strict=True)]
    try:
        found = model(*inputs, parameters=parameters)
    except TypeError as error:
        raise ValueError(f"{path}: {error}") from error
    if isinstance(found, dict):
        chosen = output or ("logits" if "logits" in found else next(iter(found)))
        others = [name for name in found if name != chosen]
        if not output:
            message(f"the output {chosen}; for others use {path}:{others[0]}")
        found = found[chosen]
    if not isinstance(found, ag.Tensor):
        raise ValueError(f"{path}: the output does not depend on an input or a parameter")
    return found


def _of_ones(model: Any, path: str) -> list[Array]:
    arrays = []
    for name, form in model.inputs.items():
        if form.shape is None:
            raise ValueError(f"{path}: the input {name!r} has no declared shape")
        dtype = np.dtype(np.float32 if form.dtype is None else form.dtype)
        shape = [n if isinstance(n, int) else 1 for n in form.shape]
        arrays.append(np.full(shape, dtype.kind == "f", dtype))
    return arrays


def _of_table(args: argparse.Namespace, model: Any, path: str) -> list[Array]:
    """The rows of the table as the one input of the model.

    The columns are those that the file names, as `export` writes them, else those of the table in
    its order without the target.
    """
    (name, form), *others = model.inputs.items()
    if others or form.shape is None or len(form.shape) != 2:
        raise ValueError(f"{path}: rows of a table fit a model with one input of two axes only")
    pieces = open_rows(args)
    target = target_of(args, model.metadata.get("target"))
    columns = _named(model.metadata) or [other for other in pieces.names if other != target]
    if isinstance(form.shape[1], int) and len(columns) != form.shape[1]:
        raise ValueError(
            f"{pieces.source} has {len(columns)} columns beside the target, but the input {name!r} "
            f"of {path} has {form.shape[1]}"
        )
    parts = [
        np.column_stack([_column(frame, column) for column in columns])
        for _, frame in taken(pieces, args.row)
    ]
    return [np.concatenate(parts).astype(form.dtype or np.float32)]


def _named(metadata: dict[str, str]) -> list[str]:
    """The columns that `export` wrote into the file, if it did."""
    try:
        names = json.loads(metadata["columns"])
    except (KeyError, ValueError, RecursionError):
        return []
    good = isinstance(names, list) and all(isinstance(name, str) for name in names)
    return names if good else []


def _column(frame: Frame, name: str) -> Array:
    """A column of numbers, NaN where one is missing; of "city=Bern" 1 where the city is Bern."""
    if name not in frame.names:
        for k in (k for k, sign in enumerate(name) if sign == "="):
            if name[:k] in frame.names:
                return np.asarray(frame.column(name[:k]).texts() == name[k + 1 :])
    column = frame.column(name)
    if column.kind not in ("number", "boolean"):
        raise ValueError(
            f"{frame.source}: column {name!r} holds {column.kind}, but the model takes numbers; if "
            "it is the target, use --target"
        )
    return column.values
