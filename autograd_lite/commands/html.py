"""Parts of an HTML page, and tables as CSV."""

from __future__ import annotations

import base64
import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from io import StringIO
from typing import Any

import numpy as np

from autograd_lite.text import number

__all__ = ["cell", "csv_of", "image", "part", "section", "table"]


def section(title: str, *parts: str) -> str:
    """A section of a page with its title."""
    return f"<section><h2>{escape(title)}</h2>\n{''.join(parts)}</section>"


def part(title: str, body: str) -> str:
    """A part of a section with its title."""
    return f"<h3>{escape(title)}</h3>\n{body}\n"


def image(name: str, files: Mapping[str, bytes], text: str) -> str:
    """A picture embedded in the page; a wide one scrolls instead of shrinking too far."""
    code = base64.b64encode(files[name]).decode()
    width = re.search(rb'<svg\b[^>]*?\bwidth="([\d.]+)pt"', files[name])
    least = round(0.8 * float(width[1])) if width else 0
    size = f' style="min-width: {least}px"' if least > 800 else ""
    return f'<img src="data:image/svg+xml;base64,{code}" alt="{escape(text)}"{size}>'


def table(head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table with row headings in the first column; a long one is folded after ten rows.

    Columns of text are aligned to the left, others to the right.
    """
    texts = [all(isinstance(row[k], str) for row in rows) for k in range(1, len(head))]
    of = [' class="text"' if text and rows else "" for text in texts]

    def lines(some: Iterable[Sequence[object]]) -> str:
        return "".join(
            f'<tr><th scope="row">{escape(str(first))}</th>'
            + "".join(
                f"<td{kind}>{escape(cell(value))}</td>"
                for kind, value in zip(of, rest, strict=True)
            )
            + "</tr>"
            for first, *rest in some
        )

    top = "".join(
        f'<th scope="col"{kind}>{escape(word)}</th>'
        for kind, word in zip(["", *of], head, strict=True)
    )
    top = f"<thead><tr>{top}</tr></thead>" if any(head[1:]) else ""
    short = f"<table>{top}<tbody>{lines(rows[:10])}</tbody></table>"
    if len(rows) <= 12:
        return f'<div class="wide">{short}</div>'
    rest = f"<table>{top}<tbody>{lines(rows[10:])}</tbody></table>"
    return (
        f'<div class="wide">{short}</div><details><summary>{len(rows) - 10} more</summary>'
        f'<div class="wide">{rest}</div></details>'
    )


def cell(value: object) -> str:
    """A value as text for people."""
    if isinstance(value, (bool, str)) or value is None:
        return {True: "yes", False: "no", None: "none"}.get(value, str(value))  # type: ignore[arg-type]
    if isinstance(value, (int, np.integer)):
        return f"{value:,}".replace("-", "−")
    return number(value) if isinstance(value, (float, np.floating)) else str(value)


def csv_of(rows: Iterable[Iterable[Any]]) -> bytes:
    """Rows as a CSV file."""
    text = StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()
