"""The language in which loops are written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autograd_lite.compiler.machine_code import HELPERS
from autograd_lite.compiler.scalars import helper_of, scalar_literal, statement
from autograd_lite.compiler.views import Index
from autograd_lite.expressions.expr import Expr
from autograd_lite.expressions.names import Names

__all__ = ["NUMBA", "Language"]


class Language:
    """The syntax of loops and of statements about arrays: Python, as Numba compiles it.

    Blocks are indented in every language.

    Attributes:
        by_loops: whether loops compute every product, and the parts of long sums are just added.
    """

    by_loops: bool = False

    def names(self) -> Names:
        """The names of a new function."""
        return Names({*HELPERS, "njit", "np"})

    def whole(self, x: Expr) -> bool:
        """Whether a function of its own computes a call, from arrays in memory."""
        return False

    def table(self, x: Expr) -> Expr | None:
        """The operand that an elementwise call reads at places known only when it runs."""
        return None

    def loop(self, variable: str, n: str) -> str:
        """The head of a loop."""
        return f"for {variable} in range({n}):"

    def in_pieces(self, variable: str, start: str, k: str, n: str, size: int) -> Sequence[str]:
        """The heads of the loops over pieces and over a piece, and what follows in the latter."""
        return (
            f"for {start} in range(0, {n}, {size}):",
            # LLVM makes vectors of loops that start at 0.
            f"for {k} in range(min({size}, {n} - {start})):",
            f"{variable} = {start} + {k}",
        )

    def choice(self, condition: str, yes: str, no: str) -> str:
        """One of two numbers."""
        return f"{yes} if {condition} else {no}"

    def literal(self, value: Any, dtype: Any) -> str:
        """A number of a dtype."""
        return scalar_literal(value, dtype)

    def converted(self, text: str, dtype: str) -> str:
        """A number, given one of another dtype."""
        return f"np.{dtype}({text})"

    def statement(self, x: Expr, words: Sequence[str]) -> str:
        """An elementwise call for one element."""
        return statement(x, words)

    def helpers(self, x: Expr) -> set[str]:
        """The functions that the statement of a call needs."""
        return {helper_of(x)} - {""}

    def rounded(self, text: str, dtype: Any) -> str:
        """A running sum or product as a number of its dtype."""
        return text

    def plus(self, total: str, x: str) -> str:
        """A running sum with one more number."""
        return f"plus({total}, {x})"

    def plus_product(self, total: str, x: str, y: str) -> str:
        """A running sum with one more product."""
        return f"plus_product({total}, {x}, {y})"

    def new(self, shape: Sequence[int], lengths: Sequence[str], dtype: Any) -> str:
        """A new array. Reshaped, its strides are not constants, and LLVM makes vectors of loops."""
        words = [" * ".join(lengths)]
        if dtype != np.float64:
            words.append("np.bool_" if dtype.kind == "b" else f"np.{dtype.name}")
        form = "" if len(lengths) == 1 else f".reshape(({', '.join(lengths)}))"
        return f"np.empty({', '.join(words)}){form}"

    def element(
        self, array: str, shape: Sequence[int], index: Sequence[Index], variables: Sequence[str]
    ) -> str:
        """An element of an array."""
        return f"{array}[{', '.join(i.text(variables) for i in index)}]"

    def part(self, array: str, shape: Sequence[int], k: str) -> str:
        """A part of an array along its first axis."""
        return f"{array}[{k}]"

    def stored(self, array: str, shape: Sequence[int], k: str, value: str) -> str:
        """The statement that writes a part of an array."""
        return f"{array}[{k}] = {value}"

    def reshaped(self, array: str, lengths: Sequence[str]) -> str:
        """The elements of an array as one of another shape."""
        return f"{array}.reshape(({', '.join(lengths)},))"

    def called(self, x: Expr, out: str, words: Sequence[str]) -> str:
        """The statement that computes a `whole` call into an array."""
        raise NotImplementedError(x.fn)

    def filled(self, array: str, value: str) -> str:
        """The statement that writes one number, or the elements of another array, to an array."""
        return f"{array}[...] = {value}"

    copied = filled


NUMBA = Language()
