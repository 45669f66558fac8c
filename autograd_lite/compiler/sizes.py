"""A text for any lengths of some axes, found by comparing the texts for a few lengths.

A program serves any lengths if its texts for different ones are the same, except that some numbers
in them are products of a constant, lengths and inverses of lengths, or a length and a constant.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import cache
from itertools import product
from typing import Any

__all__ = ["general", "others", "with_numbers"]

Sizes = Mapping[str, int]

_TOKENS = re.compile(
    r'("(?:[^"\\]|\\.)*")|(?<![\w.$])(\d+(?:\.\d+)?(?:e[+-]?\d+)?)(?![\w.])', re.ASCII
)
_SETS = 4  # of lengths that are compared
_POWERS = 2  # the largest power of a length in a number


def with_numbers(text: str, change: Callable[[str], str]) -> str:
    """The text with its numbers changed, but for those in strings."""
    return _TOKENS.sub(lambda found: found[1] or change(found[2]), text)


def others(sizes: Sizes, lengths: Collection[int] = ()) -> Sequence[Sizes]:
    """Sets of other lengths, in the same order: primes, so that 4 / n is never shortened.

    The difference of two lengths is another one in each set, so that m − 7 is not taken for n − 1.

    Args:
        sizes: lengths by their names.
        lengths: those of other axes.

    Example:
        >>> others({"rows": 200, "inputs": 2})[:2]
        [{'rows': 211, 'inputs': 3}, {'rows': 223, 'inputs': 5}]
    """
    found: list[dict[str, int]] = []
    known = dict(sizes)
    for _ in range(_SETS):
        new: dict[str, int] = {}
        for name in sorted(sizes, key=sizes.__getitem__):
            n = _prime(max(known[name], *new.values(), 1) + 1)
            while n in lengths or any(
                n - m == x[name] - x[other] for other, m in new.items() for x in found
            ):
                n = _prime(n + 1)
            new[name] = n
        known = new
        found.append({name: new[name] for name in sizes})
    return found


def _prime(n: int) -> int:
    while any(n % k == 0 for k in range(2, int(n**0.5) + 1)):
        n += 1
    return n


def general(texts: Sequence[str], sizes: Sequence[Sizes]) -> str:
    """The text for any lengths.

    Args:
        texts: the texts for the lengths of `sizes`; all numbers in them but lengths are floats.

    Raises:
        ValueError: if the texts differ in another way than by such numbers.

    Example:
        >>> general(["x[6] / 2.0", "x[9] / 3.0", "x[15] / 5.0"], [{"n": 2}, {"n": 3}, {"n": 5}])
        'x[3 * n] / n'
    """
    numbers: list[list[str]] = []
    bare = set()
    for text in texts:
        numbers.append([])

        def noted(word: str, into: list[str] = numbers[-1]) -> str:
            into.append(word)
            return "#"

        bare.add(with_numbers(text, noted))
    if len(bare) > 1:
        raise ValueError("the program is another one for other sizes")
    groups = [*zip(*numbers, strict=True)]
    found = {group: _word(group, sizes) for group in {*groups}}
    words = iter([found[group] for group in groups])
    return with_numbers(texts[0], lambda _: next(words))


def _word(group: Sequence[str], sizes: Sequence[Sizes]) -> str:
    """The number that has these values for these lengths."""
    if len({*group}) == 1:
        return group[0]
    values: list[Any] = [int(word) if word.isdigit() else float(word) for word in group]
    whole = all(type(x) is int for x in values)
    names = [*sizes[0]]
    for power in _powers(len(names), 0 if whole else -_POWERS):
        factors = [
            x / _product(given, names, power) for x, given in zip(values, sizes, strict=True)
        ]
        if any(power) and max(factors) - min(factors) <= 1e-15 * abs(factors[0]):
            return _written(factors[0], names, power, whole)
    for name in names:
        apart = {x - given[name] for x, given in zip(values, sizes, strict=True)}
        if whole and len(apart) == 1:
            (more,) = apart
            return f"({name} {'-' if more < 0 else '+'} {abs(more)})"
    raise ValueError(f"the number {group[0]} in the program depends on the sizes in another way")


@cache
def _powers(count: int, least: int) -> list[tuple[int, ...]]:
    """The powers of lengths that a number may have, the simplest first."""
    found = product(range(least, _POWERS + 1), repeat=count)
    few = [powers for powers in found if sum(map(abs, powers)) <= 2 * _POWERS]
    return sorted(few, key=lambda powers: (sum(map(abs, powers)), powers))


def _product(given: Sizes, names: Sequence[str], power: Sequence[int]) -> float:
    found = 1.0
    for name, k in zip(names, power, strict=True):
        found *= float(given[name]) ** k
    return found


def _written(factor: float, names: Sequence[str], power: Sequence[int], whole: bool) -> str:
    above = [name for name, k in zip(names, power, strict=True) for _ in range(k)]
    below = [name for name, k in zip(names, power, strict=True) for _ in range(-k)]
    if whole and not factor.is_integer():
        raise ValueError(f"{factor} of {' * '.join(above)} is no whole number")
    short = float(f"{factor:.15g}")
    factor = short if abs(short - factor) <= 4e-16 * abs(factor) else factor
    word = str(int(factor)) if factor.is_integer() and factor < 2**53 else repr(factor)
    text = " * ".join([word] * (factor != 1 or not above) + above)
    text += "".join(f" / {name}" for name in below)
    return text if whole or text in names else f"({text})"
