"""Which files data by rows are read from, and whether they are still the same."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from autograd_lite.row_blocks import BlockError

__all__ = ["FileState", "kind_of", "name_of", "paths_of"]

SUFFIXES = {
    ".npy": "npy",
    ".parquet": "Parquet",
    ".pq": "Parquet",
    ".arrow": "Arrow",
    ".arrows": "Arrow",
    ".feather": "Arrow",
    ".ipc": "Arrow",
}
"""What the files of a folder are."""

MAGIC = {
    b"\x93NUMPY": "npy",
    b"PAR1": "Parquet",
    b"ARROW1": "Arrow",
    b"\xff\xff\xff\xff": "Arrow",
}
"""How a file of each kind begins."""


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
        if now.size < self.size:
            raise BlockError(
                f"{where} cannot be read: the file had {self.size} bytes when it was opened, and "
                f"now has {now.size}"
            )
        if self.changed is not None and now != self:
            raise BlockError(
                f"{where} cannot be read: the file has changed since it was opened; open it again"
            )


def paths_of(source: Any) -> list[str] | None:
    """The files that a path, a pattern, a folder or a list of paths means; None for other things.

    Raises FileNotFoundError, and ValueError if a folder does not say which files are meant.
    """
    listed = source if isinstance(source, (list, tuple)) else ()
    if listed and all(isinstance(path, (str, os.PathLike)) for path in listed):
        return [os.fspath(path) for path in listed]
    if not isinstance(source, (str, os.PathLike)):
        return None
    path = os.fspath(source)
    if os.path.isdir(path):
        return _in_folder(Path(path))
    if not os.path.exists(path) and glob.has_magic(path):
        found = sorted(filter(os.path.isfile, glob.glob(path, recursive=True)), key=_natural)
        if not found:
            raise FileNotFoundError(f"no file matches {path}")
        return found
    return [path]


def _natural(name: str) -> list[str | int]:
    """A key of sorting that takes digits as numbers: part-2 comes before part-10."""
    parts = re.split(r"([0-9]+)", name)
    return [*(int(part) if k % 2 else part for k, part in enumerate(parts)), name]


def _in_folder(folder: Path) -> list[str]:
    paths = [path for path in folder.iterdir() if not path.name.startswith((".", "_"))]
    kinds = {SUFFIXES.get(path.suffix.lower(), "") for path in paths if path.is_file()} - {""}
    if len(kinds) > 1:
        raise ValueError(
            f"{folder} holds files of several kinds ({', '.join(sorted(kinds))}); say which, as in "
            f"{folder / '*.npy'}"
        )
    found = [path for path in paths if path.suffix.lower() in SUFFIXES and path.is_file()]
    if not found:
        raise ValueError(
            f"{folder} holds no .npy, Parquet or Arrow file; a dataset in folders can be opened by "
            "pyarrow.dataset.dataset, or as a pattern such as folder/**/*.parquet"
        )
    return sorted(map(str, found), key=_natural)


def kind_of(paths: Sequence[str]) -> str:
    """Whether the files are "npy", "Parquet" or "Arrow", by how they begin.

    Raises ValueError if they are none of these, or not all the same.
    """
    kinds: dict[str, str] = {}
    for path in paths:
        with open(path, "rb") as file:
            start = file.read(8)
        kind = next((kind for magic, kind in MAGIC.items() if start.startswith(magic)), None)
        if kind is None:
            raise ValueError(
                f"{path} is not a .npy, Parquet or Arrow file, whatever its name; tables of text "
                "are read by read_table"
            )
        kinds.setdefault(kind, path)
    if len(kinds) > 1:
        (one, first), (other, second) = [*kinds.items()][:2]
        raise ValueError(f"{first} is {one}, but {second} is {other}; open files of one kind")
    return next(iter(kinds))


def name_of(paths: Sequence[str]) -> str:
    """What errors call the files together."""
    return paths[0] if len(paths) == 1 else f"{paths[0]} to {paths[-1]}"
