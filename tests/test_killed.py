"""A training that is killed at any moment leaves whole files, and those of two runs are noticed."""

import os
import shutil
import signal
import subprocess
import sys
from itertools import chain
from pathlib import Path

import pytest
from written import RUN, content, contents, files

from autograd_lite.commands.folder import Folder, notice, run_of, runs

ROOT = Path(__file__).parent.parent

EACH = """
import os, shutil, signal, sys
from pathlib import Path
from autograd_lite.commands import folder
from written import RUN, files

room = Path(sys.argv[1])
with folder.Folder(room / "old") as older:
    older.run = RUN
    older.write(files(0))

def killed(path, moment):
    left = [moment]

    def profile(frame, event, function):
        if event == "c_call" and frame.f_code.co_filename == folder.__file__:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)

    with folder.Folder(path) as newer:
        sys.setprofile(profile)
        newer.write(files(1))
        os._exit(0)

moment, status = 0, 1
while status:
    path = shutil.copytree(room / "old", room / str(moment))
    child = os.fork()
    if not child:
        killed(path, moment)
    status = os.waitpid(child, 0)[1]
    moment += 1
shutil.rmtree(room / "old")
"""
"""Write a second run, killed before the first, the second, … call into the system or the library,
until it is not killed."""

TRAIN = """
import os, signal, sys
from autograd_lite.cli import main

left = [int(sys.argv[1])]

def hook(event, args):
    if event == "os.rename" and os.fspath(args[1]).startswith(sys.argv[2]):
        left[0] -= 1
        if left[0] < 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(hook)
main(sys.argv[3:])
"""
"""The command, killed before it renames the file of this number in the folder."""


def python(code, *argv):
    return subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", code, *map(str, argv)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT / "tests")},
        capture_output=True,
        text=True,
    )


def new_files(folder, old, whole):
    """How many files are of the new run; all are whole, and those of two runs are noticed."""
    found = runs(folder)
    names = {path.name for path in folder.glob("[!.]*")}
    assert {*chain(*found.values())} == names == {path.name for path in whole[0].iterdir()}
    assert (notice(folder) is None) == (len(found) == 1)
    new = found.keys() - {old}
    assert len(new) <= 1
    for name in names:
        assert content(folder / name) == content(whole[run_of(folder / name) in new] / name)
    count = sum(len(found[run]) for run in new)
    # The report comes last: beside one of the new run, every file is of the new run.
    assert (run_of(folder / "report.html") in new) == (count == len(names))
    return count


def test_killed_at_any_moment_every_file_is_whole(tmp_path):
    assert python(EACH, tmp_path).stderr == ""
    folders = sorted(tmp_path.iterdir(), key=lambda path: int(path.name))
    whole = tmp_path / "first", tmp_path / "second"
    for k in (0, 1):
        with Folder(whole[k]) as folder:
            folder.write(files(k))
    counts = [new_files(folder, RUN, whole) for folder in folders]
    assert counts == sorted(counts)
    assert {*counts} == {*range(len(files(1)) + 1)}
    for folder in folders:
        with Folder(folder):  # the next run
            assert contents(folder).keys() == files(1).keys()


@pytest.mark.slow
def test_a_training_that_is_killed(run, tmp_path):
    (tmp_path / "t.csv").write_text("a,t\n1,0\n2,1\n3,0\n4,1\n")
    given = ("--data", tmp_path / "t.csv", "--target", "t", "--tol", 0, "--quiet", "--report")
    whole = tmp_path / "first", tmp_path / "second"
    for k in (0, 1):
        assert run("train", *given, "--max-iter", 2 + k, "--out", whole[k])[0] == 0
    ((old, names),) = runs(whole[0]).items()
    for moment in (0, len(names) // 2, len(names) - 1):
        out = shutil.copytree(whole[0], tmp_path / str(moment))
        command = ("train", *given, "--max-iter", 3, "--out", out)
        assert python(TRAIN, moment, out, *command).returncode == -signal.SIGKILL
        assert new_files(out, old, whole) == moment
    told = notice(out)
    code, _, complaints = run(*command)
    assert code == 0
    assert f"autograd-lite: {told}\n" in complaints
    assert complaints.count("holds files of two runs") == 1
    assert contents(out).keys() == contents(whole[1]).keys()
    assert len(runs(out)) == 1


def test_the_next_run_removes_what_a_killed_one_left(tmp_path):
    (tmp_path / f".{RUN}.mlp.npz").write_text("half")
    (tmp_path / f".{RUN}").write_text("mine")
    (tmp_path / f"{RUN}.mlp.npz").write_text("mine")
    with Folder(tmp_path):
        pass
    assert contents(tmp_path) == {f".{RUN}": b"mine", f"{RUN}.mlp.npz": b"mine"}
