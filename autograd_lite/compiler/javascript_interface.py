"""The arguments and results of a function in JavaScript, as source."""

from __future__ import annotations

from collections.abc import Sequence
from math import prod
from typing import Any

import numpy as np

from autograd_lite.compiler.javascript_language import ARRAYS, JAVASCRIPT, quoted
from autograd_lite.compiler.signature import ANY_LENGTH, Container, Leaf, Signature, Static
from autograd_lite.expressions.names import Names

__all__ = ["Arguments", "packed"]


class Arguments:
    """The arguments of a function.

    Attributes:
        taken: the names taken in the function.
        names: of the parameters.
        leaves: the name of each array.
        rows: the name of the number of rows, if it may be any.
    """

    def __init__(
        self, name: str, signature: Signature, names: Names, sizes: Sequence[str] = ()
    ) -> None:
        if wrong := [text for text in sizes if names.take(text) != text]:
            raise ValueError(f"{name}: a size cannot have the name {wrong[0]!r}")
        self.function: str = name
        self.signature: Signature = signature
        self.taken: Names = names
        self.sizes: Sequence[str] = sizes
        self.names: list[str] = [names.take(text, "argument") for text in signature.names]
        found: dict[int, str] = {}
        self.paths: dict[int, str] = {}
        self.fixed: list[tuple[str, Any]] = []
        for form, parameter in zip(signature.tree, self.names, strict=True):
            self._find(form, parameter, names, found)
        self.leaves: list[str] = [found[k] for k in range(len(found))]
        any_rows = any(ANY_LENGTH in x.shape for x in signature.leaves)
        self.rows: str = names.take("n") if any_rows else ""

    def _find(self, form: Any, path: str, names: Names, found: dict[int, str]) -> None:
        if isinstance(form, Leaf):
            self.paths[form.number] = path
            plain = path in self.names
            found[form.number] = path if plain else names.take(form.name, "part")
        elif isinstance(form, Static):
            self.fixed.append((path, form.value))
        else:
            for key, child in zip(_keys(form), form.children, strict=True):
                self._find(child, _member(path, key), names, found)

    def lines(self, used: Sequence[int]) -> list[str]:
        """The statements that read and check the arguments with some numbers."""
        written = self._rows()
        if self.sizes:
            written.append(f"checkSizes({quoted(self.function)}, {self._lengths()});")
        for path, value in self.fixed:
            if value is None or type(value) in (bool, int, float, str):
                written.append(f"fixed({path}, {self._label(path)}, {_static(value)});")
        for leaf in self.signature.leaves:
            if leaf.number not in used:
                continue
            path, name = self.paths[leaf.number], self.leaves[leaf.number]
            label, dtype = self._label(path), quoted(leaf.dtype.name)
            value = f"readNumber({path}, {label}, {dtype})"
            if leaf.shape:
                value = f"read({path}, {label}, [{self._shape(leaf)}], {dtype})"
            written.append(f"{'' if path == name else 'const '}{name} = {value};")
        return written

    def _rows(self) -> list[str]:
        """The statement that finds the number of rows."""
        if not self.rows:
            return []
        leaf = next(leaf for leaf in self.signature.leaves if ANY_LENGTH in leaf.shape)
        path, size = self.paths[leaf.number], prod(leaf.shape[1:])
        return [f"const {self.rows} = rowsOf({path}, {self._label(path)}, {size});"]

    def _label(self, path: str) -> str:
        """What errors call an argument."""
        return quoted(f"{self.function}: {_plain(path)}")

    def _shape(self, leaf: Leaf) -> str:
        return ", ".join(self.rows if n is ANY_LENGTH else str(n) for n in leaf.shape)

    def _lengths(self) -> str:
        """The object with the lengths that the function takes."""
        return f"{{ {', '.join(self.sizes)} }}"

    def head(self) -> list[str]:
        """The comment before the function, and its first line."""
        lines = [
            "/**",
            " * Compiled by autograd_lite, for these shapes and dtypes. Arrays are typed arrays or",
            " * nested arrays, in C order.",
            " *",
        ]
        for leaf in self.signature.leaves:
            kind = ARRAYS[leaf.dtype.name] if leaf.shape else "number"
            path = _plain(self.paths[leaf.number])
            shape = f" ({self._shape(leaf)})" if leaf.shape else ""
            lines.append(f" * @param {{{kind}}} {path}{shape}")
        for path, value in self.fixed:
            lines.append(f" * @param {_plain(path)} fixed: {_shown(value)}")
        parameters = [*self.names]
        if self.sizes:
            lines.append(f" * @param {{object}} sizes {', '.join(self.sizes)}")
            parameters.append(self._lengths())
        return [*lines, " */", f"function {self.function}({', '.join(parameters)}) {{"]


def _plain(path: str) -> str:
    return path.replace("?.", ".").replace(".[", "[")


def _shown(value: Any) -> str:
    if value is None or type(value) in (bool, int, float, str):
        return _static(value).removesuffix(".0")
    return quoted(str(value))[1:-1]


def _keys(form: Container) -> list[Any]:
    """The keys of the children of a container: texts, or numbers of an array.

    Raises:
        ValueError: for a dictionary whose keys an object cannot have.
    """
    if issubclass(form.kind, (list, tuple)):
        return [*range(len(form.children))]
    if not issubclass(form.kind, dict):
        return [step.removeprefix(".") for step in form.steps]
    if any(type(key) not in (str, int) for key in form.steps):
        key = next(key for key in form.steps if type(key) not in (str, int))
        raise ValueError(f"save: JavaScript has no equal of a dictionary with the key {key!r}")
    keys = [*map(str, form.steps)]
    if len({*keys}) < len(keys):
        raise ValueError(
            "save: JavaScript has no equal of a dictionary with keys such as 1 and '1'"
        )
    return keys


def _member(path: str, key: Any) -> str:
    if isinstance(key, int):
        return f"{path}?.[{key}]"
    return f"{path}?.{key}" if key.isascii() and key.isidentifier() else f"{path}?.[{quoted(key)}]"


def packed(form: Any, results: Sequence[str]) -> str:
    """The expression that puts results into their containers."""
    if isinstance(form, Leaf):
        return results[form.number]
    if isinstance(form, Static):
        return _static(form.value)
    parts = [packed(child, results) for child in form.children]
    if issubclass(form.kind, (list, tuple)):
        return f"[{', '.join(parts)}]"
    words = []
    for key, part in zip(_keys(form), parts, strict=True):
        plain = key.isascii() and key.isidentifier() and key != "__proto__"
        word = key if plain else f"[{quoted(key)}]"
        words.append(f"{word}: {part}")
    return f"{{ {', '.join(words)} }}" if words else "{}"


def _static(value: Any) -> str:
    """A plain value as source.

    Raises:
        ValueError: if there is none.
    """
    if value is None:
        return "null"
    if isinstance(value, str):
        return quoted(value)
    if type(value) in (bool, int, float):
        return JAVASCRIPT.literal(value, np.asarray(value).dtype).strip("()")
    if type(value) in (tuple, list):
        return f"[{', '.join(map(_static, value))}]"
    raise ValueError(f"save: JavaScript has no equal of the plain value {value!r}")
