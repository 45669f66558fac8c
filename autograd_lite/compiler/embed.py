"""Operations that no NumPy call stands for, as source of their own with all that they use."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from autograd_lite.broadcasting import warn
from autograd_lite.compiler.layout import laid_out
from autograd_lite.op import OPS, Op
from autograd_lite.ops.linalg import DegenerateWarning

__all__ = ["Embedded"]


class Embedded:
    """The definitions that a module needs, each function once, what it uses before it.

    Args:
        strict: whether everything must be written as source. Otherwise what cannot be is given
            to the module as it is.

    Attributes:
        sources: the definitions, in order.
        given: what is handed to the module instead, by name.
    """

    def __init__(self, strict: bool = False) -> None:
        self.strict = strict
        self.sources: list[str] = []
        self.given: dict[str, Any] = {}
        self.names: dict[Any, str] = {}

    def add(self, name: str) -> str:
        """Define an operation's forward; returns what it is called.

        Raises:
            ValueError: if it was defined outside the package or uses more than NumPy.
        """
        return self._function(OPS[name].forward, name)

    def _function(self, function: Callable[..., Any], name: str) -> str:
        known = self.names.get(function)
        if known is not None:
            return known
        name = f"_{name.strip('_')}"
        while name in self.names.values():
            name += "_"
        self.names[function] = name
        try:
            source = self._source(function, name)
        except (OSError, TypeError, SyntaxError, UnwritableError) as error:
            if self.strict:
                raise ValueError(
                    f"compile: the operation {name.strip('_')} cannot be written as NumPy source: "
                    f"{error}; call the compiled function instead"
                ) from error
            self.given[name] = function
        else:
            self.sources.append(source)
        return name

    def _source(self, function: Any, name: str) -> str:
        if not isinstance(function, FunctionType) or hasattr(function, "__wrapped__"):
            raise UnwritableError("it is no function of the package")
        text, node = _definition(function)
        free = inspect.getclosurevars(function)
        uses = _Uses(self, {**free.globals, **free.nonlocals})
        made = uses.visit(node)
        if isinstance(node, ast.Lambda):
            arguments, body = ast.unparse(made.args), ast.unparse(made.body)
            written = f"def {name}({arguments}):\n    return {body}"
            written = written if '"' in written else written.replace("'", '"')
        else:
            written = uses.edited(text, node).replace(f"def {node.name}", f"def {name}", 1)
        return "\n".join(map(laid_out, written.splitlines()))


class UnwritableError(Exception):
    """Something that source with NumPy alone cannot say."""


def _definition(function: FunctionType) -> tuple[str, Any]:
    """The source of a function and its syntax; of several lambdas, the one with its code."""
    lines, _ = inspect.getsourcelines(function)
    text = textwrap.dedent("".join(lines))
    try:
        tree = ast.parse(text)
    except SyntaxError:
        text = f"({text.strip().rstrip(',')})"
        tree = ast.parse(text)
    if function.__name__ != "<lambda>":
        return text, next(n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef))
    lambdas = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]
    if len(lambdas) == 1:
        return text, lambdas[0]
    code = function.__code__
    for node in lambdas:
        made = eval(compile(ast.Expression(node), "<lambda>", "eval"), {}).__code__
        if (made.co_code, made.co_names, made.co_varnames) == (
            code.co_code,
            code.co_names,
            code.co_varnames,
        ):
            return text, node
    raise UnwritableError("its source was not found")


class _Uses(ast.NodeTransformer):
    """Names what a definition uses as the module names it.

    Attributes:
        found: the expressions of the definition that are written otherwise, and how.
    """

    def __init__(self, embedded: Embedded, values: dict[str, Any]) -> None:
        self.embedded, self.values = embedded, values
        self.found: list[tuple[ast.expr, str]] = []

    def edited(self, text: str, node: ast.FunctionDef) -> str:
        """The definition as its author laid it out, without its docstring."""
        lines = [line.encode() for line in text.splitlines()]
        for old, new in sorted(self.found, key=lambda x: (x[0].lineno, x[0].col_offset))[::-1]:
            line, start, end = lines[old.lineno - 1], old.col_offset, old.end_col_offset
            lines[old.lineno - 1] = line[:start] + new.encode() + line[end:]
        body = node.body[0].lineno - 1
        if ast.get_docstring(node):
            del lines[body : node.body[0].end_lineno]
        return b"\n".join(lines[node.lineno - 1 : node.end_lineno]).decode().rstrip()

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        value = self.values.get(node.value.id) if isinstance(node.value, ast.Name) else None
        if isinstance(value, Op) and node.attr == "forward":
            return self._named(node, value.forward, value.name)
        if value is not None and getattr(value, "__name__", "") == "math" and node.attr == "prod":
            return self._written(node, "np.prod")
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> Any:
        if node.id not in self.values or not isinstance(node.ctx, ast.Load):
            return node
        value = self.values[node.id]
        if value is np:
            return self._written(node, "np")
        if isinstance(value, Op):
            return self._named(node, value.forward, value.name)
        if value is warn and self.embedded.strict:
            return self._written(node, '__import__("warnings").warn')
        called = getattr(value, "__name__", "")
        if value is DegenerateWarning and self.embedded.strict:
            return self._written(node, "RuntimeWarning")
        if getattr(value, "__module__", None) == "math" and hasattr(np, called):
            return self._written(node, f"np.{called}")
        if isinstance(value, np.ufunc) or getattr(np, called, 0) is value:
            return self._written(node, f"np.{called}")
        if isinstance(value, FunctionType):
            return self._named(node, value, called)
        if isinstance(value, (bool, int, float, str, tuple)) or value is None:
            return self._written(node, repr(value))
        kind = "the module" if isinstance(value, ModuleType) else "the name"
        raise UnwritableError(f"it uses {kind} {node.id}")

    def _named(self, node: ast.expr, function: Any, name: str) -> ast.expr:
        if isinstance(function, np.ufunc):
            return self._written(node, f"np.{function.__name__}")
        return self._written(node, self.embedded._function(function, name))

    def _written(self, node: ast.expr, text: str) -> ast.expr:
        self.found.append((node, text))
        return ast.parse(text, mode="eval").body
