"""Blocks of rows that fit the cache, for results that are sums over rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

import numpy as np

from autograd_lite.compiler import NotSeparableError
from autograd_lite.compiler.lengths import telling
from autograd_lite.compiler.rows import Split, trait_of
from autograd_lite.compiler.signature import resized
from autograd_lite.compiler.summation import Forms
from autograd_lite.expressions.expr import (
    ARGUMENT,
    CONSTANT,
    Builder,
    Expr,
    in_order,
    inputs_of,
    replaced,
)

__all__ = ["Blocks", "blocks_of", "large"]

CACHE = 1_200_000  # bytes of the arrays of one block: most of a common L2 cache
WORTHWHILE = 2  # blocks from which they are faster than one pass
ADDING = (
    512  # rows of a block from which it takes much longer than to add its sums, if they are large
)


@dataclass(frozen=True)
class Blocks:
    """A program that runs over blocks of rows.

    Attributes:
        split: the axes of rows.
        size: the number of rows of a block.
        most: the number of rows up to which one pass is as fast.
        length: the number of rows of the expressions inside, unlike the length of any other axis.
        inside: the results of a block, sums and results with rows, by those of the program.
        inputs: what a block uses from outside, each with its argument inside.
    """

    split: Split
    size: int
    most: int
    length: int
    inside: dict[Expr, Any]
    inputs: dict[Expr, Expr]

    @property
    def sums(self) -> list[Expr]:
        """The sums over rows."""
        return [x for x in self.inside if x in self.split.sums]

    @property
    def rowwise(self) -> list[Expr]:
        """The results with rows."""
        return [x for x in self.inside if x in self.split.axes]

    @property
    def axes(self) -> list[int]:
        """The axis of rows of each datum that has rows."""
        return [self.split.axes[x] for x in self.inputs if x in self.split.axes]

    @property
    def forms(self) -> Forms:
        """How the data and the results have rows."""
        return Forms(self.axes, [(x.shape[1:], x.dtype) for x in self.rowwise])

    def independent(self, roots: Sequence[Any]) -> list[Expr]:
        """What does not depend on rows, of all that blocks, results and other calls use."""
        dependent: set[Expr] = set()
        used = dict.fromkeys([*inputs_of([*roots]), *self.inputs])
        for x in in_order(roots):
            if x in self.split.axes or x in self.split.sums or not dependent.isdisjoint(x.inputs):
                dependent.add(x)
                used |= dict.fromkeys(x.inputs)
        return [x for x in in_order(used) if x in used and x not in dependent]


def large(roots: Sequence[Any]) -> bool:
    """Whether a program uses more memory than several blocks."""
    return sum(x.nbytes for x in in_order(roots)) > WORTHWHILE * CACHE


def blocks_of(
    roots: Sequence[Any],
    b: Builder,
    split: Split,
    rows: int | str,
    rewrite: Callable[..., Any],
    longest: float = inf,
) -> Blocks:
    """The program in blocks, of at most `longest` rows if their number is free.

    Raises:
        NotSeparableError: if it broadcasts to rows.
    """
    order = in_order(roots)
    size, most = (rows, rows) if isinstance(rows, int) else _fitting(order, split)
    size = size if isinstance(rows, int) else int(min(size, longest))
    length = telling(size, roots)
    inputs: dict[Expr, Expr] = {}
    made: dict[Expr, Expr] = {}

    def inside(x: Expr) -> Expr:
        if x in made or (x.fn == CONSTANT and x.shape == ()):
            return made.get(x, x)
        if x.fn in (".T", "np.expand_dims") and x not in split.axes:
            return b.call(x.fn, inside(x.args[0]), *x.args[1:], **x.keywords)
        if x not in inputs:
            value = b.value(x)
            if x in split.axes:
                value = resized(value, split.axes[x], length)
            inputs[x] = b.argument(value, "")
            inputs[x].interval = x.interval
        return inputs[x]

    for x in order:
        if x.fn in (ARGUMENT, CONSTANT) or not (x in split.axes or x in split.sums):
            continue
        made[x] = _of_any_length(x, replaced(x.args, inside), split, b)
        if x in b.names:
            b.names.setdefault(made[x], b.names[x])
    outer = [x for x in order if x in split.sums]
    outer += [x for x in dict.fromkeys(roots) if isinstance(x, Expr) and x in split.axes]
    inner = rewrite([inside(x) for x in outer], b, length)
    used = set(in_order(inner))
    inputs = {x: y for x, y in inputs.items() if y in used}
    return Blocks(split, size, most, length, dict(zip(outer, inner, strict=True)), inputs)


def _of_any_length(x: Expr, args: Sequence[Any], split: Split, b: Builder) -> Expr:
    """The call, for any number of rows.

    Raises:
        NotSeparableError: if it broadcasts to rows.
    """
    axis = split.axes.get(x)
    if x.fn == "np.broadcast_to":
        operand = x.args[0]
        if axis is None or split.axes.get(operand) != axis - (x.ndim - operand.ndim):
            raise NotSeparableError(f"compile: rows= cannot split a broadcast to {x.shape}")
        # Along the other axes it is a product, which needs no number of rows.
        ones = np.ones([1 if k == axis else n for k, n in enumerate(x.shape)], x.dtype)
        return b.call("np.multiply", args[0], b.constant(ones))
    if x.fn == "np.reshape" and axis is not None:
        args = args[0], tuple(-1 if k == axis else n for k, n in enumerate(x.shape))
    return b.call(x.fn, *args, **x.keywords)


def _fitting(order: Sequence[Expr], split: Split) -> tuple[int, int]:
    """The number of rows of a block whose arrays fit the cache, and that up to which all do."""
    owned = [x for x in order if x in split.axes and trait_of(x.fn) != "moved"]
    row = max(1, sum(x.nbytes for x in owned) // split.length)
    sums = sum(x.nbytes for x in order if x in split.sums)
    least = 64 if sums <= CACHE / WORTHWHILE else ADDING
    return max(least, CACHE // row // 64 * 64), max(least, WORTHWHILE * CACHE // row)
