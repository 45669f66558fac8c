"""What a walkthrough consists of: headings, paragraphs and equations."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from autograd_lite.explanation.sentences import Piece

__all__ = ["Equation", "Heading", "Item"]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading.

    Attributes:
        level: 1 for the title.
        text: its text.
    """

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Equation:
    """A chain of equal sides.

    Attributes:
        left: the side on the left.
        right: the other sides, one a line.
        note: the rule that it follows.
        closed: the closed form of the gradient, or None.
        badge: the symbol of the operation.
        role: the role of the node in a picture: data, parameter, result or loss.
        gradient: whether it is about a gradient.
    """

    left: list[Piece]
    right: list[list[Piece]]
    note: str = ""
    closed: Any = None
    badge: str = ""
    role: str = "result"
    gradient: bool = False


Item = Heading | Equation | str
"""A heading, an equation, or a paragraph."""
