"""One training iteration of logistic regression, with every number from the graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

import autograd_lite as ag
from autograd_lite.arrays import numbers_only
from autograd_lite.models.examples import student
from autograd_lite.sweep import gradients
from autograd_lite.text import number, subscript

_STUDENT: tuple[npt.ArrayLike, ...] = ((3, 5), 1, (0.1, -0.2), 0, 0.1)

_FOOTNOTE = """\
[^1]: A calculation by hand that first rounds ŷ − y to −0.67 gets dL/dw = (−2.01, −3.35), and
    from there w = (0.301, 0.135)."""

Row = tuple[str, ...]


def walkthrough(
    x: npt.ArrayLike = (3, 5),
    y: float = 1,
    w: npt.ArrayLike = (0.1, -0.2),
    b: float = 0,
    learning_rate: float = 0.1,
) -> str:
    """Forward, backward, update and forward again for one example, as Markdown.

    The default is the example of `student`: 3 hours studied, 5 slept, passed. The tables are
    aligned for reading in a terminal.

    Raises ValueError if x and w differ in length, a number is not finite, y is not between 0 and
    1, or the learning rate is not positive.

    Example:
        >>> print(walkthrough().partition("## 2")[0].strip())
        # One training iteration of logistic regression
        <BLANKLINE>
        x = (3, 5), y = 1, w = (0.1, −0.2), b = 0, learning rate α = 0.1
        <BLANKLINE>
        ## 1. Forward: from the example to the loss
        <BLANKLINE>
        | node | formula                       | with numbers     | value  |
        |------|-------------------------------|------------------|--------|
        | w·x  | w₁x₁ + w₂x₂                   | 0.1·3 + (−0.2)·5 | −0.7   |
        | z    | w·x + b                       | −0.7 + 0         | −0.7   |
        | ŷ    | σ(z) = 1 / (1 + exp(−z))      | σ(−0.7)          | 0.3318 |
        | L    | −y log ŷ − (1 − y) log(1 − ŷ) | BCE(0.3318, 1)   | 1.1032 |
    """
    _check(x=x, y=y, w=w, b=b, learning_rate=learning_rate)
    given: tuple[npt.ArrayLike, ...] = (x, y, w, b, learning_rate)
    usual = all(np.array_equal(a, c) for a, c in zip(given, _STUDENT, strict=True))
    parts = _parts(student(x, y, w, b), learning_rate, "[^1]" if usual else "")
    return "\n\n".join([*parts, _FOOTNOTE] if usual else parts) + "\n"


def _parts(L: ag.Tensor, learning_rate: float, mark: str) -> list[str]:
    """The paragraphs and tables; the mark stands beside the numbers of the footnote."""
    old = _values(L)
    node = {t.name: t for t in ag.Graph.of(L).nodes}
    gradient = {t.name: _written(g) for t, g in gradients(L).of.items()}
    w, b = (node[name].numpy() - learning_rate * gradients(L).of[node[name]] for name in "wb")
    new = _values(student(old["x"], old["y"], w, b))
    before, after = ({name: _written(x) for name, x in values.items()} for values in (old, new))
    α, ŷ, y = number(learning_rate), before["ŷ"], before["y"]
    entering = f"(1 − {y}) / (1 − {ŷ}) − {y} / {ŷ}"
    return [
        "# One training iteration of logistic regression",
        ", ".join(f"{name} = {before[name]}" for name in "xywb") + f", learning rate α = {α}",
        "## 1. Forward: from the example to the loss",
        _forward(old),
        "## 2. Backward: from the loss to the parameters",
        _table(
            ("gradient", "formula", "with numbers", "value"),
            ("dL/dŷ", "(1 − y) / (1 − ŷ) − y / ŷ", entering, gradient["ŷ"]),
            ("dL/dz", "ŷ − y", f"{ŷ} − {y}", gradient["z"]),
            ("dL/dw", "dL/dz · x", f"{gradient['z']} · {before['x']}", gradient["w"] + mark),
            ("dL/db", "dL/dz", gradient["z"], gradient["b"]),
        ),
        "## 3. Update: each parameter takes a step against its gradient",
        _table(
            ("parameter", "formula", "with numbers", "new value"),
            ("w", "w − α dL/dw", f"{before['w']} − {α} · {gradient['w']}", after["w"] + mark),
            ("b", "b − α dL/db", f"{before['b']} − {α} · {_factor(gradient['b'])}", after["b"]),
        ),
        "## 4. Forward again, with the new weights",
        _forward(new),
        f"The step took the loss from {before['L']} to {after['L']}.",
        "Numbers are rounded only for display.",
    ]


def _check(**given: npt.ArrayLike) -> None:
    for name, value in given.items():
        numbers_only(value, name)
        array = np.asarray(value)
        if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite numbers, not {value!r}")
        dimensions = 1 if name in "xw" else 0
        if array.ndim != dimensions or array.size == 0:
            kind = "a list of numbers" if dimensions else "one number"
            raise ValueError(f"{name} must be {kind}")
    if not 0 <= np.asarray(given["y"]) <= 1:
        raise ValueError(f"y must be between 0 and 1, not {given['y']!r}")
    if not np.asarray(given["learning_rate"]) > 0:
        raise ValueError(f"the learning rate must be positive, not {given['learning_rate']!r}")


def _values(L: ag.Tensor) -> dict[str, Any]:
    return {t.name or "": t.numpy() for t in ag.Graph.of(L).nodes}


def _forward(values: Mapping[str, Any]) -> str:
    text = {name: _written(array) for name, array in values.items()}
    w, x = values["w"].tolist(), values["x"].tolist()
    symbols = [f"w{subscript(k)}x{subscript(k)}" for k in range(1, len(w) + 1)]
    products = [f"{_factor(number(a))}·{_factor(number(c))}" for a, c in zip(w, x, strict=True)]
    return _table(
        ("node", "formula", "with numbers", "value"),
        ("w·x", _sum(symbols), _sum(products), text["w·x"]),
        ("z", "w·x + b", f"{text['w·x']} + {_factor(text['b'])}", text["z"]),
        ("ŷ", "σ(z) = 1 / (1 + exp(−z))", f"σ({text['z']})", text["ŷ"]),
        ("L", "−y log ŷ − (1 − y) log(1 − ŷ)", f"BCE({text['ŷ']}, {text['y']})", text["L"]),
    )


def _sum(terms: Sequence[str]) -> str:
    return " + ".join(terms if len(terms) <= 4 else [*terms[:2], "…", terms[-1]])


def _written(array: npt.ArrayLike) -> str:
    """A number, or a vector in parentheses."""
    array = np.asarray(array)
    if array.ndim == 0:
        return number(array)
    return f"({', '.join(map(number, array))})"


def _factor(text: str) -> str:
    """A number in parentheses if it is negative."""
    return f"({text})" if text.startswith("−") else text


def _table(*rows: Row) -> str:
    """A Markdown table with aligned columns; the first row is the header."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(n) for cell, n in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (n + 2) for n in widths) + "|")
    return "\n".join(lines)
