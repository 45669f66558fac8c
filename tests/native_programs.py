"""Random programs of array calls: elementwise, views, reductions and products."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
from hypothesis import strategies as st

SIDES = (1, 2, 3, 5)

# Values stay between -3 and 3, so that a rounding stays one.
ONE = {
    "negative": lambda x: -x,
    "tanh": np.tanh,
    "exp": lambda x: np.exp(-abs(x)),
    "log1p": lambda x: np.log1p(abs(x)),
    "sqrt": lambda x: np.sqrt(abs(x) + 1),
    "square": lambda x: x**2 / 3,
    "cos": np.cos,
    "clip": lambda x: np.minimum(np.maximum(x, -1), 0.5),
    "reciprocal": lambda x: 1 / (x * x + 1),
}
TWO = {
    "mean": lambda x, y: (x + y) / 2,
    "difference": lambda x, y: (x - y) / 2,
    "product": lambda x, y: x * y / 3,
    "quotient": lambda x, y: x / (1 + y * y),
    "maximum": np.maximum,
    "minimum": np.minimum,
}


@dataclass
class Program:
    """A function of arrays, as a list of steps on the values so far.

    Attributes:
        arguments: arrays to call it with.
        steps: each the numbers of its operands and a function of them.
        results: the numbers of the values that it returns.
    """

    arguments: list[Any]
    steps: list[tuple[tuple[int, ...], Any]] = field(default_factory=list)
    results: list[int] = field(default_factory=list)

    def __call__(self, *arguments: Any) -> dict[str, Any]:
        values = list(arguments)
        for operands, function in self.steps:
            values.append(function(*(values[k] for k in operands)))
        return {f"{k}": values[k] for k in self.results}


@st.composite
def programs(draw, most=20, dtype=None, bad=None):
    """A program of up to so many steps; with bad numbers among the elements, if bad."""
    dtype = dtype or draw(st.sampled_from([np.float64, np.float32]))
    bad = draw(st.booleans()) if bad is None else bad
    random = np.random.default_rng(draw(st.integers(0, 2**20)))
    shapes = st.lists(st.sampled_from(SIDES), max_size=3).map(tuple)
    program = Program([])
    for shape in draw(st.lists(shapes, min_size=1, max_size=3)) + [(3, 5)]:
        x = np.asarray(random.uniform(-3, 3, shape)).astype(dtype)
        if bad and x.size:
            x.reshape(-1)[random.integers(x.size)] = random.choice([np.nan, np.inf, -np.inf, -0.0])
        program.arguments.append(x)
    values, count = [*program.arguments], draw(st.integers(8, most))
    while len(program.steps) < count:
        kind = draw(st.sampled_from(KINDS))
        step = kind(draw, values, len(program.arguments))
        if step is None:
            continue
        with np.errstate(all="ignore"):
            value = step[1](*(values[k] for k in step[0]))
        if value.size <= 400:
            program.steps.append(step)
            values.append(value)
    last = list(range(len(program.arguments), len(values)))
    program.results = draw(st.lists(st.sampled_from(last), min_size=2, max_size=6))
    program.results += [len(values) - 1, draw(st.integers(0, len(values) - 1))]
    return program


def _any(draw, values):
    """The number of a value, a late one rather than an early one."""
    return len(values) - 1 - draw(st.integers(0, min(len(values) - 1, 7)))


def _one(draw, values, given):
    return (_any(draw, values),), ONE[draw(st.sampled_from(sorted(ONE)))]


def _two(draw, values, given):
    i = _any(draw, values)
    fits = [j for j, y in enumerate(values) if _broadcasts(values[i], y)]
    j = draw(st.sampled_from(fits))
    return draw(st.permutations((i, j)).map(tuple)), TWO[draw(st.sampled_from(sorted(TWO)))]


def _broadcasts(x, y):
    try:
        return np.broadcast_shapes(x.shape, y.shape) is not None
    except ValueError:
        return False


def _where(draw, values, given):
    """A choice by an argument: a rounding does not change it."""
    c, i = draw(st.integers(0, given - 1)), _any(draw, values)
    fits = [j for j, y in enumerate(values) if _broadcasts(values[i], y)]
    j = draw(st.sampled_from(fits))
    if not _broadcasts(values[c], np.empty(np.broadcast_shapes(values[i].shape, values[j].shape))):
        return None
    return (c, i, j), lambda c, x, y: np.where(c > 0.25, x, y)


def _reduction(draw, values, given):
    i = _any(draw, values)
    ndim = values[i].ndim
    if not ndim:
        return None
    axes = draw(st.sets(st.integers(-ndim, ndim - 1), min_size=1))
    axis = tuple({k % ndim for k in axes})
    axis = draw(st.sampled_from([None, axis, axis[0], axis[0] - ndim]))
    function = draw(st.sampled_from([np.sum, np.mean, np.max, np.min]))
    keepdims = draw(st.booleans())
    count = values[i].size if function is np.sum else 1
    return (i,), lambda x: function(x, axis=axis, keepdims=keepdims) / count


def _product(draw, values, given):
    i = _any(draw, values)
    x = values[i]
    if not 1 <= x.ndim <= 2:
        return None
    n = x.shape[-1]
    fits = [j for j, y in enumerate(values) if 1 <= y.ndim <= 2 and y.shape[0] == n]
    turned = [j for j, y in enumerate(values) if y.ndim == 2 and y.shape[1] == n]
    if fits and draw(st.booleans()):
        return (i, draw(st.sampled_from(fits))), lambda x, y: x @ y / n / 3
    if turned:
        return (i, draw(st.sampled_from(turned))), lambda x, y: x @ y.T / n / 3
    return (i, i), lambda x, y: x @ y.T / n / 3


def _joined(draw, values, given):
    """Values side by side along an axis, or stacked."""
    i = _any(draw, values)
    shape = values[i].shape
    if draw(st.booleans()):
        fits = [k for k, x in enumerate(values) if x.shape == shape]
        operands = (i, *draw(st.lists(st.sampled_from(fits), max_size=3)))
        axis = draw(st.integers(-len(shape) - 1, len(shape)))
        return operands, lambda *xs: np.stack(xs, axis)
    if not shape:
        return None
    axis = draw(st.integers(-len(shape), len(shape) - 1))

    def others(x):
        return x.ndim == len(shape) and np.delete(x.shape, axis).tolist() == rest

    rest = np.delete(shape, axis).tolist()
    fits = [k for k, x in enumerate(values) if others(x)]
    operands = (i, *draw(st.lists(st.sampled_from(fits), max_size=3)))
    return operands, lambda *xs: np.concatenate(xs, axis)


def _loop(draw, values, given):
    """The same few calls again and again."""
    i, j, rounds = _any(draw, values), _any(draw, values), draw(st.sampled_from([3, 5, 12]))
    if not _broadcasts(values[i], values[j]):
        return None
    step, last = draw(st.permutations(sorted(ONE)))[:2]

    def run(x, y):
        for _ in range(rounds):
            x = (ONE[step](x) + y) / 2
            x = x - ONE[last](x) / 3
        return x

    return (i, j), run


def _view(draw, values, given):
    i = _any(draw, values)
    x = values[i]
    choices = [_sliced, _reshaped, _expanded, _swapped, _broadcast]
    return (i,), draw(st.sampled_from(choices))(draw, x)


def _sliced(draw, x):
    parts = []
    for n in x.shape:
        start, step = draw(st.integers(0, n - 1)), draw(st.sampled_from([1, 1, 2, -1, -2]))
        whole = slice(None, None, draw(st.sampled_from([1, -1])))
        choices = [whole, slice(start, None, step), start, start - n]
        parts.append(draw(st.sampled_from(choices)))
        if draw(st.integers(0, 5)) == 0:
            parts.append(None)
    if draw(st.booleans()):
        parts = [*parts[: draw(st.integers(0, len(parts)))], ...]
    key = tuple(parts)
    return lambda x: x[key]


def _reshaped(draw, x):
    shapes = [(-1,), (x.size,), (1, -1), (x.size, 1), x.shape[::-1], (*x.shape, 1)]
    shape = draw(st.sampled_from(shapes))
    return lambda x: np.reshape(x, shape)


def _expanded(draw, x):
    if 1 in x.shape and draw(st.booleans()):
        axes = tuple(k for k, n in enumerate(x.shape) if n == 1)
        axis = draw(st.sampled_from([None, axes, axes[0]]))
        return lambda x: np.squeeze(x, axis)
    axis = draw(st.integers(-x.ndim - 1, x.ndim))
    return lambda x: np.expand_dims(x, axis) if x.ndim < 4 else np.reshape(x, -1)


def _swapped(draw, x):
    if x.ndim < 2:
        return lambda x: x.T
    axes = draw(st.permutations(range(x.ndim)).map(tuple))
    i, j = axes[:2]
    choices = [lambda x: x.T, lambda x: np.transpose(x, axes), lambda x: np.swapaxes(x, i, j)]
    return draw(st.sampled_from(choices))


def _broadcast(draw, x):
    shape = tuple(3 if n == 1 else n for n in x.shape)
    if len(shape) < 3 and draw(st.booleans()):
        shape = (2, *shape)
    return lambda x: np.broadcast_to(x, shape)


KINDS = (_one, _two, _two, _view, _view, _reduction, _product, _where, _joined, _loop)
