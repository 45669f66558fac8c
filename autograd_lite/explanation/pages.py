"""A walkthrough as text, Markdown, HTML or a notebook."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any

import numpy as np

from autograd_lite.explanation.document import Equation, Heading, Item
from autograd_lite.explanation.equations import are_shown
from autograd_lite.explanation.sentences import Piece, Shown
from autograd_lite.text import number
from autograd_lite.web_page import policy

__all__ = ["fragment", "html", "markdown", "notebook", "text"]

NOTE, LONGEST = 52, 16
"""The column of the notes, and the longest left side under which the other sides are aligned."""

Block = list[str]
"""Lines of equal length; the one at `_base` is on the base line."""


def text(items: Sequence[Item]) -> str:
    """Plain text for a terminal."""
    return _joined(items, lambda lines: "\n".join(lines), lambda paragraph: paragraph)


def markdown(items: Sequence[Item]) -> str:
    """Markdown in which the equations are text, aligned in fenced blocks."""

    def fenced(lines: list[str]) -> str:
        body = "\n".join(lines)
        fence = "`" * max(3, 1 + max(map(len, re.findall("`+", body)), default=0))
        return f"{fence}text\n{body}\n{fence}"

    return _joined(items, fenced, _markdown)


def _markdown(paragraph: str) -> str:
    return re.sub(r"([\\`*_\[\]<>#|~$&])", r"\\\1", paragraph)


def _joined(items: Sequence[Item], of_equations: Any, of_text: Any) -> str:
    """Blocks of consecutive equations, paragraphs and headings, with empty lines between them."""
    blocks: list[str] = []
    waiting: list[str] = []
    wide = False

    def finish() -> None:
        if waiting:
            blocks.append(of_equations(list(waiting)))
            waiting.clear()

    for item in items:
        if isinstance(item, Equation):
            lines = [line.rstrip() for line in _lines(item)]
            apart = waiting and (wide or len(lines) > 1)
            waiting += ["", *lines] if apart else lines
            wide = len(lines) > 1
            continue
        finish()
        if isinstance(item, Heading):
            blocks.append(f"{'#' * item.level} {of_text(item.text)}")
        else:
            blocks.append(of_text(item))
    finish()
    return "\n\n".join(blocks) + "\n"


def _lines(equation: Equation) -> Iterator[str]:
    """An equation, one side below the other, with its note on the right of the first line."""
    left = _row(equation.left)
    width = len(left[0]) if len(left[0]) <= LONGEST else 4
    rows = [_row([" = ", *side]) for side in equation.right]
    if equation.closed is not None:
        rows.append([f" = {equation.closed.text()}   (closed form)"])
    first, *rest = rows
    first = _beside([left, first])
    if equation.note:
        k = _base(first)
        first[k] = f"{first[k]:<{NOTE - 3}}   {equation.note}"
    yield from first
    for row in rest:
        yield from (" " * width + line for line in row)


def _row(pieces: Iterable[Piece]) -> Block:
    return _beside([_block(piece) for piece in pieces])


def _beside(blocks: Sequence[Block]) -> Block:
    """Blocks beside one another, each with its middle line on the base line."""
    above = max(map(_base, blocks), default=0)
    height = above + max((len(block) - _base(block) for block in blocks), default=1)
    lines = [""] * height
    for block in blocks:
        start, width = above - _base(block), max(map(len, block))
        for k in range(height):
            inside = start <= k < start + len(block)
            lines[k] += f"{block[k - start] if inside else '':<{width}}"
    return lines


def _base(block: Block) -> int:
    return (len(block) - 1) // 2


def _block(piece: Piece) -> Block:
    rows = _numbers(piece)
    if isinstance(rows, str):
        return [rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.rjust(n) for cell, n in zip(row, widths, strict=True)) for row in rows]
    if len(lines) == 1:
        return [f"[{lines[0]}]"]
    signs = ["⎡⎤", *["⎢⎥"] * (len(lines) - 2), "⎣⎦"]
    return [f"{sign[0]}{line}{sign[1]}" for sign, line in zip(signs, lines, strict=True)]


def _numbers(piece: Piece) -> str | list[list[str]]:
    """A piece as a text, or as the rows of a matrix."""
    if isinstance(piece, str) or isinstance(piece.array, tuple):
        return str(piece)
    values = np.asarray(piece.array)
    if values.size == 1 or not are_shown(values.shape) or piece.style in ("range", "times"):
        return str(piece)
    if values.ndim == 1:
        return f"({', '.join(map(number, values))})"
    return [[number(x) for x in row] for row in values]


def fragment(items: Sequence[Item]) -> str:
    """HTML for a notebook: a style and an element."""
    return f"<style>\n{_style()}</style>\n{_body(items)}"


def html(items: Sequence[Item]) -> str:
    """A page that loads nothing and runs no script."""
    style = _style()
    frame = Path(__file__).with_name("walkthrough.html").read_text(encoding="utf-8")
    title = next((item.text for item in items if isinstance(item, Heading)), "")
    return Template(frame).substitute(
        title=escape(title), policy=policy(style), style=style, body=_body(items)
    )


def _style() -> str:
    return Path(__file__).with_name("walkthrough.css").read_text(encoding="utf-8")


def _body(items: Sequence[Item]) -> str:
    parts = [_element(item) for item in items]
    return '<div class="walkthrough">\n' + "\n".join(parts) + "\n</div>\n"


def _element(item: Item) -> str:
    if isinstance(item, str):
        return f"<p>{escape(item)}</p>"
    if isinstance(item, Heading):
        return f"<h{item.level}>{escape(item.text)}</h{item.level}>"
    badge = f'<b class="badge">{escape(item.badge)}</b>' if item.badge else ""
    sides = "".join(f'<div class="side">{_html(["= ", *side])}</div>' for side in item.right)
    if item.closed is not None:
        closed = f'{item.closed.mathml()}<small class="note">closed form</small>'
        sides += f'<div class="side">= {closed}</div>'
    note = f'<small class="note">{escape(item.note)}</small>' if item.note else ""
    kind = f"step {item.role} gradient" if item.gradient else f"step {item.role}"
    return (
        f'<div class="{kind}">{badge}<div class="equation">'
        f'<div class="left">{_html(item.left)}</div>{sides}</div>{note}</div>'
    )


def _html(pieces: Iterable[Piece]) -> str:
    found = []
    for piece in pieces:
        rows = _numbers(piece)
        if isinstance(rows, str):
            number = ' class="number"' if isinstance(piece, Shown) else ""
            found.append(f"<span{number}>{escape(rows)}</span>")
            continue
        cells = ("".join(f"<td>{cell}</td>" for cell in row) for row in rows)
        body = "".join(f"<tr>{row}</tr>" for row in cells)
        found.append(f'<table class="matrix">{body}</table>')
    return "".join(found)


def notebook(items: Sequence[Item]) -> str:
    """A Jupyter notebook of Markdown cells, one for each heading."""
    cells: list[list[Item]] = []
    for item in items:
        if isinstance(item, Heading) or not cells:
            cells.append([])
        cells[-1].append(item)
    content = {
        "cells": [
            {
                "cell_type": "markdown",
                "id": f"cell-{k}",
                "metadata": {},
                "source": markdown(cell).rstrip("\n").splitlines(True),
            }
            for k, cell in enumerate(cells)
        ],
        "metadata": {"language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"
