"""Type checkers accept programs that use the engine, and know its public names."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROGRAM = ROOT / "tests" / "typed" / "program.py"


def checked(*command):
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=ROOT, capture_output=True, text=True
    )


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """What mypy found in the package, which each test would find again."""
    return str(tmp_path_factory.mktemp("mypy"))


def test_the_program_runs():
    pytest.importorskip("sympy")
    found = subprocess.run([sys.executable, PROGRAM], cwd=ROOT, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


@pytest.mark.slow
@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")
def test_mypy_finds_no_error_in_a_program(cache):
    found = checked("mypy", "--cache-dir", cache, str(PROGRAM))
    assert found.returncode == 0, found.stdout


@pytest.mark.slow
@pytest.mark.skipif(find_spec("mypy") is None, reason="mypy is not installed")
def test_mypy_finds_the_errors_that_are_there(tmp_path, cache):
    wrong = tmp_path / "wrong.py"
    wrong.write_text(
        PROGRAM.read_text(encoding="utf-8")
        + '\nag.grad(cross_entropy)("w", A, y)'
        + "\nnumber: int = ag.maximum(0.0, h)"
        + "\nnp.sum(w).no_such_method()\n",
        encoding="utf-8",
    )
    found = checked("mypy", "--cache-dir", cache, "--config-file", "pyproject.toml", str(wrong))
    kinds = re.findall(r"error: .*\[([a-z-]+)\]", found.stdout)
    assert kinds == ["arg-type", "assignment", "attr-defined"], found.stdout


@pytest.mark.slow
@pytest.mark.skipif(find_spec("basedpyright") is None, reason="basedpyright is not installed")
def test_pyright_finds_no_error_in_a_program():
    found = checked(
        "basedpyright", "--level", "error", "--pythonpath", sys.executable, str(PROGRAM)
    )
    assert found.returncode == 0, found.stdout
