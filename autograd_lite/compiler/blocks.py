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

CACHE = 600_000  # bytes that the arrays of a block should take together: half of a common L2
WORTHWHILE = 4  # blocks from which a loop pays


@dataclass(frozen=True)
class Blocks:
    """A program whose rows are taken in blocks.

    Attributes:
        split: where the rows are.
        size: how many rows a block has.
        before: what the blocks need and what does not depend on rows.
        outer: the expressions that a block computes: sums, and results with rows.
        inner: the same for one block.
        named: for what comes from outside of the block its expression inside.
    """

    split: Split
    size: int
    before: list[Expr]
    outer: list[Expr]
    inner: list[Any]
    named: dict[Expr, Expr]


def large(roots: Sequence[Any]) -> bool:
    """Whether a program touches more than several blocks would."""
    return sum(x.nbytes for x in in_order(roots)) > WORTHWHILE * CACHE


def blocks_of(
    roots: Sequence[Any], b: Builder, split: Split, rows: int | str, rewrite: Callable[..., Any]
) -> Blocks | None:
    """The program in blocks, or None where one pass is as good."""
    order = in_order(roots)
    inside = [x for x in order if x in split.axes]
    size = rows if isinstance(rows, int) else _fitting(inside, split)
    sums = sum(x.nbytes for x in order if x in split.sums)
    if rows == "auto" and (split.length < WORTHWHILE * size or sums > CACHE / WORTHWHILE):
        return None
    if size >= split.length:
        return None
    size = _apart(size, order, split.length)
    outer = [x for x in order if x in split.sums]
    outer += [x for x in dict.fromkeys(roots) if isinstance(x, Expr) and x in split.axes]
    named: dict[Expr, Expr] = {}

    def one(x: Expr) -> Expr:
        if x in named:
            return named[x]
        shape = list(x.shape)
        value = b.value(x)
        if x in split.axes:
            shape[split.axes[x]] = size
            value = value[(slice(None),) * split.axes[x] + (slice(0, size),)]
        named[x] = b.argument(value, "")
        return named[x]

    made: dict[Expr, Expr] = {}
    for x in order:
        if x not in split.axes and x not in split.sums:
            continue
        if x.fn in (ARGUMENT, CONSTANT):
            made[x] = one(x)
            continue
        args = replaced(x.args, lambda y: made[y] if y in split.axes else _outside(y, one))
        made[x] = b.call(x.fn, *_resized(x, args, split), **x.keywords)
        if x in b.names:
            b.names.setdefault(made[x], b.names[x])
    inner = rewrite([made[x] for x in outer], b)
    used = set(in_order(inner))
    named = {x: y for x, y in named.items() if y in used}
    before = [x for x in named if x not in split.axes]
    return Blocks(split, size, before, outer, inner, named)


def _outside(x: Expr, one: Callable[[Expr], Expr]) -> Expr:
    return x if x.fn == CONSTANT and x.shape == () else one(x)


def _resized(x: Expr, args: tuple[Any, ...], split: Split) -> tuple[Any, ...]:
    """The arguments with −1 for the number of rows in a shape."""
    if x.fn in ("np.reshape", "np.broadcast_to") and x in split.axes:
        if x.fn == "np.broadcast_to":
            raise NotSeparableError(
                f"compile: rows= finds a broadcast to {x.shape}, which has rows"
            )
        axis = split.axes[x]
        return (args[0], tuple(-1 if k == axis else n for k, n in enumerate(x.shape)))
    return args


def _fitting(inside: Sequence[Expr], split: Split) -> int:
    """How many rows of all that a block touches fit the cache."""
    owned = [x for x in inside if trait_of(x.fn) != "moved"]
    row = sum(x.nbytes for x in owned) // split.length
    size = max(64, CACHE // max(row, 1) // 64 * 64)
    # A block that divides the rows leaves no shorter one at the end.
    near = [k for k in range(size * 3 // 4, size * 5 // 4) if split.length % k == 0]
    return min(near, key=lambda k: abs(k - size), default=size)


def _apart(size: int, order: Sequence[Expr], length: int) -> int:
    """A size that is no other length, so that a vector of ones over rows is told by its length.

    The last block has not one row alone either: `dot` would take it as a number.
    """
    others = {n for x in order for n in (x.shape or ())}
    while size > 1 and (size in others or length % size == 1):
        size -= 1
    return size


def write_loop(
    blocks: Blocks, code: Code, names: Names, b: Builder, emitter: Emitter, indent: str = "    "
) -> None:
    """Write the loop; afterwards the emitter knows the sums and the results with rows."""
    split, size = blocks.split, blocks.size
    emitter.write(blocks.before)
    start, stop = names.take("i"), names.take("j")
    totals = []
    for x in blocks.outer:
        total = names.take(b.names.get(x, ""), "total" if x in split.sums else "result")
        filled = "0.0" if x.shape == () else f"np.{'zeros' if x in split.sums else 'empty'}"
        if x.shape != ():
            filled += f'({x.shape!r}, dtype="{x.dtype}")'
        elif x.dtype.name != "float64":
            filled = f"np.{x.dtype.name}(0)"
        code.lines.append(f"{total} = {filled}")
        totals.append(total)
    code.lines.append(f"for {start} in range(0, {split.length}, {size}):")
    outside, code.lines = code.lines, []
    code.lines.append(f"{stop} = {start} + {size}")
    known: dict[Expr, str] = {}
    for x, y in blocks.named.items():
        text = emitter.constant(x.value) if x.fn == CONSTANT else emitter.text(x)
        if x in split.axes:
            name = names.take(b.names.get(x, ""), "block")
            axis = ":, " * split.axes[x]
            code.lines.append(f"{name} = {text}[{axis}{start}:{stop}]")
            text = name
        known[y] = text
    tail = split.length % size
    for y in in_order(blocks.inner):
        if y.fn == CONSTANT and y.shape == (size,) and tail:
            held = emitter.constant(y.value)
            known[y] = f"{held}[: min({size}, {split.length} - {start})]"
    block = Emitter(code, names, b, known, (), emitter.helper)
    block.write(blocks.inner)
    for x, y, total in zip(blocks.outer, blocks.inner, totals, strict=True):
        text = block.text(y)
        if x in split.sums:
            code.lines.append(f"{total} += {text}")
        else:
            code.lines.append(f"{total}[{start}:{stop}] = {text}")
        emitter.add(x, total)
    code.lines = outside + [indent + line for line in code.lines]
