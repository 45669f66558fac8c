"""What one compiled program is for: the containers, shapes, dtypes and plain values of a call."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from copy import copy
from dataclasses import dataclass
from enum import Enum
from types import BuiltinFunctionType, FunctionType
from typing import Any

import numpy as np

from autograd_lite.compile.names import Names
from autograd_lite.compile.printer import literal
from autograd_lite.op import Node
from autograd_lite.trees import _children

__all__ = ["Leaf", "Packing", "Signature", "Static"]


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


class HasTensors(Exception):
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
    if isinstance(leaf, Node):
        raise HasTensors
    if isinstance(leaf, np.ma.MaskedArray):
        raise TypeError(f"compile: {path} is masked; fill it first with .filled(value)")
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
        if isinstance(tree, (np.ndarray, np.generic, Node)):
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
        if isinstance(tree, (np.ndarray, np.generic, Node)):
            self.leaves.append(tree)
            self.names.append(name)
            return Leaf(len(self.leaves) - 1, "", "", (), np.dtype(float))
        parts = _children(tree)
        if parts is None or tree is None:
            return Static(tree)
        children = tuple(self._form(part, _key_of(step)) for step, part in parts[0])
        keys = tuple(tree) if isinstance(tree, dict) else tuple(step for step, _ in parts[0])
        return Container(type(tree), keys, children, _builder(tree, parts))


def unpacking(signature: Signature, names: Names) -> tuple[list[str], list[str], dict[int, str]]:
    """The parameters of a function, the lines that take them apart, and the name of each leaf."""
    parameters, lines, found = [], list[str](), dict[int, str]()
    for form, called in zip(signature.tree, signature.names, strict=True):
        name = names.take(called, "argument")
        parameters.append(name)
        _unpack(form, name, lines, found, names)
    return parameters, lines, found


def _unpack(form: Any, name: str, lines: list[str], found: dict[int, str], names: Names) -> None:
    if isinstance(form, Leaf):
        found[form.number] = name
    if not isinstance(form, Container) or not form.children:
        return
    parts = [
        names.take(child.name if isinstance(child, Leaf) else "", "part") for child in form.children
    ]
    if form.kind in (list, tuple):
        lines.append(f"{', '.join(parts)}{',' * (len(parts) == 1)} = {name}")
    else:
        steps = (
            f"[{literal(step)}]" if issubclass(form.kind, dict) else step for step in form.steps
        )
        lines += [f"{part} = {name}{step}" for part, step in zip(parts, steps, strict=True)]
    for child, part in zip(form.children, parts, strict=True):
        _unpack(child, part, lines, found, names)


def packed(form: Any, results: Sequence[str], held: dict[str, Any] | None) -> str:
    """The expression that puts results into their containers.

    Args:
        form: the tree of a `Packing`.
        results: the source of each leaf.
        held: where to keep what builds other containers than dicts, lists and tuples; None to
            write those as dicts and tuples.
    """
    if isinstance(form, Leaf):
        return results[form.number]
    if isinstance(form, Static):
        if held is not None and not _is_literal(form.value):
            return _hold(held, form.value)
        return literal(form.value)
    parts = [packed(child, results, held) for child in form.children]
    inner = ", ".join(parts)
    if form.kind not in PLAIN and held is not None:
        return f"{_hold(held, put_together(form))}([{inner}])"
    if form.kind is list:
        return f"[{inner}]"
    if issubclass(form.kind, (tuple, list)):
        return f"({inner},)" if len(parts) == 1 else f"({inner})"
    keys = (key if issubclass(form.kind, dict) else key[1:] for key in form.steps)
    return "{" + ", ".join(f"{literal(k)}: {v}" for k, v in zip(keys, parts, strict=True)) + "}"


def returned(text: str) -> str:
    """The line that returns what `packed` wrote; a tuple stands without its parentheses."""
    bare = (
        text.startswith("(")
        and text.endswith(")")
        and not text.endswith(",)")
        and (text.count("(") == 1 or _closes_last(text))
    )
    return f"return {text[1:-1] if bare else text}"


def _closes_last(text: str) -> bool:
    """Whether the first parenthesis is closed by the last character."""
    depth = 0
    for k, letter in enumerate(text):
        depth += (letter in "([{") - (letter in ")]}")
        if not depth:
            return k == len(text) - 1
    return False


def _is_literal(value: Any) -> bool:
    return (
        value is None
        or type(value) in (bool, int, str)
        or (type(value) is float and math.isfinite(value))
    )


def _hold(held: dict[str, Any], value: Any) -> str:
    name = f"held{len(held)}"
    held[name] = value
    return name


# Recognising a call quickly


def guard(tree: Sequence[Any], held: dict[str, Any]) -> str | None:
    """The source of a function that says whether a call has this signature, or None.

    It may say no to a call that has; then the call is looked up by its key.
    """
    lines = [f"    if len(args) != {len(tree)}: return False"]
    if tree:
        lines.append("    " + ", ".join(f"a{k}" for k in range(len(tree))) + ", = args")
    for k, form in enumerate(tree):
        if not _guarded(form, f"a{k}", lines, held):
            return None
    return "\n".join(["def fits(args):", *lines, "    return True"]) + "\n"


def _guarded(form: Any, name: str, lines: list[str], held: dict[str, Any]) -> bool:
    if isinstance(form, Leaf):
        dtype = _hold(held, form.dtype)
        test = (
            f"{name}.__class__ is not ndarray or {name}.shape != {form.shape!r} "
            f"or {name}.dtype is not {dtype}"
        )
        if not form.shape:
            test = f"{name}.__class__ is not {_hold(held, form.dtype.type)} and ({test})"
        lines.append(f"    if {test}: return False")
        return form.dtype is np.dtype(form.dtype.type)
    if isinstance(form, Static):
        if form.value is None or type(form.value) in (bool, type):
            lines.append(f"    if {name} is not {_hold(held, form.value)}: return False")
            return True
        if type(form.value) in (int, str) or (type(form.value) is float and form.value):
            kind, value = type(form.value).__name__, _hold(held, form.value)
            lines.append(
                f"    if {name}.__class__ is not {kind} or {name} != {value}: return False"
            )
            return True
        return False
    if form.kind not in PLAIN:
        return False
    count = len(form.children)
    other = f"{name}.__class__ is not {form.kind.__name__} or len({name}) != {count}"
    lines.append(f"    if {other}: return False")
    parts = [f"{name}_{k}" for k in range(count)]
    if form.kind is dict:
        lines.append(f"    if tuple({name}) != {_hold(held, tuple(form.steps))}: return False")
        for step, part in zip(form.steps, parts, strict=True):
            if not isinstance(step, (str, int)):
                return False
            lines.append(f"    {part} = {name}.get({step!r})")
    elif parts:
        lines.append(f"    {', '.join(parts)}, = {name}")
    return all(
        _guarded(child, part, lines, held) for child, part in zip(form.children, parts, strict=True)
    )
