"""Machine code on disk: a process finds what another compiled, whatever happens to the folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest

pytest.importorskip("numba")
pytest.importorskip("scipy")

# Prints the loss, and how often Numba compiled and found each function.
SCRIPT = """
import json, sys, warnings

warnings.simplefilter("error")
import numpy as np
import autograd_lite as ag
from numba.core.dispatcher import Dispatcher
from numba.core.registry import CPUDispatcher


def loss(params, x):
    return np.sum((x * params["w"] + params["b"]) ** 2)


step = ag.compile(ag.value_and_grad(loss), backend="numba")
value, gradients = step({"w": np.full(3, 0.5), "b": np.ones(3)}, np.ones(3))
stats = [
    x.stats
    for name, module in sys.modules.items() if name.startswith("autograd_lite_")
    for x in vars(module).values() if isinstance(x, CPUDispatcher) and x.stats.cache_path
]
print(json.dumps({
    "value": [float(value).hex(), gradients["w"].tolist()],
    "backend": step.backend,
    "found": sum(sum(x.cache_hits.values()) for x in stats),
    "compiled": sum(sum(x.cache_misses.values()) for x in stats),
}))
"""


class Cache:
    """A folder for machine code, and processes that use it."""

    def __init__(self, folder):
        self.folder = folder

    def start(self, script=SCRIPT, **environment):
        """A process that runs the script."""
        return subprocess.Popen(
            [sys.executable, "-c", script],
            env={**os.environ, "AUTOGRAD_LITE_CACHE": str(self.folder), **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, script=SCRIPT, **environment):
        """What a process prints that runs the script."""
        return ended(self.start(script, **environment))

    def files(self, pattern="*"):
        """The files in the folder with this pattern."""
        return sorted(x for x in self.folder.rglob(pattern) if x.is_file())


def ended(process):
    out, error = process.communicate()
    assert process.returncode == 0, error
    assert error == ""
    return json.loads(out)


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A folder with the machine code of the script, and what the script printed."""
    cache = Cache(tmp_path_factory.mktemp("cache") / "new" / "folder")
    return cache, cache.run()


@pytest.fixture
def copied(filled, tmp_path):
    """A copy of that folder."""
    shutil.copytree(filled[0].folder, tmp_path / "copy")
    return Cache(tmp_path / "copy"), filled[1]


def test_the_next_process_compiles_nothing(filled):
    cache, first = filled
    assert first["backend"] == "numba"
    assert (first["found"], first["compiled"] > 0) == (0, True)
    before = {x: x.read_bytes() for x in cache.files()}
    second = cache.run()
    assert second == {**first, "found": first["compiled"], "compiled": 0}
    assert {x: x.read_bytes() for x in cache.files()} == before


def test_two_processes_at_once(filled, tmp_path):
    cache = Cache(tmp_path)
    processes = [cache.start() for _ in range(2)]
    for process in processes:
        assert ended(process)["value"] == filled[1]["value"]
    assert cache.run()["compiled"] == 0


DAMAGES = {
    "empty": lambda whole: b"",
    "half": lambda whole: whole[: len(whole) // 2],
    "other bytes": lambda whole: b"\x93()" * 40,
}


@pytest.mark.parametrize("pattern", ["*.nbi", "*.nbc", "*.py"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_files(copied, pattern, damage):
    cache, first = copied
    files = cache.files(pattern)
    assert files
    for file in files:
        file.write_bytes(DAMAGES[damage](file.read_bytes()))
    found = cache.run()
    assert (found["value"], found["backend"]) == (first["value"], "numba")
    assert cache.run() == {**first, "found": first["compiled"], "compiled": 0}


def test_a_folder_that_cannot_be_written(filled, tmp_path):
    file = tmp_path / "file"
    file.write_text("not a folder")
    found = Cache(file / "cache").run()
    assert (found["value"], found["backend"]) == (filled[1]["value"], "numba")
    assert file.read_text() == "not a folder"


@pytest.mark.skipif(os.name == "nt" or not os.getuid(), reason="root may write anywhere")
def test_a_read_only_folder(copied):
    cache, first = copied
    cache.folder.chmod(0o500)
    try:
        assert cache.run()["value"] == first["value"]
    finally:
        cache.folder.chmod(0o700)


def test_without_the_variable_it_is_a_folder_of_the_user(filled, tmp_path):
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": "", "LOCALAPPDATA": str(tmp_path)}
    cache = Cache(tmp_path)
    found = cache.run(AUTOGRAD_LITE_CACHE="", **home)
    assert found["value"] == filled[1]["value"]
    (file,) = cache.files("autograd_lite_*.py")
    assert file.parent.name == "autograd_lite"
    if os.name != "nt":
        assert file.parent.stat().st_mode & 0o077 == 0
    assert cache.run(AUTOGRAD_LITE_CACHE="", **home)["compiled"] == 0


SAVED = """
import json, sys
import numpy as np
from numba.core.registry import CPUDispatcher

sys.path.insert(0, sys.argv[1])
import saved

value, gradients = saved.value_and_grad_loss(
    {"w": np.full(3, 0.5), "b": np.ones(3)}, np.ones(3)
)
stats = [
    x.stats for x in vars(saved).values() if isinstance(x, CPUDispatcher) and x.stats.cache_path
]
print(json.dumps({
    "value": [float(value).hex(), gradients["w"].tolist()],
    "package": "autograd_lite" in sys.modules,
    "compiled": sum(sum(x.cache_misses.values()) for x in stats),
}))
"""


def test_a_saved_module_keeps_its_machine_code_beside_it(filled, tmp_path):
    save = f'{SCRIPT}\nstep.save({str(tmp_path / "saved.py")!r}, backend="numba")'
    expected = filled[0].run(save)
    name = next(
        line.split()[1].partition("(")[0]
        for line in reversed((tmp_path / "saved.py").read_text().splitlines())
        if line.startswith("def ")
    )
    script = SAVED.replace("value_and_grad_loss", name).replace("sys.argv[1]", repr(str(tmp_path)))
    first, second = (Cache(tmp_path).run(script) for _ in range(2))
    assert first["value"] == expected["value"]
    assert not first["package"]
    assert first["compiled"] > 0
    assert second == {**first, "compiled": 0}
