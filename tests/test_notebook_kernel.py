"""The notebooks in a Jupyter kernel: what a front end is given to show."""

import json
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path

import notebook
import pytest

ROOT = Path(__file__).parent.parent
NO_KERNEL = 3

RUN = f"""
import sys
import nbclient, nbformat
book = nbformat.read(sys.argv[1], as_version=4)
client = nbclient.NotebookClient(book, timeout=None, startup_timeout=300, kernel_name="python3")
client.create_kernel_manager()
try:
    client.start_new_kernel()
    client.start_new_kernel_client()
except Exception as error:
    print(type(error).__name__, error)
    sys.exit({NO_KERNEL})
with client.setup_kernel(cleanup_kc=True):
    for k, cell in enumerate(book.cells):
        client.execute_cell(cell, k)
nbformat.write(book, sys.argv[1])
"""

OBJECTS = {
    "import autograd_lite as ag\nfrom autograd_lite.models import student\nloss = student()": None,
    "ag.Tensor([[1.0, 2.0]], name='x')": ("text/html", "<b>x</b>"),
    "ag.Graph.of(loss)": ("text/html", "w·x"),
    "from autograd_lite.viz import draw\ndraw(loss)": ("image/svg+xml", "<svg"),
    "ag.derive(loss)": ("text/html", "<math"),
    "ag.compile(lambda a: a * 2.0)(3.0)": ("text/plain", "6.0"),
    "f = ag.compile(lambda a: a * 2.0)\nf(3.0)\nf": ("text/markdown", "```python"),
}
"""Cells, and what a front end shows of the last line."""


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    """The code cells of every notebook and of the objects, run in one kernel, by their names.

    The names that a notebook defines are deleted after it.
    """
    for package in ("nbclient", "ipykernel", "matplotlib", "sympy"):
        pytest.importorskip(package, reason=f"no {package} to run a notebook with")
    folder, path = tmp_path_factory.mktemp("kernel"), tmp_path_factory.mktemp("book") / "run.ipynb"
    parts = {name: code(name) for name in notebook.PAGES}
    parts["objects"] = [cell(source) for source in OBJECTS]
    every = [x for cells in parts.values() for x in (*cells, cell("%reset -f"))]
    for k, one in enumerate(every):
        one["id"] = f"cell-{k}"
    path.write_text(json.dumps(read("tour") | {"cells": every}), encoding="utf-8")
    places = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    own = {place: str(folder / place.lower()) for place in places}
    packages = os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH"))))
    try:
        ran = subprocess.run(
            [sys.executable, "-c", RUN, str(path)],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env=os.environ | own | {"PYTHONPATH": packages},
            timeout=900,
        )
    except subprocess.TimeoutExpired:
        pytest.skip("the kernel does not answer here")
    if ran.returncode == NO_KERNEL:
        pytest.skip(f"no kernel starts here: {ran.stdout.strip()}")
    assert ran.returncode == 0, ran.stderr
    ran = iter(json.loads(path.read_text(encoding="utf-8"))["cells"])
    return {name: [*islice(ran, len(cells) + 1)][:-1] for name, cells in parts.items()}


def cell(source):
    """A code cell that has not run."""
    empty = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    return empty | {"source": source}


def read(name):
    """The notebook of a page, as it is stored."""
    return json.loads((notebook.HERE / f"{name}.ipynb").read_text(encoding="utf-8"))


def code(name):
    """The code cells of the notebook of a page."""
    return [one for one in read(name)["cells"] if one["cell_type"] == "code"]


def shown(one):
    """What the last line of a cell is shown as."""
    return next((o["data"] for o in one["outputs"] if o["output_type"] == "execute_result"), {})


@pytest.mark.parametrize("name", notebook.PAGES)
def test_a_notebook_shows_in_a_kernel_what_it_holds(books, name):
    for now, then in zip(books[name], code(name), strict=True):
        assert set(shown(now)) == set(shown(then))
        if name in notebook.COURSE:
            assert "".join(shown(now).get("text/plain", "")) == "".join(
                shown(then).get("text/plain", "")
            )
        assert not [o for o in now["outputs"] if o["output_type"] == "error"]


def test_each_object_shows_itself_in_a_kernel(books):
    for wanted, one in zip(OBJECTS.values(), books["objects"], strict=True):
        if wanted is None:
            assert one["outputs"] == []
            continue
        kind, part = wanted
        assert part in "".join(shown(one)[kind])
