"""Lines of JavaScript: what is used once is written where it is used, and names are declared."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["declared", "inlined"]

LONGEST = 72  # characters of a statement, numbers apart, up to which others are written into it

_NAME = re.compile(r"(?<![\w$.\"])[A-Za-z_$][\w$]*(?![\w$:])")  # no key of an object
_ASSIGNED = re.compile(r"( *)([A-Za-z_$][\w$]*) = (.*)")
_ADDED = re.compile(r"(.+?) = \1 \+ (.+)")
_LEFT, _RIGHT = re.compile(r" ([^\s\w]+) $"), re.compile(r" ([^\s\w]+) ")
_NUMBER = re.compile(r"(?<![\w$])\d[\w.]*")

PRECEDENCE = {
    "=": -1,
    "?": 1,
    ":": 1,
    "||": 2,
    "|": 3,
    "^": 4,
    "&": 5,
    "===": 6,
    "!==": 6,
    "!=": 6,
    "<": 7,
    "<=": 7,
    ">": 7,
    ">=": 7,
    "<<": 8,
    ">>": 8,
    ">>>": 8,
    "+": 9,
    "-": 9,
    "*": 10,
    "/": 10,
    "%": 10,
    "**": 13,
}
"""How tightly operators bind. The left operand of ** has no sign."""

_UNARY, _ALONE = 12, 14


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def _names(line: str) -> list[str]:
    return _NAME.findall(line)


def inlined(lines: Sequence[str]) -> list[str]:
    """The lines with each value that is used once in place of its name.

    A value moves down to its use only past assignments of other numbers, to names that it does not
    read. Lines are assignments, calls and heads of loops, indented, and the statement that returns.
    """
    lines, places = list(lines), _places(lines)
    found = [_ASSIGNED.match(line) for line in lines]
    assigned: dict[str, list[int]] = {}
    for k, match in enumerate(found):
        if match:
            assigned.setdefault(match[2], []).append(k)
    until = _until(lines, found)
    for k, match in enumerate(found):
        if not match or match[3].startswith("new "):
            continue
        name, value = match[2], lines[k].partition(" = ")[2]
        if len(places[name]) != 2 or assigned[name] != [k] or places[name][1] > until[k]:
            continue
        place = places[name][1]
        if any(k < j < place for read in _names(value) for j in assigned.get(read, ())):
            continue
        text = _within(lines[place], name, value)
        if len(_NUMBER.sub("0", text.strip())) <= LONGEST:
            lines[place], lines[k] = text, ""
    return [line for line in lines if line]


def _places(lines: Sequence[str]) -> dict[str, list[int]]:
    """The lines in which each name stands, once for each time."""
    places: dict[str, list[int]] = {}
    for k, line in enumerate(lines):
        for name in _names(line):
            places.setdefault(name, []).append(k)
    return places


def _until(lines: Sequence[str], found: Sequence[re.Match[str] | None]) -> list[int]:
    """For each line the last one to which its value may move."""
    until = [0] * len(lines)
    last = len(lines) - 1
    for k in range(len(lines) - 2, -1, -1):
        if _indent(lines[k + 1]) != _indent(lines[k]) or lines[k + 1].endswith("{"):
            last = k
        elif not found[k + 1]:
            last = k + 1
        until[k] = last
    return until


def _within(line: str, name: str, value: str) -> str:
    """The line with a value in place of a name, in parentheses where they are needed."""
    start, end = next(found.span() for found in _NAME.finditer(line) if found[0] == name)
    before, after = line[:start], line[end:]
    own = _precedence(value)
    left, right = _LEFT.search(before), _RIGHT.match(after)
    least = max(
        PRECEDENCE.get(left[1], -1) + 1 if left else 0,
        PRECEDENCE.get(right[1], -1) + (right[1] in ("?", "**")) if right else 0,
        _ALONE if before.endswith(("+", "-", "!")) else 0,
    )
    return f"{before}({value}){after}" if own < least else before + value + after


def _precedence(value: str) -> int:
    """How tightly the operator of a value binds that is computed last."""
    depth, least = 0, _ALONE
    for word in re.findall(r"[(\[]|[)\]]|(?<= )[^\s\w()\[\].]+(?= )", value):
        depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(word, 0)
        if not depth and word in PRECEDENCE:
            least = min(least, PRECEDENCE[word])
    return min(least, _UNARY if value[0] in "+-!" else _ALONE)


def declared(lines: Sequence[str]) -> list[str]:
    """The lines with blocks closed and names declared.

    A name is declared where it is first assigned, if that block has all its uses, otherwise at the
    start.
    """
    depths, places = [_indent(line) // 4 for line in lines], _places(lines)
    ends = _ends(depths)
    assigned: dict[str, list[int]] = {}
    for k, line in enumerate(lines):
        if found := _ASSIGNED.match(line):
            assigned.setdefault(found[2], []).append(k)
    first: list[str] = []
    words: dict[int, str] = {}
    for name, at in assigned.items():
        k = at[0]
        if places[name][0] == k and places[name][-1] < ends[k]:
            words[k] = "const " if len(at) == 1 else "let "
        else:
            first.append(name)
    written = [f"let {', '.join(first)};"] if first else []
    for k, line in enumerate(lines):
        text = words.get(k, "") + line.lstrip()
        if (added := _ADDED.fullmatch(text)) and _precedence(added[2]) > PRECEDENCE["+"]:
            text = f"{added[1]} += {added[2]}"
        written.append("  " * depths[k] + text + ("" if text.endswith("{") else ";"))
        after = depths[k + 1] if k + 1 < len(lines) else 0
        written += ["  " * depth + "}" for depth in range(depths[k] - 1, after - 1, -1)]
    return written


def _ends(depths: Sequence[int]) -> list[int]:
    """For each line the first one after its block."""
    ends, open_lines = [len(depths)] * len(depths), list[int]()
    for k, depth in enumerate(depths):
        while open_lines and depths[open_lines[-1]] > depth:
            ends[open_lines.pop()] = k
        open_lines.append(k)
    return ends
