"""One training iteration of logistic regression, every number read off the graph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

import autograd_lite as ag
from autograd_lite.arrays import numbers_only
from autograd_lite.models.examples import student
from autograd_lite.sweep import gradients
from autograd_lite.text import number, subscript

_STUDENT: tuple[npt.ArrayLike, ...] = ((3, 5), 1, (0.1, -0.2), 0, 0.1)

_FOOTNOTE = """\
[^1]: Hand calculations that round the error ŷ − y to −0.67 first get dL/dw = (−2.01, −3.35), and
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

    By default the student of `student`: 3 hours studied, 5 slept, passed. The tables are aligned,
    so the text reads in a terminal as well.

    Raises ValueError when x and w differ in length, a number is not finite, y does not lie
    between 0 and 1, or the learning rate is not positive.

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
    L = student(x, y, w, b)
    before = _values(L)
    node = {t.name: t for t in ag.Graph.of(L).nodes}
    L.backward()
    slope = {t.name: _written(g) for t, g in gradients(L).of.items()}
    for name in ("w", "b"):
        θ = node[name]
        θ.data = θ.numpy() - learning_rate * θ.grad
    new_w, new_b = node["w"].numpy(), node["b"].numpy()
    after = _values(student(x, y, new_w, new_b))

    α = number(learning_rate)
    given: tuple[npt.ArrayLike, ...] = (x, y, w, b, learning_rate)
    usual = all(np.array_equal(a, c) for a, c in zip(given, _STUDENT, strict=True))
    mark = "[^1]" if usual else ""
    ŷ, t = before["ŷ"], before["y"]
    entering = f"(1 − {t}) / (1 − {ŷ}) − {t} / {ŷ}"

    parts = [
        "# One training iteration of logistic regression",
        ", ".join(f"{name} = {before[name]}" for name in "xywb") + f", learning rate α = {α}",
        "## 1. Forward: from the example to the loss",
        _forward(before, np.ravel(w), np.ravel(x)),
        "## 2. Backward: from the loss to the parameters",
        _table(
            ("gradient", "formula", "with numbers", "value"),
            ("dL/dŷ", "(1 − y) / (1 − ŷ) − y / ŷ", entering, slope["ŷ"]),
            ("dL/dz", "ŷ − y", f"{ŷ} − {t}", slope["z"]),
            ("dL/dw", "dL/dz · x", f"{slope['z']} · {before['x']}", slope["w"] + mark),
            ("dL/db", "dL/dz", slope["z"], slope["b"]),
        ),
        "## 3. Update: each parameter takes a step against its gradient",
        _table(
            ("parameter", "formula", "with numbers", "new value"),
            ("w", "w − α dL/dw", f"{before['w']} − {α} · {slope['w']}", after["w"] + mark),
            ("b", "b − α dL/db", f"{before['b']} − {α} · {_factor(slope['b'])}", after["b"]),
        ),
        "## 4. Forward again, with the new weights",
        _forward(after, new_w, np.ravel(x)),
        f"The step took the loss from {before['L']} to {after['L']}.",
        "A number is rounded only where it is printed.",
    ]
    return "\n\n".join([*parts, _FOOTNOTE] if usual else parts) + "\n"


def _check(**given: npt.ArrayLike) -> None:
    for name, value in given.items():
        numbers_only(value, name)
        array = np.asarray(value)
        if array.dtype.kind not in "biuf" or not np.isfinite(array).all():
            raise ValueError(f"{name} must be finite numbers, not {value!r}")
        wanted = 1 if name in "xw" else 0
        if array.ndim != wanted or array.size == 0:
            raise ValueError(f"{name} must be {'a list of numbers' if wanted else 'one number'}")
    if not 0 <= np.asarray(given["y"]) <= 1:
        raise ValueError(f"y is a probability, from 0 to 1, not {given['y']!r}")
    if not np.asarray(given["learning_rate"]) > 0:
        raise ValueError(f"the learning rate must be positive, not {given['learning_rate']!r}")


def _values(L: ag.Tensor) -> dict[str | None, str]:
    return {t.name: _written(t.numpy()) for t in ag.Graph.of(L).nodes}


def _forward(value: dict[str | None, str], w: npt.NDArray[np.float64], x: npt.ArrayLike) -> str:
    symbols = [f"w{subscript(k + 1)}x{subscript(k + 1)}" for k in range(len(w))]
    products = [
        f"{_factor(number(a))}·{_factor(number(c))}" for a, c in zip(w, np.ravel(x), strict=True)
    ]
    return _table(
        ("node", "formula", "with numbers", "value"),
        ("w·x", _sum(symbols), _sum(products), value["w·x"]),
        ("z", "w·x + b", f"{value['w·x']} + {_factor(value['b'])}", value["z"]),
        ("ŷ", "σ(z) = 1 / (1 + exp(−z))", f"σ({value['z']})", value["ŷ"]),
        ("L", "−y log ŷ − (1 − y) log(1 − ŷ)", f"BCE({value['ŷ']}, {value['y']})", value["L"]),
    )


def _sum(terms: Sequence[str]) -> str:
    return " + ".join(terms if len(terms) <= 4 else [*terms[:2], "…", terms[-1]])


def _written(array: npt.ArrayLike) -> str:
    """A number, or a vector in brackets."""
    array = np.asarray(array)
    if array.ndim == 0:
        return number(array)
    return f"({', '.join(map(number, array))})"


def _factor(text: str) -> str:
    """A number as a factor or after a sign: in brackets when it is negative."""
    return f"({text})" if text.startswith("−") else text


def _table(*rows: Row) -> str:
    """A Markdown table with aligned columns, the first row its header."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "| " + " | ".join(cell.ljust(n) for cell, n in zip(row, widths, strict=True)) + " |"
        for row in rows
    ]
    lines.insert(1, "|" + "|".join("-" * (n + 2) for n in widths) + "|")
    return "\n".join(lines)
