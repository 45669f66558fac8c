"""Rows of numbers in a temporary file, which read back much faster than text."""

from __future__ import annotations

import tempfile
import threading
import weakref
from collections.abc import Callable
from pathlib import Path

import numpy as np

from autograd_lite.data.columns import Array
from autograd_lite.row_blocks import RowBlocks
from autograd_lite.row_sources import ArraySource, default_rows

__all__ = ["Spool"]


class Spool:
    """Rows of numbers in a temporary file without a name, which is gone when nobody uses it.

    Example:
        >>> spool = Spool(tempfile.gettempdir(), 2)
        >>> spool.append(np.array([[1.0, 2.0], [3.0, 4.0]]))
        >>> spool.append(np.array([[5.0, 6.0]]))
        >>> len(spool), spool.blocks().read().tolist()
        (3, [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    """

    def __init__(self, folder: str | Path, width: int, name: str = "the rows") -> None:
        self.folder: str | Path = folder
        self.width: int = width
        self.name: str = name
        self._count = 0
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115
        self._lock = threading.Lock()  # a thread reads ahead
        weakref.finalize(self, self._file.close)

    def __len__(self) -> int:
        return self._count

    @property
    def nbytes(self) -> int:
        """The bytes on the disk."""
        return 8 * self.width * self._count

    def append(self, rows: Array) -> None:
        """Add rows (rows, width) at the end; OSError names the folder if it is full."""
        data = _bytes(np.ascontiguousarray(rows, dtype=np.float64))
        try:
            with self._lock:
                self._file.seek(self.nbytes)
                while data:
                    data = data[self._file.write(data) :]
        except OSError as error:
            error.filename = str(self.folder)
            raise
        self._count += len(rows)

    def __getitem__(self, part: slice) -> Array:
        """Some rows, one after the other."""
        start, stop, _ = part.indices(len(self))
        rows = np.empty((stop - start, self.width))
        data = _bytes(rows)
        with self._lock:
            self._file.seek(8 * self.width * start)
            while data:
                got = self._file.readinto(data)
                if not got:
                    raise OSError(f"{self.name}: the temporary file in {self.folder} was cut off")
                data = data[got:]
        return rows

    def blocks(self, row_bytes: int = 0) -> RowBlocks:
        """The rows by blocks; `row_bytes` are those of what is made of a row, if it is more."""
        size = default_rows(max(row_bytes, 8 * self.width))
        return RowBlocks(ArraySource(self, size, self.name))

    def where(self, keep: Callable[[Array], Array]) -> Spool:
        """The rows for which a function of blocks is true, in another temporary file."""
        chosen = Spool(self.folder, self.width, self.name)
        for block in self.blocks():
            chosen.append(block[keep(block)])
        return chosen


def _bytes(rows: Array) -> memoryview:
    return rows.data.cast("B") if rows.size else memoryview(b"")
