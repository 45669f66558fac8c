"""Blocks of rows that fit the cache, for results that are sums over rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.compiler import NotSeparableError
from autograd_lite.compiler.executors import row_blocks
from autograd_lite.compiler.rows import Split, trait_of
from autograd_lite.expressions.expr import ARGUMENT, CONSTANT, Builder, Expr, in_order, replaced

__all__ = ["Blocks", "blocks_of", "large"]

CACHE = 600_000  # bytes of the arrays of one block: half of a common L2 cache
WORTHWHILE = 4  # blocks from which a loop is faster


@dataclass(frozen=True)
class Blocks:
    """A program that runs over blocks of rows.

    Attributes:
        split: the axes of rows.
        size: the number of rows of a block.
        length: the number of rows of the expressions inside, unlike the length of any other axis.
        inside: the results of a block, sums and results with rows, by those of the program.
        inputs: what a block uses from outside, each with its argument inside.
    """

    split: Split
    size: int
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

    def independent(self, roots: Sequence[Any]) -> list[Expr]:
        """What does not depend on rows, of all that blocks, results and other calls use."""
        dependent: set[Expr] = set()
        used = {x for x in roots if isinstance(x, Expr)} | self.inputs.keys()
        for x in in_order(roots):
            if x in self.split.axes or x in self.split.sums or not dependent.isdisjoint(x.inputs):
                dependent.add(x)
                used.update(x.inputs)
        return [x for x in in_order(used) if x in used and x not in dependent]


def large(roots: Sequence[Any]) -> bool:
    """Whether a program uses more memory than several blocks."""
    return sum(x.nbytes for x in in_order(roots)) > WORTHWHILE * CACHE


def blocks_of(
    roots: Sequence[Any], b: Builder, split: Split, rows: int | str, rewrite: Callable[..., Any]
) -> Blocks | None:
    """The program in blocks, or None where one pass is as fast."""
    order = in_order(roots)
    size = rows if isinstance(rows, int) else _fitting(order, split)
    sums = sum(x.nbytes for x in order if x in split.sums)
    if rows == "auto" and (split.length < WORTHWHILE * size or sums > CACHE / WORTHWHILE):
        return None
    if len(row_blocks(split.length, size)) == 1:
        return None
    length = _distinct(size, order)
    inputs: dict[Expr, Expr] = {}
    made: dict[Expr, Expr] = {}

    def inside(x: Expr) -> Expr:
        if x in made or (x.fn == CONSTANT and x.shape == ()):
            return made.get(x, x)
        if x not in inputs:
            value = b.value(x)
            if x in split.axes:
                value = resized(value, split.axes[x], length)
            inputs[x] = b.argument(value, "")
        return inputs[x]

    for x in order:
        if x.fn in (ARGUMENT, CONSTANT) or not (x in split.axes or x in split.sums):
            continue
        args = replaced(x.args, inside)
        if x.fn == "np.broadcast_to":
            raise NotSeparableError(f"compile: rows= cannot split a broadcast to {x.shape}")
        if x.fn == "np.reshape" and x in split.axes:
            args = args[0], tuple(-1 if k == split.axes[x] else n for k, n in enumerate(x.shape))
        made[x] = b.call(x.fn, *args, **x.keywords)
        if x in b.names:
            b.names.setdefault(made[x], b.names[x])
    outer = [x for x in order if x in split.sums]
    outer += [x for x in dict.fromkeys(roots) if isinstance(x, Expr) and x in split.axes]
    inner = rewrite([inside(x) for x in outer], b)
    used = set(in_order(inner))
    inputs = {x: y for x, y in inputs.items() if y in used}
    return Blocks(split, size, length, dict(zip(outer, inner, strict=True)), inputs)


def resized(array: Any, axis: int, length: int) -> Any:
    """An array with another number of rows: it is cut, or its rows are repeated."""
    return np.take(array, np.arange(length) % array.shape[axis], axis)


def _fitting(order: Sequence[Expr], split: Split) -> int:
    """The number of rows of a block whose arrays fit the cache."""
    owned = [x for x in order if x in split.axes and trait_of(x.fn) != "moved"]
    row = sum(x.nbytes for x in owned) // split.length
    return max(64, CACHE // max(row, 1) // 64 * 64)


def _distinct(length: int, order: Sequence[Expr]) -> int:
    """The length, or a larger one that is not the length of another axis.

    So a vector of ones over rows is recognised by its length, and no block has a single row.
    """
    others = {1, *(n for x in order for n in (x.shape or ()))}
    while length in others:
        length += 1
    return length
