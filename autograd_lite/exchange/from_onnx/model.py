"""The model of an ONNX file as a function of arrays and Tensors."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_lite.core.tensor import Value

# The first two fill the table of readers.
from autograd_lite.exchange.from_onnx import (  # isort: skip
    math,  # noqa: F401
    shapes,  # noqa: F401
    ml,
)
from autograd_lite.exchange.from_onnx.file import Array, OnnxFile, read
from autograd_lite.exchange.from_onnx.labels import Labels, labels_of
from autograd_lite.exchange.from_onnx.nodes import READERS, SEVERAL, Function, Node
from autograd_lite.exchange.from_onnx.stable import RULES, Surroundings
from autograd_lite.expressions.names import Names
from autograd_lite.tensor import Tensor, constant

__all__ = ["OnnxModel", "load"]


def load(path: str | os.PathLike[str]) -> OnnxModel:
    """Read a model; see `autograd_lite.import_onnx`."""
    return OnnxModel(read(path))


@dataclass(frozen=True)
class Step:
    """One operation of a program: a function and the names of what it takes and gives."""

    node: Node
    function: Function

    def __call__(self, values: dict[str, Any]) -> None:
        """Compute the outputs, and add them to the values.

        Raises:
            ValueError: that names the operation, if it cannot be computed.
        """
        operands = [values[name] if name else None for name in self.node.inputs]
        while operands and operands[-1] is None:
            operands.pop()
        try:
            result = self.function(*operands)
        except (TypeError, ValueError, IndexError) as error:
            plain = type(error) in (TypeError, ValueError, IndexError)
            if not plain or str(error).startswith("import_onnx: "):
                raise
            raise self.node.refused(str(error).strip()) from error
        results = result if isinstance(result, tuple) else (result,)
        values.update(zip(self.node.outputs, results, strict=False))


class OnnxModel:
    """The model of an ONNX file, a function of arrays; made by `import_onnx`.

    It takes its inputs by position or name. Given arrays it returns arrays, given Tensors it
    records, so that every transform works on it. A single output is returned as such, several as a
    dict by name. The arithmetic is NumPy's: float32 stays float32, and float64 inputs of a float32
    model are computed in float64 up to a cast in the file.

    Attributes:
        inputs, outputs: the shape and dtype of each, by name; a length is a number, a name for any
            number, or None.
        parameters: the trained arrays by name, read-only: all initializers of floats with at least
            one axis. Others are constants.
        classes: the classes of a classifier, one for each column of its output, or None.
        labels: the names of the outputs that only name the most probable class. They have no
            gradient and are left out.
        metadata: the texts that the writer of the file added.
    """

    def __init__(self, file: OnnxFile) -> None:
        self._path = file.path
        found: Labels = labels_of(file)
        self.inputs: dict[str, Array] = file.inputs
        self.outputs: dict[str, Array] = found.outputs
        self.classes: np.ndarray[Any, Any] | None = found.classes
        self.labels: tuple[str, ...] = found.names
        self.metadata: dict[str, str] = file.metadata
        program = _Program(file, list(self.outputs))
        self._steps, self._fixed = program.steps, program.constants
        self._results = program.results
        self.parameters: Mapping[str, Any] = program.parameters
        names = Names(["parameters"])
        self._names = {name: names.take(name, "x") for name in self.inputs}
        kinds = inspect.Parameter
        self.__name__ = "model"
        self.__signature__: inspect.Signature = inspect.Signature(
            [
                *(kinds(name, kinds.POSITIONAL_OR_KEYWORD) for name in self._names.values()),
                kinds("parameters", kinds.KEYWORD_ONLY, default=None),
            ]
        )

    def __call__(
        self, *inputs: Any, parameters: Mapping[str, Any] | None = None, **named: Any
    ) -> Any:
        """Compute the outputs.

        Args:
            inputs, named: the inputs, by position or name.
            parameters: arrays or Tensors in place of some of the parameters.

        Raises:
            TypeError: if an input is missing, or not of numbers.
            ValueError: if a shape does not fit, or there is no such parameter.
        """
        bound = self.__signature__.bind(*inputs, **named).arguments
        given = {name: bound[self._names[name]] for name in self.inputs}
        values = {name: _input(x, name, self.inputs[name]) for name, x in given.items()}
        values.update(self.parameters)
        values.update(self._replacing(parameters or {}))
        if any(isinstance(x, Value) for x in values.values()):
            # Pictures and derivations show their names.
            for name, x in values.items():
                if not isinstance(x, Value) and x.dtype.kind == "f":
                    values[name] = constant(x, name)
        values |= self._fixed
        with np.errstate(all="ignore"):  # branches that are not chosen divide by zero
            for step in self._steps:
                step(values)
        results = {name: _titled(values[own], name) for name, own in self._results.items()}
        return results if len(results) > 1 else next(iter(results.values()))

    def _replacing(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """The parameters of a call, checked."""
        unknown = [name for name in parameters if name not in self.parameters]
        if unknown:
            raise ValueError(
                f"{self._path}: no parameter is called {unknown[0]!r}; there are "
                f"{', '.join(map(repr, self.parameters)) or 'none'}"
            )
        arrays = {}
        for name, x in parameters.items():
            shape = self.parameters[name].shape
            form = Array(shape, self.parameters[name].dtype)
            arrays[name] = _input(x, name, form, fixed=True)
        return arrays

    def __repr__(self) -> str:
        def listed(arrays: Mapping[str, Array]) -> str:
            return ", ".join(
                f"{name} {_shape(form.shape)}".strip() for name, form in arrays.items()
            )

        count = len(self.parameters)
        return (
            f"OnnxModel({listed(self.inputs)} → {listed(self.outputs)}; "
            f"{count} parameter{'s' * (count != 1)})"
        )


def _shape(shape: Sequence[Any] | None) -> str:
    if shape is None:
        return ""  # any
    lengths = ["?" if n is None else str(n) for n in shape]
    return f"({', '.join(lengths)}{',' * (len(lengths) == 1)})"


def _input(x: Any, name: str, form: Array, fixed: bool = False) -> Any:
    """An input, or parameter of fixed shape, as an array or Tensor of the declared shape.

    Raises:
        TypeError, ValueError: if its dtype or shape does not fit.
    """
    if not isinstance(x, Value):
        x = np.asarray(x)
        if x.dtype == np.float16:
            x = x.astype(np.float32)
        if x.dtype.kind not in "biuf":
            raise TypeError(f"{name}: expected numbers, not an array of dtype {x.dtype}")
    if form.shape is not None:
        pairs = zip(x.shape, form.shape, strict=False)
        fits = all(n == m or not isinstance(m, int) for n, m in pairs)
        if len(x.shape) != len(form.shape) or not fits:
            hint = "" if fixed else "; export lengths that may vary as such (dynamic axes)"
            raise ValueError(
                f"{name}: an array of shape {x.shape} does not fit {_shape(form.shape)} in the "
                f"file{hint}"
            )
    if form.dtype is not None and form.dtype.kind != x.dtype.kind:
        if form.dtype.kind != "f":
            raise TypeError(f"{name}: expected {form.dtype}, not {x.dtype}")
        x = x.astype(form.dtype)
    return x


def _titled(x: Any, name: str) -> Any:
    """A result; a Tensor that an operation made and that has no name gets that of the output."""
    if isinstance(x, Tensor):
        return x.named(name) if x.node.op is not None and x.name is None else x
    return x if x.shape else x[()]


class _Program:
    """The steps from the inputs and parameters to some outputs of a file.

    Attributes:
        steps: in order, without those that nothing needs.
        constants: the arrays that are fixed, as far as they are used.
        parameters: the arrays that are trained.
        results: for each output the name of its array.

    Raises:
        ValueError: if an operation is not supported; all are named.
    """

    def __init__(self, file: OnnxFile, outputs: Iterable[str]) -> None:
        self.names: dict[str, str] = {}
        trained = {k: x for k, x in file.arrays.items() if x.ndim and x.dtype.kind == "f"}
        self.constants = {k: x for k, x in file.arrays.items() if k not in trained}
        self.makers: dict[str, Node] = {}
        nodes = _needed(file.nodes, set(outputs))
        self.users: dict[str, list[Node]] = {}
        for node in nodes:
            for name in node.inputs:
                self.users.setdefault(name, []).append(node)
        _refuse_unknown(file.path, nodes)
        for node in nodes:
            node = ml.with_arrays(node, trained)
            inputs = tuple(self.names.get(name, name) for name in node.inputs)
            self._add(replace(node, inputs=inputs), trained)
        self.results = {name: self.names.get(name, name) for name in outputs}
        made = dict.fromkeys(self.makers.values())
        needed = _needed(made, set(self.results.values()))
        self.steps = [Step(node, READERS[node.kind](node)) for node in needed]
        used = {name for node in needed for name in node.inputs} | set(self.results.values())
        for node in needed:
            if node.kind not in SEVERAL and used & set(filter(None, node.outputs[1:])):
                raise node.refused("only its first output is supported")
            if node.kind.endswith("LinearClassifier") and node.outputs[0] in used:
                raise node.refused("its labels are used as numbers; only its scores are supported")
        self.parameters = {name: x for name, x in trained.items() if name in used}
        self.constants = {name: x for name, x in self.constants.items() if name in used}

    def _add(self, node: Node, trained: dict[str, Any]) -> None:
        """Add a node: its value, the name of an equal array, or nodes in its place."""
        if node.kind == "Identity" and node.inputs[0] in trained:
            # PyTorch writes parameters with equal values once, and the others as copies.
            trained[node.outputs[0]] = trained[node.inputs[0]]
            return
        if node.kind in ("Identity", "ai.onnx.ml.ZipMap"):
            self.names[node.outputs[0]] = node.inputs[0]
            return
        if all(name in self.constants or not name for name in node.inputs):
            values, step = dict(self.constants), Step(node, READERS[node.kind](node))
            with np.errstate(all="ignore"):
                step(values)
            for name in node.outputs:
                if name in values:
                    self.constants[name] = np.asarray(values[name])
                    self.constants[name].flags.writeable = False
            return
        rule = RULES.get(node.kind)
        around = Surroundings(self.makers, self.constants | trained, self.users)
        found = [node] if rule is None else rule(node, around) or [node]
        if isinstance(found, str):
            self.names[node.outputs[0]] = found
            return
        for made in found:
            self.makers.update(dict.fromkeys(filter(None, made.outputs), made))


def _needed(nodes: Iterable[Node], names: set[str]) -> list[Node]:
    """The nodes that these arrays depend on, in order."""
    needed: list[Node] = []
    for node in reversed(list(nodes)):
        if names & set(node.outputs):
            needed.append(node)
            names |= set(filter(None, node.inputs))
    return needed[::-1]


def _refuse_unknown(path: str, nodes: Iterable[Node]) -> None:
    unknown = [str(node) for node in nodes if node.kind not in READERS]
    if unknown:
        more = f" and {len(unknown) - 20} more" if len(unknown) > 20 else ""
        raise ValueError(
            f"import_onnx: {path} has operations that are not supported: "
            f"{', '.join(unknown[:20])}{more}"
        )
