"""Hypothesis strategies to test operations and models of one's own; needs Hypothesis.

Example:
    >>> import numpy as np
    >>> import autograd_lite as ag
    >>> from autograd_lite import testing
    >>> from hypothesis import given, settings
    >>> @settings(max_examples=5, deadline=None, derandomize=True, database=None)
    ... @given(testing.programs())
    ... def test_programs(program):
    ...     ag.check_gradients(program, *program.arrays)
    >>> test_programs()
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from autograd_lite.op import OPS

try:
    from hypothesis import strategies as st
except ImportError as error:
    raise ImportError(
        "autograd_lite.testing needs Hypothesis: pip install 'autograd_lite[test]'"
    ) from error

__all__ = ["NAMES", "STEPS", "Program", "arrays", "programs", "shapes", "together"]

STEPS: tuple[str, ...] = (
    "tanh({0})",
    "sigmoid({0})",
    "relu({0})",
    "softplus({0}) / 2",
    "abs({0})",
    "-{0}",
    "{0} ** 2 / 2",
    "exp(-{0} * {0})",
    "log(1 + {0} * {0})",
    "sqrt(1 + {0} * {0}) - 1",
    "({0} + {1}) / 2",
    "({0} - {1}) / 2",
    "{0} * {1} / 2",
    "{0} / (1 + {1} * {1})",
    "maximum({0}, {1})",
    "where({0} > {1}, {0}, {1} / 2)",
    "mean({0}, axis=0, keepdims=True)",
    "sum({0}, axis=1, keepdims=True) / 4",
    "{0}[:1]",
    "tanh({0} @ {0}.T @ {0})",
)
"""What a program does in a step: each takes matrices of numbers in [−2, 2] to others there."""

NAMES: Mapping[str, Callable[..., Any]] = {
    **{name: OPS[name] for name in ("sigmoid", "relu", "softplus")},
    "tanh": np.tanh,
    "exp": np.exp,
    "log": np.log,
    "sqrt": np.sqrt,
    "maximum": np.maximum,
    "where": np.where,
    "mean": np.mean,
    "sum": np.sum,
}
"""What the names in the steps stand for; those of another library make the program run there."""


def shapes(max_dims: int = 3, min_side: int = 1, max_side: int = 4, min_dims: int = 0) -> Any:
    """Shapes of arrays, with so many dimensions and such sides."""
    return st.lists(st.integers(min_side, max_side), min_size=min_dims, max_size=max_dims).map(
        tuple
    )


@st.composite
def together(draw: Any, count: int = 2, max_dims: int = 3, max_side: int = 4) -> Any:
    """Tuples of so many shapes that broadcast together."""
    whole = draw(shapes(max_dims, 1, max_side))

    def part() -> tuple[int, ...]:
        missing = draw(st.integers(0, len(whole)))
        return tuple(1 if draw(st.booleans()) else side for side in whole[missing:])

    return tuple(part() for _ in range(count))


@st.composite
def arrays(
    draw: Any,
    shape: Any = None,
    dtype: Any = np.float64,
    low: float = -2.0,
    high: float = 2.0,
    ties: bool | None = None,
) -> Any:
    """Arrays of numbers in [low, high), of a shape or of the shapes of a strategy.

    Every second array, as drawn, holds distinct numbers; in the others each number is one of at
    most five, among them 0 if it lies in the range. So elements tie with one another and with those
    of other arrays, and stand where many functions have kinks; there a gradient is one of several.

    Args:
        shape: a shape, or a strategy that draws one.
        dtype: of the numbers.
        low, high: their range.
        ties: whether numbers tie; False avoids ties and 0, and so nearly every kink.

    Example:
        >>> import numpy as np
        >>> from autograd_lite.testing import arrays
        >>> from hypothesis import given, settings
        >>> @settings(max_examples=5, derandomize=True, database=None)
        ... @given(arrays((2, 3)), arrays((2, 3), ties=False))
        ... def test_subtraction(x, y):
        ...     assert np.all(x - x == 0)
        ...     assert np.all(y - y[::-1] != 0)
        >>> test_subtraction()
    """
    if shape is None:
        shape = shapes()
    size = draw(shape) if isinstance(shape, st.SearchStrategy) else shape
    tied = draw(st.booleans()) if ties is None else ties
    random = np.random.default_rng(draw(st.integers(0, 2**16)))
    if tied:
        few = {*np.linspace(low, high, 4, endpoint=False).tolist(), *[0.0] * (low <= 0 < high)}
        return np.asarray(random.choice(sorted(few), size)).astype(dtype)
    return np.asarray(random.uniform(low, high, size)).astype(dtype)


@dataclass(frozen=True)
class Program:
    """A random function of matrices to one number, as Python source, and arrays to try it on.

    Attributes:
        source: the definition of ``program(x0, x1, …)``.
        arrays: arguments of fitting shapes.
        names: what the names in the source stand for.
    """

    source: str
    arrays: tuple[Any, ...]
    names: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __call__(self, *args: Any) -> Any:
        return self.within(self.names)(*args)

    def within(self, names: Mapping[str, Any]) -> Callable[..., Any]:
        """The same program with other meanings of its names."""
        namespace = dict(names)
        exec(self.source, namespace)
        return namespace["program"]  # type: ignore[no-any-return]

    def __repr__(self) -> str:
        given = ", ".join(f"x{k} = {x!r}" for k, x in enumerate(self.arrays))
        return f"{self.source}# at {given}\n"

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        printer.text(repr(self))


@st.composite
def programs(
    draw: Any,
    steps: Sequence[str] = STEPS,
    names: Mapping[str, Any] | None = None,
    max_size: int = 40,
    dtype: Any = np.float64,
    ties: bool | None = False,
) -> Any:
    """Random programs of up to so many steps, in which results are shared.

    At a kink of a step (|x| at 0, a tie of `maximum`) the gradient of a program is a sum of one
    subgradient a step, which need not be one of the program. So their arguments are distinct
    numbers, unless ties are asked for.

    Args:
        steps: what a step may be, written for operands {0} and {1}; each occurs alike often.
        names: what further names in the steps stand for, such as an operation of one's own.
        max_size: the most steps.
        dtype: of the arguments.
        ties: whether numbers in the arguments tie, as for `arrays`; None draws it.

    Example:
        >>> import numpy as np
        >>> import autograd_lite as ag
        >>> from autograd_lite.testing import STEPS, programs
        >>> @ag.custom_gradient(lambda g, out, x: g * np.cos(x), symbol="sin")
        ... def my_sine(x):
        ...     return np.sin(x)
        >>> with_mine = programs([*STEPS, "my_sine({0})"], {"my_sine": my_sine})
    """
    rows, columns = draw(st.integers(2, 3)), draw(st.integers(2, 3))
    sides = st.tuples(st.sampled_from([rows, 1]), st.sampled_from([columns, 1]))
    inputs = [(rows, columns), *draw(st.lists(sides, max_size=2))]
    values = [f"x{k}" for k in range(len(inputs))]
    lines = [f"def program({', '.join(values)}):"]
    for _ in range(draw(st.integers(1, max_size))):
        step = draw(st.sampled_from(steps))
        # Counted from the end, so that programs are deep; shared, since nothing is used up.
        one, two = (values[-1 - draw(st.integers(0, min(5, len(values) - 1)))] for _ in range(2))
        values.append(f"v{len(values)}")
        lines.append(f"    {values[-1]} = {step.format(one, two)}")
    lines.append(f"    return {' + '.join(f'mean({value})' for value in values[-3:])}\n")
    return Program(
        "\n".join(lines),
        tuple(draw(arrays(shape, dtype, ties=ties)) for shape in inputs),
        {**NAMES, **(names or {})},
    )
