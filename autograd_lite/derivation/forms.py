"""Formulas: one expression that can be read, run and compared."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np

from autograd_lite.derivation.entries import Expr, Terms
from autograd_lite.derivation.latex import LaTeX
from autograd_lite.derivation.mathml import MathML
from autograd_lite.derivation.patterns import Expressions
from autograd_lite.derivation.reading import Reader
from autograd_lite.derivation.tree import Tree
from autograd_lite.derivation.writer import Writer
from autograd_lite.expressions.expr import evaluated
from autograd_lite.expressions.printer import expression
from autograd_lite.graph import Graph

__all__ = ["Form"]


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

    @cached_property
    def readable(self) -> Tree:
        """The same as it is written: with symbols in place of index arrays."""
        return self._writer.symbols.readable(self.tree)

    def text(self) -> str:
        """The formula on one line, in Unicode."""
        return self._writer.text(self.terms, self.shape)

    def latex(self) -> str:
        """The formula in LaTeX's mathematics."""
        return self._writer.notation(LaTeX)(self.readable)

    def mathml(self) -> str:
        """The formula in MathML, which browsers show without help."""
        return f'<math display="block">{self._writer.notation(MathML)(self.readable)}</math>'

    def numpy(self) -> str:
        """The formula as one expression of NumPy, in the names of `Derivation.values`.

        `special` in it is `scipy.special`.

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
