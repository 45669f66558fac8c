"""Spaces in a formula on one line of text."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import accumulate

__all__ = ["NUMBER", "SYMBOL", "between", "is_tight", "one_word"]

NUMBER = re.compile(r"[0-9]+(\.\d+)?")

SYMBOL = re.compile(r"√|[^\W\d_](ᵀ|[\u0302\u0303\u0304\u0307²³]*(?![\w(⁽₀-₉]))")
"""What follows a number without a space: √, and one-letter names before no parenthesis."""


def between(parts: Sequence[str], sign: str) -> list[str]:
    """The parts with a sign between them."""
    return [x for k, part in enumerate(parts) for x in ((sign, part) if k else (part,))]


def one_word(text: str) -> bool:
    return re.fullmatch(r"[\w⁰¹²³⁴-⁾₀-₎̂̃̄]+", text) is not None


def is_group(text: str) -> bool:
    """Whether a formula is one pair of parentheses and what is between them."""
    open_at = list(accumulate((c == "(") - (c == ")") for c in text))
    return text.endswith(")") and all(open_at[:-1])


def is_tight(text: str) -> bool:
    """Whether a formula needs no space beside it."""
    if is_group(text.removesuffix("ᵀ")):
        return not any(c in text for c in "∂⁽⊙")
    if NUMBER.fullmatch(text):
        return True
    if "⁽" in text or re.search(r"σ\(|[a-zA-Z]{2}\(", text):
        return False
    while text:
        match = re.match(r"\d+|\w[\u0302\u0303\u0304\u0307⁰¹²³⁴-⁾₀-₎ᵀ]*|\([^()]*\)ᵀ?", text)
        if match is None:
            return False
        text = text[match.end() :]
        if (
            text[:1].isalpha()
            and len(match[0]) == 1
            and match[0].isascii()
            and text[:1].islower()
            and match[0].islower()
        ):
            return False
    return True
