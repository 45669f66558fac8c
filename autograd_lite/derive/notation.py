"""Writing formulas, and what they look like as text on one line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from autograd_lite.derive import names
from autograd_lite.derive.source import key_text
from autograd_lite.derive.tree import Tree, unsigned
from autograd_lite.op import OPS
from autograd_lite.text import number as rounded
from autograd_lite.text import superscript

__all__ = ["Notation", "Text", "between"]

Written = tuple[str, int]
"""A formula, and how tightly it holds together."""

SUM, PRODUCT, PREFIX, POWER, ATOM = 50, 60, 70, 80, 100

RELATIONS = {
    "less": "<",
    "less_equal": "≤",
    "greater": ">",
    "greater_equal": "≥",
    "equal": "=",
    "not_equal": "≠",
}


class Notation:
    """Writes trees; a notation says how atoms, powers, fractions and functions look.

    Args:
        names: the name of each node by its position.
        slopes: the name of each node's slope by its position.
        lengths: the letters of the lengths of axes.
        activation: the operation that is called g.
    """

    def __init__(
        self,
        names: dict[int, str],
        slopes: dict[int, str],
        lengths: dict[int, str],
        activation: str | None = None,
    ) -> None:
        self.names = names
        self.slopes = slopes
        self.lengths = lengths
        self.activation = activation

    def __call__(self, tree: Tree) -> str:
        return self.written(tree)[0]

    def inside(self, tree: Tree, precedence: int) -> str:
        """A formula, in parentheses if it holds together less than that."""
        text, own = self.written(tree)
        return text if own >= precedence else self.closed(text)

    def written(self, tree: Tree) -> Written:
        name = {"T": "transpose", "norm²": "norm_squared"}.get(tree.kind, tree.kind)
        return getattr(self, f"_{name}")(tree)  # type: ignore[no-any-return]

    # Atoms

    def _number(self, tree: Tree) -> Written:
        p, q = int(tree.data.p), int(tree.data.q)
        if q != 1:
            text, precedence = self.fraction(self.digits(abs(p)), self.digits(q))
            return (self.minus(text), PREFIX) if p < 0 else (text, precedence)
        return (self.minus(self.digits(-p)), PREFIX) if p < 0 else (self.digits(p), ATOM)

    def _float(self, tree: Tree) -> Written:
        digits = rounded(tree.data) if float(f"{tree.data:.4f}") == tree.data else repr(tree.data)
        text = digits.lstrip("-−")
        return (
            (self.minus(self.digits(text)), PREFIX) if digits != text else (self.digits(text), ATOM)
        )

    def _length(self, tree: Tree) -> Written:
        return self.name(self.lengths[tree.data]), ATOM

    def _node(self, tree: Tree) -> Written:
        return self.name(self.names[tree.data]), ATOM

    def _slope(self, tree: Tree) -> Written:
        return self.slope(self.slopes[tree.data]), ATOM

    def _eye(self, tree: Tree) -> Written:
        return self.name("I"), ATOM

    # What everybody writes alike

    def _add(self, tree: Tree) -> Written:
        parts: list[str] = []
        for k, arg in enumerate(tree.args):
            negative, arg = unsigned(arg)
            text = self.inside(arg, SUM + 1 if negative or k else SUM)
            if k:
                parts += [self.sign("−" if negative else "+"), text]
            else:
                parts.append(self.minus(text) if negative else text)
        return self.row(parts), SUM

    def _neg(self, tree: Tree) -> Written:
        return self.minus(self.inside(tree.args[0], PRODUCT)), PREFIX

    def _mul(self, tree: Tree) -> Written:
        parts = [self.inside(a, PRODUCT) for a in tree.args]
        if tree.data == "plain" and tree.args[0].kind == "slope":
            return self.row([parts[0], self.dot(), self.juxtaposed(parts[1:])]), PRODUCT
        if tree.data == "plain" or not tree.axes:
            return self.juxtaposed(parts), PRODUCT
        parts = [
            self.closed(p) if a.kind in ("matmul", "outer", "scaled", "rows", "columns") else p
            for p, a in zip(parts, tree.args, strict=True)
        ]
        return self.row(between(parts, self.sign("⊙"))), PRODUCT - 1

    def _scaled(self, tree: Tree) -> Written:
        lead, body = tree.args
        negative, lead = unsigned(lead)
        right = self.inside(body, PRODUCT)
        if lead.kind == "number" and lead.data == 1:
            text = right
        elif lead.kind in ("div",) or (lead.kind == "number" and lead.data.q != 1):
            text = self.row([self.coefficient(self(lead)), right])
        elif lead.kind == "add":
            text = self.row([self.inside(lead, PRODUCT), self.thin(), right])
        else:
            text = self.juxtaposed([self.inside(lead, PRODUCT), right])
        return (self.minus(text), PREFIX) if negative else (text, PRODUCT)

    def _matmul(self, tree: Tree) -> Written:
        return self.juxtaposed([self.inside(a, PRODUCT) for a in tree.args]), PRODUCT

    def _outer(self, tree: Tree) -> Written:
        u, v = tree.args
        parts = [
            self.inside(u, PRODUCT) if u.axes[:1] != (None,) else self.transposed(u),
            self.transposed(v) if v.axes[:1] != (None,) else self.inside(v, PRODUCT),
        ]
        if parts[0].endswith(")"):
            return self.row(between(parts, self.thin())), PRODUCT
        return self.juxtaposed(parts), PRODUCT

    def _rows(self, tree: Tree) -> Written:
        v, m = tree.args
        return self.row(
            [self.function("diag", [self(v)]), self.thin(), self.inside(m, PRODUCT)]
        ), PRODUCT

    def _columns(self, tree: Tree) -> Written:
        v, m = tree.args
        return self.row(
            [self.inside(m, PRODUCT), self.thin(), self.function("diag", [self(v)])]
        ), PRODUCT

    def _transpose(self, tree: Tree) -> Written:
        (arg,) = tree.args
        if arg.kind == "opaque" and not isinstance(arg.data[0], str) and arg.data[0].name == "inv":
            return self.raised(self.inside(arg.args[0], ATOM), self.inverse_transposed), POWER
        return self.transposed(tree.args[0]), ATOM - 1

    def _axes(self, tree: Tree) -> Written:
        return self.written(tree.args[0])

    def _div(self, tree: Tree) -> Written:
        top, below = tree.args
        negative, top = unsigned(top)
        text, precedence = self.over(top, below)
        return (self.minus(text), PREFIX) if negative else (text, precedence)

    def _pow(self, tree: Tree) -> Written:
        base, exponent = tree.args
        return self.power(base, self(exponent)), POWER

    def _dot(self, tree: Tree) -> Written:
        return self.row(between([self.inside(a, PRODUCT) for a in tree.args], self.dot())), PRODUCT

    def _sum(self, tree: Tree) -> Written:
        (arg,) = tree.args
        if tree.data is None:
            return self.row([self.sign_of_sum(), self.inside(arg, PRODUCT)]), PRODUCT
        ones = self.ones(tree.data == 0)
        parts = [ones, self.inside(arg, PRODUCT)]
        return self.row(between(parts if tree.data == 0 else parts[::-1], self.thin())), PRODUCT

    def _trace(self, tree: Tree) -> Written:
        return self.function("tr", [self(tree.args[0])]), ATOM

    def _diagonal(self, tree: Tree) -> Written:
        return self.function("diag", [self(tree.args[0])]), ATOM

    def _norm(self, tree: Tree) -> Written:
        return self.bars(self(tree.args[0]), "‖"), ATOM

    def _norm_squared(self, tree: Tree) -> Written:
        return self.raised(self.bars(self(tree.args[0]), "‖"), "2"), POWER

    def _call(self, tree: Tree) -> Written:
        name = tree.data
        if name in ("power", "float_power"):
            return self.power(tree.args[0], self(tree.args[1])), POWER
        if name in RELATIONS:
            if tree.args[1].kind == "opaque" and tree.args[1].data[0] == "arange":
                return self.function("onehot", [self(tree.args[0])]), ATOM
            sides = [self(a) for a in tree.args]
            return self.indicator(self.row(between(sides, self.sign(RELATIONS[name])))), ATOM
        if name == "absolute":
            return self.bars(self(tree.args[0]), "|"), ATOM
        if name == "sqrt":
            return self.root(tree.args[0]), ATOM
        arguments = [self(a) for a in tree.args]
        if name.endswith("′"):
            op = name[:-1]
            return self.function(
                "g" if op == self.activation else OPS[op].symbol, arguments, "′"
            ), ATOM
        return self.function(OPS[name].symbol if name in OPS else name, arguments), ATOM

    def _opaque(self, tree: Tree) -> Written:
        op, attributes, _ = tree.data
        if op == "arange":
            return self.function("arange", [self.digits(attributes["n"])]), ATOM
        if op == "array":
            return self.plain(_short(attributes["values"].tolist())), ATOM
        if op.name == "getitem":
            return self.picked(self.inside(tree.args[0], ATOM), key_text(attributes["key"])), ATOM
        if op.name == "add_at":
            place = self.plain(f"[{key_text(attributes['key'])}]")
            return self.function("add_at", [self(tree.args[0]), place]), ATOM
        if op.name == "inv":
            return self.raised(self.inside(tree.args[0], ATOM), "−1"), POWER
        arguments = [self(a) for a in tree.args]
        extra = [f"{k}={_short(v)}" for k, v in attributes.items() if k not in ("axis", "shape")]
        axis = attributes.get("axis")
        if axis is not None and tree.args and len(tree.args[0].axes) > 2:
            extra.append(f"axis={axis}")
        symbol = op.symbol if re.fullmatch(r"[\w .]+", op.symbol) else op.name
        return self.function(symbol, arguments + [self.plain(e) for e in extra]), ATOM

    def _broadcast(self, tree: Tree) -> Written:
        return self.written(tree.args[0])

    def _einsum(self, tree: Tree) -> Written:
        letters: dict[int, str] = {}
        for i in [i for i in tree.axes if i is not None] + list(tree.data):
            letters[i] = "ijklmnpqrstuv"[len(letters) % 13]
        parts = []
        for arg in tree.args:
            for i in arg.axes:
                if i is not None and i not in letters:
                    letters[i] = "ijklmnpqrstuv"[len(letters) % 13]
            inner = "".join("1" if i is None else letters[i] for i in arg.axes)
            parts.append(
                self.indexed(self.inside(arg, ATOM), inner) if inner else self.inside(arg, PRODUCT)
            )
        bound = "".join(letters[i] for i in tree.data)
        sign = self.indexed(self.sign_of_sum(), bound)
        return self.row([sign, self.thin(), self.juxtaposed(parts)]), PRODUCT

    def _diag(self, tree: Tree) -> Written:
        return self.function("diag", [self(tree.args[0])]), ATOM

    # What the notations differ in; these are those of text

    inverse_transposed = "−T"

    def digits(self, n: Any) -> str:
        return str(n)

    def name(self, name: str) -> str:
        return names.plain(name)

    def slope(self, name: str) -> str:
        return self.name(name)

    def plain(self, text: str) -> str:
        return text

    def minus(self, text: str) -> str:
        return "−" + text

    def sign(self, symbol: str) -> str:
        return f" {symbol} "

    def sign_of_sum(self) -> str:
        return "Σ "

    def dot(self) -> str:
        return " · "

    def thin(self) -> str:
        return " "

    def row(self, parts: Sequence[str]) -> str:
        return "".join(parts).replace("Σ (", "Σ(").replace(") (", ")(")

    def closed(self, text: str) -> str:
        return f"({text})"

    def coefficient(self, text: str) -> str:
        return f"({text}) "

    def juxtaposed(self, parts: Sequence[str]) -> str:
        text = parts[0]
        for part in parts[1:]:
            beside = part[0] == "(" and (text[-1] in ")ᵀ" or text.isdecimal())
            tight = beside or (_is_tight(text) and _is_tight(part))
            text += part if tight else " " + part
        return text

    def fraction(self, top: str, below: str) -> Written:
        return f"{top}/{below}", PRODUCT

    def over(self, top: Tree, below: Tree) -> Written:
        text = self.inside(below, POWER)
        if " " in text and not text.startswith("("):
            text = self.closed(text) if below.kind in ("mul", "scaled", "matmul") else text
        return f"{self.inside(top, PRODUCT)}/{text}", PRODUCT

    def transposed(self, tree: Tree) -> str:
        text = self.inside(tree, ATOM)
        bare = (
            (tree.kind == "node" and _one_word(text))
            or (tree.kind == "slope" and text[0] == "δ")
            or (text[0] == "(" and text[-1] == ")")
        )
        return (text if bare else self.closed(text)) + "ᵀ"

    def power(self, base: Tree, exponent: str) -> str:
        text = self.inside(base, ATOM)
        text = text if base.kind != "slope" else self.closed(text)
        return self.raised(text, exponent)

    def raised(self, text: str, exponent: str) -> str:
        if exponent.lstrip("−").isdecimal() or exponent == "−T":
            return text + superscript(exponent)
        return f"{text}^{exponent if exponent.isalnum() else f'({exponent})'}"

    def root(self, tree: Tree) -> str:
        return "√" + self.inside(tree, ATOM)

    def ones(self, left: bool) -> str:
        return "𝟏ᵀ" if left else "𝟏"

    def bars(self, text: str, bar: str) -> str:
        return f"{bar}{text}{bar}"

    def function(self, name: str, arguments: Sequence[str], prime: str = "") -> str:
        return f"{name}{prime}({', '.join(arguments)})"

    def indicator(self, text: str) -> str:
        return f"1[{text}]"

    def indexed(self, text: str, indices: str) -> str:
        return f"{text.rstrip()}[{','.join(indices)}]"

    def picked(self, text: str, key: str) -> str:
        return f"{text}[{key if len(key) <= 40 else '…'}]"


class Text(Notation):
    """Unicode on one line."""


def between(parts: Sequence[str], sign: str) -> list[str]:
    return [x for k, part in enumerate(parts) for x in ((sign, part) if k else (part,))]


def _one_word(text: str) -> bool:
    return re.fullmatch(r"[\w⁰¹²³⁴-⁾₀-₎̂̃̄]+", text) is not None


def _is_tight(text: str) -> bool:
    """Whether what stands beside a formula may touch it."""
    if text.startswith("(") and text.endswith((")", ")ᵀ")):
        return not any(c in text for c in "∂⁽⊙")
    if text.isdecimal():
        return True
    if "⁽" in text or re.search(r"σ\(|[a-zA-Z]{2}\(", text):
        return False
    while text:
        match = re.match(r"\d+|\w[\u0302\u0303\u0304\u0307⁰¹²³⁴-⁾₀-₎ᵀ]*|\([^()]*\)ᵀ?", text)
        if match is None:
            return False
        text = text[match.end() :]
        if (
            text[:1].isalpha()
            and len(match[0]) == 1
            and match[0].isascii()
            and text[:1].islower()
            and match[0].islower()
        ):
            return False
    return True


def _short(value: Any) -> str:
    text = repr(value).replace("\n", "")
    return text if len(text) <= 40 else text[:37] + "…"
