"""The forms of a gradient, and which of them are short."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import sympy

from autograd_lite.derivation.entries import (
    Element,
    Expr,
    Length,
    Number,
    Opaque,
    Placed,
    Terms,
)
from autograd_lite.derivation.lowest import has_long_number

__all__ = ["Gradient", "Track", "batched", "each", "is_short"]


@dataclass(slots=True)
class Gradient:
    """The gradient of the loss at a node.

    Attributes:
        product: in terms of the gradients of named nodes.
        closed: the shortest form.
    """

    product: Terms
    closed: Terms


class Track(NamedTuple):
    """A gradient in three forms.

    Attributes:
        product: in terms of the gradients of named nodes.
        short: with short gradients substituted.
        whole: with every gradient substituted that contains no sum.
    """

    product: Expr
    short: Expr
    whole: Expr


def batched(placed: list[Placed]) -> list[tuple[Placed, Placed, Placed]]:
    """The three forms of each part."""
    return list(zip(placed[::3], placed[1::3], placed[2::3], strict=True))


def each(function: Callable[[Expr], Expr], exprs: Iterable[Expr]) -> list[Expr]:
    """The function of each expression; equal expressions are computed once."""
    exprs = list(exprs)
    done = {expr: function(expr) for expr in dict.fromkeys(exprs)}
    return [done[expr] for expr in exprs]


def is_short(space: Any, form: Expr) -> bool:
    """Whether a form is a constant times a node, a gradient, or a difference of two of them.

    The constant may be an array of weights, such as those of the rows in s ⊙ (ŷ − y).
    """
    if has_long_number(form):
        return False
    rest = [f for f in sympy.Mul.make_args(form) if not _constant(space, f)]
    if len(rest) == 2:
        pairs = (rest, rest[::-1])
        rest = next(([other] for f, other in pairs if _weighs(space, f, other)), rest)
    if not rest:
        return True
    if len(rest) > 1:
        return False
    if rest[0].is_Symbol:
        return isinstance(space.entry(rest[0]), (Element, Opaque))
    if rest[0].func.__name__ == "equal":
        return True
    terms = rest[0].args if rest[0].is_Add else ()
    return 0 < len(terms) <= 2 and all(
        t.is_number or is_short(space, t) or (t.is_Function and len(t.args) == 1
        and t.args[0].is_Symbol)
        for _, t in (term.as_coeff_Mul() for term in terms)
    )  # fmt: skip


def _constant(space: Any, f: Expr) -> bool:
    base = f.base if f.is_Pow else f
    return bool(base.is_number) or isinstance(space.entry(base), (Length, Number))


def _weighs(space: Any, f: Expr, other: Expr) -> bool:
    """Whether a factor is a constant array that has an element for each of the other's, or less."""
    entry = space.entry(f)
    is_constant = isinstance(entry, Element) and entry.node in space.constants
    return is_constant and space.free(f) <= space.free(other)
