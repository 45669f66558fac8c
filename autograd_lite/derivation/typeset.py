"""What the notations that set fractions above each other share."""

from __future__ import annotations

import re

from autograd_lite.derivation.notation import ATOM, Notation, Written
from autograd_lite.derivation.tree import Tree

__all__ = ["Typeset"]


class Typeset(Notation):
    """A notation that sets fractions above each other and roots under a bar."""

    grouped = "%s"
    bar: str
    partial: str
    square_root: str
    cube_root: str

    def gradient(self, name: str) -> str:
        match = re.fullmatch(r"∂(.*)/∂(.*)", name, re.DOTALL)
        if match is None:
            return self.name(name)
        return self.bar % tuple(self.partial % self.name(part) for part in match.groups())

    def fraction(self, top: str, below: str) -> Written:
        return self.bar % (top, below), ATOM - 1

    def over(self, top: Tree, below: Tree) -> Written:
        return self.fraction(self(top), self(below))

    def root(self, text: str, precedence: int, name: str = "sqrt") -> str:
        return (self.square_root if name == "sqrt" else self.cube_root) % text
