"""The names and formulas on the cards, and the symbols of their operations."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from autograd_lite.explanation.sentences import Part, Ref
from autograd_lite.expressions.printer import key_of
from autograd_lite.graph import Graph
from autograd_lite.op import OPS, Op
from autograd_lite.text import number, printable, subscript, superscript

__all__ = [
    "ATOM",
    "COMPARISON",
    "PRODUCT",
    "SIGNED",
    "badge",
    "formula",
    "is_number",
    "is_symbol",
    "labels",
    "symbol",
    "tightness",
]

LONGEST = 14
"""A longer formula is harder to read than the name of its operation."""

ATOM, SIGNED = 100, 70
COMPARISON: int = OPS["less"].notation.precedence
SUM: int = OPS["add"].notation.precedence
PRODUCT: int = OPS["multiply"].notation.precedence
ACCENTS = frozenset("₀₁₂₃₄₅₆₇₈₉₊₋⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ᵀ′\u0302\u0303\u0304\u0307")
"""Characters that may follow the letter of a symbol, as in W₁, w⁽¹⁾ᵀ or ŷ."""

Formula = tuple[tuple[Part, ...], int]
"""Texts and references, and the precedence of the outermost operation."""


def labels(graph: Graph, distinct: bool = False) -> dict[Any, str]:
    """The name of each node, or for a result without a name a formula if it is short.

    Args:
        graph: the graph.
        distinct: whether to name every node, numbers too, and no two alike except numbers.

    Example:
        >>> import autograd_lite as ag
        >>> a, b = ag.Tensor(2.0, name="a"), ag.Tensor(3.0, name="b")
        >>> list(labels(ag.Graph.of(a * (b + 1))).values())
        ['a', 'b', 'b + 1', 'a × (b + 1)']
    """
    formulas: dict[Any, Formula] = {}
    names = _Distinct(graph) if distinct else None
    shown = {}
    for node in graph.nodes:
        if node.name is not None and (name := printable(node.name, limit=40)):
            name = name if names is None else names.name(name)
            formulas[node] = (name,), tightness(name)
        elif is_number(node):
            text = number(node.array)
            formulas[node] = (text,), SIGNED if text.startswith("−") else ATOM
            if names is None:
                continue
        else:
            found = _short(node, formulas)
            if names is not None:
                found = names.formula(node, found)
            if found is None:
                continue
            formulas[node] = found
        [shown[node]] = map(str, formulas[node][0])
    return shown


def is_number(node: Any) -> bool:
    """Whether a node is a number without a name, such as the 1 in ``t + 1``."""
    return node.op is None and not node.name and not node.requires_grad and node.shape == ()


def _short(node: Any, formulas: Mapping[Any, Formula]) -> Formula | None:
    """The formula of a result, if the operands have formulas and it is short."""
    operands = [formulas.get(x) for x in node.inputs]
    if node.op is None or None in operands:
        return None
    parts, precedence = formula(node, operands)  # type: ignore[arg-type]
    text = "".join(map(str, parts))
    return ((text,), precedence) if len(text) <= LONGEST else None


class _Distinct:
    """Names of which no two are alike: a name that several nodes have gets numbers."""

    def __init__(self, graph: Graph) -> None:
        self.given = Counter(printable(node.name or "", limit=40) for node in graph.nodes)
        self.taken: set[str] = set()
        self.numbers: Counter[str] = Counter()

    def name(self, given: str) -> str:
        """The name of a node that has one."""
        return given if self.given[given] == 1 else self._numbered(given)

    def formula(self, node: Any, found: Formula | None) -> Formula:
        """The formula of a node if no other has it, else a letter with a number."""
        text = "" if found is None else "".join(map(str, found[0]))
        if found is not None and text not in self.taken and text not in self.given:
            self.taken.add(text)
            return found
        letter = "v" if node.op is not None else "θ" if node.requires_grad else "c"
        return (self._numbered(letter),), ATOM

    def _numbered(self, stem: str) -> str:
        while True:
            self.numbers[stem] += 1
            name = stem + subscript(self.numbers[stem])
            if name not in self.given and name not in self.taken:
                self.taken.add(name)
                return name


def tightness(name: str) -> int:
    """The precedence of a name, which may be a formula such as w·x + b."""
    if name.startswith("−"):
        return min(SIGNED, tightness(name[1:]))
    outside = name
    while (shorter := re.sub(r"\([^()]*\)|\[[^\[\]]*\]", "", outside)) != outside:
        outside = shorter
    for signs, precedence in (("<>≤≥=≠", COMPARISON), ("+−", SUM), (" ·×÷", PRODUCT)):
        if any(sign in outside for sign in signs):
            return precedence
    return ATOM


def badge(node: Any, literals: dict[int, Any]) -> str:
    """The symbol of a node's operation, with the literals among its operands."""
    texts = {k: number(x.array) for k, x in literals.items()}
    left, right = texts.get(0, ""), texts.get(1, "")
    if node.op.name == "power" and right.isdecimal():
        return "(·)" + superscript(right)
    if right.startswith("−"):
        right = f"({right})"
    return f"{left} {symbol(node.op)} {right}".strip()


def symbol(op: Op) -> str:
    """The symbol of an operation without operands."""
    return "(·)ᵀ" if op.name == "transpose" else op.notation.symbol


def formula(node: Any, operands: Sequence[Formula]) -> Formula:
    """The operation of a node, written with these operands."""
    op = node.op
    symbol, precedence = op.notation.symbol, op.notation.precedence
    if op.name == "matmul":
        return _product(node, *operands)
    if op.name == "transpose":
        return (*_closed(operands[0], ATOM), "ᵀ"), ATOM
    if op.name == "absolute":
        return ("|", *operands[0][0], "|"), ATOM
    if op.name == "power" and (exponent := _exponent(operands[1])):
        return (*_closed(operands[0], ATOM), exponent), precedence
    if op.name == "getitem":
        key = _index(node.attributes.get("key", ()))
        return (*_closed(operands[0], ATOM), f"[{key}]"), ATOM
    if precedence >= ATOM or len(operands) > 2:
        if len(operands) == 1 and node.inputs[0].size != 1 and isinstance(operands[0][0][0], Ref):
            return (symbol, *operands[0][0]), ATOM  # a vector has its own parentheses
        inside = (part for parts, _ in operands for part in (", ", *parts))
        return (f"{symbol}(", *islice(inside, 1, None), ")"), ATOM
    if len(operands) == 1:
        return (symbol, *_closed(operands[0], precedence)), precedence
    left, right = operands
    return (*_closed(left, precedence), f" {symbol} ", *_right(right, precedence)), precedence


def _exponent(operand: Formula) -> Part | None:
    """A natural number as a superscript; a reference becomes one where its number is natural."""
    [part, *more] = operand[0]
    if isinstance(part, Ref):
        return part.styled("exponent")
    return superscript(part) if part.isdecimal() and not more else None


def _index(key: Any) -> str:
    """An index of numbers and slices as written; an index of arrays is left out."""
    parts = key if isinstance(key, tuple) else (key,)
    plain = all(isinstance(part, (int, np.integer, slice, type(...))) for part in parts)
    return key_of(key).replace("-", "−") if plain else "…"


def _product(node: Any, left: Formula, right: Formula) -> Formula:
    """A matrix product: Wx if both operands are symbols, w·x between vectors."""
    precedence = node.op.notation.precedence
    vectors = all(x.ndim == 1 for x in node.inputs)
    together = not vectors and all(len(p) == 1 and is_symbol(p[0]) for p in (left[0], right[0]))
    sign = () if together else ("·",)
    return (*_closed(left, precedence), *sign, *_right(right, precedence)), precedence


def is_symbol(part: Part) -> bool:
    """Whether a text is a letter with accents and scripts, such as W⁽¹⁾."""
    if isinstance(part, Ref):
        return False
    return part[0].isalpha() and all(character in ACCENTS for character in part[1:])


def _right(formula: Formula, precedence: int) -> tuple[Part, ...]:
    """The operand on the right of an operator.

    Operators are left-associative, so an equal precedence needs parentheses; so does a sign.
    """
    signed = formula[1] in (SIGNED - 1, SIGNED) or str(formula[0][0]).startswith("−")
    return _closed(formula, (SIGNED if signed else precedence) + 1)


def _closed(formula: Formula, precedence: int) -> tuple[Part, ...]:
    parts, own = formula
    if own >= precedence:
        return parts
    if isinstance(parts[0], Ref):
        return (parts[0].styled("factor"),)
    return "(", *parts, ")"
