"""Operations that no NumPy call stands for, as source of their own with all that they use."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any

import numpy as np

from autograd_lite.op import OPS, Op

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
        except (OSError, TypeError, SyntaxError, Unwritable) as error:
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
            raise Unwritable("it is no function of the package")
        node = _definition(function)
        free = inspect.getclosurevars(function)
        values = {**free.globals, **free.nonlocals}
        node = _Uses(self, values).visit(node)
        if isinstance(node, ast.Lambda):
            made: Any = ast.parse(f"def {name}(): ...").body[0]
            made.args, made.body = node.args, [ast.Return(node.body)]
        else:
            node.name, node.decorator_list = name, []
            made = node
        return ast.unparse(ast.fix_missing_locations(made))


class Unwritable(Exception):
    """Something that source with NumPy alone cannot say."""


def _definition(function: FunctionType) -> Any:
    """The syntax of a function; of several lambdas in a statement, the one with its code."""
    lines, _ = inspect.getsourcelines(function)
    text = textwrap.dedent("".join(lines))
    try:
        tree = ast.parse(text)
    except SyntaxError:
        tree = ast.parse(f"({text.strip().rstrip(',')})")
    if function.__name__ != "<lambda>":
        found = next(n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef))
        if ast.get_docstring(found):
            found.body = found.body[1:]
        return found
    lambdas = [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]
    if len(lambdas) == 1:
        return lambdas[0]
    code = function.__code__
    for node in lambdas:
        made = eval(compile(ast.Expression(node), "<lambda>", "eval"), {}).__code__
        if (made.co_code, made.co_names, made.co_varnames) == (
            code.co_code,
            code.co_names,
            code.co_varnames,
        ):
            return node
    raise Unwritable("its source was not found")


def _numpy(function: Any) -> ast.expr:
    return ast.parse(f"np.{function.__name__}", mode="eval").body


class _Uses(ast.NodeTransformer):
    """Names what a definition uses as the module names it."""

    def __init__(self, embedded: Embedded, values: dict[str, Any]) -> None:
        self.embedded, self.values = embedded, values

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        value = self.values.get(node.value.id) if isinstance(node.value, ast.Name) else None
        if isinstance(value, Op) and node.attr == "forward":
            return self._named(value.forward, value.name)
        if value is not None and getattr(value, "__name__", "") == "math" and node.attr == "prod":
            return ast.parse("np.prod", mode="eval").body
        return self.generic_visit(node)

    def visit_Name(self, node: ast.Name) -> Any:
        if node.id not in self.values or not isinstance(node.ctx, ast.Load):
            return node
        value = self.values[node.id]
        if value is np:
            return ast.Name("np", ast.Load())
        if isinstance(value, Op):
            return self._named(value.forward, value.name)
        if getattr(value, "__module__", None) == "math" and hasattr(np, value.__name__):
            return _numpy(value)
        if isinstance(value, np.ufunc) or getattr(np, getattr(value, "__name__", ""), 0) is value:
            return _numpy(value)
        if isinstance(value, FunctionType):
            return self._named(value, value.__name__)
        if isinstance(value, (bool, int, float, str, tuple)) or value is None:
            return ast.parse(repr(value), mode="eval").body
        kind = "the module" if isinstance(value, ModuleType) else "the name"
        raise Unwritable(f"it uses {kind} {node.id}")

    def _named(self, function: Any, name: str) -> ast.expr:
        if isinstance(function, np.ufunc):
            return _numpy(function)
        return ast.Name(self.embedded._function(function, name), ast.Load())
