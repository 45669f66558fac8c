"""The parameters, the docstring and the return value of generated functions, as source."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from autograd_lite.compiler.signature import (
    ANY_LENGTH,
    PLAIN,
    Container,
    Leaf,
    Signature,
    Static,
    leaves_of,
    rebuilt,
)
from autograd_lite.expressions.names import Names
from autograd_lite.expressions.printer import literal

__all__ = ["Namespace", "Parameters", "guard", "packed"]

LONGEST = 40  # characters of a plain value that a signature shows


class Namespace(dict[str, Any]):
    """The objects that a module uses besides those that its source defines, by name."""

    def __init__(self, names: Names, **given: Any) -> None:
        super().__init__(given)
        self.names = names

    def name_of(self, value: Any) -> str:
        """Add an object; returns its name."""
        name = self.names.take("given")
        self[name] = value
        return name


class Parameters:
    """The parameters of a generated function.

    Args:
        signature: of the call.
        names: the names taken in the function.
        used: the numbers of the leaves that the function uses.
        namespace: where to put keys that have no source.

    Attributes:
        names: of the parameters.
        lines: the statements that unpack their containers, as far as they are used.
        leaves: the name of each leaf, by its number.
    """

    def __init__(
        self, signature: Signature, names: Names, used: set[int], namespace: Namespace | None = None
    ) -> None:
        self.signature = signature
        self.used = used
        self.namespace = namespace
        self.names: list[str] = [names.take(name, "argument") for name in signature.names]
        self.lines: list[str] = []
        self.leaves: dict[int, str] = {}
        for form, name in zip(signature.tree, self.names, strict=True):
            self._unpack(form, name, names)

    def _unpack(self, form: Any, name: str, names: Names) -> None:
        if isinstance(form, Leaf):
            self.leaves[form.number] = name
        if not isinstance(form, Container) or not form.children:
            return
        parts = [
            names.take(child.name if isinstance(child, Leaf) else "", "part")
            for child in form.children
        ]
        needed = [any(leaf.number in self.used for leaf in leaves_of(c)) for c in form.children]
        if form.kind in (list, tuple):
            if any(needed):
                self.lines.append(f"{', '.join(parts)}{',' * (len(parts) == 1)} = {name}")
        else:
            for part, step, need in zip(parts, form.steps, needed, strict=True):
                if need:
                    is_key = issubclass(form.kind, dict)
                    place = f"[{_source(step, self.namespace)}]" if is_key else step
                    self.lines.append(f"{part} = {name}{place}")
        for child, part in zip(form.children, parts, strict=True):
            self._unpack(child, part, names)

    def definition(self) -> str:
        """The parameters with plain values as defaults, of the last ones and of keywords."""
        count = len(self.names) - len(self.signature.keywords)
        written = [
            name if any(leaves_of(form)) else f"{name}={_default(form)}"
            for form, name in zip(self.signature.tree, self.names, strict=True)
        ]
        last = max((k for k in range(count) if written[k] == self.names[k]), default=-1)
        star = ["*"] * bool(self.signature.keywords)
        words = [*self.names[: last + 1], *written[last + 1 : count], *star, *written[count:]]
        return ", ".join(words)

    def docstring(self, note: str = "") -> list[str]:
        """The lines of the docstring: the arrays and the plain values compiled for, and a note."""
        lines = ['"""Compiled by autograd_lite, for these shapes and dtypes:', ""]
        lines += [
            f"{self.leaves[leaf.number]}: {leaf.dtype} {leaf.shape}"
            for leaf in self.signature.leaves
        ]
        pairs = zip(self.signature.tree, self.names, strict=True)
        if fixed := [text for form, name in pairs for text in _fixed(form, name)]:
            sentence = f"Fixed, whatever is passed: {', '.join(fixed)}."
            sentence = sentence.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
            lines += ["", *textwrap.wrap(sentence, 88, break_long_words=False)]
        if note:
            lines += ["", *textwrap.wrap(note, 88)]
        return [*lines, '"""']


def _default(form: Any) -> str:
    """The default of a parameter without arrays; None where its value has no short literal."""
    value = rebuilt(form, ())
    text = literal(value) if _is_literal(value) else "None"
    return text if len(text) <= LONGEST else "None"


def _fixed(form: Any, name: str) -> Iterator[str]:
    """The plain values in an argument, as assignments."""
    if isinstance(form, Static):
        value = form.value
        text = literal(value) if _is_literal(value) else str(getattr(value, "__name__", value))
        yield f"{name}={text if len(text) <= LONGEST else text[:LONGEST] + '…'}"
    elif isinstance(form, Container):
        for step, child in zip(form.steps, form.children, strict=True):
            if not (isinstance(child, Static) and child.value is None):
                place = step if str(step).startswith((".", "[")) else f"[{literal(step)}]"
                yield from _fixed(child, name + place)


def packed(
    form: Any, results: Sequence[str], namespace: Namespace | None, bare: bool = False
) -> str:
    """The expression that puts results into their containers.

    Args:
        form: the tree of a `Packing`.
        results: the source of each leaf.
        namespace: where to put values without source, and what builds containers other than
            dicts, lists and tuples; None to write those containers as dicts and tuples.
        bare: whether a tuple may have no parentheses.

    Raises:
        ValueError: for a value without source, if there is no namespace.
    """
    if isinstance(form, Leaf):
        return results[form.number]
    if isinstance(form, Static):
        return _source(form.value, namespace)
    parts = [packed(child, results, namespace) for child in form.children]
    inner = ", ".join(parts)
    if form.kind not in PLAIN and namespace is not None:
        return f"{namespace.name_of(form.build)}([{inner}])"
    if form.kind is list:
        return f"[{inner}]"
    if issubclass(form.kind, (tuple, list)):
        if len(parts) < 2:
            return f"({inner},)" if parts else "()"
        return inner if bare else f"({inner})"
    keys = (key if issubclass(form.kind, dict) else key[1:] for key in form.steps)
    pairs = (f"{_source(k, namespace)}: {v}" for k, v in zip(keys, parts, strict=True))
    return "{" + ", ".join(pairs) + "}"


def _source(value: Any, namespace: Namespace | None) -> str:
    """A plain value as a literal, or its name in the namespace."""
    if _is_literal(value):
        return literal(value)
    if namespace is not None:
        return namespace.name_of(value)
    if isinstance(value, str):
        return literal(value)
    raise ValueError(
        f"compile: the function takes or returns the plain value {value!r}, which NumPy source "
        "cannot express; call the compiled function instead"
    )


def _is_literal(value: Any) -> bool:
    """Whether source gives a plain value again, of the same type."""
    if type(value) is tuple:
        return all(map(_is_literal, value))
    if isinstance(value, np.dtype):
        return value.isbuiltin == 1 and value.kind in "biuf"
    if isinstance(value, np.generic):
        return value.dtype.kind in "biuf"
    return value is None or type(value) in (bool, int, str, float, bytes, range)


def guard(
    tree: Sequence[Any], namespace: Namespace, lengths: Sequence[int] | None = None
) -> str | None:
    """The source of a fast test whether a call has a signature, or None if there is none.

    The test may fail for a call with this signature, which is then found by its key. With
    `lengths`, the number of rows must be one of them.
    """
    lines = [f"    if len(args) != {len(tree)}: return False"]
    if tree:
        lines.append("    " + ", ".join(f"a{k}" for k in range(len(tree))) + ", = args")
    if not all(_guard(form, f"a{k}", lines, namespace) for k, form in enumerate(tree)):
        return None
    if lengths is not None:
        lines.append(f"    if n not in {namespace.name_of(lengths)}: return False")
    return "\n".join(["def fits(args):", *lines, "    return True"]) + "\n"


def _guard(form: Any, name: str, lines: list[str], namespace: Namespace) -> bool:
    """Add the lines that test one argument; returns whether there is a fast test."""
    if isinstance(form, Leaf):
        native = np.dtype(form.dtype.type)
        dtype = namespace.name_of(native)
        test = f"{name}.__class__ is not ndarray"
        if ANY_LENGTH in form.shape and not any(line.startswith("    n = ") for line in lines):
            lines.append(f"    if {test} or {name}.ndim != {len(form.shape)}: return False")
            lines.append(f"    n = {name}.shape[0]")
            test = "n < 2"
        # Comparing dtypes is slow, and an array that was unpickled has its own equal one.
        other = f"({name}.dtype is not {dtype} and {name}.dtype != {dtype})"
        test += f" or {name}.shape != {form.shape!r} or {other}"
        if not form.shape:
            test = f"{name}.__class__ is not {namespace.name_of(form.dtype.type)} and ({test})"
        lines.append(f"    if {test}: return False")
        return form.dtype == native
    if isinstance(form, Static):
        value, kind = form.value, type(form.value)
        other = f"{name} is not {namespace.name_of(value)}"
        if kind in (int, str) or (kind is float and value):
            other = (
                f"{name}.__class__ is not {kind.__name__} or {name} != {namespace.name_of(value)}"
            )
        lines.append(f"    if {other}: return False")
        return value is None or kind in (bool, type, int, str) or (kind is float and value != 0)
    if form.kind not in PLAIN:
        return False
    parts = [f"{name}_{k}" for k in range(len(form.children))]
    other = f"{name}.__class__ is not {form.kind.__name__} or len({name}) != {len(parts)}"
    lines.append(f"    if {other}: return False")
    if form.kind is dict:
        keys = [f"{part}_key" for part in parts]
        lines += [f"    {', '.join(keys)}, = {name}"] if keys else []
        for key, step in zip(keys, form.steps, strict=True):
            same = namespace.name_of(step)
            other = f"{key}.__class__ is not {type(step).__name__} or {key} != {same}"
            lines.append(f"    if {key} is not {same} and ({other}): return False")
        lines += [
            f"    {part} = {name}.get({step!r})"
            for step, part in zip(form.steps, parts, strict=True)
        ]
    elif parts:
        lines.append(f"    {', '.join(parts)}, = {name}")
    return all(type(step) in (str, int) for step in form.steps) and all(
        _guard(child, part, lines, namespace)
        for child, part in zip(form.children, parts, strict=True)
    )
