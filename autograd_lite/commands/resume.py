"""`train --resume`: what a run of `train` writes down so that another one goes on from there."""

from __future__ import annotations

import hashlib
import json
import shlex
from argparse import Namespace
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from autograd_lite.commands.folder import Folder
from autograd_lite.commands.output import message
from autograd_lite.commands.training import Encoded
from autograd_lite.models.checkpoint import Checkpoint
from autograd_lite.models.npz import Npz

__all__ = ["CHECKPOINT", "Kept", "resumed"]

CHECKPOINT = "checkpoint.npz"

_FREE = ("--data", "--max-iter", "--cv", "--report", "--json", "--quiet")
"""The options that may be given beside --resume: those that do not change the losses."""

_OF_A_RUN = {"run", "given", "resume", "out", "json", "quiet"}
"""What is not among the settings of a training."""

_MOST = 1 << 24  # bytes of the options as text, with the names of columns


class Earlier(NamedTuple):
    """The rows of a run, as `_digest` tells them, and the arrays of each model's checkpoint."""

    rows: str
    points: dict[str, dict[str, Any]]


def resumed(args: Namespace) -> tuple[Namespace, Earlier | None]:
    """With --resume, the options of the run to go on with, and where it was.

    Without it, the options as they are. Raises ValueError for other options beside --resume, and
    if the folder has no checkpoint or a damaged one.
    """
    if args.resume is None:
        return args, None
    for option in args.given:
        if option not in ("--resume", *_FREE):
            raise ValueError(
                f"{option}: --resume goes on with the settings of the run in {args.resume}; beside "
                f"it there may be {', '.join(_FREE)}"
            )
    options, earlier = _read(args.resume / CHECKPOINT, vars(args).keys() - _OF_A_RUN)
    free = {option[2:].replace("-", "_") for option in args.given if option in _FREE}
    options |= {name: value for name, value in vars(args).items() if name in free}
    if options["data"] == "-" and "data" not in free:
        raise ValueError(
            f"the table of the run in {args.resume} came from standard input; give it once more, "
            "with --data"
        )
    return Namespace(**vars(args) | options | {"out": args.resume}), earlier


def _read(path: Path, names: set[str]) -> tuple[dict[str, Any], Earlier]:
    """The options of a run, and where it was."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise ValueError(
            f"--resume: there is no {path}: nothing was trained there, or all of it converged"
        ) from None
    with file:
        try:
            npz = Npz(file)
            about = json.loads(npz.text("options", _MOST))
            options = about["options"]
            if options.keys() != names:
                raise ValueError("its options are those of another version")
            points = {name: Checkpoint.read(npz, f"{name}.") for name in about["models"]}
            return options, Earlier(about["rows"], points)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
            raise ValueError(f"{path} is not a checkpoint of `train`: {error}") from None


class Kept:
    """The checkpoints of the models of a run, in its folder.

    While a model is trained, the file is written anew about every ten seconds. Raises ValueError if
    the run that it goes on with, `earlier`, had other rows.
    """

    def __init__(
        self, folder: Folder, args: Namespace, rows: Encoded, earlier: Earlier | None
    ) -> None:
        self._folder, self._rows = folder, _digest(rows)
        self._points = earlier.points if earlier else {}
        self._checkpoints: dict[str, Checkpoint] = {}
        options = {key: value for key, value in vars(args).items() if key not in _OF_A_RUN}
        if args.data not in (None, "-"):
            options["data"] = str(Path(args.data).resolve())
        self._options = options
        if earlier and earlier.rows != self._rows:
            raise ValueError(
                f"{args.data or 'the table'} is not what it was: its rows or columns differ from "
                f"those that the run in {args.out} was trained on; train anew, without --resume"
            )

    def of(self, name: str) -> Checkpoint:
        """The checkpoint of a model, which goes on from where the earlier run was."""
        path = str(self._folder.path / CHECKPOINT)
        self._checkpoints[name] = Checkpoint(path, self._save, self._points.get(name))
        return self._checkpoints[name]

    def write(self, files: Mapping[str, bytes], interrupted: bool) -> dict[str, bytes]:
        """Write files, and the checkpoint if there is something to go on with; all that is written.

        There is after Ctrl-C, and if a model did not converge in its steps; then say how to go on.
        Otherwise remove the checkpoint.
        """
        path = self._folder.path
        more = any(point.wants_more for point in self._checkpoints.values())
        files = dict(files) | ({CHECKPOINT: self._content()} if more or interrupted else {})
        self._folder.write(files)
        again = f"autograd-lite train --resume {shlex.quote(str(path))}"
        if interrupted:
            message(f"interrupted; what was trained so far is written to {path}; to go on: {again}")
        elif more:
            message(f"to take more steps: {again} --max-iter N")
        else:
            (path / CHECKPOINT).unlink(missing_ok=True)
        return files

    def _save(self, _: Checkpoint) -> None:
        try:
            self._folder.write({CHECKPOINT: self._content()})
        except OSError as error:
            message(f"{self._folder.path / CHECKPOINT} is not written: {error.strerror}")

    def _content(self) -> bytes:
        points = self._points | {name: of.arrays for name, of in self._checkpoints.items()}
        points = {name: arrays for name, arrays in points.items() if arrays}
        about = {"options": self._options, "rows": self._rows, "models": [*points]}
        file = BytesIO()
        arrays = {f"{name}.{key}": points[name][key] for name in points for key in points[name]}
        np.savez(file, options=np.array(json.dumps(about)), **arrays)
        return file.getvalue()


def _digest(rows: Encoded) -> str:
    """What tells the rows of a table from others."""
    found = hashlib.blake2b(rows.encoder.to_json().encode())
    for part in rows[1:5]:
        for block in [part] if isinstance(part, np.ndarray) else part:
            numbers = block.dtype.kind in "biuf"
            found.update(f"{block.shape} {block.dtype}".encode())
            found.update(np.ascontiguousarray(block).data if numbers else repr([*block]).encode())
    return found.hexdigest()
