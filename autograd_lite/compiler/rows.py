"""Whether results are sums over rows: follows the axis of examples from call to call.

Each call is *before* the rows (it does not depend on them), *in* them (its result has the axis of
rows), or *after* them (it depends on sums over rows). The traits of the operations define where the
axis of an operand is in the result.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from autograd_lite.compiler import NotSeparableError
from autograd_lite.expressions.expr import ARGUMENT, CONSTANT, Expr, function_of, in_order, replaced
from autograd_lite.op import NUMPY, OPS, Op

__all__ = ["Split", "split", "split_along"]


@dataclass(frozen=True)
class Split:
    """Results as sums over rows.

    Attributes:
        length: the number of rows.
        axes: the axis of rows of each argument, constant and call that has one.
        sums: the calls that sum over rows.
    """

    length: int
    axes: dict[Expr, int]
    sums: frozenset[Expr]


def split(roots: Sequence[Any], names: dict[Expr, str]) -> Split:
    """Find the axis of rows: the longest first axis of data over which the results are sums.

    Data are the arguments, and the arrays that the function closes over.

    Raises:
        NotSeparableError: if there is none.
    """
    order = in_order(roots)
    data = [x for x in order if x.fn in (ARGUMENT, CONSTANT)]
    leading = [x for x in data if x.ndim and x.shape[0] > 1]
    error = NotSeparableError("compile: rows= needs data whose first axis is that of rows")
    for k, x in enumerate(sorted(leading, key=lambda x: (-x.shape[0], -x.size))):
        try:
            found = split_along(roots, [x], names)
        except NotSeparableError as refused:
            error = error if k else refused
            continue
        # What is not combined with these rows may have the same rows.
        with suppress(NotSeparableError):
            return split_along(roots, [y for y in leading if y.shape[0] == x.shape[0]], names)
        return found
    raise error


def split_along(roots: Sequence[Any], leaves: Sequence[Expr], names: dict[Expr, str]) -> Split:
    """Find the axes of rows, given that the first axes of some data are that of rows.

    Raises:
        NotSeparableError: if the results are not sums over these rows.
    """
    order = in_order(roots)
    seeds, length = {*leaves}, leaves[0].shape[0]
    while True:
        axes: dict[Expr, int] = dict.fromkeys(seeds, 0)
        found = _Walk(length, axes, names)
        for expr in order:
            found.visit(expr)
        if found.more <= seeds:
            break
        seeds |= found.more
    for root in roots:
        if isinstance(root, Expr) and axes.get(root, 0) != 0:
            raise found.refusal(root, "has rows on another axis than the first")
    return Split(length, axes, frozenset(found.sums))


class _Walk:
    """One pass over a program, some leaves of which are known to have rows.

    Attributes:
        axes, sums: as in `Split`.
        more: the leaves that must have rows as well.
    """

    def __init__(self, length: int, axes: dict[Expr, int], names: dict[Expr, str]) -> None:
        self.length, self.axes, self.names = length, axes, names
        self.seeds = {*axes}
        self.after: set[Expr] = set()
        self.sums: set[Expr] = set()
        self.more: set[Expr] = set()

    def refusal(self, expr: Expr, why: str) -> NotSeparableError:
        name = self.names.get(expr)
        what = f"{name} = {expr.fn}(…)" if name else f"{expr.fn}(…)"
        if expr.origin and expr.origin not in expr.fn:
            what += f" of {expr.origin}"
        if expr.line:
            what += f" ({Path(expr.line[0]).name}, line {expr.line[1]})"
        return NotSeparableError(
            f"compile: the results are not sums over rows: {what}, of shape "
            f"{self._shown(expr.shape)}, {why}; leave out rows= to compute in one pass, in memory"
        )

    def _shown(self, shape: Any) -> str:
        """A shape with n for the number of rows."""
        lengths = ["n" if n == self.length else str(n) for n in shape or ()]
        return f"({', '.join(lengths)}{',' * (len(lengths) == 1)})"

    def visit(self, expr: Expr) -> None:
        rows = [x for x in expr.inputs if x in self.axes]
        if expr.fn in (ARGUMENT, CONSTANT) or not rows:
            if any(x in self.after for x in expr.inputs):
                self.after.add(expr)
            return
        if any(x in self.after for x in expr.inputs):
            raise self.refusal(expr, "combines rows with a result of all of them")
        trait = trait_of(expr.fn)
        rule = getattr(self, f"_{trait}", None) if trait else None
        if rule is None:
            raise self.refusal(expr, "mixes rows")
        axis: int | None = rule(expr)
        if axis is None:
            self.after.add(expr)
            self.sums.add(expr)
        else:
            self.axes[expr] = axis

    def _each(self, expr: Expr) -> int:
        ends = {x.ndim - self.axes[x] for x in expr.inputs if x in self.axes}
        if len(ends) > 1:
            raise self.refusal(expr, "combines every row with every other")
        (end,) = ends
        for x in expr.inputs:
            if x not in self.axes and x.ndim >= end and x.shape[x.ndim - end] != 1:
                self._take(x, x.ndim - end, expr)
        return expr.ndim - end

    def _take(self, x: Expr, axis: int, expr: Expr) -> None:
        """Give rows to an operand that is combined with rows, and to its leaves."""
        leaves = [y for y in in_order([x]) if y.fn in (ARGUMENT, CONSTANT)]
        matching = {y for y in leaves if y.ndim and y.shape[0] == self.length}
        if not matching or matching <= self.seeds:
            raise self.refusal(expr, "mixes rows")
        self.more |= matching
        self.axes[x] = axis

    def _beside(self, expr: Expr) -> int:
        (axis, *others) = {self.axes[x] for x in expr.inputs if x in self.axes}
        if others or axis == expr.keywords.get("axis", 0) % expr.ndim:
            raise self.refusal(expr, "puts rows after others")
        for x in expr.inputs:
            if x not in self.axes:
                self._take(x, axis, expr)
        return axis

    def _moved(self, expr: Expr) -> int:
        x = expr.args[0]
        if x not in self.axes and expr.args[1:] == expr.inputs[1:] and self.axes[expr.args[1]] == 0:
            return 0  # x[i] has a row for each index
        if len(expr.inputs) > 1:
            raise self.refusal(expr, "picks rows by an index")
        axis = self.axes[x]
        if expr.fn == "np.reshape":
            found = [k for k, n in enumerate(expr.shape) if n == self.length]
            # The axis is where the number of elements before it and after it is the same.
            for k in found:
                before, after = expr.shape[:k], expr.shape[k + 1 :]
                if (prod(before), prod(after)) == (prod(x.shape[:axis]), prod(x.shape[axis + 1 :])):
                    return k
            raise self.refusal(expr, "mixes rows")
        # A stride marks the axis.
        marks = [8 * (k == axis) for k in range(x.ndim)]
        dummy = np.lib.stride_tricks.as_strided(np.zeros(1), x.shape, marks, writeable=False)
        arguments = replaced(expr.args, lambda _: dummy)
        strides = function_of(expr.fn)(*arguments, **expr.keywords).strides
        found = [k for k, n in enumerate(strides) if n == 8 and expr.shape[k] == self.length]
        if len(found) != 1:
            raise self.refusal(expr, "picks some of the rows")
        return found[0]

    def _product(self, expr: Expr) -> int | None:
        a, b = expr.args
        if max(a.ndim, b.ndim) > 2:
            raise self.refusal(expr, "is a product of stacks of matrices")
        inner_a, inner_b = a.ndim - 1, 0
        for x, inner, other, outer in ((a, inner_a, b, inner_b), (b, inner_b, a, inner_a)):
            if x in self.axes and self.axes[x] == inner and other not in self.axes:
                self._take(other, outer, expr)
        if a in self.axes and b in self.axes:
            if self.axes[a] == inner_a and self.axes[b] == inner_b:
                return None
            raise self.refusal(expr, "combines every row with every other")
        return 0 if a in self.axes else expr.ndim - 1

    def _sum(self, expr: Expr) -> int | None:
        return self._reduced(expr, ends=True)

    def _along(self, expr: Expr) -> int | None:
        return self._reduced(expr, ends=False)

    def _last(self, expr: Expr) -> int:
        found = {self.axes[x] for x in expr.inputs if x in self.axes}
        first = expr.inputs[0]
        if len(found) > 1 or first.ndim - 1 in found or expr.shape == ():
            raise self.refusal(expr, "is computed along the rows")
        (axis,) = found
        for x in expr.inputs:
            if x not in self.axes:
                self._take(x, axis, expr)
        return axis

    def _reduced(self, expr: Expr, ends: bool) -> int | None:
        x = expr.args[0]
        rows, default = self.axes[x], 0 if expr.fn.endswith(".reduce") else None
        if expr.fn in OPS:
            default = OPS[expr.fn].signature.defaults.get("axis")
        axis = expr.keywords.get("axis", default)
        axes = range(x.ndim) if axis is None else np.atleast_1d(axis)
        gone = {int(k) % x.ndim for k in axes}
        if rows in gone:
            if ends:
                return None
            raise self.refusal(expr, "is computed along the rows")
        if expr.ndim == x.ndim:
            return rows
        return int(rows - sum(k < rows for k in gone))


def trait_of(fn: str) -> str:
    """The trait of a call that defines where the axis of rows is in its result, or ""."""
    named = {".T": "transpose", "[]": "getitem", ".astype": "astype", "np.add.reduce": "sum"}
    if fn.startswith("special."):
        return "each"
    op = OPS.get(named.get(fn, fn))
    if op is None and fn.startswith("np."):
        found = NUMPY.get(function_of(fn))
        op = found if isinstance(found, Op) else OPS.get(fn[3:])
    if op is None:
        return ""
    return op.traits.rows or ("each" if op.name == "astype" else "")
