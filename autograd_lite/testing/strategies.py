"""Hypothesis strategies for testing your own operations and models."""

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
"""The steps of a program; each maps matrices of numbers in [−2, 2] to such matrices."""

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
"""The functions for the names in the steps; those of another library run the program there."""


def shapes(max_dims: int = 3, min_side: int = 1, max_side: int = 4, min_dims: int = 0) -> Any:
    """Shapes of arrays with limits for the number of dimensions and for the sides."""
    return st.lists(st.integers(min_side, max_side), min_size=min_dims, max_size=max_dims).map(
        tuple
    )


@st.composite
def together(draw: Any, count: int = 2, max_dims: int = 3, max_side: int = 4) -> Any:
    """Tuples of `count` shapes that broadcast together."""
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
    """Arrays of numbers in [low, high), with a shape or with shapes from a strategy.

    Half of the arrays hold distinct numbers. In the others each number is one of at most five,
    with 0 among them if it is in the range, so elements tie within and between arrays and are
    where many functions have kinks; a gradient there is one of several subgradients.

    Args:
        shape: a shape, or a strategy for shapes.
        dtype: the dtype of the arrays.
        low, high: the range of the numbers.
        ties: whether numbers tie; False avoids ties and 0, and so nearly every kink; None draws.

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
    """A random function from matrices to a number, as Python source, with arguments.

    Attributes:
        source: the definition of ``program(x0, x1, …)``.
        arrays: arguments for it.
        names: the values of the names in the source.
    """

    source: str
    arrays: tuple[Any, ...]
    names: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def __call__(self, *args: Any) -> Any:
        return self.within(self.names)(*args)

    def within(self, names: Mapping[str, Any]) -> Callable[..., Any]:
        """The same program with other values for its names."""
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
    """Random programs in which several steps use the same results.

    At a kink of a step (|x| at 0, a tie of `maximum`) the chain rule combines a subgradient of
    each step, which need not give a subgradient of the program. So by default the arguments hold
    distinct numbers.

    Args:
        steps: the possible steps, with operands {0} and {1}; each is equally likely.
        names: the values of further names in the steps, such as your own operation.
        max_size: the maximum number of steps.
        dtype: the dtype of the arguments.
        ties: whether numbers in the arguments tie, as for `arrays`.

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
        # Operands are recent results, so that programs are deep; several steps may share one.
        one, two = (values[-1 - draw(st.integers(0, min(5, len(values) - 1)))] for _ in range(2))
        values.append(f"v{len(values)}")
        lines.append(f"    {values[-1]} = {step.format(one, two)}")
    lines.append(f"    return {' + '.join(f'mean({value})' for value in values[-3:])}\n")
    return Program(
        "\n".join(lines),
        tuple(draw(arrays(shape, dtype, ties=ties)) for shape in inputs),
        {**NAMES, **(names or {})},
    )
