"""Random programs with loops, and compiled loops unrolled again."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import numpy as np

import autograd_lite as ag
from autograd_lite.expressions.expr import CONSTANT, LOOP, Builder, Expr, in_order, replaced

ONE = {
    "tanh": np.tanh,
    "sigmoid": ag.sigmoid,
    "relu": ag.relu,
    "square": lambda x: x * x,
    "half": lambda x: 0.5 * x,
    "negative": np.negative,
    "shift": lambda x: x - np.max(x),
    "norm": lambda x: x / np.sqrt(1 + np.sum(x * x)),
    "transpose": lambda x: x.T,
    "leaky": lambda x: np.where(x > 0, x, 0.1 * x),
    "bump": lambda x: np.exp(-x * x),
}
TWO = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "maximum": np.maximum,
    "mixed": lambda x, y: 0.3 * x + 0.7 * y,
    "chosen": lambda x, y: np.where(x > y, x, 0.5 * y),
    "quotient": lambda x, y: x / (1 + y * y),
    "product": lambda x, y: 0.3 * (x @ y.T) if x.ndim == 2 else x * y,
}
SOURCES = ("none", "rows", "backwards", "list", "constants")
places = st.integers(0, 9)


@st.composite
def looped(draw: Any) -> Any:
    """Draw a function with a loop, and arguments for it.

    The steps carry up to three states, may use those of up to two steps before, may read rows,
    elements or constants in either order, may add to a sum, and every second or third of them may
    differ.
    """
    count, states = draw(st.integers(2, 20)), draw(st.integers(1, 3))
    shape = draw(st.sampled_from([(), (3,), (2, 2)]))
    dtype = draw(st.sampled_from([np.float64, np.float32]))
    calls = draw(
        st.lists(
            st.tuples(st.sampled_from([*ONE]), places)
            | st.tuples(st.sampled_from([*TWO]), places, places),
            min_size=1,
            max_size=5,
        )
    )
    results = draw(st.lists(st.integers(1, 3), min_size=states, max_size=states))
    source, added, every = draw(st.sampled_from(SOURCES)), draw(st.booleans()), draw(places)
    back = draw(st.integers(0, 2))
    rng = np.random.default_rng(draw(st.integers(0, 9)))

    def array(*lead: int) -> Any:
        return np.asarray(rng.normal(size=(*lead, *shape)) / 2, dtype)

    constants, table = array(count), {**ONE, **TWO}

    def function(start: Any, w: Any, rows: Any, elements: Any) -> Any:
        state, total = [*start], 0.0
        older = [state] * back
        for k in range(count):
            given = {
                "none": lambda k: w,
                "rows": lambda k: rows[k],
                "backwards": lambda k: rows[count - 1 - k],
                "list": lambda k: elements[k],
                "constants": lambda k: constants[k],
            }[source](k)
            values = [*state, *(old[0] for old in older), w, given]
            older = [state, *older][:back]
            for name, *operands in calls:
                values.append(table[name](*(values[place % len(values)] for place in operands)))
            if every > 1 and k % every == 0:
                values.append(0.9 * values[-1])
            state = [values[-min(place, len(values))] for place in results]
            total = total + np.sum(values[-1]) if added else total
        return total + sum(np.sum(x) for x in state)

    args = [array() for _ in range(states)], array(), array(count), [*array(count)]
    return function, tuple([np.asarray(x) for x in a] if type(a) is list else a for a in args)


def unrolled(roots: list[Any], b: Builder) -> list[Any]:
    """The roots with the body of each loop written out for each of its steps."""
    return _replayed(roots, b, {})


def _replayed(roots: Any, b: Builder, new: dict[Expr, Any]) -> list[Any]:
    def get(x: Expr) -> Any:
        return new[x]

    for x in in_order(roots, new):
        args = replaced(x.args, get)
        if x.fn == LOOP:
            new[x] = _steps(b, *args)
        elif x.fn == "[]" and type(args[0]) in (tuple, list):
            new[x] = args[0][args[1]]
        else:
            new[x] = b.like(x, args, {k: replaced(v, get) for k, v in x.keywords.items()})
    return [replaced(root, get) for root in roots]


def _steps(b: Builder, body: Any, count: int, state: Any, fixed: Any, sequences: Any) -> Any:
    kept: list[list[Any]] = [[] for _ in body.kept]
    lasts: list[Any] = []
    for k in range(count):
        items = [
            b.constant(x.value[k]) if isinstance(x, Expr) and x.fn == CONSTANT else x[k]
            for x in sequences
        ]
        given = dict(zip(body.parameters, (*state, *fixed, *items), strict=True))
        found = _replayed(body.roots, b, given)
        state, rest = found[: len(state)], found[len(state) :]
        lasts = rest[: len(body.lasts)]
        for values, value in zip(kept, rest[len(lasts) :], strict=True):
            values.append(value)
    return (*lasts, *kept)
