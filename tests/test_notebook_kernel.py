"""The notebook in a Jupyter kernel: what a front end is given to show."""

import json
import os
import subprocess
import sys
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
def outputs(tmp_path_factory):
    """The output of each cell of the notebook and of the objects, from a kernel of their own."""
    for package in ("nbclient", "ipykernel", "matplotlib", "sympy"):
        pytest.importorskip(package, reason=f"no {package} to run a notebook with")
    folder = tmp_path_factory.mktemp("kernel")
    book = json.loads((notebook.HERE / "tour.ipynb").read_text(encoding="utf-8"))
    book["cells"] = [cell for cell in book["cells"] if cell["cell_type"] == "code"]
    empty = {"cell_type": "code", "metadata": {}, "execution_count": None, "outputs": []}
    book["cells"] += [
        empty | {"id": f"object-{k}", "source": source} for k, source in enumerate(OBJECTS)
    ]
    path = folder / "run.ipynb"
    path.write_text(json.dumps(book), encoding="utf-8")
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
    return [cell["outputs"] for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]]


def shown(outputs):
    """What a cell's last line is shown as."""
    return next((o["data"] for o in outputs if o["output_type"] == "execute_result"), {})


def test_the_notebook_shows_in_a_kernel_what_it_holds(outputs):
    book = json.loads((notebook.HERE / "tour.ipynb").read_text(encoding="utf-8"))
    held = [cell["outputs"] for cell in book["cells"] if cell["cell_type"] == "code"]
    for now, then in zip(outputs, held, strict=False):
        assert set(shown(now)) == set(shown(then))
        assert not [o for o in now if o["output_type"] == "error"]


def test_each_object_shows_itself_in_a_kernel(outputs):
    for wanted, found in zip(OBJECTS.values(), outputs[-len(OBJECTS) :], strict=True):
        if wanted is None:
            assert found == []
            continue
        kind, part = wanted
        assert part in "".join(shown(found)[kind])
