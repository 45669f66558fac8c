"""The names and formulas on the cards, and the symbols of their operations."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from typing import Any

import numpy as np

from autograd_lite.explanation.sentences import Part, Ref
from autograd_lite.expressions.printer import key_of
from autograd_lite.graph import Graph
from autograd_lite.op import Op
from autograd_lite.text import number, printable, superscript

__all__ = ["ATOM", "SIGNED", "badge", "formula", "labels", "symbol"]

LONGEST = 14
"""A longer formula is harder to read than the name of its operation."""

ATOM, SIGNED = 100, 70
ACCENTS = frozenset("₀₁₂₃₄₅₆₇₈₉₊₋⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ᵀ′\u0302\u0303\u0304\u0307")
"""Characters that may follow the letter of a symbol, as in W₁, w⁽¹⁾ᵀ or ŷ."""

Formula = tuple[tuple[Part, ...], int]
"""Texts and references, and the precedence of the outermost operation."""


def labels(graph: Graph) -> dict[Any, str]:
    """The name of each node, or for a result without a name a formula if it is short.

    Example:
        >>> import autograd_lite as ag
        >>> a, b = ag.Tensor(2.0, name="a"), ag.Tensor(3.0, name="b")
        >>> list(labels(ag.Graph.of(a * (b + 1))).values())
        ['a', 'b', 'b + 1', 'a × (b + 1)']
    """
    formulas: dict[Any, Formula] = {}
    shown = {}
    for node in graph.nodes:
        if node.name is not None and (name := printable(node.name, limit=40)):
            formulas[node] = (name,), ATOM
        elif node.op is not None:
            operands = [formulas.get(x) for x in node.inputs]
            if None in operands:
                continue
            parts, precedence = formula(node, operands)  # type: ignore[arg-type]
            text = "".join(map(str, parts))
            if len(text) > LONGEST:
                continue
            formulas[node] = (text,), precedence
        elif node.shape == () and not node.requires_grad:
            text = number(node.array)
            formulas[node] = (text,), SIGNED if text.startswith("−") else ATOM
            continue
        else:
            continue
        [shown[node]] = map(str, formulas[node][0])
    return shown


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
    # Operators are left-associative, so an equal precedence needs parentheses on the right.
    sides = _closed(left, precedence), _closed(right, precedence + 1)
    return (*sides[0], f" {symbol} ", *sides[1]), precedence


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
    together = not vectors and _is_symbol(left[0]) and _is_symbol(right[0])
    sign = () if together else ("·",)
    return (*_closed(left, precedence), *sign, *_closed(right, precedence + 1)), precedence


def _is_symbol(parts: tuple[Part, ...]) -> bool:
    [part, *more] = parts
    if isinstance(part, Ref) or more:
        return False
    return part[0].isalpha() and all(character in ACCENTS for character in part[1:])


def _closed(formula: Formula, precedence: int) -> tuple[Part, ...]:
    parts, own = formula
    if own >= precedence:
        return parts
    if isinstance(parts[0], Ref):
        return (parts[0].styled("factor"),)
    return "(", *parts, ")"
