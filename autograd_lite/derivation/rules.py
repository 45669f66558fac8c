"""The gradient rules of one operation, read in index notation."""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy

from autograd_lite.context import setting
from autograd_lite.core.tensor import apply
from autograd_lite.derivation.entries import Expr
from autograd_lite.derivation.reading import Reader, axes_of, exact
from autograd_lite.graph import ancestors
from autograd_lite.record import Recorded
from autograd_lite.sweep import sweep
from autograd_lite.traced import argument

__all__ = ["rules_of"]

Read = Callable[[Expr], Expr]


def rules_of(chain: Any, node: Any) -> list[tuple[int, Read]]:
    """For each input a function from the node's gradient to the input's part of it.

    An operand in which a rule seeks a maximum gets a name: computed again, it may be rounded.
    """
    leaves = [argument(x.array, chain.leads(x)) for x in node.inputs]
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        with setting(recording=True, observer=None):
            copy = apply(node.op, tuple(leaves), node.attributes, as_written=True)
            value = chain.values.get(node)
            g = argument(np.ones_like(copy.array) if value is None else value, False)
            parts = sweep(
                {copy: g},
                {leaf for leaf in leaves if leaf.requires_grad},
                on_tensors=True,
                as_written=True,
            )
    if not node.op.traits.elementwise:
        for k in _compared(leaves, parts):
            x = node.inputs[k]
            expr = chain.expression(x)
            if not expr.is_Symbol and chain.space.free(expr):
                chain.promote(x)
    known = {
        leaf.position: chain.expression(x) for leaf, x in zip(leaves, node.inputs, strict=True)
    }
    known[copy.position] = chain.expression(node)
    chain.space.shapes |= {n.position: n.shape for n in (*leaves, copy, g)}
    counts = _counts(chain.space, node)
    # The condition of a `where` is the user's and is kept as it is.
    guards = node.op.name != "where" and (node.op.traits.elementwise or node.op.name == "norm")

    def reading(part: Any) -> Read:
        def read(gradient: Expr) -> Expr:
            if not isinstance(part, Recorded):
                size = np.size(part)
                return exact(chain.space, np.ravel(part)[0]) if size else sympy.S.Zero
            reader = Reader(chain.space, known | {g.position: gradient}, True, guards)
            reader.counts = counts
            return reader.read(part)

        return read

    return [(k, reading(parts[leaf])) for k, leaf in enumerate(leaves) if leaf in parts]


def _compared(leaves: Any, parts: Any) -> list[int]:
    """The operands that a rule compares."""
    found = ancestors(part for part in parts.values() if isinstance(part, Recorded))
    compared = {x for n in found if n.op is not None and n.op.name == "equal" for x in n.inputs}
    return [k for k, leaf in enumerate(leaves) if leaf in compared]


def _counts(space: Any, node: Any) -> dict[float, Expr]:
    """The divisors of an average, as products of lengths."""
    if not (space.lengths_as_symbols and node.op.notation.averages):
        return {}
    shape = node.inputs[0].shape
    if node.op.name == "mean":
        choices = [[shape[k] for k in axes_of(node.attributes.get("axis"), len(shape))]]
    else:
        choices = [list(shape), list(shape[:-1])]
    return {
        float(math.prod(c)): sympy.Mul(*map(space.length, c)) for c in choices if math.prod(c) > 1
    }
