"""Which values a record keeps for the sweep, and how the others come back when asked for.

A rule that reads no more of an operand than its shape needs no values of it. Where no rule reads
a large value and nobody but the record holds its Tensor, the record lets go of it; whoever looks
at it later, a picture or a second derivative, has it computed again.
"""

from __future__ import annotations

import dis
import inspect
import math
import sys
import weakref
from collections.abc import Callable, Collection, Sequence
from types import CodeType
from typing import Any

import numpy as np

__all__ = ["Outline", "evaluated", "let_go", "operands_of", "reads", "reads_of", "settle"]

THRESHOLD = 2**20
"""Bytes from which on a value is worth letting go."""

WAITING = 16
"""How many results wait to let go of what they were made from."""

OUT = -1
"""The result, where rules number what they read; operands count from 0."""

EVERYTHING: Collection[int] = range(OUT, sys.maxsize)

OUTLINE = {"shape", "ndim", "size", "dtype", "strides"}


class Outline:
    """The shape, dtype and layout of an array whose values are not kept."""

    __slots__ = ("dtype", "shape", "strides")

    def __init__(self, array: Any) -> None:
        self.shape: tuple[int, ...] = array.shape
        self.dtype: np.dtype[Any] = array.dtype
        self.strides: tuple[int, ...] = array.strides

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """The number of elements."""
        return int(np.prod(self.shape))

    __array_ufunc__ = None

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        raise TypeError(f"the values of an array {self.shape} were let go, and a rule reads them")


def reads(rule: Callable[..., Any] | None) -> Collection[int]:
    """What a gradient rule reads more of than the shape and dtype.

    Example:
        >>> sorted(reads(lambda g, out, a, b: g * b.reshape(a.shape)))
        [1]
    """
    if rule is None:
        return ()
    code = getattr(rule, "__code__", None)
    if not isinstance(code, CodeType) or code.co_flags & inspect.CO_VARARGS:
        return EVERYTHING
    numbers = {name: k - 2 for k, name in enumerate(code.co_varnames[: code.co_argcount])}
    found, last = set(), None
    for instruction in dis.get_instructions(code):
        outlined = instruction.opname == "LOAD_ATTR" and instruction.argval in OUTLINE
        if last is not None and not outlined:
            found.add(last)
        last = None
        if instruction.opcode in dis.haslocal or instruction.opcode in dis.hasfree:
            argval = instruction.argval
            for name in argval if isinstance(argval, tuple) else (argval,):
                if last is not None:
                    found.add(last)
                last = numbers.get(name)
    return frozenset(k for k in found if k >= OUT)


def reads_of(op: Any) -> tuple[Collection[int], ...]:
    """What each rule of an operation reads, looked up when it is first asked for."""
    if op.reads is None:
        op.reads = tuple(map(reads, op.rules))
    return op.reads  # type: ignore[no-any-return]


def _read_by(node: Any) -> Collection[int]:
    """What the rules that a sweep may call for a node read."""
    op = node.op
    if op is None or node.stable is not None or not node.requires_grad:
        return ()
    if op.arity is None:
        return reads_of(op)[0]
    read: set[int] = set()
    for x, more in zip(node.inputs, reads_of(op), strict=False):
        if x.requires_grad:
            if more is EVERYTHING:
                return EVERYTHING
            read.update(more)
    return read


def _large(array: Any) -> bool:
    return type(array) is np.ndarray and array.nbytes >= THRESHOLD


# Where references are not counted, nothing counts as alone: NaN differs from itself.
_getrefcount = getattr(sys, "getrefcount", lambda node: math.nan)


def _references(nodes: Sequence[Any]) -> list[float]:
    return [_getrefcount(node) for node in nodes]


# How many references a node has that one sequence alone holds depends on the interpreter.
_ALONE = _references([np.zeros(1)])[0]


def let_go(node: Any) -> None:
    """Let go of what a result was made from, where no rule reads it and nobody else holds it.

    What a variable of the program still holds waits for the next results to be asked again.
    """
    asked = (*node.waiting[1 - WAITING :], weakref.ref(node))
    node.waiting = tuple([ref for ref in asked if not _let_go_of_inputs(ref())])


def _let_go_of_inputs(node: Any) -> bool:
    """Whether none of the values that are not needed is left."""
    if node is None:
        return True
    done = True
    if node.stable is not None:
        done = _let_go_of_inputs(node.stable)
    read = _read_by(node)
    unread = [
        k
        for k, x in enumerate(node.inputs)
        if x.op is not None and k not in read and _large(x.kept)
    ]
    if unread:
        _outline(node, unread)
        references = _references(node.inputs)
        for k in unread:
            x = node.inputs[k]
            if node.stable is not None or OUT not in _read_by(x):
                if references[k] == _ALONE:
                    _release(x)
                else:
                    done = False
    return done


def _outline(node: Any, numbers: Collection[int]) -> None:
    node.operands = tuple(
        [
            Outline(array) if k in numbers and type(array) is not Outline else array
            for k, array in enumerate(node.operands)
        ]
    )


def _release(node: Any) -> None:
    if node.op is None or node.op.foreign:
        return
    node.kept = Outline(node.kept)
    if (
        node.stable is not None
        and OUT not in _read_by(node.stable)
        and _references([node.stable])[0] == _ALONE + 1
    ):
        _release(node.stable)


def settle(nodes: Sequence[Any], ends: Collection[Any]) -> None:
    """Keep of the nodes of a sweep, in order of execution, what its rules read, and no more."""
    # Counted before any variable of this function holds a node.
    references = _references(nodes)
    uses: dict[int, int] = {}
    needed = set()
    for node in nodes:
        if node.op is None:
            continue
        read = _read_by(node)
        unread = []
        for k, (x, array) in enumerate(zip(node.inputs, node.operands, strict=True)):
            uses[x.position] = uses.get(x.position, 0) + 1
            if k in read:
                needed.add(x.position)
            elif x.op is not None and _large(array):
                unread.append(k)
        if node.stable is not None:
            uses[node.stable.position] = uses.get(node.stable.position, 0) + 1
        if unread:
            _outline(node, unread)
        if any(type(a) is Outline and k in read for k, a in enumerate(node.operands)):
            node.operands = operands_of(node)
        if OUT in read:
            needed.add(node.position)
            node.kept = node.array
    for node, held in zip(nodes, references, strict=True):
        if (
            held == _ALONE + uses.get(node.position, 0)
            and node.op is not None
            and node not in ends
            and node.position not in needed
            and _large(node.kept)
        ):
            _release(node)
    _let_go_of_what_is_only_written(nodes)


def _let_go_of_what_is_only_written(nodes: Sequence[Any]) -> None:
    """Let go of what the sweep does not reach: it goes by what a node holds in its place."""
    written = _only_written(nodes)
    references = _references(written)
    uses: dict[int, int] = {}

    def use(inputs: Sequence[Any]) -> None:
        for x in inputs:
            uses[x.position] = uses.get(x.position, 0) + 1

    for node in nodes:
        if node.stable is not None:
            use(node.inputs)
    for node, held in zip(written, references, strict=True):
        # Consumers come first: what one of them may still be swept through for stays whole.
        if held != _ALONE + uses.get(node.position, 0) or node.op.foreign:
            continue
        use(node.inputs if node.stable is None else (*node.inputs, node.stable))
        pairs = zip(node.inputs, node.operands, strict=True)
        _outline(node, [k for k, (x, a) in enumerate(pairs) if x.op is not None and _large(a)])
        if _large(node.kept):
            node.kept = Outline(node.kept)


def _only_written(nodes: Sequence[Any]) -> list[Any]:
    """The results that only nodes with a better form lead to, the last first."""
    seen = {node.position for node in nodes}
    stack = [x for node in nodes if node.stable is not None for x in node.inputs]
    found = []
    while stack:
        x = stack.pop()
        if x.op is not None and x.position not in seen:
            seen.add(x.position)
            found.append(x)
            stack += x.inputs if x.stable is None else (*x.inputs, x.stable)
    return sorted(found, key=lambda x: -x.position)


def operands_of(node: Any) -> tuple[Any, ...]:
    """The arrays that an operation was applied to, also those that its record let go."""
    return tuple(
        [
            x.array if type(array) is Outline else array
            for x, array in zip(node.inputs, node.operands, strict=True)
        ]
    )


def evaluated(node: Any) -> Any:
    """The value of a node that was let go, computed again from what the record keeps.

    What it was made from comes back with it, so that a walk down a record takes linear time.
    """
    # What another thread lets go of meanwhile is found here.
    found: dict[Any, Any] = {}
    stack = [node]
    while stack:
        x = stack[-1]
        if x in found:
            stack.pop()
            continue
        written = x.stable is None
        pairs = zip(x.inputs, x.operands, strict=True) if written else [(x.stable, x.stable.kept)]
        sources = [(y, found.get(y, y.kept) if type(a) is Outline else a) for y, a in pairs]
        missing = [y for y, array in sources if type(array) is Outline]
        if missing:
            stack += missing
            continue
        stack.pop()
        arrays = tuple([array for _, array in sources])
        if written:
            with np.errstate(all="ignore"):
                found[x] = x.op.computed(arrays, x.attributes)
        else:
            (found[x],) = arrays
        x.kept = found[x]
    return found[node]
