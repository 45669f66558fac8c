"""Calls of compiled functions with data by blocks of rows in place of arrays."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from operator import itemgetter
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from autograd_lite.compiler import NotSeparableError
from autograd_lite.compiler.cluster import ClusterSource, current_client
from autograd_lite.compiler.lengths import LengthError
from autograd_lite.compiler.signature import STAND_INS
from autograd_lite.dask_rows import DaskSource, dask_array, is_dask
from autograd_lite.row_blocks import RowBlocks
from autograd_lite.row_sources import BlockError

if TYPE_CHECKING:
    from autograd_lite.compiler.function import Compiled
    from autograd_lite.compiler.program import Program
    from autograd_lite.compiler.signature import Signature

__all__ = ["not_alike", "run_by_blocks"]


FEW = 4  # arrays of which every choice is tried

_sources: WeakValueDictionary[Any, DaskSource] = WeakValueDictionary()


def run_by_blocks(compiled: Compiled[Any, Any], signature: Signature) -> Any:
    """Call a compiled function of data by blocks of rows.

    Raises:
        NotSeparableError: if the results are not sums over rows, before any block is computed.
        BlockError: if the data have different numbers of rows, or a block cannot be read.
    """
    if compiled._rows is None:
        raise ValueError(
            "compile: data by blocks of rows need the results as sums over them; compile with "
            'rows="auto", or pass arrays that hold all rows'
        )
    arrays = {k: x for k, x in signature.streams.items() if is_dask(x)}
    streams = signature.streams | _on_source(compiled, arrays)
    length = _length(signature, streams)
    if length < 2:  # there may be no block at all
        read = [streams[k].read() if k in streams else x for k, x in enumerate(signature.arrays)]
        return compiled._called(*signature.rebuilt(read))
    program = _program(compiled, signature, length)
    for k in program.donated & program.rows:
        raise ValueError(
            f"compile: {signature.leaves[k].path} is donated, but data by blocks of rows are only "
            "read; leave it out of donate="
        )
    beside = program.rows - {*streams}
    if arrays and beside:
        chunks = streams[min(arrays)].lengths
        arrays |= {k: dask_array(signature.arrays[k], chunks) for k in beside}
        streams |= _on_source(compiled, arrays)
    program.count(length / STAND_INS[0])
    values = [streams.get(k, x) for k, x in enumerate(signature.arrays)]
    return program.in_blocks(*signature.rebuilt(values))


def _on_source(compiled: Compiled[Any, Any], arrays: Mapping[int, Any]) -> dict[int, RowBlocks]:
    """Dask arrays as data by blocks of one source: on the cluster, if there is a client."""
    if not arrays:
        return {}
    client = compiled._client or current_client()
    key = getattr(client, "id", None), *(x.name for x in arrays.values())
    source = _sources.get(key)
    if source is None:
        data = [*arrays.values()]
        source = DaskSource(data) if client is None else ClusterSource(data, client)
        _sources[key] = source
    compiled._kept.append(source)
    return {k: RowBlocks(source, itemgetter(place)) for place, k in enumerate(arrays)}


def _length(signature: Signature, streams: Mapping[int, RowBlocks]) -> int:
    """The number of rows of all data by blocks."""
    lengths = {signature.leaves[k].path: len(rows) for k, rows in streams.items()}
    if len({*lengths.values()}) > 1:
        words = ", ".join(f"{path} has {n}" for path, n in lengths.items())
        raise BlockError(f"compile: the data have different numbers of rows: {words}")
    return next(iter(lengths.values()))


def _program(compiled: Compiled[Any, Any], signature: Signature, length: int) -> Program:
    """The program; arrays in memory with as many rows are data by rows, too, if it can be."""
    streams = {*signature.streams}
    errors = list[Exception]()
    for some in _choices(signature, length):
        rows = streams.union(*some)
        stand_in = signature.standing_in(rows)
        try:
            program = compiled._program(stand_in, length)
        except LengthError:
            errors.append(not_alike(getattr(compiled, "__name__", "function"), length))
        except Exception as error:
            few = len(stand_in.arrays[min(rows)])
            error.add_note(f"compile: {few:,} rows stand for the {length:,} of data by blocks")
            errors.append(error)
        else:
            if program.rows.issuperset(rows):
                return program
            paths = " and ".join(signature.leaves[k].path for k in sorted(rows - program.rows))
            why = f"compile: the results are not sums over the rows of {paths}"
            errors.append(NotSeparableError(why))
    # Others may be due to arrays that have no rows.
    raise min(errors, key=lambda error: not isinstance(error, NotSeparableError))


def _choices(signature: Signature, length: int) -> Iterator[Sequence[set[int]]]:
    """Which arrays in memory may have rows, of those that are as long: all first, at last none.

    If there are many, an argument is chosen with all of its arrays, such as parameters.
    """
    units: dict[str, set[int]] = {}
    alike = [k for k, x in enumerate(signature.arrays) if x.shape[:1] == (length,)]
    alike = [k for k in alike if k not in signature.streams]
    for k in alike:
        path = signature.leaves[k].path
        units.setdefault(path if len(alike) <= FEW else re.split(r"[.[]", path)[0], set()).add(k)
    for count in range(len(units), -1, -1):
        if len(units) <= FEW or count in (len(units), 1, 0):
            yield from combinations(units.values(), count)


def not_alike(name: str, length: int) -> NotSeparableError:
    """The error of a function that may do something else for some number of rows."""
    return NotSeparableError(
        f"compile: {name} may do something else for {length:,} rows than for fewer, because it "
        "reads the number of rows: only factors such as 1 / len(X) may depend on it; in a shape "
        "write -1 in its place"
    )
