"""Names that break no text, no LaTeX, no MathML and no Python."""

from __future__ import annotations

import re
import unicodedata
from html import escape
from typing import NamedTuple

from autograd_lite.text import printable

__all__ = ["latex", "mathml", "plain", "scripted", "scripts", "split"]

_MARKS = "₀₁₂₃₄₅₆₇₈₉₊₋₍₎⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱʲᵏᵀ′"
_DOWN = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₍₎", "0123456789+-()", strict=True))
_UP = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱʲᵏᵀ", "0123456789+-()nijkT", strict=True))
_HATS = {
    "\u0302": ("hat", "ˆ"),
    "\u0303": ("tilde", "˜"),
    "\u0304": ("bar", "¯"),
    "\u0307": ("dot", "˙"),
}
_GREEK = {
    unicodedata.lookup(f"GREEK {case} LETTER {name.upper()}"): (
        "\\" + (name if case == "SMALL" else name.capitalize())
    )
    for case, names in {
        "SMALL": "alpha beta gamma delta epsilon zeta eta theta iota kappa lamda mu nu xi pi rho "
        "sigma tau upsilon phi chi psi omega",
        "CAPITAL": "gamma delta theta lamda xi pi sigma upsilon phi psi omega",
    }.items()
    for name in names.split()
}
_GREEK = {letter: command.replace("amda", "ambda") for letter, command in _GREEK.items()}
_ESCAPES = {
    **{c: "\\" + c for c in "&%$#_{}"},
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
    "<": "\\textless{}",
    ">": "\\textgreater{}",
}
_PARTS = re.compile(rf"(\w)([\u0302\u0303\u0304\u0307]?)(?:_([^\W_{_MARKS}]+)|(\d+))?([{_MARKS}]*)")
_WORDS = re.compile(r"\d+|[^\W\d]+|.")


def plain(name: str) -> str:
    """A name on one line, for text."""
    return printable(unicodedata.normalize("NFC", name), limit=42)  # 40 in parentheses


class Symbol(NamedTuple):
    """A letter with its accent, its subscript and its superscript; each may be empty."""

    letter: str
    accent: str = ""
    down: str = ""
    up: str = ""


def symbol(name: str) -> Symbol | None:
    """The parts of a name that is one letter, such as ŷ, W⁽¹⁾, x1 or W_Q; None for a word."""
    match = _PARTS.fullmatch(unicodedata.normalize("NFD", plain(name)))
    if match is None or not match[1].isalpha():
        return None
    down, up = scripts(match[5])
    return Symbol(match[1], match[2], (match[3] or match[4] or "") + down, up)


def split(name: str) -> tuple[str, str]:
    """A name and the subscripts and superscripts at its end."""
    base = name.rstrip(_MARKS)
    return base, name[len(base) :]


def scripts(marks: str) -> tuple[str, str]:
    """Subscripts and superscripts as ordinary characters."""
    return (
        "".join(_DOWN[c] for c in marks if c in _DOWN),
        "".join(_UP.get(c, "′") for c in marks if c not in _DOWN),
    )


def latex(name: str) -> str:
    """A name for LaTeX's mathematics: ŷ is \\hat{y}, W⁽¹⁾ is W^{(1)}.

    Example:
        >>> latex("ŷ"), latex("W⁽¹⁾"), latex("θ₂"), latex("50 % of x_1")
        ('\\\\hat{y}', 'W^{(1)}', '\\\\theta_{2}', '\\\\text{50 \\\\% of x\\\\_1}')
    """
    parts = symbol(name)
    if name == "𝟏":
        return "\\mathbf{1}"
    if parts is None or (not parts.letter.isascii() and parts.letter not in _GREEK):
        return f"\\text{{{''.join(_ESCAPES.get(c, c) for c in plain(name))}}}"
    letter = _GREEK.get(parts.letter, parts.letter)
    if parts.accent:
        letter = f"\\{_HATS[parts.accent][0]}{{{letter}}}"
    down = parts.down if len(parts.down) < 2 or not parts.down.isalpha() else latex(parts.down)
    up = parts.up.replace("′", "\\prime ").replace("T", "\\top")
    return letter + (f"_{{{down}}}" if down else "") + (f"^{{{up}}}" if up else "")


def mathml(name: str) -> str:
    """A name for MathML: one letter is italic, a word is upright.

    Example:
        >>> mathml("W⁽¹⁾")
        '<msup><mi>W</mi><mrow><mo>(</mo><mn>1</mn><mo>)</mo></mrow></msup>'
    """
    parts = symbol(name)
    if name == "𝟏":
        return "<mn>𝟏</mn>"
    if parts is None:
        return f"<mtext>{escape(plain(name))}</mtext>"
    letter = f"<mi>{parts.letter}</mi>"
    if parts.accent:
        accent = f'<mo stretchy="false">{_HATS[parts.accent][1]}</mo>'
        letter = f'<mover accent="true">{letter}{accent}</mover>'
    return scripted(letter, parts.down, parts.up)


def scripted(base: str, down: str, up: str) -> str:
    """MathML with a subscript and a superscript, either of which may be empty."""
    below, above = (f"<mrow>{''.join(map(_element, _WORDS.findall(t)))}</mrow>" for t in (down, up))
    if down and up:
        return f"<msubsup>{base}{below}{above}</msubsup>"
    return f"<msub>{base}{below}</msub>" if down else f"<msup>{base}{above}</msup>" if up else base


def _element(part: str) -> str:
    kind = "mn" if part.isdecimal() else "mi" if part.isalpha() else "mo"
    part = part.replace("-", "−").replace("T", "⊤") if len(part) == 1 else part
    return f"<{kind}>{escape(part)}</{kind}>"
