"""Writing formulas, and what they look like as text on one line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from autograd_lite.derivation import names
from autograd_lite.derivation.numbers import constant, is_decimal
from autograd_lite.derivation.spacing import NUMBER, SYMBOL, is_tight, one_word
from autograd_lite.derivation.tree import Tree, is_product, is_range, spread, unsigned
from autograd_lite.expressions.printer import key_of
from autograd_lite.op import OPS
from autograd_lite.text import superscript

__all__ = ["Notation", "Text", "between"]

Written = tuple[str, int]
"""A formula, and how tightly it holds together."""

SUM, SIGMA, QUOTIENT, PRODUCT, PREFIX, POWER, ATOM = 50, 55, 58, 60, 70, 80, 100

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
        gradients: the name of each node's gradient by its position.
        lengths: the letters of the lengths of axes.
        activation: the operation that is called g.
        decimals: write 1/100 as 0.01, as the program does.
    """

    def __init__(
        self,
        names: dict[int, str],
        gradients: dict[int, str],
        lengths: dict[int, str],
        activation: str | None = None,
        decimals: bool = False,
    ) -> None:
        self.names = names
        self.gradients = gradients
        self.lengths = lengths
        self.activation = activation
        self.decimals = decimals

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
        if self.decimals and is_decimal(tree.data):
            text = self.digits(f"{abs(p) / q:g}")
            return (self.minus(text), PREFIX) if p < 0 else (text, ATOM)
        if q != 1:
            text, precedence = self.fraction(self.digits(abs(p)), self.digits(q))
            return (self.minus(text), PREFIX) if p < 0 else (text, precedence)
        return (self.minus(self.digits(-p)), PREFIX) if p < 0 else (self.digits(p), ATOM)

    def _float(self, tree: Tree) -> Written:
        x = float(tree.data)
        if x < 0:
            text, _ = self._float(Tree("float", data=-x))
            return self.minus(text), PREFIX
        known = constant(x)
        if known is not None:
            function, p, q, π = known
            tops = [self.digits(p)] if p != 1 or π < 1 else []
            belows = [self.digits(q)] if q != 1 else []
            (tops if π > 0 else belows).extend([self.name("π")] * abs(π))
            text, own = self.juxtaposed(tops), PRODUCT if len(tops) > 1 else ATOM
            if belows:
                below = self.juxtaposed(belows)
                text, own = self.fraction(text, below if len(belows) == 1 else self.grouped(below))
            if function == "sqrt":
                return self.rooted(text, own), ATOM
            return (self.function("log", [text]), ATOM) if function == "log" else (text, own)
        mantissa, _, exponent = repr(x).partition("e")
        if not exponent:
            return self.digits(mantissa), ATOM
        power = self.raised(self.digits(10), str(int(exponent)).replace("-", "−"))
        if mantissa == "1":
            return power, POWER
        return self.juxtaposed([self.digits(mantissa), power]), PRODUCT

    def _length(self, tree: Tree) -> Written:
        return self.name(self.lengths[tree.data]), ATOM

    def _node(self, tree: Tree) -> Written:
        return self.name(self.names[tree.data]), ATOM

    def _gradient(self, tree: Tree) -> Written:
        return self.gradient(self.gradients[tree.data]), ATOM

    def _eye(self, tree: Tree) -> Written:
        return self.name("I"), ATOM

    # What everybody writes alike

    def _add(self, tree: Tree) -> Written:
        parts: list[str] = []
        for k, arg in enumerate(tree.args):
            negative, arg = unsigned(arg)
            arg = spread(arg, tree)
            text = self.inside(arg, SUM + 1 if negative or k else SUM)
            if k:
                parts += [self.sign("−" if negative else "+"), text]
            else:
                parts.append(self.minus(text) if negative else text)
        return self.row(parts), SUM

    def _neg(self, tree: Tree) -> Written:
        return self.minus(self.inside(tree.args[0], SIGMA)), PREFIX

    def last(self, tree: Tree) -> Written:
        """The last factor of a product: Σ and · reach to the end of theirs."""
        text, own = self.written(tree)
        return (text, min(own, PRODUCT)) if own >= SIGMA else (self.closed(text), PRODUCT)

    def _mul(self, tree: Tree) -> Written:
        args = [spread(arg, tree) for arg in tree.args]
        text, precedence = self.last(args[-1])
        parts = [*(self.inside(arg, PRODUCT) for arg in args[:-1]), text]
        if tree.data == "plain" and tree.args[0].kind == "gradient":
            return self.row([parts[0], self.dot(), self.juxtaposed(parts[1:])]), PRODUCT
        if tree.data == "plain" or not tree.axes:
            return self.juxtaposed(parts), precedence
        parts = [
            self.closed(p) if is_product(a) else p for p, a in zip(parts, tree.args, strict=True)
        ]
        return self.row(between(parts, self.sign("⊙"))), SIGMA - 1

    def _scaled(self, tree: Tree) -> Written:
        lead, body = tree.args
        negative, lead = unsigned(lead)
        right, precedence = self.last(body)
        if lead.kind == "number" and lead.data == 1:
            text = right
        elif lead.kind == "div" or (lead.kind == "number" and not self.is_whole(lead.data)):
            text = self.row([self.coefficient(self(lead)), right])
        elif lead.kind == "add":
            text = self.row([self.inside(lead, PRODUCT), self.thin(), right])
        else:
            text = self.juxtaposed([self.inside(lead, PRODUCT), right])
        return (self.minus(text), PREFIX) if negative else (text, precedence)

    def is_whole(self, x: Any) -> bool:
        """Whether a number is written without a bar."""
        return bool(x.q == 1 or (self.decimals and is_decimal(x)))

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
        top, below = (spread(arg, tree) for arg in tree.args)
        negative, top = unsigned(top)
        text, precedence = self.over(top, below)
        return (self.minus(text), PREFIX) if negative else (text, precedence)

    def _pow(self, tree: Tree) -> Written:
        base, exponent = tree.args
        return self.power(base, self(exponent)), POWER

    def _dot(self, tree: Tree) -> Written:
        return self.row(between([self.inside(a, PRODUCT) for a in tree.args], self.dot())), SIGMA

    def _sum(self, tree: Tree) -> Written:
        (arg,) = tree.args
        if tree.data is None:
            text, own = self.written(arg)
            if own < PRODUCT or text.startswith(self.OPEN):
                text = self.closed(text)
            return self.row([self.sign_of_sum(), text]), SIGMA
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
        if name == "heaviside":
            return self.function("H", [self(tree.args[0])]), ATOM
        if name in RELATIONS:
            if is_range(tree.args[1]):
                labels = tree.args[0]
                while labels.kind == "axes":
                    labels = labels.args[0]
                return self.function("onehot", [self(labels)]), ATOM
            sides = [self(spread(a, tree)) for a in tree.args]
            return self.indicator(self.row(between(sides, self.sign(RELATIONS[name])))), ATOM
        if name == "absolute":
            return self.bars(self(tree.args[0]), "|"), ATOM
        if name == "sqrt":
            return self.root(tree.args[0]), ATOM
        arguments = [self(spread(a, tree)) for a in tree.args]
        if name.endswith("′"):
            op = name[:-1]
            return self.function(
                "g" if op == self.activation else OPS[op].notation.symbol, arguments, "′"
            ), ATOM
        return self.function(OPS[name].notation.symbol if name in OPS else name, arguments), ATOM

    def _opaque(self, tree: Tree) -> Written:
        op, attributes, _ = tree.data
        if op == "arange":
            return self.function("arange", [self.digits(attributes["n"])]), ATOM
        if op == "array":
            return self.plain(_short(attributes["values"].tolist())), ATOM
        key = key_of(attributes["key"]) if "key" in attributes else "()"
        if op.name == "getitem":
            return self.picked(self.inside(tree.args[0], ATOM), key), ATOM
        if op.name == "add_at":
            return self.function("add_at", [self(tree.args[0]), self.plain(f"[{key}]")]), ATOM
        if op.name == "inv":
            return self.raised(self.inside(tree.args[0], ATOM), "−1"), POWER
        if op.name == "log_abs_det":
            det = [self.head("det"), self.thin(), self.inside(tree.args[0], POWER)]
            return self.row([self.head("log"), self.thin(), self.bars(self.row(det), "|")]), PREFIX
        arguments = [self(a) for a in tree.args]
        extra = [
            f"{k}={_short(v)}"
            for k, v in attributes.items()
            if k not in ("axis", "shape", "keepdims")
        ]
        axis = attributes.get("axis")
        if axis is not None and tree.args and len(tree.args[0].axes) > 2:
            extra.append(f"axis={axis}")
        symbol = op.notation.symbol if re.fullmatch(r"[\w .]+", op.notation.symbol) else op.name
        return self.function(symbol, arguments + [self.plain(e) for e in extra]), ATOM

    def _spread(self, tree: Tree) -> Written:
        parts = [self.inside(tree.args[0], PRODUCT), self.ones(True)]
        return self.row(between(parts, self.thin())), PRODUCT

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
        if not bound:
            return self.juxtaposed(parts), PRODUCT
        sign = self.indexed(self.sign_of_sum(), bound)
        return self.row([sign, self.thin(), self.juxtaposed(parts)]), SIGMA

    def _diag(self, tree: Tree) -> Written:
        return self.function("diag", [self(tree.args[0])]), ATOM

    # What the notations differ in; these are those of text

    OPEN = "("
    inverse_transposed = "−T"

    def digits(self, n: Any) -> str:
        return str(n)

    def name(self, name: str) -> str:
        return names.plain(name)

    def gradient(self, name: str) -> str:
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
        return "".join(parts).replace("Σ (", "Σ(").replace("det (", "det(").replace(") (", ")(")

    def closed(self, text: str) -> str:
        return f"({text})"

    def coefficient(self, text: str) -> str:
        return f"({text}) "

    def juxtaposed(self, parts: Sequence[str]) -> str:
        text = parts[0]
        for part in parts[1:]:
            number = NUMBER.fullmatch(text) is not None
            beside = part[0] == "(" and (text[-1] in ")ᵀ" or number)
            tight = beside or (is_tight(text) and is_tight(part))
            tight = tight or (number and SYMBOL.match(part) is not None)
            digits = text[-1].isdecimal() and part[0].isdecimal()
            text += " · " + part if digits else part if tight else " " + part
        return text

    def fraction(self, top: str, below: str) -> Written:
        return f"{top}/{below}", QUOTIENT

    def over(self, top: Tree, below: Tree) -> Written:
        text = self.inside(below, POWER)
        if " " in text and not text.startswith("("):
            text = self.closed(text) if below.kind in ("mul", "scaled", "matmul") else text
        return f"{self.inside(top, PRODUCT if below.real else SIGMA)}/{text}", QUOTIENT

    def transposed(self, tree: Tree) -> str:
        text = self.inside(tree, ATOM)
        bare = (
            (tree.kind == "node" and one_word(text))
            or (tree.kind == "gradient" and text[0] == "δ")
            or (text[0] == "(" and text[-1] == ")")
        )
        return (text if bare else self.closed(text)) + "ᵀ"

    def power(self, base: Tree, exponent: str) -> str:
        text = self.inside(base, ATOM)
        text = text if base.kind != "gradient" else self.closed(text)
        return self.raised(text, exponent)

    def raised(self, text: str, exponent: str) -> str:
        if exponent.lstrip("−").isdecimal() or exponent == "−T":
            return text + superscript(exponent)
        return f"{text}^{exponent if exponent.isalnum() else f'({exponent})'}"

    def root(self, tree: Tree) -> str:
        return self.rooted(*self.written(tree))

    def rooted(self, text: str, precedence: int) -> str:
        return "√" + (text if precedence >= ATOM else self.closed(text))

    def grouped(self, text: str) -> str:
        """What stands below a bar."""
        return self.closed(text)

    def ones(self, left: bool) -> str:
        return "𝟏ᵀ" if left else "𝟏"

    def bars(self, text: str, bar: str) -> str:
        return f"{bar}{text}{bar}"

    def head(self, name: str, prime: str = "") -> str:
        """The name of a function."""
        return name + prime

    def function(self, name: str, arguments: Sequence[str], prime: str = "") -> str:
        return f"{self.head(name, prime)}({', '.join(arguments)})"

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


def _short(value: Any) -> str:
    text = repr(value).replace("\n", "")
    return text if len(text) <= 40 else text[:37] + "…"
