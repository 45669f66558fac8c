"""A derivation as text, Markdown, LaTeX or HTML with MathML."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import numpy as np

from autograd_lite.derivation import names
from autograd_lite.derivation.latex import LaTeX
from autograd_lite.derivation.mathml import MathML
from autograd_lite.text import number

__all__ = ["STYLE", "latex", "markdown", "mathml", "text"]

MOST = 60
"""With more lines than this, those in the middle are left out."""


def value(array: Any) -> str:
    """The numbers of an array, or its shape where it is large."""
    array = np.asarray(array)
    if array.ndim == 0:
        return number(array)
    if array.size > 12:
        return f"{' × '.join(map(str, array.shape))} numbers"
    return f"({', '.join(map(number if array.ndim == 1 else value, array))})"


def formulas(step: Any) -> list[Any]:
    """The product of a step, and what it simplifies to."""
    same = step.form.terms == step.product.terms or step.form.text() == step.product.text()
    return [step.product] if same else [step.product, step.form]


def numbers(derivation: Any, step: Any) -> list[str]:
    """The numbers of a step, if they are shown."""
    return [value(step.value)] if derivation._numbers and step.value is not None else []


def folded(
    items: Sequence[Any], line: Callable[[Any], str], left_out: str = "… %d more …"
) -> list[str]:
    """The lines of the first and the last of many items."""
    if len(items) <= MOST:
        return [line(item) for item in items]
    first, last = items[: MOST // 2], items[-MOST // 2 :]
    return [*map(line, first), left_out % (len(items) - MOST), *map(line, last)]


def text(derivation: Any) -> str:
    """Plain text."""
    rules: dict[str, str] = {}

    def row(step: Any) -> str:
        parts = [*(f.text() for f in formulas(step)), *numbers(derivation, step)]
        found = f"{step.name} = {' = '.join(parts)}"
        if step.local_form:
            rules[found] = f"{step.local} = {step.local_form.text()}"
        return found

    def definition(pair: tuple[str, Any]) -> str:
        return f"{pair[0]} = {pair[1].text()}"

    rows = folded(derivation.steps, row)
    width = min(max(map(len, rows), default=0), 72)
    rows = [f"{row:<{width}}   {rules[row]}" if row in rules else row for row in rows]
    blocks = [
        folded(derivation.definitions(), definition),
        rows,
        derivation.notes(),
        folded(derivation._named_forms(), definition),
        [derivation.checked],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def latex(derivation: Any) -> str:
    """An align* environment."""
    return f"\\begin{{align*}}\n{_aligned(derivation)}\n\\end{{align*}}\n"


def _aligned(derivation: Any) -> str:
    gradient = derivation._writer.notation(LaTeX).gradient
    left_out = r"&\;\vdots \quad \text{%d more}"

    def row(step: Any) -> str:
        shown = map(_number_latex, numbers(derivation, step))
        parts = [*(f.latex() for f in formulas(step)), *shown]
        return f"{gradient(step.name)} &= {' = '.join(parts)}"

    def definition(pair: tuple[str, Any]) -> str:
        return f"{names.latex(pair[0])} &= {pair[1].latex()}"

    lines = folded(derivation.definitions(), definition, left_out)
    return " \\\\\n".join(lines + folded(derivation.steps, row, left_out))


def _number_latex(text: str) -> str:
    return (
        text.replace("−", "-")
        .replace("×", r"\times")
        .replace("∞", r"\infty")
        .replace("numbers", r"\text{ numbers}")
    )


def markdown(derivation: Any) -> str:
    """Markdown with LaTeX between dollar signs."""
    gradient = derivation._writer.notation(LaTeX).gradient
    closed = "\n".join(
        f"- $\\displaystyle {gradient(name)} = {form.latex()}$"
        for name, form in derivation._named_forms()
    )
    blocks = [
        f"$$\\begin{{aligned}}\n{_aligned(derivation)}\n\\end{{aligned}}$$",
        closed,
        *derivation.notes(),
        derivation.checked,
    ]
    return "\n\n".join(blocks) + "\n"


STYLE = """<style>
.derivation math { display: block math; width: max-content; margin: .6em 0; text-align: left; }
</style>
"""
"""The layout of the formulas on a page without a style sheet."""


def mathml(derivation: Any) -> str:
    """HTML in which every formula is MathML."""
    notation = derivation._writer.notation(MathML)
    left_out = "<p>… %d more …</p>"

    def equation(*sides: str) -> str:
        return f'<math display="block"><mrow>{"<mo>=</mo>".join(sides)}</mrow></math>'

    def definition(pair: tuple[str, Any]) -> str:
        return equation(notation.name(pair[0]), notation(pair[1].tree))

    def row(step: Any) -> str:
        return equation(
            notation.gradient(step.name),
            *(notation(form.tree) for form in formulas(step)),
            *(f"<mtext>{escape(text)}</mtext>" for text in numbers(derivation, step)),
        )

    lines = folded(derivation.definitions(), definition, left_out)
    lines += folded(derivation.steps, row, left_out)
    notes = [f"\n<p>{escape(note)}</p>" for note in (*derivation.notes(), derivation.checked)]
    body = "\n".join(lines) + "".join(notes)
    return f'<div class="derivation">{body}</div>'
