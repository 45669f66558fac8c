"""The folder that `train` writes: one run at a time, and each file carries the id of its run."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import secrets
import shutil
import sys
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from io import BytesIO
from itertools import chain, repeat
from pathlib import Path
from types import TracebackType
from zipfile import ZIP_STORED, ZipFile, ZipInfo

import numpy as np

__all__ = ["Folder", "notice", "run_of", "runs", "stamped"]

_ID = r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d-[0-9a-f]{6}"

_LINES = {
    ".svg": "<!-- run: {} -->",
    ".html": "<!-- run: {} -->",
    ".md": "<!-- run: {} -->",
    ".py": "# run: {}",
    ".dot": "// run: {}",
    ".txt": "run: {}",
}
"""The last line of a file of each kind, with the id of the run."""

_FOUND = {
    ".npz": rf"({_ID})\Z",
    ".csv": rf",({_ID})\s*\Z",
    ".json": rf'\A\s*{{\s*"run"\s*:\s*"({_ID})"',
    **{kind: rf"{line.format(f'({_ID})')}\s*\Z" for kind, line in _LINES.items()},
}
"""Where a file of each kind has the id."""

_PART = 1024
"""How many bytes of a file are read to find its id."""

# A row of CSV; a quoted cell may hold line ends.
_ROW = re.compile(rb'(?:"[^"]*"|[^"\r\n])+')


def stamped(name: str, content: bytes, run: str) -> bytes:
    """The content of the file `name` with the id of its run, from which `run_of` reads it.

    The file stays valid: the id is a comment in pictures, pages and source, the first key of JSON,
    the last column of CSV, the member `run` of npz, and the last line of text.

    Raises ValueError for a file of another kind.
    """
    kind = Path(name).suffix
    if kind not in _FOUND:
        raise ValueError(f"{name}: a file of this kind cannot carry the id of its run")
    if kind == ".npz":
        file, member = BytesIO(content), BytesIO()
        np.save(member, np.array(run))
        with ZipFile(file, "a") as archive:
            if "run.npy" not in archive.namelist():  # `save` wrote it for a model with run_id_
                archive.writestr(ZipInfo("run.npy"), member.getvalue())
        return file.getvalue()
    if kind == ".json":
        fields = {"run": run} | json.loads(content) | {"run": run}
        return (json.dumps(fields, indent=2, ensure_ascii=False) + "\n").encode()
    if kind == ".csv":
        cells = chain(["run"], repeat(run))
        return _ROW.sub(lambda row: b"%b,%b" % (row[0], next(cells).encode()), content)
    end = b"\n" if content and not content.endswith(b"\n") else b""
    return content + end + f"{_LINES[kind].format(run)}\n".encode()


def run_of(path: str | os.PathLike[str]) -> str | None:
    """The id of the run that wrote the file, or None if the file carries none."""
    path = Path(path)
    if path.suffix not in _FOUND or not os.path.isfile(path):
        return None
    try:
        found = re.search(_FOUND[path.suffix].encode(), _part(path))
    except Exception:  # a foreign archive can be broken in any way
        return None
    return found[1].decode() if found else None


def _part(path: Path) -> bytes:
    """The part of a file that holds the id."""
    if path.suffix == ".npz":
        with ZipFile(path) as archive:
            if archive.getinfo("run.npy").compress_type != ZIP_STORED:
                return b""
            with archive.open("run.npy") as member:
                return member.read(_PART).replace(b"\0", b"")  # UTF-32
    with open(path, "rb") as file:
        if path.suffix != ".json":
            file.seek(max(0, file.seek(0, os.SEEK_END) - _PART))
        return file.read(_PART)


def runs(folder: str | os.PathLike[str]) -> dict[str, list[str]]:
    """The names of the files in a folder by the id of their run, the oldest run first.

    Files without an id, and hidden ones, which a killed run left, do not count.
    """
    found: dict[str, list[str]] = {}
    with contextlib.suppress(OSError):
        for name in sorted(os.listdir(folder)):
            if not name.startswith(".") and (run := run_of(Path(folder, name))):
                found.setdefault(run, []).append(name)
    return dict(sorted(found.items()))


def notice(folder: str | os.PathLike[str], name: str | None = None) -> str | None:
    """A sentence that says so if a folder holds files of several runs, else None.

    With the name of a file, its run comes first, and the answer is None if it carries no id.
    """
    found = runs(folder)
    if name is not None:
        own = run_of(Path(folder, name))
        if own not in found:
            return None
        found = {own: [name, *(other for other in found[own] if other != name)]} | {
            run: names for run, names in found.items() if run != own
        }
    if len(found) < 2:
        return None
    count = "two" if len(found) == 2 else len(found)
    shown = Path(folder) if Path(folder).name else Path(folder).absolute()
    return (
        f"{shown} holds files of {count} runs: {_listed(found)}: the last `train` there did not "
        "finish, or wrote fewer files"
    )


def _listed(found: Mapping[str, Sequence[str]]) -> str:
    """The files of each run: up to three names, or two and the number of others."""
    return " and ".join(
        f"{', '.join(names if len(names) <= 3 else [*names[:2], f'{len(names) - 2} more'])} ({run})"
        for run, names in found.items()
    )


class Folder:
    """An output folder, made and held for one run.

    Entering the block makes the folder, with its parents, and raises ValueError in one line if it
    cannot be written to, or if another run is writing to it. Leaving it removes again the folders
    that were made and are empty. `run` is the id of the run: the time in UTC and a random number.

    `beginnings` says how the names of the files will begin, to refuse at once a folder in the
    place of one of them.

    Example:
        >>> import tempfile
        >>> path = Path(tempfile.mkdtemp()) / "results"
        >>> with Folder(path) as folder:
        ...     folder.write({"note.txt": b"done"})
        >>> run_of(path / "note.txt") == folder.run
        True
    """

    def __init__(self, path: str | os.PathLike[str], beginnings: Sequence[str] = ()) -> None:
        self.path = Path(path)
        self.run = f"{datetime.now(UTC):%Y-%m-%dT%H-%M-%S}-{secrets.token_hex(3)}"
        self._beginnings = tuple(beginnings)
        self._made: list[Path] = []
        self._held: int | None = None

    def __enter__(self) -> Folder:
        try:
            try:
                self._make()
                self._lock()
                self._check()
            except OSError as error:
                raise ValueError(self._explained(error)) from None
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()

    def kept(self, names: Collection[str]) -> str | None:
        """A sentence about the files of earlier runs that stay when these are written, or None."""
        found = {run: [n for n in own if n not in names] for run, own in runs(self.path).items()}
        found = {run: own for run, own in found.items() if own}
        return f"Files of earlier runs stay in the folder: {_listed(found)}" if found else None

    def write(self, files: Mapping[str, bytes]) -> None:
        """Write all files, each with the id of the run, under hidden names; then rename them.

        A run that is killed leaves each file whole, of this run or of the one before. If an error
        is raised before the first file is renamed, the folder is as it was.

        Raises ValueError where a folder has the name of a file, and OSError as `open` does.
        """
        staged: list[tuple[Path, Path]] = []
        target = self.path
        try:
            for name, content in files.items():
                beside, target = self._hidden(name), self.path / name
                if target.is_dir():
                    raise ValueError(_in_the_way(target))
                staged.append((beside, target))
                with open(beside, "xb") as file:
                    file.write(stamped(name, content, self.run))
                    file.flush()
                    os.fsync(file.fileno())
                if target.exists():
                    shutil.copymode(target, beside)
            for beside, target in staged:
                os.replace(beside, target)
        except OSError as error:
            error.filename, error.filename2 = str(target), None  # not the temporary file
            raise
        finally:
            for beside, _ in staged:
                beside.unlink(missing_ok=True)
        if self._held is not None and sys.platform != "win32":
            with contextlib.suppress(OSError):  # some file systems cannot
                os.fsync(self._held)

    def _hidden(self, name: str) -> Path:
        return self.path / f".{self.run}.{name}"

    def _make(self) -> None:
        missing = [path for path in (self.path, *self.path.parents) if not os.path.lexists(path)]
        for path in reversed(missing):
            path.mkdir(exist_ok=True)
            self._made.append(path)
        if not self.path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(self.path))

    def _lock(self) -> None:
        """Hold the folder until the process ends, however it ends, and remove leftovers."""
        if sys.platform == "win32":
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_TEMPORARY
            try:
                self._held = os.open(self.path / ".autograd-lite.lock", flags)
            except FileExistsError:
                self._refuse()
        else:
            import fcntl

            self._held = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            try:
                fcntl.flock(self._held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._refuse()
            except OSError:
                return  # a network file system that cannot lock a folder
            try:
                same = os.path.samestat(os.fstat(self._held), os.stat(self.path))
            except FileNotFoundError:
                same = False
            if not same:
                self._refuse()  # a run that made the folder has just removed it
        for name in os.listdir(self.path):
            if re.match(rf"\.{_ID}\.", name):
                with contextlib.suppress(OSError):
                    os.unlink(self.path / name)

    def _refuse(self) -> None:
        self._made.clear()  # they are the other run's
        raise ValueError(
            f"another run is writing to {self.path}; use another --out, or wait until it ends"
        )

    def _check(self) -> None:
        for path in self.path.iterdir():
            ours = path.name.startswith(self._beginnings) and path.suffix in _FOUND
            if ours and path.is_dir():
                raise ValueError(_in_the_way(path))
        probe = self._hidden("_" * 40)  # as long as the longest name
        probe.touch(exist_ok=False)
        probe.unlink()

    def _explained(self, error: OSError) -> str:
        """Why the folder cannot be written to, in one line."""
        places = (self.path, *self.path.absolute().parents)
        nearest = next(path for path in places if os.path.lexists(path))
        shown = str(self.path)
        if len(shown) > 100:
            shown = f"{shown[:60]}…"
        if not os.path.exists(nearest):
            return f"--out {shown}: {nearest} is a link to {os.readlink(nearest)}, which is missing"
        if not os.path.isdir(nearest):
            return f"--out must be a folder; {nearest} is a file"
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            return f"--out {shown}: no permission to write to {nearest.absolute()}"
        return f"--out {shown} cannot be written to: {error.strerror}"

    def _close(self) -> None:
        if sys.platform == "win32":
            self._release()  # the lock is a file in the folder
        for path in reversed(self._made):
            with contextlib.suppress(OSError):
                path.rmdir()
        self._release()

    def _release(self) -> None:
        if self._held is not None:
            os.close(self._held)
            self._held = None


def _in_the_way(path: Path) -> str:
    return (
        f"{path} is a folder; `train` writes a file of this name: use another --out, or remove it"
    )
