"""The names of a derivation, and how its expressions become formulas and programs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import reduce
from operator import add
from typing import Any, TypeVar

import numpy as np
import sympy

from autograd_lite.context import setting
from autograd_lite.core.tensor import apply
from autograd_lite.derivation import lowest, names
from autograd_lite.derivation.arrange import Arranger
from autograd_lite.derivation.chain import Chain
from autograd_lite.derivation.entries import Element, Expr, Pattern, Placed, Terms, Total, called
from autograd_lite.derivation.index import Space
from autograd_lite.derivation.lowering import Lowering
from autograd_lite.derivation.notation import Notation, Text
from autograd_lite.derivation.numbers import is_decimal
from autograd_lite.derivation.programs import Program
from autograd_lite.derivation.reading import Reader, exact
from autograd_lite.derivation.symbols import Symbols
from autograd_lite.derivation.tree import Axes, Tree, added
from autograd_lite.expressions.expr import Builder
from autograd_lite.expressions.names import Names
from autograd_lite.op import OPS
from autograd_lite.sweep import sweep
from autograd_lite.text import subscript, superscript
from autograd_lite.traced import argument

__all__ = ["Letters", "Writer", "prime"]

N = TypeVar("N", bound=Notation)

LETTERS = ("m", "n", "k", "p", "q", "r")


class Writer:
    """The names of a derivation, and how its expressions become formulas and numbers.

    Args:
        chain: the chain rule on a graph.
        lengths: the lengths of axes by the letters that stand for them.
        given: the names of all nodes; None makes names for those that have none of their own.
    """

    def __init__(
        self, chain: Chain, lengths: Mapping[str, int], given: Mapping[Any, str] | None = None
    ) -> None:
        self.chain = chain
        self.space: Space = chain.space
        self.arranger: Arranger = Arranger(self.space)
        self._trees: dict[tuple[Pattern, tuple[int, ...]], Tree] = {}
        self._numbers: dict[int, Any] = {}
        self._texts: dict[tuple[Terms, tuple[int, ...]], str] = {}
        self._programs: dict[tuple[Pattern, tuple[int, ...]], Program] = {}
        self.names: dict[int, str] = self._node_names(given)
        self.deltas: dict[int, str] = self._deltas()
        loss = self.names[chain.loss.position]
        self.gradients: dict[int, str] = {
            p: self.deltas.get(p, f"∂{loss}/∂{name}") for p, name in self.names.items()
        }
        taken = set(self.names.values())
        letters = iter(
            [x for x in LETTERS if x not in taken] + [f"m{subscript(k)}" for k in range(99)]
        )
        self.letters: Letters = Letters({n: name for name, n in lengths.items()}, letters)
        self.symbols: Symbols = Symbols(
            [self.names[p] for p, n in chain.nodes.items() if not _is_number(n)],
            {
                n.position: (self.names[n.position], n.array)
                for n in chain.graph.inputs
                if not n.requires_grad and n.name is None and not _is_number(n)
            },
        )
        self.builder: Builder = Builder()
        safe = Names()
        self.identifiers: dict[int, str] = {p: safe.take(name) for p, name in self.names.items()}
        self.arguments: dict[int, Expr] = {
            p: self.builder.argument(np.asarray(chain.graph.value(node)), self.identifiers[p])
            for p, node in chain.nodes.items()
        }
        self.given_gradients: dict[int, Expr] = {
            p: self.builder.argument(_gradient(chain, p), safe.take(name))
            for p, name in self.gradients.items()
        }
        self.decimals: bool = any(
            is_decimal(x)
            for n in chain.nodes.values()
            if n.op is None and n.name is None and n.ndim == 0 and n.dtype.kind == "f"
            if isinstance(x := exact(self.space, n.array), sympy.Rational)
        )
        kinds = {node.op.name for node in chain.hidden_layers}
        self.activation: Any = kinds.pop() if len(kinds) == 1 else None

    def _node_names(self, given: Mapping[Any, str] | None) -> dict[int, str]:
        chain = self.chain
        if given is not None:
            return {node.position: given[node] for node in chain.graph.nodes}
        taken: dict[str, int] = {}
        own = {names.plain(node.name) for node in chain.graph.nodes if node.name}
        result: dict[int, str] = {}
        unnamed: list[tuple[Any, str]] = []
        parameters = [
            n for n in chain.graph.nodes if n.op is None and n.requires_grad and not n.name
        ]
        for node in chain.graph.nodes:
            name = names.plain(node.name) if node.name else ""
            if name:
                count = taken[name] = taken.get(name, 0) + 1
                while count > 1 and name + subscript(count) in own:
                    count = taken[name] = count + 1
                result[node.position] = name if count == 1 else name + subscript(count)
            elif node is chain.loss:
                unnamed.append((node, "L"))
            elif node.op is None:
                letter = "θ" if node.requires_grad else "c" if node.ndim < 2 else "C"
                alone = node.requires_grad and len(parameters) == 1
                unnamed.append((node, letter if alone else letter + "#"))
            else:
                unnamed.append((node, "t#"))
        used = set(result.values())
        counters: dict[str, int] = {}
        for node, pattern in sorted(unnamed, key=lambda pair: _is_number(pair[0])):
            if pattern == "t#" and node.position not in chain.definitions:
                result[node.position] = "t"
                continue
            if "#" not in pattern and pattern not in used:
                name = pattern
            else:
                while True:
                    k = counters[pattern] = counters.get(pattern, 0) + 1
                    name = pattern.rstrip("#") + subscript(k)
                    if name not in used:
                        break
            used.add(name)
            result[node.position] = name
        return result

    def also(self, node: Any) -> None:
        """Name a node that does not belong to the graph."""
        name = self.names[node.position] = names.plain(node.name or "θ")
        self.gradients[node.position] = f"∂{self.names[self.chain.loss.position]}/∂{name}"

    def _deltas(self) -> dict[int, str]:
        """δ⁽ˡ⁾ for the gradient at the input of the activation of layer l, given several layers."""
        if not self.chain.layered:
            return {}
        found, used = {}, set()
        for k, node in enumerate(self.chain.hidden_layers, start=1):
            x = node.inputs[0]
            name = self.names[x.position]
            raised = name[1:] if name[1:2] == "⁽" and name.endswith("⁾") else superscript(f"({k})")
            if raised in used or "δ" + raised in self.names.values():
                continue
            used.add(raised)
            found[x.position] = "δ" + raised
        return found

    # Writing

    def tree(self, terms: Terms, shape: tuple[int, ...]) -> Tree:
        """A sum as a formula in matrices."""
        trees = [self._tree(placed, shape) for placed in terms]
        return trees[0] if len(trees) == 1 else added(trees)

    def _tree(self, placed: Placed, shape: tuple[int, ...]) -> Tree:
        pattern, nodes = placed
        tree = self.tree_of(pattern, shape)
        if nodes == pattern.nodes:
            return tree
        return tree.moved({
            self._named(own): self._named(n) for own, n in zip(pattern.nodes, nodes, strict=True)
        })  # fmt: skip

    def _named(self, position: int) -> Any:
        """What a tree calls a node, its position, or a number, its value."""
        number = self.space.numbers.get(position)
        return position if number is None else number.value

    def tree_of(self, pattern: Pattern, shape: tuple[int, ...]) -> Tree:
        """A pattern as a formula in matrices, in its own nodes."""
        found = self._trees.get((pattern, shape))
        if found is None:
            found = self._trees[pattern, shape] = self.arranger.whole(pattern.expr, shape)
        return found

    def closed(self, positions: Iterable[int]) -> dict[int, Tree]:
        """The closed forms of gradients, by the positions of their nodes."""
        found = {p: self.chain.gradients[p] for p in positions if p in self.chain.gradients}
        readable = self.symbols.readable
        return {
            p: readable(self.tree(g.closed, self.chain.nodes[p].shape)) for p, g in found.items()
        }

    def notation(self, kind: Callable[..., N]) -> N:
        """One of the notations, with the names of this derivation."""
        return kind(self.names, self.gradients, self.letters, self.activation, self.decimals)

    def text(self, terms: Terms, shape: tuple[int, ...]) -> str:
        """A sum on one line."""
        found = self._texts.get((terms, shape))
        if found is None:
            found = self._texts[terms, shape] = self.notation(Text)(
                self.symbols.readable(self.tree(terms, shape))
            )
        return found

    def expression(self, tree: Tree, given: bool = False, apart: bool = False) -> Any:
        """A formula as NumPy calls.

        Args:
            given: gradients in the formula are arguments; otherwise their formulas replace them.
            apart: expand operations that NumPy lacks into NumPy calls.
        """
        if given:
            return self._lowered(tree, self.given_gradients, apart)
        found: dict[int, Any] = {}
        needed: dict[int, Tree] = {}
        todo = list(tree.gradients())
        while todo:
            position = todo.pop()
            if position not in needed:
                gradient = self.chain.gradients[position].closed
                needed[position] = self.tree(gradient, self.chain.nodes[position].shape)
                todo += needed[position].gradients()
        # What a gradient needs lies nearer to the loss, and so at a later position.
        for position in sorted(needed, reverse=True):
            found[position] = self._lowered(needed[position], found, apart)
            name = self.builder.names[self.given_gradients[position]]
            self.builder.names.setdefault(found[position], name)
        return self._lowered(tree, found, apart)

    def value(
        self,
        terms: Terms,
        shape: tuple[int, ...],
        values: Mapping[int, Any],
        gradients: Mapping[int, Any],
    ) -> Any:
        """The value of a formula for the values of all nodes and gradients, by position."""
        return reduce(add, (self._value(term, shape, values, gradients) for term in terms))

    def _value(self, placed: Placed, shape: tuple[int, ...], values: Any, gradients: Any) -> Any:
        pattern, nodes = placed
        program = self._programs.get((pattern, shape))
        if program is None:
            numbers = {
                self._named(n): self._argument(n) for n in pattern.nodes if n in self.space.numbers
            }
            lowering = Lowering(
                self.builder, self.arguments, self.given_gradients, self._prime, False, numbers
            )
            program = Program(lowering.number(self.tree_of(pattern, shape)))
            self._programs[pattern, shape] = program
        known = {}
        for own, position in zip(pattern.nodes, nodes, strict=True):
            number = self.space.numbers.get(position)
            known[self._argument(own)] = values[position] if number is None else number.value
            if position in gradients:
                known[self.given_gradients[own]] = gradients[position]
        return program(known)

    def _argument(self, position: int) -> Any:
        """The argument for a node or a number."""
        if position not in self.space.numbers:
            return self.arguments[position]
        if position not in self._numbers:
            value = np.asarray(self.space.numbers[position].value)
            self._numbers[position] = self.builder.argument(value, "c")
        return self._numbers[position]

    def _lowered(self, tree: Tree, gradients: Mapping[int, Any], apart: bool) -> Any:
        return Lowering(self.builder, self.arguments, gradients, self._prime, apart).number(tree)

    def _prime(self, name: str, axes: Axes) -> Tree:
        """The derivative of an operation of one operand, as a formula in the node −1."""
        x, expr = prime(self.space, name)
        symbol = self.space.symbol(Element(-1, axes))
        return Arranger(self.space).tree(expr.xreplace({x: symbol}), axes)

    # Comparing and putting in

    def _is_open(self, expr: Expr) -> bool:
        """Whether an expression contains the name of a gradient or of a derivative."""
        return self.space.contains(expr, lambda e: isinstance(e, Element) and e.gradient) or any(
            f.func.__name__.endswith("′") for f in expr.atoms(sympy.Function)
        )

    def resolved(self, expr: Expr) -> Expr:
        """An expression in which formulas replace all names of gradients and of derivatives."""
        space = self.space
        changes: dict[Any, Any] = {}
        for symbol in lowest.symbols(expr):
            entry = space.entry(symbol)
            if isinstance(entry, Element) and entry.gradient and entry.node in self.chain.gradients:
                node = self.chain.nodes[entry.node]
                if node.op is None and node not in self.chain.wrt:
                    continue
                closed = self.resolved(space.summed(self.chain.gradients[entry.node].closed))
                changes[symbol] = space.rename(
                    closed, {k: i for k, i in enumerate(entry.indices) if i is not None}
                )
            elif isinstance(entry, Total) and self._is_open(entry.body):
                body, lengths = space.opened(entry)
                changes[symbol] = space.total(self.resolved(body), lengths)
        primes = {}
        for f in expr.atoms(sympy.Function):
            if f.func.__name__.endswith("′"):
                x, derivative = prime(space, f.func.__name__[:-1])
                primes[f] = derivative.xreplace({x: f.args[0]})
        if changes or primes:
            expr = space.lowest(expr.xreplace(primes).xreplace(changes))
        return expr


def _is_number(node: Any) -> bool:
    """Whether formulas write a constant as a number: all of its elements are equal."""
    if node.op is not None or node.requires_grad or node.name is not None or not node.size:
        return False
    array = np.asarray(node.array)
    return node.ndim == 0 or bool((array == array.flat[0]).all())


def _gradient(chain: Chain, position: int) -> Any:
    """The gradient of a node, or ones of its shape."""
    node = chain.nodes[position]
    return np.asarray(chain.values.get(node, np.ones(node.shape)))


class Letters(dict[int, str]):
    """A letter for each length, assigned at first use."""

    def __init__(self, given: dict[int, str], letters: Any) -> None:
        super().__init__(given)
        self.rest = letters

    def back(self) -> dict[str, int]:
        """The lengths by their letters."""
        return {name: n for n, name in self.items()}

    def __missing__(self, n: int) -> str:
        self[n] = next(self.rest)
        return self[n]


def prime(space: Space, name: str) -> tuple[Any, Expr]:
    """The derivative of an elementwise operation of one operand, as an expression in x."""
    x = argument(np.ones(()), True)
    with setting(recording=True, observer=None):
        y = apply(OPS[name], (x,), {}, as_written=True)
        g = argument(np.ones(()), False)
        part = sweep({y: g}, {x}, on_tensors=True, as_written=True)[x]
    symbol = sympy.Symbol("x")
    known = {x.position: symbol, g.position: sympy.S.One}
    known[y.position] = called(name)(symbol)
    return symbol, Reader(space, known, True, True).read(part)
