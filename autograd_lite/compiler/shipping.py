"""What a compiled function computes for a block, as it is sent to the workers of a cluster."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial as bound
from types import CodeType
from typing import Any
from uuid import uuid4

from autograd_lite.compiler.executors import Forms, Partial, in_turn, over_rows
from autograd_lite.compiler.module import MODULE, Module
from autograd_lite.row_blocks import RowBlocks

__all__ = ["over_chunks"]

KEY = "__shipped__"  # under which a module that is loaded has its `Shipped`
MOST = 64  # modules that a worker keeps

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
        space: dict[str, Any] = function.__globals__  # type: ignore[attr-defined]
        if KEY not in space:
            module: Module = space[MODULE]
            used = _names(function, space)
            given = {name: x for name, x in module.namespace.items() if name in used}
            name = function.__name__  # type: ignore[attr-defined]
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
    found, waiting = set[str](), [getattr(function, "__wrapped__", function).__code__]
    while waiting:
        code = waiting.pop()
        waiting += [x for x in code.co_consts if isinstance(x, CodeType)]
        for name in set(code.co_names) - found:
            found.add(name)
            other = space.get(name)
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


def over_chunks(
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
