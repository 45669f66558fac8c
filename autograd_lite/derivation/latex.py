"""Formulas in LaTeX."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from autograd_lite.derivation import names
from autograd_lite.derivation.notation import ATOM
from autograd_lite.derivation.tree import Tree
from autograd_lite.derivation.typeset import Typeset

__all__ = ["LaTeX"]

SIGNS = {
    "−": " - ", "+": " + ", "⊙": r" \odot ", "<": " < ", "≤": r" \le ", ">": " > ",
    "≥": r" \ge ", "=": " = ", "≠": r" \ne ",
}  # fmt: skip

FUNCTIONS = {
    "σ": r"\sigma",
    "g": r"\mathrm{g}",
    "φ": r"\varphi",
    "Φ": r"\Phi",
    "log Φ": r"\log \Phi",
    "(φ/Φ)": r"\frac{\varphi}{\Phi}",
    "Φ⁻¹": r"\Phi^{-1}",
    "erf⁻¹": r"\operatorname{erf}^{-1}",
    "erfc⁻¹": r"\operatorname{erfc}^{-1}",
    "ψ": r"\psi",
    "Γ": r"\Gamma",
    "B": r"\mathrm{B}",
    "log Γ": r"\log \Gamma",
    "log B": r"\log \mathrm{B}",
    "I₀": "I_{0}",
    "I₁": "I_{1}",
    "log₂": r"\log_{2}",
    "log₁₀": r"\log_{10}",
    "log Σ exp": r"\log \sum \exp",
    "Π": r"\prod",
    "λ": r"\lambda",
    "vᵀ": r"v^{\top}",
} | {
    name: rf"\{name}"
    for name in (
        "log", "exp", "max", "min", "det", "sin", "cos", "tan", "sinh", "cosh", "tanh",
        "arcsin", "arccos", "arctan",
    )
}  # fmt: skip


class LaTeX(Typeset):
    """LaTeX's mathematics."""

    inverse_transposed = r"-\top"
    sigma: str = r"\sum "
    dot: str = r" \cdot "
    thin: str = r" \, "
    ones: str = r"\mathbf{1}"
    ones_row: str = r"\mathbf{1}^{\top}"
    minus: str = "-%s"
    closed: str = r"\left(%s\right)"
    coefficient: str = "%s "
    norm: str = r"\left\| %s \right\|"
    absolute: str = r"\left| %s \right|"
    floor: str = r"\left\lfloor %s \right\rfloor"
    ceil: str = r"\left\lceil %s \right\rceil"
    indicator = r"\mathbf{1}\left[%s\right]"
    applied: str = r"%s\left(%s\right)"
    subscript: str = "{%s}_{%s}"
    bar: str = r"\frac{%s}{%s}"
    partial: str = r"\partial %s"
    square_root: str = r"\sqrt{%s}"
    cube_root: str = r"\sqrt[3]{%s}"

    def name(self, name: str) -> str:
        return names.latex(name)

    def digits(self, n: Any) -> str:
        mantissa, e, exponent = str(n).replace("−", "-").replace("∞", r"\infty").partition("e")
        return rf"{mantissa} \cdot 10^{{{int(exponent)}}}" if e else mantissa

    def plain(self, text: str) -> str:
        return names.latex(f"{text} ") if len(text) > 1 else text

    def sign(self, symbol: str) -> str:
        return SIGNS[symbol]

    def row(self, parts: Sequence[str]) -> str:
        return "".join(parts)

    def juxtaposed(self, parts: Sequence[str]) -> str:
        text = parts[0]
        for part in parts[1:]:
            digits = text[-1].isdecimal() and part[0].isdecimal()
            text += (self.dot if digits else self.thin) + part
        return text

    def transposed(self, tree: Tree) -> str:
        text = self.inside(tree, ATOM)
        bare = tree.kind in ("node", "symbol", "applied") or text.startswith(r"\left(")
        bare = bare or (tree.kind == "gradient" and "frac" not in text)
        return self.raised(text if bare else self.closed % text, r"\top")

    def raised(self, text: str, exponent: str) -> str:
        exponent = exponent.replace("−", "-")
        match = re.fullmatch(r"([^ ]*)\^\{([^{}]*)\}", text)
        if match:
            return f"{match[1]}^{{{match[2]}{exponent}}}"
        return f"{text}^{{{exponent}}}"

    def power(self, base: Tree, exponent: str) -> str:
        text = self.inside(base, ATOM)
        if base.kind == "gradient" or ("^" in text and base.kind == "node"):
            text = self.closed % text
        return self.raised(text, exponent)

    def head(self, name: str, prime: str = "") -> str:
        bare = re.sub(r"[^\w ]", "", name).replace(" ", r"\,").replace("_", r"\_") or "f"
        return FUNCTIONS.get(name, rf"\operatorname{{{bare}}}") + (prime and "'")

    def ordered(self, name: str, order: str) -> str:
        return rf"\psi^{{({order})}}" if name == "polygamma" else f"I_{{{order}}}"

    def indexed(self, text: str, indices: str) -> str:
        return self.subscript % (text, indices)
