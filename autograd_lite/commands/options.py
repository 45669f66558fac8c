"""The numbers that options take; argparse names the option of one that is refused."""

from __future__ import annotations

import math
from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import TypeVar

__all__ = ["at_least_zero", "count", "fold_count", "indices", "positive", "seed", "share", "sizes"]

N = TypeVar("N", int, float)


def positive(text: str) -> float:
    """A finite number above 0."""
    return _number(text, float, lambda x: 0 < x < math.inf, "a positive number")


def at_least_zero(text: str) -> float:
    """A finite number of at least 0."""
    return _number(text, float, lambda x: 0 <= x < math.inf, "a number of at least 0")


def share(text: str) -> float:
    """A number between 0 and 1."""
    return _number(text, float, lambda x: 0 < x < 1, "a number between 0 and 1")


def count(text: str) -> int:
    """A whole number of at least 1."""
    return _number(text, int, lambda n: n >= 1, "a whole number of at least 1")


def fold_count(text: str) -> int:
    """A whole number of at least 2."""
    return _number(text, int, lambda n: n >= 2, "a whole number of at least 2")


def seed(text: str) -> int:
    """A whole number that NumPy and scikit-learn take as a seed."""
    return _number(text, int, lambda n: 0 <= n < 2**32, "a whole number from 0 to 4294967295")


def sizes(text: str) -> tuple[int, ...]:
    """Whole numbers of at least 1, with commas between them."""
    return _counts(text, "16,8")


def indices(text: str) -> tuple[int, ...]:
    """The numbers of rows, from 1 on, with commas between them."""
    return _counts(text, "3 or 3,8")


def _counts(text: str, like: str) -> tuple[int, ...]:
    try:
        return tuple(map(count, text.split(",")))
    except ArgumentTypeError:
        raise _refused(text, f"a list of positive integers like {like}") from None


def _number(text: str, kind: Callable[[str], N], fits: Callable[[N], bool], what: str) -> N:
    try:
        value = kind(text)
    except ValueError:
        raise _refused(text, what) from None
    if not fits(value):
        raise _refused(text, what)
    return value


def _refused(text: str, what: str) -> ArgumentTypeError:
    shown = repr(text if len(text) <= 40 else f"{text[:40]}…")
    return ArgumentTypeError(f"{shown} is not {what}")
