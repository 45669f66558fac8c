"""Atomic writing of files."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any


@contextmanager
def atomic(path: str | os.PathLike[str], mode: str = "w") -> Iterator[IO[Any]]:
    """Write a file beside `path`, and move it to `path` when the block ends without an error.

    `path` has the old content or the new one at any time, never a part of it. If the block raises,
    the old content stays and no other file is left. `mode` is "w" for text (UTF-8, line ends as
    written) or "wb" for bytes. Missing folders are not created.

    Raises ValueError for another mode, IsADirectoryError when `path` is a folder, and OSError
    as `open` does.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "numbers.txt"
        >>> with atomic(path) as file:
        ...     print(42, file=file)
        >>> path.read_text()
        '42\\n'
    """
    if mode not in ("w", "wb"):
        raise ValueError(f'atomic: mode must be "w" or "wb", not {mode!r}')
    text = {"encoding": "utf-8", "newline": ""} if mode == "w" else {}
    # Of a symbolic link the target is written; the link is not replaced.
    target = Path(path).resolve()
    if target.is_dir():
        raise IsADirectoryError(f"{path} is a folder, not a file")
    if target.exists() and not target.is_file():
        # Write to a device or a pipe; a file must not replace it.
        with open(target, mode, **text) as file:  # type: ignore[call-overload]
            yield file
        return
    if not target.parent.is_dir():
        raise FileNotFoundError(f"{path} cannot be written: there is no folder {target.parent}")
    beside = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}")
    try:
        with open(beside, mode.replace("w", "x"), **text) as file:  # type: ignore[call-overload]
            yield file
        if target.exists():
            shutil.copymode(target, beside)
        os.replace(beside, target)
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if isinstance(error, OSError) and error.filename == str(beside):
            error.filename = str(path)  # not the temporary file
        raise
