"""What one compiled program is for: the containers, shapes, dtypes and plain values of a call."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from copy import copy
from dataclasses import dataclass
from enum import Enum
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np

from autograd_lite.arrays import numbers_only
from autograd_lite.core.tensor import Value
from autograd_lite.trees import _children

__all__ = [
    "PLAIN",
    "Container",
    "HasTensorsError",
    "Leaf",
    "Packing",
    "Signature",
    "Static",
    "put_together",
]


# Values that stay what they are, so that a program can be made for each.
VALUES = (
    int,
    float,
    str,
    bytes,
    complex,
    type(None),
    type(...),
    Enum,
    type,
    np.dtype,
    range,
    FunctionType,
    BuiltinFunctionType,
    np.ufunc,
)


PLAIN = (list, tuple, dict)


class HasTensorsError(Exception):
    """An argument is a Tensor: the function runs as it was written, and records."""


@dataclass(frozen=True, slots=True)
class Static:
    """A plain value in the arguments or results, the same for every call of a program."""

    value: Any


@dataclass(frozen=True, slots=True)
class Leaf:
    """An array in the arguments, by its number, with what to call it and where it stands."""

    number: int
    name: str
    path: str
    shape: tuple[int, ...]
    dtype: np.dtype[Any]


@dataclass(frozen=True, slots=True)
class Container:
    """A dict, list, tuple, or another container, its children, and how it is put together.

    It holds none of the arrays that were in the container.
    """

    kind: type
    steps: tuple[Any, ...]
    children: tuple[Any, ...]
    build: Any = None


def prepared(leaf: Any, path: str) -> Any:
    """An argument as an array that compiled code can take; shared, not copied.

    Raises:
        TypeError: for a Tensor or for what no program can hold.
    """
    if isinstance(leaf, Value):
        raise HasTensorsError
    numbers_only(leaf, f"compile: {path}")
    array = np.asarray(leaf)
    return array if array.dtype.isnative else array.astype(array.dtype.newbyteorder("="))


class Signature:
    """The form of the arguments of a call, to look a program up by and to trace it with.

    Args:
        args: the arguments, each in nested containers; those given by keyword last.
        names: what the function calls the positional ones.
        keywords: the names of the others.

    Raises:
        TypeError: for an argument that is no array, number, text or other hashable value.
    """

    def __init__(
        self, args: Sequence[Any], names: Sequence[str], keywords: tuple[str, ...] = ()
    ) -> None:
        self.names, self.keywords = (*names, *keywords), keywords
        self.arrays: list[Any] = []
        self.leaves: list[Leaf] = []
        self.tree = tuple(
            self._form(arg, name, name) for arg, name in zip(args, self.names, strict=True)
        )
        self.key: Hashable = (keywords, *map(_key, self.tree))

    def _form(self, tree: Any, path: str, name: str) -> Any:
        if isinstance(tree, (np.ndarray, np.generic, Value)):
            array = prepared(tree, path)
            leaf = Leaf(len(self.leaves), name, path, array.shape, array.dtype)
            self.arrays.append(array)
            self.leaves.append(leaf)
            return leaf
        parts = _children(tree)
        if parts is None or tree is None:
            if isinstance(tree, (np.random.Generator, np.random.RandomState)):
                raise TypeError(
                    f"compile: {path} is a random generator, and what it draws would be drawn only "
                    "once, while the function is traced; draw outside and pass the arrays"
                )
            if not isinstance(tree, VALUES):
                raise TypeError(
                    f"compile: {path} is a {type(tree).__name__}; arguments are arrays, numbers "
                    "and other plain values, in dicts, lists and tuples"
                )
            return Static(tree)
        children = tuple(
            self._form(part, path + step, _name_of(step, name)) for step, part in parts[0]
        )
        keys = tuple(tree) if isinstance(tree, dict) else tuple(step for step, _ in parts[0])
        return Container(type(tree), keys, children, _builder(tree, parts))

    def call(self, function: Callable[..., Any], arrays: Sequence[Any]) -> Any:
        """The function on the arguments with other arrays in place of theirs."""
        values = self.rebuilt(arrays)
        count = len(values) - len(self.keywords)
        return function(*values[:count], **dict(zip(self.keywords, values[count:], strict=True)))

    def without_arrays(self) -> Signature:
        """The same for a program to keep."""
        kept = copy(self)
        kept.arrays = []
        return kept

    def rebuilt(self, arrays: Sequence[Any]) -> list[Any]:
        """The arguments with other arrays in place of theirs."""
        return [_rebuilt(form, arrays) for form in self.tree]


def _name_of(step: str, name: str) -> str:
    """What to call a child: its key or field; or the container's name with a number."""
    if step.startswith("['"):
        return step[2:-2]
    return step[1:] if step.startswith(".") else f"{name}{step[1:-1]}"


def _key_of(step: str) -> str:
    """The key or field that a step goes by; nothing for a place in a list."""
    return _name_of(step, "") if step.startswith(("['", ".")) else ""


def _key(form: Any) -> Hashable:
    if isinstance(form, Leaf):
        return form.shape, form.dtype
    if isinstance(form, Static):
        value = form.value
        return (type(value), value.hex() if isinstance(value, float) else value)
    return form.kind, form.steps, tuple(map(_key, form.children))


def _rebuilt(form: Any, arrays: Sequence[Any]) -> Any:
    if isinstance(form, Leaf):
        return arrays[form.number]
    if isinstance(form, Static):
        return form.value
    return put_together(form)([_rebuilt(child, arrays) for child in form.children])


def put_together(form: Container) -> Callable[[list[Any]], Any]:
    """What makes a container of its children."""
    if form.kind is dict:
        return lambda children: dict(zip(form.steps, children, strict=True))
    return form.build or form.kind


def _builder(tree: Any, parts: Any) -> Any:
    """What makes a container that is no dict, list or tuple, freed from what it contained."""
    if type(tree) in PLAIN:
        return None
    children, build = parts
    try:
        return _children(build([None] * len(children)))[1]  # type: ignore[index]
    except Exception:  # a container that checks what it contains keeps it
        return build


class Packing:
    """The containers of the results.

    Args:
        tree: what the function returned; leaves that are no arrays stay as they are.
    """

    def __init__(self, tree: Any) -> None:
        self.leaves: list[Any] = []
        self.names: list[str] = []
        self.tree = self._form(tree, "")

    def _form(self, tree: Any, name: str) -> Any:
        if isinstance(tree, (np.ndarray, np.generic, Value)):
            self.leaves.append(tree)
            self.names.append(name)
            return Leaf(len(self.leaves) - 1, "", "", (), np.dtype(float))
        parts = _children(tree)
        if parts is None or tree is None:
            return Static(tree)
        children = tuple(self._form(part, _key_of(step)) for step, part in parts[0])
        keys = tuple(tree) if isinstance(tree, dict) else tuple(step for step, _ in parts[0])
        return Container(type(tree), keys, children, _builder(tree, parts))
