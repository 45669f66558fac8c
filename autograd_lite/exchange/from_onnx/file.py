"""An ONNX file as nodes and arrays."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.exchange.from_onnx.nodes import Node

__all__ = ["Array", "OnnxFile", "dtype_of", "onnx_module", "read"]

OLDEST = 7
"""The oldest version of ONNX's operations that is read; in older ones broadcasting differs."""


class Array(NamedTuple):
    """The shape and dtype of an input or output: each length is a number, a name or None."""

    shape: tuple[int | str | None, ...] | None
    dtype: np.dtype[Any] | None


@dataclass
class OnnxFile:
    """What an ONNX file contains.

    Attributes:
        path: of the file, for messages.
        nodes: in an order in which they can be computed.
        arrays: the initializers.
        inputs, outputs: by name; the dtype is None for what is not an array of numbers or bools.
        metadata: the texts that the writer added.
    """

    path: str
    nodes: list[Node]
    arrays: dict[str, np.ndarray[Any, Any]]
    inputs: dict[str, Array]
    outputs: dict[str, Array]
    metadata: dict[str, str]


def onnx_module() -> Any:
    """The onnx package.

    Raises:
        ImportError: if it is not installed.
    """
    try:
        import onnx
        import onnx.inliner
    except ImportError:
        raise ImportError(
            "ONNX files need the onnx package: pip install 'autograd_lite[exchange]'"
        ) from None
    return onnx


def read(path: str | os.PathLike[str]) -> OnnxFile:
    """Read a file, and those with its external data in the same folder.

    Raises:
        ImportError: if onnx is not installed.
        FileNotFoundError: if the file, or one with its external data, does not exist.
        ValueError: if it is not a valid model.
    """
    onnx = onnx_module()
    place = Path(path)
    model = _parsed(onnx, place)
    versions = _versions(onnx, model, place.name)
    for tensor in _tensors(model):
        _load_external(onnx, tensor, place)
    _check(onnx, model, place.name)
    graph = model.graph
    if graph.sparse_initializer:
        raise ValueError(f"import_onnx: {place.name}: sparse initializers are not supported")
    arrays = {tensor.name: _array(onnx, tensor) for tensor in graph.initializer}
    nodes = [_node(onnx, node, versions) for node in graph.node]
    return OnnxFile(
        place.name,
        nodes,
        arrays,
        # Old files list the initializers among the inputs.
        {x.name: _form(x) for x in graph.input if x.name not in arrays},
        {x.name: _form(x) for x in graph.output},
        {entry.key: entry.value for entry in model.metadata_props},
    )


def _parsed(onnx: Any, path: Path) -> Any:
    """The model, with its functions written out."""
    data = path.read_bytes()
    try:
        model = onnx.load_model_from_string(data)
    except Exception:  # a DecodeError of protobuf
        raise ValueError(f"import_onnx: {path.name} is not an ONNX file, or is cut off") from None
    if not model.ir_version or not model.graph.output:
        raise ValueError(f"import_onnx: {path.name} is not an ONNX file, or has no outputs")
    return onnx.inliner.inline_local_functions(model) if model.functions else model


def _domain(name: str) -> str:
    return "" if name == "ai.onnx" else str(name)


def _versions(onnx: Any, model: Any, file: str) -> dict[str, int]:
    """The version of the operations of each domain.

    Raises:
        ValueError: for versions that contradict each other, or are too old or too new.
    """
    newest = {"": onnx.defs.onnx_opset_version(), "ai.onnx.ml": onnx.defs.onnx_ml_opset_version()}
    versions: dict[str, int] = {}
    for entry in model.opset_import:  # skl2onnx writes some twice
        domain = _domain(entry.domain)
        version = versions.setdefault(domain, entry.version)
        if version != entry.version:
            raise ValueError(
                f"import_onnx: {file} has opset {version} and {entry.version} of {domain or 'ONNX'}"
            )
        if version > newest.get(domain, version):
            raise ValueError(
                f"import_onnx: {file} has opset {version} of {domain or 'ONNX'}, and the installed "
                f"onnx {onnx.__version__} knows up to {newest[domain]}; upgrade onnx, or export "
                "the model with an older opset"
            )
    if versions.get("", OLDEST) < OLDEST:
        raise ValueError(
            f"import_onnx: {file} has opset {versions['']}, and the oldest that is read is "
            f"{OLDEST}; convert it with onnx.version_converter"
        )
    return versions


def _tensors(model: Any) -> Iterator[Any]:
    """All arrays of a model that may lie in other files."""
    yield from model.graph.initializer
    for node in model.graph.node:
        for attribute in node.attribute:
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors


def _load_external(onnx: Any, tensor: Any, model: Path) -> None:
    """Put external data of a tensor into it.

    Raises:
        ValueError: if the path leaves the folder of the model, or the data have another size.
        FileNotFoundError: if there is no such file.
    """
    if tensor.data_location != onnx.TensorProto.EXTERNAL:
        return
    entries = {entry.key: entry.value for entry in tensor.external_data}
    location, what = entries.get("location", ""), f"import_onnx: the data of {tensor.name!r}"
    folder = model.resolve().parent
    path = (folder / location).resolve()
    if not location or not path.is_relative_to(folder) or path == folder:
        raise ValueError(f"{what} are in {location!r}, which is not in the folder of {model.name}")
    if not path.is_file():
        raise FileNotFoundError(f"{what} are in {location!r}, which is not beside {model.name}")
    start = int(entries.get("offset", 0))
    length = int(entries.get("length", max(path.stat().st_size - start, 0)))
    with open(path, "rb") as file:
        file.seek(start)
        data = file.read(length) if length >= 0 else b""
    if len(data) != length:
        raise ValueError(f"{what} end after {len(data)} of {length} bytes of {location!r}")
    tensor.raw_data = data
    tensor.ClearField("external_data")
    tensor.ClearField("data_location")


def _check(onnx: Any, model: Any, file: str) -> None:
    try:
        onnx.checker.check_model(model)
    except (onnx.checker.ValidationError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"import_onnx: {file} is not a valid model: {reason}") from None


def dtype_of(number: int) -> np.dtype[Any] | None:
    """The dtype for an ONNX element type; None for text and what NumPy lacks.

    float16 and bfloat16 are computed in float32.
    """
    onnx = onnx_module()
    if number in (onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16):
        return np.dtype(np.float32)
    try:
        dtype = np.dtype(onnx.helper.tensor_dtype_to_np_dtype(number))
    except KeyError:
        return None
    return dtype if dtype.kind in "biuf" and dtype.isbuiltin == 1 else None


def _array(onnx: Any, tensor: Any) -> np.ndarray[Any, Any]:
    """A tensor as a read-only array; texts as an array of str."""
    try:
        array = np.asarray(onnx.numpy_helper.to_array(tensor))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(
            f"import_onnx: the data of {tensor.name!r} do not fill shape {tuple(tensor.dims)} "
            f"({error})"
        ) from None
    if tensor.data_type == onnx.TensorProto.STRING:
        texts = [x.decode() if isinstance(x, bytes) else str(x) for x in array.ravel()]
        array = np.array(texts, dtype=str).reshape(array.shape)
    else:
        dtype = dtype_of(tensor.data_type)
        if dtype is None:
            kind = onnx.TensorProto.DataType.Name(tensor.data_type)
            raise ValueError(f"import_onnx: {tensor.name!r} has the type {kind}, not supported")
        array = array.astype(dtype)
    array.flags.writeable = False
    return array


def _node(onnx: Any, node: Any, versions: dict[str, int]) -> Node:
    domain = _domain(node.domain)
    attributes = {}
    for attribute in node.attribute:
        value = onnx.helper.get_attribute_value(attribute)
        attributes[attribute.name] = _plain(onnx, value)
    return Node(
        f"{domain}.{node.op_type}" if domain else node.op_type,
        node.name,
        tuple(node.input),
        tuple(node.output),
        attributes,
        versions.get(domain, 1),
    )


def _plain(onnx: Any, value: Any) -> Any:
    """An attribute's value in plain Python and NumPy."""
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if isinstance(value, onnx.TensorProto):
        return _array(onnx, value)
    if isinstance(value, (int, float, str)):
        return value
    if isinstance(value, (list, tuple)) or type(value).__name__.startswith("Repeated"):
        return tuple(_plain(onnx, item) for item in value)
    return None  # a graph or a sparse tensor: nodes with these are refused


def _form(info: Any) -> Array:
    """The shape and dtype that a file declares for an input or output."""
    if not info.type.HasField("tensor_type"):
        return Array(None, None)
    declared = info.type.tensor_type
    if not declared.HasField("shape"):
        return Array(None, dtype_of(declared.elem_type))
    lengths = [
        d.dim_value if d.HasField("dim_value") else d.dim_param or None for d in declared.shape.dim
    ]
    return Array(tuple(lengths), dtype_of(declared.elem_type))
