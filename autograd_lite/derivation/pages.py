"""A derivation as text, Markdown, LaTeX or HTML with MathML."""

from __future__ import annotations

from collections.abc import Iterator
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


def steps(derivation: Any) -> Iterator[tuple[Any, list[Any], list[str]]]:
    """Each step with its formulas, the product and what it simplifies to, and its numbers."""
    for step in derivation.steps:
        forms = [step.product]
        if step.form.text() != step.product.text():
            forms.append(step.form)
        shown = derivation._numbers and step.value is not None
        yield step, forms, [value(step.value)] if shown else []


def folded(lines: list[str], left_out: str = "… %d more …") -> list[str]:
    """The first and the last of many lines."""
    if len(lines) <= MOST:
        return lines
    return [*lines[: MOST // 2], left_out % (len(lines) - MOST), *lines[-MOST // 2 :]]


def text(derivation: Any) -> str:
    """Plain text."""
    rows, rules = [], []
    for step, forms, numbers in steps(derivation):
        rows.append(f"{step.name} = {' = '.join([*(f.text() for f in forms), *numbers])}")
        rules.append(f"{step.local} = {step.local_form.text()}" if step.local_form else "")
    width = min(max(map(len, rows), default=0), 72)
    rows = [
        f"{row:<{width}}   {rule}".rstrip() if rule else row
        for row, rule in zip(rows, rules, strict=True)
    ]
    blocks = [
        folded([f"{name} = {form.text()}" for name, form in derivation.definitions()]),
        folded(rows),
        derivation.notes(),
        folded([f"{name} = {form}" for name, form in derivation._named_forms()]),
        [derivation.checked],
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def latex(derivation: Any) -> str:
    """An align* environment."""
    return f"\\begin{{align*}}\n{_aligned(derivation)}\n\\end{{align*}}\n"


def _aligned(derivation: Any) -> str:
    notation = derivation._writer.notation(LaTeX)
    left_out = r"&\;\vdots \quad \text{%d more}"
    rows = [f"{names.latex(name)} &= {form.latex()}" for name, form in derivation.definitions()]
    chain = [
        f"{notation.gradient(step.name)} &= "
        + " = ".join([*(f.latex() for f in forms), *map(_number_latex, numbers)])
        for step, forms, numbers in steps(derivation)
    ]
    return " \\\\\n".join(folded(rows, left_out) + folded(chain, left_out))


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

    lines = [
        equation(notation.name(name), notation(form.tree))
        for name, form in derivation.definitions()
    ]
    chain = [
        equation(
            notation.gradient(step.name),
            *(notation(form.tree) for form in forms),
            *(f"<mtext>{escape(text)}</mtext>" for text in numbers),
        )
        for step, forms, numbers in steps(derivation)
    ]
    notes = [f"\n<p>{escape(note)}</p>" for note in (*derivation.notes(), derivation.checked)]
    body = "\n".join(folded(lines, left_out) + folded(chain, left_out)) + "".join(notes)
    return f'<div class="derivation">{body}</div>'
