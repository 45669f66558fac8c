"""`train --resume`: a run that was stopped goes on as if it had not, or says why it cannot."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from written import content, contents

from autograd_lite.models import checkpoint as module
from autograd_lite.models.monitor import Monitor

ROOT = Path(__file__).parent.parent
RANDOM = np.random.default_rng(3)
ROWS = [
    f"{a:.3f},{b:.3f},{'yes' if a + c > 2.5 else 'no'}"
    for a, b, c in RANDOM.uniform(0, 5, (60, 3)) * [1, 1, 0.2]
]
QUICK = "--quiet", "--target", "passed", "--tol", 0, "--max-iter", 12


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "students.csv"
    path.write_text("\n".join(["studied,slept,passed", *ROWS, ""]))
    return path


@pytest.fixture
def press(monkeypatch):
    """Press Ctrl-C after so many steps or epochs of all models together."""
    record = Monitor._record

    def press(step):
        taken = []

        def interrupted(self, *args):
            record(self, *args)
            taken.append(1)
            if len(taken) == step:
                raise KeyboardInterrupt

        monkeypatch.setattr(Monitor, "_record", interrupted)

    return press


def stopped(run, press, step, *argv):
    """Where `train` was stopped, and what it said."""
    press(step)
    code, _, said = run("train", *argv)
    press(0)
    assert code == 130
    return said


@pytest.mark.parametrize("step", [7, 14])
@pytest.mark.parametrize(
    "options",
    [
        ("--solver", "gd"),
        ("--solver", "sgd", "--batch-size", 10),
        ("--solver", "adam", "--early-stopping", "--batch-size", 10),
        ("--solver", "lbfgs", "--early-stopping"),
        ("--solver", "newton-cg"),
        ("--cv", 2, "--report", "--hidden", "3,2", "--columns", "slept,studied"),
    ],
    ids=lambda options: options[1],
)
def test_the_files_are_those_of_a_run_that_did_not_stop(run, press, tmp_path, table, options, step):
    pytest.importorskip("matplotlib")
    out, whole = tmp_path / "out", tmp_path / "whole"
    said = stopped(run, press, step, "--data", table, "--out", out, *QUICK, *options)
    assert f"to go on: autograd-lite train --resume {out}\n" in said
    assert (out / "checkpoint.npz").exists()
    code, shown, _ = run("train", "--resume", out, "--quiet")
    assert code == 0
    code, expected, _ = run("train", "--data", table, "--out", whole, *QUICK, *options)
    assert code == 0
    assert shown.replace(str(out), str(whole)) == expected
    assert_same(out, whole)


def assert_same(out, whole):
    """The files are the same, but for the id of the run."""
    names = {path.name for path in out.iterdir()}
    assert names == {path.name for path in whole.iterdir()}
    for name in names - {"checkpoint.npz"}:  # which holds where the table was
        assert content(out / name) == content(whole / name), name


def test_more_steps_of_a_training_that_did_not_converge(run, tmp_path, table):
    out, whole = tmp_path / "out", tmp_path / "whole"
    given = ("--data", table, "--solver", "adam", "--batch-size", 20)
    given = *given, "--out", out, *QUICK, "--tol", 1e-9
    _, _, said = run("train", *given)
    assert f"to take more steps: autograd-lite train --resume {out} --max-iter N" in said
    assert run("train", "--resume", out, "--max-iter", 30, "--quiet")[0] == 0
    assert run("train", *given, "--max-iter", 30, "--out", whole)[0] == 0
    assert_same(out, whole)
    code, _, said = run("train", "--resume", out, "--max-iter", 10, "--quiet")
    assert code == 2
    assert "max_iter must be at least 29, the steps that were taken before, not 10" in said


def test_nothing_stays_of_a_training_that_converged(run, press, tmp_path, table):
    given = ("--data", table, "--out", tmp_path / "out", "--quiet", "--target", "passed")
    given = *given, "--model", "logistic-regression"
    stopped(run, press, 3, *given)
    assert run("train", *given)[0] == 0
    assert not (tmp_path / "out" / "checkpoint.npz").exists()
    code, shown, said = run("train", "--resume", tmp_path / "out")
    assert (code, shown) == (2, "")
    assert re.fullmatch(
        r"autograd-lite: error: --resume: there is no .*checkpoint.npz: nothing was trained there, "
        r"or all of it converged\n",
        said,
    )


# What does not go on.


@pytest.mark.parametrize(
    "option",
    [("--solver", "gd"), ("--random-state", 0), ("--test-size", 0.25), ("--no-standardize",)],
    ids=lambda option: option[0],
)
def test_settings_cannot_change(run, press, tmp_path, table, option):
    stopped(run, press, 5, "--data", table, "--out", tmp_path / "out", *QUICK)
    before = contents(tmp_path / "out")
    code, shown, said = run("train", "--resume", tmp_path / "out", *option)
    assert (code, shown) == (2, "")
    assert said.startswith(f"autograd-lite: error: {option[0]}: --resume goes on with the settings")
    assert len(said.splitlines()) == 1
    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize("change", ["value", "row less", "column", "gone"])
def test_other_data_are_refused(run, press, tmp_path, table, change):
    stopped(run, press, 5, "--data", table, "--out", tmp_path / "out", *QUICK)
    before = contents(tmp_path / "out")
    lines = table.read_text().splitlines()
    if change == "value":
        lines[7] = lines[7].replace(lines[7].split(",")[0], "1.25")
    elif change == "row less":
        del lines[9]
    elif change == "column":
        lines = [f"{line},{k % 7}" for k, line in enumerate(lines)]
    table.write_text("\n".join(lines))
    if change == "gone":
        table.unlink()
    code, _, said = run("train", "--resume", tmp_path / "out", "--quiet")
    assert code == 2
    expected = (
        "No such file" if change == "gone" else "is not what it was: its rows or columns differ"
    )
    assert expected in said
    assert len(said.splitlines()) == 1
    assert contents(tmp_path / "out") == before


def test_the_table_may_move(run, press, tmp_path, table, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = ("--out", "out", *QUICK)
    stopped(run, press, 5, "--data", table.name, *given)
    moved = table.rename(tmp_path / "moved.csv")
    assert run("train", "--resume", "out", "--data", moved, "--quiet")[0] == 0
    assert run("train", "--data", moved, *given, "--out", "whole")[0] == 0
    assert_same(tmp_path / "out", tmp_path / "whole")


@given(st.data())
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_damaged_checkpoint_is_one_error(run, press, tmp_path, table, data):
    out = tmp_path / "out"
    path = out / "checkpoint.npz"
    if not out.exists():
        stopped(run, press, 15, "--data", table, "--out", out, *QUICK)
        (tmp_path / "kept").write_bytes(path.read_bytes())
    content = bytearray((tmp_path / "kept").read_bytes())
    if data.draw(st.booleans()):
        content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))
    else:
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    path.write_bytes(content)
    code, _, said = run("train", "--resume", out, "--quiet")
    if code == 0:  # bytes that no reader reads
        path.write_bytes(content)
        return
    assert code == 2
    assert said.startswith(f"autograd-lite: error: {path} is not a checkpoint of `train`: ")
    assert len(said.splitlines()) == 1
    assert path.read_bytes() == content


def test_a_table_from_standard_input_is_given_once_more(run, press, tmp_path, table, monkeypatch):
    for resumed in (False, True):
        monkeypatch.setattr(sys, "stdin", open(table, encoding="utf-8"))  # noqa: SIM115
        if not resumed:
            stopped(run, press, 5, "--data", "-", "--out", tmp_path, *QUICK)
            code, _, said = run("train", "--resume", tmp_path)
            assert code == 2
            assert "came from standard input; give it once more, with --data" in said
        else:
            assert run("train", "--resume", tmp_path, "--data", "-", "--quiet")[0] == 0
        sys.stdin.close()


# While it runs.


def test_the_file_is_written_now_and_then(run, tmp_path, table, monkeypatch):
    """A run that is killed between two steps goes on from the last of them that was written."""
    monkeypatch.setattr(module, "_EVERY", 0.0)
    monkeypatch.setattr(module, "_SHARE", 0)
    out, seen, record = tmp_path / "out", {}, Monitor._record

    def recorded(self, *args):
        record(self, *args)
        seen[len(seen)] = (out / "checkpoint.npz").read_bytes()

    monkeypatch.setattr(Monitor, "_record", recorded)
    assert run("train", "--data", table, "--out", out, *QUICK)[0] == 0
    monkeypatch.undo()
    assert len(set(seen.values())) == len(seen) == 24
    for step in (0, 5, 11, 12, 23):
        killed = tmp_path / str(step)
        killed.mkdir()
        (killed / "checkpoint.npz").write_bytes(seen[step])
        assert run("train", "--resume", killed, "--quiet")[0] == 0
        assert_same(killed, out)


def test_a_full_disk_does_not_end_the_training(run, tmp_path, table, monkeypatch):
    monkeypatch.setattr(module, "_EVERY", 0.0)
    write = "autograd_lite.commands.folder.Folder.write"

    def full(self, files):
        if [*files] == ["checkpoint.npz"]:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(write, full)
    code, shown, said = run("train", "--data", table, "--out", tmp_path, *QUICK)
    assert code == 0
    assert "written to" in shown
    assert "checkpoint.npz is not written: No space left on device" in said


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send Ctrl-C to one process")
def test_ctrl_c_at_any_moment(run, tmp_path):
    given = ("--model", "mlp", "--solver", "gd", "--max-iter", 6000, "--backend", "numpy")
    given = *given, "--tol", 0, "--out"
    command = [sys.executable, "-m", "autograd_lite", "train", *map(str, given), tmp_path / "out"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, cwd=ROOT, text=True) as child:
        seen = ""
        while seen.count("loss") < 3:
            seen += child.stderr.read(1)
        child.send_signal(signal.SIGINT)
        seen += child.stderr.read()
    assert child.returncode == 130, seen
    steps = int(re.search(r"interrupted after (\d+) steps", seen)[1])
    assert 0 < steps < 6000
    assert run("train", "--resume", tmp_path / "out", "--quiet")[0] == 0
    assert run("train", *given, tmp_path / "whole", "--quiet")[0] == 0
    assert_same(tmp_path / "out", tmp_path / "whole")
