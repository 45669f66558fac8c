"""A picture from Graphviz as compact data, from which the page's script draws it again."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from typing import Any

__all__ = ["COLORS", "Faces", "Styles", "read"]

COLORS = {
    "#202124": "ink", "#5f6368": "grey", "#3c4043": "badge", "#4a4f55": "arrow",
    "#dcebf7": "data", "#fde9c4": "parameter", "#f7e1ee": "loss", "#e8eaed": "folded",
    "#f6f7f8": "frame", "#c4c7cc": "line",
    "#0072b2": "data-line", "#b87700": "parameter-line", "#7a7a7a": "result-line",
    "#a3457f": "loss-line",
    "#a63f00": "grad", "#b3261e": "grad-exploding", "#0b57d0": "grad-vanishing",
    "#5c6166": "grad-zero", "#63676c": "value-dead", "#b01818": "alarm",
}  # fmt: skip
"""The names of the picture's colours in the page's style, which has a light and a dark version."""

LOOKS = ("fill", "stroke", "stroke-width", "stroke-dasharray", "font-size", "font-weight")

Item = list[Any]
"""The number of a style, the place, then a text, or a width and for a rectangle a height."""


class Styles:
    """The looks of the items of all pictures of a page; items refer to them by number.

    Attributes:
        table: for each style the name of its SVG element and its attributes.
    """

    def __init__(self) -> None:
        self.table: list[tuple[str, dict[str, str]]] = []
        self._known: dict[tuple[Any, ...], int] = {}

    def number(self, tag: str, attributes: dict[str, str]) -> int:
        """The number of a style, which is new if no item had it."""
        key = (tag, *attributes.items())
        if key not in self._known:
            self._known[key] = len(self.table)
            self.table.append((tag, attributes))
        return self._known[key]


class Faces:
    """What cards show inside their outlines; the same card in several pictures has one face.

    Attributes:
        table: for each face its items.
    """

    def __init__(self) -> None:
        self.table: list[list[Item]] = []
        self._known: dict[tuple[Any, ...], int] = {}

    def number(self, items: list[Item]) -> int:
        """The number of the face of a card, which is new if no card of this size showed it."""
        (_, _, _, width, height), *inside = items
        shown = ((style, *(x for x in rest if isinstance(x, str))) for style, *rest in inside)
        # Graphviz places the same card with other rounding errors in each picture.
        key = (round(width / 10), round(height / 10), *shown)
        if key not in self._known:
            self._known[key] = len(self.table)
            self.table.append(inside)
        return self._known[key]


def read(svg: str, styles: Styles) -> dict[str, list[Any]]:
    """The cards, frames and arrows of an SVG picture, by identifier.

    Lengths are whole tenths of a point. A card or frame is a list of items; its first item is its
    outline, and the places of the others are relative to it. An arrow has the points of its curve,
    of which all but the first are relative to the one before; the middle of the base of its tip and
    the way from there to the point; and its texts.
    """
    root = ElementTree.fromstring(svg.replace("&nbsp;", "&#160;"))
    found: dict[str, list[Any]] = {}
    for group in root.findall(".//{*}g"):
        parts = [(part.tag.rpartition("}")[2], part.attrib, part.text) for part in group]
        if group.get("class") == "edge":
            found[group.attrib["id"]] = _arrow(parts, styles)
        elif group.get("class") in ("node", "cluster"):
            found[group.attrib["id"]] = _relative(list(_items(parts, styles)))
    return found


def _items(parts: list[Any], styles: Styles) -> Iterator[Item]:
    """The rectangles, lines and texts of a card or frame."""
    line: Item | None = None
    for tag, given, text in parts:
        if tag == "text" and (item := _text(given, text, styles)):
            yield item
        if tag not in ("path", "polygon"):
            continue
        look = _look(given, "var(--result)")
        numbers = _numbers(given.get("d") or given["points"])
        xs, ys = numbers[::2], numbers[1::2]
        x, y, width, height = min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys)
        if height >= 0.1:
            radius = min(abs(xs[0] - min(xs)), abs(max(xs) - xs[0]))
            if tag == "path" and radius:
                look["rx"] = f"{radius:.1f}".removesuffix(".0")
            yield [styles.number("rect", look), *map(_tenths, (x, y, width, height))]
            continue
        # A rule has a piece in each column.
        if line and line[2] == _tenths(y) and abs(line[1] + line[3] - _tenths(x)) <= 1:
            line[3] = _tenths(x + width) - line[1]
            continue
        look.pop("fill", None)
        line = [styles.number("path", look), *map(_tenths, (x, y, width))]
        yield line


def _text(given: dict[str, str], text: str | None, styles: Styles) -> Item | None:
    """A text at its place, unless it is made of spaces only."""
    if not text or not text.strip():
        return None
    look = _look(given, "#ffffff")
    if look.get("font-size") == "13" and look.get("fill") == "var(--ink)":
        look["fill"] = "var(--value)"
    if given.get("text-anchor", "start") != "start":
        look["text-anchor"] = given["text-anchor"]
    place = _tenths(float(given["x"])), _tenths(float(given["y"]))
    return [styles.number("text", look), *place, text]


def _look(given: dict[str, str], white: str) -> dict[str, str]:
    """The attributes that say how something looks, with colours by name."""
    look = {}
    for key in LOOKS:
        if key in given:
            value = given[key].lower()
            if value in ("#ffffff", "white"):
                value = white
            elif value in COLORS:
                value = f"var(--{COLORS[value]})"
            look[key] = re.sub(r"\.0+$", "", value)
    return look


def _arrow(parts: list[Any], styles: Styles) -> list[Any]:
    """The curve, the tip and the texts of an arrow."""
    curve, tip, texts = [], [0.0] * 6, []
    for tag, given, text in parts:
        if tag == "path":
            curve = _numbers(given["d"])
        elif tag == "polygon":
            tip = _numbers(given["points"])
        elif tag == "text" and (item := _text(given, text, styles)):
            texts.append(item)
    points = [_tenths(x) for x in curve]
    steps = points[:2] + [x - before for before, x in zip(points, points[2:], strict=False)]
    base = _tenths((tip[0] + tip[4]) / 2), _tenths((tip[1] + tip[5]) / 2)
    return [steps, [*base, _tenths(tip[2]) - base[0], _tenths(tip[3]) - base[1]], texts]


def _relative(items: list[Item]) -> list[Item]:
    _, x, y, *_ = items[0]
    return items[:1] + [[style, a - x, b - y, *rest] for style, a, b, *rest in items[1:]]


def _numbers(text: str) -> list[float]:
    return [float(x) for x in re.findall(r"-?[\d.]+(?:e-?\d+)?", text)]


def _tenths(length: float) -> int:
    return round(10 * length)
