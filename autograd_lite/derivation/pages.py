"""A derivation as text, Markdown, LaTeX or HTML with MathML."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from typing import Any

from autograd_lite.derivation import names
from autograd_lite.derivation.latex import LaTeX
from autograd_lite.derivation.marks import Marks, in_order, sides
from autograd_lite.derivation.mathml import Marked, MathML
from autograd_lite.derivation.notation import Text
from autograd_lite.derivation.style import STYLE
from autograd_lite.derivation.symbols import value
from autograd_lite.derivation.tree import Tree

__all__ = ["latex", "local_mathml", "markdown", "mathml", "page", "step_mathml", "text"]

MOST = 60
"""With more lines than this, those in the middle are left out."""


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
    lines = [line(item) for item in ends(items)]
    if len(items) > MOST:
        lines.insert(MOST // 2, left_out % (len(items) - MOST))
    return lines


def ends(items: Sequence[Any]) -> list[Any]:
    """The first and the last of many items."""
    if len(items) <= MOST:
        return list(items)
    return [*items[: MOST // 2], *items[-MOST // 2 :]]


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


LEGEND = {
    "inserted": ("boxed", "an earlier gradient is put in"),
    "cancelled": ("struck through", "cancelled"),
    "moved": ("dotted", "moved to another place"),
    "merged": ("double line", "merged with its equals"),
    "rewritten": ("dashed", "rewritten by an identity"),
}
"""How each mark looks, and what it means."""


def mathml(derivation: Any) -> str:
    """HTML in which every formula is MathML."""
    notation = derivation._writer.notation(MathML)
    left_out = "<p>… %d more …</p>"

    def definition(pair: tuple[str, Any]) -> str:
        return _equation(notation.name(pair[0]), notation(pair[1].readable))

    lines = folded(derivation.definitions(), definition, left_out)
    lines += folded(derivation.steps, partial(step_mathml, derivation), left_out)
    body = "\n".join(lines)
    used = [mark for mark in LEGEND if re.search(rf'<mrow class="[^"]*\b{mark}\b', body)]
    signs = (f'<span class="{m}">{LEGEND[m][0]}</span> {LEGEND[m][1]}' for m in used)
    notes = [f"<p>{escape(note)}</p>" for note in (*derivation.notes(), derivation.checked)]
    notes = [f'<p class="marks">{"; ".join(signs)}</p>'] * bool(used) + notes
    return f'<div class="derivation">{body}\n{"".join(notes)}</div>'


def page(derivation: Any) -> str:
    """The same with the style of its formulas."""
    return f"<style>{STYLE}</style>\n{mathml(derivation)}"


def _equation(*sides: str) -> str:
    return f'<math display="block"><mrow>{"<mo>=</mo>".join(sides)}</mrow></math>'


def step_mathml(derivation: Any, step: Any, brief: bool = False) -> str:
    """A step with its marks, and below it what they say in words; if brief, only where it leads."""
    writer = derivation._writer
    shown, words = [writer.notation(MathML).gradient(step.name)], []
    forms = formulas(step)
    if brief or len(forms) == 1:
        shown += [writer.notation(MathML)(form.readable) for form in forms]
    else:
        before, after = (form.readable for form in forms)
        marked = sides(before, after, writer.closed(before.gradients()))
        # Where putting in is all there is to do, the last two are the same.
        plain = [writer.notation(MathML)(tree) for tree, _ in marked]
        marked = [side for k, side in enumerate(marked) if plain[k] not in plain[:k]]
        shown += [writer.notation(partial(Marked, marks))(tree) for tree, marks in marked]
        words = _words(writer.notation(Text), marked)
    shown += [f"<mtext>{escape(text)}</mtext>" for text in numbers(derivation, step)]
    note = f'\n<p class="marks">{escape("; ".join(words))}</p>' if words else ""
    return _equation(*shown) + note


def local_mathml(derivation: Any, step: Any) -> str:
    """The local derivative of a step."""
    notation = derivation._writer.notation(MathML)
    return _equation(notation.gradient(step.local), notation(step.local_form.readable))


def symbols(derivation: Any, step: Any) -> list[str]:
    """What the symbols in a step are that the program has no name for."""
    text = " ".join(form.text() for form in formulas(step))
    notes = derivation._writer.symbols.notes.items()
    return [f'<p class="marks">{escape(note)}</p>' for name, note in notes if name in text]


def _words(notation: Text, marked: Sequence[tuple[Tree, Marks]]) -> list[str]:
    """The marks in words: which formulas cancel, move, merge and are rewritten."""
    found: dict[str, dict[str, None]] = {mark: {} for mark in LEGEND if mark != "inserted"}
    for tree, marks in marked:
        for part in in_order(tree):
            for mark in marks.get(id(part), "").split():
                if mark in found:
                    found[mark][notation(part)] = None
    return [f"{mark}: {', '.join(texts)}" for mark, texts in found.items() if texts]
