"""Lines of JavaScript: what is used once is written where it is used, and names are declared."""

from __future__ import annotations

import re
from collections import Counter
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
    read.
    Lines are assignments, calls and heads of loops, indented, and the statement that returns.
    """
    lines = list(lines)
    uses = Counter(name for line in lines for name in _names(line))
    assigned = Counter(found[2] for line in lines if (found := _ASSIGNED.match(line)))
    for k, line in enumerate(lines):
        found = _ASSIGNED.match(line)
        if not found or assigned[found[2]] != 1 or uses[found[2]] != 2:
            continue
        name, value = found[2], found[3]
        place = _use(lines, k, name, {*_names(value)})
        if place is None or value.startswith("new "):
            continue
        text = _within(lines[place], name, value)
        if len(_NUMBER.sub("0", text.strip())) <= LONGEST:
            lines[place], lines[k] = text, ""
    return [line for line in lines if line]


def _use(lines: Sequence[str], k: int, name: str, read: set[str]) -> int | None:
    """The line after line k to which a value can move that is used there only."""
    for j in range(k + 1, len(lines)):
        if not lines[j]:
            continue
        found = _ASSIGNED.match(lines[j])
        if _indent(lines[j]) != _indent(lines[k]) or lines[j].endswith("{"):
            return None
        if name in _names(lines[j]):
            return j
        if not found or found[2] in read:
            return None
    return None


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
    depths = [_indent(line) // 4 for line in lines]
    places: dict[str, list[int]] = {}
    assigned: dict[str, list[int]] = {}
    for k, line in enumerate(lines):
        if found := _ASSIGNED.match(line):
            assigned.setdefault(found[2], []).append(k)
        for name in _names(line):
            places.setdefault(name, []).append(k)
    first: list[str] = []
    words: dict[int, str] = {}
    for name, at in assigned.items():
        k = at[0]
        end = next((j for j in range(k, len(lines)) if depths[j] < depths[k]), len(lines))
        if places[name][0] == k and places[name][-1] < end:
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
