"""One program for any number of rows, found by comparing programs for a few numbers of rows.

A program serves any number of rows if programs for different numbers are the same calls, except
that some numbers are proportional to the number of rows or to its inverse.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_lite.compiler.rewrite import ufunc_of
from autograd_lite.expressions.expr import (
    ARGUMENT,
    CONSTANT,
    Builder,
    Expr,
    alike,
    dtype_of,
    in_order,
    replaced,
)
from autograd_lite.expressions.printer import literal
from autograd_lite.graph import Graph

__all__ = [
    "LengthError",
    "Numbers",
    "as_traced",
    "check_alike",
    "check_constants",
    "distinct",
    "generalized",
    "telling",
]


class LengthError(Exception):
    """A program depends on the number of rows in another way than by factors."""


@dataclass(frozen=True)
class Number:
    """A number that is proportional to a power of the number of rows.

    Example:
        >>> number = Number(0.5, -1)
        >>> number.text("n"), number(4)
        ('0.5 / n', 0.125)
    """

    factor: float
    power: int

    def text(self, n: str) -> str:
        """The source, given that of the number of rows."""
        if (self.factor, self.power) == (1, 1):
            return n
        power = n if abs(self.power) == 1 else f"{n}**{abs(self.power)}"
        return f"{literal(self.factor)} {'*' if self.power > 0 else '/'} {power}"

    def __call__(self, n: int) -> float:
        """The number for so many rows."""
        power = n ** abs(self.power)
        return float(self.factor * power if self.power > 0 else self.factor / power)


Numbers = Mapping[Expr, tuple[Number, bool]]
"""The arguments of a program that depend on the number of rows, and whether each is a scalar."""


def distinct(length: int, roots: Sequence[Any]) -> int:
    """The length, or a larger one that is not the length of any axis."""
    others = {1, *(n for x in in_order(roots) for n in (x.shape or ()))}
    while length in others:
        length += 1
    return length


def telling(length: int, roots: Sequence[Any]) -> int:
    """The length, or a larger one whose multiples are not the length of any axis."""
    others = {n for x in in_order(roots) for n in (x.shape or ()) if n}
    while length == 1 or any(n % length == 0 for n in others):
        length += 1
    return length


def as_traced(graph: Graph) -> list[Any]:
    """The results of a graph as calls of its operations, none taken apart.

    How an operation is taken apart may depend on the number of elements.
    """
    b = Builder()
    made: dict[Any, Any] = {x: Expr(ARGUMENT, (), {}, x.shape, x.dtype) for x in graph.inputs}
    for node in graph.nodes:
        if node in made:
            continue
        if node.stable_form is not None:
            made[node] = made[node.stable_form]
        elif node.op is None:
            number = type(node.array) in (int, float, bool)
            made[node] = node.array if number else b.filled(np.array(node.array))
        else:
            operands = tuple(made[x] for x in node.inputs)
            made[node] = Expr(node.op.name, operands, node.attributes, node.shape, node.dtype)
    return [made[x] for x in graph.outputs]


def check_alike(
    programs: Sequence[Sequence[Any]], lengths: Sequence[int], told: int | None = None
) -> None:
    """Check that programs are the same but for numbers that depend on the number of rows.

    Args:
        programs: their results.
        lengths: the number of rows of each.
        told: the number of rows that the function was told when the last one was traced.

    Raises:
        LengthError: if they are not.
    """
    orders = [in_order(roots) for roots in programs]
    places = [{x: k for k, x in enumerate(order)} for order in orders]
    _check(len({*map(len, orders)}) == 1)

    def check(parts: Sequence[Any]) -> None:
        if all(isinstance(x, Expr) for x in parts):
            _check(len({place[x] for place, x in zip(places, parts, strict=True)}) == 1)
        elif all(isinstance(x, (tuple, list)) for x in parts):
            _check(len({(type(x), len(x)) for x in parts}) == 1)
            for group in zip(*parts, strict=True):
                check(group)
        elif all(isinstance(x, slice) for x in parts):
            check([(x.start, x.stop, x.step) for x in parts])
        elif not all(alike(parts[0], x) for x in parts[1:]):
            check_number(parts)

    def check_number(parts: Sequence[Any]) -> None:
        dtype: Any = np.float64
        if all(isinstance(x, np.ndarray) for x in parts):
            dtype, parts = parts[0].dtype, multiple(parts)[1]
        try:
            scaled(parts, lengths, dtype)
        except LengthError:
            if told is None:
                raise
            scaled(parts, [*lengths[:-1], told], dtype)

    for group in zip(*orders, strict=True):
        _check(len({(x.fn, x.dtype, *sorted(x.keywords)) for x in group}) == 1)
        check([x.shape for x in group])
        check([x.args for x in group])
        for key in group[0].keywords:
            check([x.keywords[key] for x in group])
        if group[0].fn == CONSTANT:
            check([x.value if x.ndim else x.value.item() for x in group])
    for group in zip(*programs, strict=True):
        check(group)


def check_constants(program: Sequence[Expr], length: int, name: str) -> None:
    """Refuse a program for any number of rows that holds an array with an element for each row.

    Args:
        program: its expressions.
        length: the number of rows in the trace.
        name: of the program.

    Raises:
        ValueError: if it does.
    """
    if any(x.fn == CONSTANT and any(n and n % length == 0 for n in x.shape) for x in program):
        raise ValueError(
            f"save: {name} needs an array with a number for each row; compile it without rows="
        )


def _check(condition: bool) -> None:
    if not condition:
        raise LengthError


def scaled(values: Sequence[Any], lengths: Sequence[int], dtype: Any = np.float64) -> Number:
    """The number that has these values for these numbers of rows.

    Raises:
        LengthError: if the values are not proportional to the number of rows, its square, or the
            inverse of either.

    Example:
        >>> scaled([0.25, 0.5], [8, 4]), scaled([16, 8], [8, 4])
        (Number(factor=2, power=-1), Number(factor=2, power=1))
    """
    pairs = [*zip(values, lengths, strict=True)]
    if all(type(x) is int for x in values):
        factor, rest = divmod(values[0], lengths[0])
        _check(not rest and all(x == factor * n for x, n in pairs))
        return Number(factor, 1)
    _check(all(isinstance(x, (float, np.floating)) and np.isfinite(x) and x for x in values))
    precision = np.finfo(dtype)
    for power in (-1, 1, -2, 2):
        factors = [float(x) / float(n) ** power for x, n in pairs]
        tolerance = 8 * precision.eps * abs(factors[0])
        if max(factors) - min(factors) <= tolerance:
            short = float(f"{factors[0]:.{precision.precision}g}")
            factor = short if abs(short - factors[0]) <= tolerance else factors[0]
            return Number(int(factor) if factor.is_integer() else factor, power)
    raise LengthError


def multiple(arrays: Sequence[Any]) -> tuple[Any, list[float]]:
    """The array of which all are multiples, and the factor of each.

    Raises:
        LengthError: if they are no multiples of each other.
    """
    first = arrays[0]
    _check(first.size and first.dtype.kind == "f" and len({x.shape for x in arrays}) == 1)
    place = np.unravel_index(np.abs(first).argmax(), first.shape)
    factors = [x[place].item() for x in arrays]
    _check(all(map(math.isfinite, factors)) and all(factors))
    array = first / first[place]
    tolerance = 8 * np.finfo(first.dtype).eps
    for x, factor in zip(arrays, factors, strict=True):
        _check(np.allclose(x, array * x.dtype.type(factor), rtol=tolerance, atol=0))
    return array, factors


@dataclass
class _Numbers:
    """The numbers of a program, each an argument of its own.

    Attributes:
        made: the argument of each number, by its dtype and whether it is used for a scalar result.
    """

    b: Builder
    lengths: Sequence[int]
    made: dict[tuple[Number, Any, bool], Expr] = field(default_factory=dict)

    def argument(self, values: Sequence[Any], dtype: Any, scalar: bool) -> Expr:
        number = scaled(values, self.lengths, dtype if dtype == np.float32 else np.float64)
        key = number, dtype, scalar
        if key not in self.made:
            self.made[key] = self.b.argument(np.asarray(values[0], dtype), "")
            # The number of rows is between 2 and some large number.
            ends = number(2), number(2**50)
            self.made[key].interval = min(ends), max(ends)
        return self.made[key]


def generalized(
    programs: Sequence[Sequence[Any]], lengths: Sequence[int], b: Builder
) -> tuple[list[Any], Numbers]:
    """The first program with its numbers as arguments, from programs for several lengths.

    Each argument comes with its number, and whether it is used for scalar results.

    Raises:
        LengthError: if the programs differ in another way than by numbers.
    """
    check_alike(programs, lengths)
    numbers = _Numbers(b, lengths)
    new: dict[Expr, Any] = {}
    for group in zip(*map(in_order, programs), strict=True):
        new[group[0]] = _generalized(group, numbers, new)
        if group[0] in b.names:
            b.names.setdefault(new[group[0]], b.names[group[0]])
    arguments = {x: (number, scalar) for (number, _, scalar), x in numbers.made.items()}
    return [replaced(root, new.__getitem__) for root in programs[0]], arguments


def _generalized(group: Sequence[Expr], numbers: _Numbers, new: dict[Expr, Any]) -> Expr:
    x = group[0]
    if x.fn == CONSTANT:
        if all(alike(x.value, y.value) for y in group):
            return x
        if x.ndim:
            array, factors = multiple([y.value for y in group])
            factor = numbers.argument(factors, x.dtype, scalar=False)
            return numbers.b.call("np.multiply", numbers.b.constant(array), factor)
        return numbers.argument([y.value.item() for y in group], x.dtype, scalar=False)
    args = []
    for k, parts in enumerate(zip(*(y.args for y in group), strict=True)):
        if _all_alike(parts):
            args.append(replaced(parts[0], new.__getitem__))
        elif x.fn == "np.reshape":
            args.append(_with_unknown(parts))
        else:
            args.append(numbers.argument(parts, _dtype_in(x, k), scalar=x.shape == ()))
    _check(all(_all_alike([y.keywords[key] for y in group]) for key in x.keywords))
    keywords = {key: replaced(value, new.__getitem__) for key, value in x.keywords.items()}
    return numbers.b.like(x, tuple(args), keywords) if args else x


def _all_alike(parts: Sequence[Any]) -> bool:
    """Whether forms are the same but for their expressions."""
    bare = [replaced(part, lambda _: None) for part in parts]
    return all(alike(bare[0], form) for form in bare)


def _with_unknown(shapes: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """A shape with the length that depends on the number of rows as −1."""
    unknown = [len({*lengths}) > 1 for lengths in zip(*shapes, strict=True)]
    _check(sum(unknown) == 1)
    return tuple(-1 if u else n for u, n in zip(unknown, shapes[0], strict=True))


def _dtype_in(x: Expr, k: int) -> Any:
    """The dtype to which a call converts one of its numbers."""
    if x.fn == "np.where" and k:
        return x.dtype
    ufunc = ufunc_of(x.fn)
    _check(ufunc is not None)
    return ufunc.resolve_dtypes((*map(dtype_of, x.args), *(None,) * ufunc.nout))[k]
