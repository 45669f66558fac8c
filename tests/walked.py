"""Walkthroughs as a reader sees them: the equations of a page, and their printed numbers."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import numpy as np

NUMBER = r"−?(?:\d+(?:\.\d+)?(?:e−?\d+)?|∞|NaN)"
TOKEN = re.compile(
    rf"(?P<vector>\((?:{NUMBER}, )+{NUMBER}\))|(?P<number>(?<![\d.]){NUMBER})"
    r"|(?P<sign>[()Σ+−×⊙·⊗])|\s+"
)


class Page(HTMLParser):
    """The equations of a page.

    Attributes:
        equations: for each equation its left side, and the list of its other sides. A side is a
            list of texts and of matrices, which are lists of rows of texts.
    """

    def __init__(self, text):
        super().__init__()
        self.equations, self.side, self.skipped = [], None, 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        name = dict(attrs).get("class", "")
        if tag in ("math", "small"):
            self.skipped += 1
        elif name == "left":
            self.side = []
            self.equations.append((self.side, []))
        elif name == "side":
            self.side = []
            self.equations[-1][1].append(self.side)
        elif tag == "table":
            self.side.append([])
        elif tag == "tr":
            self.side[-1].append([])

    def handle_endtag(self, tag):
        if tag in ("math", "small"):
            self.skipped -= 1
        elif tag == "div":
            self.side = None

    def handle_data(self, data):
        if self.side is None or self.skipped:
            return
        if self.side and isinstance(self.side[-1], list) and self.lasttag == "td":
            self.side[-1][-1].append(data)
        elif self.side and isinstance(self.side[-1], str):
            self.side[-1] += data
        elif data:
            self.side.append(data)


def read(text):
    """A printed number, and how far the number itself may be from it."""
    text = text.replace("−", "-").replace("∞", "inf")
    exponent = int(text.partition("e")[2] or 0)
    return float(text), 0.5001e-4 * 10.0**exponent


class Printed:
    """Numbers that were rounded for display: each is within `near` of `mid`."""

    def __init__(self, mid, near):
        self.mid, self.near = np.asarray(mid, float), np.asarray(near, float)

    @classmethod
    def of(cls, texts):
        pairs = np.array(
            [[read(t) for t in row] if isinstance(row, list) else read(row) for row in texts]
        )
        return cls(pairs[..., 0], pairs[..., 1])

    def __neg__(self):
        return Printed(-self.mid, self.near)

    def __add__(self, other):
        return Printed(self.mid + other.mid, self.near + other.near)

    def product(self, other, multiply):
        size, rest = abs(self.mid), abs(other.mid)
        return Printed(
            multiply(self.mid, other.mid),
            multiply(size, other.near)
            + multiply(self.near, rest)
            + multiply(self.near, other.near),
        )

    def summed(self, shape):
        """The sum over the axes along which an operand of this shape was broadcast."""
        mid, near = self.mid, self.near
        while mid.ndim > len(shape):
            mid, near = mid.sum(0), near.sum(0)
        axes = tuple(k for k, n in enumerate(shape) if n == 1)
        return Printed(mid.sum(axes, keepdims=True), near.sum(axes, keepdims=True))


class UnknownError(Exception):
    """A side with names or functions."""


def times(a, b):
    return a @ b if a.ndim and b.ndim else a * b


SIGNS = {"×": np.multiply, "⊙": np.multiply, "·": times, "⊗": np.multiply.outer}


class Reader:
    """Computes a printed side from its printed numbers.

    Args:
        side: the side.
        shape: the shape of the result, to which a Σ sums.
    """

    def __init__(self, side, shape):
        self.shape = shape
        self.tokens = []
        for piece in side:
            if isinstance(piece, list):
                self.tokens.append(Printed.of(piece))
                continue
            at = 0
            while at < len(piece):
                found = TOKEN.match(piece, at)
                if found is None:
                    raise UnknownError
                at = found.end()
                if found["vector"]:
                    self.tokens.append(Printed.of(found["vector"][1:-1].split(", ")))
                elif found["number"]:
                    # After a number or a bracket, a minus is an operator.
                    self.tokens.append(Printed(*read(found["number"])))
                elif found["sign"]:
                    self.tokens.append(found["sign"])
        self.at = 0

    def value(self):
        found = self.sum()
        if self.at < len(self.tokens):
            raise UnknownError
        return found

    def next(self, *signs):
        token = self.tokens[self.at] if self.at < len(self.tokens) else None
        if isinstance(token, str) and token in signs:
            self.at += 1
            return token
        return None

    def sum(self):
        found = self.product()
        while sign := self.next("+", "−"):
            term = self.product()
            found = found + (term if sign == "+" else -term)
        return found

    def product(self):
        found = self.factor()
        while sign := self.next(*SIGNS):
            found = found.product(self.factor(), SIGNS[sign])
        return found

    def factor(self):
        if self.next("Σ"):
            return self.factor().summed(self.shape)
        if self.next("("):
            found = self.sum()
            if not self.next(")"):
                raise UnknownError
            return found
        if self.at == len(self.tokens) or isinstance(self.tokens[self.at], str):
            raise UnknownError
        self.at += 1
        return self.tokens[self.at - 1]


def products(html):
    """The sides that can be computed: left side, side, its value, and that of the last side."""
    for left, sides in Page(html).equations:
        # Without the sign of equality, and without a closed form, which is no text.
        sides = [[side[0].removeprefix("= "), *side[1:]] for side in sides if side != ["= "]]
        try:
            last = Reader(sides[-1], None).value()
        except UnknownError:
            continue  # such as the range of a large array
        if "".join(map(str, left))[0] != "∂" and last.mid.ndim:
            # Along which axis an operation adds up is in its note.
            sides = [s for s in sides if "Σ" not in s[0]]
        for side in sides[:-1]:
            try:
                yield left, side, Reader(side, last.mid.shape).value(), last
            except UnknownError:
                continue


def agree(computed, printed):
    """Whether the number that was computed from printed factors can be what is printed."""
    if not (np.isfinite(computed.mid).all() and np.isfinite(printed.mid).all()):
        return True
    if computed.mid.size == printed.mid.size:
        computed = Printed(
            computed.mid.reshape(printed.mid.shape), computed.near.reshape(printed.mid.shape)
        )
    try:
        np.broadcast_shapes(computed.mid.shape, printed.mid.shape)
    except ValueError:
        return False
    apart = abs(computed.mid - printed.mid)
    return bool((apart <= computed.near + printed.near + 1e-6 * abs(printed.mid)).all())
