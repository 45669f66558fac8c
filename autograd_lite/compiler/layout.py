"""Long lines of source, broken at brackets, commas and operators."""

from __future__ import annotations

import io
import re
import textwrap
import tokenize
from itertools import pairwise

__all__ = ["LINE", "laid_out"]

LINE = 100

# The target, the keyword or the key before an expression.
_START = re.compile(r'(?:return |[\w.\[\], :*]+ [-+*/@]?= |\w+=(?!=)|"[^"]*": )?')
_OPEN, _CLOSE = set("([{"), set(")]}")

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
    if len(line) <= width or line.lstrip().startswith("#"):
        return line
    text = line.lstrip()
    return "\n".join(_statement(text, line[: len(line) - len(text)], width))


def _statement(text: str, indent: str, width: int, end: str = "") -> list[str]:
    """The lines of an expression, in parentheses after a target, a keyword or a key."""
    if len(indent + text + end) <= width:
        return [f"{indent}{text}{end}"]
    start = _START.match(text).group()  # type: ignore[union-attr]
    rest = text[len(start) :]
    cuts, by_comma = _cuts(rest)
    bracket = _last_bracket(text)
    if bracket is not None and (not cuts or (len(cuts) == 1 and not by_comma)):
        first, last = bracket
        inner = _parts(text[first:last], indent + "    ", width)
        if not cuts or (len(inner) == 1 and last == len(text) - 1 and first + len(indent) <= width):
            return [f"{indent}{text[:first]}", *inner, f"{indent}{text[last:]}{end}"]
    if not cuts:
        return [f"{indent}{text}{end}"]
    if start:
        inner = _parts(rest, indent + "    ", width)
        return [f"{indent}{start}(", *inner, f"{indent}){end}"]
    lines = _parts(text, indent, width)
    return [*lines[:-1], lines[-1] + end]


def _parts(text: str, indent: str, width: int) -> list[str]:
    """The lines of the text between two brackets, which may end anywhere."""
    cuts, by_comma = _cuts(text)
    if len(indent + text) <= width and not (by_comma and text.endswith(",")):
        return [indent + text]
    if not cuts or (not by_comma and _START.match(text).group()):  # type: ignore[union-attr]
        return _statement(text, indent, width)
    pieces = [text[i:j].strip() for i, j in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    if not by_comma:
        return [line for piece in pieces for line in _statement(piece, indent, width)]
    pieces = [piece.removeprefix(",").strip() for piece in pieces]
    if all(re.fullmatch(r"[-+.\w]*", piece) for piece in pieces):
        written = ", ".join(filter(None, pieces)) + ","
        return textwrap.wrap(
            written,
            width,
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    return [
        line for piece in pieces if piece for line in _statement(piece, indent, width - 1, end=",")
    ]


def _tokens(text: str) -> list[tuple[str, int, int, int]]:
    """The tokens of a line: their text, start and end, and how many brackets are open."""
    found, depth = [], 0
    for token in tokenize.generate_tokens(io.StringIO(f"({text}\n)").readline):
        if token.start[0] > 1 or token.start == (1, 0) or not token.string.strip():
            continue
        depth -= token.string in _CLOSE
        found.append((token.string, token.start[1] - 1, token.end[1] - 1, depth))
        depth += token.string in _OPEN
    return found


def _cuts(text: str) -> tuple[list[int], bool]:
    """Where to break an expression, and whether at its commas: else before operators."""
    outer = [token for token in _tokens(text) if token[3] == 0]
    if any(token[0] in ("for", "lambda") for token in outer):  # their commas separate names
        return [start for string, start, _, _ in outer if string == "for" and start], False
    if commas := [start for string, start, _, _ in outer if string == ","]:
        return commas, True
    for level in _OPERATORS:
        found = [
            start
            for (before, _, _, _), (string, start, _, _) in pairwise(outer)
            if string in level
            and (before in _CLOSE or before[-1].isalnum() or before[-1] in "_.\"'")
        ]
        if found:
            return found, False
    return [], False


def _last_bracket(text: str) -> tuple[int, int] | None:
    """The start and end of the text in the last bracket that is not in another one."""
    opened, found = 0, None
    for string, start, end, depth in _tokens(text):
        if depth == 0 and string in _OPEN:
            opened = end
        elif depth == 0 and string in _CLOSE and start > opened:
            found = opened, start
    return found
