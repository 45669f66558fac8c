"""How a program is written: with NumPy, or with the names of another library."""

from __future__ import annotations

import ast
from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_lite.compiler.adapting import FORMS, Form, adapted
from autograd_lite.compiler.bounds import is_silent
from autograd_lite.compiler.embed import Embedded
from autograd_lite.compiler.module import LITERAL, constant_source, imports_of
from autograd_lite.expressions.expr import Builder, Expr
from autograd_lite.expressions.loops import everything
from autograd_lite.expressions.printer import ATOM, HOMES, Printer, literal

DTYPES = "bool int8 int16 int32 int64 uint8 uint16 uint32 uint64 float32 float64"

__all__ = ["Library", "LibraryPrinter", "NumPy", "Write"]


class NumPyPrinter(Printer):
    """Writes expressions with NumPy and the source of what is not a function of NumPy."""

    def __init__(self, names: Mapping[Expr, str]) -> None:
        self.embedded = Embedded()
        super().__init__(names, self.embedded.add)

    def definitions(self) -> list[str]:
        """The source of the functions that the module defines."""
        return self.embedded.sources


class NumPy:
    """How programs are written with NumPy.

    Attributes:
        alias: the name by which programs call its module.
        note: what the docstring of a program says.
    """

    alias: str = "np"
    note: str = ""

    def adapted(self, roots: Sequence[Any], b: Builder, known: Container[Expr]) -> list[Any]:
        """The results of a program, rewritten so that the library can express them."""
        return list(roots)

    def printer(self, names: Mapping[Expr, str]) -> Any:
        """What writes expressions."""
        return NumPyPrinter(names)

    def constant(self, name: str, value: Any) -> str:
        """The lines that define a constant array."""
        return constant_source(name, value)

    def copied(self, text: str, ndim: int) -> str:
        """How an argument is returned."""
        return f"np.copy({text})" + "[()]" * (ndim == 0)

    def decorators(self, order: Sequence[Expr]) -> list[str]:
        """The lines before the definition of a function."""
        return [] if is_silent(order) else ['@np.errstate(all="ignore")']

    def module(self, text: str) -> str:
        """The text with the imports that it needs."""
        imports = imports_of(text)
        return "\n".join([*imports, "", "", text] if imports else [text])


Write = Callable[["LibraryPrinter", Expr], "str | None"]
"""Writes a call in its own way; None writes it as every other."""


@dataclass(frozen=True)
class Library(NumPy):
    """How programs are written with another library.

    Attributes:
        title: its name.
        headers: the lines that import it, by the name that they define.
        names: its names for NumPy's functions, by their paths after ``np.``.
        keywords: its names for keywords.
        calls: what is written in another way.
        helpers: the source of operations that it lacks, by the name of the operation.
        copy: the function that copies an argument.
        dtypes: the dtypes that it has.
        arrays_only: the functions that take no Python numbers.
        forms: operations that are written with other functions.
    """

    title: str = ""
    alias: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)
    keywords: Mapping[str, str] = field(default_factory=dict)
    calls: Mapping[str, Write] = field(default_factory=dict)
    helpers: Mapping[str, str] = field(default_factory=dict)
    copy: str = "copy"
    dtypes: frozenset[str] = frozenset(DTYPES.split())
    arrays_only: frozenset[str] = frozenset()
    forms: Mapping[str, Form] = field(default_factory=lambda: FORMS)
    note: str = ""

    def adapted(self, roots: Sequence[Any], b: Builder, known: Container[Expr]) -> list[Any]:
        made = adapted(roots, b, known, self.arrays_only, self.forms)
        for x in everything(made):
            if x.shape is not None:
                self.dtype(x.dtype)
        return made

    def printer(self, names: Mapping[Expr, str]) -> Any:
        return LibraryPrinter(names, self)

    def copied(self, text: str, ndim: int) -> str:
        return f"{self.alias}.{self.copy}({text})"

    def decorators(self, order: Sequence[Expr]) -> list[str]:
        return []

    def module(self, text: str) -> str:
        used = {getattr(x, "id", "") for x in ast.walk(ast.parse(text))}
        headers = {"np": "import numpy as np"} | {**self.headers}
        imports = [line for name, line in headers.items() if name in used]
        return "\n".join([*imports, "", "", text] if imports else [text])

    def dtype(self, dtype: Any) -> str:
        """The source of a dtype.

        Raises:
            ValueError: if the library lacks it.
        """
        name = np.dtype(dtype).name
        if name not in self.dtypes:
            raise ValueError(f"save: {self.title} has no equal of the dtype {name}")
        return f"{self.alias}.{name}" if self.alias == "torch" else f'"{name}"'

    def literal(self, value: Any) -> str:
        """A plain value, an array or a number of NumPy as source."""
        if type(value) is float and not np.isfinite(value):
            return literal(value).replace("np.", f"{self.alias}.")
        if isinstance(value, np.ndarray) and not value.size:
            return f"{self.alias}.zeros({value.shape}, dtype={self.dtype(value.dtype)})"
        if isinstance(value, (np.ndarray, np.generic)):
            made = "tensor" if self.alias == "torch" else "array"
            inner = self.literal(value.tolist())
            return f"{self.alias}.{made}({inner}, dtype={self.dtype(value.dtype)})"
        if isinstance(value, (np.dtype, type)):
            return self.dtype(value)
        if isinstance(value, (tuple, list)):
            inner = ", ".join(map(self.literal, value))
            if isinstance(value, list):
                return f"[{inner}]"
            return f"({inner},)" if len(value) == 1 else f"({inner})"
        return literal(value)

    def constant(self, name: str, value: Any) -> str:
        if value.size <= LITERAL:
            return f"{name} = {self.literal(value)}"
        self.dtype(value.dtype)
        made = "tensor" if self.alias == "torch" else "asarray"
        return f"{constant_source(name, value)}\n{name} = {self.alias}.{made}({name})"


class LibraryPrinter(Printer):
    """Writes expressions with the names of another library.

    Attributes:
        helpers: the operations used for which the module defines a function.
    """

    def __init__(self, names: Mapping[Expr, str], library: Library) -> None:
        super().__init__(names, self._helper)
        self.library = library
        self.helpers: dict[str, None] = {}

    def definitions(self) -> list[str]:
        """The source of the functions that the module defines."""
        return [f"{self.library.helpers[name].strip()}\n\n" for name in self.helpers]

    def literal(self, value: Any) -> str:
        return self.library.literal(value)

    def name(self, fn: str) -> str:
        if not fn.startswith(HOMES):
            return self.helper(fn)
        path = {"np.add.reduce": "sum"}.get(fn, fn.removeprefix("np."))
        name = self.library.names.get(path)
        if name is None:
            raise self.refused(path)
        whole = path.startswith("special.") and "special" in self.library.headers
        return name if whole else f"{self.library.alias}.{name}"

    def keyword(self, name: str) -> str:
        return self.library.keywords.get(name, name)

    def dtype(self, dtype: Any) -> str:
        """The source of a dtype."""
        return self.library.dtype(dtype)

    def refused(self, what: str) -> ValueError:
        """The error for something that the library lacks."""
        return ValueError(f"save: {self.library.title} has no equal of {what}")

    def filled(self, shape: Any, number: Any) -> str:
        dtype = self.dtype(number.dtype)
        return f"{self.library.alias}.full({shape}, {self.literal(number.item())}, dtype={dtype})"

    def _call(self, x: Expr) -> tuple[str, int]:
        write = self.library.calls.get(x.fn)
        if write is not None and (text := write(self, x)) is not None:
            return text, ATOM
        if x.fn == "np.square" and x.dtype.kind == "b":
            raise self.refused("the square of booleans")
        return super()._call(x)

    def _helper(self, fn: str) -> str:
        if fn not in self.library.helpers:
            raise self.refused(f"the operation {fn}")
        self.helpers[fn] = None
        return f"_{fn}"
