"""Blocks of rows from `.npy` files, and from files that arrays are mapped to.

They are read as bytes into new arrays. A page of a mapped file that is no longer there would end
the process, and mapped pages that are read cannot be bounded.
"""

from __future__ import annotations

import math
import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt
from numpy.lib import format as npy

from autograd_lite.data.row_given import KINDS
from autograd_lite.data.row_paths import FileState, name_of
from autograd_lite.row_sources import HEAD, BlockError, Source, default_rows, read_only

__all__ = ["ArrayFile", "ArrayFiles", "open_files", "open_mapped"]

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class ArrayFile:
    """An array in a file: where its elements are."""

    state: FileState
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    dtype: np.dtype[Any]

    @property
    def by_rows(self) -> bool:
        """Whether a row comes after the other, and not a column."""
        return len(self.shape) == 1 or self.strides[0] >= self._span(self.shape[1:])

    @property
    def row_bytes(self) -> int:
        """The bytes that are read for a row."""
        row = self.dtype.itemsize * int(np.prod(self.shape[1:]))
        return max(row, self.strides[0]) if self.by_rows else row

    def _span(self, shape: Sequence[int]) -> int:
        """The bytes from the first to the last element of these last axes."""
        strides = self.strides[len(self.strides) - len(shape) :]
        steps = ((n - 1) * stride for n, stride in zip(shape, strides, strict=True))
        return sum(steps) + self.dtype.itemsize

    def rows(self, start: int, stop: int) -> Array:
        """These rows, in a new array. Raises EOFError if the file ends before."""
        shape = (stop - start, *self.shape[1:])
        native = self.dtype.newbyteorder("=")
        if 0 in shape:
            return np.empty(shape, native)
        with open(self.state.path, "rb", buffering=0) as file:
            at = self.offset + start * self.strides[0]
            if self.by_rows:
                block = self._array(file, at, shape)
            else:
                # A column after the other.
                columns = np.empty((*shape[1:], shape[0]), self.dtype)
                for index in np.ndindex(shape[1:]):
                    column = sum(map(int.__mul__, index, self.strides[1:]))
                    columns[index] = self._array(file, at + column, shape[:1])
                block = np.moveaxis(columns, -1, 0)
        return np.ascontiguousarray(block.astype(native, copy=False))

    def _array(self, file: BinaryIO, at: int, shape: tuple[int, ...]) -> Array:
        """The elements from byte `at` on, with the strides that they have in the file."""
        strides = self.strides[: len(shape)]
        count = sum((n - 1) * s for n, s in zip(shape, strides, strict=True)) + self.dtype.itemsize
        content = np.empty(count, np.uint8)
        view, done = content.data, 0
        file.seek(at)
        while done < count:
            read = file.readinto(view[done:])  # type: ignore[attr-defined]
            if not read:
                raise EOFError
            done += read
        return np.ndarray(shape, self.dtype, content, strides=strides)


@dataclass(frozen=True, eq=False)
class ArrayFiles(Source):
    """Blocks of rows of arrays in files, one file after the other; no block is of two files."""

    files: Sequence[ArrayFile]
    dtype: np.dtype[Any]
    block_rows: int
    name: str

    @cached_property
    def _places(self) -> list[tuple[ArrayFile, int, int]]:
        return [
            (file, start, min(start + self.block_rows, file.shape[0]))
            for file in self.files
            for start in range(0, file.shape[0], self.block_rows)
        ]

    @property
    def lengths(self) -> tuple[int, ...]:
        return self._lengths

    @cached_property
    def _lengths(self) -> tuple[int, ...]:
        return tuple(stop - start for _, start, stop in self._places)

    @property
    def head(self) -> Any:
        return self._head

    @cached_property
    def _head(self) -> Array:
        if not self._places:
            return np.empty((0, *self.files[0].shape[1:]), self.dtype)
        return read_only(self._rows(0, min(HEAD, self._lengths[0])))

    def read(self, k: int) -> Any:
        return self._rows(k, self._lengths[k])

    def _rows(self, k: int, count: int) -> Array:
        file, start, _ = self._places[k]
        where = f"{file.state.path}: block {k}, from row {sum(self._lengths[:k])} on,"
        file.state.check(where)
        try:
            block = file.rows(start, start + count)
        except EOFError:
            raise BlockError(f"{where} cannot be read: the file ends before") from None
        except OSError as error:
            raise BlockError(f"{where} cannot be read: {error}") from None
        return block.astype(self.dtype, copy=False)


def open_files(paths: Sequence[str], block_rows: int | None) -> ArrayFiles:
    """The arrays of `.npy` files.

    Raises BlockError if one is damaged, or has another shape or kind of dtype than the first.
    """
    files: list[ArrayFile] = []
    rows = blocks = 0
    for path in paths:
        where = f"{path}: block {blocks}, from row {rows} on,"
        file = _open(path, where)
        first = files[0] if files else file
        if file.shape[1:] != first.shape[1:]:
            raise BlockError(
                f"{where} has rows of shape {file.shape[1:]}; those of {first.state.path} have the "
                f"shape {first.shape[1:]}"
            )
        if file.dtype.kind != first.dtype.kind:
            raise BlockError(f"{where} holds {file.dtype}; {first.state.path} holds {first.dtype}")
        files.append(file)
        block_rows = block_rows or default_rows(file.row_bytes)
        rows += file.shape[0]
        blocks += -(-file.shape[0] // block_rows)
    dtype = np.result_type(*(file.dtype for file in files)).newbyteorder("=")
    return ArrayFiles(files, dtype, block_rows or 1, name_of(paths))


def _open(path: str, where: str) -> ArrayFile:
    state = FileState.of(path)
    with open(path, "rb") as file:
        try:
            version = npy.read_magic(file)
            read = {(1, 0): npy.read_array_header_1_0, (2, 0): npy.read_array_header_2_0}[version]
            shape, columns_first, dtype = read(file)
        except Exception as error:  # NumPy raises TokenError and SyntaxError, too
            raise BlockError(f"{where} cannot be read: its header is damaged: {error}") from None
        offset = file.tell()
    if dtype.kind not in KINDS or min(shape, default=-1) < 0:
        what = f"rows of {dtype}" if shape else "a single value"
        advice = "; only pickle reads it, which may run any program" if dtype.hasobject else ""
        raise BlockError(f"{where} holds {what}, and not rows of numbers{advice}")
    size = dtype.itemsize * math.prod(shape)
    if offset + size != state.size:
        has = (state.size - offset) // max(1, size // max(1, shape[0]))
        ends = f"ends within row {has} of {shape[0]}" if offset + size > state.size else "goes on"
        raise BlockError(
            f"{where} cannot be read: the file {ends} "
            f"({state.size} bytes where its array takes {offset + size})"
        )
    order = shape if columns_first else shape[::-1]
    steps = [dtype.itemsize * math.prod(order[:k]) for k in range(len(order))]
    strides = tuple(steps if columns_first else steps[::-1])
    return ArrayFile(state, offset, shape, strides, dtype)


def open_mapped(array: Array, block_rows: int | None) -> ArrayFiles | None:
    """The file that an array is mapped to; None if it is in memory.

    Raises ValueError if what the array holds is not what its file holds.
    """
    owner: Any = array
    while isinstance(owner, np.ndarray) and getattr(owner, "_mmap", None) is None:
        owner = owner.base
    if not isinstance(owner, np.memmap) or owner.filename is None:
        return None
    path = str(owner.filename)
    if owner.mode == "c" or min(array.strides, default=0) < 0:
        kind = "a private copy" if owner.mode == "c" else "reversed"
        raise ValueError(
            f"the array mapped to {path} is {kind}, which its file does not hold; open it with "
            "mode='r', or give open_rows the file"
        )
    # A view of a mapped array has the offset of the whole one: count from where the pages begin.
    begin = np.frombuffer(cast("Any", owner)._mmap, np.uint8).ctypes.data
    pages = owner.offset - owner.offset % mmap.ALLOCATIONGRANULARITY
    state = FileState.of(path)
    if owner.mode != "r":
        state = state._replace(changed=None)
    offset = pages + array.ctypes.data - begin
    file = ArrayFile(state, offset, array.shape, array.strides, array.dtype)
    native = array.dtype.newbyteorder("=")
    return ArrayFiles([file], native, block_rows or default_rows(file.row_bytes), path)
