"""Formulas as programs, which run with the values of many nodes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from autograd_lite.expressions.expr import (
    ARGUMENT,
    CONSTANT,
    Expr,
    function_of,
    in_order,
    is_number,
    replaced,
)

__all__ = ["Program"]


class Program:
    """An expression, taken apart once into its calls."""

    def __init__(self, result: Any) -> None:
        self.result = result
        order = in_order([result])
        self.constants: dict[Any, Any] = {x: x.value for x in order if x.fn == CONSTANT}
        self.calls: list[tuple[Expr, Any, bool]] = [
            (x, function_of(x.fn), _is_plain(x)) for x in order if x.fn not in (ARGUMENT, CONSTANT)
        ]

    def __call__(self, arguments: Mapping[Expr, Any]) -> Any:
        """The value of the expression."""
        values: dict[Any, Any] = {**self.constants, **arguments}
        for x, function, plain in self.calls:
            if plain:
                values[x] = function(*[values.get(a, a) for a in x.args])
            else:
                args = replaced(x.args, values.__getitem__)
                keywords = {k: replaced(v, values.__getitem__) for k, v in x.keywords.items()}
                values[x] = function(*args, **keywords)
        return values[self.result] if isinstance(self.result, Expr) else self.result


def _is_plain(x: Expr) -> bool:
    """Whether all arguments are expressions and numbers."""
    return not x.keywords and all(isinstance(a, Expr) or is_number(a) for a in x.args)
