"""A Markdown page as a Jupyter notebook: its code cells run in order, in one namespace."""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import linecache
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent

CODE = re.compile(r"^```python\n(.*?)^```\n", re.MULTILINE | re.DOTALL)

SHOWN = {
    "_repr_svg_": "image/svg+xml",
    "_repr_png_": "image/png",
    "_repr_html_": "text/html",
    "_repr_markdown_": "text/markdown",
}
"""The methods by which an object displays itself in a notebook, and their MIME types."""


class Cell(NamedTuple):
    """A piece of a page: Markdown, or Python to run."""

    code: bool
    source: str


def cells(text: str) -> list[Cell]:
    """The cells of a page: blocks of Python are code, everything else is text."""
    found = []
    for k, part in enumerate(CODE.split(text)):
        if part.strip():
            found.append(Cell(k % 2 == 1, part.strip()))
    return found


def run(text: str, name: str) -> Iterator[tuple[Cell, str, dict[str, Any]]]:
    """Run the cells of a page; yields each with its output and what its last line displays.

    An error in a cell is raised, with the lines of the cell in the traceback.
    """
    space: dict[str, Any] = {"__name__": "__main__"}
    for k, cell in enumerate(cells(text)):
        if not cell.code:
            yield cell, "", {}
            continue
        file = f"<{name}, cell {k}>"
        linecache.cache[file] = len(cell.source), None, cell.source.splitlines(True), file
        tree = ast.parse(cell.source, file)
        last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(tree, file, "exec"), space)
            if isinstance(last, ast.Expr):
                value = eval(compile(ast.Expression(last.value), file, "eval"), space)
        shown = {} if last is None or value is None else bundle(value)
        yield cell, printed.getvalue(), shown


def bundle(value: Any) -> dict[str, Any]:
    """The representations of a value that a notebook displays, by MIME type."""
    shown: dict[str, Any] = {"text/plain": repr(value)}
    if hasattr(value, "_repr_mimebundle_"):
        shown |= value._repr_mimebundle_()
    for method, kind in SHOWN.items():
        if hasattr(value, method):
            data = getattr(value, method)()
            if data is None:
                continue
            shown[kind] = base64.b64encode(data).decode() if isinstance(data, bytes) else data
    return shown


def notebook(text: str, name: str) -> str:
    """Run a page; returns its notebook as the text of an .ipynb file."""
    entries: list[dict[str, Any]] = []
    for k, (cell, printed, shown) in enumerate(run(text, name)):
        entry: dict[str, Any] = {
            "cell_type": "code" if cell.code else "markdown",
            "id": f"cell-{k}",
            "metadata": {},
            "source": cell.source.splitlines(True),
        }
        if cell.code:
            count = 1 + sum(other["cell_type"] == "code" for other in entries)
            entry |= {"execution_count": count, "outputs": outputs(printed, shown, count)}
        entries.append(entry)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    content = {
        "cells": entries,
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def outputs(printed: str, shown: dict[str, Any], count: int) -> list[dict[str, Any]]:
    """The outputs of a cell in the notebook format."""
    result: list[dict[str, Any]] = []
    if printed:
        text = printed.splitlines(True)
        result.append({"output_type": "stream", "name": "stdout", "text": text})
    if shown:
        data = {kind: x if kind == "image/png" else x.splitlines(True) for kind, x in shown.items()}
        result.append(
            {
                "output_type": "execute_result",
                "execution_count": count,
                "data": data,
                "metadata": {},
            }
        )
    return result


COURSE = tuple(
    f"course/{name}"
    for name in (
        "1-one-neuron",
        "2-the-chain-rule",
        "3-logistic-regression",
        "4-gradient-descent",
        "5-the-perceptron",
        "6-what-goes-wrong",
    )
)

PAGES = ("tour", *COURSE)
"""The pages that are also notebooks: NAME.md makes NAME.ipynb."""


def page(name: str) -> str:
    """The text of a page."""
    return (HERE / f"{name}.md").read_text(encoding="utf-8")


def made(name: str) -> str:
    """The notebook of a page."""
    return notebook(page(name), name.rpartition("/")[2])
