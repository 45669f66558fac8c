"""Formulas in MathML."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from itertools import pairwise
from typing import Any

from autograd_lite.derivation import names
from autograd_lite.derivation.marks import Marks
from autograd_lite.derivation.notation import ATOM, Written
from autograd_lite.derivation.tree import Tree
from autograd_lite.derivation.typeset import Typeset

__all__ = ["Marked", "MathML"]

OPEN = re.compile(r'(<mrow class="[^"]*">)?<mrow><mo>\(</mo>')
"""The beginning of a formula in parentheses."""

RAISED = re.compile(r"<msup>(<mi>.</mi>|<mover.*?</mover>)<mrow>((?:(?!</msup>).)*)</mrow></msup>")
"""A letter with a superscript."""


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
    floor: str = "<mrow><mo>⌊</mo>%s<mo>⌋</mo></mrow>"
    ceil: str = "<mrow><mo>⌈</mo>%s<mo>⌉</mo></mrow>"
    indicator = "<mrow><mn>𝟏</mn><mrow><mo>[</mo>%s<mo>]</mo></mrow></mrow>"
    applied: str = "<mrow>%s<mo>\u2061</mo><mrow><mo>(</mo>%s<mo>)</mo></mrow></mrow>"
    subscript: str = "<msub>%s%s</msub>"
    bar: str = "<mfrac><mrow>%s</mrow><mrow>%s</mrow></mfrac>"
    partial: str = "<mo>∂</mo>%s"
    square_root = "<msqrt>%s</msqrt>"
    cube_root = "<mroot><mrow>%s</mrow><mn>3</mn></mroot>"

    def name(self, name: str) -> str:
        return names.mathml(name)

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
        bare = tree.kind in ("node", "symbol", "applied") or OPEN.match(text) is not None
        bare = bare or (tree.kind == "gradient" and "<mfrac>" not in text)
        return self.raised(text if bare else self.closed % text, "<mi>⊤</mi>")

    def raised(self, text: str, exponent: str) -> str:
        exponent = exponent if exponent.startswith("<") else f"<mn>{exponent}</mn>"
        match = RAISED.fullmatch(text)
        if match:
            return f"<msup>{match[1]}<mrow>{match[2]}{exponent}</mrow></msup>"
        return f"<msup>{text}{exponent}</msup>"

    def power(self, base: Tree, exponent: str) -> str:
        text = self.inside(base, ATOM)
        raised = base.kind == "node" and text.startswith(("<msup>", "<msubsup>"))
        if base.kind == "gradient" or raised:
            text = self.closed % text
        return self.raised(text, exponent)

    def head(self, name: str, prime: str = "") -> str:
        base, marks = names.split(name)
        kind = 'mi mathvariant="normal"' if len(base) == 1 else "mi"
        return names.scripted(f"<{kind}>{escape(base)}</mi>", *names.scripts(marks + prime))

    def ordered(self, name: str, order: str) -> str:
        if name == "polygamma":
            return f"<msup>{self.head('ψ')}<mn>({order})</mn></msup>"
        return f"<msub>{self.head('I')}<mn>{order}</mn></msub>"

    def indexed(self, text: str, indices: str) -> str:
        return self.subscript % (self.row([text]), f"<mi>{indices}</mi>")


class Marked(MathML):
    """MathML in which formulas have marks.

    Args:
        marks: the mark of each formula.
        given: the arguments of a notation.
    """

    def __init__(self, marks: Marks, *given: Any) -> None:
        super().__init__(*given)
        self.marks = marks

    def _marked(self, tree: Tree, text: str) -> str:
        mark = self.marks.get(id(tree))
        return f'<mrow class="{mark}">{text}</mrow>' if mark else text

    def written(self, tree: Tree) -> Written:
        text, own = super().written(tree)
        return self._marked(tree, text), own

    def inside(self, tree: Tree, precedence: int) -> str:
        text, own = super().written(tree)
        return self._marked(tree, text if own >= precedence else self.closed % text)
