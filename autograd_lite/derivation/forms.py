"""Formulas: one expression that can be read, run and compared."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property, reduce
from operator import add
from typing import Any

import numpy as np
import sympy

from autograd_lite.context import setting
from autograd_lite.core.tensor import apply
from autograd_lite.derivation import lowest, names
from autograd_lite.derivation.arrange import Arranger
from autograd_lite.derivation.chain import Chain
from autograd_lite.derivation.entries import Element, Expr, Pattern, Placed, Terms, Total, called
from autograd_lite.derivation.index import Space
from autograd_lite.derivation.latex import LaTeX
from autograd_lite.derivation.lowering import Lowering
from autograd_lite.derivation.mathml import MathML
from autograd_lite.derivation.notation import Notation, Text
from autograd_lite.derivation.numbers import is_decimal
from autograd_lite.derivation.patterns import Expressions
from autograd_lite.derivation.programs import Program
from autograd_lite.derivation.reading import Reader, exact
from autograd_lite.derivation.tree import Axes, Tree, added
from autograd_lite.expressions.expr import Builder, evaluated
from autograd_lite.expressions.names import Names
from autograd_lite.expressions.printer import expression
from autograd_lite.graph import Graph
from autograd_lite.op import OPS
from autograd_lite.sweep import sweep
from autograd_lite.text import subscript, superscript
from autograd_lite.traced import argument

__all__ = ["Form", "Writer"]

LETTERS = ("m", "n", "k", "p", "q", "r")


class Writer:
    """The names of a derivation, and how its expressions become formulas and numbers."""

    def __init__(self, chain: Chain, lengths: Mapping[str, int]) -> None:
        self.chain = chain
        self.space: Space = chain.space
        self.arranger: Arranger = Arranger(self.space)
        self._trees: dict[tuple[Pattern, tuple[int, ...]], Tree] = {}
        self._texts: dict[tuple[Terms, tuple[int, ...]], str] = {}
        self._programs: dict[tuple[Pattern, tuple[int, ...]], Program] = {}
        self.names: dict[int, str] = self._node_names()
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

    def _node_names(self) -> dict[int, str]:
        chain = self.chain
        taken: dict[str, int] = {}
        result: dict[int, str] = {}
        unnamed: list[tuple[Any, str]] = []
        parameters = [
            n for n in chain.graph.nodes if n.op is None and n.requires_grad and not n.name
        ]
        for node in chain.graph.nodes:
            name = names.plain(node.name) if node.name else ""
            if name:
                count = taken[name] = taken.get(name, 0) + 1
                result[node.position] = name if count == 1 else name + subscript(count)
            elif node is chain.loss:
                unnamed.append((node, "L"))
            elif node.op is None:
                letter = "θ" if node.requires_grad else "c"
                alone = node.requires_grad and len(parameters) == 1
                unnamed.append((node, letter if alone else letter + "#"))
            else:
                unnamed.append((node, "t#"))
        used = set(result.values())
        counters: dict[str, int] = {}
        for node, pattern in unnamed:
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
        return tree.moved(dict(zip(pattern.nodes, nodes, strict=True)))

    def tree_of(self, pattern: Pattern, shape: tuple[int, ...]) -> Tree:
        """A pattern as a formula in matrices, in its own nodes."""
        found = self._trees.get((pattern, shape))
        if found is None:
            found = self._trees[pattern, shape] = self.arranger.whole(pattern.expr, shape)
        return found

    def notation(self, kind: type[Notation]) -> Notation:
        """One of the notations, with the names of this derivation."""
        return kind(self.names, self.gradients, self.letters, self.activation, self.decimals)

    def text(self, terms: Terms, shape: tuple[int, ...]) -> str:
        """A sum on one line."""
        found = self._texts.get((terms, shape))
        if found is None:
            found = self._texts[terms, shape] = self.notation(Text)(self.tree(terms, shape))
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
            program = Program(self.expression(self.tree_of(pattern, shape), given=True))
            self._programs[pattern, shape] = program
        known = {}
        for own, position in zip(pattern.nodes, nodes, strict=True):
            known[self.arguments[own]] = values[position]
            if position in gradients:
                known[self.given_gradients[own]] = gradients[position]
        return program(known)

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


class Form:
    """A formula.

    It shows itself in a notebook; two are equal when they are the same function of the same
    nodes, by the rules of algebra. It holds where the loss is defined: x²/x is written x, which
    is a number at 0 as well.
    """

    def __init__(
        self, writer: Writer, terms: Terms, shape: tuple[int, ...], gradient_at: Any = None
    ) -> None:
        self._writer = writer
        self._gradient_at = gradient_at
        self.terms = terms
        self.shape = shape

    @classmethod
    def of(cls, writer: Writer, expr: Expr, shape: tuple[int, ...]) -> Form:
        """The formula of an expression."""
        return cls(writer, (writer.chain.patterns.placed(expr),), shape)

    @property
    def expression(self) -> Expr:
        """The formula in index notation."""
        return self._writer.space.summed(self.terms)

    @cached_property
    def tree(self) -> Tree:
        """The formula in matrices."""
        return self._writer.tree(self.terms, self.shape)

    def text(self) -> str:
        """The formula on one line, in Unicode."""
        return self._writer.text(self.terms, self.shape)

    def latex(self) -> str:
        """The formula in LaTeX's mathematics."""
        return self._writer.notation(LaTeX)(self.tree)

    def mathml(self) -> str:
        """The formula in MathML, which browsers show without help."""
        return f'<math display="block">{self._writer.notation(MathML)(self.tree)}</math>'

    def numpy(self) -> str:
        """The formula as one NumPy expression, in the names of `Derivation.values`.

        Raises:
            ValueError: if an operation in it is not a single NumPy expression.
        """
        writer = self._writer
        names = {x: writer.identifiers[p] for p, x in writer.arguments.items()}
        return expression(writer.expression(self.tree, apart=True), writer.builder, names)

    def evaluate(self, values: Mapping[Any, Any] | None = None) -> Any:
        """The value of the formula.

        Args:
            values: arrays by Tensor or by name; what is not given is computed from what is, or
                taken from the graph.

        Warns:
            CannotCheckWarning: where the formula of a gradient gives a number and the sweep at
                the same values does not, as x²/x does at 0.
        """
        from autograd_lite.derivation.check import warn_where_undefined

        given = arrays_of(self._writer, values)
        (found,) = self.computed(values_of(self._writer, given))
        result = np.asarray(found)
        result = (result if result.dtype.kind == "f" else result.astype(float))[()]
        if self._gradient_at is not None:
            warn_where_undefined(self._writer.chain, self._gradient_at, given, result)
        return result

    def computed(self, values: Mapping[int, Any]) -> list[Any]:
        """The value of the formula for values of the nodes, arrays or Tensors, by position."""
        writer = self._writer
        known = {writer.arguments[p]: value for p, value in values.items()}
        return evaluated([writer.expression(self.tree)], known)

    @property
    def operations(self) -> int:
        """The number of operations in the formula."""
        return self.tree.operations()

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Form) or self.shape != other.shape:
            return NotImplemented if not isinstance(other, Form) else False
        if self.expression == other.expression:
            return True
        a, b = (self._writer.resolved(f.expression) for f in (self, other))
        space = self._writer.space
        return bool(a == b or space.joint(a - b) == 0 or space.spread(a - b) == 0)

    def __hash__(self) -> int:
        return hash(self.shape)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        return f"<{self.text()}>"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {self.latex()}$"


def arrays_of(writer: Writer, values: Mapping[Any, Any] | None) -> dict[int, Any]:
    """Arrays that are given by Tensor or by name, as a dict by position.

    Raises:
        KeyError: for a name that no node has.
    """
    given: dict[int, Any] = {}
    for key, value in (values or {}).items():
        for position, node in writer.chain.nodes.items():
            if node is key or (
                isinstance(key, str)
                and key in (writer.names[position], writer.identifiers[position])
            ):
                given[position] = np.asarray(value)
                break
        else:
            raise KeyError(f"evaluate: nothing in this derivation is called {key!r}")
    return given


def values_of(writer: Writer, given: Mapping[int, Any]) -> dict[int, Any]:
    """The value of every node by position, computed again from the given values."""
    graph = writer.chain.graph

    def known(node: Any) -> Any:
        anew = given and node.op is not None
        return given.get(node.position, None if anew else graph.value(node))

    with np.errstate(all="ignore"):
        found = graph.replayed(known, lambda op, operands, given: op.compute(*operands, **given))
    return {node.position: value for node, value in found.items()}


def reads(writer: Writer, tensor: Any) -> Form:
    """The formula of an expression in Tensors of the graph."""
    chain = writer.chain
    known = Expressions(chain.patterns, dict(chain.known))
    writer.space.shapes |= {n.position: n.shape for n in Graph.of(tensor).nodes}
    expr = writer.space.lowest(Reader(writer.space, known).read(tensor))
    return Form.of(writer, expr, tensor.shape)
