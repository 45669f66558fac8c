"""Numbers and names as text for people."""

from __future__ import annotations

import math
import unicodedata
from typing import SupportsFloat

__all__ = ["number", "printable", "subscript", "superscript"]

_SUBSCRIPT = str.maketrans("0123456789+-−()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₍₎")
_SUPERSCRIPT = str.maketrans("0123456789+-−()nijkT", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁽⁾ⁿⁱʲᵏᵀ")

# The joiners are needed for emoji and several scripts.
_JOINERS = "\u200c\u200d"


def number(x: SupportsFloat) -> str:
    """A number as text: at most four decimals, and a real minus sign.

    Trailing zeros are removed. Outside [0.001, 10000) the number is in scientific notation. A
    boolean is 0 or 1.

    Example:
        >>> number(-0.66818777), number(3.0), number(0.00000012), number(float("inf"))
        ('−0.6682', '3', '1.2e−7', '∞')
    """
    x = float(x)
    if math.isnan(x):
        return "NaN"
    sign, size = "−" if x < 0 else "", abs(x)
    if size == math.inf:
        return sign + "∞"
    if size == 0 or 1e-3 <= size < 1e4:
        return sign + _cut(f"{size:.4f}")
    mantissa, exponent = f"{size:.4e}".split("e")
    return f"{sign}{_cut(mantissa)}e{str(int(exponent)).replace('-', '−')}"


def _cut(digits: str) -> str:
    return digits.rstrip("0").rstrip(".")


def subscript(x: object) -> str:
    """Text in subscript digits.

    Example:
        >>> "W" + subscript(12)
        'W₁₂'
    """
    return str(x).translate(_SUBSCRIPT)


def superscript(x: object) -> str:
    """Text in superscript digits and the few letters that Unicode has.

    Example:
        >>> "W" + superscript("(1)T")
        'W⁽¹⁾ᵀ'
    """
    return str(x).translate(_SUPERSCRIPT)


def printable(text: str, limit: int | None = None) -> str:
    """The text on one line, without characters that a picture or terminal cannot show.

    White space becomes spaces. Control characters, those for the direction of text, and lone
    surrogates become �. Text longer than the limit ends in an ellipsis.

    Example:
        >>> printable("two\\nlines \\x00"), printable("a long name", limit=6)
        ('two lines �', 'a lon…')
    """
    if not text.isprintable():
        text = "".join(" " if c.isspace() else c if _shows(c) else "�" for c in text)
    text = text.strip()
    if limit is not None and len(text) > limit:
        text = text[: limit - 1].rstrip() + "…"
    return text


def _shows(character: str) -> bool:
    return character in _JOINERS or unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Cn")
