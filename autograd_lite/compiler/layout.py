"""Long lines of source, broken at brackets, commas and operators."""

from __future__ import annotations

import io
import re
import textwrap
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

__all__ = ["LINE", "laid_out"]

LINE = 100

_OPEN, _CLOSE = set("([{"), set(")]}")

# What follows the target of an assignment.
_ASSIGN = {"=", "+=", "-=", "*=", "/=", "@="}

# The operators before which a long expression is broken, those that bind least first.
_OPERATORS = (
    {"<", "<=", ">", ">=", "==", "!=", "in", "is", "and", "or"},
    {"+", "-"},
    {"*", "/", "@", "%", "//"},
    {"**"},
)


def laid_out(line: str, width: int = LINE) -> str:
    """A statement as one line or, where that is too long, as several.

    Example:
        >>> print(laid_out("    y = np.sum(a * b) + np.sum(c * d) - offset", 24))
            y = (
                np.sum(a * b)
                + np.sum(c * d)
                - offset
            )
    """
    text = line.lstrip()
    if len(line) <= width or text.startswith("#"):
        return line
    return "\n".join(_statement(_whole(text), line[: len(line) - len(text)], width))


@dataclass(slots=True)
class _Token:
    """A token of a line: its text and place, and for a bracket the number of its closing one."""

    string: str
    start: int
    end: int
    closing: int | None = None


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a line: its tokens from one number to another."""

    line: str
    tokens: list[_Token]
    first: int
    last: int

    def between(self, first: int, last: int) -> _Part:
        return replace(self, first=first, last=last)

    def __str__(self) -> str:
        if self.first == self.last:
            return ""
        return self.line[self.tokens[self.first].start : self.tokens[self.last - 1].end]

    def outer(self) -> Iterator[int]:
        """The numbers of the tokens outside brackets, and of the outermost brackets."""
        k = self.first
        while k < self.last:
            yield k
            k = self.tokens[k].closing or k + 1


def _whole(line: str) -> _Part:
    """All tokens of a line."""
    tokens: list[_Token] = []
    opened: list[_Token] = []
    for token in tokenize.generate_tokens(io.StringIO(f"({line}\n)").readline):
        if token.start[0] > 1 or token.start == (1, 0) or not token.string.strip():
            continue
        if token.string in _CLOSE:
            opened.pop().closing = len(tokens)
        tokens.append(_Token(token.string, token.start[1] - 1, token.end[1] - 1))
        if token.string in _OPEN:
            opened.append(tokens[-1])
    return _Part(line, tokens, 0, len(tokens))


def _statement(part: _Part, indent: str, width: int, end: str = "") -> list[str]:
    """The lines of an expression, in parentheses after a target, a keyword or a key."""
    text = str(part)
    if len(indent + text + end) <= width:
        return [f"{indent}{text}{end}"]
    rest = part.between(_start(part), part.last)
    cuts, by_comma = _cuts(rest)
    opening = _last_bracket(part)
    if opening is not None and (not cuts or (len(cuts) == 1 and not by_comma)):
        closing = part.tokens[opening].closing or 0
        inner = part.between(opening + 1, closing)
        before = str(part.between(part.first, opening + 1))
        widest = max(len(before), 4 + len(str(inner)))
        if not cuts or (closing == part.last - 1 and len(indent) + widest <= width):
            after = str(part.between(closing, part.last)) + end
            return [indent + before, *_parts(inner, indent + "    ", width), indent + after]
    if not cuts:
        return [f"{indent}{text}{end}"]
    if rest.first > part.first:
        before = text.removesuffix(str(rest))
        return [f"{indent}{before}(", *_parts(rest, indent + "    ", width), f"{indent}){end}"]
    return _parts(part, indent, width, end)


def _parts(part: _Part, indent: str, width: int, end: str = "") -> list[str]:
    """The lines of the text between two brackets, which may end anywhere."""
    text = str(part) + end
    cuts, by_comma = _cuts(part)
    if len(indent + text) <= width and not (by_comma and text.endswith(",")):
        return [indent + text]
    if not cuts or (not by_comma and _start(part) > part.first):
        return _statement(part, indent, width, end)
    if not by_comma:
        ends = pairwise([part.first, *cuts, part.last])
        *pieces, last = (part.between(*pair) for pair in ends)
        lines = [line for piece in pieces for line in _statement(piece, indent, width)]
        return [*lines, *_statement(last, indent, width, end)]
    ends = pairwise([part.first - 1, *cuts, part.last])
    pieces = [part.between(comma + 1, last) for comma, last in ends if comma + 1 < last]
    if not all(re.fullmatch(r"[-+.\w]*", str(piece)) for piece in pieces):
        return [line for piece in pieces for line in _statement(piece, indent, width, end=",")]
    return textwrap.wrap(
        ", ".join(map(str, pieces)) + ",",
        width,
        initial_indent=indent,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def _start(part: _Part) -> int:
    """The number of the token after `return`, a target, a keyword or the key of a dict."""
    for k in part.outer():
        string = part.tokens[k].string
        if string in _ASSIGN or string == "return" or (string == ":" and k == part.first + 1):
            return k + 1
        if string in ("lambda", "for"):
            break
    return part.first


def _cuts(part: _Part) -> tuple[list[int], bool]:
    """Before which tokens to break an expression, and whether at its commas: else at operators."""
    outer = [(k, part.tokens[k].string) for k in part.outer()]
    if any(string in ("for", "lambda") for _, string in outer):  # their commas separate names
        return [k for k, string in outer if string == "for" and k > part.first], False
    if commas := [k for k, string in outer if string == ","]:
        return commas, True
    for level in _OPERATORS:
        found = [
            k
            for (_, before), (k, string) in pairwise(outer)
            if string in level
            and (before in _CLOSE or before[-1].isalnum() or before[-1] in "_.\"'")
        ]
        if found:
            return found, False
    return [], False


def _last_bracket(part: _Part) -> int | None:
    """The number of the token that opens the last bracket that is not in another one."""
    opening = [k for k in part.outer() if (part.tokens[k].closing or 0) > k + 1]
    return opening[-1] if opening else None
