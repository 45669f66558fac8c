"""The cards: an HTML-like Graphviz label for each leaf, result or fold."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograd_lite.explanation.folding import Group
from autograd_lite.explanation.sentences import shape
from autograd_lite.text import number, printable
from autograd_lite.viz.marks import Mark

__all__ = [
    "GREY", "ROLES", "Look", "attributes", "card", "count", "escape", "font", "legend", "measures",
    "part", "role_of", "summary", "word",
]  # fmt: skip

INK, GREY, GRADIENT, BADGE = "#202124", "#5F6368", "#A63F00", "#3C4043"

LARGEST = 12
"""A card shows each number of an array up to this size, else range, mean and largest gradient."""

MOST = 5
"""A fold shows the counts of this many kinds of operation."""

WIDEST = 6
"""A longer vector takes several lines."""

TARGETS = frozenset({"y", "Y", "t", "target", "targets", "label", "labels", "y_true"})
LOSSES = frozenset({"L", "loss", "J", "E", "cost", "ℒ", "ℓ", "𝓛"})


@dataclass(frozen=True, slots=True)
class Look:
    """The look of a role, recognizable by shape and border as well as by colour."""

    fill: str
    border: str
    pen: float
    rounded: bool = True
    double: bool = False


ROLES = {
    "data": Look("#DCEBF7", "#0072B2", 2.0, rounded=False),
    "parameter": Look("#FDE9C4", "#B87700", 2.4),
    "result": Look("#FFFFFF", "#7A7A7A", 1.0),
    "loss": Look("#F7E1EE", "#A3457F", 1.8, double=True),
    "folded": Look("#E8EAED", "#7A7A7A", 1.0),
}

SPACE = "\N{NO-BREAK SPACE}"
"""Graphviz and SVG drop ordinary spaces at either end of a text."""

GAP = f'<FONT POINT-SIZE="12">{2 * SPACE}</FONT>'
"""A separate text: some SVG readers drop even these spaces, but keep the place of every text."""

_ENTITIES = str.maketrans(
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;", "\\": 2 * "&#92;"}
)


def escape(text: str, limit: int = 80) -> str:
    """Text for a label: on one line, with markup and Graphviz's escapes escaped."""
    return printable(text, limit).translate(_ENTITIES).replace("  ", 2 * SPACE)


def font(text: str, size: int, color: str = INK, bold: bool = False) -> str:
    """Escaped text in a size and a colour; an empty string for no text."""
    if not text:
        return ""
    inner = f"<B>{text}</B>" if bold else text
    return f'<FONT POINT-SIZE="{size}" COLOR="{color}">{inner}</FONT>'


def table(rows: Sequence[str], **attributes: object) -> str:
    """A table, without lines unless the attributes set them."""
    given = {"BORDER": 0, "CELLBORDER": 0, "CELLSPACING": 0, "CELLPADDING": 0} | attributes
    inside = "".join(row if row.startswith("<HR") else f"<TR>{row}</TR>" for row in rows)
    return f"<TABLE {_listed(given)}>{inside}</TABLE>"


def cell(inside: str, **attributes: object) -> str:
    """A cell of a table."""
    return f"<TD {_listed(attributes)}>{inside}</TD>" if attributes else f"<TD>{inside}</TD>"


def _listed(attributes: dict[str, object]) -> str:
    return " ".join(f'{key}="{value}"' for key, value in attributes.items())


def attributes(role: str, label: str) -> str:
    """The DOT attributes of a card."""
    look = ROLES[role]
    style = "rounded,filled" if look.rounded else "filled"
    peripheries = " peripheries=2" if look.double else ""
    return (
        f'[style="{style}" fillcolor="{look.fill}" color="{look.border}" penwidth={look.pen:g}'
        f"{peripheries} label=<{label}>]"
    )


def role_of(node: Any, result: Any) -> str:
    """The role of a node in the picture of a result."""
    if node.op is None:
        return "parameter" if node.requires_grad else "data"
    return "loss" if node is result else "result"


def card(
    node: Any,
    array: Any,
    title: str | None,
    role: str,
    badge: str | None = None,
    gradient: Any = None,
    marks: Iterable[Mark] = (),
) -> str:
    """The label of one node: badge, name, role and shape, value, gradient, marks."""
    rows = [_number_rows("value", array, INK)]
    if gradient is not None:
        if isinstance(gradient, tuple) or np.size(gradient) <= LARGEST:
            rows.append(_number_rows("grad", gradient, GRADIENT))
        else:
            bound = _numbers([_largest(gradient)], GRADIENT)
            rows.append([[font("|grad| ≤", 11, GRADIENT), *bound]])
    name = font(escape(title, 40), 15, bold=True) if title else ""
    if not title and node.op is not None:
        name = font(escape(node.op.name), 13, GREY)
    words = [word(node, role), shape(array)]
    signs = _signs(marks)
    return _assembled(name, " ".join(filter(None, words)), rows, ROLES[role].border, badge, signs)


def _assembled(
    name: str,
    words: str,
    blocks: list[list[list[str]]],
    line: str,
    badge: str | None,
    signs: str,
) -> str:
    columns = max(len(row) for block in blocks for row in block)
    head = (GAP if name and words else "").join((name, font(escape(words), 11, GREY)))
    rows = [cell(head, COLSPAN=columns, ALIGN="LEFT")] if head else []
    for k, block in enumerate(blocks):
        if k:
            rows.append("<HR/>")
        rows.extend(_spread(row, columns) for row in block)
    if signs:
        rows.append(cell(signs, COLSPAN=columns, ALIGN="LEFT"))
    content = table(rows, CELLPADDING=2, COLOR=line)
    if badge is None:
        return content
    field = _badge(badge, 17 if len(badge) <= 2 else 13, 8)
    return table([cell(field) + cell("", WIDTH=5) + cell(content)])


def _spread(row: list[str], columns: int) -> str:
    """A label on the left and numbers on the right, across all columns."""
    label, *rest = row
    text = cell(label, ALIGN="LEFT", VALIGN="MIDDLE")
    if len(rest) == 1 and columns > 2:
        return text + cell(rest[0], ALIGN="RIGHT", COLSPAN=columns - 1)
    padding = [cell("")] * (columns - 1 - len(rest))
    return text + "".join([cell(x, ALIGN="RIGHT") for x in rest] + padding)


def _number_rows(label: str, array: Any, color: str) -> list[list[str]]:
    """Table rows: the numbers of a small array, or the range and mean of a large one."""
    head = font(label, 11, GREY if color == INK else color)
    if isinstance(array, tuple):
        return [[head, font(f"{len(array)} arrays", 13, color)]]
    values = np.asarray(array)
    if values.size == 0:
        return [[head, font("empty", 12, GREY)]]
    if values.size > LARGEST:
        words = [font(word, 10, GREY) for word in ("min", "mean", "max")]
        return [["", *words], [head, *_numbers(measures(values), color)]]
    return [["" if k else head, *_numbers(line, color)] for k, line in enumerate(_lines(values))]


def measures(values: Any) -> tuple[Any, float, Any]:
    """The minimum, mean and maximum of an array.

    A mean within a few rounding errors of 0, such as that of a standardized column, is 0; its
    digits would be noise.
    """
    with np.errstate(all="ignore"):
        low, mean, high = values.min(), float(values.mean(dtype=np.float64)), values.max()
        rounding = np.finfo(np.result_type(values.dtype, np.float32)).eps
        noise = 4 * rounding * max(abs(float(low)), abs(float(high)))
    return low, 0.0 if abs(mean) < noise else mean, high


def _numbers(values: Iterable[Any], color: str) -> list[str]:
    return [font(SPACE + number(x), 13, color) for x in values]


def _lines(values: Any) -> Iterator[Any]:
    """The rows of a matrix, or a vector split into lines."""
    flat = values.reshape(-1, values.shape[-1] if values.ndim > 1 else values.size)
    for row in flat:
        lines = -(-row.size // WIDEST)
        size = -(-row.size // lines)
        for k in range(0, row.size, size):
            yield row[k : k + size]


def _largest(gradient: Any) -> float:
    with np.errstate(all="ignore"):
        return float(np.abs(np.asarray(gradient)).max())


def word(node: Any, role: str) -> str:
    """The role as shown next to the name."""
    if role == "data":
        if node.name in TARGETS:
            return "target"
        return "input" if node.name else "constant"
    if role == "loss":
        known = node.name in LOSSES or "entropy" in node.op.name
        return "loss" if known and node.shape == () else "output"
    return ""


def _signs(marks: Iterable[Mark]) -> str:
    """The marks of a card in a row."""
    signs = [
        cell(
            table(
                [cell(font(escape(f"{mark.sign} {mark.text}"), 11, mark.color, bold=True))],
                BORDER=1, STYLE="ROUNDED", COLOR=mark.color, CELLPADDING=3,
            )
        )
        for mark in marks
    ]  # fmt: skip
    return table(["".join(signs)], CELLSPACING=2) if signs else ""


def part(gradient: Any) -> str:
    """The text of an edge: the part of a gradient that it carries."""
    if isinstance(gradient, tuple) or np.size(gradient) == 0:
        return ""
    values = np.asarray(gradient)
    if values.size <= 3:
        return "← " + "  ".join(number(x) for x in values.flat)
    return f"← |·| ≤ {number(_largest(values))}"


def summary(group: Group, marks: Mapping[Mark, int]) -> str:
    """The label of a fold: its title, contents and marks."""
    counts = sorted(group.operations.items(), key=lambda item: (-item[1], item[0]))
    cells = [
        cell(_badge(sign, 11, 3)) + cell(font(f"{times:,}", 12), ALIGN="LEFT")
        for sign, times in counts[:MOST]
    ]
    if len(counts) > MOST:
        rest = sum(times for _, times in counts[MOST:])
        cells.append(cell(font(f"and {rest:,} of {len(counts) - MOST} kinds more", 11, GREY)))
    parameters = len(group.parameters)
    numbers = sum(np.size(leaf.array) for leaf in group.parameters)
    data = sum(node.op is None for node in group.nodes) - parameters
    title = font(escape(group.title or ""), 14, bold=True)
    rows = [cell(title, ALIGN="LEFT")] if title else []
    if cells:
        rows.append(cell(table(["".join(cells)], CELLSPACING=3), ALIGN="LEFT"))
    if parameters:
        size = f", {numbers:,} numbers" if numbers > parameters else ""
        words = count(parameters, "parameter") + size
        rows.append(cell(font(words, 11, ROLES["parameter"].border), ALIGN="LEFT"))
    if data:
        words = count(data, "array") + " of data"
        rows.append(cell(font(words, 11, ROLES["data"].border), ALIGN="LEFT"))
    if signs := _signs(mark.counted(times) for mark, times in marks.items()):
        rows.append(cell(signs, ALIGN="LEFT"))
    return table(rows, CELLPADDING=2)


def count(number: int, noun: str) -> str:
    """A number and a noun, plural unless the number is 1."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def _badge(sign: str, size: int, padding: int) -> str:
    """The symbol of an operation, white on dark."""
    text = cell(font(escape(sign, 16), size, "#FFFFFF"))
    return table([text], STYLE="ROUNDED", BGCOLOR=BADGE, CELLPADDING=padding)


def legend(gradient: str | None, folded: bool) -> str:
    """The legend of shapes and colours, as the label of the graph."""

    def swatch(role: str) -> str:
        look = ROLES[role]
        style = {"STYLE": "ROUNDED"} if look.rounded else {}
        inner = table(
            [cell(font(role, 11))],
            BORDER=round(look.pen), COLOR=look.border, BGCOLOR=look.fill, CELLPADDING=6, **style,
        )  # fmt: skip
        if look.double:
            inner = table([cell(inner)], BORDER=1, COLOR=look.border, CELLPADDING=2, **style)
        return cell(inner)

    cells = [swatch(role) for role in ("data", "parameter", "result", "loss")]
    if folded:
        cells.append(swatch("folded"))
    cells += [cell(_badge("operation", 11, 6)), cell(font("→ forward", 11))]
    if gradient is not None:
        word = font("grad", 11, GRADIENT, bold=True)
        cells.append(cell(word + GAP + font(f"= {gradient}", 11, GRADIENT)))
    return table(["".join(cells)], CELLSPACING=10)
