"""Steps that a program repeats, found in the order in which it computes, and rolled into loops.

A loop is a stretch of the program in which the same calls follow each other again and again, and
in which the operands of a step are those of the step before, moved along: by a whole step for
results of the loop, by a constant distance for what was computed before it.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np

from autograd_lite.compiler.repeats import stretches
from autograd_lite.expressions.expr import (
    ARGUMENT,
    CONSTANT,
    LOOP,
    Builder,
    Expr,
    in_order,
    inputs_of,
    key_of_call,
    replaced,
    with_inputs,
)
from autograd_lite.expressions.loops import Body

__all__ = ["rolled"]

LEAST = 8  # repetitions from which a loop is rolled

LAGS = 3  # steps back from which a step may take results

NO_FORM = (None, None)  # the shape and dtype of a tuple or a list


def rolled(roots: Sequence[Any], b: Builder) -> list[Any]:
    """The program with repeated steps as loops."""
    program = _Program(roots, b)
    for stretch in stretches(program.kinds, LEAST):
        if (loop := program.loop_in(*stretch)) is not None:
            program.loops.append(loop)
    return program.rewritten(roots) if program.loops else list(roots)


@dataclass
class _Loop:
    """A loop in a program: its first call, the length and the number of its steps.

    Attributes:
        rows: for each step, the numbers of the operands of its calls, and the indices in them.
        initial: the number of what a call takes in place of its result d steps before the first, by
            the place of the call and d.
        kept: the calls of a step of which all values are used after the loop, each with its place.
        lasts: those of which only the last value is used.
    """

    start: int
    period: int
    count: int
    rows: Any
    initial: dict[tuple[int, int], int]
    kept: dict[int, int]
    lasts: dict[int, int]
    call: Any = None

    @property
    def stop(self) -> int:
        return self.start + self.period * self.count


class _Program:
    """A program in the order in which it was traced.

    Attributes:
        calls: the calls; the number of a call is its place.
        things: the calls, then the arguments and what is made of constants; each at its number.
        operands: the numbers of the operands of each call.
        kinds, indices: the calls without their operands and integer indices, and these indices.
        forms: equal for things of equal shape and dtype.
        last_use: the last call that uses a thing; for a result, the number of calls.
    """

    def __init__(self, roots: Sequence[Any], b: Builder) -> None:
        self.b = b
        self.loops: list[_Loop] = []
        things = sorted(in_order(roots), key=lambda x: x.number)
        leaves: dict[Expr, None] = {}
        for x in things:
            if x.fn == ARGUMENT or all(y in leaves and y.fn != ARGUMENT for y in x.inputs):
                leaves[x] = None
        self.calls = [x for x in things if x not in leaves]
        self.things = [*self.calls, *leaves]
        self.number = {x: k for k, x in enumerate(self.things)}
        self.operands = [[self.number[x] for x in call.inputs] for call in self.calls]
        pairs = [_kind(call) for call in self.calls]
        self.kinds = _numbered(kind for kind, _ in pairs)
        self.indices = [indices for _, indices in pairs]
        self.forms = _numbered((x.shape, x.dtype) for x in self.things)
        self.last_use = {n: k for k, numbers in enumerate(self.operands) for n in numbers}
        for x in inputs_of([*roots]):
            self.last_use[self.number[x]] = len(self.calls)

    def loop_at(self, number: int) -> _Loop | None:
        """The loop that contains a call, or None."""
        k = bisect_right(self.loops, number, key=lambda loop: loop.start) - 1
        return self.loops[k] if k >= 0 and number < self.loops[k].stop else None

    def loop_in(self, start: int, period: int, count: int) -> _Loop | None:
        """The longest loop in a stretch of repeated calls, or None."""
        firsts = range(start, start + period * count, period)
        steps = [range(first, first + period) for first in firsts]
        operands = np.array([[n for k in s for n in self.operands[k]] for s in steps], np.int64)
        indices = np.array([[n for k in s for n in self.indices[k]] for s in steps], np.int64)
        rows, width = np.hstack([operands, indices]), operands.shape[1]
        middle = count // 2
        moves = rows[middle + 1] - rows[middle]
        regular = rows == rows[middle] + (np.arange(count) - middle)[:, None] * moves
        forms = self.forms[operands]
        regular[:, :width] &= forms == forms[middle]
        place = rows[middle, :width] - start - middle * period
        inside = (moves[:width] == period) & (-LAGS * period <= place) & (place < period)
        lags = np.where(inside, -(place // period), 0)
        for column in np.flatnonzero(~inside & (moves[:width] != 0)):
            # What is taken from another loop is taken from it in every step.
            if (loop := self.loop_at(rows[middle, column])) is not None:
                regular[:, column] &= (rows[:, column] >= loop.start) & (
                    rows[:, column] < loop.stop
                )
        first, last = _run(regular.all(axis=1), middle)
        carried = [(k, int(place[k] % period), int(lags[k])) for k in np.flatnonzero(lags)]

        def entered(k: int) -> dict[tuple[int, int], int] | None:
            """The initial values if a step can be the first one, or None."""
            known = regular[k:last].copy()
            initial: dict[tuple[int, int], int] = {}
            for column, slot, lag in carried:
                for j in range(lag):
                    same = forms[k + j, column] == forms[middle, column]
                    value = int(operands[k + j, column])
                    known[j, column] = same and initial.setdefault((slot, lag - j), value) == value
            outer = np.append(operands[k:last, ~inside], [*initial.values()])
            late = (outer >= start + k * period) & (outer < len(self.calls))
            return initial if known.all() and not late.any() else None

        for k in range(max(0, first - LAGS), min(first + LAGS, last - LEAST) + 1):
            if (initial := entered(k)) is not None:
                return self._loop(start + k * period, period, rows[k:last], initial)
        return None

    def _loop(
        self, start: int, period: int, rows: Any, initial: dict[tuple[int, int], int]
    ) -> _Loop:
        stop = start + period * len(rows)
        used: dict[int, set[int]] = {}
        for n in range(start, stop):
            if self.last_use.get(n, 0) >= stop:
                used.setdefault((n - start) % period, set()).add((n - start) // period)
        only_last = {len(rows) - 1}
        lasts = [place for place, steps in used.items() if steps == only_last]
        kept = [place for place, steps in used.items() if steps != only_last]
        return _Loop(
            *(start, period, len(rows), rows, initial),
            {place: len(lasts) + k for k, place in enumerate(kept)},
            {place: k for k, place in enumerate(lasts)},
        )

    # The program with loops

    def rewritten(self, roots: Sequence[Any]) -> list[Any]:
        new = _Results(self)
        place = 0
        for loop in self.loops:
            self._copy(range(place, loop.start), new)
            self._roll(loop, new)
            place = loop.stop
        self._copy(range(place, len(self.calls)), new)
        return [replaced(root, new.__getitem__) for root in roots]

    def _copy(self, places: Iterable[int], new: _Results) -> None:
        for k in places:
            call = self.calls[k]
            if any(type(part) in (tuple, list) and len(part) >= LEAST for part in call.args):
                args = tuple(self._with_lists(part, new) for part in call.args)
                new[call] = self.b.like(call, args, call.keywords)
            else:
                new[call] = with_inputs(call, self.b, new.__getitem__)

    def _with_lists(self, form: Any, new: _Results) -> Any:
        """A form in which the results of loops are no longer listed one by one."""
        if type(form) not in (tuple, list) or not all(type(x) is Expr for x in form):
            return replaced(form, new.__getitem__)
        parts: list[Any] = []
        numbers, k = [self.number[x] for x in form], 0
        while k < len(numbers):
            move, last = numbers[k + 1] - numbers[k] if k + 1 < len(numbers) else 0, k + 1
            while last < len(numbers) and numbers[last] - numbers[last - 1] == move:
                last += 1
            found = self._sequence(numbers[k], move, last - k, new) if last - k >= LEAST else ()
            if type(found) is Expr and found.fn == "[]":
                parts.append(found)
                k = last
            else:
                parts.append(new[form[k]])
                k += 1
        if len(parts) == 1:
            return parts[0]
        return self.b._call("list", tuple(parts), {}, NO_FORM)

    def _roll(self, loop: _Loop, new: _Results) -> None:
        """Replace the calls of a loop by those of its results that are used after it."""
        b, body = self.b, _Body(self, loop)
        initial = [new[self.things[n]] for n in body.initial]
        fixed = [new[self.things[n]] for n in body.fixed]
        sequences = [self._sequence(*pair, loop.count, new) for pair in body.sequences]
        ranges = [range(n, n + move * loop.count, move) for n, move in body.ranges]
        args = (body.body, loop.count, (*initial,), (*fixed,), (*sequences, *ranges))
        loop.call = b._call(LOOP, args, {}, NO_FORM)

    def _sequence(self, first: int, move: int, count: int, new: _Results) -> Any:
        """What is scanned: a part of a list that another loop kept, a constant, or a tuple."""
        loop, last = self.loop_at(first), first + move * (count - 1)
        if move and loop is not None and loop is self.loop_at(last) and move % loop.period == 0:
            slot = (first - loop.start) % loop.period
            if slot in loop.kept:
                values = self.b._call("[]", (loop.call, loop.kept[slot]), {}, NO_FORM)
                step, begin = move // loop.period, (first - loop.start) // loop.period
                end = begin + step * count
                whole = (begin, end, step) == (0, loop.count, 1)
                part = slice(begin, end if end >= 0 else None, step)
                return values if whole else self.b._call("[]", (values, part), {}, NO_FORM)
        found = tuple(new[self.things[first + move * k]] for k in range(count))
        if all(x.fn == CONSTANT for x in found):
            return self.b.constant(np.stack([x.value for x in found]))
        return found


class _Results(dict[Expr, Any]):
    """The new form of each expression; that of a result of a loop is made when it is used."""

    def __init__(self, program: _Program) -> None:
        super().__init__((x, x) for x in program.things[len(program.calls) :])
        self.program = program

    def __missing__(self, x: Expr) -> Expr:
        program, number = self.program, self.program.number[x]
        b = program.b
        loop = program.loop_at(number)
        assert loop is not None
        step, place = divmod(number - loop.start, loop.period)
        b.line = x.line
        if place in loop.lasts:
            made = b._call("[]", (loop.call, loop.lasts[place]), {}, (x.shape, x.dtype))
        else:
            values = b._call("[]", (loop.call, loop.kept[place]), {}, NO_FORM)
            made = b._call("[]", (values, step), {}, (x.shape, x.dtype))
        if x in b.names:
            b.names.setdefault(made, b.names[x])
        b.origins[made] = x.fn
        self[x] = made
        return made


class _Body:
    """The body of a loop, made from the calls of its first step."""

    def __init__(self, program: _Program, loop: _Loop) -> None:
        self.program, self.loop, self.b = program, loop, program.b
        self.made: list[Expr] = []
        self.parameters: dict[Any, Expr] = {}
        self.initial: list[int] = []
        self.fixed: list[int] = []
        self.sequences: list[tuple[int, int]] = []
        self.ranges: list[tuple[int, int]] = []
        # A step for which no operand is an initial value.
        numbers = iter(zip(loop.rows[LAGS].tolist(), loop.rows[LAGS + 1].tolist(), strict=True))
        calls = range(loop.start, loop.start + loop.period)
        operands = [[next(numbers) for _ in program.operands[k]] for k in calls]
        indices = [[next(numbers) for _ in program.indices[k]] for k in calls]
        for k, given, places in zip(calls, operands, indices, strict=True):
            call = program.calls[k]
            self.made.append(self._call(call, map(self._operand, given), map(self._index, places)))
        slots = [key for group, key in self.parameters if group == "carried"]
        self.body = Body(
            carried=self._group("carried"),
            fixed=self._group("fixed"),
            scanned=(*self._group("scanned"), *self._group("counted")),
            updates=tuple(
                self.made[slot] if lag == 1 else self.parameters["carried", (slot, lag - 1)]
                for slot, lag in slots
            ),
            lasts=tuple(self.made[slot] for slot in loop.lasts),
            kept=tuple(self.made[slot] for slot in loop.kept),
        )

    def _group(self, name: str) -> tuple[Expr, ...]:
        return tuple(x for (group, _), x in self.parameters.items() if group == name)

    def _call(self, expr: Expr, operands: Iterator[Any], indices: Iterator[Any]) -> Expr:
        args = replaced(expr.args, lambda _: next(operands))
        keywords = {k: replaced(v, lambda _: next(operands)) for k, v in expr.keywords.items()}
        if expr.fn == "[]":
            args = (args[0], _with_indices(args[1], indices))
        self.b.line = expr.line
        made = self.b._call(expr.fn, args, keywords, (expr.shape, expr.dtype))
        if expr in self.b.names:
            self.b.names.setdefault(made, self.b.names[expr])
        return made

    def _operand(self, numbers: tuple[int, int]) -> Any:
        """An operand in two successive steps, as an expression of the body."""
        loop, program, (number, after) = self.loop, self.program, numbers
        move = after - number
        lag, place = divmod(number - loop.start - LAGS * loop.period, loop.period)
        if move == loop.period and -LAGS <= lag <= 0 and number < loop.stop:
            return self._state(place, -lag) if lag else self.made[place]
        first = number - LAGS * move
        x = program.things[first]
        if not move and first >= len(program.calls) and x.fn != ARGUMENT:
            return x
        if not move:
            return self._parameter("fixed", first, x, x.fn, self.fixed, first)
        last = first + move * (loop.count - 1)
        taken = program.things[min(first, last) : max(first, last) + 1 : abs(move)]
        fn = x.fn if all(y.fn == x.fn for y in taken) else None
        return self._parameter("scanned", (first, move), x, fn, self.sequences, (first, move))

    def _state(self, slot: int, lag: int) -> Expr:
        """The result of a call some steps before."""
        if lag > 1:
            self._state(slot, lag - 1)
        first = self.loop.initial[slot, lag]
        x = self.program.things[first]
        return self._parameter("carried", (slot, lag), x, None, self.initial, first)

    def _index(self, numbers: tuple[int, int]) -> Any:
        number, after = numbers
        move, first = after - number, number - LAGS * (after - number)
        if not move:
            return first
        return self._parameter("counted", (first, move), first, None, self.ranges, (first, move))

    def _parameter(
        self, group: str, key: Any, x: Any, fn: str | None, given: list[Any], value: Any
    ) -> Expr:
        """A parameter of a group, created once; `given` gets the value that is passed for it."""
        if (group, key) not in self.parameters:
            self.parameters[group, key] = self.b.parameter(x, fn)
            given.append(value)
        return self.parameters[group, key]


def _kind(call: Expr) -> tuple[Any, list[int]]:
    """A call without its operands and integer indices, and these indices."""
    args = replaced(call.args, lambda _: None)
    keywords = {k: replaced(v, lambda _: None) for k, v in call.keywords.items()}
    indices: list[int] = []
    if call.fn == "[]":
        key = call.args[1]
        indices = [part for part in (key if type(key) is tuple else [key]) if type(part) is int]
        args = (None, _with_indices(args[1], repeat("index")))
    return (call.shape, call.dtype, key_of_call(call.fn, args, keywords)), indices


def _numbered(things: Iterable[Any]) -> Any:
    """Numbers that are equal for equal things."""
    known: dict[Any, int] = {}
    return np.array([known.setdefault(x, len(known)) for x in things], np.int64)


def _run(regular: Any, middle: int) -> tuple[int, int]:
    """The regular steps around the middle one: the first, and the one after the last."""
    wrong = np.flatnonzero(~regular)
    before, after = wrong[wrong < middle], wrong[wrong > middle]
    return int(before[-1]) + 1 if before.size else 0, int(after[0]) if after.size else len(regular)


def _with_indices(key: Any, indices: Iterator[Any]) -> Any:
    """An index with other integers in place of its own."""
    if type(key) is int:
        return next(indices)
    return tuple(_with_indices(part, indices) for part in key) if type(key) is tuple else key
