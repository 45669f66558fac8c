"""The signature of a call: its containers, shapes, dtypes and plain values."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterator, Sequence
from copy import copy
from dataclasses import dataclass, replace
from enum import Enum
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np

from autograd_lite.arrays import numbers_only, viewed
from autograd_lite.core.tensor import Value
from autograd_lite.dask_rows import is_dask
from autograd_lite.expressions.expr import exact
from autograd_lite.row_blocks import RowBlocks
from autograd_lite.trees import _children

__all__ = [
    "ANY_LENGTH",
    "PLAIN",
    "Container",
    "HasTensorsError",
    "Leaf",
    "Packing",
    "Signature",
    "Static",
    "form_key",
    "leaves_of",
    "rebuilt",
    "resized",
]

# The types of plain values: a program is compiled for each value.
VALUES = (
    *(int, float, complex, str, bytes, type(None), type(...), Enum, type, range),
    *(np.dtype, np.ufunc, FunctionType, BuiltinFunctionType),
)

PLAIN = (list, tuple, dict)

# The numbers of rows of the arrays that stand for data by blocks: primes.
STAND_INS = 1051, 1061, 1063, 1069, 1087, 1091, 1093, 1097


class _AnyLength:
    """The length of an axis of rows in the signature of a program for any number of rows."""

    def __repr__(self) -> str:
        return "n"


ANY_LENGTH = _AnyLength()


class HasTensorsError(Exception):
    """An argument is a Tensor, so the function runs as it is written, and records."""


@dataclass(frozen=True, slots=True)
class Static:
    """A plain value in the arguments or results, the same for every call of a program."""

    value: Any


@dataclass(frozen=True, slots=True)
class Leaf:
    """An array in the arguments or results: its number, its name, and the path to it."""

    number: int
    name: str
    path: str
    shape: tuple[Any, ...]
    dtype: np.dtype[Any]


@dataclass(frozen=True, slots=True)
class Container:
    """A container without its arrays: its keys or fields, its children, and what builds it."""

    kind: type
    steps: tuple[Any, ...]
    children: tuple[Any, ...]
    build: Callable[[list[Any]], Any]


def leaves_of(form: Any) -> Iterator[Leaf]:
    """The leaves of a form, in order."""
    if isinstance(form, Leaf):
        yield form
    elif isinstance(form, Container):
        for child in form.children:
            yield from leaves_of(child)


def _form(tree: Any, path: str, name: str, leaf: Callable[[Any, str, str], Any]) -> Any:
    """The form of nested containers; `leaf` gives that of anything else."""
    parts = None if isinstance(tree, (np.ndarray, np.generic, Value)) else _children(tree)
    if parts is None or tree is None:
        return leaf(tree, path, name)
    steps = [step for step, _ in parts[0]]
    children = tuple(
        _form(part, path + step, _name_of(step, name), leaf) for step, part in parts[0]
    )
    keys = tuple(tree if isinstance(tree, dict) else steps)
    return Container(type(tree), keys, children, _builder(tree, parts))


def _name_of(step: str, name: str) -> str:
    """The name of a child: its key or field, or that of its container with a number."""
    if step.startswith("['"):
        return step[2:-2]
    return step[1:] if step.startswith(".") else name and f"{name}{step[1:-1]}"


def _builder(tree: Any, parts: Any) -> Any:
    """A function that builds the container from new children, without the present ones."""
    children, build = parts
    if type(tree) in PLAIN:
        return build
    try:
        return _children(build([None] * len(children)))[1]  # type: ignore[index]
    except Exception:  # a container that checks its children keeps them
        return build


class Signature:
    """What a program is compiled for: the form of the arguments of a call.

    Args:
        args: the arguments, each in nested containers; those given by keyword last.
        names: the names of the positional ones.
        keywords: the names of the others.

    Attributes:
        arrays: the arrays; a few rows stand for data by blocks.
        leaves: their leaves.
        streams: the data by blocks of rows, and Dask arrays, by the numbers of their leaves.

    Raises:
        TypeError: for an argument that is not an array, a number, a text or another plain value.
    """

    def __init__(
        self, args: Sequence[Any], names: Sequence[str], keywords: tuple[str, ...] = ()
    ) -> None:
        self.names: tuple[str, ...] = (*names, *keywords)
        self.keywords = keywords
        self.arrays: list[Any] = []
        self.leaves: list[Leaf] = []
        self.streams: dict[int, Any] = {}
        self.tree: tuple[Any, ...] = tuple(
            _form(arg, name, name, self._leaf) for arg, name in zip(args, self.names, strict=True)
        )
        self.key: Hashable = (keywords, *map(form_key, self.tree))

    def _leaf(self, value: Any, path: str, name: str) -> Leaf | Static:
        if isinstance(value, Value):
            raise HasTensorsError
        if isinstance(value, RowBlocks):
            self.streams[len(self.leaves)] = value
            value = value.head
        if is_dask(value):
            self.streams[len(self.leaves)] = value
            value = np.ones((1, *value.shape[1:]), value.dtype)
        value = viewed(value, f"compile: {path}")
        if isinstance(value, (np.ndarray, np.generic)):
            numbers_only(value, f"compile: {path}")
            array = np.asarray(value)
            if not array.dtype.isnative:
                array = array.astype(array.dtype.newbyteorder("="))
            self.arrays.append(array)
            self.leaves.append(Leaf(len(self.leaves), name, path, array.shape, array.dtype))
            return self.leaves[-1]
        if isinstance(value, (np.random.Generator, np.random.RandomState)):
            raise TypeError(
                f"compile: {path} is a random generator, from which numbers would be drawn only "
                "once, while the function is traced; draw them outside and pass the arrays"
            )
        if not isinstance(value, VALUES):
            raise TypeError(
                f"compile: {path} is a {type(value).__name__}; arguments are arrays, numbers "
                "and other plain values, in dicts, lists and tuples"
            )
        return Static(value)

    def call(self, function: Callable[..., Any], arrays: Sequence[Any]) -> Any:
        """Call the function with other arrays in place of the arguments'."""
        values = self.rebuilt(arrays)
        count = len(values) - len(self.keywords)
        return function(*values[:count], **dict(zip(self.keywords, values[count:], strict=True)))

    def without_arrays(self) -> Signature:
        """A copy that does not keep the arrays alive."""
        kept = copy(self)
        kept.arrays = []
        return kept

    def with_length(self, rows: Collection[int], length: int) -> Signature:
        """A copy whose leaves, given by their numbers, have another number of rows."""
        made = copy(self)
        made.arrays = [resized(x, 0, length) if k in rows else x for k, x in enumerate(self.arrays)]
        return made

    def standing_in(self, rows: Collection[int]) -> Signature:
        """A copy in which arrays of a few rows stand for data with rows, given by their numbers."""
        others = [x.shape if k not in rows else x.shape[1:] for k, x in enumerate(self.arrays)]
        lengths = {n for shape in others for n in shape if n}
        length = next(p for p in STAND_INS if all(n % p for n in lengths))
        made = self._with_rows(rows, length)
        made.arrays = self.with_length(rows, length).arrays
        for k in rows:  # native code asks; blocks may be read-only
            made.arrays[k].flags.writeable = k not in self.streams and (
                self.arrays[k].flags.writeable
            )
        return made

    def for_any_length(self, rows: Collection[int]) -> Signature:
        """A copy in which some leaves, given by their numbers, have any number of rows."""
        return self._with_rows(rows, ANY_LENGTH)

    def _with_rows(self, rows: Collection[int], length: Any) -> Signature:
        def changed(form: Any) -> Any:
            if isinstance(form, Leaf) and form.number in rows and form.shape:
                return replace(form, shape=(length, *form.shape[1:]))
            if isinstance(form, Container):
                return replace(form, children=tuple(map(changed, form.children)))
            return form

        made = copy(self)
        made.tree = tuple(map(changed, self.tree))
        made.leaves = [*map(changed, self.leaves)]
        made.key = made.keywords, *map(form_key, made.tree)
        return made

    def rebuilt(self, arrays: Sequence[Any]) -> list[Any]:
        """The arguments with other arrays in place of theirs."""
        return [rebuilt(form, arrays) for form in self.tree]


def form_key(form: Any) -> Any:
    if isinstance(form, Leaf):
        return form.shape, form.dtype
    if isinstance(form, Static):
        return exact(form.value)
    return form.kind, exact(form.steps), tuple(map(form_key, form.children))


def resized(array: Any, axis: int, length: int) -> Any:
    """An array with another number of rows: it is cut, or its rows are repeated."""
    rows = np.arange(length) % array.shape[axis]
    # Of an array that is not contiguous, `take` first copies all.
    return np.take(array[(*[slice(None)] * axis, slice(length))], rows, axis)


def rebuilt(form: Any, arrays: Sequence[Any]) -> Any:
    """The containers of a form with arrays in place of its leaves."""
    if isinstance(form, Leaf):
        return arrays[form.number]
    if isinstance(form, Static):
        return form.value
    return form.build([rebuilt(child, arrays) for child in form.children])


class Packing:
    """The form of the results.

    Attributes:
        tree: the form; a leaf that is not an array is a plain value.
        leaves: the arrays.
        names: the names of the arrays.
    """

    def __init__(self, results: Any) -> None:
        self.leaves: list[Any] = []
        self.names: list[str] = []
        self.tree: Any = _form(results, "", "", self._leaf)

    def _leaf(self, value: Any, path: str, name: str) -> Leaf | Static:
        if not isinstance(value, (np.ndarray, np.generic, Value)):
            return Static(value)
        self.leaves.append(value)
        self.names.append(name)
        return Leaf(len(self.leaves) - 1, name, path, (), np.dtype(float))
