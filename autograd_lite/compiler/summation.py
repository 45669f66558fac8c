"""Sums over rows: of arrays, of blocks that are read, and of chunks on a cluster."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial as bound
from types import CodeType
from typing import Any, NamedTuple
from uuid import uuid4

import numpy as np

from autograd_lite.compiler.executors import Executor, Sums, added, in_turn, row_blocks
from autograd_lite.compiler.module import MODULE, Module
from autograd_lite.row_blocks import RowBlocks, ahead, together
from autograd_lite.row_sources import Source

__all__ = ["Forms", "Partial", "over_blocks", "over_rows"]

KEY = "__shipped__"  # under which a module that is loaded has its `Shipped`
MOST = 64  # modules that a worker keeps


class Forms(NamedTuple):
    """How data and results have rows.

    Attributes:
        axes: the axis of rows of each datum.
        results: the shape of a row and the dtype of each result that has rows.
    """

    axes: Sequence[int]
    results: Sequence[tuple[tuple[int, ...], Any]]

    def empty(self, rows: int) -> list[Any]:
        """New arrays for the results."""
        return [np.empty((rows, *shape), dtype) for shape, dtype in self.results]


Partial = Callable[..., tuple[list[Any], list[Any]]]


def over_rows(
    execute: Executor, size: int, forms: Forms, partial: Partial, known: Any, data: Sequence[Any]
) -> tuple[list[Any], list[Any]]:
    """The sums over all rows, and the results that have rows, of `partial(known, *block)`."""
    sources = {x.source if isinstance(x, RowBlocks) else None for x in data}
    if sources != {None}:
        (source, *others) = sources
        if source is not None and source.remote and not others:
            return _over_chunks(size, forms, partial, known, data)
        return _over_blocks(execute, size, forms, partial, known, data)
    rows = data[0].shape[forms.axes[0]]
    results = forms.empty(rows)

    def computed(block: tuple[int, int]) -> list[Any]:
        part = slice(*block)
        arrays = [x[(*[slice(None)] * k, part)] for k, x in zip(forms.axes, data, strict=True)]
        sums, parts = partial(known, *arrays)
        for result, x in zip(results, parts, strict=True):
            result[part] = x
        return sums

    return execute(computed, row_blocks(rows, size)), results


def _over_blocks(
    execute: Executor, size: int, forms: Forms, partial: Partial, known: Any, data: Sequence[Any]
) -> tuple[list[Any], list[Any]]:
    """What `over_rows` returns, of data by blocks: the next one is read while one is computed."""
    results, total, start = forms.empty(data[0].shape[0]), Sums(added), 0
    with closing(ahead(together(data))) as blocks:
        for number, block in enumerate(x for x in blocks if len(x[0])):
            sums, parts = over_rows(execute, size, forms, partial, known, block)
            stop = start + len(block[0])
            for result, x in zip(results, parts, strict=True):
                result[start:stop] = x
            total.add(number, sums)
            start = stop
            del block
    return list(total.result()), results


def over_blocks(
    source: Source, function: Callable[[int, Any], Any], add: Callable[[Any, Any], Any]
) -> Any:
    """The total of what a function returns for the number of each block and the block.

    Blocks without rows are left out.
    """
    if source.remote:
        return source.total(function, add)
    total, place = Sums(add), 0
    with closing(ahead(iter(source))) as blocks:
        for number, block in enumerate(blocks):
            if source.lengths[number]:
                total.add(place, function(number, block))
                place += 1
            del block
    return total.result()


# On a cluster

_loaded: OrderedDict[str, Partial] = OrderedDict()


@dataclass(frozen=True)
class Shipped:
    """A function of a module, to be loaded in another process.

    Attributes:
        key: under which the process keeps it.
        module: the module, with the objects that the function needs.
        name: of the function.
    """

    key: str
    module: Module
    name: str

    @classmethod
    def of(cls, function: Partial) -> Shipped:
        """The one of a function, made once."""
        space: dict[str, Any] = function.__globals__
        if KEY not in space:
            module: Module = space[MODULE]
            used = _names(function, space)
            given = {name: x for name, x in module.namespace.items() if name in used}
            name = function.__name__
            space[KEY] = cls(uuid4().hex, replace(module, namespace=given), name)
        shipped: Shipped = space[KEY]
        return shipped

    def load(self) -> Partial:
        """The function."""
        if self.key not in _loaded:
            _loaded[self.key] = self.module.load().__globals__[self.name]
            while len(_loaded) > MOST:
                _loaded.popitem(last=False)
        return _loaded[self.key]


def _names(function: Any, space: dict[str, Any]) -> set[str]:
    """The global names that a function uses, and those that the functions that it calls use."""
    found, waiting = set[str](), list[Any]([getattr(function, "__wrapped__", function).__code__])
    while waiting:
        code = waiting.pop()
        waiting += [x for x in code.co_consts if isinstance(x, CodeType)]
        for name in set(code.co_names) - found:
            found.add(name)
            other: Any = space.get(name)
            other = getattr(other, "__wrapped__", other)
            if getattr(other, "__globals__", None) is space:
                waiting.append(other.__code__)
    return found


@dataclass(frozen=True)
class _Block:
    """What `over_rows` returns, as a function of a block of the source."""

    shipped: Shipped
    size: int
    forms: Forms
    picks: Sequence[Callable[[Any], Any]]
    known: Any

    def __call__(self, block: Any) -> tuple[list[Any], list[Any]]:
        data = [pick(block) for pick in self.picks]
        return over_rows(in_turn, self.size, self.forms, self.shipped.load(), self.known, data)

    def sums(self, number: int, block: Any) -> list[Any]:
        return self(block)[0]

    def rows(self, number: int, *block: Any) -> Any:
        return self(block)[1][number]


def _over_chunks(
    size: int, forms: Forms, partial: Partial, known: Any, data: Sequence[RowBlocks]
) -> tuple[list[Any], list[Any]]:
    """What `over_rows` returns, of data on a cluster; results that have rows are Dask arrays."""
    source: Any = data[0].source
    block = _Block(Shipped.of(partial), size, forms, [x.pick for x in data], known)
    sums = source.total(block.sums, _plus)
    results = [
        source.mapped(bound(block.rows, k), shape, dtype)
        for k, (shape, dtype) in enumerate(forms.results)
    ]
    return sums, results


def _plus(first: list[Any], second: list[Any]) -> list[Any]:
    return [x + y for x, y in zip(first, second, strict=True)]
