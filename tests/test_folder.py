"""The output folder of `train`: checked before training, one run at a time, whole files always."""

import errno
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from written import FILES, contents

from autograd_lite.commands.folder import Folder, notice, runs
from autograd_lite.models import load

ROOT = Path(__file__).parent.parent
TABLE = "a,t\n1,0\n2,1\n3,0\n4,1\n"


@pytest.fixture
def train(run, tmp_path):
    """Train briefly in a folder `out`; returns the exit code, standard output and error."""
    (tmp_path / "t.csv").write_text(TABLE)
    given = ("--data", tmp_path / "t.csv", "--target", "t", "--max-iter", 2, "--tol", 0, "--quiet")

    def train(*options):
        return run("train", *given, "--out", tmp_path / "out", *options)

    return train


def test_the_commands_notice_files_of_two_runs(run, train, tmp_path):
    out = tmp_path / "out"
    data = ("--data", tmp_path / "t.csv")
    for _ in range(2):  # the same files: all are of the second run
        code, _, complaints = train()
        assert code == 0
        assert "runs" not in complaints
    (first,) = runs(out)
    assert load(out / "mlp.npz").run_id_ == first
    code, _, complaints = train("--model", "mlp")
    (second,) = runs(out).keys() - {first}
    assert code == 0
    assert complaints.endswith(f"autograd-lite: {notice(out)}\n")
    assert complaints.count("holds files of two runs: ") == 1
    assert sorted(runs(out)[first])[0].startswith("logistic-regression.")
    for name, own in (("mlp", second), ("logistic-regression", first)):
        code, _, complaints = run("predict", "--weights", out / f"{name}.npz", *data)
        assert code == 0
        assert f"holds files of two runs: {name}.npz, " in complaints
        assert complaints.index(own) == min(map(complaints.index, (first, second)))
    told = notice(out)
    code, _, complaints = train()
    assert code == 0
    assert complaints.startswith(f"autograd-lite: {told}\n")
    assert complaints.count("holds files of two runs: ") == 1
    assert notice(out) is None


# What is there already


def test_folders_are_made_and_empty_ones_removed_again(tmp_path):
    path = tmp_path / "a" / "b" / "c"
    with Folder(path):
        assert path.is_dir()
        assert contents(path) == {}
    assert contents(tmp_path) == {}

    def fail(error):
        with Folder(path):
            (tmp_path / "a" / "note").write_text("mine")
            raise error

    for error in (ValueError, KeyboardInterrupt):
        with pytest.raises(error):
            fail(error)
        assert contents(tmp_path / "a") == {"note": b"mine"}
    path.mkdir(parents=True)
    with Folder(path):
        pass
    assert path.is_dir()


@pytest.fixture
def places(tmp_path):
    """A folder with what can be in the way."""
    (tmp_path / "file").write_text("before")
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "loop").symlink_to("loop")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "used" / "mlp.svg").mkdir(parents=True)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("file", "--out must be a folder; {}/file is a file"),
        ("file/deeper/still", "--out must be a folder; {}/file is a file"),
        ("pipe", "--out must be a folder; {}/pipe is a file"),
        ("link", "--out {}/link: {}/link is a link to nowhere, which is missing"),
        ("link/a", "--out {}/link/a: {}/link is a link to nowhere, which is missing"),
        ("loop", "--out {}/loop: {}/loop is a link to loop, which is missing"),
        ("new/" + "n" * 300, "… cannot be written to: File name too long"),
        ("new/" + "/".join(["n" * 100] * 45), "… cannot be written to: File name too long"),
        ("used", "{}/used/mlp.svg is a folder; `train` writes a file of this name"),
    ],
)
def test_a_bad_folder_is_one_line(places, run, name, message):
    before = sorted(places.rglob("*"))
    code, shown, complaints = run("train", "--out", places / name)
    assert (code, shown) == (2, "")
    assert complaints.count("\n") == 1
    assert message.replace("{}", str(places)) in complaints
    assert sorted(places.rglob("*")) == before


@pytest.mark.parametrize(
    ("owner", "function"), [(os, "mkdir"), (os, "open"), (Path, "touch")], ids=str
)
@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.EACCES, "no permission to write to "),
        (errno.EROFS, "no permission to write to "),
        (errno.ENOSPC, "cannot be written to: No space left on device"),
    ],
)
def test_a_folder_that_cannot_be_written_to(
    tmp_path, monkeypatch, owner, function, number, message
):
    def refuse(path, *_, **__):
        raise OSError(number, os.strerror(number), str(path))

    with monkeypatch.context() as patch:
        patch.setattr(owner, function, refuse)
        with pytest.raises(ValueError, match=message) as failure, Folder(tmp_path / "a" / "b"):
            pass
    assert str(failure.value).startswith(f"--out {tmp_path / 'a' / 'b'}")
    assert contents(tmp_path) == {}


def test_a_link_to_a_folder_is_a_folder(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with Folder(tmp_path / "link") as folder:
        folder.write(FILES)
    assert runs(tmp_path / "real") == {folder.run: sorted(FILES)}


def test_other_content_and_permissions_stay(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    (tmp_path / ".hidden").write_text("mine")
    (tmp_path / "mlp.svg").write_text("old")
    (tmp_path / "mlp.svg").chmod(0o640)
    with Folder(tmp_path) as folder:
        folder.write(FILES)
    assert {path.name for path in tmp_path.iterdir()} == {*FILES, "mine.txt", ".hidden"}
    assert (tmp_path / "mine.txt").read_text() == (tmp_path / ".hidden").read_text() == "mine"
    assert stat.S_IMODE((tmp_path / "mlp.svg").stat().st_mode) == 0o640
    assert runs(tmp_path) == {folder.run: sorted(FILES)}


@pytest.mark.parametrize("count", [0, 1, len(FILES) - 1])
def test_a_full_disk_leaves_the_folder_as_it_was(tmp_path, monkeypatch, count):
    with Folder(tmp_path) as folder:
        folder.write(FILES)
    before, left = contents(tmp_path), [None] * count

    def full(number):
        if not left:
            raise OSError(errno.ENOSPC, "No space left on device")
        left.pop()

    monkeypatch.setattr(os, "fsync", full)
    with Folder(tmp_path) as folder, pytest.raises(OSError, match="No space") as failure:
        folder.write(FILES)
    assert failure.value.filename == str(tmp_path / list(FILES)[count])
    assert contents(tmp_path) == before


def test_a_file_that_cannot_be_replaced_is_named(tmp_path):
    with Folder(tmp_path) as folder:
        (tmp_path / "mlp.npz").mkdir()
        with pytest.raises(ValueError, match=r"mlp\.npz is a folder"):
            folder.write(FILES)
    assert {path.name for path in tmp_path.iterdir()} == {"mlp.npz"}


# Two runs at once


def test_a_second_run_is_told_at_once(train, tmp_path):
    out = tmp_path / "out"
    with Folder(out) as folder:
        code, shown, complaints = train()
        assert (code, shown) == (2, "")
        assert complaints == (
            f"autograd-lite: error: another run is writing to {out}; use another --out, or wait "
            "until it ends\n"
        )
        assert contents(out) == {}
        with Folder(tmp_path / "other"):
            folder.write(FILES)
    assert runs(out) == {folder.run: sorted(FILES)}
    assert train()[0] == 0


def test_a_refused_run_leaves_the_folder_to_the_other(tmp_path, monkeypatch):
    out = tmp_path / "out"
    with Folder(out) as folder:
        # The other run makes the folder between the two looks of this one.
        monkeypatch.setattr(os.path, "lexists", lambda path: path != out)
        with pytest.raises(ValueError, match="another run is writing to"), Folder(out):
            pass
        folder.write(FILES)
    assert runs(out) == {folder.run: sorted(FILES)}


@pytest.mark.parametrize("again", [False, True])
def test_a_folder_that_another_run_removed_is_not_written_to(tmp_path, monkeypatch, again):
    fcntl = pytest.importorskip("fcntl")
    out, lock = tmp_path / "out", fcntl.flock

    def late(held, how):
        out.rmdir()
        if again:
            out.mkdir()
        lock(held, how)

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(ValueError, match="another run is writing to"), Folder(out):
        pass
    assert out.exists() == again


HOLD = """
import sys
from autograd_lite.commands.folder import Folder
with Folder(sys.argv[1]):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_another_process_holds_the_folder_until_it_is_killed(tmp_path):
    out = tmp_path / "out"
    command = [sys.executable, "-c", HOLD, str(out)]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdout.readline() == "held\n"
        with pytest.raises(ValueError, match="another run is writing to"), Folder(out):
            pass
        assert out.is_dir()
        child.kill()
    with Folder(out) as folder:
        folder.write(FILES)
    assert runs(out) == {folder.run: sorted(FILES)}
