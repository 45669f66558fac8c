"""Formulas as text: one walk over the tree, which each notation supplies with its own signs."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any

from autograd_lite.derivation import names
from autograd_lite.derivation.attributes import attributes_of, word_of
from autograd_lite.derivation.numbers import constant, is_decimal, is_long
from autograd_lite.derivation.spacing import NUMBER, SYMBOL, between, is_tight, one_word
from autograd_lite.derivation.tree import (
    Tree,
    along,
    is_column,
    is_product,
    is_range,
    is_row,
    one_end,
    spread,
    unsigned,
)
from autograd_lite.expressions.printer import key_of
from autograd_lite.op import OPS
from autograd_lite.ops.comparisons import OPPOSITE
from autograd_lite.text import subscript, superscript

__all__ = ["Notation", "Text"]

Written = tuple[str, int]
"""A formula and its precedence."""
SUM, SIGMA, QUOTIENT, PRODUCT, PREFIX, POWER, ATOM = 50, 55, 58, 60, 70, 80, 100

LETTERS = "ijklmnpqrstuv"

ORDERED = ("polygamma", "iv")
"""The functions whose first operand is an order."""


class Notation:
    """Writes trees. The signs, templates and methods at the end are those of plain text.

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
        """A formula, in parentheses if its precedence is lower."""
        text, own = self.written(tree)
        return text if own >= precedence else self.closed % text

    def written(self, tree: Tree) -> Written:
        name = {"T": "transpose", "norm²": "norm_squared", "symbol": "node"}.get(
            tree.kind, tree.kind
        )
        return getattr(self, f"_{name}")(tree)  # type: ignore[no-any-return]

    def signed(self, negative: bool, text: str, precedence: int) -> Written:
        return (self.minus % text, PREFIX) if negative else (text, precedence)

    def spaced(self, parts: Sequence[str]) -> str:
        return self.row(between(parts, self.thin))

    # Atoms

    def _number(self, tree: Tree) -> Written:
        p, q = abs(int(tree.data.p)), int(tree.data.q)
        text, precedence = self._positive(float(p)) if is_long(p) else (self.digits(p), ATOM)
        if self.decimals and is_decimal(tree.data):
            text = self.digits(f"{p / q:g}")
        elif q != 1:
            text, precedence = self.fraction(text, self.digits(q))
        return self.signed(tree.data < 0, text, precedence)

    def _float(self, tree: Tree) -> Written:
        x = float(tree.data)
        return self.signed(x < 0, *self._positive(abs(x)))

    def _positive(self, x: float) -> Written:
        if not math.isfinite(x):
            return (self.name("NaN") if math.isnan(x) else self.digits("∞")), ATOM
        known = constant(x)
        if known is not None:
            function, p, q, π = known
            tops = [self.digits(p)] if p != 1 or π < 1 else []
            belows = [self.digits(q)] if q != 1 else []
            (tops if π > 0 else belows).extend([self.name("π")] * abs(π))
            text, own = self.juxtaposed(tops), PRODUCT if len(tops) > 1 else ATOM
            if belows:
                below = self.juxtaposed(belows)
                text, own = self.fraction(text, below if len(belows) == 1 else self.grouped % below)
            if function == "sqrt":
                return self.root(text, own), ATOM
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
        return self.name(self.names.get(tree.data, tree.data)), ATOM

    def _gradient(self, tree: Tree) -> Written:
        return self.gradient(self.gradients[tree.data]), ATOM

    def _applied(self, tree: Tree) -> Written:
        return self.applied % (*map(self, tree.args),), ATOM

    def _eye(self, tree: Tree) -> Written:
        return self.name("I"), ATOM

    # Arithmetic

    def _add(self, tree: Tree) -> Written:
        parts: list[str] = []
        for k, arg in enumerate(tree.args):
            negative, arg = unsigned(arg)
            text = self.inside(spread(arg, tree), SUM + 1 if negative or k else SUM)
            if k:
                parts += [self.sign("−" if negative else "+"), text]
            else:
                parts.append(self.minus % text if negative else text)
        return self.row(parts), SUM

    def _neg(self, tree: Tree) -> Written:
        return self.signed(True, self.inside(tree.args[0], SIGMA), PREFIX)

    def last(self, tree: Tree) -> Written:
        """The last factor of a product: what follows Σ and · belongs to them."""
        text, own = self.written(tree)
        return (text, min(own, PRODUCT)) if own >= SIGMA else (self.closed % text, PRODUCT)

    def _mul(self, tree: Tree) -> Written:
        args = [spread(arg, tree) for arg in tree.args]
        text, precedence = self.last(args[-1])
        parts = [*(self.inside(arg, PRODUCT) for arg in args[:-1]), text]
        if tree.data == "plain" and tree.args[0].kind == "gradient":
            return self.row([parts[0], self.dot, self.juxtaposed(parts[1:])]), PRODUCT
        if tree.data == "plain" or not tree.axes:
            return self.juxtaposed(parts), precedence
        parts = [
            self.closed % p if is_product(a) else p for p, a in zip(parts, tree.args, strict=True)
        ]
        return self.row(between(parts, self.sign("⊙"))), SIGMA - 1

    def _scaled(self, tree: Tree) -> Written:
        lead, body = tree.args
        negative, lead = unsigned(lead)
        text, precedence = self.last(body)
        if lead.kind == "div" or (lead.kind == "number" and not self.is_whole(lead.data)):
            text = self.row([self.coefficient % self(lead), text])
        elif lead.kind == "add":
            text = self.spaced([self.inside(lead, PRODUCT), text])
        elif lead.kind != "number" or lead.data != 1:
            text = self.juxtaposed([self.inside(lead, PRODUCT), text])
        return self.signed(negative, text, precedence)

    def is_whole(self, x: Any) -> bool:
        """Whether a number is written without a fraction bar."""
        return bool(x.q == 1 or (self.decimals and is_decimal(x)))

    def _div(self, tree: Tree) -> Written:
        top, below = (spread(arg, tree) for arg in tree.args)
        negative, top = unsigned(top)
        return self.signed(negative, *self.over(top, below))

    def _pow(self, tree: Tree) -> Written:
        base, exponent = tree.args
        return self.power(base, self(exponent)), POWER

    # Matrices

    def _matmul(self, tree: Tree) -> Written:
        return self.juxtaposed([self.inside(a, PRODUCT) for a in tree.args]), PRODUCT

    def _outer(self, tree: Tree) -> Written:
        u, v = tree.args
        parts = [
            self.inside(u, PRODUCT) if u.axes[:1] != (None,) else self.transposed(u),
            self.inside(v, PRODUCT) if is_row(v) else self.transposed(v),
        ]
        return (self.spaced if parts[0].endswith(")") else self.juxtaposed)(parts), PRODUCT

    def _rows(self, tree: Tree) -> Written:
        v, m = tree.args
        parts = [self.function("diag", [self(v)]), self.inside(m, PRODUCT)]
        return self.spaced(parts if tree.kind == "rows" else parts[::-1]), PRODUCT

    _columns = _rows

    def _transpose(self, tree: Tree) -> Written:
        (arg,) = tree.args
        if arg.op == "inv":
            return self.raised(self.inside(arg.args[0], ATOM), self.inverse_transposed), POWER
        return self.transposed(arg), ATOM - 1

    def _dot(self, tree: Tree) -> Written:
        return self.row(between([self.inside(a, PRODUCT) for a in tree.args], self.dot)), SIGMA

    def _sum(self, tree: Tree) -> Written:
        (arg,) = tree.args
        if tree.data is None:
            text, own = self.written(arg)
            if own < PRODUCT or text.startswith(self.closed.partition("%")[0]):
                text = self.closed % text
            return self.row([self.sigma, text]), SIGMA
        text = self.inside(arg, PRODUCT)
        return self.spaced([self.ones_row, text] if tree.data == 0 else [text, self.ones]), PRODUCT

    def _spread(self, tree: Tree) -> Written:
        return self.spaced([self.inside(along(tree.args[0], 1), PRODUCT), self.ones_row]), PRODUCT

    def _trace(self, tree: Tree) -> Written:
        return self.function("tr", [self(tree.args[0])]), ATOM

    def _diag(self, tree: Tree) -> Written:
        return self.function("diag", [self(tree.args[0])]), ATOM

    _diagonal = _diag

    def _norm(self, tree: Tree) -> Written:
        return self.norm % self(tree.args[0]), ATOM

    def _norm_squared(self, tree: Tree) -> Written:
        return self.raised(self.norm % self(tree.args[0]), "2"), POWER

    def _axes(self, tree: Tree) -> Written:
        """Axes of length one are not written, another order of the others is."""
        (arg,) = tree.args
        real, wanted = ([i for i in axes if i is not None] for axes in (arg.axes, tree.axes))
        if real == wanted or not real:
            return self.written(arg)
        if len(real) == 2:
            return self.transposed(arg), ATOM - 1
        order = self.plain(f"axes=({', '.join(str(real.index(i)) for i in wanted)})")
        return self.function("transpose", [self(arg), order]), ATOM

    def _broadcast(self, tree: Tree) -> Written:
        (arg,) = tree.args
        return self._spread(tree) if is_column(arg, tree.axes) else self.written(arg)

    def _group(self, tree: Tree) -> Written:
        return self.closed % self(tree.args[0]), ATOM

    def _einsum(self, tree: Tree) -> Written:
        indices = [i for axes in (tree.axes, tree.data, *(a.axes for a in tree.args)) for i in axes]
        letters = {
            i: LETTERS[k % len(LETTERS)]
            for k, i in enumerate(dict.fromkeys(i for i in indices if i is not None))
        }
        parts = []
        for arg in tree.args:
            inner = "".join("1" if i is None else letters[i] for i in arg.axes)
            parts.append(
                self.indexed(self.inside(arg, ATOM), inner) if inner else self.inside(arg, PRODUCT)
            )
        product = self.juxtaposed(parts)
        if not tree.data:
            return product, PRODUCT
        sign = self.indexed(self.sigma, "".join(letters[i] for i in tree.data))
        return self.row([sign, self.thin, product]), SIGMA

    # Functions

    def _call(self, tree: Tree) -> Written:
        name, args = tree.data, tree.args
        if name in ("power", "float_power"):
            return self.power(args[0], self(args[1])), POWER
        if name == "heaviside":
            return self.function("H", [self(args[0])]), ATOM
        if name in OPPOSITE:
            return self._indicator(tree), ATOM
        if name in ("absolute", "floor", "ceil"):
            return getattr(self, name) % self(args[0]), ATOM
        if name == "floor_divide":
            return self.floor % self.over(*args)[0], ATOM
        if name in ("sqrt", "cbrt"):
            return self.root(*self.written(args[0]), name), ATOM
        if name in ORDERED and args[0].kind == "number" and args[0].data.q == 1:
            return self.applied % (self.ordered(name, str(args[0].data)), self(args[1])), ATOM
        op, prime = name.removesuffix("′"), "′" if name.endswith("′") else ""
        symbol = OPS[op].notation.symbol if op in OPS else op
        symbol = symbol if re.search(r"[^\W\d_]", symbol) else op
        if prime and op == self.activation:
            symbol = "g"
        return self.function(symbol, [self(spread(a, tree)) for a in args], prime), ATOM

    def _indicator(self, tree: Tree) -> str:
        labels, other = tree.args
        if is_range(other):
            return self.function("onehot", [self(labels)])
        sign = self.sign(OPS[tree.data].notation.symbol)
        return self.indicator % self.row(between([self(spread(a, tree)) for a in tree.args], sign))

    def _opaque(self, tree: Tree) -> Written:
        op, attributes, shape, _ = tree.data
        if op == "arange":
            return self.function("arange", [self.digits(attributes["n"])]), ATOM
        key = key_of(attributes["key"]) if "key" in attributes else "()"
        if op.name == "getitem":
            part = self.plain(f"[{key if len(key) <= 40 else '…'}]")
            return self.subscript % (self.inside(tree.args[0], ATOM), part), ATOM
        if op.name == "add_at":
            return self._added_at(tree), ATOM
        if op.name == "inv":
            return self.raised(self.inside(tree.args[0], ATOM), "−1"), POWER
        if op.name == "log_abs_det":
            det = self.spaced([self.head("det"), self.inside(tree.args[0], POWER)])
            return self.spaced([self.head("log"), self.absolute % det]), PREFIX
        ndim = max([len(shape), *(len(arg.axes) for arg in tree.args)])
        extra = map(self.plain, attributes_of(op, attributes, ndim))
        return self.function(word_of(op), [*map(self, tree.args), *extra]), ATOM

    def _added_at(self, tree: Tree) -> str:
        """What is added to zeros: (0, x) at the end of a vector or of each row, (0; x) of rows."""
        (x,), (_, attributes, shape, _) = tree.args, tree.data
        end = one_end(attributes.get("key", ()), shape)
        assert end is not None, "other indices have symbols"
        axis, is_last = end
        sign = self.comma if axis == len(shape) - 1 else self.semicolon
        return self.closed % sign.join([self.digits(0), self(x)][:: 1 if is_last else -1])

    # What the notations differ in; these are those of plain text

    inverse_transposed: str = "−T"
    sigma: str = "Σ "
    dot: str = " · "
    thin: str = " "
    comma: str = ", "
    semicolon: str = "; "
    ones: str = "𝟏"
    ones_row: str = "𝟏ᵀ"
    minus: str = "−%s"
    closed: str = "(%s)"
    coefficient: str = "(%s) "
    grouped: str = "(%s)"
    norm: str = "‖%s‖"
    absolute: str = "|%s|"
    floor: str = "⌊%s⌋"
    ceil: str = "⌈%s⌉"
    indicator: str = "1[%s]"
    applied: str = "%s(%s)"
    subscript: str = "%s%s"

    def digits(self, n: Any) -> str:
        return str(n)

    def name(self, name: str) -> str:
        return names.plain(name)

    def gradient(self, name: str) -> str:
        return self.name(name)

    def plain(self, text: str) -> str:
        return text

    def sign(self, symbol: str) -> str:
        return f" {symbol} "

    def row(self, parts: Sequence[str]) -> str:
        return "".join(parts).replace("Σ (", "Σ(").replace("det (", "det(").replace(") (", ")(")

    def juxtaposed(self, parts: Sequence[str]) -> str:
        text = parts[0]
        for part in parts[1:]:
            number = NUMBER.fullmatch(text) is not None
            beside = part[0] == "(" and (text[-1] in ")ᵀ" or number)
            tight = beside or (is_tight(text) and is_tight(part))
            tight = tight or (number and SYMBOL.match(part) is not None)
            digits = NUMBER.match(text[-1]) and NUMBER.match(part)
            text += " · " + part if digits else part if tight else " " + part
        return text

    def fraction(self, top: str, below: str) -> Written:
        return f"{top}/{below}", QUOTIENT

    def over(self, top: Tree, below: Tree) -> Written:
        text = self.inside(below, POWER)
        if " " in text and not text.startswith("(") and below.kind in ("mul", "scaled", "matmul"):
            text = self.closed % text
        return self.fraction(self.inside(top, PRODUCT if below.real else SIGMA), text)

    def transposed(self, tree: Tree) -> str:
        text = self.inside(tree, ATOM)
        bare = (
            (tree.kind in ("node", "symbol") and one_word(text))
            or tree.kind == "applied"
            or (tree.kind == "gradient" and text[0] == "δ")
            or (text[0] == "(" and text[-1] == ")")
        )
        return (text if bare else self.closed % text) + "ᵀ"

    def power(self, base: Tree, exponent: str) -> str:
        text = self.inside(base, ATOM)
        return self.raised(self.closed % text if base.kind == "gradient" else text, exponent)

    def raised(self, text: str, exponent: str) -> str:
        if exponent.lstrip("−").isdecimal() or exponent == "−T":
            return text + superscript(exponent)
        return f"{text}^{exponent if exponent.isalnum() else f'({exponent})'}"

    def root(self, text: str, precedence: int, name: str = "sqrt") -> str:
        return f"{OPS[name].notation.symbol}{text if precedence >= ATOM else self.closed % text}"

    def head(self, name: str, prime: str = "") -> str:
        """The name of a function."""
        return name + prime

    def function(self, name: str, arguments: Sequence[str], prime: str = "") -> str:
        return self.applied % (self.head(name, prime), self.comma.join(arguments))

    def ordered(self, name: str, order: str) -> str:
        """The symbol of a function with its order."""
        return f"ψ{superscript(f'({order})')}" if name == "polygamma" else f"I{subscript(order)}"

    def indexed(self, text: str, indices: str) -> str:
        return f"{text.rstrip()}[{','.join(indices)}]"


class Text(Notation):
    """Unicode on one line."""
