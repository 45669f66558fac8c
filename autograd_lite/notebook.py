"""Tensors and graphs in a notebook: small HTML tables, all text escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

import numpy as np

from autograd_lite.text import number, printable

__all__ = ["graph_html", "tensor_html"]

LARGEST = 64
"""A Tensor with more elements shows only their range and mean."""

MOST = 40
"""A graph with more nodes shows only the first and the last ones."""

_TABLE = '<table style="font-variant-numeric:tabular-nums">'
_GREY, _GRADIENT = "opacity:.65", "color:#c05a1c"


def tensor_html(tensor: Any) -> str:
    """A Tensor: name, shape, dtype, operation, values, and the gradient if there is one."""
    words = [str(tensor.shape), str(tensor.dtype)]
    if tensor.op is not None:
        words.append(f"made by {tensor.op.name}")
    elif not tensor.requires_grad:
        words.append("constant")
    head = f"<b>{_text(tensor.name or '') or 'Tensor'}</b> "
    head += f'<span style="{_GREY}">{_text(", ".join(words))}</span>'
    body = _array("value", tensor.array, "")
    if tensor.grad is not None:
        body += _array("grad", tensor.grad, _GRADIENT)
    return f"<div>{head}{_TABLE}{body}</table></div>"


def graph_html(graph: Any) -> str:
    """A graph: its nodes in order of execution, with their inputs."""
    nodes = graph.nodes
    called = {node: _called(node, k) for k, node in enumerate(nodes)}
    shown = list(enumerate(nodes))
    if len(nodes) > MOST:
        shown = [*shown[: MOST // 2], *shown[-MOST // 2 :]]
    rows = []
    for k, node in shown:
        leaf = "parameter" if node.requires_grad else "data"
        made = leaf if node.op is None else node.op.name
        inputs = ", ".join(called[x] for x in node.inputs if x in called)
        rows.append(_row((f"#{k}", node.name or "", made, inputs, str(node.shape))))
        if len(nodes) > MOST and len(rows) == MOST // 2:
            rows.append(_row(("⋮", f"{len(nodes) - MOST} more", "", "", "")))
    head = _row(("", "name", "operation", "of", "shape"), "th")
    return f"<div>{_text(repr(graph), 200)}{_TABLE}{head}{''.join(rows)}</table></div>"


def _called(node: Any, k: int) -> str:
    if node.name is None and node.op is None and np.shape(node.array) == ():
        return number(node.array)
    return node.name or f"#{k}"


def _array(label: str, array: Any, style: str) -> str:
    values = np.asarray(array)
    if values.size == 0:
        return _row((label, "empty"), style=style)
    if values.size > LARGEST or values.ndim > 2:
        with np.errstate(all="ignore"):
            measures = (values.min(), values.mean(dtype=np.float64), values.max())
        words = [f"{w} {number(x)}" for w, x in zip(("min", "mean", "max"), measures, strict=True)]
        return _row((label, *words), style=style)
    lines = values.reshape(-1, values.shape[-1] if values.ndim else 1)
    return "".join(
        _row((label if k == 0 else "", *map(number, line)), style=style)
        for k, line in enumerate(lines)
    )


def _row(cells: Iterable[str] | Sequence[str], tag: str = "td", style: str = "") -> str:
    style = f' style="{style}"' if style else ""
    return f"<tr{style}>" + "".join(f"<{tag}>{_text(cell)}</{tag}>" for cell in cells) + "</tr>"


def _text(text: str, limit: int = 60) -> str:
    return escape(printable(text, limit))
