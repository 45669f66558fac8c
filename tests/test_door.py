"""Importing: what is found as a part of the package, and what is left as it was."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parent.parent
LIBRARIES = Path(np.__file__).parents[1]

FOUND = """
import sys
from importlib.util import find_spec
import autograd_lite
for name in ("autograd_lite", *(f"autograd_lite.{name}" for name in sys.argv[1:])):
    spec = find_spec(name)
    print(spec and spec.origin)
print(any(finder.__module__.startswith("autograd_lite") for finder in sys.meta_path
          if isinstance(finder, type)))
"""


def python(code, *arguments, path):
    """What a fresh Python prints, which sees these folders and no editable install."""
    variables = {key: text for key, text in os.environ.items() if not key.startswith("MALLOC_")}
    path = os.pathsep.join(map(str, [*path, LIBRARIES]))
    command = [sys.executable, "-P", "-S", "-c", code, *arguments]
    run = subprocess.run(
        command, env={**variables, "PYTHONPATH": path}, capture_output=True, text=True, check=True
    )
    return run.stdout.splitlines()


def lay(source, folder):
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("__pycache__"))
    return folder


def package(folder):
    """A user's own package."""
    folder.mkdir(parents=True)
    (folder / "__init__.py").touch()


@pytest.fixture
def checkout(tmp_path):
    for part in ("autograd_lite", "models", "viz"):
        lay(ROOT / part, tmp_path / "checkout" / part)
    shutil.copy(ROOT / "pyproject.toml", tmp_path / "checkout")
    return tmp_path / "checkout"


@pytest.fixture
def project(tmp_path):
    """A user's project, with folders of names that are also ours."""
    home = tmp_path / "project"
    for name in ("models", "viz", "tests", "utilities"):
        package(home / name)
    (home / "pyproject.toml").write_text(
        '[project]\nname = "project"\nversion = "1"\ndependencies = ["autograd_lite"]\n'
    )
    return home


def test_a_checkout_finds_its_two_folders_beside_the_package_and_no_other(checkout):
    for name in ("tests", "docs", "utilities"):
        package(checkout / name)
    names = ("models", "viz", "models.mlp", "tests", "docs", "utilities", "autograd_lite", "ops")
    own, models, viz, mlp, *others, ops, finds = python(FOUND, *names, path=[checkout])
    assert own == str(checkout / "autograd_lite" / "__init__.py")
    assert models == str(checkout / "models" / "__init__.py")
    assert viz == str(checkout / "viz" / "__init__.py")
    assert mlp == str(checkout / "models" / "mlp.py")
    assert others == ["None"] * 4
    assert ops == str(checkout / "autograd_lite" / "ops" / "__init__.py")
    assert finds == "True"


def test_this_checkout_goes_before_another_one(checkout):
    code = f"import sys; sys.path.append({str(ROOT)!r})\n{FOUND}"
    assert python(code, "models", path=[checkout])[1] == str(checkout / "models" / "__init__.py")


@pytest.mark.parametrize("place", [".", "vendor"])
def test_a_copy_of_the_package_in_a_project_does_not_take_its_folders(project, place):
    for name in ("models", "viz"):
        if place != ".":
            package(project / place / name)
    if place != ".":
        shutil.copy(project / "pyproject.toml", project / place)
    lay(ROOT / "autograd_lite", project / place / "autograd_lite")
    found = python(FOUND, "models", "viz", "tests", "utilities", path=[project / place])
    assert found[1:5] == ["None"] * 4


@pytest.mark.parametrize("place", [".", "lib"])
def test_an_installed_package_has_them_inside(project, place):
    """As a wheel lays it, also where `pip install --target` puts it into a project."""
    home = lay(ROOT / "autograd_lite", project / place / "autograd_lite")
    for name in ("models", "viz"):
        lay(ROOT / name, home / name)
    found = python(FOUND, "models", "viz", "tests", "utilities", path=[project / place])
    assert found[1:3] == [str(home / name / "__init__.py") for name in ("models", "viz")]
    assert found[3:] == ["None", "None", "False"]


# Memory

SIZES = """
import re
import numpy
import autograd_lite
status = open("/proc/self/status").read()
peak, now = (int(re.search(rf"{name}:\\s+(\\d+)", status)[1]) for name in ("VmPeak", "VmSize"))
print(peak - now)
"""

FAULTS = """
import resource, warnings
import numpy as np
from autograd_lite.models import MLPClassifier

warnings.simplefilter("ignore")
X = np.random.default_rng(0).normal(size=(2000, 30))
y = X[:, 0] > 0

def faults(steps):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    MLPClassifier(max_iter=steps).fit(X, y)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

print([faults(5) for _ in range(3)][-1])
"""


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="it is read on Linux")
def test_importing_allocates_no_block_to_move_the_thresholds_of_the_host():
    [kibibytes] = python(SIZES, path=[ROOT])
    assert int(kibibytes) < 16 << 10


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="what glibc does with freed memory")
def test_fit_does_not_fault_its_memory_in_anew():
    [faults] = python(FAULTS, path=[ROOT])
    assert int(faults) < 200  # 800 otherwise
