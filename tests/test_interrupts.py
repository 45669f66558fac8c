"""Ctrl-C while Python imports the command ends it in one line; elsewhere nothing has changed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LINE = "autograd-lite: interrupted\n"

SCRIPT = """
import sys
from autograd_lite.cli import main
if __name__ == "__main__":
    sys.argv[0] = sys.argv[0].removesuffix(".exe")
    sys.exit(main())
"""
"""What pip writes for the command."""

PRESSED = """
import os, signal, sys

signal.signal(signal.SIGINT, signal.default_int_handler)  # CI may run in the background

def hook(name, args):
    if name == "import":
        if args[0] == "autograd_lite.ops":  # the first after autograd_lite.interrupts
            seen.append(0)
        elif seen:
            seen[0] += 1
            if str(seen[0]) == os.environ.get("MOMENT"):
                signal.raise_signal(signal.SIGINT)

seen = []
sys.addaudithook(hook)
"""
"""Press Ctrl-C as Python imports the module of this number after those of Ctrl-C itself."""

REACHED = """
import signal, sys

signal.signal(signal.SIGINT, signal.default_int_handler)

def hook(name, args):
    if name == "import" and args[0] == "numpy" and not seen:
        seen.append(1)
        print("reached", flush=True)

seen = []
sys.addaudithook(hook)
"""


@pytest.fixture(params=["script", "module"])
def command(request, tmp_path):
    """Start the command line in a Python that runs some code first."""
    script = tmp_path / "autograd-lite"
    script.write_text(SCRIPT)
    program = {"script": [str(script)], "module": ["-m", "autograd_lite"]}[request.param]

    def start(first, *arguments, **environment):
        (tmp_path / "sitecustomize.py").write_text(first)
        paths = os.pathsep.join([str(tmp_path), str(ROOT)])
        return subprocess.Popen(
            [sys.executable, *program, *arguments],
            **dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE),
            cwd=tmp_path,
            env=os.environ | {"PYTHONPATH": paths} | environment,
            text=True,
        )

    return start


@pytest.mark.parametrize("moment", [1, 60, 120, 180, 240])
def test_while_a_module_is_imported(command, moment):
    child = command(PRESSED, "walkthrough", MOMENT=str(moment))
    assert child.communicate() == ("", LINE)
    assert child.returncode == 130


def test_where_it_is_ignored(command):
    """As the shell does for `autograd-lite … &` in a script."""
    ignored = PRESSED.replace("default_int_handler", "SIG_IGN")
    child = command(ignored, "--version", MOMENT="30")
    assert child.communicate() == ("autograd_lite 0.1.0\n", "")
    assert child.returncode == 0


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send Ctrl-C to one process")
def test_at_any_moment(command, tmp_path):
    """Training waits for its table meanwhile."""
    for delay in range(0, 900, 100):
        child = command(REACHED, "train", "--data", "-", "--target", "y")
        assert child.stdout.readline() == "reached\n"
        time.sleep(delay / 1000)
        child.send_signal(signal.SIGINT)
        child.wait()
        assert child.communicate() == ("", LINE)
        assert child.returncode == 130
        assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("program", [["-c", "import its"], ["its.py"], ["-m", "its"]])
def test_a_program_that_imports_the_package_keeps_its_own_ctrl_c(tmp_path, program):
    (tmp_path / "its").mkdir()
    code = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
import autograd_lite
assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
print("as before")
"""
    for file in ("its.py", "its/__init__.py", "its/__main__.py"):
        (tmp_path / file).write_text(code)
    found = subprocess.run(
        [sys.executable, *program, "autograd_lite"],
        capture_output=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)])},
        text=True,
        check=True,
    )
    assert "as before" in found.stdout
