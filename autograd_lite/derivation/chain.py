"""The chain rule over the graph, node by node from the loss back.

The gradient rules of an operation run on Tensors, with a symbol for the gradient of its node. The
graph that they record is read in index notation. A short gradient is substituted into the next
one, a longer one keeps its name: every formula has a bounded length, and all of them together are
linear in the size of the graph.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import sympy

import autograd_lite.derivation.readings  # noqa: F401 - fills the table of readings
from autograd_lite.derivation.entries import Element, Expr, Number, Placed, Total, called
from autograd_lite.derivation.index import Space
from autograd_lite.derivation.lowest import EXP, has_long_number
from autograd_lite.derivation.patterns import Expressions, Patterns, literal
from autograd_lite.derivation.reading import Reader, element
from autograd_lite.derivation.rules import rules_of
from autograd_lite.derivation.tidy import gathered
from autograd_lite.derivation.tracks import Gradient, Track, batched, each, is_short
from autograd_lite.graph import Graph
from autograd_lite.ops.comparisons import OPPOSITE

__all__ = ["Chain"]

LONG = 16
"""An expression with more operations than this gets a name."""

EXPANDED = 160
"""With expand=True a gradient with more operations keeps its name."""

PASSES = 3
"""The most passes over the graph: a name found in one pass is used from the start in the next."""

MANY = 32
"""A sum of more parts than this is not simplified."""

LARGE = 1_000
"""Graphs with more nodes get one pass."""

TRANSPARENT = {
    "transpose", "swapaxes", "reshape", "squeeze", "expand_dims", "broadcast_to", "identity",
    "astype",
}  # fmt: skip
"""Operations that change only the layout of an array."""

LOOKING = {"where", *OPPOSITE}
"""Operations whose reading looks at the operations of their inputs."""


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
        self._elements: dict[Any, Any] = {}
        self.patterns: Patterns = Patterns(self.space, self._kind)
        self.promoted: set[int] = set()
        for _ in range(PASSES if len(self.graph) <= LARGE else 1):
            before = len(self.promoted)
            self.patterns.forget()
            self.known: dict[int, Placed] = {}
            self.definitions: dict[int, Placed] = {}
            self.reader: Reader = Reader(self.space, Expressions(self.patterns, self.known))
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
        self.space.known_at.clear()
        for node in self.graph.nodes:
            if node.op is None:
                self.known[node.position] = self.patterns.placed(self.reader.leaf(node))
                continue
            if node.op.name in OPPOSITE:
                self._name_sides(node)
            own = self._own(node)
            given = [self.known[x.position] for x in node.inputs]
            (known, *definition), is_known = self.patterns.computed(
                self._forward_key(node), [*given, own], partial(self._read, node)
            )
            self.known[node.position] = known
            if definition:
                (self.definitions[node.position],) = definition
                if node.name is None and node is not self.loss:
                    self.promoted.add(node.position)
            if is_known:
                self._is_known(node, definition[0])

    def _read(self, node: Any) -> tuple[list[Expr], bool]:
        """The expression of a node in later formulas, and its definition if it has a name.

        Also whether later formulas recognise the definition.
        """
        space = self.space
        expr = self.reader.applied(node, [self.expression(x) for x in node.inputs])
        if expr.has(EXP):
            expr = space.lowest(expr)
        is_small = space.size(expr) <= self.long
        if self._is_transparent(node) and is_small:
            return [expr], False
        symbol = space.symbol(element(node))
        if expr == symbol:
            return [expr], False
        if not self._has_name(node) and is_small:
            return [expr], False
        is_known = (node is not self.loss or node.name is not None) and (
            (expr.is_Function and expr.func.__name__ == "sigmoid") or space.is_softmax(expr)
        )
        return [expr if self._is_written_out(node) and is_small else symbol, expr], is_known

    def _is_known(self, node: Any, definition: Placed) -> None:
        """Have a definition recognised in later formulas."""
        if definition.nodes:
            of_symbol = self.space.entry(definition.pattern.expr)
            indices = of_symbol.indices if of_symbol is not None else element(node).indices
            at = self.space.known_at.setdefault(definition.nodes[-1], [])
            at.append((definition, node.position, indices))

    def _has_name(self, node: Any) -> bool:
        has_name = node.name is not None or node.position in self.promoted
        return has_name or node is self.loss or node in self.wrt

    def _forward_key(self, node: Any) -> Any:
        """What the expression of a node depends on besides those of its inputs."""
        return (
            *self._key(node),
            self._has_name(node),
            self._is_transparent(node),
            self._is_written_out(node),
            node.name is None and node is self.loss,
        )

    def _key(self, node: Any) -> tuple[Any, ...]:
        """What tells an operation from others; its own position where it may read others."""
        attributes = literal(node.attributes)
        if attributes is None or node.op.name in LOOKING:
            return (node.position,)
        forms = tuple((x.shape, x.dtype) for x in (node, *node.inputs))
        return node.op, attributes, forms

    def _kind(self, position: int) -> Any:
        """What a formula depends on besides the place of a node among others."""
        if position in self.space.numbers:
            return Number
        node = self.nodes[position]
        if position in self.space.constants:
            return position
        return node.shape, node.op is None and node.requires_grad

    def _own(self, node: Any, gradient: bool = False) -> Placed:
        """The symbol of a node or of its gradient."""
        entry = element(node, gradient)
        pattern = self._elements.get((entry.indices, gradient))
        if pattern is None:
            pattern = self.patterns.placed(self.space.symbol(entry)).pattern
            self._elements[entry.indices, gradient] = pattern
        return Placed(pattern, (node.position,))

    def _name_sides(self, node: Any) -> None:
        """Name the operands of a comparison: computed again, equal ones may differ in rounding."""
        sides = {x: self.expression(x) for x in node.inputs}
        if not any(side.is_number for side in sides.values()):
            for x, side in sides.items():
                if not isinstance(self.space.entry(side), Element):
                    self.promote(x)

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
        return self.space.at(self.known[node.position])

    def leads(self, node: Any) -> bool:
        """Whether a node depends on a variable."""
        return bool(node.requires_grad) and node.position in self.leading

    def named(self, node: Any) -> bool:
        """Whether formulas mention a node by its name."""
        return node.position in self.definitions or node.op is None

    # Backward: the gradients

    def _backward(self) -> None:
        one = self.patterns.placed(sympy.S.One)
        received: dict[int, list[tuple[Placed, Placed, Placed]]] = {}
        received[self.loss.position] = [(one, one, one)]
        for node in reversed(self.graph.nodes):
            parts = received.pop(node.position, None)
            if parts is None or not node.requires_grad:
                continue
            if len(parts) > MANY:
                (reached, tracks) = self._many(node, parts)
            else:
                (reached, tracks) = self._few(node, parts)
            for k, part in zip(reached, batched(tracks), strict=True):
                received.setdefault(node.inputs[k].position, []).append(part)

    def _few(self, node: Any, parts: list[Any]) -> tuple[tuple[int, ...], list[Placed]]:
        """The gradient at a node, in lowest terms, and the parts of its inputs by their number."""
        given = [placed for part in parts for placed in part]
        (product, closed, *tracks), reached = self._at(
            node, given, partial(self._derived, node, parts)
        )
        self.gradients[node.position] = Gradient((product,), (closed,))
        return reached, tracks

    def _many(self, node: Any, parts: list[Any]) -> tuple[tuple[int, ...], list[Placed]]:
        """The same for the sum of many parts, which are written as they are."""
        products, *others = zip(*parts, strict=True)
        closed = map(self._shorter, *others)
        total = self.patterns.collected
        self.gradients[node.position] = Gradient(total(products), total(closed))
        if node.op is None:
            return (), []
        if not self.named(node):
            self.promote(node)
        symbol = self.space.symbol(element(node, gradient=True))
        tracks, reached = self._at(
            node,
            [self._own(node, gradient=True)],
            partial(self._passed, node, Track(*[symbol] * 3)),
        )
        return reached, tracks

    def _shorter(self, short: Placed, whole: Placed) -> Placed:
        size = self.space.size
        return whole if size(whole.pattern.expr) <= size(short.pattern.expr) else short

    def _at(self, node: Any, given: list[Placed], function: Any) -> tuple[list[Placed], Any]:
        """What a function finds at a node from the given expressions, or at another like it."""
        ends = (node, *node.inputs)
        given = [*given, *(self.known[x.position] for x in ends), *map(self._own, ends)]

        def found() -> tuple[list[Expr], Any]:
            unnamed = [k for k, x in enumerate(ends) if not self.named(x)]
            exprs, reached = function()
            return exprs, (reached, [k for k in unnamed if self.named(ends[k])])

        placed, (reached, named) = self.patterns.computed(self._backward_key(node), given, found)
        for k in named:
            if not self.named(ends[k]):
                self.promote(ends[k])
        return placed, reached

    def _backward_key(self, node: Any) -> Any:
        """What the gradients at a node and its inputs depend on besides expressions."""
        key = () if node.op is None else self._key(node)
        return (
            *key,
            tuple(map(self.leads, node.inputs)),
            self.values.get(node) is None,
            self.named(node),
            node is self.loss,
            node in self.wrt,
            node in self.hidden_layers,
        )

    def _derived(self, node: Any, parts: list[Any]) -> tuple[list[Expr], tuple[int, ...]]:
        """The gradient at a node, and the parts of its inputs with their numbers."""
        space = self.space
        exprs = [[space.at(placed) for placed in track] for track in zip(*parts, strict=True)]
        product, short, whole = each(space.lowest, [sympy.Add(*track) for track in exprs])
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
            self.promote(node)
        above = Track(product, short, whole)
        if self.named(node) and node is not self.loss:
            above = self._named(node, closed)
        tracks, reached = self._passed(node, above)
        return [product, closed, *tracks], reached

    def _passed(self, node: Any, above: Track) -> tuple[list[Expr], tuple[int, ...]]:
        """What the inputs of a node receive, in three forms each, and their numbers."""
        found = [] if node.op is None else self._parts(node, above)
        return [expr for _, track in found for expr in track], tuple(k for k, _ in found)

    def _needs_name(self, node: Any, closed: Expr) -> bool:
        most = EXPANDED if self.expand else self.long
        return (
            not self.named(node)
            and node.op.name not in TRANSPARENT
            and self.space.size(closed) > most
        )

    def promote(self, node: Any) -> None:
        """Give a node a name; expressions read earlier keep its formula."""
        self.definitions[node.position] = self.known[node.position]
        self.promoted.add(node.position)
        self.known[node.position] = self._own(node)

    def _named(self, node: Any, closed: Expr) -> Track:
        """The gradient of a named node as the next ones use it."""
        symbol = self.space.symbol(element(node, gradient=True))
        if self._is_substituted(node, closed):
            return Track(symbol, closed, closed)
        stays = self._is_composite(closed) or has_long_number(closed)
        return Track(symbol, symbol, symbol if stays else closed)

    def _parts(self, node: Any, above: Track) -> list[tuple[int, Track]]:
        """The part of the gradient that each input receives, by its number."""
        space = self.space
        result = []
        for k, read in rules_of(self, node):
            x = node.inputs[k]
            product, short, whole = each(space.lowest, each(read, above))
            if self._is_activated(node, x):
                prime = called(f"{node.op.name}′")(self.expression(x))
                product, short, whole = (
                    gradient * prime for gradient in (above.product, above.short, above.short)
                )
            result.append((k, Track(product, short, whole)))
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
        if self.expand:
            return self.space.size(form) <= EXPANDED
        if is_short(self.space, form):
            return True
        return self.layered and node in self.hidden_layers and node not in self.wrt

    def _is_composite(self, form: Expr) -> bool:
        """Whether a form contains sums or gradients, which are not written repeatedly."""
        return self.space.contains(
            form, lambda e: isinstance(e, Total) or (isinstance(e, Element) and e.gradient)
        )
