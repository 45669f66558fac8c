"""Writing formulas as MathML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any

from autograd_lite.derivation import names
from autograd_lite.derivation.notation import ATOM, Notation, Written, between
from autograd_lite.derivation.tree import Tree

__all__ = ["MathML"]


class MathML(Notation):
    """MathML Core, which browsers show by themselves."""

    OPEN = "<mrow><mo>("
    inverse_transposed = "<mrow><mo>−</mo><mi>⊤</mi></mrow>"

    def name(self, name: str) -> str:
        name = names.plain(name)
        if names.is_symbol(name):
            return f"<mi>{escape(name)}</mi>"
        return f"<mtext>{escape(name)}</mtext>"

    def gradient(self, name: str) -> str:
        match = re.fullmatch(r"(∂²?)(.*)/∂(.*)", name, re.DOTALL)
        if match is None:
            return self.name(name)
        top, below = (f"<mrow><mo>∂</mo>{self.name(n)}</mrow>" for n in (match[2], match[3]))
        return f"<mfrac>{top}{below}</mfrac>"

    def digits(self, n: Any) -> str:
        return f"<mn>{n}</mn>"

    def plain(self, text: str) -> str:
        return f"<mtext>{escape(text)}</mtext>"

    def minus(self, text: str) -> str:
        return f"<mrow><mo>−</mo>{text}</mrow>"

    def sign(self, symbol: str) -> str:
        return f"<mo>{escape(symbol)}</mo>"

    def sign_of_sum(self) -> str:
        return "<mo>∑</mo>"

    def dot(self) -> str:
        return "<mo>·</mo>"

    def thin(self) -> str:
        return '<mspace width="0.17em"/>'

    def row(self, parts: Sequence[str]) -> str:
        return f"<mrow>{''.join(parts)}</mrow>"

    def closed(self, text: str) -> str:
        return f"<mrow><mo>(</mo>{text}<mo>)</mo></mrow>"

    def coefficient(self, text: str) -> str:
        return text + self.thin()

    def juxtaposed(self, parts: Sequence[str]) -> str:
        row = [parts[0]]
        for left, part in pairwise(parts):
            digits = left.endswith("</mn>") and re.match(r"(<msup>)?<mn>\d", part)
            row += [self.dot() if digits else self.thin(), part]
        return self.row(row)

    def fraction(self, top: str, below: str) -> Written:
        return f"<mfrac>{self.row([top])}{self.row([below])}</mfrac>", ATOM - 1

    def over(self, top: Tree, below: Tree) -> Written:
        return self.fraction(self(top), self(below))

    def transposed(self, tree: Tree) -> str:
        text = self.inside(tree, ATOM)
        return f"<msup>{text if tree.kind == 'node' else self.closed(text)}<mi>⊤</mi></msup>"

    def raised(self, text: str, exponent: str) -> str:
        exponent = exponent if exponent.startswith("<") else f"<mn>{exponent}</mn>"
        return f"<msup>{text}{exponent}</msup>"

    def rooted(self, text: str, precedence: int) -> str:
        return f"<msqrt>{text}</msqrt>"

    def grouped(self, text: str) -> str:
        return text

    def ones(self, left: bool) -> str:
        return "<msup><mn>𝟏</mn><mi>⊤</mi></msup>" if left else "<mn>𝟏</mn>"

    def bars(self, text: str, bar: str) -> str:
        return f"<mrow><mo>{bar}</mo>{text}<mo>{bar}</mo></mrow>"

    def head(self, name: str, prime: str = "") -> str:
        return f"<mi>{escape(name)}{prime}</mi>"

    def function(self, name: str, arguments: Sequence[str], prime: str = "") -> str:
        head = self.head(name, prime)
        return self.row([head, "<mo>(</mo>", *between(arguments, "<mo>,</mo>"), "<mo>)</mo>"])

    def indicator(self, text: str) -> str:
        return f"<mrow><mn>𝟏</mn><mo>[</mo>{text}<mo>]</mo></mrow>"

    def indexed(self, text: str, indices: str) -> str:
        return f"<msub>{self.row([text])}<mi>{indices}</mi></msub>"

    def picked(self, text: str, key: str) -> str:
        return f"<msub>{text}<mtext>[{escape(key if len(key) <= 40 else '…')}]</mtext></msub>"
