"""Names that break no text, no LaTeX and no Python."""

from __future__ import annotations

import re
import unicodedata

from autograd_lite.text import printable

__all__ = ["is_symbol", "latex", "plain"]

_MARKS = "₀₁₂₃₄₅₆₇₈₉₊₋₍₎⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱʲᵏᵀ′"
_DOWN = dict(zip("₀₁₂₃₄₅₆₇₈₉₊₋₍₎", "0123456789+-()", strict=True))
_UP = dict(zip("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁽⁾ⁿⁱʲᵏᵀ", "0123456789+-()nijkT", strict=True))
_HATS = {"\u0302": "hat", "\u0303": "tilde", "\u0304": "bar", "\u0307": "dot"}
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


def plain(name: str) -> str:
    """A name on one line, for text."""
    return printable(unicodedata.normalize("NFC", name), limit=40)


def is_symbol(name: str) -> bool:
    """Whether a name is one letter with accents, subscripts and superscripts."""
    base = [c for c in unicodedata.normalize("NFD", name) if c not in _HATS and c not in _MARKS]
    return len(base) == 1 and base[0].isalpha()


def latex(name: str) -> str:
    """A name for LaTeX's mathematics: ŷ is \\hat{y}, W⁽¹⁾ is W^{(1)}.

    Example:
        >>> latex("ŷ"), latex("W⁽¹⁾"), latex("θ₂"), latex("50 % of x_1")
        ('\\\\hat{y}', 'W^{(1)}', '\\\\theta_{2}', '\\\\text{50 \\\\% of x\\\\_1}')
    """
    decomposed = unicodedata.normalize("NFD", plain(name))
    match = re.fullmatch(rf"(\w)([\u0302\u0303\u0304\u0307]?)([{_MARKS}]*)", decomposed)
    if match is None or (ord(match[1]) > 127 and match[1] not in _GREEK):
        escaped = "".join(_ESCAPES.get(c, c) for c in plain(name))
        return f"\\text{{{escaped}}}"
    letter = _GREEK.get(match[1], match[1])
    if match[2]:
        letter = f"\\{_HATS[match[2]]}{{{letter}}}"
    down = "".join(_DOWN[c] for c in match[3] if c in _DOWN)
    up = "".join(_UP.get(c, "'") for c in match[3] if c not in _DOWN).replace("T", "\\top")
    return letter + (f"_{{{down}}}" if down else "") + (f"^{{{up}}}" if up else "")
