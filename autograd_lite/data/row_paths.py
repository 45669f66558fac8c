"""Which files data by rows are read from, and whether they are still the same."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from autograd_lite.row_sources import BlockError

__all__ = ["FileState", "kind_of", "name_of", "paths_of"]

MAGIC = {
    b"\x93NUMPY": "npy",
    b"PAR1": "Parquet",
    b"ARROW1": "Arrow",
    b"\xff\xff\xff\xff": "Arrow",
}
"""How a file of each kind begins that is no text."""


class FileState(NamedTuple):
    """What tells whether a file is still the one that was opened.

    `changed` is None where the file may change, as one that an array is mapped to for writing.
    """

    path: str
    size: int
    changed: int | None

    @classmethod
    def of(cls, path: str) -> FileState:
        """The state of a file now."""
        state = os.stat(path)
        return cls(path, state.st_size, state.st_mtime_ns)

    def check(self, where: str) -> None:
        """Raise BlockError, which begins with `where`, if the file is missing or has changed."""
        try:
            now = FileState.of(self.path)
        except OSError as error:
            raise BlockError(
                f"{where} cannot be read: the file was there when it was opened; {error.strerror}"
            ) from None
        if now.size < self.size or (self.changed is not None and now != self):
            raise BlockError(
                f"{where} cannot be read: the file has changed since it was opened, when it had "
                f"{self.size} bytes; it has {now.size} now"
            )


def paths_of(source: Any) -> list[str] | None:
    """The files that a path, a pattern, a folder or a list of paths means; None for other things.

    Files of a folder or a pattern are sorted by name; hidden ones, which begin with "." or "_",
    are left out. Raises FileNotFoundError, and ValueError for a folder without files.
    """
    listed = source if isinstance(source, (list, tuple)) else ()
    if listed and all(isinstance(path, (str, os.PathLike)) for path in listed):
        return [os.fspath(path) for path in listed]
    if not isinstance(source, (str, os.PathLike)):
        return None
    path = os.fspath(source)
    if os.path.isdir(path):
        files = [str(file) for file in Path(path).iterdir() if file.name[:1] not in "._"]
        none: OSError | ValueError = ValueError(f"{path} is a folder without files")
    elif not os.path.exists(path) and glob.has_magic(path):
        files = glob.glob(path, recursive=True)
        none = FileNotFoundError(f"no file matches {path}")
    else:
        return [path]
    found = sorted(filter(os.path.isfile, files), key=_natural)
    if not found:
        raise none
    return found


def _natural(name: str) -> list[str | int]:
    """A key of sorting that takes digits as numbers: part-2 comes before part-10."""
    parts = re.split(r"([0-9]+)", name)
    return [*(int(part) if k % 2 else part for k, part in enumerate(parts)), name]


def kind_of(paths: Sequence[str]) -> str:
    """Whether the files are "npy", "Parquet", "Arrow" or "text", by how they begin.

    Raises ValueError if they are not all the same.
    """
    kinds: dict[str, str] = {}
    for path in paths:
        with open(path, "rb") as file:
            start = file.read(8)
        kind = next((kind for magic, kind in MAGIC.items() if start.startswith(magic)), "text")
        kinds.setdefault(kind, path)
    if len(kinds) > 1:
        (one, first), (other, second) = [*kinds.items()][:2]
        raise ValueError(
            f"{first} is {one}, but {second} is {other}; choose files of one kind, as by a pattern "
            "such as folder/*.npy"
        )
    return next(iter(kinds))


def name_of(paths: Sequence[str]) -> str:
    """What errors call the files together."""
    return paths[0] if len(paths) == 1 else f"{paths[0]} to {paths[-1]}"
