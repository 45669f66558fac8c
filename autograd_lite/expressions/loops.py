"""Loops: a body of expressions that is computed again and again, its results carried along."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autograd_lite.expressions.expr import (
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
from autograd_lite.expressions.names import Names

__all__ = ["Body", "computed", "everything", "with_bodies", "written"]

LONG = 70  # characters from which names are set in parentheses, so that they can be broken


@dataclass(frozen=True, eq=False, slots=True)
class Body:
    """One step of a loop, as expressions of its parameters.

    The call of a loop is ``loop(body, count, initial, fixed, sequences)``. Its result is a tuple:
    the last value of each of `lasts`, then a list of all values of each of `kept`.

    Attributes:
        carried: the parameters that hold results of the step before.
        fixed: the parameters that are the same in every step.
        scanned: the parameters that take one element of a sequence in each step.
        updates: the next value of each of `carried`.
        lasts, kept: the results.
    """

    carried: tuple[Expr, ...]
    fixed: tuple[Expr, ...]
    scanned: tuple[Expr, ...]
    updates: tuple[Expr, ...]
    lasts: tuple[Expr, ...]
    kept: tuple[Expr, ...]

    @property
    def parameters(self) -> tuple[Expr, ...]:
        return (*self.carried, *self.fixed, *self.scanned)

    @property
    def roots(self) -> tuple[Expr, ...]:
        return (*self.updates, *self.lasts, *self.kept)

    def changed(self, change: Callable[[Sequence[Any]], Sequence[Any]], b: Builder) -> Body:
        """The same loop with its results rewritten."""
        given = (
            x if isinstance(x, Expr) else b.filled(np.full(root.shape, x, root.dtype))
            for root, x in zip(self.roots, change(self.roots), strict=True)
        )
        updates, lasts, kept = (
            tuple(next(given) for _ in group) for group in (self.updates, self.lasts, self.kept)
        )
        return replace(self, updates=updates, lasts=lasts, kept=kept)


def computed(
    body: Body,
    count: int,
    initial: Sequence[Any],
    fixed: Sequence[Any],
    sequences: Sequence[Sequence[Any]],
) -> tuple[Any, ...]:
    """The result of a loop."""
    state = tuple(initial)
    lasts: list[Any] = []
    kept: list[list[Any]] = [[] for _ in body.kept]
    for k in range(count):
        given = (*state, *fixed, *(sequence[k] for sequence in sequences))
        found = evaluated(body.roots, dict(zip(body.parameters, given, strict=True)))
        state, rest = tuple(found[: len(state)]), found[len(state) :]
        lasts = rest[: len(body.lasts)]
        for values, value in zip(kept, rest[len(body.lasts) :], strict=True):
            values.append(value)
    return (*lasts, *kept)


METHODS[LOOP] = computed


def everything(roots: Iterable[Any]) -> list[Expr]:
    """Every expression that the roots depend on, those in the bodies of loops included."""
    order = in_order(roots)
    inside = [x for loop in order if loop.fn == LOOP for x in everything(loop.args[0].roots)]
    return [*order, *inside]


def with_bodies(
    roots: Sequence[Any], b: Builder, change: Callable[[Sequence[Any]], Sequence[Any]]
) -> list[Any]:
    """The roots with the body of each loop changed."""
    order = in_order(roots)
    if not any(x.fn == LOOP for x in order):
        return list(roots)
    new: dict[Expr, Any] = {}
    for x in order:
        new[x] = with_inputs(x, b, new.__getitem__)
        if x.fn == LOOP:
            body, *given = new[x].args
            new[x] = b.like(new[x], (body.changed(change, b), *given), {})
    return [replaced(root, new.__getitem__) for root in roots]


Write = Callable[[list[Expr], dict[Expr, str]], tuple[list[str], Callable[[Any], str]]]
"""Returns the lines that compute some roots of a body, given the names of its parameters, and what
returns the source of an expression there."""


def written(
    loop: Expr, b: Builder, names: Names, text: Callable[[Any], str], write: Write
) -> tuple[list[str], list[str]]:
    """The lines of a loop, and the source of each of its results.

    Args:
        loop: its call.
        b: the builder.
        names: the names that are taken.
        text: returns the source of an expression outside the loop.
        write: writes the body.
    """
    body, count, initial, fixed, sequences = loop.args
    state = [names.take(b.names.get(p, ""), "state") for p in body.carried]
    items = [names.take(b.names.get(p, ""), "item" if p.shape else "k") for p in body.scanned]
    lists = [names.take(f"{b.names[x]}_list" if x in b.names else "", "kept") for x in body.kept]
    given = [text(x) for x in fixed]
    known = dict(zip(body.parameters, (*state, *given, *items), strict=True))
    lines, results = _body_lines(body, b, names, known, lists, write)
    head = f"for _ in range({count}):"
    if items:
        taken, sources = ", ".join(items), ", ".join(map(text, sequences))
        if len(taken) > LONG:
            taken = names.take("items")
            lines = [_assignment(items, taken), *lines]
        head = f"for {taken} in {f'zip({sources}, strict=True)' if len(items) > 1 else sources}:"
    start = [f"{name} = []" for name in lists]
    start += [f"{name} = {text(x)}" for name, x in zip(state, initial, strict=True)]
    return [*start, head, *(f"    {line}" for line in lines)], [*results, *lists]


def _body_lines(
    body: Body, b: Builder, names: Names, known: dict[Expr, str], lists: list[str], write: Write
) -> tuple[list[str], list[str]]:
    """The lines in a loop, and the names of the last values."""
    # What is carried has its name after the update; anything else is used before it.
    after = {x: known[p] for p, x in zip(body.carried, body.updates, strict=True)}
    after = {x: name for x, name in after.items() if x.fn != PARAMETER}
    before = [x for x in (*body.kept, *body.lasts) if x not in after]
    lines, text = write([*body.updates, *before], known)
    kept = [*zip(body.kept, lists, strict=True)]
    lines += [f"{name}.append({text(x)})" for x, name in kept if x not in after]
    found = dict(after)
    for x in body.lasts:
        if x not in found:
            found[x] = text(x)
            if x.fn == PARAMETER or not found[x].isidentifier():
                found[x] = names.take(b.names.get(x, ""), "last")
                lines.append(f"{found[x]} = {text(x)}")
    changed = [(known[p], text(x)) for p, x in zip(body.carried, body.updates, strict=True)]
    changed = [(name, new) for name, new in changed if name != new]
    if changed:
        state, values = zip(*changed, strict=True)
        new = ", ".join(values)
        if len(", ".join(state)) > LONG:
            lines.append(f"{(name := names.take('new'))} = {new}")
            new = name
        lines.append(_assignment(state, new))
    lines += [f"{name}.append({after[x]})" for x, name in kept if x in after]
    return lines, [found[x] for x in body.lasts]


def _assignment(names: Sequence[str], value: str) -> str:
    """The assignment to one name or to several."""
    text = ", ".join(names)
    return f"({text}) = {value}" if len(text) > LONG else f"{text} = {value}"
