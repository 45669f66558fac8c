"""Lines of JavaScript: what is used once is written where it is used, and names are declared."""

from __future__ import annotations

import re
from collections.abc import Sequence

__all__ = ["declared", "inlined"]

LONGEST = 72  # characters of a statement, numbers apart, up to which others are written into it

_NAME = re.compile(r"(?<![\w$.\"])[A-Za-z_$][\w$]*(?![\w$:])")  # no key of an object
_ASSIGNED = re.compile(r"( *)([A-Za-z_$][\w$]*) = (.*)")
_ATOM = re.compile(r"[\w.]+(\[[^\[\]]*\])?|[\w.]+\([^()]*\)")
_NUMBER = re.compile(r"(?<![\w$])\d[\w.]*")


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
    """The line with a value in place of a name, in parentheses unless it stands alone."""
    start, end = next(found.span() for found in _NAME.finditer(line) if found[0] == name)
    before, after = line[:start], line[end:]
    opened = before.endswith((" = ", "(", ", ", "[", ": ", "return ")) and not re.search(
        r"\+\($|-\($", before
    )
    closed = not after or after.startswith((")", ",", "]", " }"))
    if not (_ATOM.fullmatch(value) or (opened and closed)):
        value = f"({value})"
    return before + value + after


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
