"""Operations that are not NumPy calls, written as source together with all that they use."""

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
from autograd_lite.expressions.printer import UnwritableError
from autograd_lite.op import OPS, Op
from autograd_lite.ops.linalg import DegenerateWarning
from autograd_lite.ops.special import special

__all__ = ["Embedded"]


class Embedded:
    """The definitions of the operations that a module uses.

    Args:
        namespace: of the module, for functions without source; None to refuse them.

    Attributes:
        sources: the definitions, each once and after those that it uses.
    """

    def __init__(self, namespace: dict[str, Any] | None = None) -> None:
        self.namespace = namespace
        self.sources: list[str] = []
        self.names: dict[Any, str] = {}

    def add(self, name: str) -> str:
        """Define the forward function of an operation; returns its name in the module.

        Raises:
            ValueError: without a namespace, if it is defined outside the package or uses more
                than NumPy.
        """
        return self.function(OPS[name].forward, name)

    def function(self, function: Callable[..., Any], name: str) -> str:
        """Define a function; returns its name in the module."""
        if function in self.names:
            return self.names[function]
        name = f"_{name.strip('_')}"
        while name in self.names.values():
            name += "_"
        self.names[function] = name
        try:
            self.sources.append(self._source(function, name))
        except (OSError, TypeError, SyntaxError, UnwritableError) as error:
            if self.namespace is None:
                raise ValueError(
                    f"compile: the operation {name.strip('_')} cannot be written as NumPy source: "
                    f"{error}; call the compiled function instead"
                ) from error
            self.namespace[name] = function
        return name

    def _source(self, function: Any, name: str) -> str:
        if not isinstance(function, FunctionType) or hasattr(function, "__wrapped__"):
            raise UnwritableError("it is not a function of the package")
        text, node = _definition(function)
        free = inspect.getclosurevars(function)
        uses = _Uses(self, {**free.globals, **free.nonlocals})
        new = uses.visit(node)
        if isinstance(node, ast.Lambda):
            written = f"def {name}({ast.unparse(new.args)}):\n    return {ast.unparse(new.body)}"
            written = written if '"' in written else written.replace("'", '"')
        else:
            written = uses.edited(text, node).replace(f"def {node.name}", f"def {name}", 1)
        return "\n".join(map(laid_out, written.splitlines()))


def _definition(function: FunctionType) -> tuple[str, Any]:
    """The source of a function and its syntax tree; of several lambdas, the one with its code."""
    text = textwrap.dedent(inspect.getsource(function))
    try:
        tree = ast.parse(text)
    except SyntaxError:
        text = f"({text.strip().rstrip(',')})"
        tree = ast.parse(text)
    if function.__name__ != "<lambda>":
        return text, next(n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef))
    lambdas = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]
    for node in lambdas:
        code = eval(compile(ast.Expression(node), "<lambda>", "eval"), {}).__code__
        if len(lambdas) == 1 or _same_code(code, function.__code__):
            return text, node
    raise UnwritableError("its source was not found")


def _same_code(a: Any, b: Any) -> bool:
    return (a.co_code, a.co_names, a.co_varnames) == (b.co_code, b.co_names, b.co_varnames)


class _Uses(ast.NodeTransformer):
    """Replaces the names in a definition by those in the module, and removes annotations.

    Attributes:
        edits: the line, the start and the end of each replaced text, with the new text.
    """

    def __init__(self, embedded: Embedded, values: dict[str, Any]) -> None:
        self.embedded, self.values = embedded, values
        self.edits: list[tuple[int, int, int | None, str]] = []

    def edited(self, text: str, node: ast.FunctionDef) -> str:
        """The definition in its own layout, without its docstring."""
        lines = [line.encode() for line in text.splitlines()]
        if returns := node.returns:
            start = lines[returns.lineno - 1].rindex(b" ->", 0, returns.col_offset)
            self.edits.append((returns.lineno, start, returns.end_col_offset, ""))
        for number, start, end, new in sorted(self.edits)[::-1]:
            line = lines[number - 1]
            lines[number - 1] = line[:start] + new.encode() + line[end:]
        body = node.body[0].lineno - 1
        if ast.get_docstring(node):
            del lines[body : node.body[0].end_lineno]
        return b"\n".join(lines[node.lineno - 1 : node.end_lineno]).decode().rstrip()

    def visit_arg(self, node: ast.arg) -> ast.arg:
        self.edits.append((node.lineno, node.col_offset, node.end_col_offset, node.arg))
        return node

    def visit_AnnAssign(self, node: ast.AnnAssign) -> Any:
        start, end = node.target.end_col_offset or 0, node.annotation.end_col_offset
        self.edits.append((node.lineno, start, end, ""))
        node.value = node.value and self.visit(node.value)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        value = self.values.get(node.value.id) if isinstance(node.value, ast.Name) else None
        if isinstance(value, Op) and node.attr == "forward":
            return self._replaced(node, self._name(value.forward, value.name))
        if getattr(value, "__name__", "") == "math" and node.attr == "prod":
            return self._replaced(node, "np.prod")
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> Any:
        if node.id not in self.values or not isinstance(node.ctx, ast.Load):
            return node
        return self._replaced(node, self._text(self.values[node.id], node.id))

    def _text(self, value: Any, name: str) -> str:
        """The source of a value that a definition uses by a name."""
        called = getattr(value, "__name__", "")
        if self.embedded.namespace is None and value is warn:
            return '__import__("warnings").warn'
        if self.embedded.namespace is None and value is DegenerateWarning:
            return "RuntimeWarning"
        if value is np or value is special:
            return "np" if value is np else "special"
        if isinstance(value, Op):
            return self._name(value.forward, value.name)
        from_math = getattr(value, "__module__", None) == "math" and hasattr(np, called)
        if from_math or isinstance(value, np.ufunc) or getattr(np, called, 0) is value:
            return f"np.{called}"
        if isinstance(value, FunctionType):
            return self._name(value, called)
        if isinstance(value, (bool, int, float, str, tuple)) or value is None:
            return repr(value)
        kind = "the module" if isinstance(value, ModuleType) else "the name"
        raise UnwritableError(f"it uses {kind} {name}")

    def _name(self, function: Any, name: str) -> str:
        if isinstance(function, np.ufunc):
            return f"np.{function.__name__}"
        return self.embedded.function(function, name)

    def _replaced(self, node: ast.expr, text: str) -> ast.expr:
        self.edits.append((node.lineno, node.col_offset, node.end_col_offset, text))
        return ast.parse(text, mode="eval").body
