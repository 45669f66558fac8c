"""Which calls native code computes, and the stretches of them that become one function each."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, replace
from math import ceil, floor, inf, prod
from typing import Any

import numpy as np

from autograd_lite.compiler.bounds import bounds
from autograd_lite.compiler.machine import LONGEST_SUM
from autograd_lite.compiler.native_loops import (
    constants_of,
    element_of,
    is_native_body,
    loop_of,
    with_arrays,
)
from autograd_lite.compiler.scalars import NATIVE, READ, is_elementwise
from autograd_lite.compiler.views import Index, identity, is_view, place
from autograd_lite.expressions.expr import (
    ARGUMENT,
    CONSTANT,
    LOOP,
    METHODS,
    PARAMETER,
    Builder,
    Expr,
    evaluated,
    in_order,
    replaced,
    with_inputs,
)

__all__ = [
    "ASSEMBLED",
    "KERNEL",
    "MOST",
    "REDUCTIONS",
    "Stretch",
    "axes_of",
    "calls_to_pay",
    "is_literal",
    "is_virtual",
    "native_calls",
    "parts_of",
    "stretched",
]

KERNEL = "kernel"

ASSEMBLED = {"np.concatenate", "np.stack", "add_at", "add_each_at"}
"""Calls whose results are put together of parts."""

REDUCTIONS = {"np.add.reduce", "np.max", "np.min", "np.all", "np.any", "np.prod"}

LONGEST_ROW = 1 << 16  # elements of a row up to which one vector of running sums is accurate
LONGEST = 240  # calls of one function; Numba takes 20 ms for each, and more in longer functions
MANY = 64  # parts of an array up to which each has lines of its own
MOST = 3000  # calls of a program, for which Numba takes a minute


@dataclass(frozen=True, eq=False, slots=True)
class Stretch:
    """Calls that one native function computes.

    The call of the function is ``kernel(stretch, *values)``, and its result a tuple.

    Attributes:
        parameters: what it is given.
        results: what it returns; none is a view of another, or of a parameter.
        length: the number of rows in the trace, if the program is for any number of rows and this
            part of it has rows, or 0.
    """

    parameters: tuple[Expr, ...]
    results: tuple[Expr, ...]
    length: int


def _computed(stretch: Stretch, *values: Any) -> tuple[Any, ...]:
    given = dict(zip(stretch.parameters, values, strict=True))
    return tuple(evaluated(stretch.results, given))


METHODS[KERNEL] = _computed


def is_virtual(x: Expr, length: int = 0) -> bool:
    """Whether a call only looks at its operand in another way."""
    if x.fn == "np.reshape":
        return bool(x.shape and isinstance(x.args[0], Expr) and x.args[0].shape)
    return is_view(x, length)


def is_literal(x: Expr) -> bool:
    """Whether it is a number that stands in the source."""
    return x.fn == CONSTANT and x.shape == () and x.dtype in READ


def parts_of(x: Expr) -> list[tuple[Expr, tuple[int, ...], tuple[Index, ...]]]:
    """The parts of an array that is put together, their shapes, and where their elements go."""
    if x.fn in ("add_at", "add_each_at"):
        given = x.args if x.fn == "add_at" else x.args[0]
        return [
            (y, part.shape, place(part, identity(part.shape)))
            for y, part in zip(given, _parts_of(x), strict=True)
        ]
    axis, found, start = x.keywords.get("axis", 0) % x.ndim, [], 0
    for part in x.args[0]:
        index = [*identity(part.shape)]
        if x.fn == "np.stack":
            index.insert(axis, Index(None, start))
            start += 1
        else:
            index[axis] = replace(index[axis], start=start)
            start += part.shape[axis]
        found.append((part, part.shape, tuple(index)))
    return found


def _are_known(x: Expr) -> bool:
    """Whether what is added, and where, is known when the code is written."""
    if x.fn == "add_at":
        return x.inputs == x.args and not isinstance(x.keywords.get("key"), Expr)
    parts, keys = x.args[0], x.keywords.get("keys", ())
    same = isinstance(parts, (tuple, list)) and len(parts) == len(keys)
    return same and all(isinstance(y, Expr) for y in parts) and len(parts) <= MANY


def _parts_of(x: Expr) -> list[Expr]:
    """The parts of an array of zeros to which something is added, as views."""
    whole = Expr(ARGUMENT, (), {}, tuple(x.keywords["shape"]), x.dtype)
    zeros = np.broadcast_to(np.zeros((), bool), whole.shape)
    keys = [x.keywords["key"]] if x.fn == "add_at" else x.keywords["keys"]
    return [Expr("[]", (whole, key), {}, zeros[key].shape, x.dtype) for key in keys]


def axes_of(expr: Expr) -> tuple[int, ...]:
    """The axes over which a reduction goes."""
    axis = expr.keywords.get("axis", 0 if expr.fn == "np.add.reduce" else None)
    ndim = expr.args[0].ndim
    return tuple(range(ndim)) if axis is None else tuple(sorted(np.atleast_1d(axis) % ndim))


class _Native:
    """Tells which calls native code computes."""

    def __init__(self, length: int, order: Sequence[Expr] = ()) -> None:
        self.length = length
        self.loops: set[Expr] = set()
        for x in order:
            if x.fn == LOOP and not length and is_native_body(x, self._is_known):
                self.loops.add(x)

    def _is_known(self, x: Expr) -> bool:
        """Whether native code computes a call in the body of a loop, or looks through it."""
        return self(x) or x.fn == CONSTANT or (is_virtual(x) and x.dtype in READ)

    def __call__(self, x: Expr) -> bool:
        if x.fn == LOOP:
            return x in self.loops
        if x.inputs[:1] and x.inputs[0].fn == LOOP:
            return x.args[0] in self.loops and x.shape is not None
        if element_of(x):
            return loop_of(x.args[0]) in self.loops and x.dtype in NATIVE
        if x.fn in (ARGUMENT, CONSTANT, PARAMETER) or not self._has_axes(x):
            return False
        if not all(self._has_axes(y) for y in x.inputs):
            return False
        if x.fn in REDUCTIONS:
            return self._reduces(x)
        if x.fn == "np.matmul":
            return _is_product(x)
        if x.fn in ASSEMBLED:
            return self._assembles(x)
        return is_elementwise(x)

    def _assembles(self, x: Expr) -> bool:
        if self.length or x.dtype not in NATIVE or not all(y.dtype == x.dtype for y in x.inputs):
            return False
        if x.fn in ("add_at", "add_each_at"):
            return _are_known(x) and all(is_view(part) for part in _parts_of(x))
        parts = x.args[0] if len(x.args) == 1 and isinstance(x.args[0], (tuple, list)) else [None]
        known = all(isinstance(y, Expr) for y in parts) and len(parts) <= MANY
        return known and type(x.keywords.get("axis", 0)) is int and x.keywords.keys() <= {"axis"}

    def _has_axes(self, x: Expr) -> bool:
        """Whether all axes are of a known length, or of the number of rows."""
        if x.shape is None or 0 in x.shape:
            return False
        return not self.length or not any(n > self.length and n % self.length == 0 for n in x.shape)

    def _reduces(self, x: Expr) -> bool:
        operand = x.args[0]
        if len(x.args) > 1 or not x.keywords.keys() <= {"axis", "keepdims"} or not operand.ndim:
            return False
        if x.fn == "np.prod":
            return False  # NumPy multiplies in another order
        axes = axes_of(x)
        if operand.dtype.kind == "b":
            counts = x.fn == "np.add.reduce" and x.dtype == np.int64 and not self.length
            return bool(axes) and (counts or x.fn in ("np.all", "np.any"))
        if x.fn in ("np.all", "np.any"):
            return False
        if operand.dtype != x.dtype or x.dtype.kind != "f" or x.dtype not in NATIVE:
            return False
        if x.fn != "np.add.reduce" or len(axes) == operand.ndim or not axes:
            return bool(axes)
        count = prod(operand.shape[k] for k in axes)
        trailing = axes[0] == operand.ndim - len(axes)
        return bool(count <= (LONGEST_ROW if trailing else LONGEST_SUM))


def _is_product(x: Expr) -> bool:
    a, b = x.args
    if not (isinstance(a, Expr) and isinstance(b, Expr)):
        return False
    same = a.dtype == b.dtype == x.dtype and x.dtype in NATIVE and x.dtype.kind == "f"
    return same and 1 <= a.ndim <= 2 and 1 <= b.ndim <= 2


def stretched(roots: Sequence[Any], b: Builder, length: int = 0) -> list[Any]:
    """The program with calls of native functions in place of what they compute.

    A native function takes all native calls that can be computed between two calls of NumPy.

    Args:
        roots: the program.
        b: its builder.
        length: the number of rows in the trace, if the program is for any number of rows.
    """
    roots = with_arrays(roots, b)
    order = in_order(roots)
    base = _bases(order, length)
    native = _Native(length, order)
    if sum(map(native, order)) > MOST:
        return list(roots)
    while True:
        stages = _stages(order, base, native)
        group_of = {x: k for k, group in enumerate(_groups(order, stages, length)) for x in group}
        refused = _apart(roots, order, group_of) & native.loops
        if not refused:
            break
        native.loops -= refused
    inside = {x: group_of.get(base[x]) for x in order}
    used = {base[x] for x in roots if isinstance(x, Expr)}
    used |= {base[y] for x in order for y in x.inputs if inside[y] != inside[x]}
    new: dict[Expr, Any] = {}
    # A native function comes before the calls of NumPy in its stage.
    for x in sorted(order, key=lambda x: (stages[x], x not in group_of, group_of.get(x, 0))):
        if x in new:
            continue
        if x in group_of:
            group = [y for y in order if group_of.get(y) == group_of[x]]
            new |= _called(group, used, new, b, base, length)
        else:
            new[x] = with_inputs(x, b, new.__getitem__)
    return [replaced(root, new.__getitem__) for root in roots]


def _apart(roots: Sequence[Any], order: Sequence[Expr], group_of: Mapping[Expr, int]) -> set[Expr]:
    """The loops that keep or read lists which another function makes or reads."""
    found = {loop_of(x) for x in roots if isinstance(x, Expr) and x.shape is None}
    for x in order:
        for y in x.inputs:
            loop = loop_of(y) if y.shape is None else None
            list_of_list = x.fn == "[]" and x.shape is None
            if loop and not list_of_list and group_of.get(loop) != group_of.get(x):
                found |= {loop, x}
        if x.fn == LOOP and x not in group_of:
            found.add(x)
    return {x for x in found if x is not None}


def _bases(order: Sequence[Expr], length: int) -> dict[Expr, Expr]:
    """What each view looks at in the end; any other call is its own base."""
    base: dict[Expr, Expr] = {}
    for x in order:
        view = is_virtual(x, length) and isinstance(x.args[0], Expr) and x.dtype in READ
        view |= x.fn == "[]" and x.shape is None and loop_of(x) is not None
        base[x] = base[x.args[0]] if view else x
    return base


def _stages(
    order: Sequence[Expr], base: Mapping[Expr, Expr], native: Callable[[Expr], bool]
) -> dict[Expr, float]:
    """When each call is computed: native calls at whole numbers, NumPy's half a step later."""
    stages: dict[Expr, float] = {}
    for x in order:
        if base[x] is not x:
            stages[x] = stages[base[x]]
            continue
        after = max((stages[y] for y in x.inputs), default=-0.5)
        stages[x] = ceil(after) if native(x) else floor(after) + 0.5
    return stages


def _groups(order: Sequence[Expr], stages: Mapping[Expr, float], length: int) -> list[list[Expr]]:
    """The calls of each native function."""
    by_stage: dict[float, list[Expr]] = {}
    for x in order:
        if stages[x] == floor(stages[x]) and not is_virtual(x):
            by_stage.setdefault(stages[x], []).append(x)
    pieces = [piece for group in by_stage.values() for piece in _cut(group)]
    return [piece for piece in pieces if _pays(piece) and _knows(piece, length)]


def _cut(group: list[Expr]) -> list[list[Expr]]:
    """The calls of a stage for one function, or for several if they are many."""
    if any(x.fn == LOOP for x in group):
        return [group]  # of which lists are only known inside
    return [group[k : k + LONGEST] for k in range(0, len(group), LONGEST)]


def native_calls(roots: Sequence[Any]) -> list[Expr]:
    """The calls of a program that native code computes."""
    order = in_order(roots)
    return [*filter(_Native(0, order), order)]


def calls_to_pay(calls: Sequence[Expr]) -> float:
    """After how many calls native code has saved the time to compile it.

    An estimate from measurements: a second and 20 ms a call to compile, 0.4 µs saved a call, and
    half a nanosecond an element.
    """
    saved = sum(4e-7 + 5e-10 * x.size for x in calls if x.fn != LOOP)
    for x in calls:
        if x.fn == LOOP:
            steps = in_order(x.args[0].roots, x.args[0].parameters)
            saved += x.args[1] * sum(4e-7 + 5e-10 * y.size for y in steps)
    return (1 + 0.02 * len(calls)) / saved if calls else inf


def _pays(group: Sequence[Expr]) -> bool:
    """Whether a native function is faster than its calls by NumPy."""
    if any(x.fn == LOOP for x in group):
        return True
    return sum(1 if x.shape == () and x.fn not in REDUCTIONS else 4 for x in group) >= 8


def _needs(group: Sequence[Expr], length: int) -> bool:
    """Whether a group of calls computes with arrays of so many rows."""
    return bool(length) and any(length in x.shape for x in group)


def _knows(group: Sequence[Expr], length: int) -> bool:
    """Whether a native function can tell the number of rows, if it needs it."""
    if not _needs(group, length):
        return True
    inside = set(group)
    outside = [y for x in group for y in x.inputs if y not in inside and y.fn != CONSTANT]
    return any(length in y.shape for y in outside)


def _called(
    group: Sequence[Expr],
    used: Container[Expr],
    new: Mapping[Expr, Any],
    b: Builder,
    base: Mapping[Expr, Expr],
    length: int,
) -> dict[Expr, Expr]:
    """The results of a native function, by the calls that they replace."""
    inside = set(group)
    inputs = [base[y] for x in group for y in x.inputs if base[y] not in inside]
    inputs += [y for x in group if x.fn == LOOP for y in constants_of(x)]
    given = dict.fromkeys(inputs)
    parameters = tuple(x for x in given if not is_literal(x))
    results = tuple(x for x in group if x in used)
    stretch = Stretch(parameters, results, length if _needs(group, length) else 0)
    values = [new.get(x, x) for x in parameters]  # constants within loops are themselves
    call = b._call(KERNEL, (stretch, *values), {}, (None, None))
    found = {}
    for k, x in enumerate(results):
        found[x] = b.call_of("[]", (call, k), x)
        found[x].interval = bounds(x)
        if x in b.names:
            b.names.setdefault(found[x], b.names[x])
    return found | {x: x for x in group if x not in found}
