"""A derivation on a page: text, Markdown, LaTeX, MathML."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from autograd_lite.derivation import names
from autograd_lite.derivation.latex import LaTeX
from autograd_lite.derivation.mathml import MathML
from autograd_lite.text import number

__all__ = ["latex", "markdown", "mathml", "text"]

MOST = 60
"""More steps than this are folded in the middle."""


def value(array: Any) -> str:
    """An array for people: its numbers, or its shape where it is large."""
    array = np.asarray(array)
    if array.ndim == 0:
        return number(array)
    if array.size > 12:
        return f"{' × '.join(map(str, array.shape))} numbers"
    if array.ndim == 1:
        return f"({', '.join(map(number, array))})"
    return f"({', '.join(value(row) for row in array)})"


def chains(derivation: Any) -> list[tuple[Any, list[Any]]]:
    """Each step with its different formulas: the product, and what it is simplified to."""
    result = []
    for step in derivation.steps:
        forms = [step.product]
        if step.form.text() != step.product.text():
            forms.append(step.form)
        result.append((step, forms))
    return result


def folded(lines: list[Any], fold: Any) -> list[Any]:
    """The first and the last lines of many."""
    if len(lines) <= MOST:
        return lines
    return [*lines[: MOST // 2], fold(len(lines) - MOST), *lines[-MOST // 2 :]]


def text(derivation: Any) -> str:
    """Plain text."""
    forward = [(name, [form.text()]) for name, form in derivation.definitions()]
    backward = []
    for step, forms in chains(derivation):
        extra = f"{step.local} = {step.local_form.text()}" if step.local_form else ""
        parts = [f.text() for f in forms]
        if derivation._numbers and step.value is not None:
            parts.append(value(step.value))
        backward.append((step.name, parts, extra))
    closed = [
        (derivation._writer.gradients[n.position], f.text())
        for n, f in derivation.closed_form.items()
    ]
    lines = folded([f"{name} = {' = '.join(parts)}" for name, parts in forward], _fold)
    rows = [f"{name} = {' = '.join(parts)}" for name, parts, _ in backward]
    width = min(max(map(len, rows), default=0), 72)
    rows = [
        f"{row:<{width}}   {extra}".rstrip() if extra else row
        for row, (_, _, extra) in zip(rows, backward, strict=True)
    ]
    blocks = [lines, folded(rows, _fold)]
    blocks.append(derivation.notes())
    blocks.append(folded([f"{name} = {form}" for name, form in closed], _fold))
    blocks.append([derivation.checked])
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _fold(count: int) -> str:
    return f"… {count} more …"


def latex(derivation: Any) -> str:
    """An align* environment."""
    return "\\begin{align*}\n" + " \\\\\n".join(_aligned(derivation)) + "\n\\end{align*}\n"


def _aligned(derivation: Any) -> list[str]:
    notation = derivation._writer.notation(LaTeX)
    rows = [f"{names.latex(name)} &= {form.latex()}" for name, form in derivation.definitions()]
    rows = folded(rows, lambda n: f"&\\;\\vdots \\quad \\text{{{n} more}}")
    steps = []
    for step, forms in chains(derivation):
        parts = [f.latex() for f in forms]
        if derivation._numbers and step.value is not None:
            parts.append(_number_latex(step.value))
        steps.append(f"{notation.gradient(step.name)} &= " + " = ".join(parts))
    return rows + folded(steps, lambda n: f"&\\;\\vdots \\quad \\text{{{n} more}}")


def _number_latex(array: Any) -> str:
    return (
        value(array)
        .replace("−", "-")
        .replace("×", r"\times")
        .replace("∞", r"\infty")
        .replace("numbers", r"\text{ numbers}")
    )


def markdown(derivation: Any) -> str:
    """Markdown with LaTeX between dollars."""
    body = "\n\n".join(f"$$\\begin{{aligned}}\n{block}\n\\end{{aligned}}$$" for block in (
        " \\\\\n".join(_aligned(derivation)),
    ))  # fmt: skip
    notation = derivation._writer.notation(LaTeX)
    names_of = derivation._writer.gradients
    closed = "\n".join(
        f"- $\\displaystyle {notation.gradient(names_of[n.position])} = {f.latex()}$"
        for n, f in derivation.closed_form.items()
    )
    notes = "".join(f"{note}\n\n" for note in derivation.notes())
    return f"{body}\n\n{closed}\n\n{notes}{derivation.checked}\n"


STYLE = """<style>
.derivation math { display: block math; width: max-content; margin: .6em 0; text-align: left; }
</style>
"""
"""What sets the formulas apart, for a page that has no style of its own."""


def mathml(derivation: Any) -> str:
    """HTML in which every formula is MathML."""
    notation = derivation._writer.notation(MathML)

    def equation(left: str, parts: list[str]) -> str:
        inner = "".join(f"<mo>=</mo>{part}" for part in parts)
        return f'<math display="block"><mrow>{left}{inner}</mrow></math>'

    lines = [
        equation(notation.name(name), [notation(form.tree)])
        for name, form in derivation.definitions()
    ]
    lines = folded(lines, lambda n: f"<p>… {n} more …</p>")
    steps = []
    for step, forms in chains(derivation):
        parts = [notation(f.tree) for f in forms]
        if derivation._numbers and step.value is not None:
            parts.append(f"<mtext>{escape(value(step.value))}</mtext>")
        steps.append(equation(notation.gradient(step.name), parts))
    lines += folded(steps, lambda n: f"<p>… {n} more …</p>")
    return (
        '<div class="derivation">'
        + "\n".join(lines)
        + "".join(f"\n<p>{escape(note)}</p>" for note in (*derivation.notes(), derivation.checked))
        + "</div>"
    )
