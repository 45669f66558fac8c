"""Sentences with numbers in them, as data: the numbers are put in when a sentence is printed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import prod
from typing import Any

import numpy as np

from autograd_lite.text import number, superscript

__all__ = [
    "Known", "Part", "Piece", "Ref", "Sentence", "Shown", "Term", "are_few", "encoded", "resolved",
    "shape", "text_of", "written",
]  # fmt: skip

FEW, ON_EDGES = 3, 2
"""A sentence, and an arrow, show at most so many numbers of an array."""


@dataclass(frozen=True, slots=True)
class Ref:
    """A reference to an array.

    Attributes:
        kind: "value" and "gradient" of a node; at an edge, the "part" of a gradient that comes
            through it, the "local" derivative, and the "jacobian" of the operation.
        at: the node, or the edge (consumer, k).
        style: how the array is written. "numbers": as by `text_of`. "factor": the same, a negative
            number in parentheses. "exponent": the same, superscript if it is a natural number.
            "range": the number if all are equal, at most two numbers, else the range. "times": a
            multiplication sign and that, a range or a negative number in parentheses.
            "transposed": the transpose as a "factor".
    """

    kind: str
    at: Any
    style: str = "numbers"

    def styled(self, style: str) -> Ref:
        """The same array, written in another style."""
        return replace(self, style=style)


Part = str | Ref


@dataclass(frozen=True, slots=True)
class Term:
    """A text with references.

    Attributes:
        parts: the texts and references in order.
        otherwise: what to print if one of the arrays is not known.
    """

    parts: tuple[Part, ...]
    otherwise: tuple[Part, ...] = ()


Sentence = tuple[tuple[Term, ...], ...]
"""The sides of an equation, each a sum of terms. Sides that are printed alike are printed once."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An array in a sentence, in a style of `Ref`."""

    array: Any
    style: str

    def __str__(self) -> str:
        if self.style in ("range", "times"):
            text = _range(np.asarray(self.array))
            if self.style == "range":
                return text
            return f" × ({text})" if "…" in text or text.startswith("−") else f" × {text}"
        return self.around(text_of(self.array))

    def around(self, text: str) -> str:
        """The text of the array with what the style adds."""
        if self.style == "exponent" and text.isdecimal():
            return superscript(text)
        closed = f"({text})" if text.startswith("−") and self.style != "numbers" else text
        return f" ^ {closed}" if self.style == "exponent" else closed


Piece = str | Shown

Known = Callable[[str, Any], Any]
"""Returns the array of a kind at a node or an edge; None if it is not known."""


def written(sentence: Sentence, known: Known) -> str:
    """A sentence with its numbers.

    Example:
        >>> side = Term(("2 × ", Ref("value", "x", "factor"))), Term((Ref("value", "y"),))
        >>> written(((Term(("z",)),), side), lambda kind, at: {"x": -3.0, "y": -1.5}[at])
        'z = 2 × (−3) − 1.5'
    """
    return " = ".join("".join(map(str, side)) for side in resolved(sentence, known))


def resolved(
    sentence: Sentence, known: Known, text: Callable[[Piece], str] = str
) -> list[list[Piece]]:
    """The sides of a sentence, each as texts and arrays; of equal sides only the first.

    Args:
        sentence: the sentence.
        known: returns the arrays.
        text: writes a text or an array; sides are equal if they are written alike.
    """
    sides: dict[str, list[Piece]] = {}
    for terms in sentence:
        side = _sum([_term(term, known) for term in terms])
        sides.setdefault("".join(map(text, side)), side)
    return list(sides.values())


def _term(term: Term, known: Known) -> list[Piece]:
    found: list[Piece] = []
    for part in term.parts:
        if isinstance(part, str):
            found.append(part)
            continue
        array = known(part.kind, part.at)
        if array is None:
            return _term(Term(term.otherwise), known)
        turned = part.style == "transposed"
        found.append(Shown(np.transpose(array), "factor") if turned else Shown(array, part.style))
    return found


def _sum(terms: list[list[Piece]]) -> list[Piece]:
    """A sum, with minus signs in place of negative terms."""
    found = terms[0]
    for first, *rest in terms[1:]:
        if not str(first).startswith("−"):
            found = [*found, " + ", first, *rest]
        elif isinstance(first, str):
            found = [*found, " − ", first[1:], *rest]
        else:
            found = [*found, " − ", Shown(-first.array, first.style), *rest]
    return found


def _range(values: Any) -> str:
    if values.size == 0:
        return ""
    if (values == values.flat[0]).all():
        return number(values.flat[0])
    return text_of(values) if values.size <= ON_EDGES else _span(values)


def text_of(array: Any) -> str:
    """An array in a sentence: its numbers if there are few, else its shape and range.

    Example:
        >>> import numpy as np
        >>> text_of(-0.5), text_of(np.array([1.0, 2.0])), text_of(np.arange(20.0))
        ('−0.5', '(1, 2)', '(20,) numbers, 0 … 19')
    """
    if isinstance(array, tuple):
        return f"{len(array)} arrays"
    values = np.asarray(array)
    if values.size == 1:
        return number(values.flat[0])
    if values.size == 0:
        return "nothing"
    if are_few(values.shape):
        return f"({', '.join(number(x) for x in values.flat)})"
    return f"{shape(values)} numbers, {_span(values)}"


def shape(array: Any) -> str:
    """The shape of an array as Python writes it; an empty string for a number."""
    if isinstance(array, tuple):
        return ""
    sides = np.shape(array)
    return f"({', '.join(map(str, sides))}{',' * (len(sides) == 1)})" if sides else ""


def are_few(sides: tuple[int, ...]) -> bool:
    """Whether a sentence shows every number of an array of this shape."""
    return 0 < prod(sides) <= FEW


def _span(values: Any) -> str:
    with np.errstate(all="ignore"):
        return f"{number(values.min())} … {number(values.max())}"


def encoded(sentence: Sentence, number_of: Callable[[Any], int]) -> list[Any]:
    """A sentence as JSON, for a program that prints it with other numbers.

    A side is a list of terms, and a term is a list of parts, or ``{"parts", "otherwise"}``. A part
    is a text, or a reference ``[kind, style, node]`` or ``[kind, style, consumer, k]``.

    Args:
        sentence: the sentence.
        number_of: returns the number that stands for a node.
    """

    def part(part: Part) -> Any:
        if isinstance(part, str):
            return part
        at = part.at if isinstance(part.at, tuple) else (part.at,)
        return [part.kind, part.style, number_of(at[0]), *at[1:]]

    def term(term: Term) -> Any:
        parts = [part(p) for p in term.parts]
        if not any(isinstance(p, Ref) and p.kind == "local" for p in term.parts):
            return parts
        return {"parts": parts, "otherwise": [part(p) for p in term.otherwise]}

    return [[term(t) for t in side] for side in sentence]
