"""Loops of steps in native functions: which can be, and their source."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd_lite.compiler.scalars import NATIVE, READ
from autograd_lite.compiler.views import is_view
from autograd_lite.expressions.expr import (
    CONSTANT,
    LOOP,
    PARAMETER,
    Builder,
    Expr,
    in_order,
    is_number,
    replaced,
    with_inputs,
)
from autograd_lite.expressions.loops import Body

if TYPE_CHECKING:
    from autograd_lite.compiler.kernels import KernelWriter

__all__ = [
    "constants_of",
    "element_of",
    "is_native_body",
    "loop_of",
    "run_of",
    "with_arrays",
    "write_loop",
]


def constants_of(loop: Expr) -> list[Expr]:
    """The constants in the body of a loop that are no numbers."""
    body = loop.args[0]
    order = in_order(body.roots, body.parameters)
    return [x for x in order if x.fn == CONSTANT and (x.shape or x.dtype not in READ)]


def loop_of(x: Any) -> Expr | None:
    """The loop that kept a list, or whose list this is a part of, or None."""
    while isinstance(x, Expr) and x.fn == "[]" and x.shape is None:
        x = x.args[0]
    return x if isinstance(x, Expr) and x.fn == LOOP else None


def element_of(x: Expr) -> bool:
    """Whether a call takes one element of a list that a loop kept."""
    return (
        x.fn == "[]"
        and type(x.args[1]) is int
        and x.shape is not None
        and x.args[0].fn == "[]"
        and loop_of(x.args[0]) is not None
    )


def run_of(x: Expr) -> tuple[Expr, range]:
    """The list that a loop kept, and which of its elements a list has."""
    keys = []
    while x.args[0].fn != LOOP:
        keys.append(x.args[1])
        x = x.args[0]
    elements = range(x.args[0].args[1])
    for key in reversed(keys):
        elements = elements[key]
    return x, elements


def with_arrays(roots: Sequence[Any], b: Builder) -> list[Any]:
    """The program with the constants that its loops read one after the other in arrays."""

    def array(p: Expr, x: Any) -> Any:
        if not isinstance(x, (tuple, list)):
            return x
        values = [y.value if isinstance(y, Expr) and y.fn == CONSTANT else y for y in x]
        if any(isinstance(y, Expr) for y in values) or p.dtype not in READ:
            return x
        return b.constant(np.array(values, p.dtype))

    new: dict[Expr, Any] = {}
    for x in in_order(roots):
        new[x] = with_inputs(x, b, new.__getitem__)
        if x.fn == LOOP:
            body, *given, sequences = _with_rows(new[x], b)
            pairs = zip(body.scanned, sequences, strict=True)
            new[x] = b.like(new[x], (body, *given, tuple(array(p, y) for p, y in pairs)), {})
    return [replaced(root, new.__getitem__) for root in roots]


def _with_rows(loop: Expr, b: Builder) -> tuple[Any, ...]:
    """A loop that takes the next row of an array, where its body takes the row of a number."""
    body, count, initial, fixed, sequences = loop.args
    counters = {p: x for p, x in zip(body.scanned, sequences, strict=True) if type(x) is range}
    arrays = dict(zip(body.fixed, fixed, strict=True))
    rows: dict[Expr, tuple[Expr, Expr]] = {}
    new: dict[Expr, Any] = {p: p for p in body.parameters}
    for x in in_order(body.roots, body.parameters):
        numbers = counters.get(x.args[1]) if _is_row(x) else None
        if numbers and min(numbers) >= 0 and isinstance(arrays.get(x.args[0]), Expr):
            row = Expr(PARAMETER, (), {}, x.shape, x.dtype)
            rows[x] = row, _rows(b, arrays[x.args[0]], numbers)
            new[x] = row
        else:
            new[x] = with_inputs(x, b, new.__getitem__)
    body = body.changed(lambda roots: [new[x] for x in roots], b)
    used = {*in_order(body.roots), *(p for p in body.scanned if p not in counters)}
    pairs = [(p, x) for p, x in zip(body.scanned, sequences, strict=True) if p in used]
    pairs += rows.values()
    scanned, sequences = zip(*pairs, strict=True) if pairs else ((), ())
    return replace(body, scanned=scanned), count, initial, fixed, sequences


def _is_row(x: Expr) -> bool:
    return x.fn == "[]" and isinstance(x.args[1], Expr)


def _rows(b: Builder, array: Expr, numbers: range) -> Expr:
    """The rows of an array with some numbers."""
    stop = numbers.stop if numbers.stop >= 0 else None
    form = ((len(numbers), *array.shape[1:]), array.dtype)
    return b._call("[]", (array, slice(numbers.start, stop, numbers.step)), {}, form)


def is_native_body(loop: Expr, native: Callable[[Expr], bool]) -> bool:
    """Whether native code can compute a loop, given which calls it can compute."""
    body, _, initial, fixed, sequences = loop.args
    known = body.parameters
    if not all(x.shape is not None and x.dtype in READ for x in known):
        return False
    if not all(x.dtype in NATIVE for x in (*body.carried, *body.roots)):
        return False
    if not all(isinstance(x, Expr) or is_number(x) for x in (*initial, *fixed)):
        return False
    if not all(_is_sequence(x) for x in sequences):
        return False
    return all(map(native, in_order(body.roots, body.parameters)))


def _is_sequence(x: Any) -> bool:
    if not isinstance(x, Expr):
        return False
    return loop_of(x) is not None if x.shape is None else bool(x.shape)


def _apart(body: Body, b: Builder) -> Body:
    """The same loop; what it returns and its next state share no memory with what it reads."""
    own = dict(zip(body.carried, body.updates, strict=True))

    def apart(x: Expr) -> Expr:
        shares = x.fn in (PARAMETER, CONSTANT, "np.reshape") or is_view(x)
        if own.get(x) is x or not shares:
            return x
        return b._call(".astype", (x, x.dtype), {"copy": True}, (x.shape, x.dtype))

    updates, lasts = (tuple(map(apart, group)) for group in (body.updates, body.lasts))
    return replace(body, updates=updates, lasts=lasts)


def write_loop(w: KernelWriter, loop: Expr) -> None:
    """Write a loop: what is carried in arrays of its own, what is kept in arrays with its steps."""
    body, count, initial, fixed, sequences = loop.args
    body = _apart(body, w.b)
    state = [_start(w, p, x) for p, x in zip(body.carried, initial, strict=True)]
    kept = []
    for x in body.kept:
        name = w.names.take(w.b.names.get(x, ""), "kept")
        w.lines.append(f"{name} = {w.new((count, *x.shape), x.dtype)}")
        kept.append(name)
    given = [_value(w, x, p) for p, x in zip(body.fixed, fixed, strict=True)]
    k, items, heads = w.names.take("step"), [], []
    for p, x in zip(body.scanned, sequences, strict=True):
        items.append(w.names.take(w.b.names.get(p, ""), "item"))
        heads.append(f"{items[-1]} = {_element(w, x, k)}")
    known = dict(zip(body.parameters, (*state, *given, *items), strict=True))
    inner = w.inside(body, known | {x: w.text[x] for x in constants_of(loop)})
    lines = [*heads, *inner.lines]
    lines += [
        w.language.stored(name, (count, *x.shape), k, inner.value(x))
        for name, x in zip(kept, body.kept, strict=True)
    ]
    for p, x, name in zip(body.carried, body.updates, state, strict=True):
        if x is not p:
            value = inner.value(x)
            lines.append(w.language.copied(name, value) if p.shape else f"{name} = {value}")
    if lines:
        w.lines += [w.language.loop(k, str(count)), *(f"    {line}" for line in lines)]
    after = dict(zip(body.updates, state, strict=True))
    results: list[str] = []
    for x in body.lasts:
        name = after.get(x) or inner.value(x)
        results.append(_copy(w, x, name) if x.shape and name in results else name)
    for x in w.plan.results_of(loop):
        w.text[x] = [*results, *kept][x.args[1]]


def _copy(w: KernelWriter, x: Expr, source: str) -> str:
    name = w.names.take(w.b.names.get(x, ""), "last")
    w.lines += [f"{name} = {w.new(x.shape, x.dtype)}", w.language.copied(name, source)]
    return name


def _start(w: KernelWriter, p: Expr, x: Any) -> str:
    """The state before the first step; an array of its own."""
    name = w.names.take(w.b.names.get(p, ""), "state")
    if p.shape:
        w.lines.append(f"{name} = {w.new(p.shape, p.dtype)}")
        write = w.language.filled if is_number(x) else w.language.copied
        w.lines.append(write(name, _value(w, x, p)))
    else:
        w.lines.append(f"{name} = {_value(w, x, p)}")
    return name


def _value(w: KernelWriter, x: Any, p: Expr) -> str:
    if is_number(x):
        return w.language.literal(x, p.dtype)
    return w.value(x)


def _element(w: KernelWriter, x: Expr, k: str) -> str:
    """The source of the element of a sequence in a step."""
    if x.shape is not None:
        return w.language.part(w.value(x, straight=True), x.shape, k)
    kept, elements = run_of(x)
    first, step = elements.start, elements.step
    place = {1: k, -1: f"-{k}"}.get(step, f"{step} * {k}")
    if first:
        place = f"{first} - {k}" if step == -1 else f"{place} + {first}"
    body, count = kept.args[0].args[:2]
    shape = (count, *body.kept[kept.args[1] - len(body.lasts)].shape)
    return w.language.part(w.text[kept], shape, place)
