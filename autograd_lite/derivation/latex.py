"""Writing formulas as LaTeX."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from autograd_lite.derivation import names
from autograd_lite.derivation.notation import ATOM, Notation, Written
from autograd_lite.derivation.tree import Tree

__all__ = ["LaTeX"]


class LaTeX(Notation):
    """LaTeX's mathematics."""

    OPEN = r"\left("
    inverse_transposed = r"-\top"
    SIGNS: dict[str, str] = {  # noqa: RUF012
        "−": " - ", "+": " + ", "⊙": r" \odot ", "<": " < ", "≤": r" \le ", ">": " > ",
        "≥": r" \ge ", "=": " = ", "≠": r" \ne ",
    }  # fmt: skip

    def name(self, name: str) -> str:
        return names.latex(name)

    def gradient(self, name: str) -> str:
        match = re.fullmatch(r"(∂²?)(.*)/∂(.*)", name, re.DOTALL)
        if match is None:
            return self.name(name)
        return rf"\frac{{\partial {self.name(match[2])}}}{{\partial {self.name(match[3])}}}"

    def digits(self, n: Any) -> str:
        mantissa, e, exponent = str(n).replace("−", "-").replace("∞", r"\infty").partition("e")
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if e else mantissa

    def plain(self, text: str) -> str:
        return names.latex(f"{text} ") if len(text) > 1 else text

    def minus(self, text: str) -> str:
        return "-" + text

    def sign(self, symbol: str) -> str:
        return self.SIGNS[symbol]

    def sign_of_sum(self) -> str:
        return r"\sum "

    def dot(self) -> str:
        return r" \cdot "

    def thin(self) -> str:
        return r" \, "

    def row(self, parts: Sequence[str]) -> str:
        return "".join(parts)

    def closed(self, text: str) -> str:
        return rf"\left({text}\right)"

    def coefficient(self, text: str) -> str:
        return text + " "

    def juxtaposed(self, parts: Sequence[str]) -> str:
        text = parts[0]
        for part in parts[1:]:
            digits = text[-1].isdecimal() and part[0].isdecimal()
            text += (r" \cdot " if digits else r" \, ") + part
        return text

    def fraction(self, top: str, below: str) -> Written:
        return rf"\frac{{{top}}}{{{below}}}", ATOM - 1

    def over(self, top: Tree, below: Tree) -> Written:
        return self.fraction(self(top), self(below))

    def transposed(self, tree: Tree) -> str:
        text = self.inside(tree, ATOM)
        closed = tree.kind == "node" or text.startswith((r"\left(", "δ"))
        return self.raised(text if closed or (tree.kind == "gradient" and "frac" not in text)
                           else self.closed(text), r"\top")  # fmt: skip

    def raised(self, text: str, exponent: str) -> str:
        exponent = exponent.replace("−", "-")
        match = re.fullmatch(r"([^ ]*)\^\{([^{}]*)\}", text)
        if match:
            return f"{match[1]}^{{{match[2]}{exponent}}}"
        return f"{text}^{{{exponent}}}"

    def power(self, base: Tree, exponent: str) -> str:
        text = self.inside(base, ATOM)
        if base.kind == "gradient" or ("^" in text and base.kind == "node"):
            text = self.closed(text)
        return self.raised(text, exponent)

    def rooted(self, text: str, precedence: int) -> str:
        return rf"\sqrt{{{text}}}"

    def grouped(self, text: str) -> str:
        return text

    def ones(self, left: bool) -> str:
        return r"\mathbf{1}^{\top}" if left else r"\mathbf{1}"

    def bars(self, text: str, bar: str) -> str:
        side = r"\|" if bar == "‖" else "|"
        return rf"\left{side} {text} \right{side}"

    def head(self, name: str, prime: str = "") -> str:
        known = {"σ": r"\sigma", "log": r"\log", "exp": r"\exp", "tanh": r"\tanh", "g": "g",
                 "sin": r"\sin", "cos": r"\cos", "max": r"\max", "min": r"\min",
                 "det": r"\det"}  # fmt: skip
        return (known.get(name) or rf"\operatorname{{{_bare(name)}}}") + (prime and "'")

    def function(self, name: str, arguments: Sequence[str], prime: str = "") -> str:
        return rf"{self.head(name, prime)}\left({', '.join(arguments)}\right)"

    def indicator(self, text: str) -> str:
        return rf"\mathbf{{1}}\left[{text}\right]"

    def indexed(self, text: str, indices: str) -> str:
        return rf"{{{text}}}_{{{indices}}}"

    def picked(self, text: str, key: str) -> str:
        return rf"{{{text}}}_{{{self.plain(f'[{key}]' if len(key) <= 40 else '[…]')}}}"


def _bare(name: str) -> str:
    return re.sub(r"[^\w ]", "", name).replace(" ", r"\,").replace("_", r"\_") or "f"
