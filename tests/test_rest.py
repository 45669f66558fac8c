"""CI runs the tests in two environments; what the first could run is left out of the second."""

import os
import subprocess
import sys
from pathlib import Path

CI = Path(__file__).parent.parent / ".ci"
TESTS = """
import os
import pytest

both = os.environ["ENVIRONMENT"] == "both"

def test_always():
    assert os.environ["ENVIRONMENT"] != "both", "run twice"

@pytest.mark.parametrize("name", ["a", "b"])
def test_where_there_is_more(name):
    if not both and name == "b":
        pytest.skip("no b")

@pytest.mark.skipif(not both, reason="no c")
def test_c():
    pass

def test_never():
    pytest.skip("no d")

if both:
    def test_new():
        pass
"""
MODULE = """
import os
import pytest

if os.environ["ENVIRONMENT"] != "both":
    pytest.skip("no e", allow_module_level=True)

def test_e():
    pass
"""


def test_each_test_runs_once_where_it_can(tmp_path):
    (tmp_path / "test_some.py").write_text(TESTS)
    (tmp_path / "test_module.py").write_text(MODULE)
    environment = {"PYTHONPATH": str(CI), "PYTEST_PLUGINS": "rest", "RAN": str(tmp_path / "ran")}
    found = []
    for name in ("one", "both"):
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider"],
            capture_output=True,
            cwd=tmp_path,
            env=os.environ | environment | {"ENVIRONMENT": name},
            text=True,
            check=True,
        )
        words = [line.split() for line in ran.stdout.splitlines()]
        found.append({line[1] for line in words if line[:1] == ["PASSED"]})
        assert "no d" in ran.stdout
        assert ("2 deselected" in ran.stdout) == (name == "both")
    assert found == [
        {"test_some.py::test_always", "test_some.py::test_where_there_is_more[a]"},
        {
            *("test_some.py::test_where_there_is_more[b]", "test_some.py::test_c"),
            *("test_some.py::test_new", "test_module.py::test_e"),
        },
    ]
