"""Formulas in MathML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any

from autograd_lite.derivation import names
from autograd_lite.derivation.notation import ATOM
from autograd_lite.derivation.tree import Tree
from autograd_lite.derivation.typeset import Typeset

__all__ = ["MathML"]


class MathML(Typeset):
    """MathML Core, which browsers show without help."""

    inverse_transposed = "<mrow><mo>−</mo><mi>⊤</mi></mrow>"
    sigma: str = "<mo>∑</mo>"
    dot: str = "<mo>·</mo>"
    thin: str = '<mspace width="0.17em"/>'
    comma: str = "<mo>,</mo>"
    semicolon: str = "<mo>;</mo>"
    ones: str = "<mn>𝟏</mn>"
    ones_row: str = "<msup><mn>𝟏</mn><mi>⊤</mi></msup>"
    minus: str = "<mrow><mo>−</mo>%s</mrow>"
    closed: str = "<mrow><mo>(</mo>%s<mo>)</mo></mrow>"
    coefficient: str = "%s" + thin
    norm: str = "<mrow><mo>‖</mo>%s<mo>‖</mo></mrow>"
    absolute: str = "<mrow><mo>|</mo>%s<mo>|</mo></mrow>"
    indicator = "<mrow><mn>𝟏</mn><mo>[</mo>%s<mo>]</mo></mrow>"
    applied: str = "<mrow>%s<mo>(</mo>%s<mo>)</mo></mrow>"
    subscript: str = "<msub>%s%s</msub>"
    bar: str = "<mfrac><mrow>%s</mrow><mrow>%s</mrow></mfrac>"
    partial: str = "<mo>∂</mo>%s"
    square_root = "<msqrt>%s</msqrt>"

    def name(self, name: str) -> str:
        name = names.plain(name)
        kind = "mi" if names.is_symbol(name) else "mtext"
        return f"<{kind}>{escape(name)}</{kind}>"

    def digits(self, n: Any) -> str:
        return f"<mn>{n}</mn>"

    def plain(self, text: str) -> str:
        return f"<mtext>{escape(text)}</mtext>"

    def sign(self, symbol: str) -> str:
        return f"<mo>{escape(symbol)}</mo>"

    def row(self, parts: Sequence[str]) -> str:
        return f"<mrow>{''.join(parts)}</mrow>"

    def juxtaposed(self, parts: Sequence[str]) -> str:
        row = [parts[0]]
        for left, part in pairwise(parts):
            digits = left.endswith("</mn>") and re.match(r"(<msup>)?<mn>\d", part)
            row += [self.dot if digits else self.thin, part]
        return self.row(row)

    def transposed(self, tree: Tree) -> str:
        text = self.inside(tree, ATOM)
        return f"<msup>{text if tree.kind == 'node' else self.closed % text}<mi>⊤</mi></msup>"

    def raised(self, text: str, exponent: str) -> str:
        exponent = exponent if exponent.startswith("<") else f"<mn>{exponent}</mn>"
        return f"<msup>{text}{exponent}</msup>"

    def head(self, name: str, prime: str = "") -> str:
        return f"<mi>{escape(name)}{prime}</mi>"

    def ordered(self, name: str, order: str) -> str:
        if name == "polygamma":
            return f"<msup><mi>ψ</mi><mn>({order})</mn></msup>"
        return f"<msub><mi>I</mi><mn>{order}</mn></msub>"

    def indexed(self, text: str, indices: str) -> str:
        return self.subscript % (self.row([text]), f"<mi>{indices}</mi>")
