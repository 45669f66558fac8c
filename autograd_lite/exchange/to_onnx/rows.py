"""One program for any number of rows, merged from programs for a few numbers of rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.compiler.lengths import LengthError, multiple
from autograd_lite.expressions.expr import CONSTANT, Expr, alike, in_order

__all__ = ["DiffersError", "Length", "Rate", "merged"]


@dataclass(frozen=True)
class Length:
    """A whole number that grows with the number of rows: ``factor · rows + more``."""

    factor: int
    more: int

    def __str__(self) -> str:
        text = "rows" if self.factor == 1 else f"{self.factor} * rows"
        return f"{text} + {self.more}".replace("+ -", "- ") if self.more else text


@dataclass(frozen=True)
class Rate:
    """A number that is a power of the number of rows: ``factor · (rows + more) ** power``."""

    factor: float
    more: float
    power: float


class DiffersError(Exception):
    """Programs for different numbers of rows differ in more than lengths, at an expression."""

    def __init__(self, at: Expr | None = None) -> None:
        self.at = at
        super().__init__(at)


POWERS = 1.0, -1.0, 0.5, -0.5, 2.0, -2.0


def rate(values: Sequence[Any], lengths: Sequence[int], dtype: Any = np.float64) -> Rate:
    """The number that has these values for these numbers of rows.

    Raises:
        DiffersError: if there is none.

    Example:
        >>> rate([0.25, 0.1], [2, 5])
        Rate(factor=0.5, more=0, power=-1.0)
        >>> rate([1.5, 4.5], [2, 5])
        Rate(factor=1.0, more=-0.5, power=1.0)
    """
    if not all(isinstance(x, (int, float)) and x and np.isfinite(x) for x in values):
        raise DiffersError
    tolerance = 8 * np.finfo(dtype if np.dtype(dtype).kind == "f" else np.float64).eps
    for power in POWERS:
        with np.errstate(all="ignore"):
            ratio = np.float64(values[1] / values[0]) ** (1 / power)
            apart = (lengths[1] - ratio * lengths[0]) / (ratio - 1)
        if not np.isfinite(apart):
            continue
        more = round(4 * float(apart)) / 4 or 0  # the degrees of freedom
        if more <= -min(lengths):
            continue
        factors = [x / (n + more) ** power for x, n in zip(values, lengths, strict=True)]
        if max(factors) - min(factors) <= tolerance * abs(factors[0]):
            precision = np.finfo(dtype).precision if np.dtype(dtype).kind == "f" else 15
            short = float(f"{factors[0]:.{precision}g}")
            near = abs(short - factors[0]) <= tolerance * abs(short)
            return Rate(short if near else factors[0], more, power)
    raise DiffersError


def merged(
    programs: Sequence[Sequence[Any]], lengths: Sequence[int]
) -> tuple[list[Any], dict[Expr, Expr]]:
    """The results of one program for any number of rows, and what it made of each expression.

    The expressions of the first program are replaced; lengths of axes, and numbers, that depend on
    the number of rows are a `Length` or a `Rate`.

    Args:
        programs: the results of the same function, traced for each of the lengths.
        lengths: the numbers of rows, at least three.

    Raises:
        DiffersError: if the programs differ in more than that.
    """
    orders = [in_order(roots) for roots in programs]
    places = [{x: k for k, x in enumerate(order)} for order in orders]
    new: dict[Expr, Expr] = {}
    for group in zip(*orders, strict=False):
        x = group[0]
        try:
            if len({(e.fn, e.dtype, *sorted(e.keywords)) for e in group}) > 1:
                raise DiffersError
            same: Callable[[Sequence[Any]], Any] = _Merging(lengths, places, new)
            new[x] = _merged(group, same, lengths)
        except (DiffersError, LengthError):
            if x.line is None:
                continue  # refused at the call of the user's program that uses it
            raise DiffersError(x) from None
        new[x].line, new[x].origin = x.line, x.origin
    same = _Merging(lengths, places, new)
    if len({*map(len, orders)}) > 1:
        raise DiffersError
    return [same(roots) for roots in zip(*programs, strict=True)], new


def _merged(group: Sequence[Expr], same: Callable[..., Any], lengths: Sequence[int]) -> Expr:
    x = group[0]
    shape = None if x.shape is None else same([e.shape for e in group])
    if x.fn == CONSTANT:
        return _constant(group, lengths)
    args = same([e.args for e in group])
    keywords = {key: same([e.keywords[key] for e in group]) for key in x.keywords}
    return Expr(x.fn, args, keywords, shape, x.dtype)


def _constant(group: Sequence[Expr], lengths: Sequence[int]) -> Expr:
    x, values = group[0], [e.value for e in group]
    if all(alike(x.value, value) for value in values):
        return x
    if not x.ndim:
        number = rate([value.item() for value in values], lengths, x.dtype)
        return Expr("np.broadcast_to", (number, ()), {}, (), x.dtype)
    if len({value.shape for value in values}) == 1:
        array, factors = multiple(values)
        number = rate(factors, lengths, x.dtype)
        constant = Expr(CONSTANT, (), {}, x.shape, x.dtype, array)
        return Expr("np.multiply", (constant, number), {}, x.shape, x.dtype)
    raise DiffersError


class _Merging:
    """The one form of several, with expressions replaced."""

    def __init__(
        self, lengths: Sequence[int], places: Sequence[dict[Expr, int]], new: dict[Expr, Expr]
    ) -> None:
        self.lengths, self.places, self.new = lengths, places, new

    def __call__(self, parts: Sequence[Any]) -> Any:
        first = parts[0]
        if all(isinstance(x, Expr) for x in parts):
            at = {place[x] for place, x in zip(self.places, parts, strict=True)}
            if len(at) > 1 or first not in self.new:
                raise DiffersError
            return self.new[first]
        if all(isinstance(x, (tuple, list)) for x in parts):
            if len({(type(x), len(x)) for x in parts}) > 1:
                raise DiffersError
            return type(first)([self(group) for group in zip(*parts, strict=True)])
        if all(isinstance(x, slice) for x in parts):
            return slice(*self([(x.start, x.stop, x.step) for x in parts]))
        if all(alike(first, x) for x in parts[1:]):
            return first
        return self._length(parts) or rate(parts, self.lengths)

    def _length(self, parts: Sequence[Any]) -> Length | None:
        if not all(type(x) is int for x in parts):
            return None
        factor = (parts[1] - parts[0]) // (self.lengths[1] - self.lengths[0])
        more = parts[0] - factor * self.lengths[0]
        fits = (x == factor * n + more for x, n in zip(parts, self.lengths, strict=True))
        return Length(factor, more) if all(fits) else None
