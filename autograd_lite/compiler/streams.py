"""Calls of compiled functions with data by blocks of rows in place of arrays."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from autograd_lite.compiler import NotSeparableError
from autograd_lite.compiler.signature import STAND_INS
from autograd_lite.row_blocks import BlockError

if TYPE_CHECKING:
    from autograd_lite.compiler.function import Compiled
    from autograd_lite.compiler.program import Program
    from autograd_lite.compiler.signature import Signature

__all__ = ["not_alike", "run_by_blocks"]


def run_by_blocks(compiled: Compiled[Any, Any], signature: Signature) -> Any:
    """Call a compiled function of data by blocks of rows.

    Raises:
        NotSeparableError: if the results are not sums over rows, before any block is computed.
        BlockError: if the data have different numbers of rows, or a block cannot be read.
    """
    if compiled._rows is None:
        raise ValueError(
            "compile: data by blocks of rows need the results as sums over them; compile with "
            'rows="auto", or pass arrays: rows.read() reads all of them'
        )
    length = _length(signature)
    arrays = [signature.streams.get(k, x) for k, x in enumerate(signature.arrays)]
    if length < 2:  # there may be no block at all
        arrays = [x.read() if k in signature.streams else x for k, x in enumerate(arrays)]
        return compiled._called(*signature.rebuilt(arrays))
    program = _program(compiled, signature, length)
    for k in program.donated & program.rows:
        raise ValueError(
            f"compile: {signature.leaves[k].path} is donated, but data by blocks of rows are only "
            "read; leave it out of donate="
        )
    program.count(length / STAND_INS[0])
    return program.in_blocks(*signature.rebuilt(arrays))


def _length(signature: Signature) -> int:
    """The number of rows of all data by blocks."""
    lengths = {signature.leaves[k].path: len(rows) for k, rows in signature.streams.items()}
    if len({*lengths.values()}) > 1:
        words = ", ".join(f"{path} has {n}" for path, n in lengths.items())
        raise BlockError(f"compile: the data have different numbers of rows: {words}")
    return next(iter(lengths.values()))


def _program(compiled: Compiled[Any, Any], signature: Signature, length: int) -> Program:
    """The program; arrays in memory with as many rows are data by rows, too, if it can be."""
    streams = {*signature.streams}
    beside = {k for k, x in enumerate(signature.arrays) if x.shape[:1] == (length,)} - streams
    first: Exception | None = None
    for rows in (streams | beside, streams) if beside else (streams,):
        try:
            program = compiled._program(signature.standing_in(rows), length)
        except Exception as error:
            first = first or error
            continue
        if program.rows.issuperset(rows):
            return program
    raise first or NotSeparableError("compile: the results are not sums over rows")


def not_alike(name: str, length: int) -> NotSeparableError:
    """The error of a function that may do something else for some number of rows."""
    return NotSeparableError(
        f"compile: {name} reads the number of rows, and it may do something else for {length:,} "
        "rows than for fewer: only factors such as 1 / len(X) may depend on it, and shapes with "
        "-1 in its place"
    )
