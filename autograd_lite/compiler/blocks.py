"""The loop over blocks of rows that fit the cache, for results that are sums over rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from autograd_lite.compiler import NotSeparableError
from autograd_lite.compiler.emit import Code, Emitter
from autograd_lite.compiler.rows import Split, trait_of
from autograd_lite.expressions.expr import ARGUMENT, CONSTANT, Builder, Expr, in_order, replaced
from autograd_lite.expressions.names import Names

__all__ = ["Blocks", "blocks_of", "large", "write_loop"]

CACHE = 600_000  # bytes of the arrays of one block: half of a common L2 cache
WORTHWHILE = 4  # blocks from which a loop is faster


@dataclass(frozen=True)
class Blocks:
    """A program that runs over blocks of rows.

    Attributes:
        split: the axes of rows.
        size: the number of rows of a block.
        outer: the results of the loop: sums, and results with rows.
        inner: the same for one block.
        inputs: what a block uses from outside, each with its argument inside.
    """

    split: Split
    size: int
    outer: list[Expr]
    inner: list[Any]
    inputs: dict[Expr, Expr]


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
    if size >= split.length:
        return None
    size = _distinct(size, order, split.length)
    outer = [x for x in order if x in split.sums]
    outer += [x for x in dict.fromkeys(roots) if isinstance(x, Expr) and x in split.axes]
    inputs: dict[Expr, Expr] = {}
    made: dict[Expr, Expr] = {}

    def inside(x: Expr) -> Expr:
        if x in made or (x.fn == CONSTANT and x.shape == ()):
            return made.get(x, x)
        if x not in inputs:
            value = b.value(x)
            if x in split.axes:
                value = value[(slice(None),) * split.axes[x] + (slice(0, size),)]
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
    inner = rewrite([inside(x) for x in outer], b)
    used = set(in_order(inner))
    return Blocks(split, size, outer, inner, {x: y for x, y in inputs.items() if y in used})


def _fitting(order: Sequence[Expr], split: Split) -> int:
    """The number of rows of a block whose arrays fit the cache."""
    owned = [x for x in order if x in split.axes and trait_of(x.fn) != "moved"]
    row = sum(x.nbytes for x in owned) // split.length
    size = max(64, CACHE // max(row, 1) // 64 * 64)
    # A block that divides the rows leaves no shorter one at the end.
    near = [k for k in range(size * 3 // 4, size * 5 // 4) if split.length % k == 0]
    return min(near, key=lambda k: abs(k - size), default=size)


def _distinct(size: int, order: Sequence[Expr], length: int) -> int:
    """The size, or one below that is not the length of another axis.

    So a vector of ones over rows is recognised by its length. The last block does not have a single
    row either: `dot` would take it as a number.
    """
    others = {n for x in order for n in (x.shape or ())}
    while size > 1 and (size in others or length % size == 1):
        size -= 1
    return size


def write_loop(blocks: Blocks, code: Code, names: Names, b: Builder, emitter: Emitter) -> None:
    """Write the loop, and add its results to those that the emitter knows."""
    split, size = blocks.split, blocks.size
    emitter.write([x for x in blocks.inputs if x not in split.axes])
    start, stop = names.take("i"), names.take("j")
    totals = []
    for x in blocks.outer:
        is_sum = x in split.sums
        totals.append(names.take(b.names.get(x, ""), "total" if is_sum else "result"))
        code.lines.append(f"{totals[-1]} = {_initial(x, 'zeros' if is_sum else 'empty')}")
    code.lines.append(f"for {start} in range(0, {split.length}, {size}):")
    outside, code.lines = code.lines, [f"{stop} = {start} + {size}"]
    known: dict[Expr, str] = {}
    for x, y in blocks.inputs.items():
        known[y] = emitter.constant(x.value) if x.fn == CONSTANT else emitter.text(x)
        if x in split.axes:
            name = names.take(b.names.get(x, ""), "block")
            code.lines.append(f"{name} = {known[y]}[{':, ' * split.axes[x]}{start}:{stop}]")
            known[y] = name
    for y in in_order(blocks.inner):
        if y.fn == CONSTANT and y.shape == (size,) and split.length % size:
            known[y] = f"{emitter.constant(y.value)}[: min({size}, {split.length} - {start})]"
    block = Emitter(code, names, b, known, (), emitter.helper)
    block.write(blocks.inner)
    for x, y, total in zip(blocks.outer, blocks.inner, totals, strict=True):
        place = f"{total} +=" if x in split.sums else f"{total}[{start}:{stop}] ="
        code.lines.append(f"{place} {block.text(y)}")
        emitter.add(x, total)
    code.lines = [*outside, *(f"    {line}" for line in code.lines)]


def _initial(x: Expr, function: str) -> str:
    """The source of a result before the first block."""
    if x.shape != ():
        return f'np.{function}({x.shape!r}, dtype="{x.dtype}")'
    return "0.0" if x.dtype.name == "float64" else f"np.{x.dtype.name}(0)"
