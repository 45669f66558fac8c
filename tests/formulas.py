"""Reads the one-line formulas of a derivation the way a person does, and evaluates them.

The conventions are those of a textbook, and strict: what could be read in two ways is an error.
A product of matrices stands side by side, vectors side by side are multiplied elementwise, ⊙ and
/ bind less than that, nothing may follow a denominator, and Σ reaches to the end of its product.
(0, x) is zeros, and then x in the last places of a vector or of each row; (0; x) is rows.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np

import autograd_lite as ag
from autograd_lite.op import OPS

DIGITS = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-", strict=True))
FUNCTIONS: dict[str, Any] = {
    op.notation.symbol: op.forward for op in OPS.values() if op.traits.elementwise
}
FUNCTIONS |= {
    "H": lambda x: np.heaviside(x, 0.5),
    "softmax": lambda x: OPS["softmax"].forward(x),
    "diag": lambda x: np.diag(x.ravel()) if x.ndim == 1 or 1 in x.shape else np.diagonal(x),
    "tr": np.trace,
    "det": np.linalg.det,
    "max": np.maximum,
    "min": np.minimum,
    "std": np.std,
}
RELATIONS = {
    "<": np.less,
    "≤": np.less_equal,
    ">": np.greater,
    "≥": np.greater_equal,
    "=": np.equal,
    "≠": np.not_equal,
}
ONE, ONES = object(), object()
"""𝟏 and 𝟏ᵀ."""


class AmbiguousError(ValueError):
    """A formula that could mean two things."""


class Reader:
    """A formula and the values of the names in it.

    Args:
        values: an array for every name.
        activation: what g is.
    """

    def __init__(self, values: dict[str, Any], activation: str | None = None) -> None:
        self.values = values
        self.activation = activation
        self.names = sorted(values, key=len, reverse=True)

    def __call__(self, text: str, shape: tuple[int, ...] = ()) -> Any:
        self.text, self.at, self.bars, self.shape = text, 0, "", shape
        value = self.sum()
        if self.at != len(text):
            raise AmbiguousError(f"{text!r} stops making sense at {text[self.at :]!r}")
        return np.asarray(value)

    def take(self, *tokens: str) -> str:
        for token in tokens:
            if self.text.startswith(token, self.at):
                self.at += len(token)
                return token
        return ""

    def need(self, token: str) -> None:
        if not self.take(token):
            raise AmbiguousError(f"{token!r} expected in {self.text!r} at {self.text[self.at :]!r}")

    def sum(self) -> Any:
        value = -self.chain() if self.take("−") else self.chain()
        while sign := self.take(" + ", " − "):
            value = value + (1 if sign == " + " else -1) * self.chain()
        return value

    def chain(self) -> Any:
        value = self.dotted()
        while self.take(" ⊙ "):
            value = value * self.dotted()
        return value

    def dotted(self) -> Any:
        value = self.quotient()
        while self.take(" · "):
            other = self.quotient()
            if np.ndim(value) == np.ndim(other) == 2:
                value = np.sum(value * other)
            else:
                value = value * other if 0 in (np.ndim(value), np.ndim(other)) else value @ other
        return value

    def quotient(self) -> Any:
        value = self.product()
        if self.take("/"):
            value = value / self.power()
            if self.starts():
                raise AmbiguousError(f"a factor after a denominator in {self.text!r}")
        return value

    def starts(self) -> bool:
        """Whether a factor begins here."""
        rest = self.text[self.at :].lstrip(" ")
        closes = bool(rest and self.bars) and rest[0] == self.bars[-1]
        return bool(rest) and not closes and rest[0] not in "+−⊙·/)],;<≤>≥=≠"

    def product(self) -> Any:
        if self.take("Σ "):
            return np.sum(self.quotient())
        if self.take("Σ"):
            return np.sum(self.quotient())
        factors = [self.power()]
        while self.starts():
            number = self.text[self.at - 1].isdecimal()
            self.take(" ")
            if self.text.startswith("Σ", self.at):
                factors.append(self.product())
                break
            if number and re.match("[0-9]", self.text[self.at]):
                raise AmbiguousError(f"two numbers meet in {self.text!r}")
            factors.append(self.power())
        return multiplied(factors)

    def power(self) -> Any:
        value = self.atom()
        while True:
            if self.take("⁻ᵀ"):
                value = np.linalg.inv(value).T
            elif self.take("ᵀ"):
                value = ONES if value is ONE else (value[None] if value.ndim == 1 else value.T)
            elif match := re.compile("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+").match(self.text, self.at):
                self.at = match.end()
                n = int("".join(DIGITS[c] for c in match[0]))
                value = (
                    np.linalg.inv(value) if n < 0 < np.ndim(value) - 1 else np.power(value, 1.0 * n)
                )
            elif match := re.compile(r"\[([-\d:., ]+)\]").match(self.text, self.at):
                self.at = match.end()
                value = value[eval(f"np.s_[{match[1]}]")]
            elif self.take("^("):
                value = value ** self.sum()
                self.need(")")
            elif self.take("^"):
                value = value ** self.atom()
            else:
                return value

    def atom(self) -> Any:
        if self.take("log |det"):
            self.bars += "|"
            self.take(" ")
            value = self.power()
            self.bars = self.bars[:-1]
            self.need("|")
            return np.linalg.slogdet(value)[1]
        for open_, close, function in (("|", "|", np.abs), ("‖", "‖", np.linalg.norm)):
            if self.take(open_):
                self.bars += open_
                value = self.sum()
                self.bars = self.bars[:-1]
                self.need(close)
                return function(value)
        if self.take("("):
            bars, self.bars = self.bars, ""
            value = self.sum()
            if sign := self.take(", ", "; "):
                value = self.beside(value, self.sum(), axis=-1 if sign == ", " else 0)
            self.bars = bars
            self.need(")")
            return value
        if self.take("√"):
            return np.sqrt(self.power())
        if self.take("𝟏"):
            return ONE
        if self.take("1["):
            left = self.sum()
            relation = self.take(*(f" {r} " for r in RELATIONS))
            value = RELATIONS[relation.strip()](left, self.sum()) * 1.0
            self.need("]")
            return value
        if match := re.compile(r"[0-9]+(\.[0-9]+)?").match(self.text, self.at):
            self.at = match.end()
            return np.float64(match[0])
        return self.named()

    def beside(self, first: Any, second: Any, axis: int) -> Any:
        """Zeros and an array, one of them at the end, in the shape of the whole formula."""
        is_last = np.array_equal(first, 0)
        part = np.atleast_1d(second if is_last else first)
        zeros = self.shape[axis] - part.shape[axis]
        widths = [(0, 0)] * part.ndim
        widths[axis] = (zeros, 0) if is_last else (0, zeros)
        return np.pad(part, widths)

    def named(self) -> Any:
        called = re.compile(r"([^\W\d]+)\(").match(self.text, self.at)
        for name in self.names:
            if not (called and called[1] in FUNCTIONS) and self.take(name):
                return np.asarray(self.values[name], float)
        if self.take("π"):
            return np.pi
        if self.take("g′("):
            (x,) = self.arguments()
            return ag.grad(lambda x: np.sum(OPS[self.activation](x)))(x)
        if called and called[1] in FUNCTIONS:
            self.at = called.end()
            return FUNCTIONS[called[1]](*self.arguments())
        raise AmbiguousError(f"nothing is called {self.text[self.at :]!r} in {self.text!r}")

    def arguments(self) -> list[Any]:
        bars, self.bars = self.bars, ""
        found = [self.sum()]
        while self.take(", "):
            found.append(self.sum())
        self.bars = bars
        self.need(")")
        return found


def multiplied(factors: list[Any]) -> Any:
    """Factors side by side; 𝟏ᵀ sums what follows it, 𝟏 what stands before."""
    for k, factor in enumerate(factors):
        if factor is ONES:
            before, after = factors[:k], factors[k + 1 :]
            if not after:
                return np.reshape(multiplied(before), (-1, 1))
            return multiplied([*before, np.sum(multiplied(after), axis=0)])
        if factor is ONE and all(np.ndim(f) == 0 for f in factors[:k]):
            return multiplied(
                factors[:k] + factors[k + 1 :] or [np.float64(1)]
            )  # rows that are all equal, or one number
        if factor is ONE:
            return multiplied([np.sum(multiplied(factors[:k]), axis=-1), *factors[k + 1 :]])
    value = factors[0]
    for factor in factors[1:]:
        value = times(value, factor)
    return value


def times(a: Any, b: Any) -> Any:
    """Two factors side by side."""
    if np.size(a) == 1 or np.size(b) == 1:
        return np.squeeze(a) * b if np.size(a) == 1 else a * np.squeeze(b)
    if a.ndim == b.ndim == 1:
        return a * b
    if a.ndim == 1:
        return a[:, None] @ b
    if b.ndim == 2 and a.shape == b.shape and a.shape[1] != b.shape[0]:
        return a * b
    return a @ b
