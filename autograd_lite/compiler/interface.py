"""What generated functions take and return, as source: parameters, containers, the docstring."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd_lite.compiler.module import shape_text
from autograd_lite.compiler.signature import (
    PLAIN,
    Container,
    Leaf,
    Signature,
    Static,
    put_together,
)
from autograd_lite.expressions.names import Names
from autograd_lite.expressions.printer import literal

__all__ = ["Held", "defaulted", "described", "guard", "packed", "unpacking"]


def unpacking(
    signature: Signature, names: Names, used: set[int], held: Held | None = None
) -> tuple[list[str], list[str], dict[int, str]]:
    """The parameters of a function, the lines that take them apart, and the name of each leaf.

    Args:
        signature: of the call.
        names: of the function that is written.
        used: the leaves that it needs; what holds none of them is not taken apart.
        held: where to keep keys without source.
    """
    parameters = [names.take(called, "argument") for called in signature.names]
    lines, found = list[str](), dict[int, str]()
    for form, name in zip(signature.tree, parameters, strict=True):
        _unpack(form, name, lines, found, names, used, held)
    return parameters, lines, found


def _unpack(
    form: Any,
    name: str,
    lines: list[str],
    found: dict[int, str],
    names: Names,
    used: set[int],
    held: Held | None,
) -> None:
    if isinstance(form, Leaf):
        found[form.number] = name
    if not isinstance(form, Container) or not form.children:
        return
    parts = [
        names.take(child.name if isinstance(child, Leaf) else "", "part") for child in form.children
    ]
    needed = [not used.isdisjoint(_leaves(child)) for child in form.children]
    if form.kind in (list, tuple):
        if any(needed):
            lines.append(f"{', '.join(parts)}{',' * (len(parts) == 1)} = {name}")
    else:
        for part, step, need in zip(parts, form.steps, needed, strict=True):
            if need:
                place = f"[{_written(step, held)}]" if issubclass(form.kind, dict) else step
                lines.append(f"{part} = {name}{place}")
    for child, part in zip(form.children, parts, strict=True):
        _unpack(child, part, lines, found, names, used, held)


def _leaves(form: Any) -> Iterator[int]:
    if isinstance(form, Leaf):
        yield form.number
    elif isinstance(form, Container):
        for child in form.children:
            yield from _leaves(child)


def defaulted(signature: Signature, parameters: Sequence[str]) -> list[str]:
    """The parameters as they stand in a definition; a plain value is the default of its own.

    The last ones by position have one, and those by keyword.
    """
    count = len(parameters) - len(signature.keywords)
    written = [
        name if [*_leaves(form)] else f"{name}={_default(form)}"
        for form, name in zip(signature.tree, parameters, strict=True)
    ]
    last = max((k for k in range(count) if written[k] == parameters[k]), default=-1)
    star = ["*"] * bool(signature.keywords)
    return [*parameters[: last + 1], *written[last + 1 : count], *star, *written[count:]]


def _default(form: Any) -> str:
    """A value that may stand in a signature; None for one that has no literal or may change."""
    text = packed(form, (), None) if _is_constant(form) else "None"
    return text if len(text) <= LONGEST else "None"


def _is_constant(form: Any) -> bool:
    if isinstance(form, Static):
        return _is_literal(form.value)
    return form.kind is tuple and all(map(_is_constant, form.children))


def described(signature: Signature, found: dict[int, str], parameters: Sequence[str]) -> list[str]:
    """The docstring of a function: its arrays, and what was fixed when it was traced."""
    lines = ['"""Compiled by autograd_lite, for these shapes and dtypes:', ""]
    lines += [
        f"{found[leaf.number]}: {leaf.dtype} {shape_text(leaf.shape)}" for leaf in signature.leaves
    ]
    fixed = [
        text
        for form, name in zip(signature.tree, parameters, strict=True)
        for text in _fixed(form, name)
    ]
    if fixed:
        sentence = f"Fixed, whatever is passed: {', '.join(fixed)}."
        sentence = sentence.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
        lines += ["", *textwrap.wrap(sentence, 88, break_long_words=False)]
    return [*lines, '"""']


def _fixed(form: Any, name: str) -> Iterator[str]:
    """The plain values in an argument, each with where it stands."""
    if isinstance(form, Static):
        value = form.value
        text = literal(value) if _is_literal(value) else _called(value)
        yield f"{name}={text if len(text) <= LONGEST else text[:LONGEST] + '…'}"
    elif isinstance(form, Container):
        for step, child in zip(form.steps, form.children, strict=True):
            if not (isinstance(child, Static) and child.value is None):
                place = step if str(step).startswith((".", "[")) else f"[{literal(step)}]"
                yield from _fixed(child, name + place)


def _called(value: Any) -> str:
    return str(getattr(value, "__name__", value))


LONGEST = 40  # characters of a plain value that a signature shows


class Held(dict[str, Any]):
    """What a module is given besides its source, by names that nothing else in it has."""

    def __init__(self, names: Names, **given: Any) -> None:
        super().__init__(given)
        self.names = names

    def name_of(self, value: Any) -> str:
        """Take a value in; returns what it is called."""
        name = self.names.take("held")
        self[name] = value
        return name


def packed(form: Any, results: Sequence[str], held: Held | None, bare: bool = False) -> str:
    """The expression that puts results into their containers.

    Args:
        form: the tree of a `Packing`.
        results: the source of each leaf.
        held: where to keep what builds other containers than dicts, lists and tuples, and values
            without source; None to write those containers as dicts and tuples.
        bare: whether a tuple may stand without its parentheses.

    Raises:
        ValueError: for a value without source, if there is nowhere to keep it.
    """
    if isinstance(form, Leaf):
        return results[form.number]
    if isinstance(form, Static):
        return _written(form.value, held)
    parts = [packed(child, results, held) for child in form.children]
    inner = ", ".join(parts)
    if form.kind not in PLAIN and held is not None:
        return f"{held.name_of(put_together(form))}([{inner}])"
    if form.kind is list:
        return f"[{inner}]"
    if issubclass(form.kind, (tuple, list)):
        if len(parts) < 2:
            return f"({inner},)" if parts else "()"
        return inner if bare else f"({inner})"
    keys = (key if issubclass(form.kind, dict) else key[1:] for key in form.steps)
    pairs = (f"{_written(k, held)}: {v}" for k, v in zip(keys, parts, strict=True))
    return "{" + ", ".join(pairs) + "}"


def _written(value: Any, held: Held | None) -> str:
    """A plain value as source, or the name it is held by."""
    if _is_literal(value) or isinstance(value, (np.dtype, np.generic)):
        return literal(value)
    if held is not None:
        return held.name_of(value)
    if isinstance(value, str):
        return literal(value)
    raise ValueError(
        f"compile: the function takes or returns the plain value {value!r}, which NumPy source "
        "cannot say; call the compiled function instead"
    )


def _is_literal(value: Any) -> bool:
    if type(value) is tuple:
        return all(map(_is_literal, value))
    return value is None or type(value) in (bool, int, str, float, bytes)


# Recognising a call quickly


def guard(tree: Sequence[Any], held: Held) -> str | None:
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


def _guarded(form: Any, name: str, lines: list[str], held: Held) -> bool:
    if isinstance(form, Leaf):
        dtype = held.name_of(form.dtype)
        test = (
            f"{name}.__class__ is not ndarray or {name}.shape != {form.shape!r} "
            f"or {name}.dtype is not {dtype}"
        )
        if not form.shape:
            test = f"{name}.__class__ is not {held.name_of(form.dtype.type)} and ({test})"
        lines.append(f"    if {test}: return False")
        return form.dtype is np.dtype(form.dtype.type)
    if isinstance(form, Static):
        if form.value is None or type(form.value) in (bool, type):
            lines.append(f"    if {name} is not {held.name_of(form.value)}: return False")
            return True
        if type(form.value) in (int, str) or (type(form.value) is float and form.value):
            kind, value = type(form.value).__name__, held.name_of(form.value)
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
        lines.append(f"    if tuple({name}) != {held.name_of(tuple(form.steps))}: return False")
        for step, part in zip(form.steps, parts, strict=True):
            if not isinstance(step, (str, int)):
                return False
            lines.append(f"    {part} = {name}.get({step!r})")
    elif parts:
        lines.append(f"    {', '.join(parts)}, = {name}")
    return all(
        _guarded(child, part, lines, held) for child, part in zip(form.children, parts, strict=True)
    )
