"""The chain rule over the graph, node by node from the loss back.

The gradient rules of an operation run on Tensors, with a symbol for the gradient of its node. The
graph that they record is read in index notation. A short gradient is substituted into the next
one, a longer one keeps its name: every formula has a bounded length, and all of them together are
linear in the size of the graph.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np
import sympy

import autograd_lite.derivation.readings  # noqa: F401 - fills the table of readings
from autograd_lite.context import setting
from autograd_lite.core.tensor import apply
from autograd_lite.derivation.entries import Element, Expr, Length, Number, Opaque, Total, called
from autograd_lite.derivation.index import Space
from autograd_lite.derivation.lowest import EXP
from autograd_lite.derivation.reading import Reader, axes_of, element, exact
from autograd_lite.graph import Graph, ancestors
from autograd_lite.ops.comparisons import OPPOSITE
from autograd_lite.record import Recorded
from autograd_lite.sweep import sweep
from autograd_lite.traced import argument

__all__ = ["Chain", "Gradient"]

LONG = 16
"""An expression with more operations than this gets a name."""

PASSES = 3
"""The most passes over the graph: a name found in one pass is used from the start in the next."""

LARGE = 1_000
"""Graphs with more nodes get one pass."""

TRANSPARENT = {
    "transpose", "swapaxes", "reshape", "squeeze", "expand_dims", "broadcast_to", "identity",
    "astype",
}  # fmt: skip
"""Operations that change only the layout of an array."""


@dataclass(slots=True)
class Gradient:
    """The gradient of the loss at a node.

    Attributes:
        product: in terms of the gradients of named nodes.
        closed: the shortest form.
    """

    product: Expr
    closed: Expr


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


class Chain:
    """The gradients of a loss at every node on which it depends.

    Args:
        loss: a node with one element.
        wrt: the nodes to differentiate by, whose gradients keep a name.
        expand: substitute every gradient into the next.
        lengths: read counts as lengths of axes.
        values: the gradients at the graph's values, on which the rules run.
    """

    def __init__(
        self,
        loss: Any,
        wrt: set[Any],
        expand: bool,
        lengths: bool | Mapping[str, int],
        values: dict[Any, Any],
    ) -> None:
        self.loss = loss
        self.wrt = wrt
        self.expand = expand
        self.values = values
        self.graph: Graph = Graph.of(loss)
        self.graph.check_unchanged("derive")
        self.space: Space = Space()
        self.space.lengths_as_symbols = bool(lengths)
        if isinstance(lengths, Mapping):
            self.space.given_lengths = frozenset(lengths.values())
        self.space.shapes = {node.position: node.shape for node in self.graph.nodes}
        self.space.parameters = [n.position for n in self.graph.inputs if n.requires_grad]
        self.space.constants = {
            n.position: n.array for n in self.graph.inputs if not n.requires_grad and n.name
        }
        self.nodes: dict[int, Any] = {node.position: node for node in self.graph.nodes}
        self.long = LONG if len(self.graph) <= LARGE else LONG // 4
        self.leading: set[int] = set()
        for node in self.graph.nodes:
            if node in wrt or any(x.position in self.leading for x in node.inputs):
                self.leading.add(node.position)
        self.promoted: set[int] = set()
        for _ in range(PASSES if len(self.graph) <= LARGE else 1):
            before = len(self.promoted)
            self.definitions: dict[int, Expr] = {}
            self.reader: Reader = Reader(self.space, {})
            self.gradients: dict[int, Gradient] = {}
            self._forward()
            hidden = filter(self._is_hidden_activation, self.graph.nodes)
            self.hidden_layers: dict[Any, None] = dict.fromkeys(hidden)
            self.layered: bool = len(self.hidden_layers) > 1
            self._backward()
            if len(self.promoted) == before:
                break

    # Forward: the expression of each node

    def _forward(self) -> None:
        space, known = self.space, self.reader.known
        space.known.clear()
        for node in self.graph.nodes:
            if node.op is None:
                known[node.position] = self.reader.leaf(node)
                continue
            if node.op.name in OPPOSITE:
                self._name_sides(node)
            args = [known[x.position] for x in node.inputs]
            expr = self.reader.applied(node, args)
            if expr.has(EXP):
                expr = space.lowest(expr)
            if self._is_transparent(node) and space.size(expr) <= self.long:
                known[node.position] = expr
                continue
            symbol = space.symbol(element(node))
            if expr == symbol:
                continue
            has_name = node.name is not None or node.position in self.promoted
            if (
                not (has_name or node is self.loss or node in self.wrt)
                and space.size(expr) <= self.long
            ):
                known[node.position] = expr
                continue
            if node.name is None and node is not self.loss:
                self.promoted.add(node.position)
            known[node.position] = symbol
            self.definitions[node.position] = expr
            if self._is_written_out(node) and space.size(expr) <= self.long:
                known[node.position] = expr
            if node is self.loss and node.name is None:
                continue
            if expr.is_Function and expr.func.__name__ == "sigmoid":
                space.known[expr] = node.position, space.entry(symbol).indices
            elif space.is_softmax(expr):
                space.known[expr] = node.position, space.entry(expr).indices

    def _name_sides(self, node: Any) -> None:
        """Name the operands of a comparison: computed again, equal ones may differ in rounding."""
        sides = {x: self.expression(x) for x in node.inputs}
        if not any(side.is_number for side in sides.values()):
            for x, side in sides.items():
                if not isinstance(self.space.entry(side), Element):
                    self._promote(x)

    def _is_written_out(self, node: Any) -> bool:
        """Whether formulas write the loss out; an elementwise one such as ŷ = σ(z) has a name."""
        return node is self.loss and (node.name is None or not node.op.traits.elementwise)

    def _is_transparent(self, node: Any) -> bool:
        """Whether a node only changes a layout, or is named after its own formula, as in A·w."""
        if node is self.loss or node in self.wrt:
            return False
        if node.op.name in TRANSPARENT:
            return True
        return node.name is not None and all(x.name and x.name in node.name for x in node.inputs)

    def _is_hidden_activation(self, node: Any) -> bool:
        """Whether a node is an activation that a matrix product follows."""
        if (
            node.op is None
            or not node.op.notation.activation
            or node.position not in self.definitions
        ):
            return False
        (x,) = node.inputs
        return (
            x.requires_grad
            and x.position in self.definitions
            and any(getattr(c.op, "name", "") == "matmul" for c, _ in self.graph.consumers[node])
        )

    def expression(self, node: Any) -> Expr:
        """The expression of a node in other formulas."""
        return self.reader.known[node.position]

    def named(self, node: Any) -> bool:
        """Whether formulas mention a node by its name."""
        return node.position in self.definitions or node.op is None

    # Backward: the gradients

    def _backward(self) -> None:
        space = self.space
        received: dict[int, list[Track]] = {self.loss.position: [Track(*[sympy.S.One] * 3)]}
        for node in reversed(self.graph.nodes):
            position = node.position
            if position not in received or not node.requires_grad:
                continue
            sums = [sympy.Add(*parts) for parts in zip(*received.pop(position), strict=True)]
            product, short, whole = each(space.lowest, sums)
            if not self.expand:
                short, whole = gathered(space, short), gathered(space, whole)
            closed = whole if space.size(whole) <= space.size(short) else short
            if closed.has(sympy.nan, sympy.zoo):
                what = node.name or f"the result of {node.op.name} {node.shape}"
                raise ValueError(
                    f"derive: the gradient by {what} is 0 / 0 for all values: a divisor is 0 by "
                    "construction"
                )
            if self._needs_name(node, closed):
                self._promote(node)
            self.gradients[position] = Gradient(product, closed)
            if node.op is None:
                continue
            above = Track(product, short, whole)
            if self.named(node) and node is not self.loss:
                above = self._named(node, closed)
            for x, part in self._parts(node, above):
                received.setdefault(x.position, []).append(part)

    def _needs_name(self, node: Any, closed: Expr) -> bool:
        return (
            not self.expand
            and not self.named(node)
            and node.op.name not in TRANSPARENT
            and self.space.size(closed) > self.long
        )

    def _promote(self, node: Any) -> None:
        """Give a node a name; expressions read earlier keep its formula."""
        self.definitions[node.position] = self.expression(node)
        self.promoted.add(node.position)
        self.reader.known[node.position] = self.space.symbol(element(node))

    def _named(self, node: Any, closed: Expr) -> Track:
        """The gradient of a named node as the next ones use it."""
        symbol = self.space.symbol(element(node, gradient=True))
        if self._is_substituted(node, closed):
            return Track(symbol, closed, closed)
        return Track(symbol, symbol, symbol if self._is_composite(closed) else closed)

    def _parts(self, node: Any, above: Track) -> list[tuple[Any, Track]]:
        """The part of the gradient that each input receives."""
        space = self.space
        result = []
        for x, read in self._local(node):
            product, short, whole = each(space.lowest, each(read, above))
            if self._is_activated(node, x) and space.size(whole) > space.size(product):
                prime = called(f"{node.op.name}′")(self.expression(x))
                product, short, whole = (
                    gradient * prime for gradient in (above.product, above.short, above.short)
                )
            result.append((x, Track(product, short, whole)))
        return result

    def _is_activated(self, node: Any, x: Any) -> bool:
        """Whether a derivative is written g′(a)."""
        return (
            not self.expand
            and node.op.notation.activation
            and not node.attributes
            and self.expression(x).is_Symbol
            and node in self.hidden_layers
        )

    def _is_substituted(self, node: Any, form: Expr) -> bool:
        """Whether a gradient is substituted wherever it occurs."""
        if self.expand or is_short(self.space, form):
            return True
        return self.layered and node in self.hidden_layers and node not in self.wrt

    def _is_composite(self, form: Expr) -> bool:
        """Whether a form contains sums or gradients, which are not written repeatedly."""
        return self.space.contains(
            form, lambda e: isinstance(e, Total) or (isinstance(e, Element) and e.gradient)
        )

    def _local(self, node: Any) -> list[tuple[Any, Any]]:
        """For each input a function from the node's gradient to the input's part of it."""
        leaves = [
            argument(x.array, x.requires_grad and x.position in self.leading) for x in node.inputs
        ]
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            with setting(recording=True, observer=None):
                copy = apply(node.op, tuple(leaves), node.attributes, as_written=True)
                value = self.values.get(node)
                g = argument(np.ones_like(copy.array) if value is None else value, False)
                parts = sweep(
                    {copy: g},
                    {leaf for leaf in leaves if leaf.requires_grad},
                    on_tensors=True,
                    as_written=True,
                )
        if not node.op.traits.elementwise:
            self._name_compared(node, leaves, parts)
        known = {
            leaf.position: self.expression(x) for leaf, x in zip(leaves, node.inputs, strict=True)
        }
        known[copy.position] = self.expression(node)
        self.space.shapes |= {n.position: n.shape for n in (*leaves, copy, g)}
        counts = self._counts(node)
        # The condition of a `where` is the user's and is kept as it is.
        guards = node.op.name != "where" and (node.op.traits.elementwise or node.op.name == "norm")

        def reading(part: Any) -> Any:
            def read(gradient: Expr) -> Expr:
                if not isinstance(part, Recorded):
                    size = np.size(part)
                    return exact(self.space, np.ravel(part)[0]) if size else sympy.S.Zero
                reader = Reader(self.space, known | {g.position: gradient}, True, guards)
                reader.counts = counts
                return reader.read(part)

            return read

        return [
            (x, reading(parts[leaf]))
            for leaf, x in zip(leaves, node.inputs, strict=True)
            if leaf in parts
        ]

    def _name_compared(self, node: Any, leaves: Any, parts: Any) -> None:
        """Name an operand in which a rule seeks a maximum: computed again, it may be rounded."""
        found = ancestors(part for part in parts.values() if isinstance(part, Recorded))
        compared = {x for n in found if n.op is not None and n.op.name == "equal" for x in n.inputs}
        for leaf, x in zip(leaves, node.inputs, strict=True):
            expr = self.expression(x)
            if leaf in compared and not expr.is_Symbol and self.space.free(expr):
                self._promote(x)

    def _counts(self, node: Any) -> dict[float, Expr]:
        """The divisors of an average, as products of lengths."""
        if not (self.space.lengths_as_symbols and node.op.notation.averages):
            return {}
        shape = node.inputs[0].shape
        if node.op.name == "mean":
            choices = [[shape[k] for k in axes_of(node.attributes.get("axis"), len(shape))]]
        else:
            choices = [list(shape), list(shape[:-1])]
        return {
            float(math.prod(c)): sympy.Mul(*map(self.space.length, c))
            for c in choices
            if math.prod(c) > 1
        }


def each(function: Callable[[Expr], Expr], exprs: Iterable[Expr]) -> list[Expr]:
    """The function of each expression; equal expressions are computed once."""
    exprs = list(exprs)
    done = {expr: function(expr) for expr in dict.fromkeys(exprs)}
    return [done[expr] for expr in exprs]


def is_short(space: Space, form: Expr) -> bool:
    """Whether a form is a constant times a node, a gradient, or a difference of two of them."""
    rest = [f for f in sympy.Mul.make_args(form) if not _constant(space, f)]
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


def _constant(space: Space, f: Expr) -> bool:
    base = f.base if f.is_Pow else f
    return bool(base.is_number) or isinstance(space.entry(base), (Length, Number))


def gathered(space: Space, form: Expr) -> Expr:
    """A x + Aᵀ x as (A + Aᵀ) x: sums with a common factor as one sum."""
    if not form.is_Add:
        return form
    totals = []
    for term in form.args:
        factors = sympy.Mul.make_args(term)
        sums = [f for f in factors if isinstance(space.entry(f), Total)]
        if len(sums) == 1 and len(space.entry(sums[0]).lengths) == 1:
            totals.append((term, sympy.Mul(*(f for f in factors if f is not sums[0])), sums[0]))
    best = form
    for (one, c, first), (other, d, second) in combinations(totals, 2):
        a, b = space.entry(first), space.entry(second)
        if a.lengths != b.lengths or not space.free(c) == space.free(d) == frozenset():
            continue
        i = space.fresh()
        bodies = [space.rename(t.body, {t.bound[0]: i}) for t in (a, b)]
        both = space.lowest(c * bodies[0] + d * bodies[1])
        if not both.is_Add:
            merged = form - one - other + space.total(both, {i: a.lengths[0]})
            if space.size(merged) <= space.size(best):
                best = merged
    return best if best is form else gathered(space, best)
