"""Reading npz files whatever they hold: a size is checked before its bytes are read."""

from __future__ import annotations

import math
import os
import re
import struct
import sys
import zipfile
from collections.abc import Mapping
from typing import IO, Any, Literal

import numpy as np

from autograd_lite.models.inputs import Array

__all__ = ["Members", "Npz"]

# What zipfile raises for damaged archives, beside ValueError.
_BROKEN = (
    *(zipfile.BadZipFile, struct.error, EOFError, NotImplementedError, RuntimeError),
    *(OverflowError, MemoryError, OSError),
)

_PIECE = 1 << 20
"""The bytes that are read at once; the directory is not longer, which is enough for 9000 layers."""

_HEADER = re.compile(
    r"\{'descr': '([<>|][biufcSUVOMm]\d{0,10}(?:\[\w{1,9}\])?)', 'fortran_order': (True|False), "
    r"'shape': \((|\d{1,19},|\d{1,19}(?:, \d{1,19})+)\), \} *\n"
)
"""The header of an array as NumPy writes it."""

_CODES = {
    "an integer": np.typecodes["AllInteger"],
    "float32 or float64": "fd",
    "numbers, Booleans or text": "?" + np.typecodes["AllInteger"] + np.typecodes["Float"] + "U",
    "text": "U",
}
"""What a member may be asked to hold, and the codes of its dtypes."""


class _Pieces:
    """A file of which zipfile reads no more at once, however long it says that its directory is."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.seek, self.tell, self.seekable = file.seek, file.tell, file.seekable

    def read(self, size: int = -1, /) -> bytes:
        return self._file.read(_PIECE if size < 0 else min(size, _PIECE))


class Members:
    """Arrays by name, each of which is compared with what is expected when it is asked for.

    Every method raises ValueError that names the member.
    """

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._arrays = arrays
        self.names: set[str] = set(arrays)

    def check(self, needed: set[str], optional: set[str]) -> None:
        """Raise ValueError if a member is missing, or there are others."""
        if missing := sorted(needed - self.names):
            raise ValueError(f"it has no {missing[0]!r}")
        if others := sorted(self.names - needed - optional):
            few = ", ".join(repr(name)[:40] for name in others[:5]) + ", …" * (len(others) > 5)
            raise ValueError(f"it has members that the model does not have: {few}")

    def text(self, name: str, most: int) -> str:
        """A member that is one text of at most `most` bytes."""
        return str(self.array(name, "text", (), most))

    def array(
        self, name: str, what: str, shape: tuple[int, ...] = (), most: float = math.inf
    ) -> Array:
        """A member that holds `what`, in `shape`, where -1 stands for any length."""
        if name not in self.names:
            raise ValueError(f"it has no {name!r}")
        array = self._arrays[name]
        _compare(name, what, shape, array.dtype, array.shape)
        if array.nbytes > most:
            raise ValueError(f"{name!r} has {array.nbytes} bytes; at most {most} are read")
        return array


class Npz(Members):
    """The arrays in a file that `numpy.savez` wrote.

    The constructor reads the directory alone. `array` and `text` read one member, after its header
    was compared with what is expected and with the bytes that the file has. Both byte orders are
    read; object arrays never are.

    Every method, and the constructor, raises ValueError that names the member.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "arrays.npz"
        >>> np.savez(path, w=np.zeros(3), name="zeros")
        >>> with open(path, "rb") as file:
        ...     npz = Npz(file)
        ...     npz.text("name", 100), npz.array("w", "float32 or float64", (3,)).tolist()
        ('zeros', [0.0, 0.0, 0.0])
    """

    def __init__(self, file: IO[bytes]) -> None:
        pieces = _Pieces(file)
        try:
            self._zip = zipfile.ZipFile(pieces)
            size = pieces.seek(0, os.SEEK_END)
        except _BROKEN as error:
            raise ValueError(f"it is not an npz file: {_reason(error)}") from None
        self._members = _directory(self._zip, size)
        self.names = set(self._members)

    def array(
        self, name: str, what: str, shape: tuple[int, ...] = (), most: float = math.inf
    ) -> Array:
        """A member that holds `what`, in `shape`, where -1 stands for any length."""
        if name not in self.names:
            raise ValueError(f"it has no {name!r}")
        info = self._members[name]
        try:
            with self._zip.open(info) as member:
                dtype, found, order, length = _header(member, name)
                _compare(name, what, shape, dtype, found)
                size = math.prod(found) * dtype.itemsize
                if not dtype.itemsize or size != info.file_size - length:
                    raise ValueError(f"{name!r} does not have the {size} bytes of its header")
                if size > most:
                    raise ValueError(f"{name!r} has {size} bytes; at most {most} are read")
                data = np.empty(size, np.uint8)
                for start in range(0, size, _PIECE):
                    piece = member.read(_PIECE)
                    data[start : start + len(piece)] = np.frombuffer(piece, np.uint8)
        except _BROKEN as error:
            raise ValueError(f"{name!r} cannot be read: {_reason(error)}") from None
        return _checked(name, data.view(dtype).reshape(found, order=order))


def _directory(archive: zipfile.ZipFile, size: int) -> dict[str, zipfile.ZipInfo]:
    """The members by name, each within the `size` bytes of the file."""
    members: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        short, (name, suffix) = repr(info.filename)[:40], os.path.splitext(info.filename)
        if suffix != ".npy":
            raise ValueError(f"its member {short} is not an array")
        if name in members:
            raise ValueError(f"it has two members {short}")
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & 1:
            raise ValueError(
                f"its member {short} is compressed or encrypted; write the file with numpy.savez"
            )
        inside = 0 <= info.header_offset <= size - info.file_size
        if info.file_size != info.compress_size or not inside:
            raise ValueError(
                f"its member {short} does not have the {info.file_size} bytes of its directory"
            )
        members[name] = info
    return members


def _header(
    member: IO[bytes], name: str
) -> tuple[np.dtype[Any], tuple[int, ...], Literal["C", "F"], int]:
    """The dtype, the shape and the order of an array, and the length of this header."""
    start = member.read(10)
    length = int.from_bytes(start[8:], "little")
    text = member.read(length).decode("latin-1") if length < 1000 else ""
    match = _HEADER.fullmatch(text)
    if start[:8] != b"\x93NUMPY\x01\x00" or match is None:
        raise ValueError(f"{name!r} is not an array of numbers or text as NumPy writes it")
    try:
        dtype = np.dtype(match[1])
    except TypeError:
        raise ValueError(f"{name!r} has a dtype that NumPy does not know: {match[1]}") from None
    shape = tuple(int(n) for n in match[3].split(",") if n)
    return dtype, shape, "F" if match[2] == "True" else "C", 10 + length


def _compare(
    name: str, what: str, shape: tuple[int, ...], dtype: np.dtype[Any], found: tuple[int, ...]
) -> None:
    fits = len(found) == len(shape) and all(map(lambda n, m: n in (-1, m), shape, found))
    if not fits or dtype.char not in _CODES[what]:
        expected = f" of shape {shape}".replace("-1", "n") if shape else ""
        raise ValueError(f"{name!r} must be {what}{expected}; it is {dtype} of shape {found}")


def _checked(name: str, array: Array) -> Array:
    """The array, if its bytes are values of its dtype; of others NumPy makes what it likes."""
    if array.dtype.kind == "b" and (array.view(np.uint8) > 1).any():
        raise ValueError(f"{name!r} has bytes that are neither False nor True")
    if array.dtype.kind == "U":
        codes = array.reshape(-1).view(f"{array.dtype.byteorder}u4")
        if (codes > sys.maxunicode).any():
            raise ValueError(f"{name!r} has bytes that are not text")
    return array


def _reason(error: Exception) -> str:
    return str(error) or "the file ends too early, or does not fit into memory"
