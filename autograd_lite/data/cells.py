"""What the text of a cell says: a number, true or false, a date, or nothing."""

from __future__ import annotations

import math
import re

__all__ = [
    "MISSING",
    "is_code",
    "is_date",
    "is_missing",
    "is_null",
    "is_whole",
    "number",
    "truth",
    "unit",
]

_NULLS = frozenset(
    (
        *("", "?", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "-nan", "<NA>", "NaT", "NULL"),
        *("null", "None"),
    )
)
MISSING = frozenset({*_NULLS, *map(str.lower, _NULLS), ".", "-", "--", "none"})
"""What stands for a missing value among numbers, in lower case; among texts "none" is a text."""

# Whole thousands may be set apart.
_GROUPS = {".": "[ \u00a0\u202f'’,]", ",": "[ \u00a0\u202f'’.]"}
_NUMBERS = {
    sign: re.compile(
        rf"[+-]?(?:[1-9]\d{{0,2}}(?:{group}\d{{3}})+|\d+|(?={re.escape(sign)}\d))"
        rf"(?:{re.escape(sign)}\d*)?(?:[eE][+-]?\d+)?",
        re.ASCII,
    )
    for sign, group in _GROUPS.items()
}
_CODE = re.compile(r"[+-]?0\d+|[+-]?\d{16,}|\d+E\d+", re.ASCII)
_UNIT = re.compile(r"([+-]?)([$€£¥₹]?) ?(.*?) ?([%$€£¥₹]?)")
_BEGINS, _ENDS = "+-$€£¥₹", "%$€£¥₹"  # how a text with a unit does

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DATE = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2})?|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})"
    rf"|\d{{4}}-?W\d\d?|\d{{1,2}}[ -]{_MONTH}[ -]\d{{2,4}}|{_MONTH}[ -](?:\d{{1,2}},? )?\d{{4}})"
    r"(?:[T ,]+\d{1,2}:\d{2}.*)?|\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[ap]m)?",
    re.IGNORECASE,
)


def number(text: str, decimal: str = ".") -> float | None:
    """The finite number that a text says, without its unit, or None.

    Example:
        >>> number("1,234.5"), number("1.234,5", ","), number("12 %"), number("$3"), number("a")
        (1234.5, 1234.5, 12.0, 3.0, None)
    """
    text = text.replace("−", "-")
    if not _NUMBERS[decimal].fullmatch(text):
        if text[:1] not in _BEGINS and text[-1:] not in _ENDS:
            return None
        found = _UNIT.fullmatch(text)
        text = found[1] + found[3] if found else ""
        if not _NUMBERS[decimal].fullmatch(text):
            return None
    value = float(re.sub(_GROUPS[decimal], "", text).replace(decimal, "."))
    return value if math.isfinite(value) else None


def unit(text: str) -> str:
    """The currency sign or % of a number, or "".

    Example:
        >>> unit("12 %"), unit("-$3"), unit("4")
        ('%', '$', '')
    """
    text = text.replace("−", "-")
    if text[:1] not in _BEGINS and text[-1:] not in _ENDS:
        return ""
    found = _UNIT.fullmatch(text)
    return found[2] + found[4] if found else ""


def is_code(text: str) -> bool:
    """Whether a number is one of a code, in a column of whole numbers.

    It begins with 0, such as 01234; has so many digits that float64 does not tell it apart; or has
    a letter, such as 3E5.
    """
    return _CODE.fullmatch(text) is not None


def is_whole(text: str) -> bool:
    """Whether a number is written without decimal places."""
    return text.lstrip("+-").replace("E", "").isdigit()


def truth(text: str) -> float | None:
    """1 for True and 0 for False, in capital letters or not; None for other text."""
    return {"true": 1.0, "false": 0.0}.get(text.lower())


def is_date(text: str) -> bool:
    """Whether a text is a date or a time."""
    return _DATE.fullmatch(text) is not None


def is_missing(text: str) -> bool:
    """Whether a text stands for a missing value among numbers."""
    return text.lower() in MISSING


def is_null(text: str) -> bool:
    """Whether a text stands for a missing value anywhere."""
    return text in _NULLS
