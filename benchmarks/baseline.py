"""Another revision of the engine beside this one, in the same rounds and by the same steps."""

from __future__ import annotations

import io
import shutil
import subprocess
import tarfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.rounds import Goal, interleave, ratio
from benchmarks.steps import PEERS, Shape
from benchmarks.worker import ROOT, WorkerError

COMPARED = ("autograd_lite", "compiled")
ALLOWED = 1.03  # times the other revision's time


@contextmanager
def checkout(revision: str) -> Iterator[Path]:
    """A folder with the package of a revision and these benchmarks, for workers to start in.

    Raises: WorkerError when git does not know the revision, with what it says.
    """
    command = ["git", "archive", revision, "autograd_lite", "models", "viz"]
    archive = subprocess.run(command, cwd=ROOT, capture_output=True)
    if archive.returncode:
        message = archive.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise WorkerError(f"--baseline {revision}: {message}")
    with TemporaryDirectory() as folder:
        with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
            files.extractall(folder, filter="data")
        shutil.copytree(ROOT / "benchmarks", Path(folder, "benchmarks"))
        yield Path(folder)


def measure(
    shape: Shape, revision: str, folder: Path, dtype: str = "float64", **options: Any
) -> dict[str, list[float]]:
    """Seconds of a step, eager and compiled, of this revision and of the one in the folder."""
    names = [(peer, f"{peer}, {revision}") for peer in COMPARED]
    targets = {name: (PEERS[pair[0]], *shape, dtype) for pair in names for name in pair}
    homes = {then: folder for _, then in names}
    return interleave(targets, homes=homes, dtype=dtype, essential=tuple(targets), **options)


def goals(revision: str, seconds: Mapping[str, Sequence[float]]) -> list[Goal]:
    return [
        Goal(f"{peer} ÷ {then}", ratio(seconds[peer], seconds[then]), ALLOWED)
        for peer, then in ((peer, f"{peer}, {revision}") for peer in COMPARED)
    ]
