"""The one place for Hypothesis strategies: shapes, axes, arrays and the numbers in them.

Kinks are avoided by construction. All the numbers of one example are distinct odd multiples of
1/2048 of the form ``8k + 3``: no two are equal, none is an integer or a half, none is a small
integer multiple of another. So no maximum is tied, no sort ambiguous, no floor at its jump, and
each number is exact in float32.

The operands of an operation are drawn by `operands.cases`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from autograd_lite import testing

FLOATS = (np.float64, np.float32)


class Values:
    """Numbers for one example, all distinct in size: see the head of this file."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.left = set(range(8 * 256))

    def __call__(
        self, shape: Sequence[int] = (), low: float = 0.25, high: float = 2.25, signed: bool = True
    ) -> Any:
        """An array of numbers with sizes from low to high, of both signs or positive."""
        inside = [k for k in range(math.ceil(low * 256), math.floor(high * 256)) if k in self.left]
        count = math.prod(shape)
        chosen = self.random.choice(inside, count, replace=False)
        self.left.difference_update(chosen.tolist())
        sizes = (8 * chosen + 3) / 2048
        if signed:
            sizes = sizes * self.random.choice([-1.0, 1.0], count)
        return sizes.reshape(shape)

    def orthogonal(self, n: int) -> Any:
        """An orthogonal matrix."""
        return np.linalg.qr(self.random.standard_normal((n, n)))[0]

    def square(self, shape: Sequence[int]) -> Any:
        """Matrices far from singular, with distinct singular values."""
        n = shape[-1]
        return self(shape, 0.1, 0.6) / n + np.diag(1.0 + 0.37 * np.arange(n))

    def symmetric(self, shape: Sequence[int]) -> Any:
        """Symmetric positive definite matrices with distinct eigenvalues."""
        a = self.square(shape)
        return (a + np.swapaxes(a, -1, -2)) / 2


shapes = partial(testing.shapes, max_side=3)
together = partial(testing.together, max_side=3)


def axes(ndim: int, several: bool = True, none: bool = True) -> st.SearchStrategy[Any]:
    """An axis of an array: none, one from either end, or several."""
    choices: list[st.SearchStrategy[Any]] = []
    if none:
        choices.append(st.none())
    if ndim:
        choices.append(st.integers(-ndim, ndim - 1))
        if several:
            subsets = st.lists(st.integers(0, ndim - 1), unique=True, min_size=1, max_size=ndim)
            choices.append(subsets.map(tuple))
    return st.one_of(choices)


def arrays_of(
    shape: int | tuple[int, ...], elements: st.SearchStrategy[float]
) -> st.SearchStrategy[Any]:
    """Arrays of elements of a strategy.

    Left to itself, Hypothesis draws a few of the elements and fills up with one value, so that most
    matrices are of low rank. In every second array each element is drawn here.
    """
    return st.booleans().flatmap(
        lambda each: hnp.arrays(
            np.float64, shape, elements=elements, fill=st.nothing() if each else None
        )
    )
