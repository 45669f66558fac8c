"""Every step of a graph with its numbers: forward, backward, update and forward again."""

from __future__ import annotations

import os
from math import isfinite
from numbers import Real
from pathlib import Path
from typing import Any

import numpy as np

from autograd_lite.arrays import describe
from autograd_lite.explanation import pages
from autograd_lite.explanation.document import Item
from autograd_lite.explanation.snapshot import Snapshot
from autograd_lite.explanation.writer import Writer
from autograd_lite.files import atomic
from autograd_lite.graph import Graph
from autograd_lite.sweep import gradients
from autograd_lite.tensor import Tensor

__all__ = ["Walkthrough", "walked"]


class Walkthrough:
    """Every step of a graph with its numbers; a notebook displays it, and `print` prints it.

    Attributes:
        loss: the Tensor.
        learning_rate: the size of the update, or None.
    """

    __slots__ = ("_items", "learning_rate", "loss")

    def __init__(self, loss: Any, learning_rate: float | None, items: list[Item]) -> None:
        self.loss: Any = loss
        self.learning_rate: float | None = learning_rate
        self._items = items

    def text(self) -> str:
        """Plain text for a terminal."""
        return pages.text(self._items)

    def markdown(self) -> str:
        """Markdown; the equations are text in fenced blocks."""
        return pages.markdown(self._items)

    def html(self) -> str:
        """A page that loads nothing and runs no script."""
        return pages.html(self._items)

    def notebook(self) -> str:
        """A Jupyter notebook of Markdown cells, as the text of an .ipynb file."""
        return pages.notebook(self._items)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the walkthrough in the format of the suffix and return the path.

        The suffixes are .txt, .md, .html and .ipynb. An existing file is replaced only when the
        new one is complete.

        Raises ValueError for another suffix, and OSError as `open` does.
        """
        path = Path(path)
        writers = {
            ".txt": self.text, ".md": self.markdown, ".html": self.html, ".ipynb": self.notebook,
        }  # fmt: skip
        writer = writers.get(path.suffix.lower())
        if writer is None:
            raise ValueError(f"{path.name} must end in .txt, .md, .html or .ipynb")
        content = writer()
        with atomic(path) as file:
            file.write(content)
        return path

    __str__ = text

    _repr_markdown_ = markdown

    def _repr_html_(self) -> str:
        return pages.fragment(self._items)

    def __repr__(self) -> str:
        return f"<Walkthrough of {describe(self.loss)}; print it, or save('walk.html')>"


def walked(loss: Any, learning_rate: Any) -> Walkthrough:
    """The walkthrough of `walkthrough`."""
    if not isinstance(loss, Tensor):
        raise TypeError(f"walkthrough takes a Tensor, not {type(loss).__name__}")
    graph = Graph.of(loss)
    rate = None if learning_rate is None else _rate(loss, learning_rate)
    graph.check_unchanged("walkthrough")
    with np.errstate(all="ignore"):
        found = gradients(loss) if loss.requires_grad else None
        writer = Writer(Snapshot(graph, found, distinct=True), rate)
        return Walkthrough(loss, rate, list(writer.items()))


def _rate(loss: Any, learning_rate: Any) -> float:
    """The learning rate, if the loss allows an update."""
    if isinstance(learning_rate, (bool, np.bool_)) or not isinstance(learning_rate, Real):
        kind = type(learning_rate).__name__
        raise TypeError(f"walkthrough: learning_rate must be a number, not {kind}")
    rate = float(learning_rate)
    if not (isfinite(rate) and rate > 0):
        raise ValueError(f"walkthrough: learning_rate must be positive, not {learning_rate!r}")
    if loss.size != 1:
        raise ValueError(
            f"walkthrough: a learning rate needs a scalar loss; got {describe(loss)}. Take its "
            "sum() or mean(), or leave out learning_rate"
        )
    if not loss.requires_grad:
        raise ValueError(
            f"walkthrough: {describe(loss)} depends on no Tensor that requires a gradient, so that "
            "there is nothing to update; leave out learning_rate"
        )
    return rate
