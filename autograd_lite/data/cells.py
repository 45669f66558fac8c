"""What the text of a cell says: a number, true or false, a date, or nothing."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence

__all__ = ["MISSING", "decimal_sign", "is_date", "is_missing", "is_null", "number", "truth"]

_NULLS = frozenset(
    (
        *("", "?", "NA", "N/A", "n/a", "#N/A", "NaN", "nan", "-nan", "<NA>", "NaT", "NULL"),
        *("null", "None"),
    )
)
MISSING = frozenset({*_NULLS, *map(str.lower, _NULLS), ".", "-", "--", "none"})
"""What stands for a missing value among numbers, in lower case; among texts "none" is a text."""

# Whole thousands may be set apart. A number that begins with 0 is a code.
_GROUPS = {".": "[ \u00a0\u202f'’,]", ",": "[ \u00a0\u202f'’.]"}
_NUMBERS = {
    sign: re.compile(
        rf"[+-]?(?:[1-9]\d{{0,2}}(?:{group}\d{{3}})+|0|[1-9]\d*|(?={re.escape(sign)}\d))"
        rf"(?:{re.escape(sign)}\d*(?:e[+-]?\d+)?|e[+-]\d+|(?-i:e)\d+)?",
        re.ASCII | re.IGNORECASE,
    )
    for sign, group in _GROUPS.items()
}
_UNIT = re.compile(r"([+-]?)[$€£¥₹]? ?(.*?) ?[%$€£¥₹]?")

_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*\.?"
_DATE = re.compile(
    r"(?:\d{4}[-/.]\d{1,2}(?:[-/.]\d{1,2})?|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})"
    rf"|\d{{4}}-?W\d\d?|\d{{1,2}}[ -]{_MONTH}[ -]\d{{2,4}}|{_MONTH}[ -](?:\d{{1,2}},? )?\d{{4}})"
    r"(?:[T ,]+\d{1,2}:\d{2}.*)?|\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?: ?[ap]m)?",
    re.IGNORECASE,
)


def number(text: str, decimal: str = ".") -> float | None:
    """The finite number that a text says, or None; a currency sign or % is left out.

    Codes are no numbers: what begins with 0, such as 01234, whole numbers of more than 15 digits,
    which float64 does not tell apart, and 3E5, unlike 3e5.

    Example:
        >>> number("1,234.5"), number("1.234,5", ","), number("12 %"), number("$3"), number("007")
        (1234.5, 1234.5, 12.0, 3.0, None)
    """
    text = text.replace("−", "-")
    if not _NUMBERS[decimal].fullmatch(text):
        sign, text = _UNIT.fullmatch(text).groups() if "\n" not in text else ("", "x")
        text = sign + text
        if not _NUMBERS[decimal].fullmatch(text):
            return None
    plain = re.sub(_GROUPS[decimal], "", text).replace(decimal, ".")
    value = float(plain)
    exact = not plain.lstrip("+-").isdigit() or len(plain.lstrip("+-")) <= 15
    return value if exact and math.isfinite(value) else None


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


def decimal_sign(columns: Iterable[Sequence[str]], source: str) -> str | None:
    """The one decimal sign with which columns of texts are numbers; None if either will do.

    Raises ValueError if one column needs a point and another a comma.
    """
    found: dict[str, str] = {}
    for texts in columns:
        present = [text for text in map(str.strip, texts) if not is_missing(text)]
        read = [sign for sign in ".," if all(number(text, sign) is not None for text in present)]
        if len(read) == 1:
            other = "." if read[0] == "," else ","
            found[read[0]] = next(text for text in present if number(text, other) is None)
    if len(found) > 1:
        raise ValueError(
            f"{source}: {found['.']!r} has a decimal point and {found[',']!r} a decimal comma; "
            "use --decimal"
        )
    return next(iter(found), None)
